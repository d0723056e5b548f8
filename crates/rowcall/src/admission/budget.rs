//! The budget: a bucket that never refills. The sum of what was spent and the most that everything in flight can cost never exceeds it.
//! An attempt that fits only after others have been settled waits; one that can never fit is denied.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Problem;
use crate::hint::{Hint, Setting};
use crate::money::{Cost, Usd};

/// The user's budget, and what has been used of it.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// `None` if there is no budget; then every attempt fits.
    limit: Option<Usd>,
    /// The most that settled attempts have cost.
    spent: Usd,
    /// The part of it that may not have been billed, such as for lost answers.
    unsure: Usd,
    /// The most that the attempts in flight can cost.
    reserved: Usd,
    in_flight: usize,
    /// What journals have recorded; `spent` includes all of it.
    purses: Vec<(PathBuf, Usd)>,
    /// Why the budget can no longer be kept.
    broken: Option<Denial>,
}

/// The part of the spending that one journal records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purse(usize);

/// What an attempt reserves of a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stake {
    /// The most that it can cost; `None` if unbounded.
    pub(crate) most: Option<Usd>,
    /// The journal that records its cost.
    pub(crate) purse: Option<Purse>,
}

/// Why no more attempts are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Nothing is in flight, and the rest of the budget is less than the attempt can cost.
    UsedUp {
        /// The whole budget.
        budget: Usd,
        /// The most that has been spent of it.
        spent: Usd,
        /// The part of that which may not have been billed.
        unsure: Usd,
        /// The most that the attempt can cost.
        most: Usd,
    },
    /// The most that the attempt can cost is unknown.
    Unbounded,
    /// An attempt cost more than its request allows.
    Overrun {
        /// What it cost.
        cost: Usd,
        /// The most that it should have cost.
        most: Usd,
        /// By how much the budget is exceeded.
        beyond: Usd,
        /// The tier in which it was served, if that is not the one asked for.
        tier: Option<Arc<str>>,
    },
    /// Neither the cost of an attempt nor its maximum is known.
    Unpriced {
        /// The tier in which it was served, if that is not the one asked for.
        tier: Option<Arc<str>>,
    },
}

impl Denial {
    /// The error message.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::UsedUp { budget, spent, unsure, most } => {
                let lacking = spent + most - budget;
                let budget = budget.exactly();
                let known = spent - unsure;
                let used = match (known, unsure) {
                    (_, Usd::ZERO) => format!("{spent} is spent"),
                    (Usd::ZERO, _) => format!("requests without an answer may have cost up to {unsure}"),
                    (known, unsure) => {
                        format!("{known} is spent, requests without an answer may have cost up to {unsure} more")
                    }
                };
                let message = if spent == Usd::ZERO {
                    format!("the budget of {budget} is less than the {most} that one request may cost")
                } else {
                    format!(
                        "the budget of {budget} is used up: {used}, and the next request may cost up to {most}"
                    )
                };
                Problem::new(message).hint(format!(
                    "at least {lacking} more is needed; with a journal, run the same command with a larger budget to continue"
                ))
            }
            Self::Unbounded => Problem::new(
                "the most that a request can cost is unknown, so no budget can be kept: it has no output limit, or includes a document",
            )
            .hint(
                Hint::from("limit answers with ")
                    .with(Setting::MaxOutputTokens)
                    .with(", or leave out the budget"),
            ),
            Self::Overrun { cost, most, beyond, tier } => {
                let exceeded = match beyond {
                    Usd::ZERO => String::new(),
                    beyond => format!("; the budget is exceeded by {beyond}"),
                };
                let (why, hint) = match tier {
                    Some(tier) => (
                        format!("it was served in the tier `{tier}`, which it did not ask for"),
                        "ask for a tier by the provider's own parameter, so that its price is reserved",
                    ),
                    None => (
                        "the server ignores the output limit, or counts more tokens than it was sent".to_owned(),
                        "set a spend limit at the provider, which may work where a budget cannot",
                    ),
                };
                Problem::new(format!("a request cost {cost}, expected at most {most}: {why}{exceeded}"))
                    .hint(hint)
            }
            Self::Unpriced { tier } => {
                let why = match tier {
                    Some(tier) => format!("it was served in the tier `{tier}`, which has no price"),
                    None => "it has no price for its moment, its tokens or its tier".to_owned(),
                };
                Problem::new(format!("the cost of an answer is unknown, so no budget can be kept: {why}")).hint(
                    Hint::from("set a price for every tier with ")
                        .with(Setting::Price.like("in=USD,out=USD")),
                )
            }
        }
    }
}

