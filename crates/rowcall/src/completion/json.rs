//! Finds JSON in a text: the whole text, in fences or in prose, but not in a model's thoughts. Pure, and bounded in time and memory
//! for any text. `lenient.rs` has the syntax, `choice.rs` decides which value is the wanted one.

use serde_json::Value;

use super::lenient::is_blank;
use super::repair::Repair;
use crate::number;
use crate::repeated_key::repeats_key;

mod context;
mod scan;
pub(super) mod thoughts;

/// How many values of a text are kept.
pub(super) const MOST_CANDIDATES: usize = 1024;

/// The JSON in a text.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The values, best first, at most 1024: fenced ones before those in prose, and later before earlier ones, since a
    /// model that thinks aloud answers last. A value that an unreadable one of the same rank follows is not a candidate:
    /// it was a draft.
    pub candidates: Vec<Candidate>,
    /// Why the last text that started like JSON could not be read, or that there was none.
    pub unreadable: Option<Unreadable>,
    /// Whether there were more values than the limit.
    pub overflowed: bool,
    /// Whether pieces of JSON remain outside the values: unmatched brackets or quotes, or keys.
    pub left_over: bool,
}

/// A value found in a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// The repairs that were needed to read it, each kind once.
    pub repairs: Vec<Repair>,
    /// The byte offset of its start in the text.
    pub start: usize,
    /// What is between it and the previous value.
    pub gap: Gap,
    /// What follows it.
    pub ending: Ending,
    /// Whether only bullets, fences and the like are before it on its line.
    pub begins_line: bool,
    /// Whether only commas, fences and the like are after it on its line.
    pub ends_line: bool,
    /// How many closing brackets, all of objects, were missing at its end.
    pub closers: usize,
    /// Its numbers with an exponent as in the text, since a `Value` may spell them differently: `1E5`.
    pub exponents: Vec<String>,
}

/// What is between a value and the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// There is no previous value.
    First,
    /// Nothing meaningful: line breaks, commas, fences, bullets and numbers of a list.
    Separators,
    /// Words, or JSON that could not be read.
    Words,
}

/// What follows a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The end of the text, apart from a closing fence.
    Text,
    /// Other words, or another value.
    Words,
    /// Dots or a remark, for something that the model omitted.
    Elided,
    /// More of the same JSON, starting with this text: the value is a fragment.
    Fragment(String),
}

/// Why a text, or a part of it, gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The text is empty or only white space.
    Empty,
    /// There is nothing outside the model's thoughts.
    Thoughts,
    /// The JSON ends before it is complete.
    Cut,
    /// It nests deeper than 128 levels.
    TooDeep,
    /// It has an error that no repair fixes.
    Broken {
        /// What was expected, as part of a sentence.
        expected: &'static str,
        /// The first characters of what was found.
        found: String,
    },
}

/// Finds the JSON in `text`. Text that is valid JSON is one candidate without repairs. `keys` are the names of the schema's
/// properties; they show where a string with unescaped quotes ends.
///
/// Values in a model's thoughts do not count. A duplicate key in an object is an error, since one of its values would be lost.
pub fn find(text: &str, keys: &[String]) -> Found {
    match strict(text).filter(|value| !number::has_exponent(value)) {
        Some(value) => Found {
            candidates: vec![Candidate {
                value,
                repairs: Vec::new(),
                start: 0,
                gap: Gap::First,
                ending: Ending::Text,
                begins_line: true,
                ends_line: true,
                closers: 0,
                exponents: Vec::new(),
            }],
            ..Found::default()
        },
        None => search(text, keys),
    }
}

/// The value of a text that is valid JSON, apart from white space and a byte order mark around it.
pub(super) fn strict(text: &str) -> Option<Value> {
    let text = text.trim_matches(is_blank);
    let value: Value = serde_json::from_str(text).ok()?;
    // Of a duplicate key, a map has only the last value.
    (!repeats_key(text, &value)).then_some(value)
}

/// Finds the JSON in a text that is not [`strict`].
fn search(text: &str, keys: &[String]) -> Found {
    let unreadable = |why| Found { unreadable: Some(why), ..Found::default() };
    // White space at the end shows that a number before it is complete.
    let text = text.trim_start_matches(is_blank);
    if text.is_empty() {
        return unreadable(Unreadable::Empty);
    }
    if let Some(value) = unescaped(text) {
        let (gap, ending) = (Gap::First, Ending::Text);
        let repairs = vec![Repair::Stringified];
        let candidate = Candidate {
            value,
            repairs,
            start: 0,
            gap,
            ending,
            begins_line: true,
            ends_line: true,
            closers: 0,
            exponents: Vec::new(),
        };
        return Found { candidates: vec![candidate], ..Found::default() };
    }
    let answer = thoughts::after(text);
    if answer.trim_matches(is_blank).is_empty() {
        return unreadable(Unreadable::Thoughts);
    }
    scan::scan(answer, keys)
}

/// The value of a text that is JSON escaped as in a string, but without the surrounding quotes: `{\"a\": 1}`.
fn unescaped(text: &str) -> Option<Value> {
    let text = text.trim_matches(is_blank);
    if !text.starts_with(['{', '[']) || !text.trim_start_matches(['{', '[', ' ']).starts_with("\\\"") {
        return None;
    }
    // An unescaped quote would end the string.
    let inner: String = serde_json::from_str(&format!("\"{text}\"")).ok()?;
    strict(&inner)
}

#[cfg(test)]
mod tests;
