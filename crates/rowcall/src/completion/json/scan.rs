//! The way through a text from value to value: fences, thoughts, brackets of prose, and where reading goes on behind what cannot be
//! read.

use super::context::{self, shown};
use super::thoughts::{self, Mark};
use super::{Candidate, Ending, Found, Gap, MOST_CANDIDATES, Unreadable};
use crate::completion::lenient::{self, Hints, Parsed, Seen, Unread, Why, is_blank};
use crate::completion::repair::Repair;

/// How often, on average, a byte may be read before the search ends: what bounds its time on any text.
const READINGS: usize = 16;

/// How many closing brackets that stand astray are passed over in one value.
const MOST_ASTRAY: usize = 3;

/// Finds the JSON in a text that begins with the answer.
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
    /// The run of backticks or tildes that opened the fence we are in.
    fence: Option<&'a str>,
    /// Where the text begins, or the fence we are in.
    region: usize,
    /// Where the last value ended.
    last_end: Option<usize>,
    /// Values in fences, in the order of the text.
    fenced: Vec<Candidate>,
    /// Values outside of fences, likewise.
    bare: Vec<Candidate>,
    unreadable: Option<Unreadable>,
    overflowed: bool,
    /// Whether there were thoughts.
    thought: bool,
    /// Whether the text or a fence begins with JSON that cannot be read, or a value is followed by such.
    begins_broken: bool,
    /// Where the values and the thoughts stand, in order.
    spans: Vec<(usize, usize)>,
}

/// A value read with all that stands around it.
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
        // What was not read may hold a better value.
        let has_candidates = !self.fenced.is_empty() || !self.bare.is_empty();
        self.overflowed |= has_candidates && self.at < self.text.len();
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes past thoughts that begin here. If they end here, all that stood before was thought.
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

    /// Goes past a run of backticks or tildes, which may open or close a fence, wherever in a line it stands.
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

    /// Takes `body`, the whole text or what a fence holds, which begins at byte `start`, if it is a number, string or literal and
    /// nothing else. Among prose any word could be one.
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

    /// Reads the container that may begin here, and goes on behind it.
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

    /// Reads the container at `start`. Where that leaves more of the same JSON behind it, or meets a closing bracket that closes
    /// nothing, the bracket is passed over, if then all of the JSON is read.
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

    /// The closing bracket in front of `end`, if more than such brackets follows.
    fn goes_on(&self, end: usize) -> Option<usize> {
        let rest = self.text.get(end..).unwrap_or_default();
        let behind = rest.trim_start_matches(|c| is_blank(c) || matches!(c, '}' | ']'));
        (!behind.is_empty()).then_some(end - 1)
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

    /// Whether nothing stands before `start` in the text or in its fence.
    fn is_first(&self, start: usize) -> bool {
        self.text.get(self.region..start).is_some_and(|before| before.trim_matches(is_blank).is_empty())
    }

    /// What stands between the last value and `start`.
    fn gap(&self, start: usize) -> Gap {
        self.last_end.and_then(|end| self.text.get(end..start)).map_or(Gap::First, context::gap)
    }

    /// The closing bracket at which reading stopped because it closes nothing that is open.
    fn stray_closer(&self, unread: &Unread) -> Option<usize> {
        let stands = self.text.as_bytes().get(unread.at)?;
        let is_expected = matches!((unread.open.last(), stands), (Some(b'{'), b'}') | (Some(b'['), b']'));
        let is_closer = matches!(stands, b'}' | b']');
        // Where an item should begin, its own opening bracket may be what is missing.
        let is_behind_item = matches!(unread.why, Why::Expected(expected) if expected.starts_with("`,`"));
        (is_behind_item && is_closer && !is_expected).then_some(unread.at)
    }

    /// The value that could not be read because the text, or its fence, ends before the brackets of one or more objects, and nothing
    /// else of it, are closed. Whether nothing else is missing is for the schema to say. A list that is not closed may lack items.
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

    /// Goes on behind a container that could not be read; what is inside of one is no answer.
    fn go_on(&mut self, start: usize, unread: &Unread) {
        let broken = |expected| Unreadable::Broken {
            expected,
            found: shown(self.text.get(unread.at..).unwrap_or_default()),
        };
        let is_first = self.is_first(start);
        // In front of a word, such as `[Note]` or `{name}`, a bracket is prose.
        let next = self.text.get(start + 1..).unwrap_or_default().trim_start_matches(is_blank);
        let is_prose = unread.seen == Seen::Nothing && next.starts_with(char::is_alphabetic);
        // Some models copy the doubled braces of a template. What the inner ones hold is read next.
        if unread.seen == Seen::Nothing && next.starts_with('{') && self.text.get(start..=start) == Some("{")
        {
            self.at = start + 1;
            return;
        }
        self.begins_broken |= (is_first || self.gap(start) == Gap::Separators) && !is_prose;
        let unreadable = match (unread.why, unread.seen) {
            // A bracket in prose. Those behind it, with blanks and comments between, were read on the way and come to the same end.
            (Why::Expected(expected), Seen::Nothing) => {
                if is_first {
                    self.unreadable = Some(broken(expected));
                }
                self.at = unread.behind_opener.max(start + 1);
                return;
            }
            (Why::Expected(expected), Seen::Element) => {
                if is_first {
                    self.unreadable = Some(broken(expected));
                }
                // An aside such as `[1, see below]`, code such as `{a: b}`, an interval such as `[0, 5)` that nothing closes.
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

    /// The byte behind the bracket that closes what could not be read. Quotes are not heeded: where there is an error,
    /// they are often the error.
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
        // The end of a scalar is counted from where it begins.
        let end = if value.is_object() || value.is_array() { end } else { start + end };
        self.last_end = Some(end);
        self.spans.push((start, end));
        let (place, kept) = match self.fence {
            Some(_) => (Some(Repair::Fence), &mut self.fenced),
            None => (prose, &mut self.bare),
        };
        repairs.extend(place);
        if kept.len() == MOST_CANDIDATES / 2 {
            kept.remove(0);
            self.overflowed = true;
        }
        kept.push(Candidate { value, repairs, start, gap, ending, closers, exponents });
    }
}
