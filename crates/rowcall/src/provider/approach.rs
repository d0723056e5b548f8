//! How a run asks, which may change while it goes on: what a server does not take is left out from then on, or asked for by the
//! next of its means. Each change is made once for all rows.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Form, Mode, Target, refusal};
use crate::fault::{Fault, FaultKind, GEMINI_VERSION};

/// So many refusals of a form with no acceptance between them show that it is not taken any more, although it was.
const REFUSALS_AFTER_ACCEPTANCE: u32 = 8;

/// The same where nothing was accepted yet and the refusals are said to be of single answers.
const REFUSALS_OF_ANSWERS: u32 = 3;

/// The target of a run, and what may take its place.
#[derive(Debug)]
pub struct Approach {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    target: Arc<Target>,
    /// The forms to fall back to, the next one last.
    further: Vec<Form>,
    /// Whether the output limit is sent under its other name already.
    is_renamed: bool,
    /// How the present form has fared.
    record: Record,
}

/// How a form has fared.
#[derive(Debug, Default)]
struct Record {
    is_accepted: AtomicBool,
    /// Refusals since the latest acceptance.
    refusals: AtomicU32,
}

impl Record {
    /// Whether a refusal may be that of one row or answer alone.
    fn may_be_alone(&self, fault: &Fault) -> bool {
        let refusals = self.refusals.fetch_add(1, Ordering::Relaxed) + 1;
        let enough = if self.is_accepted.load(Ordering::Relaxed) {
            REFUSALS_AFTER_ACCEPTANCE
        } else if refusal::is_of_one_answer(&fault.message) {
            REFUSALS_OF_ANSWERS
        } else {
            0
        };
        refusals < enough
    }
}

/// What is asked differently from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This parameter is no longer sent.
    Dropped(String),
    /// The output limit is sent under this name.
    Renamed(&'static str),
    /// This keyword of a schema is described to the model instead.
    Described(String),
    /// Nothing but the form of a value is asked for, and what limits it is described to the model.
    Plain,
    /// Gemini's API is asked at its other version.
    Version,
    /// The schema is asked for in this way instead.
    Mode {
        /// As it was asked for.
        from: Mode,
        /// As it is asked for now.
        to: Mode,
    },
}

/// What a fault changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adaptation {
    /// Nothing.
    None,
    /// Nothing: others are accepted in the same form, or may be, so that the row is worth another attempt.
    OfRow,
    /// It has been seen to since the request was made: asking anew is enough.
    Made,
    /// This, and asking anew is enough.
    Change(Change),
}

impl Approach {
    /// Asks by `target`, and if its form proves to be none of the server's, by the forms in `further`, in that order.
    pub fn new(target: Target, mut further: Vec<Form>) -> Self {
        further.reverse();
        let (target, record) = (Arc::new(target), Record::default());
        Self { state: RwLock::new(State { target, further, is_renamed: false, record }) }
    }

    /// How to ask now.
    pub fn target(&self) -> Arc<Target> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).target)
    }

    /// A request that was made by `asked` was accepted.
    pub fn accepted(&self, asked: &Arc<Target>) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&state.target, asked) {
            state.record.is_accepted.store(true, Ordering::Relaxed);
            state.record.refusals.store(0, Ordering::Relaxed);
        }
    }

    /// What follows from a fault of a request that was made by `asked`.
    pub fn adapt(&self, asked: &Arc<Target>, fault: &Fault) -> Adaptation {
        match fault.kind {
            FaultKind::UnsupportedParameter | FaultKind::InvalidSchema | FaultKind::NotFound => {}
            FaultKind::RateLimit
            | FaultKind::Overloaded
            | FaultKind::Timeout
            | FaultKind::Server
            | FaultKind::Unreachable
            | FaultKind::Connection
            | FaultKind::Conflict
            | FaultKind::Quota
            | FaultKind::Auth
            | FaultKind::Permission
            | FaultKind::ContextLength
            | FaultKind::ContentPolicy
            | FaultKind::TooLarge
            | FaultKind::RequestExceedsLimit
            | FaultKind::Unprocessable
            | FaultKind::InvalidRequest => return Adaptation::None,
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&state.target, asked) {
            return Adaptation::Made;
        }
        if fault.kind == FaultKind::InvalidSchema {
            if state.record.may_be_alone(fault) {
                return Adaptation::OfRow;
            }
            return state.describe(&fault.message).unwrap_or_else(|| state.ask_otherwise());
        }
        if fault.kind == FaultKind::NotFound {
            let other = fault.param.as_deref().filter(|param| *param == GEMINI_VERSION);
            let Some(target) = other.and_then(|_| state.target.of_other_version()) else {
                return Adaptation::None;
            };
            state.target = Arc::new(target);
            return Adaptation::Change(Change::Version);
        }
        let Some(param) = fault.param.as_deref() else { return Adaptation::None };
        if let Some((target, change)) = state.target.without(param) {
            match change {
                // A server that refuses both names would be asked by one and the other for ever.
                Change::Renamed(_) if state.is_renamed => return Adaptation::None,
                Change::Renamed(_) => state.is_renamed = true,
                Change::Dropped(_)
                | Change::Version
                | Change::Described(_)
                | Change::Plain
                | Change::Mode { .. } => {}
            }
            state.target = Arc::new(target);
            return Adaptation::Change(change);
        }
        if !state.target.asks_for_schema_by(param) {
            return Adaptation::None;
        }
        if state.record.may_be_alone(fault) {
            return Adaptation::OfRow;
        }
        state.ask_otherwise()
    }
}

impl State {
    /// Asks for the schema without the keyword that a server names in its refusal.
    fn describe(&mut self, message: &str) -> Option<Adaptation> {
        let form = &self.target.form;
        let (keyword, wire) = form.wire.without_named(message)?;
        let form = Form { wire: Arc::new(wire), ..form.clone() };
        self.take(form);
        Some(Adaptation::Change(Change::Described(keyword.to_owned())))
    }

    /// Asks for the schema in the next form, if one is left.
    fn ask_otherwise(&mut self) -> Adaptation {
        let Some(form) = self.further.pop() else { return Adaptation::None };
        let from = self.target.form.mode;
        let change = if form.mode == from { Change::Plain } else { Change::Mode { from, to: form.mode } };
        self.take(form);
        Adaptation::Change(change)
    }

    fn take(&mut self, form: Form) {
        self.target = Arc::new(self.target.with_form(form));
        self.record = Record::default();
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dropped(name) => write!(f, "the server does not take `{name}`, so it is no longer sent"),
            Self::Renamed(name) => write!(f, "the output limit is sent as `{name}` from now on"),
            Self::Version => f.write_str("nothing is found at `/v1`, so `/v1beta` is asked"),
            Self::Described(keyword) => {
                write!(f, "the server does not take `{keyword}` in a schema, so it is described to the model instead")
            }
            Self::Plain => f.write_str(
                "the server does not take the schema with its limits, so they are described to the model instead",
            ),
            Self::Mode { from, to } => {
                write!(f, "the server does not take {}, so {} is used instead", from.phrase(), to.phrase())
            }
        }
    }
}

#[cfg(test)]
mod tests;
