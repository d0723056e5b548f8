//! When an outcome is released: in input order or as completed. It holds back items that come too early, whatever they are. Items
//! that it has no room for stay in the journal and are loaded later; without a journal, the run bounds how many may be held.

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

/// Where to hold items that come too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holding {
    /// All of them here.
    All,
    /// Here only those that are less than this many places ahead. The others can be loaded by their place when their turn comes
    /// near.
    Ahead(u64),
}

/// The items ready to be released, and those held back until their turn.
#[derive(Debug)]
pub(crate) struct Order<T> {
    by: OrderBy,
    holding: Holding,
    ready: VecDeque<T>,
    /// From the first index that has not been released; `None` for an outcome that has not come yet.
    held: VecDeque<Option<T>>,
    next: u64,
    held_back: usize,
    /// Items before this index are held here or yet to come; later ones are not held here.
    here_until: u64,
    /// One past the last index that was not held here.
    elsewhere_until: u64,
    /// Indexes to be loaded, or being loaded, that this run did not leave elsewhere: what the journal has there is left over from an
    /// earlier run. At most the rows in flight plus one load.
    not_elsewhere: BTreeSet<u64>,
    /// Whether to stop waiting for missing items.
    gaps_closed: bool,
}

impl<T> Order<T> {
    /// An empty order; the first index is 0.
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

    /// Takes the item of `index`. It is dropped if that index has been released: it was loaded in the meantime.
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

    /// The places to load now, if any; from now on, items pushed there are held here. Must be followed by [`Self::load`].
    pub(crate) fn take_load_request(&mut self) -> Option<Range<u64>> {
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

    /// Takes what was found at the requested places, except what this run did not leave there.
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

    /// Whether holding back is limited to `most` and that many are held.
    pub(crate) fn is_full(&self, most: usize) -> bool {
        match self.holding {
            Holding::All => self.held_back >= most,
            Holding::Ahead(_) => false,
        }
    }

    /// All items that may be released now, in order.
    pub(crate) fn take_ready(&mut self) -> VecDeque<T> {
        std::mem::take(&mut self.ready)
    }

    /// Whether an item may be released now.
    pub(crate) fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Stops waiting for missing items: those held become ready, in order. For the end of a run that was stopped.
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
        if let Some(slot @ None) = self.held.get_mut(ahead) {
            *slot = Some(item);
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
