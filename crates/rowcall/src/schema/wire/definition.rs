//! References and definitions in the wire form: each target is translated once, under a unique name.

use serde_json::{Map, Value};

use super::form::Form;
use super::outlook;
use super::step::Step;
use super::translation::{ROOT, Translation, nothing_left};
use crate::error::Problem;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::Place;
use crate::violation::escaped;

/// What identifies a place.
pub(super) type Key = Vec<(String, Vec<&'static str>)>;

/// A place that is referred to.
pub(super) struct Definition {
    /// The keyword that holds it, and its name there; `None` for the root.
    name: Option<(&'static str, String)>,
    step: usize,
    /// The types of values in the wire's form, once they are known.
    types: Option<JsonTypes>,
    schema: Value,
}

impl<'s> Translation<'s> {
    /// The root can be referred to as well, if it is what is sent.
    pub(super) fn define_root(&mut self, root: &Place<'s>) {
        self.defined.insert(root.key(), self.definitions.len());
        self.definitions.push(Definition { name: None, step: ROOT, types: None, schema: Value::Null });
    }

    /// The form of a reference to `schema`, which stands at `pointer`; `None` if nothing can stand there.
    pub(super) fn reference(&mut self, pointer: &str, schema: &'s Value) -> Result<Option<Form>, Problem> {
        let place = Place::new(self.root, vec![Part::new(pointer.to_owned(), schema)]);
        if self.defined.contains_key(&place.key()) {
            return Ok(Some(self.refer(&place)));
        }
        if place.accepted(self.root).is_empty() {
            return Ok(None);
        }
        // A definition that allows anything is shorter than a reference to it.
        if place.key().is_empty() { self.held(&place) } else { Ok(Some(self.refer(&place))) }
    }

    /// A reference to `place`, which becomes a definition if it is not one yet.
    pub(super) fn refer(&mut self, place: &Place<'s>) -> Form {
        let key = place.key();
        let known = self.defined.get(&key).copied();
        let number = known.unwrap_or_else(|| self.define(place, key));
        let (reference, step) = match self.definitions.get(number) {
            Some(Definition { name: Some((keyword, name)), step, .. }) => {
                (format!("#/{keyword}/{}", escaped(name)), *step)
            }
            Some(Definition { name: None, step, .. }) => ("#".to_owned(), *step),
            None => ("#".to_owned(), ROOT),
        };
        let (root, rules) = (self.root, self.rules);
        let looked_at = || outlook::of(place, root, rules).types;
        let types = match self.definitions.get_mut(number) {
            Some(definition) => *definition.types.get_or_insert_with(looked_at),
            None => looked_at(),
        };
        let schema = Map::from_iter([("$ref".to_owned(), Value::String(reference))]);
        Form { schema, types, step }
    }

    /// A new definition, to be translated later: of the name that it has in the user's schema, if it is one there.
    fn define(&mut self, place: &Place<'s>, key: Key) -> usize {
        let own = match key.as_slice() {
            // What stood beside the reference belongs to one place, not to all that share the definition.
            [(pointer, spent)] if spent.is_empty() => {
                self.root.pointer(pointer).map(|schema| Part::new(pointer.clone(), schema))
            }
            _ => None,
        };
        let place = own.map_or_else(|| place.clone(), |part| Place::new(self.root, vec![part]));
        let name = self.definition_name(key.last().map_or("", |(pointer, _)| pointer));
        let step = self.step(Step::Keep);
        self.waiting.push_back((self.definitions.len(), place));
        self.defined.insert(key, self.definitions.len());
        self.definitions.push(Definition { name: Some(name), step, types: None, schema: Value::Null });
        self.definitions.len() - 1
    }

    /// The user's own keyword and name for what stands at `pointer`, if the provider knows it as a definition and the
    /// name needs no escapes in a reference; otherwise others.
    fn definition_name(&mut self, pointer: &str) -> (&'static str, String) {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_' || c == '.';
        let last = pointer.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or("root");
        if let Some(keyword) = self.rules.definitions.iter().find(|each| pointer == format!("/{each}/{last}"))
            && last.chars().all(plain)
        {
            self.names.insert(last.to_owned(), 1);
            return (keyword, last.to_owned());
        }
        let stem: String = last.chars().map(|c| if plain(c) { c } else { '_' }).collect();
        let users = self.root.get("$defs");
        // Where many places have the same name, the numbers that are taken are not tried again.
        let mut number = self.names.get(&stem).copied().unwrap_or(0);
        let name = loop {
            number += 1;
            let name = if number == 1 { stem.clone() } else { format!("{stem}_{number}") };
            if users.and_then(|users| users.get(&name)).is_none() && !self.names.contains_key(&name) {
                break name;
            }
        };
        self.names.insert(stem, number);
        self.names.entry(name.clone()).or_insert(1);
        ("$defs", name)
    }

    /// Translates what has been referred to, and what is referred to there.
    pub(super) fn translate_definitions(&mut self) -> Result<(), Problem> {
        while let Some((number, place)) = self.waiting.pop_front() {
            let form = self.held(&place)?.ok_or_else(|| nothing_left(place.pointer()))?;
            let Some(definition) = self.definitions.get_mut(number) else { continue };
            definition.schema = Value::Object(form.schema);
            let step = definition.step;
            self.set_step(step, Step::As(form.step));
        }
        Ok(())
    }

    /// Puts the definitions into the root, in the user's order, those of our own making last.
    pub(super) fn add_definitions(&mut self, schema: &mut Map<String, Value>) {
        for keyword in self.rules.definitions {
            let users = self.root.get(*keyword).and_then(Value::as_object);
            let place_of = |name: &String| users.and_then(|users| users.keys().position(|each| each == name));
            let mut made: Vec<(String, Value)> = Vec::new();
            for definition in &mut self.definitions {
                if let Some((_, name)) = definition.name.as_ref().filter(|(held_by, _)| held_by == keyword) {
                    made.push((name.clone(), definition.schema.take()));
                }
            }
            made.sort_by_cached_key(|(name, _)| place_of(name).unwrap_or(usize::MAX));
            if !made.is_empty() {
                schema.insert((*keyword).to_owned(), Value::Object(made.into_iter().collect()));
            }
        }
    }
}
