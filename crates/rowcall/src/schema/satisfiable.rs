//! Rejects a schema that no value can satisfy, or that refers to itself without end, before anything is sent. `validate.rs`
//! checks whether it is well formed.

use serde_json::{Map, Value};

use super::json_type::JsonTypes;
use super::part::Part;
use super::place::Place;
use super::refused;
use super::subschemas::{Subschema, Subschemas};
use crate::error::Problem;
use crate::number::{self, Decimal};
use crate::violation::escaped;

/// The most levels of brackets in a schema: about 64 levels of schemas, each of which takes two.
const DEEPEST: usize = 120;

/// The most schemas that may apply to one value through one another, by references or keywords such as `allOf`.
const LONGEST_CHAIN: usize = 64;

/// Rejects a schema that is nested too deeply for later code, and drops it without recursion.
pub(super) fn check_depth(schema: Value) -> Result<Value, Problem> {
    let mut open = vec![(&schema, 1)];
    while let Some((value, depth)) = open.pop() {
        if depth > DEEPEST {
            take_apart(schema);
            return Err(too_deep());
        }
        match value {
            Value::Array(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => open.extend(fields.values().map(|field| (field, depth + 1))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    Ok(schema)
}

pub(super) fn too_deep() -> Problem {
    Problem::new("the schema is nested too deeply, expected at most 64 levels")
        .hint("give the inner parts names under `$defs` and refer to them")
}

/// Dropping a value recurses, so a very deep one is opened level by level.
fn take_apart(value: Value) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(fields) => open.extend(fields.into_iter().map(|(_, field)| field)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// Rejects schemas that refer to one another endlessly for the same value.
pub(super) fn check_chains(schemas: &Subschemas<'_>) -> Result<(), Problem> {
    let mut lengths = vec![None; schemas.all().len()];
    (0..lengths.len()).try_for_each(|id| chain(schemas, id, 0, &mut lengths).map(|_| ()))
}

fn chain(
    schemas: &Subschemas<'_>,
    id: usize,
    level: usize,
    lengths: &mut [Option<usize>],
) -> Result<usize, Problem> {
    let mut length = lengths.get(id).copied().flatten().unwrap_or(0);
    if level + length > LONGEST_CHAIN {
        let pointer = schemas.all().get(id).map_or("", |each| &each.pointer);
        return Err(refused(
            pointer,
            "it refers back to itself for the same value, or through more than 64 schemas in a row",
        )
        .hint("a reference may only come back within a property or an item"));
    }
    if length == 0 {
        for inner in schemas.in_place(id) {
            length = length.max(chain(schemas, inner, level + 1, lengths)?);
        }
        length += 1;
        if let Some(known) = lengths.get_mut(id) {
            *known = Some(length);
        }
    }
    Ok(length)
}

/// Rejects keywords that contradict one another within one schema, wherever it is.
pub(super) fn check_contradictions(schemas: &Subschemas<'_>) -> Result<(), Problem> {
    for Subschema { pointer, schema, .. } in schemas.all() {
        if let Value::Object(keywords) = schema
            && let Some(reason) = contradiction(keywords)
        {
            return Err(
                refused(pointer, reason).hint("no value can satisfy this, change or remove one of them")
            );
        }
    }
    Ok(())
}

/// Refuses schemas that allow no type in common with their `allOf` and what they refer to. The schema is well formed.
pub(super) fn check_combinations(root: &Value, schemas: &Subschemas<'_>) -> Result<(), Problem> {
    for Subschema { pointer, schema, .. } in schemas.all() {
        let place = Place::new(root, vec![Part::new(pointer.clone(), schema)]);
        if place.types().is_empty() && !place.parts().iter().any(Part::is_false) {
            return Err(refused(pointer, "what it and its `allOf` or `$ref` allow has no type in common")
                .hint("no value can satisfy both, change or remove one of them"));
        }
    }
    Ok(())
}

/// Lower and upper limits that must leave something between them; with the last two the limit itself is excluded.
const LIMITS: [(&str, &str, Ends); 8] = [
    ("minLength", "maxLength", Ends::Included),
    ("minItems", "maxItems", Ends::Included),
    ("minProperties", "maxProperties", Ends::Included),
    ("minContains", "maxContains", Ends::Included),
    ("minimum", "maximum", Ends::Included),
    ("exclusiveMinimum", "maximum", Ends::Excluded),
    ("minimum", "exclusiveMaximum", Ends::Excluded),
    ("exclusiveMinimum", "exclusiveMaximum", Ends::Excluded),
];

#[derive(Clone, Copy, PartialEq)]
enum Ends {
    Included,
    Excluded,
}

fn contradiction(schema: &Map<String, Value>) -> Option<String> {
    limits(schema).or_else(|| members(schema)).or_else(|| presence(schema))
}

fn limits(schema: &Map<String, Value>) -> Option<String> {
    LIMITS.iter().find_map(|(low, high, ends)| {
        let (least, most) = (schema.get(*low)?, schema.get(*high)?);
        let (least_number, most_number) = (Decimal::of_value(least)?, Decimal::of_value(most)?);
        let nothing_between =
            least_number > most_number || (*ends == Ends::Excluded && least_number >= most_number);
        nothing_between.then(|| format!("`{low}` {least} and `{high}` {most} leave nothing between them"))
    })
}

fn members(schema: &Map<String, Value>) -> Option<String> {
    for keyword in ["enum", "anyOf", "oneOf", "allOf", "type"] {
        if schema.get(keyword).and_then(Value::as_array).is_some_and(Vec::is_empty) {
            return Some(format!("`{keyword}` is empty, expected at least one entry"));
        }
    }
    let members = schema.get("enum").and_then(Value::as_array);
    let constant = schema.get("const");
    if let (Some(members), Some(constant)) = (members, constant)
        && !number::is_among(constant, members)
    {
        return Some(format!("`const` {constant} is not in `enum`"));
    }
    let stated = JsonTypes::spelled(schema.get("type")?);
    let keyword = if constant.is_some() { "const" } else { "enum" };
    let candidates = constant.map(std::slice::from_ref).or(members.map(Vec::as_slice))?;
    let none_fits = !candidates.iter().any(|member| stated.overlaps(JsonTypes::of(member)));
    (none_fits && !stated.is_empty()).then(|| format!("`{keyword}` allows only what `type` does not"))
}

fn presence(schema: &Map<String, Value>) -> Option<String> {
    if let Some(Value::Bool(true)) = schema.get("not") {
        return Some("`not` excludes every value".to_owned());
    }
    let required = schema.get("required").and_then(Value::as_array)?;
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    let properties = schema.get("properties").and_then(Value::as_object);
    for name in required.iter().filter_map(Value::as_str) {
        match properties.and_then(|properties| properties.get(name)) {
            Some(Value::Bool(false)) => return Some(format!("required property `{name}` is `false`")),
            None if closed && !schema.contains_key("patternProperties") => {
                return Some(format!(
                    "required property `{name}` is not among `properties`, and no other is allowed"
                ));
            }
            Some(_) | None => {}
        }
    }
    let most = schema.get("maxProperties").and_then(Value::as_u64)?;
    (required.len() as u64 > most)
        .then(|| format!("more properties are required than `maxProperties` {most}"))
}

/// Refuses a schema that only an infinite value could satisfy, or none because of `false`.
pub(super) fn check_inhabited(schemas: &Subschemas<'_>) -> Result<(), Problem> {
    let needs: Vec<Needs> = schemas.all().iter().map(|each| needs(schemas, each)).collect();
    let mut inhabited = vec![false; needs.len()];
    // The least fixed point: what is inhabited has a finite value made of inhabited parts.
    loop {
        let has = |id: &usize| inhabited.get(*id).copied().unwrap_or(false);
        let next: Vec<bool> = needs.iter().map(|needs| needs.met(has)).collect();
        if next == inhabited {
            break;
        }
        inhabited = next;
    }
    if inhabited.first().copied().unwrap_or(true) {
        return Ok(());
    }
    Err(culprit(schemas, &needs, &inhabited))
}

/// What must be inhabited for a schema to be so: all of these, and of each list at least one.
#[derive(Default)]
struct Needs {
    never: bool,
    all: Vec<usize>,
    any: Vec<Vec<usize>>,
}

impl Needs {
    fn met(&self, has: impl Fn(&usize) -> bool) -> bool {
        !self.never && self.all.iter().all(&has) && self.any.iter().all(|list| list.iter().any(&has))
    }
}

fn needs(schemas: &Subschemas<'_>, subschema: &Subschema<'_>) -> Needs {
    let Value::Object(keywords) = subschema.schema else {
        return Needs { never: subschema.schema == &Value::Bool(false), ..Needs::default() };
    };
    let under = |wanted: &str| -> Vec<usize> {
        subschema.inner.iter().filter(|inner| inner.keyword == wanted).map(|inner| inner.id).collect()
    };
    let mut needs = Needs { all: [under("$ref"), under("allOf")].concat(), ..Needs::default() };
    needs.any.extend([under("anyOf"), under("oneOf")].into_iter().filter(|list| !list.is_empty()));
    let stated = keywords.get("type").map_or(JsonTypes::ANY, JsonTypes::spelled);
    let has_members = keywords.contains_key("enum") || keywords.contains_key("const");
    // A list of properties without a `type` is meant for objects, although JSON Schema lets any other value pass.
    let object = stated == JsonTypes::OBJECT || !keywords.contains_key("type");
    if object && !has_members {
        let required = keywords.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            let property = format!("{}/properties/{}", subschema.pointer, escaped(name));
            let others = || match keywords.get("patternProperties") {
                Some(_) => None,
                None => schemas.find(&format!("{}/additionalProperties", subschema.pointer)),
            };
            needs.all.extend(schemas.find(&property).or_else(others));
        }
    }
    if stated == JsonTypes::ARRAY && !has_members {
        let least = keywords.get("minItems").and_then(Value::as_u64).unwrap_or(0) as usize;
        let first = [under("prefixItems"), under("items")].concat();
        needs.all.extend(first.into_iter().take(least));
    }
    needs
}

/// Follows what is not inhabited until it ends in `false` or comes back.
fn culprit(schemas: &Subschemas<'_>, needs: &[Needs], inhabited: &[bool]) -> Problem {
    let mut path = vec![0];
    loop {
        let id = path.last().copied().unwrap_or(0);
        let pointer = schemas.all().get(id).map_or("", |each| &each.pointer);
        let missing = needs.get(id).and_then(|needs| {
            let lists =
                needs.any.iter().filter(|list| !list.iter().any(|id| inhabited.get(*id) == Some(&true)));
            let mut candidates = needs.all.iter().chain(lists.flatten());
            candidates.find(|id| inhabited.get(**id) == Some(&false))
        });
        match missing {
            None => {
                let reason = "`false` allows no value, and a value is required here";
                return refused(pointer, reason).hint("remove it, or make it optional");
            }
            Some(again) if path.contains(again) => {
                return refused(
                    pointer,
                    "it requires itself, so that only an infinite value could satisfy it",
                )
                .hint("make the property that comes back optional, a list, or nullable");
            }
            Some(next) => path.push(*next),
        }
    }
}
