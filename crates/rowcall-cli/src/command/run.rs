//! `rowcall run`: every row of an input to an output. Everything that can be wrong with what was asked for is found before the
//! first request.

use std::cell::Cell;
use std::sync::Arc;

use rowcall::{
    AccountOptions, Error, Event, EventKind, Extractor, Halt, Parameters, Problem, Result, RetryPolicy,
    Schema, Source,
};
use rowcall_data::{Input, InputOptions, Layout, Output, OutputOptions, Written, same_file};
use serde_json::Value;

use crate::args::{AccountArguments, RunArguments, TaskArguments};
use crate::exit::Exit;
use crate::guard::{AfterFailure, FirstRows, Guarded};
use crate::interruption::Interruption;
use crate::model::Model;
use crate::printing;
use crate::progress::{Progress, Verbosity};
use crate::summary::summary;
use crate::text_argument::text_or_file;

pub(crate) fn run(arguments: &RunArguments) -> Result<Exit> {
    let schema = Schema::load(&arguments.task.schema).map_err(Error::Config)?;
    let layout = layout(&schema, arguments)?;
    let model = Model::new(account(&arguments.account, arguments.show_requests.is_some()))?;
    crate::block_on(async {
        let extractor = extractor(&model, schema, &arguments.task)?;
        let extractor = match arguments.account.concurrency {
            Some(places) => extractor.concurrency(places.get()),
            None => extractor,
        };
        if let Some(output) = &arguments.output
            && same_file(&arguments.input, output)
        {
            let message = format!("the output `{}` is the input itself", output.display());
            return Err(Error::Config(Problem::new(message).hint("give the output another name with `-o`")));
        }
        let options = InputOptions { format: arguments.input_format, reserved: layout.reserved() };
        let input = Input::open(&arguments.input, options)?;
        check_variables(&extractor, input.header())?;
        match arguments.show_requests {
            Some(rows) => show_requests(&extractor, input, rows).await,
            None => write(&extractor, input, layout, arguments, &model).await,
        }
    })
}

async fn write(
    extractor: &Extractor<Value>,
    input: Input,
    layout: Layout,
    arguments: &RunArguments,
    model: &Model,
) -> Result<Exit> {
    let output = Output::open(
        arguments.output.as_deref(),
        OutputOptions {
            format: arguments.output_format,
            layout,
            columns: input.first_record_fields().unwrap_or_default().to_vec(),
            failed: arguments.failed.clone(),
        },
    )?;
    let verbosity = match (arguments.quiet, arguments.verbose) {
        (_, true) => Verbosity::Verbose,
        (true, false) => Verbosity::Quiet,
        (false, false) => Verbosity::Normal,
    };
    if verbosity != Verbosity::Quiet && model.is_simulated() {
        printing::note("the answers come from a simulator on this machine, not from a model");
    }
    let progress = Progress::new(verbosity);
    let extractor = match verbosity {
        Verbosity::Verbose => log_attempts(extractor, progress.log()),
        Verbosity::Normal | Verbosity::Quiet => extractor.clone(),
    };
    let gauge = input.gauge();
    let halt = Halt::default();
    let after_failure = if arguments.fail_fast { AfterFailure::Stop } else { AfterFailure::GoOn };
    let mut sink = Guarded::new(output, halt.clone(), after_failure);
    let source = FirstRows::new(input, arguments.limit_rows);
    let total = || gauge.rows_in_all().map(|rows| rows.min(arguments.limit_rows.unwrap_or(u64::MAX)));
    let signal = Cell::new(None);
    let say = || {
        if verbosity != Verbosity::Quiet {
            let in_flight = extractor.stats().in_flight;
            progress.log()(&format!(
                "interrupted: awaiting {in_flight} requests in flight; once more to stop now"
            ));
        }
    };
    let ran = tokio::select! {
        ran = extractor.run(source, &mut sink, arguments.order.into(), halt.clone()) => ran,
        () = progress.show(|| (extractor.stats(), total())) => Ok(()),
        second = Interruption::listen()?.watch(&halt, &signal, say) => {
            progress.finish();
            return Ok(Exit::Interrupted(second));
        }
    };
    progress.finish();
    if sink.reader_is_gone() {
        return Ok(Exit::ReaderGone);
    }
    let (output, failed_fast) = sink.into_parts();
    let stats = extractor.stats();
    let ended_early = ran.is_err() || halt.is_on();
    // What is done is written whatever ended the run; under its own name only if that is all.
    let written = if ended_early {
        if let Some(part) = output.leave().await? {
            printing::note(&format!("what is done is in `{}`", part.display()));
        }
        Written::default()
    } else {
        output.finish().await?
    };
    if verbosity != Verbosity::Quiet {
        printing::note(&summary(&stats, progress.elapsed()));
    }
    ran?;
    failed_fast?;
    if let Some(signal) = signal.get() {
        let left = total().unwrap_or(stats.taken).max(stats.taken).saturating_sub(stats.ended());
        printing::note(&format!("interrupted: {left} rows left"));
        return Ok(Exit::Interrupted(signal));
    }
    if verbosity != Verbosity::Quiet && written.left_out.fields > 0 {
        let names = written.left_out.names.join("`, `");
        printing::note(&format!(
            "warning: {} fields had no column in the CSV and were left out, such as `{names}`",
            written.left_out.fields
        ));
    }
    Ok(if stats.failures() + written.clashes > 0 { Exit::FailedRows } else { Exit::Done })
}

