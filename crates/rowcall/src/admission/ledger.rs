//! What the account has reserved and given back, and what its answers have shown: which attempt may start next, and what
//! follows from how one ended. It never waits; `mod.rs` does.

mod refusal;

use std::collections::BTreeMap;
use std::time::Duration;

use super::amounts::Amounts;
use super::bucket::Bucket;
use super::budget::{Budget, Denial};
use super::concurrency::Concurrency;
use super::estimate::Estimate;
use super::limits::{Limits, Sent};
use super::outage::{Blame, Failing, Outages, Strikes};
use super::pace::Pace;
use super::queue::{Line, Queue, Queues};
use super::refusals::{Refusals, Since, Verdict};
use super::share::{Shares, Sole};
use super::{Need, Settlement};
use crate::standing::{Bound, Dimension, KnownLimit, LimitFrom, Period, Standing};
use crate::turn::Usage;

/// How many attempts start at the same instant when nothing has been answered yet. Others follow at a thousand a second, so
/// that an immediate refusal stops the rest.
const AT_ONCE: f64 = 16.0;
const FOLLOWING: f64 = 1000.0;

/// Idle gaps longer than this do not count as being limited, since nothing was asked although it could have been. It is longer than
/// any backoff between two attempts.
const IDLE: Duration = Duration::from_mins(1);

/// The state of one account.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) in_flight: usize,
    /// Attempts in flight by number, and when they were sent, excluding those believed to be lost.
    flying: BTreeMap<u64, Duration>,
    outages: Outages,
    pub(super) concurrency: Concurrency,
    pub(super) limits: Limits,
    paces: BTreeMap<Dimension, Pace>,
    estimate: Estimate,
    pub(super) budget: Budget,
    /// No attempt starts before this time since the epoch.
    closed_until: Duration,
    /// When that, or an overload, was last reported: a refusal of an attempt sent before then is the same one.
    closed_at: Option<Duration>,
    /// How fast attempts may follow one another while nothing has been answered since the beginning or since the last wait.
    ramp: Option<Bucket>,
    opened_at: Duration,
    /// Since when the account has been answering nothing but limits although it was asked continuously.
    pub(super) limited_since: Option<Duration>,
    /// When the latest attempt began or ended.
    busy_at: Duration,
    /// Whether the server has answered anything at all.
    pub(super) answered: bool,
    /// Consecutive refusals without a time, and the first attempt among them: an answer to one sent after it ends the series.
    untimed: u64,
    untimed_from: u64,
    refusals: Refusals,
    /// The numbers of the attempts that were answered last.
    lately_answered: [u64; 8],
    pub(super) shares: Shares,
    pub(super) queues: Queues<Need, Granted>,
}

/// What an attempt that may start has reserved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted {
    amounts: Amounts,
    sent: Sent,
    /// How many others were in flight.
    others: usize,
    line: Option<Line>,
}

impl Ledger {
    /// Nothing has been sent, and no limits are known.
    pub(super) fn new() -> Self {
        Self {
            in_flight: 0,
            flying: BTreeMap::new(),
            outages: Outages::new(),
            concurrency: Concurrency::new(),
            limits: Limits::default(),
            paces: BTreeMap::new(),
            estimate: Estimate::default(),
            budget: Budget::default(),
            closed_until: Duration::ZERO,
            closed_at: None,
            ramp: Some(Bucket::full(FOLLOWING, AT_ONCE, Duration::ZERO)),
            opened_at: Duration::ZERO,
            limited_since: None,
            busy_at: Duration::ZERO,
            answered: false,
            untimed: 0,
            untimed_from: 0,
            refusals: Refusals::default(),
            lately_answered: [0; 8],
            shares: Shares::default(),
            queues: Queues::new(),
        }
    }

