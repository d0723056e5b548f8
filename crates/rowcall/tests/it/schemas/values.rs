//! Values of a schema, made from a series of decisions. Of a schema with several limits in one place, some are invalid.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde_json::{Map, Value, json};

/// Decisions, from bytes; when they have run out, always the first choice, which is the smallest.
pub(crate) struct Dice(std::vec::IntoIter<u8>);

impl Dice {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into_iter())
    }

    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % sides.max(1)
    }

    fn pick<T: Clone>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.roll(choices.len())).cloned()
    }

    fn is_out(&self) -> bool {
        self.0.as_slice().is_empty()
    }
}

/// The deepest nesting. Only our own random schemas reach it.
const DEEPEST: usize = 24;

/// From here on inwards, the smallest choice is taken.
const SHALLOW: usize = 16;

/// A value of the schema `root`; for most schemas it is valid.
pub(crate) fn value(root: &Value, dice: &mut Dice) -> Value {
    made(root, root, dice, DEEPEST)
}

fn made(root: &Value, schema: &Value, dice: &mut Dice, depth: usize) -> Value {
    let Some(keywords) = schema.as_object() else { return anything(dice) };
    if depth == 0 {
        return Value::Null;
    }
    // Deep within, what is small ends soon.
    let mut none = Dice::new(Vec::new());
    let dice = if depth < SHALLOW { &mut none } else { dice };
    if let Some(constant) = keywords.get("const") {
        return constant.clone();
    }
    let listed = |keyword: &str| keywords.get(keyword).and_then(Value::as_array);
    if let Some(value) = ["enum", "examples"].into_iter().find_map(listed).and_then(|list| dice.pick(list)) {
        return value;
    }
    let referred = keywords.get("$ref").and_then(Value::as_str);
    let referred =
        referred.and_then(|reference| root.pointer(&reference.trim_start_matches('#').replace("%20", " ")));
    let mut parts: Vec<&Value> = referred.into_iter().chain(listed("allOf").into_iter().flatten()).collect();
    for keyword in ["anyOf", "oneOf"] {
        if let Some(branches) =
            listed(keyword).filter(|list| list.iter().any(|branch| !only_requires(branch)))
        {
            let mut branches: Vec<&Value> = branches.iter().collect();
            branches.sort_by_key(|branch| size(branch));
            parts.extend(dice.pick(&branches));
        }
    }
    // Where other schemas hold as well, it is for them to say which properties there are.
    let mut alone = keywords.clone();
    if !parts.is_empty() && !keywords.contains_key("additionalProperties") {
        alone.entry("properties").or_insert_with(|| json!({}));
    }
    let own = own_type(keywords, dice).map(|kind| of_type(root, &alone, &kind, dice, depth));
    let mut values: Vec<Value> = parts.iter().map(|part| made(root, part, dice, depth - 1)).collect();
    values.extend(own);
    values.into_iter().reduce(merged).unwrap_or_else(|| anything(dice))
}

/// Both objects in one, as `allOf` wants it; of anything else, what was there first.
fn merged(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Object(mut one), Value::Object(other)) => {
            for (name, field) in other {
                one.entry(name).or_insert(field);
            }
            Value::Object(one)
        }
        (one, _) => one,
    }
}

fn only_requires(schema: &Value) -> bool {
    schema.as_object().is_some_and(|keywords| keywords.keys().all(|keyword| keyword == "required"))
}

/// How much there is to a schema at a glance.
fn size(schema: &Value) -> usize {
    match schema.get("type").and_then(Value::as_str) {
        Some("null") => 0,
        Some("array") => 2,
        Some("object") => 3,
        Some(_) => 1,
        None if schema.get("enum").is_some() || schema.get("const").is_some() => 1,
        None => 4,
    }
}

/// The type that the schema itself names or means.
fn own_type(keywords: &Map<String, Value>, dice: &mut Dice) -> Option<String> {
    let meant = [
        ("object", "properties"),
        ("object", "required"),
        ("object", "additionalProperties"),
        ("object", "patternProperties"),
        ("array", "items"),
        ("array", "prefixItems"),
        ("string", "pattern"),
        ("string", "format"),
        ("string", "minLength"),
        ("number", "minimum"),
        ("number", "multipleOf"),
    ];
    match keywords.get("type") {
        Some(Value::String(name)) => Some(name.clone()),
        Some(Value::Array(names)) => dice.pick(names)?.as_str().map(str::to_owned),
        _ => meant
            .iter()
            .find(|(_, keyword)| keywords.contains_key(*keyword))
            .map(|(kind, _)| (*kind).to_owned()),
    }
}

