//! Scans a text from value to value: fences, thoughts, brackets of prose, and where to continue after something that cannot be
//! read.

use std::collections::HashSet;

use super::context::{self, shown};
use super::thoughts::{self, Mark};
use super::{Candidate, Ending, Found, Gap, MOST_CANDIDATES, Unreadable};
use crate::completion::lenient::{self, Hints, Parsed, Seen, Unread, Why, is_blank};
use crate::completion::omission;
use crate::completion::repair::Repair;

/// How often, on average, a byte may be read before the search ends; this bounds its time on any text.
const READINGS: usize = 16;

/// How many stray closing brackets are skipped in one value.
const MOST_ASTRAY: usize = 3;

/// Finds the JSON in a text that starts with the answer.
pub(super) fn scan(text: &str, keys: &[String]) -> Found {
    let mut scan = Scan {
        text,
        keys,
        at: 0,
        budget: READINGS * text.len(),
        fence: None,
        region: 0,
        last_end: None,
        fenced: Vec::new(),
        bare: Vec::new(),
        unreadable: None,
        overflowed: false,
        thought: false,
        begins_broken: false,
        spans: Vec::new(),
    };
    if !scan.scalar(text, 0) {
        scan.run();
    }
    let left_over = scan.begins_broken || context::leaves_json(text, &scan.spans);
    scan.mark_omissions();
    let Scan { fenced, bare, unreadable, overflowed, thought, .. } = scan;
    let candidates: Vec<Candidate> = fenced.into_iter().rev().chain(bare.into_iter().rev()).collect();
    let unreadable = match unreadable {
        None if thought && candidates.is_empty() => Some(Unreadable::Thoughts),
        unreadable => unreadable,
    };
    Found { candidates, unreadable, overflowed, left_over }
}

struct Scan<'a> {
    text: &'a str,
    keys: &'a [String],
    at: usize,
    /// Bytes that may still be read.
    budget: usize,
    /// The run of backticks or tildes that opened the current fence.
    fence: Option<&'a str>,
    /// The start of the text or of the current fence.
    region: usize,
    /// The end of the last value.
    last_end: Option<usize>,
    /// Values in fences, in text order.
    fenced: Vec<Candidate>,
    /// Values outside fences, in text order.
    bare: Vec<Candidate>,
    unreadable: Option<Unreadable>,
    overflowed: bool,
    /// Whether there were thoughts.
    thought: bool,
    /// Whether unreadable JSON is at the start of the text or a fence, or directly after a value.
    begins_broken: bool,
    /// The spans of the values and the thoughts, in order.
    spans: Vec<(usize, usize)>,
}

/// A value with its context.
struct Read {
    parsed: Parsed,
    ending: Ending,
    /// How many closing brackets were added.
    closers: usize,
}

