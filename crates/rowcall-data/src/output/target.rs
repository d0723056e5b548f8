//! Where bytes go: a file that gets its final name only when it is complete, plain or compressed, or a stream such as
//! standard output, whose reader may go away. It knows nothing about rows.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rowcall::{Error, Problem, ProblemKind, Result};
use sha2::{Digest, Sha256};

use crate::arrow::Zstd;
use crate::format::Compressed;
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

/// Whether a reader can look at the end of an output before its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// It can.
    File,
    /// It gets the bytes in their order.
    Stream,
}

/// An open file or stream.
pub(crate) struct Target {
    name: String,
    bytes: Bytes,
    rename: Option<Rename>,
    written: u64,
    /// The same file again, if it is to be on the disk before it gets its name, and the hash of its bytes.
    durable: Option<(File, Sha256)>,
}

enum Bytes {
    Plain(Box<dyn Write + Send>),
    /// Flushed only at the end: each flush costs compression, and a compressed file is not read while it is written.
    Gzip(GzEncoder<Box<dyn Write + Send>>),
    /// As for gzip.
    Zstd(Zstd),
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
        let compressed = Compressed::of(path).map_err(Error::Config)?;
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
        let bytes = match compressed {
            Compressed::No => Bytes::Plain(file),
            Compressed::Gzip => Bytes::Gzip(GzEncoder::new(file, Compression::default())),
            Compressed::Zstd => Bytes::Zstd(Zstd::new(file).map_err(Error::Config)?),
        };
        Ok(Self { name: format!("`{}`", path.display()), bytes, rename, written: 0, durable: None })
    }

    /// A file that is at `hidden` until it is complete and on the disk, and then at `path`.
    pub(crate) fn durable(hidden: PathBuf, path: PathBuf) -> Result<Self> {
        let name = format!("`{}`", path.display());
        let file = File::create(&hidden).map_err(|error| cannot_write(&name, &error))?;
        let same = file.try_clone().map_err(|error| cannot_write(&name, &error))?;
        let bytes = Bytes::Plain(Box::new(file));
        let rename = Some(Rename { part: hidden, path });
        Ok(Self { name, bytes, rename, written: 0, durable: Some((same, Sha256::new())) })
    }

    /// What messages call it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is a file or a pipe or the like.
    pub(crate) fn ends(&self) -> Ends {
        if self.rename.is_none() { Ends::Stream } else { Ends::File }
    }

    /// How many bytes were written, before they were compressed.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// The SHA-256 of what was written, in hexadecimal digits, if it is a durable file.
    pub(crate) fn hash(&self) -> Option<String> {
        let (_, hash) = self.durable.as_ref()?;
        Some(format!("{:x}", hash.clone().finalize()))
    }

    /// Any writer; messages call it `name`.
    pub(crate) fn stream(name: &str, writer: impl Write + Send + 'static) -> Self {
        let bytes = Bytes::Plain(Box::new(writer));
        Self { name: name.to_owned(), bytes, rename: None, written: 0, durable: None }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Write::write_all(self, bytes).map_err(|error| self.failed(&error))
    }

    /// Makes what was written visible to a reader.
    pub(crate) fn flush(&mut self) -> Result<()> {
        Write::flush(self).map_err(|error| self.failed(&error))
    }

    /// Completes the file and gives it its final name.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.complete()?;
        let renamed = match &self.rename {
            Some(Rename { part, path }) => fs::rename(part, path).and_then(|()| match &self.durable {
                // The name is in the folder, which is written to the disk on its own.
                Some(_) => File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all(),
                None => Ok(()),
            }),
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
            Bytes::Zstd(zstd) => zstd.finish(),
        };
        let synced = completed.and_then(|()| match &self.durable {
            Some((file, _)) => file.sync_all(),
            None => Ok(()),
        });
        synced.map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &io::Error) -> Error {
        cannot_write(&self.name, error)
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = match &mut self.bytes {
            Bytes::Plain(plain) => plain.write(bytes)?,
            Bytes::Gzip(gzip) => gzip.write(bytes)?,
            Bytes::Zstd(zstd) => zstd.write(bytes)?,
        };
        self.written += length as u64;
        if let Some((_, hash)) = &mut self.durable {
            hash.update(bytes.get(..length).unwrap_or_default());
        }
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.bytes {
            Bytes::Plain(plain) => plain.flush(),
            Bytes::Gzip(_) | Bytes::Zstd(_) => Ok(()),
        }
    }
}

/// The error of an output called `name` that cannot be written.
pub(crate) fn cannot_write(name: &str, error: &io::Error) -> Error {
    Error::Sink(if error.kind() == ErrorKind::BrokenPipe {
        Problem::new("the reader of the output has gone away").of_kind(ProblemKind::ReaderGone)
    } else {
        Problem::new(format!("cannot write {name}: {}", reason(error)))
    })
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
