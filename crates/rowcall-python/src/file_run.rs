//! A run from file to file, like `rowcall run`: the input, the output with its journal, and what the journal stores
//! so that the command line can show, export and rerun it.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::pin::pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rowcall::{
    BatchOptions, Error, Extractor, FurtherFields, Halt, OrderBy, Problem, Result, Row, Sink, Source,
};
use rowcall_cli::{Files, FirstRows, Memo, check_columns};
use rowcall_data::{CsvOptions, Input, InputOptions, Layout, Notes, Output, OutputOptions};
use serde::Deserialize;
use serde_json::Value;

use crate::call::ending;
use crate::delivery::{Delivered, Ending, judged};
use crate::progress::{InAll, Progress};
use crate::settings::{JournalSettings, Settings};
use crate::validation::Judge;

/// How often to check on a run that the user's code has broken.
const SETTLING: Duration = Duration::from_millis(50);

/// How long such a run continues at most: the requests in flight may belong to other calls, which never end.
const MOST_SETTLING: Duration = Duration::from_mins(1);

/// How often to yield so that the runtime cleans up cancelled tasks. Once would do unless its queue is long.
const YIELDS: usize = 16;

/// The options that Python passes for a run over files.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileRun {
    input: PathBuf,
    output: PathBuf,
    input_format: Option<String>,
    output_format: Option<String>,
    failed_rows: Option<String>,
    encoding: Option<String>,
    delimiter: Option<String>,
    quote: Option<String>,
    escape: Option<String>,
    skip_rows: u64,
    journal: Option<JournalSettings>,
    into: Option<String>,
    meta: bool,
    failed: Option<PathBuf>,
    validated_by_hash: Option<String>,
    in_input_order: bool,
    explode: Option<String>,
    part_rows: Option<NonZeroU64>,
    batch: bool,
    limit_rows: Option<NonZeroU64>,
    force: bool,
}

/// Where the values of a run come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// The user's model.
    OfModel,
    /// The answers, as the schema describes them.
    OfSchema,
}

/// A run whose files are open.
pub(crate) struct Opened<S> {
    pub(crate) extractor: Extractor<Value>,
    pub(crate) source: S,
    pub(crate) in_all: InAll,
    pub(crate) output: Output,
    pub(crate) order: OrderBy,
    pub(crate) judge: Option<Arc<Judge>>,
    pub(crate) notes: Notes,
}

impl FileRun {
    /// The full path of its own journal.
    pub(crate) fn journal(&self) -> Option<PathBuf> {
        self.journal.as_ref().map(|journal| Memo::whole_path(&journal.path))
    }

    /// Opens the files. Nothing is sent yet.
    ///
    /// # Errors
    /// A problem with the files or the journal that prevents the run from starting.
    pub(crate) fn open(
        self,
        extractor: Extractor<Value>,
        settings: &Settings,
        output_schema: &Value,
        judge: Option<Arc<Judge>>,
    ) -> Result<Opened<FirstRows<Input>>> {
        let journal = self.journal.as_ref().or(settings.journal.as_ref()).map(|journal| &*journal.path);
        let files = Files {
            input: Some(&self.input),
            output: Some(&self.output),
            failed: self.failed.as_deref(),
            journal,
            cache: settings.cache.as_deref(),
        };
        files.check_apart()?;
        let values = if judge.is_some() { Values::OfModel } else { Values::OfSchema };
        let layout = layout(settings, output_schema, values, self.into.as_deref(), self.meta)?;
        let output_format =
            self.output_format.as_deref().map(str::parse).transpose().map_err(Error::Config)?;
        let input = Input::open(&self.input, self.input_options(&layout)?)?;
        check_columns(&extractor, input.header(), &settings.images, settings.same_prompt())?;
        let columns = input.first_record_fields().unwrap_or_default().to_vec();
        let record_schema = input.record_schema().map(str::to_owned);
        let extractor = match &self.journal {
            None => extractor,
            Some(journal) => {
                if !(self.force || journal.fresh) {
                    files.check_output()?;
                }
                extractor.journal_with(&journal.options(&self.memo(
                    settings,
                    &columns,
                    record_schema.as_deref(),
                )?))?
            }
        };
        let extractor = if self.batch { extractor.in_batches(BatchOptions::default())? } else { extractor };
        let options = OutputOptions {
            format: output_format,
            schema: output_schema.clone(),
            columns,
            record_schema,
            part_rows: self.part_rows,
            explode: self.explode.clone(),
            failed: self.failed.clone(),
            ..OutputOptions::new(layout)
        };
        let output = Output::open(Some(&self.output), options)?;
        let order = if self.in_input_order { OrderBy::Input } else { OrderBy::Completed };
        let (notes, limit) = (input.notes(), self.limit_rows.map(NonZeroU64::get));
        let in_all = InAll::File(input.gauge(), limit);
        let source = FirstRows::new(input, limit);
        Ok(Opened { extractor, source, in_all, output, order, judge, notes })
    }

