//! How many attempts may be in flight: a limit that grows while it is used and nothing speaks against it. It comes down when a
//! server refuses so many at a time, and when more in flight has brought no more done. Latency as such is never read: it is the
//! length of answers.

use std::time::Duration;

/// The limit on attempts in flight that is begun with where nobody has said anything.
pub const DEFAULT_CONCURRENCY: usize = 64;

/// The most, unless the user says more.
const MOST: usize = 4096;

/// A limit counts as used when this share of it is in flight.
const USED: f64 = 0.8;

/// How long a ceiling that has failed is kept to before a tenth above it is tried; each failure doubles it.
const PATIENCE: Duration = Duration::from_secs(4);

/// So many refusals in a row are needed to show a ceiling; a few may be bad luck.
const DOUBTS: u32 = 8;

/// Twice as many in flight must bring at least this many times as much done, or they only wait in the server.
const WORTH: f64 = 1.25;

/// How many in flight there may be.
#[derive(Debug)]
pub(super) struct Concurrency {
    limit: usize,
    most: usize,
    /// How many connections the system allows.
    cap: usize,
    /// Who set the limit. A limit that was set does not grow, and no smaller one is tried.
    given: Given,
    ceiling: Option<Ceiling>,
    round: Option<Round>,
    /// What the last round at another limit has shown.
    before: Option<Shown>,
    /// Whether the last round was to confirm that more bring no more.
    is_repeated: bool,
    /// Where more was found to bring no more.
    knee: bool,
    /// Refusals in a row, and the fewest others that were in flight at one: an acceptance with as many in flight ends the row.
    doubts: u32,
    doubted: usize,
    /// How many there were before an overload, where nothing else would find that they are possible again.
    lowered: Option<Lowered>,
}

/// Who set the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Nobody,
    /// For the account.
    User,
    /// The extractors that ask, by their limits together.
    Extractors,
}

/// What an overload has taken off is given back bit by bit.
#[derive(Debug, Clone, Copy)]
struct Lowered {
    from: usize,
    /// The latest overload, or when some of it was given back.
    at: Duration,
}

/// So many at a time the server has refused.
#[derive(Debug, Clone, Copy)]
struct Ceiling {
    limit: usize,
    failed_at: Duration,
    patience: Duration,
}

/// The time in which as many are done as are in flight.
#[derive(Debug, Clone, Copy)]
struct Round {
    began: Duration,
    /// Of those in flight when the limit was changed, which do not count.
    old: usize,
    done: usize,
}

#[derive(Debug, Clone, Copy)]
struct Shown {
    limit: usize,
    per_second: f64,
}

