//! What the account allows per minute and per day: a bucket for each limit that the user or the server has told, all of which an
//! attempt must find room in. How a server's own count is followed is told at [`Limits::learn`].

use std::time::Duration;

use super::bucket::Bucket;
use super::estimate::{Expected, Tokens};
use super::probe::Probe;
use crate::standing::{Bound, Dimension, Period, Standing};

/// How much of a limit of the user's per minute may be used at once: a tenth. The whole would let a run take twice its limit in
/// the first minute, and less would slow the start of small ones.
const BURST: f64 = 0.1;

/// How much of a difference to the server's count is made good by one answer: nearly all at once if it has less than we think,
/// slowly if it has more, since others on the account may be about to use that.
const DOWN: f64 = 0.5;
const UP: f64 = 0.1;

/// By how many times the reading of a server's count as of its answer must fit better than that as of the request. While little is
/// sent the former is out of date, and would hold back what waits for a bucket to fill.
const CLEARLY: f64 = 2.0;

/// So many seconds' worth of a limit that the server counts is left untouched.
const MOMENT: f64 = 0.01;

/// How many times the spread of all outputs in flight is kept in reserve.
const SPREAD: f64 = 2.0;

/// A limit that the server reports is untrue once it has accepted this many times what the limit allows.
const REFUTED: f64 = 1.5;

/// A limit that lets an attempt start only this long after the one before is worth a probe.
const SLOW: Duration = Duration::from_millis(500);

/// The weight of the newest difference when the two readings of a server's count are compared.
const WEIGHT: f64 = 0.2;

/// What an attempt uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amounts {
    pub(super) requests: f64,
    /// Of the requests' bodies.
    pub(super) bytes: f64,
    pub(super) tokens: Tokens,
}

impl Amounts {
    pub(super) fn of(self, dimension: Dimension) -> f64 {
        let Self { requests, bytes: _, tokens: Tokens { input, output } } = self;
        match dimension {
            Dimension::Requests => requests,
            Dimension::Tokens => input + output,
            Dimension::InputTokens => input,
            Dimension::OutputTokens => output,
        }
    }

    pub(super) fn add(&mut self, other: Self, sign: f64) {
        self.requests += sign * other.requests;
        self.bytes += sign * other.bytes;
        self.tokens.input += sign * other.tokens.input;
        self.tokens.output += sign * other.tokens.output;
    }
}

/// How a limit that the server has told stood when an attempt was sent, with that attempt counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mark {
    level: f64,
    corrected: f64,
}

/// What the attempts in flight were estimated to take together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Flight(Amounts);

impl Flight {
    /// How much more of `dimension` was estimated for them than they will take if they are like those that have been answered.
    fn beyond(self, dimension: Dimension, expected: Option<Expected>) -> f64 {
        let Self(Amounts { requests, bytes, tokens }) = self;
        let Some(expected) = expected else { return 0.0 };
        let input = tokens.input - expected.input(requests, bytes);
        let output = tokens.output - requests * expected.output;
        match dimension {
            Dimension::Requests => 0.0,
            Dimension::Tokens => input + output,
            Dimension::InputTokens => input,
            Dimension::OutputTokens => output,
        }
    }
}

/// The marks of an attempt, one for each dimension.
pub(super) type Marks = [Option<Mark>; 4];

/// What is known of an attempt when its answer comes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sent {
    /// Which attempt it is, counted from 1.
    pub(super) number: u64,
    pub(super) at: Duration,
    pub(super) marks: Marks,
    /// All that had been sent by then, itself included.
    pub(super) total: Amounts,
    /// What was in flight then, itself included.
    flight: Flight,
}

/// All limits.
#[derive(Debug, Default)]
pub(super) struct Limits {
    all: Vec<Limit>,
    /// All that has been sent, less what was refused.
    total: Amounts,
    /// Of those in flight, the attempts whose estimates are in the limits' levels: those after this one.
    flight: Flight,
    flight_from: u64,
    /// What attempts take, as far as is known.
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
    /// The attempt whose answer first told of it.
    since: Option<u64>,
    /// To how much the server rounds what it says is left.
    exact_to: f64,
    /// The rate before the one there is, and the attempt whose answer told of the change.
    former: Option<(f64, u64)>,
    /// When it became known, and how much had been accepted by then.
    known: (Duration, f64),
    /// The server has accepted more than this allows.
    is_refuted: bool,
    probe: Probe,
    /// What the server said last is left, and when.
    left: (f64, Duration),
    /// The least that it said is left since nothing was in flight.
    least: Option<f64>,
    /// All corrections so far, so that an answer does not correct what one before it has.
    corrected: f64,
    /// How far the server's count has been from ours when a request was sent, and when its answer came: some count a response
    /// when they begin it, some when they end it.
    from_sent: f64,
    from_now: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    User,
    Server,
}

