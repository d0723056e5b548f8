//! A text as words, numbers and marks, each with its position. Decides what belongs to one word (hyphens, initials,
//! abbreviations); meaning is found elsewhere.

use super::lexicon::Words;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters, with digits, hyphens, apostrophes and periods inside.
    Word,
    /// Digits, with separators inside.
    Number,
    /// One punctuation mark, or a line break.
    Mark,
    /// A mark that ends a sentence.
    End,
}

/// A piece of the text.
#[derive(Clone, Debug)]
pub(super) struct Token<'t> {
    /// As written in the text.
    pub(super) text: &'t str,
    /// In lower case, with plain apostrophes and hyphens.
    pub(super) lower: String,
    /// Its byte offset in the text.
    pub(super) start: usize,
    pub(super) kind: Kind,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn is(&self, lower: &str) -> bool {
        self.lower == lower
    }

    pub(super) fn is_any(&self, words: &[&str]) -> bool {
        words.contains(&self.lower.as_str())
    }

    pub(super) fn among(&self, words: &Words) -> bool {
        words.has(&self.lower)
    }

    /// A word that begins with a capital letter.
    pub(super) fn is_capitalised(&self) -> bool {
        self.kind == Kind::Word && self.text.trim_start_matches('.').starts_with(char::is_uppercase)
    }

    /// Whether a word is not written like a name: `UX`, `DevOps`, `iPhone`, `.NET`.
    pub(super) fn is_acronym(&self) -> bool {
        let mut letters = self.text.chars().filter(|c| c.is_alphabetic());
        let capitals = letters.clone().filter(|c| c.is_uppercase()).count();
        let small_first = letters.next().is_some_and(char::is_lowercase);
        let odd = self.text.contains(['+', '#']) || self.text.starts_with('.');
        let joined = self.text.contains(['-', '\'', '’', '.']) || is_scottish(self.text);
        let inner = capitals > usize::from(!small_first) && !joined;
        self.kind == Kind::Word && (odd || inner)
    }
}

/// `McDonald` and `MacArthur` have a capital inside but are names.
fn is_scottish(word: &str) -> bool {
    ["Mc", "Mac", "De", "Di", "La", "Le", "Van", "Von", "Fitz", "O"].iter().any(|prefix| {
        let rest = word.strip_prefix(prefix).unwrap_or("");
        rest.starts_with(char::is_uppercase) && rest.chars().skip(1).all(char::is_lowercase) && rest.len() > 2
    })
}

/// Abbreviations that keep their period and do not end a sentence.
const ABBREVIATIONS: [&str; 19] = [
    "dr", "mr", "mrs", "ms", "mx", "prof", "st", "jr", "sr", "hon", "rev", "capt", "lt", "sgt", "col", "gen",
    "inc", "ltd", "co",
];

/// The tokens of `text`.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let first = rest.chars().next().unwrap_or(' ');
        let (length, kind) = if first.is_whitespace() && first != '\n' {
            at += first.len_utf8();
            continue;
        } else if first.is_ascii_digit() {
            number_or_word(rest)
        } else if begins_word(text, at, rest) {
            (word_length(rest), Kind::Word)
        } else if matches!(first, '.' | '!' | '?' | '\n' | '。') {
            (first.len_utf8(), Kind::End)
        } else {
            (first.len_utf8(), Kind::Mark)
        };
        push(&mut tokens, rest.get(..length).unwrap_or(rest), at, kind);
        at += length.max(1);
    }
    tokens
}

/// Adds a token; `Ann's` and `I'm` become two.
fn push<'t>(tokens: &mut Vec<Token<'t>>, text: &'t str, start: usize, kind: Kind) {
    let lower = text.to_lowercase().replace('’', "'").replace('\u{2011}', "-");
    let suffix =
        ["'s", "'m", "'re"].into_iter().find(|suffix| lower.ends_with(suffix) && lower.len() > suffix.len());
    let (Some(suffix), Kind::Word) = (suffix, kind) else {
        tokens.push(Token { text, lower, start, kind });
        return;
    };
    let cut = text.rfind(['\'', '’']).unwrap_or(text.len());
    let (stem, rest) = text.split_at(cut);
    let head = lower.strip_suffix(suffix).unwrap_or(&lower).to_owned();
    tokens.push(Token { text: stem, lower: head, start, kind });
    tokens.push(Token { text: rest, lower: suffix.to_owned(), start: start + cut, kind });
}

