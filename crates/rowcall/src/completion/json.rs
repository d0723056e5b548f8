//! Finds JSON in a text: the whole of it, in fences, among prose, behind a model's thoughts. Pure, and bounded in time
//! and memory whatever the text. The syntax is `lenient.rs`; whether a value is the one wanted is judged in `mod.rs`.

use serde_json::Value;

use super::lenient::{self, Parsed, Seen, Unread, Why, is_blank};
use super::repair::Repair;

/// How many values of one text are considered.
const MOST_CANDIDATES: usize = 16;

/// How often, on average, a byte may be read before the search ends: what bounds its time on any text.
const READINGS: usize = 32;

/// How many characters of broken JSON are shown.
const SHOWN: usize = 24;

/// How open-weight models mark their thoughts where the server leaves them in the text.
const THOUGHTS: [(&str, &str); 6] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<scratchpad>", "</scratchpad>"),
    ("[THINK]", "[/THINK]"),
];

/// What JSON a text holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Found {
    /// The values, best first, at most 16: in a fence before among prose, and later before earlier, since a model that
    /// thinks aloud answers last. A value is no candidate if an unreadable one that stands as well follows it: it was a
    /// draft.
    pub candidates: Vec<Candidate>,
    /// Why the last thing that began like JSON could not be read, or that there was nothing at all.
    pub unreadable: Option<Unreadable>,
}

/// One value found.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: Value,
    /// What had to be put right to read it, each kind once.
    pub repairs: Vec<Repair>,
}

/// Why a text, or something in it, gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unreadable {
    /// The text is empty, or nothing but white space.
    Empty,
    /// The text ends before it is complete.
    Cut,
    /// It nests deeper than 128 levels.
    TooDeep,
    /// It has an error that no repair mends.
    Broken {
        /// What should have stood there, as part of a sentence.
        expected: &'static str,
        /// What stood there: its first characters.
        found: String,
    },
}

/// Finds the JSON in `text`. Text that is JSON as it stands is one candidate without repairs.
///
/// Values among a model's thoughts count only if nothing follows the thoughts: what stands there instead of JSON is
/// then the answer. A key that stands twice is recorded as a repair only where the text is not strict JSON; in strict
/// JSON the last one holds silently, as `serde_json` has it.
pub fn find(text: &str) -> Found {
    match strict(text) {
        Some(value) => Found { candidates: vec![Candidate { value, repairs: Vec::new() }], unreadable: None },
        None => search(text),
    }
}

/// The value of a text that is JSON as it stands, white space and a byte order mark around it aside.
pub(super) fn strict(text: &str) -> Option<Value> {
    serde_json::from_str(text.trim_matches(is_blank)).ok()
}

/// Finds the JSON in a text that is not [`strict`].
pub(super) fn search(text: &str) -> Found {
    let text = text.trim_matches(is_blank);
    if text.is_empty() {
        return Found { candidates: Vec::new(), unreadable: Some(Unreadable::Empty) };
    }
    let (thoughts, answer) = split_thoughts(text);
    if !answer.is_empty() {
        return scan(answer);
    }
    let mut found = scan(thoughts);
    for draft in &mut found.candidates {
        draft.repairs.push(Repair::Reasoning);
    }
    found
}

/// The model's thoughts and the answer behind them. They may have no end, when the model forgot it or was cut off, and
/// no beginning, since some chat templates write that into the prompt; their end must then begin a line, which it
/// cannot do inside of a JSON string.
fn split_thoughts(text: &str) -> (&str, &str) {
    let mut answer = text;
    while let Some((_, end)) = THOUGHTS.iter().find(|(begin, _)| answer.starts_with(begin)) {
        answer = answer.split_once(end).map_or("", |(_, behind)| behind.trim_start_matches(is_blank));
    }
    if answer.len() == text.len() {
        let ends = THOUGHTS.iter().filter_map(|(_, end)| {
            let begins_line =
                |at| text.get(..at).is_some_and(|before| before.is_empty() || before.ends_with('\n'));
            text.rmatch_indices(end).map(|(at, _)| at).find(|at| begins_line(*at)).map(|at| at + end.len())
        });
        answer = ends.max().and_then(|end| text.get(end..)).unwrap_or(text).trim_start_matches(is_blank);
    }
    text.split_at(text.len() - answer.len())
}

