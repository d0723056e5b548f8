//! A person's occupation, found by the structure of the sentence, in the words of the text. The patterns are tried
//! from the clearest to the vaguest.

use std::ops::Range;

use super::age;
use super::lexicon::{
    ANYBODY, JOB_ENDINGS, JOBS, JOBS_AND_SURNAMES, JOBS_IN_LOWER_CASE, NOT_JOBS, PARTICLES, STOPS,
};
use super::name::Name;
use super::prose::Prose;
use super::words::{Kind, Token};

const ARTICLES: &[&str] = &["a", "an", "the"];
const DETERMINERS: &[&str] = &["a", "an", "the", "our", "my", "their", "his", "her", "its", "your"];
const ADVERBS: &[&str] = &[
    "now",
    "currently",
    "also",
    "still",
    "just",
    "presently",
    "actually",
    "really",
    "already",
    "then",
    "today",
];
const COPULAS: &[&str] =
    &["is", "'s", "was", "am", "'m", "became", "becomes", "become", "being", "been", "remains", "are"];
const LABELS: &[&str] = &[
    "occupation",
    "job",
    "profession",
    "role",
    "position",
    "title",
    "jobtitle",
    "job_title",
    "vocation",
    "trade",
    "career",
    "work",
];
const WORK: &[&str] = &[
    "work",
    "works",
    "working",
    "worked",
    "employed",
    "serves",
    "serving",
    "served",
    "serve",
    "job",
    "career",
    "living",
    "hired",
    "acts",
    "acting",
    "practises",
    "practices",
    "practicing",
    "trained",
    "qualified",
    "licensed",
    "earns",
    "employs",
    "position",
    "role",
    "started",
    "joined",
    "engaged",
    "toils",
    "spends",
    "moonlights",
    "money",
    "shifts",
    "income",
    "employment",
    "days",
    "bread",
    "trains",
    "training",
    "began",
    "begun",
    "made",
    "contract",
];

/// The occupation in `prose`, exactly as in the text, without an article.
pub(super) fn find<'t>(prose: &Prose<'t>, name: Option<&Name>) -> Option<&'t str> {
    let everywhere = |way: fn(&Sentence<'_, '_>, usize) -> Option<Range<usize>>| {
        prose.sentences.iter().find_map(|range| {
            let sentence = Sentence { prose, range: range.clone() };
            range.clone().find_map(|at| way(&sentence, at))
        })
    };
    let range = everywhere(labelled)
        .or_else(|| everywhere(works_as))
        .or_else(|| everywhere(after_age))
        .or_else(|| everywhere(by_profession))
        .or_else(|| everywhere(is_one))
        .or_else(|| everywhere(apposed))
        .or_else(|| everywhere(as_one))
        .or_else(|| everywhere(bare))
        .or_else(|| before_name(prose, name?))?;
    Some(prose.span(range))
}

/// A sentence that is examined token by token.
struct Sentence<'p, 't> {
    prose: &'p Prose<'t>,
    range: Range<usize>,
}

impl<'t> Sentence<'_, 't> {
    fn get(&self, at: usize) -> Option<&Token<'t>> {
        self.prose.get(&self.range, at)
    }

    fn is(&self, at: usize, words: &[&str]) -> bool {
        self.get(at).is_some_and(|token| token.is_any(words))
    }

    fn before(&self, at: usize, distance: usize) -> Option<&Token<'t>> {
        at.checked_sub(distance).and_then(|at| self.get(at))
    }

    fn skip(&self, mut at: usize, words: &[&str]) -> usize {
        while self.is(at, words) {
            at += 1;
        }
        at
    }

    /// The clearly stated age at `at` in this sentence, as a range of tokens.
    fn age(&self, at: usize) -> Option<Range<usize>> {
        let tokens = self.prose.tokens.get(..self.range.end)?;
        age::clear_at(tokens, at).map(|age| age.range)
    }
}

