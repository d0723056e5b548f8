//! Arguments that are a text or, after `@`, a file: prompts.

use rowcall::{Error, Problem, Result};

/// The text itself, or the content of the file named after `@`.
///
/// # Errors
/// If the file cannot be read as UTF-8.
pub(crate) fn text_or_file(what: &str, argument: &str) -> Result<String> {
    match argument.strip_prefix('@') {
        None => Ok(argument.to_owned()),
        // Line endings differ between systems, and a row's key depends on its prompt.
        Some(path) => {
            std::fs::read_to_string(path).map(|text| text.replace("\r\n", "\n")).map_err(|error| {
                Error::Config(Problem::new(format!("the {what} file `{path}` cannot be read: {error}")).hint(
                    "`@` is followed by a file's path; write a text that begins with `@` as `{{ '@' }}…`",
                ))
            })
        }
    }
}
