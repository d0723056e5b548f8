//! The lane's task: parks rows, sends them in batches, watches the batches until they have ended, and collects their results.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::cached::ToKeep;
use super::room::Room;
use super::watch::{LAST_LOOK, Watch};
use super::{FromLane, LaneTask, ToLane};
use crate::admission::Stake;
use crate::cache::CacheSession;
use crate::config::{Batching, Plan, Stay};
use crate::error::Error;
use crate::event::{BatchNews, BatchStep, EventKind};
use crate::fault::Fault;
use crate::halt::Halt;
use crate::journal::Journal;
use crate::journal::batches::{self, BatchRecord, Collection, RemoteStage};
use crate::journal::parked::{self, Counts, KnownBy};
use crate::money::Usd;
use crate::provider::batch::BatchApi;
use crate::retry::{self, Decision, Tried};
use crate::transport::Transport;

/// How soon the lane looks again for rows whose outcomes are being written.
const TICK: Duration = Duration::from_millis(20);

/// The part of a deadline, in percent, that is kept for asking the rest online, within these bounds.
const RESERVE_PERCENT: u32 = 15;
const LEAST_RESERVE: Duration = Duration::from_mins(1);
const MOST_RESERVE: Duration = Duration::from_mins(10);

/// Returned rows are sent at once if there are this many; fewer wait until the other batches have ended.
const WORTH_A_BATCH: u64 = 1_000;

/// The state of the lane.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) plan: Arc<Plan>,
    pub(super) known_by: KnownBy,
    pub(super) journal: Arc<Journal>,
    pub(super) batching: Arc<Batching>,
    pub(super) halt: Halt,
    pub(super) inbox: mpsc::UnboundedReceiver<ToLane>,
    outbox: mpsc::Sender<FromLane>,
    /// A message that ended a wait.
    pub(super) pending: Option<ToLane>,
    pub(super) source_ended: bool,
    pub(super) began: Instant,
    /// Whether something has changed that another round may act on.
    pub(super) has_news: bool,
    /// When the rest is asked online, if there is a deadline.
    cutoff: Option<Instant>,
    /// Whether everything is asked online from now on.
    pub(super) online: bool,
    pub(super) watched: HashMap<i64, Watch>,
    pub(super) room: Room,
    pub(super) cache: Option<CacheSession>,
    /// Values that are about to be kept in the cache.
    pub(super) to_keep: Vec<ToKeep>,
    /// No batch is created before this.
    pub(super) not_before: Option<Instant>,
    /// How many requests in batches have a reservation, and its sum.
    pub(super) reserved: (u64, Usd),
}

/// Runs the lane to its end.
pub(crate) async fn drive(task: LaneTask) {
    let LaneTask { plan, known_by, journal, batching, halt, cache, inbox, outbox } = task;
    let cutoff = plan.stops.deadline.and_then(|deadline| {
        let reserve = deadline * RESERVE_PERCENT / 100;
        let reserve = reserve.clamp(LEAST_RESERVE.min(deadline / 2), MOST_RESERVE);
        Instant::now().checked_add(deadline.saturating_sub(reserve))
    });
    let room = Room::new(batching.most_rows());
    let mut task = Task {
        plan,
        known_by,
        journal,
        batching,
        halt,
        inbox,
        outbox,
        pending: None,
        source_ended: false,
        began: Instant::now(),
        has_news: true,
        cutoff,
        online: false,
        watched: HashMap::new(),
        room,
        cache,
        to_keep: Vec::new(),
        not_before: None,
        reserved: (0, Usd::ZERO),
    };
    if let Err(error) = task.run().await {
        task.notify(FromLane::Failed(error)).await;
    }
    task.release_all();
    // Rows that have not been parked yet are not kept.
    task.inbox.close();
    while let Some(message) = task.next_message().await {
        if let ToLane::Ask(prepared) = message {
            task.notify(FromLane::Abandoned(prepared)).await;
        }
    }
    let left = task.journal.work(|connection| {
        let Counts { queued, sent, .. } = parked::counts(connection)?;
        let input = batches::input(connection)?;
        Ok((queued + sent, input))
    });
    let (left, input) = left.await.unwrap_or((1, None));
    task.notify(FromLane::Over { left, input: input.filter(|_| left == 0) }).await;
}

