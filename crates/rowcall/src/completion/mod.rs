//! Reads a completion: turns text or tool arguments into a value of the user's schema, or into the reasons why that is impossible.
//! The next request (`conversation.rs`) and the user's own check are handled elsewhere.

use std::collections::HashSet;

use serde_json::Value;

use crate::schema::{Schema, WireSchema};
use crate::turn::{Choice, Completion, Content, Finish, ToolCall};
use crate::violation::Violation;

mod choice;
mod corruption;
pub mod json;
mod lenient;
mod omission;
mod plain;
mod repair;

pub use repair::Repair;

use json::{Found, Gap, Unreadable};
use repair::Wanted;

/// The violation for an answer that ends in the middle of its JSON.
pub(crate) const NOT_CLOSED: &str = "the JSON is not closed: it ends before it is complete";

/// The result of reading a completion.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A value that satisfies the schema.
    Value {
        /// The value in the form of the user's schema.
        value: Value,
        /// The repairs that were needed, each kind once; empty for a correct answer.
        repairs: Vec<Repair>,
    },
    /// An answer without a valid value.
    Invalid {
        /// The reasons, worded for the model; never empty.
        violations: Vec<Violation>,
        /// The JSON that came closest, in the form of the user's schema, if there is any.
        best: Option<Value>,
    },
    /// The model declined with these words.
    Refused(String),
    /// The answer was cut off at the output limit, or is incomplete and the server does not say why.
    Truncated,
    /// The provider paused the answer; the rest has to be requested.
    Paused,
    /// The provider's filter withheld the answer or cut it off.
    Filtered,
}

impl Reading {
    fn value(&self) -> Option<&Value> {
        match self {
            Self::Value { value, repairs: _ } => Some(value),
            Self::Invalid { .. } | Self::Refused(_) | Self::Truncated | Self::Paused | Self::Filtered => None,
        }
    }
}

/// Reads the value in `completion`, the answer to a request with `wire`, the wire form of `schema`.
///
/// A refusal and a filter take precedence over everything else. Of several values in a text, fenced ones come before those
/// in prose and later before earlier ones, see [`json::find`]; of several calls, those of the right tool come first, in
/// order. The first value that satisfies the schema, as it is or repaired, is the result.
///
/// An answer that was cut off is never completed. At an output limit, a value counts only if it is not within prose, where
/// it may be a draft, and is not a bare number, which may lack digits.
pub fn read(completion: &Completion, schema: &Schema, wire: &WireSchema) -> Reading {
    read_within(completion, schema, wire, None)
}

/// Reads the value in `completion` as [`read`] does, and also uses the output limit in tokens that was sent: an answer without a finish
/// reason that reached it was cut off.
pub fn read_within(
    completion: &Completion,
    schema: &Schema,
    wire: &WireSchema,
    limit: Option<u32>,
) -> Reading {
    let finish = completion.finish_within(limit);
    Reader { wanted: Wanted { schema, wire }, finish }.read(&completion.content)
}

/// Reads an answer: the wanted schema, and how the answer ended.
#[derive(Clone, Copy)]
struct Reader<'a> {
    wanted: Wanted<'a>,
    finish: Finish,
}

