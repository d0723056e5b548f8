//! Deliberate faults, and whether one occurs for a given request. Owns the kinds and the draw; the answer and the
//! server play them.

use std::time::Duration;

use serde::Deserialize;

use crate::chance::Chance;
use crate::span::Span;

/// One kind of fault, for some of the requests.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The kind of fault.
    pub kind: FaultKind,
    /// The share of requests it hits, from 0 to 1. The rates of all faults that may hit a request add up: one draw
    /// decides for all of them, in order.
    pub rate: f64,
    /// Hits only the first few admitted requests of a row (1 to 255). Default: any.
    #[serde(default)]
    pub attempts: Option<u8>,
    /// Hits only rows whose text contains this.
    #[serde(default)]
    pub contains: Option<String>,
    /// Hits only requests during this time. Default: at any time. With a rate of 1 it is an outage.
    #[serde(default)]
    pub during: Option<Span>,
}

/// A fault of the connection, the status, the body, or the model's answer itself.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// An HTTP status other than 200.
    Status(StatusFault),
    /// The connection is reset (RST). Over HTTP/2 only the request's stream is (RST_STREAM with INTERNAL_ERROR).
    Reset(Moment),
    /// The connection is closed before or during the answer; under TLS without a close_notify, over HTTP/2 with all
    /// other requests on it and without a GOAWAY.
    Cut(Moment),
    /// Nothing more is sent until the client leaves.
    Stall(Moment),
    /// The value's text is not JSON.
    InvalidJson,
    /// The value's text ends half-way, although the finish reason says `stop`.
    TruncatedJson,
    /// The value is JSON but does not satisfy the schema.
    SchemaViolation,
    /// The value is in a Markdown code fence.
    Fenced,
    /// The value is surrounded by sentences.
    Prose,
    /// The model refuses.
    Refusal,
    /// The finish reason is `content_filter`, the text cut short.
    ContentFilter,
    /// The finish reason is `length`, the text cut short.
    Length,
    /// The answer has neither text nor a tool call.
    Empty,
    /// The answer calls a tool that was not offered.
    WrongTool,
    /// The answer calls the tool twice, the second time with another value.
    TwoTools,
    /// Status 200, but the body (or a frame of the stream) is an error.
    #[serde(rename = "error_in_200")]
    ErrorIn200,
    /// Status 200, but the body is not JSON.
    GarbageBody,
}

/// When a connection fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Before the first byte of the answer.
    Before,
    /// After half of the answer's body.
    Midway,
}

/// An HTTP error.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusFault {
    /// The HTTP status, 400 to 599.
    pub code: u16,
    /// The body. Default: an error in the provider's own form.
    #[serde(default)]
    pub body: ErrorBody,
    /// The header `retry-after`, in whole seconds; Gemini's `RetryInfo`.
    #[serde(default)]
    pub retry_after: Option<u64>,
    /// The header `retry-after-ms`, in milliseconds; Gemini's `RetryInfo`.
    #[serde(default)]
    pub retry_after_ms: Option<u64>,
    /// The header `x-should-retry`, which Gemini does not know.
    #[serde(default)]
    pub should_retry: Option<bool>,
    /// The error's `type` (Gemini's `status`), where the usual one for the status does not fit. OpenAI's words for an
    /// account without money are translated for the other providers.
    #[serde(default, rename = "type")]
    pub error_type: Option<String>,
    /// The error's `code` (Anthropic's `details.error_code`, the reason of Gemini's `ErrorInfo`), where the usual one
    /// for the status does not fit.
    #[serde(default)]
    pub error_code: Option<String>,
    /// The error's `message`.
    #[serde(default)]
    pub message: Option<String>,
}

impl StatusFault {
    /// An error in the provider's own form with this HTTP status and no headers.
    pub fn new(code: u16) -> Self {
        Self {
            code,
            body: ErrorBody::default(),
            retry_after: None,
            retry_after_ms: None,
            should_retry: None,
            error_type: None,
            error_code: None,
            message: None,
        }
    }

    /// The error's message.
    pub(crate) fn message(&self) -> String {
        self.message.clone().unwrap_or_else(|| format!("This error {} was simulated.", self.code))
    }

    /// Whether it says, in OpenAI's words, that the account has no money left.
    pub(crate) fn is_out_of_money(&self) -> bool {
        let words = [&self.error_type, &self.error_code].into_iter().flatten();
        words.into_iter().any(|word| OUT_OF_MONEY.contains(&word.as_str()))
    }

    /// When to retry, if the error says so.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let seconds = self.retry_after.map(Duration::from_secs);
        self.retry_after_ms.map(Duration::from_millis).or(seconds)
    }
}

/// OpenAI's codes for an exhausted balance or monthly limit.
const OUT_OF_MONEY: [&str; 5] = [
    "insufficient_quota",
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
];

/// The body of an HTTP error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorBody {
    /// JSON in the provider's own form; `"openai"` means the same.
    #[default]
    #[serde(alias = "openai")]
    Provider,
    /// A page, as proxies answer.
    Html,
    /// Nothing.
    Empty,
    /// `{"error": "text"}`, as some gateways answer.
    String,
}

