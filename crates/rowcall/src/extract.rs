//! One row, online: carries its conversation through attempts. The order of the steps is the product, so it is written out
//! here and fits one screen; what each step does is its station's business.

use std::sync::Arc;

use tokio::time::Instant;

use crate::admission::{Need, Refusal, Settlement};
use crate::completion::{self, Reading};
use crate::config::Plan;
use crate::conversation::{Answer, Conversation, Step};
use crate::error::Problem;
use crate::event::EventKind;
use crate::fault::{Fault, FaultKind};
use crate::halt::Halt;
use crate::identity::{EqualRows, Key};
use crate::journal::Intents;
use crate::outcome::{Effort, Failure, FailureKind, Outcome};
use crate::provider::{processing_time, standings};
use crate::request::Request;
use crate::retry::{self, Decision, Tried};
use crate::row::Row;
use crate::turn::{Completion, Prompt};

/// A row that is ready to be asked about.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) row: Row,
    /// What it is known by; none where nobody wants to know.
    pub(crate) key: Option<Key>,
    pub(crate) conversation: Conversation,
}

/// How the work on a row ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With a value or a failure.
    Done(Outcome),
    /// Before its end, because the run was halted, after this effort.
    Abandoned(Effort),
    /// By a fault that every row would share, after this effort.
    Fatal(Fault, Effort),
    /// Before its end, because the journal takes no more.
    Unrecorded(Problem),
}

/// Makes a row ready: its prompt is rendered, its conversation begins.
pub(crate) fn open(plan: &Plan, row: Row) -> Result<Opening, Box<(Row, Outcome)>> {
    let prompt = match prompt(plan, &row) {
        Ok(prompt) => prompt,
        Err(failure) => {
            let outcome = Outcome::unasked(row.index, *failure);
            return Err(Box::new((row, outcome)));
        }
    };
    let is_known_by_key = plan.journal.is_some() || plan.equal_rows == EqualRows::Share;
    let key = is_known_by_key.then(|| plan.keys.of(&prompt));
    let limit = plan.target.parameters.max_output_tokens;
    let conversation = Conversation::begin(row.index, prompt, plan.max_reasks, limit);
    Ok(Opening { row, key, conversation })
}

/// Asks about a row until there is a value or a failure.
pub(crate) async fn extract(
    plan: &Plan,
    opening: &mut Opening,
    intents: Option<&Intents>,
    halt: &Halt,
) -> Ended {
    let Opening { row, key, conversation } = opening;
    let mut first_sent = None;
    loop {
        let noted = intents.zip(*key);
        let answer = match ask(plan, conversation, row.index, noted, &mut first_sent, halt).await {
            Asked::Answered(completion) => {
                let reading = completion::read(&completion, &plan.schema, &plan.target.wire);
                Answer::Read(completion, checked(plan, row, reading).await)
            }
            Asked::Failed(fault) => Answer::Failed(fault),
            Asked::Halted => return Ended::Abandoned(*conversation.effort()),
            Asked::Fatal(fault) => return Ended::Fatal(fault, *conversation.effort()),
            Asked::Unrecorded(problem) => return Ended::Unrecorded(problem),
        };
        let violations = match &answer {
            Answer::Read(_, Reading::Invalid { violations, .. }) => violations.len(),
            Answer::Read(..) | Answer::Failed(_) => 0,
        };
        match conversation.judge(answer) {
            Step::Done(outcome) => return Ended::Done(outcome),
            Step::Ask => plan.observers.emit(row.index, EventKind::Reasked { violations }),
        }
    }
}

/// What came of asking one prompt.
enum Asked {
    Answered(Completion),
    Failed(Fault),
    Halted,
    Fatal(Fault),
    Unrecorded(Problem),
}

