//! Estimates the tokens of a text without a vocabulary: it is split into words, numbers, marks and white space as OpenAI's `o200k_base` splits it,
//! and each piece counts as many tokens as pieces of its script and length have on average. The averages were measured with that encoding on translations
//! of the Universal Declaration of Human Rights and of Django's messages, manuals, source code and tables (2026-11); `docs/cost.md` has the errors.

/// Words that are frequent in English and rare elsewhere. English words of any length are mostly one token, those of other languages are not.
const ENGLISH: [&str; 23] = [
    "the", "of", "and", "for", "is", "that", "with", "are", "this", "from", "by", "be", "or", "not", "have",
    "which", "you", "has", "its", "can", "will", "was", "were",
];

/// Words that are frequent in French, German, Italian, Portuguese or Spanish, of whose words the vocabulary has many, and in Russian.
const LARGE: [&str; 56] = [
    "de", "la", "le", "les", "des", "et", "du", "une", "un", "que", "qui", "dans", "pour", "est", "el",
    "los", "las", "y", "del", "por", "con", "para", "der", "die", "und", "das", "den", "von", "zu", "mit",
    "ist", "ein", "eine", "für", "nicht", "da", "dos", "e", "em", "não", "di", "il", "che", "per", "è", "и",
    "что", "из", "это", "или", "его", "как", "не", "в", "на", "с",
];

/// The share of those words in such a text is at least about this; source code and data have less.
const USUAL_SHARE: f64 = 0.15;

/// The language is judged by about this many of the latest words, and at the start by the first ones, as if `ENGLISH_BEFORE` English words
/// preceded them.
const JUDGED: usize = 24;
const ENGLISH_BEFORE: f64 = 6.0;

/// The approximate number of tokens in `text`.
pub(crate) fn count(text: &str) -> u64 {
    let words = || {
        Pieces { rest: text }.filter_map(|piece| match piece {
            Piece::Word { letters, .. } => Some(letters),
            Piece::Marks(_) | Piece::Single => None,
        })
    };
    let first = words().take(JUDGED).count() as f64;
    let among_first =
        |known: &[&str]| words().take(JUDGED).filter(|word| known.contains(word)).count() as f64;
    let mut english = (among_first(&ENGLISH) + USUAL_SHARE * ENGLISH_BEFORE) / (first + ENGLISH_BEFORE);
    let mut large = among_first(&LARGE) / (first + ENGLISH_BEFORE);
    let mut number = 0;
    let mut sum = 0.0;
    for piece in (Pieces { rest: text }) {
        sum += match piece {
            Piece::Word { lead, letters } => {
                number += 1;
                if number > JUDGED {
                    for (share, words) in [(&mut english, &ENGLISH[..]), (&mut large, &LARGE[..])] {
                        *share += (f64::from(u8::from(words.contains(&letters))) - *share) / JUDGED as f64;
                    }
                }
                let is_english = (english / USUAL_SHARE).min(1.0);
                let is_large = (large / USUAL_SHARE).min(1.0 - is_english);
                word(letters, lead, [is_english, is_large])
            }
            Piece::Marks(marks) => marks_count(marks),
            Piece::Single => 1.0,
        };
    }
    sum.round() as u64
}

/// What stands before a word and belongs to its first token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lead {
    None,
    Space,
    Mark,
}

/// A part of a text that is encoded by itself.
enum Piece<'a> {
    Word {
        lead: Lead,
        letters: &'a str,
    },
    /// Punctuation and symbols.
    Marks(&'a str),
    /// Up to three digits, or white space: a single token.
    Single,
}

/// The pieces of a text.
struct Pieces<'a> {
    rest: &'a str,
}

