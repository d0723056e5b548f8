//! The exit codes, and which error has which.

use std::process::ExitCode;

use rowcall::Error;

use crate::interruption::Signal;

/// How the command line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done,
    /// Something stopped it.
    Stopped,
    /// It could not begin.
    Usage,
    /// It was done, but rows have no value.
    FailedRows,
    /// It came to a limit that the user has set: a budget, a time, failures.
    Limited,
    /// A signal ended it before it was done.
    Interrupted(Signal),
    /// Whoever read its output went away.
    ReaderGone,
}

impl Exit {
    /// The exit for an error that ended a command.
    pub(crate) fn of(error: &Error) -> Self {
        match error {
            Error::Config(_) => Self::Usage,
            Error::Limit(_) => Self::Limited,
            _ => Self::Stopped,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Done => 0.into(),
            Exit::Stopped => 1.into(),
            Exit::Usage => 2.into(),
            Exit::FailedRows => 3.into(),
            Exit::Limited => 4.into(),
            // As a shell reports a process that the signal has killed: 128 and its number.
            Exit::Interrupted(Signal::Interrupt) => 130.into(),
            Exit::Interrupted(Signal::Terminate) => 143.into(),
            Exit::ReaderGone => 141.into(),
        }
    }
}
