//! How a row ended, as Python sees it.

use bytes::Bytes;
use pyo3::exceptions::PyStopIteration;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyTuple, PyType};
use pyo3::{PyTraverseError, PyVisit};
use rowcall::Effort;

use crate::delivery::Delivered;
use crate::validation::Kept;
use crate::{failure, json};

/// How a row ended: its value or its exception, and its usage.
#[pyclass(frozen, module = "rowcall")]
pub(crate) struct Outcome {
    /// Position of the row in the input, counted from 0.
    #[pyo3(get)]
    index: u64,
    result: Result<Py<PyAny>, Py<PyAny>>,
    row: Option<Py<PyAny>>,
    effort: Effort,
    /// Repairs that were needed to read the value from the answer, such as `fence`.
    #[pyo3(get)]
    repairs: Vec<String>,
    /// The model that answered last, as the server named it.
    #[pyo3(get)]
    model: Option<String>,
    /// The provider's reason for the end of the last answer.
    #[pyo3(get)]
    finish_reason: Option<String>,
    /// Whether the value comes from the cache, so that nothing was sent for it in this call.
    #[pyo3(get)]
    from_cache: bool,
    /// The body of the response that gave the value, if it is kept.
    body: Option<Bytes>,
}

/// Tokens, as counted by the provider.
#[pyclass(frozen, eq, get_all, module = "rowcall")]
#[derive(PartialEq)]
#[expect(clippy::struct_field_names, reason = "the names that the library uses")]
pub(crate) struct Usage {
    /// All tokens of the prompts.
    input_tokens: u64,
    /// Of these, read from the provider's prompt cache.
    cached_tokens: u64,
    /// Of these, written to the provider's prompt cache.
    cache_write_tokens: u64,
    /// Of those written, with a long lifetime: an hour at Anthropic, twelve at OpenAI.
    cache_write_long_tokens: u64,
    /// All tokens of the answers, reasoning included.
    output_tokens: u64,
    /// Of these, spent on reasoning.
    reasoning_tokens: u64,
}

impl From<rowcall::Usage> for Usage {
    fn from(usage: rowcall::Usage) -> Self {
        let rowcall::Usage {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            cache_write_long_tokens,
            output_tokens,
            reasoning_tokens,
        } = usage;
        Self {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            cache_write_long_tokens,
            output_tokens,
            reasoning_tokens,
        }
    }
}

#[pymethods]
impl Usage {
    #[new]
    #[pyo3(signature = (input_tokens=0, cached_tokens=0, cache_write_tokens=0, output_tokens=0, reasoning_tokens=0, cache_write_long_tokens=0))]
    fn new(
        input_tokens: u64,
        cached_tokens: u64,
        cache_write_tokens: u64,
        output_tokens: u64,
        reasoning_tokens: u64,
        cache_write_long_tokens: u64,
    ) -> Self {
        Self {
            input_tokens,
            cached_tokens,
            cache_write_tokens,
            cache_write_long_tokens,
            output_tokens,
            reasoning_tokens,
        }
    }

    fn __getnewargs__(&self) -> (u64, u64, u64, u64, u64, u64) {
        (
            self.input_tokens,
            self.cached_tokens,
            self.cache_write_tokens,
            self.output_tokens,
            self.reasoning_tokens,
            self.cache_write_long_tokens,
        )
    }

    /// Input and output tokens together.
    #[getter]
    fn total_tokens(&self) -> u64 {
        self.input_tokens + self.output_tokens
    }

    fn __repr__(&self) -> String {
        format!("Usage(input_tokens={}, output_tokens={})", self.input_tokens, self.output_tokens)
    }
}

/// A value that is available without waiting.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Ready(Py<PyAny>);

#[pymethods]
impl Ready {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<()> {
        Err(PyStopIteration::new_err((self.0.clone_ref(py),)))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.0)
    }
}

