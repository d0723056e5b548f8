//! The way back from the wire's form to the user's, worked out when the wire schema is made. A value that has not the
//! form expected is left as it is; whether it is valid is for validation to say.

use serde_json::{Map, Value};

use crate::error::Problem;
use crate::schema::alternatives::{Alternatives, reaching};
use crate::schema::validate::Document;

/// The property that a wrapped root is under.
pub(super) const WRAPPER: &str = "value";

/// The names of the two halves of an entry of a map.
pub(super) const ENTRY: [&str; 2] = ["key", "value"];

/// What is done to a value at one place. Numbers are those of other steps.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing.
    Keep,
    /// What another step says: a reference.
    As(usize),
    /// The root was wrapped in an object.
    Unwrap(usize),
    /// The value was asked for as JSON text.
    ReadText,
    /// An object, with its properties.
    Object { properties: Vec<Property>, rest: Option<Others> },
    /// A list, with its items.
    List(usize),
    /// A map that was asked for as a list of entries, with its values.
    Map(usize),
    /// A list that was asked for as an object, with the property for each item.
    Tuple(Vec<Property>),
    /// One of several.
    Choose(Alternatives),
}

/// A property in the wire's form.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) step: usize,
    pub(super) null: Null,
}

/// What null means as the value of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    /// Null, like any other value.
    Itself,
    /// That the property is absent.
    Absent,
}

/// Properties of any name, gathered under one.
#[derive(Debug)]
pub(super) struct Others {
    pub(super) name: String,
    pub(super) step: usize,
}

impl Step {
    fn inner(&self) -> Vec<usize> {
        match self {
            Self::Keep | Self::ReadText => Vec::new(),
            Self::As(step) | Self::Unwrap(step) | Self::List(step) | Self::Map(step) => vec![*step],
            Self::Object { properties, rest } => {
                properties.iter().map(|each| each.step).chain(rest.iter().map(|rest| rest.step)).collect()
            }
            Self::Tuple(properties) => properties.iter().map(|each| each.step).collect(),
            Self::Choose(alternatives) => alternatives.branches().iter().map(|branch| branch.step).collect(),
        }
    }

    /// Whether it changes a value by itself.
    fn changes(&self) -> bool {
        match self {
            Self::Keep | Self::As(_) | Self::List(_) | Self::Choose(_) => false,
            Self::Unwrap(_) | Self::ReadText | Self::Map(_) | Self::Tuple(_) => true,
            Self::Object { properties, rest } => {
                rest.is_some() || properties.iter().any(|each| each.null == Null::Absent)
            }
        }
    }
}

/// The way back. Steps refer to one another by number, so that recursive schemas need no more of them.
#[derive(Debug)]
pub(super) struct Restoration {
    steps: Vec<Step>,
    first: usize,
}