/// `Occupation: nurse`, `her job is nurse`, `the profession of Ann Lee is nurse`.
fn labelled(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    sentence.get(at).filter(|token| token.is_any(LABELS))?;
    let link = (at + 1..at + 9).take_while(|at| !sentence.is(*at, &[",", ";", "|", "as"]));
    let link = link.into_iter().find(|at| sentence.is(*at, &["is", "'s", ":", "=", "-", "–", "was"]))?;
    let start = sentence.skip(link + 1, &["\"", "a", "an", "the", "that", "of", "currently", "now", "being"]);
    phrase(sentence, start).filter(|range| !is_anybody(sentence, range))
}

/// `works as a nurse`, `is employed by Acme as nurse`, `earns a living as a nurse`, `the role of nurse`.
fn works_as(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    let link = sentence.is(at, &["as"])
        && !sentence.is(at + 1, &["of", "well", "soon", "much", "long", "many", "if", "though"])
        && (1..=9).any(|distance| sentence.before(at, distance).is_some_and(|token| token.is_any(WORK)));
    let held = sentence.is(at, &["of"])
        && sentence
            .before(at, 1)
            .is_some_and(|token| token.is_any(&["position", "role", "job", "post", "title"]));
    if !link && !held {
        return None;
    }
    let start = sentence.skip(at + 1, ARTICLES);
    phrase(sentence, sentence.skip(start, &["our", "their", "its", "his", "her", "one", "of"]))
}

/// `a 30-year-old nurse`.
fn after_age(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    let age = sentence.age(at)?;
    let found = phrase(sentence, age.end).filter(|range| !is_anybody(sentence, range))?;
    let first = sentence.get(found.start)?;
    let looks_like_name = first.is_capitalised() && !first.is_acronym();
    (!looks_like_name || ends_in_job(sentence, &found)).then_some(found)
}

/// `a nurse by profession`, `by trade a nurse`, `Professionally a nurse`.
fn by_profession(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    let said = sentence.is(at, &["professionally", "occupationally"])
        || sentence.is(at, &["by"])
            && sentence.is(at + 1, &["profession", "trade", "training", "occupation", "vocation"]);
    if !said {
        return None;
    }
    let next = at + 1 + usize::from(sentence.is(at, &["by"]));
    let after = sentence.skip(next, &[",", "is", "he", "she", "i", "'m", "am", "'s"]);
    if sentence.is(after, ARTICLES) {
        return phrase(sentence, after + 1);
    }
    let article = (sentence.range.start..at).rev().find(|at| sentence.is(*at, ARTICLES));
    let start = article.map_or(sentence.range.start, |article| article + 1);
    phrase(sentence, start).filter(|range| range.end == at)
}

/// `is a nurse`, `became a nurse`, `is head of marketing`.
fn is_one(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    sentence.get(at).filter(|token| token.is_any(COPULAS))?;
    let start = sentence.skip(at + 1, ADVERBS);
    let start = sentence.skip(start, &["both", "one", "of"]);
    let article = sentence.is(start, DETERMINERS);
    let found =
        phrase(sentence, start + usize::from(article)).filter(|range| !is_anybody(sentence, range))?;
    let words = sentence.prose.tokens.get(found.clone())?;
    let known = words.iter().any(|token| token.among(&JOBS)) || words.iter().any(|token| token.is("of"));
    (article || known).then_some(found)
}

/// `Ann, a nurse,` and `is 30 and a nurse`.
fn apposed(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    let opens = sentence.is(at, &[",", "-", "–", "—", "(", "and", ":"]) && sentence.is(at + 1, ARTICLES);
    let start = sentence.skip(at + 2, ADVERBS);
    if !opens || sentence.age(start).is_some() {
        return None;
    }
    phrase(sentence, start).filter(|range| !is_anybody(sentence, range))
}

