//! `rowcall run … --estimate`: the tokens and cost of all rows, the limit that binds, and the cost of a batch. Sends nothing.

use std::time::Duration;

use indicatif::{HumanCount, HumanDuration};
use rowcall::cache::CacheContents;
use rowcall::{CacheOptions, Extractor, Range, Result, RunEstimate, Source, Usd};
use rowcall_data::{Input, Layout};
use serde_json::Value;

use crate::args::{Concurrency, RunArguments};
use crate::exit::Exit;
use crate::files::has_content;
use crate::flags;
use crate::guard::FirstRows;
use crate::journal;
use crate::printing;

/// Rows read at a time.
const READ_TOGETHER: usize = 512;

pub(super) async fn estimate(
    extractor: &Extractor<Value>,
    input: Input,
    arguments: &RunArguments,
    layout: &Layout,
) -> Result<Exit> {
    for note in extractor.notes() {
        printing::note(&format!("note: {}", flags::spelled(note)));
    }
    let census = arguments
        .cache
        .path
        .as_ref()
        .filter(|path| has_content(path))
        .map(|path| extractor.cache_census(&CacheOptions::at(path), CacheContents::open(path)?));
    let mut estimator = extractor.run_estimator(census.transpose()?);
    let mut source = FirstRows::new(input, arguments.limit_rows);
    loop {
        let rows = source.next(READ_TOGETHER).await?;
        if rows.is_empty() {
            break;
        }
        rows.iter().try_for_each(|row| estimator.add(row))?;
    }
    let mut lines = report(&estimator.estimate(), estimator.counting(), arguments);
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

fn report(sum: &RunEstimate, counting: &str, arguments: &RunArguments) -> Vec<String> {
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
    let Range { low, likely, high } = sum.output_tokens;
    let tokens = format!(
        "tokens    about {} in; about {} out ({} to {})",
        count(sum.input_tokens),
        count(likely),
        count(low),
        count(high)
    );
    let counted = format!("          in: by {counting}; out: by the schema");
    let mut cost = match sum.cost {
        Some(Range { low, likely, high }) => format!("cost      about {likely} ({low} to {high})"),
        None => "cost      unknown: no price is known".to_owned(),
    };
    if let (Some(most), Some(_)) = (sum.most, sum.cost) {
        cost.push_str(&format!(", at most {most} if nothing is asked twice"));
    }
    let mut lines = vec![rows, tokens, counted, cost];
    if let (Some(dearest), Some(Range { likely, .. })) = (sum.dearest, sum.cost)
        && dearest > likely
    {
        lines.push(format!("          about {dearest} at the most expensive time of the next 24 hours"));
    }
    if let Some(batch) = sum.by_batch.filter(|batch| *batch > Usd::ZERO) {
        lines.push(format!("          about {batch} with `--batch`"));
    }
    if let Some(budget) = arguments.account.server.budget
        && let Some(Range { likely, .. }) = sum.cost
    {
        let enough = if budget < likely { "is not enough for that" } else { "is enough for that" };
        lines.push(format!("budget    {} {enough}", budget.exactly()));
    }
    lines.push(time(sum, arguments));
    lines
}

/// How long it takes by the given limits, and which of them binds. The server's own limits and latency are unknown without asking.
fn time(sum: &RunEstimate, arguments: &RunArguments) -> String {
    let server = &arguments.account.server;
    let requests = sum.asked() as f64;
    let tokens = (sum.input_tokens + sum.output_tokens.likely) as f64;
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
