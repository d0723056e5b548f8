//! Looking up rows in the journal, by their prompts and by their own keys.

use super::{Candidate, LookedUp, Recall, RecallEvent, Waiting};
use crate::extract::{PreparedRow, prepare};
use crate::identity::{Key, KeyOf, RowKey};
use crate::journal::{Known, Place};
use crate::outcome::FailureKind;
use crate::row::Row;

impl Recall {
    /// Looks up these rows by their prompts.
    pub(super) fn look_up(&mut self, prepared_rows: Vec<PreparedRow>) {
        if let Some(session) = &self.session
            && !prepared_rows.is_empty()
        {
            let wanted = prepared_rows.iter().filter_map(|prepared| {
                let key = prepared.key?;
                Some((key.key, self.possible_own(key, &prepared.row).map(|own| own.key), &prepared.row))
            });
            session.look_up(wanted);
            self.looking.push_back(LookedUp::ByPrompt(prepared_rows));
        }
    }

    /// Prepares the row; `None` if that fails, in which case the row is finished unless the journal knows it.
    pub(super) fn prepare_or_look_up(&mut self, row: Row) -> Option<PreparedRow> {
        let unasked = match prepare(&self.plan, row) {
            Ok(prepared) => return Some(prepared),
            Err(unasked) => unasked,
        };
        let key = self.plan.keys.of_unasked(&unasked.0);
        let has_no_prompt = unasked.1.failure_kind() == Some(FailureKind::Template);
        match &self.session {
            Some(session) if has_no_prompt && session.may_know_own(key) => {
                session.look_up_own(key, &unasked.0);
                self.looking.push_back(LookedUp::Unasked(unasked, key));
            }
            Some(_) | None => self.end(None, unasked.0, unasked.1),
        }
        None
    }

    /// Nothing is known of the row's prompt: asks about the row, unless it has its own outcome.
    pub(super) fn look_up_own(&mut self, prepared: PreparedRow) {
        let own = prepared.key.and_then(|key| match key.of {
            KeyOf::Prompt => self.own_key(key, &prepared.row),
            KeyOf::Row => Some(key),
        });
        match (&self.session, own) {
            (Some(session), Some(own)) if session.may_know_own(own.key) => {
                session.look_up_own(own.key, &prepared.row);
                self.looking.push_back(LookedUp::ByRow(Box::new((prepared, None))));
            }
            (_, _) => self.events.push_back(RecallEvent::Ask(prepared)),
        }
    }

    /// Handles the result of a look-up: each row's key, and what the journal has for it.
    pub(super) fn take_known(&mut self, looked_up: LookedUp, found: Vec<(Key, Option<Known>)>) {
        match looked_up {
            LookedUp::ByPrompt(prepared_rows) => {
                for (prepared, (key, known)) in prepared_rows.into_iter().zip(found) {
                    let asked = prepared.key.map_or(key, |key| key.asked);
                    self.look_at(prepared, RowKey { key, of: KeyOf::Prompt, asked }, known);
                }
            }
            LookedUp::ByRow(looked_up) => {
                let (prepared, instead) = *looked_up;
                let Some((own, known)) = found.into_iter().next() else { return };
                let waiting = if instead.is_some() { Waiting::IsLookedUp } else { Waiting::GoesOn };
                match (prepared.key, known, instead) {
                    (key, Some(known), _) => {
                        let asked = key.map_or(own, |key| key.asked);
                        let own = RowKey { key: own, of: KeyOf::Row, asked };
                        self.recognise(prepared, own, known, waiting);
                    }
                    (Some(key), None, Some(known)) => self.recognise(prepared, key, known, waiting),
                    (_, None, _) => self.events.push_back(RecallEvent::Ask(prepared)),
                }
            }
            LookedUp::Unasked(unasked, key) => {
                let (row, outcome) = *unasked;
                match found.into_iter().next() {
                    Some((_, Some(known))) => {
                        let key = RowKey { key, of: KeyOf::Row, asked: key };
                        self.propose(vec![Candidate::known(row, key, known)]);
                    }
                    Some((_, None)) | None => self.end(None, row, outcome),
                }
            }
        }
    }

    /// Gives up rows that could not be looked up.
    pub(super) fn give_up_looking(&mut self, looked_up: LookedUp) {
        let prepared_rows = match looked_up {
            LookedUp::ByPrompt(prepared_rows) => prepared_rows,
            LookedUp::ByRow(looked_up) => vec![looked_up.0],
            LookedUp::Unasked(unasked, _) => return self.give_up(unasked.0.index),
        };
        for PreparedRow { row, key, conversation } in prepared_rows {
            self.abandon(key, row.index, *conversation.effort());
        }
    }

    /// Handles the result for a row that was looked up by its prompt.
    pub(super) fn look_at(&mut self, prepared: PreparedRow, found_by: RowKey, known: Option<Known>) {
        let Some(known) = known else {
            match prepared.key.and_then(|key| self.possible_own(key, &prepared.row)) {
                // The outcome to be replaced is the row's own.
                Some(own) if own.key == found_by.key => self.set_apart(prepared, own),
                _ => self.look_up_own(PreparedRow { key: Some(found_by), ..prepared }),
            }
            return;
        };
        // A rerun with another prompt may have separated equal rows.
        let may_differ = known.outcome.result.is_err() || known.place == Place::OtherOutcome;
        let own = self.of_row(found_by, &prepared.row).filter(|_| may_differ);
        match (&self.session, own) {
            (Some(session), Some(own)) if session.may_know_own(own.key) => {
                session.look_up_own(own.key, &prepared.row);
                let prepared = PreparedRow { key: Some(found_by), ..prepared };
                self.looking.push_back(LookedUp::ByRow(Box::new((prepared, Some(known)))));
            }
            (_, own) => {
                let waiting = if own.is_some() { Waiting::IsLookedUp } else { Waiting::Shares };
                self.recognise(PreparedRow { key: Some(found_by), ..prepared }, found_by, known, waiting);
            }
        }
    }

    /// Handles a row whose outcome the journal has under this key.
    pub(super) fn recognise(
        &mut self,
        prepared: PreparedRow,
        found_by: RowKey,
        known: Known,
        waiting: Waiting,
    ) {
        let rows = self.waited(prepared.key);
        let number = known.number;
        let first = Candidate::known(prepared.row, found_by, known);
        match waiting {
            Waiting::Shares => {
                let others = rows.into_iter();
                let others = others.map(|row| Candidate::new(row, found_by, Some(number), &first.outcome));
                let candidates = others.collect::<Vec<_>>();
                self.propose(candidates.into_iter().chain([first]).collect());
            }
            Waiting::IsLookedUp => {
                self.propose(vec![first]);
                let prepared_rows = rows.into_iter().filter_map(|row| self.prepare(row)).collect();
                self.look_up(prepared_rows);
            }
            Waiting::GoesOn => {
                self.propose(vec![first]);
                self.admit(rows);
            }
        }
    }

    /// Asks about a row under its own key, so that it no longer holds up others with the same request.
    pub(super) fn set_apart(&mut self, prepared: PreparedRow, own: RowKey) {
        let waiting = self.waited(prepared.key);
        if let Some(prepared) = self.enter(PreparedRow { key: Some(own), ..prepared }) {
            self.events.push_back(RecallEvent::Ask(prepared));
        }
        self.admit(waiting);
    }
}