impl Limits {
    /// A limit of the user's, per minute.
    pub(super) fn set(&mut self, dimension: Dimension, per_minute: f64, now: Duration) {
        self.all.retain(|limit| limit.by != By::User || limit.dimension != dimension);
        let bucket = Bucket::full(per_minute / 60.0, per_minute * BURST, now);
        self.all.push(Limit::new(dimension, Period::Minute, By::User, bucket, None));
    }

    /// How much of this has been sent, less what was refused.
    pub(super) fn accepted(&self, dimension: Dimension) -> f64 {
        self.total.of(dimension)
    }

    /// All that has been sent, less what was refused.
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

    /// How long until there is room for `amounts` in all, and in which last.
    pub(super) fn ready_in(&self, amounts: Amounts, now: Duration) -> (Duration, Option<Bound>) {
        let mut longest = (Duration::ZERO, None);
        // The estimate of each output covers nine in ten of them. What many take together varies with the root of their number, so
        // that of what was reserved beyond the average a share is enough.
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

    /// Takes `amounts` from all.
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

    /// Gives back what was reserved too much for an attempt, or, negative, takes what was too little.
    pub(super) fn give(&mut self, amounts: Amounts, sent: &Sent, now: Duration) {
        self.total.add(amounts, -1.0);
        for limit in self.all.iter_mut().filter(|limit| limit.counts(sent)) {
            limit.bucket.give(amounts.of(limit.dimension), now);
        }
    }

    /// This attempt, which was estimated to take so much, is no longer in flight.
    pub(super) fn release(&mut self, amounts: Amounts, sent: &Sent) {
        if sent.number > self.flight_from {
            self.flight.0.add(amounts, -1.0);
        }
    }

    /// So much do attempts take, by those that have been answered.
    pub(super) fn expect(&mut self, expected: Expected) {
        self.expected = Some(expected);
    }

    /// Learns from what an answer to `sent` told.
    ///
    /// A bucket like the server's is kept: filled at the rate of the limit, as large as the server's own has been seen to be,
    /// emptied by what we send. What the server says is left tells how far it is off (others may use the account, estimates are
    /// not exact, the limit itself may be told wrong), and a share of that is made good with each answer.
    pub(super) fn learn(&mut self, standing: &Standing, sent: &Sent, now: Duration) {
        let Standing { dimension, period, limit, remaining, full_in, exact_to } = *standing;
        let known = self
            .all
            .iter_mut()
            .find(|limit| limit.by == By::Server && limit.dimension == dimension && limit.period == period);
        let told = limit.filter(|limit| *limit > 0.0);
        match (known, told, remaining) {
            (Some(known), told, remaining) => {
                if let Some(told) = told {
                    known.resize(told / period.length().as_secs_f64(), sent, now);
                }
                if let Some(remaining) = remaining {
                    known.hear(remaining, now);
                    let beyond = |flight: Flight| flight.beyond(dimension, self.expected);
                    let mark = sent.marks.get(dimension as usize).copied().flatten();
                    // What was sent before the limit was known has been counted when it became known.
                    let mark = mark.map(|mark| Mark { level: mark.level + beyond(sent.flight), ..mark });
                    known.follow(remaining, exact_to, beyond(self.flight), mark, now);
                }
            }
            (None, Some(told), Some(remaining)) => {
                if !self.are_told() {
                    self.flight = Flight(self.total);
                    self.flight.0.add(sent.total, -1.0);
                    self.flight_from = sent.number;
                }
                let rate = told / period.length().as_secs_f64();
                let since_sent = self.total.of(dimension) - sent.total.of(dimension);
                let elapsed = now.saturating_sub(self.first_sent.unwrap_or(now)).as_secs_f64();
                let unfilled = full_in.map_or_else(
                    || (self.total.of(dimension) - rate * elapsed).max(0.0),
                    |full_in| rate * full_in.as_secs_f64(),
                );
                let capacity = (remaining + unfilled).min(told);
                let then = (remaining + rate * now.saturating_sub(sent.at).as_secs_f64()).min(capacity);
                let mut bucket = Bucket::full(rate, capacity, now);
                // Whichever way the server counts, it has at least this much.
                let rounded_up = if exact_to > 1.0 { exact_to / 2.0 } else { 0.0 };
                bucket.set_level((then - since_sent).min(remaining) - rounded_up, now);
                let known = (now, self.done(dimension));
                let mut limit = Limit::new(dimension, period, By::Server, bucket, Some(sent.number));
                (limit.known, limit.probe) = (known, Probe::new(now));
                limit.hear(remaining - rounded_up, now);
                self.all.push(limit);
            }
            (None, None, _) | (None, Some(_), None) => {}
        }
    }

    /// How much of this the server has accepted, without what is in flight.
    fn done(&self, dimension: Dimension) -> f64 {
        self.total.of(dimension) - self.flight.0.of(dimension)
    }

    /// Attempt `number` was accepted. Finds the limits that cannot be true, as the server has accepted more than they allow.
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

    /// Attempt `number` ended, and `in_flight` others are still in flight. With none in flight, the server has counted everything that
    /// was sent, so it still has at least the lowest amount that it reported meanwhile.
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

    /// Whether the server tells any limit for a minute.
    pub(super) fn are_told(&self) -> bool {
        let is_told =
            |limit: &Limit| limit.by == By::Server && limit.period == Period::Minute && !limit.is_refuted;
        self.all.iter().any(is_told)
    }

    /// How much of this flows in per second, as the server tells.
    pub(super) fn told(&self, dimension: Dimension) -> Option<f64> {
        let is_told = |limit: &&Limit| {
            limit.by == By::Server
                && limit.period == Period::Minute
                && limit.dimension == dimension
                && !limit.is_refuted
        };
        self.all.iter().find(is_told).map(|limit| limit.bucket.rate())
    }

    /// The server has refused `amounts` for want of this: it had none, or, where it says when to come again, what then lacks.
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

    /// Whether what is sent with this attempt is in the level by estimate. What was sent before a server's limit became known has
    /// been counted by the server, as it was.
    fn counts(&self, sent: &Sent) -> bool {
        self.since.is_none_or(|since| sent.number > since)
    }

    /// The server says that this much is left.
    fn hear(&mut self, remaining: f64, now: Duration) {
        self.left = (remaining, now);
        self.least = Some(self.least.map_or(remaining, |least| least.min(remaining)));
    }

    /// How long until an attempt of this size may find out whether the limit is true. None where that is not worth it, or where
    /// the server may let it in anyway.
    fn probe_in(&self, amount: f64, now: Duration) -> Option<Duration> {
        let rate = self.bucket.rate();
        let (left, since) = self.left;
        let left = left + rate * now.saturating_sub(since).as_secs_f64();
        let is_slow = amount > rate * SLOW.as_secs_f64() && left < amount / 2.0;
        let is_claimed = self.by == By::Server && self.period == Period::Minute;
        if is_claimed && is_slow { self.probe.ready_in(now) } else { None }
    }

    /// What is left untouched of a limit that the server counts, since ours is never quite its count: what flows in within a
    /// moment, and as much as its rounding may hide, unless that is much of the whole.
    fn cushion(&self) -> f64 {
        let rounding = if self.exact_to > 1.0 { self.exact_to } else { 0.0 };
        match self.by {
            By::User => 0.0,
            By::Server => (self.bucket.rate() * MOMENT).max(rounding).min(self.bucket.capacity() / 20.0),
        }
    }

    /// Another limit: what the bucket holds for how long stays. Servers that tell it when a request comes go on telling the former
    /// one with the answers to what was sent before it changed.
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

    /// Comes nearer to the server's count.
    fn follow(&mut self, remaining: f64, exact_to: f64, reserved: f64, mark: Option<Mark>, now: Duration) {
        self.exact_to = self.exact_to.max(exact_to);
        if remaining > self.bucket.capacity() {
            self.bucket.resize(self.bucket.rate(), remaining, now);
        }
        let Some(mark) = mark else { return };
        let beyond = |difference: f64| difference.signum() * (difference.abs() - exact_to).max(0.0);
        let by_now = beyond(remaining - self.bucket.level(now) - reserved);
        // What was corrected since the request was sent is not to be corrected again.
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

fn counts_output(dimension: Dimension) -> bool {
    match dimension {
        Dimension::Tokens | Dimension::OutputTokens => true,
        Dimension::Requests | Dimension::InputTokens => false,
    }
}
