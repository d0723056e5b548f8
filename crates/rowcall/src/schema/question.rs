//! The requests that show how a server treats a schema: tiny schemas, each with a value that violates one part of it, and the conclusion
//! from an answer. Conforming answers are hardly ever produced by chance, so that a model that writes at random does not look
//! constrained.

use serde_json::{Map, Value, json};

use super::observed::{Feature, Finding, Observation};
use super::wording::cut_long;
use super::{Schema, Wanted, WireSchema};
use crate::error::Problem;
use crate::schema::wire::Dialect;

/// The name of the tested property.
const ASKED: &str = "value";

/// A word that a model does not write by chance.
const WORD: &str = "north-7q";

/// A schema, and a value that violates it.
#[derive(Debug)]
pub(crate) struct Trial {
    feature: Feature,
    schema: Value,
    asked: Value,
}

/// What an answer, or the lack of one, shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// The answer conforms to the schema, although the prompt asked for one that does not.
    Held,
    /// It does not.
    Broken(String),
    /// The server rejects the schema.
    Refused(String),
    /// It shows neither.
    Silent(String),
}

impl Trial {
    /// What is asked about a feature: enough that answers by chance to each are next to impossible.
    pub(crate) fn all(feature: Feature) -> Vec<Self> {
        let whole = |(schema, asked)| Self { feature, schema: root(&schema), asked: json!({ ASKED: asked }) };
        values(feature).into_iter().map(whole).collect()
    }

    /// The schema as it is sent.
    ///
    /// # Errors
    /// None for the schemas in this file.
    pub(crate) fn wire(&self) -> Result<WireSchema, Problem> {
        Schema::from_generated(self.schema.clone())?.wire_as(Wanted::from(Dialect::Verbatim))
    }

    /// What the model is asked for.
    pub(crate) fn prompt(&self) -> String {
        format!("Answer with exactly this JSON, and with nothing else:\n{}", self.asked)
    }

    /// What the answer shows.
    pub(crate) fn judge(&self, answer: &str) -> Judgement {
        let shown = || format!("answered `{}`", cut_long(answer.trim()));
        let Ok(value) = serde_json::from_str::<Value>(answer.trim()) else {
            return match self.feature {
                Feature::Schema => Judgement::Broken(shown()),
                _ => Judgement::Silent(format!("{}, which is not JSON", shown())),
            };
        };
        let is_valid =
            Schema::from_generated(self.schema.clone()).is_ok_and(|schema| schema.validates(&value));
        if !is_valid {
            return match self.feature {
                // A list that is too short may have broken nothing but the number of items.
                Feature::Unique if !repeats(&value[ASKED]) => {
                    Judgement::Silent(format!("{}, which shows neither", shown()))
                }
                _ => Judgement::Broken(shown()),
            };
        }
        match shows(self.feature, &value[ASKED], &self.schema) {
            Some(true) => Judgement::Held,
            Some(false) => Judgement::Broken(shown()),
            None => Judgement::Silent(format!("{}, which shows neither", shown())),
        }
    }
}

/// What all trials of a question show together.
pub(crate) fn conclusion(feature: Feature, judged: &[Judgement]) -> Observation {
    let note = |choose: fn(&Judgement) -> Option<&String>| judged.iter().find_map(choose).cloned();
    let refused = note(|each| if let Judgement::Refused(why) = each { Some(why) } else { None });
    let broken = note(|each| if let Judgement::Broken(why) = each { Some(why) } else { None });
    let silent = note(|each| if let Judgement::Silent(why) = each { Some(why) } else { None });
    let count = |of: fn(&Judgement) -> bool| judged.iter().filter(|each| of(each)).count() as u32;
    let (finding, answers, note) = if refused.is_some() {
        (Finding::Refused, count(|each| matches!(each, Judgement::Refused(_))), refused)
    } else if broken.is_some() {
        (Finding::Ignored, count(|each| matches!(each, Judgement::Broken(_))), broken)
    } else if silent.is_some() || judged.is_empty() {
        (Finding::Unknown, 0, silent)
    } else {
        (Finding::Enforced, count(|each| *each == Judgement::Held), None)
    };
    Observation { feature, finding, answers, note }
}

