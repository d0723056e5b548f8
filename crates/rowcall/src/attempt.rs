//! One request of a row and what it came to. A journal records these for rows that took several.

use serde::{Deserialize, Serialize};

use crate::fault::{Fault, FaultKind};
use crate::turn::{Completion, Content};
use crate::violation::Violation;

/// The maximum recorded length of an answer, in bytes. Most values are shorter, and a row has few answers.
const LONGEST_ANSWER: usize = 4_000;

/// The maximum recorded length of a fault's message, in bytes.
const LONGEST_MESSAGE: usize = 500;

/// The maximum number of entries in a row's history. Consecutive attempts with the same fault are one entry.
const MOST: usize = 32;

/// One request of a row and what it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Which prompt of the row it asked, counted from 1; more than 1 is a re-ask.
    #[serde(rename = "p")]
    pub prompt: u32,
    /// Milliseconds from the row's first request to this one.
    #[serde(rename = "at")]
    pub after_ms: u64,
    /// Milliseconds from sending it to the end of its answer.
    #[serde(rename = "ms")]
    pub latency_ms: u64,
    /// How many consecutive requests failed the same way; the times are those of the first.
    #[serde(rename = "n", default = "one", skip_serializing_if = "is_one")]
    pub times: u32,
    /// What it came to.
    pub result: AttemptResult,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptResult {
    /// It got no answer.
    Fault {
        /// The class.
        kind: FaultKind,
        /// The message, cut at 500 bytes.
        message: String,
    },
    /// Its answer was not a value, and the row was asked again.
    Rejected {
        /// The answer's text, cut at 4,000 bytes.
        answer: String,
        /// What was wrong with it; empty for an answer that was cut or paused.
        violations: Vec<Violation>,
    },
    /// Its answer ended the row: the outcome has the value, or the answer that failed.
    Answered,
}

/// The recorded attempts of one row.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct History(Vec<Attempt>);

impl History {
    /// Adds a request that was answered or failed.
    pub(crate) fn add(
        &mut self,
        prompt: u32,
        after_ms: u64,
        latency_ms: u64,
        result: &Result<Completion, Fault>,
    ) {
        let result = match result {
            Ok(_) => AttemptResult::Answered,
            Err(fault) => {
                let message = beginning(&fault.to_string(), LONGEST_MESSAGE);
                AttemptResult::Fault { kind: fault.kind, message }
            }
        };
        if let Some(last) = self.0.last_mut()
            && last.prompt == prompt
            && last.result == result
        {
            last.times += 1;
        } else if self.0.len() < MOST {
            self.0.push(Attempt { prompt, after_ms, latency_ms, times: 1, result });
        }
    }

    /// Records that the latest answer was not a value and the row is asked again.
    pub(crate) fn reject(&mut self, content: &Content, violations: &[Violation]) {
        if let Some(Attempt { result: result @ AttemptResult::Answered, .. }) = self.0.last_mut() {
            let answer = beginning(text_of(content), LONGEST_ANSWER);
            *result = AttemptResult::Rejected { answer, violations: violations.to_vec() };
        }
    }

    /// Takes the attempts; empty if there was only one.
    pub(crate) fn take(&mut self) -> Vec<Attempt> {
        let attempts = std::mem::take(&mut self.0);
        if matches!(attempts[..], [Attempt { times: 1, .. }]) { Vec::new() } else { attempts }
    }
}

fn text_of(content: &Content) -> &str {
    match content {
        Content::Text(text) | Content::Refusal(text) | Content::Thoughts(text) => text,
        Content::Calls(calls) => calls.first().map_or("", |call| &call.arguments),
        Content::Choices(choices) => choices.first().map_or("", |choice| text_of(&choice.content)),
    }
}

/// The beginning of a text, cut at a character boundary and marked by `…` if it is longer.
fn beginning(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", &text[..end])
}

fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_one(times: &u32) -> bool {
    *times == 1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(message: &str) -> Result<Completion, Fault> {
        Err(Fault::new(FaultKind::RateLimit, message))
    }

    #[test]
    fn equal_faults_are_one_entry_and_a_single_request_is_no_history() {
        let mut history = History::default();
        history.add(1, 0, 5, &fault("slow down"));
        assert_eq!(history.clone().take().len(), 0);
        history.add(1, 10, 6, &fault("slow down"));
        history.add(1, 20, 7, &fault(&"é".repeat(400)));
        let attempts = history.take();
        assert_eq!(attempts.iter().map(|attempt| attempt.times).collect::<Vec<_>>(), [2, 1]);
        let written = serde_json::to_value(&attempts[0]).expect("JSON");
        let message = fault("slow down").expect_err("a fault").to_string();
        assert_eq!(
            written,
            json!({"p": 1, "at": 0, "ms": 5, "n": 2, "result": {"fault": {"kind": "rate_limit", "message": message}}})
        );
        let read: Vec<Attempt> =
            serde_json::from_value(serde_json::to_value(&attempts).expect("JSON")).expect("attempts");
        assert_eq!(read, attempts);
        let AttemptResult::Fault { message, .. } = &attempts[1].result else { panic!("{attempts:?}") };
        assert!(message.len() <= LONGEST_MESSAGE + '…'.len_utf8() && message.ends_with('…'), "{message}");
    }

    #[test]
    fn a_history_is_bounded() {
        let mut history = History::default();
        (0..100).for_each(|n| history.add(1, n, 1, &fault(&n.to_string())));
        assert_eq!(history.take().len(), MOST);
    }
}
