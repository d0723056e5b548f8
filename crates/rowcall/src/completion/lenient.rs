//! A lenient JSON parser: reads one value at a position in a text and records its repairs. It never completes JSON that was
//! cut off and never guesses a closing bracket; `json.rs` decides where in a text a value may start.

use serde_json::{Map, Number, Value};

use super::omission;
use super::repair::Repair;

mod escape;
mod string;

/// The maximum nesting depth of containers.
const DEEPEST: usize = 128;

/// The literals of JSON, Python, SQL and spreadsheets.
const LITERALS: [(&str, Value); 10] = [
    ("true", Value::Bool(true)),
    ("false", Value::Bool(false)),
    ("null", Value::Null),
    ("True", Value::Bool(true)),
    ("False", Value::Bool(false)),
    ("None", Value::Null),
    ("TRUE", Value::Bool(true)),
    ("FALSE", Value::Bool(false)),
    ("NULL", Value::Null),
    ("Null", Value::Null),
];

/// What is expected where the model has omitted something.
const WRITTEN_OUT: &str = "everything written out";

/// A parsed value, the position after it, and its repairs.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) value: Value,
    pub(super) end: usize,
    pub(super) repairs: Vec<Repair>,
    /// Numbers with an exponent, as they are in the text.
    pub(super) exponents: Vec<String>,
}

/// A value that could not be read.
#[derive(Debug)]
pub(super) struct Unread {
    pub(super) why: Why,
    /// The position where parsing stopped.
    pub(super) at: usize,
    /// The opening brackets of the containers that were open there, outermost first.
    pub(super) open: Vec<u8>,
    /// The position after the last opening bracket that was read.
    pub(super) after_opener: usize,
    /// The end of the text, if it is right after a complete item of a container: only brackets are missing.
    pub(super) unclosed: Option<usize>,
    pub(super) seen: Seen,
}

/// Knowledge beyond the text that helps to parse it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints<'a> {
    /// The names of all properties anywhere in the schema.
    pub(super) keys: &'a [String],
    /// The positions of stray closing brackets to skip, in order.
    pub(super) astray: &'a [usize],
}

/// Why a value could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// The text ends inside the value.
    Cut,
    /// It nests deeper than [`DEEPEST`].
    TooDeep,
    /// It is not JSON, even with every repair; this was expected.
    Expected(&'static str),
}

/// How much of a container was read, which distinguishes JSON with an error from a bracket in prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Seen {
    Nothing,
    /// An element of an array, or something else that rarely follows a bracket in prose.
    Element,
    /// A quoted key with its colon. One without quotes may be code of any kind.
    Member,
}

