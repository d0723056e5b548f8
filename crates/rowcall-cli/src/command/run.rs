//! `rowcall run`: from every row of an input to an output. Anything wrong with the command is found before the first request.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowcall::journal::Contents;
use rowcall::schema::Observed;
use rowcall::{
    AccountOptions, Client, EqualRows, Error, Extractor, Halt, Mode, OrderBy, Parameters, Problem, Protocol,
    Result, SamePrompt, Schema, Source, Stats, Usd,
};
use rowcall_data::{Input, Layout, Output, OutputOptions, RowsInAll, Written, is_folder, same_file};
use serde_json::Value;

use super::estimate;
use super::export::{self, Values, View};
use crate::args::{AccountArguments, RunArguments};
use crate::columns::check_columns;
use crate::examples;
use crate::exit::Exit;
use crate::failures::{FailedRowFiles, failures};
use crate::flags;
use crate::guard::{AfterFailure, FirstRows, Guarded};
use crate::journal::{self, Memo};
use crate::live::Total;
use crate::model::Model;
use crate::monitoring::Monitoring;
use crate::printing;
use crate::progress::{Progress, Verbosity};
use crate::sample::{self, Compared, Sampled};
use crate::server_probe::{Assumed, FoundOut, Manner, find_out};
use crate::summary::{counted, summary};
use crate::task::{self, Task};
use crate::text_argument::text_or_file;
use crate::watch::{Watched, logged, watch};

pub(crate) fn run(arguments: &RunArguments) -> Result<Exit> {
    let schema = Schema::load(&arguments.task.schema).map_err(Error::Config)?;
    let layout = task::layout(&schema, arguments.view.into.as_deref(), arguments.view.meta)?;
    let sends_nothing = arguments.show_requests.is_some() || arguments.estimate;
    let assumed = Assumed::of(arguments.account.server.dialect.as_ref())?;
    if assumed.asks && sends_nothing {
        let message = "dialect `auto` asks the server, but `--show-requests` and `--estimate` send nothing";
        return Err(Error::Config(
            Problem::new(message)
                .hint("name a dialect, or pass a file written by `rowcall schema … --probe --json`"),
        ));
    }
    let account = task::account(&arguments.account.model, &arguments.account.server, sends_nothing)?;
    let model = Model::new(AccountOptions { dialect: assumed.dialect, ..account })?;
    crate::block_on(async {
        let task = Task { observed: assumed.observed.clone(), ..asked(schema, arguments).await? };
        // One client for everything, since limits and the budget apply to all requests together.
        let client = model.client()?;
        if arguments.batch.detach && model.simulator().is_some() {
            let message =
                "`--detach` with a simulator that ends with the run, so that its batches would be lost";
            let hint = "start one with `rowcall sim`, and pass the base URL that it prints with `--base-url`";
            return Err(Error::Config(Problem::new(message).hint(hint)));
        }
        let extractor =
            task.clone().extractor(&client, &arguments.task.retrying, &arguments.account.server)?;
        if let Some(output) = &arguments.view.output
            && same_file(&arguments.input.path, output)
        {
            let message = format!("the output `{}` is also the input", output.display());
            return Err(Error::Config(Problem::new(message).hint("choose another output with `-o`")));
        }
        check_order(arguments)?;
        let input = arguments.input.open(&layout)?;
        check_columns(&extractor, input.header(), &arguments.task.images, same_prompt(arguments))?;
        if let Some(rows) = arguments.show_requests {
            return show_requests(&extractor, input, rows.get()).await;
        }
        if arguments.estimate {
            return estimate::estimate(&extractor, input, arguments, &layout).await;
        }
        let journal = journal::path(arguments)?;
        if arguments.sample.is_some() {
            sample::check(arguments, journal.is_some())?;
        }
        // Opened before anything is sent, and again below for the extractor that uses the probe's findings.
        let cache = arguments.cache.path.as_deref();
        let extractor = task::cached(&extractor, cache)?;
        let (extractor, assumed) = if assumed.asks {
            let (observing, assumed) = observing(task, arguments, &client, journal.as_deref()).await?;
            (task::cached(&observing, cache)?, assumed)
        } else {
            (extractor, assumed)
        };
        let memo = Memo::of(arguments, &assumed, &input, journal.as_deref());
        write(&extractor, input, layout, arguments, &model, Record { journal, memo }).await
    })
}

