//! What a scenario says about an account: its limits, when they change, when it is closed, how fast its traffic may
//! grow, and what it tells its clients. Data only; the quota plays it.

use std::time::Duration;

use serde::Deserialize;

use super::dimension::Dimension;

/// The limits of an account; what is absent is not limited.
///
/// A bucket starts full, refills continuously at its limit per minute, and holds what `burst_seconds` of that
/// rate give (but at least one request or token).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests a minute.
    pub requests_per_minute: Option<u64>,
    /// Tokens a minute, prompt and answer together.
    pub tokens_per_minute: Option<u64>,
    /// Prompt tokens a minute.
    pub input_tokens_per_minute: Option<u64>,
    /// Answer tokens a minute.
    pub output_tokens_per_minute: Option<u64>,
    /// Requests a day; its bucket always holds a whole day's.
    pub requests_per_day: Option<u64>,
    /// Requests at the same time.
    pub in_flight: Option<u64>,
    /// How many seconds' worth a per-minute bucket holds; 60 unless said otherwise.
    pub burst_seconds: f64,
    /// Which headers tell how the account stands; those of the protocol's provider unless said otherwise.
    pub headers: Headers,
    /// What headers tell of limits, and of what remains of them, is the truth times this; 1 unless said otherwise.
    pub headers_factor: f64,
    /// Limits that change on the way.
    pub changes: Vec<Change>,
    /// Times at which nobody is let in.
    pub closed: Vec<Closed>,
    /// How fast traffic may grow; absent, as fast as it likes.
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
    /// What is allowed of `dimension` at first.
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

/// Which headers tell how an account stands. A refusal says when to come again in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Headers {
    /// OpenAI's, Anthropic's or, as Gemini has it, none, by the protocol that is spoken.
    #[default]
    Provider,
    /// `x-ratelimit-*`, with the time until a bucket is full as a duration.
    Openai,
    /// `anthropic-ratelimit-*`, with the time at which a bucket is full, and tokens left rounded to thousands.
    Anthropic,
    /// None at all.
    None,
}

/// New limits from some time on. What a bucket holds is kept, up to what it can hold from then on; what is absent
/// stays as it was.
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

/// A time at which nobody is let in, as when a provider is overloaded.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closed {
    /// Seconds after the first request.
    pub from_seconds: f64,
    /// How many seconds it lasts.
    pub for_seconds: f64,
}

impl Closed {
    /// How long it still lasts at `now`, if it is that time.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        let from = seconds(self.from_seconds);
        let until = from.saturating_add(seconds(self.for_seconds));
        (from <= now).then(|| until.saturating_sub(now)).filter(|left| !left.is_zero())
    }
}

/// How fast traffic may grow, whatever the limits: at most some requests a second at first, twice as many after each
/// doubling time. A second's worth may come at once. Once nobody was let in for a doubling time, it begins anew.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Growth {
    /// Requests a second at first.
    pub from_per_second: f64,
    /// Seconds until it is twice as many.
    pub doubling_seconds: f64,
}

/// A number of seconds as a scenario gives it; what is no time at all is none, and what is beyond all times the longest.
fn seconds(number: f64) -> Duration {
    Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(Duration::MAX)
}
