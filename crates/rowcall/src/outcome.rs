//! How a row ended: a value or a failure, with what it took. A failure is data, not the end of the run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::attempt::Attempt;
use crate::fault::{Fault, FaultKind};
use crate::hint::{Hint, Setting};
use crate::money::Cost;
use crate::row::{Unreadable, UnreadableKind};
use crate::turn::{Completion, Usage};
use crate::violation::Violation;

/// How a row ended. `T` is the caller's type in the public API and [`Value`] inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome<T = Value> {
    /// Position of the row in the input, counted from 0.
    pub index: u64,
    /// The value, or why there is none.
    pub result: Result<T, Box<Failure>>,
    /// What the row took, however it ended.
    pub effort: Effort,
    /// The repairs that were needed to read the value from the answer, by name, such as `fence` or `trailing_comma`; empty
    /// for a well-formed answer.
    pub repairs: Vec<String>,
    /// The model that gave the last completion, as the server named it.
    pub model: Option<String>,
    /// Why that completion ended, in the provider's words.
    pub finish_reason: Option<String>,
    /// What each request that may be billed took, in order, if there were several; for a single request, see `effort`.
    #[serde(default)]
    pub requests: Vec<Spent>,
    /// What each request came to, in order, if there were several.
    #[serde(default)]
    pub history: Vec<Attempt>,
    /// Whether the value comes from the cache. If so, nothing was asked, and `model` and `finish_reason` are those recorded
    /// with the value.
    #[serde(default)]
    pub from_cache: bool,
    /// The last completion, if it produced the value in this run: a journal does not keep it, and
    /// [`Extractor::gather_outcomes`](crate::Extractor::gather_outcomes) drops it. A failure's completion is in
    /// [`Failure::completion`].
    #[serde(skip)]
    pub completion: Option<Arc<Completion>>,
}

/// What one request took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Tokens, if the answer reported them.
    pub usage: Option<Usage>,
    /// What it cost, as far as known.
    pub cost: Cost,
}

/// What a row took, re-asks and failed attempts included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Requests sent.
    pub attempts: u32,
    /// Prompts asked: 1 plus the re-asks. Asking again for an answer that was cut or paused counts as a re-ask.
    pub prompts: u32,
    /// Tokens of all attempts that reported them.
    pub usage: Usage,
    /// Attempts that may have been billed but reported no usage, such as one that timed out.
    pub unmetered: u32,
    /// What all attempts cost, each at the price when it was sent, as far as known.
    #[serde(default)]
    pub cost: Cost,
    /// From the first request sent to the last answer received; excludes the wait for a permit before the first.
    pub latency: Duration,
}

/// Why a row has no value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The class, for callers to branch on.
    pub kind: FailureKind,
    /// What happened: a sentence fragment.
    pub message: String,
    /// The violations of the last completion, if it could be read.
    pub violations: Vec<Violation>,
    /// The last completion, if there was one.
    pub completion: Option<Box<Completion>>,
    /// The invalid value with the fewest violations, if any answer had a value at all.
    pub best: Option<Value>,
    /// The last fault, if the last attempt ended in one.
    pub fault: Option<Box<Fault>>,
    /// What the row took nevertheless.
    pub effort: Effort,
}

/// A short form of a failure, as events carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The class.
    pub kind: FailureKind,
    /// What happened: a sentence fragment.
    pub message: Arc<str>,
    /// What to do next, if the kind suggests something.
    pub hint: Option<Hint>,
}

/// The classes of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The record could not be read.
    Input,
    /// The record is not text in the input's encoding.
    Encoding,
    /// A field of the record has the same name as a field that the output adds.
    Clash,
    /// The prompt could not be rendered: the row lacks a variable, or a filter does not accept its value.
    Template,
    /// An image or a document cannot be sent: the file is missing, too large or of an unknown type.
    Attachment,
    /// No completion satisfied the schema and the check.
    Invalid,
    /// The model declined.
    Refusal,
    /// The answer was cut at the output limit.
    Truncated,
    /// The provider's filter withheld the answer.
    ContentFilter,
    /// Every attempt allowed ended in a fault; this is the last one's kind.
    #[serde(untagged)]
    Fault(FaultKind),
}