impl Reader<'_> {
    fn read(&self, content: &Content) -> Reading {
        match (content, self.finish) {
            (Content::Choices(choices), _) => self.read_choices(choices),
            (Content::Refusal(words), _) => Reading::Refused(words.clone()),
            (_, Finish::ContentFilter) => Reading::Filtered,
            (_, Finish::Paused) => Reading::Paused,
            // If the server has closed the model's JSON, nothing shows what is missing.
            (Content::Calls(calls), Finish::Length) if calls.iter().any(|call| call.came_parsed) => {
                Reading::Truncated
            }
            (Content::Text(text), Finish::Stop | Finish::Unstated | Finish::Length) => self.read_text(text),
            (Content::Calls(calls), Finish::Stop | Finish::Unstated | Finish::Length) => {
                self.read_calls(calls)
            }
            (Content::Thoughts(_), Finish::Length) => Reading::Truncated,
            (Content::Thoughts(_), Finish::Stop | Finish::Unstated) => {
                Reading::Invalid { violations: vec![thoughts_alone()], best: None }
            }
        }
    }

    /// Reads several choices. As within a text, equal values count as one, and nothing is chosen among different ones.
    fn read_choices(&self, choices: &[Choice]) -> Reading {
        let read = |choice: &Choice| {
            // The finish of the whole answer takes the output limit into account.
            let finish = if choice.finish == Finish::Unstated { self.finish } else { choice.finish };
            Reader { finish, ..*self }.read(&choice.content)
        };
        let (values, others): (Vec<Reading>, Vec<Reading>) =
            choices.iter().map(read).partition(|reading| matches!(reading, Reading::Value { .. }));
        let distinct: HashSet<String> =
            values.iter().filter_map(Reading::value).map(Value::to_string).collect();
        if distinct.len() > 1 {
            let several = format!(
                "the answer contains {} different matching values, expected exactly one",
                distinct.len()
            );
            return Reading::Invalid { violations: vec![Violation::whole(several)], best: None };
        }
        let is_blank = |reading: &Reading| match reading {
            Reading::Invalid { best, violations: _ } => best.is_none(),
            Reading::Value { .. }
            | Reading::Refused(_)
            | Reading::Truncated
            | Reading::Paused
            | Reading::Filtered => false,
        };
        let doubtful =
            others.iter().position(|reading| !is_blank(reading)).or((values.is_empty()).then_some(0));
        match doubtful.and_then(|index| others.into_iter().nth(index)) {
            Some(reading) => reading,
            None => values.into_iter().next().unwrap_or_else(|| self.read_text("")),
        }
    }

    fn read_text(&self, text: &str) -> Reading {
        self.read_strict(text)
            .or_else(|| self.read_plain(text))
            .unwrap_or_else(|| self.choose(json::find(text, &self.wanted.keys()), Vec::new()))
    }

    /// The reading of a text that is valid as it is, like most: one parse, one validation.
    fn read_strict(&self, text: &str) -> Option<Reading> {
        let value = json::strict(text).filter(|value| self.is_complete(value))?;
        if self.wanted.call_in_writing(&value).is_some() {
            return None;
        }
        let (value, damage) = self.wanted.form(value);
        let is_wanted = damage.is_empty()
            && self.wanted.schema.validates(&value)
            && self.wanted.schema.strangers(&value, 1).is_empty();
        is_wanted.then(|| self.sound(value, Vec::new()))
    }

    fn read_calls(&self, calls: &[ToolCall]) -> Reading {
        let name = &self.wanted.wire.name;
        match calls {
            [] => return self.read_text(""),
            [call] if call.name == *name => return self.read_text(without_empty_start(&call.arguments)),
            [_, ..] => {}
        }
        let (keys, wants_list) = (self.wanted.keys(), self.wanted.wants_list());
        let (mut violations, mut others) = (Vec::new(), HashSet::new());
        let mut all = Found::default();
        for (index, call) in calls.iter().enumerate() {
            let mut found = json::find(without_empty_start(&call.arguments), &keys);
            for candidate in &mut found.candidates {
                candidate.start = index;
                candidate.gap = match index {
                    0 => Gap::First,
                    _ if wants_list => Gap::Separators,
                    _ => Gap::Words,
                };
            }
            if call.name != *name {
                found.candidates.iter_mut().for_each(|candidate| candidate.repairs.push(Repair::ToolName));
                if others.insert(&call.name) {
                    violations.push(Violation::whole(format!(
                        "the tool `{}` was called, expected `{name}`",
                        call.name
                    )));
                }
            }
            // Unreadable arguments may have been better than the earlier ones.
            if !matches!(found.unreadable, None | Some(Unreadable::Empty)) {
                all.candidates.clear();
            }
            // Later ones first, as within a text; the whole list is reversed below.
            all.candidates.extend(found.candidates.into_iter().rev());
            all.left_over |= found.left_over;
            all.unreadable = found.unreadable.or(all.unreadable);
            all.overflowed |= found.overflowed || all.candidates.len() > json::MOST_CANDIDATES;
            if all.overflowed {
                break;
            }
        }
        all.candidates.reverse();
        self.choose(all, violations)
    }

    /// Whether a value is certainly complete: only a number has no visible end.
    fn is_complete(&self, value: &Value) -> bool {
        !(value.is_number() && self.finish == Finish::Length)
    }
}

/// Arguments without an empty object before them: some servers that join a stream begin with one.
fn without_empty_start(arguments: &str) -> &str {
    let rest = arguments.trim_start().strip_prefix("{}").map(str::trim_start);
    rest.filter(|rest| rest.starts_with('{')).unwrap_or(arguments)
}

/// Why thoughts give no value: JSON in them may be a draft.
fn thoughts_alone() -> Violation {
    Violation::whole(
        "the answer is empty and only the reasoning has text, expected JSON in the answer itself",
    )
}

/// Why no JSON was found.
fn absence(unreadable: Option<&Unreadable>) -> Violation {
    Violation::whole(match unreadable {
        None => "the answer contains no JSON".to_owned(),
        Some(Unreadable::Empty) => "the answer is empty, expected JSON".to_owned(),
        Some(Unreadable::Thoughts) => {
            "the answer contains only thoughts, expected JSON after them".to_owned()
        }
        Some(Unreadable::Cut) => NOT_CLOSED.to_owned(),
        Some(Unreadable::TooDeep) => "the JSON nests deeper than 128 levels".to_owned(),
        Some(Unreadable::Broken { expected, found }) => {
            format!("the JSON cannot be read: expected {expected}, found `{found}`")
        }
    })
}

#[cfg(test)]
mod tests;
