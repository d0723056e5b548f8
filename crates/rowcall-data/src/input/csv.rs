//! CSV and TSV: records from text. csv-core defines the grammar, as lenient as the csv crate. This adds line numbers,
//! a limit on the size of a record, and a check that every quote is closed. `header.rs` interprets the columns.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use rowcall::{Problem, UnreadableKind};

use super::MAX_RECORD_BYTES;
use super::header::Header;
use super::options::CsvOptions;
use super::parser::{Parser, Rows};
use super::rules::Rules;
use crate::record;

/// The CSV parser.
#[derive(Debug)]
pub(crate) struct Csv {
    grammar: Reader,
    rules: Rules,
    header: Option<Header>,
    /// How many lines above the header are left to skip.
    to_skip: u64,
    /// The number of the current line, counted from 1.
    line: u64,
    record: Record,
}

/// The incomplete record: its columns one after another, and where each ends.
#[derive(Debug)]
struct Record {
    text: Vec<u8>,
    filled: usize,
    ends: Vec<usize>,
    columns: usize,
    /// How many bytes it has, including quotes and delimiters; 0 before it begins.
    bytes: usize,
    line: u64,
}

impl Csv {
    pub(crate) fn new(delimiter: u8, options: CsvOptions, rules: Rules) -> Self {
        let mut builder = ReaderBuilder::new();
        builder.delimiter(delimiter).escape(options.escape.map(|escape| escape.0));
        match options.quote_byte() {
            Some(quote) => builder.quote(quote),
            None => builder.quoting(false),
        };
        let mut grammar = builder.build();
        // Skip a blank line first, so that csv-core does not look for a byte order mark in the first piece of text.
        grammar.read_record(b"\n", &mut [0], &mut [0]);
        let record = Record { text: vec![0; 64], filled: 0, ends: vec![0; 4], columns: 0, bytes: 0, line: 1 };
        Self { grammar, rules, header: None, to_skip: options.skip_rows, line: 1, record }
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
            None => self.header = Some(Header::new(&columns, line, &self.rules)?),
            Some(header) => header.push_row(&columns, line, &self.rules, rows),
        }
        Ok(())
    }

    /// A record that cannot be read at all is an unreadable row. If it is the header, reading cannot continue.
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
        while self.to_skip > 0 && !text.is_empty() {
            let Some(end) = memchr::memchr(b'\n', text) else { return Ok(()) };
            (self.to_skip, self.line) = (self.to_skip - 1, self.line + 1);
            text = text.get(end + 1..).unwrap_or_default();
        }
        while let Some(&byte) = text.first() {
            let record = &mut self.record;
            // Line ends before a record are blank lines, or the second half of the previous line end.
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
        self.header.as_ref().map(Header::names)
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

    /// Doubles the buffer that is full. A record beyond the limit is useless, so its buffer is reused.
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
