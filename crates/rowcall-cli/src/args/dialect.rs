//! The value of `--dialect`: the subset of JSON Schema that a server enforces.

use std::path::{Path, PathBuf};

use rowcall::schema::Dialect;

/// The value of `--dialect`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DialectArgument {
    /// Ask the server.
    Auto,
    /// The dialect of this name.
    Named(Dialect),
    /// What an earlier probe saved in this file.
    Saved(PathBuf),
}

impl DialectArgument {
    /// # Errors
    /// An unknown name.
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
