//! The subset of JSON Schema that Anthropic accepts for structured outputs and strict tools, from its documentation.
//! Owns the rules and their wording, but not whether the simulator can make a value.

use serde_json::{Map, Value};

use crate::complaint::Complaint;
use crate::recursion::{Through, circle};
use crate::value::{names_type, resolve};

const KEYWORDS: [&str; 16] = [
    "type",
    "enum",
    "const",
    "anyOf",
    "allOf",
    "$ref",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "format",
];
const FORMATS: [&str; 10] =
    ["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];
const TYPES: [&str; 7] = ["object", "array", "string", "integer", "number", "boolean", "null"];

const MOST_OPTIONAL: usize = 24;
const MOST_UNIONS: usize = 16;

/// What makes the schemas of one request expensive to compile together: the limits apply to the whole request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// Properties that are not required.
    optional: usize,
    /// Schemas with `anyOf` or a list of types.
    unions: usize,
}

impl Size {
    /// Adds `schema`, or returns Anthropic's error: for the schema, or for too much together with earlier ones.
    pub(super) fn add(&mut self, schema: &Value) -> Result<(), Complaint> {
        let Self { optional, unions } = check(schema)?;
        self.optional += optional;
        self.unions += unions;
        self.check()
    }

    /// Whether it is within the published limits.
    fn check(self) -> Result<(), Complaint> {
        let Self { optional, unions } = self;
        let inefficient = "which would make grammar compilation inefficient";
        if optional > MOST_OPTIONAL {
            let what = format!(
                "Schemas contain too many optional parameters ({optional}), {inefficient} (limit: {MOST_OPTIONAL})"
            );
            return Err(Complaint::new(&[], what));
        }
        if unions > MOST_UNIONS {
            let what = format!(
                "Schemas contain too many parameters with union types ({unions}), {inefficient} (limit: {MOST_UNIONS})"
            );
            return Err(Complaint::new(&[], what));
        }
        Ok(())
    }
}

/// The size of `schema` if Anthropic would accept it alone, whatever its size, or its error.
fn check(schema: &Value) -> Result<Size, Complaint> {
    let mut walk = Walk { root: schema, path: Vec::new(), size: Size::default() };
    walk.schema(schema)?;
    match circle(schema, Through::Anything) {
        None => Ok(walk.size),
        Some(target) => {
            let what = format!("Recursive schemas are not supported: '{target}' leads back to itself");
            Err(Complaint::new(&[], what))
        }
    }
}

struct Walk<'s> {
    root: &'s Value,
    path: Vec<String>,
    size: Size,
}

impl Walk<'_> {
    fn complain(&self, what: impl Into<String>) -> Result<(), Complaint> {
        Err(Complaint::new(&self.path, what))
    }

    fn at(&mut self, steps: &[&str], schema: &Value) -> Result<(), Complaint> {
        let before = self.path.len();
        self.path.extend(steps.iter().map(|&step| step.to_owned()));
        self.schema(schema)?;
        self.path.truncate(before);
        Ok(())
    }

    fn schema(&mut self, schema: &Value) -> Result<(), Complaint> {
        let Value::Object(keywords) = schema else {
            return self.complain("Schema must be an object");
        };
        self.types(keywords)?;
        self.scalars(keywords)?;
        self.keywords(keywords)?;
        if names_type(keywords, "object") || keywords.contains_key("properties") {
            self.object(keywords)?;
        }
        if let Some(items) = keywords.get("items") {
            self.at(&["items"], items)?;
        }
        for word in ["anyOf", "allOf"] {
            let Some(branches) = keywords.get(word) else { continue };
            let Some(branches) = branches.as_array().filter(|branches| !branches.is_empty()) else {
                return self.complain(format!("'{word}' must be a non-empty list of schemas"));
            };
            for (n, branch) in branches.iter().enumerate() {
                self.at(&[word, &n.to_string()], branch)?;
            }
        }
        for word in ["$defs", "definitions"] {
            for (name, schema) in keywords.get(word).and_then(Value::as_object).into_iter().flatten() {
                self.at(&[word, name], schema)?;
            }
        }
        Ok(())
    }

    fn keywords(&self, keywords: &Map<String, Value>) -> Result<(), Complaint> {
        for (word, value) in keywords {
            let small = || value.as_u64().is_some_and(|least| least <= 1);
            match word.as_str() {
                "minItems" if small() => {}
                "minItems" => {
                    return self
                        .complain("For 'array' type, 'minItems' values other than 0 or 1 are not supported");
                }
                known if KEYWORDS.contains(&known) => {}
                other => {
                    let kind = keywords.get("type").and_then(Value::as_str).unwrap_or("any");
                    return self.complain(format!("For '{kind}' type, property '{other}' is not supported"));
                }
            }
        }
        Ok(())
    }

    fn types(&mut self, keywords: &Map<String, Value>) -> Result<(), Complaint> {
        let known = |name: &Value| name.as_str().is_some_and(|name| TYPES.contains(&name));
        let several = match keywords.get("type") {
            Some(Value::Array(names)) if !names.is_empty() && names.iter().all(known) => names.len() > 1,
            Some(name @ Value::String(_)) if known(name) => false,
            None => false,
            Some(other) => return self.complain(format!("Schema type {other} is not supported")),
        };
        self.size.unions += usize::from(several || keywords.contains_key("anyOf"));
        Ok(())
    }

    fn object(&mut self, keywords: &Map<String, Value>) -> Result<(), Complaint> {
        if keywords.get("additionalProperties") != Some(&Value::Bool(false)) {
            return self
                .complain("For 'object' type, 'additionalProperties' must be explicitly set to false");
        }
        let properties = keywords.get("properties").and_then(Value::as_object);
        let required = keywords.get("required").and_then(Value::as_array);
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|each| each == name));
        let unknown = required.into_iter().flatten().find(|name| {
            !name.as_str().is_some_and(|name| properties.is_some_and(|known| known.contains_key(name)))
        });
        if let Some(unknown) = unknown {
            return self.complain(format!("Required property {unknown} is not defined in 'properties'"));
        }
        for (name, schema) in properties.into_iter().flatten() {
            self.size.optional += usize::from(!is_required(name));
            self.at(&["properties", name], schema)?;
        }
        Ok(())
    }

    fn scalars(&self, keywords: &Map<String, Value>) -> Result<(), Complaint> {
        if let Some(values) = keywords.get("enum") {
            let plain = |value: &Value| !value.is_array() && !value.is_object();
            let sound =
                values.as_array().is_some_and(|values| !values.is_empty() && values.iter().all(plain));
            if !sound {
                return self
                    .complain("'enum' must be a non-empty list of strings, numbers, booleans or nulls");
            }
        }
        if let Some(format) =
            keywords.get("format").filter(|format| !FORMATS.iter().any(|known| *format == known))
        {
            return self.complain(format!("For 'string' type, format {format} is not supported"));
        }
        let Some(target) = keywords.get("$ref") else { return Ok(()) };
        if target.as_str().and_then(|target| resolve(self.root, target)).is_none() {
            return self.complain(format!("Reference {target} does not lead to a definition of the schema"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
