//! Many rows: windows, spawning, and the end of a run. `extract.rs` handles one row; `order.rs` decides when an outcome is
//! released.
#![expect(clippy::disallowed_methods, reason = "rows are spawned here and nowhere else")]

mod commands;
mod lane_events;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::backlog::{Backlog, Choice, Place};
use crate::batch::{self, Lane, LaneTask};
use crate::cache::{Cache, CacheRelay, CacheSession};
use crate::config::Plan;
use crate::error::{Error, Problem, Result};
use crate::event::EventKind;
use crate::extract::{Ended, PreparedRow, Stores, Switches, extract};
use crate::halt::Halt;
use crate::identity::RowKey;
use crate::journal::{Asking, Intents, Placing};
use crate::order::{Holding, Order, OrderBy};
use crate::outcome::{Effort, Outcome};
use crate::recall::{Candidate, Done, Recall, RecallEvent};
use crate::refusals::{Refusals, Standing, is_refusal};
use crate::relay::Relay;
use crate::retries::Retries;
use crate::sampler::Sampler;
use crate::source::{Sink, Source};
use crate::steering::Listener;
use crate::stops::{Begun, Deadline, LAST_LOOK, Progress};
use crate::validity::{self, Verdict};

/// The smallest number of rows in flight: enough that a fast account never waits for the source, few enough to fit in a few
/// megabytes.
const SMALLEST_WINDOW: usize = 1024;

/// Rows in flight per attempt in flight, so that one is always ready to start while others wait to retry.
const WINDOW_PER_SLOT: usize = 4;

/// Rows taken from the source at a time.
const BATCH: usize = 64;

/// How long refusals are held back when nothing else is happening: a source may wait for their outcomes before it yields more
/// rows.
const LONGEST_HOLD: Duration = Duration::from_secs(1);

/// One execution of a plan over a source.
#[derive(Debug)]
pub(crate) struct Run<S> {
    plan: Arc<Plan>,
    source: S,
    source_ended: bool,
    taken: u64,
    /// A fixed limit on the rows in flight, in place of one derived from the account's concurrency.
    given_window: Option<usize>,
    recall: Recall,
    intents: Option<Intents>,
    cache: Option<CacheSession>,
    /// The relays that pass replies of the journal and the cache on to the tasks, until a runtime can drive them in `relaying`.
    relays: (Option<Relay<std::result::Result<(), Problem>>>, Option<CacheRelay>),
    relaying: JoinSet<()>,
    /// Rows to be asked about that are not spawned yet.
    backlog: Backlog<PreparedRow>,
    tasks: JoinSet<(PreparedRow, Ended, Option<Asking>)>,
    /// Where rows are asked in batches, if they are, and its task until a runtime can drive it.
    lane: Option<Lane>,
    lane_task: Option<LaneTask>,
    /// Values known from elsewhere that are being validated for their rows.
    judging: JoinSet<Vec<(Candidate, Verdict)>>,
    order: Order<Done>,
    refusals: Refusals,
    /// Rows that were refused while every row might be. Their outcomes count only if it turns out that not every row is
    /// refused.
    held: Vec<Held>,
    halt: Halt,
    progress: Progress,
    /// Measures the run's curves for its journal.
    sampler: Option<Sampler>,
    /// Hears the user's commands; a run within a run does not.
    listener: Option<Listener>,
    retries: Retries,
    stopped_by: Option<Error>,
    deadline: Deadline,
}

/// A row that was refused, with its outcome.
#[derive(Debug)]
struct Held {
    prepared: PreparedRow,
    outcome: Outcome,
    asking: Option<Asking>,
}

impl<S: Source> Run<S> {
    /// A run that releases outcomes in this order. Nothing is taken from the source yet.
    pub(crate) fn new(plan: Arc<Plan>, source: S, order: OrderBy) -> Self {
        Self::with_window(plan, source, order, None, Placing::Input)
    }

    /// A run that takes a row only when the previous one is done.
    pub(crate) fn one_by_one(plan: Arc<Plan>, source: S) -> Self {
        Self::with_window(plan, source, OrderBy::Input, Some(1), Placing::Input)
    }

