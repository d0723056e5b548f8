//! Who waits for admission, in the order of coming, but for a few who may overtake one that needs much. Who is admitted is
//! decided by the owner, who leaves the right with the ticket; only the head has to keep watch over time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// How many behind the head are looked at when it has to wait, and how often one may be overtaken.
const LOOK_AHEAD: usize = 4;
const MOST_OVERTAKES: u32 = 8;

/// Those who wait, the longest first.
#[derive(Debug)]
pub(super) struct Queue<N, G> {
    waiting: VecDeque<Arc<Ticket<N, G>>>,
    next: u64,
    overtakes: u32,
}

/// A place in the queue.
#[derive(Debug)]
pub(super) struct Ticket<N, G> {
    number: u64,
    pub(super) need: N,
    bell: Notify,
    granted: Mutex<Option<G>>,
}

impl<N, G> Ticket<N, G> {
    /// Waits until the place is woken; a call that came before is not lost.
    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }

    /// What was granted, once.
    pub(super) fn take(&self) -> Option<G> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<N, G> Queue<N, G> {
    pub(super) fn new() -> Self {
        Self { waiting: VecDeque::new(), next: 0, overtakes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes the last place.
    pub(super) fn join(&mut self, need: N) -> Arc<Ticket<N, G>> {
        let ticket =
            Arc::new(Ticket { number: self.next, need, bell: Notify::new(), granted: Mutex::default() });
        self.next += 1;
        self.waiting.push_back(Arc::clone(&ticket));
        if (2..=1 + LOOK_AHEAD).contains(&self.waiting.len()) {
            // The head keeps watch for this one too.
            self.wake_head();
        }
        ticket
    }

    /// Whether nobody stands in front.
    pub(super) fn is_head(&self, ticket: &Ticket<N, G>) -> bool {
        self.waiting.front().is_some_and(|head| head.number == ticket.number)
    }

    /// Gives up a place, wherever it is, if it still is one.
    pub(super) fn leave(&mut self, ticket: &Ticket<N, G>) {
        if let Ok(position) = self.waiting.binary_search_by_key(&ticket.number, |waiting| waiting.number) {
            self.remove(position);
        }
    }

    /// What those need who may be the next to go: the head, and the few behind it if they may still overtake it.
    pub(super) fn candidates(&self) -> impl Iterator<Item = &N> {
        let looked_at = if self.overtakes < MOST_OVERTAKES { 1 + LOOK_AHEAD } else { 1 };
        self.waiting.iter().take(looked_at).map(|waiting| &waiting.need)
    }

    /// Lets the one at `position` go, with what is granted.
    pub(super) fn grant(&mut self, position: usize, granted: G) {
        if position > 0 {
            self.overtakes += 1;
        }
        if let Some(ticket) = self.remove(position) {
            *ticket.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
            ticket.bell.notify_one();
        }
    }

    /// Lets the head look again how long it has to wait.
    pub(super) fn wake_head(&self) {
        if let Some(head) = self.waiting.front() {
            head.bell.notify_one();
        }
    }

    fn remove(&mut self, position: usize) -> Option<Arc<Ticket<N, G>>> {
        if position == 0 {
            self.overtakes = 0;
        }
        self.waiting.remove(position)
    }
}
