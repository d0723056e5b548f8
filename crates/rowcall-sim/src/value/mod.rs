//! A value for a schema: read from the text where possible, otherwise made up, always the same. The generator walks
//! the schema and tries the choices that it leaves open; its neighbours handle the constraints on one kind of value.

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
/// The deepest nesting of a value; `serde_json` itself reads 128.
const DEEPEST: usize = 100;
/// The most steps for making a value.
const STEPS: usize = 50_000;
/// The most work for making a value, including steps and comparisons: less than a second.
const WORK: usize = 2_000_000;
/// The work counted for an attempt to write a text for a pattern.
const PATTERN_WORK: usize = 50;
/// An array that requires more items is rejected.
const MOST_ITEMS: usize = 4_096;
/// How often another value is tried when `oneOf` does not allow the first.
const ONE_OF_TRIES: u64 = 8;
/// How often another item is tried when items must be unique.
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
    let location = Location { property: Property::default(), chance, depth: 0, salt: 0, optional: false };
    generator.value(&[schema], location).map_err(|obstacle| match obstacle {
        Obstacle::Keyword(complaint) => complaint,
        Obstacle::Unsaid => Complaint::new(&[], "the schema is not supported by the simulator."),
    })
}

/// Why there is no value at this location.
#[derive(Clone, Debug)]
enum Obstacle {
    /// No value satisfies the schema, as far as the generator knows.
    Keyword(Complaint),
    /// The text says nothing, and no value is required.
    Unsaid,
}

/// The generator's location in the value.
#[derive(Clone, Copy)]
struct Location<'s> {
    property: Property<'s>,
    chance: Chance,
    depth: usize,
    /// Above 0, another value than the first is wanted, such as the second of several items.
    salt: u64,
    /// The value may be absent, so nothing needs to be made up.
    optional: bool,
}

impl<'s> Location<'s> {
    fn inside(self, name: &'s str) -> Self {
        let property = Property { name, parent: self.property.name, description: "" };
        Self { property, chance: self.chance.at(name), depth: self.depth + 1, optional: false, ..self }
    }

    fn item(self, index: u64, again: u64) -> Self {
        let chance = self.chance.nth(index);
        Self { chance, depth: self.depth + 1, salt: self.salt + index + again, optional: false, ..self }
    }
}

struct Generator<'s, 't> {
    root: &'s Value,
    reading: &'s Reading<'t>,
    steps: usize,
    /// The work that is left.
    work: Cell<usize>,
    /// The heights of the schemas asked about so far, by address.
    heights: HashMap<*const Value, usize>,
    path: Vec<String>,
}

