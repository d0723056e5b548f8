//! Damages valid answers with one to three slips: superfluous or missing brackets, quotes and commas, and a truncated end. Every
//! decision comes from the given bytes. Shared with `fuzz/fuzz_targets/completion.rs`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// The schemas: a flat object, lists of objects, strings and lists, recursion with nothing required, a map.
pub(crate) const SCHEMAS: [&str; 6] = [
    "name str, age int?, tags str[]?",
    r#"{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}, "required": ["a"], "additionalProperties": false}}"#,
    r#"{"type": "array", "items": {"type": "string"}}"#,
    r##"{"type": "object", "properties": {"v": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#"}}, "x": {"$ref": "#"}}, "additionalProperties": false}"##,
    r#"{"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}"#,
    r#"{"type": "object", "properties": {"ages": {"type": "object", "additionalProperties": {"type": "integer"}}, "note": {"type": "string"}}, "required": ["ages"]}"#,
];

/// The bytes that decide; zeros when they are used up.
pub(crate) struct Decisions<'a>(pub(crate) &'a [u8]);

impl Decisions<'_> {
    fn below(&mut self, limit: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % limit.max(1)
    }

    /// A position in a text, which may exceed the range of a byte.
    fn position(&mut self, limit: usize) -> usize {
        (self.below(256) * 256 + self.below(256)) % limit.max(1)
    }
}

/// A damaged answer and its original value.
#[derive(Debug)]
pub(crate) struct Damaged {
    /// Which of [`SCHEMAS`] the value is of.
    pub(crate) schema: usize,
    pub(crate) value: Value,
    pub(crate) text: String,
}

/// An answer with one to three slips, or `None` if the damage is not detectable: the rest is valid JSON, or it was cut off where
/// nothing is open.
pub(crate) fn damaged(decisions: &mut Decisions<'_>) -> Option<Damaged> {
    let schema = decisions.below(SCHEMAS.len());
    let value = value(schema, decisions);
    let mut text = if decisions.below(4) == 0 {
        serde_json::to_string_pretty(&value).ok()?
    } else if decisions.below(2) == 0 {
        value.to_string()
    } else {
        spaced(&value)
    };
    let slips = 1 + decisions.below(3);
    let is_cut = decisions.below(4) == 0;
    let mut has_quote_slip = false;
    for _ in 0..slips - usize::from(is_cut) {
        // A stray quote swaps text and structure: a further slip would be inside text.
        if !has_quote_slip {
            has_quote_slip = slip(&mut text, decisions) == Some('"');
        }
    }
    if is_cut && !has_quote_slip {
        let mut end = decisions.position(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        if !is_open(&text) {
            return None;
        }
    }
    serde_json::from_str::<Value>(&text).is_err().then_some(Damaged { schema, value, text })
}

fn value(schema: usize, decisions: &mut Decisions<'_>) -> Value {
    let count = |decisions: &mut Decisions<'_>| decisions.below(4);
    match schema {
        0 => {
            let mut fields = Map::from_iter([("name".to_owned(), json!(string(decisions)))]);
            if decisions.below(3) > 0 {
                fields.insert("age".to_owned(), json!(decisions.below(200)));
            }
            if decisions.below(3) > 0 {
                let tags: Vec<_> = (0..count(decisions)).map(|_| string(decisions)).collect();
                fields.insert("tags".to_owned(), json!(tags));
            }
            Value::Object(fields)
        }
        1 => (0..=count(decisions))
            .map(|_| {
                let mut fields = Map::from_iter([("a".to_owned(), json!(decisions.below(200)))]);
                if decisions.below(2) > 0 {
                    fields.insert("b".to_owned(), json!(string(decisions)));
                }
                Value::Object(fields)
            })
            .collect(),
        2 => (0..=count(decisions)).map(|_| json!(string(decisions))).collect(),
        3 => tree(3, decisions),
        4 => (0..=count(decisions))
            .map(|_| (0..=count(decisions)).map(|_| json!(decisions.below(200))).collect::<Value>())
            .collect(),
        _ => {
            let ages: Map<String, Value> =
                (0..count(decisions)).map(|_| (string(decisions), json!(decisions.below(200)))).collect();
            let mut fields = Map::from_iter([("ages".to_owned(), Value::Object(ages))]);
            if decisions.below(2) > 0 {
                fields.insert("note".to_owned(), json!(string(decisions)));
            }
            Value::Object(fields)
        }
    }
}

fn tree(depth: usize, decisions: &mut Decisions<'_>) -> Value {
    let mut fields = Map::new();
    // If an empty object or list loses both brackets, nothing shows that it is missing.
    if depth < 3 || decisions.below(4) > 0 {
        fields.insert("v".to_owned(), json!(string(decisions)));
    }
    if depth > 0 && decisions.below(2) > 0 {
        let kids: Vec<_> = (0..decisions.below(3)).map(|_| tree(depth - 1, decisions)).collect();
        fields.insert("kids".to_owned(), json!(kids));
    }
    if depth > 0 && decisions.below(3) > 1 {
        fields.insert("x".to_owned(), tree(depth - 1, decisions));
    }
    Value::Object(fields)
}

fn string(decisions: &mut Decisions<'_>) -> String {
    const PIECES: [&str; 12] = ["a", "Ann", "b c", "7", ", ", ": ", "é", "x", "{", "]", "\"", " and so on"];
    (0..decisions.below(4)).map(|_| PIECES[decisions.below(PIECES.len())]).collect()
}

/// JSON in Python's formatting.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(spaced).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(key, field)| format!("{}: {}", json!(key), spaced(field))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        scalar => scalar.to_string(),
    }
}

