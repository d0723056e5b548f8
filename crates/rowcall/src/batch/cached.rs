//! The cache and rows in batches: rows whose answer it has are not sent, and the values of batches are kept in it. Rows in a batch are not
//! claimed, since a claim ends with its process.

use std::sync::Arc;

use futures_util::future::join_all;

use super::FromLane;
use super::lane::Task;
use crate::cache::{Answer, Wanted};
use crate::error::Error;
use crate::extract::{PreparedRow, cache_key, cached_outcome, kept_answer};
use crate::journal::parked::ParkedRow;
use crate::outcome::Outcome;

/// A value to keep.
#[derive(Debug)]
pub(super) struct ToKeep {
    wanted: Wanted,
    answer: Answer,
}

impl Task {
    /// The rows that have to be sent, with their conversations. Those whose answer is in the cache end with it.
    pub(super) async fn not_cached(
        &mut self,
        page: Vec<ParkedRow>,
    ) -> Result<Vec<(ParkedRow, PreparedRow)>, Error> {
        let mut rows = Vec::with_capacity(page.len());
        for parked in page {
            match self.restore(&parked).await {
                Some(prepared) => rows.push((parked, prepared)),
                None => self.leave_queue(&parked).await?,
            }
        }
        let Some(session) = self.cache.clone() else { return Ok(rows) };
        let (plan, halt) = (Arc::clone(&self.plan), self.halt.clone());
        let looks = rows.iter_mut().map(|(_, prepared)| cached_outcome(&plan, prepared, &session));
        let Some(found) = halt.or(join_all(looks)).await else { return Ok(Vec::new()) };
        let mut rest = Vec::with_capacity(rows.len());
        for ((parked, prepared), outcome) in rows.into_iter().zip(found) {
            let Some(outcome) = outcome else {
                rest.push((parked, prepared));
                continue;
            };
            self.leave_queue(&parked).await?;
            self.notify(FromLane::Cached(Box::new(prepared), outcome)).await;
        }
        Ok(rest)
    }

    /// Notes the value of a row that has ended, to be kept in the cache. Rows with files are left out: the files may have changed since
    /// they were sent.
    pub(super) fn note_value(&mut self, prepared: &PreparedRow, outcome: &Outcome) {
        let Some(session) = &self.cache else { return };
        let key = prepared.key.and_then(|key| cache_key(&self.plan, prepared, key, session));
        if let Some((key, answer)) = key.zip(kept_answer(outcome)) {
            self.to_keep.push(ToKeep { wanted: Wanted { key, rejected: None }, answer });
        }
    }

    /// Keeps the values noted so far.
    pub(super) async fn keep_values(&mut self) {
        let Some(session) = &self.cache else { return };
        let keep = |ToKeep { wanted, answer }: ToKeep| async move {
            // Without a claim, another run has kept an answer or is about to.
            if let Some(claim) = session.claim(wanted).await {
                claim.keep(answer).await;
            }
        };
        join_all(std::mem::take(&mut self.to_keep).into_iter().map(keep)).await;
        if let Some(problem) = session.take_trouble() {
            self.warn(format!("{problem}: the run continues, but stores no more answers there"));
        }
    }
}
