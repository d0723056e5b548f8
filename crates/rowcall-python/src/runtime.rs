//! The one runtime of a process, made when it is first needed. A forked child has none of its parent's threads: it gets a runtime
//! of its own and leaves its parent's alone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};

/// The engine's work per row is small, and with one thread of its own it leaves the other core of two to the interpreter: an
/// event loop that shares both is late by whole time slices of the system.
const WORKERS: usize = 1;

/// How long a thread stays away that has used the interpreter for long.
const PAUSE: Duration = Duration::from_micros(50);

/// Locked only by threads that hold the interpreter's lock, so that no other thread has it locked when a process forks.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// The runtime of this process.
///
/// # Errors
/// `OSError` if no threads can be had.
pub(crate) fn handle(_attached: Python<'_>) -> PyResult<Handle> {
    let mut runtime = RUNTIME.lock().unwrap_or_else(PoisonError::into_inner);
    let here = std::process::id();
    if let Some((process, runtime)) = &*runtime
        && *process == here
    {
        return Ok(runtime.handle().clone());
    }
    let built = Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .thread_name("rowcall")
        .enable_all()
        .build()
        .map_err(|error| PyOSError::new_err(format!("no runtime can be made: {error}")))?;
    let handle = built.handle().clone();
    if let Some(parents) = runtime.replace((here, built)) {
        // Its threads are the parent's; waiting for them here would never end.
        std::mem::forget(parents);
    }
    Ok(handle)
}

/// Stays away from the interpreter for a moment. Whoever only gives up its lock has it again before a thread that waits for it
/// has woken up, and that one then waits for as long as the interpreter lets anybody go on, which is 5 ms.
pub(crate) fn pause() {
    std::thread::park_timeout(PAUSE);
}
