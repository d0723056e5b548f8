//! Where a cache keeps its answers and claims. The trait is all that a cache needs of a store: a SQLite file serves the processes of one
//! machine, and another store may serve several machines. Calls block, and come from one thread, in batches.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::error::Problem;
use crate::identity::Key;
use crate::money::Usd;
use crate::turn::Usage;

/// How long a claim holds without renewal: after this, the rows of a killed process are taken over. It is longer than a process may be
/// starved on a busy machine, since a claim that ends too early is paid for twice.
pub(crate) const LEASE: Duration = Duration::from_secs(15);

/// A valid value that a row was given, with what it took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Answer {
    /// Distinguishes it from other answers kept under the same key.
    pub(crate) number: i64,
    pub(crate) value: Value,
    /// The model that gave it, as the server named it.
    pub(crate) model: Option<String>,
    /// The provider's word for why the completion ended.
    pub(crate) finish_reason: Option<String>,
    /// The repairs to the completion, by name.
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
    /// An answer that is not valid for the row that looks for one; it is ignored.
    pub(crate) rejected: Option<i64>,
}

/// The state of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Standing {
    /// An answer.
    Answered(Box<Answer>),
    /// No answer, but a run has claimed it and is asking.
    Claimed,
    /// Neither. If it was to be claimed, it is claimed now.
    Free,
}

/// Changes that belong in one transaction. Keeping an answer ends its claim.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) kept: Vec<(Key, Answer)>,
    pub(crate) given_back: Vec<Key>,
    /// Claims to renew for another [`LEASE`]. One that was lost meanwhile stays lost.
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

/// Keeps answers and claims, as one of several claimants.
pub(crate) trait Store: fmt::Debug + Send {
    /// The standing of each of `wanted`, in the same order.
    ///
    /// # Errors
    /// If it cannot be read.
    fn look_up(&mut self, wanted: &[Wanted]) -> Result<Vec<Standing>, Problem>;

    /// Does all of `work` or nothing, and returns the previous standing of each key to be claimed, in the same order. A key held by another
    /// claimant is not claimed, unless its lease is over.
    ///
    /// # Errors
    /// If it cannot be written.
    fn change(&mut self, work: &Work) -> Result<Vec<Standing>, Problem>;
}
