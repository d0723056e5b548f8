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
    /// What `take_change` returned last.
    last: Option<Sole>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    slots: usize,
    in_flight: usize,
}

/// Whether extractors with limits are the only ones that ask, and how many slots they have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sole {
    pub(super) is_sole: bool,
    pub(super) slots: usize,
}

impl Shares {
    /// Adds a limit for an extractor.
    pub(super) fn open(&mut self, slots: usize) -> Line {
        let line = Line(self.next);
        self.next += 1;
        self.of.insert(line, Held { slots, in_flight: 0 });
        line
    }

    /// Removes the limit of an extractor that is gone.
    pub(super) fn close(&mut self, line: Line) {
        self.of.remove(&line);
    }

    /// Whether the extractor has a free slot.
    pub(super) fn has_room(&self, line: Option<Line>) -> bool {
        let share = line.and_then(|line| self.of.get(&line));
        share.is_none_or(|share| share.in_flight < share.slots)
    }

    /// Takes a slot for an attempt.
    pub(super) fn take(&mut self, line: Option<Line>) {
        if let Some(share) = line.and_then(|line| self.of.get_mut(&line)) {
            share.in_flight += 1;
        }
    }

    /// Gives back an attempt's slot.
    pub(super) fn release(&mut self, line: Option<Line>) {
        if let Some(share) = line.and_then(|line| self.of.get_mut(&line)) {
            share.in_flight = share.in_flight.saturating_sub(1);
        }
    }

    /// Registers an attempt that wants to start.
    pub(super) fn begin(&mut self, line: Option<Line>) {
        self.others += usize::from(line.is_none());
    }

    /// Unregisters an attempt that ended or stopped waiting.
    pub(super) fn end(&mut self, line: Option<Line>) {
        self.others -= usize::from(line.is_none() && self.others > 0);
    }

    /// Whether only extractors with limits ask.
    pub(super) fn are_sole(&self) -> bool {
        self.others == 0
    }

    /// The current state if it has changed since the last call. An idle extractor changes nothing.
    pub(super) fn take_change(&mut self) -> Option<Sole> {
        let slots = self.of.values().fold(0, |sum: usize, share| sum.saturating_add(share.slots));
        let now = Sole { is_sole: self.others == 0 && slots > 0, slots };
        (self.last.replace(now) != Some(now)).then_some(now)
    }
}