impl<'a> Pieces<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        taken
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let mut chars = self.rest.chars();
        let first = chars.next()?;
        let after = chars.as_str();
        if is_letter(first) {
            let letters = self.take(word_length(self.rest));
            return Some(Piece::Word { lead: Lead::None, letters });
        }
        if first.is_numeric() {
            let digits = self.rest.chars().take_while(|c| c.is_numeric()).take(3);
            self.take(digits.map(char::len_utf8).sum());
            return Some(Piece::Single);
        }
        let is_line_end = |c: char| c == '\n' || c == '\r';
        if !is_line_end(first) && after.starts_with(is_letter) {
            let lead = if first == ' ' { Lead::Space } else { Lead::Mark };
            self.take(first.len_utf8());
            let letters = self.take(word_length(self.rest));
            return Some(Piece::Word { lead, letters });
        }
        if first.is_whitespace() && !(first == ' ' && after.starts_with(is_mark)) {
            let run = self.rest.len() - self.rest.trim_start_matches(char::is_whitespace).len();
            let white = &self.rest[..run];
            let end = match white.rfind(is_line_end) {
                Some(last) => last + 1,
                // The last character belongs to what follows.
                None if run == self.rest.len() => run,
                None => {
                    white.char_indices().last().map_or(run, |(last, _)| if last == 0 { run } else { last })
                }
            };
            self.take(end);
            return Some(Piece::Single);
        }
        let start = usize::from(first == ' ');
        let marks = &self.rest[start..];
        let run = marks.len() - marks.trim_start_matches(is_mark).len();
        let ends = marks[run..].len() - marks[run..].trim_start_matches(is_line_end).len();
        let taken = self.take(start + run + ends);
        Some(Piece::Marks(&taken[start..start + run]))
    }
}

/// Whether a character can be part of a word, as letters and combining marks can.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || is_combining(c)
}

fn is_combining(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{981}'..='\u{983}' | '\u{9bc}'..='\u{9cd}' | '\u{a3c}'..='\u{a4d}'
        | '\u{abc}'..='\u{acd}' | '\u{bbe}'..='\u{bcd}' | '\u{c3e}'..='\u{c4d}' | '\u{cbc}'..='\u{ccd}' | '\u{d3e}'..='\u{d4d}'
        | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{1037}'..='\u{103a}' | '\u{17b4}'..='\u{17d3}')
}

fn is_mark(c: char) -> bool {
    !c.is_whitespace() && !is_letter(c) && !c.is_numeric()
}

/// The bytes of the word at the start of `text`: capitals, then small letters, then an English ending after an apostrophe.
fn word_length(text: &str) -> usize {
    let mut length = 0;
    let mut is_small = false;
    for c in text.chars() {
        if !is_letter(c) || is_small && c.is_uppercase() {
            break;
        }
        is_small |= c.is_lowercase();
        length += c.len_utf8();
    }
    let ending = text[length..].strip_prefix('\'').map_or(0, |rest| {
        let ending = rest.chars().take_while(char::is_ascii_alphabetic).count();
        if ["s", "t", "re", "ve", "m", "ll", "d"].contains(&&*rest[..ending].to_ascii_lowercase()) {
            ending + 1
        } else {
            0
        }
    });
    length + ending
}

/// How words of a script grow: up to `free` letters they are one token, and each letter beyond adds `each`.
#[derive(Clone, Copy)]
struct Growth {
    free: f64,
    each: f64,
}

impl Growth {
    fn tokens(self, letters: f64) -> f64 {
        1.0 + (letters - self.free).max(0.0) * self.each
    }
}

/// Words in basic Latin letters. In English: after a space in lower case and capitalised, at the start of a text, in code.
const PLAIN: Growth = Growth { free: 4.0, each: 0.025 };
const TITLE: Growth = Growth { free: 4.0, each: 0.05 };
const START: Growth = Growth { free: 3.0, each: 0.1 };
const CODE: Growth = Growth { free: 2.0, each: 0.12 };
/// Abbreviations and constants, in any language.
const UPPER: Growth = Growth { free: 2.0, each: 0.16 };
/// In languages of which the vocabulary has many words, and in others, to which names belong.
const LARGE_PLAIN: Growth = Growth { free: 5.0, each: 0.13 };
const LARGE_TITLE: Growth = Growth { free: 4.5, each: 0.17 };
const OTHER_PLAIN: Growth = Growth { free: 3.5, each: 0.22 };
const OTHER_TITLE: Growth = Growth { free: 2.7, each: 0.21 };

