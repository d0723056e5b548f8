//! The files and batches of the account. A batch's state is computed from the time since its creation.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::{Api, Batches, LineOrder};
use crate::chance::{Chance, hash};

/// A stored file.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) bytes: Bytes,
    pub(crate) name: String,
    pub(crate) purpose: &'static str,
    pub(crate) created: u64,
}

/// One request of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) id: String,
    /// The path that it names, if the API has one.
    pub(crate) url: String,
    pub(crate) body: Value,
}

/// A batch.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) id: String,
    pub(crate) api: Api,
    /// The key that created it: no other sees it.
    pub(crate) key: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) endpoint: String,
    pub(crate) label: Value,
    pub(crate) input_file: Option<String>,
    pub(crate) lines: Vec<Line>,
    /// Estimated tokens of its requests.
    pub(crate) tokens: u64,
    /// The time since 1970 at its creation.
    pub(crate) created: Duration,
    pub(crate) cancelled: Option<Duration>,
    /// Why it fails once it has been validated: a code and a message.
    pub(crate) rejected: Option<(String, String)>,
    /// What came of it, once it has ended and somebody has looked.
    pub(crate) executed: Option<Executed>,
}

/// What came of a batch.
#[derive(Clone, Debug, Default)]
pub(crate) struct Executed {
    /// Requests that were answered, refused, and not executed.
    pub(crate) counts: (u64, u64, u64),
    pub(crate) output_file: Option<String>,
    pub(crate) error_file: Option<String>,
    /// Results that are in the batch itself, or at its own path.
    pub(crate) results: Vec<Value>,
}

/// An id that two of these requests have.
pub(crate) fn doubled_id(lines: &[Line]) -> Option<&str> {
    let mut ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    ids.sort_unstable();
    let doubled = ids.windows(2).find(|pair| pair.first() == pair.last())?;
    doubled.first().copied()
}

/// How far a batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Validating,
    Failed,
    Running,
    Cancelling,
    Completed,
    Cancelled,
    Expired,
}

impl State {
    pub(crate) fn has_ended(self) -> bool {
        match self {
            Self::Failed | Self::Completed | Self::Cancelled | Self::Expired => true,
            Self::Validating | Self::Running | Self::Cancelling => false,
        }
    }
}

/// All files and batches.
#[derive(Debug)]
pub(crate) struct BatchStore {
    pub(crate) settings: Batches,
    pub(crate) files: BTreeMap<String, Stored>,
    /// In the order of their creation.
    pub(crate) batches: Vec<Batch>,
    pub(crate) uploads: BTreeMap<String, String>,
    created: u64,
    numbered: u64,
    pub(crate) downloads: u64,
}

/// What the scenario makes of a create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateOutcome {
    Answered,
    /// It is executed but not answered.
    Lost,
    Refused,
}

impl BatchStore {
    pub(crate) fn new(settings: Batches) -> Self {
        Self {
            settings,
            files: BTreeMap::new(),
            batches: Vec::new(),
            uploads: BTreeMap::new(),
            created: 0,
            numbered: 0,
            downloads: 0,
        }
    }

