//! A value for a schema: read from the text where it says something, otherwise made up, always the same.
//! The generator walks the schema and tries the choices it leaves; constraints on one kind of value are its neighbours' matter.

mod check;
mod conjunction;
mod format;
mod height;
mod number;
mod pattern;
mod scalar;
mod supported;
mod violate;

#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::HashMap;

use serde_json::{Map, Value};

pub(crate) use check::satisfies;
pub(crate) use conjunction::{names_type, resolve};
pub(crate) use supported::check as supported;
pub(crate) use violate::violate;

use crate::chance::Chance;
use crate::complaint::Complaint;
use crate::reading::{Property, Reading};
use conjunction::Conjunction;

/// From this depth on, the shortest way out of a recursive schema is taken.
const DEEP: usize = 4;
/// A value nests at most so deep; `serde_json` itself reads 128.
const DEEPEST: usize = 100;
/// A value takes at most so many steps to make.
const STEPS: usize = 50_000;
/// What it takes to make a value, steps, comparisons and all, comes to at most so much: less than a second.
const WORK: usize = 2_000_000;
/// What trying to write a text for a pattern counts as.
const PATTERN_WORK: usize = 50;
/// An array that must have more items is refused.
const MOST_ITEMS: usize = 4_096;
/// How often another value is tried where `oneOf` does not allow the first.
const ONE_OF_TRIES: u64 = 8;
/// How often another item is tried where items must differ.
const TRIES: u64 = 300;

/// The value that a model answers for `schema` after reading the text.
pub(crate) fn make(schema: &Value, reading: &Reading<'_>, chance: Chance) -> Result<Value, Complaint> {
    let mut generator = Generator {
        root: schema,
        reading,
        steps: STEPS,
        work: Cell::new(WORK),
        heights: HashMap::new(),
        path: Vec::new(),
    };
    let place = Place { property: Property::default(), chance, depth: 0, salt: 0, optional: false };
    generator.value(&[schema], place).map_err(|obstacle| match obstacle {
        Obstacle::Keyword(complaint) => complaint,
        Obstacle::Unsaid => Complaint::new(&[], "the schema is not supported by the simulator."),
    })
}

/// Why there is no value here.
#[derive(Clone, Debug)]
enum Obstacle {
    /// No value satisfies the schema, as far as the generator can tell.
    Keyword(Complaint),
    /// The text says nothing and nothing has to be here.
    Unsaid,
}

/// Where in the value the generator is.
#[derive(Clone, Copy)]
struct Place<'s> {
    property: Property<'s>,
    chance: Chance,
    depth: usize,
    /// Above 0, another value than the first is asked for, such as the second of several items.
    salt: u64,
    /// The value may be missing, so nothing needs to be made up.
    optional: bool,
}

impl<'s> Place<'s> {
    fn inside(self, name: &'s str) -> Self {
        let property = Property { name, parent: self.property.name, description: "" };
        Self { property, chance: self.chance.at(name), depth: self.depth + 1, optional: false, ..self }
    }

    fn item(self, place: u64, again: u64) -> Self {
        let chance = self.chance.nth(place);
        Self { chance, depth: self.depth + 1, salt: self.salt + place + again, optional: false, ..self }
    }
}

struct Generator<'s, 't> {
    root: &'s Value,
    reading: &'s Reading<'t>,
    steps: usize,
    /// What is left to be done at most.
    work: Cell<usize>,
    /// How flat the values of schemas can be that were asked about, by where they are.
    heights: HashMap<*const Value, usize>,
    path: Vec<String>,
}

