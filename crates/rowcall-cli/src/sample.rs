//! `--sample N`: asks about some rows first and projects the cost of all from them. The sample is part of the run: its answers are in
//! the journal, and the run finds them there. `strata.rs` draws the rows and makes the projection.

use std::io::{BufRead, IsTerminal};

use indicatif::HumanCount;
use rowcall::{Effort, Error, Extractor, Halt, Outcome, Problem, Result, Row, Sink, Source, Usd};
use rowcall_data::Input;
use serde_json::Value;

use crate::args::RunArguments;
use crate::exit::Exit;
use crate::guard::FirstRows;
use crate::printing;
use crate::progress::Progress;
use crate::strata::{Classes, Projection};
use crate::watch::{Watched, watch};

/// Rows read at a time.
const READ_TOGETHER: usize = 512;

/// A drift is reported only after this many rows have ended, since few rows say little.
const DRIFT_FROM: u64 = 100;

/// The interval is at least this wide, as a share of the cost: prices are rounded, and a small sample has no lost answers.
const NARROWEST: f64 = 0.02;

/// What became of a sample.
#[derive(Debug)]
pub(crate) enum Sampled {
    /// The run continues, watched for drift from the expected cost if that is known.
    GoOn(Option<Drift>),
    /// The run stops.
    Stop(Exit),
}

/// Checks that a sample can be taken.
///
/// # Errors
/// An input that cannot be read twice, a run without a journal, or no terminal to confirm at.
pub(crate) fn check(arguments: &RunArguments, has_journal: bool) -> Result<()> {
    let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let problem = if arguments.input.path.as_os_str() == "-" {
        Problem::new("a sample is drawn from all rows, but standard input can be read only once")
            .hint("save the rows to a file")
    } else if !has_journal {
        Problem::new("a sample keeps its answers in the journal, but this run has none")
            .hint("name an output with `-o`")
    } else if !(arguments.yes || is_terminal) {
        Problem::new("the sample needs a confirmation to continue, but there is no terminal")
            .hint("use `--yes` to continue without confirmation")
    } else {
        return Ok(());
    };
    Err(Error::Config(problem))
}

/// Asks about a sample of `size` rows of `input`, reports what all rows will cost, and asks whether to continue.
///
/// # Errors
/// Whatever stops a run.
pub(crate) async fn take(
    extractor: &Extractor<Value>,
    input: Input,
    size: usize,
    arguments: &RunArguments,
    progress: &Progress,
) -> Result<Sampled> {
    let estimator = extractor.estimator();
    let mut classes = Classes::new(size, 0);
    let mut source = FirstRows::new(input, arguments.limit_rows);
    loop {
        let rows = source.next(READ_TOGETHER).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if let Some(estimate) = estimator.row(&row) {
                classes.add(estimate.bytes, || row);
            }
        }
    }
    let all = classes.rows();
    let mut sample = classes.draw();
    let mut of_stratum = Vec::new();
    let mut rows = Vec::new();
    for (at, stratum) in sample.strata.iter_mut().enumerate() {
        for row in stratum.sampled.drain(..) {
            of_stratum.push((row.index, at));
            rows.push(row);
        }
    }
    let asked = rows.len();
    progress.note(&format!("running a sample of {asked} of {} rows", HumanCount(all)));
    let halt = Halt::default();
    let mut outcomes = Vec::new();
    let run = async {
        outcomes = extractor.ask_first(rows, halt.clone()).await?;
        Ok(())
    };
    let watched = watch(run, extractor, &halt, progress, |_| None).await?;
    match watched {
        Watched::Ended(ran, None) => ran?,
        Watched::Ended(_, Some(signal)) | Watched::Stopped(signal) => {
            return Ok(Sampled::Stop(Exit::Interrupted(signal)));
        }
    }
    let mut costs = vec![Vec::new(); sample.strata.len()];
    let mut spent = Effort::default();
    for (row, outcome) in &outcomes {
        let cost = outcome.effort.cost;
        spent.cost += cost;
        let at = of_stratum.iter().find(|(index, _)| *index == row.index).map(|(_, at)| *at);
        if let (Some(costs), Some(ceiling)) = (at.and_then(|at| costs.get_mut(at)), cost.ceiling()) {
            costs.push(ceiling.dollars());
        }
    }
    if spent.cost.ceiling().is_none() {
        progress.note(&format!(
            "sample    {asked} rows: {}; all {} rows: unknown, since the sample's cost is not known",
            spent.cost,
            HumanCount(all)
        ));
        return Ok(go_on(arguments, None));
    }
    let projection = sample.project(&costs);
    let (low, likely, high) = (usd(projection.low), usd(projection.likely), usd(projection.high));
    progress.note(&format!(
        "sample    {asked} rows: {}; all {} rows: about {likely}, {low} to {high} (95 % interval)",
        spent.cost,
        HumanCount(all)
    ));
    if let Some(budget) = arguments.account.server.budget.filter(|budget| *budget < high) {
        progress.note(&format!("warning: the budget of {} may not be enough", budget.exactly()));
    }
    let drift = Drift { projection, all, rows: 0, expected: 0.0, real: 0.0, has_warned: false };
    Ok(go_on(arguments, Some(drift)))
}

