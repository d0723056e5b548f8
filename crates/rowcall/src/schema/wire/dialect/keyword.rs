//! How a keyword that limits a value is sent: unchanged, rewritten, or only described to the model. These are
//! the lines of a dialect's table.

use serde_json::Value;

use crate::number;
use crate::schema::json_type::JsonTypes;
use crate::schema::wire::Effect;

/// A keyword in a dialect.
#[derive(Debug)]
pub(in crate::schema::wire) struct Line {
    pub(in crate::schema::wire) keyword: &'static str,
    pub(in crate::schema::wire) rule: Rule,
    /// The documentation or measurement that the rule is from, with the version.
    pub(in crate::schema::wire) source: &'static str,
}

/// How a keyword is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema::wire) enum Rule {
    /// It is sent unchanged.
    Keep,
    /// It is sent up to this value, and described beyond.
    UpTo(u64),
    /// It is sent if it has one of these values.
    Among(&'static [&'static str]),
    /// The same, for engines that check the form of a format's values, but not everything that makes them valid.
    Forms(&'static [&'static str]),
    /// The same. Formats with a time of day are sent although the engine allows only three decimals of a second, or none.
    Milliseconds(&'static [&'static str]),
    /// A limit of a number, which is sent for integers only.
    Integers,
    /// A limit of a number. For numbers that are not integers, it is sent if it has at most this number of decimals; the engine then
    /// allows six.
    Decimals(usize),
    /// A limit of a string's length. It is sent if the string may have at most this number of characters; the engine then allows no
    /// character that JSON escapes.
    Short(u64),
    /// A pattern, which is sent unchanged if a grammar supports it.
    Grammar,
    /// A pattern, which is rewritten to match the whole text.
    Rewrite,
    /// It is sent if it is true.
    Flag,
}

impl Rule {
    /// The rule in words, for documentation.
    pub(in crate::schema::wire) fn phrase(self) -> String {
        match self {
            Self::Keep | Self::Flag => "kept".to_owned(),
            Self::UpTo(most) => format!("kept up to {most}, else described"),
            Self::Among(values) | Self::Forms(values) => {
                format!("kept for {}, else described", values.join(", "))
            }
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

    /// Whether the rule sends such a value, rather than describing it because the engine does not know it.
    pub(in crate::schema::wire) fn covers(self, value: &Value, types: JsonTypes) -> bool {
        match self {
            Self::Integers => !types.overlaps(JsonTypes::FRACTION),
            Self::Among(known) | Self::Forms(known) | Self::Milliseconds(known) => {
                known.iter().any(|known| value == known)
            }
            Self::Keep
            | Self::UpTo(_)
            | Self::Decimals(_)
            | Self::Short(_)
            | Self::Grammar
            | Self::Rewrite
            | Self::Flag => true,
        }
    }
}

/// Which limits of a string an engine enforces together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema::wire) enum Together {
    /// All of them.
    All,
    /// One: the format if there is one, else the pattern, else the length. The others are described.
    One,
}

/// What is lost although a keyword is sent, each with what it means for answers.
pub(in crate::schema::wire) type Losses = &'static [(Effect, &'static str)];

/// How a keyword is sent.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::schema::wire) enum Sent {
    /// With this value.
    As(Value),
    /// With this value, but with losses.
    Losing(Value, Losses),
    /// It is not sent, only described.
    Described,
}

/// The loss of a pattern that excludes characters that JSON escapes.
pub(in crate::schema::wire) const ESCAPES: &str =
    "the engine allows no quotation mark, backslash or control character in a text with this limit";

const NO_ESCAPES: Losses = &[(Effect::Narrowed, ESCAPES)];

/// The loss of a limit of a number that is not an integer.
const DIGITS: Losses = &[(
    Effect::Narrowed,
    "the engine allows six decimals at most and no exponent in a number with this limit",
)];

const DAYS: (Effect, &str) =
    (Effect::Checked, "the engine does not know how many days a month has; that is checked here");

const MILLISECONDS: (Effect, &str) =
    (Effect::Narrowed, "the engine allows no decimals of a second, or three");

/// What xgrammar 0.2.9 and llguidance 1.9.1 do not check in a format's values (measured; docs/engines.md).
fn of_form(format: &str) -> Losses {
    const SECONDS: (Effect, &str) =
        (Effect::Checked, "the engine allows second 60 in every minute; that is checked here");
    match format {
        "date" => &[DAYS],
        "time" => &[SECONDS],
        "date-time" => &[(
            Effect::Checked,
            "the engine does not know how many days a month has, and allows second 60 in every minute; that is checked here",
        )],
        "hostname" => &[(
            Effect::Checked,
            "the engine does not limit the parts of a name to 63 characters; that is checked here",
        )],
        "ipv4" => &[(Effect::Checked, "the engine allows zeros in front; that is checked here")],
        "ipv6" => &[(Effect::Narrowed, "the engine allows no address that ends as one of IPv4 does")],
        _ => &[],
    }
}

