//! Prepares untrusted texts for display: cuts long ones, and escapes control characters.

use std::borrow::Cow;

/// Whether the length of a text is counted after HTML escaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escaped {
    /// Characters that HTML has names for count with those.
    Html,
    /// As given.
    No,
}

/// The beginning of a text, at most `most` bytes, marked by `…` if it is longer.
pub(crate) fn cut(text: &str, most: usize, escaped: Escaped) -> Cow<'_, str> {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        length += match (escaped, c) {
            (Escaped::Html, '<' | '>' | '&' | '"' | '\'' | '/') => 6,
            (Escaped::Html | Escaped::No, c) => c.len_utf8(),
        };
        if length > most {
            return Cow::Owned(format!("{}…", &text[..at]));
        }
    }
    Cow::Borrowed(text)
}

/// A text that is safe on a terminal and in a page: control characters except line breaks and tabs are escaped, as are characters that
/// change the direction of text, and the separators of lines and paragraphs that few programs treat as such. A line break of Windows is
/// one of ours.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_harmful) {
        return Cow::Borrowed(text);
    }
    let mut harmless = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c == '\r' && rest.peek() == Some(&'\n') {
            continue;
        }
        if is_harmful(c) {
            harmless.extend(c.escape_unicode());
        } else {
            harmless.push(c);
        }
    }
    Cow::Owned(harmless)
}

/// JSON that is safe on a terminal: the same characters are written as JSON's own escapes, so that it means the same.
pub(crate) fn harmless_json(json: String) -> String {
    if !json.chars().any(is_harmful) {
        return json;
    }
    let mut harmless = String::with_capacity(json.len());
    for c in json.chars() {
        if is_harmful(c) {
            // All of them have four digits.
            harmless.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            harmless.push(c);
        }
    }
    harmless
}

fn is_harmful(c: char) -> bool {
    let turns =
        matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}');
    turns || breaks || (c.is_control() && c != '\n' && c != '\t')
}

/// The same on one line.
pub(crate) fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().collect();
    harmless(&words.join(" ")).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_what_they_take() {
        assert_eq!(cut("abc", 3, Escaped::Html), "abc");
        assert_eq!(cut("abcd", 3, Escaped::No), "abc…");
        assert_eq!(cut("a<b>", 8, Escaped::Html), "a<b…");
        assert_eq!(cut("éé", 3, Escaped::No), "é…");
    }

    #[test]
    fn terminals_are_given_nothing_to_obey() {
        for (text, expected) in [
            ("plain\n\ttext", "plain\n\ttext"),
            ("\x1b[2J", "\\u{1b}[2J"),
            ("\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\rb", "a\\u{d}b"),
            ("a\r\nb\x07", "a\nb\\u{7}"),
            ("a\u{2028}b", "a\\u{2028}b"),
            ("\u{202e}gnp", "\\u{202e}gnp"),
        ] {
            assert_eq!(harmless(text), expected);
        }
        assert_eq!(one_line(" a\n\x1bb "), "a \\u{1b}b");
        assert_eq!(harmless_json("[\"\u{9b}1m\u{202e}é\"]".to_owned()), "[\"\\u009b1m\\u202eé\"]");
    }
}