/// Checks that a folder of parts is in input order, since a part has the rows between two positions.
fn check_order(arguments: &RunArguments) -> Result<()> {
    let is_parts = arguments.view.output.as_deref().is_some_and(is_folder);
    match OrderBy::from(arguments.view.order) {
        OrderBy::Completed if is_parts => {
            let message = "a folder of parts is in input order, but `--order completed` was given";
            Err(Error::Config(Problem::new(message).hint("leave out `--order`, or write a single file")))
        }
        OrderBy::Completed | OrderBy::Input => Ok(()),
    }
}

/// The extractor that uses the server's observed schema support, from the journal or from a probe.
async fn observing(
    task: Task,
    arguments: &RunArguments,
    client: &Client,
    journal: Option<&Path>,
) -> Result<(Extractor<Value>, Assumed)> {
    let RunArguments { account: AccountArguments { model: name, server }, .. } = arguments;
    let asked = Memo {
        model: name.clone(),
        base_url: server.base_url.as_deref().and_then(Memo::recordable_address),
        protocol: server.protocol.map(Protocol::from),
        mode: task.mode,
        ..Memo::default()
    };
    let journal = journal.filter(|_| !arguments.journal.fresh);
    let known = journal.map(|path| asked.observed_at(path)).transpose()?.unwrap_or_default();
    if let Some(path) = journal {
        journal::count_spent(client, path)?;
    }
    let manner = Manner { mode: task.mode, parameters: task.parameters.clone() };
    let FoundOut { observed, effort, note } = find_out(client, &task.schema, &manner, known).await?;
    if !arguments.quiet {
        printing::note(&format!("note: {note}"));
    }
    let assumed = Assumed { dialect: None, observed: observed.clone(), asks: true };
    let task = Task { observed, probed: effort, ..task };
    let extractor = task.extractor(client, &arguments.task.retrying, &arguments.account.server)?;
    Ok((extractor, assumed))
}

/// The task that the arguments describe.
async fn asked(schema: Schema, run: &RunArguments) -> Result<Task> {
    let arguments = &run.task;
    let examples = match &arguments.examples {
        Some(path) => examples::read(path, &schema, run.view.into.as_deref()).await?,
        None => Vec::new(),
    };
    let system = arguments.system.as_ref().map(|system| text_or_file("system prompt", system));
    Ok(Task {
        schema,
        prompt: text_or_file("prompt", &arguments.prompt)?,
        same_prompt: same_prompt(run),
        system: system.transpose()?,
        examples,
        images: arguments.images.clone(),
        folder: None,
        parameters: Parameters {
            temperature: arguments.temperature,
            max_output_tokens: arguments.max_output_tokens,
            extra: arguments.parameters.iter().cloned().collect(),
        },
        mode: arguments.mode.map(Mode::from),
        observed: Observed::default(),
        probed: None,
        equal_rows: if run.journal.no_dedup { EqualRows::AskEach } else { EqualRows::Share },
    })
}

fn same_prompt(run: &RunArguments) -> SamePrompt {
    if run.task.same_prompt { SamePrompt::Allow } else { SamePrompt::Refuse }
}

/// The run's journal, and the memo it keeps.
struct Record {
    journal: Option<PathBuf>,
    memo: Memo,
}

