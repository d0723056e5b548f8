//! Patterns as grammars take them: the whole text must match, classes are spelled out, and nothing lets a character through that JSON
//! escapes. What a grammar cannot express has no such form.

use std::fmt::Write;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};

use crate::schema::pattern::strict;

/// Characters and repetitions that a pattern may come to when it is written out. xgrammar 0.2.9 takes 6 seconds to compile 5,000;
/// llama.cpp before September 2026 refuses a repetition of 2,000.
const MOST_EXPANDED: u64 = 500;

/// Ranges of characters in one class; a class such as all letters of Unicode has hundreds.
const MOST_RANGES: usize = 40;

/// Alternatives that differ in how they are anchored.
const MOST_BRANCHES: usize = 16;

/// Any character that JSON does not escape. DEL is left out since not every engine lets it through.
const ANY: &str = r#"[^"\\\x00-\x1F\x7F]"#;

/// A pattern that a grammar takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rewritten {
    /// It begins with `^` and ends with `$`, and has neither within.
    pub(super) pattern: String,
    /// Whether the user's pattern accepts quotation marks, backslashes or control characters, which this one does not.
    pub(super) is_narrower: bool,
}

/// `pattern`, which is searched for anywhere in a text, as one for the whole of a text without `"`, `\` and control characters. `None`
/// if a grammar cannot express it, or nothing of it is left.
pub(super) fn rewritten(pattern: &str) -> Option<Rewritten> {
    let strict = strict(pattern);
    let ours = jsonschema_regex::to_rust_regex(&strict).ok()?;
    let hir = ParserBuilder::new().nest_limit(64).build().parse(&ours).ok()?;
    let mut branches = branches(&hir)?;
    // `^a|^b` is written as one group.
    branches.dedup();
    let mut writer = Writer { is_narrower: false };
    let mut written = Vec::new();
    for branch in &branches {
        if expanded(&branch.body) > MOST_EXPANDED {
            return None;
        }
        let mut text = String::new();
        if !branch.from_start {
            writer.is_narrower = true;
            text.push_str(ANY);
            text.push('*');
        }
        if !writer.write(&branch.body, Inside::Sequence, &mut text)? {
            continue;
        }
        if !branch.to_end {
            writer.is_narrower = true;
            text.push_str(ANY);
            text.push('*');
        }
        written.push(text);
    }
    let pattern = match written.as_slice() {
        [] => return None,
        [only] if !has_choice(&branches) => format!("^{only}$"),
        [only] => format!("^({only})$"),
        several => {
            // An empty alternative is written as what may be absent.
            let filled: Vec<&str> =
                several.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
            let mark = if filled.len() < several.len() { "?" } else { "" };
            format!("^({}){mark}$", filled.join("|"))
        }
    };
    Some(Rewritten { pattern, is_narrower: writer.is_narrower })
}

fn has_choice(branches: &[Branch]) -> bool {
    matches!(branches, [only] if matches!(only.body.kind(), HirKind::Alternation(_)))
}

/// One of the ways in which a pattern matches.
#[derive(Debug, PartialEq)]
struct Branch {
    /// Whether the text begins with it.
    from_start: bool,
    /// Without anchors at its ends.
    body: Hir,
    /// Whether the text ends with it.
    to_end: bool,
}

/// The ways in which `hir` matches; `None` if there are too many, or if anything but the ends of a text is looked at.
fn branches(hir: &Hir) -> Option<Vec<Branch>> {
    if !looks(hir) {
        return Some(vec![Branch { from_start: false, body: hir.clone(), to_end: false }]);
    }
    let found = match hir.kind() {
        HirKind::Capture(group) => branches(&group.sub)?,
        HirKind::Alternation(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(branches).collect();
            each?.into_iter().flatten().collect()
        }
        HirKind::Look(Look::Start) => vec![Branch { from_start: true, body: Hir::empty(), to_end: false }],
        HirKind::Look(Look::End) => vec![Branch { from_start: false, body: Hir::empty(), to_end: true }],
        HirKind::Concat(parts) => concatenated(parts)?,
        HirKind::Look(_)
        | HirKind::Repetition(_)
        | HirKind::Empty
        | HirKind::Literal(_)
        | HirKind::Class(_) => return None,
    };
    (found.len() <= MOST_BRANCHES).then_some(found)
}

