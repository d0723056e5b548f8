//! `rowcall export`: an output from a journal alone, in any format and order.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Mutex;

use rowcall::journal::{Contents, Rows};
use rowcall::{
    Error, Event, EventKind, Hint, KnownFrom, OrderBy, Problem, Result, Schema, Setting, Sink, Stats,
};
use rowcall_data::{
    Output, OutputFormat, OutputOptions, RowsInAll, Written, is_folder, is_output_of, is_reader_gone,
};

use crate::args::ExportArguments;
use crate::exit::Exit;
use crate::files::{Files, has_content, location, overwrite_hint};
use crate::journal::{self, Memo};
use crate::progress::{Progress, Verbosity};
use crate::summary::counted;
use crate::task;

pub(crate) fn export(arguments: &ExportArguments) -> Result<Exit> {
    let contents = journal::open(&arguments.journal)?;
    let memo = Memo::in_journal(&contents, &arguments.journal);
    memo.check_validators(arguments.without_validators)?;
    let output = arguments.view.output.as_deref();
    let (failed, journal) = (arguments.view.failed.as_deref(), Some(&*arguments.journal));
    Files { input: memo.input.as_deref(), output, failed, journal, cache: None }.check_apart()?;
    if !arguments.force {
        check_own(output, &memo, &arguments.journal, "use `--force` to overwrite it")?;
    }
    if let Some(output) = output.filter(|output| is_own(output, &memo) && contents.is_being_written()) {
        let message = format!("the run that writes `{}` is still in progress", output.display());
        return Err(Error::Config(Problem::new(message).hint("choose another output with `-o`")));
    }
    let is_parts = output.is_some_and(is_folder);
    let view = View {
        into: arguments.view.into.clone().or_else(|| memo.into.clone()),
        meta: arguments.view.meta || memo.meta,
        // A format named for the journal's own output does not apply to another file.
        format: arguments
            .view
            .output_format
            .or_else(|| memo.output_format().filter(|_| output.is_none_or(|path| is_own(path, &memo)))),
        failed: arguments.view.failed.clone(),
        explode: arguments.view.explode.clone().or_else(|| memo.explode.clone()),
        part_rows: arguments.view.part_rows.or(memo.part_rows.filter(|_| is_parts)),
        values: memo.values(),
    };
    let progress = Progress::new(Verbosity::of(arguments.quiet, false));
    crate::block_on(async {
        let sink = open(&contents, output, view)?;
        match rebuild(contents, sink, arguments.view.order.into(), &progress).await {
            Err(error) if is_reader_gone(&error) => Ok(Exit::ReaderGone),
            Err(error) => Err(error),
            Ok((failed, written)) => {
                let rows = counted(written.rows, "row");
                progress.note(&format!("{rows} written, {failed} of them failed"));
                Ok(if failed + written.clashes > 0 { Exit::FailedRows } else { Exit::Done })
            }
        }
    })
}

/// The form of an output.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) into: Option<String>,
    pub(crate) meta: bool,
    pub(crate) format: Option<OutputFormat>,
    pub(crate) failed: Option<std::path::PathBuf>,
    pub(crate) explode: Option<String>,
    pub(crate) part_rows: Option<NonZeroU64>,
    pub(crate) values: Values,
}

/// Whether values passed the validators of the run that made the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// They passed all of them, since none of them is a Python model.
    Validated,
    /// A Python model validated earlier values and is not available here; values are marked.
    Unvalidated,
}

/// Opens `output` for all rows of the journal.
///
/// # Errors
/// If the journal has no records, or the output cannot be written.
pub(crate) fn open(contents: &Contents, output: Option<&Path>, view: View) -> Result<Output> {
    let memo: Memo = serde_json::from_str(contents.memo()).unwrap_or_default();
    if !contents.has_records()? {
        let message = "the journal has no records: it was made with `--journal-records off`";
        return Err(Error::Config(
            Problem::new(message).hint("run the same `rowcall run` command to write its output again"),
        ));
    }
    let schema = Schema::from_generated(contents.identity().schema.clone()).map_err(Error::Config)?;
    let layout = task::layout(&schema, view.into.as_deref(), view.meta)?;
    let layout = match view.values {
        Values::Validated => layout,
        Values::Unvalidated => layout.with_unvalidated(),
    };
    Output::open(
        output,
        OutputOptions {
            format: view.format,
            columns: memo.columns,
            record_schema: memo.record_schema,
            explode: view.explode,
            part_rows: view.part_rows,
            failed: view.failed,
            schema: contents.identity().schema.clone(),
            ..OutputOptions::new(layout)
        },
    )
}

