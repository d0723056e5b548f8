//! One row, online: takes its conversation through attempts. The order of the steps is what matters, so it is written out
//! here; each step itself is done by its own module.
#![expect(
    clippy::disallowed_methods,
    reason = "what an attempt costs depends on the time of day at which it is sent"
)]

mod cached;

use std::sync::Arc;
use std::time::SystemTime;

use tokio::time::Instant;

use crate::admission::{Blame, Denial, Failing, Need, Refusal, Settlement, Stake, Strikes};
use crate::attachment::Loaded;
use crate::backlog::Place;
use crate::cache::CacheSession;
use crate::completion::{self, Reading};
use crate::config::{Plan, service_tier};
use crate::conversation::{Answer, Conversation, Step};
use crate::error::Problem;
use crate::event::EventKind;
use crate::fault::{Fault, FaultKind};
use crate::halt::Halt;
use crate::identity::{EqualRows, Key, KeyOf, RowKey};
use crate::journal::Intents;
use crate::money::Cost;
use crate::outcome::{Effort, Failure, FailureKind, Outcome};
use crate::price::{Moment, Pricing, unasked_tier};
use crate::provider::{Adaptation, Target, processing_time, standings};
use crate::refusals::Refusals;
use crate::request::Request;
use crate::retry::{self, Decision, Tried};
use crate::row::Row;
use crate::turn::{AttachmentContent, Completion, Prompt};
use crate::validity;
use crate::weight::{Weight, weigh};
use cached::Cached;
pub(crate) use cached::{cache_key, cached_outcome, kept_answer};

/// A row that is ready to be asked about.
#[derive(Debug)]
pub(crate) struct PreparedRow {
    pub(crate) row: Row,
    /// What identifies the row; `None` if nothing needs it.
    pub(crate) key: Option<RowKey>,
    pub(crate) conversation: Conversation,
}

/// What stops a run from sending requests, and what a row leaves when its first one may be sent.
#[derive(Debug)]
pub(crate) struct Switches<'a> {
    pub(crate) halt: &'a Halt,
    pub(crate) refusals: &'a Refusals,
    pub(crate) place: &'a Place,
}

/// What a run records to while it asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stores<'a> {
    pub(crate) intents: Option<&'a Intents>,
    pub(crate) cache: Option<&'a CacheSession>,
}

/// How the work on a row ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With a value or a failure.
    Done(Outcome),
    /// With a value from the cache, without asking.
    Cached(Outcome),
    /// Unfinished, because the run was halted, after this effort.
    Abandoned(Effort),
    /// With a fault that every row would share, after this effort.
    Fatal(Fault, Effort),
    /// Unfinished, because the budget is used up, after this effort.
    Denied(Denial, Effort),
    /// Unfinished, because the journal cannot be written to.
    Unrecorded(Problem),
}

/// Prepares a row: renders its prompt and begins its conversation.
pub(crate) fn prepare(plan: &Plan, row: Row) -> Result<PreparedRow, Box<(Row, Outcome)>> {
    let prompt = match prompt(plan, &row) {
        Ok(prompt) => prompt,
        Err(failure) => {
            let outcome = Outcome::unasked(row.index, *failure);
            return Err(Box::new((row, outcome)));
        }
    };
    let is_known_by_key = plan.journal.is_some() || plan.equal_rows == EqualRows::Share;
    let key = is_known_by_key.then(|| {
        let asked = plan.keys.of(&prompt);
        let known_as = plan.known_as.as_ref();
        let (key, of) = known_as.map_or((asked, KeyOf::Prompt), |known_as| known_as.key(&row));
        RowKey { key, of, asked }
    });
    let conversation = Conversation::begin(row.index, prompt, plan.max_reasks, plan.output_limit)
        .with_most_output(plan.capacity.output);
    Ok(PreparedRow { row, key, conversation })
}

