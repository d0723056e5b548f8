//! The queue for admission, in order of arrival, except that a few small attempts may overtake a large one. The owner decides which
//! attempt is admitted and leaves the grant with its ticket; only the head has to watch the time. Each extractor with its own limit has
//! its own line, so that one without free slots does not hold up others.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// How many attempts behind the head are considered when it has to wait, and how often it may be overtaken.
const LOOK_AHEAD: usize = 4;
const MOST_OVERTAKES: u32 = 8;

/// Identifies a line: the number of an extractor with its own limit. All other extractors share one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Line(pub(super) u64);

/// All non-empty lines.
#[derive(Debug)]
pub(super) struct Queues<N, G> {
    lines: BTreeMap<Option<Line>, Queue<N, G>>,
    next: u64,
}

/// The attempts that wait in one line, oldest first.
#[derive(Debug)]
pub(super) struct Queue<N, G> {
    waiting: VecDeque<Arc<Ticket<N, G>>>,
    overtakes: u32,
}

/// A position in the queue.
#[derive(Debug)]
pub(super) struct Ticket<N, G> {
    number: u64,
    pub(super) line: Option<Line>,
    pub(super) need: N,
    bell: Notify,
    granted: Mutex<Option<G>>,
}

impl<N, G> Ticket<N, G> {
    /// Waits until the ticket is woken; an earlier call is not lost.
    pub(super) async fn woken(&self) {
        self.bell.notified().await;
    }

    /// Takes what was granted, once.
    pub(super) fn take(&self) -> Option<G> {
        self.granted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<N, G> Queues<N, G> {
    pub(super) fn new() -> Self {
        Self { lines: BTreeMap::new(), next: 0 }
    }

    /// Joins the end of a line.
    pub(super) fn join(&mut self, line: Option<Line>, need: N) -> Arc<Ticket<N, G>> {
        let number = self.next;
        self.next += 1;
        let ticket = Ticket { number, line, need, bell: Notify::new(), granted: Mutex::default() };
        let queue = self.lines.entry(line).or_insert_with(Queue::new);
        queue.join(ticket)
    }

    /// Among the lines that satisfy `serves`, the one whose head has waited longest.
    pub(super) fn first(
        &self,
        serves: impl Fn(Option<Line>) -> bool,
    ) -> Option<(Option<Line>, &Queue<N, G>)> {
        let served = self.lines.iter().filter(|(line, _)| serves(**line));
        served.min_by_key(|(_, queue)| queue.first()).map(|(line, queue)| (*line, queue))
    }

    /// Leaves the queue, from any position; does nothing for a ticket that was granted.
    pub(super) fn leave(&mut self, ticket: &Ticket<N, G>) {
        if let Some(queue) = self.lines.get_mut(&ticket.line) {
            queue.leave(ticket);
            self.tidy(ticket.line);
        }
    }

    /// Grants the attempt at `position` of a line and removes it.
    pub(super) fn grant(&mut self, line: Option<Line>, position: usize, granted: G) {
        if let Some(queue) = self.lines.get_mut(&line) {
            queue.grant(position, granted);
            self.tidy(line);
        }
    }

    fn tidy(&mut self, line: Option<Line>) {
        if self.lines.get(&line).is_some_and(|queue| queue.waiting.is_empty()) {
            self.lines.remove(&line);
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

impl<N, G> Queue<N, G> {
    fn new() -> Self {
        Self { waiting: VecDeque::new(), overtakes: 0 }
    }

    /// The head's number.
    fn first(&self) -> Option<u64> {
        self.waiting.front().map(|head| head.number)
    }

    /// Joins the end.
    fn join(&mut self, ticket: Ticket<N, G>) -> Arc<Ticket<N, G>> {
        let ticket = Arc::new(ticket);
        self.waiting.push_back(Arc::clone(&ticket));
        if (2..=1 + LOOK_AHEAD).contains(&self.waiting.len()) {
            // The head checks for this one too.
            self.wake_head();
        }
        ticket
    }

    /// Whether the ticket is first in line.
    pub(super) fn is_head(&self, ticket: &Ticket<N, G>) -> bool {
        self.waiting.front().is_some_and(|head| head.number == ticket.number)
    }

    fn leave(&mut self, ticket: &Ticket<N, G>) {
        if let Ok(position) = self.waiting.binary_search_by_key(&ticket.number, |waiting| waiting.number) {
            self.remove(position);
        }
    }

    /// How many attempts may be next: the head, and a few behind it if they may still overtake it.
    pub(super) fn candidates(&self) -> usize {
        if self.overtakes < MOST_OVERTAKES { 1 + LOOK_AHEAD } else { 1 }
    }

    /// The needs of all waiting attempts, oldest first.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &N> {
        self.waiting.iter().map(|waiting| &waiting.need)
    }

    fn grant(&mut self, position: usize, granted: G) {
        if position > 0 {
            self.overtakes += 1;
        }
        if let Some(ticket) = self.remove(position) {
            *ticket.granted.lock().unwrap_or_else(PoisonError::into_inner) = Some(granted);
            ticket.bell.notify_one();
        }
    }

    /// Makes the head recompute its wait.
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
