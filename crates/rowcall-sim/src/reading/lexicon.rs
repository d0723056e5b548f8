//! Word lists of ordinary English: words that begin an instruction, that end a job title, that are not names.
//! `lexicon.txt` has the words.

use std::collections::HashSet;
use std::sync::OnceLock;

const LEXICON: &str = include_str!("lexicon.txt");

/// A list of lower-case words, read when it is first used.
#[derive(Debug)]
pub(super) struct Words {
    section: &'static str,
    words: OnceLock<HashSet<&'static str>>,
}

impl Words {
    const fn of(section: &'static str) -> Self {
        Self { section, words: OnceLock::new() }
    }

    pub(super) fn has(&self, word: &str) -> bool {
        self.words.get_or_init(|| section(self.section)).contains(word)
    }
}

/// The words below `[name]`, up to the next section.
fn section(name: &str) -> HashSet<&'static str> {
    let heading = |line: &&str| line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) == Some(name);
    let lines = LEXICON.lines().skip_while(|line| !heading(line)).skip(1);
    lines.take_while(|line| !line.starts_with('[')).flat_map(str::split_whitespace).collect()
}

/// Verbs and phrases with which a prompt instructs the model.
pub(super) static INSTRUCTIONS: Words = Words::of("instructions");

/// Nouns that name a part of a prompt when they precede a colon.
pub(super) static LABELS: Words = Words::of("labels");

/// Capitalised words that begin a sentence and are not names.
pub(super) static NOT_NAMES: Words = Words::of("not_names");

/// Capitalised words of the calendar: never first names, though some are surnames.
pub(super) static CALENDAR: Words = Words::of("calendar");

/// Forms of address: they precede a name and are not part of it.
pub(super) static TITLES: Words = Words::of("titles");

/// Lower-case particles inside a name.
pub(super) static PARTICLES: Words = Words::of("particles");

/// Words that may follow a name as part of it.
pub(super) static SUFFIXES: Words = Words::of("suffixes");

/// Words that mark a capitalised run as an organisation or a place.
pub(super) static ORGANISATIONS: Words = Words::of("organisations");

/// Verbs that usually follow a person.
pub(super) static VERBS: Words = Words::of("verbs");

/// Words before a capitalised run that mark it as a place, a company or a thing.
pub(super) static PREPOSITIONS: Words = Words::of("prepositions");

/// Words that a job title does not contain: it ends before them.
pub(super) static STOPS: Words = Words::of("stops");

/// Words for people in general, which are not jobs.
pub(super) static ANYBODY: Words = Words::of("anybody");

/// Nouns for jobs that are hardly ever surnames.
pub(super) static JOBS: Words = Words::of("jobs");

/// Nouns for jobs that are also surnames: a job only where nothing else is capitalised, or before two more names.
pub(super) static JOBS_AND_SURNAMES: Words = Words::of("jobs_and_surnames");

/// Words that are a job only in lower case; capitalised they are a first name or an adjective.
pub(super) static JOBS_IN_LOWER_CASE: Words = Words::of("jobs_in_lower_case");

/// Words with such an ending that merely describe a job.
pub(super) static NOT_JOBS: Words = Words::of("not_jobs");

/// Words of praise.
pub(super) static GOOD: Words = Words::of("good");

/// Words of criticism.
pub(super) static BAD: Words = Words::of("bad");

/// Names of countries; the words of longer ones are joined by `_`.
pub(super) static COUNTRIES: Words = Words::of("countries");

/// Endings of nouns for jobs.
pub(super) const JOB_ENDINGS: &[&str] = &[
    "er", "or", "ist", "ian", "ant", "eer", "man", "woman", "person", "ect", "yst", "chef", "medic", "smith",
    "ive",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_section_of_the_lexicon_is_empty() {
        let lists = [
            &INSTRUCTIONS,
            &LABELS,
            &NOT_NAMES,
            &CALENDAR,
            &TITLES,
            &PARTICLES,
            &SUFFIXES,
            &ORGANISATIONS,
            &VERBS,
            &PREPOSITIONS,
            &STOPS,
            &ANYBODY,
            &JOBS,
            &JOBS_AND_SURNAMES,
            &JOBS_IN_LOWER_CASE,
            &NOT_JOBS,
            &GOOD,
            &BAD,
            &COUNTRIES,
        ];
        assert_eq!(LEXICON.lines().filter(|line| line.starts_with('[')).count(), lists.len());
        for list in lists {
            assert!(section(list.section).len() > 5, "{} is empty", list.section);
        }
        assert!(JOBS.has("nurse") && !JOBS.has("[jobs]") && !JOBS.has("baker"));
    }
}
