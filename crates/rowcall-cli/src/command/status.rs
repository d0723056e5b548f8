//! `rowcall status`: what a journal holds, even while a run writes to it.

use indicatif::HumanCount;
use rowcall::journal::{BatchRecord, Collection, RemoteStage};
use rowcall::{Result, Usd};
use serde_json::{Value, json};

use crate::args::StatusArguments;
use crate::exit::Exit;
use crate::journal::{self, Memo};
use crate::printing;
use crate::summary::counted;

pub(crate) fn status(arguments: &StatusArguments) -> Result<Exit> {
    let contents = journal::open(&arguments.journal)?;
    let memo = Memo::in_journal(&contents, &arguments.journal);
    let totals = contents.totals();
    let failures = contents.failures()?;
    let (running, intents) = (contents.is_being_written(), contents.intents()?);
    let failed: u64 = failures.values().sum();
    let done = totals.rows.saturating_sub(failed);
    // Rows in flight when the last run was killed are counted as possibly billed once the next run starts; until then add them here.
    let mut cost = totals.cost;
    if !running {
        cost += contents.cost_of_intents()?;
    }
    let (in_flight, possibly_paid) =
        if running { (intents, totals.possibly_paid) } else { (0, totals.possibly_paid + intents) };
    let batches = contents.batches()?;
    let (queued, sent) = contents.parked()?;
    let text = if arguments.json {
        format!(
            "{:#}",
            json!({
                "rows": totals.rows,
                "done": done,
                "failed": failed,
                "failures": failures,
                "outcomes": totals.outcomes,
                "cached": totals.cached,
                "requests": totals.requests,
                "reasks": totals.reasks,
                "input_tokens": totals.usage.input_tokens,
                "cached_tokens": totals.usage.cached_tokens,
                "output_tokens": totals.usage.output_tokens,
                "reasoning_tokens": totals.usage.reasoning_tokens,
                "unmetered": totals.unmetered,
                "cost_usd": json_amount(cost.known),
                "cost_unknown": cost.unknown,
                "cost_at_most_usd": cost.ceiling().map(json_amount),
                "possibly_paid": possibly_paid,
                "in_flight": in_flight,
                "waiting_for_a_batch": queued,
                "in_batches": sent,
                "batches": batches.iter().map(described).collect::<Vec<_>>(),
                "running": running,
                "complete": totals.complete,
                "model": contents.identity().model,
                "validated_by": memo.validated_by,
                "validated_by_hash": memo.validated_by_hash,
                "output": memo.output,
            })
        )
    } else {
        let count = |n: u64| HumanCount(n).to_string();
        let kinds: Vec<_> = failures.iter().map(|(kind, n)| format!("{} {kind}", count(*n))).collect();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let state = match (running, totals.complete) {
            (true, _) => "running",
            (false, true) => "complete",
            (false, false) if sent > 0 => {
                "not complete: collect the batches with `rowcall collect`, or run the same command to continue"
            }
            (false, false) => "not complete: run the same command to continue",
        };
        let usage = totals.usage;
        let mut lines = vec![
            format!("state     {state}"),
            format!("model     {}", contents.identity().model),
            format!("rows      {} done, {} failed{kinds}", count(done), count(failed)),
            format!(
                "requests  {}, {}, {in_flight} in flight",
                count(totals.requests),
                counted(totals.reasks, "re-ask")
            ),
            format!("tokens    {} in, {} out", count(usage.input_tokens), count(usage.output_tokens)),
            format!("cost      {cost}"),
            format!(
                "billed?   {} {} in flight when a run was killed, {} reported no usage",
                counted(possibly_paid, "row"),
                if possibly_paid == 1 { "was" } else { "were" },
                counted(totals.unmetered, "request")
            ),
        ];
        if totals.cached > 0 {
            lines.push(format!("cache     {} came from the cache", counted(totals.cached, "value")));
        }
        if !batches.is_empty() {
            let sent_rows = counted(sent, "row");
            let verb = if sent == 1 { "is" } else { "are" };
            lines.push(match (sent, queued) {
                (0, 0) => "batches   everything that was sent is collected".to_owned(),
                (_, 0) => format!("batches   {sent_rows} without an outcome {verb} in batches"),
                (_, queued) => format!(
                    "batches   {sent_rows} without an outcome {verb} in batches, {} wait for one",
                    count(queued)
                ),
            });
            lines.extend(batches.iter().map(|batch| format!("          {}", line(batch))));
        }
        lines.extend(
            memo.validator().map(|validator| format!("values    validated by {validator}, a Python model")),
        );
        lines.join("\n")
    };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

/// A batch as text: what is known of it at the provider, what is collected here, until when its results can be read, and which key sees it.
fn line(batch: &BatchRecord) -> String {
    let count = |n: u64| HumanCount(n).to_string();
    let id = batch.remote_id.as_deref().unwrap_or("not created");
    let mut text = format!("{}: {id}, {}, {}", batch.number, counted(batch.rows, "row"), batch.remote.name());
    if let Some(state) = batch.remote_state.as_deref().filter(|_| batch.remote != RemoteStage::Dropped) {
        text.push_str(&format!(" ({state}"));
        if let Some(done) = batch.done.filter(|_| batch.remote == RemoteStage::Running) {
            text.push_str(&format!(", {} done", count(done)));
        }
        text.push(')');
    }
    let is_collected = matches!(batch.collection, Collection::Collected | Collection::Unavailable);
    text.push_str(&match batch.collection {
        Collection::Pending => format!(", not collected: {}", counted(batch.open, "row")),
        collection @ (Collection::NotReady | Collection::Collected | Collection::Unavailable) => {
            format!(", {}", collection.name())
        }
    });
    if let Some(until) = batch.results_until_ms.filter(|_| !is_collected) {
        text.push_str(&format!(", results until {}", day(until)));
    }
    if let Some(problem) = &batch.problem {
        text.push_str(&format!(", {problem}"));
    }
    format!("{text}, key {}", batch.fingerprint)
}

fn described(batch: &BatchRecord) -> Value {
    json!({
        "batch": batch.number,
        "id": batch.remote_id,
        "label": batch.tag,
        "rows": batch.rows,
        "bytes": batch.bytes,
        "remote": batch.remote.name(),
        "state": batch.remote_state,
        "done": batch.done,
        "collection": batch.collection.name(),
        "rows_without_outcome": batch.open,
        "sent_ms": batch.sent_ms,
        "results_until_ms": batch.results_until_ms,
        "key_fingerprint": batch.fingerprint,
        "problem": batch.problem,
    })
}

/// The day of a time in milliseconds since 1970, in UTC.
fn day(ms: i64) -> String {
    let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(ms.max(0).unsigned_abs());
    humantime::format_rfc3339_seconds(time).to_string().chars().take(10).collect()
}

/// An amount as a JSON number with all its digits.
fn json_amount(amount: Usd) -> Value {
    serde_json::from_str(&amount.decimal()).unwrap_or_default()
}
