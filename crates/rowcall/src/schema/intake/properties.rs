//! Finds properties of an object where JSON Schema does not look for them, and properties that are required under another name.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::COMMENTS;
use super::effect::restricts;
use crate::schema::JsonType;
use crate::schema::part::constrains;
use crate::schema::subschemas::Subschemas;

/// The names that stand beside `"type": "object"` though they describe its properties, if all that is said of it is of that kind: a
/// keyword of a vendor's own has no schema as its value.
pub(super) fn bare(keywords: &Map<String, Value>) -> Option<Vec<&String>> {
    if keywords.get("type").is_none_or(|name| name != "object") {
        return None;
    }
    let says_more = |name: &String| constrains(name) && !matches!(name.as_str(), "type" | "required");
    if keywords.keys().any(says_more) {
        return None;
    }
    let described = |(name, value): &(&String, &Value)| {
        let is_own = name.starts_with("x-") || name.starts_with(['_', '$']);
        !is_own && !COMMENTS.contains(&name.as_str()) && !constrains(name) && describes(value)
    };
    let names: Vec<&String> = keywords.iter().filter(described).map(|(name, _)| name).collect();
    (!names.is_empty()).then_some(names)
}

/// Whether `value` describes a property: it has a type of JSON Schema, or one of the keywords that stand for one.
pub(super) fn describes(value: &Value) -> bool {
    let is_type = |value: &Value| value.as_str().is_some_and(|name| JsonType::named(name).is_some());
    let has_type = value.get("type").is_some_and(|named| {
        is_type(named) || named.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_type))
    });
    has_type
        || ["properties", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"]
            .into_iter()
            .any(|keyword| value.get(keyword).is_some())
            && restricts(value)
}

/// The names of all properties that the document describes.
pub(super) fn names<'s>(schemas: &Subschemas<'s>) -> HashSet<&'s str> {
    let properties = schemas.all().iter().filter_map(|each| each.schema.get("properties")?.as_object());
    properties.flat_map(Map::keys).map(String::as_str).collect()
}

/// A property that is required and stands nowhere in the document, and the one that was meant: the only one here that is nearly called
/// so and is not required itself.
pub(super) fn misnamed<'s>(
    keywords: &'s Map<String, Value>,
    named: &HashSet<&str>,
) -> Option<(&'s str, &'s str)> {
    let properties = keywords.get("properties")?.as_object()?;
    let required: Vec<&str> =
        keywords.get("required")?.as_array()?.iter().filter_map(Value::as_str).collect();
    required.iter().filter(|name| !named.contains(*name)).find_map(|name| {
        let free = properties.keys().filter(|property| !required.contains(&property.as_str()));
        let mut near = free.filter(|property| is_near(name, property));
        match (near.next(), near.next()) {
            (Some(property), None) => Some((*name, property.as_str())),
            (_, _) => None,
        }
    })
}

/// Whether `name` differs from `property` only in style or by one typing error.
fn is_near(name: &str, property: &str) -> bool {
    const SHORTEST: usize = 3;
    let plain = |text: &str| text.replace(['_', '-', ' '], "").to_lowercase();
    let (name, property) = (plain(name), plain(property));
    name == property || name.chars().count() >= SHORTEST && strsim::damerau_levenshtein(&name, &property) <= 1
}
