//! A value that is JSON but does not satisfy its schema: the wrong type at one location.

use serde_json::{Map, Value, json};

use super::check::{has_type, satisfies};
use crate::chance::Chance;

/// `value` with one mistake that its schema forbids; unchanged if the schema forbids none of those tried.
pub(crate) fn violate(schema: &Value, value: &Value, chance: Chance) -> Value {
    let inner = value.as_object().map(|object| one_wrong_property(object, chance)).unwrap_or_default();
    let outer = [
        json!(["simulated: a list was not asked for"]),
        json!("simulated: not what was asked for"),
        json!({}),
        Value::Null,
        json!(-0.5),
    ];
    inner
        .into_iter()
        .chain(outer)
        .find(|candidate| !satisfies(schema, candidate))
        .unwrap_or_else(|| value.clone())
}

/// The object with one property of another type, or without it; tries each property in turn, beginning anywhere.
fn one_wrong_property(object: &Map<String, Value>, chance: Chance) -> Vec<Value> {
    let count = object.len();
    let start = chance.at("violation").below(count as u64) as usize;
    let names = object.keys().cycle().skip(start).take(count);
    names
        .flat_map(|name| {
            let mut wrong = object.clone();
            wrong.insert(name.clone(), object.get(name).map_or(Value::Null, wrong_type));
            let mut missing = object.clone();
            missing.shift_remove(name);
            [Value::Object(wrong), Value::Object(missing)]
        })
        .collect()
}

fn wrong_type(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(format!("about {number}")),
        Value::String(_) => json!({ "simulated": "an object where text was asked for" }),
        other if has_type(other, "array") => json!("simulated: text where a list was asked for"),
        _ => json!("simulated: text where something else was asked for"),
    }
}