fn of_type(root: &Value, keywords: &Map<String, Value>, kind: &str, dice: &mut Dice, depth: usize) -> Value {
    match kind {
        "object" => Value::Object(object(root, keywords, dice, depth)),
        "array" => Value::Array(list(root, keywords, dice, depth)),
        "string" => json!(string(keywords, dice)),
        "integer" => json!(number(keywords, dice, 1.0) as i64),
        "number" => json!(number(keywords, dice, 0.5)),
        "boolean" => json!(dice.roll(2) == 1),
        _ => Value::Null,
    }
}

fn object(root: &Value, keywords: &Map<String, Value>, dice: &mut Dice, depth: usize) -> Map<String, Value> {
    let mut object = Map::new();
    let named = |keyword: &str| keywords.get(keyword).and_then(Value::as_object);
    let required: Vec<&str> = keywords
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, schema) in named("properties").into_iter().flatten() {
        if required.contains(&name.as_str()) || *schema != json!(false) && dice.roll(2) == 1 {
            object.insert(name.clone(), made(root, schema, dice, depth - 1));
        }
    }
    let others = keywords.get("additionalProperties");
    for name in required {
        if !object.contains_key(name) {
            object.insert(name.to_owned(), made(root, others.unwrap_or(&json!(true)), dice, depth - 1));
        }
    }
    for (pattern, schema) in named("patternProperties").into_iter().flatten() {
        for number in 0..dice.roll(3) {
            let name = matching(pattern, dice)
                .unwrap_or_else(|| format!("{}{number}", pattern.trim_start_matches('^')));
            object.entry(name).or_insert_with(|| made(root, schema, dice, depth - 1));
        }
    }
    // Where there are names, others are only asked for if they have a schema.
    let map = json!(true);
    let nameless = ["properties", "patternProperties", "required"]
        .iter()
        .all(|keyword| !keywords.contains_key(*keyword));
    let others = match others {
        Some(Value::Object(keywords)) if keywords.keys().any(|keyword| keyword != "description") => others,
        None | Some(Value::Bool(true)) if nameless => Some(&map),
        _ => None,
    };
    if let Some(schema) = others {
        let names =
            keywords.get("propertyNames").and_then(|names| names.get("enum")).and_then(Value::as_array);
        for number in 0..dice.roll(3) {
            let name = match names {
                Some(names) => names[number % names.len()].as_str().unwrap_or_default().to_owned(),
                None => ["other_properties", "key", "~ /"][number].to_owned(),
            };
            object.entry(name).or_insert_with(|| made(root, schema, dice, depth - 1));
        }
    }
    object
}

fn list(root: &Value, keywords: &Map<String, Value>, dice: &mut Dice, depth: usize) -> Vec<Value> {
    let limit = |keyword: &str| keywords.get(keyword).and_then(Value::as_u64).map(|limit| limit as usize);
    let first = ["prefixItems", "items"].into_iter().find_map(|keyword| keywords.get(keyword)?.as_array());
    let first = first.map(Vec::as_slice).unwrap_or_default();
    let further = match keywords.get("items") {
        Some(Value::Array(_)) => keywords.get("additionalItems"),
        items => items,
    };
    let least = limit("minItems").unwrap_or(0);
    // After items described one by one, no more are asked for than there must be.
    let most = if first.is_empty() { least + 2 } else { least.max(first.len()) };
    let most = most.min(limit("maxItems").unwrap_or(usize::MAX));
    let most = if further == Some(&json!(false)) { most.min(first.len()) } else { most };
    let length = if dice.is_out() { least } else { least + dice.roll(most.saturating_sub(least) + 1) };
    let any = json!(true);
    let schemas = first.iter().chain(std::iter::repeat(further.unwrap_or(&any)));
    let mut items: Vec<Value> =
        schemas.take(length).map(|schema| made(root, schema, dice, depth - 1)).collect();
    if keywords.get("uniqueItems") == Some(&json!(true)) {
        for (number, item) in items.iter_mut().enumerate() {
            if let Value::String(text) = item {
                text.push_str(&number.to_string());
            }
        }
    }
    items
}

