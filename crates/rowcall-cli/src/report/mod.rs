//! Summarises a journal in one pass and in bounded memory: the data of `rowcall report`, documented in `docs/report.md`. `page.rs` renders
//! it as HTML.

mod curves;
mod failures;
pub(crate) mod field;
pub(crate) mod page;
mod plot;
mod sample;
pub(crate) mod sketch;
pub(crate) mod story;
pub(crate) mod text;
pub(crate) mod time;
pub(crate) mod verdict;

use std::collections::BTreeMap;
use std::path::Path;

use rowcall::journal::{Contents, Placed};
use rowcall::{Cost, Result, Usd};
use serde::Serialize;
use serde_json::{Map, Value};

use self::curves::Curves;
use self::failures::{Causes, FailureGroup, FaultCount, Reask};
use self::field::{Distribution, FieldProfile, Fields};
use self::sample::{Sample, Strata};
use self::sketch::{Largest, Numbers};
use self::story::{Story, StoryReader};
use crate::journal::{self, Memo};

/// The number of slowest and of most expensive rows.
const EXTREMES: usize = 20;

/// The largest groups of failures that have the stories of their examples.
const GROUPS_WITH_STORIES: usize = 12;

/// A journal's report.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) journal: String,
    /// The version of rowcall that made it.
    pub(crate) made_by: &'static str,
    pub(crate) state: RunState,
    /// The summary in a sentence.
    pub(crate) verdict: String,
    pub(crate) totals: ReportTotals,
    /// Failed rows by kind and message, the largest group first.
    pub(crate) failures: Vec<FailureGroup>,
    /// The profile of each field, with its violations.
    pub(crate) fields: Vec<FieldProfile>,
    pub(crate) fields_left_out: bool,
    pub(crate) curves: Curves,
    /// The distribution of rows' latencies, from the first request to the last answer, in milliseconds.
    pub(crate) latency_ms: Option<Distribution>,
    pub(crate) slowest: Vec<Story>,
    pub(crate) most_expensive: Vec<Story>,
    /// Answers that led to a re-ask, by cause.
    pub(crate) reasks: Vec<Reask>,
    /// Requests that failed, by kind, of the rows that have an outcome.
    pub(crate) faults: BTreeMap<&'static str, FaultCount>,
    pub(crate) sample: Sample,
    pub(crate) settings: Settings,
    /// What the journal lacks, because of its options or because an earlier version wrote it.
    pub(crate) lacks: Vec<String>,
}

/// Whether the journal's latest run is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RunState {
    Running,
    Complete,
    NotComplete,
}

/// The totals of all runs of the journal.
#[derive(Debug, Serialize)]
pub(crate) struct ReportTotals {
    /// Rows that have an outcome.
    pub(crate) rows: u64,
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// Failed rows by kind.
    pub(crate) failures: BTreeMap<&'static str, u64>,
    /// Rows that share the outcome of an equal row.
    pub(crate) shared: u64,
    pub(crate) from_cache: u64,
    /// Rows with a re-ask, and rows with a repaired answer.
    pub(crate) reasked_rows: u64,
    pub(crate) repaired_rows: u64,
    pub(crate) requests: u64,
    pub(crate) reasks: u64,
    pub(crate) input_tokens: u64,
    pub(crate) cached_tokens: u64,
    pub(crate) output_tokens: u64,
    pub(crate) reasoning_tokens: u64,
    /// Requests that may have been billed but reported no tokens.
    pub(crate) unmetered: u64,
    /// The known part; null if nothing of it is known.
    pub(crate) cost_usd: Value,
    /// As on the command line.
    pub(crate) cost: String,
    pub(crate) cost_unknown: u64,
    pub(crate) cost_at_most_usd: Option<Value>,
    /// Rows in flight when a run was killed.
    pub(crate) possibly_paid: u64,
    pub(crate) in_flight: u64,
    /// When the first and the last row ended, in UTC.
    pub(crate) first_ended: Option<String>,
    pub(crate) last_ended: Option<String>,
    /// The active time of all runs, if the journal has curves.
    pub(crate) active_ms: Option<u64>,
}

/// What was asked, and at which prices.
#[derive(Debug, Serialize)]
pub(crate) struct Settings {
    pub(crate) model: String,
    pub(crate) prompt: String,
    pub(crate) system: Option<String>,
    pub(crate) schema: Value,
    pub(crate) parameters: Map<String, Value>,
    pub(crate) examples: usize,
    pub(crate) images: Vec<String>,
    /// Other settings by name, as far as the journal records them.
    pub(crate) further: BTreeMap<&'static str, String>,
    /// The options of the latest run.
    pub(crate) options: BTreeMap<String, String>,
    /// The limits that were known at its end, by name.
    pub(crate) limits: BTreeMap<String, u64>,
    /// Day and hash of the tables of prices, or prices as they were given.
    pub(crate) prices: Vec<String>,
}

