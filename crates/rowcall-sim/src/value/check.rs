//! Whether a value satisfies a schema, for the keywords that the generator supports. Used to choose among candidates.
//! Formats are not checked, as validators do not check them by default either.

use serde_json::{Map, Value};

use super::conjunction::{resolve, type_names};
use super::number::is_multiple;
use super::pattern::Pattern;

/// The most steps for checking a value.
const FUEL: usize = 100_000;

/// Whether `value` satisfies `schema`; returns `false` when `fuel` runs out.
pub(super) fn holds(root: &Value, schema: &Value, value: &Value, fuel: &mut usize) -> bool {
    match fuel.checked_sub(1) {
        Some(rest) => *fuel = rest,
        None => return false,
    }
    match schema {
        Value::Bool(all) => *all,
        Value::Object(keywords) => {
            keywords.iter().all(|(word, asked)| keyword(root, keywords, word, asked, value, fuel))
        }
        _ => false,
    }
}

/// Whether `value` satisfies `schema`.
pub(crate) fn satisfies(schema: &Value, value: &Value) -> bool {
    holds(schema, schema, value, &mut { FUEL })
}

/// Whether `value` satisfies `keywords`, except for references, choices, and the keyword that is `settled`.
pub(super) fn holds_flat(
    root: &Value,
    keywords: &Map<String, Value>,
    value: &Value,
    settled: &str,
    fuel: &mut usize,
) -> bool {
    match fuel.checked_sub(1) {
        Some(rest) => *fuel = rest,
        None => return false,
    }
    let is_own = |word: &str| word != settled && !matches!(word, "$ref" | "allOf" | "anyOf" | "oneOf");
    let own = keywords.iter().filter(|(word, _)| is_own(word));
    own.into_iter().all(|(word, asked)| keyword(root, keywords, word, asked, value, fuel))
}

fn keyword(
    root: &Value,
    keywords: &Map<String, Value>,
    word: &str,
    asked: &Value,
    value: &Value,
    fuel: &mut usize,
) -> bool {
    let bound = || asked.as_f64().unwrap_or(0.0);
    let number = |fits: &dyn Fn(f64) -> bool| value.as_f64().is_none_or(fits);
    let length =
        |fits: &dyn Fn(f64) -> bool| value.as_str().is_none_or(|text| fits(text.chars().count() as f64));
    match word {
        "$ref" => {
            let target = asked.as_str().and_then(|target| resolve(root, target));
            target.is_some_and(|target| holds(root, target, value, fuel))
        }
        "allOf" => list(asked).iter().all(|schema| holds(root, schema, value, fuel)),
        "anyOf" => list(asked).iter().any(|schema| holds(root, schema, value, fuel)),
        "oneOf" => list(asked).iter().filter(|schema| holds(root, schema, value, fuel)).count() == 1,
        "const" => same(asked, value),
        "enum" => {
            *fuel = fuel.saturating_sub(list(asked).len() / 8);
            list(asked).iter().any(|member| same(member, value))
        }
        "type" => type_names(asked).iter().any(|name| has_type(value, name)),
        "minimum" => number(&|n| n >= bound()),
        "maximum" => number(&|n| n <= bound()),
        "exclusiveMinimum" => number(&|n| n > bound()),
        "exclusiveMaximum" => number(&|n| n < bound()),
        "multipleOf" => number(&|n| is_multiple(n, bound())),
        "minLength" => length(&|n| n >= bound()),
        "maxLength" => length(&|n| n <= bound()),
        "pattern" => value.as_str().is_none_or(|text| {
            *fuel = fuel.saturating_sub(10);
            asked.as_str().and_then(Pattern::parse).is_some_and(|pattern| pattern.matches(text))
        }),
        "minItems" => value.as_array().is_none_or(|items| items.len() as f64 >= bound()),
        "maxItems" => value.as_array().is_none_or(|items| items.len() as f64 <= bound()),
        "uniqueItems" => {
            asked == &Value::Bool(false) || value.as_array().is_none_or(|items| all_different(items))
        }
        "prefixItems" => value.as_array().is_none_or(|items| {
            list(asked).iter().zip(items).all(|(schema, item)| holds(root, schema, item, fuel))
        }),
        "items" => {
            let listed = keywords.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
            value
                .as_array()
                .is_none_or(|items| items.iter().skip(listed).all(|item| holds(root, asked, item, fuel)))
        }
        "required" => value.as_object().is_none_or(|object| {
            list(asked).iter().filter_map(Value::as_str).all(|name| object.contains_key(name))
        }),
        "properties" => value.as_object().is_none_or(|object| {
            object
                .iter()
                .all(|(name, value)| asked.get(name).is_none_or(|schema| holds(root, schema, value, fuel)))
        }),
        "additionalProperties" => value.as_object().is_none_or(|object| {
            let declared = keywords.get("properties").and_then(Value::as_object);
            let others = object
                .iter()
                .filter(|(name, _)| declared.is_none_or(|declared| !declared.contains_key(*name)));
            others.map(|(_, value)| value).all(|value| holds(root, asked, value, fuel))
        }),
        "minProperties" => value.as_object().is_none_or(|object| object.len() as f64 >= bound()),
        "maxProperties" => value.as_object().is_none_or(|object| object.len() as f64 <= bound()),
        _ => true,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn has_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        _ => false,
    }
}

/// Equality in JSON Schema: `1` equals `1.0`, and the order of properties does not matter.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

fn all_different(items: &[Value]) -> bool {
    items.iter().enumerate().all(|(n, item)| !items.iter().take(n).any(|before| same(before, item)))
}
