//! Strings as `lenient.rs` reads them: in which quotes, and where one ends whose inner quotes are not escaped. What a backslash means
//! is in `escape.rs`.

use super::escape::Backslashes;
use super::{Parser, Why, is_blank};
use crate::completion::repair::Repair;

/// What joins two strings in the languages that models know, or offers one for the other.
const OPERATORS: [&str; 10] = ["+", "or", "and", "||", "&&", "|", "&", ".", "..", "??"];

/// How far an end is looked for behind a quote that is none, in bytes.
const FARTHEST_END: usize = 10_000;

impl Parser<'_> {
    /// A string, if a quote stands here.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Why> {
        let rest = self.rest();
        let (opener, closer, repair) = match self.peek()? {
            b'"' if is_tripled(rest, "\"\"\"") => ("\"\"\"", "\"\"\"", Some(Repair::TripleQuotes)),
            b'"' => ("\"", "\"", None),
            b'\'' if is_tripled(rest, "'''") => ("'''", "'''", Some(Repair::TripleQuotes)),
            b'\'' => ("'", "'", Some(Repair::SingleQuotes)),
            b'`' if !rest.starts_with("``") => ("`", "`", Some(Repair::Backticks)),
            _ if rest.starts_with('“') => ("“", "”", Some(Repair::SmartQuotes)),
            _ => return Ok(None),
        };
        if let Some(repair) = repair {
            self.note(repair);
        }
        self.at += opener.len();
        self.string(closer).map(Some)
    }

    /// The value of a member. In a string of it, quotes may stand that are not escaped, if there is no doubt where it ends.
    pub(super) fn member(&mut self) -> Result<serde_json::Value, Why> {
        let start = self.at;
        let value = self.value()?;
        let is_plain = value.is_string() && {
            let quoted = self.slice(start, self.at);
            quoted.starts_with('"') && !is_tripled(quoted, "\"\"\"")
        };
        if is_plain
            && !self.is_at_delimiter()
            && let Some(end) = self.end_of_quoting(start + 1)
        {
            self.note(Repair::InnerQuotes);
            self.at = start + 1;
            return self.string_to(end).map(serde_json::Value::String);
        }
        Ok(value)
    }

    /// Whether what follows may follow a value in an object: the text may end here, and a comma may be missing.
    fn is_at_delimiter(&self) -> bool {
        let rest = self.rest().trim_start_matches(is_blank);
        let is_new_line = self.rest().len() > rest.len()
            && self.rest().trim_start_matches([' ', '\t']).starts_with(['\n', '\r']);
        rest.is_empty()
            || rest.starts_with([',', '}', ']', '/', '#'])
            || (rest.starts_with('"') && (is_new_line || self.starts_known_member(rest)))
            || self.hints.astray.contains(&(self.text.len() - rest.len()))
    }

    /// Whether a quoted key of the schema stands at the beginning of `rest`, with its colon.
    fn starts_known_member(&self, rest: &str) -> bool {
        let Some(rest) = rest.strip_prefix('"') else { return false };
        self.hints.keys.iter().any(|key| {
            let behind = rest.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix('"'));
            behind.is_some_and(|behind| behind.trim_start_matches(is_blank).starts_with(':'))
        })
    }

    /// Where the string that begins at `start` ends, if it holds quotes: at the first quote that a known key follows behind a
    /// comma, or the end of the object. `None` if another key of the object may stand within.
    fn end_of_quoting(&self, start: usize) -> Option<usize> {
        let body = self.slice(start, self.text.len());
        for (at, _) in body.match_indices('"').take_while(|(at, _)| *at <= FARTHEST_END) {
            if body.get(..at).is_some_and(|before| before.ends_with('\\')) {
                continue;
            }
            let behind = body.get(at + 1..)?.trim_start_matches(is_blank);
            if behind.starts_with(':') {
                return None;
            }
            let next = behind.strip_prefix(',').map(|next| next.trim_start_matches(is_blank));
            let ends = next.is_some_and(|next| self.starts_known_member(next)) || self.closes_all(behind);
            if ends {
                let content = body.get(..at)?;
                let is_doubtful = self.names_member(content) || is_joined(content) || has_stray(content);
                return (!is_doubtful).then_some(start + at);
            }
        }
        None
    }

    /// Whether `rest` is the closing brackets of all that is open, and nothing else before a line's or the text's end.
    fn closes_all(&self, rest: &str) -> bool {
        let mut rest = rest;
        for opener in self.open.iter().rev() {
            let closer = if *opener == b'{' { '}' } else { ']' };
            let Some(behind) = rest.strip_prefix(closer) else { return false };
            rest = behind.trim_start_matches(is_blank);
        }
        rest.is_empty() || rest.starts_with("```") || rest.starts_with("~~~")
    }

    /// Whether what is to be a string's content holds what may be a member's key.
    fn names_member(&self, content: &str) -> bool {
        let is_structure =
            |c: Option<char>| c.is_some_and(|c| matches!(c, '{' | '}' | '[' | ']' | ':' | '"'));
        let mut quotes = content.match_indices('"').map(|(at, _)| content.split_at(at));
        let touches_structure = quotes.any(|(before, behind)| {
            is_structure(before.trim_end_matches(is_blank).chars().next_back())
                || is_structure(behind.chars().skip(1).find(|c| !is_blank(*c)))
        });
        touches_structure
            || self.hints.keys.iter().any(|key| {
                content.match_indices(key.as_str()).any(|(at, _)| {
                    let (before, behind) = content.split_at(at);
                    let behind = behind.get(key.len()..).unwrap_or_default();
                    before.ends_with('"')
                        || behind.starts_with('"')
                        || behind.trim_start_matches(is_blank).starts_with(':')
                })
            })
    }

    /// What stands between here and the first `closer`.
    fn string(&mut self, closer: &str) -> Result<String, Why> {
        let first = closer.as_bytes().first().copied();
        let start = self.at;
        let mut seen = Backslashes::default();
        let mut string = String::new();
        let mut copied = self.at;
        loop {
            match self.peek()? {
                b'\\' => {
                    string.push_str(self.slice(copied, self.at));
                    self.at += 1;
                    self.escape(closer, &mut string, &mut seen)?;
                    copied = self.at;
                }
                byte if Some(byte) == first && self.rest().starts_with(closer) => {
                    // Of four quotes in a row, the first belongs to the text.
                    if closer.len() == 3
                        && closer.is_ascii()
                        && self.rest().as_bytes().get(3) == first.as_ref()
                    {
                        self.at += 1;
                        continue;
                    }
                    let string = self.finished(start, copied, string, &seen);
                    self.at += closer.len();
                    return Ok(string);
                }
                byte => self.pass(byte),
            }
        }
    }

    /// What stands between here and the quote at `end`.
    fn string_to(&mut self, end: usize) -> Result<String, Why> {
        let start = self.at;
        let mut seen = Backslashes::default();
        let mut string = String::new();
        let mut copied = self.at;
        while self.at < end {
            match self.peek()? {
                b'\\' => {
                    string.push_str(self.slice(copied, self.at));
                    self.at += 1;
                    self.escape("\"", &mut string, &mut seen)?;
                    copied = self.at;
                }
                byte => self.pass(byte),
            }
        }
        let string = self.finished(start, copied, string, &seen);
        self.at = end + 1;
        Ok(string)
    }

    fn pass(&mut self, byte: u8) {
        if byte < b' ' {
            self.note(Repair::RawNewline);
        }
        self.at += 1;
    }

    /// The string that began at `start` and ends here, of which `string` is what stands before `copied`, decoded.
    fn finished(&self, start: usize, copied: usize, mut string: String, seen: &Backslashes) -> String {
        if seen.are_raw() {
            return self.slice(start, self.at).to_owned();
        }
        string.push_str(self.slice(copied, self.at));
        string
    }
}

