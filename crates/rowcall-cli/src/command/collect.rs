//! `rowcall collect`: collects the batches that a run has left, from the journal alone, and rebuilds its output.

use rowcall::journal::{Existing, Records};
use rowcall::schema::Dialect;
use rowcall::{Error, Extractor, Halt, JournalOptions, Problem, Result, Stay};
use serde_json::Value;

use super::export::{check_failed, check_own};
use super::rerun::{self, Asked, Discard, WatchedRows, carry_out, former_task, model, opened};
use crate::args::CollectArguments;
use crate::exit::Exit;
use crate::failures::FailedRowFiles;
use crate::journal::{self, Memo};
use crate::model::Model;
use crate::monitoring::Monitoring;
use crate::progress::{Progress, Verbosity};
use crate::task::{self, Task};
use crate::watch::logged;

pub(crate) fn collect(arguments: &CollectArguments) -> Result<Exit> {
    let contents = journal::open(&arguments.journal)?;
    let memo = Memo::in_journal(&contents, &arguments.journal);
    memo.check_validators(false)?;
    let (queued, sent) = contents.parked()?;
    if contents.batches()?.is_empty() {
        let message = format!("the journal `{}` has no batches", arguments.journal.display());
        return Err(Error::Config(Problem::new(message).hint("`rowcall run --batch` sends rows in batches")));
    }
    if !arguments.force {
        let written = arguments.output.as_deref().or(memo.output.as_deref());
        let hint = "choose another output with `-o`, or use `--force` to overwrite it";
        check_own(written, &memo, &arguments.journal, hint)?;
        check_failed(&memo, &arguments.journal)?;
    }
    let progress = Progress::new(Verbosity::of(arguments.quiet, arguments.verbose));
    let mut account = task::account(&model(&memo, &contents), &arguments.server, false)?;
    account.base_url = account.base_url.or_else(|| memo.base_url.clone());
    account.protocol = account.protocol.or(memo.protocol);
    account.dialect = memo.dialect.as_deref().and_then(|name| Dialect::named(name).ok());
    let model = Model::new(account)?;
    crate::block_on(async {
        if queued + sent > 0 {
            let task = Task {
                mode: memo.mode,
                observed: memo.observed.clone(),
                ..former_task(&contents, &memo, &Asked::default())?
            };
            let extractor = task.extractor(&model.client()?, &arguments.retrying, &arguments.server)?;
            let options = JournalOptions {
                path: arguments.journal.clone(),
                existing: Existing::Resume,
                records: Records::Kept,
                memo: contents.memo().to_owned(),
            };
            let extractor =
                extractor.journal_with(&options)?.in_batches(arguments.way.options(Stay::Wait))?;
            let extractor = logged(&extractor, &progress);
            let base_url = arguments.server.base_url.as_deref().or(memo.base_url.as_deref());
            let (monitoring, extractor) = Monitoring::new(&extractor, base_url, &arguments.live, &progress)?;
            // A reader of the journal is dropped before it is closed, so that no files are left beside it.
            drop(contents);
            let rows = queued + sent;
            if let Some(exit) = ask(&extractor, rows, arguments, &memo, monitoring, &progress).await? {
                return Ok(exit);
            }
        } else {
            drop(contents);
        }
        write(arguments, &memo, &progress).await
    })
}

/// Collects the results. Returns the exit if it was interrupted.
async fn ask(
    extractor: &Extractor<Value>,
    rows: u64,
    arguments: &CollectArguments,
    memo: &Memo,
    monitoring: Monitoring<'_>,
    progress: &Progress,
) -> Result<Option<Exit>> {
    let halt = Halt::default();
    let mut discard = Discard;
    let run = extractor.collect_batches(&mut discard, halt.clone());
    let files = FailedRowFiles {
        output: arguments.output.as_deref().or(memo.output.as_deref()),
        failed: memo.failed.as_deref(),
        journal: Some(&arguments.journal),
    };
    let watched = WatchedRows { rows, files, left: "run the same command to collect the rest" };
    Box::pin(carry_out(run, extractor, &halt, watched, monitoring, progress)).await
}

/// Rebuilds the output from all rows in the journal.
async fn write(arguments: &CollectArguments, memo: &Memo, progress: &Progress) -> Result<Exit> {
    let contents = journal::open(&arguments.journal)?;
    if !contents.totals().complete {
        progress.note("some rows of the input are not in the journal: run the same `rowcall run` again to ask about them");
    }
    let sink = opened(&contents, memo, arguments.output.as_deref())?;
    drop(contents);
    rerun::write(&arguments.journal, sink, progress).await
}