/// Finds the JSON in a trimmed text, without regard to thoughts.
fn scan(text: &str) -> Found {
    let mut scan = Scan {
        text,
        at: 0,
        budget: READINGS * text.len(),
        fence: None,
        fenced: Vec::new(),
        bare: Vec::new(),
        unreadable: None,
    };
    if !scan.scalar(text) {
        scan.run();
    }
    let Scan { fenced, bare, unreadable, .. } = scan;
    let mut candidates: Vec<Candidate> = fenced.into_iter().rev().chain(bare.into_iter().rev()).collect();
    candidates.truncate(MOST_CANDIDATES);
    Found { candidates, unreadable }
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    /// Bytes that may still be read.
    budget: usize,
    /// The run of backticks or tildes that opened the fence we are in.
    fence: Option<&'a str>,
    /// Values in fences, in the order of the text; at most [`MOST_CANDIDATES`].
    fenced: Vec<Candidate>,
    /// Values outside of fences, likewise.
    bare: Vec<Candidate>,
    unreadable: Option<Unreadable>,
}

impl Scan<'_> {
    fn run(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at)
            && self.budget > 0
        {
            match byte {
                b'`' | b'~' => self.fence_mark(),
                b'{' | b'[' => self.container(),
                _ => self.at += 1,
            }
        }
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
                if let Some((body, _)) = body.split_once(mark)
                    && self.scalar(body.split_once('\n').map_or(body, |(_, lines)| lines))
                {
                    self.at += body.len();
                }
            }
            Some(_) | None => {}
        }
    }

    /// Takes `body`, the whole text or what a fence holds, if it is a number, string or literal and nothing else. Among
    /// prose any word could be one.
    fn scalar(&mut self, body: &str) -> bool {
        let body = body.trim_matches(is_blank);
        if body.starts_with(['{', '[']) {
            return false;
        }
        match lenient::parse(body, 0) {
            Ok(parsed) if parsed.end == body.len() => {
                self.keep(parsed, None);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Reads the container that may begin here, and goes on behind it.
    fn container(&mut self) {
        let start = self.at;
        let read = match lenient::parse(self.text, start) {
            Ok(parsed) => {
                self.at = parsed.end;
                let is_whole = start == 0 && parsed.end == self.text.len();
                self.keep(parsed, if is_whole { None } else { Some(Repair::Prose) });
                self.at
            }
            Err(unread) => {
                self.go_on(start, &unread);
                self.at.max(unread.at)
            }
        };
        self.budget = self.budget.saturating_sub(read - start);
    }

    /// Goes on behind a container that could not be read; what is inside of one is no answer.
    fn go_on(&mut self, start: usize, unread: &Unread) {
        let unreadable = match (unread.why, unread.seen) {
            // A bracket in prose. Those right behind it were read on the way and come to the same end.
            (Why::Expected(_), Seen::Nothing) => {
                let behind = self.text.get(start + 1..unread.at).unwrap_or_default();
                let brackets = behind.find(|c| !is_blank(c) && c != '[' && c != '{').unwrap_or(behind.len());
                self.at = start + 1 + brackets;
                return;
            }
            (Why::Expected(_), Seen::Element) => {
                // An aside such as `[1, see below]`, code such as `{a: b}`, an interval such as `[0, 5)` that nothing closes.
                self.at = self.closer(unread).unwrap_or(unread.at);
                return;
            }
            (Why::Expected(expected), Seen::Member) => {
                let found = self
                    .text
                    .get(unread.at..)
                    .unwrap_or_default()
                    .chars()
                    .take_while(|c| *c != '\n')
                    .take(SHOWN)
                    .collect();
                Unreadable::Broken { expected, found }
            }
            (Why::TooDeep, _) => Unreadable::TooDeep,
            (Why::Cut, _) => Unreadable::Cut,
        };
        self.at = self.closer(unread).unwrap_or(self.text.len());
        self.bare.clear();
        if self.fence.is_some() {
            self.fenced.clear();
        }
        self.unreadable = Some(unreadable);
    }

    /// The byte behind the bracket that closes what could not be read. Quotes are not heeded: where there is an error,
    /// they are often the error.
    fn closer(&mut self, unread: &Unread) -> Option<usize> {
        let mut depth = unread.depth;
        let rest = self.text.as_bytes().get(unread.at..).unwrap_or_default();
        for (offset, byte) in rest.iter().enumerate() {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(unread.at + offset + 1);
            }
        }
        self.budget = self.budget.saturating_sub(rest.len());
        None
    }

    fn keep(&mut self, parsed: Parsed, prose: Option<Repair>) {
        let Parsed { value, mut repairs, .. } = parsed;
        let (place, kept) = match self.fence {
            Some(_) => (Some(Repair::Fence), &mut self.fenced),
            None => (prose, &mut self.bare),
        };
        repairs.extend(place);
        if kept.len() == MOST_CANDIDATES {
            kept.remove(0);
        }
        kept.push(Candidate { value, repairs });
    }
}

#[cfg(test)]
mod tests;
