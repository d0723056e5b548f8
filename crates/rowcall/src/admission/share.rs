//! The limits of extractors on their own attempts in flight. If only such extractors ask, the sum of their limits is the account's limit;
//! otherwise each is an upper bound within the account's limit.

use std::collections::BTreeMap;

use super::queue::Line;

/// The limits of extractors on an account.
#[derive(Debug, Default)]
pub(super) struct Shares {
    of: BTreeMap<Line, Held>,
    next: u64,
    /// Attempts in flight and waiting of extractors without a limit.
    others: usize,
    /// What `news` returned last.
    said: Option<Sole>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    places: usize,
    in_flight: usize,
}

/// Whether extractors with limits are the only ones that ask, and how many places they have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sole {
    pub(super) is_sole: bool,
    pub(super) places: usize,
}

impl Shares {
    /// A limit for an extractor.
    pub(super) fn open(&mut self, places: usize) -> Line {
        let line = Line(self.next);
        self.next += 1;
        self.of.insert(line, Held { places, in_flight: 0 });
        line
    }

    /// The extractor is gone.
    pub(super) fn close(&mut self, line: Line) {
        self.of.remove(&line);
    }

    /// Whether the extractor has a place left.
    pub(super) fn has_room(&self, line: Option<Line>) -> bool {
        let share = line.and_then(|line| self.of.get(&line));
        share.is_none_or(|share| share.in_flight < share.places)
    }

    /// An attempt takes a place.
    pub(super) fn take(&mut self, line: Option<Line>) {
        if let Some(share) = line.and_then(|line| self.of.get_mut(&line)) {
            share.in_flight += 1;
        }
    }

    /// An attempt has given back its place.
    pub(super) fn release(&mut self, line: Option<Line>) {
        if let Some(share) = line.and_then(|line| self.of.get_mut(&line)) {
            share.in_flight = share.in_flight.saturating_sub(1);
        }
    }

    /// An attempt asks to start.
    pub(super) fn begin(&mut self, line: Option<Line>) {
        self.others += usize::from(line.is_none());
    }

    /// An attempt ended, or stopped waiting.
    pub(super) fn end(&mut self, line: Option<Line>) {
        self.others -= usize::from(line.is_none() && self.others > 0);
    }

    /// Whether only extractors with limits ask.
    pub(super) fn are_sole(&self) -> bool {
        self.others == 0
    }

    /// The present state if it has changed since the last call. An extractor that asks for nothing changes nothing.
    pub(super) fn news(&mut self) -> Option<Sole> {
        let places = self.of.values().fold(0, |sum: usize, share| sum.saturating_add(share.places));
        let now = Sole { is_sole: self.others == 0 && places > 0, places };
        (self.said.replace(now) != Some(now)).then_some(now)
    }
}