impl Report {
    /// The report of the journal at `path`, which is read in one pass and not written to.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        let contents = journal::open(path)?;
        let memo = Memo::in_journal(&contents, path);
        let mut fold = Fold::new(&contents.identity().schema);
        contents.each_outcome(|placed| fold.add(&placed))?;
        let mut curves = Curves::of(&contents.intervals()?, &contents.adjustments()?);
        let totals = fold.totals(&contents, &curves)?;
        if totals.cost_usd.is_null() {
            curves.forget_cost();
        }
        let reader = StoryReader::new(&contents)?;
        let Fold { mut causes, fields, strata, slowest, most_expensive, latencies, .. } = fold;
        let mut failures = causes.failure_groups(totals.rows);
        for group in failures.iter_mut().take(GROUPS_WITH_STORIES) {
            group.stories = stories(&reader, &group.examples)?;
        }
        let reasks = causes.reasks();
        let faults = causes.faults().clone();
        let state = match (contents.is_being_written(), contents.totals().complete) {
            (true, _) => RunState::Running,
            (false, true) => RunState::Complete,
            (false, false) => RunState::NotComplete,
        };
        let lacks = lacks(&contents, &reader, &curves, &totals)?;
        let settings = Settings::of(&contents, &memo, &curves)?;
        let fields_left_out = fields.has_left_out();
        Ok(Self {
            journal: path.display().to_string(),
            made_by: env!("CARGO_PKG_VERSION"),
            state,
            verdict: verdict::verdict(&totals, &failures, state),
            failures,
            fields: with_violations(fields.profiles(), causes),
            fields_left_out,
            curves,
            latency_ms: Distribution::of(&latencies),
            slowest: stories(&reader, &slowest.rows())?,
            most_expensive: stories(&reader, &most_expensive.rows())?,
            reasks,
            faults,
            sample: strata.sample(&reader)?,
            settings,
            lacks,
            totals,
        })
    }
}

/// The one pass.
#[derive(Debug)]
struct Fold {
    rows: u64,
    failed: u64,
    failures: BTreeMap<&'static str, u64>,
    shared: u64,
    from_cache: u64,
    reasked_rows: u64,
    repaired_rows: u64,
    ended: Option<(i64, i64)>,
    causes: Causes,
    fields: Fields,
    strata: Strata,
    slowest: Largest,
    most_expensive: Largest,
    latencies: Numbers,
}

impl Fold {
    fn new(schema: &Value) -> Self {
        Self {
            rows: 0,
            failed: 0,
            failures: BTreeMap::new(),
            shared: 0,
            from_cache: 0,
            reasked_rows: 0,
            repaired_rows: 0,
            ended: None,
            causes: Causes::default(),
            fields: Fields::of_schema(schema),
            strata: Strata::default(),
            slowest: Largest::new(EXTREMES),
            most_expensive: Largest::new(EXTREMES),
            latencies: Numbers::default(),
        }
    }

    fn add(&mut self, placed: &Placed) {
        let outcome = &placed.outcome;
        let row = outcome.index;
        self.rows += 1;
        let (first, last) = self.ended.unwrap_or((placed.ended_ms, placed.ended_ms));
        self.ended = Some((first.min(placed.ended_ms), last.max(placed.ended_ms)));
        self.from_cache += u64::from(outcome.from_cache);
        self.repaired_rows += u64::from(!outcome.repairs.is_empty());
        self.reasked_rows += u64::from(outcome.effort.prompts > 1);
        match &outcome.result {
            Ok(value) => self.fields.add(value),
            Err(failure) => {
                self.failed += 1;
                *self.failures.entry(failure.kind.name()).or_default() += 1;
            }
        }
        self.causes.add(placed);
        self.strata.add(outcome);
        if outcome.effort.attempts > 0 {
            let microseconds = u64::try_from(outcome.effort.latency.as_micros()).unwrap_or(u64::MAX);
            self.latencies.add((microseconds / 1_000) as f64);
            self.slowest.add(microseconds, row);
            self.most_expensive.add(outcome.effort.cost.known.picodollars(), row);
        }
    }

