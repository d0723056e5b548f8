//! What a run does when something happens in its lane of batches.

use super::Run;
use crate::batch::{FromLane, Lane};
use crate::extract::PreparedRow;
use crate::source::Source;

impl<S: Source> Run<S> {
    /// How many rows are being asked about without a batch, or are ready to be.
    pub(super) fn online(&self) -> usize {
        self.tasks.len() + self.backlog.len()
    }

    pub(super) fn take_lane_event(&mut self, event: FromLane) {
        match event {
            FromLane::Parked(rows) => rows.into_iter().for_each(|(key, index)| self.recall.park(key, index)),
            FromLane::Ended(prepared, outcome) => {
                let PreparedRow { row, key, conversation: _ } = *prepared;
                self.recall.unpark(row.index);
                self.count(&outcome);
                self.recall.end(key, row, outcome);
            }
            FromLane::Cached(prepared, outcome) => {
                let PreparedRow { row, key, conversation: _ } = *prepared;
                self.recall.unpark(row.index);
                self.recall.end(key, row, outcome);
            }
            FromLane::EndedApart(prepared, outcome) => {
                let PreparedRow { row, key, conversation: _ } = *prepared;
                self.recall.end_apart(key, row, outcome);
            }
            FromLane::Online(prepared) => {
                self.recall.unpark(prepared.row.index);
                self.backlog.push(*prepared);
            }
            FromLane::Abandoned(prepared) => self.abandon(*prepared),
            FromLane::Again(rows) => self.recall.look_again(rows),
            FromLane::Failed(error) => self.stop(error),
            FromLane::Over { left: _, input: _ } => {}
        }
    }
}

/// The next event of the lane, forever without one.
pub(super) async fn lane_event(lane: Option<&mut Lane>) -> FromLane {
    match lane {
        Some(lane) => lane.next().await,
        None => std::future::pending().await,
    }
}
