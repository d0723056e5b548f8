//! Outcomes that are known without asking, and recording those that are new. Equal rows wait for one another; outcomes are looked up
//! in the journal and written there before they are released. A row takes over an outcome of another row or an earlier run only if
//! `validity.rs` finds it valid. `run.rs` decides when a row is asked.

mod candidate;
mod keys;
mod lookup;
mod parking;
mod steps;

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub(crate) use candidate::Candidate;
pub(crate) use steps::{Done, RecallEvent};
use steps::{LookedUp, Waiting};

use crate::config::Plan;
use crate::duplicates::{Duplicates, Entered};
use crate::error::Problem;
use crate::event::{EventKind, KnownFrom};
use crate::extract::{PreparedRow, prepare};
use crate::identity::{EqualRows, KeyOf, KnownFailures, RowKey};
use crate::interval::Activity;
use crate::journal::{Change, Intents, Placing, Reply, Session, Written};
use crate::outcome::{Effort, FailureKind, Outcome};
use crate::relay::Relay;
use crate::row::Row;
use crate::validity::{self, Verdict};
use crate::violation::Violation;

/// The outcomes that one run knows and records.
#[derive(Debug)]
pub(crate) struct Recall {
    plan: Arc<Plan>,
    /// `None` if equal rows do not share an outcome.
    duplicates: Option<Duplicates<Row>>,
    session: Option<Session>,
    looking: VecDeque<LookedUp>,
    events: VecDeque<RecallEvent>,
    /// Indexes of rows taken and neither released nor abandoned.
    unsettled: BTreeSet<u64>,
    /// The subset whose shared outcome, of an equal row, is being written.
    sharing: BTreeSet<u64>,
    loading: usize,
}

impl Recall {
    /// Begins a run of this plan, with its session of the journal if there is one.
    pub(crate) fn new(plan: Arc<Plan>, session: Option<Session>) -> Self {
        let duplicates = match plan.equal_rows {
            EqualRows::Share => Some(Duplicates::new()),
            EqualRows::AskEach => None,
        };
        Self {
            plan,
            duplicates,
            session,
            looking: VecDeque::new(),
            events: VecDeque::new(),
            unsettled: BTreeSet::new(),
            sharing: BTreeSet::new(),
            loading: 0,
        }
    }

    /// Whether a released row can be loaded again by its place.
    pub(crate) fn can_load(&self) -> bool {
        self.session.as_ref().is_some_and(Session::can_hold_back)
    }