    /// The number of the next file or batch.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbered += 1;
        self.numbered
    }

    /// What the scenario makes of the next create.
    pub(crate) fn next_create(&mut self) -> CreateOutcome {
        self.created += 1;
        let Batches { lost_creates, refused_creates, .. } = self.settings;
        match self.created {
            n if n <= lost_creates => CreateOutcome::Lost,
            n if n <= lost_creates + refused_creates => CreateOutcome::Refused,
            _ => CreateOutcome::Answered,
        }
    }

    /// Why a new batch of this many tokens will be rejected, if it will.
    pub(crate) fn rejection(&self, tokens: u64, now: Duration) -> Option<(String, String)> {
        if (self.batches.len() as u64) < self.settings.rejected {
            return Some((
                "invalid_json_line".to_owned(),
                "A line is not valid JSON, as simulated.".to_owned(),
            ));
        }
        let most = self.settings.enqueued_tokens?;
        let open = self.batches.iter().filter(|batch| !self.state(batch, now).has_ended());
        let enqueued: u64 = open.filter(|batch| batch.rejected.is_none()).map(|batch| batch.tokens).sum();
        (enqueued + tokens > most).then(|| {
            let message = format!(
                "Enqueued token limit reached for simulated-model in organization org-simulated. Limit: {most} enqueued tokens."
            );
            ("token_limit_exceeded".to_owned(), message)
        })
    }

    /// The state of a batch at this time since 1970.
    pub(crate) fn state(&self, batch: &Batch, now: Duration) -> State {
        let Batches { validating_seconds, seconds, window_seconds, cancel_seconds, .. } = self.settings;
        let age = |since: Duration| now.saturating_sub(since).as_secs_f64() * self.settings.speed;
        let old = age(batch.created);
        // Anthropic and Gemini validate at once.
        let validating = if batch.api.has_files() { validating_seconds } else { 0.0 };
        if batch.rejected.is_some() {
            return if old < validating { State::Validating } else { State::Failed };
        }
        let end = seconds.min(window_seconds);
        if let Some(cancelled) = batch.cancelled {
            let at = cancelled.saturating_sub(batch.created).as_secs_f64() * self.settings.speed;
            let is_late = at >= end;
            if !is_late && age(cancelled) < cancel_seconds {
                return State::Cancelling;
            }
            if !is_late && !self.settings.cancel_completes {
                return State::Cancelled;
            }
            if !is_late {
                return State::Completed;
            }
        }
        match old {
            old if old < validating.min(end) => State::Validating,
            old if old < end => State::Running,
            _ if seconds > window_seconds => State::Expired,
            _ => State::Completed,
        }
    }

    /// Whether the results of a batch can no longer be read.
    pub(crate) fn has_vanished(&self, batch: &Batch, now: Duration) -> bool {
        now.saturating_sub(batch.created).as_secs_f64() * self.settings.speed > self.settings.kept_seconds
    }

    /// The requests of a batch in the order in which they are executed, and how many of them are.
    pub(crate) fn plan(&self, batch: &Batch, state: State, seed: u64) -> (Vec<usize>, usize) {
        let mut order: Vec<usize> = (0..batch.lines.len()).collect();
        if self.settings.order == LineOrder::Shuffled {
            order.sort_by_key(|at| {
                hash(seed, batch.lines.get(*at).map_or(&[][..], |line| line.id.as_bytes()))
            });
        }
        let executed = match state {
            State::Completed => order.len(),
            State::Cancelled | State::Expired => (order.len() as f64 * self.settings.done_share) as usize,
            State::Validating | State::Failed | State::Running | State::Cancelling => 0,
        };
        (order, executed)
    }

    /// How often the result of a request occurs: none, once or twice.
    pub(crate) fn times(&self, id: &str, seed: u64) -> usize {
        let draw = Chance::of(seed, id).at("batch").unit();
        let Batches { missing, doubled, .. } = self.settings;
        match draw {
            draw if draw < missing => 0,
            draw if draw < missing + doubled => 2,
            _ => 1,
        }
    }

    /// Stores a file and returns its id.
    pub(crate) fn store(
        &mut self,
        api: Api,
        bytes: Bytes,
        name: &str,
        purpose: &'static str,
        now: Duration,
    ) -> String {
        let number = self.number();
        let id = match api {
            Api::OpenAi | Api::Together | Api::Mistral | Api::Anthropic => format!("file-sim{number:08}"),
            Api::Gemini => format!("files/sim{number:08}"),
        };
        self.store_as(&id, bytes, name, purpose, now);
        id
    }

    /// Stores a file under an id that it has already.
    pub(crate) fn store_as(
        &mut self,
        id: &str,
        bytes: Bytes,
        name: &str,
        purpose: &'static str,
        now: Duration,
    ) {
        let stored = Stored { bytes, name: name.to_owned(), purpose, created: now.as_secs() };
        self.files.insert(id.to_owned(), stored);
    }
}
