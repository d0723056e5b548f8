//! Feeds a parser from a reader, piece by piece, and remembers how the text ended. `mod.rs` passes the rows on.

use std::io::{ErrorKind, Read};

use rowcall::{Hint, Problem, Row};

use super::cannot_read;
use super::parser::{Parser, Rows};

/// How much is read at once, in bytes.
const PIECE: usize = 64 * 1024;

/// A reader, its parser, and the complete rows that were not taken yet.
pub(crate) struct Feeder {
    name: String,
    text: Box<dyn Read + Send>,
    parser: Box<dyn Parser>,
    rows: Rows,
    piece: Vec<u8>,
    /// Whether the text has ended, and the problem if it ended badly.
    ended: bool,
    problem: Option<Problem>,
}

impl Feeder {
    pub(crate) fn new(name: &str, text: Box<dyn Read + Send>, parser: Box<dyn Parser>) -> Self {
        Self {
            name: name.to_owned(),
            text,
            parser,
            rows: Rows::default(),
            piece: vec![0; PIECE],
            ended: false,
            problem: None,
        }
    }

    /// Reads and parses one piece; false at the end.
    pub(crate) fn step(&mut self) -> bool {
        if self.ended {
            return false;
        }
        let fed = match self.text.read(&mut self.piece) {
            Ok(0) => {
                self.ended = true;
                self.parser.end(&mut self.rows)
            }
            Ok(length) => self.parser.feed(self.piece.get(..length).unwrap_or_default(), &mut self.rows),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(error) => {
                self.ended = true;
                self.problem = Some(cannot_read(&self.name, &error));
                Ok(())
            }
        };
        if let Err(problem) = fed {
            self.ended = true;
            self.problem =
                Some(Problem { message: format!("{}: {}", self.name, problem.message), ..problem });
        }
        !self.ended
    }

    /// The fields that every row has, if known.
    pub(crate) fn header(&self) -> Option<&[String]> {
        self.parser.header()
    }

    /// The rows not yet taken.
    pub(crate) fn rows(&self) -> &[Row] {
        self.rows.waiting()
    }

    /// What to do about the first record that has a field of a name that the output adds.
    pub(crate) fn clash_hint(&self) -> Option<Hint> {
        self.rows.clash_hint()
    }

    /// Takes the rows.
    pub(crate) fn take_rows(&mut self) -> Vec<Row> {
        self.rows.take()
    }

    /// Takes the problem that ended the text, which is reported after the rows before it.
    pub(crate) fn take_problem(&mut self) -> Option<Problem> {
        self.problem.take()
    }
}