/// Asks about a row until there is a value or a failure.
pub(crate) async fn extract(
    plan: &Plan,
    prepared: &mut PreparedRow,
    stores: Stores<'_>,
    switches: &Switches<'_>,
) -> Ended {
    let PreparedRow { row, key, conversation } = prepared;
    let halt = switches.halt;
    let files = match halt.or(plan.files.load(conversation.prompt())).await {
        Some(Ok(files)) => files,
        Some(Err(message)) => return Ended::Done(Outcome::unasked(row.index, unattached(message))),
        None => return Ended::Abandoned(*conversation.effort()),
    };
    let mut first_sent = None;
    let cached = stores.cache.zip(*key);
    let mut cached =
        cached.and_then(|(session, key)| Cached::new(plan, row, key, conversation.prompt(), &files, session));
    loop {
        if let Some(cached) = &mut cached {
            match halt.or(cached.outcome(row, conversation)).await {
                Some(Some(outcome)) => return Ended::Cached(outcome),
                Some(None) => {}
                None => return Ended::Abandoned(*conversation.effort()),
            }
        }
        let intents = stores.intents.zip(key.map(|key| key.key));
        let records = Records { intents, cached: cached.as_mut() };
        let answer = match ask(plan, conversation, &files, row.index, records, &mut first_sent, switches)
            .await
        {
            Asked::Taken => continue,
            Asked::Answered(completion, target) => {
                let completion = conversation.joined(completion);
                let limit = target.sent_limit(conversation.prompt());
                let reading = completion::read_within(&completion, &plan.schema, &target.form.wire, limit);
                Answer::Read(completion, validity::of_answer(plan, row, reading).await)
            }
            Asked::Failed(fault) => Answer::Failed(fault),
            Asked::Halted => return Ended::Abandoned(*conversation.effort()),
            Asked::Fatal(fault) => return Ended::Fatal(fault, *conversation.effort()),
            Asked::Denied(denial) => return Ended::Denied(denial, *conversation.effort()),
            Asked::Unrecorded(problem) => return Ended::Unrecorded(problem),
        };
        let violations = match &answer {
            Answer::Read(_, Reading::Invalid { violations, .. }) => violations.len(),
            Answer::Read(..) | Answer::Failed(_) => 0,
        };
        match conversation.judge(answer) {
            Step::Done(outcome) => {
                if let Some(cached) = &mut cached {
                    cached.keep(&outcome).await;
                }
                return Ended::Done(outcome);
            }
            Step::Ask => plan.observers.emit(row.index, EventKind::Reasked { violations }),
        }
    }
}

/// The result of asking one prompt.
enum Asked {
    Answered(Completion, Arc<Target>),
    Failed(Fault),
    Halted,
    Fatal(Fault),
    Denied(Denial),
    Unrecorded(Problem),
    /// Nothing was asked, since another run is asking about the same row.
    Taken,
}

