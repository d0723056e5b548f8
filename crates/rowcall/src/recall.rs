//! What is known without asking, and what becomes known by it: equal rows wait for one another in the cache, outcomes are looked
//! up in the journal and written there before they are released. Which row is asked when is `run.rs`' business.

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use crate::cache::{Cache, Entered};
use crate::config::Plan;
use crate::error::Problem;
use crate::event::EventKind;
use crate::extract::{Opening, open};
use crate::identity::{EqualRows, Key};
use crate::journal::{Intents, Known, News, Reply, Session, Spread, Written};
use crate::outcome::{Effort, Outcome};
use crate::row::Row;

/// A row with how it ended.
pub(crate) type Done = (Row, Outcome);

/// What a run is told.
#[derive(Debug)]
pub(crate) enum Recalled {
    /// Nothing is known of this row: ask.
    Ask(Opening),
    /// This row is over, and with a journal it is on the disk.
    Release(Done),
    /// What the journal has at the places that were to be loaded.
    Loaded(Vec<Done>),
    /// The journal takes no more.
    Broken(Problem),
}

/// What one run recalls.
#[derive(Debug)]
pub(crate) struct Recall {
    plan: Arc<Plan>,
    /// Where equal rows share an outcome.
    cache: Option<Cache<Row>>,
    session: Option<Session>,
    /// Rows that are being looked up, as they were given to the journal.
    looking: VecDeque<Vec<Opening>>,
    told: VecDeque<Recalled>,
    /// Rows taken and neither released nor abandoned, by their indexes.
    unsettled: BTreeSet<u64>,
    loading: usize,
}

impl Recall {
    /// A run of this plan begins, with its part of the journal if there is one.
    pub(crate) fn new(plan: Arc<Plan>, session: Option<Session>) -> Self {
        let cache = match plan.equal_rows {
            EqualRows::Share => Some(Cache::new()),
            EqualRows::AskEach => None,
        };
        Self {
            plan,
            cache,
            session,
            looking: VecDeque::new(),
            told: VecDeque::new(),
            unsettled: BTreeSet::new(),
            loading: 0,
        }
    }

    /// Whether a row that was released can be loaded again by its place.
    pub(crate) fn can_load(&self) -> bool {
        self.session.as_ref().is_some_and(Session::can_hold_back)
    }

    /// Rows taken and neither released nor abandoned.
    pub(crate) fn unsettled(&self) -> usize {
        self.unsettled.len()
    }

    /// Whether nothing will be told any more unless something is given.
    pub(crate) fn is_idle(&self) -> bool {
        self.told.is_empty() && self.unsettled.is_empty() && self.loading == 0
    }

    /// Whether rows are being looked up, which may have to be asked about.
    pub(crate) fn is_looking(&self) -> bool {
        !self.looking.is_empty()
    }

    /// Takes rows from the source.
    pub(crate) fn take(&mut self, rows: Vec<Row>) {
        let mut first = Vec::with_capacity(rows.len());
        for row in rows {
            self.plan.observers.emit(row.index, EventKind::Taken);
            self.unsettled.insert(row.index);
            let opening = match open(&self.plan, row) {
                Ok(opening) => opening,
                Err(unasked) => {
                    let (row, outcome) = *unasked;
                    self.end(None, row, outcome);
                    continue;
                }
            };
            match (&mut self.cache, opening.key) {
                (Some(cache), Some(key)) => match cache.enter(key, opening.row) {
                    Entered::First(row) => first.push(Opening { row, ..opening }),
                    Entered::Waits => {}
                },
                (_, _) => first.push(opening),
            }
        }
        let may_be_known = |opening: &Opening| match (&self.session, opening.key) {
            (Some(session), Some(key)) => session.may_know(key),
            (None, _) | (_, None) => false,
        };
        let (looked_up, unknown): (Vec<_>, Vec<_>) = first.into_iter().partition(may_be_known);
        self.told.extend(unknown.into_iter().map(Recalled::Ask));
        if let Some(session) = &self.session
            && !looked_up.is_empty()
        {
            session.look_up(looked_up.iter().filter_map(|opening| Some((opening.key?, &opening.row))));
            self.looking.push_back(looked_up);
        }
    }

    /// A way to note that a request is about to be sent, and what has to be driven for it; none without a journal.
    pub(crate) fn intents(&self) -> Option<(Intents, Spread)> {
        self.session.as_ref().map(Session::intents)
    }

