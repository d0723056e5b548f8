//! One call of an extractor: its run on the engine's runtime, and the outcomes that Python takes from it in batches.
//! Dropping or cancelling it cancels its requests.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use rowcall::{Halt, RunControl};
use rowcall_data::Notes;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::bell::Bell;
use crate::delivery::{Ending, Ends, Queue, Taken};
use crate::notices::Notices;
use crate::outcome::Outcome;
use crate::progress::{Progress, UnderWay};
use crate::rows::Rows;
use crate::validation::Judge;
use crate::{failure, keywords, steering};

/// Outcomes handed over at a time: enough to make crossing the boundary cheap, few enough not to hold the
/// interpreter's lock for long.
const BATCH: usize = 64;

/// How often a waiting thread checks for signals.
const SIGNALS: Duration = Duration::from_millis(50);

/// A running call.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Call {
    queue: Arc<Queue>,
    task: AbortHandle,
    halt: Halt,
    notices: Arc<Notices>,
    rows: Option<Arc<Rows>>,
    control: RunControl,
    progress: Arc<Progress>,
    /// Notes about the input of a run over files.
    notes: Notes,
    process: u32,
}

impl Call {
    /// Starts `work`, which fills `queue`.
    pub(crate) fn start<F>(
        runtime: &Handle,
        queue: Arc<Queue>,
        halt: Halt,
        control: RunControl,
        notices: Arc<Notices>,
        progress: Arc<Progress>,
        work: F,
    ) -> Self
    where
        F: Future<Output = Ending> + Send + 'static,
    {
        let (ends, under_way) = (Ends(Arc::clone(&queue)), UnderWay(Arc::clone(&progress)));
        let carry = async move {
            let ended = work.await;
            drop(under_way);
            ends.0.end(ended);
        };
        let task = runtime.spawn(carry).abort_handle();
        Self {
            queue,
            task,
            halt,
            notices,
            rows: None,
            control,
            progress,
            notes: Notes::default(),
            process: std::process::id(),
        }
    }

    /// The same call, with the rows that Python passed.
    pub(crate) fn with_rows(mut self, rows: Arc<Rows>) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The same call, with notes about its input.
    pub(crate) fn with_notes(mut self, notes: Notes) -> Self {
        self.notes = notes;
        self
    }
}

/// Runs `work` to its end, or until the user's code raises something that is not a violation: then its row never
/// ends, and neither would the work.
pub(crate) async fn ending(
    judge: Option<Arc<Judge>>,
    work: impl Future<Output = rowcall::Result<()>>,
) -> Ending {
    let done = match judge {
        None => work.await,
        Some(judge) => tokio::select! {
            biased;
            error = judge.broken() => return Ending::Raised(error),
            done = work => done,
        },
    };
    done.map_or_else(Ending::Stopped, |()| Ending::Done)
}

#[pymethods]
impl Call {
    /// The outcomes that are ready, at most [`BATCH`]; `None` at the end. Raises the error that stopped the run.
    fn take(&self, py: Python<'_>) -> PyResult<Option<Vec<Outcome>>> {
        match self.queue.take(BATCH) {
            Taken::Some(delivered) => {
                let outcomes = delivered.into_iter().map(|delivered| {
                    let row = self.rows.as_ref().and_then(|rows| rows.take(delivered.outcome.index));
                    Outcome::new(py, delivered, row)
                });
                Ok(Some(outcomes.collect::<PyResult<_>>()?))
            }
            Taken::End(Ending::Done) => Ok(None),
            Taken::End(Ending::Stopped(error)) => Err(failure::of_run(py, &error)),
            Taken::End(Ending::Raised(error)) => Err(error),
        }
    }

    /// Waits until something is ready, or for `seconds`. Ctrl-C is raised here.
    #[pyo3(signature = (seconds=None))]
    fn wait(&self, py: Python<'_>, seconds: Option<f64>) -> PyResult<()> {
        let until =
            seconds.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds.clamp(0.0, 3600.0)));
        while !py.detach(|| self.queue.wait(SIGNALS)) && until.is_none_or(|until| Instant::now() < until) {
            py.check_signals()?;
        }
        py.check_signals()
    }

    /// Rings `bell` for `number` once something is ready; returns whether something already is.
    fn listen(&self, bell: &Bell, number: u64) -> bool {
        self.queue.listen(bell.line(), number)
    }

    /// Stops ringing for `number`.
    fn unlisten(&self, number: u64) {
        self.queue.unlisten(number);
    }

    /// The rows of this call that are done, how many of them failed, and how many there are in total, if known.
    fn progress(&self) -> (u64, u64, Option<u64>) {
        let (done, failed) = self.progress.counts();
        (done, failed, self.progress.in_all())
    }

    /// The extractor's warnings since the last call of this, from any of its calls.
    fn warnings(&self) -> Vec<String> {
        self.notices.take()
    }

    /// The notes about the input that were not reported yet.
    fn notes(&self) -> Vec<String> {
        self.notes.take().iter().map(keywords::spelled).collect()
    }

    /// The same at the end of a run, including counts.
    fn last_notes(&self) -> Vec<String> {
        self.notes.take_all().iter().map(keywords::spelled).collect()
    }

    /// Makes all changes of a JSON object, or none.
    fn adjust(&self, py: Python<'_>, changes: &str) -> PyResult<()> {
        let changes = steering::checked(py, changes, std::slice::from_ref(&self.control))?;
        self.control.apply(&changes).map_err(|error| failure::of_run(py, &error))
    }

    /// Whether it is paused.
    fn is_paused(&self) -> bool {
        self.control.settings().is_paused
    }

    /// Sends no more requests and waits for those in flight.
    fn halt(&self) {
        self.halt.set();
    }

    /// Cancels the requests in flight.
    fn cancel(&self) {
        if self.process == std::process::id() {
            self.task.abort();
            self.progress.end();
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.cancel();
    }
}
