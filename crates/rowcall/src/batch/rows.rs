//! Rows on their way into the journal and back: parking them, and beginning or resuming their conversations.

use super::lane::Task;
use super::{FromLane, ToLane};
use crate::conversation::Conversation;
use crate::error::Error;
use crate::extract::{PreparedRow, prepare};
use crate::journal::Journal;
use crate::journal::batches;
use crate::journal::parked::{self, ParkedRow, ToPark};
use crate::money::Cost;
use crate::outcome::Outcome;
use crate::turn::Prompt;

/// Rows parked in one transaction.
const PARKED_TOGETHER: usize = 512;

/// Rows handed over at a time once their equal row has ended.
const EQUALS_TOGETHER: u64 = 256;

/// A row that is asked again, in the next batch or online.
#[derive(Debug)]
pub(super) struct Returned {
    pub(super) parked: ParkedRow,
    pub(super) prepared: PreparedRow,
    pub(super) route: Route,
}

/// Where a row is asked next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// In the next batch.
    Batch,
    /// Online.
    Online,
}

impl Task {
    /// Parks the rows that the run has handed over so far.
    pub(super) async fn take_inbox(&mut self) -> Result<(), Error> {
        loop {
            let mut rows = Vec::new();
            while rows.len() < PARKED_TOGETHER {
                let Some(message) = self.pending.take().or_else(|| self.inbox.try_recv().ok()) else { break };
                match message {
                    ToLane::Ask(prepared) => rows.push(*prepared),
                    ToLane::SourceEnded(count) => {
                        self.source_ended = true;
                        if let Some(count) = count {
                            self.work(move |connection| batches::note_input(connection, count)).await?;
                        }
                    }
                }
            }
            if rows.is_empty() {
                return Ok(());
            }
            self.park(rows).await?;
        }
    }

    async fn park(&mut self, rows: Vec<PreparedRow>) -> Result<(), Error> {
        let mut to_park = Vec::with_capacity(rows.len());
        let mut parked = Vec::with_capacity(rows.len());
        for PreparedRow { row, key, conversation } in rows {
            let Some(key) = key else { continue };
            parked.push((Some(key), row.index));
            let record = Journal::record_of(&row).map_err(Error::Journal)?;
            // A conversation that has not begun is made anew from the row.
            let conversation = conversation.is_answered().then(|| json(&conversation));
            to_park.push(ToPark { key, index: row.index, record, conversation });
        }
        let known_by = self.known_by;
        self.work(move |connection| parked::park(connection, &to_park, known_by)).await?;
        self.has_news = true;
        self.notify(FromLane::Parked(parked)).await;
        Ok(())
    }

    /// The parked row with its conversation. `None` if no prompt can be made for it, which ends the row.
    pub(super) async fn restore(&mut self, parked: &ParkedRow) -> Option<PreparedRow> {
        let saved = parked.conversation.as_deref();
        let saved: Option<Conversation> = saved.and_then(|saved| serde_json::from_str(saved).ok());
        let (key, row) = (Some(parked.key), parked.row.clone());
        if let Some(conversation) = saved {
            let conversation = conversation.at(row.index);
            return Some(PreparedRow { row, key, conversation });
        }
        match prepare(&self.plan, row) {
            Ok(prepared) => Some(PreparedRow { key, ..prepared }),
            Err(unasked) => {
                let (row, outcome) = *unasked;
                let conversation = Conversation::begin(row.index, Prompt::new(Vec::new()), 0, None);
                self.end(parked.is_taken, PreparedRow { row, key, conversation }, outcome).await;
                None
            }
        }
    }

    /// Reports to the run that a row has ended.
    pub(super) async fn end(&mut self, is_taken: bool, prepared: PreparedRow, outcome: Outcome) {
        let prepared = Box::new(prepared);
        self.notify(if is_taken {
            FromLane::Ended(prepared, outcome)
        } else {
            FromLane::EndedApart(prepared, outcome)
        })
        .await;
    }

    /// Takes a row out of the queue that ends unsent.
    pub(super) async fn leave_queue(&self, parked: &ParkedRow) -> Result<(), Error> {
        let seq = parked.seq;
        self.work(move |connection| parked::leave_queue(connection, seq)).await
    }

    /// Records where rows are asked next, and hands those over that are asked online.
    pub(super) async fn give_back(&mut self, returned: Vec<Returned>) -> Result<(), Error> {
        if returned.is_empty() {
            return Ok(());
        }
        let mut online = Vec::new();
        let mut changes: Vec<(ParkedRow, Option<String>, u32, Cost)> = Vec::with_capacity(returned.len());
        for Returned { parked, prepared, route } in returned {
            let effort = *prepared.conversation.effort();
            // Nobody waits for a row that this run has not taken; another run may ask about it.
            let saved = match route {
                Route::Online if parked.is_taken => None,
                Route::Online | Route::Batch => Some(json(&prepared.conversation)),
            };
            if saved.is_none() {
                online.push(prepared);
            }
            changes.push((parked, saved, effort.attempts, effort.cost));
        }
        self.work(move |connection| {
            changes.iter().try_for_each(|(row, saved, attempts, cost)| match saved {
                Some(conversation) => parked::requeue(connection, row.seq, conversation),
                None => parked::hand_over(connection, row, *attempts, *cost),
            })
        })
        .await?;
        self.has_news = true;
        for prepared in online {
            self.notify(FromLane::Online(Box::new(prepared))).await;
        }
        Ok(())
    }

    /// Hands rows over whose equal row has ended.
    pub(super) async fn deliver_equals(&mut self) -> Result<(), Error> {
        loop {
            let rows = self.work(|connection| parked::take_equals(connection, EQUALS_TOGETHER)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.notify(FromLane::Again(rows)).await;
        }
    }
}

fn json(conversation: &Conversation) -> String {
    serde_json::to_string(conversation).unwrap_or_default()
}
