//! Checks a wire schema against the limits of its provider.

use serde_json::{Map, Value};

use super::dialect::Limits;
use crate::error::Problem;

use crate::schema::wording::cut;
use crate::violation::escaped;

/// Rejects a schema that exceeds the limits, before a provider does.
///
/// # Errors
/// The first limit that is exceeded, with the location in the wire schema.
pub(super) fn check(schema: &Value, limits: &Limits) -> Result<(), Problem> {
    if *limits == Limits::NONE {
        return Ok(());
    }
    let mut count = Count { limits, properties: 0, characters: 0, members: 0, optional: 0, unions: 0 };
    count.schema("", schema, 0)
}

struct Count<'l> {
    limits: &'l Limits,
    properties: usize,
    characters: usize,
    members: usize,
    optional: usize,
    unions: usize,
}

impl Count<'_> {
    fn schema(&mut self, pointer: &str, schema: &Value, depth: usize) -> Result<(), Problem> {
        let Value::Object(keywords) = schema else { return Ok(()) };
        let depth = depth + usize::from(keywords.contains_key("properties"));
        within(pointer, "levels of objects", depth, self.limits.depth)?;
        self.members(pointer, keywords)?;
        let is_union = keywords.contains_key("anyOf") || keywords.get("type").is_some_and(Value::is_array);
        self.unions += usize::from(is_union);
        within(pointer, "places with alternatives or several types", self.unions, self.limits.unions)?;
        for (keyword, value) in keywords {
            let pointer = format!("{pointer}/{keyword}");
            match (keyword.as_str(), value) {
                ("properties" | "$defs" | "definitions", Value::Object(named)) => {
                    let is_definition = keyword != "properties";
                    let required = keywords.get("required").and_then(Value::as_array);
                    for (name, schema) in named {
                        let pointer = format!("{pointer}/{}", escaped(name));
                        if !is_definition {
                            self.properties += 1;
                            within(&pointer, "properties", self.properties, self.limits.properties)?;
                            let is_required =
                                required.is_some_and(|names| names.iter().any(|each| each == name));
                            self.optional += usize::from(!is_required);
                            within(
                                &pointer,
                                "properties that are not required",
                                self.optional,
                                self.limits.optional,
                            )?;
                        }
                        self.characters(&pointer, name.chars().count())?;
                        self.schema(&pointer, schema, if is_definition { 0 } else { depth })?;
                    }
                }
                ("anyOf", Value::Array(branches)) => {
                    for (number, branch) in branches.iter().enumerate() {
                        self.schema(&format!("{pointer}/{number}"), branch, depth)?;
                    }
                }
                ("items", items) => self.schema(&pointer, items, depth)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn members(&mut self, pointer: &str, keywords: &Map<String, Value>) -> Result<(), Problem> {
        let length = |value: &Value| {
            value.as_str().map_or_else(|| value.to_string().len(), |text| text.chars().count())
        };
        if let Some(constant) = keywords.get("const") {
            self.characters(pointer, length(constant))?;
        }
        let Some(members) = keywords.get("enum").and_then(Value::as_array) else { return Ok(()) };
        let characters = members.iter().map(length).sum();
        self.members += members.len();
        within(pointer, "enum values", self.members, self.limits.members)?;
        let (many, most) = self.limits.long_enum;
        if members.len() > many {
            within(pointer, "characters in one enum", characters, most)?;
        }
        self.characters(pointer, characters)
    }

    fn characters(&mut self, pointer: &str, more: usize) -> Result<(), Problem> {
        self.characters += more;
        within(pointer, "characters in names and enum values", self.characters, self.limits.characters)
    }
}

fn within(pointer: &str, what: &str, count: usize, most: usize) -> Result<(), Problem> {
    if count <= most {
        return Ok(());
    }
    let place = if pointer.is_empty() { String::new() } else { format!(" at `{}`", cut(pointer)) };
    Err(Problem::new(format!("the schema has {count} {what}{place}, the provider takes at most {most}"))
        .hint("ask for less at once, or use a mode that does not send the schema to be enforced"))
}
