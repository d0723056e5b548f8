//! The typed API: values of one type from one row or many, with methods named as users of `asyncio` know them. A thin
//! layer: inside, everything is JSON.

mod builder;
mod caching;
mod estimator;
mod parked;
mod sample;

use std::fmt;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::builder::ExtractorBuilder;
pub use self::caching::CacheCensus;
pub use self::estimator::{Estimator, RunEstimator};
use self::parked::ParkedRows;
use crate::admission::Purse;
use crate::check::{Check, Closure, Scope};
use crate::config::{BatchOptions, Batching, KnownAs, Plan, SERVICE_TIER};
use crate::control::RunControl;
use crate::error::{Error, Problem, Result};
use crate::event::Event;
use crate::extract::key;
use crate::halt::Halt;
use crate::hint::Hint;
use crate::identity::{Identity, KnownFailures};
use crate::journal::{Census, Contents, Journal, JournalHold, JournalOptions, Placing, Records};
use crate::money::Cost;
use crate::number;
use crate::order::OrderBy;
use crate::outcome::{Failure, FailureKind, Outcome};
use crate::outcomes::Outcomes;
use crate::provider::Form;
use crate::request::Request;
use crate::row::Row;
use crate::run::{Run, drive};
use crate::source::{IntoSource, Sink, Source};
use crate::stats::Stats;
use crate::violation::Violation;

/// Large enough that counting costs little more than reading.
const ROWS_COUNTED_AT_A_TIME: usize = 512;

/// Turns rows into values of `T`. Cloning it is cheap; clones share the client's limits and the statistics.
pub struct Extractor<T> {
    plan: Arc<Plan>,
    value: PhantomData<fn() -> T>,
}

impl<T> Extractor<T> {
    /// The same extractor with at most `attempts` in flight; 0 counts as 1.
    pub fn concurrency(&self, attempts: usize) -> Self {
        Self::with_plan(Plan::clone(&self.plan).with_concurrency(attempts))
    }

    /// The same extractor with one more observer. It is called on the engine's threads, so it must be quick and must not
    /// block.
    pub fn on_event(&self, observer: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        let mut plan = Plan::clone(&self.plan);
        plan.observers.add(Arc::new(observer));
        Self::with_plan(plan)
    }