/// Whether a value conforms to the tested feature; `None` if it would be valid either way.
fn shows(feature: Feature, value: &Value, schema: &Value) -> Option<bool> {
    match feature {
        Feature::Order => {
            let users = schema["properties"][ASKED]["properties"].as_object().map(Map::keys);
            Some(users?.eq(value.as_object()?.keys()))
        }
        Feature::Optional => value.get("y").is_none().then_some(true),
        Feature::Map => value.as_object().is_some_and(|map| !map.is_empty()).then_some(true),
        // Nothing is a multiple of every number.
        Feature::Multiples => (value.as_f64() != Some(0.0)).then_some(true),
        Feature::Schema
        | Feature::Closed
        | Feature::Members
        | Feature::Alternatives
        | Feature::Tuple
        | Feature::Recursion
        | Feature::Anything
        | Feature::Pattern
        | Feature::Length
        | Feature::Integers
        | Feature::ExclusiveIntegers
        | Feature::Numbers
        | Feature::ExclusiveNumbers
        | Feature::Counts
        | Feature::Unique
        | Feature::Format(_) => Some(true),
    }
}

/// Whether a list has an item twice.
fn repeats(value: &Value) -> bool {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().enumerate().any(|(at, item)| items.iter().take(at).any(|other| other == item))
}

/// The whole schema in which `schema` is that of a property.
fn root(schema: &Value) -> Value {
    let mut root = object(&json!({ ASKED: schema }));
    if let Value::Object(keywords) = &mut root
        && keywords["properties"][ASKED].get("$ref").is_some()
    {
        let next = json!({ "anyOf": [{ "$ref": "#/$defs/node" }, { "type": "null" }] });
        let node = object(&json!({ "x": { "type": "boolean" }, "next": next }));
        keywords.insert("$defs".to_owned(), json!({ "node": node }));
    }
    root
}

/// A closed object with these properties, all of them required.
fn object(properties: &Value) -> Value {
    let names: Vec<String> = properties.as_object().into_iter().flat_map(Map::keys).cloned().collect();
    json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
}