impl<'s> Generator<'s, '_> {
    fn obstacle(&self, keyword: &str) -> Obstacle {
        let what = format!("the simulator finds no value for '{keyword}'.");
        Obstacle::Keyword(Complaint::new(&self.path, what))
    }

    /// Takes `amount` from the work left; returns whether there was enough.
    fn afford(&self, amount: usize) -> bool {
        let left = self.work.get().checked_sub(amount);
        self.work.set(left.unwrap_or_default());
        left.is_some()
    }

    /// The result of `judge`, which may use all the work left.
    fn judged<T>(&self, judge: impl FnOnce(&mut usize) -> T) -> T {
        let mut fuel = self.work.get();
        let judgement = judge(&mut fuel);
        self.work.set(fuel);
        judgement
    }

    /// The least height of the values of `schema`; infinite ones count as the highest.
    fn height(&mut self, schema: &Value) -> usize {
        let root = self.root;
        let known = self.heights.entry(std::ptr::from_ref(schema));
        *known.or_insert_with(|| height::least(root, schema).unwrap_or(usize::MAX))
    }

    /// A value that satisfies all `schemas`.
    fn value(&mut self, schemas: &[&'s Value], location: Location<'s>) -> Result<Value, Obstacle> {
        let mut all = Conjunction::default();
        for schema in schemas {
            all.add(self.root, schema).map_err(|keyword| self.obstacle(keyword))?;
        }
        if location.depth > DEEPEST {
            return Err(self.obstacle("$ref"));
        }
        self.chosen(all, location)
    }

    /// Decides the open choices one by one, backtracking when a branch fails.
    fn chosen(&mut self, mut all: Conjunction<'s>, location: Location<'s>) -> Result<Value, Obstacle> {
        match self.steps.checked_sub(1) {
            Some(rest) => self.steps = rest,
            None => return Err(self.obstacle("the size of the schema")),
        }
        if !self.afford(1 + all.maps.len() + all.choices.len()) {
            return Err(self.obstacle("the size of the schema"));
        }
        let Some(choice) = all.choices.pop() else {
            return self.flat(&all, location);
        };
        let mut failed = None;
        for branch in self.in_order(choice.branches, location) {
            let mut narrowed = all.clone();
            if let Err(keyword) = narrowed.add(self.root, branch.schema) {
                failed = failed.or_else(|| Some(self.obstacle(keyword)));
                continue;
            }
            let optional = branch.optional || location.optional;
            for again in 0..if choice.exactly_one { ONE_OF_TRIES } else { 1 } {
                match self
                    .chosen(narrowed.clone(), Location { optional, salt: location.salt + again, ..location })
                {
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
    fn in_order(&mut self, branches: &'s [Value], location: Location<'s>) -> Vec<Branch<'s>> {
        let is_null = |schema: &Value| schema.get("type").is_some_and(|name| name == "null");
        let nullable = branches.iter().any(is_null) && location.salt == 0;
        let mut ordered: Vec<_> =
            branches.iter().map(|schema| Branch { schema, optional: nullable && !is_null(schema) }).collect();
        let turn = (location.salt % branches.len().max(1) as u64) as usize;
        ordered.rotate_left(turn);
        // Null comes last as long as the text may say more; deep down it is the way out.
        ordered.sort_by_key(|branch| is_null(branch.schema));
        if location.depth >= DEEP {
            ordered.sort_by_cached_key(|branch| self.height(branch.schema));
        }
        // A value that the text provides may still be absent; one that it does not provide must be made up if null is
        // not allowed.
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

    /// A value for schemas whose only open choice is the type.
    fn flat(&mut self, all: &Conjunction<'s>, mut location: Location<'s>) -> Result<Value, Obstacle> {
        let described = all.strings("description").chain(all.strings("title")).next();
        location.property.description = described.unwrap_or(location.property.description);

        if all.values("const").chain(all.values("enum")).next().is_some() {
            return self.member(all, location);
        }
        let mut types = all.types().unwrap_or_else(|| vec![likely_type(all)]);
        if types.is_empty() {
            return Err(self.obstacle("type"));
        }
        let nullable = types.contains(&"null");
        types.retain(|name| *name != "null");
        let turn = (location.salt % types.len().max(1) as u64) as usize;
        types.rotate_left(turn);
        if nullable
            && (types.is_empty()
                || location.depth >= DEEP && types.iter().any(|name| matches!(*name, "object" | "array")))
        {
            return Ok(Value::Null);
        }
        let scalars = || types.iter().filter(|name| !matches!(**name, "object" | "array"));
        if location.salt == 0
            && let Some(value) = scalars().find_map(|name| self.read(name, all, location))
        {
            return Ok(value);
        }
        let only_scalars = scalars().count() == types.len();
        if only_scalars && location.optional {
            return Err(Obstacle::Unsaid);
        }
        if only_scalars && nullable && location.salt == 0 {
            return Ok(Value::Null);
        }
        let mut failed = None;
        for name in types {
            let made = match name {
                "object" => self.object(all, location),
                "array" => self.array(all, location),
                scalar => self.make_up(scalar, all, location),
            };
            match made {
                Ok(value) => return Ok(value),
                Err(obstacle) => failed = failed.or(Some(obstacle)),
            }
        }
        if nullable { Ok(Value::Null) } else { Err(failed.unwrap_or_else(|| self.obstacle("type"))) }
    }

    fn object(&mut self, all: &Conjunction<'s>, location: Location<'s>) -> Result<Value, Obstacle> {
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
            if !must && (room == 0 || location.depth >= DEEP) {
                left_out.push(name);
                continue;
            }
            let inner = Location { optional: !must, ..location.inside(name) };
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
                && let Ok(value) = self.property(all, name, location.inside(name))
            {
                object.insert(name.to_owned(), value);
            }
        }
        let open =
            all.values("additionalProperties").any(Value::is_object) && room > 0 && location.depth < DEEP;
        let wanted = if object.is_empty() && open { least.max(1) } else { least };
        for (n, name) in EXTRA_NAMES.iter().enumerate() {
            if object.len() >= wanted {
                break;
            }
            if !object.contains_key(*name) {
                let value = self.property(
                    all,
                    name,
                    Location { salt: location.salt + n as u64, ..location.inside(name) },
                );
                object.extend(value.ok().map(|value| ((*name).to_owned(), value)));
            }
        }
        if object.len() < least { Err(self.obstacle("minProperties")) } else { Ok(Value::Object(object)) }
    }

    fn property(
        &mut self,
        all: &Conjunction<'s>,
        name: &str,
        location: Location<'s>,
    ) -> Result<Value, Obstacle> {
        let depth = self.path.len();
        self.path.extend(["properties".to_owned(), name.to_owned()]);
        let made = self.value(&all.property(name), location);
        self.path.truncate(depth);
        made
    }

    fn array(&mut self, all: &Conjunction<'s>, location: Location<'s>) -> Result<Value, Obstacle> {
        let (least, most) = (all.at_least("minItems"), all.at_most("maxItems").unwrap_or(usize::MAX));
        let unique = all.values("uniqueItems").any(|asked| asked == &Value::Bool(true));
        let listed = all.values("prefixItems").filter_map(Value::as_array).map(Vec::len).max().unwrap_or(0);
        let wanted = if location.depth >= DEEP { 0 } else { listed.max(1) };
        if least > most || least > MOST_ITEMS {
            return Err(self.obstacle("minItems"));
        }
        let mut items: Vec<Value> = Vec::new();
        let depth = self.path.len();
        self.path.push("items".to_owned());
        for at in 0..wanted.clamp(least, most) {
            let tries = if unique { TRIES } else { 1 };
            let schemas = all.item(at);
            let mut made = Err(self.obstacle("uniqueItems"));
            for again in 0..tries {
                made = self.value(&schemas, location.item(at as u64, again));
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

/// Names for properties that an object must have but does not name.
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

/// The likely type of a schema without one, by its other keywords.
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
