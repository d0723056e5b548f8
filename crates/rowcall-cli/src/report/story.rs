//! One row's story: its prompt, what each request came to, and how it ended. Shown by `rowcall show` and in a report's sample.

use rowcall::journal::{Contents, Placed};
use rowcall::{AttemptResult, Content, Failure, Prompt, Renderer, Result, Row, Turn, Violation};
use serde::Serialize;
use serde_json::Value;

use super::text::{Escaped, cut};
use super::time::utc;
use crate::flags;

/// The maximum lengths of shown texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lengths {
    /// Each text, in bytes.
    pub(crate) text: usize,
    pub(crate) escaped: Escaped,
}

impl Lengths {
    /// Nothing is cut.
    pub(crate) const WHOLE: Self = Self { text: usize::MAX, escaped: Escaped::No };

    /// The text, cut where it is too long.
    pub(crate) fn cut(self, text: &str) -> String {
        cut(text, self.text, self.escaped).into_owned()
    }
}

/// One row's story. Texts that were cut end in `…`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Story {
    /// Its position in the input, counted from 0.
    pub(crate) row: u64,
    /// Its key in the journal.
    pub(crate) key: Option<String>,
    pub(crate) state: State,
    /// When it ended, in UTC.
    pub(crate) ended_at: String,
    /// From its first request to its last answer.
    pub(crate) latency_ms: u64,
    /// The known part of its cost; null if nothing of it is known.
    pub(crate) cost_usd: Value,
    /// The same in words.
    pub(crate) cost: String,
    /// Requests of unknown cost.
    pub(crate) cost_unknown: u64,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) requests: u32,
    pub(crate) prompts: u32,
    pub(crate) model: Option<String>,
    pub(crate) finish_reason: Option<String>,
    /// The repairs of its answer, by name.
    pub(crate) repairs: Vec<String>,
    pub(crate) from_cache: bool,
    /// The first prompt, without examples; empty if the journal has no records.
    pub(crate) prompt: Vec<Part>,
    /// What each recorded request came to.
    pub(crate) attempts: Vec<StoryAttempt>,
    /// The value, as JSON.
    pub(crate) value: Option<String>,
    pub(crate) failure: Option<StoryFailure>,
}

/// How a row ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Done,
    Failed,
}

/// A part of a prompt.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Part {
    /// Its role: `system`, `user`, or `file` for an attachment.
    pub(crate) role: &'static str,
    pub(crate) text: String,
}

/// What a request came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StoryAttempt {
    /// Which prompt it asked, counted from 1.
    pub(crate) prompt: u32,
    /// From the row's first request to this one.
    pub(crate) after_ms: u64,
    pub(crate) latency_ms: u64,
    /// The number of consecutive requests that failed the same way.
    pub(crate) times: u32,
    /// The kind of its fault, if it was not answered.
    pub(crate) fault: Option<&'static str>,
    /// The fault's message.
    pub(crate) message: Option<String>,
    /// The raw answer, if it gave no value.
    pub(crate) answer: Option<String>,
    /// Its violations.
    pub(crate) violations: Vec<Violation>,
}

/// Why there is no value.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StoryFailure {
    pub(crate) kind: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The invalid value with the fewest violations, as JSON.
    pub(crate) best: Option<String>,
}

/// Reads rows' stories.
#[derive(Debug)]
pub(crate) struct StoryReader<'c> {
    contents: &'c Contents,
    renderer: Option<Renderer>,
    has_records: bool,
}

impl<'c> StoryReader<'c> {
    /// A reader of the journal's rows.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(crate) fn new(contents: &'c Contents) -> Result<Self> {
        // If this version cannot compile the template, the rest is still worth showing.
        let renderer = Renderer::new(contents.identity()).ok();
        Ok(Self { contents, renderer, has_records: contents.has_records()? })
    }

    /// Whether the journal has the records from which prompts are rendered.
    pub(crate) fn has_records(&self) -> bool {
        self.has_records
    }

    /// The story of a row, if it has an outcome.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(crate) fn story(&self, row: u64, lengths: Lengths) -> Result<Option<Story>> {
        let Some((row, placed)) = self.contents.row_at(row)? else { return Ok(None) };
        let key = self.contents.key_at(row.index)?;
        let key = key.map(|key| key.to_string());
        let prompt = self.prompt(&row, lengths);
        Ok(Some(story(&placed, key, prompt, lengths)))
    }

    fn prompt(&self, row: &Row, lengths: Lengths) -> Vec<Part> {
        let renderer = self.renderer.as_ref().filter(|_| self.has_records);
        let prompt = renderer.zip(row.fields.as_ref().ok()).map(|(renderer, fields)| renderer.prompt(fields));
        match prompt {
            Some(Ok(prompt)) => parts(&prompt, lengths),
            // What no prompt could be made of has at least its record.
            Some(Err(_)) => {
                let text = lengths.cut(&String::from_utf8_lossy(&row.record));
                vec![Part { role: "record", text }]
            }
            None => Vec::new(),
        }
    }
}

