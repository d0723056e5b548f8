//! JSON values one after another: the elements of one array, or whole values separated only by space, each on any
//! number of lines. This finds where each begins and ends without parsing it; `json_object.rs` reads it.

use rowcall::{Hint, Problem, Setting, UnreadableKind};

use super::MAX_RECORD_BYTES;
use super::json_object::push_value;
use super::parser::{Parser, Rows};
use super::rules::Rules;
use crate::record;

/// The parser of values. An incomplete text is a problem, reported after the rows before it.
#[derive(Debug)]
pub(crate) struct JsonValues {
    rules: Rules,
    form: Form,
    at: At,
    /// The number of the current line, counted from 1.
    line: u64,
    /// How many elements are complete.
    elements: u64,
    element: Element,
}

/// How the values are arranged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// As the elements of one array.
    Array,
    /// One after another.
    Sequence,
}

/// What is expected next, apart from space.
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

/// The incomplete element.
#[derive(Debug, Default)]
struct Element {
    text: Vec<u8>,
    too_long: bool,
    line: u64,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl JsonValues {
    pub(crate) fn new(form: Form, rules: Rules) -> Self {
        Self {
            rules,
            form,
            at: match form {
                Form::Array => At::Start,
                Form::Sequence => At::Next,
            },
            line: 1,
            elements: 0,
            element: Element::default(),
        }
    }

    fn complete(&mut self, rows: &mut Rows) {
        self.elements += 1;
        let Element { text, too_long, line, .. } = std::mem::take(&mut self.element);
        let what = self.what();
        let place = format_args!("{what} {} on line {line}", self.elements);
        if too_long {
            let message = format!("{place} is longer than {MAX_RECORD_BYTES} bytes");
            rows.push_unreadable(UnreadableKind::Input, message, record::EMPTY);
        } else {
            push_value(&text, place, &self.rules, rows);
        }
    }

    fn what(&self) -> &'static str {
        match self.form {
            Form::Array => "element",
            Form::Sequence => "value",
        }
    }

    fn expected(&self, what: &str, found: u8) -> Problem {
        let found = char::from(found).escape_default();
        Problem::new(format!("expected {what} on line {}, found `{found}`", self.line))
    }
}

impl Parser for JsonValues {
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
                // A comma after the last element is a slip that leaves no doubt.
                (At::Next, b']') if self.form == Form::Array => (self.at, text) = (At::End, rest),
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
                        self.at = match self.form {
                            Form::Array => At::After,
                            Form::Sequence => At::Next,
                        };
                    }
                }
                (At::Start, _) => {
                    return Err(self.expected("an array of objects", byte).hint(
                        Hint::from("use ")
                            .with(Setting::InputFormat.exactly("jsonl"))
                            .with(" for one value per line"),
                    ));
                }
                (At::After, _) => return Err(self.expected("`,` or `]`", byte)),
                (At::End, _) => return Err(self.expected("nothing after the array", byte)),
            }
        }
        Ok(())
    }

    fn end(&mut self, rows: &mut Rows) -> Result<(), Problem> {
        match self.at {
            At::Next if self.form == Form::Sequence => Ok(()),
            // A value without brackets ends where the text ends.
            At::Within
                if self.form == Form::Sequence && self.element.depth == 0 && !self.element.in_string =>
            {
                self.complete(rows);
                Ok(())
            }
            // An empty file has no rows in any format.
            At::Start | At::End => Ok(()),
            At::Within => Err(Problem::new(format!(
                "the {} ends on line {} within {} {}, which begins on line {}",
                if self.form == Form::Array { "array" } else { "text" },
                self.line,
                self.what(),
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
    /// The end of the element in `text`, its next piece: after the closing bracket or quote, or before something that
    /// cannot belong to it.
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
