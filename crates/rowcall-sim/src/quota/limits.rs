//! A scenario's settings for an account: its limits, when they change, when it is closed, how fast its traffic may
//! grow, and what it reports to clients. Data only; the quota plays it.

use std::time::Duration;

use serde::Deserialize;

use super::dimension::Dimension;

/// The limits of an account; a missing one does not apply.
///
/// A bucket starts full, refills continuously at its limit per minute, and holds `burst_seconds` of that rate (but at
/// least one request or token).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests per minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens per minute, prompt and answer together.
    pub tokens_per_minute: Option<u64>,
    /// Prompt tokens per minute.
    pub input_tokens_per_minute: Option<u64>,
    /// Answer tokens per minute.
    pub output_tokens_per_minute: Option<u64>,
    /// Requests per day; its bucket always holds a whole day's worth.
    pub requests_per_day: Option<u64>,
    /// Concurrent requests.
    pub in_flight: Option<u64>,
    /// The capacity of a per-minute bucket, in seconds of its rate. Default: 60.
    pub burst_seconds: f64,
    /// Which headers report the account's state. Default: those of the protocol's provider.
    pub headers: Headers,
    /// The factor by which limits and remaining amounts in headers are falsified. Default: 1, the truth.
    pub headers_factor: f64,
    /// Limits that change over time.
    pub changes: Vec<Change>,
    /// Times when the account is closed.
    pub closed: Vec<Closed>,
    /// How fast traffic may grow. Default: without bound.
    pub ramp: Option<Growth>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            requests_per_minute: None,
            tokens_per_minute: None,
            input_tokens_per_minute: None,
            output_tokens_per_minute: None,
            requests_per_day: None,
            in_flight: None,
            burst_seconds: 60.0,
            headers: Headers::default(),
            headers_factor: 1.0,
            changes: Vec::new(),
            closed: Vec::new(),
            ramp: None,
        }
    }
}

impl Limits {
    /// The initial limit for `dimension`.
    pub(super) fn of(&self, dimension: Dimension) -> Option<u64> {
        match dimension {
            Dimension::Requests => self.requests_per_minute,
            Dimension::Tokens => self.tokens_per_minute,
            Dimension::InputTokens => self.input_tokens_per_minute,
            Dimension::OutputTokens => self.output_tokens_per_minute,
            Dimension::RequestsPerDay => self.requests_per_day,
            Dimension::InFlight => self.in_flight,
        }
    }
}

/// Which headers report an account's state. A rejection says when to retry in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Headers {
    /// OpenAI's or Anthropic's, or none for Gemini, by protocol.
    #[default]
    Provider,
    /// `x-ratelimit-*`, with the time until a bucket is full as a duration.
    Openai,
    /// `anthropic-ratelimit-*`, with the time at which a bucket is full, and tokens left rounded to thousands.
    Anthropic,
    /// None at all.
    None,
}

/// New limits from some time on. Buckets keep their level, up to the new capacity; a missing limit stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Seconds after the first request.
    pub after_seconds: f64,
    /// As in [`Limits`].
    #[serde(default)]
    pub requests_per_minute: Option<u64>,
    /// As in [`Limits`].
    #[serde(default)]
    pub tokens_per_minute: Option<u64>,
    /// As in [`Limits`].
    #[serde(default)]
    pub input_tokens_per_minute: Option<u64>,
    /// As in [`Limits`].
    #[serde(default)]
    pub output_tokens_per_minute: Option<u64>,
    /// As in [`Limits`].
    #[serde(default)]
    pub requests_per_day: Option<u64>,
    /// As in [`Limits`].
    #[serde(default)]
    pub in_flight: Option<u64>,
}

impl Change {
    pub(super) fn at(&self) -> Duration {
        seconds(self.after_seconds)
    }

    pub(super) fn of(&self, dimension: Dimension) -> Option<u64> {
        match dimension {
            Dimension::Requests => self.requests_per_minute,
            Dimension::Tokens => self.tokens_per_minute,
            Dimension::InputTokens => self.input_tokens_per_minute,
            Dimension::OutputTokens => self.output_tokens_per_minute,
            Dimension::RequestsPerDay => self.requests_per_day,
            Dimension::InFlight => self.in_flight,
        }
    }
}

/// A time when the account is closed, as when a provider is overloaded.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Seconds after the first request.
    pub from_seconds: f64,
    /// How many seconds it lasts.
    pub for_seconds: f64,
}

impl Closed {
    /// How long it still lasts at `now`, if it has begun and not ended.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let from = seconds(self.from_seconds);
        let until = from.saturating_add(seconds(self.for_seconds));
        (from <= now).then(|| until.saturating_sub(now)).filter(|left| !left.is_zero())
    }
}

/// How fast traffic may grow, regardless of the limits: at first some requests per second, twice as many after each
/// doubling time. A second's worth may arrive at once. After a doubling time without admitted requests, it starts
/// over.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Requests per second at first.
    pub from_per_second: f64,
    /// Seconds until it is twice as many.
    pub doubling_seconds: f64,
}

/// A number of seconds from a scenario: zero if it is not a valid duration, the maximum if it is too long.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(Duration::MAX)
}