    /// The same extractor with a rule of yours that replaces any earlier one, for what no schema can express: the model is asked
    /// again for values in which it finds violations. It sees every row, including one that shares a value with an equal row or has
    /// one in the journal.
    pub fn check(&self, rule: impl Fn(&Row, &T) -> Vec<Violation> + Send + Sync + 'static) -> Self
    where
        T: DeserializeOwned + 'static,
    {
        self.check_with(Arc::new(Closure::<T, _>::new(rule, Scope::RowAndValue)))
    }

    /// As [`check`](Self::check), with a rule that takes values in batches or asynchronously.
    pub fn check_with(&self, check: Arc<dyn Check>) -> Self {
        let mut plan = Plan::clone(&self.plan);
        plan.check = Some(check);
        Self::with_plan(plan)
    }

    /// The same extractor with a journal: outcomes are on disk before they are released, and rows that the journal knows are
    /// not asked about again, in this process or a later one. An existing journal is resumed.
    ///
    /// # Errors
    /// As [`journal_with`](Self::journal_with).
    pub fn journal(&self, path: impl Into<PathBuf>) -> Result<Self> {
        self.journal_with(&JournalOptions::at(path))
    }

    /// As [`journal`](Self::journal), with all its options.
    ///
    /// A dropped run keeps its journal locked until the runtime has ended its tasks; until then, opening it again fails as if another
    /// process had it open. [`journal_hold`](Self::journal_hold) shows when the lock is released.
    ///
    /// # Errors
    /// [`Error::Config`] for a journal of a different plan, one that another process writes to, a file that is not a journal
    /// or has a newer format, and if it cannot be written to.
    pub fn journal_with(&self, options: &JournalOptions) -> Result<Self> {
        let mut plan = Plan::clone(&self.plan);
        let journal = Journal::open(options, &plan.identity, self.price_basis()).map_err(Error::Config)?;
        plan.purse = Some(self.open_purse(&journal, &options.path)?);
        plan.keys = journal.keys().clone();
        plan.journal = Some(Arc::new(journal));
        Ok(Self::with_plan(plan))
    }

    /// The same extractor with the journal of a plan that asks `identity`, for [`rerun`](Self::rerun): rows are asked as this
    /// extractor asks, but their outcomes are recorded under the keys of that plan, which continues with them.
    ///
    /// # Errors
    /// As [`journal_with`](Self::journal_with).
    pub fn journal_of(&self, identity: &Identity, options: &JournalOptions) -> Result<Self> {
        let mut plan = Plan::clone(&self.plan);
        let journal = Journal::open(options, identity, self.price_basis()).map_err(Error::Config)?;
        plan.purse = Some(self.open_purse(&journal, &options.path)?);
        let known_as = KnownAs::new(identity, journal.keys().clone(), &plan).map_err(Error::Config)?;
        plan.known_as = Some(Arc::new(known_as));
        plan.journal = Some(Arc::new(journal));
        Ok(Self::with_plan(plan))
    }

    /// Counts the most that earlier runs may have spent against the budget, and records what was spent before the journal was
    /// open.
    fn open_purse(&self, journal: &Journal, path: &Path) -> Result<Purse> {
        let admission = &self.plan.account.admission;
        let purse = self.plan.account.spent_before(journal.spent(), path).map_err(Error::Config)?;
        if let Some(effort) = self.plan.probing.take_unrecorded() {
            let Cost { known, most, .. } = effort.cost;
            admission.record(purse, known + most);
            journal.probed(effort);
        }
        Ok(purse)
    }

    /// The same extractor, whose runs over many rows send them in batches, at the provider's price for batches. It must have a journal that
    /// keeps records, in which rows wait for their results. Without [`Stay::Detach`](crate::Stay::Detach) a run waits as well. If it
    /// is cut off, a later run with the same journal collects what was sent.
    ///
    /// # Errors
    /// [`Error::Config`] if the provider has no batches that rowcall can use, or if there is no such journal.
    pub fn in_batches(&self, options: BatchOptions) -> Result<Self> {
        let mut plan = Plan::clone(&self.plan);
        let batching = Batching::new(&plan.account, options).map_err(Error::Config)?;
        if plan.journal.as_ref().is_none_or(|journal| journal.records != Records::Kept) {
            let problem = Problem::new(
                "batches need a journal that keeps records, as rows wait there for their results",
            );
            return Err(Error::Config(problem.hint("keep a journal, with records")));
        }
        // A batch is a tier of its own, so that the one that a budget asks for is out of place there.
        if !plan.identity.parameters.contains_key(SERVICE_TIER) {
            plan.approach.leave_out(SERVICE_TIER);
        }
        plan.batch = Some(Arc::new(batching));
        Ok(Self::with_plan(plan))
    }

    /// Whether the provider's batches are known to cost less than online requests.
    pub fn has_cheaper_batches(&self) -> bool {
        let account = &self.plan.account;
        let Ok(batching) = Batching::new(account, BatchOptions::default()) else { return false };
        batching.is_cheaper(&account.pricing)
    }

    /// The same extractor, whose statistics leave out what earlier runs with its journal have spent, since they already include
    /// it.
    pub fn without_totals_of_before(self) -> Self {
        if let Some(journal) = &self.plan.journal {
            let _ = journal.take_resumed();
        }
        self
    }

    /// A handle that shows whether the extractor's journal is closed: that is so once the extractor, its clones and its runs are dropped
    /// and the runtime has ended their tasks. `None` without a journal.
    pub fn journal_hold(&self) -> Option<JournalHold> {
        self.plan.journal.as_ref().map(|journal| journal.hold())
    }

    /// The same extractor with this treatment of rows whose failure is in its journal.
    pub fn known_failures(&self, failures: KnownFailures) -> Self {
        let mut plan = Plan::clone(&self.plan);
        plan.known_failures = failures;
        Self::with_plan(plan)
    }

    /// What it asks, as a journal records it.
    pub fn identity(&self) -> &Identity {
        &self.plan.identity
    }

    /// How many rows of `source` it would ask about if it had the journal at `path`, and how many there are.
    ///
    /// # Errors
    /// If the source or the journal cannot be read.
    pub async fn count_unknown<S: Source>(&self, mut source: S, path: &Path) -> Result<(u64, u64)> {
        let census = Census::open(path, &self.plan.identity).map_err(Error::Config)?;
        let mut plan = Plan::clone(&self.plan);
        plan.keys = census.keys().clone();
        let (mut unknown, mut all) = (0, 0);
        loop {
            let rows = source.next(ROWS_COUNTED_AT_A_TIME).await?;
            if rows.is_empty() {
                return Ok((unknown, all));
            }
            all += rows.len() as u64;
            for key in rows.iter().filter_map(|row| key(&plan, row)) {
                let would_ask = census.would_ask(key, plan.equal_rows).map_err(Error::Journal)?;
                unknown += u64::from(would_ask);
            }
        }
    }

    fn with_plan(plan: Plan) -> Self {
        Self { plan: Arc::new(plan), value: PhantomData }
    }

    /// A handle that steers the runs of this extractor and its clones while they are under way: pause, limits, stop. Extractors with a
    /// [`concurrency`](Self::concurrency) of their own are steered by themselves; `control` of the extractor that runs reports to all
    /// its observers.
    pub fn control(&self) -> RunControl {
        RunControl::new(&self.plan)
    }

    /// The same extractor, whose runs are steered by themselves, with the same limit on attempts in flight.
    pub fn steered_apart(&self) -> Self {
        Self::with_plan(Plan::clone(&self.plan).steered_apart())
    }

    /// The statistics of all calls of this extractor and its clones so far.
    pub fn stats(&self) -> Stats {
        self.plan.stats.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How the schema is currently sent: the mode, and the wire schema with what it could not express. A run may change
    /// it after the server has rejected it.
    pub fn form(&self) -> Form {
        self.plan.approach.target().form.clone()
    }

    /// What could not be done by the provider's best means, and why: one sentence fragment each.
    pub fn notes(&self) -> &[Hint] {
        &self.plan.notes
    }

    /// The price table that costs are computed from, identified by its date and hash; `None` if nothing is billed or no price
    /// is known.
    pub fn price_basis(&self) -> Option<&str> {
        self.plan.account.pricing.basis()
    }

    /// The fields that every row must have: those that the template uses, and images.
    pub fn variables(&self) -> Vec<String> {
        self.plan.template.variables().into_iter().collect()
    }

    /// The fields that the template takes from the whole row by name, as in `row.text`: every row must have them, unless it has a field
    /// `row`.
    pub fn variables_of_row(&self) -> Vec<String> {
        self.plan.template.variables_of_row().into_iter().collect()
    }

    /// The fields that the template may use, required or not, and images; `None` if it uses the row as a whole.
    pub fn fields_used(&self) -> Option<Vec<String>> {
        self.plan.template.mentioned()
    }

    /// The first request for a row exactly as it would be sent, with its URL; headers that may hold a secret print as
    /// `Sensitive`. The row's files are read on the calling thread.
    ///
    /// # Errors
    /// [`Error::Row`] if no prompt can be rendered for the row, or a file cannot be read.
    pub fn preview(&self, row: &Row) -> Result<Preview> {
        let request = crate::extract::first_request(&self.plan, row)
            .map_err(|failure| Error::Row { index: row.index, failure })?;
        let transport = &self.plan.account.transport;
        Ok(Preview { url: transport.shown_url(&request), headers: transport.headers_of(&request), request })
    }

    /// Runs all rows of `source` and writes their outcomes to `sink` in this order. `halt` ends the run early: it sends
    /// no new requests, and awaits and writes those in flight.
    ///
    /// # Errors
    /// Whatever stopped the run. Failed rows are outcomes, not errors.
    pub async fn run<S: Source>(
        &self,
        source: S,
        sink: &mut impl Sink,
        order: OrderBy,
        halt: Halt,
    ) -> Result<()> {
        drive(Run::new(Arc::clone(&self.plan), source, order).halted_by(halt), sink).await
    }

    /// As [`run`](Self::run), one row after another: a row is taken only when the previous one is done.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_one_by_one<S: Source>(&self, source: S, sink: &mut impl Sink) -> Result<()> {
        drive(Run::one_by_one(Arc::clone(&self.plan), source), sink).await
    }

    /// Collects the batches of the journal without the input: rows that wait in it are taken from there, and their outcomes are
    /// recorded and go to `sink` as they are completed. Rows that come back from a batch are asked as
    /// [`in_batches`](Self::in_batches) says.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn collect_batches(&self, sink: &mut impl Sink, halt: Halt) -> Result<()> {
        let Some(journal) = &self.plan.journal else {
            return Err(Error::Config(Problem::new("without a journal there are no batches to collect")));
        };
        let source = ParkedRows::new(Contents::open(&journal.path)?);
        drive(Run::apart(Arc::clone(&self.plan), source, Placing::Rest).halted_by(halt), sink).await
    }

