//! An extractor as the Python layer holds it: made from settings, it starts calls. Other files define where rows come
//! from and where outcomes go.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use rowcall::{BatchOptions, Effort, Error, Extractor, Halt, OrderBy, Outcome, Row, RunControl, Source};
use rowcall_data::failed_earlier;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::account::{Account, Opened as OpenAccount};
use crate::call::{Call, ending};
use crate::clock::Clock;
use crate::delivery::{Completions, Delivery, Ending, Queue, UntilFailure, judged};
use crate::estimating::Estimating;
use crate::events::Events;
use crate::feed::Feeder;
use crate::file_run::{FileRun, Opened};
use crate::notices::Notices;
use crate::progress::{Calls, InAll, Progress};
use crate::rerun::Rerun;
use crate::rows::Rows;
use crate::settings::{Settings, read};
use crate::steering::Controls;
use crate::table::{self, Asked, Columns, Look, TableRun, TableSource};
use crate::validation::{Judge, Keep, Rules};
use crate::validator::Validator;
use crate::{failure, json, runtime, stats, steering};

/// The longest that closing waits for cancelled calls to release the journal.
const LONGEST_CLOSE: Duration = Duration::from_secs(10);

/// How often closing checks whether they have.
const CLOSE_LOOKS: Duration = Duration::from_millis(1);

/// An extractor. It belongs to the process that made it.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Core {
    settings: Settings,
    notices: Arc<Notices>,
    clock: Arc<Clock>,
    calls: Arc<Calls>,
    controls: Controls,
    /// Journals of runs from file to file that the statistics already include.
    journals: Mutex<HashSet<PathBuf>>,
    /// Locked only by threads that hold the interpreter's lock, so that no other thread has it locked when a process forks.
    state: Mutex<State>,
    process: u32,
}

enum State {
    /// The extractor and its account. A simulator started for it stops when this is dropped.
    Open(Extractor<Value>, Arc<OpenAccount>),
    /// The final statistics.
    Closed(Value),
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            Python::attach(|py| self.close(py));
        } else {
            // A forked child does not have the threads that would have to be waited for.
            std::mem::forget(std::mem::replace(&mut *self.state(), State::Closed(Value::Null)));
        }
    }
}

/// The user's model, which decides about values, and the threads that run it.
type Authority = Option<(Py<Rules>, Py<Validator>)>;

#[pymethods]
impl Core {
    #[new]
    #[pyo3(signature = (account, settings, events=None))]
    fn new(py: Python<'_>, account: &Account, settings: &str, events: Option<&Events>) -> PyResult<Self> {
        let mut settings: Settings = read(py, settings, "setting")?;
        let opened = account.get()?;
        let runtime = runtime::handle(py)?;
        let notices = Arc::<Notices>::default();
        let made = py.detach(|| {
            if let Some(notice) = runtime.block_on(settings.find_out(&opened.client))? {
                notices.note(notice);
            }
            settings.extractor(&opened.client)
        });
        let mut extractor = made.map_err(|error| failure::of_extractor(py, &error))?;
        let clock = Arc::<Clock>::default();
        extractor = extractor.on_event(notices.observer(settings.sampling_temperature()));
        extractor = extractor.on_event(clock.observer());
        if let Some(events) = events {
            extractor = extractor.on_event(events.observer());
        }
        Ok(Self {
            settings,
            notices,
            clock,
            calls: Arc::default(),
            controls: Controls::default(),
            journals: Mutex::default(),
            state: Mutex::new(State::Open(extractor, opened)),
            process: std::process::id(),
        })
    }

    /// Releases the journal and the account once the running calls are over. If none are running, the journal can be
    /// reopened on return, because cancelled calls have released it.
    fn close(&self, py: Python<'_>) {
        let mut state = self.state();
        let (last, hold) = match &*state {
            State::Closed(_) => return,
            State::Open(extractor, _) => (self.stats_of(extractor), extractor.journal_hold()),
        };
        let open = std::mem::replace(&mut *state, State::Closed(last));
        drop(state);
        py.detach(|| {
            // The journal is written to its end, so do not hold the lock meanwhile.
            drop(open);
            let since = Instant::now();
            while let Some(hold) = &hold
                && !hold.is_over()
                && !self.calls.are_running()
                && since.elapsed() < LONGEST_CLOSE
            {
                std::thread::park_timeout(CLOSE_LOOKS);
            }
        });
    }