impl FailureKind {
    /// The kind as it is written in `_error.kind`, in events and in the summary.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Encoding => "encoding",
            Self::Clash => "clash",
            Self::Template => "template",
            Self::Attachment => "attachment",
            Self::Invalid => "invalid",
            Self::Refusal => "refusal",
            Self::Truncated => "truncated",
            Self::ContentFilter => "content_filter",
            Self::Fault(kind) => kind.name(),
        }
    }

    /// What to do next, if the kind alone suggests something. For a fault, see [`Fault::hint`].
    pub fn hint(self) -> Option<Hint> {
        match self {
            Self::Encoding => {
                let hint = Hint::from("give the input's encoding with ").with(Setting::Encoding);
                Some(hint.with(", such as `windows-1252`"))
            }
            Self::Clash => {
                Some(Hint::from("put the value under a name of its own with ").with(Setting::Into.like("NAME")))
            }
            Self::Truncated => Some(Hint::from("raise ").with(Setting::MaxOutputTokens)),
            Self::Template => Some("give a default in the template: `{{ name | default(\"\") }}`".into()),
            Self::Attachment => Some(
                "expected a file's path (from the folder that the command runs in), an `https:` or a `data:` URL"
                    .into(),
            ),
            Self::Input | Self::Invalid | Self::Refusal | Self::ContentFilter | Self::Fault(_) => None,
        }
    }
}

impl Effort {
    /// Whether none of it can have been billed.
    pub(crate) fn is_unpaid(&self) -> bool {
        self.unmetered == 0 && self.usage == Usage::default()
    }
}

impl Failure {
    /// A failure of a row that was never asked about.
    pub fn unasked(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            violations: Vec::new(),
            completion: None,
            best: None,
            fault: None,
            effort: Effort::default(),
        }
    }

    /// What to do next, if the kind suggests something.
    pub fn hint(&self) -> Option<Hint> {
        self.fault.as_ref().and_then(|fault| fault.hint()).or_else(|| self.kind.hint())
    }
}

impl From<Unreadable> for Failure {
    fn from(unreadable: Unreadable) -> Self {
        let kind = match unreadable.kind {
            UnreadableKind::Input => FailureKind::Input,
            UnreadableKind::Encoding => FailureKind::Encoding,
            UnreadableKind::Clash => FailureKind::Clash,
        };
        Self { violations: unreadable.violations, ..Self::unasked(kind, unreadable.message) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl<T> Outcome<T> {
    /// An outcome of a row that was never asked about.
    pub fn unasked(index: u64, failure: Failure) -> Self {
        Self {
            index,
            result: Err(Box::new(failure)),
            effort: Effort::default(),
            repairs: Vec::new(),
            model: None,
            finish_reason: None,
            requests: Vec::new(),
            history: Vec::new(),
            from_cache: false,
            completion: None,
        }
    }

    /// Why there is no value, or `None` if there is one.
    pub fn failure_kind(&self) -> Option<FailureKind> {
        self.result.as_ref().err().map(|failure| failure.kind)
    }

    /// Why there is no value, or `None` if there is one, in short.
    pub fn reason(&self) -> Option<Reason> {
        let failure = self.result.as_ref().err()?;
        Some(Reason { kind: failure.kind, message: failure.message.as_str().into(), hint: failure.hint() })
    }

    /// The same outcome with `f` applied to its value, if it has one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        self.and_then(|value| Ok(f(value)))
    }

    /// Applies `f` to the value; `f` may turn it into a failure.
    pub(crate) fn and_then<U>(self, f: impl FnOnce(T) -> Result<U, Box<Failure>>) -> Outcome<U> {
        let Self {
            index,
            result,
            effort,
            repairs,
            model,
            finish_reason,
            requests,
            history,
            from_cache,
            completion,
        } = self;
        let result = result.and_then(f);
        Outcome {
            index,
            result,
            effort,
            repairs,
            model,
            finish_reason,
            requests,
            history,
            from_cache,
            completion,
        }
    }
}
