//! xgrammar's subset: for vLLM, which falls back to llguidance, and for SGLang, which does not.

use super::keyword::{Line, Rule, Together};
use super::{
    Anything, Bounds, Compounds, Limits, Maps, Members, Optional, Recursion, RootNames, RootReferences,
    Rules, SeveralTypes, Tuples,
};
use crate::schema::wire::names::Naming;

/// The source of the lines that do not name another one.
const MEASURED: &str = "xgrammar 0.2.9 and llguidance 1.9.1, measured; docs/engines.md";

/// llguidance reads the number 9007199254740993 of an `enum` as 9007199254740992, xgrammar 12345678901234567890 as 1.2345678901234567e+19.
/// Integers and lists are bounded since both engines let a model continue them forever. llguidance 1.9.1 rejects a schema of more than a
/// hundred levels.
pub(super) const VLLM: Rules = Rules {
    optional: Optional::Nullable,
    maps: Maps::ClosedOrMatching,
    tuples: Tuples::Exact,
    anything: Anything::Native,
    several_types: SeveralTypes::ScalarsListed,
    members: Members::TypedFloats,
    compounds: Compounds::Alternatives,
    recursion: Recursion::Allowed,
    root_references: RootReferences::Definition,
    root_names: RootNames::Any,
    definitions: &["$defs"],
    ordering: None,
    naming: Naming::Kept,
    keywords: &[
        Line::new("pattern", Rule::Rewrite, MEASURED),
        Line::new("minLength", Rule::Short(64), MEASURED),
        Line::new("maxLength", Rule::Short(64), MEASURED),
        Line::new("format", Rule::Forms(FORMATS), MEASURED),
        Line::new("minimum", Rule::Decimals(2), MEASURED),
        Line::new("maximum", Rule::Decimals(2), MEASURED),
        Line::new("exclusiveMinimum", Rule::Decimals(2), MEASURED),
        Line::new("exclusiveMaximum", Rule::Decimals(2), MEASURED),
        Line::new(
            "multipleOf",
            Rule::Integers,
            "vLLM hands the schema to llguidance 1.9.1, measured; docs/engines.md",
        ),
        Line::new("minItems", Rule::Keep, MEASURED),
        Line::new("maxItems", Rule::Keep, MEASURED),
    ],
    together: Together::One,
    bounds: Bounds { integer: Some(9_000_000_000_000_000_000), digits: None, items: Some(u64::MAX) },
    limits: Limits { depth: 60, ..Limits::NONE },
};

const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// SGLang does not fall back to another engine when its check for xgrammar fails.
pub(super) const SGLANG: Rules = Rules {
    keywords: &[
        Line::new("pattern", Rule::Rewrite, MEASURED),
        Line::new("minLength", Rule::Short(64), MEASURED),
        Line::new("maxLength", Rule::Short(64), MEASURED),
        Line::new("format", Rule::Forms(FORMATS), MEASURED),
        Line::new("minimum", Rule::Decimals(2), MEASURED),
        Line::new("maximum", Rule::Decimals(2), MEASURED),
        Line::new("exclusiveMinimum", Rule::Decimals(2), MEASURED),
        Line::new("exclusiveMaximum", Rule::Decimals(2), MEASURED),
        Line::new("minItems", Rule::Keep, MEASURED),
        Line::new("maxItems", Rule::Keep, MEASURED),
    ],
    ..VLLM
};
