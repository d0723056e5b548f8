//! Converts lenient spellings to the strict ones that the rest of the code expects: references percent-encoded and by location, patterns in
//! the syntax of ECMA-262, exclusive limits as numbers, and no `$id` except at the root. Strict spellings are left unchanged.

use serde_json::Value;

use super::subschemas::{Subschemas, is_anchor, percent_encoded, target};
use super::validate::Validator;
use super::{pattern, refused};
use crate::error::Problem;
use crate::violation::escaped;

/// What is changed at a schema.
enum Change {
    LeaveOutId,
    Reference(String),
    Pattern(String),
    /// The old and the new name of a schema under `patternProperties`.
    PatternName(String, String),
    /// A limit that is said to be left out itself, as up to draft 4 and in OpenAPI 3.0, with the keyword that says so.
    Exclusive(&'static str, &'static str),
}

/// Limits with the keyword that excludes the limit itself.
const LIMITS: [(&str, &str); 2] = [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")];

/// `schema` with the same meaning, strictly spelled.
///
/// # Errors
/// A pattern that cannot be used, with the reason.
pub(super) fn spelled(mut schema: Value) -> Result<Value, Problem> {
    let mut changes = Vec::new();
    let found = Subschemas::of(&schema)?;
    let bases: Vec<&str> = found
        .all()
        .iter()
        .filter(|each| !each.pointer.is_empty() && is_base(each.schema.get("$id")))
        .map(|each| each.pointer.as_str())
        .collect();
    let version = schema.get("$schema").and_then(Value::as_str).unwrap_or_default();
    let has_flags = ["draft-03", "draft-04"].iter().any(|old| version.contains(old));
    for each in found.all() {
        let Value::Object(keywords) = each.schema else { continue };
        let mut change = |change| changes.push((each.pointer.clone(), change));
        if !each.pointer.is_empty() && keywords.get("$id").is_some_and(Value::is_string) {
            change(Change::LeaveOutId);
        }
        if let Some(reference) = keywords.get("$ref").and_then(Value::as_str)
            && let Some((pointer, _)) = target(&schema, reference)
        {
            let nearer = within_base(&schema, &bases, &each.pointer, reference);
            if nearer.is_some() || !is_plain(reference) || is_anchor(reference) || pointer.contains('%') {
                let pointer = nearer.unwrap_or(pointer);
                change(Change::Reference(format!("#{}", percent_encoded(&pointer))));
            }
        }
        for (limit, exclusive) in LIMITS {
            if !has_flags
                && let Some(Value::Bool(is_excluded)) = keywords.get(exclusive)
                && (!is_excluded || keywords.get(limit).is_some_and(Value::is_number))
            {
                change(Change::Exclusive(limit, exclusive));
            }
        }
        if let Some(text) = keywords.get("pattern").and_then(Value::as_str)
            && let Some(strict) = strict(text, &format!("{}/pattern", each.pointer))?
        {
            change(Change::Pattern(strict));
        }
        for text in keywords
            .get("patternProperties")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|named| named.keys())
        {
            let place = format!("{}/patternProperties/{}", each.pointer, escaped(text));
            if let Some(strict) = strict(text, &place)? {
                change(Change::PatternName(text.clone(), strict));
            }
        }
    }
    // From the inside out, so that a new name does not invalidate the locations within it.
    changes.sort_by_key(|(pointer, _)| std::cmp::Reverse(pointer.len()));
    for (pointer, change) in changes {
        let Some(Value::Object(keywords)) = schema.pointer_mut(&pointer) else { continue };
        match change {
            Change::LeaveOutId => drop(keywords.shift_remove("$id")),
            Change::Reference(reference) => drop(keywords.insert("$ref".to_owned(), reference.into())),
            Change::Exclusive(limit, exclusive) => {
                if keywords.shift_remove(exclusive) == Some(Value::Bool(true))
                    && let Some(value) = keywords.shift_remove(limit)
                {
                    keywords.insert(exclusive.to_owned(), value);
                }
            }
            Change::Pattern(pattern) => drop(keywords.insert("pattern".to_owned(), pattern.into())),
            Change::PatternName(old, new) => {
                if let Some(Value::Object(named)) = keywords.get_mut("patternProperties")
                    && let Some(inner) = named.shift_remove(&old)
                {
                    named.insert(new, inner);
                }
            }
        }
    }
    Ok(schema)
}

/// Whether an `$id` is one that references within its schema are resolved against; one that begins with `#` is only a name.
fn is_base(id: Option<&Value>) -> bool {
    id.and_then(Value::as_str).is_some_and(|id| !id.is_empty() && !id.starts_with('#'))
}

/// Where a reference leads within the nearest schema around it that has a base of its own, if it leads anywhere there.
fn within_base(root: &Value, bases: &[&str], at: &str, reference: &str) -> Option<String> {
    let around =
        |base: &&&str| at == **base || at.strip_prefix(**base).is_some_and(|rest| rest.starts_with('/'));
    let base = bases.iter().filter(around).max_by_key(|base| base.len())?;
    target(root.pointer(base)?, reference).map(|(pointer, _)| format!("{base}{pointer}"))
}

/// Whether a reference contains only characters that a URI may contain.
fn is_plain(reference: &str) -> bool {
    let is_hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = reference.as_bytes();
    bytes.iter().enumerate().all(|(at, byte)| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => true,
        b'#' => at == 0,
        b'%' => is_hex(bytes.get(at + 1)) && is_hex(bytes.get(at + 2)),
        b'~' => matches!(bytes.get(at + 1), Some(b'0' | b'1')),
        byte => b"-._/$!&'()*+,;=:@?".contains(byte),
    })
}

/// A strict spelling of a pattern that is not strict.
fn strict(text: &str, place: &str) -> Result<Option<String>, Problem> {
    if pattern::is_delimited(text) {
        let message = format!(
            "`{}` has the slashes around it that JavaScript's programs write, so nothing would match it",
            super::wording::cut(text)
        );
        return Err(refused(place, message).hint("write what stands between the slashes, without flags"));
    }
    if Validator::takes_pattern(text) {
        return Ok(None);
    }
    let strict = pattern::strict(text);
    if Validator::takes_pattern(&strict) {
        return Ok(Some(strict));
    }
    let message =
        format!("`{}` is not a regular expression: {}", super::wording::cut(text), pattern::fault(text));
    Err(refused(place, message).hint("JSON Schema has the regular expressions of JavaScript"))
}

#[cfg(test)]
mod tests;