/// Writes all rows of the journal to `sink`. Returns how many rows failed.
///
/// # Errors
/// If the journal cannot be read, or the output cannot be written.
pub(crate) async fn rebuild(
    contents: Contents,
    mut sink: Output,
    order: OrderBy,
    progress: &Progress,
) -> Result<(u64, Written)> {
    let totals = contents.totals().clone();
    if totals.moved > 0 && !totals.complete {
        progress.note(
            "warning: the last run found the input changed and did not finish, so rows may be missing or duplicated; \
             finish it first",
        );
    }
    let rows = match order {
        OrderBy::Input => contents.into_rows()?,
        OrderBy::Completed => contents.into_rows_as_completed()?,
    };
    let stats = Mutex::new(Stats::default());
    let snapshot = || stats.lock().map(|stats| stats.clone()).unwrap_or_default();
    let written = tokio::select! {
        written = write_rows(rows, &mut sink, &stats) => written,
        () = progress.show(snapshot, |_| Some(RowsInAll::Counted(totals.rows))) => Ok(()),
    };
    progress.finish();
    written?;
    Ok((snapshot().failures(), sink.finish().await?))
}

async fn write_rows(mut rows: Rows, sink: &mut Output, stats: &Mutex<Stats>) -> Result<()> {
    loop {
        let page = rows.next_page()?;
        if page.is_empty() {
            return Ok(());
        }
        if let Ok(mut stats) = stats.lock() {
            for (row, outcome) in &page {
                let failure = outcome.reason();
                for kind in [EventKind::Taken, EventKind::Known { failure, from: KnownFrom::Journal }] {
                    stats.apply(&Event { row: row.index, kind });
                }
            }
        }
        sink.write(page).await?;
    }
}

/// Checks that only the file that the journal was made for is overwritten. If the journal was moved or copied, the file beside it must
/// hold rows of the journal.
///
/// # Errors
/// If `output` is another file, with this hint.
pub(crate) fn check_own(
    output: Option<&Path>,
    memo: &Memo,
    journal: &Path,
    hint: impl Into<Hint>,
) -> Result<()> {
    let refused = |file: &Path| {
        let message = format!("`{}` exists and is not this journal's output", file.display());
        Err(Error::Config(Problem::new(message).hint(hint)))
    };
    let Some(output) = output.filter(|output| has_content(output)) else { return Ok(()) };
    if !is_own(output, memo) || memo.was_moved && !has_rows_of(journal, output, memo)? {
        return refused(output);
    }
    Ok(())
}

/// The same for the file for failed rows that the journal names: it belongs to the journal if the output does.
///
/// # Errors
/// If it is another file.
pub(crate) fn check_failed(memo: &Memo, journal: &Path) -> Result<()> {
    let failed = memo.failed.as_deref().filter(|failed| memo.was_moved && has_content(failed));
    let Some(failed) = failed else { return Ok(()) };
    let output = memo.output.as_deref().filter(|output| has_content(output));
    let is_own = output.map(|output| has_rows_of(journal, output, memo)).transpose()?.unwrap_or_default();
    if is_own {
        return Ok(());
    }
    let message = format!("`{}` exists and is not this journal's file for failed rows", failed.display());
    Err(Error::Config(Problem::new(message).hint(
        Hint::from("use ").with(Setting::Force.on()).with(" to overwrite it, or rename it to keep it"),
    )))
}

/// The same for an output that a run would overwrite after its journal was moved or copied next to it.
///
/// # Errors
/// If the output has no rows of the journal.
pub(crate) fn check_copied(output: &Path, memo: &Memo, journal: &Path) -> Result<()> {
    if !memo.was_moved || !has_content(output) || has_rows_of(journal, output, memo)? {
        return Ok(());
    }
    let message = format!("`{}` exists and is not this journal's output", output.display());
    Err(Error::Config(Problem::new(message).hint(overwrite_hint())))
}

/// Whether a file holds rows of the journal in the form of its output.
fn has_rows_of(journal: &Path, file: &Path, memo: &Memo) -> Result<bool> {
    let contents = Contents::open(journal)?;
    if !contents.has_records()? {
        return Ok(false);
    }
    let schema = Schema::from_generated(contents.identity().schema.clone()).map_err(Error::Config)?;
    let layout = task::layout(&schema, memo.into.as_deref(), memo.meta)?;
    let layout = match memo.values() {
        Values::Validated => layout,
        Values::Unvalidated => layout.with_unvalidated(),
    };
    let options = OutputOptions {
        format: memo.output_format(),
        columns: memo.columns.clone(),
        record_schema: memo.record_schema.clone(),
        explode: memo.explode.clone(),
        schema: contents.identity().schema.clone(),
        ..OutputOptions::new(layout)
    };
    let page = contents.into_rows()?.next_page()?;
    is_output_of(file, &page, &options)
}

/// Whether `output` is the file that the journal was made for.
fn is_own(output: &Path, memo: &Memo) -> bool {
    memo.output.as_deref().is_some_and(|own| location(output) == location(own))
}
