//! Files of ours that are SQLite databases: how one is recognised, locked and read, and what is wrong with it in the user's words.
//! What is in their tables is the business of those whose files they are.

mod lock;
mod text;
mod trouble;

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::error::Problem;

pub(crate) use lock::{Lock, is_taken};
pub(crate) use text::{integer, natural, parsed, text};
pub(crate) use trouble::{Ailment, Kind};

/// SQLite's pages, in bytes, unless set otherwise.
const PAGE_BYTES: u64 = 4096;

/// How a file is opened for writing. Each connection belongs to one thread.
fn writing() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

impl Kind {
    /// What says which kind of file this is, and which format it has.
    pub(crate) fn marks(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
        let read = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        Ok((read("application_id")?, read("user_version")?))
    }

    /// Opens the file at `path`, which is there, for writing.
    ///
    /// # Errors
    /// A file that is of another kind or of a newer format, and whatever keeps it from being written to.
    pub(crate) fn open_to_write(&self, path: &Path) -> Result<Connection, Problem> {
        let open = || -> rusqlite::Result<(Connection, (i32, i32))> {
            let connection = Connection::open_with_flags(path, writing())?;
            let marks = Self::marks(&connection)?;
            Ok((connection, marks))
        };
        let (connection, marks) = open().map_err(|error| self.problem(path, &error))?;
        self.check(path, marks)?;
        self.check_length(path)?;
        // Writing the mode fails for a file that cannot be written to, before anything else is tried.
        let prepared = connection.pragma_update(None, "journal_mode", "WAL");
        prepared.map_err(|error| self.problem(path, &error))?;
        Ok(connection)
    }

    /// Opens the file at `path` for reading, whether or not it is being written to.
    ///
    /// # Errors
    /// A file that is of another kind or of a newer format, and whatever keeps it from being read.
    pub(crate) fn open_to_read(&self, path: &Path) -> Result<Connection, Problem> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let open = |name: &Path| -> rusqlite::Result<(Connection, (i32, i32))> {
            let connection = Connection::open_with_flags(name, flags)?;
            let marks = Self::marks(&connection)?;
            Ok((connection, marks))
        };
        let opened = open(path).or_else(|error| {
            // A folder that cannot be written to takes no files for readers to share.
            if is_at_rest(path) { open(Path::new(&immutable(path))) } else { Err(error) }
        });
        let (connection, marks) = opened.map_err(|error| self.problem(path, &error))?;
        self.check(path, marks)?;
        self.check_length(path)?;
        Ok(connection)
    }

    /// Checks that a file with these marks is of this kind, in a format that can be read.
    ///
    /// # Errors
    /// If it is not.
    pub(crate) fn check(&self, path: &Path, (application, format): (i32, i32)) -> Result<(), Problem> {
        let (name, noun) = (path.display(), self.noun);
        if application != self.application {
            return Err(Problem::new(format!("`{name}` is a SQLite file, but not a rowcall {noun}"))
                .hint((self.hint)(Ailment::Foreign)));
        }
        if format > self.format {
            return Err(Problem::new(format!(
                "the {noun} `{name}` has format {format}, expected at most {}: a newer rowcall has written it",
                self.format
            ))
            .hint((self.hint)(Ailment::Newer)));
        }
        Ok(())
    }

    /// Checks that the file was not cut off: SQLite would take the rest of a page for zeros.
    ///
    /// # Errors
    /// If it ends within a page.
    pub(crate) fn check_length(&self, path: &Path) -> Result<(), Problem> {
        let whole = std::fs::metadata(path).map_or(true, |file| file.len() % PAGE_BYTES == 0);
        if is_at_rest(path) && !whole {
            return Err(Problem::new(format!("the {} `{}` is damaged", self.noun, path.display()))
                .hint((self.hint)(Ailment::Damaged)));
        }
        Ok(())
    }

    /// Whether the file at `path` is marked as one of this kind, of whatever format, or holds nothing that could be lost. SQLite's
    /// header says so, so that a damaged one is recognised as well.
    pub(crate) fn is_ours(&self, path: &Path) -> bool {
        const HEADER: usize = 100;
        const MAGIC: &[u8] = b"SQLite format 3\0";
        let Ok(file) = std::fs::File::open(path) else { return true };
        let mut header = Vec::with_capacity(HEADER);
        match file.take(HEADER as u64).read_to_end(&mut header) {
            Ok(0) => true,
            Ok(_) => header.starts_with(MAGIC) && header.get(68..72) == Some(&self.application.to_be_bytes()),
            Err(_) => false,
        }
    }

    /// Makes a file of this kind under another name and gives it its own when it is on the disk, so that there is a whole one or none.
    /// `fill` makes its tables, in a transaction.
    ///
    /// # Errors
    /// Whatever keeps it from being made.
    pub(crate) fn make(
        &self,
        path: &Path,
        pragmas: &str,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), Problem> {
        let new = beside(path, "-new");
        for left_behind in [beside(&new, "-journal"), beside(&new, "-wal"), beside(&new, "-shm"), new.clone()]
        {
            let _ = std::fs::remove_file(left_behind);
        }
        let filled = || -> rusqlite::Result<()> {
            let connection = Connection::open_with_flags(&new, writing())?;
            connection.execute_batch(&format!(
                "{pragmas} BEGIN IMMEDIATE; PRAGMA application_id = {}; PRAGMA user_version = {};",
                self.application, self.format
            ))?;
            fill(&connection)?;
            connection.execute_batch("COMMIT")?;
            connection.close().map_err(|(_, error)| error)
        };
        filled().map_err(|error| self.problem(path, &error))?;
        // What one that is gone has left behind would be taken for this one's.
        self.remove_beside(path)?;
        std::fs::rename(&new, path).map_err(|error| {
            Problem::new(format!("the {} `{}` cannot be made: {error}", self.noun, path.display()))
                .hint((self.hint)(Ailment::Foreign))
        })
    }

    /// Removes the files that SQLite keeps beside one that is gone or is about to be.
    ///
    /// # Errors
    /// One that cannot be removed.
    pub(crate) fn remove_beside(&self, path: &Path) -> Result<(), Problem> {
        ["-wal", "-shm", "-journal"].iter().try_for_each(|ending| self.remove(&beside(path, ending)))
    }

    /// Removes a file, if it is there.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(crate) fn remove(&self, file: &Path) -> Result<(), Problem> {
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Problem::new(format!("`{}` cannot be removed: {error}", file.display()))
                    .hint((self.hint)(Ailment::Unremovable)))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// The file beside `path` that is named like it with `ending` after it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether nothing waits to be carried over into the file at `path`.
fn is_at_rest(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).map_or(true, |log| log.len() == 0)
}

/// The file's name in the form by which SQLite knows that nobody writes to it.
fn immutable(path: &Path) -> String {
    let path = path.display().to_string();
    format!("file:{}?immutable=1", path.replace('%', "%25").replace('?', "%3f").replace('#', "%23"))
}
