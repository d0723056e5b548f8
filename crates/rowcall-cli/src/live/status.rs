//! The state of a run as data: for `rowcall ctl`, and for the live page once a second. Every number comes from the engine's statistics.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use indicatif::HumanCount;
use rowcall::{KnownLimit, RunSettings, Stats};
use rowcall_data::RowsInAll;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::UnderWay;
use crate::report::time::long;
use crate::report::{dollars, known_dollars};

/// The period over which the current speed is measured.
const MEASURED: Duration = Duration::from_secs(10);

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    Running,
    /// Paused, and some requests are still in flight.
    Draining,
    Paused,
    /// Sending nothing more, and awaiting what is in flight.
    Stopping,
    Ended,
}

/// The state of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) state: State,
    pub(crate) process: u32,
    pub(crate) model: String,
    pub(crate) journal: Option<String>,
    /// The address of its page.
    pub(crate) live: Option<String>,
    pub(crate) elapsed_seconds: f64,
    pub(crate) rows: Rows,
    /// Over the last ten seconds, without rows that were known.
    pub(crate) rows_per_second: f64,
    /// At the average speed so far.
    pub(crate) seconds_left: Option<f64>,
    pub(crate) requests: Requests,
    pub(crate) input_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) cost_usd: serde_json::Value,
    /// As on the command line.
    pub(crate) cost: String,
    /// What the latest request had to wait for.
    pub(crate) waits_for: Option<String>,
    pub(crate) settings: Settings,
}

/// Rows, as far as they are known.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Rows {
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// Of both, those that were not asked about.
    pub(crate) known: u64,
    /// Failed ones that were asked about again.
    pub(crate) retried: u64,
    pub(crate) total: Option<u64>,
    /// Whether the total was counted, not estimated.
    pub(crate) total_is_exact: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Requests {
    pub(crate) sent: u64,
    pub(crate) in_flight: u64,
    pub(crate) reasks: u64,
    /// Those that failed, by kind.
    pub(crate) faults: BTreeMap<String, u64>,
}

/// What is in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// The most requests that may be in flight now.
    pub(crate) concurrency: usize,
    pub(crate) limits: Vec<Limit>,
    pub(crate) budget_usd: Option<serde_json::Value>,
    /// The most that is spent or reserved of it.
    pub(crate) budget_used_usd: Option<serde_json::Value>,
    pub(crate) deadline_seconds: Option<f64>,
}

/// A limit per minute or day.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Limit {
    pub(crate) of: String,
    pub(crate) per: String,
    pub(crate) amount: f64,
    /// Whose limit it is, or what it is inferred from.
    pub(crate) from: String,
}

/// The latest states, to measure the current speed by.
#[derive(Debug, Default)]
pub(crate) struct Recent(VecDeque<(Instant, u64)>);

impl Recent {
    /// Rows per second, now that `asked` rows have ended.
    fn speed(&mut self, asked: u64, started: Instant) -> f64 {
        let now = Instant::now();
        while self.0.len() > 1 && self.0.front().is_some_and(|(at, _)| now.duration_since(*at) > MEASURED) {
            self.0.pop_front();
        }
        let (since, before) = self.0.front().copied().unwrap_or((started, 0));
        if self.0.back().is_none_or(|(at, _)| now.duration_since(*at) > Duration::from_millis(200)) {
            self.0.push_back((now, asked));
        }
        asked.saturating_sub(before) as f64 / now.duration_since(since).as_secs_f64().max(0.01)
    }
}

impl Status {
    pub(super) fn of(run: &UnderWay) -> Self {
        let (stats, settings) = (run.control.stats(), run.control.settings());
        let total = (run.total)(stats.taken);
        let asked = stats.ended().saturating_sub(stats.known);
        let recent = run.recent.lock();
        let rows_per_second = recent.map_or(0.0, |mut recent| recent.speed(asked, run.started));
        let elapsed_seconds = run.started.elapsed().as_secs_f64();
        let rows = Rows {
            done: stats.done,
            failed: stats.failures(),
            known: stats.known,
            retried: stats.retried,
            total: total.map(RowsInAll::number),
            total_is_exact: matches!(total, Some(RowsInAll::Counted(_))),
        };
        let left = rows.total.and_then(|total| total.checked_sub(stats.ended()));
        Self {
            state: if *run.over.borrow() { State::Ended } else { state(&stats, &settings) },
            process: std::process::id(),
            model: run.model.clone(),
            journal: run.journal.as_ref().map(|journal| journal.display().to_string()),
            live: run.address(),
            elapsed_seconds,
            rows,
            rows_per_second,
            seconds_left: left.filter(|_| asked > 0).map(|left| left as f64 * elapsed_seconds / asked as f64),
            requests: Requests {
                sent: stats.requests,
                in_flight: stats.in_flight,
                reasks: stats.reasks,
                faults: stats.faults.iter().map(|(kind, count)| (kind.name().to_owned(), *count)).collect(),
            },
            input_tokens: stats.usage.input_tokens,
            output_tokens: stats.usage.output_tokens,
            cost_usd: known_dollars(stats.cost),
            cost: stats.cost.to_string(),
            waits_for: stats.waits_now.map(|bound| bound.to_string()),
            settings: Settings::of(&settings),
        }
    }

