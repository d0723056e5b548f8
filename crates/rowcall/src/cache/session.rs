//! The cache as one run sees it: looking up a row's answer, claiming the right to ask, and keeping the new answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use super::Cache;
use super::desk::{Reply, Request, To};
use super::store::{Answer, Wanted};
use crate::error::Problem;
use crate::identity::Key;
use crate::relay::{Relay, Relayed};

/// Claims since the process began, to distinguish them.
static CLAIMS: AtomicU64 = AtomicU64::new(0);

/// One run's access to the cache.
#[derive(Debug, Clone)]
pub(crate) struct CacheSession {
    cache: Arc<Cache>,
    relay: Relayed<Reply>,
}

/// Passes the cache's replies on to a run.
#[derive(Debug)]
pub(crate) struct CacheRelay(Relay<Reply>);

impl CacheRelay {
    /// Passes them on. It must be driven as long as the run lasts.
    pub(crate) async fn drive(self) {
        self.0.drive().await;
    }
}

/// The right to ask about a key, while others wait. It is given back when dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    session: CacheSession,
    key: Key,
    number: u64,
    is_over: bool,
}

impl CacheSession {
    /// Starts a run's session.
    pub(super) fn new(cache: Arc<Cache>) -> (Self, CacheRelay) {
        let (relay, relays) = Relay::new();
        (Self { cache, relay }, CacheRelay(relays))
    }

    /// The key of the answer about a row that is asked under this key, with a hash of its files, if it has any.
    pub(crate) fn key(&self, asked: Key, files: Option<&[u8]>) -> Option<Key> {
        self.cache.keys.of(asked, files)
    }

    /// The answer, if there is one. Where another run is asking, the wait lasts until that is over.
    pub(crate) async fn look_up(&self, wanted: Wanted) -> Option<Answer> {
        match self.ask(|to| Request::LookUp { wanted, to }).await {
            Some(Reply::Answered(answer)) => Some(*answer),
            Some(Reply::Free | Reply::Claimed | Reply::Taken | Reply::Kept) | None => None,
        }
    }

    /// The right to ask; `None` if there is an answer by now, or another run is asking.
    pub(crate) async fn claim(&self, wanted: Wanted) -> Option<Claim> {
        let number = CLAIMS.fetch_add(1, Ordering::Relaxed);
        // Made before the reply, so that it is given back if this future is dropped.
        let mut claim = Claim { session: self.clone(), key: wanted.key, number, is_over: false };
        match self.ask(|to| Request::Claim { wanted, number, to }).await {
            Some(Reply::Taken) => {
                claim.is_over = true;
                None
            }
            Some(Reply::Answered(_) | Reply::Free | Reply::Claimed | Reply::Kept) | None => Some(claim),
        }
    }

    /// The cache's problem, returned once.
    pub(crate) fn take_trouble(&self) -> Option<Problem> {
        self.cache.take_trouble()
    }

    async fn ask(&self, request: impl FnOnce(To) -> Request) -> Option<Reply> {
        let (waiting, reply) = oneshot::channel();
        self.cache.request(request(To { waiting, relay: self.relay.clone() }));
        reply.await.ok()
    }
}

impl Claim {
    /// Keeps the answer and waits until it is written, if it can be.
    pub(crate) async fn keep(mut self, answer: Answer) {
        self.is_over = true;
        let (key, number, answer) = (self.key, self.number, Box::new(answer));
        self.session.ask(|to| Request::Keep { key, number, answer, to }).await;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.is_over {
            self.session.cache.request(Request::GiveBack { key: self.key, number: self.number });
        }
    }
}
