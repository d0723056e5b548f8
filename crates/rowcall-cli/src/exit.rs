//! The exit codes, and the one that each error gives.

use std::process::ExitCode;

use rowcall::Error;

use crate::interruption::Signal;

/// How the command line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done,
    /// An error stopped it.
    Stopped,
    /// It could not begin.
    Usage,
    /// It finished, but some rows failed.
    FailedRows,
    /// It reached a limit that the user set (a budget, a deadline, failures), or the user stopped it by `rowcall ctl` or on the live page.
    Limited,
    /// A signal ended it early.
    Interrupted(Signal),
    /// The reader of its output went away.
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
            // As a shell reports a process killed by the signal: 128 plus its number.
            Exit::Interrupted(Signal::Interrupt) => 130.into(),
            Exit::Interrupted(Signal::Terminate) => 143.into(),
            Exit::ReaderGone => 141.into(),
        }
    }
}