impl Scan<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at)
            && self.budget > 0
        {
            match byte {
                byte if thoughts::may_begin(*byte) && self.thoughts() => {}
                b'`' | b'~' => self.fence_mark(),
                b'{' | b'[' => self.container(),
                _ => self.at += 1,
            }
        }
        // The unread rest may contain a better value.
        let has_candidates = !self.fenced.is_empty() || !self.bare.is_empty();
        self.overflowed |= has_candidates && self.at < self.text.len();
    }

    /// Marks the values after which a remark says that something was omitted.
    fn mark_omissions(&mut self) {
        let nexts = self.spans.iter().skip(1).map(|(start, _)| *start).chain([self.text.len()]);
        let is_remarked =
            |end: usize, next: usize| self.text.get(end..next).is_some_and(omission::is_remarked);
        let spans = self.spans.iter().zip(nexts).filter(|((_, end), next)| is_remarked(*end, *next));
        let marked: HashSet<usize> = spans.map(|((start, _), _)| *start).collect();
        for candidate in self.fenced.iter_mut().chain(&mut self.bare) {
            if marked.contains(&candidate.start) && matches!(candidate.ending, Ending::Text | Ending::Words) {
                candidate.ending = Ending::Elided;
            }
        }
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips thoughts that start here. An end mark means that everything before it was thought.
    fn thoughts(&mut self) -> bool {
        match thoughts::mark(self.rest()) {
            Some(Mark::Begin(begin)) => {
                let start = self.at;
                self.at += begin;
                self.at += thoughts::length(self.rest());
                self.spans.push((start, self.at));
            }
            Some(Mark::End(end)) => {
                self.at += end;
                self.spans = vec![(0, self.at)];
                self.begins_broken = false;
                self.fenced.clear();
                self.bare.clear();
                self.unreadable = None;
                self.last_end = None;
                self.fence = None;
            }
            None => return false,
        }
        self.thought = true;
        if self.fence.is_none() {
            self.region = self.at;
        }
        true
    }

    /// Skips a run of backticks or tildes, which may open or close a fence anywhere in a line.
    fn fence_mark(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let (mark, body) = rest.split_at(rest.find(|c| !rest.starts_with(c)).unwrap_or(rest.len()));
        self.at += mark.len();
        match self.fence {
            Some(opener) if mark.starts_with(opener) => self.fence = None,
            None if mark.len() >= 3 => {
                self.fence = Some(mark);
                // The first line is the info string, unless the whole fence is one line.
                let info = body.split_once(mark).map_or(body, |(body, _)| body);
                let info = info.split_once('\n').map_or_else(
                    || info.find(|c: char| !c.is_alphanumeric()).unwrap_or(0),
                    |(info, _)| if info.contains(['{', '[']) { 0 } else { info.len() },
                );
                self.region = self.at + info;
                if let Some((body, _)) = body.split_once(mark) {
                    let lines = body.split_once('\n').map_or(body, |(_, lines)| lines);
                    if self.scalar(lines, self.at + body.len() - lines.len()) {
                        self.at += body.len();
                    }
                }
            }
            Some(_) | None => {}
        }
    }

    /// Keeps `body`, the whole text or the content of a fence, which starts at byte `start`, if it is only a number, string or
    /// literal. In prose, any word could be one.
    fn scalar(&mut self, body: &str, start: usize) -> bool {
        let start = start + body.len() - body.trim_start_matches(is_blank).len();
        let body = body.trim_matches(is_blank);
        if body.starts_with(['{', '[']) {
            return false;
        }
        match lenient::parse(body, 0, Hints::default()) {
            Ok(parsed) if parsed.end == body.len() => {
                self.keep(start, Read { parsed, ending: Ending::Text, closers: 0 }, None);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Reads the container that may start here, and continues after it.
    fn container(&mut self) {
        let start = self.at;
        match self.read(start) {
            Ok(read) => {
                self.at = read.parsed.end;
                let is_whole = start == 0 && self.rest().trim_start_matches(is_blank).is_empty();
                self.keep(start, read, if is_whole { None } else { Some(Repair::Prose) });
            }
            Err(unread) => self.go_on(start, &unread),
        }
    }

    /// Reads the container at `start`. If more of the same JSON follows it, or if there is a closing bracket that closes nothing,
    /// the bracket is skipped, provided that all of the JSON can then be read.
    fn read(&mut self, start: usize) -> Result<Read, Unread> {
        let mut astray = Vec::new();
        let mut first: Option<Result<Read, Unread>> = None;
        loop {
            let result = self.parse(self.text, start, &astray);
            let found = match &result {
                Ok(Read { parsed, ending: Ending::Fragment(_), .. }) => self.goes_on(parsed.end),
                Ok(_) => None,
                Err(unread) => self.stray_closer(unread),
            };
            match found {
                Some(at) if astray.len() < MOST_ASTRAY && self.budget > 0 && !astray.contains(&at) => {
                    astray.push(at);
                    first.get_or_insert(result);
                }
                _ if result.is_ok() || astray.is_empty() => {
                    return match result {
                        Ok(Read { ending: Ending::Fragment(_), .. }) => first.unwrap_or(result),
                        Ok(mut read) => {
                            if !astray.is_empty() {
                                read.parsed.repairs.push(Repair::StrayBracket);
                            }
                            Ok(read)
                        }
                        Err(unread) => self.closed(start, unread),
                    };
                }
                _ => return first.unwrap_or(result),
            }
        }
    }

    /// The closing bracket before `end`, if more than closing brackets follows.
    fn goes_on(&self, end: usize) -> Option<usize> {
        let rest = self.text.get(end..).unwrap_or_default();
        let after = rest.trim_start_matches(|c| is_blank(c) || matches!(c, '}' | ']'));
        (!after.is_empty()).then_some(end - 1)
    }

    fn parse(&mut self, text: &str, start: usize, astray: &[usize]) -> Result<Read, Unread> {
        let result = lenient::parse(text, start, Hints { keys: self.keys, astray });
        let end = match &result {
            Ok(parsed) => parsed.end,
            Err(unread) => unread.at,
        };
        self.budget = self.budget.saturating_sub(end.saturating_sub(start));
        let parsed = result?;
        let is_first = self.is_first(start);
        let last = self.fenced.iter().chain(&self.bare).max_by_key(|candidate| candidate.start);
        let follows_value = self.gap(start) == Gap::Separators
            && !last.is_some_and(|last| matches!(last.ending, Ending::Fragment(_)));
        let is_absent =
            |name: &str| self.keys.iter().any(|key| key == name) && parsed.value.get(name).is_none();
        let ending = context::ending(self.text, start, parsed.end, is_first, follows_value, is_absent);
        Ok(Read { parsed, ending, closers: 0 })
    }

    /// Whether nothing precedes `start` in the text or in its fence.
    fn is_first(&self, start: usize) -> bool {
        self.text.get(self.region..start).is_some_and(|before| before.trim_matches(is_blank).is_empty())
    }

    /// What is between the last value and `start`.
    fn gap(&self, start: usize) -> Gap {
        self.last_end.and_then(|end| self.text.get(end..start)).map_or(Gap::First, context::gap)
    }

    /// The closing bracket at which parsing stopped because it closes nothing that is open.
    fn stray_closer(&self, unread: &Unread) -> Option<usize> {
        let found = self.text.as_bytes().get(unread.at)?;
        let is_expected = matches!((unread.open.last(), found), (Some(b'{'), b'}') | (Some(b'['), b']'));
        let is_closer = matches!(found, b'}' | b']');
        // At the start of an item, its own opening bracket may be missing instead.
        let is_after_item = matches!(unread.why, Why::Expected(expected) if expected.starts_with("`,`"));
        (is_after_item && is_closer && !is_expected).then_some(unread.at)
    }

    /// Reads a value whose text, or fence, ends where only the closing brackets of one or more objects are missing. The schema decides
    /// whether anything else is missing. An unclosed list may lack items.
    fn closed(&mut self, start: usize, unread: Unread) -> Result<Read, Unread> {
        let end = match (unread.why, self.fence) {
            (Why::Cut, _) => self.text.len(),
            (Why::Expected(_), Some(fence))
                if self.text.get(unread.at..).is_some_and(|rest| rest.starts_with(fence)) =>
            {
                unread.at
            }
            (Why::Expected(_) | Why::TooDeep, _) => return Err(unread),
        };
        let Some(text) = self.text.get(..end) else { return Err(unread) };
        let again = lenient::parse(text, start, Hints { keys: self.keys, astray: &[] });
        let closers = match again {
            Err(Unread { why: Why::Cut, unclosed: Some(_), open, .. })
                if open.iter().all(|opener| *opener == b'{') && self.is_first(start) =>
            {
                open.len()
            }
            Ok(_) | Err(_) => {
                let why = if end < self.text.len() { Why::Cut } else { unread.why };
                return Err(Unread { why, ..unread });
            }
        };
        let whole = format!("{text}{}", "}".repeat(closers));
        let mut read = self.parse(&whole, start, &[])?;
        // After a comma an item may be missing as well, so more than brackets is.
        if read.parsed.repairs.contains(&Repair::TrailingComma) {
            return Err(unread);
        }
        read.parsed.end = end;
        read.closers = closers;
        read.parsed.repairs.push(Repair::MissingBracket);
        read.ending = Ending::Text;
        Ok(read)
    }

    /// Continues after a container that could not be read; nothing inside it is an answer.
    fn go_on(&mut self, start: usize, unread: &Unread) {
        let broken = |expected| Unreadable::Broken {
            expected,
            found: shown(self.text.get(unread.at..).unwrap_or_default()),
        };
        let is_first = self.is_first(start);
        // Before a word, as in `[Note]` or `{name}`, a bracket is prose.
        let next = self.text.get(start + 1..).unwrap_or_default().trim_start_matches(is_blank);
        let is_prose = unread.seen == Seen::Nothing && next.starts_with(char::is_alphabetic);
        // Some models copy the doubled braces of a template. The content of the inner ones is read next.
        if unread.seen == Seen::Nothing && next.starts_with('{') && self.text.get(start..=start) == Some("{")
        {
            self.at = start + 1;
            return;
        }
        self.begins_broken |= (is_first || self.gap(start) == Gap::Separators) && !is_prose;
        let unreadable = match (unread.why, unread.seen) {
            // A bracket in prose. Brackets after it, separated only by blanks and comments, were read with it and fail in the same way.
            (Why::Expected(expected), Seen::Nothing) => {
                if is_first {
                    self.unreadable = Some(broken(expected));
                }
                self.at = unread.after_opener.max(start + 1);
                return;
            }
            (Why::Expected(expected), Seen::Element) => {
                if is_first {
                    self.unreadable = Some(broken(expected));
                }
                // An aside such as `[1, see below]`, code such as `{a: b}`, or an interval such as `[0, 5)`, which nothing closes.
                self.at = self.closer(unread).unwrap_or(unread.at);
                return;
            }
            (Why::Expected(expected), Seen::Member) => broken(expected),
            (Why::TooDeep, _) => Unreadable::TooDeep,
            (Why::Cut, _) => Unreadable::Cut,
        };
        self.at = self.closer(unread).unwrap_or(self.text.len());
        self.bare.clear();
        if self.fence.is_some() {
            self.fenced.clear();
        }
        self.last_end = None;
        self.unreadable = Some(unreadable);
    }

    /// The position after the bracket that closes the unreadable container. Quotes are ignored, since they are often the
    /// error.
    fn closer(&mut self, unread: &Unread) -> Option<usize> {
        let mut depth = unread.open.len();
        let rest = self.text.as_bytes().get(unread.at..).unwrap_or_default();
        for (offset, byte) in rest.iter().enumerate() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return Some(unread.at + offset + 1);
            }
        }
        self.budget = self.budget.saturating_sub(rest.len());
        None
    }

    fn keep(&mut self, start: usize, read: Read, prose: Option<Repair>) {
        let Read { parsed: Parsed { value, mut repairs, end, exponents }, ending, closers } = read;
        let gap = self.gap(start);
        // The end of a scalar is relative to its start.
        let end = if value.is_object() || value.is_array() { end } else { start + end };
        self.last_end = Some(end);
        self.spans.push((start, end));
        let (repair, kept) = match self.fence {
            Some(_) => (Some(Repair::Fence), &mut self.fenced),
            None => (prose, &mut self.bare),
        };
        repairs.extend(repair);
        if kept.len() == MOST_CANDIDATES / 2 {
            kept.remove(0);
            self.overflowed = true;
        }
        let begins_line = context::begins_line(self.text, self.region, start);
        let ends_line = context::ends_line(self.text, end);
        let candidate =
            Candidate { value, repairs, start, gap, ending, begins_line, ends_line, closers, exponents };
        kept.push(candidate);
    }
}
