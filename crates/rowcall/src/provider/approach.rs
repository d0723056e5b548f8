//! How a run's requests are made, which may change during the run: a parameter that the server rejects is dropped, a rejected schema
//! is requested in the next form. Each change is made once for all rows.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::{Form, Mode, Target, refusal};
use crate::fault::{Fault, FaultCause, FaultKind};

/// After this many consecutive rejections, a form that was accepted before no longer counts as accepted.
const REFUSALS_AFTER_ACCEPTANCE: u32 = 8;

/// The same limit before the first acceptance, for rejections that concern a single answer.
const REFUSALS_OF_ANSWERS: u32 = 3;

/// The target of a run, and its fallbacks.
#[derive(Debug)]
pub struct Approach {
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    target: Arc<Target>,
    /// The forms to fall back to, the next one last.
    further: Vec<Form>,
    /// Whether the output limit has already been sent under its other name.
    is_renamed: bool,
    /// How the current form has fared.
    record: Record,
}

/// How a form has fared.
#[derive(Debug, Default)]
struct Record {
    is_accepted: AtomicBool,
    /// Rejections since the last acceptance.
    refusals: AtomicU32,
}

impl Record {
    /// Counts a rejection, and whether it may concern only one row or answer.
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

/// A change to all further requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This parameter is no longer sent.
    Dropped(String),
    /// The output limit is sent under this name.
    Renamed(&'static str),
    /// This schema keyword is described to the model instead.
    Described(String),
    /// Only the shape of a value is requested; its constraints are described to the model.
    Plain,
    /// Requests go to the other version of Gemini's API.
    Version,
    /// The schema is requested in another mode.
    Mode {
        /// The mode until now.
        from: Mode,
        /// The mode from now on.
        to: Mode,
    },
}

/// The change that a fault leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adaptation {
    /// Nothing.
    None,
    /// Nothing: other rows are or may be accepted in the same form, so the row is worth another attempt.
    OfRow,
    /// The change was made after the request was encoded: a retry is enough.
    Made,
    /// This change; a retry is enough.
    Change(Change),
}

impl Approach {
    /// Starts with `target`; if the server rejects its form, falls back to those in `further`, in that order.
    pub fn new(target: Target, mut further: Vec<Form>) -> Self {
        further.reverse();
        let (target, record) = (Arc::new(target), Record::default());
        Self { state: RwLock::new(State { target, further, is_renamed: false, record }) }
    }

    /// The current target.
    pub fn target(&self) -> Arc<Target> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner).target)
    }

    /// Sends no such parameter from now on.
    pub(crate) fn leave_out(&self, parameter: &str) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if let Some((target, _)) = state.target.without(parameter) {
            state.target = Arc::new(target);
        }
    }

    /// Records that a request made with `asked` was accepted.
    pub fn accepted(&self, asked: &Arc<Target>) {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&state.target, asked) {
            state.record.is_accepted.store(true, Ordering::Relaxed);
            state.record.refusals.store(0, Ordering::Relaxed);
        }
    }

    /// Adapts to a fault of a request that was made with `asked`.
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
            return state.describe(&fault.message).unwrap_or_else(|| state.fall_back());
        }
        if fault.kind == FaultKind::NotFound {
            let is_of_version = fault.cause == Some(FaultCause::ApiVersion);
            let Some(target) = is_of_version.then(|| state.target.of_other_version()).flatten() else {
                return Adaptation::None;
            };
            state.target = Arc::new(target);
            return Adaptation::Change(Change::Version);
        }
        let Some(param) = fault.param.as_deref() else { return Adaptation::None };
        if let Some((target, change)) = state.target.without(param) {
            match change {
                // Otherwise a server that rejects both names would be sent one and then the other forever.
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
        state.fall_back()
    }
}

impl State {
    /// Requests the schema without the keyword that the server names in its rejection.
    fn describe(&mut self, message: &str) -> Option<Adaptation> {
        let form = &self.target.form;
        let (keyword, wire) = form.wire.without_named(message)?;
        let form = Form { wire: Arc::new(wire), ..form.clone() };
        self.take(form);
        Some(Adaptation::Change(Change::Described(keyword.to_owned())))
    }

    /// Requests the schema in the next form, if one is left.
    fn fall_back(&mut self) -> Adaptation {
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
            Self::Dropped(name) => write!(f, "the server does not accept `{name}`, so it is no longer sent"),
            Self::Renamed(name) => write!(f, "the output limit is sent as `{name}` from now on"),
            Self::Version => f.write_str("`/v1` was not found, so `/v1beta` is used"),
            Self::Described(keyword) => {
                write!(f, "the server does not accept `{keyword}` in a schema, so it is described to the model instead")
            }
            Self::Plain => f.write_str(
                "the server does not accept the constraints of the schema, so they are described to the model instead",
            ),
            Self::Mode { from, to } => {
                write!(f, "the server does not accept {}, so {} is used instead", from.phrase(), to.phrase())
            }
        }
    }
}

#[cfg(test)]
mod tests;
