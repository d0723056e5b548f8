//! A change to a run while it is under way, as the user asks for it: pause, another limit, stop. `control.rs` applies it.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::{Problem, did_you_mean};
use crate::money::Usd;

/// A change to a run under way. `None` as a limit means none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Adjustment {
    /// Nothing new is sent; what is in flight is awaited.
    Pause,
    /// The end of a pause.
    Resume,
    /// The maximum number of attempts in flight; without one, it adapts to what the server accepts.
    Concurrency(Option<usize>),
    /// Requests per minute.
    Requests(Option<f64>),
    /// Tokens per minute, input and output together.
    Tokens(Option<f64>),
    /// Input tokens per minute.
    InputTokens(Option<f64>),
    /// Output tokens per minute.
    OutputTokens(Option<f64>),
    /// The most that all requests may cost together, those of earlier runs with the same journal included.
    Budget(Option<Usd>),
    /// How long the run may send requests, from its start.
    Deadline(Option<Duration>),
    /// The rows that have failed so far are asked about again, now.
    RetryFailed,
    /// The end of the run: no new requests; what is in flight is awaited.
    Stop,
}

/// The names that [`Adjustment::parse`] knows.
pub const NAMES: [&str; 11] = [
    "pause",
    "resume",
    "concurrency",
    "rpm",
    "tpm",
    "input_tpm",
    "output_tpm",
    "budget",
    "deadline",
    "retry_failed",
    "stop",
];

/// The words for no limit.
const NO_LIMIT: [&str; 2] = ["none", "auto"];

impl Adjustment {
    /// The change of this name to this value: a number, or text such as `"8"`, `"$2.50"`, `"2h"`. `none` or `auto` removes a limit;
    /// what has no value takes `true`.
    ///
    /// # Errors
    /// An unknown name, or a value that is not of its kind. Ranges are checked by [`RunControl::apply`](crate::RunControl::apply).
    pub fn parse(name: &str, value: &Value) -> Result<Self, Problem> {
        let given = Given { name, value };
        Ok(match name {
            "pause" => given.switch(Self::Pause)?,
            "resume" => given.switch(Self::Resume)?,
            "concurrency" => Self::Concurrency(given.limit("a whole number", |text| text.parse().ok())?),
            "rpm" => Self::Requests(given.number()?),
            "tpm" => Self::Tokens(given.number()?),
            "input_tpm" => Self::InputTokens(given.number()?),
            "output_tpm" => Self::OutputTokens(given.number()?),
            "budget" => Self::Budget(given.limit("an amount in US dollars such as `2.50`", |text| {
                Usd::parse(text.strip_prefix('$').unwrap_or(text)).ok()
            })?),
            "deadline" => Self::Deadline(given.limit("a time such as `90s` or `2h`, or seconds", duration)?),
            "retry_failed" => given.switch(Self::RetryFailed)?,
            "stop" => given.switch(Self::Stop)?,
            _ => {
                let problem = Problem::new(format!(
                    "`{name}` is not something that can be changed, expected one of {}",
                    NAMES.join(", ")
                ));
                return Err(match did_you_mean(name, NAMES) {
                    Some(hint) => problem.hint(hint),
                    None => problem,
                });
            }
        })
    }

    /// The changes of a JSON object such as `{"concurrency": 8, "rpm": "none"}`.
    ///
    /// # Errors
    /// Anything that is not one, the first that is wrong.
    pub fn parse_all(changes: &Value) -> Result<Vec<Self>, Problem> {
        let Value::Object(changes) = changes else {
            return Err(Problem::new(format!(
                "`{changes}` is not a set of changes, expected an object such as `{{\"concurrency\": 8}}`"
            )));
        };
        changes.iter().map(|(name, value)| Self::parse(name, value)).collect()
    }

    /// Its name, one of [`NAMES`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Concurrency(_) => "concurrency",
            Self::Requests(_) => "rpm",
            Self::Tokens(_) => "tpm",
            Self::InputTokens(_) => "input_tpm",
            Self::OutputTokens(_) => "output_tpm",
            Self::Budget(_) => "budget",
            Self::Deadline(_) => "deadline",
            Self::RetryFailed => "retry_failed",
            Self::Stop => "stop",
        }
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut set = |what: &str, limit: Option<String>| match limit {
            Some(limit) => write!(f, "{what} set to {limit}"),
            None => write!(f, "no limit on {what}"),
        };
        match self {
            Self::Pause => f.write_str("paused"),
            Self::Resume => f.write_str("resumed"),
            Self::Concurrency(None) => f.write_str("concurrency set to auto"),
            Self::Concurrency(slots) => set("concurrency", slots.map(|slots| slots.to_string())),
            Self::Requests(limit) => set("requests per minute", limit.map(|limit| limit.to_string())),
            Self::Tokens(limit) => set("tokens per minute", limit.map(|limit| limit.to_string())),
            Self::InputTokens(limit) => set("input tokens per minute", limit.map(|limit| limit.to_string())),
            Self::OutputTokens(limit) => {
                set("output tokens per minute", limit.map(|limit| limit.to_string()))
            }
            Self::Budget(None) => f.write_str("no budget"),
            Self::Budget(budget) => set("budget", budget.map(Usd::exactly)),
            Self::Deadline(None) => f.write_str("no deadline"),
            Self::Deadline(deadline) => set("deadline", deadline.map(|deadline| format!("{deadline:?}"))),
            Self::RetryFailed => f.write_str("failed rows retried"),
            Self::Stop => f.write_str("stopped"),
        }
    }
}

