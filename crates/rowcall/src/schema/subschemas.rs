//! Finds the schemas within a schema, and resolves references. This file knows which keywords contain schemas, but not what
//! they mean.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::refused;
use crate::error::Problem;
use crate::violation::escaped;

/// The most subschemas, so that every later pass stays short.
const MOST: usize = 10_000;

/// Keywords whose value is one schema.
const ONE: [&str; 12] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "contentSchema",
    "not",
    "if",
    "then",
    "else",
];

/// Keywords whose value is a list of schemas; `items` is one up to draft 2019-09.
const LIST: [&str; 5] = ["allOf", "anyOf", "oneOf", "prefixItems", "items"];

/// Keywords whose value is an object of schemas; `dependencies` may hold lists of names instead.
const NAMED: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Keywords whose schemas apply to the value itself, not to a part of it.
const IN_PLACE: [&str; 9] =
    ["$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

/// Keywords whose values are answers or parts of them, not schemas.
const VALUES: [&str; 4] = ["enum", "const", "default", "examples"];

/// Keywords that refer to a schema elsewhere; only the first is followed, the others are refused.
const REFERENCES: [&str; 3] = ["$ref", "$dynamicRef", "$recursiveRef"];

/// A schema that stands within a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Inner<'s> {
    /// The keyword that holds it.
    pub(super) keyword: &'s str,
    /// Its number among the subschemas.
    pub(super) id: usize,
}

/// A schema with its place in the document.
#[derive(Debug)]
pub(super) struct Subschema<'s> {
    pub(super) pointer: String,
    pub(super) schema: &'s Value,
    /// The schemas directly within it, and what its `$ref` points to.
    pub(super) inner: Vec<Inner<'s>>,
}

/// All schemas of a document, the root first. Found without recursion.
#[derive(Debug)]
pub(super) struct Subschemas<'s> {
    all: Vec<Subschema<'s>>,
    by_pointer: HashMap<String, usize>,
}

impl<'s> Subschemas<'s> {
    /// Every schema reachable from `root` by keywords and references.
    ///
    /// # Errors
    /// A reference to another document, a reference to nothing, or more than 10,000 schemas.
    pub(super) fn of(root: &'s Value) -> Result<Self, Problem> {
        let mut found = Self { all: Vec::new(), by_pointer: HashMap::new() };
        found.add(String::new(), root)?;
        let mut next = 0;
        while let Some((pointer, schema)) =
            found.all.get(next).map(|each| (each.pointer.clone(), each.schema))
        {
            if let Value::Object(keywords) = schema {
                found.look_into(root, next, &pointer, keywords)?;
            }
            next += 1;
        }
        Ok(found)
    }

    fn look_into(
        &mut self,
        root: &'s Value,
        id: usize,
        pointer: &str,
        keywords: &'s Map<String, Value>,
    ) -> Result<(), Problem> {
        let mut inner = Vec::new();
        for (keyword, value) in keywords {
            let keyword = keyword.as_str();
            match value {
                Value::String(reference) if REFERENCES.contains(&keyword) => {
                    let (target, schema) = follow(root, keyword, reference).map_err(|(reason, hint)| {
                        refused(pointer, format!("`{keyword}` to `{reference}` {reason}")).hint(hint)
                    })?;
                    inner.push(Inner { keyword, id: self.add(target, schema)? });
                }
                Value::Object(schemas) if NAMED.contains(&keyword) => {
                    for (name, schema) in schemas.iter().filter(|(_, schema)| !schema.is_array()) {
                        let pointer = format!("{pointer}/{keyword}/{}", escaped(name));
                        inner.push(Inner { keyword, id: self.add(pointer, schema)? });
                    }
                }
                Value::Array(schemas) if LIST.contains(&keyword) => {
                    for (position, schema) in schemas.iter().enumerate() {
                        let pointer = format!("{pointer}/{keyword}/{position}");
                        inner.push(Inner { keyword, id: self.add(pointer, schema)? });
                    }
                }
                Value::Object(_) | Value::Bool(_) if ONE.contains(&keyword) => {
                    inner.push(Inner { keyword, id: self.add(format!("{pointer}/{keyword}"), value)? });
                }
                _ => {}
            }
        }
        if let Some(subschema) = self.all.get_mut(id) {
            subschema.inner = inner;
        }
        Ok(())
    }

