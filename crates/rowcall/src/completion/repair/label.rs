//! Labels in plain words: which one of a few values a text names, bare (`yes`, `Yes.`) or decorated (`Answer: **True**`). A text that
//! names two of them, or denies one, names none.

use serde_json::Value;

/// Characters that open emphasis, a quotation or brackets around a label.
const OPENERS: [char; 10] = ['"', '\'', '`', '*', '_', '(', '[', '“', '‘', '«'];

/// Characters that close them or end a sentence.
const CLOSERS: [char; 15] = ['"', '\'', '`', '*', '_', ')', ']', '”', '’', '»', '.', '!', ',', ';', ':'];

/// Markers at the start of a line in Markdown.
const BULLETS: [&str; 4] = ["- ", "* ", "# ", "> "];

/// How many words may announce a label, such as `The answer is`.
const MOST_WORDS: usize = 6;

/// Words that may deny a label rather than give it, as may any word that ends in `n't`.
const DENIALS: [&str; 28] = [
    "not",
    "no",
    "never",
    "neither",
    "nor",
    "without",
    "cannot",
    "either",
    "or",
    "none",
    "n/a",
    "false",
    "wrong",
    "incorrect",
    "untrue",
    "invalid",
    "unlikely",
    "hardly",
    "barely",
    "doubt",
    "doubtful",
    "questionable",
    "rejected",
    "opposite",
    "contrary",
    "except",
    "unless",
    "0%",
];

/// Prefixes of words that may follow a label without denying it, such as `(high confidence)`.
const ASSURANCES: [&str; 4] = ["confiden", "certain", "sure", "score"];

/// The minimum number of words in an explanation after a label; a shorter one may be a verdict on the label.
const FEWEST_EXPLAINING: usize = 3;

/// The value of the one member that `text` names; each member is a name with its value.
pub(in crate::completion) fn named<'m>(text: &str, members: &[(&'m str, &'m Value)]) -> Option<&'m Value> {
    let text = untagged(text.trim());
    if let Some(only) = alike(text, members) {
        return Some(only);
    }
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let (first, last) = (lines.next()?, lines.next_back());
    let label = label(first, members).or_else(|| label(last?, members))?;
    let others = members.iter().filter(|(_, member)| *member != label.1);
    let own = plain(label.0);
    // A name that is contained in the label's own name does not count as another one.
    let names_another = |(name, _): &(&str, &Value)| {
        let name = plain(name);
        !own.contains(&name) && mentions(&plain(text), &name)
    };
    (!others.clone().any(names_another)).then_some(label.1)
}

/// The label of a line: the whole line, what a few words announce, or what precedes an explanation.
fn label<'m>(line: &str, members: &[(&'m str, &'m Value)]) -> Option<(&'m str, &'m Value)> {
    let pair = |value: &'m Value| members.iter().find(|(_, member)| *member == value).copied();
    if let Some(value) = alike(line, members) {
        return pair(value);
    }
    if let Some((before, after)) = line.split_once(':') {
        if is_announcement(before)
            && let Some(value) = alike(after, members)
        {
            return pair(value);
        }
        if explains(after)
            && let Some(value) = alike(before, members)
        {
            return pair(value);
        }
    }
    for dash in [" - ", " – ", " — ", " ("] {
        let explained = line.split_once(dash).filter(|(_, after)| explains(after));
        if let Some(value) = explained.and_then(|(before, _)| alike(before, members)) {
            return pair(value);
        }
    }
    let (before, after) = line.split_once(" is ")?;
    if is_announcement(before) { pair(alike(after, members)?) } else { None }
}

/// The content of a tag, if the text is nothing else: `<answer>yes</answer>`.
fn untagged(text: &str) -> &str {
    let inner = || {
        let (name, body) = text.strip_prefix('<')?.split_once('>')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        is_name.then(|| body.strip_suffix('>')?.strip_suffix(name)?.strip_suffix("</"))?
    };
    inner().map_or(text, str::trim)
}

/// Whether these words can announce a label.
fn is_announcement(words: &str) -> bool {
    let words: Vec<String> = words.split_whitespace().map(plain).collect();
    (1..=MOST_WORDS).contains(&words.len()) && !words.iter().any(|word| denies(word))
}

/// Whether these words, which follow a label, explain it rather than judge it: `Yes: the customer has agreed`, but not `Yes: false`.
fn explains(words: &str) -> bool {
    let words: Vec<String> = words.split_whitespace().map(plain).filter(|word| !word.is_empty()).collect();
    match words.first() {
        None => true,
        Some(first) if denies(first) => false,
        Some(_) if words.len() >= FEWEST_EXPLAINING => true,
        Some(_) => {
            !words.iter().any(|word| denies(word))
                && words.iter().any(|word| ASSURANCES.iter().any(|assurance| word.starts_with(assurance)))
        }
    }
}

fn denies(word: &str) -> bool {
    DENIALS.contains(&word) || word.ends_with("n't") || word.ends_with("n’t")
}

/// The only member that equals `text`, apart from decoration, case, `-`, `_` and spaces exchanged, and the name of an enum before it
/// (`Color.RED`).
fn alike<'m>(text: &str, members: &[(&'m str, &'m Value)]) -> Option<&'m Value> {
    same_as(text, members).or_else(|| {
        let (name, member) = text.trim().split_once('.')?;
        let is_class = name.starts_with(char::is_uppercase) && name.chars().all(char::is_alphanumeric);
        let is_member = member.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        if is_class && is_member { same_as(member, members) } else { None }
    })
}

fn same_as<'m>(text: &str, members: &[(&'m str, &'m Value)]) -> Option<&'m Value> {
    let text = plain(text);
    let mut same = members.iter().filter(|(name, _)| plain(name) == text);
    let (_, first) = same.next()?;
    same.all(|(_, other)| other == first).then_some(*first)
}

