//! Keywords that limit a value: those that the provider enforces are sent, the others are put into words.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::dialect::Maps;
use super::form::default_note;
use super::translation::Translation;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::{Part, about};
use crate::schema::place::Place;
use crate::schema::wording::{cut_long, number_of};

/// Keywords of objects and lists that give them their form; they are no mere limits.
const FORMING: [&str; 10] = [
    "properties",
    "required",
    "additionalProperties",
    "patternProperties",
    "propertyNames",
    "unevaluatedProperties",
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
];

/// Keywords that limit the names of properties, which are no part of the form where maps are native.
const ABOUT_NAMES: [&str; 2] = ["patternProperties", "propertyNames"];

/// Keywords that limit values of any type.
const GENERAL: [&str; 4] = ["not", "if", "anyOf", "oneOf"];

impl<'s> Translation<'s> {
    /// Puts the limits of a place into `schema` where the provider enforces them; returns the others in words, having
    /// recorded them as losses. Those that are `settled` are left out.
    pub(super) fn constraints(
        &mut self,
        place: &Place<'s>,
        types: JsonTypes,
        settled: &[&str],
        schema: &mut Map<String, Value>,
    ) -> Vec<String> {
        let mut notes = default_note(place);
        let mut done = settled.to_vec();
        for (part, keyword) in
            place.parts().iter().flat_map(|part| part.keywords().map(move |(name, _)| (part, name)))
        {
            let limits = GENERAL.contains(&keyword)
                || about(keyword).overlaps(types) && !FORMING.contains(&keyword)
                || self.rules.maps == Maps::Native && ABOUT_NAMES.contains(&keyword);
            if !limits || done.contains(&keyword) {
                continue;
            }
            done.push(keyword);
            let mut said = place.parts().iter().filter_map(|part| Some((part, part.get(keyword)?)));
            let Some((_, mut value)) = said.next() else { continue };
            for (other_part, other) in said {
                match both(keyword, value, other) {
                    Some(both) => value = both,
                    None => notes.extend(self.tell(other_part, keyword, other)),
                }
            }
            if self.rules.enforces(keyword, value) {
                schema.insert(keyword.to_owned(), value.clone());
            } else {
                notes.extend(self.tell(part, keyword, value));
            }
        }
        notes
    }

    /// Records that `keyword` is only told, and returns how.
    fn tell(&mut self, part: &Part<'s>, keyword: &str, value: &Value) -> Option<String> {
        let words = if keyword == "if" {
            let branches = ["if", "then", "else"].into_iter();
            let said = branches.filter_map(|name| Some((name.to_owned(), part.get(name)?.clone())));
            in_words(keyword, &Value::Object(said.collect()))?
        } else {
            in_words(keyword, value)?
        };
        let note = format!(
            "`{keyword}` is not enforced by the provider; it is written into the description and checked locally"
        );
        self.lose(&part.pointer, keyword, note);
        Some(words)
    }
}

/// The one of two values of `keyword` that says both, if there is one.
fn both<'v>(keyword: &str, one: &'v Value, other: &'v Value) -> Option<&'v Value> {
    let larger = match keyword {
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => true,
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => false,
        "uniqueItems" => return Some(if one == &Value::Bool(true) { one } else { other }),
        _ => return (one == other).then_some(one),
    };
    let order = one.as_f64()?.partial_cmp(&other.as_f64()?)?;
    Some(if (order == Ordering::Greater) == larger { one } else { other })
}

/// `keyword` in words, for a description; `None` if it says nothing that a model could act on.
pub(super) fn in_words(keyword: &str, value: &Value) -> Option<String> {
    // A count may be written as `3.0`.
    let count = value.as_f64().unwrap_or_default() as u64;
    Some(match keyword {
        "minLength" => format!("at least {}", number_of(count, "character")),
        "maxLength" => format!("at most {}", number_of(count, "character")),
        "minItems" => format!("at least {}", number_of(count, "item")),
        "maxItems" => format!("at most {}", number_of(count, "item")),
        "minProperties" => format!("at least {}", number_of(count, "property")),
        "maxProperties" => format!("at most {}", number_of(count, "property")),
        "minimum" => format!("at least {value}"),
        "maximum" => format!("at most {value}"),
        "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems" if value == &Value::Bool(false) => {
            return None;
        }
        // Up to draft 4 these said whether `minimum` and `maximum` themselves are left out.
        "exclusiveMinimum" if value.is_boolean() => "more than the minimum".to_owned(),
        "exclusiveMaximum" if value.is_boolean() => "less than the maximum".to_owned(),
        "exclusiveMinimum" => format!("more than {value}"),
        "exclusiveMaximum" => format!("less than {value}"),
        "multipleOf" => format!("a multiple of {value}"),
        "pattern" => format!("matching the regular expression {}", text(value)),
        "format" if is_width(value) => return None,
        "format" => format!("in the format {}", text(value)),
        "uniqueItems" => "no item twice".to_owned(),
        "contentEncoding" => format!("encoded as {}", text(value)),
        "contentMediaType" => format!("of the media type {}", text(value)),
        "default" => format!("default: {}", cut_long(&value.to_string())),
        "anyOf" | "oneOf" => format!("with {}", requirements(value)),
        "not" => format!("not what this JSON Schema describes: {}", cut_long(&value.to_string())),
        "if" => format!("as this JSON Schema says: {}", cut_long(&value.to_string())),
        _ => format!("{keyword}: {}", cut_long(&value.to_string())),
    })
}

fn text(value: &Value) -> String {
    cut_long(value.as_str().unwrap_or_default())
}

/// Formats of numbers say how wide they are in memory, which is of no interest to a model.
fn is_width(format: &Value) -> bool {
    let format = format.as_str().unwrap_or_default();
    ["uint", "int", "float", "double"].iter().any(|width| {
        format.strip_prefix(width).is_some_and(|bits| bits.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Alternatives that only say which properties must be present.
fn requirements(alternatives: &Value) -> String {
    let names = |branch: &Value| {
        let names = branch.get("required").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")
    };
    alternatives.as_array().into_iter().flatten().map(names).collect::<Vec<_>>().join(", or with ")
}
