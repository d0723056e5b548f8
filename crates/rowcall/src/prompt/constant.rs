//! A prompt that uses no field of the row is the same for all rows, which is nearly always a mistake: another tool's placeholder, an
//! unset shell variable, or a file's name. This file finds out which.

use std::path::Path;

use crate::error::Problem;
use crate::hint::{Hint, Setting};

/// Common file extensions for prompts.
const ENDINGS: [&str; 9] = ["txt", "md", "markdown", "j2", "jinja", "jinja2", "prompt", "tmpl", "tpl"];

/// What to do if it is intended, after another hint.
fn or_meant(otherwise: String) -> Hint {
    Hint::from(otherwise).with(Setting::SamePrompt.on()).with(" allows the same prompt for every row")
}

/// The problem of a prompt that uses no field, with what was probably intended.
pub(super) fn problem(template: &str) -> Problem {
    let text = template.trim();
    if text.is_empty() {
        return Problem::new("the prompt is empty, expected a template such as `{{ text }}`")
            .hint("a shell variable that is not set gives an empty prompt");
    }
    let problem = Problem::new("the prompt uses no field of the row, so every row would get the same prompt");
    if is_file_name(text) {
        let hint = format!(
            "`{text}` looks like a file's name: on the command line, `@{text}` reads the prompt from the file"
        );
        return problem.hint(hint);
    }
    match placeholder(text) {
        Some(Placeholder { written, field: Some(field) }) => {
            problem.hint(or_meant(format!("did you mean `{{{{ {field} }}}}` instead of `{written}`? ")))
        }
        Some(Placeholder { written, field: None }) => problem
            .hint(or_meant(format!("write a field as `{{{{ text }}}}`, by its name, not `{written}`; "))),
        None => problem.hint(or_meant("write a field as `{{ text }}`, by its name; ".to_owned())),
    }
}

/// The problem of a prompt that writes the names of the row's fields, and none of their values.
pub(super) fn only_names() -> Problem {
    let problem = Problem::new(
        "the prompt uses the names of the row's fields but none of their values, so every row would get the same prompt",
    );
    problem.hint(or_meant("`{% for name, value in row|items %}` iterates over both; ".to_owned()))
}

/// Whether a prompt is the name of a file, which may not exist, rather than a text.
fn is_file_name(text: &str) -> bool {
    const LONGEST: usize = 255;
    if text.len() > LONGEST || text.contains('\n') {
        return false;
    }
    let path = Path::new(text);
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let is_prompt_file = ending.is_some_and(|ending| ENDINGS.contains(&&*ending));
    is_prompt_file && !text.contains(char::is_whitespace) || path.is_file()
}

/// Another tool's notation for a field.
struct Placeholder<'t> {
    written: &'t str,
    /// The name in it, if there is one.
    field: Option<&'t str>,
}

/// The first thing in `text` that looks like a field in another notation.
fn placeholder(text: &str) -> Option<Placeholder<'_>> {
    text.char_indices().find_map(|(at, _)| in_braces(text.get(at..)?)).or_else(|| {
        // Tags that are also closed are markup.
        let found = text.char_indices().find_map(|(at, _)| enclosed(text.get(at..)?, "<", ">"));
        found.filter(|found| !text.contains(&found.written.replace('<', "</")))
    })
}

/// A field in braces, or with a dollar or percent sign, at the start of `rest`.
fn in_braces(rest: &str) -> Option<Placeholder<'_>> {
    match rest.chars().next()? {
        '$' => enclosed(rest, "${{", "}}").or_else(|| enclosed(rest, "${", "}")).or_else(|| {
            let name = leading_name(rest.get(1..)?);
            is_name(name).then_some(Placeholder { written: rest.get(..=name.len())?, field: Some(name) })
        }),
        '#' => enclosed(rest, "#{", "}"),
        '{' => enclosed(rest, "{", "}").or_else(|| numbered(rest)),
        '%' => ["s", "d", "f", "r"]
            .iter()
            .find_map(|letter| enclosed(rest, "%(", &format!("){letter}")))
            .or_else(|| {
                let written = rest.get(..2).filter(|two| matches!(*two, "%s" | "%d" | "%r" | "%f"))?;
                let goes_on = rest.get(2..)?.starts_with(char::is_alphanumeric);
                (!goes_on).then_some(Placeholder { written, field: None })
            }),
        _ => None,
    }
}

/// A name between `open`, with which `rest` must start, and `close`.
fn enclosed<'t>(rest: &'t str, open: &str, close: &str) -> Option<Placeholder<'t>> {
    let within = rest.strip_prefix(open)?;
    let end = within.find(close)?;
    let written = rest.get(..open.len() + end + close.len())?;
    // Python's format may have a conversion or a width after the name.
    let name = within.get(..end)?.split([':', '!']).next()?.trim();
    is_name(name).then_some(Placeholder { written, field: Some(name) })
}

/// `{}` and `{0}`.
fn numbered(rest: &str) -> Option<Placeholder<'_>> {
    let end = rest.find('}')?;
    let is_number = rest.get(1..end)?.chars().all(|c| c.is_ascii_digit());
    is_number.then_some(Placeholder { written: rest.get(..=end)?, field: None })
}

fn leading_name(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}
