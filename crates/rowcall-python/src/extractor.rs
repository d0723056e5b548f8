//! An extractor as the Python layer holds it: made from settings, it starts calls. Where rows come from and where outcomes go is
//! told by the other files.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use rowcall::{Effort, Error, Extractor, Halt, OrderBy, Outcome, Problem, Row};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::account::{Account, Opened};
use crate::call::{Call, ending};
use crate::clock::Clock;
use crate::delivery::{Delivery, Ending, Queue, UntilFailure, judged};
use crate::events::Events;
use crate::feed::Feeder;
use crate::file_run::FileRun;
use crate::notices::Notices;
use crate::rows::Rows;
use crate::settings::{Settings, read};
use crate::table::{self, Columns, TableRun, TableSource};
use crate::validation::{Judge, Keep, Rules};
use crate::validator::Validator;
use crate::{failure, json, runtime, stats};

/// An extractor. It belongs to the process that made it.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Core {
    settings: Settings,
    notices: Arc<Notices>,
    clock: Arc<Clock>,
    /// Locked only by threads that hold the interpreter's lock, so that no other thread has it locked when a process forks.
    state: Mutex<State>,
    process: u32,
}

enum State {
    /// The second is whom the first asks. A simulator that was started for it stops when this is dropped.
    Open(Extractor<Value>, Arc<Opened>),
    /// With the statistics as they were.
    Closed(Value),
}

impl Drop for Core {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            Python::attach(|py| self.close(py));
        } else {
            // In a forked child the threads that would have to be waited for are not there.
            std::mem::forget(std::mem::replace(&mut *self.state(), State::Closed(Value::Null)));
        }
    }
}