/// Where to record that a row is about to be asked.
struct Records<'a, 'b> {
    intents: Option<(&'a Intents, Key)>,
    cached: Option<&'a mut Cached<'b>>,
}

/// Attempts one prompt until it is answered. Each attempt is admitted separately, and its permit is settled before any wait.
async fn ask(
    plan: &Plan,
    conversation: &mut Conversation,
    files: &Loaded,
    row: u64,
    mut records: Records<'_, '_>,
    first_sent: &mut Option<Instant>,
    Switches { halt, refusals, place }: &Switches<'_>,
) -> Asked {
    let output_limit = conversation.prompt().output_limit.or(plan.output_limit);
    let pricing = &plan.account.pricing;
    // The server may have rejected the parameter that asks for a tier.
    let tier = |target: &Target| service_tier(&target.parameters);
    let at_most =
        |weight: Weight, target: &Target, at| pricing.at_most(weight.most, tier(target).as_deref(), at);
    let mut target = plan.approach.target();
    let (mut request, mut weight) = encoded(plan, &target, &files.fill(conversation.prompt()));
    let (mut tried, mut strikes) = (Tried::default(), Strikes::default());
    let mut others = 0;
    loop {
        let most = at_most(weight, &target, Moment::from(SystemTime::now()));
        let stake = Stake { most, purse: plan.purse };
        let need = Need { bytes: weight.bytes, output_limit, stake };
        if halt.or(refusals.clear()).await.is_none() {
            return Asked::Halted;
        }
        let asked = Instant::now();
        let mut permit = match halt.or(plan.admit(need)).await {
            Some(Ok(permit)) => permit,
            Some(Err(denial)) => return Asked::Denied(denial),
            None => return Asked::Halted,
        };
        place.leave();
        let held = permit.waited_for().map(|bound| (bound, asked.elapsed()));
        // While this row waited, another one may have found that the server needs a different request.
        let current = plan.approach.target();
        if !Arc::ptr_eq(&current, &target) {
            target = current;
            (request, weight) = encoded(plan, &target, &files.fill(conversation.prompt()));
        }
        let at = Moment::from(SystemTime::now());
        let most = at_most(weight, &target, at);
        let has_lost_bound = most.is_none() && stake.most.is_some();
        if has_lost_bound || most > stake.most {
            // Its maximum cost has risen while it waited.
            permit.hand_back();
            continue;
        }
        if let Some(cached) = &mut records.cached {
            match halt.or(cached.claim()).await {
                Some(true) => {}
                Some(false) => {
                    permit.hand_back();
                    return Asked::Taken;
                }
                None => {
                    permit.hand_back();
                    return Asked::Halted;
                }
            }
        }
        let Some(first_answers) = refusals.send() else {
            permit.hand_back();
            continue;
        };
        let lost = pricing.of_lost(most);
        if let Some((intents, key)) = records.intents {
            let mut cost = conversation.effort().cost;
            cost += lost;
            if let Err(problem) = intents.note(key, row, conversation.effort().attempts + 1, cost).await {
                permit.hand_back();
                return Asked::Unrecorded(problem);
            }
            if halt.is_on() {
                permit.hand_back();
                intents.withdraw(key, row);
                return Asked::Halted;
            }
        }
        let (attempt, prompt) = (conversation.count_attempt(), conversation.effort().prompts);
        let unanswered = plan.observers.sent(row, attempt, prompt, held, lost);
        let sent = Instant::now();
        let response = plan.account.transport.send(&request).await;
        let (latency, since_first) = (sent.elapsed(), first_sent.get_or_insert(sent).elapsed());
        let processing = response.as_ref().ok().and_then(processing_time);
        let standings = response.as_ref().map(standings).unwrap_or_default();
        let result = response.and_then(|response| target.decode(&response));
        let result = result.map_err(|fault| {
            let message = plan.account.transport.hide_secrets(fault.message);
            Fault { message, ..fault }
        });
        first_answers.end(result.as_ref().map(|_| ()), attempt - 1);
        let asked_tier = tier(&target);
        let cost = cost(pricing, asked_tier.as_deref(), &result, at, lost);
        permit.served_in(served_unasked(asked_tier.as_deref(), &result));
        let blame = permit.settle(settlement(&result), cost, &standings, &mut strikes);
        conversation.count_answer(&result, cost, latency, since_first);
        let seen =
            result.as_ref().map(|completion| completion.usage).map_err(|fault| Arc::new(fault.clone()));
        unanswered.end(latency, processing, seen, cost);
        let mut fault = match result {
            Ok(completion) => {
                plan.approach.accepted(&target);
                return Asked::Answered(completion, target);
            }
            Err(fault) => fault,
        };
        if let Some(shared) = refusals.no_answer() {
            return Asked::Fatal(shared);
        }

        match plan.approach.adapt(&target, &fault) {
            Adaptation::None => {}
            Adaptation::OfRow => fault.should_retry = Some(true),
            adapted @ (Adaptation::Made | Adaptation::Change(_)) => {
                if let Adaptation::Change(change) = adapted {
                    plan.observers.emit(row, EventKind::Adapted(change.to_string()));
                }
                target = plan.approach.target();
                (request, weight) = encoded(plan, &target, &files.fill(conversation.prompt()));
                continue;
            }
        }
        if retry::is_limit(fault.kind) {
            tried.limits += 1;
            tried.limited_for = plan.account.admission.limited_for();
        } else if failing(&fault).is_none() {
            others += 1;
        }
        tried.faults = strikes.count() + others;
        tried.all_fail = blame == Blame::Setup;
        tried.outage = match blame {
            Blame::Account(lasted) => Some(lasted),
            Blame::Row | Blame::Chance | Blame::Setup => None,
        };
        tried.by_chance = blame == Blame::Chance;
        tried.answered = plan.account.admission.has_answered();
        match retry::decide(&fault, tried, plan.retry, fastrand::f64()) {
            Decision::Retry(wait) => {
                plan.observers.emit(row, EventKind::Waits(wait));
                if !wait.is_zero() && halt.or(tokio::time::sleep(wait)).await.is_none() {
                    return Asked::Halted;
                }
            }
            Decision::GiveUp => return Asked::Failed(fault),
            Decision::Stop => return Asked::Fatal(fault),
        }
    }
}

/// The request for `prompt`, and its weight.
pub(crate) fn encoded(plan: &Plan, target: &Target, prompt: &Prompt) -> (Request, Weight) {
    let request = target.encode(prompt);
    let weight = weigh(&request, target, prompt, plan.capacity);
    (request, weight)
}

fn prompt(plan: &Plan, row: &Row) -> Result<Prompt, Box<Failure>> {
    let fields = row.fields.as_ref().map_err(|unreadable| Box::new(unreadable.clone().into()))?;
    plan.template.render(fields)
}

/// The failure of a row with files that cannot be sent.
pub(crate) fn unattached(message: String) -> Failure {
    Failure::unasked(FailureKind::Attachment, message)
}

/// The request that would begin the conversation about `row`. Its files are read on the calling thread.
pub(crate) fn first_request(plan: &Plan, row: &Row) -> Result<Request, Box<Failure>> {
    let prompt = prompt(plan, row)?;
    let files = plan.files.load_now(&prompt).map_err(|message| Box::new(unattached(message)))?;
    Ok(plan.approach.target().encode(&files.fill(&prompt)))
}

/// The weight of the request that would begin the conversation about `row`, its prompt and its key; `None` if the row cannot be
/// asked about. No file is read.
pub(crate) fn first_weight(plan: &Plan, row: &Row) -> Option<(Weight, Prompt, Key)> {
    let mut prompt = prompt(plan, row).ok()?;
    let key = plan.keys.of(&prompt);
    for attachment in prompt.attachments_mut() {
        // Its weight does not depend on its size.
        attachment.content = AttachmentContent::Base64("".into());
    }
    let (_, weight) = encoded(plan, &plan.approach.target(), &prompt);
    Some((weight, prompt, key))
}

/// The key under which a cache has the row, if its prompt can be rendered and no files are sent with it.
pub(crate) fn cacheable_key(plan: &Plan, row: &Row) -> Option<Key> {
    let prompt = prompt(plan, row).ok()?;
    let asked = plan.keys.of(&prompt);
    let has_files =
        prompt.attachments().any(|attachment| matches!(attachment.content, AttachmentContent::File(_)));
    let asked = if validity::differs_by_row(plan) { asked.of_row(row) } else { asked };
    (!has_files).then_some(asked)
}

/// The key of the row's prompt, if it can be rendered.
pub(crate) fn key(plan: &Plan, row: &Row) -> Option<Key> {
    Some(plan.keys.of(&prompt(plan, row).ok()?))
}

/// What an attempt that was sent `at` this moment cost, or `lost` if that is not reported.
pub(crate) fn cost(
    pricing: &Pricing,
    asked_tier: Option<&str>,
    result: &Result<Completion, Fault>,
    at: Moment,
    lost: Cost,
) -> Cost {
    match result {
        Ok(completion) => {
            let tier = completion.service_tier.as_deref().or(asked_tier);
            let Some(usage) = &completion.usage else { return lost };
            // Without a price, it may cost more than the calculated maximum.
            pricing.cost(usage, tier, at).map_or(Cost::UNKNOWN, Cost::known)
        }
        Err(fault) if fault.may_be_billed() => lost,
        Err(_) => Cost::default(),
    }
}

/// The tier in which an attempt was served, if that is not the one it asked for.
pub(crate) fn served_unasked<'a>(
    asked_tier: Option<&str>,
    result: &'a Result<Completion, Fault>,
) -> Option<&'a str> {
    unasked_tier(asked_tier, result.as_ref().ok()?.service_tier.as_deref())
}

