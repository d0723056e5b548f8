//! The user's schema brought into a provider's subset, place by place: references, alternatives, and what of them becomes
//! a definition. What becomes of a single place is in `form.rs`.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::Loss;
use super::compound::close;
use super::dialect::Rules;
use super::form::{self, Form};
use super::restore::{Restoration, Step, WRAPPER};
use crate::error::Problem;
use crate::schema::alternatives::{Alternatives, Branch};
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::{Alternative, Place};
use crate::schema::refused;
use crate::schema::satisfiable::too_deep;
use crate::schema::subschemas::{escaped, target};

/// More places than this make no schema that a provider takes; schemas can be written that multiply without end.
const MOST: usize = 10_000;

/// Places within places, references with a description of their own among them.
const DEEPEST: usize = 64;

/// The step of the root, known before there is one.
const ROOT: usize = 0;

/// The step that does nothing.
pub(super) const KEPT: usize = 1;

type Key = Vec<(String, Vec<&'static str>)>;

/// What a translation gives.
pub(super) struct Translated {
    pub(super) schema: Value,
    pub(super) losses: Vec<Loss>,
    pub(super) restoration: Restoration,
}

pub(super) struct Translation<'s> {
    pub(super) root: &'s Value,
    pub(super) rules: &'static Rules,
    pub(super) losses: Vec<Loss>,
    pub(super) steps: Vec<Step>,
    definitions: Vec<Definition>,
    waiting: VecDeque<(usize, Place<'s>)>,
    /// The places that are being translated, each within the one before.
    open: Vec<Key>,
    places: usize,
}

/// A place that is referred to.
struct Definition {
    key: Key,
    /// The keyword that holds it, and its name there; `None` for the root.
    name: Option<(&'static str, String)>,
    step: usize,
    schema: Value,
}

impl<'s> Translation<'s> {
    /// Translates the schema `root`, wrapping it in an object if it is none.
    ///
    /// # Errors
    /// A schema that multiplies beyond any provider's limits, or of which nothing is left.
    pub(super) fn of(root: &'s Value, rules: &'static Rules) -> Result<Translated, Problem> {
        let place = Place::new(root, vec![Part::new(String::new(), root)]);
        let mut translation = Self {
            root,
            rules,
            losses: Vec::new(),
            steps: vec![Step::Keep, Step::Keep],
            definitions: Vec::new(),
            waiting: VecDeque::new(),
            open: Vec::new(),
            places: 0,
        };
        let wrapped = !form::is_plain_object(&place, root);
        if !wrapped {
            translation.definitions.push(Definition {
                key: place.key(),
                name: None,
                step: ROOT,
                schema: Value::Null,
            });
        }
        let form = translation.held(&place)?.ok_or_else(|| nothing_left(""))?;
        translation.set_step(ROOT, Step::As(form.step));
        let mut schema = if wrapped { wrap(form.schema) } else { form.schema };
        translation.translate_definitions()?;
        translation.add_definitions(&mut schema);
        let first = if wrapped { translation.step(Step::Unwrap(ROOT)) } else { ROOT };
        let schema = if wrapped { schema } else { form::in_order_of(&place, schema) };
        let restoration = Restoration::new(translation.steps, first, root)?;
        Ok(Translated { schema: Value::Object(schema), losses: translation.losses, restoration })
    }

    pub(super) fn step(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn set_step(&mut self, number: usize, step: Step) {
        if let Some(slot) = self.steps.get_mut(number) {
            *slot = step;
        }
    }

    pub(super) fn lose(&mut self, path: &str, keyword: &str, note: String) {
        if !self.losses.iter().any(|known| known.path == path && known.keyword == keyword) {
            self.losses.push(Loss { path: path.to_owned(), keyword: keyword.to_owned(), note });
        }
    }

    /// The form of a place where all of `parts` hold; `None` if nothing can stand there.
    pub(super) fn place(&mut self, parts: Vec<Part<'s>>) -> Result<Option<Form>, Problem> {
        let place = match parts.as_slice() {
            [part] => match part.reference().and_then(|reference| target(self.root, reference)) {
                Some((pointer, schema)) => return self.reference(&pointer, schema),
                None => Place::new(self.root, parts),
            },
            _ => Place::new(self.root, parts),
        };
        self.held(&place)
    }

    fn held(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        self.places += 1;
        if self.places > MOST {
            return Err(Problem::new(format!("the schema takes more than {MOST} schemas to write out"))
                .hint("refer to a definition without a description or other keywords beside the `$ref`"));
        }
        if self.open.len() > DEEPEST {
            return Err(too_deep());
        }
        let key = place.key();
        if !key.is_empty() && self.open.contains(&key) {
            return Ok(Some(self.refer(place)));
        }
        self.open.push(key);
        let form = match place.alternatives(self.root) {
            Some(alternatives) => self.union(place, alternatives),
            None => self.form(place),
        };
        self.open.pop();
        form
    }

    /// Alternatives become `anyOf`, whatever they were; those that nothing satisfies are left out.
    pub(super) fn union(
        &mut self,
        place: &Place<'s>,
        alternatives: Vec<Alternative<'s>>,
    ) -> Result<Option<Form>, Problem> {
        let (mut schemas, mut branches) = (Vec::new(), Vec::new());
        for (pointer, parts) in alternatives {
            let tags = Place::new(self.root, parts.clone()).tags(self.root);
            if let Some(form) = self.place(parts)? {
                branches.push(Branch::new(Some(pointer), form.types, tags, form.step));
                schemas.push(Value::Object(form.schema));
            }
        }
        Ok((!branches.is_empty()).then(|| self.chosen(place, schemas, branches)))
    }

    /// The form of a place with these alternatives.
    pub(super) fn chosen(&mut self, place: &Place<'s>, schemas: Vec<Value>, branches: Vec<Branch>) -> Form {
        let types = branches.iter().fold(JsonTypes::NONE, |all, branch| all | branch.types);
        let mut schema = Map::new();
        form::describe(&mut schema, place, &form::default_note(place));
        schema.insert("anyOf".to_owned(), Value::Array(schemas));
        let step = self.step(Step::Choose(Alternatives::new(branches)));
        Form { schema: form::in_order_of(place, schema), types, step }
    }

    fn reference(&mut self, pointer: &str, schema: &'s Value) -> Result<Option<Form>, Problem> {
        let place = Place::new(self.root, vec![Part::new(pointer.to_owned(), schema)]);
        if place.accepted(self.root).is_empty() {
            return Ok(None);
        }
        // A definition that allows anything is shorter than a reference to it.
        if place.key().is_empty() { self.held(&place) } else { Ok(Some(self.refer(&place))) }
    }

    /// A reference to `place`, which becomes a definition if it is not one yet.
    fn refer(&mut self, place: &Place<'s>) -> Form {
        let key = place.key();
        let known = self.definitions.iter().position(|definition| definition.key == key);
        let number = known.unwrap_or_else(|| self.define(place, key));
        let (reference, step) = match self.definitions.get(number) {
            Some(Definition { name: Some((keyword, name)), step, .. }) => {
                (format!("#/{keyword}/{}", escaped(name)), *step)
            }
            Some(Definition { name: None, step, .. }) => ("#".to_owned(), *step),
            None => ("#".to_owned(), ROOT),
        };
        let schema = Map::from_iter([("$ref".to_owned(), Value::String(reference))]);
        Form { schema, types: form::wire_types(place, self.root), step }
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
        self.definitions.push(Definition { key, name: Some(name), step, schema: Value::Null });
        self.definitions.len() - 1
    }

    fn definition_name(&self, pointer: &str) -> (&'static str, String) {
        for keyword in ["$defs", "definitions"] {
            let own = self.root.get(keyword).and_then(Value::as_object).into_iter().flatten();
            for name in own.map(|(name, _)| name) {
                if pointer == format!("/{keyword}/{}", escaped(name)) {
                    return (keyword, name.clone());
                }
            }
        }
        let last = pointer.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or("root");
        let stem: String =
            last.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let taken = |name: &str| {
            self.root.pointer(&format!("/$defs/{name}")).is_some()
                || self
                    .definitions
                    .iter()
                    .any(|each| each.name.as_ref().is_some_and(|(_, known)| known == name))
        };
        let numbered = (2..).map(|number| format!("{stem}_{number}"));
        let name = std::iter::once(stem.clone()).chain(numbered).find(|name| !taken(name));
        ("$defs", name.unwrap_or(stem))
    }

    fn translate_definitions(&mut self) -> Result<(), Problem> {
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
    fn add_definitions(&mut self, schema: &mut Map<String, Value>) {
        for keyword in ["$defs", "definitions"] {
            let users = self.root.get(keyword).and_then(Value::as_object);
            let place_of = |name: &String| users.and_then(|users| users.keys().position(|each| each == name));
            let mut made: Vec<(String, Value)> = Vec::new();
            for definition in &mut self.definitions {
                if let Some((_, name)) = definition.name.as_ref().filter(|(held_by, _)| *held_by == keyword) {
                    made.push((name.clone(), definition.schema.take()));
                }
            }
            made.sort_by_key(|(name, _)| place_of(name).unwrap_or(usize::MAX));
            if !made.is_empty() {
                schema.insert(keyword.to_owned(), Value::Object(made.into_iter().collect()));
            }
        }
    }
}

fn wrap(schema: Map<String, Value>) -> Map<String, Value> {
    let mut wrapped = Map::from_iter([("type".to_owned(), Value::from("object"))]);
    close(&mut wrapped, Map::from_iter([(WRAPPER.to_owned(), Value::Object(schema))]));
    wrapped
}

fn nothing_left(pointer: &str) -> Problem {
    refused(pointer, "its parts contradict one another, so that no value satisfies all of them")
        .hint("check `allOf`, and what stands beside `$ref`, `anyOf` and `oneOf`")
}