/// Whether what is to be a string's content is the end of one string and the beginning of another with something between them, as in
/// `"a" + "b"` and `"a" or "b"`: its first quote closes, and its last one opens.
fn is_joined(content: &str) -> bool {
    // Between the quotes that close one string and open the next stands an operator, with blanks around it.
    let is_operator = |between: &str| {
        let operator = between.trim_matches(is_blank);
        let has_blanks = between.starts_with(is_blank) && between.ends_with(is_blank);
        has_blanks
            && (OPERATORS.contains(&operator) || (operator.starts_with('+') && operator.ends_with('+')))
    };
    if content.split('"').skip(1).step_by(2).any(is_operator) {
        return true;
    }
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (Some((before, first)), Some((last, behind))) = (content.split_once('"'), content.rsplit_once('"'))
    else {
        return false;
    };
    let closes = !before.ends_with(is_blank) && !is_word(first.chars().next());
    let opens = !is_word(last.chars().next_back()) && !behind.starts_with(is_blank);
    before.len() < last.len() && closes && opens
}

/// Whether a quote without a partner touches an end of what is to be a string's content: it may be one too many. Behind a digit it is
/// that of inches.
fn has_stray(content: &str) -> bool {
    let is_inches =
        content.strip_suffix('"').is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    let touches = content.starts_with('"') || content.ends_with('"') && !is_inches;
    touches && content.matches('"').count() % 2 == 1
}

/// Whether three quotes open a string here. An empty string with a quote too many begins alike: then what follows is what follows
/// a string.
fn is_tripled(rest: &str, quotes: &str) -> bool {
    rest.strip_prefix(quotes).is_some_and(|content| {
        let content = content.trim_start_matches(is_blank);
        !content.is_empty() && !content.starts_with([',', '}', ']', ':', '"', '\''])
    })
}
