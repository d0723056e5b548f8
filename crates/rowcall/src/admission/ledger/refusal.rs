//! What follows from a refusal: whether it concerns the account, how long the account is closed, and which limit, pace or
//! ceiling it reveals.

use std::time::Duration;

use super::{FOLLOWING, Granted, Ledger};
use crate::admission::amounts::Amounts;
use crate::admission::bucket::Bucket;
use crate::admission::pace::{Cause, Pace};
use crate::admission::refusals::{Remedy, Since, Verdict};
use crate::admission::{Refusal, Settlement};
use crate::standing::{Dimension, LimitedBy};

/// Upward jitter on a wait that the server requested: a tenth of it, and at most a second.
const JITTER: f64 = 0.1;

/// This many refusals without a time, if they are at least half of what was sent meanwhile, are believed.
const UNTIMED: u64 = 8;

/// A refusal does not concern the account if this many attempts that were sent after it have been answered.
const CONTRADICTIONS: usize = 3;

impl Ledger {
    /// Whether the whole account waits after a refusal or only the refused row. Refusals that are not about an amount, or come
    /// without a time, have separate rules.
    pub(super) fn judge(&mut self, granted: Granted, settlement: Settlement) -> Verdict {
        let Settlement::Refused(Refusal { retry_after: Some(_), by, .. }) = settlement else {
            return Verdict::Account;
        };
        match by {
            Some(LimitedBy::Growth | LimitedBy::Concurrency) => Verdict::Account,
            Some(LimitedBy::Amount(_)) | None => {
                self.refusals.refused(granted.sent.number, self.limits.sent())
            }
        }
    }

    /// Gives back what was reserved for an attempt that the server did not serve.
    fn turn_away(&mut self, granted: Granted, now: Duration) {
        self.limited_since.get_or_insert(now);
        self.give(granted.amounts, &granted.sent, now);
    }

    /// Handles a refusal with a time that others have not met: only many of them may lead to a pace.
    pub(super) fn take_single_refusal(&mut self, granted: Granted, refusal: Refusal, now: Duration) {
        self.turn_away(granted, now);
        let dimension = match refusal.by {
            Some(LimitedBy::Amount(dimension)) => dimension,
            Some(LimitedBy::Growth | LimitedBy::Concurrency) | None => Dimension::Requests,
        };
        let pace = self.paces.get(&dimension).filter(|pace| self.binds(dimension, pace));
        let pace = pace.filter(|_| !refusal.overloaded);
        let is_below_measured = pace.map(|pace| pace.is_below_measured(now));
        let since = Since { at: now, accepted: self.limits.total() };
        let accepted = self.limits.accepted(dimension);
        match self.refusals.remedy(since, is_below_measured) {
            Remedy::Begin(_) if refusal.overloaded => self.concurrency.overloaded(now),
            // A pace that does not apply yet may do so once it has been measured for long enough.
            Remedy::Begin(_) | Remedy::Measure if self.paces.contains_key(&dimension) => {
                if let Some(pace) = self.paces.get_mut(&dimension) {
                    pace.refused(granted.amounts.of(dimension), accepted, Cause::Amount, now);
                }
            }
            Remedy::Ignore | Remedy::Measure => {}
            Remedy::Begin(from) => {
                let pace = Pace::since(from.at, from.accepted.of(dimension), accepted, now);
                self.paces.insert(dimension, pace);
            }
            Remedy::Forget => drop(self.paces.remove(&dimension)),
        }
    }

    /// Handles a refusal that concerns the account, or one that may be about anything.
    pub(super) fn take_refusal(&mut self, granted: Granted, refusal: Refusal, now: Duration) {
        self.turn_away(granted, now);
        let Refusal { retry_after, by, overloaded, slots } = refusal;
        let contradictions =
            self.lately_answered.iter().filter(|number| **number > granted.sent.number).count();
        if contradictions >= CONTRADICTIONS {
            // Attempts sent after it were accepted, so it concerns only this attempt.
            return;
        }
        let is_new = self.closed_at.is_none_or(|closed_at| granted.sent.at > closed_at);
        if is_new && (retry_after.is_some() || overloaded) {
            self.closed_at = Some(now);
        }
        if let Some(wait) = retry_after {
            let jitter = (wait.mul_f64(JITTER)).min(Duration::from_secs(1)).mul_f64(fastrand::f64());
            self.closed_until = self.closed_until.max(now + wait + jitter);
            self.opened_at = self.closed_until;
            self.ramp = Some(Bucket::full(FOLLOWING, 1.0, self.closed_until));
        }
        if overloaded {
            if is_new {
                self.concurrency.overloaded(now);
            }
            return;
        }
        if retry_after.is_none() {
            let number = granted.sent.number;
            self.untimed_from = if self.untimed == 0 { number } else { self.untimed_from.min(number) };
            self.untimed += 1;
        }
        let sent_since = self.limits.sent().saturating_sub(self.untimed_from);
        match (by, retry_after) {
            // A server that names no time may refuse for any reason; that an amount is used up shows only when nothing else is
            // answered.
            (Some(LimitedBy::Amount(_)), None) if self.untimed < UNTIMED || 2 * self.untimed < sent_since => {
            }
            (Some(LimitedBy::Amount(dimension)), _) => {
                self.slow_down(dimension, Cause::Amount, granted.amounts, retry_after, is_new, now);
            }
            (Some(LimitedBy::Growth), _) => {
                self.slow_down(Dimension::Requests, Cause::Growth, granted.amounts, retry_after, is_new, now);
            }
            (None, Some(_)) => {
                self.slow_down(Dimension::Requests, Cause::Amount, granted.amounts, retry_after, is_new, now);
            }
            (Some(LimitedBy::Concurrency), _) => {
                self.untimed = 0;
                let others = slots.map_or(granted.others, |slots| granted.others.min(slots));
                self.concurrency.refused_for_places(others, granted.sent.at, now);
            }
            (None, None) => {
                self.concurrency.refused(granted.others, granted.sent.at, now);
            }
        }
    }

    /// The server has nothing left of this dimension.
    fn slow_down(
        &mut self,
        dimension: Dimension,
        cause: Cause,
        refused: Amounts,
        retry_after: Option<Duration>,
        is_new: bool,
        now: Duration,
    ) {
        self.limits.exhaust(dimension, refused, retry_after, now);
        if !is_new {
            return;
        }
        let accepted = self.limits.accepted(dimension);
        let elapsed = self.limits.elapsed(now);
        match self.paces.get_mut(&dimension) {
            Some(pace) => pace.refused(refused.of(dimension), accepted, cause, now),
            None => drop(self.paces.insert(dimension, Pace::first(accepted, elapsed, now))),
        }
    }
}

/// Whether it is a refusal that names no wait.
pub(super) fn is_untimed(settlement: Settlement) -> bool {
    matches!(settlement, Settlement::Refused(Refusal { retry_after: None, .. }))
}
