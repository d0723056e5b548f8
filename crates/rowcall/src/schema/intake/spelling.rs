//! Finds misspelled keywords. A keyword that JSON Schema does not know restricts nothing, and vendors define thousands of them. So a
//! keyword counts as misspelled only if it is close to a known one that is absent and its value fits that one.

use serde_json::{Map, Value};

use super::properties::describes;

/// What a keyword's value must be.
#[derive(Debug, Clone, Copy)]
enum Takes {
    Type,
    Schema,
    Schemas,
    Named,
    Names,
    List,
    Number,
    Limit,
    Text,
    Format,
    Flag,
}

/// The keywords that restrict values.
const KEYWORDS: [(&str, Takes); 35] = [
    ("type", Takes::Type),
    ("enum", Takes::List),
    ("properties", Takes::Named),
    ("required", Takes::Names),
    ("items", Takes::Schema),
    ("prefixItems", Takes::Schemas),
    ("additionalProperties", Takes::Schema),
    ("additionalItems", Takes::Schema),
    ("patternProperties", Takes::Named),
    ("unevaluatedProperties", Takes::Schema),
    ("unevaluatedItems", Takes::Schema),
    ("propertyNames", Takes::Schema),
    ("contains", Takes::Schema),
    ("allOf", Takes::Schemas),
    ("anyOf", Takes::Schemas),
    ("oneOf", Takes::Schemas),
    ("$ref", Takes::Text),
    ("minLength", Takes::Number),
    ("maxLength", Takes::Number),
    ("minItems", Takes::Number),
    ("maxItems", Takes::Number),
    ("minProperties", Takes::Number),
    ("maxProperties", Takes::Number),
    ("minContains", Takes::Number),
    ("maxContains", Takes::Number),
    ("minimum", Takes::Number),
    ("maximum", Takes::Number),
    ("exclusiveMinimum", Takes::Limit),
    ("exclusiveMaximum", Takes::Limit),
    ("multipleOf", Takes::Number),
    ("pattern", Takes::Text),
    ("format", Takes::Format),
    ("uniqueItems", Takes::Flag),
    ("dependentRequired", Takes::Named),
    ("dependentSchemas", Takes::Named),
];

/// Keywords of older drafts, of OpenAPI and of tools that are near to one of these and mean something else.
const OTHERS: [&str; 4] = ["id", "dependencies", "definitions", "extends"];

/// What other notations call the properties of an object.
const PROPERTIES: [&str; 5] = ["property", "props", "fields", "attributes", "members"];

/// The formats of JSON Schema that are no words of everyday language beside `date` and `time`.
const FORMATS: [&str; 16] = [
    "date-time",
    "date",
    "time",
    "duration",
    "email",
    "idn-email",
    "hostname",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "uri",
    "uri-reference",
    "iri",
    "uuid",
    "json-pointer",
    "regex",
];

/// The first keyword with a slip, and the one that was meant.
pub(super) fn slip(keywords: &Map<String, Value>) -> Option<(&str, &'static str)> {
    keywords.iter().find_map(|(name, value)| {
        let is_known = KEYWORDS.iter().any(|(keyword, _)| keyword == name) || OTHERS.contains(&&**name);
        // A leading underscore disables a keyword on purpose.
        if is_known || name.starts_with("x-") || name.starts_with('_') {
            return None;
        }
        if PROPERTIES.contains(&&*name.to_lowercase())
            && !keywords.contains_key("properties")
            && value.as_object().is_some_and(|named| !named.is_empty() && named.values().all(describes))
        {
            return Some((name.as_str(), "properties"));
        }
        let near = KEYWORDS.iter().find(|(keyword, takes)| {
            is_near(name, keyword, *takes) && fits(*takes, value) && !keywords.contains_key(*keyword)
        });
        near.map(|(keyword, _)| (name.as_str(), *keyword))
    })
}

/// Whether `name` differs from `keyword` only in style or by a typing error.
fn is_near(name: &str, keyword: &str, takes: Takes) -> bool {
    const LONG: usize = 10;
    // A shorter word is near to too many, unless its value can hardly be anything else than that of the keyword.
    let shortest = if matches!(takes, Takes::Type) { 3 } else { 4 };
    let plain = |text: &str| text.replace(['_', '-', '$', ' '], "").to_lowercase();
    if plain(name) == plain(keyword) {
        return true;
    }
    // `container` is near to `contains`.
    let most = if keyword.len() >= LONG { 2 } else { 1 };
    let shares_start = name.get(..1).is_some_and(|first| keyword.starts_with(first));
    shares_start
        && name.len() >= shortest
        && strsim::damerau_levenshtein(&name.to_lowercase(), &keyword.to_lowercase()) <= most
}

fn fits(takes: Takes, value: &Value) -> bool {
    let is_name = |value: &Value| value.is_string();
    let is_schema = |value: &Value| value.is_object() || value.is_boolean();
    match takes {
        Takes::Type => {
            let is_type = |value: &Value| {
                value.as_str().is_some_and(|name| super::JsonType::named(&name.to_lowercase()).is_some())
            };
            is_type(value)
                || value.as_array().is_some_and(|names| !names.is_empty() && names.iter().all(is_type))
        }
        Takes::Schema => is_schema(value),
        Takes::Schemas => value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_schema)),
        Takes::Named => value.as_object().is_some_and(|named| {
            !named.is_empty() && named.values().all(|value| is_schema(value) || value.is_array())
        }),
        Takes::Names => value.as_array().is_some_and(|names| names.iter().all(is_name)),
        Takes::List => value.is_array(),
        Takes::Number => value.is_number(),
        Takes::Limit => value.is_number() || value.is_boolean(),
        Takes::Text => value.is_string(),
        Takes::Format => value.as_str().is_some_and(|name| FORMATS.contains(&name)),
        Takes::Flag => value.is_boolean(),
    }
}
