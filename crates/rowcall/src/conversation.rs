//! One row, pure: what is asked next, and when it is over. No I/O and no clock; stations bring facts, and only this file
//! decides that a row goes on.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::completion::{NOT_CLOSED, Reading};
use crate::fault::Fault;
use crate::money::Cost;
use crate::outcome::{Effort, Failure, FailureKind, Outcome, Spent};
use crate::turn::{Completion, Content, Finish, Prompt, Turn};
use crate::violation::Violation;

/// How often an answer that was cut is asked for again, each time with twice the output limit.
const ENLARGEMENTS: u32 = 2;

/// The least room in tokens that is asked for where nobody has set a limit: OpenAI refuses less than 16, and an answer that was cut
/// after a few tokens tells nothing of how long it is.
const LEAST_ROOM: u32 = 256;

/// How often a row's paused answers are continued, whatever the limit on re-asks. Providers pause after thousands of tokens or several calls of their own tools, so
/// an answer of a row's size needs one continuation, if any.
const CONTINUATIONS: u32 = 4;

/// How far one row has come. It can be put away and taken up again.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Conversation {
    index: u64,
    prompt: Prompt,
    /// Turns of the first prompt; what follows them is the latest re-ask.
    first_turns: usize,
    reasks_left: u32,
    enlargements_left: u32,
    /// The output limit in force, in tokens, if one is sent.
    output_limit: Option<u32>,
    /// The most tokens that the model gives, if that is known.
    most_output: Option<u32>,
    effort: Effort,
    /// What the first request took that may be billed, and what each took if there are several.
    #[serde(default)]
    first: Option<Spent>,
    #[serde(default)]
    requests: Vec<Spent>,
    /// What a paused answer has said so far.
    said: String,
    continuations_left: u32,
    /// Which violations the best invalid answer had, and what it was.
    best: Option<Best>,
}

/// The invalid answer with the fewest violations.
#[derive(Debug, Serialize, Deserialize)]
struct Best {
    value: Value,
    violations: usize,
}

/// What comes next.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once a prompt, and a box would cost an allocation"
)]
pub(crate) enum Step {
    /// Ask [`Conversation::prompt`].
    Ask,
    /// The row is over.
    Done(Outcome),
}

/// What came of asking.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once a prompt, and a box would cost an allocation"
)]
pub(crate) enum Answer {
    /// The model answered, and this is what the answer gives.
    Read(Completion, Reading),
    /// No attempt was answered; the last one's fault.
    Failed(Fault),
}

impl Conversation {
    /// The beginning of a row's conversation: its first prompt is to be asked.
    pub(crate) fn begin(index: u64, prompt: Prompt, max_reasks: u32, output_limit: Option<u32>) -> Self {
        Self {
            index,
            first_turns: prompt.turns.len(),
            prompt,
            reasks_left: max_reasks,
            enlargements_left: ENLARGEMENTS,
            output_limit,
            most_output: None,
            said: String::new(),
            continuations_left: CONTINUATIONS,
            effort: Effort { prompts: 1, ..Effort::default() },
            best: None,
            first: None,
            requests: Vec::new(),
        }
    }

    /// The same conversation with a model that gives at most so many tokens, if that is known.
    pub(crate) fn with_most_output(mut self, most_output: Option<u32>) -> Self {
        self.most_output = most_output;
        self
    }

    /// The conversation goes on after a first answer that cost nothing, as it was another row's or an earlier run's, and that is not
    /// valid for this row: a re-ask, if any is left. If not, the answer is not mentioned and the row is asked anew.
    pub(crate) fn answered(&mut self, raw_turn: Value, value: Value, violations: Vec<Violation>) {
        if self.reasks_left > 0 {
            self.reasks_left -= 1;
            self.best = Some(Best { value, violations: violations.len() });
            self.prompt.turns.push(Turn::Invalid { raw_turn, violations });
        }
    }

    /// Whether an answer is shown to the model that is not valid.
    pub(crate) fn is_answered(&self) -> bool {
        self.prompt.turns.len() > self.first_turns
    }

    /// What to ask now.
    pub(crate) fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// What the row has taken so far.
    pub(crate) fn effort(&self) -> &Effort {
        &self.effort
    }

