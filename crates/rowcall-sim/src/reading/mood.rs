//! The mood and the language of a text, by counting ordinary words.

use super::lexicon::{BAD, GOOD};
use super::words::Token;

const NOT: &[&str] = &[
    "not", "no", "never", "isn't", "wasn't", "don't", "didn't", "doesn't", "hardly", "without", "can't",
    "couldn't", "won't",
];

/// The mood of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Bad,
    Mixed,
    Neutral,
}

impl Mood {
    /// The words that an enum may use for it.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::Good => &["positive", "pos", "good", "happy", "satisfied", "joy"],
            Self::Bad => &["negative", "neg", "bad", "unhappy", "angry", "sad"],
            Self::Mixed => &["mixed", "neutral", "ambivalent"],
            Self::Neutral => &["neutral", "none", "mixed"],
        }
    }
}

/// The mood of these tokens.
pub(super) fn mood(tokens: &[Token<'_>]) -> Mood {
    let (mut good, mut bad) = (0, 0);
    for (at, token) in tokens.iter().enumerate() {
        let before = tokens.get(at.saturating_sub(3)..at).unwrap_or(&[]);
        let negated = before.iter().any(|token| token.is_any(NOT));
        match (token.among(&GOOD), token.among(&BAD) && !token.is("never")) {
            (true, _) if negated => bad += 1,
            (true, _) => good += 1,
            (_, true) if negated => good += 1,
            (_, true) => bad += 1,
            (false, false) => {}
        }
    }
    match (good, bad) {
        (0, 0) => Mood::Neutral,
        (good, bad) if good > bad => Mood::Good,
        (good, bad) if bad > good => Mood::Bad,
        _ => Mood::Mixed,
    }
}

/// The English name and two-letter code of a language, with some of its most common words.
const LANGUAGES: &[(&str, &str, &[&str])] = &[
    ("English", "en", &["the", "and", "is", "of", "to", "a", "in", "was", "it", "with", "i", "my", "this"]),
    ("German", "de", &["der", "die", "das", "und", "ist", "ein", "eine", "nicht", "ich", "mit", "zu", "den"]),
    ("French", "fr", &["le", "la", "les", "et", "est", "un", "une", "je", "pas", "que", "des", "du", "très"]),
    ("Spanish", "es", &["el", "los", "y", "es", "una", "que", "muy", "por", "con", "las", "está", "pero"]),
    ("Italian", "it", &["il", "lo", "gli", "è", "un", "che", "per", "non", "sono", "molto", "di", "ma"]),
    ("Portuguese", "pt", &["o", "os", "e", "é", "um", "uma", "que", "não", "com", "muito", "mas", "do"]),
    ("Dutch", "nl", &["de", "het", "een", "en", "is", "niet", "ik", "van", "met", "zeer", "maar", "op"]),
];

/// The text's language as its English name and code; `None` if the text has no common words.
pub(super) fn language(tokens: &[Token<'_>]) -> Option<(&'static str, &'static str)> {
    let known = |words: &[&str]| tokens.iter().filter(|token| token.is_any(words)).count();
    let counted = LANGUAGES.iter().rev().map(|(name, code, words)| (known(words), (*name, *code)));
    counted.max_by_key(|(count, _)| *count).filter(|(count, _)| *count > 0).map(|(_, language)| language)
}
