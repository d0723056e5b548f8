//! Objects, lists, maps and tuples in the wire's form: closed objects that have all their properties, and lists of them.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::form::{Form, describe, in_order_of, nullable};
use super::restore::{ENTRY, Null, Others, Property, Step};
use super::translation::{KEPT, Translation};
use crate::error::Problem;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::{Alternative, Items, Place, Rest};

impl<'s> Translation<'s> {
    /// Gives `schema` the properties of an object, all of them required; those that were not take null as well. `None` if
    /// a required one cannot have a value.
    pub(super) fn object(
        &mut self,
        place: &Place<'s>,
        schema: &mut Map<String, Value>,
    ) -> Result<Option<usize>, Problem> {
        let required: HashSet<&str> = place.required().collect();
        let (mut properties, mut back) = (Map::new(), Vec::new());
        for (name, parts) in place.properties() {
            let optional = !required.contains(&name);
            let takes_null =
                Place::new(self.root, parts.clone()).accepted(self.root).includes(JsonTypes::NULL);
            let Some(form) = self.place(parts)? else { continue };
            let form = if optional { nullable(form) } else { form };
            let null = if optional && !takes_null { Null::Absent } else { Null::Itself };
            back.push(Property { name: name.to_owned(), step: form.step, null });
            properties.insert(name.to_owned(), Value::Object(form.schema));
        }
        if required.iter().any(|name| !properties.contains_key(*name)) {
            return Ok(None);
        }
        let rest = self.others(place, &mut properties)?;
        let own: Vec<&str> = place.required().collect();
        let same = own.len() == properties.len() && required.len() == properties.len();
        close(schema, properties);
        if same {
            schema.insert("required".to_owned(), json!(own));
        }
        Ok(Some(self.step(Step::Object { properties: back, rest })))
    }

    /// Properties that an object may have beside the named ones are gathered under one more.
    fn others(
        &mut self,
        place: &Place<'s>,
        properties: &mut Map<String, Value>,
    ) -> Result<Option<Others>, Problem> {
        let (any, matching) = match place.rest() {
            Rest::Closed | Rest::Unsaid => return Ok(None),
            Rest::Open => {
                let open = place.parts().iter().find(|part| part.get("additionalProperties").is_some());
                let path = open.map(|part| part.pointer.clone()).unwrap_or_default();
                self.lose(
                    &path,
                    "additionalProperties",
                    "only the named properties are asked for".to_owned(),
                );
                return Ok(None);
            }
            Rest::Of { any, matching } => (any, matching),
        };
        let Some(entries) = self.entries(place, any, matching)? else { return Ok(None) };
        let mut name = "other_properties".to_owned();
        while properties.contains_key(&name) {
            name.push('_');
        }
        properties.insert(name.clone(), Value::Object(entries.schema));
        Ok(Some(Others { name, step: entries.step }))
    }

    /// An object whose properties have no names becomes a list of keys and values.
    pub(super) fn map(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let (any, matching) = match place.rest() {
            Rest::Of { any, matching } => (any, matching),
            Rest::Closed | Rest::Unsaid | Rest::Open => (Vec::new(), Vec::new()),
        };
        let Some(Form { mut schema, step, .. }) = self.entries(place, any, matching)? else {
            let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
            close(&mut schema, Map::new());
            return Ok(Some(Form { schema, types: JsonTypes::OBJECT, step: KEPT }));
        };
        for (of_object, of_list) in [("minProperties", "minItems"), ("maxProperties", "maxItems")] {
            if let Some(limit) = place.all(of_object).next() {
                schema.insert(of_list.to_owned(), limit.clone());
            }
        }
        let settled = ["minProperties", "maxProperties"];
        let notes = self.constraints(place, JsonTypes::OBJECT, &settled, &mut schema);
        describe(&mut schema, place, &notes);
        let step = self.step(Step::Map(step));
        Ok(Some(Form { schema: in_order_of(place, schema), types: JsonTypes::ARRAY, step }))
    }

