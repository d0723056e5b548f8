//! A person's name, found by the structure of the sentence: the run of capitalised words that looks most like a
//! person.

use std::ops::Range;

use super::age;
use super::lexicon::{
    CALENDAR, JOBS, JOBS_AND_SURNAMES, NOT_NAMES, ORGANISATIONS, PARTICLES, PREPOSITIONS, STOPS, SUFFIXES,
    TITLES, VERBS,
};
use super::proper;
use super::prose::Prose;
use super::words::{Kind, Token};

/// A name and its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) range: Range<usize>,
    pub(super) sentence: Range<usize>,
}

/// The name in `prose`.
pub(super) fn find(prose: &Prose<'_>) -> Option<Name> {
    let mut best: Option<(i32, Name)> = None;
    for sentence in &prose.sentences {
        for run in runs(prose, sentence) {
            let score = score(prose, sentence, &run);
            if score > -3 && best.as_ref().is_none_or(|(other, _)| score > *other) {
                best = Some((score, Name { range: run, sentence: sentence.clone() }));
            }
        }
    }
    match best {
        Some((score, name)) if score > 0 => Some(name),
        weak => uncapitalised(prose).or(weak.map(|(_, name)| name)),
    }
}

/// The runs of words in `sentence` that are written like a person's name.
fn runs(prose: &Prose<'_>, sentence: &Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = sentence.start;
    while at < sentence.end {
        let Some(end) = run_end(prose, sentence, at) else {
            at += 1;
            continue;
        };
        let start = at + job_prefix(prose.tokens.get(at..end).unwrap_or(&[]));
        if start < end {
            found.push(start..end);
        }
        at = end;
    }
    found
}

/// The end of the name that begins at `at`, if one begins there.
fn run_end(prose: &Prose<'_>, sentence: &Range<usize>, at: usize) -> Option<usize> {
    let get = |at| prose.get(sentence, at);
    get(at).filter(|token| is_name_word(token) && !token.among(&TITLES) && !token.among(&CALENDAR))?;
    let mut end = at + 1;
    loop {
        let mut next = end;
        while get(next).is_some_and(|token| token.among(&PARTICLES)) && next < end + 3 {
            next += 1;
        }
        let quoted = get(next).is_some_and(|token| token.is_any(&["\"", "“", "("]))
            && get(next + 2).is_some_and(|token| token.is_any(&["\"", "”", ")"]))
            && get(next + 1).is_some_and(is_name_word)
            && get(next + 3).is_some_and(is_name_word);
        if quoted {
            end = next + 4;
        } else if get(next).is_some_and(|token| is_name_word(token) || token.among(&SUFFIXES) && next == end)
        {
            end = next + 1;
        } else {
            return Some(end);
        }
    }
}

fn is_name_word(token: &Token<'_>) -> bool {
    let compound = ["-based", "-born", "-trained", "-raised", "-educated", "-old"]
        .iter()
        .any(|end| token.lower.ends_with(end));
    token.is_capitalised() && !token.is_acronym() && !compound && !token.among(&NOT_NAMES)
}