    /// A row has ended, whether it was asked about or could not be.
    pub(crate) fn end(&mut self, key: Option<Key>, row: Row, outcome: Outcome) {
        if let Some(session) = &self.session {
            session.end(key, row, outcome);
            return;
        }
        for row in self.waited(key) {
            let outcome = Outcome { index: row.index, ..outcome.clone() };
            self.know(&outcome);
            self.release(row, outcome);
        }
        self.ended(&outcome);
        self.release(row, outcome);
    }

    /// A row is given up before its end, and those that waited for it.
    pub(crate) fn abandon(&mut self, key: Option<Key>, index: u64, effort: Effort) {
        if let (Some(session), Some(key), 1..) = (&self.session, key, effort.attempts) {
            session.give_up(key, index, effort);
        }
        for row in self.waited(key) {
            self.give_up(row.index);
        }
        self.give_up(index);
    }

    /// Wishes for what the journal has at these places.
    pub(crate) fn load(&mut self, places: Range<u64>) {
        if let Some(session) = &self.session {
            session.load(places);
            self.loading += 1;
        }
    }

    /// The input has come to its end, after so many rows, and all are over.
    pub(crate) fn complete(&mut self, rows: u64) {
        if let Some(session) = &self.session {
            session.complete(rows);
        }
    }

    /// What there is to tell without waiting.
    pub(crate) fn told(&mut self) -> Option<Recalled> {
        self.told.pop_front()
    }

    /// Waits until there is something to tell; for ever without a journal. Cancelling the wait loses nothing.
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
                let openings = self.looking.pop_front().unwrap_or_default();
                match found {
                    Ok(found) => {
                        for (opening, (key, known)) in openings.into_iter().zip(found) {
                            self.look_at(opening, key, known);
                        }
                    }
                    Err(problem) => {
                        for Opening { row, key, conversation } in openings {
                            self.abandon(key, row.index, *conversation.effort());
                        }
                        self.told.push_back(Recalled::Broken(problem));
                    }
                }
            }
            Reply::Places(found) => {
                self.loading -= 1;
                self.told.push_back(found.map_or_else(Recalled::Broken, Recalled::Loaded));
            }
            Reply::Written(written) => written.into_iter().for_each(|written| self.take_written(written)),
            Reply::Unwritten { key, index, problem } => {
                for row in self.waited(key) {
                    self.give_up(row.index);
                }
                self.give_up(index);
                self.told.push_back(Recalled::Broken(problem));
            }
        }
    }

    /// A row was looked up, by the key that it goes by from now on.
    fn look_at(&mut self, opening: Opening, key: Key, known: Option<Known>) {
        let Some(Known { number, outcome, is_in_place }) = known else {
            self.told.push_back(Recalled::Ask(Opening { key: Some(key), ..opening }));
            return;
        };
        for row in self.waited(Some(key)) {
            self.place(number, row, &outcome);
        }
        if is_in_place {
            self.know(&outcome);
            self.release(opening.row, outcome);
        } else {
            self.place(number, opening.row, &outcome);
        }
    }

    fn take_written(&mut self, written: Written) {
        let Written { key, number, row, outcome, news } = written;
        match news {
            News::Outcome => {
                for row in self.waited(key) {
                    self.place(number, row, &outcome);
                }
                self.ended(&outcome);
            }
            News::Place => self.know(&outcome),
        }
        self.release(row, outcome);
    }

    /// Has the place of a row written whose outcome is known.
    fn place(&mut self, number: i64, row: Row, outcome: &Outcome) {
        let outcome = Outcome { index: row.index, ..outcome.clone() };
        if let Some(session) = &self.session {
            session.place(number, row, outcome);
        }
    }

    fn waited(&mut self, key: Option<Key>) -> Vec<Row> {
        match (&mut self.cache, key) {
            (Some(cache), Some(key)) => cache.leave(key),
            (_, _) => Vec::new(),
        }
    }

    fn release(&mut self, row: Row, outcome: Outcome) {
        self.unsettled.remove(&row.index);
        self.told.push_back(Recalled::Release((row, outcome)));
    }

    fn give_up(&mut self, index: u64) {
        self.unsettled.remove(&index);
        self.plan.observers.emit(index, EventKind::Abandoned);
    }

    fn know(&self, outcome: &Outcome) {
        let failure = outcome.failure_kind();
        self.plan.observers.emit(outcome.index, EventKind::Known { failure });
    }

    fn ended(&self, outcome: &Outcome) {
        let failure = outcome.failure_kind();
        self.plan.observers.emit(outcome.index, EventKind::Ended { failure, effort: outcome.effort });
    }
}

impl Drop for Recall {
    /// A run that is dropped gives up its rows.
    fn drop(&mut self) {
        for index in std::mem::take(&mut self.unsettled) {
            self.plan.observers.emit(index, EventKind::Abandoned);
        }
    }
}
