//! Strings in lenient JSON: the kinds of quotes, and where a string with unescaped inner quotes ends. `escape.rs` handles
//! backslashes.

use super::escape::Backslashes;
use super::{Parser, Why, is_blank};
use crate::completion::repair::Repair;

/// Operators and words that join two strings or offer them as alternatives.
const OPERATORS: [&str; 10] = ["+", "or", "and", "||", "&&", "|", "&", ".", "..", "??"];

/// How far to search for the end of a string after an inner quote, in bytes.
const FARTHEST_END: usize = 10_000;

impl Parser<'_> {
    /// Reads a string, if there is a quote at this position.
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

    /// Reads the value of a member. A string may have unescaped quotes if its end is unambiguous.
    pub(super) fn member(&mut self) -> Result<serde_json::Value, Why> {
        let start = self.at;
        let value = self.value()?;
        let quoted = self.slice(start, self.at);
        let quote = match quoted.as_bytes().first() {
            Some(b'"') if value.is_string() && !is_tripled(quoted, "\"\"\"") => Some('"'),
            Some(b'\'') if value.is_string() && !is_tripled(quoted, "'''") => Some('\''),
            Some(_) | None => None,
        };
        if let Some(quote) = quote
            && !self.is_at_delimiter(quote)
            && let Some(end) = self.end_of_quoting(start + 1, quote)
        {
            self.note(Repair::InnerQuotes);
            self.at = start + 1;
            return self.string_to(end, quote).map(serde_json::Value::String);
        }
        Ok(value)
    }

    /// Whether the following text may follow a value in an object: the text may end here, and a comma may be missing.
    fn is_at_delimiter(&self, quote: char) -> bool {
        let rest = self.rest().trim_start_matches(is_blank);
        let is_new_line = self.rest().len() > rest.len()
            && self.rest().trim_start_matches([' ', '\t']).starts_with(['\n', '\r']);
        rest.is_empty()
            || rest.starts_with([',', '}', ']', '/', '#'])
            || (rest.starts_with(quote) && (is_new_line || self.starts_known_member(rest, quote)))
            || self.hints.astray.contains(&(self.text.len() - rest.len()))
    }

    /// Whether `rest` starts with a quoted key of the schema and its colon.
    fn starts_known_member(&self, rest: &str, quote: char) -> bool {
        let Some(rest) = rest.strip_prefix(quote) else { return false };
        self.hints.keys.iter().any(|key| {
            let after = rest.strip_prefix(key.as_str()).and_then(|rest| rest.strip_prefix(quote));
            after.is_some_and(|after| after.trim_start_matches(is_blank).starts_with(':'))
        })
    }

    /// The end of a string with inner quotes that starts at `start`: the first quote that is followed by a comma and a known
    /// key, or by the end of the object. `None` if the string may contain another key of the object.
    fn end_of_quoting(&self, start: usize, quote: char) -> Option<usize> {
        let body = self.slice(start, self.text.len());
        for (at, _) in body.match_indices(quote).take_while(|(at, _)| *at <= FARTHEST_END) {
            if body.get(..at).is_some_and(|before| before.ends_with('\\')) {
                continue;
            }
            let after = body.get(at + 1..)?.trim_start_matches(is_blank);
            if after.starts_with(':') {
                return None;
            }
            let next = after.strip_prefix(',').map(|next| next.trim_start_matches(is_blank));
            let ends =
                next.is_some_and(|next| self.starts_known_member(next, quote)) || self.closes_all(after);
            if ends {
                let content = body.get(..at)?;
                let is_doubtful = self.names_member(content, quote)
                    || is_joined(content, quote)
                    || has_stray(content, quote);
                return (!is_doubtful).then_some(start + at);
            }
        }
        None
    }

    /// Whether `rest` is the closing brackets of all open containers, followed only by the end of the text or of the fence.
    fn closes_all(&self, rest: &str) -> bool {
        let mut rest = rest;
        for opener in self.open.iter().rev() {
            let closer = if *opener == b'{' { '}' } else { ']' };
            let Some(after) = rest.strip_prefix(closer) else { return false };
            rest = after.trim_start_matches(is_blank);
        }
        rest.is_empty() || rest.starts_with("```") || rest.starts_with("~~~")
    }

    /// Whether the supposed content of a string contains a possible key.
    fn names_member(&self, content: &str, quote: char) -> bool {
        let is_structure =
            |c: Option<char>| c.is_some_and(|c| matches!(c, '{' | '}' | '[' | ']' | ':' | '"') || c == quote);
        let mut quotes = content.match_indices(quote).map(|(at, _)| content.split_at(at));
        let touches_structure = quotes.any(|(before, after)| {
            is_structure(before.trim_end_matches(is_blank).chars().next_back())
                || is_structure(after.chars().skip(1).find(|c| !is_blank(*c)))
        });
        touches_structure
            || self.hints.keys.iter().any(|key| {
                content.match_indices(key.as_str()).any(|(at, _)| {
                    let (before, after) = content.split_at(at);
                    let after = after.get(key.len()..).unwrap_or_default();
                    before.ends_with(quote)
                        || after.starts_with(quote)
                        || after.trim_start_matches(is_blank).starts_with(':')
                })
            })
    }

    /// Reads a string up to the first `closer`.
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
                    // Of four quotes in a row, the first is content.
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

    /// Reads a string up to the `quote` at `end`.
    fn string_to(&mut self, end: usize, quote: char) -> Result<String, Why> {
        let start = self.at;
        let mut seen = Backslashes::default();
        let mut string = String::new();
        let mut copied = self.at;
        while self.at < end {
            match self.peek()? {
                b'\\' => {
                    string.push_str(self.slice(copied, self.at));
                    self.at += 1;
                    self.escape(if quote == '"' { "\"" } else { "'" }, &mut string, &mut seen)?;
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

    /// The string that started at `start` and ends here; `string` is its decoded part before `copied`.
    fn finished(&self, start: usize, copied: usize, mut string: String, seen: &Backslashes) -> String {
        if seen.are_raw() {
            return self.slice(start, self.at).to_owned();
        }
        string.push_str(self.slice(copied, self.at));
        string
    }
}

/// Whether the supposed content of a string is the end of one string and the start of another with something between them, as in
/// `"a" + "b"` and `"a" or "b"`: its first quote closes, and its last one opens.
fn is_joined(content: &str, quote: char) -> bool {
    // An operator with blanks around it, between the quotes that close one string and open the next.
    let is_operator = |between: &str| {
        let operator = between.trim_matches(is_blank);
        let has_blanks = between.starts_with(is_blank) && between.ends_with(is_blank);
        has_blanks
            && (OPERATORS.contains(&operator) || (operator.starts_with('+') && operator.ends_with('+')))
    };
    if content.split(quote).skip(1).step_by(2).any(is_operator) {
        return true;
    }
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let (Some((before, first)), Some((last, after))) =
        (content.split_once(quote), content.rsplit_once(quote))
    else {
        return false;
    };
    let closes = !before.ends_with(is_blank) && !is_word(first.chars().next());
    let opens = !is_word(last.chars().next_back()) && !after.starts_with(is_blank);
    before.len() < last.len() && closes && opens
}

/// Whether an unmatched quote is at an end of a string's supposed content: it may be superfluous. After a digit, it is an inch
/// mark.
fn has_stray(content: &str, quote: char) -> bool {
    let is_inches =
        content.strip_suffix(quote).is_some_and(|rest| rest.ends_with(|c: char| c.is_ascii_digit()));
    let touches = content.starts_with(quote) || content.ends_with(quote) && !is_inches;
    touches && content.matches(quote).count() % 2 == 1
}

/// Whether three quotes open a string here. An empty string with a superfluous quote starts in the same way, but is followed by what
/// follows a string.
fn is_tripled(rest: &str, quotes: &str) -> bool {
    rest.strip_prefix(quotes).is_some_and(|content| {
        let content = content.trim_start_matches(is_blank);
        !content.is_empty() && !content.starts_with([',', '}', ']', ':', '"', '\''])
    })
}