    /// Rows taken and neither released nor abandoned.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled.len()
    }

    /// The same by index.
    pub(crate) fn unsettled_rows(&self) -> &BTreeSet<u64> {
        &self.unsettled
    }

    /// Whether no more events will come unless there is new input.
    pub(crate) fn is_idle(&self) -> bool {
        self.events.is_empty() && self.unsettled.is_empty() && self.loading == 0
    }

    /// Whether rows are being looked up that may still have to be asked about.
    pub(crate) fn is_looking(&self) -> bool {
        !self.looking.is_empty()
    }

    /// Takes rows from the source.
    pub(crate) fn take(&mut self, rows: Vec<Row>) {
        for row in &rows {
            self.plan.observers.emit(row.index, EventKind::Taken);
            self.unsettled.insert(row.index);
        }
        self.admit(rows);
    }

    /// Looks up what is known of the rows taken.
    fn admit(&mut self, rows: Vec<Row>) {
        let mut looked_up = Vec::with_capacity(rows.len());
        for row in rows {
            let Some(prepared) = self.prepare_or_look_up(row) else { continue };
            let Some(prepared) = self.enter(prepared) else { continue };
            let may_be_known = match (&self.session, prepared.key) {
                (Some(session), Some(key)) => !self.separates_equal_rows() && session.may_know(key.key),
                (None, _) | (_, None) => false,
            };
            if may_be_known {
                looked_up.push(prepared);
            } else {
                self.look_up_own(prepared);
            }
        }
        self.look_up(looked_up);
    }

    /// Prepares the row; `None` if that fails, in which case the row is finished.
    fn prepare(&mut self, row: Row) -> Option<PreparedRow> {
        match prepare(&self.plan, row) {
            Ok(prepared) => Some(prepared),
            Err(unasked) => {
                let (row, outcome) = *unasked;
                self.end(None, row, outcome);
                None
            }
        }
    }

    /// Returns the row if it is the first with its key; others wait for the first one's outcome.
    fn enter(&mut self, prepared: PreparedRow) -> Option<PreparedRow> {
        let shared = prepared.key.map(|key| self.shared(key));
        match (&mut self.duplicates, shared) {
            (Some(duplicates), Some(key)) => match duplicates.enter(key, prepared.row) {
                Entered::First(row) => Some(PreparedRow { row, ..prepared }),
                Entered::Waits => None,
            },
            (_, _) => Some(prepared),
        }
    }

    /// Where to record that a request is about to be sent, and the relay to drive for it; `None` without a journal.
    pub(crate) fn intents(&self) -> Option<(Intents, Relay<Result<(), Problem>>)> {
        self.session.as_ref().map(Session::intents)
    }

    /// Records that a row has ended, whether or not it could be asked about.
    pub(crate) fn end(&mut self, asked: Option<RowKey>, row: Row, outcome: Outcome) {
        let known_by = asked.map(|asked| self.known_by(asked, &row, &outcome));
        if let Some(session) = &self.session {
            session.end(asked, known_by.map(|key| key.key), row, outcome);
            return;
        }
        self.share(asked, known_by, None, &outcome);
        self.ended(&outcome);
        self.release(row, outcome);
    }

    /// The key to record an outcome under: if the check sees more than the value, a row without a valid answer says nothing
    /// about other rows.
    fn known_by(&self, asked: RowKey, row: &Row, outcome: &Outcome) -> RowKey {
        match outcome.failure_kind() {
            Some(FailureKind::Invalid) => self.own_key(asked, row).unwrap_or(asked),
            Some(
                FailureKind::Input
                | FailureKind::Encoding
                | FailureKind::Clash
                | FailureKind::Template
                | FailureKind::Attachment
                | FailureKind::Refusal
                | FailureKind::Truncated
                | FailureKind::ContentFilter
                | FailureKind::Fault(_),
            )
            | None => asked,
        }
    }

    /// Gives the outcome of the row that was `asked` about to the rows that waited for it, if it applies to them as well.
    fn share(
        &mut self,
        asked: Option<RowKey>,
        known_by: Option<RowKey>,
        number: Option<i64>,
        outcome: &Outcome,
    ) {
        let (Some(asked), Some(known_by)) = (asked, known_by) else { return };
        let waiting = self.waited(Some(asked));
        if self.separates_equal_rows() {
            let candidates =
                waiting.into_iter().map(|row| self.separate_candidate(row, asked, number, outcome));
            let candidates = candidates.collect();
            return self.propose(candidates);
        }
        let (same, others): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|row| known_by == asked || self.own_key(asked, row) == Some(known_by));
        self.propose(same.into_iter().map(|row| Candidate::new(row, known_by, number, outcome)).collect());
        self.admit(others);
    }

    /// The outcome of the row that was `asked` about, for a row that is asked the same but identified by its own key, under which
    /// it will be written as well.
    fn separate_candidate(
        &self,
        row: Row,
        asked: RowKey,
        number: Option<i64>,
        outcome: &Outcome,
    ) -> Candidate {
        let known_as = self.plan.known_as.as_ref().map(|known_as| known_as.key(&row));
        let key = known_as.map_or(asked, |(key, of)| RowKey { key, of, ..asked });
        let number = number.filter(|_| key == asked);
        Candidate::new(row, key, number, outcome)
    }

    /// Gives up an unfinished row, and those that waited for it.
    pub(crate) fn abandon(&mut self, key: Option<RowKey>, index: u64, effort: Effort) {
        if let (Some(session), Some(key), 1..) = (&self.session, key, effort.attempts) {
            session.give_up(key.key, index, effort);
        }
        for row in self.waited(key) {
            self.give_up(row.index);
        }
        self.give_up(index);
    }

    /// Requests what the journal has at these places.
    pub(crate) fn load(&mut self, places: Range<u64>) {
        if let Some(session) = &self.session {
            session.load(places);
            self.loading += 1;
        }
    }

    /// Records that the input has ended after `rows` rows and all are finished.
    pub(crate) fn complete(&mut self, rows: u64) {
        if let Some(session) = &self.session {
            session.complete(rows);
        }
    }

    /// The length of the intervals to record; `None` without a journal that records them.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.session.as_ref().and_then(Session::interval)
    }

    /// Records what the run did in the interval that ends now.
    pub(crate) fn note_interval(&self, lasted: Duration, activity: Activity) {
        if let Some(session) = &self.session {
            session.note_interval(lasted, activity);
        }
    }

    /// How the run's rows relate to the places in the journal; they have none without one.
    pub(crate) fn placing(&self) -> Placing {
        self.session.as_ref().map_or(Placing::None, Session::placing)
    }

    /// The next event, without waiting.
    pub(crate) fn next_event(&mut self) -> Option<RecallEvent> {
        self.events.pop_front()
    }

    /// Waits for a reply of the journal, which may make an event; forever without a journal. Cancelling the wait loses nothing.
    pub(crate) async fn wait(&mut self) {
        match &mut self.session {
            Some(session) => {
                let reply = session.next().await;
                self.take_reply(reply);
            }
            None => std::future::pending().await,
        }
    }

    fn take_reply(&mut self, reply: Reply) {
        match reply {
            Reply::Known(found) => {
                let Some(looked_up) = self.looking.pop_front() else { return };
                match found {
                    Ok(found) => self.take_known(looked_up, found),
                    Err(problem) => {
                        self.give_up_looking(looked_up);
                        self.events.push_back(RecallEvent::Broken(problem));
                    }
                }
            }
            Reply::Places(found) => {
                self.loading -= 1;
                self.events.push_back(found.map_or_else(RecallEvent::Broken, RecallEvent::Loaded));
            }
            Reply::Written(written) => written.into_iter().for_each(|written| self.take_written(written)),
            Reply::Unwritten { asked, index, problem } => {
                for row in self.waited(asked) {
                    self.give_up(row.index);
                }
                self.give_up(index);
                self.events.push_back(RecallEvent::Broken(problem));
            }
        }
    }

    /// Gives these rows their candidate outcomes, if those are found valid.
    fn propose(&mut self, candidates: Vec<Candidate>) {
        let mut unchecked = Vec::new();
        for candidate in candidates {
            match (&candidate.outcome.result, &self.plan.check) {
                (Ok(_), Some(_)) => unchecked.push(candidate),
                (Ok(value), None) => {
                    let verdict = validity::without_check(&self.plan, value);
                    self.take_verdict(candidate, verdict);
                }
                (Err(_), check) if self.asks_again(&candidate) => {
                    let has_check = check.is_some();
                    let candidate = candidate.second_look();
                    if candidate.is_second_look && has_check {
                        unchecked.push(candidate);
                    } else {
                        self.ask_again(candidate);
                    }
                }
                (Err(_), _) => self.accept(candidate),
            }
        }
        if !unchecked.is_empty() {
            self.events.push_back(RecallEvent::Judge(unchecked));
        }
    }

    /// Whether a failure in the journal should be asked about again.
    fn asks_again(&self, candidate: &Candidate) -> bool {
        candidate.from == KnownFrom::Journal && self.plan.known_failures == KnownFailures::AskAgain
    }

    /// Asks about a row as if nothing were known of it.
    fn ask_again(&mut self, candidate: Candidate) {
        let key = candidate.key;
        let Some(PreparedRow { row, conversation, .. }) = self.prepare(candidate.row) else { return };
        if let Some(prepared) = self.enter(PreparedRow { row, key: Some(key), conversation }) {
            self.events.push_back(RecallEvent::Ask(prepared));
        }
    }

    /// Applies the verdict on each candidate.
    pub(crate) fn take_judged(&mut self, judged: Vec<(Candidate, Verdict)>) {
        for (candidate, verdict) in judged {
            self.take_verdict(candidate, verdict);
        }
    }

    fn take_verdict(&mut self, candidate: Candidate, verdict: Verdict) {
        match verdict {
            Verdict::Valid => self.accept(candidate),
            Verdict::InvalidForAll(violations) => {
                let key = candidate.key;
                self.reject(candidate, key, violations);
            }
            Verdict::InvalidForRow(violations) => {
                let key = self.own_key(candidate.key, &candidate.row).unwrap_or(candidate.key);
                self.reject(candidate, key, violations);
            }
        }
    }

    /// The row takes over the outcome.
    fn accept(&mut self, candidate: Candidate) {
        let Candidate { row, outcome, key, number, is_in_place, from, is_second_look } = candidate;
        if is_second_look {
            self.end(Some(key), row, outcome);
            return;
        }
        if from == KnownFrom::EqualRow {
            self.sharing.insert(row.index);
        }
        match (&self.session, number) {
            (Some(session), Some(number)) if !is_in_place => session.place(number, row, outcome),
            // The journal already has the effort.
            (Some(_), None) => self.end(Some(key), row, Outcome { effort: Effort::default(), ..outcome }),
            (_, _) => {
                self.know(&outcome);
                self.release(row, outcome);
            }
        }
    }

    /// The value is not valid for the row: the row is asked about in its own conversation, which begins with that value as a
    /// first answer.
    fn reject(&mut self, candidate: Candidate, key: RowKey, violations: Vec<Violation>) {
        let Candidate { row, outcome, key: known_by, .. } = candidate;
        let Some(PreparedRow { row, mut conversation, .. }) = self.prepare(row) else { return };
        if let Ok(value) = outcome.result {
            let said = self.plan.approach.target().said(&value);
            conversation.answered(said, value, violations);
        }
        let Some(prepared) = self.enter(PreparedRow { row, key: Some(key), conversation }) else { return };
        if key == known_by {
            // What this key has is the value that was rejected.
            self.events.push_back(RecallEvent::Ask(prepared));
        } else {
            self.look_up_own(prepared);
        }
    }

    fn take_written(&mut self, written: Written) {
        let Written { asked, key, number, row, outcome, change } = written;
        match change {
            Change::Outcome => {
                let known_by = asked.zip(key).map(|(asked, key)| {
                    if asked.key == key { asked } else { RowKey { key, of: KeyOf::Row, ..asked } }
                });
                self.share(asked, known_by, Some(number), &outcome);
                if self.sharing.contains(&outcome.index) {
                    self.know(&outcome);
                } else {
                    self.ended(&outcome);
                }
            }
            Change::Place => self.know(&outcome),
        }
        self.release(row, outcome);
    }

    /// Takes the rows that wait for the one with this key; the next row with it will be a first again.
    fn waited(&mut self, key: Option<RowKey>) -> Vec<Row> {
        let shared = key.map(|key| self.shared(key));
        match (&mut self.duplicates, shared) {
            (Some(duplicates), Some(key)) => duplicates.leave(key),
            (_, _) => Vec::new(),
        }
    }

    fn release(&mut self, row: Row, outcome: Outcome) {
        self.unsettled.remove(&row.index);
        self.events.push_back(RecallEvent::Release((row, outcome)));
    }

    fn give_up(&mut self, index: u64) {
        self.unsettled.remove(&index);
        self.sharing.remove(&index);
        self.plan.observers.emit(index, EventKind::Abandoned);
    }

    fn know(&mut self, outcome: &Outcome) {
        let failure = outcome.reason();
        let from = if self.sharing.remove(&outcome.index) { KnownFrom::EqualRow } else { KnownFrom::Journal };
        self.plan.observers.emit(outcome.index, EventKind::Known { failure, from });
    }

    fn ended(&self, outcome: &Outcome) {
        let failure = outcome.reason();
        let kind = if outcome.from_cache {
            EventKind::Known { failure, from: KnownFrom::Cache }
        } else {
            EventKind::Ended { failure, effort: outcome.effort }
        };
        self.plan.observers.emit(outcome.index, kind);
    }
}

impl Drop for Recall {
    /// A dropped run gives up its rows.
    fn drop(&mut self) {
        for index in std::mem::take(&mut self.unsettled) {
            self.plan.observers.emit(index, EventKind::Abandoned);
        }
    }
}
