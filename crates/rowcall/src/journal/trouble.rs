//! What SQLite complains about, in the user's words: which file, what is wrong with it, what to do.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::error::Problem;

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
