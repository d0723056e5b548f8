//! What the account has taken and given back, and what its answers have shown: who may start next, and what follows from how an
//! attempt has ended. It waits for nobody; that is `mod.rs`' business.

mod refusal;

use std::collections::BTreeMap;
use std::time::Duration;

use super::bucket::Bucket;
use super::budget::{Budget, Denial};
use super::concurrency::Concurrency;
use super::estimate::Estimate;
use super::limits::{Amounts, Limits, Sent};
use super::outage::{Blame, Failing, Outages, Strikes};
use super::pace::Pace;
use super::queue::{Line, Queue, Queues};
use super::refusals::{Refusals, Since, Verdict};
use super::share::{Shares, Sole};
use super::{Need, Settlement};
use crate::standing::{Bound, Dimension, Standing};
use crate::turn::Usage;

/// So many start at the same instant when nothing has been answered yet. Those behind them follow at a thousand a second, so
/// that a refusal that comes back at once stops the rest.
const AT_ONCE: f64 = 16.0;
const FOLLOWING: f64 = 1000.0;

/// Whoever asks nothing for longer than this, though he might, learns nothing of how long an account has been limited. It is longer
/// than any wait of the path's own between two attempts.
const IDLE: Duration = Duration::from_mins(1);

/// One account's.
#[derive(Debug)]
pub(super) struct Ledger {
    pub(super) in_flight: usize,
    /// Attempts in flight by number, and when they were sent. Those that are believed to be lost are not among them.
    flying: BTreeMap<u64, Duration>,
    outages: Outages,
    pub(super) concurrency: Concurrency,
    pub(super) limits: Limits,
    paces: BTreeMap<Dimension, Pace>,
    estimate: Estimate,
    pub(super) budget: Budget,
    /// Nobody starts before; time since the epoch.
    closed_until: Duration,
    /// When that, or an overload, was last said: what was sent before belongs to the same refusal.
    closed_at: Option<Duration>,
    /// Where nothing has been answered since the beginning or since the last wait: how fast attempts may follow one another.
    opening: Option<Bucket>,
    opened_at: Duration,
    /// Since when the account has answered nothing but limits, though it was asked all the time.
    pub(super) limited_since: Option<Duration>,
    /// When the latest attempt began or ended.
    busy_at: Duration,
    /// Whether it has answered anything at all.
    pub(super) answered: bool,
    /// Refusals without a time in a row, and the first attempt of them: an answer to one sent after it ends the row.
    untimed: u64,
    untimed_from: u64,
    refusals: Refusals,
    /// The numbers of the attempts that were answered last.
    lately_answered: [u64; 8],
    pub(super) shares: Shares,
    pub(super) queues: Queues<Need, Granted>,
}