impl Task {
    /// The next message; `None` once all are taken and no more can come.
    async fn next_message(&mut self) -> Option<ToLane> {
        match self.pending.take() {
            Some(message) => Some(message),
            None => self.inbox.recv().await,
        }
    }

    async fn run(&mut self) -> Result<(), Error> {
        self.begin().await?;
        loop {
            self.take_inbox().await?;
            if self.halt.is_on() {
                return Ok(());
            }
            self.has_news = false;
            self.check_deadline();
            let all = self.work(batches::all).await?;
            let open: Vec<_> = all.into_iter().filter(is_open).collect();
            let Counts { queued, fresh, sent } = self.work(parked::counts).await?;
            if queued > 0 && self.online {
                self.ask_rest_online().await?;
            } else if self.should_send(queued, fresh, &open) {
                self.send().await?;
                continue;
            }
            for record in open {
                if self.halt.is_on() {
                    return Ok(());
                }
                self.attend(record).await?;
            }
            self.deliver_equals().await?;
            if !self.has_news && self.is_done(queued, sent).await? {
                return Ok(());
            }
            self.wait().await?;
        }
    }

    /// Whether the queue should be sent now.
    fn should_send(&self, queued: u64, fresh: u64, open: &[BatchRecord]) -> bool {
        let is_running = open.iter().any(|record| record.remote != RemoteStage::Ended);
        let may =
            self.not_before.is_none_or(|at| at <= Instant::now()) && !(self.room.is_full() && is_running);
        let is_worth_it = fresh > 0 || queued >= WORTH_A_BATCH || !is_running;
        may && queued > 0 && (queued >= self.room.most_rows() || self.source_ended && is_worth_it)
    }

    async fn is_done(&mut self, queued: u64, sent: u64) -> Result<bool, Error> {
        if !self.source_ended || queued > 0 || self.pending.is_some() || !self.inbox.is_empty() {
            return Ok(false);
        }
        let open: Vec<_> = self.work(batches::all).await?.into_iter().filter(is_open).collect();
        if self.batching.options.stay == Stay::Detach && !self.online {
            let are_sent = |record: &BatchRecord| record.remote == RemoteStage::Running;
            return Ok(open.iter().all(are_sent));
        }
        Ok(sent == 0 && open.is_empty() && self.work(parked::waiting_equals).await? == 0)
    }

    /// Takes up what earlier runs have left.
    async fn begin(&mut self) -> Result<(), Error> {
        let all = self
            .work(|connection| {
                batches::begin(connection)?;
                batches::all(connection)
            })
            .await?;
        self.remove_spools();
        for record in all.into_iter().filter(is_open) {
            match record.remote {
                // Nothing was created from it.
                RemoteStage::Unsent => {
                    let number = record.number;
                    let why = Some("the run was cut off before it was created".to_owned());
                    self.work(move |connection| batches::drop_batch(connection, number, why)).await?;
                }
                RemoteStage::Unknown | RemoteStage::Running | RemoteStage::Ended => {
                    self.reserve_sent(record.number).await?;
                    self.news(&record, BatchStep::Resumed);
                    self.watch(record.number).is_counted = true;
                }
                RemoteStage::Dropped => {}
            }
        }
        Ok(())
    }

