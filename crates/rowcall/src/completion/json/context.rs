//! The context of a value in its text: whether the value is all of the JSON there or a fragment of more, and whether it belongs
//! together with the previous value.

use super::{Ending, Gap};
use crate::completion::lenient::{self, Hints, Why, is_blank};
use crate::completion::omission;

/// How many values after a list are searched for an unmatched closing bracket.
const MOST_SIBLINGS: usize = 16;

/// The maximum number of characters in an interval.
const LONGEST_INTERVAL: usize = 32;

/// How many characters of the continuation are shown.
const SHOWN: usize = 24;

/// Brackets and quotes that may be put around a value.
const AROUND: [(char, char); 4] = [('{', '}'), ('[', ']'), ('"', '"'), ('\'', '\'')];

/// What follows the value at `start..end` of `text`. `is_first` means that nothing precedes it in the text or its fence;
/// `follows_value`, that there are only separators between it and the previous value; `is_absent` says whether a name is that of a
/// property that the value lacks.
pub(super) fn ending(
    text: &str,
    start: usize,
    end: usize,
    is_first: bool,
    follows_value: bool,
    is_absent: impl Fn(&str) -> bool,
) -> Ending {
    let mut before = text.get(..start).unwrap_or_default().trim_end_matches(is_blank);
    let mut rest = text.get(end..).unwrap_or_default().trim_start_matches(is_blank);
    // Some models copy the doubled braces of a template.
    while let Some((opener, closer)) =
        AROUND.iter().find(|(opener, closer)| before.ends_with(*opener) && rest.starts_with(*closer))
    {
        before = before.strip_suffix(*opener).unwrap_or_default().trim_end_matches(is_blank);
        rest = rest.strip_prefix(*closer).unwrap_or_default().trim_start_matches(is_blank);
    }
    let fragment = || Ending::Fragment(shown(rest));
    let is_glued_before = text.get(before.len()..start).is_some_and(|gap| !gap.contains('\n'));
    if (before.ends_with('"') && is_glued_before && !is_quoted_word(before))
        || (!follows_value && is_inside(before))
    {
        return fragment();
    }
    if rest.starts_with(['}', ']']) {
        let after = rest.trim_start_matches(|c| is_blank(c) || c == '}' || c == ']');
        let is_end = after.trim_start_matches(['`', '~']).trim_start_matches(is_blank).is_empty();
        // After a list, they may belong to a list whose opening bracket is missing.
        let is_object = end > start + 2 && text.get(start..).is_some_and(|it| it.starts_with('{'));
        let is_extra = is_object && (is_first || follows_value) && is_end;
        return if is_extra { Ending::Text } else { fragment() };
    }
    let glued = text.get(end..).unwrap_or_default();
    let glued = glued.strip_prefix(',').unwrap_or(glued);
    let is_glued = glued.starts_with(|c: char| c.is_alphanumeric() || c == '"' || c == '\\');
    if is_glued
        || goes_on(rest)
        || leading_key(rest).is_some_and(is_absent)
        || (text.get(start..).is_some_and(|it| it.starts_with('[')) && has_stranded_siblings(rest))
    {
        fragment()
    } else {
        plain(rest)
    }
}

/// What starts a remark about the value before it.
const REMARKS: [&str; 9] = ["//", "/*", "#", "(", "[", "<!--", "and ", "plus ", "etc"];

/// How many characters of a remark are read.
const LONGEST_REMARK: usize = 100;

/// Whether `rest` starts with a remark that something was omitted: `// 3 more`, `(and so on)`, `[Output truncated]`.
fn says_more(rest: &str) -> bool {
    let rest = rest.trim_start_matches(['`', '~']).trim_start_matches(is_blank);
    if !REMARKS.iter().any(|opener| rest.starts_with(opener)) {
        return false;
    }
    let line: String = rest.chars().take_while(|c| *c != '\n').take(LONGEST_REMARK).collect();
    omission::replaces_items(line.trim_matches(|c: char| !c.is_alphanumeric() && c != '+'))
}

fn plain(rest: &str) -> Ending {
    let after_comma = rest.trim_start_matches(|c| matches!(c, ',' | ';' | '`' | '~') || is_blank(c));
    let is_elided = after_comma.starts_with("...") || after_comma.starts_with('…') || says_more(after_comma);
    let is_end = rest.trim_matches(|c| c == '`' || c == '~' || is_blank(c)).is_empty();
    match (is_elided, is_end) {
        (true, _) => Ending::Elided,
        (false, true) => Ending::Text,
        (false, false) => Ending::Words,
    }
}

