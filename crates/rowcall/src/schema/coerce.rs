//! Converts numbers and booleans to what the schema asks for: `"3"` and `3.0` become `3` where only an integer is allowed.
//! Nothing else changes; `validate.rs` checks the result.

use std::collections::HashMap;

use serde_json::{Number, Value};

use super::alternatives::{Alternatives, Branch, reaching};
use super::json_type::JsonTypes;
use super::part::Part;
use super::place::{Items, Place, Rest};
use super::strangers::Further;
use super::validate::Document;
use crate::number;

/// The most locations that are examined. Only schemas that are built to grow have more.
const MOST: usize = 10_000;

/// Where in a value a schema asks for numbers and booleans. Compiled once.
#[derive(Debug)]
pub(super) struct Coercion {
    /// The first is the whole value's.
    pub(super) shapes: Vec<Shape>,
}

/// What is asked for at one place; the numbers are those of other shapes.
#[derive(Debug)]
pub(super) struct Shape {
    types: JsonTypes,
    pub(super) properties: HashMap<String, usize>,
    pub(super) others: Option<usize>,
    pub(super) further: Further,
    pub(super) prefix: Vec<usize>,
    pub(super) items: Option<usize>,
    pub(super) alternatives: Option<Alternatives>,
    /// Whether anything can change here or further in.
    active: bool,
}

impl Coercion {
    pub(super) fn compile(root: &Value) -> Self {
        let mut compiler = Compiler { root, shapes: Vec::new(), known: HashMap::new(), open: Vec::new() };
        compiler.shape(vec![Part::new(String::new(), root)]);
        while let Some((number, place)) = compiler.open.pop() {
            compiler.fill(number, &place);
        }
        let mut shapes = compiler.shapes;
        let inner: Vec<Vec<usize>> = shapes.iter().map(Shape::inner).collect();
        let active = reaching(&inner, shapes.iter().map(Shape::changes_scalars).collect());
        let document = Document::new(root);
        for (shape, active) in shapes.iter_mut().zip(active) {
            shape.active = active;
            if let (true, Some(alternatives)) = (active, &mut shape.alternatives) {
                alternatives.prepare(&document, |_| Vec::new());
            }
        }
        Self { shapes }
    }

    pub(super) fn apply(&self, value: &mut Value) {
        self.apply_at(0, value);
    }

    fn apply_at(&self, number: usize, value: &mut Value) {
        let Some(shape) = self.shapes.get(number).filter(|shape| shape.active) else { return };
        match (value, &shape.alternatives) {
            (value @ (Value::Object(_) | Value::Array(_)), Some(alternatives)) => {
                alternatives.apply(value, |number, value| self.apply_at(number, value));
            }
            (Value::Object(fields), None) => {
                for (name, field) in fields {
                    if let Some(number) = shape.properties.get(name).copied().or(shape.others) {
                        self.apply_at(number, field);
                    }
                }
            }
            (Value::Array(items), None) => {
                for (position, item) in items.iter_mut().enumerate() {
                    if let Some(number) = shape.prefix.get(position).copied().or(shape.items) {
                        self.apply_at(number, item);
                    }
                }
            }
            (value @ (Value::Number(_) | Value::String(_)), _) => {
                if let Some(spelled) = respelled(shape.types, value) {
                    *value = spelled;
                }
            }
            (Value::Null | Value::Bool(_), _) => {}
        }
    }
}

impl Shape {
    fn unknown() -> Self {
        Self {
            types: JsonTypes::ANY,
            properties: HashMap::new(),
            others: None,
            further: Further::Described,
            prefix: Vec::new(),
            items: None,
            alternatives: None,
            active: false,
        }
    }

    fn inner(&self) -> Vec<usize> {
        let branches = self.alternatives.iter().flat_map(Alternatives::branches).map(|branch| branch.step);
        let fields = self.properties.values().copied().chain(self.others);
        fields.chain(self.prefix.iter().copied()).chain(self.items).chain(branches).collect()
    }

    fn changes_scalars(&self) -> bool {
        let whole = self.types.includes(JsonTypes::INTEGER) && !self.types.includes(JsonTypes::FRACTION);
        let from_text = self.types.overlaps(JsonTypes::NUMBER | JsonTypes::BOOLEAN);
        whole || from_text && !self.types.includes(JsonTypes::STRING)
    }
}

