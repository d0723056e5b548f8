//! The replies to runs: what has become of their entries.

use super::Entry;
use crate::error::Problem;
use crate::journal::session::Reply;
use crate::journal::{Change, Written};
use crate::relay::Together;

/// Notifies all runs that their entries are written. Runs that have ended in the meantime need no reply.
pub(super) fn report(group: Vec<Entry>, numbers: &[i64]) {
    let mut intents = Together::default();
    let mut written = Together::default();
    for (entry, number) in group.into_iter().zip(numbers) {
        let (asked, key, row, outcome, change, reply) = match entry {
            Entry::Intent { done, settled, .. } => {
                intents.add(settled, (done, Ok(())), |replies| replies);
                continue;
            }
            Entry::Ended { asked, key, row, outcome, place: _, reply } => {
                (asked, key, row, outcome, Change::Outcome, reply)
            }
            Entry::Placed { number: _, row, outcome, place: _, reply } => {
                (None, None, row, outcome, Change::Place, reply)
            }
            Entry::Work(work) => {
                work.report(Ok(()));
                continue;
            }
            Entry::GivenUp { .. }
            | Entry::Dropped { .. }
            | Entry::Probed { .. }
            | Entry::Interval { .. }
            | Entry::Adjusted { .. }
            | Entry::Begin
            | Entry::Complete { .. } => continue,
        };
        let one = Written { asked, key, number: *number, row, outcome, change };
        written.add(reply, one, Reply::Written);
    }
    intents.send(|replies| replies);
    written.send(Reply::Written);
}

pub(super) fn refuse(group: Vec<Entry>, problem: &Problem) {
    for entry in group {
        let (asked, index, reply) = match entry {
            Entry::Intent { done, settled, .. } => {
                let _ = settled.send(vec![(done, Err(problem.clone()))]);
                continue;
            }
            Entry::Ended { asked, row, reply, .. } => (asked, row.index, reply),
            Entry::Placed { row, reply, .. } => (None, row.index, reply),
            Entry::Work(work) => {
                work.report(Err(problem.clone()));
                continue;
            }
            Entry::GivenUp { .. }
            | Entry::Dropped { .. }
            | Entry::Probed { .. }
            | Entry::Interval { .. }
            | Entry::Adjusted { .. }
            | Entry::Begin
            | Entry::Complete { .. } => continue,
        };
        let _ = reply.send(Reply::Unwritten { asked, index, problem: problem.clone() });
    }
}
