//! Feeds rows from Python into a run, a bounded number ahead of it. Python pushes from a separate thread or from its
//! event loop; the engine takes what is ready and never waits for the interpreter.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use rowcall::{Error, Problem, Result, Row, Source};
use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::bell::{Bell, Line};
use crate::rows::Rows;
use crate::{json, runtime};

/// Rows that may wait for the run.
const MOST_WAITING: usize = 1024;

/// After this many consecutive rows, other threads get a chance to take the interpreter's lock.
const ROWS_PER_TURN: u64 = 64;

/// The end of the pipe that Python pushes rows into.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Feeder {
    pipe: Arc<Pipe>,
    rows: Arc<Rows>,
}

#[derive(Debug, Default)]
struct Pipe {
    state: Mutex<State>,
    filled: Notify,
    emptied: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rows: VecDeque<Map<String, Value>>,
    pushed: u64,
    taken: u64,
    total: Option<u64>,
    ended: bool,
    failed: Option<String>,
    /// Whether the run has stopped taking rows.
    deserted: bool,
    waiting: Option<(Arc<Line>, u64)>,
}

/// The end of the pipe that a run takes rows from.
#[derive(Debug)]
pub(crate) struct Fed(Arc<Pipe>);

#[pymethods]
impl Feeder {
    #[new]
    #[pyo3(signature = (total=None))]
    fn new(total: Option<u64>) -> Self {
        let pipe = Pipe { state: Mutex::new(State { total, ..State::default() }), ..Pipe::default() };
        Self { pipe: Arc::new(pipe), rows: Arc::default() }
    }

    /// Pushes a row without waiting. Returns whether there is room for more.
    fn offer(&self, row: &Bound<'_, PyAny>) -> PyResult<bool> {
        let fields = json::fields(row).map_err(|error| self.at_row(row.py(), error))?;
        let mut state = self.pipe.state();
        self.rows.add(state.pushed, row);
        state.rows.push_back(fields);
        state.pushed += 1;
        let has_room = state.rows.len() < MOST_WAITING;
        drop(state);
        self.pipe.filled.notify_one();
        Ok(has_room)
    }

    /// Pushes a row and waits for room. Returns whether more rows are wanted.
    fn push(&self, py: Python<'_>, row: &Bound<'_, PyAny>) -> PyResult<bool> {
        let has_room = self.offer(row)?;
        let state = self.pipe.state();
        let (is_wanted, is_turn_over) = (!state.deserted, state.pushed.is_multiple_of(ROWS_PER_TURN));
        drop(state);
        match (is_wanted, has_room) {
            (false, _) => Ok(false),
            (true, true) if is_turn_over => {
                py.detach(runtime::pause);
                Ok(true)
            }
            (true, true) => Ok(true),
            (true, false) => Ok(py.detach(|| self.pipe.wait_for_room())),
        }
    }

    /// Whether more rows are wanted.
    fn is_wanted(&self) -> bool {
        !self.pipe.state().deserted
    }

    /// Rings `bell` for `number` once there is room; returns whether there already is.
    fn listen(&self, bell: &Bell, number: u64) -> bool {
        let mut state = self.pipe.state();
        let has_room = state.rows.len() <= MOST_WAITING / 2 || state.deserted;
        state.waiting = (!has_room).then(|| (bell.line(), number));
        has_room
    }

    /// Stops ringing for `number`.
    fn unlisten(&self, number: u64) {
        let mut state = self.pipe.state();
        state.waiting = state.waiting.take().filter(|(_, waiting)| *waiting != number);
    }

    /// There are no more rows.
    fn end(&self) {
        self.pipe.state().ended = true;
        self.pipe.filled.notify_one();
    }

    /// Reading rows has failed.
    fn fail(&self, message: String) {
        self.pipe.state().failed = Some(message);
        self.pipe.filled.notify_one();
    }

    /// Stops taking rows, and wakes callers that wait to push one.
    fn desert(&self) {
        self.pipe.desert();
    }
}

impl Feeder {
    /// The error with the index of the pushed row. What a row's own code raises stays as it is.
    fn at_row(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let value = error.value(py);
        let is_plain = value.get_type().is(py.get_type::<PyTypeError>())
            || value.get_type().is(py.get_type::<PyValueError>());
        if is_plain {
            let message = format!("row {}: {value}", self.pipe.state().pushed);
            // An exception with its original message is better than none.
            let _ = value.setattr("args", (message,));
        }
        error
    }

    /// How many rows there will be, if known.
    pub(crate) fn total(&self) -> Option<u64> {
        self.pipe.state().total
    }

    /// The rows as they were given.
    pub(crate) fn rows(&self) -> Arc<Rows> {
        Arc::clone(&self.rows)
    }

    /// The end of the pipe for the run.
    pub(crate) fn source(&self) -> Fed {
        Fed(Arc::clone(&self.pipe))
    }
}

impl Pipe {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_room(&self) -> bool {
        let state = self.state();
        let is_full = |state: &mut State| state.rows.len() > MOST_WAITING / 2 && !state.deserted;
        let state = self.emptied.wait_while(state, is_full).unwrap_or_else(PoisonError::into_inner);
        !state.deserted
    }

    fn desert(&self) {
        let mut state = self.state();
        state.deserted = true;
        state.rows.clear();
        if let Some((line, number)) = state.waiting.take() {
            line.ring(number);
        }
        drop(state);
        self.emptied.notify_all();
    }

    /// The rows that are ready, at most `max`; an empty list at the end; `None` if none are ready yet.
    fn take(&self, max: usize) -> Option<Result<Vec<Row>>> {
        let mut state = self.state();
        if state.rows.is_empty() {
            return match (state.failed.take(), state.ended) {
                (Some(message), _) => Some(Err(Error::Source(Problem::new(message)))),
                (None, true) => Some(Ok(Vec::new())),
                (None, false) => None,
            };
        }
        let count = max.min(state.rows.len());
        let first = state.taken;
        state.taken += count as u64;
        let rows = state.rows.drain(..count).zip(first..);
        let rows =
            rows.map(|(fields, index)| Row { index, fields: Ok(fields), record: Bytes::new() }).collect();
        if state.rows.len() <= MOST_WAITING / 2 {
            if let Some((line, number)) = state.waiting.take() {
                line.ring(number);
            }
            self.emptied.notify_all();
        }
        Some(Ok(rows))
    }
}

impl Source for Fed {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        loop {
            // `notify_one` stores a permit, so nothing pushed in between is missed.
            match self.0.take(max) {
                Some(taken) => return taken,
                None => self.0.filled.notified().await,
            }
        }
    }

    fn len_hint(&self) -> Option<u64> {
        self.0.state().total
    }
}

impl rowcall::IntoSource for Fed {
    type Source = Self;

    fn into_source(self) -> Self {
        self
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        self.0.desert();
    }
}
