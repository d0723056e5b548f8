//! Whether a refusal is the account's or a single row's bad luck, and whether refusals that come one at a time need a pace. A gateway
//! over several deployments refuses a few requests at random, whatever is sent.

use std::collections::VecDeque;
use std::time::Duration;

use super::limits::Amounts;

/// What a refusal, and an attempt that was sent since the first and not refused, say about whose the refusals are, and the sum from which
/// they are the account's: the logarithms of how much likelier each is if six in ten are refused than if one in ten is, in units of a
/// fifth. Five refusals in a row are enough, or six of nine. One refusal in ten at random comes to this once in thousands.
const REFUSED: u64 = 9;
const NOT_REFUSED: u64 = 4;
const ENOUGH: u64 = 40;

/// When three times as many attempts sent since the first refusal have been accepted, earlier refusals no longer count.
const OUTWEIGHED: u64 = 3;

/// The share of refusals is judged over this many results.
const WINDOW: usize = 100;

/// A larger share of refusals than this costs more than a pace does.
const TOO_MANY: f64 = 0.2;

/// This many refusals, over at least [`SPAN`], while less is sent than was measured show that the rate is not the reason.
const STRIKES: u32 = 3;
const SPAN: Duration = Duration::from_millis(200);

/// For this many accepted attempts after a pace has proved useless, no other is set.
const ACQUITTED: u64 = 400;

/// Whose a refusal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All wait for the time that the server asks for.
    Account,
    /// Only the refused row waits.
    Row,
}

/// What follows for the pace from a refusal that is a single row's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Remedy {
    /// Nothing: refusals are rare enough.
    Ignore,
    /// A pace is needed, since too many of the latest attempts were refused: at this time this much had been accepted.
    Begin(Since),
    /// The pace takes note of it.
    Measure,
    /// The pace does not help.
    Forget,
}

/// The beginning of the window that refusals are judged over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Since {
    pub(super) at: Duration,
    /// What had been sent, less what was refused.
    pub(super) accepted: Amounts,
}

/// The account's refusals that name a time and may be about an amount.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    /// The number of the first refused attempt of the series, the refusals in it, and how many attempts sent after the first
    /// have been accepted.
    first: u64,
    refused: u64,
    accepted: u64,
    /// The latest results, the newest last, and which of them are refusals.
    latest: VecDeque<(Since, bool)>,
    strikes: u32,
    struck_at: Duration,
    is_measured_anew: bool,
    /// How many more attempts must be accepted before a pace may be set again.
    acquitted: u64,
}

impl Refusals {
    /// Attempt `number` was refused when `sent` attempts had been sent in all.
    pub(super) fn refused(&mut self, number: u64, sent: u64) -> Verdict {
        self.first = if self.refused == 0 { number } else { self.first.min(number) };
        self.refused += 1;
        let sent_since = (sent + 1).saturating_sub(self.first);
        let others = sent_since.saturating_sub(self.refused);
        if REFUSED * self.refused >= ENOUGH + NOT_REFUSED * others { Verdict::Account } else { Verdict::Row }
    }

    /// Attempt `number` was accepted.
    pub(super) fn accepted(&mut self, number: u64, since: Since) {
        self.note(since, false);
        self.acquitted = self.acquitted.saturating_sub(1);
        if self.refused > 0 && number > self.first {
            self.accepted += 1;
            if self.accepted >= OUTWEIGHED * self.refused {
                (self.refused, self.accepted) = (0, 0);
            }
        }
    }

    /// What follows from a refusal of a single row. `is_below_measured` is whether the pace sends less than was measured; none if
    /// no pace binds.
    pub(super) fn remedy(&mut self, since: Since, is_below_measured: Option<bool>) -> Remedy {
        self.note(since, true);
        match is_below_measured {
            None => {
                let refused = self.latest.iter().filter(|(_, is_refusal)| *is_refusal).count();
                let is_often = self.latest.len() == WINDOW && refused as f64 > TOO_MANY * WINDOW as f64;
                let Some((first, _)) = self.latest.front().copied().filter(|_| is_often) else {
                    return Remedy::Ignore;
                };
                if self.acquitted > 0 {
                    return Remedy::Ignore;
                }
                self.forgive();
                Remedy::Begin(first)
            }
            Some(false) => {
                self.forgive();
                Remedy::Measure
            }
            Some(true) => {
                if self.strikes == 0 {
                    self.struck_at = since.at;
                }
                self.strikes += 1;
                if self.strikes < STRIKES || since.at.saturating_sub(self.struck_at) < SPAN {
                    return Remedy::Ignore;
                }
                self.strikes = 0;
                if !std::mem::replace(&mut self.is_measured_anew, true) {
                    return Remedy::Measure;
                }
                self.forgive();
                self.latest.clear();
                self.acquitted = ACQUITTED;
                Remedy::Forget
            }
        }
    }

    fn forgive(&mut self) {
        self.strikes = 0;
        self.is_measured_anew = false;
    }

    fn note(&mut self, since: Since, is_refusal: bool) {
        if self.latest.len() == WINDOW {
            self.latest.pop_front();
        }
        self.latest.push_back((since, is_refusal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(milliseconds: u64) -> Since {
        Since { at: Duration::from_millis(milliseconds), accepted: Amounts::default() }
    }

    #[test]
    fn refusals_are_the_accounts_when_they_outweigh_what_else_was_sent() {
        for (refused, others, verdict) in [
            (4, 0, Verdict::Row),
            (5, 0, Verdict::Account),
            (5, 1, Verdict::Account),
            (5, 2, Verdict::Row),
            (6, 3, Verdict::Account),
            (12, 17, Verdict::Account),
            (12, 18, Verdict::Row),
        ] {
            let mut refusals = Refusals::default();
            let verdicts: Vec<_> =
                (1..=refused).map(|number| refusals.refused(number, refused + others)).collect();
            assert_eq!(verdicts.last(), Some(&verdict), "{refused} refused beside {others}");
        }
    }

    #[test]
    fn refusals_are_forgotten_once_three_times_as_many_are_accepted() {
        let mut refusals = Refusals::default();
        for number in 1..=4 {
            assert_eq!(refusals.refused(number, 4), Verdict::Row);
        }
        for number in 5..=16 {
            refusals.accepted(number, since(number));
        }
        assert_eq!(refusals.refused(17, 17), Verdict::Row);
    }

    #[test]
    fn a_pace_that_changes_nothing_is_measured_anew_and_then_forgotten() {
        use Remedy::{Forget, Ignore, Measure};

        let mut refusals = Refusals::default();
        let remedies: Vec<_> = (0..6).map(|nth| refusals.remedy(since(150 * nth), Some(true))).collect();
        assert_eq!(remedies, [Ignore, Ignore, Measure, Ignore, Ignore, Forget]);
    }

    #[test]
    fn a_pace_begins_when_more_than_a_fifth_of_the_latest_attempts_were_refused() {
        let mut refusals = Refusals::default();
        for number in 0..80 {
            refusals.accepted(number, since(number));
        }
        let remedies: Vec<_> = (80..101).map(|at| refusals.remedy(since(at), None)).collect();
        assert_eq!(remedies[..20], [Remedy::Ignore; 20]);
        assert_eq!(remedies[20], Remedy::Begin(since(1)));
    }
}
