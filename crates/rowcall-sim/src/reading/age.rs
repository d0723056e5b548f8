//! A person's age, found by the structure of the sentence.

use std::ops::Range;

use super::words::{Kind, Token};

/// An age and the tokens that say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Age {
    pub(super) years: u32,
    pub(super) range: Range<usize>,
}

const YEAR_OLD: &[&str] =
    &["year-old", "years-old", "yr-old", "yrs-old", "yo", "y/o", "y.o", "y.o.", "year-olds"];
const YEARS: &[&str] = &["year", "years", "yr", "yrs"];
const ABOUT: &[&str] =
    &["is", "of", ":", "=", ",", "about", "around", "just", "only", "was", "nearly", "\"", "-"];
const ADVERBS: &[&str] =
    &["now", "currently", "just", "only", "already", "about", "around", "nearly", "almost", "still"];
const AFTER_AGE: &[&str] =
    &["and", "but", "now", "today", "this", "with", "while", "who", "as", "so", "years", "year"];

/// The age in these sentences: one that is stated clearly, else one in a typical position, else a likely number.
pub(super) fn find(tokens: &[Token<'_>], sentences: &[Range<usize>]) -> Option<Age> {
    let in_sentences = |read: fn(&[Token<'_>]) -> Option<Age>| {
        sentences.iter().find_map(|sentence| {
            let age = read(tokens.get(sentence.clone())?)?;
            Some(Age {
                years: age.years,
                range: age.range.start + sentence.start..age.range.end + sentence.start,
            })
        })
    };
    in_sentences(clear).or_else(|| in_sentences(placed)).or_else(|| in_sentences(loose))
}

/// An age that is stated as one: `30-year-old`, `aged 30`, `thirty years of age`.
pub(super) fn clear(tokens: &[Token<'_>]) -> Option<Age> {
    (0..tokens.len()).find_map(|at| years_old(tokens, at).or_else(|| aged(tokens, at)))
}

/// Every clearly stated age, for skipping.
pub(super) fn clear_at(tokens: &[Token<'_>], at: usize) -> Option<Age> {
    years_old(tokens, at).or_else(|| aged(tokens, at))
}

fn years_old(tokens: &[Token<'_>], at: usize) -> Option<Age> {
    let word = tokens.get(at)?;
    let glued = YEAR_OLD.iter().find_map(|ending| word.lower.strip_suffix(ending));
    if let Some(years) = glued.and_then(|stem| spoken_or_digits(stem.trim_end_matches('-'))) {
        return plausible(years, at..at + 1);
    }
    let (years, mut next) = number(tokens, at)?;
    while is_dash(tokens.get(next)) {
        next += 1;
    }
    let unit = tokens.get(next)?;
    if unit.is_any(YEAR_OLD) {
        return plausible(years, at..next + 1);
    }
    if !unit.is_any(YEARS) {
        return None;
    }
    next += 1;
    while is_dash(tokens.get(next)) {
        next += 1;
    }
    match tokens.get(next)? {
        old if old.is_any(&["old", "young"]) => plausible(years, at..next + 1),
        of if of.is("of") && tokens.get(next + 1).is_some_and(|age| age.is("age")) => {
            plausible(years, at..next + 2)
        }
        _ => None,
    }
}

fn aged(tokens: &[Token<'_>], at: usize) -> Option<Age> {
    tokens.get(at).filter(|token| token.is_any(&["aged", "age", "ages"]))?;
    let mut next = at + 1;
    while next <= at + 3 && tokens.get(next).is_some_and(|token| token.is_any(ABOUT)) {
        next += 1;
    }
    let (years, mut end) = number(tokens, next)?;
    if tokens.get(end).is_some_and(|token| token.is_any(YEARS)) {
        end += 1;
    }
    plausible(years, at..end)
}

/// A number in a typical position for an age: `Ann, 30,`, `Ann (30)`, `is 30`, `At 30,`, `turned 30`.
fn placed(tokens: &[Token<'_>]) -> Option<Age> {
    (0..tokens.len()).find_map(|at| {
        let (years, end) = number(tokens, at)?;
        let mut before = at;
        while before > 0 && tokens.get(before - 1).is_some_and(|token| token.is_any(ADVERBS)) {
            before -= 1;
        }
        let before = before.checked_sub(1).and_then(|before| tokens.get(before));
        let after = tokens.get(end);
        let closed = after.is_none_or(|token| token.kind != Kind::Word || token.is_any(AFTER_AGE));
        let opened = before.is_some_and(|token| {
            token.is_any(&["is", "'m", "'s", "am", "was", "turned", "turns", "turning", "at", "being"])
                || token.kind == Kind::Mark && !token.is_any(&["$", "€", "£", "#", "%", "/"])
        });
        let bounded = before.is_none() && after.is_some_and(|token| token.kind == Kind::Mark);
        let percent = after.is_some_and(|token| token.is_any(&["%", "$", "€", "/"]));
        let years_of = after.is_some_and(|token| token.is_any(YEARS));
        ((opened && closed || bounded) && !percent && !years_of).then(|| plausible(years, at..end))?
    })
}

/// A number that could be an age and counts nothing else.
fn loose(tokens: &[Token<'_>]) -> Option<Age> {
    (0..tokens.len()).find_map(|at| {
        tokens.get(at).filter(|token| token.kind == Kind::Number)?;
        let (years, end) = number(tokens, at)?;
        let counts =
            tokens.get(end).is_some_and(|token| token.kind == Kind::Word && !token.is_any(AFTER_AGE));
        (!counts && years >= 14).then(|| plausible(years, at..end))?
    })
}

fn plausible(years: u32, range: Range<usize>) -> Option<Age> {
    (1..=120).contains(&years).then_some(Age { years, range })
}

fn is_dash(token: Option<&Token<'_>>) -> bool {
    token.is_some_and(|token| token.is_any(&["-", "–", "\u{2011}", "\u{2010}"]))
}

/// The whole number in digits or words at `at`, and where it ends.
fn number(tokens: &[Token<'_>], at: usize) -> Option<(u32, usize)> {
    let token = tokens.get(at)?;
    if token.kind == Kind::Number {
        return token.text.parse().ok().map(|years| (years, at + 1));
    }
    let tens = spoken(&token.lower)?;
    let mut next = at + 1;
    if is_dash(tokens.get(next)) {
        next += 1;
    }
    let unit = tokens.get(next).and_then(|token| spoken(&token.lower)).filter(|unit| (1..10).contains(unit));
    match unit {
        Some(unit) if tens >= 20 && tens % 10 == 0 => Some((tens + unit, next + 1)),
        _ => Some((tens, at + 1)),
    }
}

fn spoken_or_digits(word: &str) -> Option<u32> {
    word.parse().ok().or_else(|| spoken(word))
}

/// `thirty`, `twenty-five`, `nineteen`.
pub(super) fn spoken(word: &str) -> Option<u32> {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let index_of =
        |words: &[&str], word: &str| words.iter().position(|each| *each == word).map(|at| at as u32);
    if let Some(small) = index_of(&SMALL, word) {
        return Some(small);
    }
    let (tens, unit) = word.split_once('-').unwrap_or((word, "zero"));
    Some((index_of(&TENS, tens)? + 2) * 10 + index_of(&SMALL, unit).filter(|unit| *unit < 10)?)
}
