//! What the account allows per minute and per day: a bucket for each limit that the user has set or the server advertises. An attempt
//! needs room in all of them. [`Limits::learn`] describes how a server's own count is followed.

use std::time::Duration;

use super::amounts::{Amounts, Flight, counts_output};
use super::bucket::Bucket;
use super::estimate::Expected;
use super::probe::Probe;
use crate::standing::{Bound, Dimension, KnownLimit, LimitFrom, Period, Standing};

/// How much of the user's limit per minute may be used at once: a tenth. The whole would let a run use twice its limit in the
/// first minute, and less would slow the start of small runs.
const BURST: f64 = 0.1;

/// How much of a difference to the server's count is corrected per answer: quickly if the server has less than we think,
/// slowly if it has more, since others on the account may be about to use that.
const DOWN: f64 = 0.5;
const UP: f64 = 0.1;

/// By what factor interpreting a server's count as of its answer must fit better than interpreting it as of the request. While
/// little is sent, the former is out of date and would hold back attempts that wait for a bucket to fill.
const CLEARLY: f64 = 2.0;

/// How many seconds' worth of a limit that the server counts are kept in reserve.
const MOMENT: f64 = 0.01;

/// How many times the spread of all outputs in flight is kept in reserve.
const SPREAD: f64 = 2.0;

/// A limit that the server advertises is refuted once the server has accepted this many times what it allows.
const REFUTED: f64 = 1.5;

/// A limit that lets an attempt start only this long after the one before is worth a probe.
const SLOW: Duration = Duration::from_millis(500);

/// The weight of the newest difference when comparing the two interpretations of a server's count.
const WEIGHT: f64 = 0.2;

/// The state of an advertised limit when an attempt was sent, with that attempt counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark {
    level: f64,
    corrected: f64,
}

/// The marks of an attempt, one for each dimension.
pub(super) type Marks = [Option<Mark>; 4];

/// What was recorded about an attempt when it was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sent {
    /// Its number, counted from 1.
    pub(super) number: u64,
    pub(super) at: Duration,
    pub(super) marks: Marks,
    /// Everything sent by then, itself included.
    pub(super) total: Amounts,
    /// What was in flight then, itself included.
    flight: Flight,
}

/// All limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    all: Vec<Limit>,
    /// Everything sent, minus what was refused.
    total: Amounts,
    /// Estimates of attempts in flight count in the limits' levels only for attempts after this one.
    flight: Flight,
    flight_from: u64,
    /// What attempts use on average, as far as known.
    expected: Option<Expected>,
    first_sent: Option<Duration>,
    /// How many attempts have been sent.
    sent: u64,
}

#[derive(Debug)]
struct Limit {
    dimension: Dimension,
    period: Period,
    by: By,
    bucket: Bucket,
    /// The attempt whose answer first advertised it.
    since: Option<u64>,
    /// The unit to which the server rounds the remaining amount.
    exact_to: f64,
    /// The previous rate, and the attempt whose answer advertised the change.
    former: Option<(f64, u64)>,
    /// When the limit became known, and how much had been accepted by then.
    known: (Duration, f64),
    /// Whether the server has accepted more than the limit allows.
    is_refuted: bool,
    probe: Probe,
    /// The remaining amount that the server last reported, and when.
    left: (f64, Duration),
    /// The lowest remaining amount that it reported since nothing was in flight.
    least: Option<f64>,
    /// The sum of all corrections so far, so that an answer does not repeat an earlier one's correction.
    corrected: f64,
    /// How far the server's count was from ours as of when a request was sent, and as of when its answer came: some servers
    /// write the headers when a request comes, some when they answer it.
    from_sent: f64,
    from_now: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    Server,
}

impl Limits {
    /// Sets the user's limit per minute. A change does not allow another burst.
    pub(super) fn set(&mut self, dimension: Dimension, per_minute: f64, now: Duration) {
        let (rate, capacity) = (per_minute / 60.0, per_minute * BURST);
        let known = self.all.iter_mut().find(|limit| limit.by == By::User && limit.dimension == dimension);
        if let Some(known) = known {
            known.bucket.resize(rate, capacity, now);
            return;
        }
        // What was sent before is not in its level, so nothing of it comes back.
        let since = (self.sent > 0).then_some(self.sent);
        let bucket = Bucket::full(rate, capacity, now);
        self.all.push(Limit::new(dimension, Period::Minute, By::User, bucket, since));
    }

    /// Removes the user's limit per minute.
    pub(super) fn unset(&mut self, dimension: Dimension) {
        self.all.retain(|limit| limit.by != By::User || limit.dimension != dimension);
    }

