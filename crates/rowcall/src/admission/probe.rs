//! Checks whether a slow limit that a server advertises is real: now and then one attempt is sent although the server says that
//! nothing is left. If these attempts are accepted, the limit is not real.

use std::time::Duration;

/// The first probe is sent this long after a limit has become known, or has been confirmed.
const FIRST: Duration = Duration::from_secs(2);

/// Each refused probe makes the time until the next one this many times as long, up to the longest.
const BACKOFF: u32 = 4;
const LONGEST: Duration = Duration::from_mins(5);

/// This many probes accepted in a row show that a limit is not real.
const ENOUGH: u32 = 3;

/// The probes of one limit.
#[derive(Debug)]
pub(super) struct Probe {
    next: Duration,
    gap: Duration,
    /// The number of the attempt in flight.
    sent: Option<u64>,
    accepted: u32,
}

impl Probe {
    /// For a limit that became known at `now`.
    pub(super) fn new(now: Duration) -> Self {
        Self { next: now + FIRST, gap: FIRST, sent: None, accepted: 0 }
    }

    /// How long until the next one may be sent; `None` while one is in flight.
    pub(super) fn ready_in(&self, now: Duration) -> Option<Duration> {
        self.sent.is_none().then(|| self.next.saturating_sub(now))
    }

    /// Records that attempt `number` is sent as a probe.
    pub(super) fn send(&mut self, number: u64) {
        self.sent = Some(number);
    }

    /// Records that attempt `number` was accepted. Returns whether that shows the limit to be unreal.
    pub(super) fn accept(&mut self, number: u64, now: Duration) -> bool {
        if self.sent != Some(number) {
            return false;
        }
        self.accepted += 1;
        (self.sent, self.next, self.gap) = (None, now, FIRST);
        self.accepted >= ENOUGH
    }

    /// Records that attempt `number` ended. If it was the probe and was not accepted, the limit may be real.
    pub(super) fn end(&mut self, number: u64, now: Duration) {
        if self.sent == Some(number) {
            self.gap = (self.gap * BACKOFF).min(LONGEST);
            *self = Self { next: now + self.gap, gap: self.gap, sent: None, accepted: 0 };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn three_accepted_probes_in_a_row_refute_a_limit() {
        let mut probe = Probe::new(seconds(1));
        assert_eq!(probe.ready_in(seconds(1)), Some(seconds(2)));
        for (number, shown) in [(7, false), (8, false), (9, true)] {
            probe.send(number);
            assert_eq!(probe.ready_in(seconds(10)), None);
            assert!(!probe.accept(3, seconds(10)), "another attempt");
            assert_eq!(probe.accept(number, seconds(10)), shown);
            probe.end(number, seconds(10));
            assert_eq!(probe.ready_in(seconds(10)), Some(Duration::ZERO));
        }
    }

    #[test]
    fn refused_probes_become_rare() {
        let mut probe = Probe::new(Duration::ZERO);
        let waits = [8, 32, 128, 300, 300].map(|wait| {
            probe.send(1);
            probe.end(1, seconds(5));
            (probe.ready_in(seconds(5)), Some(seconds(wait)))
        });
        for (wait, expected) in waits {
            assert_eq!(wait, expected);
        }
    }
}
