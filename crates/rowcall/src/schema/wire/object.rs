//! Objects and maps in the wire's form: which properties they have, which of them are required, and what becomes of
//! properties without a name of their own.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::ENTRY;
use super::constraint::in_words;
use super::dialect::{Maps, Optional, Sent, Together, count};
use super::form::{Form, describe, in_order_of, nullable};
use super::outlook::{is_map, stays_native};
use super::step::{Null, Others, Property, Step};
use super::translation::{KEPT, Translation};
use crate::error::Problem;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::{Alternative, Place, Rest};
use crate::schema::validate::{Precision, Validator};

/// What becomes of properties that have no names of their own, in a closed object.
const ONLY_NAMED: &str = "only the named properties are asked for";

/// The same where names that match a pattern have a schema, and others may have any value.
const ONLY_MATCHING: &str = "other names than those that match are not asked for";

impl<'s> Translation<'s> {
    /// Gives `schema` the properties of an object. `None` if a required one cannot have a value.
    pub(super) fn object(
        &mut self,
        place: &Place<'s>,
        schema: &mut Map<String, Value>,
    ) -> Result<Option<usize>, Problem> {
        let required = required(place);
        let is_required: HashSet<&str> = required.iter().copied().collect();
        let (mut properties, mut back) = (Map::new(), Vec::new());
        for (name, parts) in place.properties() {
            let null_is_absence = self.rules.optional == Optional::Nullable && !is_required.contains(name);
            let takes_null = null_is_absence && self.takes_null(&parts)?;
            let Some(form) = self.place(parts)? else { continue };
            let (form, null) = match (null_is_absence, takes_null) {
                (true, true) => (nullable(form), Null::Either),
                (true, false) => (nullable(form), Null::Absent),
                (false, _) => (form, Null::Itself),
            };
            back.push(Property { name: name.to_owned(), step: form.step, null });
            properties.insert(name.to_owned(), Value::Object(form.schema));
        }
        if required.iter().any(|name| !properties.contains_key(*name)) {
            return Ok(None);
        }
        self.lose_matching(place, &properties)?;
        let (additional, others) = match self.rules.maps {
            Maps::Native => self.beside(place)?,
            Maps::Closed | Maps::ClosedOrMatching if stays_native(place, self.rules) => {
                self.closed_beside(place, schema)?
            }
            Maps::Entries | Maps::Closed | Maps::ClosedOrMatching => {
                (Some(Value::Bool(false)), self.gathered(place, &mut properties)?)
            }
        };
        let required = self
            .required_on_wire(place, required, &properties, &others)
            .filter(|required| !(self.rules.maps != Maps::Native && is_map(place) && required == &json!([])));
        // Gemini has refused an empty list of properties where none had to be there.
        let closed = self.rules.maps != Maps::Native && others.is_nothing();
        if !properties.is_empty() || closed || !is_map(place) {
            schema.insert("properties".to_owned(), Value::Object(properties));
        }
        schema.extend(required.map(|required| ("required".to_owned(), required)));
        schema.extend(additional.map(|additional| ("additionalProperties".to_owned(), additional)));
        self.put_in_order(schema);
        Ok(Some(self.step(Step::Object { properties: back, others })))
    }

