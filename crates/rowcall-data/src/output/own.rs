//! Whether a file is an output of some rows, judged by its first lines: then it may be overwritten without asking.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use rowcall::{Error, Outcome, Result, Row};

use super::{Encoder, LeftOut, OutputOptions, encode};
use crate::format::{OutputFormat, is_gzip};

/// How many bytes of a file are examined.
const BEGINNING: u64 = 4 * 1024 * 1024;

/// Whether one of the first lines of the file at `path` is a line of an output of `rows`. Some may have changed since
/// it was written.
///
/// # Errors
/// [`Error::Config`] for an unknown extension, and [`Error::Sink`] for a row whose record is not the text of an
/// object.
pub fn is_output_of(path: &Path, rows: &[(Row, Outcome)], options: &OutputOptions) -> Result<bool> {
    let format = options.format.map_or_else(|| OutputFormat::of(path), Ok).map_err(Error::Config)?;
    let mut encoder = Encoder::new(format, &options.layout, &options.columns);
    let mut lines = Vec::new();
    // Leave the header out: another output may have the same columns.
    encoder.push_header(&mut lines);
    lines.clear();
    encode(rows, &mut encoder, &options.layout, &mut lines, &mut LeftOut::default())?;
    let own: HashSet<&[u8]> = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let Ok(file) = File::open(path) else { return Ok(false) };
    let file: Box<dyn Read> =
        if is_gzip(path) { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let there = BufReader::new(file.take(BEGINNING)).split(b'\n');
    Ok(there.map_while(std::io::Result::ok).any(|line| own.contains(line.as_slice())))
}