    /// Asks about one row.
    #[pyo3(signature = (row, authority=None))]
    fn extract(&self, py: Python<'_>, row: &Bound<'_, PyAny>, authority: Authority) -> PyResult<Call> {
        let fields = json::fields(row)?;
        let (extractor, judge) =
            judged_by(&self.limited(None)?, py, authority, Keep::Instance, Some(Rows::one(row)));
        let control = extractor.control();
        let queue = Arc::<Queue>::default();
        let progress = self.calls.begin_one(InAll::Rows(1));
        let (delivery, judging, counts) = (Arc::clone(&queue), judge.clone(), Arc::clone(&progress));
        let work = ending(judge, async move {
            let extracted = extractor.extract(fields).await;
            // As soon as the end is reported, the journal may be reopened.
            drop(extractor);
            match &extracted {
                Ok(_) => counts.count_one(0, None),
                Err(Error::Row { index, failure }) => counts.count_one(*index, Some(failure)),
                Err(_) => {}
            }
            delivery.push(judged(judging.as_deref(), vec![outcome_of(0, extracted?)]));
            Ok(())
        });
        Ok(self.call(&runtime::handle(py)?, queue, Halt::default(), control, progress, work))
    }

    /// Asks about the rows pushed into `feeder`, one after another.
    #[pyo3(signature = (feeder, authority=None))]
    fn sequential(&self, py: Python<'_>, feeder: &Feeder, authority: Authority) -> PyResult<Call> {
        let (extractor, judge) =
            judged_by(&self.limited(None)?, py, authority, Keep::Instance, Some(feeder.rows()));
        let control = extractor.control();
        let queue = Arc::<Queue>::default();
        let source = feeder.source();
        let progress = self.calls.begin(in_all(feeder));
        let delivery = Delivery {
            queue: Arc::clone(&queue),
            judge: judge.clone(),
            progress: Arc::clone(&progress),
            completions: Completions::LeftOut,
        };
        let work = ending(judge, async move {
            let mut sink = UntilFailure(delivery);
            extractor.run_one_by_one(source, &mut sink).await
        });
        let call = self.call(&runtime::handle(py)?, queue, Halt::default(), control, progress, work);
        Ok(call.with_rows(feeder.rows()))
    }

    /// Asks about the rows pushed into `feeder`; `order` is `input` or `completed`. Outcomes include their
    /// completions if `completions` is set. With `batch`, rows are sent in batches.
    #[pyo3(signature = (feeder, order, concurrency=None, authority=None, completions=true, batch=false))]
    #[expect(clippy::too_many_arguments, reason = "Python's keywords")]
    fn start(
        &self,
        py: Python<'_>,
        feeder: &Feeder,
        order: &str,
        concurrency: Option<usize>,
        authority: Authority,
        completions: bool,
        batch: bool,
    ) -> PyResult<Call> {
        let limited = self.limited(concurrency)?;
        let limited = if batch {
            let batched = limited.in_batches(BatchOptions::default());
            batched.map_err(|error| failure::of_run(py, &error))?
        } else {
            limited
        };
        let (extractor, judge) = judged_by(&limited, py, authority, Keep::Instance, Some(feeder.rows()));
        let (queue, halt, order) = (Arc::<Queue>::default(), Halt::default(), order_by(order)?);
        let (source, stop, control) = (feeder.source(), halt.clone(), extractor.control());
        let progress = self.calls.begin(in_all(feeder));
        let completions = if completions { Completions::Kept } else { Completions::LeftOut };
        let mut sink = Delivery {
            queue: Arc::clone(&queue),
            judge: judge.clone(),
            progress: Arc::clone(&progress),
            completions,
        };
        let work = ending(judge, async move { extractor.run(source, &mut sink, order, stop).await });
        Ok(self.call(&runtime::handle(py)?, queue, halt, control, progress, work).with_rows(feeder.rows()))
    }

    /// Asks about the rows of an Arrow table, which may have only some of these `columns`. Only the rows in `only`
    /// are asked about; those in `failed`, given by index with their errors as JSON, fail again. The second result
    /// has the values once the call has ended.
    #[pyo3(signature = (data, look, columns=None, only=None, failed=Vec::new(), concurrency=None, authority=None))]
    #[expect(clippy::too_many_arguments, reason = "Python's keywords")]
    fn map_table(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        look: &str,
        columns: Option<Vec<String>>,
        only: Option<Vec<bool>>,
        failed: Vec<(u64, String)>,
        concurrency: Option<usize>,
        authority: Authority,
    ) -> PyResult<(Call, TableRun)> {
        let look: Look = read(py, look, "option")?;
        let failed = failed.into_iter().filter_map(|(index, error)| {
            Some((index, failed_earlier(&serde_json::from_str(&error).unwrap_or(Value::String(error)))?))
        });
        let asked = Asked { only, failed: failed.collect() };
        let (schema, batches) = table::read(data)?;
        PyTable::try_new(batches.clone(), Arc::clone(&schema))?;
        let output = self.settings.output_schema.as_ref().unwrap_or(&self.settings.schema);
        let names = columns
            .unwrap_or_else(|| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>());
        let limited = self.limited(concurrency)?;
        let columns = Columns::new(output, look).map_err(|problem| failure::of_config(py, &problem))?;
        columns.check(&names, &limited).map_err(|problem| failure::of_config(py, &problem))?;
        let needed = self.needed(schema.fields().iter().map(|field| field.name().clone()).collect())?;
        let (extractor, judge) = judged_by(&limited, py, authority, Keep::Json, None);
        let run = TableRun::new(schema, batches.clone(), columns, &asked);
        let source = TableSource::new(batches, &needed, asked);
        let progress = self.calls.begin(source.len_hint().map_or(InAll::Unknown, InAll::Rows));
        let (queue, halt) = (Arc::<Queue>::default(), Halt::default());
        let (work, stop, control) = (run.clone(), halt.clone(), extractor.control());
        let (judging, counts) = (judge.clone(), Arc::clone(&progress));
        let work =
            ending(judge, async move { work.carry_out(&extractor, source, judging, counts, stop).await });
        Ok((self.call(&runtime::handle(py)?, queue, halt, control, progress, work), run))
    }