    /// Counts an attempt about to be sent, and tells which of the row's it is, from 1.
    pub(crate) fn count_attempt(&mut self) -> u32 {
        self.effort.attempts += 1;
        self.effort.attempts
    }

    /// Counts what an attempt took and cost, with the time since the row's first was sent.
    pub(crate) fn count_answer(
        &mut self,
        result: &Result<Completion, Fault>,
        cost: Cost,
        since_first: Duration,
    ) {
        self.effort.latency = since_first;
        self.effort.cost += cost;
        self.note(Spent { usage: result.as_ref().ok().and_then(|completion| completion.usage), cost });
        match result {
            Ok(Completion { usage: Some(usage), .. }) => self.effort.usage += *usage,
            Ok(Completion { usage: None, .. }) => self.effort.unmetered += 1,
            Err(fault) => self.effort.unmetered += u32::from(fault.may_be_billed()),
        }
    }

    fn note(&mut self, spent: Spent) {
        match self.first {
            _ if spent == Spent::default() => {}
            None => self.first = Some(spent),
            Some(first) if self.requests.is_empty() => self.requests.extend([first, spent]),
            Some(_) => self.requests.push(spent),
        }
    }

    /// The completion with all that has been said before it was paused.
    pub(crate) fn joined(&mut self, completion: Completion) -> Completion {
        let said = std::mem::take(&mut self.said);
        match completion.content {
            Content::Text(text) if !said.is_empty() => {
                Completion { content: Content::Text(said + &text), ..completion }
            }
            Content::Text(_) | Content::Calls(_) | Content::Refusal(_) | Content::Thoughts(_) => completion,
        }
    }

    /// Decides whether the row is over.
    pub(crate) fn judge(&mut self, answer: Answer) -> Step {
        let (completion, reading) = match answer {
            Answer::Read(completion, reading) => (completion, reading),
            Answer::Failed(fault) => {
                let message = fault.to_string();
                let failure = self.failure(FailureKind::Fault(fault.kind), message);
                return self.fail(Failure { fault: Some(Box::new(fault)), ..failure }, None);
            }
        };
        match reading {
            Reading::Value { value, repairs } => {
                let repairs = repairs.into_iter().map(|repair| repair.name().to_owned()).collect();
                let outcome = self.outcome(Ok(value), Said::by(Some(&completion)));
                Step::Done(Outcome { repairs, completion: Some(Arc::new(completion)), ..outcome })
            }
            Reading::Refused(words) => {
                let failure = self.failure(FailureKind::Refusal, format!("the model declined: {words}"));
                self.fail(failure, Some(completion))
            }
            Reading::Filtered => {
                let failure =
                    self.failure(FailureKind::ContentFilter, "the provider's filter withheld the answer");
                self.fail(failure, Some(completion))
            }
            Reading::Truncated => self.enlarge(completion),
            Reading::Paused => self.go_on(completion),
            Reading::Invalid { violations, best } => {
                if let Some(value) = best
                    && self.best.as_ref().is_none_or(|best| violations.len() < best.violations)
                {
                    self.best = Some(Best { value, violations: violations.len() });
                }
                self.reask(completion, violations)
            }
        }
    }

    /// A paused answer is taken up where it was left.
    fn go_on(&mut self, completion: Completion) -> Step {
        match (self.continuations_left, &completion.continuation, &completion.content) {
            (1.., Some(token), Content::Text(text)) => {
                self.continuations_left -= 1;
                self.said.clone_from(text);
                self.prompt.continuation = Some(token.clone());
                self.effort.prompts += 1;
                Step::Ask
            }
            (_, _, Content::Text(_) | Content::Calls(_) | Content::Refusal(_) | Content::Thoughts(_)) => {
                let failure = self
                    .failure(FailureKind::Truncated, "the provider paused the answer and did not finish it");
                self.fail(failure, Some(completion))
            }
        }
    }

