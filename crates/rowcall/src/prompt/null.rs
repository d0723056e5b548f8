//! Null fields count as missing: a prompt that would contain `none` for one fails the row, unless the template handles that with
//! `| default(…)` or a condition.

use std::fmt;
use std::sync::Arc;

use minijinja::value::{Object, ObjectRepr, Value as Field, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Template};
use serde_json::{Map, Value};

use super::field::{self, Forms, Nulls};
use super::spelling::{self, Numbers};

/// The message of the formatter's error, by which it is recognised.
const IS_NULL: &str = "null cannot be written into a prompt";

/// Written for a null to find out where it ends up: as long as the engine's `none`, and never part of a text, since these are
/// noncharacters.
const MARK: &str = "\u{10FFFE}\u{10FFFE}\u{10FFFE}\u{10FFFE}";

/// A null that leaves a mark wherever it is written.
#[derive(Debug)]
struct Marked;

impl Object for Marked {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MARK)
    }
}

/// A null cannot be written, counts as missing for `default`, and passes the test `none`.
pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.set_formatter(|out, state, value| {
        if value.is_none() {
            return Err(Error::new(ErrorKind::InvalidOperation, IS_NULL));
        }
        if matches!(value.kind(), ValueKind::Seq | ValueKind::Map) {
            // A list or an object that is written as a whole may contain nulls.
            let text = value.to_string();
            return out.write_str(&text.replace(MARK, "none")).map_err(Error::from);
        }
        match spelling::written(state, value) {
            Some(text) => out.write_str(&text).map_err(Error::from),
            None => minijinja::escape_formatter(out, state, value),
        }
    });
    for name in ["default", "d"] {
        environment.add_filter(name, |value: &Field, other: Option<Field>, falsy: Option<bool>| {
            let is_missing = value.is_undefined() || is_null(value);
            if is_missing || (falsy.unwrap_or_default() && !value.is_true()) {
                other.unwrap_or_else(|| Field::from(""))
            } else {
                value.clone()
            }
        });
    }
    environment.add_test("none", is_null);
}

/// Whether an error is about a null.
pub(super) fn is_of_null(error: &Error) -> bool {
    error.detail() == Some(IS_NULL)
}

/// Whether `text`, which `template` renders for `fields`, contains `none` because an operator or a filter turned a null into text. The
/// template is rendered again only if a field that it uses contains a null.
pub(super) fn is_written(
    template: &Template<'_, '_>,
    fields: &Map<String, Value>,
    numbers: &Numbers,
    used: impl Fn(&str) -> bool,
    text: &str,
) -> bool {
    if !fields.iter().any(|(name, value)| used(name) && has_null(value)) {
        return false;
    }
    let marked = field::all(fields, Forms { numbers, nulls: Nulls::Marked });
    template.render(marked).is_ok_and(|marked| {
        // With conditions on `none`, the text is different, and no null is written.
        marked.contains(MARK) && marked.replace(MARK, "none").eq_ignore_ascii_case(text)
    })
}

/// The null fields among those that a template uses.
pub(super) fn among<'a>(
    fields: &'a Map<String, Value>,
    used: impl Fn(&str) -> bool + 'a,
) -> impl Iterator<Item = &'a String> {
    fields.iter().filter(move |(name, value)| value.is_null() && used(name)).map(|(name, _)| name)
}

fn is_null(value: &Field) -> bool {
    value.is_none() || value.downcast_object_ref::<Marked>().is_some()
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
    }
}

/// A null that leaves a mark.
pub(super) fn marked() -> Field {
    Field::from_object(Marked)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::outcome::FailureKind;
    use crate::prompt::Template;

    /// The text of `template` for a row, or why there is none.
    fn said(template: &str, row: &serde_json::Value) -> Result<String, String> {
        let template = Template::new(template, None).expect("compiles");
        let fields = row.as_object().cloned().unwrap_or_default();
        let prompt = template.render(&fields).map_err(|failure| {
            assert_eq!(failure.kind, FailureKind::Template);
            failure.message
        })?;
        match prompt.turns.as_slice() {
            [crate::turn::Turn::User { text, .. }] => Ok(text.clone()),
            turns => panic!("{} turns", turns.len()),
        }
    }

    #[test]
    fn a_null_that_would_be_in_the_prompt_fails_the_row() {
        let row = json!({ "text": null, "more": "x", "user": { "name": null }, "list": ["a", null] });
        for template in [
            "{{ text }}",
            "{{ more }}: {{ text }}",
            "{{ 'a' ~ text }}",
            "{{ text | upper }}",
            "{{ text | string | title }}",
            "{{ text | truncate(200) }}",
            "{{ row.text }}",
            "{{ text or none }}",
            "{% for each in list %}{{ each }}{% endfor %}",
        ] {
            let message = said(template, &row).expect_err(template);
            assert!(message.contains("null in the row"), "{template}: {message}");
        }
        assert!(said("{{ text }}", &row).expect_err("null").contains("uses `text`, which is null"));
        assert!(said("{{ user.name }} {{ more }}", &row).is_err());
    }

    #[test]
    fn a_template_may_handle_a_null() {
        let row = json!({ "text": null, "more": "x", "user": { "name": null } });
        for (template, expected) in [
            ("{{ text | default('nothing') }}{{ more }}", "nothingx"),
            ("{{ text | d('nothing') }}", "nothing"),
            ("{{ text | default('') | upper }}{{ more | default('y') }}", "x"),
            ("{{ user.name | default('?') }}", "?"),
            ("{% if text %}{{ text }}{% else %}-{% endif %}{{ more }}", "-x"),
            ("{% if text is none %}-{% else %}{{ text }}{% endif %}", "-"),
            ("{% if row.text is none %}-{% endif %}{{ more }}", "-x"),
            ("{% if text is not none %}{{ text }}{% endif %}{{ more }}", "x"),
            ("{% if text != none %}{{ text }}{% endif %}{{ more }}", "x"),
            ("{{ text or more }}", "x"),
            ("{{ row | tojson }}", r#"{"text":null,"more":"x","user":{"name":null}}"#),
            ("{{ text | tojson }}", "null"),
            ("{{ user }} {{ [1, text] }}", "{'name': None} [1, None]"),
        ] {
            assert_eq!(said(template, &row).as_deref(), Ok(expected), "{template}");
        }
    }
}
