//! A server for stories in virtual time: what it accepts, what it advertises, and how long it takes.

use std::sync::Mutex;

use tokio::sync::Semaphore;

use super::super::bucket::Bucket;
use super::super::*;
use crate::standing::Period;

/// What a row uses and how long its answer takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) bytes: usize,
    pub(super) input: f64,
    pub(super) output: f64,
    pub(super) latency: Duration,
}

impl Row {
    fn of(&self, dimension: Dimension) -> f64 {
        match dimension {
            Dimension::Requests => 1.0,
            Dimension::Tokens => self.input + self.output,
            Dimension::InputTokens => self.input,
            Dimension::OutputTokens => self.output,
        }
    }
}

/// What a random refusal claims to be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    Requests,
    Silent,
    Overload,
}

/// What a server allows.
#[derive(Debug, Clone)]
pub(super) struct Allowance {
    /// Rates per second, each with a bucket of one second's worth.
    pub(super) rates: Vec<(Dimension, f64)>,
    /// After how many seconds the rates change, and by what factor.
    pub(super) change: Option<(f64, f64)>,
    /// What its headers advertise, as a multiple of the truth; `None` if it sends none.
    pub(super) advertised: Option<f64>,
    /// Whether the headers are written with the answer, instead of when the request comes.
    pub(super) advertised_late: bool,
    /// The unit to which it rounds the remaining tokens.
    pub(super) rounded_to: f64,
    /// When it has no capacity, and for how long.
    pub(super) closed: Vec<(f64, f64)>,
    /// Requests per second at first, and in how many seconds they may double.
    pub(super) ramp: Option<(f64, f64)>,
    /// Requests at the same time; more are refused.
    pub(super) max_in_flight: Option<usize>,
    /// Requests at the same time; more wait.
    pub(super) slots: Option<usize>,
    /// The share of requests that are refused at random, and the wait that the refusal asks for.
    pub(super) moody: Option<(f64, Option<Duration>)>,
    /// What such a refusal claims to be about.
    pub(super) mood: Mood,
    /// What its headers claim about requests regardless of the load: the limit per minute and what is left of it.
    pub(super) claimed: Option<(f64, f64)>,
    /// Whether only its refusals have headers.
    pub(super) only_with_refusals: bool,
}

impl Allowance {
    pub(super) fn of(rates: &[(Dimension, f64)]) -> Self {
        Self {
            rates: rates.to_vec(),
            change: None,
            advertised: Some(1.0),
            advertised_late: false,
            rounded_to: 1.0,
            closed: Vec::new(),
            ramp: None,
            max_in_flight: None,
            slots: None,
            moody: None,
            mood: Mood::Requests,
            claimed: None,
            only_with_refusals: false,
        }
    }
}

/// How the server answers.
#[derive(Debug)]
pub(super) enum Answer {
    Done,
    Refused(Refusal),
}

pub(super) struct Server {
    allowance: Allowance,
    epoch: Instant,
    slots: Option<Semaphore>,
    state: Mutex<Open>,
}

struct Open {
    buckets: Vec<(Dimension, Bucket)>,
    ramp: Option<Bucket>,
    changed: bool,
    in_flight: usize,
    pub(super) requests: u64,
    pub(super) refused: u64,
    random: fastrand::Rng,
}

impl Server {
    pub(super) fn new(allowance: Allowance) -> Self {
        let bucket =
            |(dimension, rate): &(Dimension, f64)| (*dimension, Bucket::full(*rate, *rate, Duration::ZERO));
        let state = Open {
            buckets: allowance.rates.iter().map(bucket).collect(),
            ramp: allowance.ramp.map(|(from, _)| Bucket::full(from, from, Duration::ZERO)),
            changed: false,
            in_flight: 0,
            requests: 0,
            refused: 0,
            random: fastrand::Rng::with_seed(7),
        };
        Self {
            slots: allowance.slots.map(Semaphore::new),
            allowance,
            epoch: Instant::now(),
            state: Mutex::new(state),
        }
    }