/// How many tokens at the start of a capitalised run are a job, as in `Software Engineer Ann Lee`.
fn job_prefix(run: &[Token<'_>]) -> usize {
    let surely = run.iter().rposition(|token| token.among(&JOBS)).map_or(0, |at| at + 1);
    let first_of_three = run.len() > 2 && run.first().is_some_and(|token| token.among(&JOBS_AND_SURNAMES));
    surely.max(usize::from(first_of_three))
}

fn score(prose: &Prose<'_>, sentence: &Range<usize>, run: &Range<usize>) -> i32 {
    let get = |at: usize| prose.get(sentence, at);
    let before = |distance: usize| run.start.checked_sub(distance).and_then(get);
    let words = prose.tokens.get(run.clone()).unwrap_or(&[]);
    let mut score = i32::from(words.len() > 1) + i32::from(run.start == sentence.start);

    if let Some(next) = get(run.end) {
        let opens = next.is_any(&[",", "(", "-", "–", "—", ":", ";", "|"]);
        let then = get(run.end + 1);
        let described = |token: &Token<'_>| {
            token.kind == Kind::Number || token.is_any(&["aged", "age", "a", "an", "who"])
        };
        score += match next {
            verb if verb.among(&VERBS) => 3,
            job if job.among(&JOBS) => -4,
            _ if opens && then.is_some_and(described) => 3,
            label if label.is(":") => -3,
            _ if opens => 1,
            verb if verb.kind == Kind::Word && (verb.lower.ends_with('s') || verb.lower.ends_with("ed")) => 2,
            _ => 0,
        };
    }
    let title = before(1).is_some_and(|token| token.among(&TITLES));
    let previous = if title { before(2) } else { before(1) };
    score += 2 * i32::from(title);
    if let Some(previous) = previous {
        let after_age = run.start.checked_sub(1).is_some_and(|last| ends_age(prose, sentence, last));
        score += match previous {
            word if word.is_any(&["named", "called", "meet", "introducing", "'m", "am", "i'm"]) => 4,
            word if word.is("to")
                && before(2).is_some_and(|token| token.is_any(&["hello", "welcome", "hi"])) =>
            {
                4
            }
            word if word.is_any(&["is", "'s", ":", "=", "\""]) && says_name(prose, sentence, run.start) => 5,
            _ if after_age => 4,
            word if word.among(&PREPOSITIONS) => -4,
            word if word.is_any(&["to", "by", "with", "for", "of"]) => -2,
            word if word.kind == Kind::Word && word.among(&JOBS) => 2,
            _ => 0,
        };
    }
    if words.iter().any(|token| token.among(&ORGANISATIONS)) || proper::is_country(prose, run) {
        score -= 4;
    }
    let aged = prose.tokens.get(sentence.clone()).and_then(age::clear).is_some();
    score + i32::from(aged)
}

/// Whether the age expression that ends with token `last` immediately precedes what follows.
fn ends_age(prose: &Prose<'_>, sentence: &Range<usize>, last: usize) -> bool {
    let tokens = prose.tokens.get(sentence.clone()).unwrap_or(&[]);
    let last = last - sentence.start.min(last);
    (last.saturating_sub(5)..=last)
        .any(|at| age::clear_at(tokens, at).is_some_and(|age| age.range.end == last + 1))
}

/// Whether the words before `at` announce a name: `My name is`, `Name:`, `the name of the person is`.
fn says_name(prose: &Prose<'_>, sentence: &Range<usize>, at: usize) -> bool {
    let from = at.saturating_sub(8).max(sentence.start);
    let before = prose.tokens.get(from..at).unwrap_or(&[]);
    let said = before.iter().rposition(|token| token.is_any(&["name", "full_name", "fullname", "person"]));
    let broken = |token: &Token<'_>| token.is_any(&[",", ";", "|"]);
    said.is_some_and(|said| !before.iter().skip(said).any(broken))
}

/// A name in lower case: after `my name is`, else the first words before the verb.
fn uncapitalised(prose: &Prose<'_>) -> Option<Name> {
    let words_from = |sentence: &Range<usize>, start: usize| {
        let plain =
            |token: &Token<'_>| token.kind == Kind::Word && !token.among(&STOPS) && !token.among(&NOT_NAMES);
        let words = prose.tokens.get(start..sentence.end).unwrap_or(&[]);
        let length = words.iter().take_while(|token| plain(token)).count();
        ((1..=4).contains(&length)).then(|| Name { range: start..start + length, sentence: sentence.clone() })
    };
    prose.sentences.iter().find_map(|sentence| {
        let introduced = (sentence.start..sentence.end).find(|at| {
            prose.get(sentence, *at).is_some_and(|token| token.is_any(&["is", "'s"]))
                && at
                    .checked_sub(1)
                    .and_then(|before| prose.get(sentence, before))
                    .is_some_and(|token| token.is("name"))
        });
        let name = words_from(sentence, introduced.map_or(sentence.start, |at| at + 1))?;
        let verb =
            prose.get(sentence, name.range.end).is_some_and(|token| token.among(&VERBS) || token.is(","));
        (introduced.is_some() || verb).then_some(name)
    })
}