fn plain(text: &str) -> String {
    let mut bare = text.trim();
    while let Some(rest) = BULLETS.iter().find_map(|bullet| bare.strip_prefix(bullet)) {
        bare = rest.trim_start();
    }
    let opened = bare.trim_start_matches(|c: char| c.is_whitespace() || is_emoji(c) || OPENERS.contains(&c));
    let closed = opened.trim_end_matches(|c: char| c.is_whitespace() || is_emoji(c) || CLOSERS.contains(&c));
    let bare = if closed.is_empty() { bare } else { closed };
    bare.to_lowercase().replace(['-', '_'], " ").replace("**", "")
}

/// Marks that deny or question the label next to them: empty and crossed boxes, crosses, question marks, thumbs down.
const DENYING_MARKS: [char; 14] = [
    '\u{2610}',
    '\u{2612}',
    '\u{2715}',
    '\u{2716}',
    '\u{2717}',
    '\u{2718}',
    '\u{274c}',
    '\u{274e}',
    '\u{2753}',
    '\u{2754}',
    '\u{26d4}',
    '\u{1f6ab}',
    '\u{1f44e}',
    '\u{1f645}',
];

/// Whether this is an emoji, a tick or a part of one, by Unicode's blocks of symbols, dingbats and pictographs, but not a denying mark.
fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}' | '\u{fe0f}' | '\u{200d}')
        && !DENYING_MARKS.contains(&c)
}

/// Whether `text` contains `name` as whole words.
fn mentions(text: &str, name: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !name.is_empty()
        && text.match_indices(name).any(|(at, _)| {
            let (before, after) = (text.get(..at), text.get(at + name.len()..));
            !is_word(before.and_then(|text| text.chars().next_back()))
                && !is_word(after.and_then(|text| text.chars().next()))
        })
}

/// A number whose digits are grouped in threes, without its separators: `1234567` for `1,234,567`. A single comma or point may be
/// a decimal mark, which only [`Kind::Whole`] rules out for a comma.
pub(in crate::completion) fn ungrouped(text: &str, kind: Kind) -> Option<String> {
    let text = text.trim();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    let separator = digits.chars().find(|c| !c.is_ascii_digit())?;
    let mark = match separator {
        ',' | '\'' | '’' | '_' | ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' => '.',
        '.' => ',',
        _ => return None,
    };
    let (whole, fraction) = match digits.split_once(mark) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let groups: Vec<&str> = whole.split(separator).collect();
    let (first, rest) = groups.split_first()?;
    let is_digits = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let are_grouped = (1..=3).contains(&first.len())
        && !rest.is_empty()
        && groups.iter().all(|group| is_digits(group))
        && rest.iter().all(|group| group.len() == 3)
        && (!first.starts_with('0'))
        && fraction.is_none_or(is_digits);
    let is_clear = match separator {
        ',' => rest.len() > 1 || fraction.is_some() || kind == Kind::Whole,
        '.' => rest.len() > 1 || fraction.is_some(),
        _ => true,
    };
    let fraction = fraction.map(|fraction| format!(".{fraction}")).unwrap_or_default();
    (are_grouped && is_clear).then(|| format!("{sign}{}{fraction}", groups.concat()))
}

/// Which numbers are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::completion) enum Kind {
    /// Only whole ones.
    Whole,
    /// Any.
    Any,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn exactly_one_label_is_named() {
        let (yes, no, none) = (json!("yes"), json!("no"), json!("no_opinion"));
        let members = [("yes", &yes), ("no", &no), ("no_opinion", &none)];
        for (text, expected) in [
            ("yes", Some(&yes)),
            ("Yes.", Some(&yes)),
            ("**yes**", Some(&yes)),
            ("\"YES\"", Some(&yes)),
            ("Answer: **Yes**", Some(&yes)),
            ("**Answer:** Yes", Some(&yes)),
            ("The answer is **no**.", Some(&no)),
            ("No opinion", Some(&none)),
            ("no-opinion: the text says nothing", Some(&none)),
            ("Yes - it says so", Some(&yes)),
            ("Yes (it says so)", Some(&yes)),
            ("<answer>yes</answer>", Some(&yes)),
            ("✅ Yes", Some(&yes)),
            ("Opinion.NO", Some(&no)),
            ("Yes (not no)", None),
            ("I.NO", Some(&no)),
            ("the.no", None),
            ("Yes\n\nThe text says so in its first line.", Some(&yes)),
            ("I looked at it closely.\n\nAnswer: yes", Some(&yes)),
            ("yes or no", None),
            ("Yes: no", None),
            ("Yes.\n\nNo.", None),
            ("The answer is not: yes", None),
            ("yesterday", None),
            ("I would say that it may be yes", None),
            ("", None),
        ] {
            assert_eq!(named(text, &members), expected, "{text}");
        }
    }

    #[test]
    fn only_unambiguous_groups_are_joined() {
        use Kind::{Any, Whole};
        for (text, kind, expected) in [
            ("1,234,567", Any, Some("1234567")),
            ("-1,234,567.89", Any, Some("-1234567.89")),
            ("1.234.567,89", Any, Some("1234567.89")),
            ("1'234", Any, Some("1234")),
            ("1 234 567", Any, Some("1234567")),
            ("1,234", Whole, Some("1234")),
            ("1,234", Any, None),
            ("1.234", Whole, None),
            ("12,34", Any, None),
            ("1,2345", Whole, None),
            ("0,123", Whole, None),
            ("1,,234", Whole, None),
            ("1234", Whole, None),
            ("1,234,567 people", Any, None),
        ] {
            assert_eq!(ungrouped(text, kind).as_deref(), expected, "{text}");
        }
    }
}
