//! OpenAI's strict subset, and the part of it that every constrained decoder accepts.

use super::keyword::{Line, Rule, Together};
use super::{
    Anything, Bounds, Compounds, Limits, Maps, Members, Optional, Recursion, RootNames, RootReferences,
    Rules, SeveralTypes, Tuples,
};
use crate::schema::wire::names::Naming;

/// OpenAI's guide to structured outputs.
const GUIDE: &str = "OpenAI, guide to structured outputs, supported properties (February 2026)";

/// From OpenAI's guide to structured outputs (February 2026), which does not list `minLength` and `maxLength`.
pub(super) const STRICT: Rules = Rules {
    optional: Optional::Nullable,
    maps: Maps::Entries,
    tuples: Tuples::Object,
    anything: Anything::Text,
    several_types: SeveralTypes::Listed,
    members: Members::Typed,
    compounds: Compounds::Text,
    recursion: Recursion::Allowed,
    root_references: RootReferences::Hash,
    root_names: RootNames::Any,
    definitions: &["$defs", "definitions"],
    ordering: None,
    naming: Naming::Kept,
    keywords: &[
        Line::new("pattern", Rule::Grammar, GUIDE),
        Line::new("format", Rule::Among(FORMATS), GUIDE),
        Line::new("multipleOf", Rule::Keep, GUIDE),
        Line::new("minimum", Rule::Keep, GUIDE),
        Line::new("maximum", Rule::Keep, GUIDE),
        Line::new("exclusiveMinimum", Rule::Keep, GUIDE),
        Line::new("exclusiveMaximum", Rule::Keep, GUIDE),
        Line::new("minItems", Rule::Keep, GUIDE),
        Line::new("maxItems", Rule::Keep, GUIDE),
    ],
    together: Together::All,
    bounds: Bounds::NONE,
    limits: Limits {
        properties: 5_000,
        depth: 10,
        characters: 120_000,
        members: 1_000,
        long_enum: (250, 15_000),
        ..Limits::NONE
    },
};

const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// What every constrained decoder accepts, without keywords that limit a value. It is sent after a decoder has rejected more.
pub(super) const PLAIN: Rules = Rules {
    several_types: SeveralTypes::ScalarsListed,
    root_references: RootReferences::Definition,
    definitions: &["$defs"],
    keywords: &[],
    naming: Naming::Filled,
    limits: Limits { depth: usize::MAX, ..STRICT.limits },
    ..STRICT
};