impl Restoration {
    /// Drops what changes nothing, and prepares the choices between alternatives.
    pub(super) fn new(mut steps: Vec<Step>, first: usize, root: &Value) -> Result<Self, Problem> {
        let inner: Vec<Vec<usize>> = steps.iter().map(Step::inner).collect();
        let active = reaching(&inner, steps.iter().map(Step::changes).collect());
        let is_active = |step: usize| active.get(step) == Some(&true);
        let document = Document::new(root);
        for (number, step) in steps.iter_mut().enumerate() {
            if !is_active(number) {
                *step = Step::Keep;
            }
            match step {
                Step::Object { properties, .. } => {
                    properties.retain(|each| each.null == Null::Absent || is_active(each.step));
                }
                Step::Choose(alternatives) => alternatives.prepare(&document)?,
                Step::Keep
                | Step::As(_)
                | Step::Unwrap(_)
                | Step::ReadText
                | Step::List(_)
                | Step::Map(_)
                | Step::Tuple(_) => {}
            }
        }
        Ok(Self { steps, first })
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.steps.get(self.first), None | Some(Step::Keep))
    }

    pub(super) fn apply(&self, value: &mut Value) {
        self.apply_at(self.first, value);
    }

    fn apply_at(&self, number: usize, value: &mut Value) {
        match (self.steps.get(number), &mut *value) {
            (Some(Step::As(step)), _) => self.apply_at(*step, value),
            (Some(Step::Unwrap(step)), Value::Object(fields)) if fields.len() == 1 => {
                if let Some(inner) = fields.get_mut(WRAPPER) {
                    *value = inner.take();
                    self.apply_at(*step, value);
                }
            }
            (Some(Step::ReadText), Value::String(text)) => {
                if let Ok(read) = serde_json::from_str(text) {
                    *value = read;
                }
            }
            (Some(Step::Object { properties, rest }), Value::Object(fields)) => {
                self.restore_object(properties, rest.as_ref(), fields);
            }
            (Some(Step::List(step)), Value::Array(items)) => {
                for item in items {
                    self.apply_at(*step, item);
                }
            }
            (Some(Step::Map(step)), Value::Array(entries)) => {
                if let Some(fields) = self.gather(*step, entries, &Map::new()) {
                    *value = Value::Object(fields);
                }
            }
            (Some(Step::Tuple(places)), Value::Object(fields)) => {
                if fields.len() == places.len() && places.iter().all(|place| fields.contains_key(&place.name))
                {
                    *value = Value::Array(self.restore_tuple(places, fields));
                }
            }
            (Some(Step::Choose(alternatives)), _) => {
                alternatives.apply(value, |step, value| self.apply_at(step, value));
            }
            (
                None
                | Some(
                    Step::Keep
                    | Step::Unwrap(_)
                    | Step::ReadText
                    | Step::Object { .. }
                    | Step::List(_)
                    | Step::Map(_)
                    | Step::Tuple(_),
                ),
                _,
            ) => {}
        }
    }

    fn restore_object(
        &self,
        properties: &[Property],
        rest: Option<&Others>,
        fields: &mut Map<String, Value>,
    ) {
        let mut absent = Vec::new();
        for property in properties {
            match fields.get_mut(&property.name) {
                Some(Value::Null) if property.null == Null::Absent => absent.push(&property.name),
                Some(field) => self.apply_at(property.step, field),
                None => {}
            }
        }
        if !absent.is_empty() {
            fields.retain(|name, _| !absent.contains(&name));
        }
        if let Some(Others { name, step }) = rest
            && let Some(Value::Array(entries)) = fields.get(name)
            && let Some(others) = self.gather(*step, entries, fields)
        {
            fields.shift_remove(name);
            fields.extend(others);
        }
    }

    /// The entries as an object, unless one is no entry or two have the same key, or one of those in `beside`.
    fn gather(
        &self,
        step: usize,
        entries: &[Value],
        beside: &Map<String, Value>,
    ) -> Option<Map<String, Value>> {
        let [key, value] = ENTRY;
        let mut gathered = Map::new();
        for entry in entries {
            let entry = entry.as_object().filter(|entry| entry.len() == 2)?;
            let (name, field) = (entry.get(key)?.as_str()?, entry.get(value)?);
            if beside.contains_key(name) || gathered.contains_key(name) {
                return None;
            }
            let mut field = field.clone();
            self.apply_at(step, &mut field);
            gathered.insert(name.to_owned(), field);
        }
        Some(gathered)
    }

    /// The items in order; those at the end that are absent are left out.
    fn restore_tuple(&self, places: &[Property], fields: &mut Map<String, Value>) -> Vec<Value> {
        let mut items = Vec::new();
        let mut length = 0;
        for place in places {
            let mut item = fields.get_mut(&place.name).map(Value::take).unwrap_or_default();
            if !(item.is_null() && place.null == Null::Absent) {
                self.apply_at(place.step, &mut item);
                length = items.len() + 1;
            }
            items.push(item);
        }
        items.truncate(length);
        items
    }
}
