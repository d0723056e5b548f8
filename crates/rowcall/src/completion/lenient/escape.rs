//! The backslashes of a string: either all of them are JSON escapes, or all of them are literal, as in LaTeX, paths and regular
//! expressions whose backslashes the model has not escaped.

use super::{Parser, Why};
use crate::completion::repair::Repair;

/// What is expected if neither interpretation fits.
const ESCAPED: &str = "every backslash of the string escaped as `\\\\`";

/// What is known about the backslashes of a string so far.
#[derive(Debug, Default)]
pub(super) struct Backslashes {
    /// The first that is not a JSON escape.
    unknown: Option<usize>,
    /// The first that can only be a JSON escape.
    certain: Option<usize>,
}

impl Backslashes {
    pub(super) fn are_raw(&self) -> bool {
        self.unknown.is_some()
    }
}

impl Parser<'_> {
    /// Decodes the escape after a backslash and appends it to `string`; the position is after the backslash.
    pub(super) fn escape(
        &mut self,
        closer: &str,
        string: &mut String,
        seen: &mut Backslashes,
    ) -> Result<(), Why> {
        let at = self.at - 1;
        let follows_letter = self.text.as_bytes().get(self.at + 1).is_some_and(u8::is_ascii_lowercase);
        let (meaning, is_certain) = match self.peek()? {
            byte @ (b'"' | b'\\' | b'/') => (char::from(byte), true),
            // A backspace or a form feed is never intended, whatever follows.
            b'b' => ('\u{8}', false),
            b'f' => ('\u{c}', false),
            b'n' => ('\n', !follows_letter),
            b'r' => ('\r', !follows_letter),
            b't' => ('\t', !follows_letter),
            b'u' => return self.unicode_escape(string, seen),
            b'\'' => {
                if closer != "'" {
                    self.note(Repair::InvalidEscape);
                }
                ('\'', true)
            }
            _ => {
                seen.unknown.get_or_insert(at);
                string.push('\\');
                return self.agree(seen);
            }
        };
        self.at += 1;
        string.push(meaning);
        if is_certain {
            seen.certain.get_or_insert(at);
        }
        self.agree(seen)
    }

    /// Rejects a string in which some backslashes must be escapes and others cannot be.
    fn agree(&mut self, seen: &Backslashes) -> Result<(), Why> {
        match (seen.unknown, seen.certain) {
            (Some(unknown), Some(_)) => {
                self.at = unknown;
                Err(Why::Expected(ESCAPED))
            }
            (Some(_), None) => {
                self.note(Repair::InvalidEscape);
                Ok(())
            }
            (None, _) => Ok(()),
        }
    }

    /// The character of `uXXXX`, or of a surrogate pair `uXXXX\uXXXX`.
    fn unicode_escape(&mut self, string: &mut String, seen: &mut Backslashes) -> Result<(), Why> {
        let at = self.at - 1;
        let digits = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let Some(first) = hex(digits) else {
            if digits.len() < 4 && digits.iter().all(u8::is_ascii_hexdigit) {
                return Err(Why::Cut);
            }
            seen.unknown.get_or_insert(at);
            string.push('\\');
            return self.agree(seen);
        };
        seen.certain.get_or_insert(at);
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
        self.agree(seen)
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
