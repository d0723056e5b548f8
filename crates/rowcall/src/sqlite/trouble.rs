//! Turns SQLite's errors into messages for users: which file, what is wrong with it, what to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::error::Problem;
use crate::hint::Hint;

/// A kind of our files.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its name in messages, such as `journal`.
    pub(crate) noun: &'static str,
    /// The application id that marks it in SQLite's header.
    pub(crate) application: i32,
    /// The format that this version writes, and the highest that it reads.
    pub(crate) format: i32,
    /// The hint for each problem.
    pub(crate) hint: fn(Ailment) -> Hint,
}

/// What may be wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ailment {
    /// It is of another kind.
    Foreign,
    /// A newer rowcall has written it.
    Newer,
    /// It is damaged.
    Damaged,
    /// Its disk is full.
    Full,
    /// It cannot be written to.
    ReadOnly,
    /// It cannot be opened.
    Unopened,
    /// Its disk fails.
    Disk,
    /// Another program has locked it.
    Held,
    /// Its lock file cannot be created.
    Unlockable,
    /// Another process holds its lock.
    Locked,
    /// Its file system does not support locks.
    NotLocal,
    /// It has to be removed and cannot be.
    Unremovable,
    /// Our code panicked while working on it.
    Defect,
    /// Something else.
    Other,
}

impl Kind {
    /// Runs `work` on the file at `path`. A panic becomes an ordinary problem, so that the thread survives and its callers get the
    /// report.
    pub(crate) fn caught<T>(
        &self,
        path: &Path,
        work: impl FnOnce() -> rusqlite::Result<T>,
    ) -> Result<T, Problem> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => done.map_err(|error| self.problem(path, &error)),
            Err(_) => {
                Err(Problem::new(format!("the {} `{}` can no longer be used", self.noun, path.display()))
                    .hint((self.hint)(Ailment::Defect)))
            }
        }
    }

    /// The problem with the file at `path` that `error` reports.
    pub(crate) fn problem(&self, path: &Path, error: &Error) -> Problem {
        let (noun, name) = (self.noun, path.display());
        let (what, ailment) = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => (format!("is not a rowcall {noun}"), Ailment::Foreign),
            Some(ErrorCode::DatabaseCorrupt) => ("is damaged".to_owned(), Ailment::Damaged),
            Some(ErrorCode::DiskFull) => ("cannot grow: the disk is full".to_owned(), Ailment::Full),
            Some(ErrorCode::ReadOnly) => ("cannot be written to".to_owned(), Ailment::ReadOnly),
            Some(ErrorCode::CannotOpen) => ("cannot be opened".to_owned(), Ailment::Unopened),
            Some(ErrorCode::SystemIoFailure) => {
                (format!("cannot be stored safely on its disk ({error})"), Ailment::Disk)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                ("is locked by another program".to_owned(), Ailment::Held)
            }
            Some(_) | None => (format!("cannot be used: {error}"), Ailment::Other),
        };
        Problem::new(format!("the {noun} `{name}` {what}")).hint((self.hint)(ailment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_reported_like_an_error() {
        let kind = Kind { noun: "journal", application: 1, format: 1, hint: |_| "report it".into() };
        let path = Path::new("a.journal");
        let message = |problem: Problem| problem.message;
        assert_eq!(kind.caught(path, || Ok(1)).map_err(message), Ok(1));
        let failed =
            kind.caught(path, || Err::<(), _>(Error::InvalidQuery)).map_err(message).expect_err("it fails");
        assert!(failed.starts_with("the journal `a.journal` cannot be used: "), "{failed}");
        let panicked = kind.caught::<()>(path, || panic!("a defect")).map_err(message);
        assert_eq!(panicked, Err("the journal `a.journal` can no longer be used".to_owned()));
    }
}
