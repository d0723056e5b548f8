//! Checks the template and images against the input's columns, if these are known before the first row.

use rowcall::{Error, Extractor, Hint, Problem, Result, SamePrompt, Setting};
use serde_json::Value;

/// Checks that the template and images use existing columns, and at least one of them.
///
/// # Errors
/// The first variable without a column; with [`SamePrompt::Refuse`], also a template that uses no column, so that every row would be
/// asked the same.
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
        let used = if images.contains(&variable) { "the images come from" } else { "the template uses" };
        let message = format!("{used} `{variable}`, but the input has no such column");
        return Err(Error::Config(Problem::new(message).hint(columns)));
    }
    let uses_a_column = |used: Vec<String>| used.iter().any(|field| header.contains(field));
    match same_prompt {
        SamePrompt::Refuse if !extractor.fields_used().is_none_or(uses_a_column) => {
            let message = "the prompt uses no column of the input, so every row would get the same prompt";
            let hint = columns.with("; ").with(Setting::SamePrompt.on());
            let hint = hint.with(" allows the same prompt for every row");
            Err(Error::Config(Problem::new(message).hint(hint)))
        }
        SamePrompt::Refuse | SamePrompt::Allow => Ok(()),
    }
}

/// The hint that lists the columns, and the option that may be missing if they look wrong.
fn columns_hint(header: &[String]) -> Hint {
    let columns = Hint::from(format!("the columns are `{}`", header.join("`, `")));
    let header_below = |columns: Hint| {
        let hint = columns.with("; if the header is further down, use ").with(Setting::SkipRows);
        hint.with(" to skip the lines above it")
    };
    let delimiters = [(';', ";"), ('\t', "tab"), ('|', "|"), (',', ",")];
    match header {
        [one] => match delimiters.iter().find(|(delimiter, _)| one.contains(*delimiter)) {
            Some((_, name)) => {
                columns.with("; use ").with(Setting::Delimiter.exactly(name)).with(" to split them")
            }
            None => header_below(columns),
        },
        _ if header.iter().any(|name| name.starts_with("column_")) => header_below(columns),
        _ => columns,
    }
}
