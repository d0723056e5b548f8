//! Functions for templates beyond the engine's own filters: filters that users of Jinja2 expect, and Python's methods of strings,
//! lists and dictionaries. None is random or reads a clock, since a row is identified by its rendered prompt.

use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, ErrorKind, State, Value};
use minijinja_contrib::filters::{filesizeformat, pluralize, striptags, truncate, wordwrap};
use minijinja_contrib::pycompat::unknown_method_callback;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::spelling::Json;

/// The spaces of `tojson(indent=true)`.
const INDENT: usize = 2;

pub(super) fn add_to(environment: &mut Environment<'_>) {
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.add_filter("filesizeformat", filesizeformat);
    environment.add_filter("pluralize", pluralize);
    environment.add_filter("striptags", striptags);
    environment.add_filter("tojson", tojson);
    environment.add_filter(
        "truncate",
        |state: &mut State<'_, '_>, value: &Value, given: Rest<Value>, named: Kwargs| {
            let names = ["length", "killwords", "end", "leeway"];
            truncate(state, &text(value)?, all_named(&names, &given, &named)?)
        },
    );
    environment.add_filter("wordwrap", |value: &Value, given: Rest<Value>, named: Kwargs| {
        let names = ["width", "break_long_words", "wrapstring", "break_on_hyphens"];
        wordwrap(&text(value)?, all_named(&names, &given, &named)?)
    });
}

/// Turns positional arguments, which Jinja2 allows, into named ones.
fn all_named(names: &[&str], given: &[Value], named: &Kwargs) -> Result<Kwargs, Error> {
    if given.len() > names.len() {
        return Err(Error::from(ErrorKind::TooManyArguments));
    }
    let mut all: Vec<(String, Value)> =
        names.iter().zip(given).map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    for name in named.args() {
        all.push((name.to_owned(), named.get(name)?));
    }
    Ok(all.into_iter().collect())
}

/// A value as text. The filters themselves return nothing for other types, and so would silently lose a number.
fn text(value: &Value) -> Result<Value, Error> {
    present(value).map(|value| Value::from(value.to_string()))
}

fn present(value: &Value) -> Result<&Value, Error> {
    if value.is_undefined() { Err(Error::from(ErrorKind::UndefinedError)) } else { Ok(value) }
}

/// The widest indent, in spaces.
const WIDEST: usize = 64;

/// Plain JSON, with numbers spelled as in the row and without the escapes for HTML; `indent` is a number of spaces, or `true` for 2.
#[expect(clippy::needless_pass_by_value, reason = "the engine passes named arguments by value")]
fn tojson(
    state: &mut State<'_, '_>,
    value: &Value,
    indent: Option<Value>,
    options: Kwargs,
) -> Result<String, Error> {
    let failed = |error: serde_json::Error| Error::new(ErrorKind::InvalidOperation, error.to_string());
    let indent = match indent {
        Some(indent) => Some(indent),
        None => options.get("indent")?,
    };
    options.assert_all_used()?;
    let value = present(value)?;
    let spaces = match indent {
        None => None,
        Some(indent) => match bool::try_from(indent.clone()) {
            Ok(wanted) => wanted.then_some(INDENT),
            Err(_) => Some(usize::try_from(indent)?),
        },
    };
    let json = Json::new(state, value);
    let Some(spaces) = spaces else { return serde_json::to_string(&json).map_err(failed) };
    let (mut text, indent) = (Vec::new(), " ".repeat(spaces.min(WIDEST)));
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    json.serialize(&mut Serializer::with_formatter(&mut text, formatter)).map_err(failed)?;
    String::from_utf8(text).map_err(|error| Error::new(ErrorKind::InvalidOperation, error.to_string()))
}