    /// A run over rows that are not an input by themselves, released as they are completed. `placing` says how the journal
    /// treats them.
    pub(crate) fn apart(plan: Arc<Plan>, source: S, placing: Placing) -> Self {
        Self::with_window(plan, source, OrderBy::Completed, None, placing)
    }

    /// A run over failed rows within another run, which ends both, hears all commands and measures.
    pub(crate) fn within(plan: Arc<Plan>, source: S, halt: Halt) -> Self {
        let run = Self::apart(plan, source, Placing::Again).halted_by(halt);
        Self { listener: None, sampler: None, ..run }
    }

    fn with_window(
        plan: Arc<Plan>,
        source: S,
        order: OrderBy,
        given_window: Option<usize>,
        placing: Placing,
    ) -> Self {
        let session = plan.journal.as_ref().map(|journal| journal.begin(plan.equal_rows, placing));
        let recall = Recall::new(Arc::clone(&plan), session);
        let window = given_window.unwrap_or_else(|| window(&plan));
        let holding = if recall.can_load() { Holding::Ahead(window as u64) } else { Holding::All };
        let (intents, of_intents) = recall.intents().unzip();
        let (cache, of_cache) = plan.cache.as_ref().map(Cache::begin).unzip();
        let refusals = Refusals::new(plan.all_refused);
        if let Some(totals) = plan.journal.as_ref().and_then(|journal| journal.take_resumed()) {
            if !totals.is_unpaid() {
                // The server has accepted rows before.
                refusals.settle();
            }
            plan.observers.emit(0, EventKind::Resumed { totals: Arc::new(totals) });
        }
        if let Some(effort) = plan.probing.take_uncounted() {
            plan.observers.emit(0, EventKind::Probed { effort });
        }
        let sampler = recall.interval().map(|length| Sampler::new(Arc::clone(&plan), length));
        let listener = Some(plan.steering.listen(placing, &plan.observers));
        let has_budget = plan.account.admission.budget().is_some();
        Self {
            listener,
            retries: Retries::default(),
            progress: Progress::new(plan.stops),
            sampler,
            plan,
            source,
            source_ended: false,
            taken: 0,
            given_window,
            recall,
            intents,
            cache,
            relays: (of_intents, of_cache),
            relaying: JoinSet::new(),
            // Near the end of a budget, any row may be the one that it still covers.
            backlog: Backlog::new(if has_budget { Choice::Any } else { Choice::Next }),
            tasks: JoinSet::new(),
            lane: None,
            lane_task: None,
            judging: JoinSet::new(),
            order: Order::new(order, holding),
            refusals,
            held: Vec::new(),
            halt: Halt::default(),
            stopped_by: None,
            deadline: Deadline::Ahead,
        }
    }

    /// The same run, which `halt` can end from outside: it then sends no new requests and awaits those in flight.
    pub(crate) fn halted_by(mut self, halt: Halt) -> Self {
        self.halt = halt;
        self
    }

