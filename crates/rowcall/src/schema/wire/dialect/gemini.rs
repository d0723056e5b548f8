//! Gemini's subset.

use super::keyword::{Line, Rule, Together};
use super::{
    Anything, Bounds, Compounds, Limits, Maps, Members, Optional, Recursion, RootNames, RootReferences,
    Rules, SeveralTypes, Tuples,
};
use crate::schema::wire::names::Naming;

/// The source of the list of keywords.
const DOCS: &str = "Google, reference of `responseJsonSchema` (2026)";

/// From Google's reference of `responseJsonSchema` and its guide to structured output (2026). No limits are published.
/// Nullable objects and lists are rejected if they have a list under `type`.
pub(super) const RULES: Rules = Rules {
    optional: Optional::Absent,
    maps: Maps::Native,
    tuples: Tuples::Native,
    anything: Anything::Text,
    several_types: SeveralTypes::Apart,
    members: Members::StringsAndNumbers,
    compounds: Compounds::Text,
    recursion: Recursion::ThroughOptional,
    root_references: RootReferences::Hash,
    root_names: RootNames::Any,
    definitions: &["$defs"],
    ordering: Some("propertyOrdering"),
    naming: Naming::Kept,
    keywords: &[
        Line::new("format", Rule::Among(&["date-time", "date", "time"]), DOCS),
        Line::new("minimum", Rule::Keep, DOCS),
        Line::new("maximum", Rule::Keep, DOCS),
        Line::new("minItems", Rule::Keep, DOCS),
        Line::new("maxItems", Rule::Keep, DOCS),
    ],
    together: Together::All,
    bounds: Bounds::NONE,
    limits: Limits::NONE,
};
