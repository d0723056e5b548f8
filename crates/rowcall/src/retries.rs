//! Failed rows of a run that are asked about again while it goes on: a run within the run, over the rows that the journal has as failed.
//! Its outcomes replace those in the journal; they are not released a second time.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::config::Plan;
use crate::error::{Error, Problem, Result};
use crate::event::{EventKind, Observers};
use crate::halt::Halt;
use crate::journal::{Contents, Rows};
use crate::outcome::Outcome;
use crate::refusals::AllRefused;
use crate::row::Row;
use crate::run::Run;
use crate::source::Source;
use crate::stops::Stops;

/// The retries of one run.
#[derive(Debug, Default)]
pub(crate) struct Retries {
    under_way: Option<Box<Run<FailedRows>>>,
    is_wanted: bool,
}

impl Retries {
    /// Asks again about the rows that have failed by the time that earlier retries are over.
    pub(crate) fn want(&mut self) {
        self.is_wanted = true;
    }

    /// Whether retries are to be started now.
    pub(crate) fn is_due(&self) -> bool {
        self.is_wanted && self.under_way.is_none()
    }

    /// Whether nothing is retried, or wanted to be.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_wanted && self.under_way.is_none()
    }

    /// Starts retries of the failed rows with an index below `below`, except for rows that have not ended yet.
    pub(crate) fn begin(&mut self, plan: &Plan, below: u64, except: BTreeSet<u64>, halt: Halt) {
        self.is_wanted = false;
        let Some(journal) = &plan.journal else { return };
        let pages = Pages { journal: journal.path().to_owned(), rows: None, under_way: None };
        let observers = plan.observers.clone();
        let source = FailedRows { pages, page: Vec::new().into_iter(), below, except, observers };
        // The limits that stop a run apply to the run around this one.
        let plan = Plan { stops: Stops::default(), all_refused: AllRefused::KeepGoing, ..plan.clone() };
        self.under_way = Some(Box::new(Run::within(Arc::new(plan), source, halt)));
    }

    /// Waits for progress of the retries, forever if there are none. Cancelling the wait loses nothing.
    ///
    /// # Errors
    /// Whatever stopped them.
    pub(crate) async fn wait(&mut self) -> Result<()> {
        let Some(run) = &mut self.under_way else { return std::future::pending().await };
        let done = run.next_boxed().await;
        if done.as_ref().map_or(true, std::collections::VecDeque::is_empty) {
            self.under_way = None;
        }
        done.map(drop)
    }
}

/// Rows that have failed, from the journal.
#[derive(Debug)]
pub(crate) struct FailedRows {
    pages: Pages,
    page: std::vec::IntoIter<(Row, Outcome)>,
    below: u64,
    except: BTreeSet<u64>,
    observers: Observers,
}

/// Reads a journal's failed rows a page at a time on another thread, since a large journal takes a while. The rows are those that have
/// failed when the first page is read.
#[derive(Debug)]
struct Pages {
    journal: PathBuf,
    /// `None` before the first page, and while one is read.
    rows: Option<Rows>,
    under_way: Option<JoinHandle<Result<Read>>>,
}

/// A page that was read, and where the next one is.
type Read = (Rows, Vec<(Row, Outcome)>);

impl Pages {
    /// The next page; empty at the end. Cancelling the wait loses nothing.
    async fn next(&mut self) -> Result<Vec<(Row, Outcome)>> {
        let reading = self.under_way.get_or_insert_with(|| {
            let (journal, rows) = (self.journal.clone(), self.rows.take());
            tokio::task::spawn_blocking(move || {
                let mut rows = match rows {
                    Some(rows) => rows,
                    None => Contents::open(journal)?.into_failed_rows()?,
                };
                let page = rows.next_page()?;
                Ok((rows, page))
            })
        });
        let read = reading.await;
        self.under_way = None;
        let lost = |_| Err(Error::Journal(Problem::new("reading the failed rows was cut off")));
        let (rows, page) = read.unwrap_or_else(lost)?;
        self.rows = Some(rows);
        Ok(page)
    }
}

impl Source for FailedRows {
    async fn next(&mut self, max: usize) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        while rows.len() < max.max(1) {
            let Some((row, outcome)) = self.page.next() else {
                if !rows.is_empty() {
                    break;
                }
                let page = self.pages.next().await?;
                if page.is_empty() {
                    break;
                }
                self.page = page.into_iter();
                continue;
            };
            let is_counted = row.index < self.below && !self.except.contains(&row.index);
            if let Some(failure) = outcome.reason().filter(|_| is_counted) {
                self.observers.emit(row.index, EventKind::Retried { failure });
                rows.push(row);
            }
        }
        Ok(rows)
    }
}