    /// The limits in force.
    pub(super) fn known(&self) -> Vec<KnownLimit> {
        let known = self.all.iter().filter(|limit| !limit.is_refuted).map(|limit| KnownLimit {
            of: limit.dimension,
            period: limit.period,
            amount: limit.bucket.rate() * limit.period.length().as_secs_f64(),
            from: match limit.by {
                By::User => LimitFrom::User,
                By::Server => LimitFrom::Server,
            },
        });
        known.collect()
    }

    /// How much of `dimension` has been sent, minus what was refused.
    pub(super) fn accepted(&self, dimension: Dimension) -> f64 {
        self.total.of(dimension)
    }

    /// Everything sent, minus what was refused.
    pub(super) fn total(&self) -> Amounts {
        self.total
    }

    /// How long ago the first attempt was sent.
    pub(super) fn elapsed(&self, now: Duration) -> Duration {
        now.saturating_sub(self.first_sent.unwrap_or(now))
    }

    /// How many attempts have been sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    /// How long until all limits have room for `amounts`, and which one takes longest.
    pub(super) fn ready_in(&self, amounts: Amounts, now: Duration) -> (Duration, Option<Bound>) {
        let mut longest = (Duration::ZERO, None);
        // Each output's estimate covers nine in ten outputs. The spread of many together grows only with the square root of their
        // number, so a share of what is reserved beyond the average is enough.
        let share = (SPREAD / self.flight.0.requests.max(1.0).sqrt()).min(1.0);
        let beyond = self.flight.beyond(Dimension::OutputTokens, self.expected).max(0.0) * (1.0 - share);
        for limit in self.all.iter().filter(|limit| !limit.is_refuted) {
            let needed = amounts.of(limit.dimension);
            let spare = if counts_output(limit.dimension) { beyond } else { 0.0 };
            let needed = needed.min(limit.bucket.capacity()) - spare + limit.cushion();
            let wait = limit.bucket.ready_in(needed, now);
            let wait = limit.probe_in(amounts.of(limit.dimension), now).map_or(wait, |probe| wait.min(probe));
            if wait > longest.0 {
                longest = (wait, Some(Bound::Amount(limit.dimension, limit.period)));
            }
        }
        longest
    }

    /// Takes `amounts` from all limits.
    pub(super) fn take(&mut self, amounts: Amounts, now: Duration) -> Sent {
        self.first_sent.get_or_insert(now);
        self.sent += 1;
        self.total.add(amounts, 1.0);
        self.flight.0.add(amounts, 1.0);
        let mut marks = Marks::default();
        for limit in &mut self.all {
            let amount = amounts.of(limit.dimension);
            let is_beyond = limit.bucket.level(now) < amount.min(limit.bucket.capacity()) / 2.0;
            if is_beyond && limit.probe_in(amount, now) == Some(Duration::ZERO) {
                limit.probe.send(self.sent);
            }
            limit.bucket.take(amount, now);
            if limit.by == By::Server
                && limit.period == Period::Minute
                && let Some(mark) = marks.get_mut(limit.dimension as usize)
            {
                *mark = Some(Mark { level: limit.bucket.level(now), corrected: limit.corrected });
            }
        }
        Sent { number: self.sent, at: now, marks, total: self.total, flight: self.flight }
    }

    /// Gives back what was reserved in excess for an attempt or, if negative, takes the shortfall.
    pub(super) fn give(&mut self, amounts: Amounts, sent: &Sent, now: Duration) {
        self.total.add(amounts, -1.0);
        for limit in self.all.iter_mut().filter(|limit| limit.counts(sent)) {
            limit.bucket.give(amounts.of(limit.dimension), now);
        }
    }

    /// Removes an attempt with these estimated `amounts` from those in flight.
    pub(super) fn release(&mut self, amounts: Amounts, sent: &Sent) {
        if sent.number > self.flight_from {
            self.flight.0.add(amounts, -1.0);
        }
    }

    /// Sets what attempts use on average, judging by the answered ones.
    pub(super) fn expect(&mut self, expected: Expected) {
        self.expected = Some(expected);
    }