    /// An answer that was cut is asked for again with more room: the same question would be cut at the same place. Where the
    /// server does not say that it was cut, and nothing else shows it, more room would not help.
    fn enlarge(&mut self, completion: Completion) -> Step {
        let told = completion.usage.map(|usage| u32::try_from(usage.output_tokens).unwrap_or(u32::MAX));
        let is_cut = match (completion.finish, told, self.output_limit) {
            (Finish::Unstated, Some(used), Some(limit)) => used >= limit,
            (Finish::Unstated, None, None) => false,
            (Finish::Unstated, Some(_), None) | (Finish::Unstated, None, Some(_)) => {
                self.enlargements_left > 0
            }
            (Finish::Stop | Finish::Length | Finish::ContentFilter | Finish::Paused, _, _) => true,
        };
        if !is_cut {
            return self.reask(completion, vec![Violation::whole(NOT_CLOSED)]);
        }
        // A token is hardly ever shorter than a byte.
        let told = told.filter(|&used| used > 0).or_else(|| u32::try_from(length(&completion.content)).ok());
        let limit = self.output_limit.or(told).filter(|&limit| limit > 0);
        let most = self.most_output.unwrap_or(u32::MAX);
        let least = if self.output_limit.is_some() { 0 } else { LEAST_ROOM };
        let larger = limit.and_then(|limit| {
            Some(limit.checked_mul(2)?.max(least).min(most)).filter(|&larger| larger > limit)
        });
        match larger {
            Some(limit) if self.enlargements_left > 0 => {
                self.enlargements_left -= 1;
                self.output_limit = Some(limit);
                self.prompt.output_limit = Some(limit);
                self.prompt.continuation = None;
                self.effort.prompts += 1;
                Step::Ask
            }
            Some(_) | None => {
                let at = limit.map_or(String::new(), |limit| format!(" at {limit} tokens"));
                let failure = self.failure(FailureKind::Truncated, format!("the answer was cut{at}"));
                self.fail(failure, Some(completion))
            }
        }
    }

    /// Only the latest invalid answer is carried, so that the conversation does not grow with each re-ask.
    fn reask(&mut self, completion: Completion, violations: Vec<Violation>) -> Step {
        if self.reasks_left == 0 {
            let reasons: Vec<_> = violations.iter().map(ToString::to_string).collect();
            let prompts = match self.effort.prompts {
                1 => "1 prompt".to_owned(),
                prompts => format!("{prompts} prompts"),
            };
            let message = format!("no valid answer to {prompts}; last: {}", reasons.join("; "));
            let failure = Failure { violations, ..self.failure(FailureKind::Invalid, message) };
            return self.fail(failure, Some(completion));
        }
        self.reasks_left -= 1;
        self.effort.prompts += 1;
        self.prompt.turns.truncate(self.first_turns);
        self.prompt.continuation = None;
        self.prompt.turns.push(Turn::Invalid { raw_turn: completion.raw_turn, violations });
        Step::Ask
    }

    fn failure(&self, kind: FailureKind, message: impl Into<String>) -> Failure {
        Failure { effort: self.effort, ..Failure::unasked(kind, message) }
    }

    fn fail(&mut self, failure: Failure, completion: Option<Completion>) -> Step {
        let said = Said::by(completion.as_ref());
        let best = self.best.take().map(|best| best.value);
        let failure = Failure { best, completion: completion.map(Box::new), ..failure };
        Step::Done(self.outcome(Err(Box::new(failure)), said))
    }

    fn outcome(&mut self, result: Result<Value, Box<Failure>>, said: Said) -> Outcome {
        let Said { model, finish_reason } = said;
        let requests = std::mem::take(&mut self.requests);
        let (index, effort) = (self.index, self.effort);
        Outcome {
            index,
            result,
            effort,
            repairs: Vec::new(),
            model,
            finish_reason,
            requests,
            from_cache: false,
            completion: None,
        }
    }
}

/// The bytes of an answer.
fn length(content: &Content) -> usize {
    match content {
        Content::Text(text) | Content::Refusal(text) | Content::Thoughts(text) => text.len(),
        Content::Calls(calls) => calls.iter().map(|call| call.arguments.len()).sum(),
    }
}

/// What the last completion said of itself.
struct Said {
    model: Option<String>,
    finish_reason: Option<String>,
}

impl Said {
    fn by(completion: Option<&Completion>) -> Self {
        Self {
            model: completion.map(|completion| completion.model.clone()),
            finish_reason: completion.map(|completion| completion.finish_reason.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
