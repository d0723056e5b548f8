//! How many attempts may be in flight: a limit that grows while it is used up and nothing contradicts it. It falls when a
//! server refuses that many at a time, and when more in flight did not increase the throughput. Latency as such is never
//! considered, since it depends on the length of answers.

use std::time::Duration;

/// The initial limit on attempts in flight, if the user sets none.
pub const DEFAULT_CONCURRENCY: usize = 64;

/// The highest limit, unless the user sets a higher one.
const MOST: usize = 4096;

/// A limit counts as used up when this share of it is in flight.
const USED: f64 = 0.8;

/// How long a ceiling is respected before a tenth above it is tried; each failure doubles this.
const PATIENCE: Duration = Duration::from_secs(4);

/// How many refusals in a row establish a ceiling; a few may be chance.
const DOUBTS: u32 = 8;

/// Doubling the attempts in flight must multiply the throughput by at least this, or they only wait in the server.
const WORTH: f64 = 1.25;

/// The limit on attempts in flight, and how it adapts.
#[derive(Debug)]
pub(super) struct Concurrency {
    limit: usize,
    most: usize,
    /// How many connections the system has.
    cap: usize,
    /// Who set the limit. A limit that was set is never grown, and never probed downward.
    set_by: SetBy,
    ceiling: Option<Ceiling>,
    round: Option<Round>,
    /// The throughput of the last round at another limit.
    before: Option<Throughput>,
    /// Whether the current round repeats one to confirm that more in flight do not increase the throughput.
    is_repeated: bool,
    /// Whether the limit is at the point beyond which throughput does not grow.
    knee: bool,
    /// Consecutive refusals, and the fewest others in flight at one of them: an acceptance with as many in flight ends the
    /// series.
    doubts: u32,
    doubted: usize,
    /// The limit before an overload, kept where nothing else would find that it is possible again.
    lowered: Option<Lowered>,
}

/// Who set the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetBy {
    NoOne,
    /// For the account.
    User,
    /// The extractors that ask, by their limits together.
    Extractors,
}

/// A reduction after an overload, which is given back step by step.
#[derive(Debug, Clone, Copy)]
struct Lowered {
    from: usize,
    /// When the latest overload or the latest step back up was.
    at: Duration,
}

/// The concurrency at which the server began to refuse.
#[derive(Debug, Clone, Copy)]
struct Ceiling {
    limit: usize,
    failed_at: Duration,
    patience: Duration,
}

/// The time in which as many attempts are answered as the limit allows in flight.
#[derive(Debug, Clone, Copy)]
struct Round {
    began: Duration,
    /// How many attempts from before the change of the limit are still to be answered; these do not count.
    old: usize,
    done: usize,
}

#[derive(Debug, Clone, Copy)]
struct Throughput {
    limit: usize,
    per_second: f64,
}

impl Concurrency {
    /// The default limit, which adapts.
    pub(super) fn new() -> Self {
        Self {
            limit: DEFAULT_CONCURRENCY,
            most: MOST,
            cap: usize::MAX,
            set_by: SetBy::NoOne,
            ceiling: None,
            round: None,
            before: None,
            is_repeated: false,
            knee: false,
            doubts: 0,
            doubted: usize::MAX,
            lowered: None,
        }
    }

    /// How many may be in flight now.
    pub(super) fn limit(&self) -> usize {
        self.limit.min(self.cap)
    }

    /// Whether the limit was set, by the user or by extractors.
    pub(super) fn is_set(&self) -> bool {
        self.set_by != SetBy::NoOne
    }

    /// Discards measurements after a pause: nothing was answered for a while, so earlier rounds cannot be compared with.
    pub(super) fn interrupted(&mut self) {
        (self.round, self.before, self.is_repeated) = (None, None, false);
    }

    /// Sets the account's limit, as the user says.
    pub(super) fn set(&mut self, slots: usize) {
        (self.limit, self.most, self.set_by, self.lowered) = (slots, slots, SetBy::User, None);
    }

    /// Raises the account's limit to `slots`, if the user has set a lower one.
    pub(super) fn raise_to(&mut self, slots: usize) {
        if self.set_by == SetBy::User && slots > self.most {
            self.set(slots);
        }
    }

    /// Removes the account's limit, if the user has set one: from now on it adapts.
    pub(super) fn unset(&mut self) {
        if self.set_by == SetBy::User {
            (self.set_by, self.most) = (SetBy::NoOne, MOST);
            self.interrupted();
        }
    }

    /// Uses the sum of the extractors' limits, `slots`, while only extractors with their own limits ask.
    pub(super) fn share(&mut self, slots: usize) {
        match self.set_by {
            SetBy::User => return,
            SetBy::Extractors if slots > self.most => self.limit += slots - self.most,
            SetBy::Extractors => self.limit = self.limit.min(slots),
            SetBy::NoOne => self.limit = self.ceiling.map_or(slots, |ceiling| ceiling.limit.min(slots)),
        }
        (self.most, self.set_by) = (slots, SetBy::Extractors);
        self.lowered = self.lowered.map(|lowered| Lowered { from: lowered.from.min(slots), ..lowered });
        self.interrupted();
    }

    /// Adapts the account's limit while extractors without a limit ask as well; the others' limits add up to `slots`.
    pub(super) fn adapt(&mut self, slots: usize) {
        if self.set_by == SetBy::User {
            return;
        }
        self.set_by = SetBy::NoOne;
        self.most = MOST.max(slots);
        if self.ceiling.is_none() && self.lowered.is_none() && !self.knee {
            self.limit = self.limit.max(DEFAULT_CONCURRENCY).max(slots);
        }
        self.interrupted();
    }