    /// How long until an attempt in this line with this `need` can start, and what it waits for; `None` if that depends on others
    /// giving back their slots.
    pub(super) fn ready_in(
        &self,
        line: Option<Line>,
        need: Need,
        now: Duration,
    ) -> (Option<Duration>, Option<Bound>) {
        if let Some(bound) = self.shares.bound(line) {
            return (None, Some(bound));
        }
        if self.in_flight >= self.concurrency.limit() {
            // The user's own limit is not exceeded even if all attempts hang.
            let silent_in = self.outages.ready_in(now).or_else(|| self.outages.silent_in(now));
            return (silent_in.filter(|_| !self.concurrency.is_set()), Some(Bound::Concurrency));
        }
        if !self.budget.fits(need.stake) {
            return (None, Some(Bound::Budget));
        }
        let amounts = self.amounts(need);
        let (mut wait, mut bound) = self.limits.ready_in(amounts, now);
        let mut consider = |other: Duration, of: Bound| {
            if other > wait {
                (wait, bound) = (other, Some(of));
            }
        };
        consider(self.closed_until.saturating_sub(now), Bound::CoolDown);
        consider(self.outages.ready_in(now).unwrap_or_default(), Bound::Server);
        if let Some(ramp) = &self.ramp {
            consider(ramp.ready_in(1.0, now), Bound::Concurrency);
        }
        for (dimension, pace) in &self.paces {
            if self.binds(*dimension, pace) {
                consider(pace.ready_in(amounts.of(*dimension), now), Bound::Refusals);
            }
        }
        (Some(wait), bound)
    }

    /// Whether a pace applies: not if the server advertises a limit that the pace does not contradict.
    fn binds(&self, dimension: Dimension, pace: &Pace) -> bool {
        self.limits.advertised_rate(dimension).is_none_or(|rate| pace.contradicts(rate))
    }

    /// After a change, starts the attempts that may start, and makes the head recompute its wait.
    pub(super) fn admit_waiting(&mut self, now: Duration) {
        if self.served().is_some() {
            self.start_ready(now);
            self.wake_head();
        }
    }

    /// The line whose head may start next: among lines whose extractors have a free slot, the one whose head has waited
    /// longest.
    pub(super) fn served(&self) -> Option<(Option<Line>, &Queue<Need, Granted>)> {
        self.queues.first(|line| self.shares.has_room(line))
    }

    /// Makes the head of that line recompute its wait.
    pub(super) fn wake_head(&self) {
        if let Some((_, queue)) = self.served() {
            queue.wake_head();
        }
    }

    /// Starts the attempts that may start.
    pub(super) fn start_ready(&mut self, now: Duration) {
        self.paces.retain(|_, pace| pace.holds(now));
        while let Some((line, queue)) = self.served() {
            let may_start =
                |need: &Need| matches!(self.ready_in(line, *need, now), (Some(Duration::ZERO), _));
            // Without a free slot, none may start if the first may not.
            let is_full = self.in_flight >= self.concurrency.limit();
            let candidates = self.candidates(queue).take(if is_full { 1 } else { usize::MAX });
            let next = candidates.copied().enumerate().find(|(_, need)| may_start(need));
            let Some((position, need)) = next else { break };
            let granted = self.take(line, need, now);
            self.queues.grant(line, position, granted);
        }
    }

