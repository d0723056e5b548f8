//! Adjusts a dialect to what was observed about a server: keywords that are sent although its table lacks them, keywords that are only
//! described although its table has them, and forms that are used or avoided.

use serde_json::Value;

use super::keyword::{Line, Rule};
use super::{Anything, Maps, Optional, Recursion, Rules, Tuples};
use crate::schema::json_type::JsonTypes;
use crate::schema::observed::{FORMATS, Feature, Finding, Observed};
use crate::schema::wire::names::Naming;

const SEEN: &str = "observed of the server that is asked";

/// How keywords are sent to a server that enforces them although its dialect lacks them.
const LINES: [Line; 12] = [
    Line::new("pattern", Rule::Rewrite, SEEN),
    Line::new("minLength", Rule::UpTo(1_000), SEEN),
    Line::new("maxLength", Rule::UpTo(1_000), SEEN),
    Line::new("format", Rule::Among(&FORMATS), SEEN),
    Line::new("minimum", Rule::Keep, SEEN),
    Line::new("maximum", Rule::Keep, SEEN),
    Line::new("exclusiveMinimum", Rule::Keep, SEEN),
    Line::new("exclusiveMaximum", Rule::Keep, SEEN),
    Line::new("multipleOf", Rule::Integers, SEEN),
    Line::new("minItems", Rule::UpTo(1_000), SEEN),
    Line::new("maxItems", Rule::UpTo(1_000), SEEN),
    Line::new("uniqueItems", Rule::Flag, SEEN),
];

/// The line that determines how `keyword` with this value is sent for values of `types`, given a dialect's `rules` and what was observed;
/// `None` if it is described.
pub(in crate::schema::wire) fn line(
    rules: &Rules,
    observed: &Observed,
    keyword: &str,
    value: &Value,
    types: JsonTypes,
) -> Option<&'static Line> {
    let own = rules.keywords.iter().find(|line| line.keyword == keyword);
    let Some(feature) = feature(keyword, value, types) else { return own };
    match observed.finding(feature) {
        Finding::Unknown => own,
        Finding::Ignored | Finding::Refused => None,
        // The dialect's own line is more specific than the fact that the keyword is enforced.
        Finding::Enforced => own
            .filter(|line| line.rule.covers(value, types))
            .or_else(|| LINES.iter().find(|line| line.keyword == keyword)),
    }
}

/// The feature that `keyword` with this value belongs to, for values of `types`.
fn feature(keyword: &str, value: &Value, types: JsonTypes) -> Option<Feature> {
    let only_integers = !types.overlaps(JsonTypes::FRACTION);
    match keyword {
        "pattern" => Some(Feature::Pattern),
        "minLength" | "maxLength" => Some(Feature::Length),
        "minimum" | "maximum" if only_integers => Some(Feature::Integers),
        "minimum" | "maximum" => Some(Feature::Numbers),
        "exclusiveMinimum" | "exclusiveMaximum" if only_integers => Some(Feature::ExclusiveIntegers),
        "exclusiveMinimum" | "exclusiveMaximum" => Some(Feature::ExclusiveNumbers),
        "multipleOf" if only_integers => Some(Feature::Multiples),
        "minItems" | "maxItems" => Some(Feature::Counts),
        "uniqueItems" => Some(Feature::Unique),
        "format" => FORMATS.into_iter().find(|known| value == known).map(Feature::Format),
        _ => None,
    }
}

/// The rules for a server with these observations.
pub(in crate::schema::wire) fn applied(rules: &Rules, observed: &Observed) -> Rules {
    let (mut applied, finding) = (*rules, |feature| observed.finding(feature));
    match finding(Feature::Map) {
        Finding::Enforced if rules.maps == Maps::Entries => applied.maps = Maps::Closed,
        Finding::Ignored | Finding::Refused => applied.maps = Maps::Entries,
        Finding::Enforced | Finding::Unknown => {}
    }
    match finding(Feature::Tuple) {
        Finding::Enforced if rules.tuples == Tuples::Object => applied.tuples = Tuples::Exact,
        Finding::Ignored | Finding::Refused => applied.tuples = Tuples::Object,
        Finding::Enforced | Finding::Unknown => {}
    }
    match finding(Feature::Recursion) {
        Finding::Enforced => applied.recursion = Recursion::Allowed,
        Finding::Refused => applied.recursion = Recursion::Refused,
        Finding::Ignored | Finding::Unknown => {}
    }
    match finding(Feature::Optional) {
        Finding::Refused => applied.optional = Optional::Nullable,
        Finding::Enforced | Finding::Ignored | Finding::Unknown => {}
    }
    match finding(Feature::Anything) {
        Finding::Refused | Finding::Ignored => applied.anything = Anything::Text,
        Finding::Enforced | Finding::Unknown => {}
    }
    match finding(Feature::Order) {
        Finding::Ignored => applied.naming = Naming::Numbered,
        Finding::Enforced if rules.naming == Naming::Numbered => applied.naming = Naming::Filled,
        Finding::Enforced | Finding::Refused | Finding::Unknown => {}
    }
    applied
}