/// A named value as it was given.
struct Given<'a> {
    name: &'a str,
    value: &'a Value,
}

impl Given<'_> {
    fn switch(&self, adjustment: Adjustment) -> Result<Adjustment, Problem> {
        if *self.value == Value::Bool(true) { Ok(adjustment) } else { Err(self.refused("`true`")) }
    }

    fn number(&self) -> Result<Option<f64>, Problem> {
        self.limit("a number", |text| text.parse::<f64>().ok().filter(|number| number.is_finite()))
    }

    /// The limit, or none. `null` is the JSON for none.
    fn limit<T>(&self, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let text = match self.value {
            Value::Null => return Ok(None),
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(_) | Value::Array(_) | Value::Object(_) => String::new(),
        };
        if NO_LIMIT.contains(&&*text) {
            return Ok(None);
        }
        let parsed = if text.is_empty() { None } else { parse(&text) };
        parsed.map(Some).ok_or_else(|| self.refused(&format!("{expected}, or `none`")))
    }

    fn refused(&self, expected: &str) -> Problem {
        let value = match self.value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        Problem::new(format!("`{}` is `{value}`, expected {expected}", self.name))
    }
}

/// A duration as on the command line: `90s`, `1h 30m`, or a number of seconds.
fn duration(text: &str) -> Option<Duration> {
    let seconds = || Duration::try_from_secs_f64(text.parse().ok()?).ok();
    humantime::parse_duration(text).ok().or_else(seconds)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_are_read_strictly() {
        for (name, value, expected) in [
            ("pause", json!(true), Some(Adjustment::Pause)),
            ("pause", json!(false), None),
            ("pause", json!("true"), None),
            ("concurrency", json!(8), Some(Adjustment::Concurrency(Some(8)))),
            ("concurrency", json!("8"), Some(Adjustment::Concurrency(Some(8)))),
            ("concurrency", json!("auto"), Some(Adjustment::Concurrency(None))),
            ("concurrency", json!(8.5), None),
            ("concurrency", json!(-1), None),
            ("rpm", json!("none"), Some(Adjustment::Requests(None))),
            ("rpm", json!(null), Some(Adjustment::Requests(None))),
            ("rpm", json!("NaN"), None),
            ("rpm", json!(""), None),
            ("rpm", json!(true), None),
            ("input_tpm", json!(1e6), Some(Adjustment::InputTokens(Some(1e6)))),
            ("budget", json!("$2.50"), Some(Adjustment::Budget(Usd::parse("2.5").ok()))),
            ("budget", json!(2.5), Some(Adjustment::Budget(Usd::parse("2.5").ok()))),
            ("deadline", json!("1h30m"), Some(Adjustment::Deadline(Some(Duration::from_mins(90))))),
            ("deadline", json!(90), Some(Adjustment::Deadline(Some(Duration::from_secs(90))))),
            ("deadline", json!("1.5"), Some(Adjustment::Deadline(Some(Duration::from_millis(1_500))))),
            ("deadline", json!("2 weeks"), Some(Adjustment::Deadline(Some(Duration::from_hours(336))))),
            ("deadline", json!("soon"), None),
            ("deadline", json!("-1"), None),
            ("speed", json!(1), None),
        ] {
            let read = Adjustment::parse(name, &value);
            assert_eq!(read.as_ref().ok(), expected.as_ref(), "{name} {value}: {read:?}");
        }
        assert_eq!(
            Adjustment::parse("concurency", &json!(1)).expect_err("a typo").hint.map(|hint| hint.to_string()),
            Some("did you mean `concurrency`?".to_owned())
        );
        assert!(Adjustment::parse_all(&json!([1])).is_err());
    }

    #[test]
    fn every_name_is_known() {
        for name in NAMES {
            let read =
                Adjustment::parse(name, &json!(true)).or_else(|_| Adjustment::parse(name, &json!("1")));
            assert_eq!(read.expect(name).name(), name);
        }
    }
}
