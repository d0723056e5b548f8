//! Rules for records of any format: names that they may not have, and what they say about an earlier step. An output
//! of rowcall can be the next step's input: its `_error` and `_meta` are dropped, and rows that failed there are
//! handled as the user chose.

use std::collections::HashSet;
use std::fmt;

use rowcall::{FailureKind, Hint, Problem, Setting, Unreadable, UnreadableKind, Violation};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::notes::{Counted, Notes};
use super::options::{Encoding, FailedRows, InputOptions};
use super::parser::Rows;
use crate::layout::{ERROR_FIELD, is_own};
use crate::record;

/// What to do about a field of the input that is called `name` like one that the output adds.
pub(crate) fn clash_hint(name: &str) -> Hint {
    if is_own(name) {
        return Hint::from("leave out ").with(Setting::Meta.on()).with(", or give the field another name");
    }
    Hint::from("put the value under a name that the input does not have with ")
        .with(Setting::Into.like("NAME"))
}

/// How the message of a row begins that failed in an earlier step.
const EARLIER: &str = "the row failed in an earlier step: ";

/// The rules for records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) reserved: HashSet<String>,
    pub(crate) failed_rows: FailedRows,
    /// The encoding that was given for the text.
    pub(crate) encoding: Option<&'static str>,
    pub(crate) notes: Notes,
}

impl Rules {
    /// The rules that the options set.
    pub(crate) fn of(options: &InputOptions, notes: Notes) -> Self {
        Self {
            reserved: options.reserved.iter().cloned().collect(),
            failed_rows: options.failed_rows,
            encoding: options.encoding.map(|Encoding(named)| named.name()),
            notes,
        }
    }

    /// Whether records with these names come from an earlier step.
    pub(crate) fn is_output<'a>(&self, mut names: impl Iterator<Item = &'a str>) -> bool {
        self.reserved.contains(ERROR_FIELD) && names.any(|name| name == ERROR_FIELD)
    }

    /// Notes that fields of an earlier step are dropped.
    pub(crate) fn note_left_out(&self) {
        self.notes.say("the input is the output of an earlier step: its `_error` and `_meta` are dropped");
    }

    /// The problem with a name that the output adds, if `names` contains one.
    pub(crate) fn clash<'a>(&self, what: &str, mut names: impl Iterator<Item = &'a str>) -> Option<Problem> {
        let name = names.find(|name| self.reserved.contains(*name))?;
        let problem = Problem::new(format!("{what} `{name}` has the name of a field that the output adds"));
        Some(problem.hint(clash_hint(name)))
    }

    /// Adds a row with these fields, or handles it as chosen if it `failed` in an earlier step. `kept` is the record
    /// with the earlier error, `place` where it was found.
    pub(crate) fn push(
        &self,
        failed: Option<Earlier>,
        rows: &mut Rows,
        place: &dyn fmt::Display,
        row: impl FnOnce() -> (Map<String, Value>, Vec<u8>),
        kept: impl FnOnce() -> Vec<u8>,
    ) {
        let Some(Earlier { why, violations }) = failed else {
            let (fields, record) = row();
            return rows.push(fields, record);
        };
        match self.failed_rows {
            FailedRows::Error => {
                self.notes.count(Counted::FailedAgain, 1);
                rows.push_failed(format!("{place}: {}", earlier(&why)), violations, kept());
            }
            FailedRows::Skip => self.notes.count(Counted::Skipped, 1),
            FailedRows::Ask => {
                self.notes.count(Counted::AskedAgain, 1);
                let (fields, record) = row();
                rows.push(fields, record);
            }
        }
    }

    /// The message that a text is not in its encoding.
    pub(crate) fn not_text(&self, what: &str) -> String {
        match self.encoding {
            Some(encoding) => format!("{what} is not valid `{encoding}`, the encoding that was given"),
            None => format!("{what} is not UTF-8"),
        }
    }

    /// The same where the input as a whole cannot be read.
    pub(crate) fn not_text_problem(&self, what: &str) -> Problem {
        Problem { hint: FailureKind::Encoding.hint(), ..Problem::new(self.not_text(what)) }
    }

    /// Adds a row whose record is not in its encoding.
    pub(crate) fn push_not_text(&self, what: &str, record: impl Into<Vec<u8>>, rows: &mut Rows) {
        rows.push_unreadable(UnreadableKind::Encoding, self.not_text(what), record);
    }
}