    /// Learns from a limit that an answer to `sent` advertised.
    ///
    /// A bucket mirrors the server's: it fills at the rate of the limit, is as large as the server's has been seen to be, and
    /// is emptied by what we send. The remaining amount that the server reports shows how far it is off (others may use the
    /// account, estimates are not exact, the advertised limit itself may be wrong), and each answer corrects a share of that.
    pub(super) fn learn(&mut self, standing: &Standing, sent: &Sent, now: Duration) {
        let Standing { dimension, period, limit, remaining, full_in, exact_to } = *standing;
        let known = self
            .all
            .iter_mut()
            .find(|limit| limit.by == By::Server && limit.dimension == dimension && limit.period == period);
        let advertised = limit.filter(|limit| *limit > 0.0);
        match (known, advertised, remaining) {
            (Some(known), advertised, remaining) => {
                if let Some(advertised) = advertised {
                    known.resize(advertised / period.length().as_secs_f64(), sent, now);
                }
                if let Some(remaining) = remaining {
                    known.record_remaining(remaining, now);
                    let beyond = |flight: Flight| flight.beyond(dimension, self.expected);
                    let mark = sent.marks.get(dimension as usize).copied().flatten();
                    // What was sent before the limit was known was counted when it became known.
                    let mark = mark.map(|mark| Mark { level: mark.level + beyond(sent.flight), ..mark });
                    known.follow(remaining, exact_to, beyond(self.flight), mark, now);
                }
            }
            (None, Some(advertised), Some(remaining)) => {
                if !self.are_advertised() {
                    self.flight = Flight(self.total);
                    self.flight.0.add(sent.total, -1.0);
                    self.flight_from = sent.number;
                }
                let rate = advertised / period.length().as_secs_f64();
                let since_sent = self.total.of(dimension) - sent.total.of(dimension);
                let elapsed = now.saturating_sub(self.first_sent.unwrap_or(now)).as_secs_f64();
                let unfilled = full_in.map_or_else(
                    || (self.total.of(dimension) - rate * elapsed).max(0.0),
                    |full_in| rate * full_in.as_secs_f64(),
                );
                let capacity = (remaining + unfilled).min(advertised);
                let then = (remaining + rate * now.saturating_sub(sent.at).as_secs_f64()).min(capacity);
                let mut bucket = Bucket::full(rate, capacity, now);
                // However the server counts, it has at least this much.
                let rounded_up = if exact_to > 1.0 { exact_to / 2.0 } else { 0.0 };
                bucket.set_level((then - since_sent).min(remaining) - rounded_up, now);
                let known = (now, self.done(dimension));
                let mut limit = Limit::new(dimension, period, By::Server, bucket, Some(sent.number));
                (limit.known, limit.probe) = (known, Probe::new(now));
                limit.record_remaining(remaining - rounded_up, now);
                self.all.push(limit);
            }
            (None, None, _) | (None, Some(_), None) => {}
        }
    }

    /// How much of this the server has accepted, excluding what is in flight.
    fn done(&self, dimension: Dimension) -> f64 {
        self.total.of(dimension) - self.flight.0.of(dimension)
    }

    /// Records that attempt `number` was accepted, and finds the limits that cannot be true because the server has accepted
    /// more than they allow.
    pub(super) fn accept(&mut self, number: u64, now: Duration) {
        let (total, flight) = (self.total, self.flight.0);
        for limit in self.all.iter_mut().filter(|limit| limit.by == By::Server) {
            let (since, before) = limit.known;
            let accepted = total.of(limit.dimension) - flight.of(limit.dimension) - before;
            let elapsed = now.saturating_sub(since).as_secs_f64();
            let allowed = limit.bucket.rate() * (limit.period.length().as_secs_f64() + elapsed);
            limit.is_refuted |= limit.probe.accept(number, now) || accepted > REFUTED * allowed;
        }
    }

    /// Records that attempt `number` ended while `in_flight` others are still in flight. With none in flight, the server has counted
    /// everything that was sent, so it still has at least the lowest amount that it reported meanwhile.
    pub(super) fn end(&mut self, number: u64, in_flight: usize, now: Duration) {
        for limit in self.all.iter_mut().filter(|limit| limit.by == By::Server) {
            limit.probe.end(number, now);
            if in_flight == 0
                && let Some(least) = limit.least.take()
            {
                limit.correct((least - limit.bucket.level(now)).max(0.0), now);
            }
        }
    }

    /// Whether the server advertises any limit per minute.
    pub(super) fn are_advertised(&self) -> bool {
        let is_advertised =
            |limit: &Limit| limit.by == By::Server && limit.period == Period::Minute && !limit.is_refuted;
        self.all.iter().any(is_advertised)
    }

    /// The rate per second that the server advertises for this.
    pub(super) fn advertised_rate(&self, dimension: Dimension) -> Option<f64> {
        let is_advertised = |limit: &&Limit| {
            limit.by == By::Server
                && limit.period == Period::Minute
                && limit.dimension == dimension
                && !limit.is_refuted
        };
        self.all.iter().find(is_advertised).map(|limit| limit.bucket.rate())
    }

