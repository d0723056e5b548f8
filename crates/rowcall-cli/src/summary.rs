//! The summary at the end of a run. Every number comes from the engine's statistics.

use std::time::Duration;

use indicatif::HumanCount;
use rowcall::{Cost, Stats};

/// The summary of a run that took `elapsed`: rows by outcome and kind of failure, requests, tokens, cost, times. If the run ended early,
/// `left` says in words how many rows of the input are unfinished.
pub(crate) fn summary(stats: &Stats, elapsed: Duration, left: Option<&str>) -> String {
    let count = |n: u64| HumanCount(n).to_string();
    let mut rows = format!("rows      {} done", count(stats.done));
    if stats.failures() > 0 {
        let kinds: Vec<_> =
            stats.failed.iter().map(|(kind, n)| format!("{} {}", count(*n), kind.name())).collect();
        rows.push_str(&format!(", {} failed ({})", count(stats.failures()), kinds.join(", ")));
    }
    if stats.known > 0 {
        rows.push_str(&format!(", {} of these known without asking", count(stats.known)));
    }
    if stats.cached > 0 {
        rows.push_str(&format!(" ({} from the cache)", count(stats.cached)));
    }
    if let Some(left) = left {
        rows.push_str(&format!(", {left} not finished"));
    }
    let mut requests = format!("requests  {}, {}", count(stats.requests), counted(stats.reasks, "re-ask"));
    if !stats.faults.is_empty() {
        let kinds: Vec<_> =
            stats.faults.iter().map(|(kind, n)| format!("{} {}", count(*n), kind.name())).collect();
        requests.push_str(&format!(", faults: {}", kinds.join(", ")));
    }
    let batches = (stats.batches > 0).then(|| {
        let mut batches =
            format!("batches   {}, {} collected", count(stats.batches), count(stats.batches_collected));
        if stats.in_batches > 0 {
            batches.push_str(&format!(", {} to come", counted(stats.in_batches, "row")));
        }
        batches
    });
    let usage = stats.usage;
    let mut tokens =
        format!("tokens    {} in, {} out", count(usage.input_tokens), count(usage.output_tokens));
    if usage.cached_tokens > 0 {
        tokens.push_str(&format!(", {} of the input cached", count(usage.cached_tokens)));
    }
    if stats.unmetered > 0 {
        tokens.push_str(&format!(", {} reported no usage", counted(stats.unmetered, "request")));
    }
    let rate = (stats.ended() - stats.known) as f64 / elapsed.as_secs_f64().max(1e-9);
    let mut time = format!("time      {}, {rate:.1} rows/s", seconds(elapsed));
    if let (Some(median), Some(slow)) = (stats.latency(0.5), stats.latency(0.95)) {
        time.push_str(&format!(", latency p50 {}, p95 {}", seconds(median), seconds(slow)));
    }
    let mut lines = vec![rows, requests];
    lines.extend(batches);
    lines.push(tokens);
    if stats.cost != Cost::default() {
        lines.push(format!("cost      {}", stats.cost));
    }
    if stats.possibly_paid > 0 {
        let rows = counted(stats.possibly_paid, "row");
        let were = if stats.possibly_paid == 1 { "was" } else { "were" };
        lines.push(format!("billed?   {rows} {were} in flight when an earlier run was killed"));
    }
    if let Some((bound, requests)) = stats.waits.iter().max_by_key(|(_, requests)| **requests) {
        lines.push(format!("bound by  {bound}: {} waited", counted(*requests, "request")));
    }
    lines.push(time);
    lines.join("\n")
}

/// A count with its noun: "1 row", "2 rows".
pub(crate) fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", HumanCount(n), if n == 1 { "" } else { "s" })
}

fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1000.0) } else { format!("{seconds:.2} s") }
}
