//! The pure logic of one row: what to ask next, and when it is finished. No I/O and no clock; stations return facts, and
//! only this file decides whether a row continues.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attempt::History;
use crate::completion::{NOT_CLOSED, Reading};
use crate::fault::{Fault, FaultCause, FaultKind};
use crate::money::Cost;
use crate::outcome::{Effort, Failure, FailureKind, Outcome, Spent};
use crate::turn::{Completion, Content, Finish, Prompt, Turn};
use crate::violation::Violation;

/// How often the model is asked again after an answer that was cut, each time with twice the output limit.
const ENLARGEMENTS: u32 = 2;

/// An answer that was cut although it used less than this percentage of its output limit was not cut by the limit: nothing is left in the
/// model's context.
const CLEARLY_BELOW: u64 = 90;

/// The finish reasons that name a lack of room, whether of output or of context.
const OUT_OF_ROOM: [&str; 5] =
    ["length", "max_tokens", "MAX_TOKENS", "max_output_tokens", "model_context_window_exceeded"];

/// The smallest output limit in tokens to ask for if the user has set none: OpenAI rejects less than 16, and an answer that was cut
/// after a few tokens does not show how long it would be.
const LEAST_ROOM: u32 = 256;

/// How often a row's paused answers are continued, regardless of the limit on re-asks. Providers pause after thousands of tokens or several
/// calls of their own tools, so an answer of a row's size needs at most one continuation.
const CONTINUATIONS: u32 = 4;

/// The state of one row. It can be saved and resumed.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Conversation {
    index: u64,
    prompt: Prompt,
    /// Turns of the first prompt; what follows them is the latest re-ask.
    first_turns: usize,
    reasks_left: u32,
    enlargements_left: u32,
    /// Whether the first answer that was cut was clearly below an output limit of the user's.
    #[serde(default)]
    first_cut_below_limit: Option<bool>,
    /// The output limit in force, in tokens, if one is sent.
    output_limit: Option<u32>,
    /// The most tokens that the model can output, if known.
    most_output: Option<u32>,
    effort: Effort,
    /// What the first billable request took; if there are several, `requests` has them all.
    #[serde(default)]
    first: Option<Spent>,
    #[serde(default)]
    requests: Vec<Spent>,
    #[serde(default)]
    history: History,
    /// The text of a paused answer so far.
    said: String,
    continuations_left: u32,
    /// The best invalid answer so far.
    best: Option<Best>,
}

/// The invalid answer with the fewest violations.
#[derive(Debug, Serialize, Deserialize)]
struct Best {
    value: Value,
    violations: usize,
}

/// The next step.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once a prompt, and a box would cost an allocation"
)]
pub(crate) enum Step {
    /// Ask [`Conversation::prompt`].
    Ask,
    /// The row is finished.
    Done(Outcome),
}

/// The result of asking.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once a prompt, and a box would cost an allocation"
)]
pub(crate) enum Answer {
    /// The model answered, and this is how the answer reads.
    Read(Completion, Reading),
    /// No attempt was answered; this is the last one's fault.
    Failed(Fault),
}

impl Conversation {
    /// Begins a row's conversation with its first prompt.
    pub(crate) fn begin(index: u64, prompt: Prompt, max_reasks: u32, output_limit: Option<u32>) -> Self {
        Self {
            index,
            first_turns: prompt.turns.len(),
            prompt,
            reasks_left: max_reasks,
            enlargements_left: ENLARGEMENTS,
            first_cut_below_limit: None,
            output_limit,
            most_output: None,
            said: String::new(),
            continuations_left: CONTINUATIONS,
            effort: Effort { prompts: 1, ..Effort::default() },
            best: None,
            first: None,
            requests: Vec::new(),
            history: History::default(),
        }
    }

    /// The same conversation with the most tokens that the model can output, if known.
    pub(crate) fn with_most_output(mut self, most_output: Option<u32>) -> Self {
        self.most_output = most_output;
        self
    }

    /// Continues after a first answer that cost nothing, since it came from another row or an earlier run, and that is not valid for
    /// this row. This uses up a re-ask; if none is left, the answer is not mentioned and the row is asked from scratch.
    pub(crate) fn answered(&mut self, raw_turn: Value, value: Value, violations: Vec<Violation>) {
        if self.reasks_left > 0 {
            self.reasks_left -= 1;
            self.best = Some(Best { value, violations: violations.len() });
            self.prompt.turns.push(Turn::Invalid { raw_turn, violations });
        }
    }

    /// Whether the prompt includes an invalid answer.
    pub(crate) fn is_answered(&self) -> bool {
        self.prompt.turns.len() > self.first_turns
    }

    /// The same conversation about a row that is at another position now.
    pub(crate) fn at(mut self, index: u64) -> Self {
        self.index = index;
        self
    }

    /// What to ask now.
    pub(crate) fn prompt(&self) -> &Prompt {
        &self.prompt
    }

    /// What the row has taken so far.
    pub(crate) fn effort(&self) -> &Effort {
        &self.effort
    }

