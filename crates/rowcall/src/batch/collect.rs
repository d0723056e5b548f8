//! Collecting a batch that has ended, however it has ended: all its files are read, results are joined to rows by their ids as a set,
//! and rows without a result go back to the queue.
#![expect(
    clippy::disallowed_methods,
    reason = "headers of results refer to the time of day at which they came"
)]

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::lane::Task;
use super::line_id;
use super::room::Others;
use super::watch::{Unreadable, unreadable_for};
use crate::error::Error;
use crate::event::BatchStep;
use crate::fault::{Fault, FaultKind};
use crate::identity::Key;
use crate::journal::batches::{self, BatchChange, BatchRecord, Collection, RemoteStage};
use crate::journal::parked;
use crate::provider::batch::{LineId, RemoteBatch, ResultLine, Results, not_executed};

/// Lines handled together.
const LINES_TOGETHER: usize = 64;

/// How often an ended batch is looked at without finding results before its rows are asked again.
pub(super) const MOST_MISSES: u32 = 3;

/// What came of a batch's results.
#[derive(Debug, Default)]
pub(super) struct Harvest {
    /// Rows that ended.
    pub(super) settled: u64,
    /// Rows that are asked again.
    pub(super) returned: u64,
    /// Rows without a result that may have been billed.
    missing: u64,
    /// The rows that have a result, each with a hash of its line.
    seen: HashMap<Key, [u8; 8]>,
    /// Rows that were settled when the results were read before, but not to their end.
    before: HashSet<Key>,
    doubled: u64,
    different: u64,
    foreign: u64,
    unreadable: u64,
}

/// Whether the results were read to their end.
enum Read {
    All,
    /// They have to be read again later.
    Incomplete(Fault),
    Gone,
}

impl Task {
    /// Collects the results of a batch that has ended.
    pub(super) async fn collect(&mut self, record: &BatchRecord, remote: RemoteBatch) -> Result<(), Error> {
        if remote.results.is_empty() {
            return self.without_results(record, &remote).await;
        }
        let mut harvest = self.watch(record.number).partial.take().unwrap_or_default();
        let mut is_gone = true;
        for results in &remote.results {
            match self.read(record, &remote.id, results, &mut harvest).await? {
                Read::All => is_gone = false,
                Read::Gone => {}
                Read::Incomplete(fault) => {
                    self.warn(format!("the results of batch {} are read again: {fault}", record.number));
                    let watch = self.watch(record.number);
                    watch.misses += 1;
                    // What cannot be read after all is missing.
                    if watch.misses < MOST_MISSES || harvest.unreadable == 0 {
                        harvest.before.extend(harvest.seen.drain().map(|(key, _)| key));
                        harvest.unreadable = 0;
                        watch.partial = Some(harvest);
                        return Ok(());
                    }
                    is_gone = false;
                }
            }
            if self.halt.is_on() {
                return Ok(());
            }
        }
        if is_gone {
            return self.give_up_results(record, "its results are no longer there").await;
        }
        if record.rows > 0 && harvest.seen.is_empty() && harvest.foreign > 0 {
            let why = "it turned out to be another one: none of its results is for a row of this journal";
            self.warn(format!("batch {}: {why}", record.number));
            return self.drop_batch(record, why).await;
        }
        self.close(record, &remote, harvest).await
    }

    /// Returns the rows without a result. The batch is finished once the outcomes of the others are recorded.
    async fn close(
        &mut self,
        record: &BatchRecord,
        remote: &RemoteBatch,
        mut harvest: Harvest,
    ) -> Result<(), Error> {
        self.return_missing(record, &mut harvest, remote.was_cut_short()).await?;
        self.room.end();
        self.report(record, &harvest);
        self.watch(record.number).harvest = Some(harvest);
        self.has_news = true;
        Ok(())
    }

    /// Handles a batch that has ended and names no results.
    async fn without_results(&mut self, record: &BatchRecord, remote: &RemoteBatch) -> Result<(), Error> {
        if let Some(problem) = &remote.problem {
            let why = format!("{}: {}", problem.code, problem.message);
            self.drop_batch(record, &why).await?;
            let others = self.others().await?;
            if !problem.is_queue_full() {
                let message = format!("the provider rejected batch `{}`: {why}", remote.id);
                let fault = Fault { status: Some(400), ..Fault::new(FaultKind::InvalidRequest, message) };
                return Err(Error::Stopped(Box::new(fault)));
            }
            if record.rows == 1 && others == Others::None {
                let message = format!("the provider has no room for a batch of one row: {why}");
                let fault = Fault { status: Some(429), ..Fault::new(FaultKind::Quota, message) };
                return Err(Error::Stopped(Box::new(fault)));
            }
            self.room.refuse(record.rows, others);
            let next = match others {
                Others::Running => "its rows wait until another batch has ended".to_owned(),
                Others::None => format!("the next batch has at most {} rows", self.room.most_rows()),
            };
            self.warn(format!("{why}; {next}"));
            return Ok(());
        }
        let watch = self.watch(record.number);
        watch.misses += 1;
        if watch.misses < MOST_MISSES {
            return Ok(());
        }
        self.close(record, remote, Harvest::default()).await
    }

