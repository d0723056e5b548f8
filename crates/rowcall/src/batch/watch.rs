//! Watching a batch at the provider: when it is looked at, what its state says, and when it is cancelled.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::collect::{Harvest, MOST_MISSES};
use super::lane::Task;
use crate::error::{Error, Problem};
use crate::event::BatchStep;
use crate::fault::{Fault, FaultKind};
use crate::journal::batches::{self, BatchChange, BatchRecord, Collection, RemoteStage};
use crate::journal::now_ms;
use crate::provider::Target;
use crate::provider::batch::{Phase, RemoteBatch};
use crate::transport::Delivery;

/// The time between looks at a batch, at first and at last, each longer by half than the one before. Most batches take minutes to hours.
const FIRST_LOOK: Duration = Duration::from_secs(1);
pub(super) const LAST_LOOK: Duration = Duration::from_mins(1);

/// How long a batch of an earlier run waits for the run to read its rows again. A row that is collected in the meantime would be asked
/// again if it was looked up before its outcome was recorded. Only an input without an end takes longer.
const READ_FIRST: Duration = Duration::from_mins(10);

/// How soon such a batch is thought of again.
const UNREAD: Duration = Duration::from_millis(50);

/// What is known of a batch beyond the journal.
#[derive(Debug)]
pub(super) struct Watch {
    /// When it is looked at next.
    pub(super) next: Instant,
    interval: Duration,
    /// How often it was looked for without being found, or had ended without results.
    pub(super) misses: u32,
    pub(super) first_miss: Option<Instant>,
    /// What its requests were made with, if this process made them.
    pub(super) target: Option<Arc<Target>>,
    seen: Option<(String, Option<u64>)>,
    is_cancelled: bool,
    /// What came of its results, once they have been read.
    pub(super) harvest: Option<Harvest>,
    /// What came of them so far, if they have to be read again.
    pub(super) partial: Option<Harvest>,
    has_warned: bool,
    /// Whether it has been reported as sent or resumed.
    pub(super) is_counted: bool,
}

/// Why a batch or its results cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// It is not there, or not for this key.
    Gone,
    /// The key may read nothing.
    Forbidden,
    /// It may be there at the next look.
    ForNow,
}

/// What a fault of a request for a batch or its results means.
pub(super) fn unreadable_for(kind: FaultKind) -> Unreadable {
    match kind {
        FaultKind::NotFound => Unreadable::Gone,
        FaultKind::Auth | FaultKind::Permission => Unreadable::Forbidden,
        FaultKind::RateLimit
        | FaultKind::Overloaded
        | FaultKind::Timeout
        | FaultKind::Server
        | FaultKind::Unreachable
        | FaultKind::Connection
        | FaultKind::Conflict
        | FaultKind::Quota
        | FaultKind::InvalidSchema
        | FaultKind::UnsupportedParameter
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::TooLarge
        | FaultKind::RequestExceedsLimit
        | FaultKind::Unprocessable
        | FaultKind::InvalidRequest => Unreadable::ForNow,
    }
}

impl Task {
    /// Attends to a batch that is not finished here.
    pub(super) async fn attend(&mut self, record: BatchRecord) -> Result<(), Error> {
        let number = record.number;
        let must_cancel = self.online && record.remote == RemoteStage::Running;
        let watch = self.watch(number);
        if watch.harvest.is_some() {
            return self.finish(&record).await;
        }
        let cancels = must_cancel && !watch.is_cancelled;
        // This process has not sent it.
        let is_of_before = watch.target.is_none();
        let is_read = self.source_ended || self.online || self.began.elapsed() >= READ_FIRST;
        let watch = self.watch(number);
        if is_of_before && !is_read {
            watch.next = Instant::now() + UNREAD;
            return Ok(());
        }
        if watch.next > Instant::now() && !cancels {
            return Ok(());
        }
        self.delay(number);
        match (record.remote, &record.remote_id) {
            (RemoteStage::Unknown, _) => self.find(&record).await,
            (RemoteStage::Running | RemoteStage::Ended, Some(id)) => {
                let id = id.clone();
                if cancels {
                    self.cancel(number, &id).await;
                }
                self.look(record, &id).await
            }
            (RemoteStage::Running | RemoteStage::Ended, None)
            | (RemoteStage::Unsent | RemoteStage::Dropped, _) => Ok(()),
        }
    }

    async fn cancel(&mut self, number: i64, id: &str) {
        let asked = self.transport().call(&self.api().cancel(id), Delivery::Repeatable).await;
        if asked.is_ok() {
            // It may have ended in the meantime, which the next look shows.
            self.watch(number).is_cancelled = true;
        }
    }

