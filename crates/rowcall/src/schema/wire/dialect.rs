//! The subset of JSON Schema that each provider or engine accepts, as data: one file each under `dialect/`. `translation.rs` translates
//! a schema into it.

mod anthropic;
mod gemini;
mod keyword;
mod llama_cpp;
mod observed;
mod openai;
mod xgrammar;

pub(super) use keyword::{ESCAPES, Line, Sent, Together, count};
pub(super) use observed::{applied, line};

use super::names::Naming;
use crate::error::{Problem, did_you_mean};

/// A provider's or an engine's subset of JSON Schema, or the unchanged schema if the server does not enforce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's structured outputs and tools with `strict: true`, which other servers have adopted.
    OpenAiStrict,
    /// Anthropic's `output_config.format` and strict tools.
    Anthropic,
    /// Gemini's `responseJsonSchema` and `parametersJsonSchema`.
    Gemini,
    /// xgrammar, with llguidance behind it: vLLM.
    Xgrammar,
    /// xgrammar alone, which rejects more schemas: SGLang.
    Sglang,
    /// llama.cpp's grammars, builds from August 2026 on: llama.cpp, LM Studio.
    LlamaCpp,
    /// The same behind a server that sorts properties by name: Ollama.
    Ollama,
    /// What every constrained decoder accepts: types, properties, items, references and values, but no limits. It replaces a dialect that a
    /// server rejects.
    Plain,
    /// The user's schema unchanged, for answers that must be objects: tools that are not strict, and JSON modes, in which
    /// the schema is only in the prompt. A root that a tool cannot have is wrapped in an object.
    Object,
    /// The user's schema exactly as given, for the prompt.
    Text,
    /// A schema exactly as given, which the server should enforce. It is used to find out what a server supports.
    Verbatim,
}

/// What happens to the user's schema.
#[derive(Debug)]
pub(super) enum Treatment {
    /// It is sent as given.
    Given,
    /// The same, but its root must be an object.
    GivenAsObject,
    /// It is translated into a subset.
    Translated(&'static Rules),
}

impl Dialect {
    /// The dialects that a user may name.
    pub const NAMED: [Self; 8] = [
        Self::OpenAiStrict,
        Self::Anthropic,
        Self::Gemini,
        Self::Xgrammar,
        Self::Sglang,
        Self::LlamaCpp,
        Self::Ollama,
        Self::Plain,
    ];

    /// The name as typed on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiStrict => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Xgrammar => "xgrammar",
            Self::Sglang => "sglang",
            Self::LlamaCpp => "llama_cpp",
            Self::Ollama => "ollama",
            Self::Plain => "plain",
            Self::Object => "object",
            Self::Text => "text",
            Self::Verbatim => "verbatim",
        }
    }

    /// The dialect with this name; `-` and `.` count as `_`.
    ///
    /// # Errors
    /// An unknown name; the hint suggests the nearest one.
    pub fn named(name: &str) -> Result<Self, Problem> {
        let plain = name.to_ascii_lowercase().replace(['-', '.'], "_");
        Self::NAMED.into_iter().find(|dialect| dialect.name() == plain).ok_or_else(|| {
            let known = Self::NAMED.map(Self::name);
            let problem = Problem::new(format!("unknown dialect `{name}` (known: {})", known.join(", ")));
            match did_you_mean(&plain, known) {
                Some(near) => problem.hint(near),
                None => problem,
            }
        })
    }

    /// The limiting keywords that are sent, each with how it is sent and the source of that rule. All others are described to the
    /// model.
    pub fn keywords(self) -> Vec<(&'static str, String, &'static str)> {
        match self.treatment() {
            Treatment::Given | Treatment::GivenAsObject => Vec::new(),
            Treatment::Translated(rules) => {
                rules.keywords.iter().map(|line| (line.keyword, line.rule.phrase(), line.source)).collect()
            }
        }
    }

    /// Whether the server enforces the schema.
    pub fn is_enforced(self) -> bool {
        match self {
            Self::OpenAiStrict
            | Self::Anthropic
            | Self::Gemini
            | Self::Xgrammar
            | Self::Sglang
            | Self::LlamaCpp
            | Self::Ollama
            | Self::Plain
            | Self::Verbatim => true,
            Self::Object | Self::Text => false,
        }
    }

    /// Whether it belongs to a constrained decoder; servers with the same protocol may use different ones.
    pub fn is_engines(self) -> bool {
        match self {
            Self::Xgrammar | Self::Sglang | Self::LlamaCpp | Self::Ollama => true,
            Self::OpenAiStrict
            | Self::Anthropic
            | Self::Gemini
            | Self::Plain
            | Self::Object
            | Self::Text
            | Self::Verbatim => false,
        }
    }

    pub(super) fn treatment(self) -> Treatment {
        match self {
            Self::OpenAiStrict => Treatment::Translated(&openai::STRICT),
            Self::Anthropic => Treatment::Translated(&anthropic::RULES),
            Self::Gemini => Treatment::Translated(&gemini::RULES),
            Self::Xgrammar => Treatment::Translated(&xgrammar::VLLM),
            Self::Sglang => Treatment::Translated(&xgrammar::SGLANG),
            Self::LlamaCpp => Treatment::Translated(&llama_cpp::RULES),
            Self::Ollama => Treatment::Translated(&llama_cpp::OLLAMA),
            Self::Plain => Treatment::Translated(&openai::PLAIN),
            Self::Object => Treatment::GivenAsObject,
            Self::Text | Self::Verbatim => Treatment::Given,
        }
    }
}

