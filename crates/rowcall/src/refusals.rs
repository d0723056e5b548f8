//! Whether a server refuses every row alike, judged by the first answers of a run until one is accepted or refused differently.
//! `run.rs` decides what follows for the run.

use std::sync::Arc;

use tokio::sync::watch;

use crate::fault::{Fault, FaultKind};
use crate::message::pattern;

/// What to do if a server refuses all the first rows alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AllRefused {
    /// The run stops, and the other rows are not asked about.
    #[default]
    Stop,
    /// Each row fails by itself.
    KeepGoing,
}

/// The number of rows refused alike after which a refusal counts for every row.
const ROWS: u32 = 8;

/// The same for rows that are too long or too large: input that is sorted by length may begin with many of them.
const ROWS_TOO_LARGE: u32 = 64;

/// What a run's first answers show; clones share the state.
#[derive(Debug, Clone)]
pub(crate) struct Refusals(Arc<watch::Sender<State>>);

/// The state of a run's refusals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Nothing was accepted yet, and nothing else is known.
    Open,
    /// Enough rows were refused alike: nothing is sent until those in flight are answered.
    Suspected,
    /// All were refused alike.
    Confirmed,
    /// Rows are answered differently, or it does not matter whether they are.
    Settled,
}

#[derive(Debug)]
struct State {
    standing: Standing,
    in_flight: usize,
    refused: u32,
    like: Option<Alike>,
    /// The latest fault that was not a refusal of its row, so that the row would be asked about again.
    no_answer: Option<Box<Fault>>,
}

/// What refusals have in common.
#[derive(Debug, PartialEq, Eq)]
struct Alike {
    kind: FaultKind,
    status: Option<u16>,
    pattern: String,
}

impl Refusals {
    /// Nothing is known of the server yet.
    pub(crate) fn new(all_refused: AllRefused) -> Self {
        let standing = match all_refused {
            AllRefused::Stop => Standing::Open,
            AllRefused::KeepGoing => Standing::Settled,
        };
        Self(Arc::new(watch::Sender::new(State {
            standing,
            in_flight: 0,
            refused: 0,
            like: None,
            no_answer: None,
        })))
    }

    /// The server has accepted a row before.
    pub(crate) fn settle(&self) {
        self.0.send_modify(|state| state.standing = Standing::Settled);
    }

    pub(crate) fn standing(&self) -> Standing {
        self.0.borrow().standing
    }

    /// How many rows were refused alike.
    pub(crate) fn rows(&self) -> u32 {
        self.0.borrow().refused
    }

    /// The fault that every row met without being refused itself, once it is known that another attempt would meet it as well.
    pub(crate) fn no_answer(&self) -> Option<Fault> {
        let state = self.0.borrow();
        let fault = state.no_answer.as_deref().filter(|_| state.standing == Standing::Confirmed);
        fault.cloned()
    }

    /// Waits until requests may be sent; forever once every row is known to be refused.
    pub(crate) async fn clear(&self) {
        let may_send = |state: &State| matches!(state.standing, Standing::Open | Standing::Settled);
        if !may_send(&self.0.borrow()) {
            // The sender lives as long as `self`.
            let _ = self.0.subscribe().wait_for(may_send).await;
        }
    }

    /// Registers a request about to be sent; `None` if it may not be.
    pub(crate) fn send(&self) -> Option<Sent<'_>> {
        let mut may_send = false;
        self.change(|state| {
            may_send = matches!(state.standing, Standing::Open | Standing::Settled);
            state.in_flight += usize::from(may_send);
        });
        may_send.then(|| Sent(self))
    }

    /// Changes the state, and notifies the waiters if the standing has changed.
    fn change(&self, change: impl FnOnce(&mut State)) {
        self.0.send_if_modified(|state| {
            let before = state.standing;
            change(state);
            state.standing != before
        });
    }
}

impl State {
    fn take(&mut self, answer: Result<(), &Fault>, earlier: u32) {
        match self.standing {
            Standing::Settled | Standing::Confirmed => return,
            Standing::Open | Standing::Suspected => {}
        }
        match answer.map_err(|fault| (enough(fault), fault)) {
            Ok(()) => self.standing = Standing::Settled,
            // An outage or a limit says nothing about the rows.
            Err((None, _)) => {}
            // A page on a retry counts only for that row.
            Err((Some(_), fault)) if fault.is_page() && earlier > 0 => {}
            Err((Some(enough), fault)) => {
                let alike =
                    Alike { kind: fault.kind, status: fault.status, pattern: pattern(&fault.message) };
                if self.like.as_ref().is_some_and(|like| *like != alike) {
                    self.standing = Standing::Settled;
                    return;
                }
                self.like = Some(alike);
                self.no_answer = fault.is_page().then(|| Box::new(fault.clone()));
                self.refused += 1;
                if self.refused >= enough {
                    self.standing = Standing::Suspected;
                }
            }
        }
    }

    fn leave(&mut self) {
        self.in_flight -= 1;
        if self.standing == Standing::Suspected && self.in_flight == 0 {
            self.standing = Standing::Confirmed;
        }
    }
}

