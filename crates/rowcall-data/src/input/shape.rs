//! How a text is laid out: as its format says, or, for files of JSON whose format was not named, as its beginning shows.

use std::io::{self, Cursor, ErrorKind, Read};

use serde::de::IgnoredAny;

use super::json_odd;
use super::json_values::Form;
use crate::format::InputFormat;

/// How much of a text is looked at, at most, in bytes.
const LOOKED_AT: usize = 1024 * 1024;

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// How a text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Columns with a header, as in this format.
    Columns(InputFormat),
    /// A JSON value a line.
    Lines,
    /// JSON values in this form, on as many lines as they like.
    Values(Form),
    /// A row a line.
    Text,
}

impl Shape {
    /// As the format says.
    pub(crate) fn of(format: InputFormat) -> Self {
        match format {
            InputFormat::Csv | InputFormat::Tsv => Self::Columns(format),
            InputFormat::JsonLines => Self::Lines,
            InputFormat::Json => Self::Values(Form::Array),
            InputFormat::Text => Self::Text,
        }
    }

    /// What to say of a file whose name stands for `format` and that is laid out otherwise.
    pub(crate) fn note(self, format: InputFormat) -> Option<&'static str> {
        if self == Self::of(format) {
            return None;
        }
        match self {
            Self::Values(Form::Array) => Some("is one JSON array and is read as that"),
            Self::Values(Form::Sequence) => Some("has JSON values on several lines each and is read as that"),
            Self::Lines => Some("has a JSON value a line and is read as JSON Lines"),
            Self::Columns(_) | Self::Text => None,
        }
    }
}

/// The shape of a text of JSON whose name stands for `format`, and the whole text. It reads as far as the first line or value.
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
            // What breaks off is reported after the rows before it.
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

/// The shape of a text that begins with `head`; `None` if that is not enough to know.
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
                // Objects, and what is indented, are the elements of an array: no line is one by itself.
                [b'{', ..] => return Some(Shape::Values(Form::Array)),
                [] if line_end.is_some() => return Some(Shape::Values(Form::Array)),
                _ => {}
            }
            if line_end.is_none() && !is_all {
                return None;
            }
            match state(line) {
                // An array a line, which is not one array: each is reported as a row.
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
                // One line that is torn or longer than what is looked at is a line.
                (State::Begun, State::Begun) if is_all => {
                    Some(if line_end.is_some() { Shape::Values(Form::Sequence) } else { Shape::Lines })
                }
                (State::Begun, State::Begun) => None,
                (State::Whole | State::Wrong, _) | (State::Begun, State::Wrong) => Some(Shape::Lines),
            }
        }
        [_, ..] if format == InputFormat::JsonLines => Some(Shape::Lines),
        [_, ..] if line_end.is_none() && !is_all => None,
        // Something else than JSON is reported by the parser of the format that the name stands for.
        [_, ..] => Some(if state(line) == State::Whole { Shape::Lines } else { Shape::of(format) }),
    }
}

/// What a text is as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// It begins with a whole value, after which there may be others.
    Whole,
    /// It may become a value.
    Begun,
    /// It is none.
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

/// A reader that has broken.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
