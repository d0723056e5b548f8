//! How batches run in a scenario, and what goes wrong with them.

use serde::Deserialize;

/// How batches run. All times are in the time of batches, which runs faster than the clock.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Batches {
    /// How much faster than the clock the time of batches runs.
    pub speed: f64,
    /// How long the requests of a batch are validated.
    pub validating_seconds: f64,
    /// How long a batch takes from its creation to its end.
    pub seconds: f64,
    /// How long it may take before it expires.
    pub window_seconds: f64,
    /// How long its results can be read after its creation.
    pub kept_seconds: f64,
    /// How long a cancel takes.
    pub cancel_seconds: f64,
    /// The share of requests that are executed in a batch that is cut short.
    pub done_share: f64,
    /// The order of the results.
    pub order: LineOrder,
    /// The share of results that come twice.
    pub doubled: f64,
    /// The share of requests that are executed and billed, but have no result.
    pub missing: f64,
    /// How many batches, the first ones, are rejected after their validation.
    pub rejected: u64,
    /// The most tokens in batches that have not ended. Beyond it, a batch is rejected after its validation.
    pub enqueued_tokens: Option<u64>,
    /// Whether a batch that is cancelled is executed to its end nevertheless.
    pub cancel_completes: bool,
    /// How many creates, the first ones, are executed but not answered.
    pub lost_creates: u64,
    /// How many creates, the first ones after those, are refused with 429.
    pub refused_creates: u64,
    /// Whether ended batches name no results.
    pub without_results: bool,
    /// The word for the state of a batch that runs, in place of the provider's own.
    pub state: Option<String>,
    /// Whether labels are forgotten.
    pub forgets_labels: bool,
    /// Whether uploaded files cannot be deleted.
    pub keeps_files: bool,
    /// How many downloads of results, the first ones, break in the middle.
    pub broken_downloads: u64,
}

/// The order of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineOrder {
    /// Any.
    #[default]
    Shuffled,
    /// That of the requests.
    Input,
}

impl Default for Batches {
    /// Ten minutes, which take a second.
    fn default() -> Self {
        Self {
            speed: 600.0,
            validating_seconds: 30.0,
            seconds: 600.0,
            window_seconds: 86_400.0,
            kept_seconds: 2_592_000.0,
            cancel_seconds: 60.0,
            done_share: 0.4,
            order: LineOrder::Shuffled,
            doubled: 0.0,
            missing: 0.0,
            rejected: 0,
            enqueued_tokens: None,
            cancel_completes: false,
            lost_creates: 0,
            refused_creates: 0,
            without_results: false,
            state: None,
            forgets_labels: false,
            keeps_files: false,
            broken_downloads: 0,
        }
    }
}

impl Batches {
    /// Every number with its name and its range.
    pub(crate) fn numbers(&self) -> [(&'static str, f64, f64, f64, &'static str); 9] {
        let time = "seconds from 0 to 100000000";
        let seconds = |name, value| (name, value, 0.0, 1e8, time);
        let share = |name, value| (name, value, 0.0, 1.0, "a share from 0 to 1");
        [
            ("batches.speed", self.speed, 0.001, 1e6, "a factor from 0.001 to 1000000"),
            seconds("batches.validating_seconds", self.validating_seconds),
            seconds("batches.seconds", self.seconds),
            seconds("batches.window_seconds", self.window_seconds),
            seconds("batches.kept_seconds", self.kept_seconds),
            seconds("batches.cancel_seconds", self.cancel_seconds),
            share("batches.done_share", self.done_share),
            share("batches.doubled", self.doubled),
            share("batches.missing", self.missing),
        ]
    }
}