/// How to settle the permit of an attempt with this result.
pub(crate) fn settlement(result: &Result<Completion, Fault>) -> Settlement {
    match result {
        Ok(Completion { usage: Some(usage), .. }) => Settlement::Exact(*usage),
        Err(fault) if retry::is_limit(fault.kind) => Settlement::Refused(Refusal {
            retry_after: fault.retry_after,
            by: fault.limited_by,
            overloaded: fault.kind == FaultKind::Overloaded,
            slots: fault.places,
        }),
        Ok(Completion { usage: None, .. }) => Settlement::Unknown,
        Err(fault) => failing(fault).map_or(Settlement::Unknown, |failing| Settlement::Failed {
            failing,
            retry_after: fault.retry_after,
        }),
    }
}

/// How an attempt failed, if others may fail the same way; `None` if the server answered it.
fn failing(fault: &Fault) -> Option<Failing> {
    match (fault.kind, fault.status) {
        (FaultKind::Unreachable, _) => Some(Failing::Unreachable),
        (FaultKind::Timeout | FaultKind::Server, _) if fault.has_page() => Some(Failing::Page),
        (FaultKind::Timeout | FaultKind::Connection, None | Some(..=299)) => Some(Failing::Unanswered),
        (FaultKind::Timeout | FaultKind::Connection, Some(_)) | (FaultKind::Server, Some(501..)) => {
            Some(Failing::Gateway)
        }
        (FaultKind::Server, _) => Some(Failing::Server),
        (
            FaultKind::RateLimit
            | FaultKind::Overloaded
            | FaultKind::Conflict
            | FaultKind::Quota
            | FaultKind::Auth
            | FaultKind::Permission
            | FaultKind::NotFound
            | FaultKind::InvalidSchema
            | FaultKind::UnsupportedParameter
            | FaultKind::ContextLength
            | FaultKind::ContentPolicy
            | FaultKind::TooLarge
            | FaultKind::RequestExceedsLimit
            | FaultKind::Unprocessable
            | FaultKind::InvalidRequest,
            _,
        ) => None,
    }
}

#[cfg(test)]
mod tests;