/// What an attempt that may start has taken.
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
            opening: Some(Bucket::full(FOLLOWING, AT_ONCE, Duration::ZERO)),
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

    /// How long until `need` can be met of one in this line, and what it waits for; `None` if that depends on others giving back their
    /// places.
    pub(super) fn ready_in(
        &self,
        line: Option<Line>,
        need: Need,
        now: Duration,
    ) -> (Option<Duration>, Option<Bound>) {
        if !self.shares.has_room(line) {
            return (None, Some(Bound::Concurrency));
        }
        if self.in_flight >= self.concurrency.limit() {
            // What the user has said is not exceeded even where all of it hangs.
            let silent_in = self.outages.ready_in(now).or_else(|| self.outages.silent_in(now));
            return (silent_in.filter(|_| !self.concurrency.is_given()), Some(Bound::Concurrency));
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
        if let Some(opening) = &self.opening {
            consider(opening.ready_in(1.0, now), Bound::Concurrency);
        }
        for (dimension, pace) in &self.paces {
            if self.binds(*dimension, pace) {
                consider(pace.ready_in(amounts.of(*dimension), now), Bound::Refusals);
            }
        }
        (Some(wait), bound)
    }

    /// Whether a pace is kept: not if the server reports a limit that the pace does not contradict.
    fn binds(&self, dimension: Dimension, pace: &Pace) -> bool {
        self.limits.told(dimension).is_none_or(|told| pace.contradicts(told))
    }

    /// Lets those start who may after something has changed, and sees to it that the head looks how long it has to wait now.
    pub(super) fn admit_waiting(&mut self, now: Duration) {
        if self.served().is_some() {
            self.let_start(now);
            self.wake_head();
        }
    }

    /// The line whose head may start next: of the lines whose extractors have a place left, the one whose head has waited longest.
    pub(super) fn served(&self) -> Option<(Option<Line>, &Queue<Need, Granted>)> {
        self.queues.first(|line| self.shares.has_room(line))
    }

    /// Lets the head of that line look again how long it has to wait.
    pub(super) fn wake_head(&self) {
        if let Some((_, queue)) = self.served() {
            queue.wake_head();
        }
    }

    /// Lets those start who may.
    pub(super) fn let_start(&mut self, now: Duration) {
        self.paces.retain(|_, pace| pace.holds(now));
        while let Some((line, queue)) = self.served() {
            let may_start =
                |need: &Need| matches!(self.ready_in(line, *need, now), (Some(Duration::ZERO), _));
            let next = self.looked_at(queue).copied().enumerate().find(|(_, need)| may_start(need));
            let Some((position, need)) = next else { break };
            let granted = self.take(line, need, now);
            self.queues.grant(line, position, granted);
        }
    }

    /// Who of a line may be the next to go. Where nothing is in flight that the head could wait for, that is whoever can be paid for.
    pub(super) fn looked_at<'a>(&self, queue: &'a Queue<Need, Granted>) -> impl Iterator<Item = &'a Need> {
        let looked_at = if self.budget.is_at_rest() { usize::MAX } else { queue.looked_at() };
        queue.waiting().take(looked_at)
    }

    /// Why this need will never be met, if it will not.
    pub(super) fn denial(&self, need: Need) -> Option<Denial> {
        let denial = self.budget.denial(need.stake)?;
        let may_others_go = || {
            self.served().is_some_and(|(_, queue)| queue.waiting().any(|need| self.budget.fits(need.stake)))
        };
        match denial {
            Denial::UsedUp { .. } if may_others_go() => None,
            Denial::UsedUp { .. } | Denial::Boundless | Denial::Overrun { .. } | Denial::Unpriced => {
                Some(denial)
            }
        }
    }

    /// An attempt of this line asks to start. It may start at once, or wait first.
    pub(super) fn begin(&mut self, line: Option<Line>) {
        self.shares.begin(line);
        if let Some(Sole { is_sole, places }) = self.shares.news() {
            if is_sole {
                self.concurrency.share(places);
            } else {
                self.concurrency.find_out(places);
            }
        }
    }

    fn amounts(&self, need: Need) -> Amounts {
        Amounts {
            requests: 1.0,
            bytes: need.bytes as f64,
            tokens: self.estimate.tokens(need.bytes, need.output_limit),
        }
    }

    /// Takes a place, and from every limit what the attempt will probably use.
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
        if let Some(opening) = &mut self.opening {
            opening.take(1.0, now);
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

    /// Gives back a place without knowing what became of the attempt.
    pub(super) fn give_up(&mut self, granted: Granted, now: Duration) {
        self.land(&granted, now);
        self.limits.release(granted.amounts, &granted.sent);
    }

    /// An attempt is no longer in flight.
    fn land(&mut self, granted: &Granted, now: Duration) {
        self.flying.remove(&granted.sent.number);
        self.in_flight = self.flying.len();
        self.limits.end(granted.sent.number, self.in_flight, now);
        self.shares.release(granted.line);
        self.shares.end(granted.line);
        self.busy_at = now;
        self.outages.ended(now);
    }

    /// Gives back a place from which nothing was sent, with all that was taken for it.
    pub(super) fn hand_back(&mut self, need: Need, granted: Granted, now: Duration) {
        self.budget.release(need.stake);
        self.give(granted.amounts, &granted.sent, now);
        self.give_up(granted, now);
    }

    /// Gives back what was taken too much.
    fn give(&mut self, amounts: Amounts, sent: &Sent, now: Duration) {
        self.limits.give(amounts, sent, now);
        for (dimension, pace) in &mut self.paces {
            pace.give(amounts.of(*dimension), sent.at, now);
        }
    }

    /// Gives back the place and squares the account: what was reserved too much comes back, what was too little is charged, and
    /// what the server told of its limits is learned.
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
        let was_told = self.limits.are_told();
        let verdict = self.judge(granted, settlement);
        // A refusal that others do not meet may come from a server that does not serve them.
        if verdict == Verdict::Account && !refusal::is_untimed(settlement) {
            for standing in standings {
                self.limits.learn(standing, &granted.sent, now);
            }
        }
        self.limits.release(granted.amounts, &granted.sent);
        if !was_told && self.limits.are_told() {
            // What there is room for now may be sent, but not at one instant: it may have been told wrong.
            self.opened_at = now;
            self.opening = Some(Bucket::full(FOLLOWING, 1.0, now));
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
            // What waits is not sent at one instant, and what was measured before shows nothing of what is done now.
            self.concurrency.interrupted();
            self.opened_at = now;
            self.opening = Some(Bucket::full(FOLLOWING, AT_ONCE, now));
        }
        self.forget_lost(granted.sent.number, now);
        if granted.sent.number > self.untimed_from {
            self.untimed = 0;
        }
        if granted.sent.at >= self.opened_at {
            self.opening = None;
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
        let places = self.concurrency.limit();
        self.concurrency.accepted(granted.others);
        if self.limits.are_told() {
            self.concurrency.follow_limits(self.in_flight, now);
        } else {
            self.concurrency.answered(self.in_flight, now);
        }
        if self.concurrency.limit() > places + AT_ONCE as usize {
            // So many more places are not filled at one instant either.
            self.opened_at = now;
            self.opening = Some(Bucket::full(FOLLOWING, AT_ONCE, now));
        }
    }

    /// Attempts that were sent long ago and before one that was answered take up no place any more, though their answers are still
    /// waited for: a server that has hung may have forgotten them.
    fn forget_lost(&mut self, answered: u64, now: Duration) {
        if self.concurrency.is_given() {
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
