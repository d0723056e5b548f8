//! Answers kept for other runs: what one process has asked, no other asks again. `docs/cache.md` lists what is kept and promised. Equal rows
//! within a run are handled by `duplicates.rs`, and what survives a crash by the journal.

mod contents;
mod desk;
mod file;
mod mount;
mod plan;
mod session;
mod store;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};

pub use contents::{CacheContents, CachedAnswer, CachedPlan, Pruned, Pruning};
use desk::{Desk, Request, Trouble};
use file::AnswerFile;
use plan::PlanRecord;
pub(crate) use plan::{AnswerKeys, Endpoint};
pub(crate) use session::{CacheRelay, CacheSession, Claim};
pub(crate) use store::{Answer, Wanted};

use crate::error::Problem;
use crate::identity::Identity;

/// How answers are kept for other runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CacheOptions {
    /// The file. SQLite keeps two more beside it while it is in use.
    pub path: PathBuf,
    /// The name of what validates values beside the schema, which changes with it: answers are found only by runs that validate in the same
    /// way. Values are always validated again.
    pub validated_by: Option<String>,
}

impl CacheOptions {
    /// A cache at `path` whose answers are validated by the schema and the extractor's own rules.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), validated_by: None }
    }
}

/// Caches opened so far in this process, to distinguish claimants.
static OPENED: AtomicU64 = AtomicU64::new(0);

/// An open cache. Dropping it waits until everything is written.
#[derive(Debug)]
pub(crate) struct Cache {
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
    trouble: Trouble,
    keys: AnswerKeys,
}

impl Cache {
    /// Opens or creates the cache for a plan that asks `identity` of this server.
    ///
    /// # Errors
    /// A file of another kind, of a newer format or on a network drive, or one that cannot be written.
    pub(crate) fn open(
        options: &CacheOptions,
        identity: &Identity,
        endpoint: &Endpoint,
    ) -> Result<Self, Problem> {
        let CacheOptions { path, validated_by } = options;
        let plan = PlanRecord::new(identity, endpoint, validated_by.as_deref());
        // Process numbers are reused, but not in the same millisecond.
        let nth = OPENED.fetch_add(1, Ordering::Relaxed);
        let claimant = format!("{}-{}-{nth}", std::process::id(), file::now_ms());
        let store = AnswerFile::open(path, plan, claimant)?;
        let trouble = Trouble::default();
        let desk = Desk::new(store, Arc::clone(&trouble));
        let (sender, requests) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("rowcall-cache".to_owned())
            .spawn(move || desk.serve(&requests))
            .map_err(|error| Problem::new(format!("no thread can be started for the cache: {error}")))?;
        let keys = AnswerKeys::new(identity, endpoint, validated_by.as_deref());
        Ok(Self { requests: Some(sender), thread: Some(thread), trouble, keys })
    }

    /// Starts a run's session. Its relay must be driven.
    pub(crate) fn begin(self: &Arc<Self>) -> (CacheSession, CacheRelay) {
        CacheSession::new(Arc::clone(self))
    }

    fn request(&self, request: Request) {
        // The thread lives as long as the sender. Without it there is no reply, and the row goes on without the cache.
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
        }
    }

    fn take_trouble(&self) -> Option<Problem> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
