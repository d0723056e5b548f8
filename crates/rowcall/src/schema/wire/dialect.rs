//! The subset of JSON Schema that each provider takes, as data. How a schema is brought into it is in `translation.rs`.

use serde_json::Value;

/// A provider's subset of JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's structured outputs with `strict: true`, which other servers have taken over.
    OpenAiStrict,
}

impl Dialect {
    pub(super) fn rules(self) -> &'static Rules {
        match self {
            Self::OpenAiStrict => &OPENAI_STRICT,
        }
    }
}

/// What a provider enforces, and how much of it.
#[derive(Debug)]
pub(super) struct Rules {
    /// Keywords that limit a value of a given type.
    keywords: &'static [&'static str],
    /// Values of `format`.
    formats: &'static [&'static str],
    pub(super) limits: Limits,
}

/// How large a schema a provider takes.
#[derive(Debug)]
pub(super) struct Limits {
    /// Properties of all objects together.
    pub(super) properties: usize,
    /// Objects within objects.
    pub(super) depth: usize,
    /// Characters of all property names, definition names and allowed values together.
    pub(super) characters: usize,
    /// Allowed values of all enums together.
    pub(super) members: usize,
    /// An enum of strings with more values than the first may have as many characters as the second.
    pub(super) long_enum: (usize, usize),
}

/// As OpenAI's guide to structured outputs lists it (February 2026).
const OPENAI_STRICT: Rules = Rules {
    keywords: &[
        "pattern",
        "format",
        "multipleOf",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "minItems",
        "maxItems",
    ],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    limits: Limits {
        properties: 5_000,
        depth: 10,
        characters: 120_000,
        members: 1_000,
        long_enum: (250, 15_000),
    },
};

impl Rules {
    /// Whether the provider holds the model to `keyword` with this value.
    pub(super) fn enforces(&self, keyword: &str, value: &Value) -> bool {
        self.keywords.contains(&keyword)
            && match (keyword, value) {
                ("format", Value::String(format)) => self.formats.contains(&format.as_str()),
                ("pattern", Value::String(pattern)) => is_regular(pattern),
                // Up to draft 4, `exclusiveMinimum` was a boolean.
                (_, value) => value.is_number(),
            }
    }
}

/// Whether a pattern can be compiled to a grammar: look-around and back-references cannot.
fn is_regular(pattern: &str) -> bool {
    let back_reference =
        |pair: (char, char)| pair.0 == '\\' && (pair.1.is_ascii_digit() && pair.1 != '0' || pair.1 == 'k');
    !["(?=", "(?!", "(?<"].iter().any(|group| pattern.contains(group))
        && !pattern.chars().zip(pattern.chars().skip(1)).any(back_reference)
}
