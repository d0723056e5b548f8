//! How an account stands, as a server tells it with an answer: what is limited, how much of it is left, and what a refusal was
//! about. Read in `provider/`, used in `admission/`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is counted against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Requests.
    Requests,
    /// Tokens, in and out together.
    Tokens,
    /// Tokens of prompts.
    InputTokens,
    /// Tokens of answers.
    OutputTokens,
}

/// The time for which a limit is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// A minute.
    Minute,
    /// A day.
    Day,
}

/// What a refusal was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitedBy {
    /// Too many requests at the same time.
    Concurrency,
    /// Traffic that grew too fast, even below the limits.
    Growth,
    /// Too much of this in its time.
    #[serde(untagged)]
    Amount(Dimension),
}

/// What keeps attempts waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bound {
    /// As many requests are in flight as may be.
    Concurrency,
    /// What is left of the budget is reserved for requests in flight.
    Budget,
    /// So much may be used in its time.
    Amount(Dimension, Period),
    /// What a server that refuses more seems to allow.
    Refusals,
    /// The server has asked to wait.
    CoolDown,
    /// The server fails everybody: single attempts look whether it is back.
    Server,
}

/// One limit, as a response's headers tell it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// What is counted.
    pub(crate) dimension: Dimension,
    /// In what time.
    pub(crate) period: Period,
    /// How much of it may be used.
    pub(crate) limit: Option<f64>,
    /// How much of that is left, the request that is answered being counted.
    pub(crate) remaining: Option<f64>,
    /// When nothing of it will be in use any more.
    pub(crate) full_in: Option<Duration>,
    /// To how much `remaining` is rounded.
    pub(crate) exact_to: f64,
}

impl Dimension {
    /// Its name in messages and statistics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input tokens",
            Self::OutputTokens => "output tokens",
        }
    }
}

impl LimitedBy {
    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Concurrency => "concurrency",
            Self::Growth => "growth",
            Self::Amount(dimension) => dimension.name(),
        }
    }
}

impl Period {
    /// How long it is.
    pub fn length(self) -> Duration {
        match self {
            Self::Minute => Duration::from_mins(1),
            Self::Day => Duration::from_hours(24),
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency => f.write_str("requests in flight"),
            Self::Budget => f.write_str("the budget"),
            Self::Amount(dimension, Period::Minute) => write!(f, "{} per minute", dimension.name()),
            Self::Amount(dimension, Period::Day) => write!(f, "{} per day", dimension.name()),
            Self::Refusals => f.write_str("what the server refuses"),
            Self::CoolDown => f.write_str("a wait that the server asked for"),
            Self::Server => f.write_str("a server that failed every request"),
        }
    }
}
