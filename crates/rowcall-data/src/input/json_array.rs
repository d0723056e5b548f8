//! One JSON array of objects, element by element: where each begins and ends, found without parsing it. What is in
//! an element is `json_object.rs`'s business.

use std::collections::HashSet;

use rowcall::{Problem, UnreadableKind};

use super::MAX_RECORD_BYTES;
use super::json_object::push_object;
use super::parser::{Parser, Rows};
use crate::record;

/// The parser of an array. A torn array is a problem, told after the rows before it.
#[derive(Debug)]
pub(crate) struct JsonArray {
    reserved: HashSet<String>,
    at: At,
    /// The number of the line that is being read, counted from 1.
    line: u64,
    /// How many elements are whole.
    elements: u64,
    element: Element,
}

/// What comes next, space aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    /// `[`
    Start,
    /// An element or `]`.
    First,
    /// An element, after a comma.
    Next,
    /// The rest of an element.
    Within,
    /// `,` or `]`
    After,
    /// Nothing.
    End,
}

/// The element that is not yet whole.
#[derive(Debug, Default)]
struct Element {
    text: Vec<u8>,
    too_long: bool,
    line: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl JsonArray {
    pub(crate) fn new(reserved: Vec<String>) -> Self {
        Self {
            reserved: reserved.into_iter().collect(),
            at: At::Start,
            line: 1,
            elements: 0,
            element: Element::default(),
        }
    }

    fn complete(&mut self, rows: &mut Rows) {
        self.elements += 1;
        let Element { text, too_long, line, .. } = std::mem::take(&mut self.element);
        let place = format_args!("element {} on line {line}", self.elements);
        if too_long {
            let message = format!("{place} is longer than {MAX_RECORD_BYTES} bytes");
            rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
        } else {
            push_object(&text, place, &self.reserved, rows);
        }
    }

    fn expected(&self, what: &str, found: u8) -> Problem {
        let found = char::from(found).escape_default();
        Problem::new(format!("expected {what} on line {}, found `{found}`", self.line))
    }
}

impl Parser for JsonArray {
    fn feed(&mut self, mut text: &[u8], rows: &mut Rows) -> Result<(), Problem> {
        while let Some((&byte, rest)) = text.split_first() {
            if self.at != At::Within && byte.is_ascii_whitespace() {
                self.line += u64::from(byte == b'\n');
                text = rest;
                continue;
            }
            match (self.at, byte) {
                (At::Start, b'[') => (self.at, text) = (At::First, rest),
                (At::First | At::After, b']') => (self.at, text) = (At::End, rest),
                (At::After, b',') => (self.at, text) = (At::Next, rest),
                (At::First | At::Next, b',' | b']' | b'}' | b':') => {
                    return Err(self.expected("an object", byte));
                }
                (At::First | At::Next, _) => {
                    self.element.line = self.line;
                    self.at = At::Within;
                }
                (At::Within, _) => {
                    let end = self.element.end_in(text);
                    let (more, rest) = text.split_at(end.unwrap_or(text.len()));
                    self.line += memchr::memchr_iter(b'\n', more).count() as u64;
                    self.element.extend(more);
                    text = rest;
                    if end.is_some() {
                        self.complete(rows);
                        self.at = At::After;
                    }
                }
                (At::Start, _) => {
                    return Err(self
                        .expected("an array of objects", byte)
                        .hint("an object a line is read with `--input-format jsonl`"));
                }
                (At::After, _) => return Err(self.expected("`,` or `]`", byte)),
                (At::End, _) => return Err(self.expected("nothing after the array", byte)),
            }
        }
        Ok(())
    }

    fn end(&mut self, _rows: &mut Rows) -> Result<(), Problem> {
        match self.at {
            // A file without a byte in it has no rows in any format.
            At::Start | At::End => Ok(()),
            At::Within => Err(Problem::new(format!(
                "the array ends on line {} within element {}, which begins on line {}",
                self.line,
                self.elements + 1,
                self.element.line
            ))),
            At::First | At::Next | At::After => {
                let s = if self.elements == 1 { "" } else { "s" };
                let (line, elements) = (self.line, self.elements);
                Err(Problem::new(format!(
                    "the array ends on line {line} after {elements} element{s} without `]`"
                )))
            }
        }
    }
}

impl Element {
    /// Where in `text`, its next piece, it ends: after the bracket or quote that closes it, or before what cannot
    /// belong to it.
    fn end_in(&mut self, text: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {
                        let rest = text.get(at..).unwrap_or_default();
                        at += memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
                        continue;
                    }
                }
            } else {
                match byte {
                    b'"' => self.in_string = true,
                    b'{' | b'[' => self.depth += 1,
                    b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => return Some(at),
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        None
    }

    fn extend(&mut self, text: &[u8]) {
        self.too_long |= self.text.len() + text.len() > MAX_RECORD_BYTES;
        if self.too_long {
            self.text = Vec::new();
        } else {
            self.text.extend_from_slice(text);
        }
    }
}
