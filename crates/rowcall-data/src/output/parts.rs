//! A folder of parts. A part has the rows between two positions of the input; it is written under a hidden name, and gets its own
//! when it is complete and on the disk. What a part holds depends on nothing but the rows, so a run that was killed writes the same
//! parts again from its journal, and replaces those that are there by themselves.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rowcall::{Error, Problem, Result};
use serde::Serialize;

use super::row::{Names, OutputRow};
use super::target::{Target, cannot_write};
use super::writer::Writer;
use super::{LeftOut, OutputOptions};
use crate::format::OutputFormat;

/// The size at which a part ends, in bytes.
const PART_BYTES: u64 = 64 * 1024 * 1024;

/// The file that says that all parts are there. Readers of data sets skip names that begin with `_` or `.`.
const MANIFEST: &str = "_manifest.json";

/// A folder that is being written.
pub(crate) struct Parts {
    folder: PathBuf,
    format: OutputFormat,
    options: OutputOptions,
    open: Option<Part>,
    done: Vec<Done>,
    /// The position after the last row.
    next: u64,
}

struct Part {
    writer: Writer,
    file: String,
    first_row: u64,
    rows: u64,
    lines: u64,
    failed: u64,
}

/// A part in the manifest.
#[derive(Debug, Clone, Serialize)]
struct Done {
    file: String,
    /// The position in the input of its first row, and the position after its last.
    first_row: u64,
    end_row: u64,
    /// How many rows the file has.
    rows: u64,
    /// How many rows of the input failed.
    failed: u64,
    bytes: u64,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct Manifest<'a> {
    version: u32,
    format: String,
    rows: u64,
    failed: u64,
    parts: &'a [Done],
}

impl Parts {
    /// Opens a folder, which is created if it does not exist. What an earlier run did not complete is removed.
    pub(crate) fn open(folder: &Path, format: OutputFormat, options: OutputOptions) -> Result<Self> {
        let cannot_open = |error: &io::Error| {
            let problem = match cannot_write(&format!("the folder `{}`", folder.display()), error) {
                Error::Sink(problem) => problem,
                other => Problem::new(other.to_string()),
            };
            Error::Config(problem)
        };
        fs::create_dir_all(folder).map_err(|error| cannot_open(&error))?;
        for name in names(folder).map_err(|error| cannot_open(&error))? {
            let is_left =
                name == MANIFEST || name.strip_prefix('.').is_some_and(|name| name.starts_with("part-"));
            if is_left {
                fs::remove_file(folder.join(&name)).map_err(|error| cannot_open(&error))?;
            }
        }
        let mut parts =
            Self { folder: folder.to_owned(), format, options, open: None, done: Vec::new(), next: 0 };
        // A column that the format cannot hold is found before the first request.
        parts.open_part(0)?;
        Ok(parts)
    }

    fn open_part(&mut self, first_row: u64) -> Result<&mut Part> {
        let file = format!("part-{:05}.{}", self.done.len(), self.format);
        let hidden = self.folder.join(format!(".{file}"));
        let target = Target::durable(hidden, self.folder.join(&file))?;
        let writer = Writer::new(target, self.format, &self.options)?;
        Ok(self.open.insert(Part { writer, file, first_row, rows: 0, lines: 0, failed: 0 }))
    }

    pub(crate) fn names(&self) -> Names {
        match self.format {
            OutputFormat::JsonLines => Names::OfFields,
            OutputFormat::Csv | OutputFormat::Tsv | OutputFormat::Parquet | OutputFormat::Arrow => {
                Names::OfColumns
            }
        }
    }

    /// The row at this position of the input comes next, with this many rows of the output; `failed` is 1 if it failed.
    pub(crate) fn begin(&mut self, index: u64, failed: u64, lines: u64) -> Result<()> {
        if self.open.is_none() {
            self.open_part(index)?;
        }
        self.next = index + 1;
        if let Some(part) = &mut self.open {
            part.rows += 1;
            part.lines += lines;
            part.failed += failed;
        }
        Ok(())
    }

