//! Rows from a file, from standard input or from any reader: opens it, and reads ahead of the run in a thread.
//! Parsers handle the formats; `encoding.rs` turns bytes into text.

mod csv;
mod encoding;
mod feeder;
mod gauge;
mod gzip;
mod header;
mod json_lines;
mod json_number;
mod json_object;
mod json_odd;
mod json_table;
mod json_values;
mod lines;
mod notes;
mod options;
mod parser;
mod rules;
mod shape;
mod text;

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::{io, thread, vec};

use rowcall::{Error, Hint, Problem, Result, Row, Setting, Source, Unreadable, UnreadableKind};
use tokio::sync::mpsc;

use crate::format::InputFormat;
use crate::record;
use feeder::Feeder;
use json_values::Form;
use parser::Parser;
use rules::Rules;
use shape::Shape;

pub use gauge::{Gauge, RowsInAll};
pub(crate) use json_object::fields_of;
pub use notes::Notes;
pub use options::{Character, CsvOptions, Encoding, FailedRows, InputOptions, Quote};
pub(crate) use rules::Earlier;
pub use rules::failed_earlier;

/// The maximum size of one record, 16 MiB. A longer one is an unreadable row with the record `{}`, so that a quote
/// that is never closed cannot fill the memory.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// How many pieces of the input (of 64 KiB, as rows) may wait for the run.
const PIECES_AHEAD: usize = 4;

/// How many records may have no fields before the input counts as having none.
const RECORDS_PEEKED: usize = 100;

/// An open input: a source of rows. Each row's record is the text of a JSON object: a JSON record unchanged, a CSV
/// record's columns as strings, a line of text in the field `text`.
///
/// A record that cannot be read becomes an unreadable row in its place. Its record is what can be recovered: the
/// available columns of a ragged CSV line, U+FFFD for bytes that are not UTF-8, `{}` for incomplete JSON. Blank lines
/// of CSV and JSON Lines are not records; those of text are.
///
/// Dropping it lets its thread end, at the latest when the read that it is blocked on returns.
#[derive(Debug)]
pub struct Input {
    header: Option<Vec<String>>,
    first_record_fields: Option<Vec<String>>,
    name: String,
    gauge: Gauge,
    notes: Notes,
    /// A piece without rows means the end, and so does an error.
    pieces: mpsc::Receiver<Result<Vec<Row>>>,
    piece: vec::IntoIter<Row>,
    ended: bool,
}

impl Input {
    /// Opens the file at `path`, or standard input for `-`, and reads as far as the header or the first record.
    ///
    /// # Errors
    /// [`Error::Config`] for a file that cannot be opened or read, an unknown extension, options that contradict each
    /// other, a header with a repeated name, a header or a first record with a reserved name, and a text that is not
    /// in its format from the start.
    pub fn open(path: impl AsRef<Path>, options: InputOptions) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::from_reader("standard input", io::stdin(), options);
        }
        let format = options.format.map_or_else(|| InputFormat::of(path), Ok).map_err(Error::Config)?;
        let file = File::open(path).map_err(|error| {
            let message = format!("cannot open `{}`: {}", path.display(), reason(&error));
            Error::Config(Problem::new(message).hint("check the path; `-` stands for standard input"))
        })?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        Self::new(&format!("`{}`", path.display()), file, format, options, Gauge::new(length))
    }

    /// The same for any reader; messages call it `name`. Its format is CSV unless one is given.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub fn from_reader(
        name: &str,
        reader: impl Read + Send + 'static,
        options: InputOptions,
    ) -> Result<Self> {
        let format = options.format.unwrap_or(InputFormat::Csv);
        Self::new(name, reader, format, options, Gauge::new(None))
    }

    fn new(
        name: &str,
        reader: impl Read + Send + 'static,
        format: InputFormat,
        options: InputOptions,
        gauge: Gauge,
    ) -> Result<Self> {
        let InputOptions { format: named, reserved, failed_rows, encoding, csv } = options;
        csv.check(format).map_err(Error::Config)?;
        let text = encoding::text_of(gauge.metered(reader), encoding)
            .map_err(|error| Error::Config(cannot_read(name, &error)))?;
        let (shape, text) = match (named, format) {
            (None, InputFormat::Json | InputFormat::JsonLines) => shape::found(format, text),
            (_, format) => (Shape::of(format), text),
        };
        let notes = Notes::default();
        if let Some(note) = shape.note(format) {
            notes.say(format!("{name} {note}"));
        }
        let rules = Rules {
            reserved: reserved.into_iter().collect(),
            failed_rows,
            encoding: encoding.map(|Encoding(named)| named.name()),
            notes: notes.clone(),
        };
        let parser = parser_of(shape, csv, rules).map_err(Error::Config)?;
        let mut feeder = Feeder::new(name, text, parser);
        let mut first_record_fields = None;
        while feeder.header().is_none()
            && first_record_fields.is_none()
            && feeder.rows().len() < RECORDS_PEEKED
        {
            let more = feeder.step();
            first_record_fields = first_fields(feeder.rows());
            if !more {
                break;
            }
        }
        if feeder.rows().is_empty()
            && let Some(problem) = feeder.take_problem()
        {
            return Err(Error::Config(problem));
        }
        if let Some(Unreadable { kind: UnreadableKind::Clash, message, .. }) =
            feeder.rows().first().and_then(|row| row.fields.as_ref().err())
        {
            let problem = Problem::new(format!("{name}: {message}"));
            return Err(Error::Config(Problem { hint: feeder.clash_hint(), ..problem }));
        }
        if (named, format) == (None, InputFormat::Json)
            && shape != Shape::Values(Form::Array)
            && let [Row { fields: Ok(object), .. }] = feeder.rows()
            && let Some(problem) = json_table::problem(name, object)
        {
            // Several such values are rows.
            while feeder.rows().len() == 1 && feeder.step() {}
            if feeder.rows().len() == 1 {
                return Err(Error::Config(problem));
            }
        }
        let header = feeder.header().map(<[_]>::to_vec);
        if header.is_none() && matches!(format, InputFormat::Csv | InputFormat::Tsv) {
            let message = format!("{name} has no header, expected a first line with column names");
            return Err(Error::Config(
                Problem::new(message)
                    .hint(Hint::from("for lines of text use ").with(Setting::InputFormat.exactly("txt"))),
            ));
        }
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let counting = gauge.clone();
        thread::Builder::new()
            .name("rowcall-input".to_owned())
            .spawn(move || read_ahead(feeder, &sender, &counting))
            .map_err(|error| {
                Error::Config(Problem::new(format!(
                    "cannot start a thread to read {name}: {}",
                    reason(&error)
                )))
            })?;
        Ok(Self {
            header,
            first_record_fields,
            name: name.to_owned(),
            gauge,
            notes,
            pieces,
            piece: Vec::new().into_iter(),
            ended: false,
        })
    }

    /// The fields that every row has, known before the first is read: the columns of CSV and TSV, `text` of text.
    /// `None` for JSON, and for CSV without even a header.
    pub fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    /// What a user should know about how the input is read. Notes may be added while the run takes rows.
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// How far it has been read.
    pub fn gauge(&self) -> Gauge {
        self.gauge.clone()
    }

    /// The columns that a CSV output starts with: the header, or for JSON the fields of the first record that has
    /// any, in its order. `None` if there are no records, or none of the first 100 has fields.
    pub fn first_record_fields(&self) -> Option<&[String]> {
        self.header().or(self.first_record_fields.as_deref())
    }
}

