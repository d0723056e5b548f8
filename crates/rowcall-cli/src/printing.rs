//! The only place that prints: results to stdout, everything else to stderr. A reader that has gone away is no reason to fail.

#![expect(clippy::disallowed_methods, reason = "a person is told at what time of day to come again")]

use std::io::{self, Write};
use std::time::SystemTime;

use rowcall::Error;

/// Prints a result.
///
/// # Errors
/// If stdout takes no more.
pub(crate) fn result(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Prints a note for the person at the terminal.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints what ended the command and what to do next.
pub(crate) fn error(error: &Error) {
    note(&format!("error: {error}"));
    let help = matches!(error, Error::Config(_)).then_some("`rowcall help run` shows what is expected");
    if let Some(hint) = error.hint().or(help) {
        note(&format!("  hint: {hint}"));
    }
    if let Error::Stopped(fault) = error
        && let Some(time) = fault.retry_after.and_then(|wait| SystemTime::now().checked_add(wait))
    {
        note(&format!("  resume: the same command after {}", httpdate::fmt_http_date(time)));
    }
}

/// A result that could not be printed.
pub(crate) fn unprintable(error: &io::Error) -> Error {
    Error::Sink(rowcall::Problem::new(format!("standard output takes no more: {error}")))
}
