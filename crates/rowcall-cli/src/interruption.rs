//! Ctrl-C and SIGTERM: the first halts the run and waits for requests in flight, the second stops it at once.

use std::cell::Cell;

use rowcall::{Error, Halt, Problem, Result};
use tokio::signal::unix::{self, SignalKind};

/// A signal that asks the process to end.
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
    /// If the system refuses.
    pub(crate) fn listen() -> Result<Self> {
        let listen = |kind| {
            unix::signal(kind)
                .map_err(|error| Error::Config(Problem::new(format!("cannot handle signals: {error}"))))
        };
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    /// Halts the run at the first signal, stores it in `first` and calls `announce`. Returns at the second.
    pub(crate) async fn watch(
        mut self,
        halt: &Halt,
        first: &Cell<Option<Signal>>,
        announce: impl Fn(),
    ) -> Signal {
        first.set(Some(self.next().await));
        halt.set();
        announce();
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
