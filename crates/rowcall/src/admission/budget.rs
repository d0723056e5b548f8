//! The budget: one more bucket, which never fills again. What was spent and the most that everything in flight can cost never exceed it
//! together; what fits only once others have been settled waits, and what can never fit is denied.

use std::path::{Path, PathBuf};

use crate::error::Problem;
use crate::money::{Cost, Usd};

/// The user's budget, and what has become of it.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// `None` if there is no budget: then everything is free.
    limit: Option<Usd>,
    /// What settled attempts have cost, at the most.
    spent: Usd,
    /// The most that the attempts in flight can cost.
    reserved: Usd,
    in_flight: usize,
    /// What journals have recorded, all of which is in `spent`.
    purses: Vec<(PathBuf, Usd)>,
    /// Why it cannot be kept to any more.
    broken: Option<Denial>,
}

/// A part of a budget's spending that a journal records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Purse(usize);

/// What an attempt takes from a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stake {
    /// The most that it can cost; `None` if there is no most.
    pub(crate) most: Option<Usd>,
    /// What records its cost.
    pub(crate) purse: Option<Purse>,
}

/// Why no attempt is sent any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denial {
    /// Nothing is in flight, and what is left of the budget is less than the attempt can cost.
    UsedUp {
        /// The whole budget.
        budget: Usd,
        /// What has been spent of it, at the most.
        spent: Usd,
        /// The most that the attempt can cost.
        most: Usd,
    },
    /// Nobody knows the most that the attempt can cost.
    Boundless,
    /// An attempt has cost more than it could by what was asked for.
    Overrun {
        /// What it cost.
        cost: Usd,
        /// The most that it could.
        most: Usd,
        /// By how much the whole budget is exceeded.
        beyond: Usd,
    },
    /// Nobody knows what an attempt has cost, nor at the most.
    Unpriced,
}

impl Denial {
    /// It in words.
    pub(crate) fn problem(self) -> Problem {
        match self {
            Self::UsedUp { budget, spent, most } => {
                let lacking = spent + most - budget;
                let message = if spent == Usd::ZERO {
                    format!("the budget of {budget} is less than the {most} that one request may cost")
                } else {
                    format!(
                        "the budget of {budget} is used up: {spent} is spent, and the next request may cost up to {most}"
                    )
                };
                Problem::new(message).hint(format!(
                    "at least {lacking} more is needed; with a journal, the same command with a larger budget goes on from there"
                ))
            }
            Self::Boundless => Problem::new(
                "the most that a request can cost is not known, so no budget can be kept: it has no output limit, or a document in it",
            )
            .hint("`--max-output-tokens` limits answers; without a budget it can be sent"),
            Self::Overrun { cost, most, beyond } => {
                let exceeded = match beyond {
                    Usd::ZERO => String::new(),
                    beyond => format!("; the budget is exceeded by {beyond}"),
                };
                Problem::new(format!(
                    "a request has cost {cost}, expected at most {most}: the server does not keep to the output limit, or counts \
                     more tokens than it was sent{exceeded}"
                ))
                .hint("nothing more is sent; the provider's own spend limit may hold where a budget cannot")
            }
            Self::Unpriced => Problem::new(
                "the cost of an answer is not known, so no budget can be kept: it was served in a tier without a price, or its token \
                 counts contradict one another",
            )
            .hint("`--price in=USD,out=USD` gives a price for every tier"),
        }
    }
}

impl Budget {
    /// Sets the budget. What was spent before counts.
    pub(super) fn set(&mut self, limit: Usd) {
        self.limit = Some(limit);
    }

    /// A journal has recorded spending of `at_most` so far. What of it is not from here is spent from now on.
    pub(super) fn open(&mut self, journal: &Path, at_most: Usd) -> Purse {
        let found = self.purses.iter().position(|(path, _)| path == journal);
        let at = found.unwrap_or_else(|| {
            self.purses.push((journal.to_owned(), Usd::ZERO));
            self.purses.len() - 1
        });
        if let Some((_, recorded)) = self.purses.get_mut(at) {
            self.spent += at_most - *recorded;
            *recorded = at_most.max(*recorded);
        }
        Purse(at)
    }

    /// A journal records what was spent here without one.
    pub(super) fn record(&mut self, Purse(at): Purse, at_most: Usd) {
        if let Some((_, recorded)) = self.purses.get_mut(at) {
            *recorded += at_most;
        }
    }

    /// Whether an attempt may be sent as far as money is concerned.
    pub(super) fn fits(&self, stake: Stake) -> bool {
        let Some(limit) = self.limit else { return true };
        let after = stake.most.map(|most| self.spent + self.reserved + most);
        self.broken.is_none() && after.is_some_and(|after| after <= limit)
    }

    /// Why an attempt is not sent, if waiting for others would not help.
    pub(super) fn denial(&self, stake: Stake) -> Option<Denial> {
        let budget = self.limit?;
        if let Some(denial) = self.broken {
            return Some(denial);
        }
        let Some(most) = stake.most else { return Some(Denial::Boundless) };
        let is_stuck = self.in_flight == 0 && !self.fits(stake);
        is_stuck.then_some(Denial::UsedUp { budget, spent: self.spent, most })
    }

    /// Whether there is a budget of which nothing is in flight.
    pub(super) fn is_at_rest(&self) -> bool {
        self.limit.is_some() && self.in_flight == 0
    }

    /// An attempt is about to be sent.
    pub(super) fn reserve(&mut self, stake: Stake) {
        self.in_flight += 1;
        self.reserved += stake.most.unwrap_or_default();
    }

    /// It was not sent after all.
    pub(super) fn release(&mut self, stake: Stake) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.reserved = self.reserved - stake.most.unwrap_or_default();
    }

    /// It has ended. Where its cost is unknown, it keeps what it has reserved.
    pub(super) fn settle(&mut self, stake: Stake, cost: Cost) {
        self.release(stake);
        let most = stake.most.unwrap_or_default();
        let spent = cost.ceiling().unwrap_or_else(|| most.max(cost.known + cost.most));
        self.spent += spent;
        if let Some((_, recorded)) = stake.purse.and_then(|Purse(at)| self.purses.get_mut(at)) {
            *recorded += spent;
        }
        let Some(limit) = self.limit else { return };
        let broken = match cost.ceiling() {
            None => Some(Denial::Unpriced),
            Some(cost) if cost > most => Some(Denial::Overrun { cost, most, beyond: self.spent - limit }),
            Some(_) => None,
        };
        self.broken = match (self.broken, broken) {
            // How far it is exceeded in the end is what counts.
            (Some(Denial::Overrun { cost, most, .. }), _) => {
                Some(Denial::Overrun { cost, most, beyond: self.spent - limit })
            }
            (before, now) => before.or(now),
        };
    }

    /// Nobody waits any more for what becomes of it.
    pub(super) fn keep(&mut self, stake: Stake) {
        self.settle(stake, stake.most.map_or(Cost::UNKNOWN, Cost::at_most));
    }

    #[cfg(test)]
    pub(super) fn committed(&self) -> Usd {
        self.spent + self.reserved
    }
}