fn parts(prompt: &Prompt, lengths: Lengths) -> Vec<Part> {
    let mut parts = Vec::new();
    for turn in &prompt.turns {
        match turn {
            Turn::System(text) => parts.push(Part { role: "system", text: lengths.cut(text) }),
            Turn::User { text, attachments } => {
                parts.push(Part { role: "user", text: lengths.cut(text) });
                parts.extend(attachments.iter().map(|attachment| Part {
                    role: "file",
                    text: lengths.cut(&format!("{}: {:?}", attachment.media_type, attachment.content)),
                }));
            }
            Turn::Example(_) | Turn::Invalid { .. } => {}
        }
    }
    parts
}

fn story(placed: &Placed, key: Option<String>, prompt: Vec<Part>, lengths: Lengths) -> Story {
    let outcome = &placed.outcome;
    let effort = &outcome.effort;
    let failure = outcome.result.as_ref().err();
    let json = |value: &Value| lengths.cut(&value.to_string());
    Story {
        row: outcome.index,
        key,
        state: if failure.is_some() { State::Failed } else { State::Done },
        ended_at: utc(placed.ended_ms),
        latency_ms: u64::try_from(effort.latency.as_millis()).unwrap_or(u64::MAX),
        cost_usd: super::known_dollars(effort.cost),
        cost: effort.cost.to_string(),
        cost_unknown: effort.cost.unknown,
        input_tokens: effort.usage.input_tokens,
        output_tokens: effort.usage.output_tokens,
        requests: effort.attempts,
        prompts: effort.prompts,
        model: outcome.model.clone(),
        finish_reason: outcome.finish_reason.clone(),
        repairs: outcome.repairs.clone(),
        from_cache: outcome.from_cache,
        prompt,
        attempts: attempts(placed, lengths),
        value: outcome.result.as_ref().ok().map(json),
        failure: failure.map(|failure| StoryFailure {
            kind: failure.kind.name(),
            message: lengths.cut(&failure.message),
            hint: failure.hint().as_ref().map(flags::spelled),
            best: failure.best.as_ref().map(json),
        }),
    }
}

/// What each request came to. A row with a single request has no history: its request ended as the row did.
fn attempts(placed: &Placed, lengths: Lengths) -> Vec<StoryAttempt> {
    let outcome = &placed.outcome;
    let failure = outcome.result.as_ref().err();
    let mut attempts: Vec<_> = outcome
        .history
        .iter()
        .map(|attempt| {
            let (fault, message, answer, violations) = match &attempt.result {
                AttemptResult::Fault { kind, message } => {
                    (Some(kind.name()), Some(lengths.cut(message)), None, Vec::new())
                }
                AttemptResult::Rejected { answer, violations } => {
                    (None, None, Some(lengths.cut(answer)), shortened(violations, lengths))
                }
                AttemptResult::Answered => (None, None, None, Vec::new()),
            };
            let (prompt, times) = (attempt.prompt, attempt.times);
            let (after_ms, latency_ms) = (attempt.after_ms, attempt.latency_ms);
            StoryAttempt { prompt, after_ms, latency_ms, times, fault, message, answer, violations }
        })
        .collect();
    if attempts.is_empty() && outcome.effort.attempts > 0 {
        attempts.push(StoryAttempt {
            prompt: outcome.effort.prompts,
            after_ms: 0,
            latency_ms: u64::try_from(outcome.effort.latency.as_millis()).unwrap_or(u64::MAX),
            times: 1,
            fault: None,
            message: None,
            answer: None,
            violations: Vec::new(),
        });
    }
    if let (Some(failure), Some(last)) = (failure, attempts.last_mut()) {
        if let Some(fault) = &failure.fault {
            last.fault = Some(fault.kind.name());
            last.message = Some(lengths.cut(&fault.to_string()));
        } else {
            last.answer = answer(failure).map(|answer| lengths.cut(answer));
            last.violations = shortened(&failure.violations, lengths);
        }
    }
    attempts
}

fn shortened(violations: &[Violation], lengths: Lengths) -> Vec<Violation> {
    let most = 20;
    let short =
        |violation: &Violation| Violation::at(lengths.cut(&violation.path), lengths.cut(&violation.message));
    let mut short: Vec<_> = violations.iter().take(most).map(short).collect();
    if violations.len() > most {
        short.push(Violation::whole(format!("and {} more", violations.len() - most)));
    }
    short
}

/// The text of the answer that a row failed with.
fn answer(failure: &Failure) -> Option<&str> {
    let completion = failure.completion.as_ref()?;
    completion.text().or(match &completion.content {
        Content::Thoughts(thoughts) => Some(thoughts),
        Content::Text(_) | Content::Calls(_) | Content::Refusal(_) | Content::Choices(_) => None,
    })
}
