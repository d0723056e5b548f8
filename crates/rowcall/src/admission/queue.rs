//! Who waits for admission, in the order of coming. Only the head is ever woken; why it waits is its own business.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Notify;

/// Those who wait, the longest first.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Ticket>,
    next: u64,
}

/// A place in the queue.
#[derive(Debug, Clone)]
pub(super) struct Ticket {
    number: u64,
    bell: Arc<Notify>,
}

impl Ticket {
    /// Waits until the place is woken; a call that came before is not lost.
    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the last place.
    pub(super) fn join(&mut self) -> Ticket {
        let ticket = Ticket { number: self.next, bell: Arc::new(Notify::new()) };
        self.next += 1;
        self.waiting.push_back(ticket.clone());
        ticket
    }

    /// Whether nobody stands in front.
    pub(super) fn is_head(&self, ticket: &Ticket) -> bool {
        self.waiting.front().is_some_and(|head| head.number == ticket.number)
    }

    /// Gives up a place, wherever it is.
    pub(super) fn leave(&mut self, ticket: &Ticket) {
        if let Ok(position) = self.waiting.binary_search_by_key(&ticket.number, |waiting| waiting.number) {
            self.waiting.remove(position);
        }
    }

    /// Lets the head look again whether it may start.
    pub(super) fn wake_head(&self) {
        if let Some(head) = self.waiting.front() {
            head.bell.notify_one();
        }
    }
}