    fn check_deadline(&mut self) {
        if !self.online && self.cutoff.is_some_and(|cutoff| cutoff <= Instant::now()) {
            self.online = true;
            self.warn("the deadline is near: batches are cancelled, and the rest is asked online".to_owned());
        }
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) -> Result<(), Error> {
        if self.has_news || self.pending.is_some() {
            return Ok(());
        }
        let now = Instant::now();
        let is_settling = self.watched.values().any(|watch| watch.harvest.is_some());
        let looks = self.watched.values().filter(|watch| watch.harvest.is_none()).map(|watch| watch.next);
        let mut next = looks.chain(self.cutoff.filter(|_| !self.online)).chain(self.not_before).min();
        if is_settling || self.work(parked::waiting_equals).await? > 0 || self.online {
            next = Some(next.map_or(now + TICK, |next| next.min(now + TICK)));
        }
        // A create that was put off is due now.
        self.not_before = self.not_before.filter(|at| *at > now);
        let halt = self.halt.clone();
        tokio::select! {
            message = self.inbox.recv() => match message {
                Some(message) => self.pending = Some(message),
                // The run is gone.
                None => halt.set(),
            },
            () = tokio::time::sleep_until(next.unwrap_or(now + LAST_LOOK)) => {}
            () = halt.wait() => {}
        }
        Ok(())
    }

    /// Does `job` in the journal.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        self.journal.work(job).await.map_err(Error::Journal)
    }

    /// Reports an event to the run. A run that is gone needs to know nothing.
    pub(super) async fn notify(&mut self, event: FromLane) {
        let _ = self.outbox.send(event).await;
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.plan.account.transport
    }

    pub(super) fn api(&self) -> BatchApi {
        self.batching.terms.api
    }

    pub(super) fn warn(&self, warning: String) {
        let warning = self.transport().hide_secrets(warning);
        self.plan.observers.emit(0, EventKind::Warned(warning));
    }

    pub(super) fn news(&self, record: &BatchRecord, step: BatchStep) {
        let BatchRecord { number, rows, remote_id, .. } = record;
        let news = BatchNews { number: *number, id: remote_id.clone(), rows: *rows, step };
        self.plan.observers.emit(0, EventKind::Batch(Arc::new(news)));
    }

    /// What a request in a batch reserves of the budget.
    pub(super) fn stake(&self, most: Option<Usd>) -> Stake {
        Stake { most, purse: self.plan.purse }
    }

    /// Reserves again what the open requests of a batch may cost, which an earlier run has sent.
    async fn reserve_sent(&mut self, number: i64) -> Result<(), Error> {
        let sent = self.work(move |connection| parked::most_of_batch(connection, number)).await?;
        for most in sent {
            self.plan.account.admission.reserve_sent(self.stake(most));
            self.note_reserved(most);
        }
        Ok(())
    }

    pub(super) fn note_reserved(&mut self, most: Option<Usd>) {
        self.reserved = (self.reserved.0 + 1, self.reserved.1 + most.unwrap_or_default());
    }

    pub(super) fn note_released(&mut self, most: Option<Usd>) {
        self.reserved = (self.reserved.0.saturating_sub(1), self.reserved.1 - most.unwrap_or_default());
    }

    /// Gives back the reservation of a request that was not executed.
    pub(super) fn release(&mut self, most: Option<Usd>) {
        self.plan.account.admission.release(self.stake(most));
        self.note_released(most);
    }

    /// Gives back what is still reserved: a later run reserves it again.
    fn release_all(&mut self) {
        let (requests, sum) = std::mem::take(&mut self.reserved);
        for request in 0..requests {
            let most = if request == 0 { sum } else { Usd::ZERO };
            self.plan.account.admission.release(self.stake(Some(most)));
        }
    }

    /// Waits as `retry.rs` says after a fault of a request that may be repeated.
    ///
    /// # Errors
    /// The fault, if it is not to be repeated.
    pub(super) async fn wait_out(&self, fault: Fault, faults: u32) -> Result<(), Error> {
        let tried = Tried { faults, limits: faults, answered: true, ..Tried::default() };
        match retry::decide(&fault, tried, self.plan.retry, fastrand::f64()) {
            Decision::Retry(wait) => {
                let _ = self.halt.or(tokio::time::sleep(wait)).await;
                Ok(())
            }
            Decision::GiveUp | Decision::Stop => Err(Error::Stopped(Box::new(fault))),
        }
    }
}

/// Whether a batch is not finished here.
fn is_open(record: &BatchRecord) -> bool {
    let is_over = record.remote == RemoteStage::Dropped
        || matches!(record.collection, Collection::Collected | Collection::Unavailable);
    !is_over
}
