//! Looking rows up in the journal: by what they are asked, and by keys of their own.

use super::{Candidate, LookedUp, Recall, Recalled, Waiting};
use crate::extract::{Opening, open};
use crate::identity::{Key, KeyOf, RowKey};
use crate::journal::{Known, Place};
use crate::outcome::FailureKind;
use crate::row::Row;

impl Recall {
    /// Looks these rows up by what they are asked.
    pub(super) fn look_up(&mut self, openings: Vec<Opening>) {
        if let Some(session) = &self.session
            && !openings.is_empty()
        {
            let wanted = openings.iter().filter_map(|opening| {
                let key = opening.key?;
                Some((key.key, self.possible_own(key, &opening.row).map(|own| own.key), &opening.row))
            });
            session.look_up(wanted);
            self.looking.push_back(LookedUp::ByPrompt(openings));
        }
    }

    /// The row made ready; none if it cannot be, in which case it is over unless something is known of it.
    pub(super) fn opened_or_known(&mut self, row: Row) -> Option<Opening> {
        let unasked = match open(&self.plan, row) {
            Ok(opening) => return Some(opening),
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

    /// Nothing is known of the row's prompt: it is asked about, unless it has an outcome of its own.
    pub(super) fn look_up_own(&mut self, opening: Opening) {
        let own = opening.key.and_then(|key| match key.of {
            KeyOf::Prompt => self.own_key(key, &opening.row),
            KeyOf::Row => Some(key),
        });
        match (&self.session, own) {
            (Some(session), Some(own)) if session.may_know_own(own.key) => {
                session.look_up_own(own.key, &opening.row);
                self.looking.push_back(LookedUp::ByRow(Box::new((opening, None))));
            }
            (_, _) => self.told.push_back(Recalled::Ask(opening)),
        }
    }

    /// Rows were looked up: what was found of them, with the keys that they go by.
    pub(super) fn take_known(&mut self, looked_up: LookedUp, found: Vec<(Key, Option<Known>)>) {
        match looked_up {
            LookedUp::ByPrompt(openings) => {
                for (opening, (key, known)) in openings.into_iter().zip(found) {
                    let asked = opening.key.map_or(key, |key| key.asked);
                    self.look_at(opening, RowKey { key, of: KeyOf::Prompt, asked }, known);
                }
            }
            LookedUp::ByRow(looked_up) => {
                let (opening, instead) = *looked_up;
                let Some((own, known)) = found.into_iter().next() else { return };
                let waiting = if instead.is_some() { Waiting::IsLookedUp } else { Waiting::GoesOn };
                match (opening.key, known, instead) {
                    (key, Some(known), _) => {
                        let asked = key.map_or(own, |key| key.asked);
                        let own = RowKey { key: own, of: KeyOf::Row, asked };
                        self.recognise(opening, own, known, waiting);
                    }
                    (Some(key), None, Some(known)) => self.recognise(opening, key, known, waiting),
                    (_, None, _) => self.told.push_back(Recalled::Ask(opening)),
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

    /// Rows that could not be looked up are given up.
    pub(super) fn give_up_looking(&mut self, looked_up: LookedUp) {
        let openings = match looked_up {
            LookedUp::ByPrompt(openings) => openings,
            LookedUp::ByRow(looked_up) => vec![looked_up.0],
            LookedUp::Unasked(unasked, _) => return self.give_up(unasked.0.index),
        };
        for Opening { row, key, conversation } in openings {
            self.abandon(key, row.index, *conversation.effort());
        }
    }

    /// A row was looked up by what it is asked.
    pub(super) fn look_at(&mut self, opening: Opening, found_by: RowKey, known: Option<Known>) {
        let Some(known) = known else {
            match opening.key.and_then(|key| self.possible_own(key, &opening.row)) {
                // Its outcome, which is to be replaced, is its own.
                Some(own) if own.key == found_by.key => self.set_apart(opening, own),
                _ => self.look_up_own(Opening { key: Some(found_by), ..opening }),
            }
            return;
        };
        // Equal rows may have been told apart by a rerun in other words.
        let may_differ = known.outcome.result.is_err() || known.place == Place::OtherOutcome;
        let own = self.of_row(found_by, &opening.row).filter(|_| may_differ);
        match (&self.session, own) {
            (Some(session), Some(own)) if session.may_know_own(own.key) => {
                session.look_up_own(own.key, &opening.row);
                let opening = Opening { key: Some(found_by), ..opening };
                self.looking.push_back(LookedUp::ByRow(Box::new((opening, Some(known)))));
            }
            (_, own) => {
                let waiting = if own.is_some() { Waiting::IsLookedUp } else { Waiting::Shares };
                self.recognise(Opening { key: Some(found_by), ..opening }, found_by, known, waiting);
            }
        }
    }

    /// The outcome of a row is known by this key.
    pub(super) fn recognise(&mut self, opening: Opening, found_by: RowKey, known: Known, waiting: Waiting) {
        let rows = self.waited(opening.key);
        let number = known.number;
        let first = Candidate::known(opening.row, found_by, known);
        match waiting {
            Waiting::Shares => {
                let others = rows.into_iter();
                let others = others.map(|row| Candidate::new(row, found_by, Some(number), &first.outcome));
                let candidates = others.collect::<Vec<_>>();
                self.propose(candidates.into_iter().chain([first]).collect());
            }
            Waiting::IsLookedUp => {
                self.propose(vec![first]);
                let openings = rows.into_iter().filter_map(|row| self.opened(row)).collect();
                self.look_up(openings);
            }
            Waiting::GoesOn => {
                self.propose(vec![first]);
                self.admit(rows);
            }
        }
    }

    /// A row that holds up others which are asked the very same is asked about under a key of its own.
    pub(super) fn set_apart(&mut self, opening: Opening, own: RowKey) {
        let waiting = self.waited(opening.key);
        if let Some(opening) = self.enter(Opening { key: Some(own), ..opening }) {
            self.told.push_back(Recalled::Ask(opening));
        }
        self.admit(waiting);
    }
}