async fn write(
    extractor: &Extractor<Value>,
    input: Input,
    layout: Layout,
    arguments: &RunArguments,
    model: &Model,
    Record { journal, memo }: Record,
) -> Result<Exit> {
    let progress = Progress::new(Verbosity::of(arguments.quiet, arguments.verbose));
    let is_new = journal.as_deref().is_some_and(|path| !path.exists());
    let extractor = match journal.clone() {
        Some(path) => journal::keep(extractor, arguments, path, &memo, &layout, &progress).await?,
        None => extractor.clone(),
    };
    let deadline = arguments.task.retrying.deadline;
    let extractor = match arguments.batch.options(deadline, extractor.has_cheaper_batches()) {
        Some(_) if journal.is_none() => {
            let problem = Problem::new("`--batch` needs a journal, in which rows wait for their results");
            return Err(Error::Config(
                problem.hint("write to a file with `-o`, or keep a journal with `--journal FILE`"),
            ));
        }
        Some(options) => extractor.in_batches(options)?,
        None => extractor,
    };
    let drift = match arguments.sample {
        Some(size) => {
            let rows = arguments.input.open(&layout)?;
            match sample::take(&extractor, rows, size.get(), arguments, &progress).await? {
                Sampled::GoOn(drift) => drift,
                Sampled::Stop(exit) => return Ok(exit),
            }
        }
        None => None,
    };
    let journal_path = journal.clone();
    let opened = Output::open(
        arguments.view.output.as_deref(),
        OutputOptions {
            format: arguments.view.output_format,
            schema: extractor.identity().schema.clone(),
            columns: memo.columns,
            record_schema: memo.record_schema,
            explode: memo.explode,
            part_rows: memo.part_rows,
            failed: arguments.view.failed.clone(),
            ..OutputOptions::new(layout)
        },
    );
    let output = match opened {
        Ok(output) => output,
        Err(error) => {
            drop(extractor);
            // Nothing was sent, so there is nothing to resume.
            journal.filter(|_| is_new).iter().for_each(|path| journal::remove(path));
            return Err(error);
        }
    };
    if model.simulator().is_some() {
        progress.note("the answers come from a simulator on this machine, not from a model");
    }
    let notes = input.notes();
    notes.take().iter().for_each(|note| progress.note(&format!("note: {}", flags::spelled(note))));
    let extractor = logged(&extractor, &progress);
    let base_url = arguments.account.server.base_url.as_deref();
    let (monitoring, extractor) = Monitoring::new(&extractor, base_url, &arguments.live, &progress)?;
    let gauge = input.gauge();
    let halt = Halt::default();
    let after_failure = if arguments.fail_fast { AfterFailure::Stop } else { AfterFailure::GoOn };
    let (log, is_quiet) = (progress.log(), progress.verbosity() == Verbosity::Quiet);
    let warn = move |line: &str| {
        if !is_quiet {
            log(line);
        }
    };
    let compared = Compared::new(output, drift, &extractor, warn);
    let mut sink = Guarded::new(compared, halt.clone(), after_failure);
    let source = FirstRows::new(input, arguments.limit_rows);
    let most = arguments.limit_rows.unwrap_or(u64::MAX);
    let total: Total = Arc::new(move |taken| gauge.rows_in_all().map(|rows| rows.at_most(most, taken)));
    let control = extractor.control();
    let started = monitoring.start(&extractor, journal_path.clone(), Arc::clone(&total), &progress).await;
    let monitored = match started {
        Ok(monitored) => monitored,
        Err(error) => {
            let (compared, _) = sink.into_parts();
            if let Some(part) = compared.into_sink().leave().await? {
                // It is still empty.
                let _ = std::fs::remove_file(part);
            }
            drop(extractor);
            journal.filter(|_| is_new).iter().for_each(|path| journal::remove(path));
            return Err(error);
        }
    };
    let run = extractor.run(source, &mut sink, arguments.view.order.into(), halt.clone());
    let (ran, signal) = match watch(run, &extractor, &halt, &progress, |taken| total(taken)).await? {
        Watched::Ended(ran, signal) => (ran, signal),
        Watched::Stopped(second) => return Ok(Exit::Interrupted(second)),
    };
    monitored.end().await;
    if sink.reader_is_gone() {
        return Ok(Exit::ReaderGone);
    }
    let (compared, failed_fast) = sink.into_parts();
    let output = compared.into_sink();
    let stats = extractor.stats();
    // Rows that are left in batches come later.
    let is_detached = arguments.batch.detach && ran.is_ok() && stats.ended() < stats.taken;
    let ended_early = ran.is_err() || halt.is_on() || is_detached;
    // Finished rows are written whatever ended the run, but under the output's own name only if they are complete.
    let mut part = None;
    let written = if ended_early {
        part = output.leave().await?;
        if let Some(part) = part.as_ref().filter(|_| stats.ended() > 0) {
            printing::note(&format!("finished rows are in `{}`", part.display()));
        }
        if let Some(journal) = journal {
            let journal = journal.display();
            printing::note(&match (is_detached, stats.in_batches) {
                (true, _) => {
                    format!("everything is sent: collect the results with `rowcall collect {journal}`")
                }
                (false, 0) => format!("the journal is `{journal}`: run the same command to continue"),
                (false, _) => format!(
                    "the journal is `{journal}`: run the same command to continue, or collect what is sent with `rowcall collect {journal}`"
                ),
            });
        }
        Written::default()
    } else {
        let written = output.finish().await?;
        match (stats.retried, arguments.view.output.as_deref(), journal_path.as_deref()) {
            (1.., Some(output), Some(journal)) => rewritten(journal, output, arguments, &progress).await?,
            (1.., None, _) => {
                progress.note("rows that were retried are in the output as they failed at first: `rowcall export` writes them as they ended");
                written
            }
            (_, _, _) => written,
        }
    };
    let left = ended_early.then(|| rows_left(total(stats.taken), &stats));
    progress.note(&summary(&stats, progress.elapsed(), left.as_deref()));
    let files = FailedRowFiles {
        output: part.as_deref().or(arguments.view.output.as_deref()),
        failed: arguments.view.failed.as_deref(),
        journal: journal_path.as_deref(),
    };
    if let Some(reasons) = failures(&stats, files) {
        progress.note(&reasons);
    }
    notes.take_all().iter().for_each(|note| progress.note(&format!("note: {}", flags::spelled(note))));
    if matches!(ran, Err(Error::Limit(_))) {
        printing::note(&left_at_a_limit(total(stats.taken), &stats));
    }
    ran?;
    failed_fast?;
    if signal.is_none() && control.settings().is_stopping {
        printing::note(&format!("stopped: {} left", rows_left(total(stats.taken), &stats)));
        return Ok(Exit::Limited);
    }
    if let Some(signal) = signal {
        printing::note(&format!("interrupted: {} left", rows_left(total(stats.taken), &stats)));
        return Ok(Exit::Interrupted(signal));
    }
    if written.left_out.fields > 0 {
        let names = written.left_out.names.join("`, `");
        progress.note(&format!(
            "warning: left out {} without a column in the CSV, such as `{names}`",
            counted(written.left_out.fields, "field")
        ));
    }
    Ok(if stats.failures() + written.clashes > 0 { Exit::FailedRows } else { Exit::Done })
}

