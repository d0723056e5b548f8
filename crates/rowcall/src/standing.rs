//! An account's limits as a server advertises them: what is limited, how much is left, and which limit a refusal was about.
//! Read in `provider/`, used in `admission/`.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What is counted against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Requests.
    Requests,
    /// Tokens, input and output together.
    Tokens,
    /// Input tokens.
    InputTokens,
    /// Output tokens.
    OutputTokens,
}

/// The period that a limit applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// A minute.
    Minute,
    /// A day.
    Day,
}

/// The limit that a refusal was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitedBy {
    /// Too many requests at the same time.
    Concurrency,
    /// Traffic that grew too fast, even though below the limits.
    Growth,
    /// Too much of this in a period.
    #[serde(untagged)]
    Amount(Dimension),
}

/// The limit that attempts wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Bound {
    /// The maximum number of requests is in flight.
    Concurrency,
    /// The run is paused.
    Pause,
    /// What is left of the budget is reserved for requests in flight.
    Budget,
    /// The limit on this amount per period.
    Amount(Dimension, Period),
    /// The rate that the server seems to allow, judging by its refusals.
    Refusals,
    /// The server asked for a wait.
    CoolDown,
    /// The server fails every request: single attempts check whether it is back.
    Server,
}

/// A limit in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KnownLimit {
    /// What is limited.
    pub of: Dimension,
    /// Per which period.
    pub period: Period,
    /// How much of it.
    pub amount: f64,
    /// Where the limit comes from.
    pub from: LimitFrom,
}

/// Where a limit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LimitFrom {
    /// The user.
    User,
    /// The server, which advertises it.
    Server,
    /// The server's refusals, from which it is inferred.
    Refusals,
}

/// One limit, as a response's headers advertise it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Standing {
    /// What is counted.
    pub(crate) dimension: Dimension,
    /// Per which period.
    pub(crate) period: Period,
    /// How much may be used per period.
    pub(crate) limit: Option<f64>,
    /// How much is left after the answered request.
    pub(crate) remaining: Option<f64>,
    /// How long until none of it is in use.
    pub(crate) full_in: Option<Duration>,
    /// The unit that `remaining` is rounded to.
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

impl Period {
    /// Its name, as in `requests per minute`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Day => "day",
        }
    }
}

impl LimitFrom {
    /// Its name in reports and statistics.
    pub fn name(self) -> &'static str {
        match self {
            Self::User => "yours",
            Self::Server => "the server's",
            Self::Refusals => "inferred from refusals",
        }
    }
}

impl fmt::Display for KnownLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}, {}", self.of.name(), self.period.name(), self.from.name())
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concurrency => f.write_str("requests in flight"),
            Self::Pause => f.write_str("a pause"),
            Self::Budget => f.write_str("the budget"),
            Self::Amount(dimension, Period::Minute) => write!(f, "{} per minute", dimension.name()),
            Self::Amount(dimension, Period::Day) => write!(f, "{} per day", dimension.name()),
            Self::Refusals => f.write_str("the server's refusals"),
            Self::CoolDown => f.write_str("a wait that the server requested"),
            Self::Server => f.write_str("a server that failed every request"),
        }
    }
}
