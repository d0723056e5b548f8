//! `rowcall rerun`: retries the failed rows of a journal, optionally with another model, prompt or limit, and rebuilds its output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowcall::journal::{Contents, Existing, Records};
use rowcall::schema::{Dialect, Observed};
use rowcall::{
    EqualRows, Error, Extractor, Halt, JournalOptions, OrderBy, Outcome, Parameters, Problem, Result, Row,
    SamePrompt, Schema, Sink,
};
use rowcall_data::{KeptRows, Output, RowsInAll, is_folder};
use serde_json::Value;

use super::export::{View, check_failed, check_own, open, rebuild};
use super::run::rows_left;
use crate::args::RerunArguments;
use crate::exit::Exit;
use crate::failures::{FailedRowFiles, failures};
use crate::files::Files;
use crate::journal::{self, Memo};
use crate::model::Model;
use crate::monitoring::Monitoring;
use crate::printing;
use crate::progress::{Progress, Verbosity};
use crate::server_probe::{Assumed, Manner, find_out};
use crate::summary::{counted, summary};
use crate::task::{self, Task, cached};
use crate::text_argument::text_or_file;
use crate::watch::{Watched, logged, watch};

pub(crate) fn rerun(arguments: &RerunArguments) -> Result<Exit> {
    let contents = journal::open(&arguments.journal)?;
    let memo = Memo::in_journal(&contents, &arguments.journal);
    memo.check_validators(arguments.without_validators)?;
    if !contents.has_records()? {
        let message = "the journal has no records, so its failed rows cannot be retried: it was made with `--journal-records off`";
        let hint = "use `rowcall run --fresh` to ask about all rows again";
        return Err(Error::Config(Problem::new(message).hint(hint)));
    }
    let (output, failed) = (arguments.output.as_deref(), memo.failed.as_deref());
    let cache = arguments.cache.path.as_deref();
    let input = memo.input.as_deref();
    Files { input, output, failed, journal: Some(&arguments.journal), cache }.check_apart()?;
    if !arguments.force {
        let journal = &arguments.journal;
        let written = output.or(memo.output.as_deref());
        check_own(
            written,
            &memo,
            journal,
            "choose another output with `-o`, or use `--force` to overwrite it",
        )?;
        check_failed(&memo, journal)?;
    }
    let former = model(&memo, &contents);
    let asked = arguments.model.as_deref().unwrap_or(&former);
    let mut assumed = Assumed::of(arguments.server.dialect.as_ref())?;
    let mut account = task::account(asked, &arguments.server, false)?;
    // What the journal remembers of a server does not apply to another provider.
    let is_same_provider = provider(asked) == provider(&former);
    if is_same_provider {
        account.base_url = account.base_url.or_else(|| memo.base_url.clone());
        account.protocol = account.protocol.or(memo.protocol);
        // Observations apply to one model only.
        let observed = if asked == former { memo.observed.clone() } else { Observed::default() };
        if arguments.server.dialect.is_none() {
            let named = memo.dialect.as_deref().and_then(|name| Dialect::named(name).ok());
            assumed = Assumed { dialect: named, observed, asks: false };
        } else if assumed.asks {
            assumed.observed = observed;
        }
    }
    account.dialect = assumed.dialect;
    let mode = memo.mode.filter(|_| is_same_provider);
    let model = Model::new(account)?;
    let progress = Progress::new(Verbosity::of(arguments.quiet, arguments.verbose));
    crate::block_on(async {
        let mut task = Task { mode, ..task(&contents, &memo, arguments)? };
        let client = model.client()?;
        if assumed.asks {
            let manner = Manner { mode, parameters: task.parameters.clone() };
            client.spent_before(&contents, &arguments.journal)?;
            let found = find_out(&client, &task.schema, &manner, assumed.observed).await?;
            progress.note(&format!("note: {}", found.note));
            (assumed.observed, task.probed) = (found.observed, found.effort);
        }
        task.observed = assumed.observed;
        let extractor = task.extractor(&client, &arguments.retrying, &arguments.server)?;
        let options = JournalOptions {
            path: arguments.journal.clone(),
            existing: Existing::Resume,
            records: Records::Kept,
            memo: contents.memo().to_owned(),
        };
        // The command that made the journal can still resume it, however the failed rows are asked now.
        let extractor = cached(&extractor, arguments.cache.path.as_deref())?;
        let extractor = extractor.journal_of(contents.identity(), &options)?;
        let extractor = logged(&extractor, &progress);
        let base_url =
            arguments.server.base_url.as_deref().or(memo.base_url.as_deref().filter(|_| is_same_provider));
        let (monitoring, extractor) = Monitoring::new(&extractor, base_url, &arguments.live, &progress)?;
        // Readers of the journal are dropped before it is closed, however the run ends, so that no files are left beside it.
        let kept = contents;
        // Opened only now: a run that is still writing to the journal would be writing to this output too.
        let sink = opened(&kept, &memo, arguments.output.as_deref())?;
        let files = FailedRowFiles {
            output: sink.as_ref().map(|(_, output)| output.as_path()),
            failed: memo.failed.as_deref(),
            journal: Some(&arguments.journal),
        };
        let ended = match ask(&extractor, kept, files, monitoring, &progress).await {
            Ok(None) => return write(&arguments.journal, sink, &progress).await,
            Ok(Some(exit)) => Ok(exit),
            Err(error) => Err(error),
        };
        if let Some((sink, _)) = sink
            && let Some(part) = sink.leave().await?
        {
            // It is still empty.
            let _ = std::fs::remove_file(part);
        }
        ended
    })
}

