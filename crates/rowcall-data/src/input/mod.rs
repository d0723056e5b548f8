//! Rows from files, from standard input or from any reader: opens them, and reads ahead of the run in a thread. Parsers handle
//! the formats of text; `encoding.rs` turns bytes into text.

mod compressed;
mod csv;
mod encoding;
mod feed;
mod feeder;
mod files;
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
use std::io::{Cursor, Read};
use std::path::Path;
use std::{io, thread, vec};

use rowcall::{Error, Hint, Problem, Result, Row, Setting, Source, Unreadable, UnreadableKind};
use tokio::sync::mpsc;

use crate::format::InputFormat;
use crate::{arrow, record, spreadsheet};
use feed::{Chain, FoundFile};
use feeder::Feeder;
use json_values::Form;
use parser::Parser;
use shape::Shape;

pub(crate) use compressed::text_of as compressed_text;
pub(crate) use feed::Feed;
pub use gauge::{Gauge, RowsInAll};
pub(crate) use json_object::{fields_of, push_value};
pub use notes::Notes;
pub use options::{Character, CsvOptions, Encoding, FailedRows, InputOptions, Quote};
pub(crate) use parser::Rows;
pub use rules::failed_earlier;
pub(crate) use rules::{Earlier, Rules};

/// The maximum size of one record, 16 MiB. A longer one is an unreadable row with the record `{}`, so that a quote
/// that is never closed cannot fill the memory.
pub const MAX_RECORD_BYTES: usize = 16 * 1024 * 1024;

/// How many pieces of the input (of 64 KiB, as rows) may wait for the run.
const PIECES_AHEAD: usize = 4;

/// The first bytes of an Arrow stream, which no text begins with.
const ARROW_MARK: [u8; 4] = [0xff; 4];

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
    record_schema: Option<String>,
    name: String,
    gauge: Gauge,
    notes: Notes,
    /// A piece without rows means the end, and so does an error.
    pieces: mpsc::Receiver<Result<Vec<Row>>>,
    piece: vec::IntoIter<Row>,
    ended: bool,
}

