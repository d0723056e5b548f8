//! The depth of a schema's flattest value, which leads out of a recursive schema.

use serde_json::Value;

use super::conjunction::resolve;

/// Beyond this depth a schema is considered infinite.
const FUEL: usize = 12;
/// Visits to subschemas before giving up.
const VISITS: usize = 2_000;

/// The least depth of a value of `schema`; `None` if none is found within these limits.
pub(super) fn least(root: &Value, schema: &Value) -> Option<usize> {
    let mut visits = VISITS;
    measure(root, schema, FUEL, &mut visits)
}

fn measure(root: &Value, schema: &Value, fuel: usize, visits: &mut usize) -> Option<usize> {
    *visits = visits.checked_sub(1)?;
    let fuel = fuel.checked_sub(1)?;
    let Value::Object(keywords) = schema else { return Some(0) };
    let list = |word: &str| keywords.get(word).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut height = 0;
    if let Some(target) = keywords.get("$ref") {
        height = height.max(measure(root, resolve(root, target.as_str()?)?, fuel, visits)?);
    }
    for schema in list("allOf") {
        height = height.max(measure(root, schema, fuel, visits)?);
    }
    for word in ["anyOf", "oneOf"] {
        let mut flattest = None;
        for branch in list(word) {
            let branch = measure(root, branch, fuel, visits);
            flattest = [flattest, branch].into_iter().flatten().min();
        }
        if !list(word).is_empty() {
            height = height.max(flattest?);
        }
    }
    let may_be_null = list("type").iter().any(|name| name == "null");
    if !may_be_null {
        for name in list("required").iter().filter_map(Value::as_str) {
            if let Some(property) = keywords.get("properties").and_then(|properties| properties.get(name)) {
                height = height.max(1 + measure(root, property, fuel, visits)?);
            }
        }
        let filled = keywords.get("minItems").and_then(Value::as_f64).is_some_and(|least| least > 0.0);
        if let Some(items) = keywords.get("items").filter(|_| filled) {
            height = height.max(1 + measure(root, items, fuel, visits)?);
        }
    }
    Some(height)
}
