//! When an outcome is released: in input order or as completed. It holds back what came too early and knows nothing of what it
//! holds. What it has no room for is left where it can be loaded from, if there is such a place; else how much may be held is the
//! run's bound.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

/// In which order outcomes are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderBy {
    /// The order of the input.
    #[default]
    Input,
    /// As they are completed.
    Completed,
}

/// Where what comes too early is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// All of it here.
    All,
    /// Here only what is less than so many places ahead. The rest can be loaded by its place when its turn comes near.
    Ahead(u64),
}

/// What is to be released, and what is held back until its turn.
#[derive(Debug)]
pub(crate) struct Order<T> {
    by: OrderBy,
    holding: Holding,
    ready: VecDeque<T>,
    /// From the first index that has not been released; `None` where the outcome is not there yet.
    held: VecDeque<Option<T>>,
    next: u64,
    held_back: usize,
    /// What belongs before this index is here or yet to come, what belongs behind it is not held here.
    here_until: u64,
    /// Behind the last index that was not held here.
    elsewhere_until: u64,
    /// Of what is to be loaded, or is being loaded, what was not left elsewhere: what is found there is of another time. No more than
    /// the rows in flight and what is loaded at a time.
    not_elsewhere: BTreeSet<u64>,
    /// Whether what is missing is waited for no more.
    gaps_closed: bool,
}

impl<T> Order<T> {
    /// Nothing yet; the first index is 0.
    pub(crate) fn new(by: OrderBy, holding: Holding) -> Self {
        Self {
            by,
            holding,
            ready: VecDeque::new(),
            held: VecDeque::new(),
            next: 0,
            held_back: 0,
            here_until: 0,
            elsewhere_until: 0,
            not_elsewhere: BTreeSet::new(),
            gaps_closed: false,
        }
    }

    /// Takes what belongs at `index`. What has been there before is dropped: it was loaded in the meantime.
    pub(crate) fn push(&mut self, index: u64, item: T) {
        match (self.by, self.holding) {
            (OrderBy::Completed, _) => self.ready.push_back(item),
            (OrderBy::Input, Holding::All) => self.put(index, item),
            (OrderBy::Input, Holding::Ahead(room)) => {
                if self.elsewhere_until <= self.here_until {
                    self.here_until = self.here_until.max(self.next.saturating_add(room));
                }
                if index < self.here_until {
                    self.put(index, item);
                } else {
                    self.not_elsewhere.extend(self.elsewhere_until.max(self.here_until)..index);
                    self.elsewhere_until = self.elsewhere_until.max(index + 1);
                }
                self.not_elsewhere.remove(&index);
            }
        }
    }

    /// The places to load now, if any; what is pushed there from now on is held here. It is to be followed by [`Self::load`].
    pub(crate) fn take_wish(&mut self) -> Option<Range<u64>> {
        let Holding::Ahead(room) = self.holding else { return None };
        let is_due = self.gaps_closed || self.here_until <= self.next.saturating_add(room / 2);
        if self.here_until >= self.elsewhere_until || !is_due {
            return None;
        }
        let from = self.here_until;
        self.here_until = self.next.saturating_add(room).max(from.saturating_add(room / 2));
        self.not_elsewhere.extend(self.elsewhere_until..self.here_until);
        Some(from..self.here_until)
    }

    /// Takes what was found at the places wished for. What nobody has left there is not taken.
    pub(crate) fn load(&mut self, found: impl IntoIterator<Item = (u64, T)>) {
        for (index, item) in found {
            if !self.not_elsewhere.contains(&index) {
                self.put(index, item);
            }
        }
        if self.gaps_closed {
            self.close_gaps();
        }
    }

    /// Whether no more than `most` can be held back, and as many are.
    pub(crate) fn is_full(&self, most: usize) -> bool {
        match self.holding {
            Holding::All => self.held_back >= most,
            Holding::Ahead(_) => false,
        }
    }

    /// All that may go out now, in order.
    pub(crate) fn take_ready(&mut self) -> VecDeque<T> {
        std::mem::take(&mut self.ready)
    }

    /// Whether something may go out now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Gives up waiting for what is missing: what is held becomes ready, in order. For the end of a run that was stopped.
    pub(crate) fn close_gaps(&mut self) {
        self.gaps_closed = true;
        self.next = (self.next + self.held.len() as u64).max(self.here_until);
        self.ready.extend(self.held.drain(..).flatten());
        self.held_back = 0;
    }

    fn put(&mut self, index: u64, item: T) {
        let Some(ahead) = index.checked_sub(self.next) else { return };
        let ahead = ahead as usize;
        if ahead >= self.held.len() {
            self.held.resize_with(ahead + 1, || None);
        }
        if let Some(place @ None) = self.held.get_mut(ahead) {
            *place = Some(item);
            self.held_back += 1;
        }
        self.release();
    }

    fn release(&mut self) {
        while let Some(Some(_)) = self.held.front() {
            if let Some(Some(item)) = self.held.pop_front() {
                self.ready.push_back(item);
                self.held_back -= 1;
                self.next += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests;