/// Removes or inserts one bracket, comma or quote outside the content of strings and outside numbers: an edit there would change a
/// text or number, not the structure.
fn slip(text: &mut String, decisions: &mut Decisions<'_>) -> Option<char> {
    let inside = strings(text);
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let is_outside = |at: usize| !inside.iter().any(|(from, to)| (*from..=*to).contains(&at));
    // Joining or splitting digits would change numbers.
    let joins = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1);
    let splits = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at);
    if decisions.below(2) == 0 {
        let is_mark = |(at, c): &(usize, char)| {
            (*c == '"' && inside.iter().any(|(from, to)| at + 1 == *from || at == to))
                || ("{}[],".contains(*c) && is_outside(*at) && !joins(*at))
        };
        let marks: Vec<usize> = text.char_indices().filter(is_mark).map(|(at, _)| at).collect();
        marks.get(decisions.position(marks.len())).map(|at| text.remove(*at))
    } else {
        let positions: Vec<usize> = text
            .char_indices()
            .map(|(at, _)| at)
            .chain([text.len()])
            .filter(|at| is_outside(*at) && !splits(*at))
            .collect();
        let mark = char::from(b"{}[],\""[decisions.below(6)]);
        let at = positions.get(decisions.position(positions.len()))?;
        text.insert(*at, mark);
        Some(mark)
    }
}

/// The spans of strings' contents, from after the opening quote to the closing one.
fn strings(text: &str) -> Vec<(usize, usize)> {
    let (mut found, mut from, mut is_escaped) = (Vec::new(), None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (from, byte) {
            _ if is_escaped => is_escaped = false,
            (Some(_), b'\\') => is_escaped = true,
            (Some(start), b'"') => {
                found.push((start, at));
                from = None;
            }
            (None, b'"') => from = Some(at + 1),
            (Some(_) | None, _) => {}
        }
    }
    found.extend(from.map(|start| (start, text.len())));
    found
}

/// Whether a bracket or a string is open at the end.
fn is_open(text: &str) -> bool {
    let inside = strings(text);
    let mut depth = 0_i32;
    for (at, byte) in text.bytes().enumerate() {
        if !inside.iter().any(|(from, to)| (*from..*to).contains(&at)) {
            depth += match byte {
                b'{' | b'[' => 1,
                b'}' | b']' => -1,
                _ => 0,
            };
        }
    }
    depth > 0 || inside.last().is_some_and(|(_, to)| *to == text.len())
}

/// Something of `original` that `value` lacks: a field, an item or a character.
pub(crate) fn lost(original: &Value, value: &Value) -> Option<String> {
    let (before, after) = (contents(original), contents(value));
    before
        .into_iter()
        .find(|(what, count)| after.get(what).copied().unwrap_or(0) < *count)
        .map(|(what, _)| what)
}

/// How often each key, kind of item and character occurs in a value.
fn contents(value: &Value) -> BTreeMap<String, usize> {
    fn add(value: &Value, counts: &mut BTreeMap<String, usize>) {
        let mut count = |what: String| *counts.entry(what).or_default() += 1;
        match value {
            Value::Object(fields) => {
                fields.keys().for_each(|key| count(format!("the field `{key}`")));
                fields.values().for_each(|field| add(field, counts));
            }
            Value::Array(items) => {
                for item in items {
                    add(item, counts);
                }
            }
            Value::String(text) => {
                count("a string".to_owned());
                text.chars().for_each(|c| count(format!("the character `{c}`")));
            }
            Value::Number(_) | Value::Bool(_) | Value::Null => count(format!("the value {value}")),
        }
    }
    let mut counts = BTreeMap::new();
    add(value, &mut counts);
    counts
}