    /// Records that the server refused `amounts` for lack of this. It had nothing left or, if it says when to retry, only what
    /// is missing until then.
    pub(super) fn exhaust(
        &mut self,
        dimension: Dimension,
        amounts: Amounts,
        retry_after: Option<Duration>,
        now: Duration,
    ) {
        let reserved = self.flight.beyond(dimension, self.expected);
        let done = self.done(dimension);
        for limit in
            self.all.iter_mut().filter(|limit| limit.by == By::Server && limit.dimension == dimension)
        {
            if std::mem::take(&mut limit.is_refuted) {
                (limit.known, limit.probe) = ((now, done), Probe::new(now));
            }
            let lacking = retry_after.map_or(f64::INFINITY, |wait| limit.bucket.rate() * wait.as_secs_f64());
            let left = (amounts.of(dimension).min(limit.bucket.capacity()) - lacking).max(0.0);
            let excess = limit.bucket.level(now) + reserved - left;
            if excess > 0.0 {
                limit.correct(-excess, now);
            }
        }
    }
}

impl Limit {
    fn new(dimension: Dimension, period: Period, by: By, bucket: Bucket, since: Option<u64>) -> Self {
        Self {
            dimension,
            period,
            by,
            bucket,
            since,
            exact_to: 1.0,
            former: None,
            known: (Duration::ZERO, 0.0),
            is_refuted: false,
            probe: Probe::new(Duration::ZERO),
            left: (0.0, Duration::ZERO),
            least: None,
            corrected: 0.0,
            from_sent: 0.0,
            from_now: 0.0,
        }
    }

    /// Whether the level includes an estimate for this attempt. For attempts sent before a server's limit became known, the
    /// server's own count is included.
    fn counts(&self, sent: &Sent) -> bool {
        self.since.is_none_or(|since| sent.number > since)
    }

    /// Records the remaining amount that the server reports.
    fn record_remaining(&mut self, remaining: f64, now: Duration) {
        self.left = (remaining, now);
        self.least = Some(self.least.map_or(remaining, |least| least.min(remaining)));
    }

    /// How long until an attempt of this size may probe whether the limit is real; `None` if that is not worthwhile, or if the
    /// server may accept the attempt anyway.
    fn probe_in(&self, amount: f64, now: Duration) -> Option<Duration> {
        let rate = self.bucket.rate();
        let (left, since) = self.left;
        let left = left + rate * now.saturating_sub(since).as_secs_f64();
        let is_slow = amount > rate * SLOW.as_secs_f64() && left < amount / 2.0;
        let is_claimed = self.by == By::Server && self.period == Period::Minute;
        if is_claimed && is_slow { self.probe.ready_in(now) } else { None }
    }

    /// What is kept in reserve of a limit that the server counts, since our count is never quite the server's: what flows in
    /// within a moment, or as much as rounding may hide, but only a small part of the whole.
    fn cushion(&self) -> f64 {
        let rounding = if self.exact_to > 1.0 { self.exact_to } else { 0.0 };
        match self.by {
            By::User => 0.0,
            By::Server => (self.bucket.rate() * MOMENT).max(rounding).min(self.bucket.capacity() / 20.0),
        }
    }

    /// Changes the limit: the bucket still holds the same number of seconds' worth. Servers that write the headers when a request
    /// comes still advertise the previous limit with the answers to requests sent before the change.
    fn resize(&mut self, rate: f64, sent: &Sent, now: Duration) {
        let before = self.bucket.rate();
        let is = |other: f64| (rate - other).abs() <= 1e-9 * rate;
        let is_former = self.former.is_some_and(|(former, until)| is(former) && sent.number < until);
        if is(before) || is_former {
            return;
        }
        self.bucket.resize(rate, self.bucket.capacity() * rate / before, now);
        self.former = Some((before, sent.number));
    }

    /// Moves our count towards the server's.
    fn follow(&mut self, remaining: f64, exact_to: f64, reserved: f64, mark: Option<Mark>, now: Duration) {
        self.exact_to = self.exact_to.max(exact_to);
        if remaining > self.bucket.capacity() {
            self.bucket.resize(self.bucket.rate(), remaining, now);
        }
        let Some(mark) = mark else { return };
        let beyond = |difference: f64| difference.signum() * (difference.abs() - exact_to).max(0.0);
        let by_now = beyond(remaining - self.bucket.level(now) - reserved);
        // What was corrected since the request was sent must not be corrected again.
        let by_then = beyond(remaining - mark.level - (self.corrected - mark.corrected));
        self.from_now += WEIGHT * (by_now.abs() - self.from_now);
        self.from_sent += WEIGHT * (by_then.abs() - self.from_sent);
        let difference = if self.from_sent <= CLEARLY * self.from_now { by_then } else { by_now };
        self.correct(difference * if difference < 0.0 { DOWN } else { UP }, now);
    }

    fn correct(&mut self, difference: f64, now: Duration) {
        let before = self.bucket.level(now);
        self.bucket.set_level(before + difference, now);
        self.corrected += self.bucket.level(now) - before;
    }
}