    /// Asks about the rows of a file and writes their outcomes to another.
    #[pyo3(signature = (options, concurrency=None, authority=None))]
    fn run(
        &self,
        py: Python<'_>,
        options: &str,
        concurrency: Option<usize>,
        authority: Authority,
    ) -> PyResult<Call> {
        let run: FileRun = read(py, options, "option")?;
        let limited = self.limited(concurrency)?;
        let (extractor, judge) = judged_by(&limited, py, authority, Keep::Json, None);
        let output = self.settings.output_schema.as_ref().unwrap_or(&self.settings.schema);
        let handle = runtime::handle(py)?;
        let opened = py.detach(|| {
            let _runtime = handle.enter();
            let journal = run.journal();
            run.open(extractor, &self.settings, output, judge)
                .map(|opened| self.counted_once(opened, journal))
        });
        let opened = opened.map_err(|error| failure::of_run(py, &error))?;
        Ok(self.carry_out(&handle, opened))
    }

    /// Asks again about the failed rows of a run over files, and rewrites its output.
    #[pyo3(signature = (options, concurrency=None, authority=None))]
    fn rerun(
        &self,
        py: Python<'_>,
        options: &str,
        concurrency: Option<usize>,
        authority: Authority,
    ) -> PyResult<Call> {
        let rerun: Rerun = read(py, options, "option")?;
        let limited = self.limited(concurrency)?;
        let (extractor, judge) = judged_by(&limited, py, authority, Keep::Json, None);
        let output = self.settings.output_schema.as_ref().unwrap_or(&self.settings.schema);
        let handle = runtime::handle(py)?;
        let opened = py.detach(|| {
            let _runtime = handle.enter();
            let journal = Some(rerun.journal());
            rerun
                .open(&extractor, &self.settings, output, judge)
                .map(|opened| self.counted_once(opened, journal))
        });
        let opened = opened.map_err(|error| failure::of_run(py, &error))?;
        Ok(self.carry_out(&handle, opened))
    }

    /// Makes all changes of a JSON object to each of the calls that are under way, or none.
    fn adjust(&self, py: Python<'_>, changes: &str) -> PyResult<()> {
        let controls = self.controls.under_way();
        let changes = steering::checked(py, changes, &controls)?;
        for control in &controls {
            control.apply(&changes).map_err(|error| failure::of_run(py, &error))?;
        }
        Ok(())
    }

    /// The latest failed rows of all calls, as (index, kind, message, field, answer).
    fn failures<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        json::to_python(py, &self.calls.failures())
    }

    /// Statistics of all calls so far.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = match &*self.state() {
            State::Open(extractor, _) => self.stats_of(extractor),
            State::Closed(last) => last.clone(),
        };
        json::to_python(py, &stats)
    }

    /// The variables that every row must have.
    fn variables(&self) -> PyResult<Vec<String>> {
        Ok(self.extractor()?.variables())
    }

    /// For each field name, whether rows need that field.
    #[expect(clippy::needless_pass_by_value, reason = "Python passes an owned list")]
    fn needed(&self, names: Vec<String>) -> PyResult<Vec<bool>> {
        let variables = self.variables()?;
        Ok(names.iter().map(|name| variables.contains(name) || self.settings.names(name)).collect())
    }

    /// The URL and the body of the first request about `row`, as they would be sent.
    fn preview(&self, py: Python<'_>, row: &Bound<'_, PyAny>) -> PyResult<(String, Vec<u8>)> {
        let row = Row { index: 0, fields: Ok(json::fields(row)?), record: bytes::Bytes::new() };
        let preview = self.extractor()?.preview(&row).map_err(|error| failure::of_run(py, &error))?;
        Ok((preview.url, preview.request.body.to_vec()))
    }

    /// A way to add up what rows would take, without asking about them.
    fn estimating(&self, py: Python<'_>) -> PyResult<Estimating> {
        let made = Estimating::new(&self.extractor()?, self.settings.cache_options().as_ref());
        made.map_err(|error| failure::of_run(py, &error))
    }

    /// Adds the rows of an Arrow table to an estimate.
    fn estimate_table(
        &self,
        py: Python<'_>,
        estimating: &Estimating,
        data: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let (schema, batches) = table::read(data)?;
        let needed = self.needed(schema.fields().iter().map(|field| field.name().clone()).collect())?;
        estimating.add_table(py, TableSource::new(batches, &needed, Asked::default()))
    }

    /// The statistics of its simulator, as JSON.
    fn simulator_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = match &*self.state() {
            State::Open(_, account) => {
                account.model.simulator().map(|simulator| serde_json::to_value(simulator.stats()))
            }
            State::Closed(_) => None,
        };
        json::to_python(py, &stats.and_then(Result::ok).unwrap_or_default())
    }
}

