//! One process at a time writes to a journal. SQLite's own locks would let two take turns, so there is a lock of our own, in a
//! file beside it that the system frees when its owner is gone.

use std::fs::{File, TryLockError};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::error::Problem;

/// The right to write to a journal, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _held: File,
}

impl Lock {
    /// Takes the right to write to the journal at `journal`.
    ///
    /// # Errors
    /// If another process has it, or a run of this one of which some task is still ending; if the file cannot be made.
    pub(super) fn take(journal: &Path) -> Result<Self, Problem> {
        let path = beside(journal, "-lock");
        loop {
            let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(|error| {
                Problem::new(format!("the journal `{}` cannot be locked: {error}", journal.display()))
                    .hint("check that its directory exists and may be written to, or keep it elsewhere with `--journal PATH`")
            })?;
            match file.try_lock() {
                Ok(()) if is_at(&file, &path) => return Ok(Self { path, _held: file }),
                // Its last owner has removed the file between our opening and our locking it.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Problem::new(format!(
                        "the journal `{}` is being written to by another process, or by a run of this one that is still ending",
                        journal.display()
                    ))
                    .hint("wait for it to end, or keep another journal with `--journal PATH`"));
                }
                Err(TryLockError::Error(error)) => {
                    return Err(Problem::new(format!(
                        "the journal `{}` cannot be locked: {error}",
                        journal.display()
                    ))
                    .hint("keep it on a local disk with `--journal PATH`"));
                }
            }
        }
    }
}

/// Whether some process has the right to write to the journal at `journal` now.
pub(super) fn is_taken(journal: &Path) -> bool {
    File::open(beside(journal, "-lock"))
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Removed while it is still held; whoever waits for the file itself looks whether it is still there.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The file beside `journal` that is named like it with `ending` after it.
pub(super) fn beside(journal: &Path, ending: &str) -> PathBuf {
    let mut name = journal.as_os_str().to_owned();
    name.push(ending);
    name.into()
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
    fn one_at_a_time_and_nothing_left_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = folder.path().join("a.journal");
        let lock = Lock::take(&journal).expect("it is free");
        let refused = Lock::take(&journal).expect_err("it is held");
        assert!(refused.message.contains("is being written to by another process, or"), "{refused}");
        drop(lock);
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
        drop(Lock::take(&journal).expect("it is free again"));
    }
}
