//! Splits text into lines, whatever pieces it arrives in. The format decides what a line means.

use super::MAX_RECORD_BYTES;

/// A line without its end (`\n` or `\r\n`), and its number, counted from 1.
pub(crate) struct Line<'a> {
    pub number: u64,
    /// `None` for a line of more than [`MAX_RECORD_BYTES`].
    pub text: Option<&'a [u8]>,
}

/// The incomplete line, and how many lines came before it.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    begun: Vec<u8>,
    too_long: bool,
    number: u64,
}

impl Lines {
    /// Calls `each` with every line that the next piece of text completes.
    pub(crate) fn feed(&mut self, mut text: &[u8], mut each: impl FnMut(Line<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', text) {
            let (line, rest) = text.split_at(end);
            self.complete(line, &mut each);
            text = rest.get(1..).unwrap_or_default();
        }
        self.begin(text);
    }

    /// Calls `each` with the last line, if it had no line end.
    pub(crate) fn end(&mut self, mut each: impl FnMut(Line<'_>)) {
        if self.too_long || !self.begun.is_empty() {
            self.complete(&[], &mut each);
        }
    }

    fn begin(&mut self, text: &[u8]) {
        self.too_long |= self.begun.len() + text.len() > MAX_RECORD_BYTES;
        if self.too_long {
            self.begun = Vec::new();
        } else {
            self.begun.extend_from_slice(text);
        }
    }

    fn complete(&mut self, rest: &[u8], each: &mut impl FnMut(Line<'_>)) {
        self.number += 1;
        // Most lines lie within one piece and need no copy.
        let text = if self.begun.is_empty() && !self.too_long && rest.len() <= MAX_RECORD_BYTES {
            Some(rest)
        } else {
            self.begin(rest);
            (!self.too_long).then_some(self.begun.as_slice())
        };
        each(Line { number: self.number, text: text.map(|text| text.strip_suffix(b"\r").unwrap_or(text)) });
        self.begun.clear();
        self.too_long = false;
    }
}
