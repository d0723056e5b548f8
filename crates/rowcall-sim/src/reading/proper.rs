//! Places, companies and things: capitalised words that are not the person, identified by the word before them.

use std::ops::Range;

use super::lexicon::{CALENDAR, COUNTRIES, NOT_NAMES, ORGANISATIONS};
use super::prose::Prose;
use super::words::Kind;

/// A city: the words after `in`, before a country, or after `from`, that are not a country.
pub(super) fn city<'t>(prose: &Prose<'t>, person: Option<&Range<usize>>) -> Option<&'t str> {
    let runs = runs(prose, person);
    let after = |words: &[&str]| {
        let mut fitting = runs.iter().filter(|run| preceded(prose, run, words) && !is_country(prose, run));
        fitting.find(|run| !is_organisation(prose, run)).map(|run| prose.span(run.clone()))
    };
    let before_country = || {
        let leads = |run: &Range<usize>| {
            let comma = prose.tokens.get(run.end).is_some_and(|token| token.is(","));
            comma && runs.iter().any(|other| other.start == run.end + 1 && is_country(prose, other))
        };
        runs.iter().find(|run| leads(run)).map(|run| prose.span(run.clone()))
    };
    after(&["in"]).or_else(before_country).or_else(|| after(&["from", "near"]))
}

/// A country by its English name.
pub(super) fn country<'t>(prose: &Prose<'t>) -> Option<&'t str> {
    let country = runs(prose, None).into_iter().find(|run| is_country(prose, run));
    country.map(|run| prose.span(run))
}

/// A company: by its suffix, else the words after `at`, `for`, `by`, `with` or `from`.
pub(super) fn organisation<'t>(prose: &Prose<'t>, person: Option<&Range<usize>>) -> Option<&'t str> {
    let runs = runs(prose, person);
    let after =
        |words: &[&str]| runs.iter().find(|run| preceded(prose, run, words) && !is_country(prose, run));
    let found = runs.iter().find(|run| is_organisation(prose, run));
    let found = found.or_else(|| after(&["at", "for"])).or_else(|| after(&["by", "with", "joined", "from"]));
    found.map(|run| prose.span(run.clone()))
}

/// A thing: the words in quotation marks, else the first capitalised words that are not the person.
pub(super) fn thing<'t>(prose: &Prose<'t>, person: Option<&Range<usize>>) -> Option<&'t str> {
    quoted(prose.text).or_else(|| runs(prose, person).into_iter().next().map(|run| prose.span(run)))
}

/// The text in the first pair of quotation marks, up to 200 bytes.
pub(super) fn quoted(text: &str) -> Option<&str> {
    [('"', '"'), ('“', '”'), ('«', '»')].into_iter().find_map(|(open, close)| {
        let (_, rest) = text.split_once(open)?;
        let (inside, _) = rest.split_once(close)?;
        (!inside.trim().is_empty() && inside.len() <= 200).then_some(inside.trim())
    })
}

/// Runs of capitalised words, including numbers inside them, without the person's name.
fn runs(prose: &Prose<'_>, person: Option<&Range<usize>>) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    for sentence in &prose.sentences {
        let mut at = sentence.start;
        while at < sentence.end {
            let part = |at: usize| {
                let token =
                    prose.get(sentence, at).filter(|_| person.is_none_or(|person| !person.contains(&at)));
                let common = |lower: &str| NOT_NAMES.has(lower) || CALENDAR.has(lower);
                token.is_some_and(|token| {
                    (token.is_capitalised() || token.is_acronym())
                        && (at > sentence.start && token.text.len() > 1 || !common(&token.lower))
                })
            };
            let start = at;
            while part(at)
                || at > start
                    && prose.get(sentence, at).is_some_and(|token| {
                        token.is("&") || token.kind == Kind::Word && token.is("of") && part(at + 1)
                    })
            {
                at += 1;
            }
            if at > start {
                runs.push(start..at);
            }
            at += 1;
        }
    }
    runs
}

fn preceded(prose: &Prose<'_>, run: &Range<usize>, words: &[&str]) -> bool {
    let before = |distance| run.start.checked_sub(distance).and_then(|at| prose.tokens.get(at));
    let article = before(1).is_some_and(|token| token.is("the"));
    before(if article { 2 } else { 1 }).is_some_and(|token| token.is_any(words))
}

pub(super) fn is_country(prose: &Prose<'_>, run: &Range<usize>) -> bool {
    let words: Vec<_> =
        prose.tokens.get(run.clone()).unwrap_or(&[]).iter().map(|token| token.lower.as_str()).collect();
    COUNTRIES.has(&words.join("_"))
}

fn is_organisation(prose: &Prose<'_>, run: &Range<usize>) -> bool {
    prose.tokens.get(run.clone()).unwrap_or(&[]).iter().any(|token| token.among(&ORGANISATIONS))
}
