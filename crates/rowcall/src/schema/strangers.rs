//! Finds objects that satisfy a schema only because it requires nothing: they have unknown properties instead of those that it names.
//! They are valid under JSON Schema, but not usable as answers.

use serde_json::{Map, Value};

use super::alternatives::Branch;
use super::breach::{Breach, Expected};
use super::coerce::{Coercion, Shape};
use super::json_type::JsonTypes;

use super::wording;
use crate::number;
use crate::violation::escaped;

/// How much a schema says of the properties that it does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Further {
    /// Nothing, so that they are allowed only by default.
    Unsaid,
    /// That there are none.
    Closed,
    /// That there may be any.
    Open,
    /// What they hold: the object is a map as well.
    Described,
}

/// The name without its case and style: `first_name`, `firstName` and `First Name` are alike.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Coercion {
    /// The objects in `value` with properties that the schema does not know, at most `most` of them.
    pub(super) fn strangers(&self, value: &Value, most: usize) -> Vec<Breach> {
        let mut found = Vec::new();
        self.strangers_at(0, value, &mut String::new(), &mut found);
        found.truncate(most);
        found
    }

    fn strangers_at(&self, number: usize, value: &Value, path: &mut String, found: &mut Vec<Breach>) {
        let Some(shape) = self.shapes.get(number) else { return };
        if let Some(alternatives) = &shape.alternatives {
            let types = JsonTypes::of(value);
            let mut branches = alternatives.branches().iter().filter(|branch| branch.types.overlaps(types));
            match (branches.next(), branches.next(), value) {
                (Some(only), None, _) => self.strangers_at(only.step, value, path, found),
                (Some(first), Some(second), Value::Object(fields)) => {
                    let several = [first, second].into_iter().chain(branches);
                    self.strangers_among(several, (value, fields), path, found);
                }
                // If several alternatives accept such a value, validation decides between them.
                (_, _, _) => {}
            }
            return;
        }
        let length = path.len();
        match value {
            Value::Object(fields) => {
                found.extend(shape.strangers(fields, path));
                for (name, field) in fields {
                    if let Some(number) = shape.properties.get(name).copied().or(shape.others) {
                        path.push('/');
                        path.push_str(&escaped(name));
                        self.strangers_at(number, field, path, found);
                        path.truncate(length);
                    }
                }
            }
            Value::Array(items) => {
                for (position, item) in items.iter().enumerate() {
                    if let Some(number) = shape.prefix.get(position).copied().or(shape.items) {
                        path.push_str(&format!("/{position}"));
                        self.strangers_at(number, item, path, found);
                        path.truncate(length);
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

impl Coercion {
    /// The strangers in an object that may belong to several alternatives: of the only one that knows all of its properties, or else those by
    /// other names for which all alternatives agree that know the rest.
    fn strangers_among<'b>(
        &self,
        branches: impl Iterator<Item = &'b Branch>,
        (value, fields): (&Value, &Map<String, Value>),
        path: &mut String,
        found: &mut Vec<Breach>,
    ) {
        let (mut knowing, mut renaming): (Vec<usize>, Vec<Vec<Breach>>) = (Vec::new(), Vec::new());
        for branch in branches {
            let Some(shape) = self.shapes.get(branch.step) else { return };
            // Nested alternatives are not examined, and an object that accepts any name has no unknown properties.
            if shape.alternatives.is_some()
                || shape.properties.is_empty()
                || shape.further == Further::Described
            {
                return;
            }
            let breaches = shape.strangers(fields, path);
            let names = breaches.iter().filter_map(|breach| match &breach.expected {
                Expected::Name { found, meant } => Some((found.as_str(), meant.as_str())),
                Expected::Types(_) | Expected::Member(_) | Expected::Other => None,
            });
            let names: Vec<(&str, &str)> = names.collect();
            let is_tagged = branch.tags.iter().all(|(tag, members)| {
                let spelled =
                    names.iter().find(|(_, meant)| meant == tag).map_or(tag.as_str(), |(found, _)| *found);
                fields.get(spelled).is_none_or(|value| number::is_among(value, members))
            });
            let unknown = fields.keys().filter(|name| !shape.properties.contains_key(*name)).count();
            match unknown {
                _ if !is_tagged => {}
                0 => knowing.push(branch.step),
                unknown if unknown == names.len() => renaming.push(breaches),
                _ => {}
            }
        }
        match (knowing.as_slice(), renaming.as_slice()) {
            ([only], _) => self.strangers_at(*only, value, path, found),
            ([], [first, others @ ..]) if others.iter().all(|other| other == first) => {
                found.extend(first.iter().cloned());
            }
            (_, _) => {}
        }
    }
}

impl Shape {
    /// The unknown properties that an object has instead of the known ones.
    fn strangers(&self, fields: &Map<String, Value>, path: &str) -> Vec<Breach> {
        if self.properties.is_empty() || self.further == Further::Described {
            return Vec::new();
        }
        if !self.properties.contains_key("properties")
            && fields.get("properties").is_some_and(Value::is_object)
            && fields.get("type").is_some_and(|named| named == "object")
        {
            let message = "is a JSON Schema, expected a value that satisfies it".to_owned();
            return vec![Breach::new(path, message, Expected::Other)];
        }
        let unknown: Vec<&String> =
            fields.keys().filter(|name| !self.properties.contains_key(*name)).collect();
        let mut breaches: Vec<Breach> =
            unknown.iter().filter_map(|name| self.renamed(name, &unknown, fields, path)).collect();
        if breaches.is_empty()
            && self.further == Further::Unsaid
            && !unknown.is_empty()
            && unknown.len() == fields.len()
        {
            let names: Vec<String> = unknown.into_iter().cloned().collect();
            let mut known: Vec<String> = self.properties.keys().cloned().collect();
            known.sort_unstable();
            let message = format!(
                "has none of the properties that are asked for: {}",
                wording::unexpected(&names, &known)
            );
            breaches.push(Breach::new(path, message, Expected::Other));
        }
        breaches
    }

    /// The breach of a property whose name is that of exactly one that is absent, in another case or style.
    fn renamed(
        &self,
        name: &str,
        unknown: &[&String],
        fields: &Map<String, Value>,
        path: &str,
    ) -> Option<Breach> {
        let spelled = plain(name);
        let mut meant = self.properties.keys().filter(|known| plain(known) == spelled);
        let (to, None) = (meant.next()?, meant.next()) else { return None };
        let is_only = unknown.iter().filter(|other| plain(other) == spelled).count() == 1;
        if spelled.is_empty() || !is_only || fields.contains_key(to) {
            return None;
        }
        let message = format!("unexpected property `{}`, did you mean `{to}`?", wording::cut(name));
        Some(Breach::new(path, message, Expected::Name { found: name.to_owned(), meant: to.clone() }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::schema::Schema;

    #[test]
    fn strangers_in_the_place_of_what_is_asked_for_are_found() {
        let person = json!({ "title": "Person", "type": "object",
            "properties": { "name": { "type": "string" }, "homeTown": { "type": "string" } } });
        let open = json!({ "type": "object", "properties": { "name": {} }, "additionalProperties": true });
        let map = json!({ "type": "object", "properties": { "name": {} }, "additionalProperties": { "type": "integer" } });
        let nested =
            json!({ "type": "object", "properties": { "who": { "anyOf": [person, { "type": "null" }] } } });
        let circle = json!({ "type": "object", "properties": { "kind": { "const": "circle" }, "radius": { "type": "number" } }, "required": ["kind", "radius"] });
        let square = json!({ "type": "object", "properties": { "kind": { "const": "square" }, "side": person }, "required": ["kind", "side"] });
        let union = json!({ "anyOf": [circle, square, { "type": "null" }] });
        let same =
            json!({ "anyOf": [person, { "type": "object", "properties": { "name": {}, "title": {} } }] });
        let or_map =
            json!({ "anyOf": [person, { "type": "object", "additionalProperties": { "type": "string" } }] });
        for (schema, value, expected) in [
            (&union, json!({ "kind": "circle", "radius": 1 }), vec![]),
            (
                &union,
                json!({ "Kind": "circle", "RADIUS": 1 }),
                vec!["unexpected property `Kind`", "unexpected property `RADIUS`"],
            ),
            (
                &union,
                json!({ "kind": "circle", "Radius": 1 }),
                vec!["unexpected property `Radius`, did you mean `radius`?"],
            ),
            (&union, json!({ "kind": "square", "Radius": 1 }), vec![]),
            (
                &union,
                json!({ "kind": "square", "side": { "Name": "x" } }),
                vec!["`/side` unexpected property `Name`"],
            ),
            (&same, json!({ "Name": "x" }), vec!["unexpected property `Name`, did you mean `name`?"]),
            (
                &same,
                json!({ "Name": "x", "Title": "y" }),
                vec!["unexpected property `Name`", "unexpected property `Title`"],
            ),
            (&same, json!({ "title": "y" }), vec![]),
            (&or_map, json!({ "Name": "x" }), vec![]),
            (&person, json!({}), vec![]),
            (&person, json!({ "name": "Ann" }), vec![]),
            (&person, json!({ "name": "Ann", "age": 3 }), vec![]),
            (&person, json!({ "Name": "Ann" }), vec!["unexpected property `Name`, did you mean `name`?"]),
            (
                &person,
                json!({ "name": "Ann", "home_town": "Bonn" }),
                vec!["unexpected property `home_town`, did you mean `homeTown`?"],
            ),
            (&person, json!({ "NAME": "Ann", "Name": "Bea" }), vec!["has none of the properties"]),
            (&person, json!({ "name": "Ann", "Name": "Bea" }), vec![]),
            (&person, json!({ "error": "nobody" }), vec!["has none of the properties"]),
            (&person, person.clone(), vec!["is a JSON Schema"]),
            (&open, json!({ "age": 3 }), vec![]),
            (&open, json!({ "Name": 3 }), vec!["unexpected property `Name`"]),
            (&map, json!({ "age": 3, "Name": 4 }), vec![]),
            (&json!({ "type": "object" }), json!({ "age": 3 }), vec![]),
            (&nested, json!({ "who": { "Name": "Ann" } }), vec!["`/who` unexpected property `Name`"]),
            (&nested, json!({ "who": null }), vec![]),
            (&json!({ "items": person }), json!([{ "x": 1 }]), vec!["`/0` has none of the properties"]),
        ] {
            let found = Schema::from_json(schema.clone()).expect("a schema").strangers(&value, 8);
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found.len(), expected.len(), "{value}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{value}: {found}");
            }
        }
    }
}
