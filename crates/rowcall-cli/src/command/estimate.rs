//! `rowcall run … --estimate`: the tokens and cost of all rows, the limit that binds, and the cost of a batch. Sends nothing.

use std::collections::HashSet;
use std::time::Duration;

use indicatif::{HumanCount, HumanDuration};
use rowcall::cache::CacheContents;
use rowcall::{CacheOptions, Extractor, Range, Result, RowEstimate, Source, Usd};
use rowcall_data::{Input, Layout};
use serde_json::Value;

use crate::args::{Concurrency, RunArguments};
use crate::exit::Exit;
use crate::files::has_content;
use crate::guard::FirstRows;
use crate::journal;
use crate::printing;

/// Rows read at a time.
const READ_TOGETHER: usize = 512;

/// Equal rows are recognised among this many; later rows count as different.
const MAX_KEYS: usize = 5_000_000;

/// The sum of all rows' estimates.
#[derive(Debug, Default)]
struct Sum {
    rows: u64,
    /// Rows that cannot be asked about, and rows equal to an earlier one.
    unaskable: u64,
    equal: u64,
    /// Rows whose answers are in the cache.
    cached: u64,
    input: u64,
    output: Range<u64>,
    cost: Option<Range<Usd>>,
    dearest: Option<Usd>,
    by_batch: Option<Usd>,
    most: Option<Usd>,
}

impl Sum {
    fn new() -> Self {
        let none = Some(Usd::ZERO);
        let cost = Some(Range { low: Usd::ZERO, likely: Usd::ZERO, high: Usd::ZERO });
        Self { cost, dearest: none, by_batch: none, most: none, ..Self::default() }
    }

    fn add(&mut self, row: &RowEstimate) {
        self.input += row.input_tokens;
        let (sum, more) = (self.output, row.output_tokens);
        self.output =
            Range { low: sum.low + more.low, likely: sum.likely + more.likely, high: sum.high + more.high };
        let both = |sum: Option<Usd>, more: Option<Usd>| Some(sum? + more?);
        self.cost = self.cost.zip(row.cost).map(|(sum, more)| Range {
            low: sum.low + more.low,
            likely: sum.likely + more.likely,
            high: sum.high + more.high,
        });
        self.dearest = both(self.dearest, row.dearest);
        self.by_batch = both(self.by_batch, row.by_batch);
        self.most = both(self.most, row.most);
    }

    fn asked(&self) -> u64 {
        self.rows - self.unaskable - self.equal - self.cached
    }
}

pub(super) async fn estimate(
    extractor: &Extractor<Value>,
    input: Input,
    arguments: &RunArguments,
    layout: &Layout,
) -> Result<Exit> {
    for note in extractor.notes() {
        printing::note(&format!("note: {note}"));
    }
    let estimator = extractor.estimator();
    let census = arguments
        .cache
        .path
        .as_ref()
        .filter(|path| has_content(path))
        .map(|path| extractor.cache_census(&CacheOptions::at(path), CacheContents::open(path)?));
    let census = census.transpose()?;
    let mut source = FirstRows::new(input, arguments.limit_rows);
    let (mut sum, mut keys) = (Sum::new(), HashSet::new());
    loop {
        let rows = source.next(READ_TOGETHER).await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            sum.rows += 1;
            match estimator.row(&row) {
                None => sum.unaskable += 1,
                Some(estimate) => {
                    let is_kept = !arguments.journal.no_dedup && keys.len() < MAX_KEYS;
                    if is_kept && !keys.insert(estimate.key) {
                        sum.equal += 1;
                    } else if census.as_ref().map_or(Ok(false), |census| census.knows(&row))? {
                        sum.cached += 1;
                    } else {
                        sum.add(&estimate);
                    }
                }
            }
        }
    }
    let mut lines = report(&sum, arguments);
    if let Some(path) = journal::path(arguments)?.filter(|path| has_content(path) && !arguments.journal.fresh)
        && arguments.input.path.as_os_str() != "-"
    {
        let source = FirstRows::new(arguments.input.open(layout)?, arguments.limit_rows);
        let (unknown, all) = extractor.count_unknown(source, &path).await?;
        lines.push(format!(
            "journal   {} of {} rows are not in it; the figures above are for all rows",
            HumanCount(unknown),
            HumanCount(all)
        ));
    }
    printing::result(&lines.join("\n")).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

fn report(sum: &Sum, arguments: &RunArguments) -> Vec<String> {
    let count = |n: u64| HumanCount(n).to_string();
    let mut rows = format!("rows      {} to ask", count(sum.asked()));
    if sum.equal > 0 {
        rows.push_str(&format!(", {} equal to others", count(sum.equal)));
    }
    if sum.cached > 0 {
        rows.push_str(&format!(", {} in the cache", count(sum.cached)));
    }
    if sum.unaskable > 0 {
        rows.push_str(&format!(", {} that cannot be asked", count(sum.unaskable)));
    }
    let Range { low, likely, high } = sum.output;
    let tokens = format!(
        "tokens    about {} in; about {} out ({} to {})",
        count(sum.input),
        count(likely),
        count(low),
        count(high)
    );
    let mut cost = match sum.cost {
        Some(Range { low, likely, high }) => format!("cost      about {likely} ({low} to {high})"),
        None => "cost      unknown: no price is known".to_owned(),
    };
    if let (Some(most), Some(_)) = (sum.most, sum.cost) {
        cost.push_str(&format!(", at most {most} if nothing is asked twice"));
    }
    let mut lines = vec![rows, tokens, cost];
    if let (Some(dearest), Some(Range { likely, .. })) = (sum.dearest, sum.cost)
        && dearest > likely
    {
        lines.push(format!("          about {dearest} at the most expensive time of the next 24 hours"));
    }
    if let Some(batch) = sum.by_batch.filter(|batch| *batch > Usd::ZERO) {
        lines.push(format!("          about {batch} as a batch, which rowcall does not send"));
    }
    if let Some(budget) = arguments.account.server.budget
        && let Some(Range { likely, .. }) = sum.cost
    {
        let enough = if budget < likely { "is not enough for that" } else { "is enough for that" };
        lines.push(format!("budget    {budget} {enough}"));
    }
    lines.push(time(sum, arguments));
    lines
}

/// How long it takes by the given limits, and which of them binds. The server's own limits and latency are unknown without asking.
fn time(sum: &Sum, arguments: &RunArguments) -> String {
    let server = &arguments.account.server;
    let requests = sum.asked() as f64;
    let tokens = (sum.input + sum.output.likely) as f64;
    let limits = [
        (server.rpm.map(|rpm| requests / rpm), "requests per minute"),
        (server.tpm.map(|tpm| tokens / tpm), "tokens per minute"),
    ];
    let known = limits.into_iter().filter_map(|(minutes, what)| Some((minutes?, what)));
    let longest = known.max_by(|one, other| one.0.total_cmp(&other.0));
    let by_slots = match server.concurrency {
        Concurrency::Auto => String::new(),
        Concurrency::AtMost(slots) => {
            format!(", or {requests:.0} × the time of an answer ÷ {slots}, if that is longer")
        }
    };
    match longest.and_then(|(minutes, what)| Some((Duration::try_from_secs_f64(minutes * 60.0).ok()?, what)))
    {
        Some((time, what)) => {
            format!("time      at least {}, bound by {what}{by_slots}", HumanDuration(time))
        }
        None => format!("time      unknown: neither `--rpm` nor `--tpm` is given{by_slots}"),
    }
}
