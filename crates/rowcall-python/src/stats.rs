//! The engine's statistics, in the form of the Python package.

use std::time::Duration;

use rowcall::{Stats, Usd};
use serde_json::{Map, Value, json};

use crate::progress::Calls;

/// All counts, under the names of `Stats` in `_stats.py`.
pub(crate) fn to_json(stats: &Stats, elapsed: Duration, calls: &Calls) -> Value {
    let seconds = |share| stats.latency(share).map(|latency| latency.as_secs_f64());
    let failed: Map<String, Value> =
        stats.failed.iter().map(|(kind, rows)| (kind.name().to_owned(), (*rows).into())).collect();
    let faults: Map<String, Value> =
        stats.faults.iter().map(|(kind, requests)| (kind.name().to_owned(), (*requests).into())).collect();
    let reasons: Vec<Value> = stats
        .reasons
        .by_rows()
        .iter()
        .map(|count| json!([count.reason.kind.name(), &*count.reason.message, count.rows, count.example]))
        .collect();
    let waits: Map<String, Value> =
        stats.waits.iter().map(|(bound, requests)| (bound.to_string(), (*requests).into())).collect();
    let waited: Map<String, Value> =
        stats.held_back.iter().map(|(bound, time)| (bound.to_string(), time.as_secs_f64().into())).collect();
    let left = calls.left();
    json!({
        "left": left.map(|(rows, _)| rows),
        "eta": left.map(|(_, time)| time.as_secs_f64()),
        "waited": waited,
        "elapsed": elapsed.as_secs_f64(),
        "waits_now": stats.waits_now.map(|bound| bound.to_string()),
        "taken": stats.taken,
        "done": stats.done,
        "failed": failed,
        "known": stats.known,
        "duplicates": stats.duplicates,
        "cached": stats.cached,
        "notes": stats.notes,
        "retried": stats.retried,
        "paused": stats.is_paused,
        "abandoned": stats.abandoned,
        "requests": stats.requests,
        "in_flight": stats.in_flight,
        "reasks": stats.reasks,
        "faults": faults,
        "waits": waits,
        "reasons": reasons,
        "input_tokens": stats.usage.input_tokens,
        "cached_tokens": stats.usage.cached_tokens,
        "cache_write_tokens": stats.usage.cache_write_tokens,
        "output_tokens": stats.usage.output_tokens,
        "reasoning_tokens": stats.usage.reasoning_tokens,
        "cost": stats.cost.known.dollars(),
        "cost_unknown": stats.cost.unknown,
        "cost_at_most": stats.cost.ceiling().map(Usd::dollars),
        "unmetered": stats.unmetered,
        "possibly_paid": stats.possibly_paid,
        "latency_p50": seconds(0.5),
        "latency_p99": seconds(0.99),
    })
}