/// Where the output puts what it adds.
fn layout(schema: &Schema, arguments: &RunArguments) -> Result<Layout> {
    let layout = match (&arguments.into, schema.properties()) {
        (Some(name), _) => Layout::under(name)?,
        (None, Some(properties)) => Layout::beside(properties)?,
        (None, None) => Layout::whole(),
    };
    Ok(if arguments.meta { layout.with_meta() } else { layout })
}

/// What the arguments say about the account. Where nothing is sent, a missing key is no obstacle.
fn account(arguments: &AccountArguments, sends_nothing: bool) -> AccountOptions {
    AccountOptions {
        model: arguments.model.clone(),
        base_url: arguments.base_url.clone(),
        api_key: None,
        keyless: sends_nothing,
        headers: arguments.headers.clone(),
        timeout: Some(arguments.timeout),
        ca_cert: arguments.ca_cert.clone(),
        concurrency: None,
        requests_per_minute: arguments.rpm,
        tokens_per_minute: arguments.tpm,
    }
}

fn extractor(model: &Model, schema: Schema, task: &TaskArguments) -> Result<Extractor<Value>> {
    let mut builder = model.client()?.extractor_with(schema).mode(task.mode.into()).parameters(Parameters {
        temperature: task.temperature,
        max_output_tokens: task.max_output_tokens,
        extra: task.parameters.iter().cloned().collect(),
    });
    builder = builder
        .max_reasks(task.max_reasks)
        .retry(RetryPolicy { retries: task.retries, ..RetryPolicy::default() });
    if let Some(system) = &task.system {
        builder = builder.system(text_or_file("system prompt", system)?);
    }
    builder.prompt(text_or_file("prompt", &task.prompt)?)
}

/// A variable of the template that no row will have, if the columns are known.
fn check_variables(extractor: &Extractor<Value>, header: Option<&[String]>) -> Result<()> {
    let Some(header) = header else { return Ok(()) };
    match extractor.variables().into_iter().find(|variable| !header.contains(variable)) {
        None => Ok(()),
        Some(variable) => Err(Error::Config(
            Problem::new(format!("the template uses `{variable}`, which is no column of the input"))
                .hint(format!("the columns are `{}`", header.join("`, `"))),
        )),
    }
}

/// Prints the first requests as they would go out: the line, the headers with secrets hidden, the body.
async fn show_requests(extractor: &Extractor<Value>, mut input: Input, rows: usize) -> Result<Exit> {
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

/// The extractor with a line printed for each attempt. Events hold no key and no header.
fn log_attempts(
    extractor: &Extractor<Value>,
    log: impl Fn(&str) + Send + Sync + 'static,
) -> Extractor<Value> {
    let log = Arc::new(log);
    extractor.on_event(move |event: &Event| {
        let row = event.row;
        match &event.kind {
            EventKind::Answered { attempt, latency, processing: _, result } => {
                let what = match result {
                    Ok(Some(usage)) => {
                        format!("answered, {} tokens in, {} out", usage.input_tokens, usage.output_tokens)
                    }
                    Ok(None) => "answered".to_owned(),
                    Err(fault) => {
                        let id =
                            fault.request_id.as_ref().map_or(String::new(), |id| format!(" (request {id})"));
                        format!("{fault}{id}")
                    }
                };
                log(&format!("row {row} attempt {attempt}: {what} after {latency:.0?}"));
            }
            EventKind::Waits(wait) => log(&format!("row {row} waits {wait:.1?} to try again")),
            EventKind::Reasked { violations } => {
                log(&format!("row {row} is asked again: {violations} violations"));
            }
            EventKind::Ended { failure: Some(kind), effort: _ } => {
                log(&format!("row {row} failed: {}", kind.name()));
            }
            EventKind::Taken
            | EventKind::Sent { .. }
            | EventKind::Ended { failure: None, .. }
            | EventKind::Abandoned => {}
        }
    })
}
