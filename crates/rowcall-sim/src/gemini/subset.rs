//! The subset of JSON Schema that Gemini accepts as `responseJsonSchema` and `parametersJsonSchema`, from Google's
//! documentation. Owns the rules and their wording, but not whether the simulator can make a value.

use serde_json::{Map, Value};

use crate::complaint::Complaint;
use crate::recursion::{Through, circle};

const KEYWORDS: [&str; 20] = [
    "$id",
    "$defs",
    "$ref",
    "$anchor",
    "type",
    "format",
    "title",
    "description",
    "enum",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "minimum",
    "maximum",
    "anyOf",
    "oneOf",
    "properties",
    "additionalProperties",
    "required",
];
/// Google's own keyword for the order of properties.
const ORDERING: &str = "propertyOrdering";

/// Whether Gemini would accept `schema`, or its error.
pub(super) fn check(schema: &Value) -> Result<(), Complaint> {
    walk(schema, &mut Vec::new())?;
    match circle(schema, Through::Required) {
        None => Ok(()),
        Some(target) => {
            let what = format!(
                "Cyclic references may only be used within non-required properties: '{target}' leads back to itself."
            );
            Err(Complaint::new(&[], what))
        }
    }
}

fn walk(schema: &Value, path: &mut Vec<String>) -> Result<(), Complaint> {
    let keywords = match schema {
        Value::Bool(_) if !path.is_empty() => return Ok(()),
        Value::Object(keywords) => keywords,
        _ => return Err(Complaint::new(path, "schema must be an object.")),
    };
    judge(keywords, path)?;
    let mut into = |steps: &[&str], schema: &Value| {
        let before = path.len();
        path.extend(steps.iter().map(|&step| step.to_owned()));
        walk(schema, path)?;
        path.truncate(before);
        Ok(())
    };
    for (word, value) in keywords {
        match (word.as_str(), value) {
            ("properties" | "$defs", Value::Object(schemas)) => {
                schemas.iter().try_for_each(|(name, schema)| into(&[word, name], schema))?;
            }
            ("anyOf" | "oneOf" | "prefixItems", Value::Array(schemas)) => {
                let mut numbered = schemas.iter().enumerate();
                numbered.try_for_each(|(n, schema)| into(&[word, &n.to_string()], schema))?;
            }
            ("items" | "additionalProperties", schema) => into(&[word], schema)?,
            _ => {}
        }
    }
    Ok(())
}

fn judge(keywords: &Map<String, Value>, path: &[String]) -> Result<(), Complaint> {
    let complain = |what: String| Err(Complaint::new(path, what));
    if let Some(word) = keywords.keys().find(|word| !KEYWORDS.contains(&word.as_str()) && *word != ORDERING) {
        return complain(format!("keyword '{word}' is not supported."));
    }
    if keywords.contains_key("$ref")
        && let Some(word) = keywords.keys().find(|word| !word.starts_with('$'))
    {
        return complain(format!(
            "'{word}' cannot stand beside '$ref', only keywords that begin with '$' can."
        ));
    }
    if let Some(values) = keywords.get("enum") {
        let plain = |value: &Value| value.is_string() || value.is_number();
        if !values.as_array().is_some_and(|values| !values.is_empty() && values.iter().all(plain)) {
            return complain("'enum' must be a non-empty list of strings or numbers.".to_owned());
        }
    }
    if let Some(order) = keywords.get(ORDERING) {
        let properties = keywords.get("properties").and_then(Value::as_object);
        let known = |name: &Value| {
            name.as_str().is_some_and(|name| properties.is_some_and(|known| known.contains_key(name)))
        };
        if !order.as_array().is_some_and(|order| order.iter().all(known)) {
            return complain(format!("'{ORDERING}' must be a list of the properties' names."));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
