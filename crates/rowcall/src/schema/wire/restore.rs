//! Converts a value from the wire form back to the user's form. A value without the expected form is left unchanged, and
//! validation decides whether it is valid.

use serde_json::{Map, Value, json};

use super::step::{Null, Others, Property, Step, Steps};
use super::text;
use super::{ENTRY, WRAPPER};

/// Why entries cannot be converted to an object.
enum Ungathered {
    /// One of them is not an entry.
    NoEntry,
    /// Two of them have the same key, or one has the key of another property.
    Twice,
}

impl Steps {
    /// Converts `value` from the wire form to the user's form.
    pub(super) fn restore(&self, value: &mut Value) {
        if !self.are_idle() {
            self.restore_at(self.first(), value);
        }
    }

    fn restore_at(&self, number: usize, value: &mut Value) {
        match (self.at(number), &mut *value) {
            (Step::Wrap(step), Value::Object(fields)) if fields.len() == 1 => {
                if let Some(inner) = fields.get_mut(WRAPPER) {
                    *value = inner.take();
                    self.restore_at(*step, value);
                }
            }
            (Step::Text(_), Value::String(text)) => match text::read(text) {
                Ok(Some(read)) => *value = read,
                // Words that are not JSON are a string without quotes.
                Ok(None) => {}
                Err(why) => *value = text::spoilt(text, &why),
            },
            (Step::Object { properties, others }, Value::Object(fields)) => {
                self.restore_properties(properties, fields);
                match others {
                    Others::Kept => {}
                    Others::Beside(step) => self.restore_beside(properties, *step, fields),
                    Others::Gathered { name, step } => {
                        if let Some(list) = self.restore_gathered(name, *step, fields) {
                            *value = list;
                        }
                    }
                }
            }
            (Step::List { first, rest }, Value::Array(items)) => {
                for (step, item) in first.iter().chain(std::iter::repeat(rest)).zip(items) {
                    self.restore_at(*step, item);
                }
            }
            // Entries of which two have the same key stay a list, which no schema of a map accepts.
            (Step::Map(step), Value::Array(entries)) => {
                if let Ok(fields) = self.gather(*step, entries, |_| false) {
                    *value = Value::Object(fields);
                }
            }
            (Step::Tuple(places), Value::Object(fields)) => {
                if fields.len() == places.len() && places.iter().all(|place| fields.contains_key(&place.name))
                {
                    *value = Value::Array(self.restore_tuple(places, fields));
                }
            }
            (Step::Choose(alternatives), _) => {
                alternatives.apply(value, |step, value| self.restore_at(step, value));
            }
            (
                Step::Keep
                | Step::As(_)
                | Step::Wrap(_)
                | Step::Text(_)
                | Step::Object { .. }
                | Step::List { .. }
                | Step::Map(_)
                | Step::Tuple(_),
                _,
            ) => {}
        }
    }

    fn restore_properties(&self, properties: &[Property], fields: &mut Map<String, Value>) {
        let mut absent = Vec::new();
        for property in properties {
            if property.null != Null::Absent && matches!(self.at(property.step), Step::Keep) {
                continue;
            }
            match fields.get_mut(&property.name) {
                Some(Value::Null) if property.null == Null::Absent => absent.push(&property.name),
                Some(field) => self.restore_at(property.step, field),
                None => {}
            }
        }
        if !absent.is_empty() {
            fields.retain(|name, _| !absent.contains(&name));
        }
    }

    fn restore_beside(&self, properties: &[Property], step: usize, fields: &mut Map<String, Value>) {
        for (name, field) in fields {
            if !properties.iter().any(|property| property.name == *name) {
                self.restore_at(step, field);
            }
        }
    }

    /// Puts the entries under `name` among the other properties. If two have the same name, the whole object as a list
    /// of its entries, so that it is seen: left where they are, they could pass for a property of their own.
    fn restore_gathered(&self, name: &str, step: usize, fields: &mut Map<String, Value>) -> Option<Value> {
        let slot = fields.get_mut(name).filter(|field| field.is_array())?;
        let taken = slot.take();
        let entries = taken.as_array().map(Vec::as_slice).unwrap_or_default();
        match self.gather(step, entries, |key| key != name && fields.contains_key(key)) {
            Ok(gathered) => {
                fields.shift_remove(name);
                fields.extend(gathered);
                None
            }
            Err(Ungathered::NoEntry) => {
                fields.insert(name.to_owned(), taken);
                None
            }
            Err(Ungathered::Twice) => {
                let [key, value] = ENTRY;
                let named = fields.iter().filter(|(other, _)| *other != name);
                let named = named.map(|(name, field)| json!({ key: name, value: field }));
                Some(named.chain(entries.iter().cloned()).collect())
            }
        }
    }

    /// The entries as an object; none may have a key that is `taken`.
    fn gather(
        &self,
        step: usize,
        entries: &[Value],
        taken: impl Fn(&str) -> bool,
    ) -> Result<Map<String, Value>, Ungathered> {
        let mut gathered = Map::new();
        let mut twice = false;
        for entry in entries {
            let (name, field) = halves(entry).ok_or(Ungathered::NoEntry)?;
            let mut field = field.clone();
            self.restore_at(step, &mut field);
            twice |= taken(name) || gathered.insert(name.to_owned(), field).is_some();
        }
        if twice { Err(Ungathered::Twice) } else { Ok(gathered) }
    }

    /// The items in order, up to the first that is absent with nothing after it.
    fn restore_tuple(&self, places: &[Property], fields: &mut Map<String, Value>) -> Vec<Value> {
        let mut items: Vec<Value> = places
            .iter()
            .map(|place| fields.get_mut(&place.name).map(Value::take).unwrap_or_default())
            .collect();
        let nulls = items.iter().rposition(|item| !item.is_null()).map_or(0, |last| last + 1);
        let absent = places.iter().skip(nulls).position(|place| place.null == Null::Absent);
        if let Some(absent) = absent {
            items.truncate(nulls + absent);
        }
        for (place, item) in places.iter().zip(&mut items) {
            if place.null == Null::Itself || !item.is_null() {
                self.restore_at(place.step, item);
            }
        }
        items
    }
}

/// The key and the value of an entry of a map, if `entry` is one.
fn halves(entry: &Value) -> Option<(&str, &Value)> {
    let fields = entry.as_object().filter(|fields| fields.len() == ENTRY.len())?;
    let [key, value] = ENTRY;
    Some((fields.get(key)?.as_str()?, fields.get(value)?))
}

/// The key that two entries of a list share, if it is a list of a map's entries.
pub(in crate::schema) fn key_given_twice(list: &Value) -> Option<&str> {
    let entries: Vec<(&str, &Value)> = list.as_array()?.iter().map(halves).collect::<Option<_>>()?;
    let mut known = std::collections::HashSet::new();
    entries.into_iter().map(|(key, _)| key).find(|key| !known.insert(*key))
}