/// The ways in which all of `parts` match, one after the other. What looks at the start stands first, what looks at the end last.
fn concatenated(parts: &[Hir]) -> Option<Vec<Branch>> {
    let mut all = vec![Branch { from_start: false, body: Hir::empty(), to_end: false }];
    for part in parts {
        let mut next = Vec::new();
        for before in &all {
            for after in branches(part)? {
                let nothing_before = *before.body.kind() == HirKind::Empty;
                let nothing_after = *after.body.kind() == HirKind::Empty;
                if after.from_start && !nothing_before || before.to_end && !nothing_after {
                    return None;
                }
                next.push(Branch {
                    from_start: before.from_start || after.from_start,
                    body: Hir::concat(vec![before.body.clone(), after.body]),
                    to_end: before.to_end || after.to_end,
                });
            }
        }
        if next.len() > MOST_BRANCHES {
            return None;
        }
        all = next;
    }
    Some(all)
}

fn looks(hir: &Hir) -> bool {
    !hir.properties().look_set().is_empty()
}

/// How much a pattern comes to when its repetitions are written out.
fn expanded(hir: &Hir) -> u64 {
    let sum = |parts: &[Hir]| parts.iter().map(expanded).fold(0, u64::saturating_add);
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Class(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Capture(group) => expanded(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
        HirKind::Repetition(repetition) => {
            let times = u64::from(repetition.max.unwrap_or(repetition.min).max(1));
            expanded(&repetition.sub).max(1).saturating_mul(times)
        }
    }
}

/// Where a part of a pattern stands.
#[derive(Clone, Copy, PartialEq)]
enum Inside {
    Sequence,
    Repetition,
}

struct Writer {
    is_narrower: bool,
}

impl Writer {
    /// Appends `hir` to `out`. Whether any text can match it; `None` if it cannot be written.
    fn write(&mut self, hir: &Hir, inside: Inside, out: &mut String) -> Option<bool> {
        match hir.kind() {
            HirKind::Empty => Some(true),
            HirKind::Look(_) => None,
            HirKind::Capture(group) => self.write(&group.sub, inside, out),
            HirKind::Literal(literal) => {
                let text = std::str::from_utf8(&literal.0).ok()?;
                if text.chars().any(is_escaped) {
                    self.is_narrower = true;
                    return Some(false);
                }
                let grouped = inside == Inside::Repetition && text.chars().count() > 1;
                out.push_str(if grouped { "(" } else { "" });
                text.chars().for_each(|c| push_literal(c, out));
                out.push_str(if grouped { ")" } else { "" });
                Some(true)
            }
            HirKind::Class(Class::Unicode(class)) => self.class(class, out),
            HirKind::Class(Class::Bytes(class)) => self.class(&class.to_unicode_class()?, out),
            HirKind::Repetition(repetition) => self.repetition(repetition, inside, out),
            HirKind::Concat(parts) => {
                let mut text = String::new();
                for part in parts {
                    if !self.write(part, Inside::Sequence, &mut text)? {
                        return Some(false);
                    }
                }
                let grouped = inside == Inside::Repetition;
                out.push_str(&if grouped { format!("({text})") } else { text });
                Some(true)
            }
            HirKind::Alternation(parts) => {
                let mut texts = Vec::new();
                for part in parts {
                    let mut text = String::new();
                    if self.write(part, Inside::Sequence, &mut text)? && !texts.contains(&text) {
                        texts.push(text);
                    }
                }
                if texts.is_empty() {
                    return Some(false);
                }
                let may_be_absent = texts.iter().any(String::is_empty);
                texts.retain(|text| !text.is_empty());
                let choice = texts.join("|");
                match (texts.len(), may_be_absent) {
                    (0, _) => {}
                    (_, false) => out.push_str(&format!("({choice})")),
                    (_, true) if inside == Inside::Repetition => out.push_str(&format!("(({choice})?)")),
                    (_, true) => out.push_str(&format!("({choice})?")),
                }
                Some(true)
            }
        }
    }

    fn repetition(&mut self, repetition: &Repetition, inside: Inside, out: &mut String) -> Option<bool> {
        let mut text = String::new();
        if !self.write(&repetition.sub, Inside::Repetition, &mut text)? {
            return Some(repetition.min == 0);
        }
        if text.is_empty() {
            return Some(true);
        }
        let mark = match (repetition.min, repetition.max) {
            (0, None) => "*".to_owned(),
            (1, None) => "+".to_owned(),
            (0, Some(1)) => "?".to_owned(),
            (least, None) => format!("{{{least},}}"),
            (least, Some(most)) if least == most => format!("{{{least}}}"),
            (least, Some(most)) => format!("{{{least},{most}}}"),
        };
        let repeated = format!("{text}{mark}");
        out.push_str(&if inside == Inside::Repetition { format!("({repeated})") } else { repeated });
        Some(true)
    }

    fn class(&mut self, class: &ClassUnicode, out: &mut String) -> Option<bool> {
        let mut kept = class.clone();
        kept.intersect(&alphabet());
        self.is_narrower |= kept != *class;
        if kept.ranges().is_empty() {
            return Some(false);
        }
        if let [only] = kept.ranges()
            && only.start() == only.end()
        {
            push_literal(only.start(), out);
            return Some(true);
        }
        let to_the_end = kept.ranges().last().is_some_and(|last| last.end() == char::MAX);
        let (sign, mut listed) = if to_the_end { ("^", kept.clone()) } else { ("", kept) };
        if to_the_end {
            listed.negate();
        }
        if listed.ranges().len() > MOST_RANGES {
            return None;
        }
        if to_the_end && kept_is_everything(&listed) {
            out.push_str(ANY);
            return Some(true);
        }
        let mut hyphen = "";
        out.push('[');
        out.push_str(sign);
        if to_the_end {
            // What JSON escapes first, then what the pattern itself leaves out.
            out.push_str(r#""\\\x00-\x1F\x7F"#);
            let mut own = alphabet();
            own.intersect(&listed);
            listed = own;
        }
        for range in listed.ranges() {
            match (range.start(), range.end()) {
                ('-', '-') => hyphen = "-",
                (start, end) => push_range(start, end, out),
            }
        }
        out.push_str(hyphen);
        out.push(']');
        Some(true)
    }
}

fn kept_is_everything(left_out: &ClassUnicode) -> bool {
    let mut own = alphabet();
    own.intersect(left_out);
    own.ranges().is_empty()
}

/// Whether JSON escapes a character, or an engine forbids it.
fn is_escaped(c: char) -> bool {
    c < ' ' || c == '"' || c == '\\' || c == '\u{7f}'
}

/// All other characters.
fn alphabet() -> ClassUnicode {
    let ranges = [(' ', '!'), ('#', '['), (']', '~'), ('\u{80}', char::MAX)];
    ClassUnicode::new(ranges.map(|(start, end)| ClassUnicodeRange::new(start, end)))
}

fn push_range(start: char, end: char, out: &mut String) {
    push_member(start, out);
    if start == end {
        return;
    }
    if u32::from(end) > u32::from(start) + 1 {
        out.push('-');
    }
    push_member(end, out);
}

/// A character within a class. Engines differ in what they take after a backslash, but all know hexadecimal numbers.
fn push_member(c: char, out: &mut String) {
    match c {
        '[' | ']' | '^' | '-' => hexadecimal(c, out),
        _ if is_plain(c) => out.push(c),
        _ => hexadecimal(c, out),
    }
}

fn push_literal(c: char, out: &mut String) {
    if "^$.[]()|{}*+?".contains(c) {
        out.push('\\');
        out.push(c);
    } else if is_plain(c) {
        out.push(c);
    } else {
        out.push('[');
        hexadecimal(c, out);
        out.push(']');
    }
}

/// Whether a reader sees it.
fn is_plain(c: char) -> bool {
    c == ' '
        || !c.is_whitespace()
            && !c.is_control()
            && !('\u{200b}'..='\u{200f}').contains(&c)
            && c != '\u{feff}'
            && u32::from(c) & 0xfffe != 0xfffe
}

fn hexadecimal(c: char, out: &mut String) {
    let code = u32::from(c);
    // Writing to a string has no way to fail.
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02X}"),
        0x100..=0xffff => write!(out, "\\u{code:04X}"),
        _ => {
            out.push(c);
            Ok(())
        }
    };
}

#[cfg(test)]
mod tests;