/// Attempts one prompt until it is answered. Each attempt is admitted anew, and its permit is settled and gone before any wait.
async fn ask(
    plan: &Plan,
    conversation: &mut Conversation,
    row: u64,
    noted: Option<(&Intents, Key)>,
    first_sent: &mut Option<Instant>,
    halt: &Halt,
) -> Asked {
    let request = plan.target.encode(conversation.prompt());
    let output_limit = conversation.prompt().output_limit.or(plan.target.parameters.max_output_tokens);
    let need = Need { bytes: request.body.len(), output_limit };
    let mut tried = Tried::default();
    loop {
        let Some((place, permit)) = halt.or(plan.admit(need)).await else { return Asked::Halted };
        let (attempt, prompt) = (conversation.count_attempt(), conversation.effort().prompts);
        if let Some((intents, key)) = noted
            && let Err(problem) = intents.note(key, row, attempt).await
        {
            return Asked::Unrecorded(problem);
        }
        let waited_for = permit.waited_for();
        plan.observers.emit(row, EventKind::Sent { attempt, prompt, waited_for });
        let sent = Instant::now();
        let response = plan.account.transport.send(&request).await;
        let (latency, since_first) = (sent.elapsed(), first_sent.get_or_insert(sent).elapsed());
        let processing = response.as_ref().ok().and_then(processing_time);
        let standings = response.as_ref().map(standings).unwrap_or_default();
        let result = response.and_then(|response| plan.target.protocol.decode(&response));
        let result = result.map_err(|fault| {
            let message = plan.account.transport.hide_secrets(fault.message);
            Fault { message, ..fault }
        });
        permit.settle(settlement(&result), &standings);
        drop(place);
        conversation.count_answer(&result, since_first);
        let seen =
            result.as_ref().map(|completion| completion.usage).map_err(|fault| Arc::new(fault.clone()));
        plan.observers.emit(row, EventKind::Answered { attempt, latency, processing, result: seen });
        let fault = match result {
            Ok(completion) => return Asked::Answered(completion),
            Err(fault) => fault,
        };

        if retry::is_limit(fault.kind) {
            tried.limits += 1;
            tried.limited_for = plan.account.admission.limited_for();
        } else {
            tried.faults += 1;
        }
        tried.answered = plan.account.admission.has_answered();
        match retry::decide(&fault, tried, plan.retry, fastrand::f64()) {
            Decision::Retry(wait) => {
                plan.observers.emit(row, EventKind::Waits(wait));
                if halt.or(tokio::time::sleep(wait)).await.is_none() {
                    return Asked::Halted;
                }
            }
            Decision::GiveUp => return Asked::Failed(fault),
            Decision::Stop => return Asked::Fatal(fault),
        }
    }
}

fn prompt(plan: &Plan, row: &Row) -> Result<Prompt, Box<Failure>> {
    let fields = row.fields.as_ref().map_err(|unreadable| Box::new(unreadable.clone().into()))?;
    let rendered = plan.template.render(fields);
    rendered.map_err(|message| Box::new(Failure::unasked(FailureKind::Template, message)))
}

/// The request that would open the conversation about `row`.
pub(crate) fn first_request(plan: &Plan, row: &Row) -> Result<Request, Box<Failure>> {
    Ok(plan.target.encode(&prompt(plan, row)?))
}

/// The key of the row with this prompt, if one can be rendered.
pub(crate) fn key(plan: &Plan, row: &Row) -> Option<Key> {
    Some(plan.keys.of(&prompt(plan, row).ok()?))
}

/// A value must also fit the caller's type, which may be narrower than its schema, and the user's own rule.
async fn checked(plan: &Plan, row: &Row, reading: Reading) -> Reading {
    let Reading::Value { value, repairs } = reading else { return reading };
    let violations = match (&plan.check, (plan.misfit)(&value)) {
        (_, Some(misfit)) => vec![misfit],
        (None, None) => Vec::new(),
        (Some(check), None) => {
            check.check(vec![(row.clone(), value.clone())]).await.into_iter().flatten().collect()
        }
    };
    if violations.is_empty() {
        return Reading::Value { value, repairs };
    }
    Reading::Invalid { violations, best: Some(value) }
}

fn settlement(result: &Result<Completion, Fault>) -> Settlement {
    match result {
        Ok(Completion { usage: Some(usage), .. }) => Settlement::Exact(*usage),
        Err(fault) if retry::is_limit(fault.kind) => Settlement::Refused(Refusal {
            retry_after: fault.retry_after,
            by: fault.limited_by,
            overloaded: fault.kind == FaultKind::Overloaded,
        }),
        Err(Fault { status: None, .. }) => Settlement::Unanswered,
        Ok(Completion { usage: None, .. }) | Err(_) => Settlement::Unknown,
    }
}

#[cfg(test)]
mod tests;
