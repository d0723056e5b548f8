//! What becomes of a keyword that limits a value: it is kept, rewritten, or described to the model. Lines of a dialect's table.

use serde_json::Value;

use crate::schema::json_type::JsonTypes;

/// A keyword in a dialect.
#[derive(Debug)]
pub(in crate::schema::wire) struct Line {
    pub(in crate::schema::wire) keyword: &'static str,
    pub(in crate::schema::wire) rule: Rule,
    /// Which version of what was read or measured, and where that is written down.
    pub(in crate::schema::wire) source: &'static str,
}

/// What becomes of a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema::wire) enum Rule {
    /// It is sent as it is.
    Keep,
    /// It is sent up to this value, and described beyond.
    UpTo(u64),
    /// It is sent if it has one of these values.
    Among(&'static [&'static str]),
    /// The same; what has a time of day is sent although the engine allows no other decimals of a second than three.
    Milliseconds(&'static [&'static str]),
    /// A limit of a number: it is sent for integers only.
    Integers,
    /// A limit of a number: for other numbers than integers, it is sent with this many decimals at most, and the engine then allows six.
    Decimals(usize),
    /// A limit of a string's length: it is sent if the string may have this many characters at most, and the engine then allows no
    /// character that JSON escapes.
    Short(u64),
    /// A pattern that a grammar takes: it is sent as it is.
    Grammar,
    /// A pattern: it is rewritten for the whole text.
    Rewrite,
}

impl Rule {
    /// It in words, for documentation.
    pub(in crate::schema::wire) fn phrase(self) -> String {
        match self {
            Self::Keep => "kept".to_owned(),
            Self::UpTo(most) => format!("kept up to {most}, else described"),
            Self::Among(values) => format!("kept for {}, else described", values.join(", ")),
            Self::Milliseconds(values) => {
                format!(
                    "kept for {} (seconds without decimals or with three), else described",
                    values.join(", ")
                )
            }
            Self::Integers => "kept for integers, else described".to_owned(),
            Self::Decimals(most) => {
                format!(
                    "kept for integers; for other numbers with {most} decimals at most (then six in an answer), else described"
                )
            }
            Self::Short(most) => format!("kept if the text has {most} characters at most, else described"),
            Self::Grammar => "kept without look-around and back-references, else described".to_owned(),
            Self::Rewrite => "rewritten for the whole text, else described".to_owned(),
        }
    }
}

/// Which limits of a string an engine enforces side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema::wire) enum Together {
    /// All of them.
    All,
    /// One: the format if there is one, else the pattern, else the length. The others are described.
    One,
}

/// How a keyword is sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema::wire) enum Sent {
    /// With this value.
    As(Value),
    /// With this value, and with a loss.
    Losing(Value, &'static str),
    /// Not at all: it is described.
    Described,
}

/// What is lost by a pattern that lets no character through that JSON escapes.
pub(in crate::schema::wire) const ESCAPES: &str =
    "the engine allows no quotation mark, backslash or control character in a text with this limit";

/// What is lost by a format with a time of day.
const MILLISECONDS: &str = "the engine allows no decimals of a second, or three";

/// What is lost by a limit of a number that is not an integer.
const DIGITS: &str = "the engine allows six decimals at most and no exponent in a number with this limit";

impl Line {
    pub(in crate::schema::wire) const fn new(
        keyword: &'static str,
        rule: Rule,
        source: &'static str,
    ) -> Self {
        Self { keyword, rule, source }
    }

    /// How `value` is sent for values of `types`. `longest` is the length that the string may have at most.
    pub(in crate::schema::wire) fn sent(
        &self,
        value: &Value,
        types: JsonTypes,
        longest: Option<u64>,
    ) -> Sent {
        let when = |fits: bool| if fits { Sent::As(value.clone()) } else { Sent::Described };
        let only_integers = !types.overlaps(JsonTypes::FRACTION);
        match self.rule {
            // Up to draft 4, `exclusiveMinimum` was a boolean.
            Rule::Keep => when(value.is_number()),
            Rule::UpTo(most) => when(value.as_f64().is_some_and(|limit| limit <= most as f64)),
            Rule::Among(values) => when(value.as_str().is_some_and(|value| values.contains(&value))),
            Rule::Milliseconds(values) => match value.as_str() {
                Some(format) if !values.contains(&format) => Sent::Described,
                Some("time" | "date-time") => Sent::Losing(value.clone(), MILLISECONDS),
                Some(_) => Sent::As(value.clone()),
                None => Sent::Described,
            },
            Rule::Integers => {
                if only_integers {
                    integral(self.keyword, value)
                } else {
                    Sent::Described
                }
            }
            Rule::Decimals(_) if only_integers => integral(self.keyword, value),
            Rule::Decimals(most) => {
                if value.is_number() && decimals(value).is_some_and(|decimals| decimals <= most) {
                    Sent::Losing(value.clone(), DIGITS)
                } else {
                    Sent::Described
                }
            }
            Rule::Short(most) => match longest {
                Some(longest) if longest <= most && value.is_number() => Sent::Losing(value.clone(), ESCAPES),
                Some(_) | None => Sent::Described,
            },
            Rule::Grammar => when(value.as_str().is_some_and(is_regular)),
            Rule::Rewrite => match value.as_str().and_then(super::super::pattern::rewritten) {
                Some(found) if found.is_narrower => Sent::Losing(Value::String(found.pattern), ESCAPES),
                Some(found) => Sent::As(Value::String(found.pattern)),
                None => Sent::Described,
            },
        }
    }
}

/// A limit of an integer, which engines want as an integer.
fn integral(keyword: &str, value: &Value) -> Sent {
    if !value.is_number() {
        return Sent::Described;
    }
    if value.is_i64() {
        return Sent::As(value.clone());
    }
    match value.as_f64() {
        Some(limit) if limit.fract() == 0.0 && limit.abs() < 9e15 && keyword != "multipleOf" => {
            Sent::As(Value::from(limit as i64))
        }
        Some(_) | None => Sent::Described,
    }
}

/// How many decimals a number is written with; `None` if it has an exponent.
fn decimals(value: &Value) -> Option<usize> {
    let text = value.to_string();
    if text.contains(['e', 'E']) || text.len() > 15 {
        return None;
    }
    Some(text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len()))
}

/// Whether a pattern can be compiled to a grammar: look-around and back-references cannot.
fn is_regular(pattern: &str) -> bool {
    let back_reference =
        |pair: (char, char)| pair.0 == '\\' && (pair.1.is_ascii_digit() && pair.1 != '0' || pair.1 == 'k');
    !["(?=", "(?!", "(?<"].iter().any(|group| pattern.contains(group))
        && !pattern.chars().zip(pattern.chars().skip(1)).any(back_reference)
}
