//! Strings as `lenient.rs` reads them: in which quotes, with which escapes.

use super::{Parser, Why};
use crate::completion::repair::Repair;

impl Parser<'_> {
    /// A string, if a quote stands here.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Why> {
        let (opener, closer) = match self.peek()? {
            b'"' => ("\"", "\""),
            b'\'' => {
                self.note(Repair::SingleQuotes);
                ("'", "'")
            }
            _ if self.rest().starts_with('“') => {
                self.note(Repair::SmartQuotes);
                ("“", "”")
            }
            _ => return Ok(None),
        };
        self.at += opener.len();
        self.string(closer).map(Some)
    }

    /// What stands between here and `closer`.
    fn string(&mut self, closer: &str) -> Result<String, Why> {
        let first = closer.as_bytes().first().copied();
        let mut string = String::new();
        let mut copied = self.at;
        loop {
            match self.peek()? {
                b'\\' => {
                    string.push_str(self.slice(copied, self.at));
                    self.at += 1;
                    self.escape(closer, &mut string)?;
                    copied = self.at;
                }
                byte if Some(byte) == first && self.rest().starts_with(closer) => {
                    string.push_str(self.slice(copied, self.at));
                    self.at += closer.len();
                    return Ok(string);
                }
                byte => {
                    if byte < b' ' {
                        self.note(Repair::RawNewline);
                    }
                    self.at += 1;
                }
            }
        }
    }

    /// What the escape behind a backslash means. One that JSON does not know keeps its backslash, as in `\d` or `\_`.
    fn escape(&mut self, closer: &str, string: &mut String) -> Result<(), Why> {
        let meaning = match self.peek()? {
            byte @ (b'"' | b'\\' | b'/') => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(string),
            b'\'' => {
                if closer != "'" {
                    self.note(Repair::InvalidEscape);
                }
                '\''
            }
            _ => {
                self.note(Repair::InvalidEscape);
                string.push('\\');
                return Ok(());
            }
        };
        self.at += 1;
        string.push(meaning);
        Ok(())
    }

    /// The character of `uXXXX`, or of a surrogate pair `uXXXX\uXXXX`.
    fn unicode_escape(&mut self, string: &mut String) -> Result<(), Why> {
        let digits = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let Some(first) = hex(digits) else {
            if digits.len() < 4 && digits.iter().all(u8::is_ascii_hexdigit) {
                return Err(Why::Cut);
            }
            self.note(Repair::InvalidEscape);
            string.push('\\');
            return Ok(());
        };
        self.at += 5;
        let second = self.rest().strip_prefix("\\u").and_then(|rest| hex(rest.as_bytes()));
        if let Some(pair) = second.and_then(|second| surrogate_pair(first, second)) {
            self.at += 6;
            string.push(pair);
        } else if let Some(single) = char::from_u32(u32::from(first)) {
            string.push(single);
        } else {
            self.note(Repair::LoneSurrogate);
            string.push(char::REPLACEMENT_CHARACTER);
        }
        Ok(())
    }
}

fn hex(digits: &[u8]) -> Option<u16> {
    digits
        .get(..4)?
        .iter()
        .try_fold(0, |code, digit| Some(code << 4 | char::from(*digit).to_digit(16)? as u16))
}

fn surrogate_pair(high: u16, low: u16) -> Option<char> {
    char::decode_utf16([high, low]).next().and_then(Result::ok).filter(|pair| pair.len_utf16() == 2)
}