    /// Whether batches are running.
    async fn others(&self) -> Result<Others, Error> {
        let all = self.work(batches::all).await?;
        let is_running = all.iter().any(|record| record.remote == RemoteStage::Running);
        Ok(if is_running { Others::Running } else { Others::None })
    }

    /// Returns the rows of a batch whose results cannot be had any more.
    pub(super) async fn give_up_results(&mut self, record: &BatchRecord, why: &str) -> Result<(), Error> {
        self.warn(format!(
            "batch {}: {why}, so its rows are asked again; they may have been billed",
            record.number
        ));
        let mut harvest = Harvest::default();
        self.return_missing(record, &mut harvest, false).await?;
        let number = record.number;
        let change = BatchChange {
            collection: Some(Collection::Unavailable),
            problem: Some(why.to_owned()),
            ..BatchChange::default()
        };
        self.work(move |connection| batches::change(connection, number, change)).await?;
        self.news(record, step(&harvest));
        self.watched.remove(&number);
        self.has_news = true;
        Ok(())
    }

    /// Notes that a batch is collected once all its outcomes are recorded.
    pub(super) async fn finish(&mut self, record: &BatchRecord) -> Result<(), Error> {
        if record.open > 0 {
            return Ok(());
        }
        self.delete_upload(record).await;
        let number = record.number;
        let change = BatchChange { collection: Some(Collection::Collected), ..BatchChange::default() };
        self.work(move |connection| batches::change(connection, number, change)).await?;
        if let Some(harvest) = self.watched.remove(&number).and_then(|watch| watch.harvest) {
            self.news(record, step(&harvest));
        }
        self.has_news = true;
        Ok(())
    }

    /// Whether the first result of a batch is for one of its rows.
    pub(super) async fn first_key(&mut self, record: &BatchRecord, remote: &RemoteBatch) -> Option<bool> {
        let api = self.api();
        let call = api.results(&remote.id, remote.results.first()?)?;
        let mut download = self.transport().download(&call).await.ok()?.ok()?;
        let line = download.line().await.ok()??;
        match api.result(&line, SystemTime::now())?.id {
            LineId::Custom(id) => Some(line_id::key(&record.tag, &id).is_some()),
            LineId::Position(_) => None,
        }
    }

    /// Reads results to their end.
    async fn read(
        &mut self,
        record: &BatchRecord,
        id: &str,
        results: &Results,
        harvest: &mut Harvest,
    ) -> Result<Read, Error> {
        let (api, plan) = (self.api(), Arc::clone(&self.plan));
        let Some(call) = api.results(id, results) else {
            let Results::Inline(inline) = results else { return Ok(Read::All) };
            let mut lines = api.inline(inline, SystemTime::now());
            while !lines.is_empty() {
                let rest = lines.split_off(lines.len().min(LINES_TOGETHER));
                let hashed = lines.into_iter().map(|line| (hash_of(&line), line)).collect();
                self.settle(record, hashed, harvest).await?;
                lines = rest;
            }
            return Ok(Read::All);
        };
        let mut download = match plan.account.transport.download(&call).await {
            Ok(Ok(download)) => download,
            Ok(Err(response)) => {
                let fault = api.fault(&response);
                return match unreadable_for(fault.kind) {
                    Unreadable::Gone => Ok(Read::Gone),
                    Unreadable::Forbidden => Err(Error::Stopped(Box::new(fault))),
                    Unreadable::ForNow => Ok(Read::Incomplete(fault)),
                };
            }
            Err(fault) => return Ok(Read::Incomplete(fault)),
        };
        let mut lines = Vec::with_capacity(LINES_TOGETHER);
        loop {
            if self.halt.is_on() {
                return Ok(Read::All);
            }
            let line = match download.line().await {
                Ok(line) => line,
                Err(fault) => {
                    self.settle(record, lines, harvest).await?;
                    return Ok(Read::Incomplete(fault));
                }
            };
            let is_over = line.is_none();
            if let Some(line) = line {
                match api.result(&line, SystemTime::now()) {
                    Some(result) => lines.push((hash(&line), result)),
                    None => harvest.unreadable += 1,
                }
            }
            if is_over || lines.len() == LINES_TOGETHER {
                self.settle(record, std::mem::take(&mut lines), harvest).await?;
            }
            if is_over {
                let message = "a line of the results cannot be read, as if it had been cut";
                let is_whole = harvest.unreadable == 0;
                return Ok(if is_whole {
                    Read::All
                } else {
                    Read::Incomplete(Fault::new(FaultKind::Server, message))
                });
            }
        }
    }

