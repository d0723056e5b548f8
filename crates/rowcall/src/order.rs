//! When an outcome is released: in input order or as completed. It holds back what came too early and knows nothing of what it
//! holds; how much may be held is the run's bound.

use std::collections::VecDeque;

/// In which order outcomes are released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OrderBy {
    /// The order of the input.
    #[default]
    Input,
    /// As they are completed.
    Completed,
}

/// What is to be released, and what is held back until its turn.
#[derive(Debug)]
pub(crate) struct Order<T> {
    by: OrderBy,
    ready: VecDeque<T>,
    /// From the first index that has not been released; `None` where the outcome is not there yet.
    held: VecDeque<Option<T>>,
    next: u64,
    holding: usize,
}

impl<T> Order<T> {
    /// Nothing yet; the first index is 0.
    pub(crate) fn new(by: OrderBy) -> Self {
        Self { by, ready: VecDeque::new(), held: VecDeque::new(), next: 0, holding: 0 }
    }

    /// Takes what belongs at `index`, which has not been there before.
    pub(crate) fn push(&mut self, index: u64, item: T) {
        match self.by {
            OrderBy::Completed => self.ready.push_back(item),
            OrderBy::Input => {
                let Some(ahead) = index.checked_sub(self.next) else { return self.ready.push_back(item) };
                let ahead = ahead as usize;
                if ahead >= self.held.len() {
                    self.held.resize_with(ahead + 1, || None);
                }
                if let Some(place) = self.held.get_mut(ahead) {
                    *place = Some(item);
                    self.holding += 1;
                }
                self.release();
            }
        }
    }

    /// How many are held back.
    pub(crate) fn holding(&self) -> usize {
        self.holding
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
        self.next += self.held.len() as u64;
        self.ready.extend(self.held.drain(..).flatten());
        self.holding = 0;
    }

    fn release(&mut self) {
        while let Some(Some(_)) = self.held.front() {
            if let Some(Some(item)) = self.held.pop_front() {
                self.ready.push_back(item);
                self.holding -= 1;
                self.next += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Orders in which `n` rows may be completed.
    fn completions() -> impl Strategy<Value = Vec<u64>> {
        (0..200_u64).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle())
    }

    proptest! {
        #[test]
        fn input_order_comes_out_whatever_the_completion(completed in completions()) {
            let mut order = Order::new(OrderBy::Input);
            let mut released = Vec::new();
            let mut pushed = std::collections::BTreeSet::new();
            for &index in &completed {
                order.push(index, index);
                pushed.insert(index);
                released.extend(order.take_ready());
                // As early as possible: everything up to the first gap is out, and the rest is held.
                let first_gap = (0..=200).find(|index| !pushed.contains(index)).unwrap_or(0);
                prop_assert_eq!(released.len() as u64, first_gap);
                prop_assert_eq!(order.holding(), pushed.len() - released.len());
            }
            prop_assert_eq!(released, (0..completed.len() as u64).collect::<Vec<_>>());
        }

        #[test]
        fn completion_order_comes_out_as_it_came(completed in completions()) {
            let mut order = Order::new(OrderBy::Completed);
            for &index in &completed {
                order.push(index, index);
                prop_assert_eq!(order.holding(), 0);
            }
            prop_assert_eq!(Vec::from(order.take_ready()), completed);
        }

        #[test]
        fn at_the_end_of_a_stopped_run_what_is_there_comes_out_in_order(completed in completions(), missing in 0..50_u64) {
            let mut order = Order::new(OrderBy::Input);
            for &index in completed.iter().filter(|&&index| index != missing) {
                order.push(index, index);
            }
            order.close_gaps();
            let released = Vec::from(order.take_ready());
            let expected: Vec<_> = (0..completed.len() as u64).filter(|&index| index != missing).collect();
            prop_assert_eq!(released, expected);
            prop_assert_eq!(order.holding(), 0);
        }
    }
}