    async fn look(&mut self, record: BatchRecord, id: &str) -> Result<(), Error> {
        let response = self.transport().call(&self.api().look(id), Delivery::Repeatable).await;
        let described = response.and_then(|response| self.api().described(&response));
        match described {
            Ok(remote) => self.take_state(record, remote).await,
            Err(fault) => self.cannot_look(&record, fault).await,
        }
    }

    /// Handles the provider's description of a batch.
    async fn take_state(&mut self, record: BatchRecord, remote: RemoteBatch) -> Result<(), Error> {
        let number = record.number;
        let done = remote.done_of(record.rows);
        let seen = (remote.state.clone(), done);
        if self.watch(number).seen.as_ref() != Some(&seen) {
            self.watch(number).seen = Some(seen);
            let state = remote.state.clone();
            let step = match remote.phase {
                Phase::Running | Phase::Unknown => BatchStep::Runs { state, done },
                Phase::Ended => BatchStep::Ended { state },
            };
            self.news(&record, step);
            let change =
                BatchChange { remote_state: Some(remote.state.clone()), done, ..BatchChange::default() };
            self.work(move |connection| batches::change(connection, number, change)).await?;
        }
        match remote.phase {
            Phase::Running => Ok(()),
            Phase::Unknown => {
                let watch = self.watch(number);
                if !watch.has_warned {
                    watch.has_warned = true;
                    let state = &remote.state;
                    self.warn(format!("batch {number} is in a state that rowcall does not know, `{state}`"));
                }
                Ok(())
            }
            Phase::Ended => {
                if record.remote != RemoteStage::Ended {
                    let change = BatchChange {
                        remote: Some(RemoteStage::Ended),
                        collection: Some(Collection::Pending),
                        ended_ms: Some(now_ms()),
                        ..BatchChange::default()
                    };
                    self.work(move |connection| batches::change(connection, number, change)).await?;
                }
                self.collect(&record, remote).await
            }
        }
    }

    async fn cannot_look(&mut self, record: &BatchRecord, fault: Fault) -> Result<(), Error> {
        let fingerprint = self.transport().fingerprint();
        let id = record.remote_id.as_deref().unwrap_or_default();
        match unreadable_for(fault.kind) {
            Unreadable::Gone if record.fingerprint != fingerprint => {
                let message = format!(
                    "batch `{id}` is not visible to the API key with the fingerprint `{fingerprint}`, expected the one that sent it, `{}`",
                    record.fingerprint
                );
                let problem = Problem::new(message);
                Err(Error::Config(
                    problem.hint("run the same command with the key that the batch was sent with"),
                ))
            }
            Unreadable::Gone => {
                let watch = self.watch(record.number);
                watch.misses += 1;
                if watch.misses < MOST_MISSES {
                    return Ok(());
                }
                self.give_up_results(record, "the provider no longer has it").await
            }
            Unreadable::Forbidden => Err(Error::Stopped(Box::new(fault))),
            Unreadable::ForNow => {
                let watch = self.watch(record.number);
                if !watch.has_warned {
                    watch.has_warned = true;
                    self.warn(format!("batch {} cannot be looked at for now: {fault}", record.number));
                }
                Ok(())
            }
        }
    }

    /// The watch over a batch.
    pub(super) fn watch(&mut self, number: i64) -> &mut Watch {
        let first = self.batching.options.poll.unwrap_or(FIRST_LOOK);
        self.watched.entry(number).or_insert_with(|| Watch {
            next: Instant::now(),
            interval: first,
            misses: 0,
            first_miss: None,
            target: None,
            seen: None,
            is_cancelled: false,
            harvest: None,
            partial: None,
            has_warned: false,
            is_counted: false,
        })
    }

    /// Puts the next look at a batch off.
    fn delay(&mut self, number: i64) {
        let fixed = self.batching.options.poll;
        let is_hurried = self.online;
        let watch = self.watch(number);
        watch.next = Instant::now() + watch.interval;
        watch.interval = match fixed {
            Some(interval) => interval,
            None if is_hurried => FIRST_LOOK,
            None => (watch.interval * 3 / 2).min(LAST_LOOK),
        };
    }

    /// How long a batch may be missing from the provider's list before its create counts as lost: ten times the longest time between
    /// looks.
    pub(super) fn grace(&self) -> Duration {
        self.batching.options.poll.unwrap_or(LAST_LOOK) * 10
    }
}
