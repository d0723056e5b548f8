//! The error for an option's invalid value, in the form of all other errors.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rowcall::{Error, Problem};

/// Options whose values may hold a secret.
const SECRET: [&str; 2] = ["--header", "--key-command"];

/// The error for a value that an option does not accept, if that is what the parser found.
pub(crate) fn refusal(error: &clap::Error) -> Option<Error> {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        Some(_) | None => None,
    };
    if error.kind() != ErrorKind::ValueValidation {
        return None;
    }
    let option = word(ContextKind::InvalidArg)?.split([' ', '=']).next()?;
    let value = word(ContextKind::InvalidValue)?;
    let reason = std::error::Error::source(error)?.to_string();
    let message = if SECRET.contains(&option) {
        format!("invalid value for `{option}`: {reason}")
    } else {
        format!("invalid value `{value}` for `{option}`: {reason}")
    };
    Some(Error::Config(Problem::new(message).hint("see `--help` for the values of each option")))
}
