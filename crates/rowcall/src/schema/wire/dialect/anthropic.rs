//! Anthropic's subset.

use super::keyword::{Line, Rule, Together};
use super::{
    Anything, Bounds, Compounds, Limits, Maps, Members, Optional, Recursion, RootNames, RootReferences,
    Rules, SeveralTypes, Tuples,
};
use crate::schema::wire::names::Naming;

/// The source of the list of keywords.
const DOCS: &str =
    "Anthropic, structured outputs (early 2026), and its SDK for Python 2.12.0, which describes all others";

/// From Anthropic's documentation of structured outputs and its official SDK (early 2026). The limits are for a whole
/// request, which contains only this schema. Invalid names of a tool's parameters are rejected with a message that shows
/// the pattern they must match.
pub(super) const RULES: Rules = Rules {
    optional: Optional::Absent,
    maps: Maps::Entries,
    tuples: Tuples::Object,
    anything: Anything::Text,
    several_types: SeveralTypes::Listed,
    members: Members::Untyped,
    compounds: Compounds::Text,
    recursion: Recursion::Refused,
    root_references: RootReferences::Hash,
    root_names: RootNames::Plain,
    definitions: &["$defs"],
    ordering: None,
    naming: Naming::Kept,
    keywords: &[Line::new("format", Rule::Among(FORMATS), DOCS), Line::new("minItems", Rule::UpTo(1), DOCS)],
    together: Together::All,
    bounds: Bounds::NONE,
    limits: Limits { optional: 24, unions: 16, ..Limits::NONE },
};

const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