/// What a provider enforces, how each construct is written, and the limits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) optional: Optional,
    pub(super) maps: Maps,
    pub(super) tuples: Tuples,
    pub(super) anything: Anything,
    pub(super) several_types: SeveralTypes,
    pub(super) members: Members,
    pub(super) compounds: Compounds,
    pub(super) recursion: Recursion,
    pub(super) root_references: RootReferences,
    pub(super) root_names: RootNames,
    /// The keywords that may contain definitions; generated ones go under `$defs`.
    pub(super) definitions: &'static [&'static str],
    /// The keyword that lists the properties of an object in order, if there is one.
    pub(super) ordering: Option<&'static str>,
    pub(super) naming: Naming,
    /// Keywords that limit a value of a given type, with how each is sent. Other keywords are described.
    pub(super) keywords: &'static [Line],
    /// Which limits of a string can be combined.
    pub(super) together: Together,
    /// Bounds for what the user's schema does not limit.
    pub(super) bounds: Bounds,
    pub(super) limits: Limits,
}

/// How a property that may be absent is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Optional {
    /// It is still required, and null means that it is absent.
    Nullable,
    /// It is not required.
    Absent,
}

/// How an object with properties of any name is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Maps {
    /// As a list of keys and values; all objects are closed.
    Entries,
    /// With `additionalProperties`. Objects that are open in the user's schema stay open.
    Native,
    /// With `additionalProperties`. An object with named properties is closed unless it describes others. With a condition on names, as a
    /// list of keys and values.
    Closed,
    /// The same, but names that must match one pattern are written with `patternProperties`.
    ClosedOrMatching,
}

/// How a schema is written that accepts any value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anything {
    /// As JSON text in a string.
    Text,
    /// As an empty schema.
    Native,
}

/// How a schema is written that accepts only a few values, including objects or lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compounds {
    /// As JSON text in a string.
    Text,
    /// As a closed object or list for each value.
    Alternatives,
}

/// How references to the root are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootReferences {
    /// As `#`, where the user's schema does so.
    Hash,
    /// Only through a definition.
    Definition,
}

/// Bounds for what the user's schema does not limit, since an engine would let a model continue forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The largest absolute value of an integer; `None` if the engine itself has a bound.
    pub(super) integer: Option<i64>,
    /// The most digits of an integer that the engine allows, if it has a bound.
    pub(super) digits: Option<usize>,
    /// The most items of a list, whatever the output limit is; `None` for no bound.
    pub(super) items: Option<u64>,
}

impl Bounds {
    pub(super) const NONE: Self = Self { integer: None, digits: None, items: None };
}

/// How a list is written whose items have different schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tuples {
    /// As an object.
    Object,
    /// With `prefixItems`.
    Native,
    /// With `prefixItems` if the list has exactly that number of items, otherwise as an object.
    Exact,
}

/// How a schema is written that accepts several types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeveralTypes {
    /// With a list under `type`.
    Listed,
    /// With a list under `type` if all are scalars, otherwise as alternatives of one type each.
    ScalarsListed,
    /// As alternatives of one type each; only a nullable scalar has a list.
    Apart,
}

/// How a schema is written that accepts only a few values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Any scalars with their types.
    Typed,
    /// The same, but numbers only if they fit a 64-bit float: the engine rounds others to the nearest float.
    TypedFloats,
    /// Any scalars, without `type` if that would be a list.
    Untyped,
    /// Strings and numbers, a constant as an `enum` with one value; anything else by its type.
    StringsAndNumbers,
}

/// Whether a schema may contain itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    Allowed,
    /// Only through a property that is not required.
    ThroughOptional,
    Refused,
}

/// The allowed names of the properties of the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootNames {
    /// Anything.
    Any,
    /// 1 to 64 ASCII letters, digits, dots, hyphens and underscores.
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

/// The size limits of a provider for a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    /// Properties of all objects together.
    pub(super) properties: usize,
    /// The nesting depth of objects.
    pub(super) depth: usize,
    /// Characters of all property names, definition names and allowed values together.
    pub(super) characters: usize,
    /// Allowed values of all enums together.
    pub(super) members: usize,
    /// An enum of strings with more values than the first may have as many characters as the second.
    pub(super) long_enum: (usize, usize),
    /// Properties that are not required, of all objects together.
    pub(super) optional: usize,
    /// Schemas with alternatives or a list of types.
    pub(super) unions: usize,
}

impl Limits {
    /// For a provider that has not published any.
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