    /// The list of keys and values, with the step for the values; `None` if there can be none.
    fn entries(
        &mut self,
        place: &Place<'s>,
        any: Vec<Part<'s>>,
        matching: Vec<(&'s str, Part<'s>)>,
    ) -> Result<Option<Form>, Problem> {
        let key = self.entry_key(place, any.is_empty(), &matching)?;
        let mut values: Vec<Alternative<'s>> =
            matching.into_iter().map(|(_, part)| (part.pointer.clone(), vec![part])).collect();
        if values.is_empty() || !any.is_empty() {
            let any = place.or_anything(any);
            values.push((any.first().map(|part| part.pointer.clone()).unwrap_or_default(), any));
        }
        let value = match <[Alternative<'s>; 1]>::try_from(values) {
            Ok([(_, parts)]) => self.place(parts)?,
            Err(several) => self.union(&Place::new(self.root, Vec::new()), several)?,
        };
        let (Some(key), Some(value)) = (key, value) else { return Ok(None) };
        let mut entry = Map::from_iter([("type".to_owned(), json!("object"))]);
        let fields = ENTRY.into_iter().zip([key.schema, value.schema]);
        close(&mut entry, fields.map(|(name, schema)| (name.to_owned(), Value::Object(schema))).collect());
        let list = [("type".to_owned(), json!("array")), ("items".to_owned(), Value::Object(entry))];
        Ok(Some(Form { schema: Map::from_iter(list), types: JsonTypes::ARRAY, step: value.step }))
    }

    fn entry_key(
        &mut self,
        place: &Place<'s>,
        only_matching: bool,
        matching: &[(&'s str, Part<'s>)],
    ) -> Result<Option<Form>, Problem> {
        let names = place.parts().iter().filter_map(|part| part.child("propertyNames")).collect();
        let mut key = self.form(&Place::new(self.root, names).narrowed(JsonTypes::STRING))?;
        match (matching, key.as_mut()) {
            ([], _) | (_, None) => {}
            ([(pattern, _)], Some(key))
                if only_matching && self.rules.enforces("pattern", &json!(pattern)) =>
            {
                key.schema.entry("pattern").or_insert_with(|| json!(pattern));
            }
            ([(_, part), ..], Some(_)) => {
                let note = "which schema goes with which name is not enforced by the provider; it is checked";
                let path = part.pointer.split("/patternProperties/").next().unwrap_or_default();
                self.lose(path, "patternProperties", note.to_owned());
            }
        }
        Ok(key)
    }

    /// Gives `schema` the items of a list. A list that can have none is kept empty by its limit.
    pub(super) fn list(
        &mut self,
        place: &Place<'s>,
        schema: &mut Map<String, Value>,
    ) -> Result<usize, Problem> {
        let items = match place.items() {
            Items::Of(parts) => self.place(parts)?,
            Items::Closed => None,
        };
        let Some(form) = items else {
            schema.insert("items".to_owned(), json!({ "type": "string" }));
            schema.insert("maxItems".to_owned(), json!(0));
            return Ok(KEPT);
        };
        schema.insert("items".to_owned(), Value::Object(form.schema));
        Ok(self.step(Step::List(form.step)))
    }

    /// A list whose items each have a schema of their own becomes an object.
    pub(super) fn tuple(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let least = place.all("minItems").filter_map(Value::as_u64).max().unwrap_or(0) as usize;
        let most = place.all("maxItems").filter_map(Value::as_u64).min().unwrap_or(u64::MAX) as usize;
        let path =
            place.parts().iter().find(|part| !part.prefix().is_empty()).map(|part| part.pointer.clone());
        let note = "a list with a schema for each item is asked for as an object, and put back";
        self.lose(&path.unwrap_or_default(), "prefixItems", note.to_owned());
        let (mut properties, mut back) = (Map::new(), Vec::new());
        for (number, parts) in place.prefix().into_iter().enumerate().take(most) {
            let optional = number >= least;
            let form = match self.place(parts)? {
                Some(form) if optional => nullable(form),
                Some(form) => form,
                None if optional => break,
                None => return Ok(None),
            };
            let name = format!("item_{}", number + 1);
            let null = if optional { Null::Absent } else { Null::Itself };
            back.push(Property { name: name.clone(), step: form.step, null });
            properties.insert(name, Value::Object(form.schema));
        }
        if let Items::Of(further) = place.items()
            && let Some(part) = further.iter().find(|part| part.constrains() && most > back.len())
        {
            let note = "items after those described one by one are not asked for";
            self.lose(&part.pointer, "items", note.to_owned());
        }
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        close(&mut schema, properties);
        let notes = self.constraints(place, JsonTypes::ARRAY, &["minItems", "maxItems"], &mut schema);
        describe(&mut schema, place, &notes);
        let step = self.step(Step::Tuple(back));
        Ok(Some(Form { schema: in_order_of(place, schema), types: JsonTypes::OBJECT, step }))
    }
}

/// Gives `schema` these properties and no others, all required.
pub(super) fn close(schema: &mut Map<String, Value>, properties: Map<String, Value>) {
    let names: Value = properties.keys().map(String::as_str).collect();
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("required".to_owned(), names);
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
}
