//! Which subset of JSON Schema a server holds a model to, as typed.

use std::path::{Path, PathBuf};

use rowcall::schema::Dialect;

/// What `--dialect` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DialectArgument {
    /// The server is asked.
    Auto,
    /// The one of this name.
    Named(Dialect),
    /// What this file has of an earlier question.
    Saved(PathBuf),
}

impl DialectArgument {
    /// # Errors
    /// A name that is not known.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        if Path::new(text).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
            return Ok(Self::Saved(text.into()));
        }
        Dialect::named(text)
            .map(Self::Named)
            .map_err(|problem| format!("{}, `auto`, or a `.json` file", problem.message))
    }
}