/// Whether the text before a value makes it a member or an item: it ends with a quoted key and its colon, or an item and its comma.
fn is_inside(before: &str) -> bool {
    let cut = |mark: char| before.strip_suffix(mark).map(|before| before.trim_end_matches(is_blank));
    let is_structure =
        |text: &str| text.is_empty() || text.ends_with(['"', '\'', '{', '}', '[', ']', ',', ':']);
    cut(':').is_some_and(|key| is_structure(key) && !key.ends_with(['}', ']']) && !is_quoted_word(key))
        || cut(',').is_some_and(|item| is_structure(item) && !is_quoted_word(item))
}

/// Whether the quoted text at the end of `before` is part of a sentence, as in `the JSON for "Ann"`, rather than a key or an item.
fn is_quoted_word(before: &str) -> bool {
    let Some((words, _)) = before.strip_suffix('"').and_then(|text| text.rsplit_once('"')) else {
        return false;
    };
    let word: String =
        words.trim_end_matches(is_blank).chars().rev().take_while(|c| c.is_alphabetic()).collect();
    let is_literal = ["eurt", "eslaf", "llun", "enoN", "eurT", "eslaF"].contains(&word.as_str());
    words.ends_with(is_blank) && word.chars().count() > 1 && !is_literal
}

/// The word that a line starts with like a key: `age` in `age: 30`.
fn leading_key(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches([',', ';']).trim_start_matches(is_blank);
    let word = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    let value = rest.get(word.len()..)?.trim_start_matches(is_blank).strip_prefix(':')?;
    let is_said = !value.trim_start_matches(is_blank).is_empty();
    (is_said && !word.is_empty()).then_some(word)
}

/// Whether `rest` continues the JSON before it: an item or a member, with or without a comma before it, and something after it that
/// belongs to JSON.
fn goes_on(rest: &str) -> bool {
    let (has_comma, item) = match rest.strip_prefix(',') {
        Some(item) => (true, item.trim_start_matches(is_blank)),
        None => (false, rest),
    };
    if item.starts_with(['}', ']']) {
        return true;
    }
    let is_item = item.starts_with(|c: char| matches!(c, '"' | '\'' | '-') || c.is_ascii_digit())
        || ["true", "false", "null", "True", "False", "None"].iter().any(|word| item.starts_with(word));
    if !is_item {
        return has_comma && is_bare_member(item);
    }
    match lenient::parse(item, 0, Hints::default()) {
        Ok(parsed) => {
            let after = item.get(parsed.end..).unwrap_or_default().trim_start_matches(is_blank);
            (after.starts_with([',', '}', ']', ':'])
                || (item.starts_with('"') && after.starts_with(['"', '{', '['])))
                && (has_comma || !after.starts_with(',') || item.starts_with('"'))
                || ((has_comma || item.starts_with('"')) && after.is_empty())
        }
        // A lone quote at the end is not the start of a string.
        Err(unread) => unread.why == Why::Cut && item.len() > 1,
    }
}

/// Whether more containers follow after commas and then a closing bracket: a list that was closed too early.
fn has_stranded_siblings(rest: &str) -> bool {
    let mut rest = rest;
    for _ in 0..MOST_SIBLINGS {
        let Some(item) = rest.strip_prefix(',').map(|item| item.trim_start_matches(is_blank)) else {
            return rest.starts_with(['}', ']']);
        };
        if !item.starts_with(['{', '[']) {
            return false;
        }
        let Ok(parsed) = lenient::parse(item, 0, Hints::default()) else { return true };
        rest = item.get(parsed.end..).unwrap_or_default().trim_start_matches(is_blank);
    }
    true
}

/// Whether the text starts with a member whose key has no quotes, as in `age: 30}`.
fn is_bare_member(item: &str) -> bool {
    let word = item.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let Some(value) =
        item.get(word.len()..).and_then(|rest| rest.trim_start_matches(is_blank).strip_prefix(':'))
    else {
        return false;
    };
    let value = value.trim_start_matches(is_blank);
    if word.is_empty() {
        return false;
    }
    lenient::parse(value, 0, Hints::default()).is_ok_and(|parsed| {
        value
            .get(parsed.end..)
            .is_some_and(|after| after.trim_start_matches(is_blank).starts_with([',', '}', ']']))
    })
}

/// Whether `text` has pieces of JSON outside `spans`: unmatched brackets or quotes, or quoted keys. Marks of prose, such as those of
/// inches and intervals, do not count. Closing brackets at the very end are skipped; whether they are allowed depends on the value
/// before them.
pub(super) fn leaves_json(text: &str, spans: &[(usize, usize)]) -> bool {
    let mut residue = String::new();
    let mut at = 0;
    for (start, end) in spans {
        residue.push_str(text.get(at..*start).unwrap_or_default());
        at = at.max(*end);
    }
    let tail = text.get(at..).unwrap_or_default().trim_end_matches(|c| is_blank(c) || c == '`' || c == '~');
    let is_closed_at_end = tail.trim_start_matches(|c| is_blank(c) || matches!(c, '}' | ']')).is_empty();
    if !is_closed_at_end || residue.contains(|c: char| matches!(c, '{' | '[') || c.is_alphanumeric()) {
        residue.push_str(tail);
    }
    let count = |c: char| residue.match_indices(c).filter(|(at, _)| !is_prose(&residue, *at)).count();
    // Of an odd number of quotes, it is not visible which one is unmatched; if one is an inch mark, it is that one.
    let quotes = residue.matches('"').count();
    let has_odd_quote = quotes % 2 == 1 && count('"') == quotes;
    has_key(&residue) || has_odd_quote || count('{') != count('}') || count('[') != count(']')
}

