//! Wakes an event loop without taking the interpreter's lock: the engine writes a byte to a socket that the loop
//! watches. `_loop.py` has the loop's side.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;

/// The bell of one event loop. It is rung for a number, which stands for the waiting call.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Bell(Arc<Line>);

/// The engine's end of a bell.
#[derive(Debug)]
pub(crate) struct Line {
    heard: UnixStream,
    rung: UnixStream,
    numbers: Mutex<Vec<u64>>,
}

#[pymethods]
impl Bell {
    #[new]
    fn new() -> io::Result<Self> {
        let (heard, rung) = UnixStream::pair()?;
        heard.set_nonblocking(true)?;
        rung.set_nonblocking(true)?;
        Ok(Self(Arc::new(Line { heard, rung, numbers: Mutex::default() })))
    }

    /// The file descriptor that becomes readable when it is rung.
    fn fileno(&self) -> i32 {
        self.0.heard.as_raw_fd()
    }

    /// The numbers for which it was rung since the last call.
    fn take(&self) -> Vec<u64> {
        let mut bytes = [0; 64];
        // Empty the socket first: a later ring makes it readable again.
        while matches!((&self.0.heard).read(&mut bytes), Ok(64)) {}
        std::mem::take(&mut self.0.numbers())
    }
}

impl Bell {
    /// The end that engine threads hold.
    pub(crate) fn line(&self) -> Arc<Line> {
        Arc::clone(&self.0)
    }
}

impl Line {
    /// Rings for `number`.
    pub(crate) fn ring(&self, number: u64) {
        let mut numbers = self.numbers();
        let is_first = numbers.is_empty();
        numbers.push(number);
        if is_first {
            // A full socket has been rung already.
            let _ = (&self.rung).write(&[1]);
        }
    }

    fn numbers(&self) -> MutexGuard<'_, Vec<u64>> {
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