    /// Counts an attempt about to be sent, and returns its number in the row, from 1.
    pub(crate) fn count_attempt(&mut self) -> u32 {
        self.effort.attempts += 1;
        self.effort.attempts
    }

    /// Counts what an attempt took and cost, with its latency and the time since the row's first one was sent.
    pub(crate) fn count_answer(
        &mut self,
        result: &Result<Completion, Fault>,
        cost: Cost,
        latency: Duration,
        since_first: Duration,
    ) {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let after = milliseconds(since_first.saturating_sub(latency));
        self.history.add(self.effort.prompts, after, milliseconds(latency), result);
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

    /// The completion joined to the text from before the pause.
    pub(crate) fn joined(&mut self, completion: Completion) -> Completion {
        let said = std::mem::take(&mut self.said);
        match completion.content {
            Content::Text(text) if !said.is_empty() => {
                Completion { content: Content::Text(said + &text), ..completion }
            }
            Content::Text(_)
            | Content::Calls(_)
            | Content::Refusal(_)
            | Content::Thoughts(_)
            | Content::Choices(_) => completion,
        }
    }

    /// Decides whether the row is finished.
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
            Reading::Paused => self.continue_answer(completion),
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

    /// Continues a paused answer where it stopped.
    fn continue_answer(&mut self, completion: Completion) -> Step {
        if let (1.., Some(token), Content::Text(text)) =
            (self.continuations_left, &completion.continuation, &completion.content)
        {
            self.continuations_left -= 1;
            self.said.clone_from(text);
            self.history.reject(&completion.content, &[]);
            self.prompt.continuation = Some(token.clone());
            self.effort.prompts += 1;
            return Step::Ask;
        }
        let failure =
            self.failure(FailureKind::Truncated, "the provider paused the answer and did not finish it");
        self.fail(failure, Some(completion))
    }

    /// Asks again with a larger output limit after an answer that was cut: with the same limit it would be cut at the same
    /// point. If neither the server nor anything else indicates a cut, a larger limit would not help.
    fn enlarge(&mut self, completion: Completion) -> Step {
        let reported = completion.usage.map(|usage| u32::try_from(usage.output_tokens).unwrap_or(u32::MAX));
        let is_cut = match (completion.finish, reported, self.output_limit) {
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
        let below = match (reported, self.output_limit) {
            (Some(used @ 1..), Some(limit)) if is_below_limit(&completion, used, limit) => {
                Some((used, limit))
            }
            (Some(_) | None, Some(_) | None) => None,
        };
        // The first time, more room is tried, since some servers' counts are wrong.
        let first = self.first_cut_below_limit.replace(self.first_cut_below_limit.unwrap_or(below.is_some()));
        if let (Some(true), Some((used, limit))) = (first, below) {
            return self.context_is_full(completion, used, limit);
        }
        // A token is almost never shorter than a byte.
        let used =
            reported.filter(|&used| used > 0).or_else(|| u32::try_from(completion.content.length()).ok());
        let limit = self.output_limit.or(used).filter(|&limit| limit > 0);
        let most = self.most_output.unwrap_or(u32::MAX);
        let least = if self.output_limit.is_some() { 0 } else { LEAST_ROOM };
        let larger = limit.and_then(|limit| {
            Some(limit.checked_mul(2)?.max(least).min(most)).filter(|&larger| larger > limit)
        });
        match larger {
            Some(limit) if self.enlargements_left > 0 => {
                self.enlargements_left -= 1;
                self.history.reject(&completion.content, &[]);
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

    /// Fails the row because prompt and answer fill the model's context, so that more room for output would not help.
    fn context_is_full(&mut self, completion: Completion, used: u32, limit: u32) -> Step {
        let message = format!(
            "the model's context is full: the answer was cut after {used} tokens, below its limit of {limit}"
        );
        let failure = self.failure(FailureKind::Fault(FaultKind::ContextLength), message.clone());
        let fault = Fault::new(FaultKind::ContextLength, message).caused_by(FaultCause::ContextFull);
        self.fail(Failure { fault: Some(Box::new(fault)), ..failure }, Some(completion))
    }

    /// Asks again with the latest invalid answer only, so that the conversation does not grow with each re-ask.
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
        self.history.reject(&completion.content, &violations);
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
        let (requests, history) = (std::mem::take(&mut self.requests), self.history.take());
        let (index, effort) = (self.index, self.effort);
        Outcome {
            index,
            result,
            effort,
            repairs: Vec::new(),
            model,
            finish_reason,
            requests,
            history,
            from_cache: false,
            completion: None,
        }
    }
}

/// Whether an answer that was cut had clearly not reached its output limit. More room for output would not help.
fn is_below_limit(completion: &Completion, used: u32, limit: u32) -> bool {
    OUT_OF_ROOM.contains(&completion.finish_reason.as_str())
        && u64::from(used) * 100 < u64::from(limit) * CLEARLY_BELOW
}

/// The metadata of the last completion.
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
