//! Arguments that may be a text or a file: prompts with `@`.

use rowcall::{Error, Problem, Result};

/// The text itself, or what is in the file after an `@`.
///
/// # Errors
/// If the file cannot be read as UTF-8.
pub(crate) fn text_or_file(what: &str, argument: &str) -> Result<String> {
    match argument.strip_prefix('@') {
        None => Ok(argument.to_owned()),
        // An editor of another system ends lines in another way, and a row is known by its prompt.
        Some(path) => std::fs::read_to_string(path).map(|text| text.replace("\r\n", "\n")).map_err(|error| {
            Error::Config(Problem::new(format!("the {what} file `{path}` cannot be read: {error}")).hint(
                "after `@` comes a file's path; a text that begins with `@` can be given as `{{ '@' }}…`",
            ))
        }),
    }
}
