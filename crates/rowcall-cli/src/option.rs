//! What is said of an option whose value cannot be one, in the words of all other errors.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rowcall::{Error, Problem};

/// Options whose values may hold a secret.
const SECRET: [&str; 2] = ["--header", "--key-command"];

/// The error of a value that an option does not take, if that is what the parser has found.
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
        format!("`{option}` has a value that cannot be used, {reason}")
    } else {
        format!("`{option}` is `{value}`, {reason}")
    };
    Some(Error::Config(Problem::new(message).hint("`--help` says what each option takes")))
}
