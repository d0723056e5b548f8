//! The short form of a schema: `name str, age int?, tags str[]: free words`. Text in, JSON Schema out; what may be
//! written as a schema argument besides is in `mod.rs`.

use serde_json::{Map, Value, json};

use crate::error::{Problem, did_you_mean};

/// Names of types as one writes them, and as JSON Schema does.
const TYPES: [(&str, &str); 4] =
    [("str", "string"), ("int", "integer"), ("float", "number"), ("bool", "boolean")];

/// What people write out of habit, and what the short form calls it.
const ALIASES: [(&str, &str); 16] = [
    ("string", "str"),
    ("text", "str"),
    ("date", "str"),
    ("integer", "int"),
    ("i32", "int"),
    ("i64", "int"),
    ("u32", "int"),
    ("u64", "int"),
    ("number", "float"),
    ("double", "float"),
    ("decimal", "float"),
    ("f32", "float"),
    ("f64", "float"),
    ("boolean", "bool"),
    ("list", "str[]"),
    ("array", "str[]"),
];

const FORM: &str = "a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    /// As JSON Schema names it.
    base: &'static str,
    list: bool,
    optional: bool,
    description: Option<String>,
}

/// The JSON Schema that `text` stands for: a closed object with its properties in the order given.
///
/// Fields are separated by line ends if there is any, otherwise by commas (a description then ends at the next comma).
/// A field is `NAME [TYPE][[]][?][: description]`. NAME is made of letters and digits of any script, `_` and `-`. TYPE
/// is `str` (if left out), `int`, `float` or `bool`; `[]` makes it a list; `?` makes it optional: it may be absent, and
/// null is accepted. Blanks between the parts are ignored, and so is a comma at the end of a line. A colon may stand before TYPE as
/// well, as in `age: int?`.
///
/// # Errors
/// An empty text, a field that has not this form, an unknown type, a name used twice; the message names the field.
pub(super) fn parse(text: &str) -> Result<Value, Problem> {
    let mut fields: Vec<Field> = Vec::new();
    for field in split(text) {
        let field = parse_field(field)?;
        if fields.iter().any(|known| known.name == field.name) {
            return Err(Problem::new(format!("field `{}` appears twice in the schema", field.name))
                .hint("leave one of them out, or rename it"));
        }
        fields.push(field);
    }
    if fields.is_empty() {
        return Err(Problem::new("the schema is empty, expected at least one field").hint(FORM));
    }
    Ok(object(fields))
}

fn split(text: &str) -> Vec<&str> {
    let text = text.trim();
    let by_line = text.contains('\n');
    let separator = if by_line { '\n' } else { ',' };
    let mut fields: Vec<&str> = text.split(separator).map(str::trim).collect();
    if by_line {
        for field in &mut fields {
            *field = field.strip_suffix(',').unwrap_or(field).trim_end();
        }
        fields.retain(|field| !field.is_empty());
    } else if fields.last().is_some_and(|field| field.is_empty()) {
        fields.pop();
    }
    if fields.iter().all(|field| field.is_empty()) { Vec::new() } else { fields }
}

fn parse_field(field: &str) -> Result<Field, Problem> {
    let problem = |reason: String| Problem::new(format!("field `{}`: {reason}", shown(field)));
    let (head, description) = match field.split_once(':') {
        Some((head, description)) => (head.trim(), Some(description.trim())),
        None => (field, None),
    };
    let end = head.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(head.len());
    let (name, rest) = head.split_at(end);
    if field.is_empty() {
        return Err(Problem::new("a field of the schema is empty").hint("take out the comma too many"));
    }
    if name.is_empty() {
        return Err(problem("expected a name of letters, digits, `_` and `-`".to_owned()).hint(FORM));
    }
    // `age: int` is how Python and others write a type: where there is none yet, one may stand behind the colon.
    let (rest, description) = match description.and_then(typed) {
        Some((typed, description)) if rest.trim().is_empty() => (typed, description),
        Some(_) | None => (rest.trim(), description),
    };
    if rest.is_empty()
        && let Some(hint) = description.and_then(|text| type_meant(name, text))
    {
        let description = shown(description.unwrap_or_default());
        return Err(problem(format!("`{description}` would be its description, not its type")).hint(hint));
    }
    let (rest, optional) = strip(rest, "?");
    let (word, list) = strip(rest, "[]");
    let base = match TYPES.iter().find(|(short, _)| *short == word) {
        Some((_, base)) => base,
        None if word.is_empty() => "string",
        None => {
            let known = TYPES.map(|(short, _)| short);
            let problem = problem(format!("unknown type `{}` (known: {})", shown(word), known.join(", ")));
            return Err(problem.hint(suggestion(word, field)));
        }
    };
    Ok(Field {
        name: name.to_owned(),
        base,
        list,
        optional,
        description: description.filter(|text| !text.is_empty()).map(str::to_owned),
    })
}

