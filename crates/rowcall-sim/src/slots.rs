//! A server with few slots, like a local one: requests wait for a slot in order, and none is rejected. Pure in `now`,
//! the time since the first request.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use serde::Deserialize;

/// How many answers are produced concurrently. A request keeps its turn even if its client cancels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slots {
    /// The number of slots.
    pub places: u32,
}

/// When each slot is free again.
#[derive(Clone, Debug)]
pub(crate) struct Queue {
    free_at: BinaryHeap<Reverse<Duration>>,
}

impl Queue {
    pub(crate) fn new(slots: Slots) -> Self {
        Self { free_at: (0..slots.places.max(1)).map(|_| Reverse(Duration::ZERO)).collect() }
    }

    /// The delay of a request that arrives at `now` and whose answer takes `latency` once it has a slot.
    pub(crate) fn enter(&mut self, now: Duration, latency: Duration) -> Duration {
        let free_at = self.free_at.pop().map_or(now, |Reverse(free_at)| free_at);
        let done = free_at.max(now).saturating_add(latency);
        self.free_at.push(Reverse(done));
        done.saturating_sub(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_without_a_slot_wait_for_the_first_free_one() {
        let mut queue = Queue::new(Slots { places: 2 });
        for (now, latency, expected) in [
            (0, 300, 300), // both slots are free
            (0, 500, 500),
            (100, 100, 300), // until 300 for the first slot
            (100, 100, 400), // it is free at 400 again
            (700, 100, 100), // both are free
        ] {
            let away = queue.enter(Duration::from_millis(now), Duration::from_millis(latency));
            assert_eq!(away, Duration::from_millis(expected), "at {now}");
        }
    }
}