    /// Asks again about rows of the journal, from [`Contents::into_failed_rows`](crate::journal::Contents::into_failed_rows): the
    /// new outcomes replace those in the journal, and go to `sink` as they are completed.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn rerun<S: Source>(&self, source: S, sink: &mut impl Sink, halt: Halt) -> Result<()> {
        drive(Run::apart(Arc::clone(&self.plan), source, Placing::Again).halted_by(halt), sink).await
    }
}

/// A request that was not sent.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The URL, without the query of the base URL.
    pub url: String,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub request: Request,
}

impl<T: DeserializeOwned> Extractor<T> {
    /// The value for one row.
    ///
    /// # Errors
    /// [`Error::Row`] with the failure if there is no value, [`Error::Stopped`] for a fault that any row would meet.
    pub async fn extract(&self, row: impl Serialize + Send) -> Result<T> {
        let mut run = Run::apart(Arc::clone(&self.plan), std::iter::once(row).into_source(), Placing::None);
        match run.next().await?.pop_front() {
            Some((_, outcome)) => value_or_error(typed(outcome)),
            None => Err(Error::Halted),
        }
    }

    /// The values, one row after another: a row is taken only when the previous one is done.
    ///
    /// # Errors
    /// As [`gather`](Self::gather).
    pub async fn sequential(&self, rows: impl IntoSource) -> Result<Vec<T>> {
        let mut run = Run::one_by_one(Arc::clone(&self.plan), rows.into_source());
        let mut values = Vec::new();
        loop {
            let done = run.next().await?;
            if done.is_empty() {
                return Ok(values);
            }
            for (_, outcome) in done {
                values.push(value_or_error(typed(outcome))?);
            }
        }
    }

