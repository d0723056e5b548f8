//! CSV and TSV with a header. The grammar is csv-core's, as lenient as the csv crate; this adds line numbers, the
//! bound of a record, and what a record must have: as many columns as the header, in UTF-8, with every quote closed.

use std::borrow::Cow;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use rowcall::{Problem, UnreadableKind};
use serde_json::{Map, Value};

use super::parser::{Parser, Rows};
use super::{MAX_RECORD_BYTES, clash};
use crate::record;

/// The parser of CSV.
#[derive(Debug)]
pub(crate) struct Csv {
    grammar: Reader,
    reserved: Vec<String>,
    header: Option<Header>,
    /// The number of the line that is being read, counted from 1.
    line: u64,
    record: Record,
}

#[derive(Debug)]
struct Header {
    names: Vec<String>,
    /// The names as JSON strings.
    keys: Vec<String>,
}

/// The record that is not yet whole: its columns one after the other, and where each ends.
#[derive(Debug)]
struct Record {
    text: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    columns: usize,
    /// How many bytes it has had, quotes and delimiters too; 0 before it begins.
    bytes: usize,
    line: u64,
}

impl Csv {
    pub(crate) fn new(delimiter: u8, reserved: Vec<String>) -> Self {
        let mut grammar = ReaderBuilder::new().delimiter(delimiter).build();
        // A blank line, which it skips, lest it look for a byte order mark in the first piece of the text.
        grammar.read_record(b"\n", &mut [0], &mut [0]);
        let record = Record { text: vec![0; 64], filled: 0, ends: vec![0; 4], columns: 0, bytes: 0, line: 1 };
        Self { grammar, reserved, header: None, line: 1, record }
    }

    fn complete(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        let record = &self.record;
        let line = record.line;
        if record.bytes > MAX_RECORD_BYTES {
            let message =
                format!("the record that begins on line {line} is longer than {MAX_RECORD_BYTES} bytes");
            return self.unreadable(message, rows);
        }
        let columns: Vec<_> = record.columns().collect();
        match &self.header {
            None => self.header = Some(Header::new(&columns, line, &self.reserved)?),
            Some(header) => header.push_row(&columns, line, rows),
        }
        Ok(())
    }

    /// A record of which nothing can be told; in place of the header, there is nothing to go on with.
    fn unreadable(&self, message: String, rows: &mut Rows) -> Result<(), Problem> {
        if self.header.is_none() {
            return Err(Problem::new(message));
        }
        rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
        Ok(())
    }
}

impl Parser for Csv {
    fn feed(&mut self, mut text: &[u8], rows: &mut Rows) -> Result<(), Problem> {
        while let Some(&byte) = text.first() {
            let record = &mut self.record;
            // Line ends before a record are blank lines, or the second half of the end of the one before.
            if record.bytes == 0 && matches!(byte, b'\r' | b'\n') {
                self.line += u64::from(byte == b'\n');
                text = text.get(1..).unwrap_or_default();
                continue;
            }
            if record.bytes == 0 {
                record.line = self.line;
            }
            let (result, read, filled, columns) = self.grammar.read_record(
                text,
                record.text.get_mut(record.filled..).unwrap_or_default(),
                record.ends.get_mut(record.columns..).unwrap_or_default(),
            );
            let (taken, rest) = text.split_at(read);
            text = rest;
            self.line += memchr::memchr_iter(b'\n', taken).count() as u64;
            record.bytes += read;
            record.filled += filled;
            record.columns += columns;
            match result {
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => record.make_room(),
                ReadRecordResult::Record => {
                    self.complete(rows)?;
                    self.record.clear();
                }
            }
        }
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        if self.record.bytes == 0 {
            return Ok(());
        }
        // A line end completes the last record, unless a quote is open.
        self.feed(b"\n", rows)?;
        if self.record.bytes == 0 {
            return Ok(());
        }
        let message =
            format!("a quote in the record that begins on line {} is never closed", self.record.line);
        self.unreadable(message, rows)
    }