/// `as a nurse`.
fn as_one(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    if !sentence.is(at, &["as"]) || !sentence.is(at + 1, ARTICLES) {
        return None;
    }
    phrase(sentence, at + 2).filter(|range| ends_in_job(sentence, range))
}

/// A piece between commas, brackets or dashes that is only a job: `Ann, 30, nurse`.
fn bare(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    let opens =
        at == sentence.range.start || sentence.before(at, 1).is_some_and(|token| token.kind == Kind::Mark);
    let found = phrase(sentence, sentence.skip(at, DETERMINERS))
        .filter(|range| opens && !is_anybody(sentence, range))?;
    let closed = sentence.get(found.end).is_none_or(|token| token.kind == Kind::Mark || is_stop(token));
    let first = sentence.get(found.start)?;
    let only_piece = at == sentence.range.start && found.end == sentence.range.end;
    let plain = !first.is_capitalised() || first.is_acronym() || found.len() > 1;
    (closed && plain && !only_piece && ends_in_job(sentence, &found)).then_some(found)
}

/// `The barista Ann Lee`, `Software Engineer Ann Lee`.
fn before_name(prose: &Prose<'_>, name: &Name) -> Option<Range<usize>> {
    let sentence = Sentence { prose, range: name.sentence.clone() };
    let mut start = name.range.start;
    while let Some(token) = sentence.before(start, 1) {
        if token.kind != Kind::Word || is_stop(token) || token.is_any(ARTICLES) {
            break;
        }
        start -= 1;
    }
    let found = start..name.range.start;
    let titled = sentence.before(name.range.start, 1).is_some_and(|token| token.among(&JOBS_AND_SURNAMES));
    (!found.is_empty() && !is_anybody(&sentence, &found) && (titled || ends_in_job(&sentence, &found)))
        .then_some(found)
}

/// Whether a job title ends before this word; a company's `IT` is not the pronoun.
fn is_stop(token: &Token<'_>) -> bool {
    token.among(&STOPS) && !token.is_acronym()
}

/// The words from `start` that can be a job title.
fn phrase(sentence: &Sentence<'_, '_>, start: usize) -> Option<Range<usize>> {
    let mut at = start;
    while let Some(token) = sentence.get(at) {
        let first = at == start;
        if joins(token, first) && sentence.age(at).is_none() {
            at = job_from(sentence, at + 1).map_or(at, |next| next.end);
            break;
        }
        let ends = token.kind != Kind::Word && (first || !token.is("&"))
            || sentence.age(at).is_some()
            || !first && token.is("of") && sentence.get(at + 1).is_none_or(|next| next.kind == Kind::Number)
            || is_stop(token) && !belongs(sentence, at, first)
            || !first && begins_name(sentence, at);
        if ends {
            break;
        }
        at += 1;
    }
    let found = trimmed(sentence, start..at);
    (!found.is_empty()).then_some(found)
}

/// Whether a job title continues after this word if a job follows: `writer and illustrator`, `ship's cook`, `911
/// dispatcher`.
fn joins(token: &Token<'_>, first: bool) -> bool {
    if first { token.kind == Kind::Number } else { token.is_any(&["and", "'s"]) }
}

/// The words from `at` if they are only a job.
fn job_from(sentence: &Sentence<'_, '_>, at: usize) -> Option<Range<usize>> {
    sentence.get(at).filter(|next| next.kind == Kind::Word && !is_stop(next))?;
    phrase(sentence, at).filter(|next| ends_in_job(sentence, next) && !is_anybody(sentence, next))
}

/// `editor in chief`, `attorney at law`, `captain of a ship`.
fn belongs(sentence: &Sentence<'_, '_>, at: usize, first: bool) -> bool {
    let fixed = sentence.is(at, &["in", "at"])
        && sentence.is(at + 1, &["chief", "law", "residence", "training", "arms"]);
    let of_article = sentence.is(at, ARTICLES) && sentence.before(at, 1).is_some_and(|token| token.is("of"));
    !first && (fixed || of_article)
}