    /// The texts that the live page shows, by the name of their place.
    pub(super) fn shown(&self) -> BTreeMap<&'static str, String> {
        let count = |count: u64| HumanCount(count).to_string();
        let Self { rows, requests, settings, .. } = self;
        let left = match self.seconds_left {
            Some(seconds) if self.state == State::Running => format!("{} left", long(seconds * 1_000.0)),
            Some(_) | None => String::new(),
        };
        let none = || "none".to_owned();
        let limits: Vec<_> = settings.limits.iter().map(ToString::to_string).collect();
        let faults: Vec<_> =
            requests.faults.iter().map(|(kind, n)| format!("{} {kind}", count(*n))).collect();
        BTreeMap::from([
            ("rows", rows.to_string()),
            ("left", left),
            ("failed-rows", format!("{} failed", count(rows.failed))),
            ("cost", self.cost.clone()),
            (
                "in-flight",
                format!("{} of at most {}", count(requests.in_flight), count(settings.concurrency as u64)),
            ),
            (
                "faults",
                format!(
                    "{} sent, {}",
                    count(requests.sent),
                    if faults.is_empty() {
                        "none failed".to_owned()
                    } else {
                        format!("failed: {}", faults.join(", "))
                    }
                ),
            ),
            ("time", long(self.elapsed_seconds * 1_000.0)),
            ("speed", format!("{:.1} rows/s", self.rows_per_second)),
            ("waits", self.waits_for.clone().unwrap_or_else(|| "nothing".to_owned())),
            ("limits", if limits.is_empty() { "none known".to_owned() } else { limits.join(", ") }),
            ("budget", settings.budget().unwrap_or_else(none)),
            ("deadline", settings.deadline().unwrap_or_else(none)),
        ])
    }
}

impl Rows {
    /// Rows that have ended, with or without a value.
    pub(crate) fn ended(&self) -> u64 {
        self.done + self.failed
    }
}

/// How many have ended, of how many: `40 of about 1,000`.
impl fmt::Display for Rows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ended = HumanCount(self.ended());
        match self.total {
            Some(total) => {
                let about = if self.total_is_exact { "" } else { "about " };
                write!(f, "{ended} of {about}{}", HumanCount(total))
            }
            None => write!(f, "{ended}"),
        }
    }
}

/// Such as `600 requests per minute (yours)`.
impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, per, amount, from } = self;
        write!(f, "{} {of} per {per} ({from})", HumanCount(amount.round() as u64))
    }
}

fn state(stats: &Stats, settings: &RunSettings) -> State {
    match (settings.is_stopping, settings.is_paused, stats.in_flight) {
        (true, _, _) => State::Stopping,
        (false, true, 0) => State::Paused,
        (false, true, _) => State::Draining,
        (false, false, _) => State::Running,
    }
}

impl Settings {
    fn of(settings: &RunSettings) -> Self {
        let limit = |limit: &KnownLimit| Limit {
            of: limit.of.name().to_owned(),
            per: limit.period.name().to_owned(),
            amount: limit.amount,
            from: limit.from.name().to_owned(),
        };
        Self {
            concurrency: settings.concurrency,
            limits: settings.limits.iter().map(limit).collect(),
            budget_usd: settings.budget.map(|(budget, _)| dollars(budget)),
            budget_used_usd: settings.budget.map(|(_, used)| dollars(used)),
            deadline_seconds: settings.deadline.map(|deadline| deadline.as_secs_f64()),
        }
    }

    /// What is used of the budget, if there is one.
    pub(crate) fn budget(&self) -> Option<String> {
        let (budget, used) = self.budget_usd.as_ref().zip(self.budget_used_usd.as_ref())?;
        Some(format!("${used} of ${budget} spent or reserved"))
    }

    /// The deadline, if there is one, from the start of the run.
    pub(crate) fn deadline(&self) -> Option<String> {
        self.deadline_seconds.map(|seconds| long(seconds * 1_000.0))
    }
}