    /// The next outcomes, or none at the end. Cancelling the wait loses nothing; dropping the run stops all its work.
    ///
    /// # Errors
    /// Whatever stopped the run, once everything that was done has been released.
    pub(crate) async fn next(&mut self) -> Result<VecDeque<Done>> {
        let (of_intents, of_cache) = &mut self.relays;
        if let Some(relay) = of_intents.take() {
            self.relaying.spawn(relay.drive());
        }
        if let Some(relay) = of_cache.take() {
            self.relaying.spawn(relay.drive());
        }
        if self.progress.begin() == Begun::Now && self.given_window.is_none() {
            let lane = Lane::new(&self.plan, self.recall.placing(), &self.halt, self.cache.as_ref());
            (self.lane, self.lane_task) = lane.unzip();
        }
        if let Some(task) = self.lane_task.take() {
            self.relaying.spawn(batch::drive(task));
        }
        loop {
            while let Some(event) = self.recall.next_event() {
                self.handle(event);
            }
            while let Some((prepared, place)) = self.backlog.next() {
                self.spawn(prepared, place);
            }
            if self.order.has_ready() {
                return Ok(self.order.take_ready());
            }
            if let Some(places) = self.order.take_load_request() {
                self.recall.load(places);
            }
            let room = self.room();
            let nothing_to_take = self.source_ended || self.halt.is_on();
            let only_held = !self.held.is_empty() && self.tasks.is_empty() && !self.recall.is_looking();
            if only_held && (nothing_to_take || room == 0) {
                self.release_held();
                continue;
            }
            if self.retries.is_due() {
                self.begin_retries();
            }
            // Whether the deadline came too early depends on whether there are more rows.
            let looks_for_more = self.deadline == Deadline::Passed && !self.source_ended;
            let is_idle = nothing_to_take
                && !looks_for_more
                && self.tasks.is_empty()
                && self.recall.is_idle()
                && self.retries.is_idle();
            if let Some(lane) = self.lane.as_mut().filter(|_| is_idle && self.source_ended) {
                let rows = (self.recall.placing() == Placing::Input).then_some(self.taken);
                lane.end_source(rows);
            }
            if is_idle && self.lane.as_ref().is_none_or(Lane::is_over) {
                match self.end() {
                    Some(ended) => return ended,
                    None => continue,
                }
            }
            tokio::select! {
                Some(joined) = self.tasks.join_next() => {
                    self.take_in(joined);
                    while let Some(joined) = self.tasks.try_join_next() {
                        self.take_in(joined);
                    }
                }
                () = self.backlog.are_few() => {}
                event = lane_events::lane_event(self.lane.as_mut()), if self.online() < window(&self.plan) => self.take_lane_event(event),
                Some(joined) = self.judging.join_next() => match joined {
                    Ok(judged) => self.recall.take_judged(judged),
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(_) => {}
                },
                () = self.recall.wait() => {}
                rows = self.source.next(room.min(BATCH)), if room > 0 && (!nothing_to_take || looks_for_more) => match rows {
                    Ok(rows) if rows.is_empty() => self.source_ended = true,
                    Ok(_) if looks_for_more => self.deadline = Deadline::Missed,
                    Ok(rows) => {
                        self.taken += rows.len() as u64;
                        self.recall.take(rows);
                    }
                    Err(error) => self.end_source(error),
                },
                () = self.halt.wait(), if !nothing_to_take => {}
                commands = commands::commands(self.listener.as_mut()) => {
                    for command in commands {
                        self.carry_out(command);
                    }
                }
                retried = self.retries.wait() => {
                    if let Err(error) = retried {
                        self.stop(error);
                    }
                }
                () = end_of_interval(self.sampler.as_mut()) => self.sample(),
                problem = self.progress.time_is_up(), if !self.halt.is_on() => {
                    if self.stopped_by.is_none() {
                        self.deadline = Deadline::Passed;
                    }
                    self.stop(Error::Limit(problem));
                }
                () = tokio::time::sleep(LONGEST_HOLD), if only_held => self.release_held(),
                () = tokio::time::sleep(LAST_LOOK), if looks_for_more && self.tasks.is_empty() => self.deadline = Deadline::Missed,
            }
        }
    }

    /// Releases what was held back for rows that will never come, the only thing left to do; `None` if some of it has to be
    /// loaded first.
    fn end(&mut self) -> Option<Result<VecDeque<Done>>> {
        self.order.close_gaps();
        if self.order.has_ready() {
            return Some(Ok(self.order.take_ready()));
        }
        if let Some(places) = self.order.take_load_request() {
            self.recall.load(places);
            return None;
        }
        self.sample();
        let is_left = self.lane.as_ref().is_some_and(|lane| lane.left() > 0);
        if self.deadline == Deadline::Passed && !is_left {
            // It passed while the last rows were in flight, and has stopped nothing.
            self.deadline = Deadline::Ahead;
            self.stopped_by = None;
            self.halt.clear();
        }
        if let Some(error) = self.stopped_by.take() {
            return Some(Err(error));
        }
        if self.source_ended && !self.halt.is_on() && !is_left {
            self.recall.complete(self.taken);
            if let Some(rows) = self.lane.as_ref().and_then(Lane::input) {
                self.recall.complete_input(rows);
            }
        }
        Some(Ok(VecDeque::new()))
    }

