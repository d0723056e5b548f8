//! The only module that prints: results to stdout, everything else to stderr. A reader that goes away is not an error.

#![expect(clippy::disallowed_methods, reason = "the message names the time of day to resume at")]

use std::io::{self, Write};
use std::time::SystemTime;

use rowcall::{Error, Hint, Problem, ProblemKind};

use crate::flags;

use crate::report::text::harmless;

/// Prints a result.
///
/// # Errors
/// If stdout cannot be written to.
pub(crate) fn result(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Prints a note for the person at the terminal. It may quote data, answers and what a server says, so control characters are escaped.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", harmless(text));
}

/// Prints the error that ended the command, and what to do next.
pub(crate) fn error(error: &Error) {
    note(&format!("error: {error}"));
    let help = || matches!(error, Error::Config(_)).then(|| Hint::from("see `rowcall help run`"));
    if let Some(hint) = error.hint().or_else(help) {
        note(&format!("  hint: {}", flags::spelled(&hint)));
    }
    if let Error::Stopped(fault) = error
        && let Some(time) = fault.retry_after.and_then(|wait| SystemTime::now().checked_add(wait))
    {
        note(&format!("  resume: run the same command after {}", httpdate::fmt_http_date(time)));
    }
}

/// The error for a result that could not be printed. A reader that went away, as `head` does, has a kind of its own.
pub(crate) fn unprintable(error: &io::Error) -> Error {
    let problem = Problem::new(format!("cannot write to standard output: {error}"));
    Error::Sink(match error.kind() {
        io::ErrorKind::BrokenPipe => problem.of_kind(ProblemKind::ReaderGone),
        _ => problem,
    })
}