impl Core {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn extractor(&self) -> PyResult<Extractor<Value>> {
        match &*self.state() {
            State::Open(extractor, _) => Ok(extractor.clone()),
            State::Closed(_) => Err(failure::of_closed("extractor")),
        }
    }

    /// Starts a call that passes on this extractor's warnings.
    fn call<F>(
        &self,
        runtime: &Handle,
        queue: Arc<Queue>,
        halt: Halt,
        control: RunControl,
        progress: Arc<Progress>,
        work: F,
    ) -> Call
    where
        F: Future<Output = Ending> + Send + 'static,
    {
        self.controls.add(&progress, &control);
        Call::start(runtime, queue, halt, control, Arc::clone(&self.notices), progress, work)
    }

    /// Starts a run whose files are open.
    fn carry_out<S: Source + Send + 'static>(&self, runtime: &Handle, opened: Opened<S>) -> Call {
        let (queue, halt, notes) = (Arc::<Queue>::default(), Halt::default(), opened.notes());
        let (progress, control) = (self.calls.begin(opened.in_all()), opened.extractor.control());
        let work = opened.carry_out(halt.clone(), Arc::clone(&progress));
        self.call(runtime, queue, halt, control, progress, work).with_notes(notes)
    }

    /// A run whose statistics do not count again what this extractor itself spent with the same journal.
    fn counted_once<S>(&self, opened: Opened<S>, journal: Option<PathBuf>) -> Opened<S> {
        let mut journals = self.journals.lock().unwrap_or_else(PoisonError::into_inner);
        let is_counted = journal.is_some_and(|path| !journals.insert(path));
        if !is_counted {
            return opened;
        }
        Opened { extractor: opened.extractor.without_totals_of_before(), ..opened }
    }

    fn stats_of(&self, extractor: &Extractor<Value>) -> Value {
        stats::to_json(&extractor.stats(), self.clock.elapsed(), &self.calls)
    }

    fn limited(&self, concurrency: Option<usize>) -> PyResult<Extractor<Value>> {
        // Each call is steered by itself.
        let extractor = self.extractor()?;
        Ok(concurrency.map_or_else(|| extractor.steered_apart(), |places| extractor.concurrency(places)))
    }
}

/// The extractor with the user's model as its check, if there is one.
fn judged_by(
    extractor: &Extractor<Value>,
    py: Python<'_>,
    authority: Authority,
    keep: Keep,
    rows: Option<Arc<Rows>>,
) -> (Extractor<Value>, Option<Arc<Judge>>) {
    match authority {
        None => (extractor.clone(), None),
        Some((rules, validator)) => {
            let judge = Arc::new(Judge::new(rules, keep, validator.bind(py).get(), rows));
            (extractor.check_with(Arc::clone(&judge) as _), Some(judge))
        }
    }
}

fn in_all(feeder: &Feeder) -> InAll {
    feeder.total().map_or(InAll::Unknown, InAll::Rows)
}

/// An outcome with nothing but a value.
fn outcome_of(index: u64, value: Value) -> Outcome {
    Outcome {
        index,
        result: Ok(value),
        effort: Effort::default(),
        repairs: Vec::new(),
        model: None,
        finish_reason: None,
        requests: Vec::new(),
        history: Vec::new(),
        from_cache: false,
        completion: None,
    }
}

fn order_by(order: &str) -> PyResult<OrderBy> {
    match order {
        "input" => Ok(OrderBy::Input),
        "completed" => Ok(OrderBy::Completed),
        _ => Err(PyValueError::new_err(format!(
            "the order `{order}` is unknown, expected `input` or `completed`"
        ))),
    }
}
