//! What SQLite complains about, in the user's words: which file, what is wrong with it, what to do.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::error::Problem;

/// What `work` on the journal at `path` gives. If it panics, that is a problem like any other: whoever waits for the thread that works
/// is told, and the thread lives on to tell the next.
pub(super) fn caught<T>(path: &Path, work: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, Problem> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| problem(path, &error)),
        Err(_) => Err(Problem::new(format!("the journal `{}` cannot be used any more", path.display()))
            .hint("this is a defect of rowcall's: please report it; what is done is kept")),
    }
}

/// The problem with the journal at `path` that `error` tells.
pub(super) fn problem(path: &Path, error: &Error) -> Problem {
    let name = path.display();
    let code = error.sqlite_error_code();
    let (what, hint) = match code {
        Some(ErrorCode::NotADatabase) => {
            ("is not a rowcall journal".to_owned(), "give another file with `--journal PATH`")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            ("is damaged".to_owned(), "what SQLite's `.recover` finds can be saved; `--fresh` starts over")
        }
        Some(ErrorCode::DiskFull) => (
            "cannot grow: the disk is full".to_owned(),
            "make room and run the same command again: what is done is kept",
        ),
        Some(ErrorCode::ReadOnly) => (
            "cannot be written to".to_owned(),
            "check who may write to it, or give another file with `--journal PATH`",
        ),
        Some(ErrorCode::CannotOpen) => {
            ("cannot be opened".to_owned(), "check that its directory exists and may be written to")
        }
        Some(ErrorCode::SystemIoFailure) => (
            format!("cannot be kept safely on its disk ({error})"),
            "nothing more was sent; check the disk and run the same command again: what is done is kept",
        ),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            ("is held by another program".to_owned(), "close what writes to it; reading it does no harm")
        }
        Some(_) | None => (format!("cannot be used: {error}"), "`--journal PATH` keeps another one"),
    };
    Problem::new(format!("the journal `{name}` {what}")).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_like_an_error() {
        let path = Path::new("a.journal");
        let told = |problem: Problem| problem.message;
        assert_eq!(caught(path, || Ok(1)).map_err(told), Ok(1));
        let failed = caught(path, || Err::<(), _>(Error::InvalidQuery)).map_err(told).expect_err("it fails");
        assert!(failed.starts_with("the journal `a.journal` cannot be used: "), "{failed}");
        let panicked = caught::<()>(path, || panic!("a defect")).map_err(told);
        assert_eq!(panicked, Err("the journal `a.journal` cannot be used any more".to_owned()));
    }
}