    fn input_options(&self, layout: &Layout) -> Result<InputOptions> {
        Ok(InputOptions {
            format: parsed("input_format", self.input_format.as_deref())?,
            reserved: layout.reserved(),
            failed_rows: parsed("failed_rows", self.failed_rows.as_deref())?.unwrap_or_default(),
            encoding: parsed("encoding", self.encoding.as_deref())?,
            csv: CsvOptions {
                delimiter: parsed("delimiter", self.delimiter.as_deref())?,
                quote: parsed("quote", self.quote.as_deref())?,
                escape: parsed("escape", self.escape.as_deref())?,
                skip_rows: self.skip_rows,
            },
        })
    }

    /// What the command line would store about this run.
    fn memo(&self, settings: &Settings, columns: &[String], record_schema: Option<&str>) -> Result<Memo> {
        Ok(Memo {
            journal: self.journal.as_ref().map(|journal| Memo::whole_path(&journal.path)),
            input: Some(Memo::whole_path(&self.input)),
            output: Some(Memo::whole_path(&self.output)),
            output_format: self.output_format.clone(),
            failed: self.failed.as_deref().map(Memo::whole_path),
            into: self.into.clone(),
            meta: self.meta,
            columns: columns.to_vec(),
            record_schema: record_schema.map(str::to_owned),
            explode: self.explode.clone(),
            part_rows: self.part_rows,
            validated_by_hash: self.validated_by_hash.clone(),
            ..settings.memo()?
        })
    }
}

impl<S: Source> Opened<S> {
    /// How many rows there are.
    pub(crate) fn in_all(&self) -> InAll {
        self.in_all.clone()
    }

    /// Notes about the input.
    pub(crate) fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// Writes all rows to the output. It gets its final name only if all rows are written; otherwise the rows written
    /// so far stay under the name of a part.
    pub(crate) async fn carry_out(self, halt: Halt, progress: Arc<Progress>) -> Ending {
        let Self { extractor, source, in_all: _, output, order, judge, notes: _ } = self;
        let mut sink = Judged { output, judge: judge.clone(), progress };
        let ended = {
            let mut run = pin!(extractor.run(source, &mut sink, order, halt.clone()));
            let ended = ending(judge, &mut run).await;
            if matches!(ended, Ending::Raised(_)) {
                // The row for which the user's code raised never ends, but the others, which are paid for, do.
                halt.set();
                tokio::select! {
                    _ = run => {}
                    _ = tokio::time::timeout(MOST_SETTLING, settled(&extractor)) => {}
                }
            }
            ended
        };
        if matches!(ended, Ending::Raised(_)) {
            // The cancelled row holds the journal until the runtime drops its task.
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
        }
        let is_complete = matches!(ended, Ending::Done) && !halt.is_on();
        let closed = if is_complete {
            sink.output.finish().await.map(drop)
        } else {
            sink.output.leave().await.map(drop)
        };
        match (ended, closed) {
            (Ending::Done, Err(error)) => Ending::Stopped(error),
            (ended, _) => ended,
        }
    }
}

/// Waits until no request is in flight and the last answers have had time to be written.
async fn settled(extractor: &Extractor<Value>) {
    let mut quiet = 0;
    while quiet < 2 {
        tokio::time::sleep(SETTLING).await;
        quiet = if extractor.stats().in_flight == 0 { quiet + 1 } else { 0 };
    }
}

/// An output for values as the user's model serializes them.
struct Judged {
    output: Output,
    judge: Option<Arc<Judge>>,
    progress: Arc<Progress>,
}

impl Sink for Judged {
    async fn write(&mut self, done: Vec<(Row, rowcall::Outcome)>) -> Result<()> {
        self.progress.count(&done);
        let (rows, outcomes): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        let outcomes = judged(self.judge.as_deref(), outcomes).into_iter().map(Delivered::into_json);
        self.output.write(rows.into_iter().zip(outcomes).collect()).await
    }
}

/// What the output adds to a record: the whole value under `into`, or its fields; and what the row took if `meta` is
/// set.
///
/// # Errors
/// A name that the output adds itself.
pub(crate) fn layout(
    settings: &Settings,
    output_schema: &Value,
    values: Values,
    into: Option<&str>,
    meta: bool,
) -> Result<Layout> {
    let schema = settings.read(output_schema)?;
    let layout = match (into, schema.properties()) {
        (Some(name), _) => Layout::under(name)?,
        (None, Some(properties)) => match (schema.further_fields(), values) {
            // A model has only its declared fields, unless it allows others.
            (FurtherFields::Forbidden, _) | (FurtherFields::Unmentioned, Values::OfModel) => {
                Layout::beside(properties)?
            }
            (FurtherFields::Unmentioned, Values::OfSchema) | (FurtherFields::Allowed, _) => {
                Layout::beside(properties)?.with_rest()
            }
        },
        (None, None) => Layout::whole(),
    };
    Ok(if meta { layout.with_meta() } else { layout })
}

/// The parsed option, if it was given.
fn parsed<T: FromStr<Err = Problem>>(name: &str, text: Option<&str>) -> Result<Option<T>> {
    text.map(str::parse).transpose().map_err(|problem: Problem| {
        Error::Config(Problem { message: format!("`{name}`: {}", problem.message), ..problem })
    })
}