/// Whether `residue` has a quoted key, before a value or before one that was taken out.
fn has_key(residue: &str) -> bool {
    residue.match_indices('"').any(|(at, _)| {
        let after = residue.get(at + 1..).unwrap_or_default().trim_start_matches(is_blank);
        let is_word = || residue.get(..=at).is_some_and(is_quoted_word);
        after.strip_prefix(':').filter(|_| !is_word()).is_some_and(|value| {
            let value = value.trim_start_matches(is_blank);
            value.is_empty()
                || value.starts_with(|c: char| !c.is_alphabetic())
                || ["true", "false", "null"].iter().any(|literal| value.starts_with(literal))
        })
    })
}

/// Whether the bracket or quote at `at` is part of prose: inches as in `5" wide`, a half-open interval as in `[0, 1)`.
fn is_prose(residue: &str, at: usize) -> bool {
    let (before, rest) = residue.split_at(at);
    let after = rest.get(1..).unwrap_or_default();
    let is_number = |text: &str| {
        let text = text.trim();
        text.starts_with(|c: char| c.is_ascii_digit() || c == '-')
            && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-'))
    };
    let is_interval =
        |inside: &str| inside.split_once(',').is_some_and(|(a, b)| is_number(a) && is_number(b));
    match rest.as_bytes().first() {
        Some(b'"') => {
            let mut next = after.chars();
            let follows = match next.next() {
                Some('.' | ';' | '!' | '?' | ')') => next.next().is_none_or(is_blank),
                Some(c) => is_blank(c) && next.next().is_some_and(|c| c.is_alphabetic() || c == '('),
                None => false,
            };
            before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '\'' | '’')) && follows
        }
        Some(b'[') => {
            let end = after.char_indices().take(LONGEST_INTERVAL).find(|(_, c)| *c == ')');
            end.and_then(|(end, _)| after.get(..end)).is_some_and(is_interval)
        }
        Some(b']') => {
            let start = before.char_indices().rev().take(LONGEST_INTERVAL).find(|(_, c)| *c == '(');
            start.and_then(|(start, _)| before.get(start + 1..)).is_some_and(is_interval)
        }
        Some(_) | None => false,
    }
}

/// Classifies the text between two values.
pub(super) fn gap(between: &str) -> Gap {
    let is_separator = |line: &str| {
        let line = line.trim_matches(|c| is_blank(c) || c == ',' || c == ';');
        let marks = line.trim_start_matches(['`', '~']);
        if line.len() >= marks.len() + 3 {
            return marks.chars().all(char::is_alphanumeric);
        }
        // In this order, since most lines with words start with one.
        marks.chars().all(|c| matches!(c, '-' | '*' | '•' | '.' | ')' | '(' | '0'..='9' | ',' | ' '))
            && !line.contains("..")
    };
    if between.lines().all(is_separator) { Gap::Separators } else { Gap::Words }
}

/// Whether only bullets, fences, tags and the like are before `start` on its line; `region` is the start of the text or of its fence.
pub(super) fn begins_line(text: &str, region: usize, start: usize) -> bool {
    let before = text.get(region.min(start)..start).unwrap_or_default();
    is_decoration(before.rsplit('\n').next().unwrap_or_default(), &['{', '"', '\''])
}

/// Whether only commas, fences, tags and the like are after `end` on its line.
pub(super) fn ends_line(text: &str, end: usize) -> bool {
    let after = text.get(end..).unwrap_or_default();
    is_decoration(after.split('\n').next().unwrap_or_default(), &['}', '"', '\''])
}

fn is_decoration(line: &str, brackets: &[char]) -> bool {
    const MARKS: &str = "-*•.),(;:`~_>|=";
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let tag = rest.strip_prefix('<').and_then(|tag| tag.split_once('>'));
        rest = match tag {
            Some((name, after)) if !name.contains(['{', '[']) => after,
            _ if is_blank(c) || c.is_ascii_digit() || MARKS.contains(c) || brackets.contains(&c) => {
                rest.get(c.len_utf8()..).unwrap_or_default()
            }
            _ => return false,
        };
    }
    true
}

/// The start of the first line of `text`.
pub(super) fn shown(text: &str) -> String {
    text.chars().take_while(|c| *c != '\n').take(SHOWN).collect()
}
