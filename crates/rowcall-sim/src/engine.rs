//! A constrained decoder instead of the provider's own rules: which keywords of a schema the server enforces, which
//! it accepts and ignores, and which it rejects.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::value::satisfies;

/// In the list of what is ignored, the order of properties: they come sorted by name.
const ORDER: &str = "order";

/// In the list of what is ignored, the whole schema.
const SCHEMA: &str = "json_schema";

/// Keywords whose values are objects of schemas by name.
const NAMED: [&str; 4] = ["properties", "patternProperties", "$defs", "definitions"];

/// Keywords whose values are instances of the schema, not schemas.
const VALUES: [&str; 4] = ["enum", "const", "default", "examples"];

/// How a server handles a schema that is requested through the provider's own field. Keywords are given by name, or
/// as `format=date` for one value only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Engine {
    /// Keywords that are accepted but not enforced; `order` means the order of properties, `json_schema` the whole
    /// schema.
    pub ignores: Vec<String>,
    /// Keywords for which a schema is answered with 400.
    pub refuses: Vec<String>,
    /// Whether the model makes up its values whatever the prompt says. Otherwise it writes the JSON at the end of the
    /// prompt, if the schema allows it.
    pub babbles: bool,
}

/// How a model behind an engine answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Manner {
    /// Whether it writes the JSON at the end of the prompt, where allowed.
    pub(crate) copies: bool,
    /// Whether properties come sorted by name.
    pub(crate) sorts: bool,
}

impl Engine {
    /// How its model answers.
    pub(crate) fn manner(&self) -> Manner {
        Manner { copies: !self.babbles, sorts: self.does_ignore(ORDER) }
    }

    /// Whether it ignores schemas completely.
    pub(crate) fn ignores_all(&self) -> bool {
        self.does_ignore(SCHEMA)
    }

    /// The part of `schema` that is enforced, or the message of the rejection.
    pub(crate) fn held(&self, schema: &Value) -> Result<Value, String> {
        let Value::Object(keywords) = schema else { return Ok(schema.clone()) };
        let mut held = Map::new();
        for (name, value) in keywords {
            if names(&self.refuses, name, value) {
                return Err(format!("Grammar error: Unimplemented keys: [\"{name}\"]"));
            }
            if !names(&self.ignores, name, value) {
                held.insert(name.clone(), self.held_within(name, value)?);
            }
        }
        Ok(Value::Object(held))
    }

    fn held_within(&self, name: &str, value: &Value) -> Result<Value, String> {
        match value {
            _ if VALUES.contains(&name) => Ok(value.clone()),
            Value::Object(named) if NAMED.contains(&name) => {
                named.iter().map(|(name, schema)| Ok((name.clone(), self.held(schema)?))).collect()
            }
            Value::Array(schemas) => schemas.iter().map(|schema| self.held(schema)).collect(),
            schema => self.held(schema),
        }
    }

    fn does_ignore(&self, name: &str) -> bool {
        self.ignores.iter().any(|ignored| ignored == name)
    }
}

/// Whether the list has this keyword, alone or with this value.
fn names(list: &[String], name: &str, value: &Value) -> bool {
    list.iter().any(|each| match each.split_once('=') {
        None => each == name,
        Some((keyword, only)) => keyword == name && value == only,
    })
}

impl Manner {
    /// The answer of a model that may write any text.
    pub(crate) fn said(self, prompt: &str) -> Option<String> {
        asked(prompt).filter(|_| self.copies).map(|value| value.to_string())
    }

    /// The value that it writes for `schema` instead of a made-up one.
    pub(crate) fn value(self, prompt: &str, schema: &Value, made_up: Value) -> Value {
        let may_write = |value: &Value| {
            // Formats are not checked here.
            !has_format(schema) && satisfies(schema, value) && (self.sorts || is_in_order(schema, value))
        };
        let copied = asked(prompt).filter(|value| self.copies && may_write(value));
        let value = copied.unwrap_or(made_up);
        if self.sorts { sorted(value) } else { value }
    }
}

/// The JSON in the last line of the prompt.
fn asked(prompt: &str) -> Option<Value> {
    serde_json::from_str(prompt.trim_end().lines().last()?).ok()
}

fn has_format(schema: &Value) -> bool {
    match schema {
        Value::Object(keywords) => keywords.contains_key("format") || keywords.values().any(has_format),
        Value::Array(schemas) => schemas.iter().any(has_format),
        _ => false,
    }
}

/// Whether properties come in the order in which the schema names them.
fn is_in_order(schema: &Value, value: &Value) -> bool {
    let (Some(properties), Some(fields)) =
        (schema.get("properties").and_then(Value::as_object), value.as_object())
    else {
        return true;
    };
    let mut names = properties.keys();
    fields.iter().all(|(field, value)| {
        let schema = properties.get(field);
        schema.is_none_or(|schema| names.any(|name| name == field) && is_in_order(schema, value))
    })
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn engine(ignores: &[&str], refuses: &[&str]) -> Engine {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Engine { ignores: owned(ignores), refuses: owned(refuses), babbles: false }
    }

    #[test]
    fn keywords_are_ignored_or_rejected_everywhere_but_names_are_not() {
        let schema = json!({
            "properties": { "pattern": { "anyOf": [{ "pattern": "a" }, { "format": "date" }, { "format": "uuid" }] } },
            "enum": [{ "pattern": "b" }],
        });
        let held = engine(&["pattern", "format=date"], &["minimum"]).held(&schema);
        let expected = json!({
            "properties": { "pattern": { "anyOf": [{}, {}, { "format": "uuid" }] } },
            "enum": [{ "pattern": "b" }],
        });
        assert_eq!(held, Ok(expected));
        let refused = engine(&[], &["format=uuid"]).held(&schema);
        assert_eq!(refused, Err("Grammar error: Unimplemented keys: [\"format\"]".to_owned()));
    }

    #[test]
    fn a_model_writes_the_requested_value_where_allowed() {
        let schema = json!({ "type": "object", "properties": { "b": { "maximum": 3 }, "a": {} } });
        let made_up = json!({ "b": 1, "a": 1 });
        let (keeps, sorts) = (engine(&[], &[]).manner(), engine(&["order"], &[]).manner());
        for (manner, asked, written) in [
            (keeps, r#"{"b":2,"a":0}"#, r#"{"b":2,"a":0}"#),
            (keeps, r#"{"a":0,"b":2}"#, r#"{"b":1,"a":1}"#),
            (keeps, r#"{"b":4}"#, r#"{"b":1,"a":1}"#),
            (keeps, "no JSON", r#"{"b":1,"a":1}"#),
            (sorts, r#"{"b":2,"a":0}"#, r#"{"a":0,"b":2}"#),
            (Manner::default(), r#"{"b":2,"a":0}"#, r#"{"b":1,"a":1}"#),
        ] {
            let prompt = format!("Write this:\n{asked}\n");
            assert_eq!(manner.value(&prompt, &schema, made_up.clone()).to_string(), written, "{asked}");
        }
        assert_eq!(keeps.said("x\n[1]"), Some("[1]".to_owned()));
        assert_eq!(Manner::default().said("x\n[1]"), None);
    }
}