/// Asks about the failed rows. Returns the exit if it was interrupted.
async fn ask(
    extractor: &Extractor<Value>,
    contents: Contents,
    files: FailedRowFiles<'_>,
    monitoring: Monitoring<'_>,
    progress: &Progress,
) -> Result<Option<Exit>> {
    let failed: u64 = contents.failures()?.values().sum();
    let halt = Halt::default();
    let mut discard = Discard;
    let run = extractor.rerun(KeptRows::new(contents.into_failed_rows()?), &mut discard, halt.clone());
    let left = "run the same command to ask about the remaining rows";
    let watched = WatchedRows { rows: failed, files, left };
    Box::pin(carry_out(run, extractor, &halt, watched, monitoring, progress)).await
}

/// The rows that a journal's run is about.
pub(super) struct WatchedRows<'a> {
    /// How many there are.
    pub(super) rows: u64,
    /// Where those are that fail.
    pub(super) files: FailedRowFiles<'a>,
    /// What to do about those that are left after an early end.
    pub(super) left: &'a str,
}

/// Carries out `run`, lets others see and steer it, and shows what it has done. Returns the exit if it was interrupted or stopped.
pub(super) async fn carry_out(
    run: impl Future<Output = Result<()>>,
    extractor: &Extractor<Value>,
    halt: &Halt,
    WatchedRows { rows, files, left: advice }: WatchedRows<'_>,
    monitoring: Monitoring<'_>,
    progress: &Progress,
) -> Result<Option<Exit>> {
    let total = Some(RowsInAll::Counted(rows));
    let journal = files.journal.map(Path::to_owned);
    let monitored = monitoring.start(extractor, journal, Arc::new(move |_| total), progress).await?;
    let (ran, signal) = match watch(run, extractor, halt, progress, |_| total).await? {
        Watched::Ended(ran, signal) => (ran, signal),
        Watched::Stopped(second) => return Ok(Some(Exit::Interrupted(second))),
    };
    monitored.end().await;
    let stats = extractor.stats();
    let has_ended = ran.is_ok() && !halt.is_on();
    let left = (!has_ended).then(|| rows_left(total, &stats));
    progress.note(&summary(&stats, progress.elapsed(), left.as_deref()));
    if let Some(reasons) = failures(&stats, files) {
        progress.note(&reasons);
    }
    ran?;
    if let Some(signal) = signal {
        printing::note(&format!("interrupted: {advice}"));
        return Ok(Some(Exit::Interrupted(signal)));
    }
    if extractor.control().settings().is_stopping {
        printing::note(&format!("stopped: {advice}"));
        return Ok(Some(Exit::Limited));
    }
    Ok(None)
}