/// `.NET` begins a word although it begins with a period.
fn begins_word(text: &str, at: usize, rest: &str) -> bool {
    let mut chars = rest.chars();
    let first = chars.next().unwrap_or(' ');
    let fresh =
        text.get(..at).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace));
    first.is_alphabetic() || first == '.' && fresh && chars.next().is_some_and(char::is_uppercase)
}

/// `30`, `1,249.50`; but `3D` and `22yo` are words.
fn number_or_word(rest: &str) -> (usize, Kind) {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let digit_follows = chars.peek().is_some_and(|(_, next)| next.is_ascii_digit());
        let separates = matches!(c, '.' | '\'')
            || c == ',' && rest.get(at + 1..).is_some_and(|tail| leading_digits(tail) == 3);
        if !(c.is_ascii_digit() || separates && digit_follows) {
            break;
        }
        end = at + c.len_utf8();
    }
    let glued = rest.get(end..).is_some_and(|tail| tail.starts_with(char::is_alphabetic));
    if glued { (end + word_length(rest.get(end..).unwrap_or("")), Kind::Word) } else { (end, Kind::Number) }
}

fn leading_digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn word_length(rest: &str) -> usize {
    let mut end = 0;
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map_or(' ', |(_, next)| *next);
        let joins = matches!(c, '-' | '\u{2011}' | '\'' | '’' | '.' | '&' | '/' | '@' | '_');
        let inside = c.is_alphanumeric() || joins && next.is_alphanumeric() || is_combining(c);
        let trailing = matches!(c, '+' | '#') && at > 0;
        let leading = at == 0 && c == '.';
        if !(inside || trailing || leading) {
            break;
        }
        end = at + c.len_utf8();
    }
    let word = rest.get(..end).unwrap_or("");
    if rest.get(end..).is_some_and(|tail| tail.starts_with('.')) && keeps_period(word, rest.get(end + 1..)) {
        end += 1;
    }
    end
}

fn is_combining(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Whether the period after `word` is part of it: `Dr.`, and the initial of `Mary J. Blige`.
fn keeps_period(word: &str, after: Option<&str>) -> bool {
    let after = after.unwrap_or("");
    let initial = word.rsplit('.').next().is_some_and(|last| last.chars().count() == 1)
        && word.starts_with(char::is_uppercase)
        && word != "I";
    let follows = after.trim_start_matches(' ').starts_with(|c: char| c.is_uppercase() || c == ',');
    ABBREVIATIONS.contains(&word.to_lowercase().as_str()) || initial && follows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_keep_what_belongs_to_them() {
        let cases = [
            ("Dr. Ahmed El-Sayed is 57.", "Dr.|Ahmed|El-Sayed|is|57|."),
            ("I'm Mary J. Blige, J.K. Rowling's fan", "I|'m|Mary|J.|Blige|,|J.K.|Rowling|'s|fan"),
            ("A 30-year-old C++ and .NET dev", "A|30|-|year-old|C++|and|.NET|dev"),
            ("$1,249.50, 22yo (3D)", "$|1,249.50|,|22yo|(|3D|)"),
            ("Maria-Luisa O’Neil\nann@x.org", "Maria-Luisa|O’Neil|\n|ann@x.org"),
            ("John Smith,30,chef", "John|Smith|,|30|,|chef"),
        ];
        for (text, expected) in cases {
            let found: Vec<_> = tokens(text).iter().map(|token| token.text).collect();
            assert_eq!(found.join("|"), expected);
        }
    }

    #[test]
    fn acronyms_are_distinguished_from_names() {
        let acronyms = |text| {
            tokens(text).iter().filter(|t| t.is_acronym()).map(|t| t.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            acronyms("UX DevOps C++ iPhone John McDonald O'Neil El-Sayed J.K. LeBron"),
            "UX DevOps C++ iPhone"
        );
    }

    #[test]
    fn tokens_have_the_right_offsets() {
        let text = "Zoë’s 3,5 a.b. 李雷 e\u{301}t ..NET 1. 😀!?\r\n";
        for token in tokens(text) {
            if !token.text.starts_with('\'') {
                assert_eq!(text.get(token.start..token.end()), Some(token.text));
            }
        }
    }
}
