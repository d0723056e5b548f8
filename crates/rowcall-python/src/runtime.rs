//! The single runtime of a process, made when it is first needed. A forked child has none of its parent's threads, so
//! it makes its own runtime and never touches its parent's.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use tokio::runtime::{Builder, Handle, Runtime};

/// The engine's work per row is small. With one thread it leaves the other of two cores to the interpreter; an event
/// loop that shares both is late by whole time slices of the system.
const WORKERS: usize = 1;

/// How long a thread pauses that has used the interpreter for long.
const PAUSE: Duration = Duration::from_micros(50);

/// Locked only by threads that hold the interpreter's lock, so that no other thread has it locked when a process forks.
static RUNTIME: Mutex<Option<(u32, Runtime)>> = Mutex::new(None);

/// The runtime of this process.
///
/// # Errors
/// `OSError` if threads cannot be started.
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
        .map_err(|error| PyOSError::new_err(format!("cannot start the runtime: {error}")))?;
    let handle = built.handle().clone();
    if let Some(parents) = runtime.replace((here, built)) {
        // Its threads are the parent's, so waiting for them would never end.
        std::mem::forget(parents);
    }
    Ok(handle)
}

/// Pauses without the interpreter's lock. A thread that merely releases the lock takes it again before a waiting
/// thread has woken up, which then waits for the whole switch interval of 5 ms.
pub(crate) fn pause() {
    std::thread::park_timeout(PAUSE);
}
