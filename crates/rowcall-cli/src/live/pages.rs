//! The report of a journal that is still being written to, for the live page. It is made on another thread, only when someone looks, and
//! at most a tenth of the time, however large the journal is.

#![expect(clippy::disallowed_methods, reason = "a report is made while others are served the one before")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rowcall::{Error, Problem, Result};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::report::Report;
use crate::report::page::{Liveness, page};

/// A report is at least this old before another one is made.
const FRESH: Duration = Duration::from_millis(1_500);

/// How much longer than it took to make, a report is shown.
const PATIENCE: u32 = 9;

/// Makes and keeps the latest report.
pub(super) struct Pages {
    journal: PathBuf,
    latest: Mutex<Option<Made>>,
    /// The number of the latest page.
    number: AtomicU64,
}

/// A report as a page.
struct Made {
    page: Bytes,
    at: Instant,
    took: Duration,
    /// The journal before it was read.
    of: Vec<Mark>,
}

/// The length of a file, and when it was changed last.
type Mark = Option<(u64, SystemTime)>;

/// What changes whenever something is written to the journal: its file, and the log beside it that new entries go to first.
fn marks(journal: &Path) -> Vec<Mark> {
    let mark = |file: PathBuf| {
        let there = std::fs::metadata(file).ok()?;
        Some((there.len(), there.modified().ok()?))
    };
    let mut log = journal.as_os_str().to_owned();
    log.push("-wal");
    vec![mark(journal.to_owned()), mark(log.into())]
}

impl Made {
    fn is_fresh(&self) -> bool {
        self.at.elapsed() < FRESH.max(self.took * PATIENCE)
    }
}

impl Pages {
    pub(super) fn new(journal: PathBuf) -> Self {
        Self { journal, latest: Mutex::new(None), number: AtomicU64::new(0) }
    }

    /// The number of the latest page, which changes with it. If it is not fresh any more, another one is made meanwhile.
    pub(super) fn number(self: &Arc<Self>) -> u64 {
        let is_due =
            self.latest.try_lock().is_ok_and(|latest| latest.as_ref().is_none_or(|made| !made.is_fresh()));
        if is_due {
            let pages = Arc::clone(self);
            tokio::spawn(async move { pages.latest().await.map(drop) });
        }
        self.number.load(Ordering::Relaxed)
    }

    /// The page: it is made anew if the latest one is not fresh any more.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(super) async fn latest(&self) -> Result<Bytes> {
        // Everyone else waits for the page that is being made.
        let mut latest = self.latest.lock().await;
        if let Some(made) = &*latest
            && made.is_fresh()
        {
            return Ok(made.page.clone());
        }
        let (began, of) = (Instant::now(), marks(&self.journal));
        if let Some(made) = &mut *latest
            && made.of == of
        {
            // The run is paused, or waits for the server.
            made.at = began;
            return Ok(made.page.clone());
        }
        let journal = self.journal.clone();
        let making = tokio::task::spawn_blocking(move || page(&Report::of(&journal)?, Liveness::Live));
        let made =
            making.await.unwrap_or_else(|_| Err(Error::Sink(Problem::new("the report cannot be made"))))?;
        if latest.as_ref().is_none_or(|before| before.page != made) {
            self.number.fetch_add(1, Ordering::Relaxed);
        }
        let made = Made { page: made.into(), at: Instant::now(), took: began.elapsed(), of };
        let shown = made.page.clone();
        *latest = Some(made);
        Ok(shown)
    }

    /// The story of one row as a part of the page; `None` if it has not ended.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub(super) async fn row(&self, row: u64) -> Result<Option<String>> {
        let journal = self.journal.clone();
        let reading = tokio::task::spawn_blocking(move || crate::report::page::row(&journal, row));
        reading.await.unwrap_or_else(|_| Err(Error::Sink(Problem::new("the row cannot be read"))))
    }
}