    fn totals(&mut self, contents: &Contents, curves: &Curves) -> Result<ReportTotals> {
        let spent = contents.totals();
        let (running, intents) = (contents.is_being_written(), contents.intents()?);
        // As `status` counts: what was being asked about when the last run was cut off.
        let mut cost = spent.cost;
        if !running {
            cost += contents.cost_of_intents()?;
        }
        let (in_flight, possibly_paid) =
            if running { (intents, spent.possibly_paid) } else { (0, spent.possibly_paid + intents) };
        self.shared = contents.shared_rows()?;
        Ok(ReportTotals {
            rows: self.rows,
            done: self.rows - self.failed,
            failed: self.failed,
            failures: std::mem::take(&mut self.failures),
            shared: self.shared,
            from_cache: self.from_cache,
            reasked_rows: self.reasked_rows,
            repaired_rows: self.repaired_rows,
            requests: spent.requests,
            reasks: spent.reasks,
            input_tokens: spent.usage.input_tokens,
            cached_tokens: spent.usage.cached_tokens,
            output_tokens: spent.usage.output_tokens,
            reasoning_tokens: spent.usage.reasoning_tokens,
            unmetered: spent.unmetered,
            cost_usd: known_dollars(cost),
            cost: cost.to_string(),
            cost_unknown: cost.unknown,
            cost_at_most_usd: cost.ceiling().map(dollars),
            possibly_paid,
            in_flight,
            first_ended: self.ended.map(|(first, _)| time::utc(first)),
            last_ended: self.ended.map(|(_, last)| time::utc(last)),
            active_ms: (!curves.is_empty()).then(|| curves.active_ms()),
        })
    }
}

impl Settings {
    fn of(contents: &Contents, memo: &Memo, curves: &Curves) -> Result<Self> {
        let identity = contents.identity();
        let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let further = [
            ("base URL", memo.base_url.clone()),
            ("protocol", memo.protocol.map(|protocol| format!("{protocol:?}"))),
            ("mode", memo.mode.map(|mode| format!("{mode:?}"))),
            ("dialect", memo.dialect.clone()),
            ("equal rows", memo.no_dedup.then(|| "each is asked about".to_owned())),
            ("output", path(&memo.output)),
            ("failed rows", path(&memo.failed)),
            ("validated by", memo.validator()),
        ];
        Ok(Self {
            model: identity.model.clone(),
            prompt: identity.prompt.clone(),
            system: identity.system.clone(),
            schema: identity.schema.clone(),
            parameters: identity.parameters.clone(),
            examples: identity.examples.len(),
            images: identity.images.clone(),
            further: further.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            options: memo.options.clone(),
            limits: curves.intervals.last().map(|last| last.limits.clone()).unwrap_or_default(),
            prices: contents.price_bases()?,
        })
    }
}

/// Adds violations to the profiles. A field may have violations although no value has it.
fn with_violations(mut fields: Vec<FieldProfile>, causes: Causes) -> Vec<FieldProfile> {
    for (name, violations) in causes.violations() {
        match fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.violations = violations,
            None => fields.push(FieldProfile { violations, ..FieldProfile::unseen(name) }),
        }
    }
    fields
}

fn stories(reader: &StoryReader<'_>, rows: &[u64]) -> Result<Vec<Story>> {
    rows.iter().filter_map(|row| reader.story(*row, sample::LENGTHS).transpose()).collect()
}

fn lacks(
    contents: &Contents,
    reader: &StoryReader<'_>,
    curves: &Curves,
    totals: &ReportTotals,
) -> Result<Vec<String>> {
    let mut lacks = Vec::new();
    if totals.rows > 0 && curves.is_empty() {
        lacks.push("It has no curves over time: an earlier version of rowcall wrote it, or no run over an input did.".to_owned());
    }
    if !contents.has_histories()? {
        let what = "It does not say what came of each request of a row that took several: an earlier version of rowcall wrote it.";
        lacks.push(what.to_owned());
    }
    if !reader.has_records() {
        lacks.push("It has no records (`--journal-records off`), so that prompts are not shown.".to_owned());
    }
    Ok(lacks)
}

/// The known part of a cost as a JSON number; null if nothing of it is known, as in `_meta`: an unknown cost is not a cost of nothing.
pub(crate) fn known_dollars(cost: Cost) -> Value {
    if cost.unknown > 0 && cost.known == Usd::ZERO { Value::Null } else { dollars(cost.known) }
}

/// All digits of an amount, as a JSON number.
pub(crate) fn dollars(amount: Usd) -> Value {
    serde_json::from_str(&amount.decimal()).unwrap_or_default()
}