impl Budget {
    /// Sets the budget. Earlier spending counts, but an answer that broke an earlier budget does not end this one: the user has decided
    /// anew, and the next such answer will.
    pub(super) fn set(&mut self, limit: Usd) {
        (self.limit, self.broken) = (Some(limit), None);
    }

    /// Removes the budget.
    pub(super) fn unset(&mut self) {
        (self.limit, self.broken) = (None, None);
    }

    /// The budget, and the most that is spent or reserved of it.
    pub(super) fn used(&self) -> Option<(Usd, Usd)> {
        self.limit.map(|limit| (limit, self.spent + self.reserved))
    }

    /// Opens a journal that has recorded this spending so far. Any of it that is not ours already counts as spent from now on.
    pub(super) fn open(&mut self, journal: &Path, recorded: Cost) -> Purse {
        let (at_most, unsure) = (recorded.known + recorded.most, recorded.most);
        let found = self.purses.iter().position(|(path, _)| path == journal);
        let at = found.unwrap_or_else(|| {
            self.purses.push((journal.to_owned(), Usd::ZERO));
            self.purses.len() - 1
        });
        if let Some((_, recorded)) = self.purses.get_mut(at) {
            let more = at_most - *recorded;
            self.spent += more;
            self.unsure += unsure.min(more);
            *recorded = at_most.max(*recorded);
        }
        Purse(at)
    }

    /// Notes that a journal records what was spent here before it was open.
    pub(super) fn record(&mut self, Purse(at): Purse, at_most: Usd) {
        if let Some((_, recorded)) = self.purses.get_mut(at) {
            *recorded += at_most;
        }
    }

    /// Whether the budget covers an attempt.
    pub(super) fn fits(&self, stake: Stake) -> bool {
        let Some(limit) = self.limit else { return true };
        let after = stake.most.map(|most| self.spent + self.reserved + most);
        self.broken.is_none() && after.is_some_and(|after| after <= limit)
    }

    /// Why an attempt can never be sent, if waiting for others would not help.
    pub(super) fn denial(&self, stake: Stake) -> Option<Denial> {
        let budget = self.limit?;
        if let Some(denial) = &self.broken {
            return Some(denial.clone());
        }
        let Some(most) = stake.most else { return Some(Denial::Unbounded) };
        let is_stuck = self.in_flight == 0 && !self.fits(stake);
        is_stuck.then_some(Denial::UsedUp { budget, spent: self.spent, unsure: self.unsure, most })
    }

    /// Whether there is a budget and nothing is in flight.
    pub(super) fn is_at_rest(&self) -> bool {
        self.limit.is_some() && self.in_flight == 0
    }

    /// Reserves the maximum cost of an attempt about to be sent.
    pub(super) fn reserve(&mut self, stake: Stake) {
        self.in_flight += 1;
        self.reserved += stake.most.unwrap_or_default();
    }

    /// Gives back the reservation of an attempt that was not sent after all.
    pub(super) fn release(&mut self, stake: Stake) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.reserved = self.reserved - stake.most.unwrap_or_default();
    }

    /// Replaces the reservation of an attempt that has ended by its cost. If that is unknown, the reservation counts as spent. `tier` is
    /// the one in which it was served, if that is not the one asked for.
    pub(super) fn settle(&mut self, stake: Stake, cost: Cost, tier: Option<&Arc<str>>) {
        self.release(stake);
        let most = stake.most.unwrap_or_default();
        let spent = cost.ceiling().unwrap_or_else(|| most.max(cost.known + cost.most));
        self.spent += spent;
        self.unsure += spent - cost.known;
        if let Some((_, recorded)) = stake.purse.and_then(|Purse(at)| self.purses.get_mut(at)) {
            *recorded += spent;
        }
        let Some(limit) = self.limit else { return };
        let broken = match cost.ceiling() {
            None => Some(Denial::Unpriced { tier: tier.cloned() }),
            Some(cost) if cost > most => {
                Some(Denial::Overrun { cost, most, beyond: self.spent - limit, tier: tier.cloned() })
            }
            Some(_) => None,
        };
        self.broken = match (self.broken.take(), broken) {
            // Report by how much the budget is exceeded in the end.
            (Some(Denial::Overrun { cost, most, tier, .. }), _) => {
                Some(Denial::Overrun { cost, most, beyond: self.spent - limit, tier })
            }
            (before, now) => before.or(now),
        };
    }

    /// Counts the reservation as spent, since the attempt's outcome will never be known.
    pub(super) fn keep(&mut self, stake: Stake) {
        self.settle(stake, stake.most.map_or(Cost::UNKNOWN, Cost::at_most), None);
    }

    #[cfg(test)]
    pub(super) fn committed(&self) -> Usd {
        self.spent + self.reserved
    }
}
