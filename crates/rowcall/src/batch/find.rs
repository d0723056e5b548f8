//! Looking for a batch whose create was left unanswered: by our label, by the file that it was made from, or, where an API keeps
//! neither, by the number of its requests and its time. Only if it is not there after a while, its rows are sent again.

use std::collections::HashSet;

use tokio::time::Instant;

use super::lane::Task;
use crate::error::Error;
use crate::event::BatchStep;
use crate::journal::batches::{self, BatchChange, BatchRecord, RemoteStage};
use crate::journal::now_ms;
use crate::provider::batch::{Phase, RemoteBatch};
use crate::transport::Delivery;

/// How far a provider's clock may be from ours, in seconds.
const CLOCK_SECONDS: i64 = 600;

/// Looks without finding it before a create counts as lost.
const LOOKS: u32 = 2;

impl Task {
    /// Looks for a batch that may have been created.
    pub(super) async fn find(&mut self, record: &BatchRecord) -> Result<(), Error> {
        let found = match self.matching(record).await {
            Ok(found) => found,
            Err(Error::Stopped(fault)) => {
                self.warn(format!("batch {} cannot be looked for yet: {fault}", record.number));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let number = record.number;
        if let Some((first, others)) = found.split_first() {
            for other in others {
                self.warn(format!(
                    "batch `{}` has the same requests as batch {number}, `{}`, and is not collected: cancel it at the provider",
                    other.id, first.id
                ));
            }
            return self.attach(record, first).await;
        }
        let watch = self.watch(number);
        watch.misses += 1;
        let since = *watch.first_miss.get_or_insert_with(Instant::now);
        let is_lost = watch.misses >= LOOKS && since.elapsed() >= self.grace();
        if is_lost {
            let why = "its create was not answered, and the provider does not have it";
            self.drop_batch(record, why).await?;
        }
        Ok(())
    }

    /// Takes a batch of the provider as ours.
    pub(super) async fn attach(&mut self, record: &BatchRecord, remote: &RemoteBatch) -> Result<(), Error> {
        let number = record.number;
        let kept = self.batching.terms.kept.and_then(|kept| i64::try_from(kept.as_millis()).ok());
        let change = BatchChange {
            remote: Some(RemoteStage::Running),
            remote_id: Some(remote.id.clone()),
            remote_state: Some(remote.state.clone()),
            results_until_ms: kept.map(|kept| now_ms() + kept),
            ..BatchChange::default()
        };
        self.work(move |connection| batches::change(connection, number, change)).await?;
        self.remove_spool(&record.tag);
        self.watch(number).misses = 0;
        let record = BatchRecord { remote_id: Some(remote.id.clone()), ..record.clone() };
        // One of an earlier run was counted at the start.
        if !std::mem::replace(&mut self.watch(number).is_counted, true) {
            self.news(&record, BatchStep::Sent);
        }
        self.has_news = true;
        Ok(())
    }

    /// The provider's batches that may be this one, the newest first.
    async fn matching(&mut self, record: &BatchRecord) -> Result<Vec<RemoteBatch>, Error> {
        let api = self.api();
        let known: HashSet<String> =
            self.work(batches::all).await?.into_iter().filter_map(|record| record.remote_id).collect();
        let sent = record.sent_ms.unwrap_or_default() / 1000;
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let call = api.list(cursor.as_deref());
            let response = self.transport().call(&call, Delivery::Repeatable).await;
            let page = response.and_then(|response| api.listed(&response, cursor.as_deref()));
            let (page, next) = page.map_err(|fault| Error::Stopped(Box::new(fault)))?;
            let is_older =
                page.last().and_then(|batch| batch.created).is_some_and(|at| at < sent - CLOCK_SECONDS);
            for batch in page {
                if known.contains(&batch.id) {
                    continue;
                }
                let by_label = batch.label.as_deref() == Some(&*record.tag);
                let by_file = batch.file.is_some() && batch.file == record.input_file;
                let is_ours = by_label || by_file || self.may_be(record, &batch, sent).await?;
                if is_ours {
                    found.push(batch);
                }
            }
            match next {
                Some(next) if !is_older && cursor.as_ref() != Some(&next) => cursor = Some(next),
                Some(_) | None => return Ok(found),
            }
        }
    }

    /// Whether a batch without a label is this one, by count and time. Once it has ended, the first of its results decides.
    async fn may_be(&mut self, record: &BatchRecord, batch: &RemoteBatch, sent: i64) -> Result<bool, Error> {
        if self.api().keeps_label() || batch.rows != Some(record.rows) {
            return Ok(false);
        }
        if batch.created.is_some_and(|at| (at - sent).abs() > CLOCK_SECONDS) {
            return Ok(false);
        }
        if batch.phase != Phase::Ended {
            return Ok(true);
        }
        Ok(self.first_key(record, batch).await.unwrap_or(false))
    }
}