struct Compiler<'s> {
    root: &'s Value,
    shapes: Vec<Shape>,
    known: HashMap<Vec<(String, Vec<&'static str>)>, usize>,
    open: Vec<(usize, Place<'s>)>,
}

impl<'s> Compiler<'s> {
    /// The number of the shape of a place where `parts` hold; its contents are filled in later.
    fn shape(&mut self, parts: Vec<Part<'s>>) -> usize {
        let place = Place::new(self.root, parts);
        let number = self.shapes.len();
        if number == MOST {
            return usize::MAX;
        }
        let known = *self.known.entry(place.key()).or_insert(number);
        if known == number {
            self.shapes.push(Shape::unknown());
            self.open.push((number, place));
        }
        known
    }

    fn fill(&mut self, number: usize, place: &Place<'s>) {
        let mut shape = Shape { types: place.accepted(self.root), ..Shape::unknown() };
        if let Some(alternatives) = place.alternatives(self.root) {
            let branch = |(pointer, parts): (String, Vec<Part<'s>>)| {
                let place = Place::new(self.root, parts.clone());
                Branch::new(
                    Some(pointer),
                    place.accepted(self.root),
                    place.tags(self.root),
                    self.shape(parts),
                )
            };
            shape.alternatives = Some(Alternatives::new(alternatives.into_iter().map(branch).collect()));
        } else {
            if shape.types.overlaps(JsonTypes::OBJECT) {
                let properties = place.properties().into_iter();
                shape.properties =
                    properties.map(|(name, parts)| (name.to_owned(), self.shape(parts))).collect();
                shape.further = match place.rest() {
                    Rest::Of { .. } => Further::Described,
                    Rest::Unsaid => Further::Unsaid,
                    Rest::Closed => Further::Closed,
                    Rest::Open => Further::Open,
                };
                shape.others = match place.rest() {
                    Rest::Of { any, matching } if matching.is_empty() => Some(self.shape(any)),
                    Rest::Of { .. } | Rest::Closed | Rest::Unsaid | Rest::Open => self.only_pattern(place),
                };
            }
            if shape.types.overlaps(JsonTypes::ARRAY) {
                shape.prefix = place.prefix().into_iter().map(|parts| self.shape(parts)).collect();
                shape.items = match place.items() {
                    Items::Of(parts) => Some(self.shape(parts)),
                    Items::Closed => None,
                };
            }
        }
        if let Some(slot) = self.shapes.get_mut(number) {
            *slot = shape;
        }
    }

    /// The schema of the properties whose names match the only pattern, where no others are allowed: maps with numbers
    /// as keys are described so.
    fn only_pattern(&mut self, place: &Place<'s>) -> Option<usize> {
        match place.rest() {
            Rest::Of { any, matching }
                if any.is_empty() && matching.len() == 1 && place.forbids("additionalProperties") =>
            {
                Some(self.shape(matching.into_iter().map(|(_, part)| part).collect()))
            }
            Rest::Of { .. } | Rest::Closed | Rest::Unsaid | Rest::Open => None,
        }
    }
}

/// `value` spelled anew if it is not of `types` but means a value that is: a number or boolean in a string, or a whole
/// number written as a fraction.
fn respelled(types: JsonTypes, value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if number.is_f64() && !types.includes(JsonTypes::FRACTION) => {
            whole(types, number)
        }
        Value::String(text) if !types.includes(JsonTypes::STRING) => {
            let text = text.trim();
            let boolean = [true, false].into_iter().find(|each| text.eq_ignore_ascii_case(&each.to_string()));
            match boolean {
                Some(boolean) => types.includes(JsonTypes::BOOLEAN).then_some(Value::Bool(boolean)),
                None => number(types, text),
            }
        }
        Value::Number(_)
        | Value::String(_)
        | Value::Null
        | Value::Bool(_)
        | Value::Array(_)
        | Value::Object(_) => None,
    }
}

/// A number in JSON's own spelling, with an optional plus sign: `007` and `1,000` are not numbers.
fn number(types: JsonTypes, text: &str) -> Option<Value> {
    if !types.overlaps(JsonTypes::NUMBER) {
        return None;
    }
    let digits = text.strip_prefix('+').filter(|digits| !digits.starts_with('-')).unwrap_or(text);
    let number: Number = serde_json::from_str(digits).ok().filter(|number| !number::is_too_large(number))?;
    if types.includes(JsonTypes::FRACTION) || !number.is_f64() {
        return Some(Value::Number(number));
    }
    // `5.000` may mean 5 or 5000.
    if number::is_grouped_by_dots(digits) { None } else { whole(types, &number) }
}

fn whole(types: JsonTypes, number: &Number) -> Option<Value> {
    let digits = number::whole(number).filter(|_| types.includes(JsonTypes::INTEGER))?;
    serde_json::from_str(&digits).ok()
}

#[cfg(test)]
mod tests;
