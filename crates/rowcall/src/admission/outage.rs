//! Detects outages: attempts of several rows have failed in succession with nothing accepted in between. The whole account then waits,
//! single attempts probe whether the server is back, and the rows keep their retries.

use std::time::Duration;

/// This many failures without an answer between them are an outage, or fewer if nothing else is in flight.
const FAILURES: u32 = 8;

/// They must be of at least this many rows: a single row may itself be the cause.
const FEWEST_ROWS: u32 = 2;

/// An outage that fewer than [`FAILURES`] rows have met may be the rows' own fault, so it is believed only this long.
const BELIEVED_FOR_FEW: Duration = Duration::from_mins(1);

/// The same if web pages came instead of answers from a server that has answered before, which is hardly ever a row's fault.
const BELIEVED_FOR_PAGES: Duration = Duration::from_mins(6);

/// The time between two probes is a twentieth of the outage's duration so far, within these bounds: recovery from a brief
/// outage is noticed immediately, and a long one costs a request a second.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
const SHARE: u32 = 20;

/// The same while nothing was ever accepted: then the setup is probably wrong, and there is no rate to return to.
const LONGEST_IF_NEW: Duration = Duration::from_secs(2);
const SHARE_IF_NEW: u32 = 5;

/// A probe that hangs does not block the next one forever: that follows after this time, or twice the longest recent latency, or a
/// thirtieth of the outage's duration, whichever is longest.
const HANGING: Duration = Duration::from_secs(1);
const HANGING_SHARE: u32 = 30;

/// If nothing has ended for this long, or for three times the longest recent latency, the server hangs.
const SILENCE: Duration = Duration::from_secs(5);

/// After an idle gap longer than this, it is unknown whether an outage continues.
const IDLE: Duration = Duration::from_mins(1);

/// How an attempt failed, for failures that may affect others as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// No connection could be made: nothing was sent.
    Unreachable,
    /// The connection broke, or no answer came in time.
    Unanswered,
    /// A gateway reports that there is no server behind it, or the server that it cannot serve now.
    Gateway,
    /// The server has no capacity now, and does not say when it will.
    Overloaded,
    /// A web page came instead of an answer: something in front of the server answered for it.
    Page,
    /// A server error, or an unreadable response.
    Server,
}

/// What an attempt's failure is blamed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The row: uses up its retries.
    Row,
    /// Chance: the row was refused while others are accepted.
    Chance,
    /// Every row fails, and nothing was ever accepted: uses up the row's retries, and then the run stops.
    Setup,
    /// The account: it has been failing every row for this long; the row keeps its retries.
    Account(Duration),
}

/// The failed attempts of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Strikes {
    /// Failures blamed on the row.
    own: u32,
    /// Failures in the current series, which may yet become an outage.
    open: u32,
    series: u64,
}

impl Strikes {
    /// How many failures count against the row's retries.
    pub(crate) fn count(self) -> u32 {
        self.own + self.open
    }
}

/// The account's failures.
#[derive(Debug)]
pub(super) struct Outages {
    /// The number of the current series of failures; an acceptance begins another.
    series: u64,
    failures: Option<Series>,
    outage: Option<Outage>,
    /// The latest series that was an outage.
    latest: u64,
    has_accepted: bool,
    /// Whether an outage lasted longer than it was believed, and nothing was accepted since: then another takes [`FAILURES`] rows.
    is_doubted: bool,
    /// The longest recent latency.
    longest: Duration,
    /// When an attempt last ended or was sent.
    busy_at: Duration,
}

/// Consecutive failures.
#[derive(Debug, Clone, Copy)]
struct Series {
    first: u64,
    since: Duration,
    failures: u32,
    rows: u32,
}

#[derive(Debug, Clone, Copy)]
struct Outage {
    since: Duration,
    /// An answer to an attempt after this one ends the outage.
    first: u64,
    next_probe: Duration,
    /// Whether enough rows have met it.
    is_broad: bool,
}

impl Outages {
    pub(super) fn new() -> Self {
        Self {
            series: 1,
            failures: None,
            outage: None,
            latest: 0,
            has_accepted: false,
            is_doubted: false,
            longest: Duration::ZERO,
            busy_at: Duration::ZERO,
        }
    }

    /// How long until the next probe, while there is an outage.
    pub(super) fn ready_in(&self, now: Duration) -> Option<Duration> {
        self.outage.map(|outage| outage.next_probe.saturating_sub(now))
    }

    /// How long until the server counts as hanging if nothing ends before; `None` if it has never answered.
    pub(super) fn silent_in(&self, now: Duration) -> Option<Duration> {
        self.has_accepted.then(|| (self.busy_at + self.silence()).saturating_sub(now))
    }

    /// An attempt that was sent longer ago than this and before one that was answered is believed to be lost.
    pub(super) fn silence(&self) -> Duration {
        SILENCE.max(self.longest * 3)
    }