    /// The value of `required` for an object with these properties.
    fn required_on_wire<'n>(
        &self,
        place: &Place<'s>,
        mut users: Vec<&'n str>,
        properties: &'n Map<String, Value>,
        others: &'n Others,
    ) -> Option<Value> {
        match self.rules.optional {
            // The user's order, if it is the same.
            Optional::Nullable if users.len() == properties.len() => {}
            Optional::Nullable => users = properties.keys().map(String::as_str).collect(),
            Optional::Absent => {
                if let Others::Gathered { name, .. } = others {
                    users.push(name);
                }
                if users.is_empty() && place.all("required").next().is_none() {
                    return None;
                }
            }
        }
        Some(json!(users))
    }

    /// Gives `schema` these properties and no others, all required.
    pub(super) fn close(&self, schema: &mut Map<String, Value>, properties: Map<String, Value>) {
        let names: Value = properties.keys().map(String::as_str).collect();
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("required".to_owned(), names);
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        self.put_in_order(schema);
    }

    /// Lists the properties of `schema` in order, if the provider has a keyword for that.
    fn put_in_order(&self, schema: &mut Map<String, Value>) {
        let names = schema.get("properties").and_then(Value::as_object).filter(|names| !names.is_empty());
        if let (Some(keyword), Some(names)) = (self.rules.ordering, names) {
            let names: Value = names.keys().map(String::as_str).collect();
            schema.insert(keyword.to_owned(), names);
        }
    }

    /// Properties that an object may have beside the named ones, where they stay: what `additionalProperties` says.
    fn beside(&mut self, place: &Place<'s>) -> Result<(Option<Value>, Others), Problem> {
        let (any, matching) = match place.rest() {
            Rest::Closed => return Ok((Some(Value::Bool(false)), Others::Kept)),
            Rest::Open => return Ok((Some(Value::Bool(true)), Others::Kept)),
            Rest::Unsaid => return Ok((is_map(place).then_some(Value::Bool(true)), Others::Kept)),
            Rest::Of { any, matching } => (any, matching),
        };
        self.lose_unmatched(place, &any, &matching);
        Ok(match self.other_values(place, any, matching)? {
            Some(form) => (Some(Value::Object(form.schema)), Others::Beside(form.step)),
            None => (Some(Value::Bool(false)), Others::Kept),
        })
    }

    /// The same where objects are closed that do not describe other properties.
    fn closed_beside(
        &mut self,
        place: &Place<'s>,
        schema: &mut Map<String, Value>,
    ) -> Result<(Option<Value>, Others), Problem> {
        let (any, matching) = match place.rest() {
            Rest::Unsaid | Rest::Open if is_map(place) => (Vec::new(), Vec::new()),
            Rest::Unsaid | Rest::Open => {
                self.lose_others(place);
                return Ok((Some(Value::Bool(false)), Others::Kept));
            }
            Rest::Closed => return Ok((Some(Value::Bool(false)), Others::Kept)),
            Rest::Of { any, matching } => (any, matching),
        };
        self.lose_unmatched(place, &any, &matching);
        let pattern = match matching.first() {
            Some((pattern, part)) => self.name_pattern(&part.pointer, pattern),
            None => None,
        };
        let Some(form) = self.other_values(place, any, matching)? else {
            return Ok((Some(Value::Bool(false)), Others::Kept));
        };
        let others = Others::Beside(form.step);
        Ok(match pattern.as_ref().and_then(Value::as_str) {
            Some(pattern) => {
                schema.insert("patternProperties".to_owned(), json!({ pattern: form.schema }));
                (Some(Value::Bool(false)), others)
            }
            None => (Some(Value::Object(form.schema)), others),
        })
    }

    /// Records that other properties than the named ones are not asked for, at the schema that says most about them.
    fn lose_others(&mut self, place: &Place<'s>) {
        let parts = || place.parts().iter();
        let open = parts().find(|part| {
            part.get("additionalProperties").is_some() || part.get("unevaluatedProperties").is_some()
        });
        let open = open.or_else(|| parts().find(|part| part.is_open_map() && place.parts().len() > 1));
        let path = open.map_or_else(|| place.pointer().to_owned(), |part| part.pointer.clone());
        self.narrow(&path, "additionalProperties", ONLY_NAMED.to_owned());
    }

    /// Records that names which match none of the patterns are not asked for, although they may have any value.
    fn lose_unmatched(&mut self, place: &Place<'s>, any: &[Part<'s>], matching: &[(&'s str, Part<'s>)]) {
        if let ([], [(_, part), ..]) = (any, matching)
            && !place.is_closed_beside_patterns()
        {
            let path = part.pointer.split("/patternProperties/").next().unwrap_or_default();
            self.narrow(path, "additionalProperties", ONLY_MATCHING.to_owned());
        }
    }

    /// Records that patterns which match the names of properties, and `additionalProperties` beside patterns, are not applied to named
    /// properties: each has only the schemas under its name.
    fn lose_matching(&mut self, place: &Place<'s>, properties: &Map<String, Value>) -> Result<(), Problem> {
        for part in place.parts() {
            let mut matched: HashSet<&String> = HashSet::new();
            let patterns = part.named("patternProperties");
            for (pattern, _) in &patterns {
                let names = Validator::compile(&json!({ "pattern": pattern }), Precision::Floats)?;
                matched.extend(properties.keys().filter(|name| names.is_valid(&json!(name))));
            }
            let named = part.get("properties").and_then(Value::as_object);
            let is_other = |name: &&String| {
                !matched.contains(name) && !named.is_some_and(|named| named.contains_key(*name))
            };
            let note =
                "what it says of a named property is not enforced by the provider; it is checked locally";
            if !matched.is_empty() {
                self.lose(&part.pointer, "patternProperties", note.to_owned());
            }
            if !patterns.is_empty()
                && part.child("additionalProperties").is_some_and(|others| others.constrains())
                && properties.keys().any(|name| is_other(&name))
            {
                self.lose(&part.pointer, "additionalProperties", note.to_owned());
            }
        }
        Ok(())
    }

    /// Properties that an object may have beside the named ones, gathered under one more.
    fn gathered(
        &mut self,
        place: &Place<'s>,
        properties: &mut Map<String, Value>,
    ) -> Result<Others, Problem> {
        let (any, matching) = match place.rest() {
            Rest::Closed => return Ok(Others::Kept),
            Rest::Unsaid | Rest::Open => {
                self.lose_others(place);
                return Ok(Others::Kept);
            }
            Rest::Of { any, matching } => (any, matching),
        };
        self.lose_unmatched(place, &any, &matching);
        let Some(mut entries) = self.entries(place, any, matching)? else { return Ok(Others::Kept) };
        self.bound_items(place, &mut entries.schema);
        let mut name = "other_properties".to_owned();
        while properties.contains_key(&name) {
            name.push('_');
        }
        properties.insert(name.clone(), Value::Object(entries.schema));
        Ok(Others::Gathered { name, step: entries.step })
    }

    /// An object whose properties have no names becomes a list of keys and values.
    pub(super) fn map(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let (any, matching) = match place.rest() {
            Rest::Of { any, matching } => (any, matching),
            Rest::Closed | Rest::Unsaid | Rest::Open => (Vec::new(), Vec::new()),
        };
        self.lose_unmatched(place, &any, &matching);
        let Some(Form { mut schema, step, .. }) = self.entries(place, any, matching)? else {
            let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
            self.close(&mut schema, Map::new());
            return Ok(Some(Form { schema, types: JsonTypes::OBJECT, step: KEPT }));
        };
        let mut settled = Vec::new();
        for (of_object, of_list) in [("minProperties", "minItems"), ("maxProperties", "maxItems")] {
            if let Some(limit) = place.all(of_object).next()
                && self.sent(of_list, limit, JsonTypes::ARRAY, None) != Sent::Described
            {
                schema.insert(of_list.to_owned(), count(limit).unwrap_or_else(|| limit.clone()));
                settled.push(of_object);
            }
        }
        self.bound_items(place, &mut schema);
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
        let value = self.other_values(place, any, matching)?;
        let (Some(key), Some(value)) = (key, value) else { return Ok(None) };
        let mut entry = Map::from_iter([("type".to_owned(), json!("object"))]);
        let fields = ENTRY.into_iter().zip([key.schema, value.schema]);
        let fields = fields.map(|(name, schema)| (name.to_owned(), Value::Object(schema)));
        self.close(&mut entry, fields.collect());
        let list = [("type".to_owned(), json!("array")), ("items".to_owned(), Value::Object(entry))];
        Ok(Some(Form { schema: Map::from_iter(list), types: JsonTypes::ARRAY, step: value.step }))
    }

    /// The values of properties that have no names of their own; `None` if there can be none.
    fn other_values(
        &mut self,
        place: &Place<'s>,
        any: Vec<Part<'s>>,
        matching: Vec<(&'s str, Part<'s>)>,
    ) -> Result<Option<Form>, Problem> {
        let mut values: Vec<Alternative<'s>> =
            matching.into_iter().map(|(_, part)| (part.pointer.clone(), vec![part])).collect();
        if values.is_empty() || !any.is_empty() {
            let any = place.or_anything(any);
            values.push((any.first().map(|part| part.pointer.clone()).unwrap_or_default(), any));
        }
        match <[Alternative<'s>; 1]>::try_from(values) {
            Ok([(_, parts)]) => self.place(parts),
            Err(several) => self.union(&Place::new(self.root, place.or_anything(Vec::new())), several),
        }
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
            ([(pattern, part), ..], Some(key)) => {
                let pattern_sent = if only_matching && matching.len() == 1 {
                    self.name_pattern(&part.pointer, pattern)
                } else {
                    None
                };
                if let Some(sent) = pattern_sent {
                    self.limit_key(place, key, sent);
                    return Ok(Some(Form {
                        schema: std::mem::take(&mut key.schema),
                        types: key.types,
                        step: key.step,
                    }));
                }
                if let (true, [_], Some(words)) =
                    (only_matching, matching, in_words("pattern", &json!(pattern)))
                {
                    key.schema.entry("description").or_insert_with(|| json!(words));
                }
                let note = "which schema goes with which name is not enforced by the provider; it is checked";
                let path = part.pointer.split("/patternProperties/").next().unwrap_or_default();
                self.lose(path, "patternProperties", note.to_owned());
            }
        }
        Ok(key)
    }
}

