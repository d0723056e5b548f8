//! What stops a run. A row that ends without a value is not an error but a failure, which is data (`outcome.rs`).

use std::fmt;

use crate::fault::Fault;
use crate::hint::{Hint, Setting};
use crate::outcome::Failure;

/// A result whose error stops the run.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a run stopped, or never began.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The configuration is not valid: an unknown provider, a template that does not compile, a schema that nothing
    /// satisfies. Nothing has been sent.
    #[error("{0}")]
    Config(Problem),
    /// A row failed where the caller asked for values only: `extract`, `sequential`, `gather`.
    #[error("row {index}: {failure}")]
    Row {
        /// Position of the row in the input, counted from 0.
        index: u64,
        /// Why, with what the row took.
        failure: Box<Failure>,
    },
    /// A fault that every row would share: a bad key, an unknown model, an exhausted quota, a rejected schema.
    #[error("{0}")]
    Stopped(Box<Fault>),
    /// The server refused all the first rows alike, so it would refuse the others as well. None of them has an outcome.
    #[error("the first {rows} rows were all refused alike: {fault}")]
    Refused {
        /// How many rows were refused.
        rows: u32,
        /// The latest refusal.
        fault: Box<Fault>,
    },
    /// The run reached a limit that the user set: a budget, a deadline, or the number of failed rows. What is done is released.
    #[error("{0}")]
    Limit(Problem),
    /// Reading the source failed.
    #[error("{0}")]
    Source(Problem),
    /// The journal could not be written to or read. What it holds is safe; rows finished since then will be asked about again.
    #[error("{0}")]
    Journal(Problem),
    /// The run was halted before the requested row was finished.
    #[error("the run was halted before the row was finished")]
    Halted,
    /// The sink could not take an outcome.
    #[error("{0}")]
    Sink(Problem),
}

impl Error {
    /// What to do next, if the error suggests something.
    pub fn hint(&self) -> Option<Hint> {
        match self {
            Self::Config(problem)
            | Self::Limit(problem)
            | Self::Source(problem)
            | Self::Journal(problem)
            | Self::Sink(problem) => problem.hint.clone(),
            Self::Row { failure, .. } => failure.hint(),
            Self::Stopped(fault) => fault.hint(),
            Self::Refused { rows: _, fault } => Some(fault.hint().unwrap_or_else(|| {
                Hint::from("check model, base URL, schema and parameters; ")
                    .with(Setting::KeepGoing.on())
                    .with(" asks about the other rows all the same")
            })),
            Self::Halted => None,
        }
    }
}

/// A message and, separately, a hint on what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The class, for callers to branch on.
    pub kind: ProblemKind,
    /// A lowercase sentence fragment with the offending value in backticks and what was expected.
    pub message: String,
    /// The next step, where there is one.
    pub hint: Option<Hint>,
}

/// The classes of problems that a caller may handle in a way of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProblemKind {
    /// Any other.
    Other,
    /// The reader of the output has gone away, as `head` does.
    ReaderGone,
    /// The journal was made for another plan.
    PlanChanged,
    /// Another process has locked the file.
    Locked,
}

impl Problem {
    /// A problem without a hint.
    pub fn new(message: impl Into<String>) -> Self {
        Self { kind: ProblemKind::Other, message: message.into(), hint: None }
    }

    /// The same problem with a next step.
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same problem as one of `kind`.
    pub fn of_kind(mut self, kind: ProblemKind) -> Self {
        self.kind = kind;
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

/// The hint "did you mean `x`?" with the closest of `known`, if one is close enough for `name` to be a typo.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&name.to_lowercase(), candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| format!("did you mean `{candidate}`?"))
}
