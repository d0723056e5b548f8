//! A run as the person at the terminal has it: how far it is while it goes on, and Ctrl-C to end it.

use std::cell::Cell;

use rowcall::{Event, EventKind, Extractor, Halt, Result};
use rowcall_data::RowsInAll;
use serde_json::Value;

use crate::interruption::{Interruption, Signal};
use crate::progress::{Progress, Verbosity};

/// How a watched run came to its end.
#[derive(Debug)]
pub(crate) enum Watched {
    /// By itself, or after the signal that asked it to.
    Ended(Result<()>, Option<Signal>),
    /// At once, by a second signal.
    Stopped(Signal),
}

/// Carries out `run`, showing `progress` of the rows in all, which `total` gives once it is given how many are taken; the first signal switches `halt`, the second gives up.
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
    let say = || {
        let in_flight = extractor.stats().in_flight;
        progress
            .note(&format!("interrupted: awaiting {in_flight} requests in flight; once more to stop now"));
    };
    let watched = tokio::select! {
        ran = run => Watched::Ended(ran, signal.get()),
        () = progress.show(|| extractor.stats(), total) => Watched::Ended(Ok(()), None),
        second = Interruption::listen()?.watch(halt, &signal, say) => Watched::Stopped(second),
    };
    progress.finish();
    Ok(watched)
}

/// The extractor, with a line for each attempt if that is wanted, and one for whatever is asked otherwise than it was to be. Events
/// hold no key and no header.
pub(crate) fn logged(extractor: &Extractor<Value>, progress: &Progress) -> Extractor<Value> {
    let line = match progress.verbosity() {
        Verbosity::Quiet => return extractor.clone(),
        Verbosity::Normal => adapted,
        Verbosity::Verbose => line,
    };
    for note in extractor.notes() {
        progress.note(&format!("note: {note}"));
    }
    let log = progress.log();
    extractor.on_event(move |event: &Event| {
        if let Some(line) = line(event) {
            log(&line);
        }
    })
}

/// What is asked otherwise from now on, or is to be warned of, if that is what happened.
fn adapted(event: &Event) -> Option<String> {
    match &event.kind {
        EventKind::Adapted(what) => Some(format!("note: {what}")),
        EventKind::Warned(what) => Some(format!("warning: {what}")),
        EventKind::Resumed { .. }
        | EventKind::Probed { .. }
        | EventKind::Taken
        | EventKind::Known { .. }
        | EventKind::Sent { .. }
        | EventKind::Answered { .. }
        | EventKind::Waits(_)
        | EventKind::Reasked { .. }
        | EventKind::Ended { .. }
        | EventKind::Abandoned => None,
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
        EventKind::Waits(wait) => Some(format!("row {row} waits {wait:.1?} to try again")),
        EventKind::Reasked { violations } => {
            Some(format!("row {row} is asked again: {violations} violations"))
        }
        EventKind::Ended { failure: Some(reason), effort: _ } => {
            Some(format!("row {row} failed: {}", reason.kind.name()))
        }
        EventKind::Adapted(_) | EventKind::Warned(_) => adapted(event),
        EventKind::Resumed { .. }
        | EventKind::Probed { .. }
        | EventKind::Taken
        | EventKind::Known { .. }
        | EventKind::Sent { .. }
        | EventKind::Ended { failure: None, .. }
        | EventKind::Abandoned => None,
    }
}