    fn add(&mut self, pointer: String, schema: &'s Value) -> Result<usize, Problem> {
        if let Some(known) = self.by_pointer.get(&pointer) {
            return Ok(*known);
        }
        let id = self.all.len();
        if id == MOST {
            return Err(refused(&pointer, format!("the schema contains more than {MOST} subschemas"))
                .hint("ask for fewer fields at once"));
        }
        self.by_pointer.insert(pointer.clone(), id);
        self.all.push(Subschema { pointer, schema, inner: Vec::new() });
        Ok(id)
    }

    pub(super) fn all(&self) -> &[Subschema<'s>] {
        &self.all
    }

    /// The number of the schema at `pointer`.
    pub(super) fn find(&self, pointer: &str) -> Option<usize> {
        self.by_pointer.get(pointer).copied()
    }

    /// The schemas that apply to the same value as this one does.
    pub(super) fn in_place(&self, id: usize) -> impl Iterator<Item = usize> {
        let inner = self.all.get(id).map_or(&[][..], |each| &each.inner);
        inner.iter().filter(|each| IN_PLACE.contains(&each.keyword)).map(|each| each.id)
    }
}

type Refusal = (&'static str, &'static str);

fn follow<'s>(root: &'s Value, keyword: &str, reference: &str) -> Result<(String, &'s Value), Refusal> {
    const LOCAL: &str = "write the reference as `#/$defs/NAME` and the schema under `$defs`";
    if keyword != "$ref" {
        return Err(("is not supported", LOCAL));
    }
    if !reference.starts_with('#') {
        return Err((
            "leads out of the schema, and rowcall fetches nothing",
            "copy what it points to under `$defs`",
        ));
    }
    let (pointer, schema) = target(root, reference).ok_or(("points to nothing in the schema", LOCAL))?;
    match schema {
        Value::Object(_) | Value::Bool(_) => Ok((pointer, schema)),
        Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(("leads to something that is not a schema", LOCAL))
        }
    }
}

/// What a local reference (`#`, `#/$defs/Line`, `#line` for an `$anchor`) points to, with its JSON Pointer in plain form. Percent signs are
/// those of an encoded reference if that leads somewhere, and otherwise stand for themselves.
pub(super) fn target<'s>(root: &'s Value, reference: &str) -> Option<(String, &'s Value)> {
    let fragment = reference.strip_prefix('#')?;
    if is_anchor(reference) {
        return anchored(root, fragment);
    }
    let decoded = percent_decoded(fragment).and_then(|pointer| found(root, &pointer));
    decoded.or_else(|| found(root, fragment))
}

/// Whether a reference names an `$anchor`, and does not say where it leads.
pub(super) fn is_anchor(reference: &str) -> bool {
    reference.strip_prefix('#').is_some_and(|name| !name.is_empty() && !name.starts_with('/'))
}

/// The schema that has `name` as its `$anchor`, or up to draft 7 as `$id` with a `#` in front.
fn anchored<'s>(root: &'s Value, name: &str) -> Option<(String, &'s Value)> {
    let mut open = vec![(String::new(), root)];
    while let Some((pointer, schema)) = open.pop() {
        match schema {
            Value::Object(keywords) => {
                let says = |keyword: &str| keywords.get(keyword).and_then(Value::as_str);
                let by_id = |id: &str| id.strip_prefix('#') == Some(name);
                if says("$anchor") == Some(name) || says("$id").is_some_and(by_id) {
                    return Some((pointer, schema));
                }
                let inner = keywords.iter().filter(|(keyword, _)| !VALUES.contains(&keyword.as_str()));
                open.extend(inner.map(|(name, inner)| (format!("{pointer}/{}", escaped(name)), inner)));
            }
            Value::Array(schemas) => {
                open.extend(schemas.iter().enumerate().map(|(at, inner)| (format!("{pointer}/{at}"), inner)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    None
}

fn found<'s>(root: &'s Value, pointer: &str) -> Option<(String, &'s Value)> {
    let schema = root.pointer(pointer)?;
    let plain = |segment: &str| escaped(&segment.replace("~1", "/").replace("~0", "~")).into_owned();
    Some((pointer.split('/').map(plain).collect::<Vec<_>>().join("/"), schema))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        if let (b'%', [high, low, after @ ..]) = (first, after) {
            let digit = |byte: &u8| char::from(*byte).to_digit(16);
            bytes.push((digit(high)? * 16 + digit(low)?) as u8);
            rest = after;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

/// `pointer` as it may stand in the fragment of a reference.
pub(super) fn percent_encoded(pointer: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b'$' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    pointer.bytes().map(encode).collect()
}
