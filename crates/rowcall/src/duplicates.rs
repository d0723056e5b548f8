//! Equal rows of one run: while one of them is asked about, the others wait for its outcome. Nothing is kept here once a row is
//! finished; journal and cache handle earlier rows.

use std::collections::HashMap;

use crate::identity::Key;

/// The rows being asked about, each with the rows that wait for its outcome.
#[derive(Debug)]
pub(crate) struct Duplicates<T> {
    waiting: HashMap<Key, Vec<T>>,
}

/// What to do about a row.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Entered<T> {
    /// It is the first of its kind: ask about it.
    First(T),
    /// An equal row is being asked about.
    Waits,
}

impl<T> Duplicates<T> {
    /// No rows are being asked about.
    pub(crate) fn new() -> Self {
        Self { waiting: HashMap::new() }
    }

    /// Takes a row with its key, and keeps it if it has to wait.
    pub(crate) fn enter(&mut self, key: Key, row: T) -> Entered<T> {
        if let Some(waiting) = self.waiting.get_mut(&key) {
            waiting.push(row);
            return Entered::Waits;
        }
        self.waiting.insert(key, Vec::new());
        Entered::First(row)
    }

    /// Returns the rows that waited for the row with this key, which is finished.
    pub(crate) fn leave(&mut self, key: Key) -> Vec<T> {
        self.waiting.remove(&key).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_asks_and_the_others_wait_for_it() {
        let [a, b] = [1, 2].map(|n| Key::from_bytes(&[n; 16]).expect("16 bytes"));
        let mut duplicates = Duplicates::new();
        assert_eq!(duplicates.enter(a, 0), Entered::First(0));
        assert_eq!(duplicates.enter(b, 1), Entered::First(1));
        assert_eq!(duplicates.enter(a, 2), Entered::Waits);
        assert_eq!(duplicates.enter(a, 3), Entered::Waits);
        assert_eq!(duplicates.leave(b), Vec::<i32>::new());
        assert_eq!(duplicates.leave(a), [2, 3]);
        assert_eq!(duplicates.enter(a, 4), Entered::First(4), "what is over is asked about again");
    }
}
