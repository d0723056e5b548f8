//! Remarks that something was omitted from a value: comments in it, and the sentences after it. Ordinary closing words are not such
//! remarks; `omission/tests.rs` lists phrases of both kinds.

/// Words in comments, or in brackets after a value, that replace what the model has omitted.
const IN_COMMENTS: [&str; 20] = [
    "...",
    "…",
    "and so on",
    "and so forth",
    "etc",
    "omitted",
    "truncated",
    "abbreviated",
    "shortened",
    "remaining",
    "the rest",
    "rest of",
    "and more",
    "add more",
    "more here",
    "more items",
    "more entries",
    "and others",
    "continue",
    "brevity",
];

/// What a list consists of, in the words of a remark about it.
const ITEMS: [&str; 16] = [
    "item", "items", "entry", "entries", "row", "rows", "record", "records", "result", "results", "element",
    "elements", "example", "examples", "object", "objects",
];

/// The answer itself, in the words of a remark about it.
const ANSWERS: [&str; 10] =
    ["list", "output", "answer", "response", "json", "array", "rest", "remaining", "others", "data"];

/// What the rest of which is not a part of the answer.
const SOURCES: [&str; 14] = [
    "text",
    "document",
    "article",
    "email",
    "message",
    "input",
    "page",
    "paragraph",
    "review",
    "story",
    "passage",
    "sentence",
    "conversation",
    "transcript",
];

/// Verbs for an omission.
const OMITTED: [&str; 6] = ["omitted", "truncated", "abbreviated", "shortened", "elided", "skipped"];

/// What an answer leaves out when it is complete.
const UNWANTED: [&str; 8] =
    ["duplicate", "duplicates", "invalid", "empty", "irrelevant", "unrelated", "blank", "repeated"];

/// Reasons to stop early, and announcements of another answer.
const PHRASES: [&str; 30] = [
    "for brevity",
    "sake of brevity",
    "to save space",
    "space constraints",
    "space limitations",
    "length limit",
    "length limits",
    "length constraints",
    "length limitations",
    "token limit",
    "token limits",
    "output limit",
    "character limit",
    "message limit",
    "first batch",
    "first part",
    "next message",
    "next response",
    "next batch",
    "next part",
    "another message",
    "separate message",
    "follow up message",
    "to be continued",
    "more to come",
    "partial list",
    "partial output",
    "partial answer",
    "partial results",
    "incomplete list",
];

/// Who continues, or offers to.
const CONTINUING: [&str; 16] = [
    "shall i",
    "should i",
    "like me to",
    "want me to",
    "can i",
    "may i",
    "let me",
    "i will",
    "i ll",
    "i can",
    "to be",
    "list",
    "output",
    "pattern",
    "same way",
    "response",
];

/// How many bytes after a value are searched for remarks.
const FARTHEST: usize = 2_000;

/// Whether a comment replaces items: `and so on`, `3 more`.
pub(super) fn replaces_items(comment: &str) -> bool {
    let comment = comment.to_lowercase();
    let counts = |words: &str| {
        let count = words.split_whitespace().next_back().unwrap_or_default();
        !count.is_empty() && is_count(count.trim_start_matches('+'))
    };
    IN_COMMENTS.iter().any(|words| comment.contains(words))
        || comment.split_once(" more").is_some_and(|(before, _)| counts(before))
        || is_remark(&comment)
}

/// Whether one of the sentences after a value remarks that something was omitted.
pub(super) fn is_remarked(text: &str) -> bool {
    let mut end = text.len().min(FARTHEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().split(['.', '!', '?', ';', '\n']).any(is_remark)
}

/// Whether a sentence remarks that something was omitted.
fn is_remark(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let words: Vec<&str> =
        lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let sentence = Sentence { text: words.join(" "), words };
    !sentence.denies()
        && (sentence.has_phrase(&PHRASES)
            || sentence.has_rest()
            || sentence.has_more()
            || sentence.has_part()
            || sentence.has_omission()
            || sentence.continues())
}

/// A sentence in lower case without punctuation.
struct Sentence<'s> {
    words: Vec<&'s str>,
    text: String,
}