impl Translation<'_> {
    /// Adds `pattern` to the schema of a map's keys, if it can stand there. Beside it an engine may not enforce other limits.
    fn limit_key(&mut self, place: &Place<'_>, key: &mut Form, pattern: Value) {
        if ["pattern", "$ref", "anyOf", "enum", "const"]
            .iter()
            .any(|keyword| key.schema.contains_key(*keyword))
        {
            let note = "which schema goes with which name is not enforced by the provider; it is checked";
            return self.lose(place.pointer(), "patternProperties", note.to_owned());
        }
        if self.rules.together == Together::One {
            for keyword in ["format", "minLength", "maxLength"] {
                if let Some(value) = key.schema.shift_remove(keyword) {
                    let note = format!(
                        "`{keyword}` is not enforced by the provider beside a pattern; it is checked locally"
                    );
                    self.lose(place.pointer(), "propertyNames", note);
                    if let Some(words) = in_words(keyword, &value) {
                        key.schema.entry("description").or_insert(Value::String(words));
                    }
                }
            }
        }
        key.schema.insert("pattern".to_owned(), pattern);
    }
}

/// The names of the properties that must be present, each once.
fn required<'s>(place: &Place<'s>) -> Vec<&'s str> {
    let mut known = HashSet::new();
    place.required().filter(|name| known.insert(*name)).collect()
}