impl Source for Input {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        if self.piece.len() == 0 && !self.ended {
            let piece = self.pieces.recv().await.unwrap_or_else(|| {
                Err(Error::Source(Problem::new(format!("the thread that read {} has stopped", self.name))))
            });
            self.ended = piece.as_ref().map_or(true, Vec::is_empty);
            self.piece = piece?.into_iter();
        }
        Ok(self.piece.by_ref().take(max.max(1)).collect())
    }
}

fn parser_of(shape: Shape, csv: CsvOptions, rules: Rules) -> std::result::Result<Box<dyn Parser>, Problem> {
    Ok(match shape {
        Shape::Columns(format) => {
            Box::new(csv::Csv::new(csv.delimiter_of(format).unwrap_or(b','), csv, rules))
        }
        Shape::Lines => Box::new(json_lines::JsonLines::new(rules)),
        Shape::Values(form) => Box::new(json_values::JsonValues::new(form, rules)),
        Shape::Text => Box::new(text::Text::new(rules)?),
    })
}

/// Sends complete rows before each read, so that rows do not wait for a slow pipe.
fn read_ahead(mut feeder: Feeder, pieces: &mpsc::Sender<Result<Vec<Row>>>, gauge: &Gauge) {
    loop {
        let rows = feeder.take_rows();
        gauge.count_rows(rows.len());
        if !rows.is_empty() && pieces.blocking_send(Ok(rows)).is_err() {
            return;
        }
        if !feeder.step() && feeder.rows().is_empty() {
            break;
        }
    }
    let end = feeder.take_problem().map_or_else(|| Ok(Vec::new()), |problem| Err(Error::Source(problem)));
    if end.is_ok() {
        gauge.reach_end();
    }
    // If the input was dropped meanwhile, the end is not needed.
    drop(pieces.blocking_send(end));
}

fn first_fields(rows: &[Row]) -> Option<Vec<String>> {
    rows.iter().take(RECORDS_PEEKED).find_map(|row| {
        let text = std::str::from_utf8(&row.record).ok()?;
        let names: Vec<_> =
            record::fields(text).ok()?.into_iter().map(|field| field.name.into_owned()).collect();
        (!names.is_empty()).then_some(names)
    })
}

/// The problem of an input that cannot be read, with the hint that the error has if it is our own.
pub(crate) fn cannot_read(name: &str, error: &io::Error) -> Problem {
    let ours = error.get_ref().and_then(|inner| inner.downcast_ref::<Problem>());
    let hint = ours.and_then(|problem| problem.hint.clone());
    Problem { hint, ..Problem::new(format!("cannot read {name}: {}", reason(error))) }
}

/// The operating system's message, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_owned(),
        None => text,
    }
}
