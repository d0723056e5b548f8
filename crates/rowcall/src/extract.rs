//! One row, online: carries its conversation through attempts. The order of the steps is the product, so it is written out
//! here and fits one screen; what each step does is its station's business.

use std::sync::Arc;

use tokio::time::Instant;

use crate::admission::{Need, Settlement};
use crate::completion::{self, Reading};
use crate::config::Plan;
use crate::conversation::{Answer, Conversation, Step};
use crate::event::EventKind;
use crate::fault::Fault;
use crate::halt::Halt;
use crate::outcome::{Failure, FailureKind, Outcome};
use crate::provider::processing_time;
use crate::request::Request;
use crate::retry::{self, Decision, Tried};
use crate::row::Row;
use crate::turn::Completion;

/// How the work on a row ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// With a value or a failure.
    Done(Outcome),
    /// Before its end, because the run was halted.
    Abandoned,
    /// By a fault that every row would share.
    Fatal(Fault),
}

/// Asks about `row` until there is a value or a failure.
pub(crate) async fn extract(plan: &Plan, row: &Row, halt: &Halt) -> Ended {
    let mut conversation = match begin(plan, row) {
        Ok(conversation) => conversation,
        Err(failure) => return Ended::Done(Outcome::unasked(row.index, *failure)),
    };
    let mut first_sent = None;
    loop {
        let answer = match ask(plan, &mut conversation, row.index, &mut first_sent, halt).await {
            Asked::Answered(completion) => {
                let reading = completion::read(&completion, &plan.schema, &plan.target.wire);
                Answer::Read(completion, checked(plan, row, reading).await)
            }
            Asked::Failed(fault) => Answer::Failed(fault),
            Asked::Halted => return Ended::Abandoned,
            Asked::Fatal(fault) => return Ended::Fatal(fault),
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
}

/// Attempts one prompt until it is answered. Each attempt is admitted anew, and its permit is settled and gone before any wait.
async fn ask(
    plan: &Plan,
    conversation: &mut Conversation,
    row: u64,
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
        plan.observers.emit(row, EventKind::Sent { attempt, prompt });
        let sent = Instant::now();
        let response = plan.account.transport.send(&request).await;
        let (latency, since_first) = (sent.elapsed(), first_sent.get_or_insert(sent).elapsed());
        let processing = response.as_ref().ok().and_then(processing_time);
        let result = response.and_then(|response| plan.target.protocol.decode(&response));
        permit.settle(settlement(&result));
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

fn begin(plan: &Plan, row: &Row) -> Result<Conversation, Box<Failure>> {
    let fields = row.fields.as_ref().map_err(|unreadable| Box::new(unreadable.clone().into()))?;
    let prompt = plan
        .template
        .render(fields)
        .map_err(|message| Box::new(Failure::unasked(FailureKind::Template, message)))?;
    Ok(Conversation::begin(row.index, prompt, plan.max_reasks, plan.target.parameters.max_output_tokens))
}

/// The request that would open the conversation about `row`.
pub(crate) fn first_request(plan: &Plan, row: &Row) -> Result<Request, Box<Failure>> {
    Ok(plan.target.encode(begin(plan, row)?.prompt()))
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
        Err(fault) if retry::is_limit(fault.kind) => Settlement::Refused { retry_after: fault.retry_after },
        Err(Fault { status: None, .. }) => Settlement::Unanswered,
        Ok(Completion { usage: None, .. }) | Err(_) => Settlement::Unknown,
    }
}

#[cfg(test)]
mod tests;
