//! The rows of a run that are ready to be asked about, and how many of them wait for their first permit. `run.rs` spawns the next ones
//! as these become few: a spawned row takes several kilobytes, and a thousand of them do not stay in a core's cache until their turn.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Notify;

/// How many spawned rows may wait for their first permit. It is more than may overtake one another, and enough to look rows up in the
/// cache together.
const MOST: usize = 128;

/// How many are few: then there is still one for every permit until others have been spawned.
const FEW: usize = 32;

/// The rows that are not spawned yet, oldest first.
#[derive(Debug)]
pub(crate) struct Backlog<T> {
    rows: VecDeque<T>,
    most: usize,
    spawned: Arc<Spawned>,
}

/// The spawned rows without a permit.
#[derive(Debug, Default)]
struct Spawned {
    waiting: AtomicUsize,
    are_few: Notify,
}

/// Which of the rows have to be among those that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Only the next ones.
    Next,
    /// All: any of them may be the only one that can still be asked about.
    Any,
}

impl<T> Backlog<T> {
    pub(crate) fn new(choice: Choice) -> Self {
        let most = match choice {
            Choice::Next => MOST,
            Choice::Any => usize::MAX,
        };
        Self { rows: VecDeque::new(), most, spawned: Arc::default() }
    }

    /// Adds a row behind the others.
    pub(crate) fn push(&mut self, row: T) {
        self.rows.push_back(row);
    }

    /// How many rows are not spawned yet.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The next row to spawn, if there is one and few enough wait. It counts as waiting until it leaves its place.
    pub(crate) fn next(&mut self) -> Option<(T, Place)> {
        if self.spawned.waiting.load(Ordering::Relaxed) >= self.most {
            return None;
        }
        let row = self.rows.pop_front()?;
        self.spawned.waiting.fetch_add(1, Ordering::Relaxed);
        Some((row, Place { spawned: Arc::clone(&self.spawned), is_left: AtomicBool::new(false) }))
    }

    /// Waits until few rows wait, forever if there is none to spawn. Cancelling the wait loses nothing.
    pub(crate) async fn are_few(&self) {
        if self.rows.is_empty() {
            std::future::pending::<()>().await;
        }
        self.spawned.are_few.notified().await;
    }
}

/// The place of a spawned row among those that wait.
#[derive(Debug)]
pub(crate) struct Place {
    spawned: Arc<Spawned>,
    is_left: AtomicBool,
}

impl Place {
    /// The row has its first permit, or needs none.
    pub(crate) fn leave(&self) {
        if !self.is_left.swap(true, Ordering::Relaxed)
            && self.spawned.waiting.fetch_sub(1, Ordering::Relaxed) == FEW + 1
        {
            self.spawned.are_few.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn rows_follow_when_few_are_waiting() {
        let mut backlog = Backlog::new(Choice::Next);
        (0..=MOST).for_each(|row| backlog.push(row));
        let mut places: Vec<_> = std::iter::from_fn(|| backlog.next()).collect();
        assert_eq!((places.len(), places[0].0), (MOST, 0));
        let are_few = async |backlog: &Backlog<usize>| {
            tokio::time::timeout(std::time::Duration::from_secs(1), backlog.are_few()).await.is_ok()
        };
        places.truncate(FEW + 1);
        assert!(!are_few(&backlog).await);
        places[0].1.leave();
        places[0].1.leave();
        assert!(are_few(&backlog).await, "even if nobody was waiting at that moment");
        assert_eq!(backlog.next().map(|(row, _)| row), Some(MOST));
        places.clear();
        assert!(!are_few(&backlog).await, "there is nothing to spawn");
    }

    #[test]
    fn all_wait_where_any_may_be_the_one() {
        let mut backlog = Backlog::new(Choice::Any);
        (0..2 * MOST).for_each(|row| backlog.push(row));
        let places: Vec<_> = std::iter::from_fn(|| backlog.next()).collect();
        assert_eq!(places.len(), 2 * MOST);
    }
}