    /// Records what happened since the last sample.
    fn sample(&mut self) {
        let sampled = self.sampler.as_mut().zip(self.recall.interval());
        if let Some((lasted, activity)) = sampled.and_then(|(sampler, next)| sampler.take(next)) {
            self.recall.note_interval(lasted, activity);
        }
    }

    /// How many rows may be taken now. It waits for a batch's worth of room, since taking rows one at a time costs more, but
    /// never so long that slots stand empty.
    fn room(&self) -> usize {
        let window = self.given_window.unwrap_or_else(|| window(&self.plan));
        let room = window.saturating_sub(self.recall.unsettled());
        let held_too_many = self.order.is_full(window);
        if held_too_many || room < BATCH.min(window.div_ceil(WINDOW_PER_SLOT)) { 0 } else { room }
    }

    fn handle(&mut self, event: RecallEvent) {
        match event {
            RecallEvent::Ask(prepared) => match &self.lane {
                Some(lane) => {
                    if let Some(refused) = lane.ask(prepared) {
                        self.abandon(*refused);
                    }
                }
                None => self.backlog.push(prepared),
            },
            RecallEvent::Judge(candidates) => self.judge(candidates),
            RecallEvent::Release((row, outcome)) => self.order.push(row.index, (row, outcome)),
            RecallEvent::Loaded(found) => self.order.load(found.into_iter().map(|done| (done.0.index, done))),
            RecallEvent::Broken(problem) => self.stop(Error::Journal(problem)),
        }
    }

    fn judge(&mut self, candidates: Vec<Candidate>) {
        let plan = Arc::clone(&self.plan);
        self.judging.spawn(async move {
            let value = |candidate: &Candidate| {
                let value = candidate.outcome.result.as_ref().ok().cloned().unwrap_or_default();
                (candidate.row.clone(), value)
            };
            let verdicts = validity::of_known(&plan, candidates.iter().map(value).collect()).await;
            candidates.into_iter().zip(verdicts).collect()
        });
    }

    fn spawn(&mut self, mut prepared: PreparedRow, place: Place) {
        let (plan, intents, halt) = (Arc::clone(&self.plan), self.intents.clone(), self.halt.clone());
        let (refusals, cache) = (self.refusals.clone(), self.cache.clone());
        let asking = intents.as_ref().zip(prepared.key).map(|(intents, key)| intents.asking(key.key));
        // The future is large, and a box is moved instead of it.
        self.tasks.spawn(Box::pin(async move {
            let switches = Switches { halt: &halt, refusals: &refusals, place: &place };
            let stores = Stores { intents: intents.as_ref(), cache: cache.as_ref() };
            let ended = extract(&plan, &mut prepared, stores, &switches).await;
            (prepared, ended, asking)
        }));
    }

    fn abandon(&mut self, PreparedRow { row, key, conversation }: PreparedRow) {
        self.leave(key, row.index, *conversation.effort());
    }

    /// Gives up a row, which has no outcome.
    fn leave(&mut self, key: Option<RowKey>, row: u64, effort: Effort) {
        if self.deadline == Deadline::Passed {
            self.deadline = Deadline::Missed;
        }
        self.recall.abandon(key, row, effort);
    }