    /// Settles the rows of these lines.
    async fn settle(
        &mut self,
        record: &BatchRecord,
        lines: Vec<([u8; 8], ResultLine)>,
        harvest: &mut Harvest,
    ) -> Result<(), Error> {
        let number = record.number;
        let positions: Vec<usize> = lines
            .iter()
            .filter_map(|(_, line)| match line.id {
                LineId::Position(position) => Some(position),
                LineId::Custom(_) => None,
            })
            .collect();
        let mut at_positions =
            self.work(move |connection| parked::at_lines(connection, number, &positions)).await?.into_iter();
        let mut fresh = Vec::with_capacity(lines.len());
        for (hash, line) in lines {
            let key = match &line.id {
                LineId::Custom(id) => line_id::key(&record.tag, id),
                LineId::Position(_) => at_positions.next().flatten(),
            };
            let Some(key) = key else {
                harvest.foreign += 1;
                continue;
            };
            match harvest.seen.insert(key, hash) {
                None if harvest.before.contains(&key) => {}
                None => fresh.push((key, line)),
                Some(before) => {
                    // The first line is the one that counts.
                    harvest.seen.insert(key, before);
                    harvest.doubled += 1;
                    harvest.different += u64::from(before != hash);
                }
            }
        }
        let keys: Vec<Key> = fresh.iter().map(|(key, _)| *key).collect();
        let rows = self.work(move |connection| parked::of_keys(connection, number, &keys)).await?;
        let mut returned = Vec::new();
        for ((_, line), parked) in fresh.into_iter().zip(rows) {
            // A row that is no longer in the batch was settled by an earlier run.
            let Some(parked) = parked else { continue };
            self.settle_row(record, parked, line, harvest, &mut returned).await;
        }
        self.keep_values().await;
        self.give_back(returned).await
    }

    /// Returns the rows of a batch that have no result.
    async fn return_missing(
        &mut self,
        record: &BatchRecord,
        harvest: &mut Harvest,
        was_cut: bool,
    ) -> Result<(), Error> {
        let (number, mut after) = (record.number, i64::MIN);
        let target = self.plan.approach.target();
        loop {
            let page = self.work(move |connection| parked::of_batch(connection, number, after, 256)).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after = last.seq;
            let mut returned = Vec::new();
            for parked in page {
                let key = &parked.key.key;
                if harvest.seen.contains_key(key) || harvest.before.contains(key) {
                    continue;
                }
                let fault = lost(was_cut);
                harvest.missing += u64::from(fault.may_be_billed());
                if let Some(prepared) = self.restore(&parked).await {
                    let result = Err(fault);
                    self.judge(record, parked, prepared, &target, result, harvest, &mut returned).await;
                }
            }
            self.give_back(returned).await?;
        }
    }

    /// Reports what was odd about the results.
    fn report(&self, record: &BatchRecord, harvest: &Harvest) {
        let number = record.number;
        if harvest.doubled > 0 {
            let differing = match harvest.different {
                0 => String::new(),
                different => format!(", {different} of them with another answer"),
            };
            self.warn(format!(
                "batch {number}: {} results came twice{differing}; the first of each counts",
                harvest.doubled
            ));
        }
        if harvest.foreign > 0 {
            self.warn(format!("batch {number}: {} results are for rows that are not in it", harvest.foreign));
        }
    }
}

fn step(harvest: &Harvest) -> BatchStep {
    let Harvest { settled, returned, missing, .. } = *harvest;
    BatchStep::Collected { settled, returned, missing }
}

/// The fault of a row without a result. In a batch that was cut short, it was not executed; otherwise it may have been, and billed.
fn lost(was_cut: bool) -> Fault {
    if was_cut {
        return not_executed("the batch ended before this request was executed");
    }
    Fault::new(FaultKind::Server, "the batch has no result for this request")
}

fn hash(line: &[u8]) -> [u8; 8] {
    let mut short = [0; 8];
    short.iter_mut().zip(Sha256::digest(line)).for_each(|(byte, of_digest)| *byte = of_digest);
    short
}

fn hash_of(line: &ResultLine) -> [u8; 8] {
    match &line.result {
        Ok(response) => hash(&response.body),
        Err(fault) => hash(fault.message.as_bytes()),
    }
}
