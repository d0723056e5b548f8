//! When a server fails everybody: attempts of several rows have failed one after another and nothing was accepted in between. Then the
//! account waits as a whole, single attempts look whether the server is back, and the rows' retries are kept for them.

use std::time::Duration;

/// So many failures without an answer between them make an outage, or fewer if nothing else is in flight.
const FAILURES: u32 = 8;

/// They must be of so many rows: one row may be what the server fails at.
const FEWEST_ROWS: u32 = 2;

/// An outage that fewer than [`FAILURES`] rows have met may be the rows' own fault, so that it is believed for no longer.
const BELIEVED_FOR_FEW: Duration = Duration::from_mins(1);

/// The same where web pages came for answers from a server that has answered before, which hardly ever is for a row.
const BELIEVED_FOR_PAGES: Duration = Duration::from_mins(6);

/// The time between two probes is a twentieth of the time that the outage has lasted, within these bounds: the server that was
/// away for a moment is found at once, and a long outage costs a request a second.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(1);
const SHARE: u32 = 20;

/// A probe that hangs does not keep the next one waiting for ever: it follows after this much, or twice the longest answer of late,
/// or a thirtieth of the time that the outage has lasted.
const HANGING: Duration = Duration::from_secs(1);
const HANGING_SHARE: u32 = 30;

/// Nothing has ended for this long, or for three times the longest answer of late: the server hangs.
const SILENCE: Duration = Duration::from_secs(5);

/// Whoever asks nothing for longer than this, though he might, does not know whether an outage goes on.
const IDLE: Duration = Duration::from_mins(1);

/// How an attempt failed by which others may fail as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failing {
    /// No connection came about: nothing was sent.
    Unreachable,
    /// The connection broke, or no answer came in time.
    Unanswered,
    /// A gateway says that there is no server behind it, or the server that it cannot serve now.
    Gateway,
    /// The server has no capacity for now, and does not say when it will.
    Overloaded,
    /// A web page came for an answer: something in front of the server has answered for it.
    Page,
    /// An error of the server's, or what nobody can read.
    Server,
}

/// Whom an attempt's failure is put down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blame {
    /// The row: its retries are used.
    Row,
    /// Chance: the row was refused while others are accepted.
    Chance,
    /// Everybody fails, and nothing was ever accepted: the row's retries are used, and then the run is over.
    Setup,
    /// The account has been failing everybody for so long; the row's retries are kept.
    Account(Duration),
}

/// What has become of one row's failed attempts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Strikes {
    /// Those that are the row's own.
    own: u32,
    /// Those of the series that the latest belongs to, which may become an outage yet.
    open: u32,
    series: u64,
}

impl Strikes {
    /// How many count against the row's retries.
    pub(crate) fn count(self) -> u32 {
        self.own + self.open
    }
}

/// What is known of the account's failures.
#[derive(Debug)]
pub(super) struct Outages {
    /// The number of the present series of failures; an acceptance begins another.
    series: u64,
    failures: Option<Series>,
    outage: Option<Outage>,
    /// The latest series that was an outage.
    latest: u64,
    has_accepted: bool,
    /// The longest answer of late.
    longest: Duration,
    /// When an attempt ended or was sent last.
    busy_at: Duration,
}

/// Failures in a row.
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
    /// An answer to an attempt after this one ends it.
    first: u64,
    next_probe: Duration,
    /// Enough rows have met it.
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
            longest: Duration::ZERO,
            busy_at: Duration::ZERO,
        }
    }

    /// How long until the next probe, while there is an outage.
    pub(super) fn ready_in(&self, now: Duration) -> Option<Duration> {
        self.outage.map(|outage| outage.next_probe.saturating_sub(now))
    }

    /// When the server counts as hanging if nothing ends before, once it has answered anything.
    pub(super) fn silent_in(&self, now: Duration) -> Option<Duration> {
        self.has_accepted.then(|| (self.busy_at + self.silence()).saturating_sub(now))
    }

    /// An attempt that was sent longer ago than this, and before one that was answered, is believed to be lost.
    pub(super) fn silence(&self) -> Duration {
        SILENCE.max(self.longest * 3)
    }

    /// Nothing has ended for a long time: from now on probes look whether the server is there.
    pub(super) fn hangs(&mut self, now: Duration) {
        self.latest = self.series;
        self.outage.get_or_insert(Outage { since: now, first: 0, next_probe: now, is_broad: true });
    }

    /// An attempt is sent, while so many others are in flight.
    pub(super) fn sent(&mut self, others: usize, now: Duration) {
        if others == 0 && now.saturating_sub(self.busy_at) > IDLE {
            (self.outage, self.failures) = (None, None);
            self.series += 1;
        }
        self.busy_at = now;
        if let Some(outage) = &mut self.outage {
            let lasted = now.saturating_sub(outage.since);
            outage.next_probe = now + HANGING.max(self.longest * 2).max(lasted / HANGING_SHARE);
        }
    }

    /// An attempt ended, however it did.
    pub(super) fn ended(&mut self, now: Duration) {
        self.busy_at = now;
    }

    /// An attempt was accepted. Whether an outage is over by that.
    pub(super) fn accepted(&mut self, number: u64, latency: Duration) -> bool {
        self.has_accepted = true;
        self.longest = latency.max(self.longest.saturating_sub(self.longest / 64));
        let is_over = self.outage.is_some_and(|outage| number > outage.first);
        if is_over || (self.outage.is_none() && self.failures.is_some()) {
            (self.outage, self.failures) = (None, None);
            self.series += 1;
        }
        is_over
    }

    /// An attempt failed, of the row with these strikes, when so many others were in flight. `retry_after` is what the server asks
    /// for.
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
        // A row that has failed before, when others did not, shows nothing of the account.
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
            // Where many are in flight, they will show whether all get pages.
            let is_seen_at_once = failing == Failing::Page && others + 1 < FAILURES as usize;
            is_of_many =
                series.rows >= FEWEST_ROWS && (series.failures >= FAILURES || others == 0) || is_seen_at_once;
        }
        let series = self.failures;
        let might_mend = match failing {
            Failing::Gateway | Failing::Overloaded | Failing::Page => true,
            Failing::Unreachable | Failing::Unanswered | Failing::Server => self.has_accepted,
        };
        if is_of_many
            && might_mend
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
                    self.series += 1;
                    strikes.open = 0;
                    return self.blame_without_outage(failing);
                }
                let probe_in = (lasted / SHARE).clamp(SHORTEST, LONGEST).max(retry_after.unwrap_or_default());
                outage.next_probe = now + probe_in;
                strikes.open = 0;
                Blame::Account(lasted)
            }
            None if is_of_many || (is_broad && !self.has_accepted) => Blame::Setup,
            None => self.blame_without_outage(failing),
        }
    }

    /// Whom a failure is put down to that shows no outage.
    fn blame_without_outage(&self, failing: Failing) -> Blame {
        match failing {
            // There is no such server at the address.
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
