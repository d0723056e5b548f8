//! The subset of llama.cpp's grammars (builds from August 2026 on), and that of Ollama, which sorts properties.

use super::keyword::{Line, Rule, Together};
use super::{
    Anything, Bounds, Compounds, Limits, Maps, Members, Optional, Recursion, RootNames, RootReferences,
    Rules, SeveralTypes, Tuples,
};
use crate::schema::wire::names::Naming;

/// The source of the lines.
const MEASURED: &str = "llama.cpp 0.6.0-dev of October 2026 and b10361 (August), measured; docs/engines.md";

/// The engine ignores limits of numbers that are not integers, and all formats but four. Older builds fail on 2,000 repetitions, and take
/// an empty schema for an object.
pub(super) const RULES: Rules = Rules {
    optional: Optional::Nullable,
    maps: Maps::Closed,
    tuples: Tuples::Exact,
    anything: Anything::Text,
    several_types: SeveralTypes::ScalarsListed,
    members: Members::Typed,
    compounds: Compounds::Alternatives,
    recursion: Recursion::Allowed,
    root_references: RootReferences::Definition,
    root_names: RootNames::Any,
    definitions: &["$defs"],
    ordering: None,
    naming: Naming::Filled,
    keywords: &[
        Line::new("pattern", Rule::Rewrite, MEASURED),
        Line::new("minLength", Rule::UpTo(1_000), MEASURED),
        Line::new("maxLength", Rule::UpTo(1_000), MEASURED),
        Line::new("format", Rule::Milliseconds(&["date", "time", "date-time", "uuid"]), MEASURED),
        Line::new("minimum", Rule::Integers, MEASURED),
        Line::new("maximum", Rule::Integers, MEASURED),
        Line::new("exclusiveMinimum", Rule::Integers, MEASURED),
        Line::new("exclusiveMaximum", Rule::Integers, MEASURED),
        Line::new("minItems", Rule::UpTo(1_000), MEASURED),
        Line::new("maxItems", Rule::UpTo(1_000), MEASURED),
    ],
    together: Together::One,
    bounds: Bounds { integer: None, digits: Some(16), items: Some(1_000) },
    limits: Limits { depth: 60, ..Limits::NONE },
};

/// From Ollama's source of 21 August 2026: the schema passes through a Go map, which is serialised with sorted keys.
pub(super) const OLLAMA: Rules = Rules { naming: Naming::Numbered, ..RULES };
