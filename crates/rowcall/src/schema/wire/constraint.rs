//! Keywords that limit a value: those that the provider enforces are sent, the others are described in words.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::dialect::{ESCAPES, Maps, Sent, Together};
use super::form::default_note;
use super::translation::Translation;
use crate::number::{self, Decimal};
use crate::schema::json_type::JsonTypes;
use crate::schema::part::{Part, about};
use crate::schema::place::Place;
use crate::schema::wording::{cut_long, number_of};

/// Keywords that determine the form of objects and lists, rather than limit them.
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
pub(super) const GENERAL: [&str; 4] = ["not", "if", "anyOf", "oneOf"];

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
        let texts = self.texts(place, types);
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
                    None => notes.extend(self.described(other_part, keyword, other)),
                }
            }
            let sent = match &texts {
                Some(texts) if texts.leave_out(keyword) => Sent::Described,
                Some(Texts { longest, .. }) => self.sent(keyword, value, types, *longest),
                None => self.sent(keyword, value, types, None),
            };
            match sent {
                Sent::As(value) => {
                    schema.insert(keyword.to_owned(), value);
                }
                Sent::Losing(value, losses) => {
                    schema.insert(keyword.to_owned(), value);
                    for (effect, note) in losses {
                        self.record(&part.pointer, keyword, (*note).to_owned(), *effect);
                    }
                }
                Sent::Described => notes.extend(self.described(part, keyword, value)),
            }
        }
        notes
    }

    /// Which limits of a string are sent, where an engine does not have them side by side; `None` if the place has no strings.
    fn texts(&self, place: &Place<'s>, types: JsonTypes) -> Option<Texts> {
        if !types.overlaps(JsonTypes::STRING) {
            return None;
        }
        let longest = place.all("maxLength").filter_map(Value::as_f64).reduce(f64::min);
        let longest = longest.map(|most| most as u64);
        let is_sent = |keyword: &&str| {
            let mut values = place.all(keyword);
            values.next().is_some_and(|value| self.sent(keyword, value, types, longest) != Sent::Described)
        };
        let only = match self.rules.together {
            Together::All => None,
            Together::One => ["format", "pattern"].into_iter().find(is_sent),
        };
        Some(Texts { longest, only })
    }

    /// Bounds integers that the user's schema does not limit, where the engine would allow endless digits or has a bound.
    pub(super) fn bound_integers(
        &mut self,
        place: &Place<'s>,
        types: JsonTypes,
        schema: &mut Map<String, Value>,
    ) {
        if types.overlaps(JsonTypes::FRACTION) || !types.overlaps(JsonTypes::INTEGER) {
            return;
        }
        let limit =
            |keywords: [&str; 2]| keywords.into_iter().find_map(|keyword| schema.get(keyword)).cloned();
        let (least, most) = (limit(["minimum", "exclusiveMinimum"]), limit(["maximum", "exclusiveMaximum"]));
        let bounds = self.rules.bounds;
        if let Some(largest) = bounds.integer {
            // A limit outside the range of 64-bit integers is far as well.
            let far = |limit: &Option<Value>| {
                limit.as_ref().is_some_and(|limit| {
                    limit.as_i64().is_none_or(|limit| limit.unsigned_abs() >= largest.unsigned_abs())
                })
            };
            if least.is_none() {
                let bound = if far(&most) { i64::MIN + 1 } else { -largest };
                schema.insert("minimum".to_owned(), Value::from(bound));
            }
            if most.is_none() {
                let bound = if far(&least) { i64::MAX } else { largest };
                schema.insert("maximum".to_owned(), Value::from(bound));
            }
            if least.is_none() || most.is_none() {
                let note = format!(
                    "integers are bounded by {largest} on the wire, since the engine lets digits go on for ever"
                );
                self.narrow(place.pointer(), "type", note);
            }
        }
        if let Some(digits) = bounds.digits {
            let held = |limit: &Option<Value>| {
                let limit = limit.as_ref().and_then(Value::as_i64);
                limit.is_some_and(|limit| limit.unsigned_abs().to_string().len() <= digits)
            };
            if !held(&least) || !held(&most) {
                self.narrow(
                    place.pointer(),
                    "type",
                    format!("the engine allows integers of {digits} digits at most"),
                );
            }
        }
    }

    /// Bounds a list that the user's schema does not limit, or allows to be longer than the output limit.
    pub(super) fn bound_items(&mut self, place: &Place<'s>, schema: &mut Map<String, Value>) {
        let Some(bound) = self.most_items() else { return };
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        let bound = bound.max(least);
        if schema.get("maxItems").and_then(Value::as_u64).is_some_and(|most| most <= bound) {
            return;
        }
        schema.insert("maxItems".to_owned(), Value::from(bound));
        self.narrow(
            place.pointer(),
            "maxItems",
            format!(
                "the list is bounded at {} on the wire, since the engine lets it go on for ever",
                number_of(bound, "item")
            ),
        );
    }

    /// A pattern for the names of properties, if the provider holds the model to it.
    pub(super) fn name_pattern(&mut self, pointer: &str, pattern: &str) -> Option<Value> {
        match self.sent("pattern", &Value::from(pattern), JsonTypes::STRING, None) {
            Sent::As(value) => Some(value),
            Sent::Losing(value, _) => {
                self.narrow(pointer, "patternProperties", ESCAPES.to_owned());
                Some(value)
            }
            Sent::Described => None,
        }
    }

    /// Records that `keyword` is only described to the model, and returns the description.
    fn described(&mut self, part: &Part<'s>, keyword: &str, value: &Value) -> Option<String> {
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

/// Which limits of a string are sent.
struct Texts {
    /// The length that the string may have at most.
    longest: Option<u64>,
    /// The one of `format` and `pattern` beside which nothing else is sent.
    only: Option<&'static str>,
}

impl Texts {
    fn leave_out(&self, keyword: &str) -> bool {
        self.only.is_some_and(|only| {
            only != keyword && ["format", "pattern", "minLength", "maxLength"].contains(&keyword)
        })
    }
}

/// The one of two values of `keyword` that says both, if there is one.
fn both<'v>(keyword: &str, one: &'v Value, other: &'v Value) -> Option<&'v Value> {
    let larger = match keyword {
        "minimum" | "exclusiveMinimum" | "minLength" | "minItems" | "minProperties" | "minContains" => true,
        "maximum" | "exclusiveMaximum" | "maxLength" | "maxItems" | "maxProperties" | "maxContains" => false,
        "uniqueItems" => return Some(if one == &Value::Bool(true) { one } else { other }),
        _ => return number::are_equal(one, other).then_some(one),
    };
    let order = Decimal::of_value(one)?.cmp(&Decimal::of_value(other)?);
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
