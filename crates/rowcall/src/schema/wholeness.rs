//! Checks that an object is complete: it has every property that the schema names, and the schema allows no others. Only then may an
//! object that a model has not closed be closed.

use serde_json::Value;

use super::coerce::{Coercion, Shape};
use super::json_type::JsonTypes;
use super::strangers::Further;

impl Coercion {
    /// Whether `value` and the last members within it, `levels` objects in all, are each complete.
    pub(super) fn is_whole(&self, value: &Value, levels: usize) -> bool {
        let (mut number, mut value) = (0, value);
        for _ in 0..levels {
            let (Some(shape), Some(fields)) = (self.shape_of(number, value), value.as_object()) else {
                return false;
            };
            let is_closed = match shape.further {
                Further::Unsaid | Further::Closed => true,
                Further::Open | Further::Described => false,
            };
            let has_all = shape.properties.keys().all(|name| fields.contains_key(name));
            let Some((last, inner)) = fields.iter().next_back() else { return false };
            if !is_closed || !has_all || fields.len() != shape.properties.len() {
                return false;
            }
            let Some(step) = shape.properties.get(last) else { return false };
            (number, value) = (*step, inner);
        }
        true
    }

    /// The shape of `value` at the place of this shape; of several alternatives, the only one for such a value.
    fn shape_of(&self, number: usize, value: &Value) -> Option<&Shape> {
        let shape = self.shapes.get(number)?;
        let Some(alternatives) = &shape.alternatives else { return Some(shape) };
        let types = JsonTypes::of(value);
        let mut branches = alternatives.branches().iter().filter(|branch| branch.types.overlaps(types));
        match (branches.next(), branches.next()) {
            (Some(only), None) => self.shape_of(only.step, value),
            (_, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schema::Schema;

    #[test]
    fn only_closed_objects_with_all_their_properties_lack_nothing() {
        let inner = json!({ "type": "object", "properties": { "a": {}, "b": {} } });
        let outer = json!({ "type": "object", "properties": { "n": {}, "p": inner } });
        let nullable = json!({ "properties": { "p": { "anyOf": [inner, { "type": "null" }] } } });
        let open = json!({ "properties": { "a": {} }, "additionalProperties": true });
        let map = json!({ "properties": { "a": {} }, "additionalProperties": { "type": "integer" } });
        for (schema, value, levels, expected) in [
            (&inner, json!({ "a": 1, "b": 2 }), 1, true),
            (&inner, json!({ "b": 2 }), 1, false),
            (&inner, json!({ "a": 1, "b": 2, "c": 3 }), 1, false),
            (&inner, json!({}), 1, false),
            (&outer, json!({ "n": 1, "p": { "a": 1, "b": 2 } }), 2, true),
            (&outer, json!({ "n": 1, "p": { "a": 1 } }), 2, false),
            (&outer, json!({ "n": 1, "p": { "a": 1 } }), 1, true),
            (&outer, json!({ "p": { "a": 1, "b": 2 }, "n": 1 }), 2, false),
            (&outer, json!({ "p": { "a": 1, "b": 2 } }), 2, false),
            (&nullable, json!({ "p": { "a": 1, "b": 2 } }), 2, true),
            (&open, json!({ "a": 1 }), 1, false),
            (&map, json!({ "a": 1 }), 1, false),
            (&json!({}), json!({ "a": 1 }), 1, false),
        ] {
            let schema = Schema::from_json(schema.clone()).expect("a schema");
            assert_eq!(schema.is_whole(&value, levels), expected, "{value} at {levels}");
        }
    }
}