impl Outcome {
    /// A delivered outcome as a Python object.
    pub(crate) fn new(py: Python<'_>, delivered: Delivered, row: Option<Py<PyAny>>) -> PyResult<Self> {
        let Delivered { outcome, kept } = delivered;
        let rowcall::Outcome {
            index,
            result,
            effort,
            repairs,
            model,
            finish_reason,
            requests: _,
            history: _,
            from_cache,
            completion,
        } = outcome;
        let body = completion.map(|completion| completion.body.clone());
        let result = match (result, kept) {
            (Ok(_), Some(Kept::Instance(instance))) => Ok(instance),
            (Ok(value), Some(Kept::Json(_)) | None) => Ok(json::to_python(py, &value)?.unbind()),
            (Err(failure), _) => Err(failure::of_row(py, Some(index), &failure).into_value(py).into_any()),
        };
        Ok(Self { index, result, row, effort, repairs, model, finish_reason, from_cache, body })
    }
}

#[pymethods]
impl Outcome {
    #[classmethod]
    fn __class_getitem__(class: &Bound<'_, PyType>, of: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        let arguments = PyTuple::new(class.py(), [of])?;
        let alias = class.py().import("types")?.getattr("GenericAlias")?.call1((class, arguments))?;
        Ok(alias.unbind())
    }

    /// A raised exception refers to the frame that refers to the outcome it came from, so the garbage collector has
    /// to see it.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.row)?;
        match &self.result {
            Ok(held) | Err(held) => visit.call(held),
        }
    }

    /// The row itself, as it was given.
    #[getter]
    fn row(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.row.as_ref().map(|row| row.clone_ref(py))
    }

    /// The value, without waiting: `await done` in a loop written for `asyncio.as_completed`.
    fn __await__(&self, py: Python<'_>) -> PyResult<Ready> {
        Ok(Ready(self.value(py)?))
    }

    /// The value. Raises the row's exception if there is none.
    #[getter]
    fn value(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.result {
            Ok(value) => Ok(value.clone_ref(py)),
            Err(exception) => {
                // Otherwise every access would add its frames to those of earlier ones.
                let fresh = exception.bind(py).call_method1("with_traceback", (py.None(),))?;
                Err(PyErr::from_value(fresh))
            }
        }
    }

    /// The last answer as the provider sent it, the whole response body. `None` if the row was not asked about in
    /// this call, and in the outcomes that `gather`, `sequential` and `map` attach to an exception.
    #[getter]
    fn completion<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match (&self.body, &self.result) {
            (Some(body), _) => json::to_python(py, &json::body(body)),
            (None, Err(exception)) => exception.bind(py).getattr("completion"),
            (None, Ok(_)) => Ok(py.None().into_bound(py)),
        }
    }

    /// Why there is no value; `None` if there is one.
    #[getter]
    fn error(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        self.result.as_ref().err().map(|exception| exception.clone_ref(py))
    }

    /// Whether there is a value.
    #[getter]
    fn ok(&self) -> bool {
        self.result.is_ok()
    }

    /// Tokens of all attempts that reported them, re-asks and failed attempts included.
    #[getter]
    fn usage(&self) -> Usage {
        self.effort.usage.into()
    }

    /// Requests sent.
    #[getter]
    fn attempts(&self) -> u32 {
        self.effort.attempts
    }

    /// Prompts sent: 1 plus the re-asks.
    #[getter]
    fn prompts(&self) -> u32 {
        self.effort.prompts
    }

    /// Attempts that may have been billed but reported no tokens.
    #[getter]
    fn unmetered(&self) -> u32 {
        self.effort.unmetered
    }

    /// US dollars that all attempts cost, as far as known.
    #[getter]
    fn cost(&self) -> f64 {
        self.effort.cost.known.dollars()
    }

    /// Attempts that may have cost an unknown amount.
    #[getter]
    fn cost_unknown(&self) -> u64 {
        self.effort.cost.unknown
    }

    /// Seconds from the first request sent to the last answer received.
    #[getter]
    fn latency(&self) -> f64 {
        self.effort.latency.as_secs_f64()
    }

    /// A table for notebooks.
    fn _repr_html_<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("rowcall._shown")?.getattr("outcome")?.call1((slf,))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let index = self.index;
        Ok(match &self.result {
            Ok(value) => format!("Outcome(index={index}, value={})", value.bind(py).repr()?),
            Err(exception) => format!("Outcome(index={index}, error={})", exception.bind(py).repr()?),
        })
    }
}