/// Opens the output of the journal, or this one in its place, to rebuild it; `None` if there is neither.
pub(super) fn opened(
    contents: &Contents,
    memo: &Memo,
    output: Option<&Path>,
) -> Result<Option<(Output, PathBuf)>> {
    let Some(path) = output.or(memo.output.as_deref()) else { return Ok(None) };
    let view = View {
        into: memo.into.clone(),
        meta: memo.meta,
        format: memo.output_format().filter(|_| output.is_none()),
        failed: memo.failed.clone(),
        explode: memo.explode.clone(),
        part_rows: memo.part_rows.filter(|_| is_folder(path)),
        values: memo.values(),
    };
    Ok(Some((open(contents, Some(path), view)?, path.to_owned())))
}

/// Rebuilds the output, if the journal has one.
pub(super) async fn write(
    journal: &Path,
    sink: Option<(Output, PathBuf)>,
    progress: &Progress,
) -> Result<Exit> {
    let contents = Contents::open(journal)?;
    let Some((sink, output)) = sink else {
        let failed: u64 = contents.failures()?.values().sum();
        progress.note("the journal was made without an output: use `rowcall export` to write one");
        return Ok(if failed > 0 { Exit::FailedRows } else { Exit::Done });
    };
    let (failed, written) = rebuild(contents, sink, OrderBy::Input, progress).await?;
    let rows = counted(written.rows, "row");
    progress.note(&format!("wrote `{}`: {rows}, {failed} failed", output.display()));
    Ok(if failed + written.clashes > 0 { Exit::FailedRows } else { Exit::Done })
}

/// The model as named by the command that made the journal, or as the identity has it if the library made it.
pub(super) fn model(memo: &Memo, contents: &Contents) -> String {
    if memo.model.is_empty() { contents.identity().model.clone() } else { memo.model.clone() }
}

fn provider(model: &str) -> &str {
    model.split_once('/').map_or(model, |(provider, _)| provider)
}

/// The task of the journal's plan, with the changes that the arguments make.
fn task(contents: &Contents, memo: &Memo, arguments: &RerunArguments) -> Result<Task> {
    let asked = Asked {
        prompt: arguments.prompt.as_deref(),
        same_prompt: arguments.same_prompt,
        max_output_tokens: arguments.max_output_tokens,
    };
    former_task(contents, memo, &asked)
}

/// What is asked differently from the journal's plan.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    prompt: Option<&'a str>,
    same_prompt: bool,
    max_output_tokens: Option<u32>,
}

/// The task of the journal's plan, with these changes.
pub(super) fn former_task(contents: &Contents, memo: &Memo, asked: &Asked<'_>) -> Result<Task> {
    let identity = contents.identity();
    let mut extra = identity.parameters.clone();
    let temperature = extra.get("temperature").and_then(serde_json::Value::as_f64);
    let limit = extra.get("max_output_tokens").and_then(serde_json::Value::as_u64);
    extra.retain(|name, _| name != "temperature" && name != "max_output_tokens");
    let limit = limit.and_then(|limit| limit.try_into().ok());
    let prompt = asked.prompt.map(|prompt| text_or_file("prompt", prompt)).transpose()?;
    let same_prompt = match &prompt {
        Some(_) if !asked.same_prompt => SamePrompt::Refuse,
        // The run that made the journal already checked this.
        Some(_) | None => SamePrompt::Allow,
    };
    Ok(Task {
        schema: Schema::from_generated(identity.schema.clone()).map_err(Error::Config)?,
        prompt: prompt.unwrap_or_else(|| identity.prompt.clone()),
        same_prompt,
        system: identity.system.clone(),
        examples: identity.examples.clone(),
        images: identity.images.clone(),
        folder: memo.folder.clone(),
        parameters: Parameters { temperature, max_output_tokens: asked.max_output_tokens.or(limit), extra },
        mode: memo.mode,
        observed: Observed::default(),
        probed: None,
        equal_rows: if memo.no_dedup { EqualRows::AskEach } else { EqualRows::Share },
    })
}

/// Discards outcomes: they are in the journal, and the output is written from there.
#[derive(Debug)]
pub(super) struct Discard;

impl Sink for Discard {
    async fn write(&mut self, _: Vec<(Row, Outcome)>) -> Result<()> {
        Ok(())
    }
}
