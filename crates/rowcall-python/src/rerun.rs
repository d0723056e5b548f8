//! Reruns the failed rows of a run from file to file: the journal is the input, and the output is rewritten. The
//! user's model also validates the recorded values.

use std::path::PathBuf;
use std::sync::Arc;

use rowcall::journal::{Contents, Existing, Records};
use rowcall::{Error, Extractor, JournalOptions, KnownFailures, OrderBy, Problem, Result};
use rowcall_cli::{Files, Memo};
use rowcall_data::{KeptRows, Notes, Output, OutputOptions, is_folder};
use serde::Deserialize;
use serde_json::Value;

use crate::file_run::{Opened, Values, layout};
use crate::progress::InAll;
use crate::settings::Settings;
use crate::validation::Judge;

/// The options that Python passes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rerun {
    journal: PathBuf,
    output: Option<PathBuf>,
    /// Whether the output that the journal names is written over, whatever has written it.
    force: bool,
}

impl Rerun {
    /// The full path of the journal.
    pub(crate) fn journal(&self) -> PathBuf {
        Memo::whole_path(&self.journal)
    }

    /// Opens the files. Nothing is sent yet.
    ///
    /// # Errors
    /// A problem with the journal or the files that prevents it from starting.
    pub(crate) fn open(
        self,
        extractor: &Extractor<Value>,
        settings: &Settings,
        output_schema: &Value,
        judge: Option<Arc<Judge>>,
    ) -> Result<Opened<KeptRows>> {
        let contents = Contents::open(&self.journal)?;
        let memo = Memo::in_journal(&contents, &self.journal);
        let again = "call `run` again with `retry_failed=True`";
        let refused = |what: &str| {
            let message = format!("the journal `{}` {what}", self.journal.display());
            Error::Config(Problem::new(message).hint(again))
        };
        if !contents.has_records()? {
            return Err(refused("has no records to ask about again"));
        }
        if !contents.totals().complete {
            return Err(refused("belongs to a run that is not finished"));
        }
        if self.output.is_none() && !self.force {
            memo.check_files(&self.journal, "name another output, or write over it with `force=True`")?;
        }
        let Some(output) = self.output.or_else(|| memo.output.clone()) else {
            return Err(refused("was not made by a run from file to file"));
        };
        let (failed, journal) = (memo.failed.as_deref(), Some(&*self.journal));
        let cache = settings.cache.as_deref();
        Files { input: None, output: Some(&output), failed, journal, cache }.check_apart()?;
        let values = if judge.is_some() { Values::OfModel } else { Values::OfSchema };
        let layout = layout(settings, output_schema, values, memo.into.as_deref(), memo.meta)?;
        let options = JournalOptions {
            path: self.journal.clone(),
            existing: Existing::Resume,
            records: Records::Kept,
            memo: contents.memo().to_owned(),
        };
        // Whatever the new settings are, the rerun continues the original run's journal.
        let extractor = extractor.journal_of(contents.identity(), &options)?;
        let format = memo.output_format.as_deref().map(str::parse).transpose().map_err(Error::Config)?;
        let options = OutputOptions {
            format,
            schema: output_schema.clone(),
            columns: memo.columns,
            record_schema: memo.record_schema,
            part_rows: memo.part_rows.filter(|_| is_folder(&output)),
            explode: memo.explode,
            failed: memo.failed,
            ..OutputOptions::new(layout)
        };
        Ok(Opened {
            extractor: extractor.known_failures(KnownFailures::AskAgain),
            in_all: InAll::Rows(contents.totals().rows),
            source: KeptRows::new(contents.into_rows()?),
            output: Output::open(Some(&output), options)?,
            order: OrderBy::Input,
            judge,
            notes: Notes::default(),
        })
    }
}
