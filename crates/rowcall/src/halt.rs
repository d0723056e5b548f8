//! The switch that ends a run early. `run.rs` decides what a run does then.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;

/// A switch that ends a run: once it is on, no more requests are sent, and those in flight are awaited.
#[derive(Debug, Clone)]
pub struct Halt(Arc<watch::Sender<bool>>);

impl Default for Halt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Halt {
    /// Switches it on.
    pub fn set(&self) {
        self.0.send_replace(true);
    }

    /// Switches it off at the end of a run of which it has stopped nothing.
    pub(crate) fn clear(&self) {
        self.0.send_replace(false);
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is on.
    pub(crate) async fn wait(&self) {
        // The sender lives as long as `self`, so only the switch can end the wait.
        let _ = self.0.subscribe().wait_for(|on| *on).await;
    }

    /// The result of `work`, or `None` if the switch is on or comes on before that.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        if self.is_on() {
            return None;
        }
        tokio::select! {
            biased;
            done = work => Some(done),
            () = self.wait() => None,
        }
    }
}
