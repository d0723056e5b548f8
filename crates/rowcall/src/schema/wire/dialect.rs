//! The subset of JSON Schema that each provider or engine takes, as data: one file each under `dialect/`. How a schema is brought into it
//! is in `translation.rs`.

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

/// A provider's or an engine's subset of JSON Schema, or the user's schema as it is where none is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's structured outputs and tools with `strict: true`, which other servers have taken over.
    OpenAiStrict,
    /// Anthropic's `output_config.format` and strict tools.
    Anthropic,
    /// Gemini's `responseJsonSchema` and `parametersJsonSchema`.
    Gemini,
    /// xgrammar, with llguidance behind it: vLLM.
    Xgrammar,
    /// xgrammar alone, which refuses more: SGLang.
    Sglang,
    /// llama.cpp's grammars, builds from August 2026 on: llama.cpp, LM Studio.
    LlamaCpp,
    /// The same behind a server that sorts properties by name: Ollama.
    Ollama,
    /// What every constrained decoder takes: types, properties, items, references and values, and no limit. It takes the place of a
    /// dialect that a server refuses.
    Plain,
    /// The user's schema as it is, for answers that must be objects: tools that are not strict, and JSON modes, in which
    /// the schema only stands in the prompt. What a tool cannot have at its root is put into an object.
    Object,
    /// The user's schema exactly as it is, for the prompt.
    Text,
    /// A schema exactly as it is, for a server that is to hold the model to it: so a server is asked what it takes.
    Verbatim,
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
    /// Those that a user may name.
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

    /// The dialect of this name; `-` and `.` count as `_`.
    ///
    /// # Errors
    /// A name that is not known, with the nearest one.
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

    /// The keywords that limit a value and are sent, each with what becomes of it and where that was read or measured. All others are
    /// described to the model.
    pub fn keywords(self) -> Vec<(&'static str, String, &'static str)> {
        match self.treatment() {
            Treatment::Given | Treatment::GivenAsObject => Vec::new(),
            Treatment::Translated(rules) => {
                rules.keywords.iter().map(|line| (line.keyword, line.rule.phrase(), line.source)).collect()
            }
        }
    }

    /// Whether a server that is sent it holds the model to the schema.
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

    /// Whether it is a constrained decoder's, several of which are behind the same protocol.
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

/// What a provider enforces, how it is written, and how much of it.
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
    /// The keywords that may hold definitions; those of our own making go under `$defs`.
    pub(super) definitions: &'static [&'static str],
    /// The keyword that lists the properties of an object in order, if there is one.
    pub(super) ordering: Option<&'static str>,
    pub(super) naming: Naming,
    /// Keywords that limit a value of a given type, with what becomes of each. What is not listed is described.
    pub(super) keywords: &'static [Line],
    /// Which limits of a string may stand side by side.
    pub(super) together: Together,
    /// What is bounded although the user's schema leaves it open.
    pub(super) bounds: Bounds,
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
    /// With `additionalProperties`, and objects stay open that the user's schema leaves open.
    Native,
    /// With `additionalProperties`, and an object with named properties is closed unless it describes others. Where there is a condition
    /// on names, as a list of keys and values.
    Closed,
    /// The same, but names that must match one pattern are written with `patternProperties`.
    ClosedOrMatching,
}

/// How a place is written that takes any value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anything {
    /// As JSON text in a string.
    Text,
    /// As an empty schema.
    Native,
}

/// How a place is written that takes a few values only, objects or lists among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compounds {
    /// As JSON text in a string.
    Text,
    /// As a closed object or list for each.
    Alternatives,
}

/// How the root is referred to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RootReferences {
    /// As `#`, where the user does so.
    Hash,
    /// By a definition only.
    Definition,
}

/// What is bounded although the user's schema leaves it open, since an engine lets a model go on with it for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// The largest integer, and the smallest with its sign changed; `None` where the engine has a bound of its own.
    pub(super) integer: Option<i64>,
    /// The digits of an integer that the engine itself allows at most.
    pub(super) digits: Option<usize>,
    /// The most items of a list, whatever the output limit is; `None` for no bound.
    pub(super) items: Option<u64>,
}

impl Bounds {
    pub(super) const NONE: Self = Self { integer: None, digits: None, items: None };
}

/// How a list is written in which each item has a schema of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tuples {
    /// As an object.
    Object,
    /// With `prefixItems`.
    Native,
    /// With `prefixItems` if it has exactly as many items, else as an object.
    Exact,
}

/// How a place is written that takes values of several types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SeveralTypes {
    /// With a list under `type`.
    Listed,
    /// With a list under `type` where all are scalars, else as alternatives of one type each.
    ScalarsListed,
    /// As alternatives of one type each; only a scalar that may be null has a list.
    Apart,
}

/// How a place is written that takes a few values only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Members {
    /// Any scalars with their types.
    Typed,
    /// The same, but numbers only if a 64-bit float holds them: the engine takes others for the nearest float.
    TypedFloats,
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
