//! An exclusive lock for writing to a file or creating it. SQLite's own locks would let two processes take turns, so we hold a lock
//! on a separate file, which the system releases when its owner is gone.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Ailment, Kind, beside};
use crate::error::{Problem, ProblemKind};

/// The exclusive right to write to a file, until it is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    _held: File,
}

impl Lock {
    /// Locks the file at `path`, which is of this kind, for writing.
    ///
    /// # Errors
    /// If another process holds the lock, or a run of this process whose tasks are still ending; if the lock cannot be created.
    pub(crate) fn take(kind: &Kind, path: &Path) -> Result<Self, Problem> {
        Self::by(kind, path, File::try_lock)
    }

    /// Waits for the lock on the file at `path`, which others hold only briefly.
    ///
    /// # Errors
    /// If the lock cannot be created.
    pub(crate) fn wait(kind: &Kind, path: &Path) -> Result<Self, Problem> {
        Self::by(kind, path, |file| file.lock().map_err(TryLockError::Error))
    }

    fn by(
        kind: &Kind,
        path: &Path,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, Problem> {
        let (noun, name) = (kind.noun, path.display());
        let unlocked = |what: String, ailment| {
            let problem = Problem::new(format!("the {noun} `{name}` {what}")).hint((kind.hint)(ailment));
            match ailment {
                Ailment::Locked => problem.of_kind(ProblemKind::Locked),
                _ => problem,
            }
        };
        let path = beside(path, "-lock");
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .map_err(|error| unlocked(format!("cannot be locked: {error}"), Ailment::Unlockable))?;
            match lock(&file) {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, _held: file }),
                // The last owner removed the file after we opened it and before we locked it.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let what = "is being written to by another process, or by a run of this process that is still ending";
                    return Err(unlocked(what.to_owned(), Ailment::Locked));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(unlocked(format!("cannot be locked: {error}"), Ailment::NotLocal));
                }
            }
        }
    }
}

/// Whether some process currently holds the lock on the file at `path`.
pub(crate) fn is_taken(path: &Path) -> bool {
    File::open(beside(path, "-lock"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is still locked; a process that waits for the lock checks that the file still exists.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let here = file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
    let there = std::fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_owner_at_a_time_and_no_file_left_over() {
        let kind = Kind { noun: "journal", application: 1, format: 1, hint: |_| "wait".into() };
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("a.journal");
        let lock = Lock::take(&kind, &journal).expect("it is free");
        let refused = Lock::take(&kind, &journal).expect_err("it is held");
        assert_eq!(refused.kind, ProblemKind::Locked, "{refused}");
        drop(lock);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
        drop(Lock::wait(&kind, &journal).expect("it is free again"));
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
    }
}