/// A text that matches `pattern`, if that is a regular expression without look-around. It may have more before and behind.
fn matching(pattern: &str, dice: &mut Dice) -> Option<String> {
    let hir = regex_syntax::Parser::new().parse(pattern).ok()?;
    let mut text = String::new();
    write_matching(&hir, dice, &mut text)?;
    if !pattern.starts_with('^') && dice.roll(3) == 2 {
        text.insert_str(0, "x-");
    }
    Some(text)
}

fn write_matching(hir: &Hir, dice: &mut Dice, text: &mut String) -> Option<()> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let is_in =
                |c: &char| class.ranges().iter().any(|range| (range.start()..=range.end()).contains(c));
            let usual: Vec<char> = "ax0Z_-. :/@\"".chars().filter(is_in).collect();
            let first =
                class.ranges().iter().map(regex_syntax::hir::ClassUnicodeRange::start).find(|c| *c >= ' ');
            text.push(dice.pick(&usual).or(first)?);
        }
        HirKind::Class(Class::Bytes(class)) => {
            text.push(char::from(
                class
                    .ranges()
                    .iter()
                    .map(regex_syntax::hir::ClassBytesRange::start)
                    .find(u8::is_ascii_graphic)?,
            ));
        }
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            let most = repetition.max.map_or(least + 2, |most| most as usize).min(least + 2);
            for _ in 0..least + dice.roll(most - least + 1) {
                write_matching(&repetition.sub, dice, text)?;
                if text.len() > 2_000 {
                    return None;
                }
            }
        }
        HirKind::Capture(group) => write_matching(&group.sub, dice, text)?,
        HirKind::Concat(parts) => {
            for part in parts {
                write_matching(part, dice, text)?;
            }
        }
        HirKind::Alternation(parts) => write_matching(parts.get(dice.roll(parts.len()))?, dice, text)?,
    }
    Some(())
}

fn string(keywords: &Map<String, Value>, dice: &mut Dice) -> String {
    let pattern = keywords.get("pattern").and_then(Value::as_str);
    if let Some(text) = pattern.and_then(|pattern| matching(pattern, dice)) {
        return text;
    }
    let limit = |keyword: &str| keywords.get(keyword).and_then(Value::as_u64).map(|limit| limit as usize);
    let choices: &[&str] = match keywords.get("format").and_then(Value::as_str) {
        Some("date") => &["2026-11-22"],
        Some("date-time") => &["2026-11-22T10:00:00Z"],
        Some("time") => &["10:00:00Z"],
        Some("duration") => &["P1DT2H"],
        Some("uri" | "uri-reference" | "iri" | "url") => &["https://example.org/a"],
        Some("email") => &["name@example.org"],
        Some("hostname") => &["example.org"],
        Some("ipv4") => &["192.0.2.1"],
        Some("ipv6") => &["2001:db8::1"],
        Some("uuid") => &["123e4567-e89b-12d3-a456-426614174000"],
        _ => &["x", "", "null", "[1]", "é \"quoted\"", "{\"key\":1}"],
    };
    let text = dice.pick(choices).unwrap_or_default();
    let padding = "-".repeat(limit("minLength").unwrap_or(0).saturating_sub(text.chars().count()));
    text.chars().chain(padding.chars()).take(limit("maxLength").unwrap_or(usize::MAX)).collect()
}

/// A number within the limits, if they are not too narrow.
fn number(keywords: &Map<String, Value>, dice: &mut Dice, step: f64) -> f64 {
    let limit = |keyword: &str| keywords.get(keyword).and_then(Value::as_f64);
    let step =
        limit("multipleOf").unwrap_or(if limit("exclusiveMaximum").is_some() { step / 4.0 } else { step });
    let least = limit("minimum").or(limit("exclusiveMinimum").map(|limit| limit + step)).unwrap_or(0.0);
    let most = limit("maximum").or(limit("exclusiveMaximum").map(|limit| limit - step)).unwrap_or(f64::MAX);
    let value = (least / step).ceil() * step + dice.roll(5) as f64 * step;
    if value > most { (most / step).floor() * step } else { value }
}

fn anything(dice: &mut Dice) -> Value {
    let choices = [
        json!(null),
        json!("text"),
        json!(3),
        json!([1, { "key": "a", "value": null }]),
        json!([{ "key": "a", "value": 1 }]),
        json!({ "a": { "b": 0.5 } }),
        json!({ "value": [] }),
    ];
    dice.pick(&choices).unwrap_or_default()
}