/// Continues, if the user confirms it.
fn go_on(arguments: &RunArguments, drift: Option<Drift>) -> Sampled {
    if arguments.yes || is_confirmed() {
        return Sampled::GoOn(drift);
    }
    printing::note("the answers are in the journal: run the same command to continue");
    Sampled::Stop(Exit::Limited)
}

/// Asks the user whether to continue.
fn is_confirmed() -> bool {
    printing::note("continue? [y/N]");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn usd(dollars: f64) -> Usd {
    // Four significant digits, more than an estimate can justify.
    let digits = 10_f64.powf(dollars.max(1e-12).log10().floor() - 3.0);
    Usd::from_picodollars(((dollars / digits).round() * digits * 1e12) as u64)
}

/// Compares the cost of a run with the cost that its sample predicted.
#[derive(Debug)]
pub(crate) struct Drift {
    projection: Projection,
    all: u64,
    rows: u64,
    expected: f64,
    real: f64,
    has_warned: bool,
}

impl Drift {
    /// Adds a row whose prompt had this many bytes. Returns a warning, once, if costs drift from the sample's.
    fn ended(&mut self, bytes: usize, cost: Usd) -> Option<String> {
        self.rows += 1;
        self.expected += self.projection.of_row(bytes);
        self.real += cost.dollars();
        if self.has_warned || self.rows < DRIFT_FROM || self.expected <= 0.0 {
            return None;
        }
        let Projection { likely, low, high, .. } = self.projection;
        // The cost of some rows varies more than that of all.
        let widening = (self.all as f64 / self.rows as f64).max(1.0).sqrt();
        let share = |bound: f64| ((bound - likely).abs() / likely).max(NARROWEST) * widening;
        let ratio = self.real / self.expected;
        if ratio <= 1.0 + share(high) && ratio >= 1.0 - share(low) {
            return None;
        }
        self.has_warned = true;
        let (percent, than) = if ratio > 1.0 { (ratio - 1.0, "more") } else { (1.0 - ratio, "less") };
        Some(format!(
            "warning: {} rows cost {}, {:.0} % {than} than the sample predicted: about {} in all instead of {}",
            HumanCount(self.rows),
            usd(self.real),
            percent * 100.0,
            usd(ratio * likely),
            usd(likely)
        ))
    }
}

/// A sink that compares the costs of outcomes with those of a sample as they pass.
pub(crate) struct Compared<'a, K> {
    sink: K,
    drift: Option<Drift>,
    extractor: &'a Extractor<Value>,
    warn: Box<dyn Fn(&str) + Send + Sync>,
}

impl<'a, K> Compared<'a, K> {
    /// Passes everything on to `sink`.
    pub(crate) fn new(
        sink: K,
        drift: Option<Drift>,
        extractor: &'a Extractor<Value>,
        warn: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self { sink, drift, extractor, warn: Box::new(warn) }
    }

    /// The sink.
    pub(crate) fn into_sink(self) -> K {
        self.sink
    }
}

impl<K: Sink + Send> Sink for Compared<'_, K> {
    async fn write(&mut self, done: Vec<(Row, Outcome)>) -> Result<()> {
        if let Some(drift) = &mut self.drift {
            let estimator = self.extractor.estimator();
            for (row, outcome) in &done {
                let cost = outcome.effort.cost;
                if let Some(estimate) = estimator.row(row)
                    && let Some(warning) = drift.ended(estimate.bytes, cost.ceiling().unwrap_or(cost.known))
                {
                    (self.warn)(&warning);
                }
            }
        }
        self.sink.write(done).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drift(costs: impl Fn(u64) -> f64) -> Option<(u64, String)> {
        let mut classes = Classes::new(100, 1);
        (0..1_000_u64).for_each(|row| classes.add(400, || row));
        let sample = classes.draw();
        let of_sample: Vec<Vec<f64>> = sample
            .strata
            .iter()
            .map(|stratum| stratum.sampled.iter().map(|row| 0.01 + (row % 3) as f64 * 0.001).collect())
            .collect();
        let projection = sample.project(&of_sample);
        let mut drift =
            Drift { projection, all: 1_000, rows: 0, expected: 0.0, real: 0.0, has_warned: false };
        let warnings: Vec<_> =
            (0..1_000).filter_map(|row| Some((row + 1, drift.ended(400, usd(costs(row)))?))).collect();
        assert!(warnings.len() <= 1, "it warns once");
        warnings.into_iter().next()
    }

    #[test]
    fn a_run_that_drifts_from_its_sample_is_reported() {
        assert_eq!(drift(|row| 0.01 + (row % 3) as f64 * 0.001), None);
        let (row, warning) = drift(|_| 0.02).expect("twice as expensive");
        assert!(
            row == 100 && warning.contains("% more than the sample") && warning.contains("instead of $1"),
            "{warning}"
        );
        let (row, warning) = drift(|row| if row < 500 { 0.011 } else { 0.004 }).expect("it becomes cheaper");
        assert!(row > 500 && warning.contains("% less"), "{row} {warning}");
    }
}