/// The user's model, as the authority on values, and the thread that asks it.
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
        let mut extractor = made.map_err(|error| failure::of_run(py, &without_fresh(error)))?;
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
            state: Mutex::new(State::Open(extractor, opened)),
            process: std::process::id(),
        })
    }

    /// Lets go of the journal and of whom it asks, once the calls that are under way are over.
    fn close(&self, py: Python<'_>) {
        let mut state = self.state();
        let last = match &*state {
            State::Closed(_) => return,
            State::Open(extractor, _) => stats::told(&extractor.stats(), self.clock.elapsed()),
        };
        let open = std::mem::replace(&mut *state, State::Closed(last));
        drop(state);
        // A journal is written to its end, which others need not wait for.
        py.detach(|| drop(open));
    }

    /// Asks about one row.
    #[pyo3(signature = (row, authority=None))]
    fn extract(&self, py: Python<'_>, row: &Bound<'_, PyAny>, authority: Authority) -> PyResult<Call> {
        let fields = json::fields(row)?;
        let (extractor, judge) =
            judged_by(&self.extractor()?, py, authority, Keep::Instance, Some(Rows::one(row)));
        let queue = Arc::<Queue>::default();
        let (delivery, judging) = (Arc::clone(&queue), judge.clone());
        let work = ending(judge, async move {
            let value = extractor.extract(fields).await?;
            // Whoever is told may open its journal anew at once.
            drop(extractor);
            delivery.push(judged(judging.as_deref(), vec![told(0, value)]));
            Ok(())
        });
        Ok(self.call(&runtime::handle(py)?, queue, Halt::default(), work))
    }

    /// Asks about the rows pushed into `feeder`, one after another.
    #[pyo3(signature = (feeder, authority=None))]
    fn sequential(&self, py: Python<'_>, feeder: &Feeder, authority: Authority) -> PyResult<Call> {
        let (extractor, judge) =
            judged_by(&self.extractor()?, py, authority, Keep::Instance, Some(feeder.rows()));
        let queue = Arc::<Queue>::default();
        let source = feeder.source();
        let delivery = Delivery { queue: Arc::clone(&queue), judge: judge.clone() };
        let work = ending(judge, async move {
            let mut sink = UntilFailure(delivery);
            extractor.run_one_by_one(source, &mut sink).await
        });
        Ok(self.call(&runtime::handle(py)?, queue, Halt::default(), work).with_rows(feeder.rows()))
    }

    /// Asks about the rows pushed into `feeder`; `order` is `input` or `completed`.
    #[pyo3(signature = (feeder, order, concurrency=None, authority=None))]
    fn start(
        &self,
        py: Python<'_>,
        feeder: &Feeder,
        order: &str,
        concurrency: Option<usize>,
        authority: Authority,
    ) -> PyResult<Call> {
        let limited = self.limited(concurrency)?;
        let (extractor, judge) = judged_by(&limited, py, authority, Keep::Instance, Some(feeder.rows()));
        let (queue, halt, order) = (Arc::<Queue>::default(), Halt::default(), order_by(order)?);
        let (source, stop) = (feeder.source(), halt.clone());
        let mut sink = Delivery { queue: Arc::clone(&queue), judge: judge.clone() };
        let work = ending(judge, async move { extractor.run(source, &mut sink, order, stop).await });
        Ok(self.call(&runtime::handle(py)?, queue, halt, work).with_rows(feeder.rows()))
    }

    /// Asks about the rows of an Arrow table, which may be a part of one with these `columns`. The second is where its values
    /// are once the first has ended.
    #[pyo3(signature = (data, columns=None, into=None, concurrency=None, authority=None))]
    fn map_table(
        &self,
        py: Python<'_>,
        data: &Bound<'_, PyAny>,
        columns: Option<Vec<String>>,
        into: Option<String>,
        concurrency: Option<usize>,
        authority: Authority,
    ) -> PyResult<(Call, TableRun)> {
        let (schema, batches) = table::read(data)?;
        PyTable::try_new(batches.clone(), Arc::clone(&schema))?;
        let output = self.settings.output_schema.as_ref().unwrap_or(&self.settings.schema);
        let names = columns
            .unwrap_or_else(|| schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>());
        let limited = self.limited(concurrency)?;
        let columns = Columns::new(output, into).map_err(|problem| failure::of_config(py, &problem))?;
        columns.check(&names, &limited).map_err(|problem| failure::of_config(py, &problem))?;
        let needed = self.needed(schema.fields().iter().map(|field| field.name().clone()).collect())?;
        let (extractor, judge) = judged_by(&limited, py, authority, Keep::Json, None);
        let source = TableSource::new(batches.clone(), &needed);
        let run = TableRun::new(schema, batches, columns);
        let (queue, halt) = (Arc::<Queue>::default(), Halt::default());
        let (work, stop) = (run.clone(), halt.clone());
        let judging = judge.clone();
        let work = ending(judge, async move { work.carry_out(&extractor, source, judging, stop).await });
        Ok((self.call(&runtime::handle(py)?, queue, halt, work), run))
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
            run.open(extractor, &self.settings, output, judge)
        });
        let opened = opened.map_err(|error| failure::of_run(py, &error))?;
        let (queue, halt) = (Arc::<Queue>::default(), Halt::default());
        let stop = halt.clone();
        let notes = opened.notes();
        Ok(self.call(&handle, queue, halt, opened.carry_out(stop)).with_notes(notes))
    }

    /// What has happened so far, in all calls.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let told = match &*self.state() {
            State::Open(extractor, _) => stats::told(&extractor.stats(), self.clock.elapsed()),
            State::Closed(last) => last.clone(),
        };
        json::to_python(py, &told)
    }

    /// The variables that every row must bring.
    fn variables(&self) -> PyResult<Vec<String>> {
        Ok(self.extractor()?.variables())
    }

    /// Which of the fields with these names are to go along with a row.
    #[expect(clippy::needless_pass_by_value, reason = "what Python hands over is ours")]
    fn needed(&self, names: Vec<String>) -> PyResult<Vec<bool>> {
        let variables = self.variables()?;
        Ok(names.iter().map(|name| variables.contains(name) || self.settings.names(name)).collect())
    }

    /// The address and the body of the first request about `row`, as they would go out.
    fn preview(&self, py: Python<'_>, row: &Bound<'_, PyAny>) -> PyResult<(String, Vec<u8>)> {
        let row = Row { index: 0, fields: Ok(json::fields(row)?), record: bytes::Bytes::new() };
        let preview = self.extractor()?.preview(&row).map_err(|error| failure::of_run(py, &error))?;
        Ok((preview.url, preview.request.body.to_vec()))
    }

    /// What its simulator has seen, as JSON.
    fn simulator_stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let stats = match &*self.state() {
            State::Open(_, opened) => {
                opened.model.simulator().map(|simulator| serde_json::to_value(simulator.stats()))
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

    /// Starts a call, which hands on what this extractor has to warn of.
    fn call<F>(&self, runtime: &Handle, queue: Arc<Queue>, halt: Halt, work: F) -> Call
    where
        F: Future<Output = Ending> + Send + 'static,
    {
        Call::start(runtime, queue, halt, Arc::clone(&self.notices), work)
    }

    fn limited(&self, concurrency: Option<usize>) -> PyResult<Extractor<Value>> {
        let extractor = self.extractor()?;
        Ok(concurrency.map_or_else(|| extractor.clone(), |places| extractor.concurrency(places)))
    }
}

/// The error as it is to be told of an extractor's own journal, which no option starts over.
fn without_fresh(error: Error) -> Error {
    let told = |mut problem: Problem| {
        problem.hint = problem.hint.map(|hint| {
            hint.replace("`--fresh` to", "remove the file to").replace("`--fresh`", "removing the file")
        });
        problem
    };
    match error {
        Error::Config(problem) => Error::Config(told(problem)),
        Error::Journal(problem) => Error::Journal(told(problem)),
        other => other,
    }
}

/// The extractor with the user's model as the authority on its values, if there is one.
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

/// A value of which nothing else is told.
fn told(index: u64, value: Value) -> Outcome {
    Outcome {
        index,
        result: Ok(value),
        effort: Effort::default(),
        repairs: Vec::new(),
        model: None,
        finish_reason: None,
        requests: Vec::new(),
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