/// The message for a row with this earlier error: the first error, however many steps ago it was.
pub(crate) fn earlier(why: &str) -> String {
    let first = why.rfind(EARLIER).and_then(|at| why.get(at + EARLIER.len()..)).unwrap_or(why);
    format!("{EARLIER}{first}")
}

/// How a row that failed in an earlier step, by its `_error`, fails again; `None` if it did not fail.
pub fn failed_earlier(error: &Value) -> Option<Unreadable> {
    let Earlier { why, violations } = failure(error)?;
    Some(Unreadable { kind: UnreadableKind::Input, message: earlier(&why), violations })
}

/// Why a row failed in an earlier step.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Earlier {
    /// Its kind and its message.
    pub(crate) why: String,
    /// What was wrong with its value.
    pub(crate) violations: Vec<Violation>,
}

/// Why a row failed in an earlier step, by its `_error`; `None` if it did not.
pub(crate) fn failure(error: &Value) -> Option<Earlier> {
    let only = |why: String| Earlier { why, violations: Vec::new() };
    match error {
        Value::Null => None,
        // A CSV has only text, and some tools write out a null.
        Value::String(text) if text.is_empty() || text == "null" => None,
        Value::String(text) => Some(match serde_json::from_str(text) {
            Ok(error @ Value::Object(_)) => failure(&error)?,
            Ok(_) | Err(_) => only(text.clone()),
        }),
        Value::Object(fields) => {
            let text = |name| fields.get(name).and_then(Value::as_str);
            let violations = fields.get("violations").and_then(|list| Vec::deserialize(list).ok());
            Some(match (text("kind"), text("message")) {
                (Some(kind), Some(message)) => {
                    Earlier { why: format!("{kind}: {message}"), violations: violations.unwrap_or_default() }
                }
                (_, _) => only(error.to_string()),
            })
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => Some(only(error.to_string())),
    }
}

/// The record of a failed row without what it took. Its error stays, so that a later step recognises it.
pub(crate) fn with_error_only(fields: &[record::Field<'_>]) -> Vec<u8> {
    record::join(fields.iter().filter(|field| field.name == ERROR_FIELD || !is_own(&field.name))).into_bytes()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_of_earlier_steps_are_read_in_each_form() {
        for (error, expected) in [
            (json!(null), None),
            (json!(""), None),
            (json!("null"), None),
            (json!("invalid: no value"), Some("invalid: no value")),
            (json!({"kind": "quota", "message": "none left"}), Some("quota: none left")),
            (json!(r#"{"kind":"quota","message":"none left"}"#), Some("quota: none left")),
            (json!({"code": 3}), Some(r#"{"code":3}"#)),
            (json!(false), Some("false")),
        ] {
            let found = failure(&error);
            assert_eq!(found.as_ref().map(|earlier| earlier.why.as_str()), expected, "{error}");
            assert!(found.unwrap_or_default().violations.is_empty(), "{error}");
        }
        let violations = json!([{"path": "/age", "message": "is missing"}]);
        let invalid = failure(&json!({"kind": "invalid", "message": "no value", "violations": violations}));
        assert_eq!(invalid.expect("an error").violations, [Violation::at("/age", "is missing")]);
        let second = earlier(&format!("input: line 2: {}", earlier("quota: none left")));
        assert_eq!(second, "the row failed in an earlier step: quota: none left");
    }
}