/// A request in flight.
#[derive(Debug)]
pub(crate) struct Sent<'a>(&'a Refusals);

impl Sent<'_> {
    /// Records that it was accepted or failed, after `earlier` failed attempts of its row.
    pub(crate) fn end(self, answer: Result<(), &Fault>, earlier: u32) {
        self.0.change(|state| state.take(answer, earlier));
    }
}

impl Drop for Sent<'_> {
    fn drop(&mut self) {
        self.0.change(State::leave);
    }
}

/// Whether a fault is a refusal that might apply to every row.
pub(crate) fn is_refusal(fault: &Fault) -> bool {
    enough(fault).is_some()
}

/// How many such refusals count for every row; `None` for a fault that says nothing about other rows, or stops the run by
/// itself.
fn enough(fault: &Fault) -> Option<u32> {
    if fault.should_retry == Some(true) {
        return None;
    }
    match fault.kind {
        FaultKind::InvalidRequest | FaultKind::Unprocessable => Some(ROWS),
        FaultKind::ContextLength | FaultKind::TooLarge | FaultKind::RequestExceedsLimit => {
            Some(ROWS_TOO_LARGE)
        }
        // In the middle of a run it is an outage.
        FaultKind::Server if fault.is_page() => Some(ROWS),
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
        | FaultKind::NotFound
        | FaultKind::InvalidSchema
        | FaultKind::UnsupportedParameter
        // This depends on what the row says.
        | FaultKind::ContentPolicy => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultCause;

    fn refused(kind: FaultKind, message: &str) -> Fault {
        Fault { status: Some(400), ..Fault::new(kind, message) }
    }

    fn after(all_refused: AllRefused, answers: impl IntoIterator<Item = Option<Fault>>) -> (Standing, u32) {
        let refusals = Refusals::new(all_refused);
        for answer in answers {
            if let Some(sent) = refusals.send() {
                sent.end(answer.as_ref().map_or(Ok(()), Err), 0);
            }
        }
        (refusals.standing(), refusals.rows())
    }

    #[test]
    fn the_first_answers_settle_or_confirm_a_refusal_of_all_rows() {
        use FaultKind::{ContentPolicy, ContextLength, InvalidRequest, RateLimit, Server};
        let no = |n: usize| (0..n).map(|n| Some(refused(InvalidRequest, &format!("row {n} has no 'field'"))));
        let long = |n: usize| (0..n).map(|_| Some(refused(ContextLength, "too long")));
        let other = |kind| [Some(refused(kind, "other"))].into_iter();
        let accepted = || [None].into_iter();
        let stop = |answers: Vec<_>| after(AllRefused::Stop, answers);
        assert_eq!(stop(no(7).collect()), (Standing::Open, 7));
        assert_eq!(stop(no(20).collect()), (Standing::Confirmed, 8));
        assert_eq!(
            stop(other(Server).chain(no(4)).chain(other(RateLimit)).chain(no(9)).collect()).0,
            Standing::Confirmed
        );
        assert_eq!(stop(accepted().chain(no(20)).collect()).0, Standing::Settled);
        assert_eq!(stop(no(7).chain(accepted()).chain(no(20)).collect()).0, Standing::Settled);
        assert_eq!(stop(no(7).chain(other(InvalidRequest)).chain(no(20)).collect()).0, Standing::Settled);
        assert_eq!(stop(other(ContentPolicy).cycle().take(90).collect()), (Standing::Open, 0));
        assert_eq!(stop(long(63).chain(accepted()).collect()).0, Standing::Settled);
        assert_eq!(stop(long(64).collect()).0, Standing::Confirmed);
        assert_eq!(after(AllRefused::KeepGoing, no(20)).0, Standing::Settled);
    }

    /// The same row meets a page again, which shows nothing about others.
    #[test]
    fn pages_count_once_for_each_row() {
        let page = Fault { status: Some(200), ..refused(FaultKind::Server, "the body is a web page") };
        let page = page.caused_by(FaultCause::WebPage);
        for (earlier, expected) in [(0, Standing::Confirmed), (1, Standing::Open)] {
            let refusals = Refusals::new(AllRefused::Stop);
            for _ in 0..ROWS {
                refusals.send().expect("too few are known").end(Err(&page), earlier);
            }
            assert_eq!(refusals.standing(), expected);
            assert_eq!(refusals.no_answer().is_some(), expected == Standing::Confirmed);
        }
    }

    /// Refusals come back sooner than answers, which must be waited for.
    #[test]
    fn requests_in_flight_are_awaited_before_the_run_is_judged() {
        let refusals = Refusals::new(AllRefused::Stop);
        let slow = refusals.send().expect("nothing is known");
        for _ in 0..8 {
            let sent = refusals.send().expect("too few are known");
            sent.end(Err(&refused(FaultKind::InvalidRequest, "no")), 0);
        }
        assert!(refusals.send().is_none(), "nothing is sent meanwhile");
        assert_eq!(refusals.standing(), Standing::Suspected);
        slow.end(Ok(()), 0);
        assert_eq!(refusals.standing(), Standing::Settled);
        assert!(refusals.send().is_some());
    }
}
