//! The subset of JSON Schema that OpenAI accepts with `strict: true` (documentation of February 2026). Owns the rules
//! and their wording, but not whether the simulator can make a value.

use serde_json::{Map, Value};

use crate::complaint::Complaint;
use crate::value::names_type;

/// Keywords permitted in a strict schema. Everything else is rejected, including `default` and `minLength`.
const PERMITTED: [&str; 25] = [
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "anyOf",
    "$ref",
    "$defs",
    "definitions",
    "title",
    "description",
    "$schema",
    "$id",
    "$comment",
    "pattern",
    "format",
    "multipleOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minItems",
    "maxItems",
];
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];
const TYPES: [&str; 7] = ["string", "number", "integer", "boolean", "object", "array", "null"];

const MOST_PROPERTIES: usize = 5_000;
const MOST_NESTING: usize = 10;
const MOST_CHARACTERS: usize = 120_000;
const MOST_ENUM_VALUES: usize = 1_000;
/// An enum of strings with more members than this has its own limit of characters.
const LARGE_ENUM: usize = 250;
const LARGE_ENUM_CHARACTERS: usize = 15_000;

/// Whether OpenAI would accept `schema` with `strict: true`, or its error.
pub(crate) fn check(schema: &Value) -> Result<(), Complaint> {
    check_root(schema)?;
    let mut walk = Walk { root: schema, path: Vec::new(), properties: 0, characters: 0, enum_values: 0 };
    walk.schema(schema, 0)
}

/// Whether the values of `schema` are objects, as those of parameters must be.
pub(super) fn check_root(schema: &Value) -> Result<(), Complaint> {
    let root_type = schema.get("type").and_then(Value::as_str);
    if root_type == Some("object") && schema.get("anyOf").is_none() {
        return Ok(());
    }
    let found = root_type.unwrap_or("None");
    let what = format!("schema must be a JSON Schema of 'type: \"object\"', got 'type: \"{found}\"'.");
    Err(Complaint::new(&[], what))
}

struct Walk<'s> {
    root: &'s Value,
    path: Vec<String>,
    properties: usize,
    characters: usize,
    enum_values: usize,
}

