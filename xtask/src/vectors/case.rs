//! One case of a vector file, read without assumptions about its form, and the comparison with what we do.

use std::fmt;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use rowcall::provider::Protocol;
use rowcall::retry::{self, Decision, Tried};
use rowcall::{Fault, Response};
use serde_json::Value;

/// The time at which every response counts as received: Sun, 22 Nov 2026 17:00:00 GMT, the day the vectors were
/// written.
pub(super) const RECEIVED: Duration = Duration::from_hours(498_713);

/// The longest wait of a server that we follow, in seconds (a week).
pub(super) const LONGEST: f64 = 7.0 * 24.0 * 3600.0;

/// From this wait on, OpenAI's SDKs no longer wait, in seconds.
const SDK_LONGEST: f64 = 120.0;

/// The name for a wait of more than [`LONGEST`].
pub(super) const OVER_A_WEEK: &str = "over_a_week";

/// The name for a wait that we follow and OpenAI's SDKs do not.
const OVER_120_S: &str = "over_120_s";

/// The result of a case.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Our differences; empty if there are none.
    Judged(Vec<Difference>),
    /// Nothing could be checked, for this reason.
    Skipped(String),
}

/// One difference from a case.
#[derive(Debug)]
pub(super) struct Difference {
    expected: String,
    got: String,
    /// The name for what is special about it, under which the table of known differences may list it.
    pub(super) special: Option<&'static str>,
}

impl Difference {
    pub(super) fn new(expected: impl fmt::Display, got: impl fmt::Display) -> Self {
        Self { expected: expected.to_string(), got: got.to_string(), special: None }
    }

    /// The difference, with the name for what is special about it.
    pub(super) fn special(self, special: Option<&'static str>) -> Self {
        Self { special, ..self }
    }

    /// The difference, if there is one, between two values of `what`.
    pub(super) fn between<T: fmt::Display + PartialEq + ?Sized>(
        what: &str,
        expected: &T,
        got: &T,
    ) -> Option<Self> {
        (expected != got).then(|| Self::new(format!("{what} {expected}").trim_start(), got))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected {}, got {}", self.expected, self.got)
    }
}

/// A case as in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a>(pub(super) &'a Value);

impl<'a> Case<'a> {
    /// The value at a JSON Pointer.
    pub(super) fn get(self, pointer: &str) -> Option<&'a Value> {
        self.0.pointer(pointer)
    }

    /// The text at a JSON Pointer.
    pub(super) fn text(self, pointer: &str) -> Result<&'a str, String> {
        self.get(pointer).and_then(Value::as_str).ok_or_else(|| format!("no text at `{pointer}`"))
    }

    /// The boolean at a JSON Pointer; `None` if there is nothing.
    pub(super) fn truth(self, pointer: &str) -> Result<Option<bool>, String> {
        match self.get(pointer) {
            None => Ok(None),
            Some(value) => {
                value.as_bool().map(Some).ok_or_else(|| format!("neither true nor false at `{pointer}`"))
            }
        }
    }

    /// The response in the case, with `body` if it has none.
    pub(super) fn response(self, body: Option<&str>) -> Result<Response, String> {
        let status =
            self.get("/status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let raw = self.get("/raw").or_else(|| self.get("/body_text"));
        let body = match (raw, self.get("/body"), body) {
            (Some(Value::String(text)), _, _) => text.clone(),
            (Some(_), _, _) => return Err("`raw` or `body_text` is not text".to_owned()),
            (None, Some(body), _) => body.to_string(),
            (None, None, Some(body)) => body.to_owned(),
            (None, None, None) => return Err("neither `body` nor `body_text` nor `raw`".to_owned()),
        };
        let status = status.ok_or("no HTTP status at `/status`")?;
        Ok(Response { headers: self.headers()?, ..response(status, &body) })
    }

    fn headers(self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        match self.get("/headers") {
            None | Some(Value::Null) => {}
            Some(Value::Object(given)) => {
                for (name, value) in given {
                    let (name, value) = header(name, value.as_str().ok_or("a header's value is not text")?)?;
                    headers.append(name, value);
                }
            }
            Some(_) => return Err("no object at `/headers`".to_owned()),
        }
        Ok(headers)
    }
}

/// A response without headers.
pub(super) fn response(status: u16, body: &str) -> Response {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Response { status, headers: HeaderMap::new(), body, received: SystemTime::UNIX_EPOCH + RECEIVED }
}

/// A header. Any text is accepted except one with line breaks and the like.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let value = HeaderValue::from_bytes(value.as_bytes());
    match (HeaderName::try_from(name), value) {
        (Ok(name), Ok(value)) => Ok((name, value)),
        (Err(_), _) | (_, Err(_)) => Err(format!("`{name}` is not a header")),
    }
}

/// The fault that a protocol reads in a response that must not be an answer.
pub(super) fn fault(protocol: Protocol, response: &Response) -> Option<Fault> {
    protocol.decode(response).err()
}

/// The decision about a fault at the first attempt.
pub(super) fn decision(fault: &Fault) -> Decision {
    let tried = Tried { faults: 1, limits: 1, ..Tried::default() };
    retry::decide(fault, tried, retry::RetryPolicy::default(), 0.5)
}

/// The difference between whether the SDKs retry and whether we do.
pub(super) fn retried(theirs: bool, fault: Option<&Fault>) -> Option<Difference> {
    let words = |again| if again { "a retry" } else { "no retry" };
    let ours = fault.is_some_and(|fault| matches!(decision(fault), Decision::Retry(_)));
    let difference = Difference::between("", words(theirs), words(ours))?;
    let asked = fault.and_then(|fault| fault.retry_after).unwrap_or_default();
    let is_long = ours && asked.as_secs_f64() > SDK_LONGEST;
    Some(difference.special(is_long.then_some(OVER_120_S)))
}
