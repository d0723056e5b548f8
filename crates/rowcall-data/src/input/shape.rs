//! How a text is laid out: as its format says, or, for JSON files whose format was not given, as its beginning shows.

use std::io::{self, Cursor, ErrorKind, Read};

use serde::de::IgnoredAny;

use super::json_odd;
use super::json_values::Form;
use crate::format::InputFormat;

/// How many bytes of a text are examined, at most.
const LOOKED_AT: usize = 1024 * 1024;

/// How many bytes are read at once.
const PIECE: usize = 64 * 1024;

/// How a text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Columns with a header, as in this format.
    Columns(InputFormat),
    /// One JSON value per line.
    Lines,
    /// JSON values in this form, each on any number of lines.
    Values(Form),
    /// One row per line.
    Text,
}

impl Shape {
    /// The shape that the format implies.
    pub(crate) fn of(format: InputFormat) -> Self {
        match format {
            InputFormat::Csv | InputFormat::Tsv => Self::Columns(format),
            InputFormat::JsonLines => Self::Lines,
            InputFormat::Json => Self::Values(Form::Array),
            // Not texts: their feeds are not made from a shape.
            InputFormat::Text | InputFormat::Parquet | InputFormat::Arrow | InputFormat::Spreadsheet => {
                Self::Text
            }
        }
    }

    /// The note for a file whose name implies `format` and that is laid out differently.
    pub(crate) fn note(self, format: InputFormat) -> Option<&'static str> {
        if self == Self::of(format) {
            return None;
        }
        match self {
            Self::Values(Form::Array) => Some("is a single JSON array and is read as one"),
            Self::Values(Form::Sequence) => {
                Some("has JSON values that span several lines and is read that way")
            }
            Self::Lines => Some("has one JSON value per line and is read as JSON Lines"),
            Self::Columns(_) | Self::Text => None,
        }
    }
}

/// The shape of a JSON text whose name implies `format`, and the whole text. It reads as far as the first line or
/// value.
pub(crate) fn found(format: InputFormat, mut text: Box<dyn Read + Send>) -> (Shape, Box<dyn Read + Send>) {
    let mut head = Vec::new();
    let mut piece = vec![0; PIECE];
    let mut end = End::Open;
    let shape = loop {
        if let Some(shape) = judge(format, &head, end) {
            break shape;
        }
        match text.read(&mut piece) {
            Ok(0) => end = End::Reached,
            Ok(length) => head.extend_from_slice(piece.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A read error is reported after the rows before it.
            Err(error) => {
                let shape = judge(format, &head, End::Reached).unwrap_or(Shape::of(format));
                return (shape, Box::new(Cursor::new(head).chain(Broken(Some(error)))));
            }
        }
    };
    (shape, Box::new(Cursor::new(head).chain(text)))
}

/// Whether there may be more than was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Open,
    Reached,
}

/// The shape of a text that begins with `head`; `None` if that is not enough to decide.
fn judge(format: InputFormat, head: &[u8], end: End) -> Option<Shape> {
    let is_all = end == End::Reached || head.len() >= LOOKED_AT;
    let head = head.trim_ascii_start();
    let line_end = memchr::memchr(b'\n', head);
    let (line, rest) = match line_end {
        Some(at) => head.split_at(at),
        None => (head, &[][..]),
    };
    match head {
        [] if is_all => Some(Shape::of(format)),
        [] => None,
        [b'[', rest_of_line @ ..] => {
            match rest_of_line.trim_ascii_start() {
                // Objects and indented text are the elements of an array: no line is a value by itself.
                [b'{', ..] => return Some(Shape::Values(Form::Array)),
                [] if line_end.is_some() => return Some(Shape::Values(Form::Array)),
                _ => {}
            }
            if line_end.is_none() && !is_all {
                return None;
            }
            match state(line) {
                // One array per line, so not one array: each is reported as a row.
                State::Whole => match rest.trim_ascii() {
                    [] if is_all => Some(Shape::Values(Form::Array)),
                    [] => None,
                    _ => Some(Shape::Lines),
                },
                State::Begun => Some(Shape::Values(Form::Array)),
                State::Wrong => Some(Shape::of(format)),
            }
        }
        [b'{', ..] => {
            if line_end.is_none() && !is_all {
                return None;
            }
            match (state(line), state(head)) {
                (State::Begun, State::Whole) => Some(Shape::Values(Form::Sequence)),
                // A single line that is incomplete or longer than what is examined counts as a line.
                (State::Begun, State::Begun) if is_all => {
                    Some(if line_end.is_some() { Shape::Values(Form::Sequence) } else { Shape::Lines })
                }
                (State::Begun, State::Begun) => None,
                (State::Whole | State::Wrong, _) | (State::Begun, State::Wrong) => Some(Shape::Lines),
            }
        }
        [_, ..] if format == InputFormat::JsonLines => Some(Shape::Lines),
        [_, ..] if line_end.is_none() && !is_all => None,
        // Anything that is not JSON is reported by the parser of the format that the name implies.
        [_, ..] => Some(if state(line) == State::Whole { Shape::Lines } else { Shape::of(format) }),
    }
}

/// A text's state as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It begins with a complete value, after which there may be others.
    Whole,
    /// It may become a value.
    Begun,
    /// It is not a value.
    Wrong,
}

fn state(text: &[u8]) -> State {
    let text = String::from_utf8_lossy(text);
    let text = json_odd::with_nulls(&text).map_or_else(|| text.into_owned(), |(fixed, _)| fixed);
    match serde_json::Deserializer::from_str(&text).into_iter::<IgnoredAny>().next() {
        Some(Ok(_)) => State::Whole,
        None => State::Begun,
        Some(Err(error)) if error.is_eof() => State::Begun,
        Some(Err(_)) => State::Wrong,
    }
}

/// A reader that fails.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
