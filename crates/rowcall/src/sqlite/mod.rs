//! Our SQLite files: how to recognise, lock and open one, and user-facing errors about it. The tables belong to the modules that own
//! the files.

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

/// SQLite's default page size, in bytes.
const PAGE_BYTES: u64 = 4096;

/// The flags for opening a file for writing. Each connection belongs to one thread.
fn writing() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

impl Kind {
    /// The kind and the format of a file, as marked in its header.
    pub(crate) fn marks(connection: &Connection) -> rusqlite::Result<(i32, i32)> {
        let read = |name| connection.pragma_query_value(None, name, |row| row.get(0));
        Ok((read("application_id")?, read("user_version")?))
    }

    /// Opens the existing file at `path` for writing.
    ///
    /// # Errors
    /// If the file is of another kind or a newer format, or cannot be written to.
    pub(crate) fn open_to_write(&self, path: &Path) -> Result<Connection, Problem> {
        let open = || -> rusqlite::Result<(Connection, (i32, i32))> {
            let connection = Connection::open_with_flags(path, writing())?;
            let marks = Self::marks(&connection)?;
            Ok((connection, marks))
        };
        let (connection, marks) = open().map_err(|error| self.problem(path, &error))?;
        self.check(path, marks)?;
        self.check_length(path)?;
        // Setting the mode fails early for a file that cannot be written to.
        let prepared = connection.pragma_update(None, "journal_mode", "WAL");
        prepared.map_err(|error| self.problem(path, &error))?;
        Ok(connection)
    }

    /// Opens the file at `path` for reading, whether or not it is being written to.
    ///
    /// # Errors
    /// If the file is of another kind or a newer format, or cannot be read.
    pub(crate) fn open_to_read(&self, path: &Path) -> Result<Connection, Problem> {
        if let Ok(there) = std::fs::metadata(path)
            && !there.is_file()
        {
            let (name, noun) = (path.display(), self.noun);
            let what = if there.is_dir() { "a folder" } else { "not a file" };
            return Err(Problem::new(format!("`{name}` is {what}, expected a rowcall {noun}"))
                .hint((self.hint)(Ailment::Foreign)));
        }
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let open = |name: &Path| -> rusqlite::Result<(Connection, (i32, i32))> {
            let connection = Connection::open_with_flags(name, flags)?;
            let marks = Self::marks(&connection)?;
            Ok((connection, marks))
        };
        let opened = open(path).or_else(|error| {
            // In a read-only folder, SQLite cannot create the files that readers share.
            if is_at_rest(path) { open(Path::new(&immutable(path))) } else { Err(error) }
        });
        let (connection, marks) = opened.map_err(|error| self.problem(path, &error))?;
        self.check(path, marks)?;
        self.check_length(path)?;
        Ok(connection)
    }

    /// Checks that a file with these marks is of this kind and in a readable format.
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
                "the {noun} `{name}` has format {format}, expected at most {}: a newer rowcall wrote it",
                self.format
            ))
            .hint((self.hint)(Ailment::Newer)));
        }
        Ok(())
    }

    /// Checks that the file is not truncated: SQLite would read the rest of a page as zeros.
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

    /// Whether the file at `path` is marked as one of this kind, in any format, or contains nothing that could be lost. The marks are in
    /// SQLite's header, so that a damaged file is recognised as well.
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

    /// Creates a file of this kind under a temporary name and renames it once it is on the disk, so that it is never incomplete. `fill`
    /// creates its tables, in a transaction.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub(crate) fn make(
        &self,
        path: &Path,
        pragmas: &str,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), Problem> {
        let new = beside(path, "-new");
        for left_over in [beside(&new, "-journal"), beside(&new, "-wal"), beside(&new, "-shm"), new.clone()] {
            let _ = std::fs::remove_file(left_over);
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
        // Files left over from an earlier database would be read as part of this one.
        self.remove_beside(path)?;
        std::fs::rename(&new, path).map_err(|error| {
            Problem::new(format!("the {} `{}` cannot be made: {error}", self.noun, path.display()))
                .hint((self.hint)(Ailment::Foreign))
        })
    }

    /// Removes SQLite's auxiliary files of a database that is gone or is about to be removed.
    ///
    /// # Errors
    /// If one of them cannot be removed.
    pub(crate) fn remove_beside(&self, path: &Path) -> Result<(), Problem> {
        ["-wal", "-shm", "-journal"].iter().try_for_each(|ending| self.remove(&beside(path, ending)))
    }

    /// Removes a file, if it exists.
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

/// The path with `ending` appended to its name.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Whether no changes are waiting to be merged into the file at `path`.
fn is_at_rest(path: &Path) -> bool {
    std::fs::metadata(beside(path, "-wal")).map_or(true, |log| log.len() == 0)
}

/// The file's name as a URI that marks it as immutable for SQLite.
fn immutable(path: &Path) -> String {
    let path = path.display().to_string();
    format!("file:{}?immutable=1", path.replace('%', "%25").replace('?', "%3f").replace('#', "%23"))
}
