//! A location where a value violates its schema, described so that a model, a person and the repair can each act on it.

use std::fmt;

use serde_json::Value;

use super::json_type::{JsonType, JsonTypes};
use super::wire::key_given_twice;
use super::wording::{self, cut, cut_long};
use crate::violation::Violation;

/// A location where a value violates its schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Breach {
    /// The location in the value, as a JSON Pointer (RFC 6901); the empty string is the whole value. A missing or
    /// unexpected property is reported at the object that should, or should not, have it.
    pub path: String,
    /// What is wrong there, as in a violation.
    pub message: String,
    /// What was expected, as far as a repair can use it.
    pub expected: Expected,
}

/// What a schema expects where a value violates it. Alternatives (`anyOf`, `oneOf`) are combined.
#[derive(Debug, Clone, PartialEq)]
pub enum Expected {
    /// One of these types; never empty. A list that includes `Number` does not name `Integer`.
    Types(Vec<JsonType>),
    /// One of these values; never empty.
    Member(Vec<Value>),
    /// This property under another name.
    Name {
        /// The name in the value.
        found: String,
        /// The only name that it can mean.
        meant: String,
    },
    /// Something that a change of type or spelling cannot fix: a limit, a pattern, a property.
    Other,
}

impl Breach {
    pub(super) fn new(path: &str, message: String, expected: Expected) -> Self {
        Self { path: path.to_owned(), message, expected }
    }

    /// `value` is not of one of `types`.
    pub(super) fn types(path: &str, value: &Value, types: JsonTypes) -> Self {
        let twice = if types.overlaps(JsonTypes::OBJECT) { key_given_twice(value) } else { None };
        let message = match twice {
            Some(key) => format!("has the key `{}` more than once, expected each key once", cut(key)),
            None => format!("is {}, expected {}", JsonType::of(value).phrase(), types.phrase()),
        };
        Self::new(path, message, Expected::Types(types.list()))
    }

    /// `value` is not one of `members`.
    pub(super) fn member(path: &str, value: &Value, members: Vec<Value>) -> Self {
        let message = match members.as_slice() {
            [only] => format!("is {}, expected {}", wording::shown(value), wording::quoted(only)),
            several => format!("{} is not one of {}", wording::shown(value), wording::listed(several)),
        };
        Self::new(path, message, Expected::Member(members))
    }
}

impl From<Breach> for Violation {
    fn from(breach: Breach) -> Self {
        Self { path: breach.path, message: breach.message }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}` {}", self.path, self.message)
        }
    }
}

/// Why a value matches no alternative: the breaches of the closest alternative or, if all alternatives fail at the value
/// itself or at the same tag in it, one breach that combines what they expect there.
pub(super) fn nearest(path: &str, value: &Value, branches: &[Vec<Breach>]) -> Vec<Breach> {
    let mut near: Vec<(usize, &Vec<Breach>)> =
        branches.iter().map(|branch| (distance(path, branch), branch)).collect();
    near.retain(|(distance, _)| *distance < OF_OTHER_TYPE);
    near.sort_by_key(|(distance, _)| *distance);
    let (first, second) = match near.as_slice() {
        [] => return vec![together(path, value, branches.iter().flatten())],
        [(_, only)] => return (*only).clone(),
        [first, second, ..] => (first, second),
    };
    let tag = first.1.iter().find(|breach| is_tag(breach)).map(|breach| breach.path.as_str());
    if let Some((tag, value)) = tag.and_then(|tag| Some((tag, value.pointer(tag.strip_prefix(path)?)?))) {
        return vec![together(tag, value, branches.iter().flatten())];
    }
    if first.0 < second.0 {
        return first.1.clone();
    }
    let reasons: Vec<String> =
        near.iter().filter_map(|(_, branch)| branch.first()).map(Breach::to_string).collect();
    let list = cut_long(&reasons.join("; or "));
    vec![Breach::new(path, format!("matches none of the alternatives: {list}"), Expected::Other)]
}

/// The distance of an alternative for another type of value.
const OF_OTHER_TYPE: usize = 1_000_000;

/// The distance of an alternative in which a property has another constant.
const OF_OTHER_TAG: usize = 1_000;

/// How far a value is from an alternative. A wrong type counts most, then wrong tags, then the number of breaches.
fn distance(path: &str, branch: &[Breach]) -> usize {
    branch.iter().fold(0, |sum, breach| {
        let at_value = breach.path == path;
        sum + match &breach.expected {
            Expected::Types(_) | Expected::Member(_) if at_value => OF_OTHER_TYPE,
            Expected::Member(_) if is_tag(breach) => OF_OTHER_TAG,
            Expected::Types(_) | Expected::Member(_) | Expected::Name { .. } | Expected::Other => 1,
        }
    })
}

/// Whether the value differs from a constant.
fn is_tag(breach: &Breach) -> bool {
    matches!(&breach.expected, Expected::Member(members) if members.len() == 1)
}

/// One breach that combines everything the alternatives expect at `path`.
fn together<'b>(path: &str, value: &Value, breaches: impl Iterator<Item = &'b Breach>) -> Breach {
    let mut types = JsonTypes::NONE;
    let mut members: Vec<Value> = Vec::new();
    for breach in breaches.filter(|breach| breach.path == path) {
        match &breach.expected {
            Expected::Types(list) => types = list.iter().fold(types, |set, one| set | JsonTypes::from(*one)),
            Expected::Member(list) => members.extend(list.iter().cloned()),
            Expected::Name { .. } | Expected::Other => {}
        }
    }
    let comparable = JsonTypes::of_all(&members).overlaps(JsonTypes::of(value));
    if members.is_empty() || !comparable && !types.without(JsonTypes::NULL).is_empty() {
        return Breach::types(path, value, types | JsonTypes::of_all(&members));
    }
    if types.includes(JsonTypes::NULL) && !members.contains(&Value::Null) {
        members.push(Value::Null);
    }
    Breach::member(path, value, members)
}