impl Walk<'_> {
    fn complain(&self, what: impl Into<String>) -> Result<(), Complaint> {
        Err(Complaint::new(&self.path, what))
    }

    fn within<'a>(
        &mut self,
        steps: &[&str],
        schemas: impl IntoIterator<Item = (String, &'a Value)>,
        nesting: usize,
    ) -> Result<(), Complaint> {
        for (name, schema) in schemas {
            let before = self.path.len();
            self.path.extend(steps.iter().map(|step| (*step).to_owned()));
            self.path.extend((!name.is_empty()).then_some(name));
            self.schema(schema, nesting)?;
            self.path.truncate(before);
        }
        Ok(())
    }

    fn schema(&mut self, schema: &Value, nesting: usize) -> Result<(), Complaint> {
        let Value::Object(keywords) = schema else {
            return self.complain("schema must be an object.");
        };
        if let Some(keyword) = keywords.keys().find(|keyword| !PERMITTED.contains(&keyword.as_str())) {
            return self.complain(format!("'{keyword}' is not permitted."));
        }
        self.types(keywords)?;
        self.scalars(keywords)?;
        if nesting > MOST_NESTING {
            return self.complain(format!("schema exceeds the maximum of {MOST_NESTING} levels of nesting."));
        }
        let object = names_type(keywords, "object") || keywords.contains_key("properties");
        if object {
            self.object(keywords, nesting)?;
        }
        match keywords.get("items") {
            Some(items @ Value::Object(_)) => {
                self.within(&["items"], [(String::new(), items)], nesting + 1)?;
            }
            Some(_) => return self.complain("'items' must be a schema, not a list of schemas."),
            None if names_type(keywords, "array") => return self.complain("array schema missing items."),
            None => {}
        }
        if let Some(branches) = keywords.get("anyOf") {
            let Some(branches) = branches.as_array().filter(|branches| !branches.is_empty()) else {
                return self.complain("'anyOf' must be a non-empty array of schemas.");
            };
            let numbered = branches.iter().enumerate().map(|(n, branch)| (n.to_string(), branch));
            self.within(&["anyOf"], numbered, nesting)?;
        }
        for word in ["$defs", "definitions"] {
            if let Some(definitions) = keywords.get(word).and_then(Value::as_object) {
                self.characters += definitions.keys().map(String::len).sum::<usize>();
                let named = definitions.iter().map(|(name, schema)| (name.clone(), schema));
                self.within(&[word], named, 0)?;
            }
        }
        self.limits()
    }

    fn types(&self, keywords: &Map<String, Value>) -> Result<(), Complaint> {
        let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
        match keywords.get("type") {
            Some(name @ Value::String(_)) if known(name) => Ok(()),
            Some(Value::Array(names)) if !names.is_empty() && names.iter().all(known) => Ok(()),
            Some(other) => self.complain(format!("{other} is not valid under any of the given schemas.")),
            None if ["$ref", "anyOf", "enum", "const"].iter().any(|word| keywords.contains_key(*word)) => {
                Ok(())
            }
            None => self.complain("schema must have a 'type' key."),
        }
    }

    fn object(&mut self, keywords: &Map<String, Value>, nesting: usize) -> Result<(), Complaint> {
        if keywords.get("additionalProperties") != Some(&Value::Bool(false)) {
            return self.complain("'additionalProperties' is required to be supplied and to be false.");
        }
        let empty = Map::new();
        let properties = keywords.get("properties").and_then(Value::as_object).unwrap_or(&empty);
        let required = keywords.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|each| each == name));
        let supplied =
            "'required' is required to be supplied and to be an array including every key in properties.";
        if let Some(name) = properties.keys().find(|name| !is_required(name)) {
            return self.complain(format!("{supplied} Missing '{name}'."));
        }
        let unknown = required
            .into_iter()
            .flatten()
            .find(|name| name.as_str().is_none_or(|name| !properties.contains_key(name)));
        if let Some(name) = unknown {
            return self.complain(format!("{supplied} Extra required key {name} supplied."));
        }
        self.properties += properties.len();
        self.characters += properties.keys().map(String::len).sum::<usize>();
        let named = properties.iter().map(|(name, schema)| (name.clone(), schema));
        self.within(&["properties"], named, nesting + 1)
    }

    fn scalars(&mut self, keywords: &Map<String, Value>) -> Result<(), Complaint> {
        let length = |value: &Value| value.as_str().map_or(0, str::len);
        if let Some(values) = keywords.get("enum") {
            let Some(values) = values.as_array().filter(|values| !values.is_empty()) else {
                return self.complain("'enum' must be a non-empty array.");
            };
            let characters: usize = values.iter().map(length).sum();
            self.enum_values += values.len();
            self.characters += characters;
            if values.len() > LARGE_ENUM && characters > LARGE_ENUM_CHARACTERS {
                let what = format!(
                    "enum of {} values has {characters} characters, at most {LARGE_ENUM_CHARACTERS} are permitted.",
                    values.len()
                );
                return self.complain(what);
            }
        }
        self.characters += keywords.get("const").map_or(0, length);
        if let Some(format) =
            keywords.get("format").filter(|format| !FORMATS.iter().any(|known| *format == known))
        {
            return self.complain(format!("format {format} is not supported."));
        }
        if let Some(target) = keywords.get("$ref") {
            let pointer = target.as_str().and_then(|target| target.strip_prefix('#'));
            let local = pointer.is_some_and(|pointer| {
                let is_allowed = pointer.is_empty()
                    || pointer.starts_with("/$defs/")
                    || pointer.starts_with("/definitions/");
                is_allowed && self.root.pointer(pointer).is_some()
            });
            if !local {
                return self
                    .complain(format!("reference {target} does not point into '$defs' or to the root."));
            }
        }
        Ok(())
    }

    fn limits(&self) -> Result<(), Complaint> {
        for (name, count, most) in [
            ("object properties", self.properties, MOST_PROPERTIES),
            ("characters in names, enum and const values", self.characters, MOST_CHARACTERS),
            ("enum values", self.enum_values, MOST_ENUM_VALUES),
        ] {
            if count > most {
                return Err(Complaint::new(&[], format!("schema exceeds the maximum of {most} {name}.")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(properties: &Value) -> Value {
        let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    fn complaint(schema: &Value) -> String {
        check(schema).err().map_or_else(String::new, |complaint| complaint.to_string())
    }

    #[test]
    fn a_schema_with_every_permitted_keyword_is_accepted() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "T", "description": "d",
            "type": "object", "additionalProperties": false, "required": ["a", "b", "c", "d"],
            "properties": {
                "a": { "type": ["string", "null"], "pattern": "^a", "format": "email" },
                "b": { "type": "array", "items": { "$ref": "#/$defs/n" }, "minItems": 1, "maxItems": 3 },
                "c": { "anyOf": [{ "type": "number", "multipleOf": 2, "exclusiveMaximum": 9 }, { "type": "null" }] },
                "d": { "anyOf": [{ "$ref": "#" }, { "const": "x" }] },
            },
            "$defs": { "n": { "enum": [1, 2] } },
        });
        assert_eq!(complaint(&schema), "");
    }

    #[test]
    fn each_breach_is_reported_with_its_context() {
        let within = |schema: Value| object(&json!({ "x": schema }));
        let cases = [
            (
                json!({ "type": "array", "items": {} }),
                "In context=(), schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
            ),
            (
                json!({ "anyOf": [] }),
                "In context=(), schema must be a JSON Schema of 'type: \"object\"', got 'type: \"None\"'.",
            ),
            (
                json!({ "type": "object", "properties": {} }),
                "In context=(), 'additionalProperties' is required to be supplied and to be false.",
            ),
            (
                json!({ "type": "object", "properties": { "due_date": { "type": "string" } }, "additionalProperties": false }),
                "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing 'due_date'.",
            ),
            (
                json!({ "type": "object", "properties": {}, "required": ["z"], "additionalProperties": false }),
                "In context=(), 'required' is required to be supplied and to be an array including every key in properties. Extra required key \"z\" supplied.",
            ),
            (within(json!({ "oneOf": [] })), "In context=('properties', 'x'), 'oneOf' is not permitted."),
            (
                within(json!({ "type": "string", "minLength": 1 })),
                "In context=('properties', 'x'), 'minLength' is not permitted.",
            ),
            (
                within(json!({ "type": "string", "default": "a" })),
                "In context=('properties', 'x'), 'default' is not permitted.",
            ),
            (
                within(json!({ "type": "array", "items": { "type": "object" } })),
                "In context=('properties', 'x', 'items'), 'additionalProperties' is required to be supplied and to be false.",
            ),
            (
                within(json!({ "type": "array" })),
                "In context=('properties', 'x'), array schema missing items.",
            ),
            (
                within(json!({ "anyOf": [{}] })),
                "In context=('properties', 'x', 'anyOf', '0'), schema must have a 'type' key.",
            ),
            (
                within(json!({ "type": "date" })),
                "In context=('properties', 'x'), \"date\" is not valid under any of the given schemas.",
            ),
            (
                within(json!({ "type": "string", "format": "uri" })),
                "In context=('properties', 'x'), format \"uri\" is not supported.",
            ),
            (
                within(json!({ "$ref": "#/nowhere" })),
                "In context=('properties', 'x'), reference \"#/nowhere\" does not point into '$defs' or to the root.",
            ),
            (within(json!(true)), "In context=('properties', 'x'), schema must be an object."),
        ];
        for (schema, expected) in cases {
            assert_eq!(complaint(&schema), expected, "{schema}");
        }
        for keyword in [
            "allOf",
            "not",
            "if",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "contains",
            "uniqueItems",
            "prefixItems",
            "nullable",
        ] {
            let schema = within(json!({ "type": "string", keyword: [] }));
            assert_eq!(
                complaint(&schema),
                format!("In context=('properties', 'x'), '{keyword}' is not permitted.")
            );
        }
    }

    #[test]
    fn size_limits_are_enforced() {
        let nested =
            |levels| (0..levels).fold(json!({ "type": "string" }), |inner, _| object(&json!({ "a": inner })));
        assert_eq!(complaint(&nested(10)), "");
        assert!(complaint(&nested(11)).ends_with("schema exceeds the maximum of 10 levels of nesting."));

        let wide = |count| {
            object(
                &(0..count).map(|n| (n.to_string(), json!({ "type": "null" }))).collect::<Map<_, _>>().into(),
            )
        };
        assert_eq!(complaint(&wide(5_000)), "");
        assert_eq!(
            complaint(&wide(5_001)),
            "In context=(), schema exceeds the maximum of 5000 object properties."
        );

        let members = |count: usize, length: usize| {
            object(
                &json!({ "a": { "enum": (0..count).map(|n| format!("{n:0length$}")).collect::<Vec<_>>() } }),
            )
        };
        assert_eq!(complaint(&members(1_000, 4)), "");
        assert_eq!(
            complaint(&members(1_001, 4)),
            "In context=(), schema exceeds the maximum of 1000 enum values."
        );
        assert!(complaint(&members(251, 60)).contains("at most 15000 are permitted"));
        assert!(
            complaint(&object(&json!({ "a": { "const": "x".repeat(120_001) } })))
                .contains("120000 characters")
        );
    }
}