    /// The attempts of a line that may be next. If nothing is in flight that the head could wait for, this is any attempt that
    /// the budget covers.
    pub(super) fn candidates<'a>(&self, queue: &'a Queue<Need, Granted>) -> impl Iterator<Item = &'a Need> {
        let candidates = if self.budget.is_at_rest() { usize::MAX } else { queue.candidates() };
        queue.waiting().take(candidates)
    }

    /// Why this need can never be met, if so.
    pub(super) fn denial(&self, need: Need) -> Option<Denial> {
        let denial = self.budget.denial(need.stake)?;
        let may_others_go = || {
            self.served().is_some_and(|(_, queue)| queue.waiting().any(|need| self.budget.fits(need.stake)))
        };
        match denial {
            Denial::UsedUp { .. } if may_others_go() => None,
            Denial::UsedUp { .. } | Denial::Unbounded | Denial::Overrun { .. } | Denial::Unpriced { .. } => {
                Some(denial)
            }
        }
    }

    /// Registers an attempt of this line that wants to start, now or after waiting.
    pub(super) fn begin(&mut self, line: Option<Line>) {
        self.shares.begin(line);
        self.follow_shares();
    }

    /// Applies the limits of extractors to the account.
    fn follow_shares(&mut self) {
        if let Some(Sole { is_sole, slots }) = self.shares.take_change() {
            if is_sole {
                self.concurrency.share(slots);
            } else {
                self.concurrency.adapt(slots);
            }
        }
    }

    /// Changes how many attempts of an extractor may be in flight. A larger number also raises a limit of the account, if the user has set
    /// one; none removes it.
    pub(super) fn steer(&mut self, line: Line, slots: Option<usize>, now: Duration) {
        let before = self.concurrency.limit();
        self.shares.set(line, slots);
        match slots {
            Some(slots) => self.concurrency.raise_to(slots),
            None => self.concurrency.unset(),
        }
        self.follow_shares();
        if self.concurrency.limit() > before {
            self.start_gently(now);
        }
        self.admit_waiting(now);
    }

    /// Pauses an extractor. What it has in flight goes on.
    pub(super) fn pause(&mut self, line: Line, now: Duration) {
        self.shares.pause(line);
        // Others may be waiting behind it.
        self.admit_waiting(now);
    }

    /// Ends a pause.
    pub(super) fn resume(&mut self, line: Line, now: Duration) {
        self.shares.resume(line);
        self.concurrency.interrupted();
        self.start_gently(now);
        self.admit_waiting(now);
    }

    /// Many free slots are not filled all at once.
    fn start_gently(&mut self, now: Duration) {
        self.opened_at = now;
        self.ramp = Some(Bucket::full(FOLLOWING, AT_ONCE, now));
    }

    /// The limits in force: the user's, those that the server advertises, and the rates inferred from its refusals.
    pub(super) fn known_limits(&self, now: Duration) -> Vec<KnownLimit> {
        let mut known = self.limits.known();
        let inferred = self.paces.iter().filter(|(dimension, pace)| self.binds(**dimension, pace));
        known.extend(inferred.map(|(dimension, pace)| KnownLimit {
            of: *dimension,
            period: Period::Minute,
            amount: pace.per_second(now) * 60.0,
            from: LimitFrom::Refusals,
        }));
        known
    }

    fn amounts(&self, need: Need) -> Amounts {
        Amounts {
            requests: 1.0,
            bytes: need.bytes as f64,
            tokens: self.estimate.tokens(need.bytes, need.output_limit),
        }
    }

    /// Takes a slot, and from every limit what the attempt will probably use.
    pub(super) fn take(&mut self, line: Option<Line>, need: Need, now: Duration) -> Granted {
        let idle_since = self.busy_at.max(self.closed_until);
        if self.in_flight == 0 && now.saturating_sub(idle_since) > IDLE {
            self.limited_since = None;
        }
        self.busy_at = now;
        self.budget.reserve(need.stake);
        let amounts = self.amounts(need);
        let others = self.in_flight;
        if others >= self.concurrency.limit() {
            self.outages.hangs(now);
        }
        self.outages.sent(others, now);
        if let Some(ramp) = &mut self.ramp {
            ramp.take(1.0, now);
        }
        for (dimension, pace) in &mut self.paces {
            pace.take(amounts.of(*dimension), now);
        }
        let sent = self.limits.take(amounts, now);
        self.flying.insert(sent.number, now);
        self.in_flight = self.flying.len();
        self.shares.take(line);
        Granted { amounts, sent, others, line }
    }

    /// Gives back a slot without knowing what became of the attempt.
    pub(super) fn give_up(&mut self, granted: Granted, now: Duration) {
        self.land(&granted, now);
        self.limits.release(granted.amounts, &granted.sent);
    }

    /// Removes an attempt from those in flight.
    fn land(&mut self, granted: &Granted, now: Duration) {
        self.flying.remove(&granted.sent.number);
        self.in_flight = self.flying.len();
        self.limits.end(granted.sent.number, self.in_flight, now);
        self.shares.release(granted.line);
        self.shares.end(granted.line);
        self.busy_at = now;
        self.outages.ended(now);
    }

    /// Gives back an unused slot, with everything that was reserved for it.
    pub(super) fn hand_back(&mut self, need: Need, granted: Granted, now: Duration) {
        self.budget.release(need.stake);
        self.give(granted.amounts, &granted.sent, now);
        self.give_up(granted, now);
    }

    /// Gives back what was reserved in excess.
    fn give(&mut self, amounts: Amounts, sent: &Sent, now: Duration) {
        self.limits.give(amounts, sent, now);
        for (dimension, pace) in &mut self.paces {
            pace.give(amounts.of(*dimension), sent.at, now);
        }
    }

    /// Gives back the slot and settles the reservation: any excess comes back, any shortfall is charged, and the limits that
    /// the server advertised are learned.
    pub(super) fn settle(
        &mut self,
        need: Need,
        granted: Granted,
        settlement: Settlement,
        standings: &[Standing],
        strikes: &mut Strikes,
        now: Duration,
    ) -> Blame {
        self.answered |= match settlement {
            Settlement::Exact(_) | Settlement::Unknown | Settlement::Refused(_) => true,
            Settlement::Failed { failing, .. } => match failing {
                Failing::Gateway | Failing::Overloaded | Failing::Page | Failing::Server => true,
                Failing::Unreachable | Failing::Unanswered => false,
            },
        };
        let was_advertised = self.limits.are_advertised();
        let verdict = self.judge(granted, settlement);
        // A refusal that others do not meet may come from another server than theirs.
        if verdict == Verdict::Account && !refusal::is_untimed(settlement) {
            for standing in standings {
                self.limits.learn(standing, &granted.sent, now);
            }
        }
        self.limits.release(granted.amounts, &granted.sent);
        if !was_advertised && self.limits.are_advertised() {
            // What there is room for now may be sent, but not all at once: the advertised limit may be wrong.
            self.opened_at = now;
            self.ramp = Some(Bucket::full(FOLLOWING, 1.0, now));
        }
        let refused = match verdict {
            Verdict::Account => Blame::Row,
            Verdict::Row => Blame::Chance,
        };
        let failed = match settlement {
            Settlement::Exact(usage) => {
                self.take_answer(need, granted, Some(usage), now);
                None
            }
            Settlement::Unknown => {
                self.take_answer(need, granted, None, now);
                None
            }
            Settlement::Refused(refusal) => {
                let is_outage = refusal.overloaded && refusal.retry_after.is_none();
                match verdict {
                    Verdict::Row => self.take_single_refusal(granted, refusal, now),
                    Verdict::Account if is_outage && self.outages.ready_in(now).is_some() => {}
                    Verdict::Account => self.take_refusal(granted, refusal, now),
                }
                is_outage.then_some((Failing::Overloaded, None))
            }
            Settlement::Failed { failing, retry_after } => {
                if failing == Failing::Unreachable {
                    self.give(granted.amounts, &granted.sent, now);
                }
                Some((failing, retry_after))
            }
        };
        self.land(&granted, now);
        let blame = failed.map_or(refused, |(failing, retry_after)| {
            let number = granted.sent.number;
            self.outages.failed(failing, strikes, (number, self.in_flight), retry_after, now)
        });
        self.admit_waiting(now);
        blame
    }

    fn take_answer(&mut self, need: Need, granted: Granted, usage: Option<Usage>, now: Duration) {
        self.limited_since = None;
        if self.outages.accepted(granted.sent.number, now.saturating_sub(granted.sent.at)) {
            // Waiting attempts do not all start at once, and earlier measurements say nothing about the current throughput.
            self.concurrency.interrupted();
            self.start_gently(now);
        }
        self.forget_lost(granted.sent.number, now);
        if granted.sent.number > self.untimed_from {
            self.untimed = 0;
        }
        if granted.sent.at >= self.opened_at {
            self.ramp = None;
        }
        self.lately_answered.rotate_right(1);
        self.lately_answered[0] = granted.sent.number;
        let since = Since { at: now, accepted: self.limits.total() };
        self.refusals.accepted(granted.sent.number, since);
        self.limits.accept(granted.sent.number, now);
        if let Some(usage) = usage {
            self.estimate.learn(need.bytes, usage);
            self.limits.expect(self.estimate.expected());
            let mut unused = Amounts { requests: 0.0, bytes: 0.0, ..granted.amounts };
            unused.tokens.input -= usage.input_tokens as f64;
            unused.tokens.output -= usage.output_tokens as f64;
            self.give(unused, &granted.sent, now);
        }
        let limit = self.concurrency.limit();
        self.concurrency.accepted(granted.others);
        if self.limits.are_advertised() {
            self.concurrency.follow_limits(self.in_flight, now);
        } else {
            self.concurrency.answered(self.in_flight, now);
        }
        if self.concurrency.limit() > limit + AT_ONCE as usize {
            self.start_gently(now);
        }
    }

    /// Frees the slots of attempts that were sent long ago and before one that was answered, although their answers are still
    /// awaited: a server that hung may have lost them.
    fn forget_lost(&mut self, answered: u64, now: Duration) {
        if self.concurrency.is_set() {
            return;
        }
        let silence = self.outages.silence();
        while let Some(oldest) = self.flying.first_entry()
            && *oldest.key() < answered
            && now.saturating_sub(*oldest.get()) >= silence
        {
            oldest.remove();
        }
        self.in_flight = self.flying.len();
    }
}