/// Schemas with a value each that breaks them by this feature alone.
fn values(feature: Feature) -> Vec<(Value, Value)> {
    let flag = || json!({ "type": "boolean" });
    match feature {
        Feature::Schema => vec![(json!({ "type": "integer" }), json!("no")), (flag(), json!("no"))],
        Feature::Order => {
            let properties = json!({ "mike": flag(), "zulu": flag(), "alpha": flag(), "hotel": flag() });
            let asked = json!({ "alpha": true, "hotel": true, "mike": true, "zulu": true });
            vec![(object(&properties), asked)]
        }
        Feature::Closed => [["a", "b", "c", "d"], ["e", "f", "g", "h"]]
            .into_iter()
            .map(|names| {
                let each = |value: Value| {
                    Value::Object(names.map(|name| (name.to_owned(), value.clone())).into_iter().collect())
                };
                (object(&each(object(&json!({ "x": flag() })))), each(json!({ "x": true, "y": 1 })))
            })
            .collect(),
        Feature::Optional => {
            let mut schema = object(&json!({ "x": flag(), "y": flag() }));
            schema["required"] = json!(["x"]);
            vec![(schema, json!({ "x": true }))]
        }
        Feature::Members => vec![(json!({ "type": "string", "enum": [WORD, "south-2k"] }), json!("west"))],
        Feature::Alternatives => {
            let branches = [json!({ "type": "string", "enum": [WORD] }), object(&json!({ "x": flag() }))];
            vec![(json!({ "anyOf": branches }), json!([1, 2]))]
        }
        Feature::Map => {
            let schema =
                json!({ "type": "object", "additionalProperties": { "type": "string", "enum": [WORD] } });
            vec![(schema, json!({ "a": "west", "b": "east" }))]
        }
        Feature::Tuple => {
            let items = [flag(), json!({ "type": "string", "enum": [WORD] }), flag()];
            let schema = json!({ "type": "array", "prefixItems": items, "minItems": 3, "maxItems": 3 });
            vec![(schema, json!(["a", "b"]))]
        }
        Feature::Recursion => vec![(json!({ "$ref": "#/$defs/node" }), json!({ "x": "no", "next": "no" }))],
        Feature::Anything => vec![(json!({}), json!({ "k": [1, "two"] }))],
        Feature::Pattern => {
            vec![(json!({ "type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$" }), json!("hello"))]
        }
        Feature::Length => [9, 13]
            .map(|length| {
                (json!({ "type": "string", "minLength": length, "maxLength": length }), json!("no"))
            })
            .into(),
        Feature::Integers => {
            vec![(json!({ "type": "integer", "minimum": 4810, "maximum": 4819 }), json!(7))]
        }
        Feature::ExclusiveIntegers => {
            let schema = json!({ "type": "integer", "exclusiveMinimum": 4810, "exclusiveMaximum": 4813 });
            vec![(schema, json!(4810))]
        }
        Feature::Numbers => {
            vec![(json!({ "type": "number", "minimum": 4810.25, "maximum": 4810.75 }), json!(7.5))]
        }
        Feature::ExclusiveNumbers => {
            let schema =
                json!({ "type": "number", "exclusiveMinimum": 4810.25, "exclusiveMaximum": 4810.75 });
            vec![(schema, json!(4810.25))]
        }
        Feature::Multiples => [7_919, 1_009]
            .map(|number| (json!({ "type": "integer", "multipleOf": number }), json!(10)))
            .into(),
        Feature::Counts => [(5, json!([true])), (3, json!([]))]
            .map(|(count, asked)| {
                (json!({ "type": "array", "items": flag(), "minItems": count, "maxItems": count }), asked)
            })
            .into(),
        Feature::Unique => {
            let items = json!({ "type": "integer", "enum": [1, 2, 3, 4, 5, 6, 7, 8] });
            let schema =
                json!({ "type": "array", "items": items, "minItems": 8, "maxItems": 8, "uniqueItems": true });
            vec![(schema, json!([1, 1, 1, 1, 1, 1, 1, 1]))]
        }
        Feature::Format(format) => {
            vec![(json!({ "type": "string", "format": format }), json!("not one at all!"))]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_prompt_asks_for_breaks_what_is_asked_about() {
        for feature in Feature::all() {
            for trial in Trial::all(feature) {
                let judged = trial.judge(&trial.asked.to_string());
                let expected = |judged: &Judgement| match feature {
                    // Leaving a property out and writing any value is what is allowed.
                    Feature::Optional | Feature::Anything => *judged == Judgement::Held,
                    _ => matches!(judged, Judgement::Broken(_)),
                };
                assert!(expected(&judged), "{feature}: {judged:?}");
                assert_eq!(trial.wire().expect("sent as it stands").schema, trial.schema, "{feature}");
            }
        }
    }

    #[test]
    fn answers_are_judged_by_what_is_asked_about_alone() {
        let held = [
            (Feature::Schema, r#"{"value": 3}"#),
            (Feature::Order, r#"{"value": {"mike": true, "zulu": true, "alpha": false, "hotel": true}}"#),
            (Feature::Map, r#"{"value": {"k": "north-7q"}}"#),
            (Feature::Multiples, r#"{"value": -7919}"#),
            (Feature::ExclusiveNumbers, r#" {"value": 4810.5} "#),
            (Feature::Recursion, r#"{"value": {"x": true, "next": {"x": true, "next": null}}}"#),
            (Feature::Format("hostname"), r#"{"value": "a.example"}"#),
        ];
        let silent = [
            (Feature::Map, r#"{"value": {}}"#),
            (Feature::Multiples, r#"{"value": 0}"#),
            (Feature::Optional, r#"{"value": {"x": true, "y": true}}"#),
            (Feature::Pattern, "I cannot do that."),
        ];
        let first = |feature| Trial::all(feature).remove(0);
        for (feature, answer) in held {
            assert_eq!(first(feature).judge(answer), Judgement::Held, "{feature}");
        }
        for (feature, answer) in silent {
            let judged = first(feature).judge(answer);
            assert!(matches!(judged, Judgement::Silent(_)), "{feature}: {judged:?}");
        }
        // Without an enforced schema, a model writes text.
        let judged = first(Feature::Schema).judge("I cannot do that.");
        assert_eq!(judged, Judgement::Broken("answered `I cannot do that.`".to_owned()));
    }

    #[test]
    fn all_trials_must_agree_that_something_is_enforced() {
        let (held, silent) = (Judgement::Held, Judgement::Silent("cut".to_owned()));
        let (broken, refused) = (Judgement::Broken("7".to_owned()), Judgement::Refused("400".to_owned()));
        for (judged, finding, answers, note) in [
            (vec![held.clone(), held.clone()], Finding::Enforced, 2, None),
            (vec![held.clone(), silent.clone()], Finding::Unknown, 0, Some("cut")),
            (vec![held.clone(), broken.clone()], Finding::Ignored, 1, Some("7")),
            (vec![broken, refused], Finding::Refused, 1, Some("400")),
            (Vec::new(), Finding::Unknown, 0, None),
        ] {
            let found = conclusion(Feature::Length, &judged);
            let note = note.map(str::to_owned);
            assert_eq!(found, Observation { feature: Feature::Length, finding, answers, note }, "{judged:?}");
        }
    }
}
