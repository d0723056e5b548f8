//! The parts of Rust's syntax that the checks need: text without comments and literals, its tokens, and the lines of items that
//! exist only for tests.

use std::iter::Peekable;
use std::ops::RangeInclusive;
use std::str::Chars;

/// Replaces the content of a literal: its lines still count as code, but contain no words.
const LITERAL: char = '"';

/// A word, the `::` between words, or any other single character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// The line number, from 1.
    pub(super) line: usize,
}

/// The same text, line by line, without the content of comments and literals.
pub(super) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut in_word = false;
    while let Some(char) = rest.next() {
        match char {
            '/' if rest.peek() == Some(&'/') => skip_line(&mut rest),
            '/' if rest.peek() == Some(&'*') => skip_block(&mut rest, &mut out),
            '"' => skip_string(&mut rest, &mut out),
            'r' if !in_word && matches!(rest.peek(), Some('"' | '#')) => skip_raw(&mut rest, &mut out),
            '\'' => skip_char(&mut rest, &mut out),
            other => out.push(other),
        }
        // `b` and `c` may precede the `r` of a raw string.
        in_word = (char.is_alphanumeric() || char == '_') && !matches!(char, 'b' | 'c');
    }
    out
}

fn skip_line(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|char| *char != '\n').is_some() {}
}

fn skip_block(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    rest.next();
    let mut depth = 1;
    while let Some(char) = rest.next() {
        match char {
            '/' if rest.next_if_eq(&'*').is_some() => depth += 1,
            '*' if rest.next_if_eq(&'/').is_some() => depth -= 1,
            '\n' => out.push('\n'),
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}

fn skip_string(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push(LITERAL);
    while let Some(char) = rest.next() {
        match char {
            '"' => return,
            '\\' if rest.next() == Some('\n') => out.push('\n'),
            '\\' => {}
            _ => out.push(if char == '\n' { '\n' } else { LITERAL }),
        }
    }
}

/// A raw string, or a raw name such as `r#type`.
fn skip_raw(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut hashes = 0;
    while rest.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    if rest.next_if_eq(&'"').is_none() {
        return;
    }
    out.push(LITERAL);
    while let Some(char) = rest.next() {
        if char == '"' {
            let mut seen = 0;
            while seen < hashes && rest.next_if_eq(&'#').is_some() {
                seen += 1;
            }
            if seen == hashes {
                return;
            }
        }
        out.push(if char == '\n' { '\n' } else { LITERAL });
    }
}

/// A character, or the quote of a lifetime.
fn skip_char(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    let mut ahead = rest.clone();
    match (ahead.next(), ahead.next()) {
        (Some('\\'), _) => {
            rest.next();
            rest.next();
            while rest.next().is_some_and(|char| char != '\'') {}
            out.push(LITERAL);
        }
        (Some(_), Some('\'')) => {
            rest.next();
            rest.next();
            out.push(LITERAL);
        }
        // A lifetime: its name follows as an unrelated word.
        _ => out.push('\''),
    }
}

/// The tokens of a blanked text.
pub(super) fn tokens(blanked: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(blanked.lines()) {
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |char: char| char.is_alphanumeric() || char == '_';
            let length = if is_word(first) {
                rest.find(|char| !is_word(char)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (text, after) = rest.split_at(length);
            if first != LITERAL {
                tokens.push(Token { text, line });
            }
            rest = after.trim_start();
        }
    }
    tokens
}

/// The lines of each item under `#[cfg(test)]`, including the attribute.
pub(super) fn test_items(tokens: &[Token<'_>]) -> Vec<RangeInclusive<usize>> {
    const MARK: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];
    let mut items = Vec::new();
    let mut at = 0;
    while let Some(window) = tokens.get(at..at + MARK.len()) {
        if window.iter().map(|token| token.text).eq(MARK) {
            let end = item_end(tokens, at + MARK.len());
            items.push(window[0].line..=tokens[end].line);
            at = end + 1;
        } else {
            at += 1;
        }
    }
    items
}

/// The index of the last token of the item that starts at `start`, possibly with further attributes.
fn item_end(tokens: &[Token<'_>], start: usize) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            ";" if depth == 0 => return at,
            _ => {}
        }
    }
    tokens.len() - 1
}

mod tests {
    use super::{blank, test_items, tokens};

    fn words(text: &str) -> Vec<String> {
        tokens(&blank(text)).iter().map(|token| token.text.to_owned()).collect()
    }

    #[test]
    fn comments_and_literals_contain_no_words() {
        for (text, expected) in [
            ("a // b", "a"),
            ("a /* b /* c */ d */ e", "a e"),
            (r#"a "b \" c" d"#, "a d"),
            (r##"a r#"b " c"# d"##, "a d"),
            (r##"a br#"b"# r"c" d"##, "a b d"),
            ("a '\"' b '\\'' c 'd' e", "a b c e"),
            ("fn f<'a>(x: &'a str)", "fn f < ' a > ( x : & ' a str )"),
            ("for r#type in four\"x\"", "for type in four"),
            ("crate::row", "crate :: row"),
        ] {
            assert_eq!(words(text).join(" "), expected, "{text}");
        }
    }

    #[test]
    fn line_numbers_are_kept() {
        let text = "a\n/* b\n c */ d \"e\n f\" \\\n g\n\"x\\\ny\" h";
        let lines: Vec<(String, usize)> =
            tokens(&blank(text)).iter().map(|token| (token.text.to_owned(), token.line)).collect();
        let expected = [("a", 1), ("d", 3), ("\\", 4), ("g", 5), ("h", 7)];
        assert_eq!(lines, expected.map(|(word, line)| (word.to_owned(), line)));
    }

    #[test]
    fn items_for_tests_are_found_completely() {
        for (text, expected) in [
            ("fn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}", vec![2..=3]),
            ("#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n fn a() { b(); }\n}\nfn c() {}", vec![1..=5]),
            ("#[cfg(test)]\nfn a() -> [u8; 3] {\n}\n#[cfg(test)]\nuse b;", vec![1..=3, 4..=5]),
            ("#[cfg(unix)]\nmod a;", vec![]),
        ] {
            assert_eq!(test_items(&tokens(&blank(text))), expected, "{text}");
        }
    }
}