    /// The values, requested concurrently, in input order. The first failure to occur ends the call and cancels what is
    /// in flight, as Python's `TaskGroup` does; `asyncio.gather` would let the siblings continue.
    ///
    /// # Errors
    /// [`Error::Row`] with the first failure, or whatever stopped the run.
    pub async fn gather(&self, rows: impl IntoSource) -> Result<Vec<T>> {
        self.collect(rows, value_or_error).await
    }

    /// The outcomes, requested concurrently, in input order: failures are data, as with Python's `return_exceptions=True`.
    ///
    /// # Errors
    /// Only what stops a run: a source that cannot be read, or a fault that every row would meet.
    pub async fn gather_outcomes(&self, rows: impl IntoSource) -> Result<Vec<Outcome<T>>> {
        // All are held until the last one is done, and completions would take most of the memory.
        self.collect(rows, |outcome| Ok(Outcome { completion: None, ..outcome })).await
    }

    async fn collect<U>(
        &self,
        rows: impl IntoSource,
        each: impl Fn(Outcome<T>) -> Result<U>,
    ) -> Result<Vec<U>> {
        let mut run = Run::new(Arc::clone(&self.plan), rows.into_source(), OrderBy::Completed);
        let mut indexed: Vec<(u64, U)> = Vec::new();
        loop {
            let done = run.next().await?;
            if done.is_empty() {
                indexed.sort_by_key(|(index, _)| *index);
                return Ok(indexed.into_iter().map(|(_, outcome)| outcome).collect());
            }
            for (row, outcome) in done {
                indexed.push((row.index, each(typed(outcome))?));
            }
        }
    }

    /// A stream of outcomes as they are completed, each with its row's index in the input. Rows are taken only as there is
    /// room, so memory stays bounded however many there are.
    pub fn as_completed<'a, R>(&self, rows: R) -> Outcomes<'a, T>
    where
        R: IntoSource,
        R::Source: 'a,
        T: 'a,
    {
        self.stream(rows, OrderBy::Completed)
    }

    /// A stream of outcomes in input order, of any size: outcomes that are ready too early are held back, within a bound.
    pub fn ordered<'a, R>(&self, rows: R) -> Outcomes<'a, T>
    where
        R: IntoSource,
        R::Source: 'a,
        T: 'a,
    {
        self.stream(rows, OrderBy::Input)
    }

    fn stream<'a, R>(&self, rows: R, order: OrderBy) -> Outcomes<'a, T>
    where
        R: IntoSource,
        R::Source: 'a,
        T: 'a,
    {
        Outcomes::new(Run::new(Arc::clone(&self.plan), rows.into_source(), order), typed)
    }
}

/// The outcome with its value as `T`. `validity.rs` has already checked that it fits; a type that accepts a value only
/// sometimes makes the row fail.
fn typed<T: DeserializeOwned>(outcome: Outcome) -> Outcome<T> {
    let effort = outcome.effort;
    outcome.and_then(|value| {
        number::deserialised(&value).map_err(|error| {
            let message = format!("the value does not fit the type: {error}");
            let failure = Failure::unasked(FailureKind::Invalid, message);
            Box::new(Failure { best: Some(value), effort, ..failure })
        })
    })
}

fn value_or_error<T>(outcome: Outcome<T>) -> Result<T> {
    let index = outcome.index;
    outcome.result.map_err(|failure| Error::Row { index, failure })
}

impl<T> Clone for Extractor<T> {
    fn clone(&self) -> Self {
        Self { plan: Arc::clone(&self.plan), value: PhantomData }
    }
}

impl<T> fmt::Debug for Extractor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extractor").field("model", &self.plan.account.offer.path()).finish_non_exhaustive()
    }
}
