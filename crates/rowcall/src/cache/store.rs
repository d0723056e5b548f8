//! Where a cache keeps its answers and claims: a trait that is all a cache needs of a store, so that a SQLite file serves the processes
//! of one machine and something else may serve many. Its calls block, and come from one thread with all that waits at the time.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::Problem;
use crate::identity::Key;
use crate::money::Usd;
use crate::turn::Usage;

/// How long a claim holds that is not renewed: what a process leaves behind that is killed is taken over after that. Long beside a
/// process that gets no turn on a busy machine, since a claim that ends too early is paid for twice.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// A valid value that a row was given, with what it took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// What distinguishes it from others that were kept under the same key.
    pub(crate) number: i64,
    pub(crate) value: Value,
    /// The model that gave it, as the server named it.
    pub(crate) model: Option<String>,
    /// The provider's word for why the completion ended.
    pub(crate) finish_reason: Option<String>,
    /// What had to be put right in the completion, by name.
    pub(crate) repairs: Vec<String>,
    /// Tokens of all requests that it took, as far as they reported them.
    pub(crate) usage: Usage,
    /// What it cost when it was asked for, if that is known.
    pub(crate) cost: Option<Usd>,
}

/// Something to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) key: Key,
    /// The answer that is not valid for who looks for it: it is as if it were not there.
    pub(crate) rejected: Option<i64>,
}

/// What there is about a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// An answer.
    Answered(Box<Answer>),
    /// No answer, but a run has claimed it and is asking.
    Claimed,
    /// Neither. If it was to be claimed, it is claimed now.
    Free,
}

/// What is to be changed at once: answers that are kept end their claims.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) kept: Vec<(Key, Answer)>,
    pub(crate) given_back: Vec<Key>,
    /// Claims that are to hold for another [`LEASE`]; one that was lost meanwhile stays lost.
    pub(crate) renewed: Vec<Key>,
    pub(crate) claimed: Vec<Wanted>,
}

impl Work {
    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { kept, given_back, renewed, claimed } = self;
        kept.is_empty() && given_back.is_empty() && renewed.is_empty() && claimed.is_empty()
    }
}

/// Keeps answers and claims. Each one is one claimant among others.
pub(crate) trait Store: fmt::Debug + Send {
    /// What there is about each of `wanted`, in their order.
    ///
    /// # Errors
    /// If it cannot be read.
    fn look_up(&mut self, wanted: &[Wanted]) -> Result<Vec<Standing>, Problem>;

    /// Does all of `work` or nothing, and returns what there was about each of those to be claimed, in their order. A key that another
    /// claimant holds is not claimed, one whose lease is over is.
    ///
    /// # Errors
    /// If it cannot be written.
    fn change(&mut self, work: &Work) -> Result<Vec<Standing>, Problem>;
}
