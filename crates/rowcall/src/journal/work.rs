//! Work on the journal's tables that its caller waits for, done by the thread that writes and committed together with what else is
//! waiting.

use std::cell::RefCell;
use std::fmt;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::Journal;
use super::writer::Entry;
use crate::error::Problem;

/// Work to be done in a transaction.
pub(super) trait Work: Send {
    /// Does it.
    fn run(&self, connection: &Connection) -> rusqlite::Result<()>;

    /// Reports to the caller that it is committed, or why not.
    fn report(self: Box<Self>, done: Result<(), Problem>);
}

impl fmt::Debug for dyn Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Work")
    }
}

/// Work with its result.
struct Job<F, T> {
    todo: RefCell<Option<F>>,
    result: RefCell<Option<T>>,
    reply: oneshot::Sender<Result<T, Problem>>,
}

impl<F, T> Work for Job<F, T>
where
    F: FnOnce(&Connection) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn run(&self, connection: &Connection) -> rusqlite::Result<()> {
        if let Some(job) = self.todo.take() {
            self.result.replace(Some(job(connection)?));
        }
        Ok(())
    }

    fn report(self: Box<Self>, done: Result<(), Problem>) {
        let Self { result, reply, .. } = *self;
        let stopped = || Problem::new("the journal's writer has stopped");
        // A cancelled caller needs no reply.
        let _ = reply.send(done.and_then(|()| result.into_inner().ok_or_else(stopped)));
    }
}

impl Journal {
    /// Does `job` in a transaction, and waits until it is on the disk.
    ///
    /// # Errors
    /// If it fails; the journal is not written to any more then.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        let (reply, done) = oneshot::channel();
        let job = Job { todo: RefCell::new(Some(job)), result: RefCell::new(None), reply };
        self.writer.write(Entry::Work(Box::new(job)));
        done.await.unwrap_or_else(|_| Err(Problem::new("the journal's writer has stopped")))
    }
}
