//! Whether what is asked fits the columns of an input, where these are known before the first row.

use rowcall::{Error, Extractor, Problem, Result, SamePrompt};
use serde_json::Value;

/// Checks that the template, and images, use columns that there are, and at least one of them.
///
/// # Errors
/// The first variable that is no column; with [`SamePrompt::Refuse`], also a template that can make do without any column, so
/// that every row would be asked the same.
pub fn check_columns(
    extractor: &Extractor<Value>,
    header: Option<&[String]>,
    images: &[String],
    same_prompt: SamePrompt,
) -> Result<()> {
    let Some(header) = header else { return Ok(()) };
    let columns = columns_hint(header);
    let unknown = |variables: Vec<String>| variables.into_iter().find(|variable| !header.contains(variable));
    let of_row = || {
        let is_whole_row = !header.iter().any(|column| column == "row");
        unknown(extractor.variables_of_row())
            .filter(|_| is_whole_row)
            .map(|variable| format!("row.{variable}"))
    };
    if let Some(variable) = unknown(extractor.variables()).or_else(of_row) {
        let user = if images.contains(&variable) { "`--image`" } else { "the template" };
        let message = format!("{user} uses `{variable}`, which is no column of the input");
        return Err(Error::Config(Problem::new(message).hint(columns)));
    }
    let uses_a_column = |used: Vec<String>| used.iter().any(|field| header.contains(field));
    match same_prompt {
        SamePrompt::Refuse if !extractor.fields_used().is_none_or(uses_a_column) => {
            let message = "the prompt uses no column of the input, so every row would get the same prompt";
            let hint = format!("{columns}; `--same-prompt` allows the same prompt for every row");
            Err(Error::Config(Problem::new(message).hint(hint)))
        }
        SamePrompt::Refuse | SamePrompt::Allow => Ok(()),
    }
}

/// Which columns there are, and how there might be others.
fn columns_hint(header: &[String]) -> String {
    let columns = format!("the columns are `{}`", header.join("`, `"));
    let delimiters = [(';', ";"), ('\t', "tab"), ('|', "|"), (',', ",")];
    match header {
        [one] => match delimiters.iter().find(|(delimiter, _)| one.contains(*delimiter)) {
            Some((_, name)) => format!("{columns}; `--delimiter '{name}'` splits them"),
            None => {
                format!("{columns}; if the header stands further down, `--skip-rows` skips lines above it")
            }
        },
        _ if header.iter().any(|name| name.starts_with("column_")) => {
            format!("{columns}; if the header stands further down, `--skip-rows` skips lines above it")
        }
        _ => columns,
    }
}