    /// Adds a row of the output. Returns how many rows do not fit their columns, as far as that is known.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, left_out: &mut LeftOut) -> Result<u64> {
        let Some(part) = &mut self.open else { return Ok(0) };
        let misfits = part.writer.push(row, left_out)?;
        part.failed += misfits;
        Ok(misfits)
    }

    /// All rows of the output for a row of the input were added. Returns how many more do not fit.
    pub(crate) fn end(&mut self) -> Result<u64> {
        let Some(part) = &self.open else { return Ok(0) };
        let is_full = match self.options.part_rows {
            Some(rows) => part.rows >= rows.get(),
            None => part.writer.size().is_some_and(|size| size >= PART_BYTES),
        };
        if is_full { self.close() } else { Ok(0) }
    }

    /// Completes the open part.
    fn close(&mut self) -> Result<u64> {
        let Some(Part { writer, file, first_row, rows: _, lines, failed }) = self.open.take() else {
            return Ok(0);
        };
        let (target, misfits) = writer.finish()?;
        let (bytes, sha256) = (target.written(), target.hash().unwrap_or_default());
        target.finish()?;
        let failed = failed + misfits;
        self.done.push(Done { file, first_row, end_row: self.next, rows: lines, failed, bytes, sha256 });
        Ok(misfits)
    }

    /// Completes the folder.
    pub(crate) fn finish(mut self) -> Result<u64> {
        // An input without rows has one empty part, from which readers take the columns.
        let is_needless = self.open.as_ref().is_some_and(|part| part.rows == 0) && !self.done.is_empty();
        let misfits = if is_needless { 0 } else { self.close()? };
        let failed =
            |error: io::Error| cannot_write(&format!("the folder `{}`", self.folder.display()), &error);
        for name in names(&self.folder).map_err(failed)? {
            let is_other = is_part(&name, self.format) && !self.done.iter().any(|done| done.file == name);
            if is_other || name.starts_with(".part-") {
                fs::remove_file(self.folder.join(&name)).map_err(failed)?;
            }
        }
        let manifest = Manifest {
            version: 1,
            format: self.format.to_string(),
            rows: self.done.iter().map(|done| done.rows).sum(),
            failed: self.done.iter().map(|done| done.failed).sum(),
            parts: &self.done,
        };
        let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
        text.push('\n');
        let hidden = self.folder.join(format!(".{MANIFEST}"));
        let mut target = Target::durable(hidden, self.folder.join(MANIFEST))?;
        target.write(text.as_bytes())?;
        target.finish()?;
        Ok(misfits)
    }

    /// Leaves the folder as it is, with the rows of the open part under a hidden name.
    pub(crate) fn leave(mut self) -> Result<Option<PathBuf>> {
        if let Some(part) = self.open.take() {
            let is_empty = part.rows == 0;
            let hidden = part.writer.finish()?.0.leave()?;
            if is_empty && let Some(hidden) = hidden {
                fs::remove_file(&hidden).map_err(|error| cannot_write("an empty part", &error))?;
            }
        }
        Ok(Some(self.folder))
    }
}

/// The names in a folder.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    fs::read_dir(folder)?.map(name).collect()
}

/// Whether a file of this name is a part that a run of ours wrote.
fn is_part(name: &str, format: OutputFormat) -> bool {
    let number = name.strip_prefix("part-").and_then(|name| name.strip_suffix(&format!(".{format}")));
    number.is_some_and(|number| number.len() >= 5 && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The first part of a folder, or the file itself.
pub(crate) fn first_of(path: &Path) -> PathBuf {
    let mut parts: Vec<_> = names(path).unwrap_or_default();
    parts.retain(|name| name.starts_with("part-"));
    parts.sort();
    parts.first().map_or_else(|| path.to_owned(), |name| path.join(name))
}