/// Parses the value at byte `start` of `text`, in one pass.
pub(super) fn parse(text: &str, start: usize, hints: Hints<'_>) -> Result<Parsed, Unread> {
    let mut parser = Parser {
        text,
        hints,
        at: start,
        open: Vec::new(),
        after_opener: start,
        unclosed: None,
        seen: Seen::Nothing,
        repairs: Vec::new(),
        exponents: Vec::new(),
    };
    match parser.value() {
        Ok(value) => {
            let Parser { at: end, repairs, exponents, .. } = parser;
            Ok(Parsed { value, end, repairs, exponents })
        }
        Err(why) => {
            let Parser { at, open, after_opener, unclosed, seen, .. } = parser;
            Err(Unread { why, at, open, after_opener, unclosed, seen })
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    hints: Hints<'a>,
    at: usize,
    open: Vec<u8>,
    after_opener: usize,
    unclosed: Option<usize>,
    seen: Seen,
    repairs: Vec<Repair>,
    exponents: Vec<String>,
}

impl<'a> Parser<'a> {
    fn value(&mut self) -> Result<Value, Why> {
        self.refuse_elision(self.rest())?;
        match self.peek()? {
            opener @ b'{' => self.nested(opener, Self::object),
            opener @ b'[' => self.nested(opener, Self::array),
            b'0'..=b'9' | b'-' | b'+' | b'.' => self.number(),
            _ => match self.quoted()? {
                Some(string) => Ok(Value::String(string)),
                None => self.literal(),
            },
        }
    }

    fn nested(&mut self, opener: u8, read: fn(&mut Self) -> Result<Value, Why>) -> Result<Value, Why> {
        if self.open.len() == DEEPEST {
            return Err(Why::TooDeep);
        }
        self.at += 1;
        self.open.push(opener);
        self.after_opener = self.at;
        let value = read(self)?;
        self.open.pop();
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Why> {
        let mut members = Map::new();
        self.blank()?;
        while self.peek()? != b'}' {
            let start = self.at;
            let (key, seen) = self.key()?;
            self.blank()?;
            if self.peek()? != b':' {
                return Err(Why::Expected("`:`"));
            }
            self.at += 1;
            self.seen = self.seen.max(seen);
            self.blank()?;
            let value = self.member()?;
            self.separator(b'}', &value)?;
            if members.insert(key, value).is_some() {
                self.at = start;
                return Err(Why::Expected("each key once"));
            }
        }
        self.at += 1;
        Ok(Value::Object(members))
    }

    fn array(&mut self) -> Result<Value, Why> {
        let mut elements = Vec::new();
        self.blank()?;
        while self.peek()? != b']' {
            let value = self.value()?;
            self.seen = self.seen.max(Seen::Element);
            self.separator(b']', &value)?;
            elements.push(value);
        }
        self.at += 1;
        Ok(Value::Array(elements))
    }

    /// Moves from the end of the value `last` to the next item or to `closer`.
    fn separator(&mut self, closer: u8, last: &Value) -> Result<(), Why> {
        let end = self.at;
        self.blank()?;
        let Ok(next) = self.peek() else {
            // After digits at the very end, more digits may be missing.
            let is_ended = !last.is_number() || end < self.at;
            self.unclosed = is_ended.then_some(end);
            return Err(Why::Cut);
        };
        if next == b',' {
            self.at += 1;
            self.blank()?;
            if self.peek()? == closer {
                self.note(Repair::TrailingComma);
            }
            return Ok(());
        }
        if next != closer && self.omits_comma(closer, last, self.slice(end, self.at)) {
            self.note(Repair::MissingComma);
        } else if next != closer {
            return Err(Why::Expected(if closer == b'}' { "`,` or `}`" } else { "`,` or `]`" }));
        }
        Ok(())
    }

    /// Whether the next item is here and its comma is missing: `gap` is the text between it and `last`. Adjacent strings on a
    /// line could be one string with unescaped quotes, and adjacent digits one number.
    fn omits_comma(&self, closer: u8, last: &Value, gap: &str) -> bool {
        let is_new_line = gap.contains('\n');
        let is_container = last.is_object() || last.is_array();
        match (closer, self.rest().as_bytes().first()) {
            (b']', Some(b'{' | b'[')) => is_container || is_new_line,
            (b']', Some(b'"')) => is_new_line || !gap.is_empty() || is_container,
            (b']', Some(b'0'..=b'9' | b'-')) => is_new_line,
            (b'}', Some(b'"')) => match self.key_here() {
                Some(key) => is_new_line || !last.is_string() || self.hints.keys.contains(&key),
                None => false,
            },
            _ => false,
        }
    }

    /// The quoted key at this position, if it is followed by its colon.
    fn key_here(&self) -> Option<String> {
        let mut ahead = Parser { open: Vec::new(), repairs: Vec::new(), exponents: Vec::new(), ..*self };
        let key = ahead.quoted().ok()??;
        ahead.blank().ok()?;
        (ahead.peek().ok()? == b':').then_some(key)
    }

    /// A key, and how much it shows to have been read.
    fn key(&mut self) -> Result<(String, Seen), Why> {
        if let Some(key) = self.quoted()? {
            return Ok((key, Seen::Member));
        }
        self.refuse_elision(self.rest())?;
        let word = self.word();
        if word.is_empty() || self.rest().starts_with("://") {
            return Err(Why::Expected("a key in double quotes"));
        }
        self.note(Repair::UnquotedKey);
        let is_known = self.hints.keys.iter().any(|key| key == word);
        Ok((word.to_owned(), if is_known { Seen::Member } else { Seen::Element }))
    }

    fn literal(&mut self) -> Result<Value, Why> {
        let start = self.at;
        let word = self.word();
        if let Some((name, value)) = LITERALS.iter().find(|(name, _)| *name == word) {
            if name.starts_with(char::is_uppercase) {
                self.note(Repair::PythonLiteral);
            }
            return Ok(value.clone());
        }
        if self.at == self.text.len() && LITERALS.iter().any(|(name, _)| name.starts_with(word)) {
            return Err(Why::Cut);
        }
        self.at = start;
        Err(Why::Expected("a value"))
    }

    fn number(&mut self) -> Result<Value, Why> {
        let start = self.at;
        if let Some(digits) = self.grouped_digits() {
            self.note(Repair::GroupedDigits);
            self.at += digits.len();
            return Ok(Value::String(digits.to_owned()));
        }
        let raw = self.run(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.' | '_'));
        // Parsed by serde_json, so that a number means the same here and on the strict path.
        if let Ok(number) = serde_json::from_str::<Number>(raw) {
            if raw.contains(['e', 'E']) {
                self.exponents.push(raw.to_owned());
            }
            return Ok(Value::Number(number));
        }
        if is_code(raw) {
            self.note(Repair::LooseNumber);
            return Ok(Value::String(raw.to_owned()));
        }
        if let Some(number) = loose_number(raw) {
            self.note(Repair::LooseNumber);
            return Ok(Value::Number(number));
        }
        if self.at == self.text.len() {
            return Err(Why::Cut);
        }
        self.at = start;
        Err(Why::Expected("a number in JSON's notation"))
    }

    /// The digits here if commas group them by three. In a list they would be items, and before a colon the last ones would be a key.
    fn grouped_digits(&self) -> Option<&'a str> {
        if self.open.last() != Some(&b'{') {
            return None;
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit() && !matches!(c, ',' | '-')).unwrap_or(rest.len());
        let digits = rest.get(..end)?.trim_end_matches(',');
        let (first, groups) = digits.split_once(',')?;
        let first = first.strip_prefix('-').unwrap_or(first);
        let is_digits = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
        let are_grouped = is_digits(first)
            && first.len() <= 3
            && !first.starts_with('0')
            && groups.split(',').all(|group| group.len() == 3 && is_digits(group));
        let after = rest.get(digits.len()..)?.trim_start_matches(is_blank);
        (are_grouped && after.starts_with([',', '}'])).then_some(digits)
    }

    /// Skips white space and comments.
    fn blank(&mut self) -> Result<(), Why> {
        loop {
            self.run(is_blank);
            if self.hints.astray.contains(&self.at) {
                self.at += 1;
                continue;
            }
            let rest = self.rest();
            let (marker, end) = match rest.as_bytes() {
                [b'/', b'/', ..] => (2, rest.find('\n')),
                [b'#', ..] => (1, rest.find('\n')),
                [b'/', b'*', ..] => {
                    (2, Some(rest.get(2..).and_then(|body| body.find("*/")).ok_or(Why::Cut)? + 4))
                }
                [b'/'] => return Err(Why::Cut),
                _ => return Ok(()),
            };
            let end = end.unwrap_or(rest.len());
            let comment = rest.get(marker..end).unwrap_or_default().trim_end_matches("*/").trim();
            self.refuse_elision(comment)?;
            if omission::replaces_items(comment) {
                self.seen = self.seen.max(Seen::Element);
                return Err(Why::Expected(WRITTEN_OUT));
            }
            self.note(Repair::Comment);
            self.at += end;
        }
    }

    /// Rejects dots in place of an item or at the start of a comment: the model omitted something.
    fn refuse_elision(&mut self, text: &str) -> Result<(), Why> {
        if text.starts_with("...") || text.starts_with('…') {
            self.seen = self.seen.max(Seen::Element);
            return Err(Why::Expected(WRITTEN_OUT));
        }
        Ok(())
    }

    fn word(&mut self) -> &'a str {
        self.run(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'))
    }

    /// Takes characters while `belongs` is true.
    fn run(&mut self, belongs: fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let run = rest.get(..rest.find(|c| !belongs(c)).unwrap_or(rest.len())).unwrap_or_default();
        self.at += run.len();
        run
    }

    /// The byte at this position; at the end of the text, the value is cut off.
    fn peek(&self) -> Result<u8, Why> {
        self.text.as_bytes().get(self.at).copied().ok_or(Why::Cut)
    }

    fn rest(&self) -> &'a str {
        self.slice(self.at, self.text.len())
    }

    fn slice(&self, from: usize, to: usize) -> &'a str {
        self.text.get(from..to).unwrap_or_default()
    }

    fn note(&mut self, repair: Repair) {
        if !self.repairs.contains(&repair) {
            self.repairs.push(repair);
        }
    }
}

/// White space of any script, and the invisible characters of pasted text.
pub(super) fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')
}

/// Whether digits start with a zero (postal, article or account codes) or a plus (telephone numbers): such codes are kept unchanged.
fn is_code(raw: &str) -> bool {
    let digits = raw.strip_prefix('+').unwrap_or(raw);
    let is_marked = digits.len() < raw.len() || digits.len() > 1 && digits.starts_with('0');
    is_marked && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number with a plus sign and a fraction, or without digits on one side of its decimal point. Leading zeros are rejected: such
/// digits are more often a code than a number.
fn loose_number(raw: &str) -> Option<Number> {
    let (sign, digits) = match raw.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", raw.strip_prefix('+').unwrap_or(raw)),
    };
    let written_out = match (digits.strip_prefix('.'), digits.strip_suffix('.')) {
        (Some(fraction), None) => format!("{sign}0.{fraction}"),
        (None, Some(whole)) => format!("{sign}{whole}"),
        (None, None) if digits.starts_with(|c: char| c.is_ascii_digit()) => format!("{sign}{digits}"),
        (Some(_), Some(_)) | (None, None) => return None,
    };
    serde_json::from_str(&written_out).ok()
}
