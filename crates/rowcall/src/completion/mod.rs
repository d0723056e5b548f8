//! Reads a completion: from text or tool arguments to a value of the user's schema, or the reasons why there is none.
//! Leaves to others what is asked next (`conversation.rs`) and the user's own check.

use std::collections::HashSet;

use serde_json::Value;

use crate::schema::{Schema, WireSchema};
use crate::turn::{Completion, Content, Finish, ToolCall};
use crate::violation::Violation;

mod choice;
pub mod json;
mod lenient;
mod plain;
mod repair;

pub use repair::Repair;

use json::{Found, Gap, Unreadable};
use repair::Wanted;

/// The violation of an answer that ends in the middle of its JSON.
pub(crate) const NOT_CLOSED: &str = "the JSON is not closed: it ends before it is complete";

/// What a completion gives.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A value that satisfies the schema.
    Value {
        /// The value in the form of the user's schema.
        value: Value,
        /// What had to be put right to get it, each kind once; empty for an answer as it should be.
        repairs: Vec<Repair>,
    },
    /// An answer, but no value.
    Invalid {
        /// Why, in words for the model; never empty.
        violations: Vec<Violation>,
        /// The JSON that came closest, in the form of the user's schema, if there was any.
        best: Option<Value>,
    },
    /// The model declined, in these words.
    Refused(String),
    /// The answer was cut at the output limit, or ends before it is complete and the server does not say why.
    Truncated,
    /// The provider has paused the answer, and the rest is still to be asked for.
    Paused,
    /// The provider's filter withheld the answer or cut it off.
    Filtered,
}

/// Reads the value that `completion` gives in answer to `wire`, which is what the provider was sent of `schema`.
///
/// A refusal and a filter come first, whatever else there is. Of several values in a text, fenced ones come before those
/// among prose and later before earlier ones, as [`json::find`] has it; of several calls, those of the right tool come
/// first, in their order. The first that satisfies the schema, as it is or repaired, is the value.
///
/// What is cut is never completed. At an output limit, a value counts only if it does not stand among prose, where it
/// may be a draft, and is not a bare number, which may lack digits.
pub fn read(completion: &Completion, schema: &Schema, wire: &WireSchema) -> Reading {
    let reader = Reader { wanted: Wanted { schema, wire }, finish: completion.finish };
    match (&completion.content, completion.finish) {
        (Content::Refusal(words), _) => Reading::Refused(words.clone()),
        (_, Finish::ContentFilter) => Reading::Filtered,
        (_, Finish::Paused) => Reading::Paused,
        // Where the server has closed what the model wrote, nothing shows what is missing.
        (Content::Calls(calls), Finish::Length) if calls.iter().any(|call| call.came_parsed) => {
            Reading::Truncated
        }
        (Content::Text(text), Finish::Stop | Finish::Unstated | Finish::Length) => reader.read_text(text),
        (Content::Calls(calls), Finish::Stop | Finish::Unstated | Finish::Length) => reader.read_calls(calls),
        (Content::Thoughts(_), Finish::Length) => Reading::Truncated,
        (Content::Thoughts(_), Finish::Stop | Finish::Unstated) => {
            Reading::Invalid { violations: vec![thoughts_alone()], best: None }
        }
    }
}

/// What is wanted, and how the answer ended.
struct Reader<'a> {
    wanted: Wanted<'a>,
    finish: Finish,
}

impl Reader<'_> {
    fn read_text(&self, text: &str) -> Reading {
        self.read_strict(text)
            .or_else(|| self.read_plain(text))
            .unwrap_or_else(|| self.choose(json::find(text, &self.wanted.keys()), Vec::new()))
    }

    /// The reading of a text that is valid as it stands, as most are: one parse, one validation.
    fn read_strict(&self, text: &str) -> Option<Reading> {
        let value = json::strict(text).filter(|value| self.is_complete(value))?;
        if self.wanted.call_in_writing(&value).is_some() {
            return None;
        }
        let (value, spoilt) = self.wanted.form(value);
        let is_wanted = spoilt.is_empty()
            && self.wanted.schema.validates(&value)
            && self.wanted.schema.strangers(&value, 1).is_empty();
        is_wanted.then(|| self.sound(value, Vec::new()))
    }

    fn read_calls(&self, calls: &[ToolCall]) -> Reading {
        let name = &self.wanted.wire.name;
        match calls {
            [] => return self.read_text(""),
            [call] if call.name == *name => return self.read_text(&call.arguments),
            [_, ..] => {}
        }
        let (keys, wants_list) = (self.wanted.keys(), self.wanted.wants_list());
        let (mut violations, mut others) = (Vec::new(), HashSet::new());
        let mut all = Found::default();
        for (index, call) in calls.iter().enumerate() {
            let mut found = json::find(&call.arguments, &keys);
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
            // Arguments that cannot be read may have been better than those before.
            if !matches!(found.unreadable, None | Some(Unreadable::Empty)) {
                all.candidates.clear();
            }
            // Later ones first, as within a text; turned round as a whole below.
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

    /// Whether nothing can be missing at the end of a value: only a number shows no end.
    fn is_complete(&self, value: &Value) -> bool {
        !(value.is_number() && self.finish == Finish::Length)
    }
}

/// Why thoughts give no value: what stands in them may be a draft.
fn thoughts_alone() -> Violation {
    Violation::whole(
        "the answer is empty and only the reasoning has text, expected JSON in the answer itself",
    )
}

/// Why no JSON was found.
fn absence(unreadable: Option<&Unreadable>) -> Violation {
    Violation::whole(match unreadable {
        None => "the answer holds no JSON".to_owned(),
        Some(Unreadable::Empty) => "the answer is empty, expected JSON".to_owned(),
        Some(Unreadable::Thoughts) => {
            "the answer holds nothing but thoughts, expected JSON behind them".to_owned()
        }
        Some(Unreadable::Cut) => NOT_CLOSED.to_owned(),
        Some(Unreadable::TooDeep) => "the JSON nests deeper than 128 levels".to_owned(),
        Some(Unreadable::Broken { expected, found }) => {
            format!("the JSON cannot be read: expected {expected} where `{found}` stands")
        }
    })
}

#[cfg(test)]
mod tests;
