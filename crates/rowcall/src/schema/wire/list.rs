//! Lists and tuples in the wire's form.

use serde_json::{Map, Value, json};

use super::constraint::in_words;
use super::dialect::{Sent, Tuples};
use super::form::{Form, describe, in_order_of, nullable};
use super::step::{Null, Property, Step};
use super::translation::{KEPT, Translation};
use crate::error::Problem;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::{Items, Place};
use crate::schema::wording::number_of;

/// A list in the wire's form.
pub(super) struct List {
    pub(super) step: usize,
    /// How many items there can be, if the items say so.
    pub(super) most: Option<usize>,
}

impl<'s> Translation<'s> {
    /// Gives `schema` the items of a list.
    pub(super) fn list(
        &mut self,
        place: &Place<'s>,
        schema: &mut Map<String, Value>,
    ) -> Result<List, Problem> {
        let prefix = match self.rules.tuples {
            Tuples::Native | Tuples::Exact => place.prefix(),
            Tuples::Object => Vec::new(),
        };
        let (described, mut schemas, mut first) = (prefix.len(), Vec::new(), Vec::new());
        for parts in prefix {
            // Where nothing can stand, the list has ended.
            let Some(form) = self.place(parts)? else { break };
            schemas.push(Value::Object(form.schema));
            first.push(form.step);
        }
        let exact = described > 0 && self.rules.tuples == Tuples::Exact;
        let ended = schemas.len() < described || exact;
        let (items, open) = match place.items() {
            // What nobody describes after items that are described is not asked for.
            Items::Of(parts) if !ended && described > 0 && !parts.iter().any(Part::constrains) => {
                (None, true)
            }
            Items::Of(parts) if !ended => (self.place(parts)?, false),
            Items::Of(_) | Items::Closed => (None, false),
        };
        let unsaid = matches!(place.items(), Items::Of(_)) && place.all("maxItems").next().is_none();
        if exact && unsaid {
            let note = "items after those described one by one are not asked for";
            self.narrow(place.pointer(), "items", note.to_owned());
        }
        let most = (items.is_none() && !open).then_some(schemas.len());
        let rest = items.as_ref().map_or(KEPT, |form| form.step);
        if let Some(form) = items {
            schema.insert("items".to_owned(), Value::Object(form.schema));
        } else if schemas.is_empty() {
            schema.insert("items".to_owned(), json!({ "type": "string" }));
        }
        if !schemas.is_empty() {
            schema.insert("prefixItems".to_owned(), Value::Array(schemas));
        }
        Ok(List { step: self.step(Step::List { first, rest }), most })
    }

    /// Limits a list to `most` items; returns that in words if the provider does not enforce it.
    pub(super) fn limit_items(
        &mut self,
        place: &Place<'s>,
        most: usize,
        schema: &mut Map<String, Value>,
    ) -> Option<String> {
        let limit = json!(most);
        if self.sent("maxItems", &limit, JsonTypes::ARRAY, None) == Sent::Described {
            let note = format!("that there are at most {} is only described", number_of(most as u64, "item"));
            self.lose(place.pointer(), "items", note);
            return in_words("maxItems", &limit);
        }
        let lower = schema.get("maxItems").and_then(Value::as_u64).is_some_and(|other| other < most as u64);
        if !lower {
            schema.insert("maxItems".to_owned(), limit);
        }
        None
    }

    /// A list whose items each have a schema of their own becomes an object.
    pub(super) fn tuple(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let least = least_items(place);
        let most = place.all("maxItems").filter_map(Value::as_u64).min().unwrap_or(u64::MAX) as usize;
        let path =
            place.parts().iter().find(|part| !part.prefix().is_empty()).map(|part| part.pointer.clone());
        let note = "a list with a schema for each item is asked for as an object, and put back";
        self.lose(&path.unwrap_or_default(), "prefixItems", note.to_owned());
        let (mut properties, mut back) = (Map::new(), Vec::new());
        for number in 0..place.prefix().len().max(least).min(most) {
            self.count()?;
            let parts = place.item(number);
            let takes_null = number >= least && self.takes_null(&parts)?;
            let (form, null) = match (self.place(parts)?, number < least) {
                (Some(form), true) => (form, Null::Itself),
                (Some(form), false) if takes_null => (nullable(form), Null::Either),
                (Some(form), false) => (nullable(form), Null::Absent),
                (None, true) => return Ok(None),
                (None, false) => break,
            };
            let name = format!("item_{}", number + 1);
            back.push(Property { name: name.clone(), step: form.step, null });
            properties.insert(name, Value::Object(form.schema));
        }
        if let Items::Of(further) = place.items()
            && most > back.len()
        {
            let note = "items after those described one by one are not asked for";
            let path = further.iter().find(|part| part.constrains()).map(|part| part.pointer.clone());
            self.narrow(&path.unwrap_or_else(|| place.pointer().to_owned()), "items", note.to_owned());
        }
        let mut schema = Map::from_iter([("type".to_owned(), json!("object"))]);
        self.close(&mut schema, properties);
        let notes = self.constraints(place, JsonTypes::ARRAY, &["minItems", "maxItems"], &mut schema);
        describe(&mut schema, place, &notes);
        let step = self.step(Step::Tuple(back));
        Ok(Some(Form { schema: in_order_of(place, schema), types: JsonTypes::OBJECT, step }))
    }
}

/// How many items a list must have.
pub(super) fn least_items(place: &Place<'_>) -> usize {
    place.all("minItems").filter_map(Value::as_u64).max().unwrap_or(0) as usize
}