impl Input {
    /// Opens the file at `path`, or standard input for `-`, and reads as far as the header or the first record. A folder or a
    /// pattern such as `data/*.parquet` stands for its files in the order of their names, which must have the same columns.
    ///
    /// # Errors
    /// [`Error::Config`] for a file that cannot be opened or read, an unknown extension, options that contradict each
    /// other, a header with a repeated name, a header or a first record with a reserved name, a text that is not
    /// in its format from the start, and files whose columns differ.
    pub fn open(path: impl AsRef<Path>, options: InputOptions) -> Result<Self> {
        let path = path.as_ref();
        if path.as_os_str() == "-" {
            return Self::from_reader("standard input", io::stdin(), &options);
        }
        if files::is_many(path) {
            return Self::of_files(path, options).map_err(Error::Config);
        }
        let format = options.format.map_or_else(|| InputFormat::of(path), Ok).map_err(Error::Config)?;
        let file = opened(path).map_err(Error::Config)?;
        let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len());
        let opening =
            Opening { name: quoted(path), named: options.format, format, gauge: Gauge::new(length) };
        Self::new(opening, Bytes::File(file), &options).map_err(Error::Config)
    }

    /// The same for any reader; messages call it `name`. Its format is CSV unless one is given, or an Arrow stream if it
    /// begins like one.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub fn from_reader(
        name: &str,
        reader: impl Read + Send + 'static,
        options: &InputOptions,
    ) -> Result<Self> {
        let mut bytes: Box<dyn Read + Send> = Box::new(reader);
        let format = if let Some(format) = options.format {
            format
        } else {
            let mut head = Vec::new();
            // One byte is enough for most: a pipe may have no more yet.
            let unreadable = |error: &io::Error| Error::Config(cannot_read(name, error));
            bytes.by_ref().take(1).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
            // UTF-16 begins with the same byte.
            if head == ARROW_MARK[..1] {
                let more = bytes.by_ref().take(ARROW_MARK.len() as u64 - 1).read_to_end(&mut head);
                more.map_err(|error| unreadable(&error))?;
            }
            let format = if head == ARROW_MARK { InputFormat::Arrow } else { InputFormat::Csv };
            bytes = Box::new(Cursor::new(head).chain(bytes));
            format
        };
        let opening =
            Opening { name: name.to_owned(), named: options.format, format, gauge: Gauge::new(None) };
        Self::new(opening, Bytes::Stream(bytes), options).map_err(Error::Config)
    }

    fn new(opening: Opening, bytes: Bytes, options: &InputOptions) -> std::result::Result<Self, Problem> {
        let notes = Notes::default();
        let rules = Rules::of(options, notes.clone());
        let Opening { name, named, format, gauge } = opening;
        let (mut feed, shape) = feed_of(&name, bytes, format, options, &rules, &gauge)?;
        let first_record_fields = peek(&mut *feed, &name)?;
        check_header(&*feed, format, &name)?;
        if (named, format) == (None, InputFormat::Json)
            && shape != Some(Shape::Values(Form::Array))
            && let [Row { fields: Ok(object), .. }] = feed.rows()
            && let Some(problem) = json_table::problem(&name, object)
        {
            // Several such values are rows.
            while feed.rows().len() == 1 && feed.step() {}
            if feed.rows().len() == 1 {
                return Err(problem);
            }
        }
        Self::read(feed, name, first_record_fields, gauge, notes)
    }

    /// Opens the files of a folder or a pattern.
    fn of_files(path: &Path, options: InputOptions) -> std::result::Result<Self, Problem> {
        let (mut files, format) = files::found(path, options.format)?;
        let notes = Notes::default();
        let rules = Rules::of(&options, notes.clone());
        let lengths = files.iter().map(|file| std::fs::metadata(&file.path).map(|found| found.len()));
        let gauge = Gauge::new(lengths.sum::<io::Result<u64>>().ok());
        let metered = gauge.clone();
        let mut open: feed::Opener = Box::new(move |file: &FoundFile| {
            let bytes = Bytes::File(opened(&file.path)?);
            feed_of(&quoted(&file.path), bytes, format, &options, &rules, &metered).map(|(feed, _)| feed)
        });
        check_same(&files, format, &mut open)?;
        gauge.restart();
        let first = files.remove(0);
        let feed = open(&first)?;
        let mut feed: Box<dyn Feed> = Box::new(Chain::new(&first, feed, files, open));
        let name = quoted(path);
        let first_record_fields = peek(&mut *feed, &name)?;
        check_header(&*feed, format, &name)?;
        Self::read(feed, name, first_record_fields, gauge, notes)
    }

    /// Reads ahead from an open feed.
    fn read(
        feed: Box<dyn Feed>,
        name: String,
        first_record_fields: Option<Vec<String>>,
        gauge: Gauge,
        notes: Notes,
    ) -> std::result::Result<Self, Problem> {
        let header = feed.header().map(<[_]>::to_vec);
        let record_schema = feed.record_schema();
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let counting = gauge.clone();
        thread::Builder::new()
            .name("rowcall-input".to_owned())
            .spawn(move || read_ahead(feed, &sender, &counting))
            .map_err(|error| {
                Problem::new(format!("cannot start a thread to read {name}: {}", reason(&error)))
            })?;
        Ok(Self {
            header,
            first_record_fields,
            record_schema,
            name,
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

    /// The types of the records' columns, as [`OutputOptions::record_schema`](crate::OutputOptions::record_schema) takes them.
    /// `None` for text, whose columns have none.
    pub fn record_schema(&self) -> Option<&str> {
        self.record_schema.as_deref()
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

/// A file to open: its name in messages, its format if the user named it, and the one that it is read in.
struct Opening {
    name: String,
    named: Option<InputFormat>,
    format: InputFormat,
    gauge: Gauge,
}

/// What an input is read from.
enum Bytes {
    /// A file, which can be read from any place.
    File(File),
    /// A pipe or any other reader.
    Stream(Box<dyn Read + Send>),
}

fn quoted(path: &Path) -> String {
    format!("`{}`", path.display())
}

fn opened(path: &Path) -> std::result::Result<File, Problem> {
    File::open(path).map_err(|error| {
        let message = format!("cannot open `{}`: {}", path.display(), reason(&error));
        Problem::new(message).hint("check the path; `-` stands for standard input")
    })
}

/// The feed of a file, and how it is laid out if it is a text.
fn feed_of(
    name: &str,
    bytes: Bytes,
    format: InputFormat,
    options: &InputOptions,
    rules: &Rules,
    gauge: &Gauge,
) -> std::result::Result<(Box<dyn Feed>, Option<Shape>), Problem> {
    options.csv.check(format)?;
    if let (Some(encoding), Some(what)) = (options.encoding, format.binary()) {
        let message = format!("the encoding `{}` applies to text, but {name} is {what}", encoding.0.name());
        return Err(Problem::new(message));
    }
    match (format, bytes) {
        (InputFormat::Parquet, Bytes::File(file)) => {
            let (feed, rows) = arrow::parquet_feed(name, file, rules)?;
            gauge.expect_rows(rows);
            Ok((feed, None))
        }
        (InputFormat::Spreadsheet, Bytes::File(file)) => {
            let (feed, rows) = spreadsheet::feed(name, file, rules)?;
            gauge.expect_rows(rows);
            Ok((feed, None))
        }
        (InputFormat::Parquet | InputFormat::Spreadsheet, Bytes::Stream(_)) => {
            let message = format!("{name} is a stream, but {} is read from its end", format.what());
            Err(Problem::new(message).hint("save it to a file first"))
        }
        (InputFormat::Arrow, Bytes::File(file)) => Ok((arrow::ipc_feed(name, file, rules)?, None)),
        (InputFormat::Arrow, Bytes::Stream(stream)) => {
            Ok((arrow::ipc_stream_feed(name, gauge.metered(stream), rules)?, None))
        }
        (
            InputFormat::Csv
            | InputFormat::Tsv
            | InputFormat::JsonLines
            | InputFormat::Json
            | InputFormat::Text,
            bytes,
        ) => {
            let bytes = match bytes {
                Bytes::File(file) => gauge.metered(file),
                Bytes::Stream(stream) => gauge.metered(stream),
            };
            let text =
                encoding::text_of(bytes, options.encoding).map_err(|error| cannot_read(name, &error))?;
            let (shape, text) = match (options.format, format) {
                (None, InputFormat::Json | InputFormat::JsonLines) => shape::found(format, text),
                (_, format) => (Shape::of(format), text),
            };
            if let Some(note) = shape.note(format) {
                rules.notes.say(format!("{name} {note}"));
            }
            let parser = parser_of(shape, options.csv, rules.clone())?;
            Ok((Box::new(Feeder::new(name, text, parser)), Some(shape)))
        }
    }
}

/// Reads as far as the header or the first record, and returns the fields of that record.
fn peek(feed: &mut dyn Feed, name: &str) -> std::result::Result<Option<Vec<String>>, Problem> {
    let mut first_record_fields = None;
    while feed.header().is_none() && first_record_fields.is_none() && feed.rows().len() < RECORDS_PEEKED {
        let more = feed.step();
        first_record_fields = first_fields(feed.rows());
        if !more {
            break;
        }
    }
    if feed.rows().is_empty()
        && let Some(problem) = feed.take_problem()
    {
        return Err(problem);
    }
    match feed.rows().first().and_then(|row| row.fields.as_ref().err()) {
        Some(Unreadable { kind: UnreadableKind::Clash, message, .. }) => {
            Err(Problem { hint: feed.clash_hint(), ..Problem::new(format!("{name}: {message}")) })
        }
        _ => Ok(first_record_fields),
    }
}

/// Checks that a CSV has a header.
fn check_header(feed: &dyn Feed, format: InputFormat, name: &str) -> std::result::Result<(), Problem> {
    if feed.header().is_some() || !matches!(format, InputFormat::Csv | InputFormat::Tsv) {
        return Ok(());
    }
    let message = format!("{name} has no header, expected a first line with column names");
    Err(Problem::new(message)
        .hint(Hint::from("for lines of text use ").with(Setting::InputFormat.exactly("txt"))))
}

/// Checks that all files have the columns of the first, before anything is asked.
fn check_same(
    files: &[FoundFile],
    format: InputFormat,
    open: &mut feed::Opener,
) -> std::result::Result<(), Problem> {
    // Objects of JSON and lines of text have no columns that must agree.
    if matches!(format, InputFormat::Json | InputFormat::JsonLines | InputFormat::Text) {
        return Ok(());
    }
    let mut columns = |file: &FoundFile| {
        let mut feed = open(file)?;
        feed::read_header(&mut *feed);
        match feed.take_problem() {
            Some(problem) => Err(problem),
            None => Ok((feed.header().map(<[_]>::to_vec), feed.record_schema())),
        }
    };
    let Some((other, files)) = files.split_first() else { return Ok(()) };
    let (known, known_types) = columns(other)?;
    for file in files {
        let (header, types) = columns(file)?;
        let difference = match (&known_types, &types) {
            (Some(known), Some(types)) => arrow::difference(known, types),
            _ if known != header => Some("other columns".to_owned()),
            _ => None,
        };
        if let Some(difference) = difference {
            let message = format!(
                "the files differ: `{}` has {difference} than `{}`",
                file.path.display(),
                other.path.display()
            );
            return Err(Problem::new(message).hint("run them apart, or give them the same columns first"));
        }
    }
    Ok(())
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
fn read_ahead(mut feeder: Box<dyn Feed>, pieces: &mpsc::Sender<Result<Vec<Row>>>, gauge: &Gauge) {
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