/// Tokens of a word, where `english` and `large` are how likely it is to be English, and of another language in `LARGE`.
fn word(letters: &str, lead: Lead, [english, large]: [f64; 2]) -> f64 {
    let count = letters.chars().count() as f64;
    let by_language = |[ours, theirs, others]: [Growth; 3]| {
        ours.tokens(count) * english
            + theirs.tokens(count) * large
            + others.tokens(count) * (1.0 - english - large)
    };
    let Some(letter) = letters.chars().find(|c| !c.is_ascii()) else {
        let growths = match (case(letters), lead) {
            (Case::Upper, _) if count > 1.0 => [UPPER; 3],
            (Case::Lower, Lead::Space) => [PLAIN, LARGE_PLAIN, OTHER_PLAIN],
            (Case::Lower, Lead::None) => [START, LARGE_PLAIN, OTHER_PLAIN],
            (Case::Lower, Lead::Mark) => [CODE, CODE, OTHER_PLAIN],
            (Case::Title | Case::Upper, Lead::Space) => [TITLE, LARGE_TITLE, OTHER_TITLE],
            (Case::Title | Case::Upper, Lead::None) => [START, LARGE_TITLE, OTHER_TITLE],
            (Case::Title | Case::Upper, Lead::Mark) => [CODE, LARGE_TITLE, OTHER_TITLE],
        };
        return by_language(growths);
    };
    let (theirs, others) = growth(letter);
    by_language([theirs, theirs, others])
}

enum Case {
    Upper,
    Title,
    Lower,
}

fn case(letters: &str) -> Case {
    let mut chars = letters.chars();
    if !chars.next().is_some_and(char::is_uppercase) {
        return Case::Lower;
    }
    if chars.any(char::is_lowercase) { Case::Title } else { Case::Upper }
}

/// How words with this letter grow: in a language of `LARGE`, and in others.
fn growth(letter: char) -> (Growth, Growth) {
    let both = |free: f64, each: f64| (Growth { free, each }, Growth { free, each });
    match letter {
        // Vietnamese.
        '\u{1a0}' | '\u{1a1}' | '\u{1af}' | '\u{1b0}' | '\u{110}' | '\u{111}' | '\u{1ea0}'..='\u{1ef9}' => {
            both(1.3, 0.62)
        }
        // Latin with marks.
        '\u{80}'..='\u{36f}' | '\u{1e00}'..='\u{1eff}' => {
            (Growth { free: 3.2, each: 0.14 }, Growth { free: 1.5, each: 0.31 })
        }
        // Cyrillic, Greek, Armenian, Hebrew, Arabic.
        '\u{400}'..='\u{52f}' => (Growth { free: 3.0, each: 0.19 }, Growth { free: 2.0, each: 0.28 }),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => both(2.8, 0.4),
        '\u{530}'..='\u{58f}' => both(2.0, 0.21),
        '\u{590}'..='\u{5ff}' => both(2.2, 0.44),
        '\u{600}'..='\u{6ff}' | '\u{750}'..='\u{77f}' => both(2.2, 0.29),
        // Devanagari, Bengali, scripts of the south of India, Thai and Lao, Georgian.
        '\u{900}'..='\u{97f}' => both(2.0, 0.27),
        '\u{980}'..='\u{9ff}' => both(2.0, 0.33),
        '\u{a80}'..='\u{d7f}' => both(2.0, 0.35),
        '\u{e00}'..='\u{e7f}' => both(1.5, 0.41),
        '\u{10a0}'..='\u{10ff}' => both(2.0, 0.25),
        // Hangul, kana and Han.
        '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7af}' => both(0.9, 0.53),
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' => both(0.8, 0.79),
        _ => both(1.0, 0.9),
    }
}

/// Tokens of a run of punctuation and symbols.
fn marks_count(marks: &str) -> f64 {
    let (mut ascii, mut others) = (0.0, 0.0);
    for c in marks.chars() {
        match c {
            '\0'..='\x7f' => ascii += 1.0,
            // Dashes, quotation marks, ideographic punctuation.
            '\u{80}'..='\u{bf}'
            | '\u{2000}'..='\u{20cf}'
            | '\u{3000}'..='\u{303f}'
            | '\u{ff00}'..='\u{ffef}' => others += 1.0,
            _ => others += 2.0,
        }
    }
    // The same mark repeated, as in a line of dashes, is few tokens.
    let first = marks.chars().next();
    if ascii > 4.0 && others == 0.0 && marks.chars().all(|c| Some(c) == first) {
        return 1.0 + ascii / 32.0;
    }
    let ascii: f64 = if ascii == 0.0 { 0.0 } else { 1.0 + (ascii - 2.0_f64).max(0.0) * 0.32 };
    (ascii + others).max(1.0)
}
