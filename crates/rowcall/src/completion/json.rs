//! Finds JSON in a text: the whole of it, in fences, among prose, outside of a model's thoughts. Pure, and bounded in time
//! and memory whatever the text. The syntax is `lenient.rs`; which value is the one wanted is judged in `choice.rs`.

use serde_json::Value;

use super::lenient::is_blank;
use super::repair::Repair;
use crate::number;
use crate::repeated_key::repeats_key;

mod context;
mod scan;
pub(super) mod thoughts;

/// How many values of one text are kept.
pub(super) const MOST_CANDIDATES: usize = 1024;

/// What JSON a text holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The values, best first, at most 1024: in a fence before among prose, and later before earlier, since a model that
    /// thinks aloud answers last. A value is no candidate if an unreadable one that stands as well follows it: it was a
    /// draft.
    pub candidates: Vec<Candidate>,
    /// Why the last thing that began like JSON could not be read, or that there was nothing at all.
    pub unreadable: Option<Unreadable>,
    /// Whether there were more values than are kept.
    pub overflowed: bool,
    /// Whether pieces of JSON are left over beside the values: brackets or quotes that have no partner, or keys.
    pub left_over: bool,
}

/// One value found.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// What had to be put right to read it, each kind once.
    pub repairs: Vec<Repair>,
    /// The byte where it begins in its text.
    pub start: usize,
    /// What stands between it and the value before.
    pub gap: Gap,
    /// What follows it.
    pub ending: Ending,
    /// How many closing brackets were missing at its end, all of objects.
    pub closers: usize,
    /// Its numbers with an exponent as they stand in the text, where a `Value` spells them in another way: `1E5`.
    pub exponents: Vec<String>,
}

/// What stands in front of a value, back to the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// It is the first.
    First,
    /// Nothing that says anything: line breaks, commas, fences, the bullets and numbers of a list.
    Separators,
    /// Words, or JSON that could not be read.
    Words,
}

/// How a value ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// With the text, a closing fence aside.
    Text,
    /// In front of other words, or of another value.
    Words,
    /// In front of dots, which stand for what the model has left out.
    Elided,
    /// In the middle of JSON that goes on with this: the value is a fragment.
    Fragment(String),
}

/// Why a text, or something in it, gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The text is empty, or nothing but white space.
    Empty,
    /// Nothing stands outside of the model's thoughts.
    Thoughts,
    /// The text ends before it is complete.
    Cut,
    /// It nests deeper than 128 levels.
    TooDeep,
    /// It has an error that no repair mends.
    Broken {
        /// What should have stood there, as part of a sentence.
        expected: &'static str,
        /// What stood there: its first characters.
        found: String,
    },
}

/// Finds the JSON in `text`. Text that is JSON as it stands is one candidate without repairs. `keys` are the names of properties that
/// the schema knows; they show where a string ends that has quotes in it.
///
/// Values among a model's thoughts do not count. A key that stands twice in an object is an error, since one of its values would be
/// lost.
pub fn find(text: &str, keys: &[String]) -> Found {
    match strict(text).filter(|value| !number::has_exponent(value)) {
        Some(value) => Found {
            candidates: vec![Candidate {
                value,
                repairs: Vec::new(),
                start: 0,
                gap: Gap::First,
                ending: Ending::Text,
                closers: 0,
                exponents: Vec::new(),
            }],
            ..Found::default()
        },
        None => search(text, keys),
    }
}

/// The value of a text that is JSON as it stands, white space and a byte order mark around it aside.
pub(super) fn strict(text: &str) -> Option<Value> {
    let text = text.trim_matches(is_blank);
    let value: Value = serde_json::from_str(text).ok()?;
    // Of a key that stands twice, a map has only the last.
    (!repeats_key(text, &value)).then_some(value)
}

/// Finds the JSON in a text that is not [`strict`].
fn search(text: &str, keys: &[String]) -> Found {
    let unreadable = |why| Found { unreadable: Some(why), ..Found::default() };
    // White space at the end shows that a number in front of it is whole.
    let text = text.trim_start_matches(is_blank);
    if text.is_empty() {
        return unreadable(Unreadable::Empty);
    }
    if let Some(value) = unescaped(text) {
        let (gap, ending) = (Gap::First, Ending::Text);
        let repairs = vec![Repair::Stringified];
        let candidate =
            Candidate { value, repairs, start: 0, gap, ending, closers: 0, exponents: Vec::new() };
        return Found { candidates: vec![candidate], ..Found::default() };
    }
    let answer = thoughts::behind(text);
    if answer.trim_matches(is_blank).is_empty() {
        return unreadable(Unreadable::Thoughts);
    }
    scan::scan(answer, keys)
}

/// The value of a text that is JSON escaped as within a string, without the quotes around it: `{\"a\": 1}`.
fn unescaped(text: &str) -> Option<Value> {
    let text = text.trim_matches(is_blank);
    if !text.starts_with(['{', '[']) || !text.trim_start_matches(['{', '[', ' ']).starts_with("\\\"") {
        return None;
    }
    // A quote that is not escaped would end the string.
    let inner: String = serde_json::from_str(&format!("\"{text}\"")).ok()?;
    strict(&inner)
}

#[cfg(test)]
mod tests;