/// Writes the output again from the journal, which has the new outcomes of rows that were retried during the run.
async fn rewritten(
    journal: &Path,
    output: &Path,
    arguments: &RunArguments,
    progress: &Progress,
) -> Result<Written> {
    let contents = Contents::open(journal)?;
    let view = View {
        into: arguments.view.into.clone(),
        meta: arguments.view.meta,
        format: arguments.view.output_format,
        failed: arguments.view.failed.clone(),
        explode: arguments.view.explode.clone(),
        part_rows: arguments.view.part_rows,
        values: Values::Validated,
    };
    let sink = export::open(&contents, Some(output), view)?;
    let (_, written) = export::rebuild(contents, sink, arguments.view.order.into(), progress).await?;
    progress.note(&format!("wrote `{}` again, with the retried rows", output.display()));
    Ok(written)
}

/// How many rows are unfinished, and what they will cost if they are like the finished ones.
fn left_at_a_limit(total: Option<RowsInAll>, stats: &Stats) -> String {
    let left = rows_left(total, stats);
    let asked = stats.ended() - stats.known;
    let counted = total.map_or(0, |total| total.number().saturating_sub(stats.ended()));
    match stats.cost.ceiling().map(|cost| cost - stats.cost_before) {
        Some(cost) if asked > 0 && counted > 0 && cost > Usd::ZERO => {
            let each = Usd::from_picodollars(cost.picodollars().div_ceil(asked));
            format!("{left} left: about {} more, at {each} a row so far", each.times(counted))
        }
        Some(_) | None => format!("{left} left"),
    }
}

/// How many rows are unfinished: exact if all have been counted, otherwise marked as inexact.
pub(crate) fn rows_left(total: Option<RowsInAll>, stats: &Stats) -> String {
    let left = |rows: u64| counted(rows.saturating_sub(stats.ended()), "row");
    match total {
        Some(RowsInAll::Counted(rows)) => left(rows),
        // The input ended before its end, such as a file that was cut.
        Some(RowsInAll::Estimated(rows)) if rows <= stats.ended() => "an unknown number of rows".to_owned(),
        Some(RowsInAll::Estimated(rows)) => format!("about {}", left(rows)),
        None => format!("at least {}", left(stats.taken)),
    }
}

/// Prints the first requests as they would be sent: the request line, the headers with secrets hidden, the body.
async fn show_requests(extractor: &Extractor<Value>, mut input: Input, rows: usize) -> Result<Exit> {
    for note in extractor.notes() {
        printing::note(&format!("note: {}", flags::spelled(note)));
    }
    let mut left = rows;
    while left > 0 {
        let taken = input.next(left).await?;
        if taken.is_empty() {
            break;
        }
        left -= taken.len();
        for row in taken {
            let preview = extractor.preview(&row)?;
            let mut text = format!("POST {}\n", preview.url);
            for (name, value) in &preview.headers {
                let value = if value.is_sensitive() { "***" } else { value.to_str().unwrap_or("***") };
                text.push_str(&format!("{name}: {value}\n"));
            }
            text.push_str(&format!("\n{}\n", String::from_utf8_lossy(&preview.request.body)));
            printing::result(&text).map_err(|error| printing::unprintable(&error))?;
        }
    }
    Ok(Exit::Done)
}
