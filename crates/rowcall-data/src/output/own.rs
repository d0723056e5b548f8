//! Whether a file is an output of some rows, judged by its first lines: then it may be overwritten without asking.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use rowcall::{Error, Outcome, Result, Row};

use super::row::{self, OutputRow};
use super::writer::Encoder;
use super::{LeftOut, OutputOptions, parts};
use crate::arrow;
use crate::format::OutputFormat;
use crate::input::compressed_text;

/// How many bytes of a file are examined.
const BEGINNING: u64 = 4 * 1024 * 1024;

/// Whether one of the first lines of the file at `path` is a line of an output of `rows`. Some may have changed since
/// it was written.
///
/// # Errors
/// [`Error::Config`] for an unknown extension, and [`Error::Sink`] for a row whose record is not the text of an
/// object.
pub fn is_output_of(path: &Path, rows: &[(Row, Outcome)], options: &OutputOptions) -> Result<bool> {
    let path = &parts::first_of(path);
    let format = options.format.map_or_else(|| OutputFormat::of(path), Ok).map_err(Error::Config)?;
    let Some(mut encoder) = Encoder::new(format, options) else {
        return arrow::has_rows_of(path, format, rows, options);
    };
    let mut lines = Vec::new();
    // Leave the header out: another output may have the same columns.
    encoder.push_header(&mut lines);
    lines.clear();
    for (row, outcome) in rows {
        let record = row::record_text(row)?;
        let row = OutputRow::new(&record, outcome, &options.layout, encoder.names())?;
        encoder.push(&row, &mut lines, &mut LeftOut::default());
    }
    let own: HashSet<&[u8]> = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let Ok(file) = File::open(path) else { return Ok(false) };
    let Ok(file) = compressed_text(Box::new(file)) else { return Ok(false) };
    let there = BufReader::new(file.take(BEGINNING)).split(b'\n');
    Ok(there.map_while(std::io::Result::ok).any(|line| own.contains(line.as_slice())))
}