    fn header(&self) -> Option<&[String]> {
        self.header.as_ref().map(|header| header.names.as_slice())
    }
}

impl Header {
    fn new(columns: &[&[u8]], line: u64, reserved: &[String]) -> Result<Self, Problem> {
        let mut names: Vec<String> = Vec::with_capacity(columns.len());
        for (column, bytes) in (1..).zip(columns) {
            let name = std::str::from_utf8(bytes).map_err(|_| {
                Problem::new(format!("the name of column {column} on line {line} is not UTF-8"))
            })?;
            if name.is_empty() {
                return Err(Problem::new(format!(
                    "column {column} has no name in the header on line {line}"
                )));
            }
            if names.iter().any(|earlier| earlier == name) {
                return Err(Problem::new(format!("the column `{name}` is twice in the header")));
            }
            names.push(name.to_owned());
        }
        match clash(&names, reserved) {
            Some(problem) => Err(problem),
            None => Ok(Self { keys: names.iter().map(|name| record::quoted(name)).collect(), names }),
        }
    }

    fn push_row(&self, columns: &[&[u8]], line: u64, rows: &mut Rows) {
        let texts: Option<Vec<_>> = columns.iter().map(|bytes| std::str::from_utf8(bytes).ok()).collect();
        let (found, expected) = (columns.len(), self.names.len());
        if found != expected {
            let s = if found == 1 { "" } else { "s" };
            let message = format!("line {line} has {found} column{s}, expected {expected} as in the header");
            return rows.push_unreadable(UnreadableKind::Input, message, self.record(&lossy(columns)));
        }
        let Some(texts) = texts else {
            let name = self.names.iter().zip(columns).find(|(_, bytes)| std::str::from_utf8(bytes).is_err());
            let name = name.map_or("", |(name, _)| name);
            let message = format!("the column `{name}` on line {line} is not UTF-8");
            return rows.push_unreadable(UnreadableKind::Input, message, self.record(&lossy(columns)));
        };
        let mut fields = Map::with_capacity(expected);
        for (name, text) in self.names.iter().zip(&texts) {
            fields.insert(name.clone(), Value::String((*text).to_owned()));
        }
        rows.push(fields, self.record(&texts));
    }

    /// The columns, as far as they have a name, as an object's text.
    fn record(&self, columns: &[impl AsRef<str>]) -> Vec<u8> {
        let (keys, texts) =
            (self.keys.iter().map(String::len), columns.iter().map(|text| text.as_ref().len()));
        // A key and its text come with a colon, two quotes and a comma or brace; room for some escapes comes with it.
        let mut record = Vec::with_capacity(keys.chain(texts).sum::<usize>() + 4 * self.keys.len() + 16);
        record.push(b'{');
        for (key, text) in self.keys.iter().zip(columns) {
            if record.len() > 1 {
                record.push(b',');
            }
            record.extend_from_slice(key.as_bytes());
            record.push(b':');
            record::push_json(&mut record, text.as_ref());
        }
        record.push(b'}');
        record
    }
}

impl Record {
    fn columns(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().take(self.columns).map(move |&end| {
            let column = self.text.get(start..end).unwrap_or_default();
            start = end;
            column
        })
    }

    /// Doubles the room that is full. A record past its bound is of no use, so that what there is of it makes the room.
    fn make_room(&mut self) {
        if self.bytes > MAX_RECORD_BYTES {
            (self.filled, self.columns) = (0, 0);
        }
        if self.filled == self.text.len() {
            self.text.resize(self.filled * 2, 0);
        }
        if self.columns == self.ends.len() {
            self.ends.resize(self.columns * 2, 0);
        }
    }

    fn clear(&mut self) {
        (self.filled, self.columns, self.bytes) = (0, 0, 0);
    }
}

fn lossy<'a>(columns: &[&'a [u8]]) -> Vec<Cow<'a, str>> {
    columns.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect()
}
