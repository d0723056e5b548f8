//! Whether a refusal concerns the account or only a single row by chance, and whether isolated refusals need a pace. A gateway over
//! several deployments refuses a few requests at random, regardless of the load.

use std::collections::VecDeque;
use std::time::Duration;

use super::amounts::Amounts;

/// The evidence of a refusal, and of an attempt sent since the first refusal that was not refused, and the sum at which refusals concern
/// the account. These are log-likelihood ratios, in units of a fifth, for six in ten being refused against one in ten. Five refusals in a
/// row are enough, or six of nine. Random refusals of one in ten reach the sum once in thousands of cases.
const REFUSED: u64 = 9;
const NOT_REFUSED: u64 = 4;
const ENOUGH: u64 = 40;

/// When three times as many attempts sent since the first refusal have been accepted, earlier refusals no longer count.
const OUTWEIGHED: u64 = 3;

/// The share of refusals is judged over this many results.
const WINDOW: usize = 100;

/// A larger share of refusals than this costs more than a pace.
const TOO_MANY: f64 = 0.2;

/// This many refusals, over at least [`SPAN`], while less is sent than was measured show that the rate is not the reason.
const STRIKES: u32 = 3;
const SPAN: Duration = Duration::from_millis(200);

/// After a pace has proved useless, no other is set for this many accepted attempts.
const ACQUITTED: u64 = 400;

/// Whom a refusal concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The whole account waits for the time that the server requests.
    Account,
    /// Only the refused row waits.
    Row,
}

/// What follows for the pace from a refusal that concerns a single row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Remedy {
    /// Nothing: refusals are rare enough.
    Ignore,
    /// A pace is needed, since too many of the latest attempts were refused. It is measured from this point on.
    Begin(Since),
    /// The pace measures again.
    Measure,
    /// The pace does not help.
    Forget,
}

/// The beginning of the window that refusals are judged over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Since {
    pub(super) at: Duration,
    /// What had been sent, minus what was refused.
    pub(super) accepted: Amounts,
}

/// The refusals that name a time and may be about an amount.
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
    /// Records that attempt `number` was refused when `sent` attempts had been sent in total.
    pub(super) fn refused(&mut self, number: u64, sent: u64) -> Verdict {
        self.first = if self.refused == 0 { number } else { self.first.min(number) };
        self.refused += 1;
        let sent_since = (sent + 1).saturating_sub(self.first);
        let others = sent_since.saturating_sub(self.refused);
        if REFUSED * self.refused >= ENOUGH + NOT_REFUSED * others { Verdict::Account } else { Verdict::Row }
    }

    /// Records that attempt `number` was accepted.
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

    /// What follows from a refusal of a single row. `is_below_measured` is whether the pace sends less than was measured; `None`
    /// if no pace applies.
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
    fn refusals_concern_the_account_when_they_outweigh_other_attempts() {
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
    fn a_pace_that_changes_nothing_is_measured_again_and_then_forgotten() {
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