impl Fault {
    /// A fault that hits the share `rate` (0 to 1) of all requests.
    pub fn new(kind: FaultKind, rate: f64) -> Self {
        Self { kind, rate, attempts: None, contains: None, during: None }
    }

    /// The same fault, hitting only the first `attempts` admitted requests of a row.
    pub fn with_attempts(self, attempts: u8) -> Self {
        Self { attempts: Some(attempts), ..self }
    }

    /// The same fault, hitting only rows whose text contains `text`.
    pub fn with_contains(self, text: &str) -> Self {
        Self { contains: Some(text.to_owned()), ..self }
    }

    /// The same fault, hitting only requests during this time.
    pub fn with_during(self, during: Span) -> Self {
        Self { during: Some(during), ..self }
    }

    fn may_hit(&self, text: &str, nth: u8, now: Duration) -> bool {
        self.attempts.is_none_or(|attempts| nth <= attempts)
            && self.during.is_none_or(|during| during.is_at(now))
            && self.contains.as_ref().is_none_or(|part| text.contains(part))
    }
}

impl FaultKind {
    /// Its name in scenario files and in the statistics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Status(_) => "status",
            Self::Reset(_) => "reset",
            Self::Cut(_) => "cut",
            Self::Stall(_) => "stall",
            Self::InvalidJson => "invalid_json",
            Self::TruncatedJson => "truncated_json",
            Self::SchemaViolation => "schema_violation",
            Self::Fenced => "fenced",
            Self::Prose => "prose",
            Self::Refusal => "refusal",
            Self::ContentFilter => "content_filter",
            Self::Length => "length",
            Self::Empty => "empty",
            Self::WrongTool => "wrong_tool",
            Self::TwoTools => "two_tools",
            Self::ErrorIn200 => "error_in_200",
            Self::GarbageBody => "garbage_body",
        }
    }
}

/// The fault, if any, that hits the `nth` admitted request (from 1) of the row with this text at this time.
pub(crate) fn draw<'f>(
    faults: &'f [Fault],
    chance: Chance,
    text: &str,
    nth: u8,
    now: Duration,
) -> Option<&'f Fault> {
    let drawn = chance.at("fault").nth(nth.into()).unit();
    let mut reached = 0.0;
    faults.iter().filter(|fault| fault.may_hit(text, nth, now)).find(|fault| {
        reached += fault.rate;
        drawn < reached
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(faults: &[Fault], nth: u8) -> Vec<&'static str> {
        let draw = |row: u32| {
            let text = format!("row {row}");
            draw(faults, Chance::of(3, &text), &text, nth, Duration::ZERO).map(|fault| fault.kind.name())
        };
        (0..10_000).filter_map(draw).collect()
    }

    #[test]
    fn kinds_have_the_same_names_in_scenarios_and_statistics() {
        for name in [
            "invalid_json",
            "truncated_json",
            "schema_violation",
            "fenced",
            "prose",
            "refusal",
            "content_filter",
            "length",
            "empty",
            "wrong_tool",
            "two_tools",
            "error_in_200",
            "garbage_body",
        ] {
            let fault: Fault = toml::from_str(&format!("rate = 1.0\nkind = \"{name}\"")).unwrap();
            assert_eq!(fault.kind.name(), name);
        }
    }

    #[test]
    fn rates_add_up_and_each_fault_gets_its_share() {
        let faults = [Fault::new(FaultKind::Empty, 0.05), Fault::new(FaultKind::Refusal, 0.10)];
        let hits = hits(&faults, 1);
        let empty = hits.iter().filter(|name| **name == "empty").count();
        assert!((430..570).contains(&empty), "{empty} of 500");
        assert!((900..1_100).contains(&(hits.len() - empty)), "{} of 1000", hits.len() - empty);
    }

    #[test]
    fn only_the_first_attempts_and_matching_rows_are_hit() {
        let faults = [Fault::new(FaultKind::Empty, 1.0).with_attempts(2).with_contains("9")];
        assert_eq!(hits(&faults, 2).len(), 10_000 - 9_usize.pow(4));
        assert_eq!(hits(&faults, 3).len(), 0);
    }

    #[test]
    fn an_outage_hits_all_requests_during_it() {
        let during = Span { from_seconds: 2.0, for_seconds: 1.5 };
        let faults = [Fault::new(FaultKind::Empty, 1.0).with_during(during)];
        let is_hit =
            |seconds| draw(&faults, Chance::of(3, "x"), "x", 1, Duration::from_secs_f64(seconds)).is_some();
        let hit: Vec<_> = [0.0, 1.99, 2.0, 3.49, 3.5, 9.0].map(is_hit).into();
        assert_eq!(hit, [false, false, true, true, false, false]);
    }

    #[test]
    fn a_repeated_attempt_draws_again_and_the_same_attempt_the_same() {
        let faults = [Fault::new(FaultKind::Empty, 0.5)];
        let text = |nth| {
            (0..64)
                .map(|row: u32| {
                    let text = row.to_string();
                    draw(&faults, Chance::of(3, &text), &text, nth, Duration::ZERO).is_some()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }
}
