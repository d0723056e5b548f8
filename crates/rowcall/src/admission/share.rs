//! The extractors that ask an account: how many attempts of each may be in flight, and which are paused. If only extractors with a limit of
//! their own ask, the sum of their limits is the account's limit; otherwise each is an upper bound within the account's limit.

use std::collections::BTreeMap;

use super::queue::Line;
use crate::standing::Bound;

/// The extractors on an account.
#[derive(Debug, Default)]
pub(super) struct Shares {
    of: BTreeMap<Line, Held>,
    next: u64,
    /// The sum of all limits. It cannot overflow: there are fewer than 2⁶⁴ limits.
    slots: u128,
    /// Attempts in flight and waiting of extractors without a limit.
    others: usize,
    /// What `take_change` returned last.
    last: Option<Sole>,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    /// `None` without a limit.
    slots: Option<usize>,
    in_flight: usize,
    /// Attempts in flight and waiting.
    asking: usize,
    is_paused: bool,
}

/// Whether extractors with limits are the only ones that ask, and how many slots they have together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sole {
    pub(super) is_sole: bool,
    pub(super) slots: usize,
}

impl Shares {
    /// Adds an extractor with this limit, if it has one.
    pub(super) fn open(&mut self, slots: Option<usize>) -> Line {
        let line = Line(self.next);
        self.next += 1;
        self.slots += slots.unwrap_or_default() as u128;
        self.of.insert(line, Held { slots, in_flight: 0, asking: 0, is_paused: false });
        line
    }

    /// Removes an extractor that is gone.
    pub(super) fn close(&mut self, line: Line) {
        let Some(share) = self.of.remove(&line) else { return };
        self.slots -= share.slots.unwrap_or_default() as u128;
        self.others -= if share.slots.is_none() { share.asking } else { 0 };
    }

    /// The limit of an extractor; `None` without one.
    pub(super) fn slots(&self, line: Line) -> Option<usize> {
        self.of.get(&line)?.slots
    }

    /// Changes the limit of an extractor.
    pub(super) fn set(&mut self, line: Line, slots: Option<usize>) {
        let Some(share) = self.of.get_mut(&line) else { return };
        self.slots -= share.slots.unwrap_or_default() as u128;
        self.slots += slots.unwrap_or_default() as u128;
        match (share.slots, slots) {
            (None, Some(_)) => self.others -= share.asking,
            (Some(_), None) => self.others += share.asking,
            (None, None) | (Some(_), Some(_)) => {}
        }
        share.slots = slots;
    }

    /// Pauses an extractor: nothing of it starts.
    pub(super) fn pause(&mut self, line: Line) {
        if let Some(share) = self.of.get_mut(&line) {
            share.is_paused = true;
        }
    }

    /// Ends a pause.
    pub(super) fn resume(&mut self, line: Line) {
        if let Some(share) = self.of.get_mut(&line) {
            share.is_paused = false;
        }
    }

    /// What keeps the extractor from starting another attempt, if anything does.
    pub(super) fn bound(&self, line: Option<Line>) -> Option<Bound> {
        let share = self.of.get(&line?)?;
        if share.is_paused {
            return Some(Bound::Pause);
        }
        share.slots.is_some_and(|slots| share.in_flight >= slots).then_some(Bound::Concurrency)
    }

    /// Whether the extractor may start another attempt.
    pub(super) fn has_room(&self, line: Option<Line>) -> bool {
        self.bound(line).is_none()
    }

    /// Takes a slot for an attempt.
    pub(super) fn take(&mut self, line: Option<Line>) {
        if let Some(share) = self.held(line) {
            share.in_flight += 1;
        }
    }

    /// Gives back an attempt's slot.
    pub(super) fn release(&mut self, line: Option<Line>) {
        if let Some(share) = self.held(line) {
            share.in_flight = share.in_flight.saturating_sub(1);
        }
    }

    /// Registers an attempt that wants to start.
    pub(super) fn begin(&mut self, line: Option<Line>) {
        let share = self.held(line);
        let has_limit = share.as_ref().is_some_and(|share| share.slots.is_some());
        if let Some(share) = share {
            share.asking += 1;
        }
        self.others += usize::from(!has_limit);
    }

    /// Unregisters an attempt that ended or stopped waiting.
    pub(super) fn end(&mut self, line: Option<Line>) {
        let is_other = match (line, self.held(line)) {
            (None, _) => true,
            // What an extractor that is gone had asked was unregistered with it.
            (Some(_), None) => false,
            (Some(_), Some(share)) => {
                share.asking = share.asking.saturating_sub(1);
                share.slots.is_none()
            }
        };
        self.others -= usize::from(is_other && self.others > 0);
    }

    /// Whether only extractors with limits ask.
    pub(super) fn are_sole(&self) -> bool {
        self.others == 0
    }

    /// The current state if it has changed since the last call. An idle extractor changes nothing.
    pub(super) fn take_change(&mut self) -> Option<Sole> {
        let slots = usize::try_from(self.slots).unwrap_or(usize::MAX);
        let now = Sole { is_sole: self.others == 0 && slots > 0, slots };
        (self.last.replace(now) != Some(now)).then_some(now)
    }

    fn held(&mut self, line: Option<Line>) -> Option<&mut Held> {
        self.of.get_mut(&line?)
    }
}