    /// Requests and refusals so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        let state = self.state.lock().expect("no panic");
        (state.requests, state.refused)
    }

    pub(super) async fn serve(&self, row: Row) -> (Answer, Vec<Standing>) {
        // A millisecond each way.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (refused, standings) = self.enter(row);
        if let Some(refused) = refused {
            return (refused, standings);
        }
        match &self.slots {
            Some(slots) => {
                let _slot = slots.acquire().await.expect("it is open");
                tokio::time::sleep(row.latency).await;
            }
            None => tokio::time::sleep(row.latency).await,
        }
        let standings = if self.allowance.advertised_late { self.standings() } else { standings };
        self.state.lock().expect("no panic").in_flight -= 1;
        (Answer::Done, standings)
    }

    fn enter(&self, row: Row) -> (Option<Answer>, Vec<Standing>) {
        let now = self.epoch.elapsed();
        let mut state = self.state.lock().expect("no panic");
        self.age(&mut state, now);
        state.requests += 1;
        let refusal = self.refusal(&mut state, row, now);
        if refusal.is_some() {
            state.refused += 1;
        } else {
            state.in_flight += 1;
            for (dimension, bucket) in &mut state.buckets {
                bucket.take(row.of(*dimension), now);
            }
            if let Some(ramp) = &mut state.ramp {
                ramp.take(1.0, now);
            }
        }
        drop(state);
        let has_headers = refusal.is_some() || !self.allowance.only_with_refusals;
        let standings = if has_headers { self.standings() } else { Vec::new() };
        (refusal, standings)
    }

    fn age(&self, state: &mut Open, now: Duration) {
        if let Some((at, factor)) = self.allowance.change
            && now.as_secs_f64() >= at
            && !state.changed
        {
            state.changed = true;
            for (_, bucket) in &mut state.buckets {
                bucket.resize(bucket.rate() * factor, bucket.capacity() * factor, now);
            }
        }
        if let (Some((from, doubling)), Some(ramp)) = (self.allowance.ramp, &mut state.ramp) {
            let rate = from * (now.as_secs_f64() / doubling).exp2();
            ramp.resize(rate, rate, now);
        }
    }

    fn refusal(&self, state: &mut Open, row: Row, now: Duration) -> Option<Answer> {
        let seconds = now.as_secs_f64();
        let refused = |retry_after, by, overloaded| {
            Some(Answer::Refused(Refusal { retry_after, by, overloaded, slots: None }))
        };
        if let Some((from, length)) =
            self.allowance.closed.iter().find(|(from, length)| (*from..from + length).contains(&seconds))
        {
            return refused(Some(Duration::from_secs_f64(from + length - seconds)), None, true);
        }
        if self.allowance.max_in_flight.is_some_and(|max| state.in_flight >= max) {
            return refused(None, None, false);
        }
        if let Some((share, retry_after)) = self.allowance.moody
            && state.random.f64() < share
        {
            return match self.allowance.mood {
                Mood::Requests => refused(retry_after, Some(LimitedBy::Amount(Dimension::Requests)), false),
                Mood::Silent => refused(retry_after, None, false),
                Mood::Overload => refused(retry_after, None, true),
            };
        }
        if let Some(ramp) = &state.ramp {
            let wait = ramp.ready_in(1.0, now);
            if wait > Duration::ZERO {
                return refused(Some(wait), Some(LimitedBy::Growth), false);
            }
        }
        let waits = state
            .buckets
            .iter()
            .map(|(dimension, bucket)| (bucket.ready_in(row.of(*dimension), now), *dimension));
        let (wait, dimension) = waits.max()?;
        if wait > Duration::ZERO {
            refused(Some(wait), Some(LimitedBy::Amount(dimension)), false)
        } else {
            None
        }
    }

    fn standings(&self) -> Vec<Standing> {
        if let Some((limit, remaining)) = self.allowance.claimed {
            return vec![Standing {
                dimension: Dimension::Requests,
                period: Period::Minute,
                limit: Some(limit),
                remaining: Some(remaining),
                full_in: None,
                exact_to: 1.0,
            }];
        }
        let Some(factor) = self.allowance.advertised else { return Vec::new() };
        let now = self.epoch.elapsed();
        let state = self.state.lock().expect("no panic");
        let standing = |(dimension, bucket): &(Dimension, Bucket)| {
            let level = bucket.level(now).max(0.0) * factor;
            let rounded = self.allowance.rounded_to;
            let is_rounded = rounded > 1.0 && *dimension != Dimension::Requests;
            let full_in = (bucket.capacity() - bucket.level(now)).max(0.0) / bucket.rate();
            Standing {
                dimension: *dimension,
                period: Period::Minute,
                limit: Some(bucket.rate() * 60.0 * factor),
                remaining: Some(if is_rounded { (level / rounded).round() * rounded } else { level.floor() }),
                full_in: (!is_rounded).then(|| Duration::from_secs_f64(full_in)),
                exact_to: if is_rounded { rounded } else { 1.0 },
            }
        };
        state.buckets.iter().map(standing).collect()
    }
}
