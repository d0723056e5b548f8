//! The subset of JSON Schema that each provider takes, as data. How a schema is brought into it is in `translation.rs`.

use serde_json::Value;

/// A provider's subset of JSON Schema, or the user's schema as it is where none is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's structured outputs and tools with `strict: true`, which other servers have taken over.
    OpenAiStrict,
    /// Anthropic's `output_config.format` and strict tools.
    Anthropic,
    /// Gemini's `responseJsonSchema` and `parametersJsonSchema`.
    Gemini,
    /// The user's schema as it is, for answers that must be objects: tools that are not strict, and JSON modes, in which
    /// the schema only stands in the prompt. What a tool cannot have at its root is put into an object.
    Object,
    /// The user's schema exactly as it is, for the prompt.
    Text,
}

/// What becomes of the user's schema.
#[derive(Debug)]
pub(super) enum Treatment {
    /// It goes out as it was given.
    Given,
    /// The same, but its root must be an object.
    GivenAsObject,
    /// It is brought into a subset.
    Translated(&'static Rules),
}

impl Dialect {
    pub(super) fn treatment(self) -> Treatment {
        match self {
            Self::OpenAiStrict => Treatment::Translated(&OPENAI_STRICT),
            Self::Anthropic => Treatment::Translated(&ANTHROPIC),
            Self::Gemini => Treatment::Translated(&GEMINI),
            Self::Object => Treatment::GivenAsObject,
            Self::Text => Treatment::Given,
        }
    }
}

/// What a provider enforces, how it is written, and how much of it.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) optional: Optional,
    pub(super) maps: Maps,
    pub(super) tuples: Tuples,
    pub(super) several_types: SeveralTypes,
    pub(super) members: Members,
    pub(super) recursion: Recursion,
    pub(super) root_names: RootNames,
    /// The keywords that may hold definitions; those of our own making go under `$defs`.
    pub(super) definitions: &'static [&'static str],
    /// The keyword that lists the properties of an object in order, if there is one.
    pub(super) ordering: Option<&'static str>,
    /// Keywords that limit a value of a given type.
    keywords: &'static [&'static str],
    /// Values of `format`.
    formats: &'static [&'static str],
    /// The largest value of `minItems`.
    largest_min_items: u64,
    pub(super) limits: Limits,
}

/// How a property that may be absent is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Optional {
    /// It is required all the same, and null stands for its absence.
    Nullable,
    /// It is not required.
    Absent,
}

/// How an object with properties of any name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maps {
    /// As a list of keys and values; all objects are closed.
    Entries,
    /// With `additionalProperties`.
    Native,
}

/// How a list is written in which each item has a schema of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tuples {
    /// As an object.
    Object,
    /// With `prefixItems`.
    Native,
}

/// How a place is written that takes values of several types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeveralTypes {
    /// With a list under `type`.
    Listed,
    /// As alternatives of one type each; only a scalar that may be null has a list.
    Apart,
}

/// How a place is written that takes a few values only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Any scalars with their types.
    Typed,
    /// Any scalars, without `type` if that would be a list.
    Untyped,
    /// Strings and numbers, a constant as an `enum` of one; anything else by its type.
    StringsAndNumbers,
}

/// Whether a schema may contain itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    Allowed,
    /// Only by way of a property that is not required.
    ThroughOptional,
    Refused,
}

/// What the properties of the root may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootNames {
    /// Anything.
    Any,
    /// 1 to 64 letters, digits, dots, hyphens and low lines of ASCII.
    Plain,
}

impl RootNames {
    pub(super) fn allow(self, name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        match self {
            Self::Any => true,
            Self::Plain => (1..=64).contains(&name.len()) && name.bytes().all(plain),
        }
    }
}

/// How large a schema a provider takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Properties that are not required, of all objects together.
    pub(super) optional: usize,
    /// Places with alternatives or a list of types.
    pub(super) unions: usize,
}

impl Limits {
    /// For a provider that has published none.
    pub(super) const NONE: Self = Self {
        properties: usize::MAX,
        depth: usize::MAX,
        characters: usize::MAX,
        members: usize::MAX,
        long_enum: (usize::MAX, usize::MAX),
        optional: usize::MAX,
        unions: usize::MAX,
    };
}

/// As OpenAI's guide to structured outputs lists it (February 2026).
const OPENAI_STRICT: Rules = Rules {
    optional: Optional::Nullable,
    maps: Maps::Entries,
    tuples: Tuples::Object,
    several_types: SeveralTypes::Listed,
    members: Members::Typed,
    recursion: Recursion::Allowed,
    root_names: RootNames::Any,
    definitions: &["$defs", "definitions"],
    ordering: None,
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
    largest_min_items: u64::MAX,
    limits: Limits {
        properties: 5_000,
        depth: 10,
        characters: 120_000,
        members: 1_000,
        long_enum: (250, 15_000),
        ..Limits::NONE
    },
};

/// As Anthropic's documentation of structured outputs lists it and its official SDK writes it (early 2026). The limits
/// are for a whole request, which has no other schema than this one. Names of a tool's parameters are refused with a
/// message that shows the pattern they must match.
const ANTHROPIC: Rules = Rules {
    optional: Optional::Absent,
    maps: Maps::Entries,
    tuples: Tuples::Object,
    several_types: SeveralTypes::Listed,
    members: Members::Untyped,
    recursion: Recursion::Refused,
    root_names: RootNames::Plain,
    definitions: &["$defs"],
    ordering: None,
    keywords: &["format", "minItems"],
    formats: &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"],
    largest_min_items: 1,
    limits: Limits { optional: 24, unions: 16, ..Limits::NONE },
};

/// As Google's reference of `responseJsonSchema` and its guide to structured output list it (2026). No limits are
/// published. Nullable objects and lists are refused with a list under `type`.
const GEMINI: Rules = Rules {
    optional: Optional::Absent,
    maps: Maps::Native,
    tuples: Tuples::Native,
    several_types: SeveralTypes::Apart,
    members: Members::StringsAndNumbers,
    recursion: Recursion::ThroughOptional,
    root_names: RootNames::Any,
    definitions: &["$defs"],
    ordering: Some("propertyOrdering"),
    keywords: &["format", "minimum", "maximum", "minItems", "maxItems"],
    formats: &["date-time", "date", "time"],
    largest_min_items: u64::MAX,
    limits: Limits::NONE,
};

impl Rules {
    /// Whether the provider holds the model to `keyword` with this value.
    pub(super) fn enforces(&self, keyword: &str, value: &Value) -> bool {
        self.keywords.contains(&keyword)
            && match (keyword, value) {
                ("format", Value::String(format)) => self.formats.contains(&format.as_str()),
                ("pattern", Value::String(pattern)) => is_regular(pattern),
                ("minItems", value) => {
                    value.as_f64().is_some_and(|least| least <= self.largest_min_items as f64)
                }
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