/// What stands behind a colon as a type with the description behind it, if it is one of the short form.
fn typed(text: &str) -> Option<(&str, Option<&str>)> {
    let (typed, description) = match text.split_once(':') {
        Some((typed, description)) => (typed.trim(), Some(description.trim())),
        None => (text, None),
    };
    let (word, _) = strip(strip(typed, "?").0, "[]");
    TYPES.iter().any(|(short, _)| *short == word).then_some((typed, description))
}

/// What to write if the description of the field `name` is exactly a type in another language, or labels such as `yes|no`.
fn type_meant(name: &str, description: &str) -> Option<String> {
    let is_bare = |word: &str| {
        !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '"' | '\''))
    };
    let words: Vec<&str> = description.split('|').map(str::trim).collect();
    let values: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !matches!(word.to_lowercase().as_str(), "none" | "null"))
        .collect();
    match (words.as_slice(), values.as_slice()) {
        (_, [word]) => {
            let (short, is_optional) = short_type(word)?;
            let mark = if is_optional || words.len() > 1 { "?" } else { "" };
            Some(format!("write `{name} {short}{mark}`, or describe the field in more words"))
        }
        ([_, _, ..], [_, _, ..]) if values.iter().copied().all(is_bare) => {
            let labels: Vec<String> =
                values.iter().map(|word| format!("\"{}\"", word.trim_matches(['"', '\'']))).collect();
            let labels = labels.join(", ");
            Some(format!("for a choice, give a JSON Schema in which `{name}` is `{{\"enum\": [{labels}]}}`"))
        }
        _ => None,
    }
}

/// The short form's type for one of another language, and whether it is optional.
fn short_type(word: &str) -> Option<(String, bool)> {
    const LISTS: [&str; 7] = ["list", "array", "set", "sequence", "vec", "tuple", "iterable"];
    let lower = word.to_lowercase();
    let (word, is_optional) = strip(lower.trim(), "?");
    let known = TYPES.iter().find(|(short, _)| *short == word).map(|(short, _)| *short);
    let alias = ALIASES.iter().find(|(alias, _)| *alias == word).map(|(_, short)| *short);
    if let Some(short) = known.or(alias) {
        return Some((short.to_owned(), is_optional));
    }
    let item = |item: &str| match short_type(item)? {
        (short, false) if !short.ends_with("[]") => Some((format!("{short}[]"), is_optional)),
        _ => None,
    };
    if let (base, true) = strip(word, "[]") {
        return item(base);
    }
    let (outer, inner) = word.split_once(['[', '<'])?;
    let inner = inner.strip_suffix([']', '>'])?;
    match outer.trim_end() {
        "optional" | "option" => short_type(inner).map(|(short, _)| (short, true)),
        outer if LISTS.contains(&outer) => item(inner.trim()),
        _ => None,
    }
}

fn strip<'t>(text: &'t str, mark: &str) -> (&'t str, bool) {
    match text.strip_suffix(mark) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    }
}

fn suggestion(word: &str, field: &str) -> String {
    let lower = word.to_lowercase();
    if let Some((_, short)) = ALIASES.iter().find(|(alias, _)| *alias == lower) {
        return format!("write `{short}` instead");
    }
    if field.contains(',') {
        return "put each field on a line of its own, or separate all of them by commas on one line"
            .to_owned();
    }
    if word.contains(char::is_whitespace) {
        return "if this belongs to a description, put each field on a line of its own: on one line a comma ends it"
            .to_owned();
    }
    did_you_mean(word, TYPES.iter().map(|(short, _)| *short)).unwrap_or_else(|| FORM.to_owned())
}

fn shown(text: &str) -> String {
    const SHOWN: usize = 60;
    if text.chars().count() <= SHOWN {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain(['…']).collect()
    }
}

fn object(fields: Vec<Field>) -> Value {
    let required: Vec<&str> =
        fields.iter().filter(|field| !field.optional).map(|field| field.name.as_str()).collect();
    let required = json!(required);
    let properties: Map<String, Value> = fields.into_iter().map(property).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(field: Field) -> (String, Value) {
    let base = if field.list { "array" } else { field.base };
    let mut schema = Map::new();
    schema.insert("type".to_owned(), if field.optional { json!([base, "null"]) } else { json!(base) });
    if field.list {
        schema.insert("items".to_owned(), json!({ "type": field.base }));
    }
    if let Some(description) = field.description {
        schema.insert("description".to_owned(), Value::String(description));
    }
    (field.name, Value::Object(schema))
}

#[cfg(test)]
mod tests;
