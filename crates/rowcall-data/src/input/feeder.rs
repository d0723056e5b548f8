//! Feeds a parser from a reader, piece by piece, and remembers how the text ended. `mod.rs` passes the rows on.

use std::io::{ErrorKind, Read};

use rowcall::{Hint, Problem, Row};

use super::cannot_read;
use super::feed::Feed;
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
}

impl Feed for Feeder {
    fn step(&mut self) -> bool {
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

    fn header(&self) -> Option<&[String]> {
        self.parser.header()
    }

    fn rows(&self) -> &[Row] {
        self.rows.waiting()
    }

    fn clash_hint(&self) -> Option<Hint> {
        self.rows.clash_hint()
    }

    fn take_rows(&mut self) -> Vec<Row> {
        self.rows.take()
    }

    fn take_problem(&mut self) -> Option<Problem> {
        self.problem.take()
    }
}
