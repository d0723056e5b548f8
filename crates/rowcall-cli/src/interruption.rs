//! Ctrl-C and SIGTERM: once, the run is halted, and what is in flight is awaited; twice, it stops now.

use std::cell::Cell;

use rowcall::{Error, Halt, Problem, Result};
use tokio::signal::unix::{self, SignalKind};

/// A signal that asks to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What `kill` sends.
    Terminate,
}

/// Listens for the signals.
#[derive(Debug)]
pub(crate) struct Interruption {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Interruption {
    /// Takes over both signals for the rest of the process.
    ///
    /// # Errors
    /// If the system does not let us.
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| {
            unix::signal(kind)
                .map_err(|error| Error::Config(Problem::new(format!("signals cannot be handled: {error}"))))
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Halts the run at the first signal, which is put into `first`, and says so by `say`. Returns at the second.
    pub(crate) async fn watch(mut self, halt: &Halt, first: &Cell<Option<Signal>>, say: impl Fn()) -> Signal {
        first.set(Some(self.next().await));
        halt.set();
        say();
        self.next().await
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            Some(()) = self.interrupt.recv() => Signal::Interrupt,
            Some(()) = self.terminate.recv() => Signal::Terminate,
            else => std::future::pending().await,
        }
    }
}
