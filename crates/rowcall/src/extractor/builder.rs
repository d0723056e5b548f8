//! What can be said about an extractor before there is one.

use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
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
use crate::stats::Stats;
use crate::stops::MaxFailures;
use crate::violation::Violation;

/// What an extractor is to be; see [`Client::extractor`](crate::Client::extractor).
pub struct ExtractorBuilder<T> {
    account: Arc<Account>,
    schema: std::result::Result<Schema, Problem>,
    misfit: fn(&Value) -> Option<Violation>,
    options: TaskOptions,
    /// What is wrong with what was said so far.
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

    /// What holds for every row: a template, sent as the protocol's system part.
    pub fn system(mut self, template: impl Into<String>) -> Self {
        self.options.system = Some(template.into());
        self
    }

    /// Asks about every row even if the server refuses the first ones all alike, which otherwise stops the run with
    /// [`Error::Refused`].
    pub fn keep_going(mut self) -> Self {
        self.options.all_refused = AllRefused::KeepGoing;
        self
    }

    /// Allows a prompt that uses no field of the row, so that every row is asked the same. Without it, such a prompt is refused.
    pub fn same_prompt(mut self) -> Self {
        self.options.same_prompt = SamePrompt::Allow;
        self
    }

    /// Rows with the values that they are to get, for the model to go by: each is asked about in the words of the prompt and
    /// answered, before every row. A row may be what [`Row::new`](crate::Row::new) takes, a value whatever serialises to what the schema allows.
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

    /// A field of each row that holds an image or a PDF, or a list of them, to go along with the question: a file's path, an
    /// `https:`, `http:` or `data:` URL. Empty or null is none. A file is read just before its row is asked about; a row is known
    /// again by the path.
    pub fn image(mut self, field: impl Into<String>) -> Self {
        self.options.images.push(field.into());
        self
    }

    /// What relative paths of images start from, in place of the current folder.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.options.folder = Some(folder.into());
        self
    }

    /// How the schema is asked for; by the best of what the model can unless said otherwise.
    pub fn mode(mut self, mode: Mode) -> Self {
        self.options.mode = Some(mode);
        self
    }

    /// What was [observed](crate::Client::probe) of the server: the schema is sent by that beside what is known of the server's dialect.
    pub fn observed(mut self, observed: Observed) -> Self {
        self.options.observed = observed;
        self
    }

    /// What it took to [observe](crate::Client::probe) that: the statistics count it before the first row, and the first journal records it.
    pub fn probed(mut self, effort: Effort) -> Self {
        self.options.probed = Some(effort);
        self
    }

    /// Sampling temperature. Never sent unless asked for, since current models refuse it.
    pub fn temperature(mut self, temperature: f64) -> Self {
        self.options.parameters.temperature = Some(temperature);
        self
    }

    /// The most tokens an answer may have, reasoning included.
    pub fn max_output_tokens(mut self, tokens: u32) -> Self {
        self.options.parameters.max_output_tokens = Some(tokens);
        self
    }

    /// A further field of every request's body, as the provider names it.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.parameters.extra.insert(name.into(), value.into());
        self
    }

    /// All that can be set about the answers at once.
    pub fn parameters(mut self, parameters: Parameters) -> Self {
        self.options.parameters = parameters;
        self
    }

    /// How often an invalid answer is asked for again, with its violations; 3 by default.
    pub fn max_reasks(mut self, reasks: u32) -> Self {
        self.options.max_reasks = reasks;
        self
    }

    /// What is retried, and until when.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.options.retry = policy;
        self
    }

    /// How long a run may send requests; then it stops with [`Error::Limit`], once those in flight are answered.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.options.stops.deadline = Some(deadline);
        self
    }

    /// How many rows may fail; with one more the run stops with [`Error::Limit`].
    pub fn max_failures(mut self, failures: MaxFailures) -> Self {
        self.options.stops.max_failures = Some(failures);
        self
    }

    /// Whether rows that would be asked the very same share an outcome, as they do unless said otherwise.
    pub fn equal_rows(mut self, equal_rows: EqualRows) -> Self {
        self.options.equal_rows = equal_rows;
        self
    }

    /// The extractor, with the user's part of every prompt: a template in Jinja's syntax, in which a string row is the variable
    /// `text` and a struct row its fields.
    ///
    /// # Errors
    /// [`Error::Config`] if the template does not compile or uses no field of the row, nothing satisfies the schema, an example cannot be asked about or has
    /// a value that is not valid, or a setting cannot be.
    pub fn prompt(mut self, template: impl Into<String>) -> Result<Extractor<T>> {
        self.options.prompt = template.into();
        if let Some(problem) = self.problem {
            return Err(Error::Config(problem));
        }
        let schema = self.schema.map_err(Error::Config)?;
        let mut plan = Plan::new(self.account, schema, self.misfit, &self.options)?;
        let stats = Arc::new(Mutex::new(Stats::default()));
        let folded = Arc::clone(&stats);
        plan.observers.add(Arc::new(move |event| {
            folded.lock().unwrap_or_else(PoisonError::into_inner).apply(event);
        }));
        Ok(Extractor { plan: Arc::new(plan), stats, value: PhantomData })
    }
}

impl<T> fmt::Debug for ExtractorBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExtractorBuilder").field("options", &self.options).finish_non_exhaustive()
    }
}