impl<'s> Generator<'s, '_> {
    fn obstacle(&self, keyword: &str) -> Obstacle {
        let what = format!("the simulator finds no value for '{keyword}'.");
        Obstacle::Keyword(Complaint::new(&self.path, what))
    }

    /// Takes `amount` from what may be done; whether there was that much.
    fn afford(&self, amount: usize) -> bool {
        let left = self.work.get().checked_sub(amount);
        self.work.set(left.unwrap_or_default());
        left.is_some()
    }

    /// What `judge` says, which may take as much as is left.
    fn judged<T>(&self, judge: impl FnOnce(&mut usize) -> T) -> T {
        let mut fuel = self.work.get();
        let judgement = judge(&mut fuel);
        self.work.set(fuel);
        judgement
    }

    /// How flat the values of `schema` can be; those without end count as the highest.
    fn height(&mut self, schema: &Value) -> usize {
        let root = self.root;
        let known = self.heights.entry(std::ptr::from_ref(schema));
        *known.or_insert_with(|| height::least(root, schema).unwrap_or(usize::MAX))
    }

    /// A value that satisfies all `schemas`.
    fn value(&mut self, schemas: &[&'s Value], place: Place<'s>) -> Result<Value, Obstacle> {
        let mut all = Conjunction::default();
        for schema in schemas {
            all.add(self.root, schema).map_err(|keyword| self.obstacle(keyword))?;
        }
        if place.depth > DEEPEST {
            return Err(self.obstacle("$ref"));
        }
        self.chosen(all, place)
    }

    /// Decides the open choices one by one, going back where a branch leads nowhere.
    fn chosen(&mut self, mut all: Conjunction<'s>, place: Place<'s>) -> Result<Value, Obstacle> {
        match self.steps.checked_sub(1) {
            Some(rest) => self.steps = rest,
            None => return Err(self.obstacle("the size of the schema")),
        }
        if !self.afford(1 + all.maps.len() + all.choices.len()) {
            return Err(self.obstacle("the size of the schema"));
        }
        let Some(choice) = all.choices.pop() else {
            return self.flat(&all, place);
        };
        let mut failed = None;
        for branch in self.in_order(choice.branches, place) {
            let mut narrowed = all.clone();
            if let Err(keyword) = narrowed.add(self.root, branch.schema) {
                failed = failed.or_else(|| Some(self.obstacle(keyword)));
                continue;
            }
            let optional = branch.optional || place.optional;
            for again in 0..if choice.exactly_one { ONE_OF_TRIES } else { 1 } {
                match self.chosen(narrowed.clone(), Place { optional, salt: place.salt + again, ..place }) {
                    Ok(value) if !choice.exactly_one || self.holding(choice.branches, &value) == 1 => {
                        return Ok(value);
                    }
                    Ok(_) => failed = failed.or_else(|| Some(self.obstacle("oneOf"))),
                    Err(obstacle) => failed = failed.or(Some(obstacle)),
                }
            }
        }
        Err(failed.unwrap_or_else(|| self.obstacle("anyOf")))
    }

    /// The branches of a choice, the preferred ones first.
    fn in_order(&mut self, branches: &'s [Value], place: Place<'s>) -> Vec<Branch<'s>> {
        let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
        let nullable = branches.iter().any(is_null) && place.salt == 0;
        let mut ordered: Vec<_> =
            branches.iter().map(|schema| Branch { schema, optional: nullable && !is_null(schema) }).collect();
        let turn = (place.salt % branches.len().max(1) as u64) as usize;
        ordered.rotate_left(turn);
        // Null comes last, as long as the text may say more; deep down it is the way out.
        ordered.sort_by_key(|branch| is_null(branch.schema));
        if place.depth >= DEEP {
            ordered.sort_by_cached_key(|branch| self.height(branch.schema));
        }
        // What the text says may be left out, but what it does not say must still be made where null does not fit.
        let forced: Vec<_> = ordered
            .iter()
            .filter(|branch| branch.optional)
            .map(|branch| Branch { optional: false, ..*branch })
            .collect();
        ordered.into_iter().chain(forced).collect()
    }

    fn holding(&self, branches: &[Value], value: &Value) -> usize {
        self.judged(|fuel| {
            branches.iter().filter(|branch| check::holds(self.root, branch, value, fuel)).count()
        })
    }

    /// A value for schemas that leave no choice but that of the type.
    fn flat(&mut self, all: &Conjunction<'s>, mut place: Place<'s>) -> Result<Value, Obstacle> {
        let described = all.strings("description").chain(all.strings("title")).next();
        place.property.description = described.unwrap_or(place.property.description);

        if all.values("const").chain(all.values("enum")).next().is_some() {
            return self.member(all, place);
        }
        let mut types = all.types().unwrap_or_else(|| vec![likely_type(all)]);
        if types.is_empty() {
            return Err(self.obstacle("type"));
        }
        let nullable = types.contains(&"null");
        types.retain(|name| *name != "null");
        let turn = (place.salt % types.len().max(1) as u64) as usize;
        types.rotate_left(turn);
        if nullable
            && (types.is_empty()
                || place.depth >= DEEP && types.iter().any(|name| matches!(*name, "object" | "array")))
        {
            return Ok(Value::Null);
        }
        let scalars = || types.iter().filter(|name| !matches!(**name, "object" | "array"));
        if place.salt == 0
            && let Some(value) = scalars().find_map(|name| self.read(name, all, place))
        {
            return Ok(value);
        }
        let only_scalars = scalars().count() == types.len();
        if only_scalars && place.optional {
            return Err(Obstacle::Unsaid);
        }
        if only_scalars && nullable && place.salt == 0 {
            return Ok(Value::Null);
        }
        let mut failed = None;
        for name in types {
            let made = match name {
                "object" => self.object(all, place),
                "array" => self.array(all, place),
                scalar => self.make_up(scalar, all, place),
            };
            match made {
                Ok(value) => return Ok(value),
                Err(obstacle) => failed = failed.or(Some(obstacle)),
            }
        }
        if nullable { Ok(Value::Null) } else { Err(failed.unwrap_or_else(|| self.obstacle("type"))) }
    }

    fn object(&mut self, all: &Conjunction<'s>, place: Place<'s>) -> Result<Value, Obstacle> {
        let required = all.required();
        let (least, most) = (all.at_least("minProperties"), all.at_most("maxProperties"));
        let mut object = Map::new();
        let mut left_out = Vec::new();
        let mut room = most
            .unwrap_or(usize::MAX)
            .checked_sub(required.len())
            .ok_or_else(|| self.obstacle("maxProperties"))?;
        for name in all.property_names() {
            let must = required.contains(&name);
            if !must && (room == 0 || place.depth >= DEEP) {
                left_out.push(name);
                continue;
            }
            let inner = Place { optional: !must, ..place.inside(name) };
            match self.property(all, name, inner) {
                Ok(value) => {
                    room -= usize::from(!must);
                    object.insert(name.to_owned(), value);
                }
                Err(obstacle) if must => return Err(obstacle),
                Err(_) => left_out.push(name),
            }
        }
        for name in left_out {
            if object.len() < least
                && let Ok(value) = self.property(all, name, place.inside(name))
            {
                object.insert(name.to_owned(), value);
            }
        }
        let open = all.values("additionalProperties").any(Value::is_object) && room > 0 && place.depth < DEEP;
        let wished = if object.is_empty() && open { least.max(1) } else { least };
        for (n, name) in EXTRA_NAMES.iter().enumerate() {
            if object.len() >= wished {
                break;
            }
            if !object.contains_key(*name) {
                let value =
                    self.property(all, name, Place { salt: place.salt + n as u64, ..place.inside(name) });
                object.extend(value.ok().map(|value| ((*name).to_owned(), value)));
            }
        }
        if object.len() < least { Err(self.obstacle("minProperties")) } else { Ok(Value::Object(object)) }
    }

    fn property(&mut self, all: &Conjunction<'s>, name: &str, place: Place<'s>) -> Result<Value, Obstacle> {
        let depth = self.path.len();
        self.path.extend(["properties".to_owned(), name.to_owned()]);
        let made = self.value(&all.property(name), place);
        self.path.truncate(depth);
        made
    }

    fn array(&mut self, all: &Conjunction<'s>, place: Place<'s>) -> Result<Value, Obstacle> {
        let (least, most) = (all.at_least("minItems"), all.at_most("maxItems").unwrap_or(usize::MAX));
        let unique = all.values("uniqueItems").any(|asked| asked == &Value::Bool(true));
        let listed = all.values("prefixItems").filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
        let wished = if place.depth >= DEEP { 0 } else { listed.max(1) };
        if least > most || least > MOST_ITEMS {
            return Err(self.obstacle("minItems"));
        }
        let mut items: Vec<Value> = Vec::new();
        let depth = self.path.len();
        self.path.push("items".to_owned());
        for at in 0..wished.clamp(least, most) {
            let tries = if unique { TRIES } else { 1 };
            let schemas = all.item(at);
            let mut made = Err(self.obstacle("uniqueItems"));
            for again in 0..tries {
                made = self.value(&schemas, place.item(at as u64, again));
                let repeated = made
                    .as_ref()
                    .is_ok_and(|item| unique && items.iter().any(|before| check::same(before, item)));
                if !repeated {
                    break;
                }
                made = Err(self.obstacle("uniqueItems"));
            }
            match made {
                Ok(item) => items.push(item),
                Err(obstacle) if at < least => return Err(obstacle),
                Err(_) => break,
            }
        }
        self.path.truncate(depth);
        Ok(Value::Array(items))
    }
}

/// A branch of a choice, and whether it may fail because the text says nothing.
#[derive(Clone, Copy)]
struct Branch<'s> {
    schema: &'s Value,
    optional: bool,
}

/// Names for properties that an object must have without saying which.
const EXTRA_NAMES: [&str; 16] = [
    "simulated_1",
    "simulated_2",
    "simulated_3",
    "simulated_4",
    "simulated_5",
    "simulated_6",
    "simulated_7",
    "simulated_8",
    "simulated_9",
    "simulated_10",
    "simulated_11",
    "simulated_12",
    "simulated_13",
    "simulated_14",
    "simulated_15",
    "simulated_16",
];

/// The type of a schema that names none, by its other keywords.
fn likely_type(all: &Conjunction<'_>) -> &'static str {
    let has = |words: &[&'static str]| words.iter().any(|word| all.values(word).next().is_some());
    if has(&["properties", "required", "additionalProperties", "minProperties"]) {
        "object"
    } else if has(&["items", "prefixItems", "minItems", "uniqueItems"]) {
        "array"
    } else if has(&["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]) {
        "number"
    } else {
        "string"
    }
}
