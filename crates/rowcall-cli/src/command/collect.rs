//! `rowcall collect`: collects the batches that a run has left, from the journal alone, and rebuilds its output.

use rowcall::journal::{Contents, Existing, Records};
use rowcall::schema::Dialect;
use rowcall::{Error, Extractor, Halt, JournalOptions, OrderBy, Problem, Result, Stay};
use rowcall_data::{RowsInAll, is_folder};
use serde_json::Value;

use super::export::{View, check_failed, check_own, open, rebuild};
use super::rerun::{Asked, Discard, former_task, model};
use super::run::rows_left;
use crate::args::CollectArguments;
use crate::exit::Exit;
use crate::failures::{FailedRowFiles, failures};
use crate::journal::Memo;
use crate::model::Model;
use crate::printing;
use crate::progress::{Progress, Verbosity};
use crate::summary::{counted, summary};
use crate::task::{self, Task};
use crate::watch::{Watched, logged, watch};

pub(crate) fn collect(arguments: &CollectArguments) -> Result<Exit> {
    let contents = Contents::open(&arguments.journal)?;
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
            // A reader of the journal is dropped before it is closed, so that no files are left beside it.
            drop(contents);
            if let Some(exit) = ask(&extractor, queued + sent, arguments, &memo, &progress).await? {
                return Ok(exit);
            }
        } else {
            drop(contents);
        }
        write(arguments, &memo, &progress).await
    })
}

/// Collects the results. Returns the exit if rows are left.
async fn ask(
    extractor: &Extractor<Value>,
    rows: u64,
    arguments: &CollectArguments,
    memo: &Memo,
    progress: &Progress,
) -> Result<Option<Exit>> {
    let halt = Halt::default();
    let mut discard = Discard;
    let run = extractor.collect_batches(&mut discard, halt.clone());
    let total = Some(RowsInAll::Counted(rows));
    let (ran, signal) = match watch(run, extractor, &halt, progress, |_| total).await? {
        Watched::Ended(ran, signal) => (ran, signal),
        Watched::Stopped(second) => return Ok(Some(Exit::Interrupted(second))),
    };
    let stats = extractor.stats();
    let has_ended = ran.is_ok() && !halt.is_on();
    let left = (!has_ended).then(|| rows_left(total, &stats));
    progress.note(&summary(&stats, progress.elapsed(), left.as_deref()));
    let files = FailedRowFiles {
        output: arguments.output.as_deref().or(memo.output.as_deref()),
        failed: memo.failed.as_deref(),
        journal: Some(&arguments.journal),
    };
    if let Some(reasons) = failures(&stats, files) {
        progress.note(&reasons);
    }
    ran?;
    Ok(signal.map(|signal| {
        printing::note("interrupted: run the same command to collect the rest");
        Exit::Interrupted(signal)
    }))
}

/// Writes the output of all rows in the journal.
async fn write(arguments: &CollectArguments, memo: &Memo, progress: &Progress) -> Result<Exit> {
    let contents = Contents::open(&arguments.journal)?;
    if !contents.totals().complete {
        progress.note("some rows of the input are not in the journal: run the same `rowcall run` again to ask about them");
    }
    let output = arguments.output.clone().or_else(|| memo.output.clone());
    let Some(output) = output else {
        let failed: u64 = contents.failures()?.values().sum();
        progress.note("the journal was made without an output: use `rowcall export` to write one");
        return Ok(if failed > 0 { Exit::FailedRows } else { Exit::Done });
    };
    let view = View {
        into: memo.into.clone(),
        meta: memo.meta,
        format: memo.output_format().filter(|_| arguments.output.is_none()),
        failed: memo.failed.clone(),
        explode: memo.explode.clone(),
        part_rows: memo.part_rows.filter(|_| is_folder(&output)),
        values: memo.values(),
    };
    let sink = open(&contents, Some(&output), view)?;
    let (failed, written) = rebuild(contents, sink, OrderBy::Input, progress).await?;
    progress.note(&format!(
        "wrote `{}`: {}, {failed} failed",
        output.display(),
        counted(written.rows, "row")
    ));
    Ok(if failed + written.clashes > 0 { Exit::FailedRows } else { Exit::Done })
}