impl Sentence<'_> {
    fn has(&self, wanted: &[&str]) -> bool {
        self.words.iter().any(|word| wanted.contains(word))
    }

    fn has_phrase(&self, phrases: &[&str]) -> bool {
        let text = format!(" {} ", self.text);
        phrases.iter().any(|phrase| text.contains(&format!(" {phrase} ")))
    }

    /// The word at an index, or an empty one.
    fn word(&self, index: usize) -> &str {
        self.words.get(index).copied().unwrap_or_default()
    }

    /// The words before and after each `wanted` one.
    fn around(&self, wanted: &str) -> Vec<(&str, &str, &str)> {
        let indices = self.words.iter().enumerate().filter(|(_, word)| **word == wanted);
        indices
            .map(|(index, _)| {
                let before = index.checked_sub(1).map_or("", |before| self.word(before));
                (before, self.word(index + 1), self.word(index + 2))
            })
            .collect()
    }

    /// Whether it says that nothing is missing: `no more items`, `nothing was omitted`, `not truncated`.
    fn denies(&self) -> bool {
        let is_denial = |pair: &[&str]| match pair {
            [no, what] => {
                (matches!(*no, "no" | "any")
                    && (ITEMS.contains(what)
                        || matches!(
                            *what,
                            "more" | "other" | "others" | "further" | "additional" | "remaining"
                        )))
                    || (matches!(*no, "not" | "t" | "been")
                        && OMITTED.contains(what)
                        && self.has(&["not", "t"]))
            }
            _ => false,
        };
        self.has(&["nothing", "none", "never", "without"]) || self.words.windows(2).any(is_denial)
    }

    /// `the rest follows`, `the remaining 12 cities`, `the 4 others`, `the other 7 rows`.
    fn has_rest(&self) -> bool {
        let says_how = self.has(&OMITTED)
            || self.has(&[
                "follow",
                "follows",
                "same",
                "similar",
                "similarly",
                "likewise",
                "continue",
                "continues",
            ]);
        let is_rest = |(before, after, of): &(&str, &str, &str)| {
            let source =
                if *of == "the" || *of == "your" || *of == "this" { self.after("rest", 3) } else { *of };
            *before == "the"
                && match *after {
                    "of" => !SOURCES.contains(&source),
                    "is" | "are" | "was" | "were" => says_how,
                    _ => true,
                }
        };
        let is_part = |what: &str| {
            !matches!(
                what,
                "fields" | "properties" | "columns" | "details" | "values" | "keys" | "days" | "years"
            ) && (ITEMS.contains(&what) || what.ends_with('s') || matches!(what, "people" | "ones"))
        };
        let is_remaining = |(_, after, then): &(&str, &str, &str)| {
            is_part(after) || (is_count(after) && (is_part(then) || then.is_empty()))
        };
        let is_others = |(before, ..): &(&str, &str, &str)| is_count(before) || says_how;
        self.around("rest").iter().any(is_rest)
            || self.around("remaining").iter().any(is_remaining)
            || self.around("others").iter().any(is_others)
            || self
                .around("other")
                .iter()
                .any(|(_, after, then)| is_count(after) && is_part(then) || ITEMS.contains(after) && says_how)
    }

    /// The word at a distance after the first `wanted`.
    fn after(&self, wanted: &str, distance: usize) -> &str {
        self.words.iter().position(|word| *word == wanted).map_or("", |index| self.word(index + distance))
    }

    /// `and 5 more`, `12 more items not shown`, `more entries are available`.
    fn has_more(&self) -> bool {
        let first = self.word(0);
        let exist = [
            "follow",
            "follows",
            "remain",
            "exist",
            "available",
            "below",
            "here",
            "next",
            "fit",
            "send",
            "come",
        ];
        let hidden = self.has_phrase(&["not shown", "not listed", "not included", "not displayed"]);
        let is_more = |(before, after, _): &(&str, &str, &str)| {
            let counted = is_count(before) || matches!(*before, "many" | "several" | "dozens" | "few");
            (counted
                && (hidden || after.is_empty() || ITEMS.contains(after) || matches!(first, "and" | "plus")))
                || (ITEMS.contains(after) && (self.has(&exist) || hidden))
        };
        self.around("more").iter().any(is_more)
            || (self.words.iter().any(|word| matches!(*word, "additional" | "further"))
                && self.has(&ITEMS)
                && (self.has(&exist) || hidden || self.has(&OMITTED)))
            || (hidden && self.has(&ITEMS) && self.words.iter().any(|word| is_count(word)))
    }

    /// `part 1 of 3`, `page 1/4`, `showing 3 of 12`, `only the first 10 results`.
    fn has_part(&self) -> bool {
        let numbered = self.words.iter().enumerate().any(|(index, word)| {
            let has_total = match (self.word(index + 1), self.word(index + 2)) {
                (number, "of") => is_digits(number) && is_digits(self.word(index + 3)),
                (number, total) => is_digits(number) && is_digits(total),
            };
            let is_shown = self.word(index + 2) == "of" || self.word(index + 2) == "out";
            (matches!(*word, "part" | "page" | "batch" | "chunk") && has_total)
                || (matches!(*word, "showing" | "listed" | "included" | "first") && has_total && is_shown)
        });
        let is_first_few = |(_, after, then): &(&str, &str, &str)| {
            ITEMS.contains(after)
                || (is_count(after) || *after == "few") && (then.is_empty() || then.ends_with('s'))
        };
        numbered || (self.has(&["only"]) && self.around("first").iter().any(is_first_few))
    }

    /// `list truncated`, `the other entries were omitted`.
    fn has_omission(&self) -> bool {
        let is_omitted = self.has(&OMITTED)
            || self.has_phrase(&["left out", "leave out", "i omit", "cut off", "cut short"]);
        let what = self.has(&ITEMS) || self.has(&ANSWERS) || self.words.len() == 1;
        let says_where = self.has(&["from", "in"]) && self.has(&SOURCES);
        is_omitted && what && !says_where && !self.has(&UNWANTED)
    }

    /// `shall I continue?`, `the list continues`.
    fn continues(&self) -> bool {
        let continues = self.has(&["continue", "continues", "continued", "continuing"]);
        continues && (self.has_phrase(&CONTINUING) || self.words.len() == 1)
    }
}

fn is_digits(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word counts something: digits, or a small number in letters.
fn is_count(word: &str) -> bool {
    const NUMBERS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    is_digits(word) || NUMBERS.contains(&word)
}

#[cfg(test)]
mod tests;
