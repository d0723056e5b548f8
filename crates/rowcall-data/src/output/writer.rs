//! A file of any format: rows to bytes. `mod.rs` decides which rows, `target.rs` where the bytes go.

use std::io;

use rowcall::Result;

use super::csv::Csv;
use super::row::{Names, OutputRow};
use super::target::{Target, cannot_write};
use super::{LeftOut, OutputOptions, json_lines};
use crate::arrow;
use crate::format::OutputFormat;

/// How many bytes of text are collected before a write. The end of a batch is always written.
const PIECE: usize = 64 * 1024;

/// An open file.
pub(crate) enum Writer {
    /// Rows as lines of text.
    Lines { encoder: Box<Encoder>, lines: Vec<u8>, target: Box<Target> },
    /// Batches of rows.
    Table { name: String, encoder: Box<arrow::Encoder<Target>> },
}

/// A format of text.
#[derive(Debug)]
pub(crate) enum Encoder {
    JsonLines,
    Csv(Csv),
}

impl Encoder {
    /// The encoder for a format; `None` for one that is not text.
    pub(crate) fn new(format: OutputFormat, options: &OutputOptions) -> Option<Self> {
        let csv = |delimiter| Some(Self::Csv(Csv::new(delimiter, &options.columns, &options.layout)));
        match format {
            OutputFormat::JsonLines => Some(Self::JsonLines),
            OutputFormat::Csv => csv(b','),
            OutputFormat::Tsv => csv(b'\t'),
            OutputFormat::Parquet | OutputFormat::Arrow => None,
        }
    }

    /// Adds a CSV's header, unless it was added before.
    pub(crate) fn push_header(&mut self, lines: &mut Vec<u8>) {
        if let Self::Csv(csv) = self {
            csv.push_header(lines);
        }
    }

    /// Adds the line of a row.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, lines: &mut Vec<u8>, left_out: &mut LeftOut) {
        match self {
            Self::JsonLines => json_lines::push(row, lines),
            Self::Csv(csv) => csv.push(row, lines, left_out),
        }
    }

    pub(crate) fn names(&self) -> Names {
        match self {
            Self::JsonLines => Names::OfFields,
            Self::Csv(_) => Names::OfColumns,
        }
    }
}

impl Writer {
    /// Begins a file in this format at `target`.
    ///
    /// # Errors
    /// A column that the format cannot hold.
    pub(crate) fn new(target: Target, format: OutputFormat, options: &OutputOptions) -> Result<Self> {
        if let Some(encoder) = Encoder::new(format, options) {
            return Ok(Self::Lines {
                encoder: Box::new(encoder),
                lines: Vec::new(),
                target: Box::new(target),
            });
        }
        let (name, ends) = (target.name().to_owned(), target.ends());
        let encoder = arrow::Encoder::new(format, target, options, ends)?;
        Ok(Self::Table { name, encoder: Box::new(encoder) })
    }

    /// Adds a row. Returns how many rows do not fit their columns, as far as that is known.
    pub(crate) fn push(&mut self, row: &OutputRow<'_>, left_out: &mut LeftOut) -> Result<u64> {
        match self {
            Self::Lines { encoder, lines, target } => {
                encoder.push(row, lines, left_out);
                if lines.len() >= PIECE {
                    target.write(lines)?;
                    lines.clear();
                }
                Ok(0)
            }
            Self::Table { name, encoder } => {
                encoder.push(row, left_out).map_err(|error| cannot_write(name, &error))
            }
        }
    }

    /// Makes lines visible to a reader. A batch is written when it is full.
    pub(crate) fn flush(&mut self) -> Result<()> {
        match self {
            Self::Lines { lines, target, .. } => {
                target.write(lines)?;
                lines.clear();
                target.flush()
            }
            Self::Table { .. } => Ok(()),
        }
    }

    /// How many bytes the file has so far, if that depends on nothing but the rows.
    pub(crate) fn size(&self) -> Option<u64> {
        match self {
            Self::Lines { lines, target, .. } => Some(target.written() + lines.len() as u64),
            Self::Table { encoder, .. } => encoder.size(),
        }
    }

    pub(crate) fn names(&self) -> Names {
        match self {
            Self::Lines { encoder, .. } => encoder.names(),
            Self::Table { .. } => Names::OfColumns,
        }
    }

    /// Writes everything. Returns how many more rows do not fit their columns.
    pub(crate) fn finish(self) -> Result<(Target, u64)> {
        match self {
            Self::Lines { mut encoder, mut lines, mut target } => {
                // A CSV has its header even if there was no row to write it with.
                encoder.push_header(&mut lines);
                target.write(&lines)?;
                Ok((*target, 0))
            }
            Self::Table { name, encoder } => {
                encoder.finish().map_err(|error: io::Error| cannot_write(&name, &error))
            }
        }
    }
}
