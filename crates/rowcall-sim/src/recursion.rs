//! Finds cyclic references in a schema, for providers that accept no recursion or only some.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde_json::Value;

use crate::value::resolve;

/// Which paths from a schema into another one count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Through {
    /// All of them.
    Anything,
    /// Not those through optional properties.
    Required,
}

/// A reference that leads back to itself, such as `#/$defs/node`, if there is one; not one that only leads to a
/// cycle.
pub(crate) fn circle(schema: &Value, through: Through) -> Option<&str> {
    let mut ways: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut open: Vec<&str> = Vec::new();
    everywhere(schema, &mut open);
    while let Some(target) = open.pop() {
        if ways.contains_key(target) {
            continue;
        }
        let mut next = BTreeSet::new();
        if let Some(schema) = resolve(schema, target) {
            references(schema, through, &mut next);
        }
        open.extend(&next);
        ways.insert(target, next);
    }
    // A reference that leads nowhere is on no cycle; without it, others lead nowhere.
    loop {
        let before = ways.len();
        ways.retain(|_, next| !next.is_empty());
        if ways.len() == before {
            break;
        }
        let left: BTreeSet<&str> = ways.keys().copied().collect();
        for next in ways.values_mut() {
            next.retain(|target| left.contains(target));
        }
    }
    // What remains leads to a cycle but need not be on one. What is visited twice is.
    let mut passed = BTreeSet::new();
    let next = |target: &&str| ways.get(target)?.first().copied();
    let mut way = iter::successors(ways.keys().next().copied(), next);
    way.find(|target| !passed.insert(*target))
}

/// Every reference anywhere in `schema`.
fn everywhere<'s>(schema: &'s Value, found: &mut Vec<&'s str>) {
    match schema {
        Value::Object(keywords) => {
            found.extend(local(keywords.get("$ref")));
            keywords.values().for_each(|value| everywhere(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| everywhere(value, found)),
        _ => {}
    }
}

/// The references that a value of `schema` must follow.
fn references<'s>(schema: &'s Value, through: Through, found: &mut BTreeSet<&'s str>) {
    let Value::Object(keywords) = schema else { return };
    found.extend(local(keywords.get("$ref")));
    let required = keywords.get("required").and_then(Value::as_array);
    let is_required = |name: &String| required.is_some_and(|names| names.iter().any(|each| each == name));
    for (word, value) in keywords {
        match (word.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                let counts = |name: &String| through == Through::Anything || is_required(name);
                let counted = properties.iter().filter(|(name, _)| counts(name));
                counted.for_each(|(_, schema)| references(schema, through, found));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                for schema in schemas {
                    references(schema, through, found);
                }
            }
            ("items" | "additionalProperties", schema) => references(schema, through, found),
            _ => {}
        }
    }
}

fn local(target: Option<&Value>) -> Option<&str> {
    target.and_then(Value::as_str).filter(|target| target.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn cycles_are_found_where_they_count() {
        let node = |required: &Value| {
            json!({
                "$ref": "#/$defs/node",
                "$defs": { "node": {
                    "type": "object", "required": required,
                    "properties": { "next": { "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] } },
                } },
            })
        };
        let cases = [
            (node(&json!(["next"])), Some("#/$defs/node"), Some("#/$defs/node")),
            (node(&json!([])), Some("#/$defs/node"), None),
            (
                json!({ "properties": { "a": { "items": { "$ref": "#" } } }, "required": ["a"] }),
                Some("#"),
                Some("#"),
            ),
            (
                json!({ "$defs": { "a": { "items": { "$ref": "#/$defs/b" } }, "b": { "allOf": [{ "$ref": "#/$defs/a" }] } } }),
                Some("#/$defs/a"),
                Some("#/$defs/a"),
            ),
            (
                json!({ "$ref": "#/$defs/a", "$defs": {
                    "a": { "items": { "$ref": "#/$defs/b" } }, "b": { "items": { "$ref": "#/$defs/c" } },
                    "c": { "allOf": [{ "$ref": "#/$defs/b" }, { "$ref": "#/$defs/d" }] }, "d": { "type": "null" },
                } }),
                Some("#/$defs/b"),
                Some("#/$defs/b"),
            ),
            (
                json!({ "properties": { "a": { "$ref": "#/$defs/x" }, "b": { "$ref": "#/$defs/x" } }, "$defs": { "x": { "type": "null" } } }),
                None,
                None,
            ),
            (json!({ "$ref": "#/nowhere" }), None, None),
            (json!({ "properties": { "$ref": { "type": "string" } } }), None, None),
        ];
        for (schema, anything, required) in cases {
            assert_eq!(circle(&schema, Through::Anything), anything, "{schema}");
            assert_eq!(circle(&schema, Through::Required), required, "{schema}");
        }
    }

    #[test]
    fn a_long_chain_of_references_is_not_a_cycle() {
        let definitions: serde_json::Map<_, _> = (0..300)
            .map(|n| (n.to_string(), json!({ "items": { "$ref": format!("#/$defs/{}", n + 1) } })))
            .collect();
        let schema = json!({ "$ref": "#/$defs/0", "$defs": definitions });
        assert_eq!(circle(&schema, Through::Anything), None);
    }
}
