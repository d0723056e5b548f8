//! What a run does when the user steers it, and the rows that it asks about again.

use std::collections::VecDeque;
use std::pin::Pin;

use super::Run;
use crate::error::Result;
use crate::recall::Done;
use crate::retries::FailedRows;
use crate::source::Source;
use crate::steering::{Command, Listener};

impl<S: Source> Run<S> {
    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Stop => self.halt.set(),
            Command::RetryFailed => self.retries.want(),
            Command::Deadline(deadline) => self.progress.set_deadline(deadline),
        }
    }

    pub(super) fn begin_retries(&mut self) {
        let unsettled = self.recall.unsettled_rows().clone();
        self.retries.begin(&self.plan, self.taken, unsettled, self.halt.clone());
    }
}

impl Run<FailedRows> {
    /// As [`Run::next`], with a type that a run within a run can have.
    pub(crate) fn next_boxed(&mut self) -> Pin<Box<dyn Future<Output = Result<VecDeque<Done>>> + Send + '_>> {
        Box::pin(self.next())
    }
}

/// Waits for commands, forever without a listener.
pub(super) async fn commands(listener: Option<&mut Listener>) -> Vec<Command> {
    match listener {
        Some(listener) => listener.next().await,
        None => std::future::pending().await,
    }
}
