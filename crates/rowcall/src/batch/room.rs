//! How many rows a batch may have: fewer than allowed while the provider says that too many tokens are enqueued, and again more once batches
//! have ended.

use std::time::Duration;

use tokio::time::Instant;

/// How long a size that was refused is not tried again. The tokens that count against the limit may be those of other programs.
const REFUSED_FOR: Duration = Duration::from_hours(1);

/// The room for batches at the provider.
#[derive(Debug)]
pub(super) struct Room {
    /// The most rows in any batch.
    limit: u64,
    /// The most rows in the next one.
    most_rows: u64,
    /// The size that was refused last although no other batch was running, and when.
    refused: Option<(u64, Instant)>,
    /// Whether there is none for another batch until one has ended.
    is_full: bool,
}

/// Whether other batches were running when one was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Running,
    None,
}

impl Room {
    /// For batches of at most this many rows.
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, most_rows: limit, refused: None, is_full: false }
    }

    pub(super) fn most_rows(&self) -> u64 {
        self.most_rows
    }

    /// Whether there is none for another batch until one has ended.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    /// Notes that the provider had no room for a batch of this many rows. If others were running, it may fit once one has ended;
    /// otherwise it has to be smaller.
    pub(super) fn refuse(&mut self, rows: u64, others: Others) {
        match others {
            Others::Running => self.is_full = true,
            Others::None => {
                self.refused = Some((rows, Instant::now()));
                self.most_rows = (rows / 2).max(1);
            }
        }
    }

    /// Notes that a batch has ended by itself: there is room again, and the next one may be larger, but not as large as one that was
    /// refused a while ago.
    pub(super) fn end(&mut self) {
        self.is_full = false;
        self.refused = self.refused.filter(|(_, at)| at.elapsed() < REFUSED_FOR);
        let below = self.refused.map_or(self.limit, |(rows, _)| rows.saturating_sub(1).max(1));
        let larger = self.most_rows.saturating_add(self.most_rows.div_ceil(4));
        self.most_rows = larger.min(below.max(self.most_rows)).min(self.limit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn batches_become_larger_again_but_not_as_large_as_one_that_was_refused() {
        let mut room = Room::new(1000);
        room.refuse(1000, Others::None);
        assert_eq!((room.most_rows(), room.is_full()), (500, false));
        room.refuse(500, Others::Running);
        assert_eq!((room.most_rows(), room.is_full()), (500, true), "it may fit once another has ended");
        let mut sizes = Vec::new();
        for _ in 0..6 {
            room.end();
            sizes.push(room.most_rows());
        }
        assert_eq!((sizes, room.is_full()), (vec![625, 782, 978, 999, 999, 999], false));
        tokio::time::advance(REFUSED_FOR).await;
        room.end();
        assert_eq!(room.most_rows(), 1000, "the limit may have been another program's tokens");
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_has_at_least_one_row() {
        let mut room = Room::new(3);
        for rows in [3, 1, 1] {
            room.refuse(rows, Others::None);
        }
        assert_eq!(room.most_rows(), 1);
        room.end();
        assert_eq!(room.most_rows(), 1, "two are not known to fit, and one was refused");
    }
}