    /// Caps the limit: the system has connections for at most `slots`.
    pub(super) fn cap(&mut self, slots: usize) {
        self.cap = slots;
    }

    /// Records that an attempt was answered while this many were in flight, itself included.
    pub(super) fn answered(&mut self, in_flight: usize, now: Duration) {
        self.give_back(in_flight, now);
        if !self.is_used(in_flight) || self.limit >= self.cap {
            self.round = None;
            return;
        }
        if let Some(ceiling) = self.ceiling {
            if now.saturating_sub(ceiling.failed_at) >= ceiling.patience {
                let above = (ceiling.limit + ceiling.limit.div_ceil(10)).min(self.most);
                self.limit = self.limit.max(above);
                // If it holds for as long again, the next try starts from it.
                self.ceiling = Some(Ceiling { limit: above, failed_at: now, ..ceiling });
            }
            return;
        }
        if self.is_set() {
            return;
        }
        let limit = self.limit;
        let round = self.round.get_or_insert(Round { began: now, old: 0, done: 0 });
        if round.old > 0 {
            round.old -= 1;
            round.began = now;
            return;
        }
        round.done += 1;
        let Round { began, done, .. } = *round;
        if done >= limit {
            let elapsed = now.saturating_sub(began).as_secs_f64().max(1e-6);
            self.end_round(Throughput { limit, per_second: done as f64 / elapsed });
        }
    }

    /// Ends a round at one limit: compares it with the previous one and picks the next limit.
    fn end_round(&mut self, throughput: Throughput) {
        self.round = None;
        let next = match self.before {
            _ if self.knee => return,
            None => throughput.limit * 2,
            Some(before) if throughput.limit > before.limit => {
                if throughput.per_second >= WORTH * before.per_second {
                    throughput.limit * 2
                } else if self.is_repeated {
                    before.limit / 2
                } else {
                    // A single round may be chance.
                    self.is_repeated = true;
                    return;
                }
            }
            // On the way down: as long as fewer have the same throughput, try still fewer.
            Some(before) if throughput.per_second * WORTH > before.per_second => throughput.limit / 2,
            Some(before) => {
                self.knee = true;
                before.limit
            }
        };
        self.is_repeated = false;
        let next = next.clamp(1, self.most);
        if next == throughput.limit {
            self.knee |= next == 1;
            self.before = None;
            return;
        }
        self.before = Some(throughput);
        self.round = Some(Round { began: Duration::ZERO, old: throughput.limit, done: 0 });
        self.limit = next;
    }

    /// Records a refusal that is not about an amount. The attempt was sent at `sent`, when this many others were in flight.
    pub(super) fn refused(&mut self, others: usize, sent: Duration, now: Duration) {
        self.doubts += 1;
        self.doubted = self.doubted.min(others.max(1));
        if self.doubts < DOUBTS {
            return;
        }
        let others = self.doubted;
        (self.doubts, self.doubted) = (0, usize::MAX);
        (self.round, self.before) = (None, None);
        let patience = match self.ceiling {
            Some(ceiling) if others >= ceiling.limit => return,
            // It was sent before the lower ceiling could be known, so it is not another failure.
            Some(ceiling) if sent <= ceiling.failed_at => ceiling.patience,
            Some(ceiling) => (ceiling.patience * 2).min(PATIENCE * 8),
            None => PATIENCE,
        };
        self.ceiling = Some(Ceiling { limit: others, failed_at: now, patience });
        // From now on, recovery is by lifting the ceiling.
        self.lowered = None;
        self.limit = self.limit.min(others);
    }

    /// As [`Self::refused`], if the server says that too many are in flight: one such refusal is enough.
    pub(super) fn refused_for_places(&mut self, others: usize, sent: Duration, now: Duration) {
        self.doubts = DOUBTS - 1;
        self.refused(others, sent, now);
    }

    /// Records that an attempt was accepted that was sent when this many others were in flight.
    pub(super) fn accepted(&mut self, others: usize) {
        if others >= self.doubted {
            (self.doubts, self.doubted) = (0, usize::MAX);
        }
        if self.ceiling.is_some_and(|ceiling| others >= ceiling.limit) {
            // It was not a ceiling after all.
            self.ceiling = None;
            self.limit = self.limit.max(others + 1);
        }
    }

    /// As [`Self::answered`], if the server advertises its limits, so that its capacity need not be found by trial.
    pub(super) fn follow_limits(&mut self, in_flight: usize, now: Duration) {
        self.give_back(in_flight, now);
        self.round = None;
        if !self.is_set() && self.ceiling.is_none() && self.is_used(in_flight) {
            self.limit = (self.limit * 2).min(self.most);
        }
    }

    fn is_used(&self, in_flight: usize) -> bool {
        in_flight as f64 >= USED * self.limit as f64
    }

    /// Lowers the limit by a tenth after an overload, and discards earlier measurements.
    pub(super) fn overloaded(&mut self, now: Duration) {
        self.interrupted();
        if self.is_set() || self.knee {
            let from = self.lowered.map_or(self.limit, |lowered| lowered.from.max(self.limit));
            self.lowered = Some(Lowered { from, at: now });
        }
        self.limit = (self.limit - self.limit.div_ceil(10)).max(1);
    }

    /// Gives back a tenth after each period without an overload in which the limit was used up.
    fn give_back(&mut self, in_flight: usize, now: Duration) {
        let Some(Lowered { from, at }) = self.lowered else { return };
        if self.is_used(in_flight) && now.saturating_sub(at) >= PATIENCE {
            self.limit = self.limit.max((self.limit + self.limit.div_ceil(10)).min(from));
            self.lowered = (self.limit < from).then_some(Lowered { from, at: now });
        }
    }
}