/// What llama.cpp 0.6.0-dev of October 2026 does not check in a format's values (measured; docs/engines.md).
fn with_milliseconds(format: &str) -> Losses {
    match format {
        "date" => &[DAYS],
        "time" => &[MILLISECONDS],
        "date-time" => &[DAYS, MILLISECONDS],
        _ => &[],
    }
}

/// How a format is sent, if it is one of `values`, with these losses.
fn format(value: &Value, values: &[&str], losses: fn(&str) -> Losses) -> Sent {
    match value.as_str() {
        Some(format) if values.contains(&format) => match losses(format) {
            [] => Sent::As(value.clone()),
            some => Sent::Losing(value.clone(), some),
        },
        Some(_) | None => Sent::Described,
    }
}

impl Line {
    pub(in crate::schema::wire) const fn new(
        keyword: &'static str,
        rule: Rule,
        source: &'static str,
    ) -> Self {
        Self { keyword, rule, source }
    }

    fn counted(&self, value: &Value) -> Option<Value> {
        let is_count = ["minLength", "maxLength", "minItems", "maxItems"].contains(&self.keyword);
        if is_count { count(value) } else { None }
    }

    /// How `value` is sent for values of `types`. `longest` is the maximum length of the string.
    pub(in crate::schema::wire) fn sent(
        &self,
        value: &Value,
        types: JsonTypes,
        longest: Option<u64>,
    ) -> Sent {
        let counted = self.counted(value);
        let value = counted.as_ref().unwrap_or(value);
        let when = |fits: bool| if fits { Sent::As(value.clone()) } else { Sent::Described };
        let only_integers = !types.overlaps(JsonTypes::FRACTION);
        match self.rule {
            // Up to draft 4, `exclusiveMinimum` was a boolean.
            Rule::Keep => when(value.is_number()),
            Rule::UpTo(most) => when(value.as_f64().is_some_and(|limit| limit <= most as f64)),
            Rule::Among(values) => when(value.as_str().is_some_and(|value| values.contains(&value))),
            Rule::Forms(values) => format(value, values, of_form),
            Rule::Milliseconds(values) => format(value, values, with_milliseconds),
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
                Some(longest) if longest <= most && value.is_number() => {
                    Sent::Losing(value.clone(), NO_ESCAPES)
                }
                Some(_) | None => Sent::Described,
            },
            Rule::Flag => when(value == &Value::Bool(true)),
            Rule::Grammar => when(value.as_str().is_some_and(is_regular)),
            Rule::Rewrite => match value.as_str().and_then(super::super::pattern::rewritten) {
                Some(found) if found.is_narrower => Sent::Losing(Value::String(found.pattern), NO_ESCAPES),
                Some(found) => Sent::As(Value::String(found.pattern)),
                None => Sent::Described,
            },
        }
    }
}

/// Converts a count that is written as `3.0` to an integer. JSON Schema allows both, but engines reject or ignore the first.
pub(in crate::schema::wire) fn count(value: &Value) -> Option<Value> {
    let count = value.as_f64().filter(|count| count.fract() == 0.0 && (0.0..9e15).contains(count))?;
    (!value.is_u64()).then(|| Value::from(count as u64))
}

/// Integers from this value on are not respelled: an engine that parses floats would round them.
const MOST_EXACT: u64 = 9_000_000_000_000_000;

/// How a limit of an integer is sent. Engines expect an integer.
fn integral(keyword: &str, value: &Value) -> Sent {
    if !value.is_number() {
        return Sent::Described;
    }
    if value.is_i64() {
        return Sent::As(value.clone());
    }
    let whole = value.as_number().and_then(number::whole).and_then(|digits| digits.parse::<i64>().ok());
    match whole {
        Some(limit) if limit.unsigned_abs() < MOST_EXACT && keyword != "multipleOf" => {
            Sent::As(Value::from(limit))
        }
        Some(_) | None => Sent::Described,
    }
}

/// The number of decimals as written; `None` if it has an exponent or more than 15 characters.
fn decimals(value: &Value) -> Option<usize> {
    let text = value.to_string();
    if text.contains(['e', 'E']) || text.len() > 15 {
        return None;
    }
    Some(text.split_once('.').map_or(0, |(_, decimals)| decimals.trim_end_matches('0').len()))
}

/// Whether a pattern can be compiled to a grammar, which excludes look-around and back-references.
fn is_regular(pattern: &str) -> bool {
    let back_reference =
        |pair: (char, char)| pair.0 == '\\' && (pair.1.is_ascii_digit() && pair.1 != '0' || pair.1 == 'k');
    !["(?=", "(?!", "(?<"].iter().any(|group| pattern.contains(group))
        && !pattern.chars().zip(pattern.chars().skip(1)).any(back_reference)
}
