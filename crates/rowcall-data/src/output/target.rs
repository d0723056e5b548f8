//! Where bytes go: a file that gets its final name only when it is complete, plain or gzipped, or a stream such as
//! standard output, whose reader may go away. It knows nothing about rows.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rowcall::{Error, Problem, ProblemKind, Result};

use crate::format::is_gzip;
use crate::input::reason;

/// Whether `error` only means that the reader of the output has gone away, as `head` does: the end, not a failure.
pub fn is_reader_gone(error: &Error) -> bool {
    matches!(error, Error::Sink(problem) if problem.kind == ProblemKind::ReaderGone)
}

/// Whether writing to `output` would overwrite `input`, considering links and the output's `.part`. False if either
/// does not exist or is `-`.
pub fn same_file(input: &Path, output: &Path) -> bool {
    let file = |path: &Path| fs::metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let input = file(input);
    input.is_some() && (input == file(output) || input == file(&part_of(output)))
}

/// An open file or stream.
pub(crate) struct Target {
    name: String,
    bytes: Bytes,
    rename: Option<Rename>,
}

enum Bytes {
    Plain(Box<dyn Write + Send>),
    /// Flushed only at the end: each flush costs compression, and a compressed file is not read while it is written.
    Gzip(GzEncoder<Box<dyn Write + Send>>),
}

struct Rename {
    part: PathBuf,
    path: PathBuf,
}

impl Target {
    /// The file at `path`, as `.part` until it is complete. If something other than a regular file exists there, such
    /// as a device or a named pipe, it is written to directly.
    pub(crate) fn file(path: &Path) -> Result<Self> {
        let cannot_write = |error: &io::Error| {
            let problem = Problem::new(format!("cannot write `{}`: {}", path.display(), reason(error)));
            Error::Config(match hint(path, error) {
                Some(hint) => problem.hint(hint),
                None => problem,
            })
        };
        // Replace the target of a link, not the link.
        let (path, there) = match fs::metadata(path) {
            Ok(there) => (fs::canonicalize(path).map_err(|error| cannot_write(&error))?, Some(there)),
            Err(_) => (pointed_to(path), None),
        };
        let existing = there.as_ref().map(|_| File::options().write(true).open(&path)).transpose();
        let existing = existing.map_err(|error| cannot_write(&error))?;
        let (file, rename) = match (existing, there) {
            (Some(existing), Some(there)) if !there.is_file() => (existing, None),
            _ => {
                let part = part_of(&path);
                let file = File::create(&part).map_err(|error| cannot_write(&error))?;
                (file, Some(Rename { part, path: path.clone() }))
            }
        };
        let file: Box<dyn Write + Send> = Box::new(file);
        let bytes = if is_gzip(&path) {
            Bytes::Gzip(GzEncoder::new(file, Compression::default()))
        } else {
            Bytes::Plain(file)
        };
        Ok(Self { name: format!("`{}`", path.display()), bytes, rename })
    }

    /// Any writer; messages call it `name`.
    pub(crate) fn stream(name: &str, writer: impl Write + Send + 'static) -> Self {
        Self { name: name.to_owned(), bytes: Bytes::Plain(Box::new(writer)), rename: None }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let result = match &mut self.bytes {
            Bytes::Plain(plain) => plain.write_all(bytes),
            Bytes::Gzip(gzip) => gzip.write_all(bytes),
        };
        result.map_err(|error| self.failed(&error))
    }

    /// Makes what was written visible to a reader.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let result = match &mut self.bytes {
            Bytes::Plain(plain) => plain.flush(),
            Bytes::Gzip(_) => Ok(()),
        };
        result.map_err(|error| self.failed(&error))
    }

    /// Completes the file and gives it its final name.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.complete()?;
        let renamed = match &self.rename {
            Some(Rename { part, path }) => fs::rename(part, path),
            None => Ok(()),
        };
        renamed.map_err(|error| self.failed(&error))
    }

    /// Completes the file under its temporary name, which is returned if it has one.
    pub(crate) fn leave(mut self) -> Result<Option<PathBuf>> {
        self.complete()?;
        Ok(self.rename.map(|rename| rename.part))
    }

    fn complete(&mut self) -> Result<()> {
        self.flush()?;
        let completed = match &mut self.bytes {
            Bytes::Plain(_) => Ok(()),
            Bytes::Gzip(gzip) => gzip.try_finish(),
        };
        completed.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Error {
        Error::Sink(if error.kind() == ErrorKind::BrokenPipe {
            Problem::new("the reader of the output has gone away").of_kind(ProblemKind::ReaderGone)
        } else {
            Problem::new(format!("cannot write {}: {}", self.name, reason(error)))
        })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The target of a link whose target does not exist yet, or the path itself.
fn pointed_to(path: &Path) -> PathBuf {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| next.clone(), |folder| folder.join(&next));
    }
    path
}

fn part_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn hint(path: &Path, error: &io::Error) -> Option<String> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match error.kind() {
        ErrorKind::NotFound => Some(format!("create the directory `{}` first", directory.display())),
        ErrorKind::PermissionDenied => Some(format!("check the permissions of `{}`", directory.display())),
        _ => None,
    }
}