    fn take_in(
        &mut self,
        joined: std::result::Result<(PreparedRow, Ended, Option<Asking>), tokio::task::JoinError>,
    ) {
        let (prepared, ended, asking) = match joined {
            Ok(ended) => ended,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => return,
        };
        let ended = match ended {
            Ended::Done(outcome) if is_refused(&outcome) => {
                self.held.push(Held { prepared, outcome, asking });
                self.judge_held();
                return;
            }
            ended => ended,
        };
        let PreparedRow { row, key, conversation } = prepared;
        match ended {
            Ended::Done(outcome) => {
                self.count(&outcome);
                self.recall.end(key, row, outcome);
            }
            Ended::Cached(outcome) => self.recall.end(key, row, outcome),
            Ended::Abandoned(effort) => self.leave(key, row.index, effort),
            Ended::Fatal(fault, effort) => {
                self.leave(key, row.index, effort);
                self.stop(Error::Stopped(Box::new(fault)));
            }
            Ended::Denied(denial, effort) => {
                self.leave(key, row.index, effort);
                self.stop(Error::Limit(denial.problem()));
            }
            Ended::Unrecorded(problem) => {
                self.leave(key, row.index, *conversation.effort());
                self.stop(Error::Journal(problem));
            }
        }
        if let Some(asking) = asking {
            asking.end();
        }
        self.judge_held();
    }

    /// Settles the refusals that are held back, if it is known by now whether every row is refused.
    fn judge_held(&mut self) {
        match self.refusals.standing() {
            Standing::Open | Standing::Suspected => {}
            Standing::Settled => self.release_held(),
            Standing::Confirmed => {
                let fault =
                    self.held.iter().rev().find_map(|held| held.outcome.result.as_ref().err()?.fault.clone());
                if let Some(fault) = fault {
                    self.stop(Error::Refused { rows: self.refusals.rows(), fault });
                }
                self.release_held();
            }
        }
    }

    /// Turns the refusals that are held back into failures of their rows. In a run that was stopped by a fault they do not count, so
    /// that a later run asks about those rows again.
    fn release_held(&mut self) {
        for Held { prepared: PreparedRow { row, key, conversation }, outcome, asking } in
            std::mem::take(&mut self.held)
        {
            if self.stopped_by.is_some() {
                self.leave(key, row.index, *conversation.effort());
            } else {
                self.count(&outcome);
                self.recall.end(key, row, outcome);
            }
            if let Some(asking) = asking {
                asking.end();
            }
        }
    }

    /// Counts the outcome of a row that was asked about.
    fn count(&mut self, outcome: &Outcome) {
        if let Some(problem) = self.progress.ended(outcome.result.is_ok()) {
            self.stop(Error::Limit(problem));
        }
    }

    /// Takes no more rows, but finishes those that were taken: the error is not theirs.
    fn end_source(&mut self, error: Error) {
        self.source_ended = true;
        self.stopped_by.get_or_insert(error);
    }

    /// Takes no more rows and sends no more requests; the first reason is the one reported.
    fn stop(&mut self, error: Error) {
        self.halt.set();
        self.stopped_by.get_or_insert(error);
    }
}

/// Waits for the end of an interval, forever without a sampler.
async fn end_of_interval(sampler: Option<&mut Sampler>) {
    match sampler {
        Some(sampler) => sampler.wait().await,
        None => std::future::pending().await,
    }
}

/// Whether a row was refused for a reason that might apply to every row.
fn is_refused(outcome: &Outcome) -> bool {
    let failure = outcome.result.as_ref().err();
    failure.and_then(|failure| failure.fault.as_ref()).is_some_and(|fault| is_refusal(fault))
}

/// How many rows may be in flight. Rows with images may hold megabytes each, so the window is no larger than useful.
fn window(plan: &Plan) -> usize {
    let useful = WINDOW_PER_SLOT.saturating_mul(plan.concurrency());
    if plan.template.has_images() { useful } else { useful.max(SMALLEST_WINDOW) }
}

/// Drives `run` to its end and writes its outcomes to `sink`.
///
/// # Errors
/// Whatever stopped the run, or the sink's error. A sink that fails gets nothing more, but what is in flight is still awaited: with
/// a journal, what was paid for is kept.
pub(crate) async fn drive<S: Source>(mut run: Run<S>, sink: &mut impl Sink) -> Result<()> {
    let mut sink = Some(sink);
    loop {
        let done = run.next().await?;
        if done.is_empty() {
            return Ok(());
        }
        if let Some(open) = &mut sink
            && let Err(error) = open.write(done.into()).await
        {
            run.stop(error);
            sink = None;
        }
    }
}