impl Concurrency {
    /// The default, to be found out.
    pub(super) fn new() -> Self {
        Self {
            limit: DEFAULT_CONCURRENCY,
            most: MOST,
            cap: usize::MAX,
            given: Given::Nobody,
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
    pub(super) fn is_given(&self) -> bool {
        self.given != Given::Nobody
    }

    /// Nothing was done for a while, whatever was in flight: what a round has shown by now is nothing to compare with.
    pub(super) fn interrupted(&mut self) {
        (self.round, self.before, self.is_repeated) = (None, None, false);
    }

    /// The user sets the account's limit.
    pub(super) fn give(&mut self, places: usize) {
        (self.limit, self.most, self.given, self.lowered) = (places, places, Given::User, None);
    }

    /// Only extractors with limits of their own ask. Their limits add up to `places`.
    pub(super) fn share(&mut self, places: usize) {
        match self.given {
            Given::User => return,
            Given::Extractors if places > self.most => self.limit += places - self.most,
            Given::Extractors => self.limit = self.limit.min(places),
            Given::Nobody => self.limit = self.ceiling.map_or(places, |ceiling| ceiling.limit.min(places)),
        }
        (self.most, self.given) = (places, Given::Extractors);
        self.lowered = self.lowered.map(|lowered| Lowered { from: lowered.from.min(places), ..lowered });
        self.interrupted();
    }

    /// Extractors without a limit ask as well. The account's limit is found out; the other extractors' limits add up to `places`.
    pub(super) fn find_out(&mut self, places: usize) {
        if self.given == Given::User {
            return;
        }
        self.given = Given::Nobody;
        self.most = MOST.max(places);
        if self.ceiling.is_none() && self.lowered.is_none() && !self.knee {
            self.limit = self.limit.max(DEFAULT_CONCURRENCY).max(places);
        }
        self.interrupted();
    }

    /// The system has connections for at most `places`.
    pub(super) fn cap(&mut self, places: usize) {
        self.cap = places;
    }

    /// An attempt was answered when so many were in flight, itself included.
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
                // If it holds for as long again, it is the next to be tried from.
                self.ceiling = Some(Ceiling { limit: above, failed_at: now, ..ceiling });
            }
            return;
        }
        if self.is_given() {
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
            self.end_round(Shown { limit, per_second: done as f64 / elapsed });
        }
    }

    /// A round at one limit is over: compares it with the one before, and goes on.
    fn end_round(&mut self, shown: Shown) {
        self.round = None;
        let next = match self.before {
            _ if self.knee => return,
            None => shown.limit * 2,
            Some(before) if shown.limit > before.limit => {
                if shown.per_second >= WORTH * before.per_second {
                    shown.limit * 2
                } else if self.is_repeated {
                    before.limit / 2
                } else {
                    // One round may be chance.
                    self.is_repeated = true;
                    return;
                }
            }
            // On the way down: as long as fewer do as much, still fewer are tried.
            Some(before) if shown.per_second * WORTH > before.per_second => shown.limit / 2,
            Some(before) => {
                self.knee = true;
                before.limit
            }
        };
        self.is_repeated = false;
        let next = next.clamp(1, self.most);
        if next == shown.limit {
            self.knee |= next == 1;
            self.before = None;
            return;
        }
        self.before = Some(shown);
        self.round = Some(Round { began: Duration::ZERO, old: shown.limit, done: 0 });
        self.limit = next;
    }

    /// An attempt was refused, not for want of anything that flows in again. It was sent at `sent`, when so many others were in
    /// flight.
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
            // Sent before it could be known that the ceiling is lower: no failure of its own.
            Some(ceiling) if sent <= ceiling.failed_at => ceiling.patience,
            Some(ceiling) => (ceiling.patience * 2).min(PATIENCE * 8),
            None => PATIENCE,
        };
        self.ceiling = Some(Ceiling { limit: others, failed_at: now, patience });
        // From now on it is the ceiling that is tried to be lifted.
        self.lowered = None;
        self.limit = self.limit.min(others);
    }

    /// As [`Self::refused`], where the server says that so many at a time are too many: one such is enough.
    pub(super) fn refused_for_places(&mut self, others: usize, sent: Duration, now: Duration) {
        self.doubts = DOUBTS - 1;
        self.refused(others, sent, now);
    }

    /// An attempt was accepted that was sent when so many others were in flight.
    pub(super) fn accepted(&mut self, others: usize) {
        if others >= self.doubted {
            (self.doubts, self.doubted) = (0, usize::MAX);
        }
        if self.ceiling.is_some_and(|ceiling| others >= ceiling.limit) {
            // It was none.
            self.ceiling = None;
            self.limit = self.limit.max(others + 1);
        }
    }

    /// As [`Self::answered`], where the server tells its limits, so that there is no need to find out by trying how much it takes.
    pub(super) fn follow_limits(&mut self, in_flight: usize, now: Duration) {
        self.give_back(in_flight, now);
        self.round = None;
        if !self.is_given() && self.ceiling.is_none() && self.is_used(in_flight) {
            self.limit = (self.limit * 2).min(self.most);
        }
    }

    fn is_used(&self, in_flight: usize) -> bool {
        in_flight as f64 >= USED * self.limit as f64
    }

    /// The server is overloaded: a tenth fewer. What a round has shown before is nothing to compare with.
    pub(super) fn overloaded(&mut self, now: Duration) {
        self.interrupted();
        if self.is_given() || self.knee {
            let from = self.lowered.map_or(self.limit, |lowered| lowered.from.max(self.limit));
            self.lowered = Some(Lowered { from, at: now });
        }
        self.limit = (self.limit - self.limit.div_ceil(10)).max(1);
    }

    /// Gives back a tenth after every while without an overload in which all were used.
    fn give_back(&mut self, in_flight: usize, now: Duration) {
        let Some(Lowered { from, at }) = self.lowered else { return };
        if self.is_used(in_flight) && now.saturating_sub(at) >= PATIENCE {
            self.limit = self.limit.max((self.limit + self.limit.div_ceil(10)).min(from));
            self.lowered = (self.limit < from).then_some(Lowered { from, at: now });
        }
    }
}
