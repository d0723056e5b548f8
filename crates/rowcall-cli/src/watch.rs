//! A run as seen at the terminal: its progress, the log of attempts, and Ctrl-C to end it.

use std::cell::Cell;

use rowcall::{Event, EventKind, Extractor, Halt, Result};
use rowcall_data::RowsInAll;
use serde_json::Value;

use crate::flags;
use crate::interruption::{Interruption, Signal};
use crate::progress::{Progress, Verbosity};
use crate::summary::counted;

/// How a watched run ended.
#[derive(Debug)]
pub(crate) enum Watched {
    /// By itself, or after a first signal.
    Ended(Result<()>, Option<Signal>),
    /// At once, at a second signal.
    Stopped(Signal),
}

/// Carries out `run` and shows its `progress`. `total` gives the number of rows in all from the number of rows taken so far. The
/// first signal sets `halt`, the second stops the run at once.
///
/// # Errors
/// If signals cannot be handled.
pub(crate) async fn watch(
    run: impl Future<Output = Result<()>>,
    extractor: &Extractor<Value>,
    halt: &Halt,
    progress: &Progress,
    total: impl Fn(u64) -> Option<RowsInAll>,
) -> Result<Watched> {
    let signal = Cell::new(None);
    let announce = || {
        let in_flight = extractor.stats().in_flight;
        progress.note(&format!(
            "interrupted: waiting for {} in flight; press Ctrl-C again to stop at once",
            counted(in_flight, "request")
        ));
    };
    let watched = tokio::select! {
        ran = run => Watched::Ended(ran, signal.get()),
        () = progress.show(|| extractor.stats(), total) => Watched::Ended(Ok(()), None),
        second = Interruption::listen()?.watch(halt, &signal, announce) => Watched::Stopped(second),
    };
    progress.finish();
    Ok(watched)
}

/// The extractor, logging each attempt if the user wants that, and any change in how rows are asked. Events hold neither keys nor
/// headers.
pub(crate) fn logged(extractor: &Extractor<Value>, progress: &Progress) -> Extractor<Value> {
    let line = match progress.verbosity() {
        Verbosity::Quiet => return extractor.clone(),
        Verbosity::Normal => adapted,
        Verbosity::Verbose => line,
    };
    for note in extractor.notes() {
        progress.note(&format!("note: {}", flags::spelled(note)));
    }
    let log = progress.log();
    extractor.on_event(move |event: &Event| {
        if let Some(line) = line(event) {
            log(&line);
        }
    })
}

/// The line for a change in how rows are asked from now on, or for a warning.
fn adapted(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Adapted(what) => Some(format!("note: {what}")),
        EventKind::Warned(what) => Some(format!("warning: {what}")),
        EventKind::Adjusted(adjustment) => Some(format!("note: {adjustment}")),
        EventKind::Batch(news) => Some(news.to_string()),
        EventKind::Resumed { .. }
        | EventKind::Probed { .. }
        | EventKind::Taken
        | EventKind::Known { .. }
        | EventKind::Sent { .. }
        | EventKind::Answered { .. }
        | EventKind::Collected { .. }
        | EventKind::Waits(_)
        | EventKind::Reasked { .. }
        | EventKind::Ended { .. }
        | EventKind::Abandoned
        | EventKind::Retried { .. } => None,
    }
}

fn line(event: &Event) -> Option<String> {
    let row = event.row;
    match &event.kind {
        EventKind::Answered { attempt, latency, processing: _, result, cost: _ } => {
            let what = match result {
                Ok(Some(usage)) => {
                    format!("answered, {} tokens in, {} out", usage.input_tokens, usage.output_tokens)
                }
                Ok(None) => "answered".to_owned(),
                Err(fault) => {
                    let id = fault.request_id.as_ref().map_or(String::new(), |id| format!(" (request {id})"));
                    format!("{fault}{id}")
                }
            };
            Some(format!("row {row} attempt {attempt}: {what} after {latency:.0?}"))
        }
        EventKind::Collected { attempt, result: Err(fault), cost: _ } => {
            Some(format!("row {row} attempt {attempt} in a batch: {fault}"))
        }
        EventKind::Waits(wait) => Some(format!("row {row} retries in {wait:.1?}")),
        EventKind::Reasked { violations } => Some(format!("row {row} is re-asked: {violations} violations")),
        EventKind::Ended { failure: Some(reason), effort: _ } => {
            Some(format!("row {row} failed: {}", reason.kind.name()))
        }
        EventKind::Retried { failure } => {
            Some(format!("row {row} is retried, after it failed: {}", failure.kind.name()))
        }
        EventKind::Adapted(_) | EventKind::Warned(_) | EventKind::Adjusted(_) | EventKind::Batch(_) => {
            adapted(event)
        }
        EventKind::Resumed { .. }
        | EventKind::Probed { .. }
        | EventKind::Taken
        | EventKind::Known { .. }
        | EventKind::Sent { .. }
        | EventKind::Collected { result: Ok(_), .. }
        | EventKind::Ended { failure: None, .. }
        | EventKind::Abandoned => None,
    }
}