    /// Begins an outage because nothing has ended for a long time: from now on, attempts probe the server.
    pub(super) fn hangs(&mut self, now: Duration) {
        self.latest = self.series;
        self.outage.get_or_insert(Outage { since: now, first: 0, next_probe: now, is_broad: true });
    }

    /// Records that an attempt is sent while this many others are in flight.
    pub(super) fn sent(&mut self, others: usize, now: Duration) {
        // The wait for a probe is not idle.
        let idle_since = self.outage.map_or(self.busy_at, |outage| outage.next_probe.max(self.busy_at));
        if others == 0 && now.saturating_sub(idle_since) > IDLE {
            (self.outage, self.failures) = (None, None);
            self.series += 1;
        }
        self.busy_at = now;
        if let Some(outage) = &mut self.outage {
            let lasted = now.saturating_sub(outage.since);
            outage.next_probe = now + HANGING.max(self.longest * 2).max(lasted / HANGING_SHARE);
        }
    }

    /// Records that an attempt ended in any way.
    pub(super) fn ended(&mut self, now: Duration) {
        self.busy_at = now;
    }

    /// Records that an attempt was accepted. Returns whether that ends an outage.
    pub(super) fn accepted(&mut self, number: u64, latency: Duration) -> bool {
        (self.has_accepted, self.is_doubted) = (true, false);
        self.longest = latency.max(self.longest.saturating_sub(self.longest / 64));
        let is_over = self.outage.is_some_and(|outage| number > outage.first);
        if is_over || (self.outage.is_none() && self.failures.is_some()) {
            (self.outage, self.failures) = (None, None);
            self.series += 1;
        }
        is_over
    }

    /// Records that an attempt of the row with these strikes failed while this many others were in flight. `retry_after` is the
    /// wait that the server requested.
    pub(super) fn failed(
        &mut self,
        failing: Failing,
        strikes: &mut Strikes,
        (number, others): (u64, usize),
        retry_after: Option<Duration>,
        now: Duration,
    ) -> Blame {
        if strikes.series != self.series {
            if strikes.series != self.latest {
                strikes.own += strikes.open;
            }
            strikes.open = 0;
        }
        // A row that failed earlier, when others did not, shows nothing about the account.
        let is_evidence = strikes.series == 0 || strikes.series == self.series;
        let is_first = strikes.series == 0;
        strikes.series = self.series;
        strikes.open += u32::from(failing != Failing::Overloaded);
        let mut is_of_many = false;
        if is_evidence {
            let first = Series { first: number, since: now, failures: 0, rows: 0 };
            let series = self.failures.get_or_insert(first);
            series.failures += 1;
            series.rows += u32::from(is_first);
            // If many are in flight, they will show whether all get pages.
            let is_seen_at_once =
                failing == Failing::Page && others + 1 < FAILURES as usize && !self.is_doubted;
            let fewest = if self.is_doubted { FAILURES } else { FEWEST_ROWS };
            is_of_many =
                series.rows >= fewest && (series.failures >= FAILURES || others == 0) || is_seen_at_once;
        }
        let series = self.failures;
        let may_recover = match failing {
            Failing::Gateway | Failing::Overloaded | Failing::Page => true,
            Failing::Unreachable | Failing::Unanswered | Failing::Server => self.has_accepted,
        };
        if is_of_many
            && may_recover
            && self.outage.is_none()
            && let Some(Series { first, since, .. }) = series
        {
            self.latest = self.series;
            self.outage = Some(Outage { since, first, next_probe: now + SHORTEST, is_broad: false });
        }
        let is_broad = series.is_some_and(|series| series.rows >= FAILURES);
        match &mut self.outage {
            Some(outage) => {
                let lasted = now.saturating_sub(outage.since);
                outage.is_broad |= is_broad;
                let is_answering_page = failing == Failing::Page && self.has_accepted;
                let believed = if is_answering_page { BELIEVED_FOR_PAGES } else { BELIEVED_FOR_FEW };
                if !outage.is_broad && lasted > believed {
                    (self.outage, self.failures) = (None, None);
                    self.is_doubted = true;
                    self.series += 1;
                    strikes.open = 0;
                    return self.blame_without_outage(failing);
                }
                let (share, longest) =
                    if self.has_accepted { (SHARE, LONGEST) } else { (SHARE_IF_NEW, LONGEST_IF_NEW) };
                let probe_in = (lasted / share).clamp(SHORTEST, longest).max(retry_after.unwrap_or_default());
                outage.next_probe = now + probe_in;
                strikes.open = 0;
                Blame::Account(lasted)
            }
            None if is_of_many || (is_broad && !self.has_accepted) => Blame::Setup,
            None => self.blame_without_outage(failing),
        }
    }

    /// What to blame a failure on that does not indicate an outage.
    fn blame_without_outage(&self, failing: Failing) -> Blame {
        match failing {
            // The address is not that of an API server.
            Failing::Page if !self.has_accepted => Blame::Setup,
            Failing::Page
            | Failing::Unreachable
            | Failing::Unanswered
            | Failing::Gateway
            | Failing::Overloaded
            | Failing::Server => Blame::Row,
        }
    }
}
