//! The configuration of an extractor, before it is built.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::Extractor;
use crate::config::{Account, Plan, TaskOptions};
use crate::error::{Error, Problem, Result};
use crate::identity::EqualRows;
use crate::outcome::Effort;
use crate::prompt::SamePrompt;
use crate::provider::{Mode, Parameters};
use crate::refusals::AllRefused;
use crate::retry::RetryPolicy;
use crate::row::AnsweredRow;
use crate::schema::{Observed, Schema};
use crate::stops::MaxFailures;
use crate::violation::Violation;

/// The configuration of an extractor to be built; see [`Client::extractor`](crate::Client::extractor).
pub struct ExtractorBuilder<T> {
    account: Arc<Account>,
    schema: std::result::Result<Schema, Problem>,
    misfit: fn(&Value) -> Option<Violation>,
    options: TaskOptions,
    /// The first problem with the settings so far.
    problem: Option<Problem>,
    value: PhantomData<fn() -> T>,
}

impl<T> ExtractorBuilder<T> {
    pub(crate) fn new(
        account: Arc<Account>,
        schema: std::result::Result<Schema, Problem>,
        misfit: fn(&Value) -> Option<Violation>,
    ) -> Self {
        let options = TaskOptions::default();
        Self { account, schema, misfit, options, problem: None, value: PhantomData }
    }

    /// The instructions for every row: a template, sent as the protocol's system prompt.
    pub fn system(mut self, template: impl Into<String>) -> Self {
        self.options.system = Some(template.into());
        self
    }

    /// Asks about every row even if the server rejects all the first ones alike, which otherwise stops the run with
    /// [`Error::Refused`].
    pub fn keep_going(mut self) -> Self {
        self.options.all_refused = AllRefused::KeepGoing;
        self
    }

    /// Allows a prompt that uses no field of the row, so that every row is asked the same. Without it, such a prompt is an
    /// error.
    pub fn same_prompt(mut self) -> Self {
        self.options.same_prompt = SamePrompt::Allow;
        self
    }

    /// Rows with their right values, as examples for the model: each is sent as a question in the words of the prompt with its answer,
    /// ahead of every row. A row may be anything that [`Row::new`](crate::Row::new) takes, a value anything that serialises to what the
    /// schema allows.
    pub fn examples<R: Serialize, V: Serialize>(
        mut self,
        examples: impl IntoIterator<Item = (R, V)>,
    ) -> Self {
        for (row, value) in examples {
            match AnsweredRow::new(&row, &value) {
                Ok(example) => self.options.examples.push(example),
                Err(problem) => self.problem = self.problem.or(Some(problem)),
            }
        }
        self
    }

    /// As [`examples`](Self::examples), with rows that know where they come from.
    pub fn answered_rows(mut self, examples: impl IntoIterator<Item = AnsweredRow>) -> Self {
        self.options.examples.extend(examples);
        self
    }

    /// A field of each row that holds an image or a PDF, or a list of them, to send with the question: a file's path, an
    /// `https:`, `http:` or `data:` URL. Empty or null means no attachment. A file is read just before its row is asked about;
    /// the journal identifies the row by the path, not by the file's contents.
    pub fn image(mut self, field: impl Into<String>) -> Self {
        self.options.images.push(field.into());
        self
    }

    /// The folder that relative paths of images start from, in place of the current one.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.options.folder = Some(folder.into());
        self
    }

    /// How the schema is sent; by default, in the best mode that the model supports.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.options.mode = Some(mode);
        self
    }

    /// What a [probe](crate::Client::probe) observed of the server; it determines how the schema is sent, along with what is
    /// known of the server's dialect.
    pub fn observed(mut self, observed: Observed) -> Self {
        self.options.observed = observed;
        self
    }

    /// What that [probe](crate::Client::probe) took: the statistics count it before the first row, and the first journal
    /// records it.
    pub fn probed(mut self, effort: Effort) -> Self {
        self.options.probed = Some(effort);
        self
    }

    /// Sampling temperature. Not sent unless set, since current models reject it.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.options.parameters.temperature = Some(temperature);
        self
    }

    /// The most tokens an answer may have, reasoning included.
    pub fn max_output_tokens(mut self, tokens: u32) -> Self {
        self.options.parameters.max_output_tokens = Some(tokens);
        self
    }

    /// Adds a field to every request's body, as the provider names it.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.parameters.extra.insert(name.into(), value.into());
        self
    }

    /// Sets all parameters of the answers at once.
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.options.parameters = parameters;
        self
    }

    /// How often the model is asked again after an invalid answer, with its violations; 3 by default.
    pub fn max_reasks(mut self, reasks: u32) -> Self {
        self.options.max_reasks = reasks;
        self
    }

    /// What is retried, and until when.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// How long a run may send requests. After that it stops with [`Error::Limit`], once those in flight are answered.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.stops.deadline = Some(deadline);
        self
    }

    /// How many rows may fail; at one more, the run stops with [`Error::Limit`].
    pub fn max_failures(mut self, failures: MaxFailures) -> Self {
        self.options.stops.max_failures = Some(failures);
        self
    }

    /// Whether rows with exactly the same request share an outcome, as they do by default.
    pub fn equal_rows(mut self, equal_rows: EqualRows) -> Self {
        self.options.equal_rows = equal_rows;
        self
    }

    /// Builds the extractor, with the user part of every prompt: a template in Jinja syntax, which sees a string row as the
    /// variable `text` and a struct row as its fields.
    ///
    /// # Errors
    /// [`Error::Config`] if the template does not compile or uses no field of the row, nothing satisfies the schema, an example cannot be
    /// rendered or has an invalid value, or a setting is not valid.
    pub fn prompt(mut self, template: impl Into<String>) -> Result<Extractor<T>> {
        self.options.prompt = template.into();
        if let Some(problem) = self.problem {
            return Err(Error::Config(problem));
        }
        let schema = self.schema.map_err(Error::Config)?;
        let mut plan = Plan::new(self.account, schema, self.misfit, &self.options)?;
        let folded = Arc::clone(&plan.stats);
        plan.observers.add(Arc::new(move |event| {
            folded.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
        }));
        Ok(Extractor { plan: Arc::new(plan), value: PhantomData })
    }
}

impl<T> fmt::Debug for ExtractorBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtractorBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
