//! Replies from a thread to many tasks that wait for them on a runtime. One of that runtime's own tasks passes them on, many at a
//! time: waking each from another thread would take a system call.

use tokio::sync::{mpsc, oneshot};

/// Replies that are sent together, each with its waiting receiver.
pub(crate) type Replies<T> = Vec<(oneshot::Sender<T>, T)>;

/// Where a thread puts replies.
pub(crate) type Relayed<T> = mpsc::UnboundedSender<Replies<T>>;

/// Passes replies on. It must be driven as long as any task waits for one.
#[derive(Debug)]
pub(crate) struct Relay<T>(mpsc::UnboundedReceiver<Replies<T>>);

impl<T> Relay<T> {
    /// A relay, and where the replies come in.
    pub(crate) fn new() -> (Relayed<T>, Self) {
        let (replies, received) = mpsc::unbounded_channel();
        (replies, Self(received))
    }

    /// Passes replies on until all senders are gone.
    pub(crate) async fn drive(mut self) {
        while let Some(replies) = self.0.recv().await {
            for (waiting, reply) in replies {
                // A cancelled task needs no reply.
                let _ = waiting.send(reply);
            }
        }
    }
}

/// Batches consecutive items for the same receiver, so that it is woken only once.
pub(crate) struct Together<M, T> {
    pending: Option<(mpsc::UnboundedSender<M>, Vec<T>)>,
}

impl<M, T> Default for Together<M, T> {
    fn default() -> Self {
        Self { pending: None }
    }
}

impl<M, T> Together<M, T> {
    /// Adds `one` for `receiver`; pending items of another receiver are sent first.
    pub(crate) fn add(&mut self, receiver: mpsc::UnboundedSender<M>, one: T, message: impl Fn(Vec<T>) -> M) {
        match &mut self.pending {
            Some((same, all)) if same.same_channel(&receiver) => all.push(one),
            Some(_) | None => {
                self.send(message);
                self.pending = Some((receiver, vec![one]));
            }
        }
    }

    /// Sends what is left.
    pub(crate) fn send(&mut self, message: impl Fn(Vec<T>) -> M) {
        if let Some((receiver, all)) = self.pending.take() {
            let _ = receiver.send(message(all));
        }
    }
}