/// Whether a person's name begins at `at` inside a job title, as in `barista Ann Lee`.
fn begins_name(sentence: &Sentence<'_, '_>, at: usize) -> bool {
    let capital = |at: usize| {
        let part =
            |token: &Token<'_>| token.is_capitalised() && !token.is_acronym() || token.among(&PARTICLES);
        sentence.get(at).is_some_and(part)
    };
    let capitalised = sentence.get(at).is_some_and(Token::is_capitalised);
    let Some(before) = sentence.before(at, 1).filter(|_| capital(at) && capitalised) else { return false };
    if before.is_any(&["of", "and", "&", "/", "-"]) || before.kind != Kind::Word {
        return false;
    }
    if is_job(before) {
        return !sentence.get(at).is_some_and(is_job);
    }
    let after = (at..sentence.range.end).find(|at| !capital(*at));
    let continues = after
        .and_then(|at| sentence.get(at))
        .is_some_and(|token| token.kind == Kind::Word && !is_stop(token) && !token.is("and"));
    !before.is_capitalised()
        && !continues
        && !sentence.get(after.map_or(sentence.range.end, |at| at) - 1).is_some_and(is_job)
}

/// Trims what only seems to belong: words after the last known job, and times such as `full-time`.
fn trimmed(sentence: &Sentence<'_, '_>, mut range: Range<usize>) -> Range<usize> {
    const LINKS: &[&str] = &["of", "de", "in", "at", "general"];
    const TRAILING: &[&str] = &[
        "of",
        "and",
        "-",
        "/",
        "&",
        "now",
        "today",
        "currently",
        "here",
        "there",
        "too",
        "also",
        "full-time",
        "part-time",
        "full",
        "part",
        "time",
    ];
    let words = || range.clone().filter_map(|at| Some((at, sentence.get(at)?)));
    let known = words().rfind(|(_, token)| token.among(&JOBS));
    let last = words().rfind(|(_, token)| is_job(token));
    if let (Some(_), Some((last, _))) = (known, last) {
        let linked = words().any(|(at, token)| at > last && token.is_any(LINKS));
        let joined = words().any(|(at, token)| at > last && token.is_any(&["-", "/"]));
        if !linked && !joined {
            range.end = last + 1;
        }
    }
    while range.end > range.start && sentence.is(range.end - 1, TRAILING) {
        range.end -= 1;
    }
    range
}

fn is_anybody(sentence: &Sentence<'_, '_>, range: &Range<usize>) -> bool {
    let last = range.end.checked_sub(1).and_then(|last| sentence.get(last));
    let at_home =
        range.clone().filter_map(|at| sentence.get(at)).any(|token| token.lower.ends_with("-at-home"));
    last.is_none_or(|token| token.among(&ANYBODY) && !at_home || token.kind != Kind::Word)
}

fn ends_in_job(sentence: &Sentence<'_, '_>, range: &Range<usize>) -> bool {
    let last = range.end.checked_sub(1).and_then(|last| sentence.get(last));
    let of = range.clone().filter_map(|at| sentence.get(at)).any(|token| token.is("of"));
    last.is_some_and(is_job)
        || of && sentence.get(range.start).is_some_and(|token| is_job(token) || token.is("head"))
}

fn is_job(token: &Token<'_>) -> bool {
    let word = token.lower.rsplit('-').next().unwrap_or(&token.lower);
    let shaped =
        !token.is_capitalised() && word.len() > 4 && JOB_ENDINGS.iter().any(|end| word.ends_with(end));
    JOBS.has(word)
        || !token.is_capitalised() && (JOBS_AND_SURNAMES.has(word) || JOBS_IN_LOWER_CASE.has(word))
        || shaped && !NOT_JOBS.has(word) && !ANYBODY.has(word)
}
