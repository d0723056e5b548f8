//! What Python says about an extractor, as checked by the library: the account and the task.

use std::path::PathBuf;
use std::time::Duration;

use rowcall::journal::{Existing, Records};
use rowcall::provider::Protocol;
use rowcall::schema::Dialect;
use rowcall::{
    AccountOptions, EqualRows, Error, Extractor, ExtractorBuilder, JournalOptions, Mode, Parameters, Problem,
    Result, RetryPolicy, SamePrompt, Schema,
};
use rowcall_cli::{Memo, Model};
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What Python says about an extractor, but for the key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) model: String,
    pub(crate) schema: Value,
    /// Whether the schema is the user's own, not made of a type.
    pub(crate) schema_is_given: bool,
    /// What instances are as JSON, where that is not what is asked for.
    pub(crate) output_schema: Option<Value>,
    pub(crate) prompt: String,
    pub(crate) same_prompt: bool,
    keep_going: bool,
    pub(crate) system: Option<String>,
    /// Rows with the values that they are to get.
    pub(crate) examples: Vec<(Map<String, Value>, Value)>,
    /// The fields that hold images or PDFs.
    pub(crate) images: Vec<String>,
    pub(crate) mode: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) dialect: Option<String>,
    pub(crate) base_url: Option<String>,
    pub(crate) timeout: Option<f64>,
    pub(crate) ca_cert: Option<PathBuf>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) most_connections: Option<usize>,
    pub(crate) rpm: Option<f64>,
    pub(crate) tpm: Option<f64>,
    pub(crate) temperature: Option<f64>,
    pub(crate) max_output_tokens: Option<u32>,
    pub(crate) params: Map<String, Value>,
    pub(crate) max_reasks: Option<u32>,
    pub(crate) retries: Option<u32>,
    pub(crate) dedup: bool,
    pub(crate) journal: Option<JournalSettings>,
}

/// Where a journal is, and what is done with one that is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalSettings {
    pub(crate) path: PathBuf,
    #[serde(default)]
    pub(crate) fresh: bool,
    #[serde(default)]
    pub(crate) accept_changes: bool,
}

impl JournalSettings {
    /// In the library's words, with what the journal is to remember.
    pub(crate) fn options(&self, memo: &Memo) -> JournalOptions {
        JournalOptions {
            path: self.path.clone(),
            existing: match (self.fresh, self.accept_changes) {
                (true, _) => Existing::StartOver,
                (false, true) => Existing::AcceptChanges,
                (false, false) => Existing::Resume,
            },
            records: Records::Kept,
            memo: memo.to_json(),
        }
    }
}

impl Settings {
    /// The extractor, and whom it asks.
    ///
    /// # Errors
    /// Whatever in the settings cannot be.
    pub(crate) fn extractor(
        &self,
        api_key: Option<String>,
        headers: Vec<(String, String)>,
    ) -> Result<(Extractor<Value>, Model)> {
        let schema = self.read(&self.schema)?;
        let model = Model::new(AccountOptions {
            model: self.model.clone(),
            base_url: self.base_url.clone(),
            protocol: self.protocol()?,
            dialect: self.dialect.as_deref().map(Dialect::named).transpose().map_err(Error::Config)?,
            api_key: api_key.map(SecretString::from),
            headers: headers.into_iter().map(|(name, value)| (name, value.into())).collect(),
            timeout: self.timeout.map(|seconds| time("timeout", seconds)).transpose()?,
            ca_cert: self.ca_cert.clone(),
            concurrency: self.concurrency,
            most_concurrency: self.most_connections,
            requests_per_minute: self.rpm,
            tokens_per_minute: self.tpm,
            ..AccountOptions::default()
        })?;
        let mut task = model.client()?.extractor_with(schema).parameters(Parameters {
            temperature: self.temperature,
            max_output_tokens: self.max_output_tokens,
            extra: self.params.clone(),
        });
        if let Some(mode) = self.mode()? {
            task = task.mode(mode);
        }
        if self.keep_going {
            task = task.keep_going();
        }
        task = match self.same_prompt() {
            SamePrompt::Allow => task.same_prompt(),
            SamePrompt::Refuse => task,
        };
        if let Some(system) = &self.system {
            task = task.system(system);
        }
        task = self.images.iter().fold(task.examples(self.examples.clone()), ExtractorBuilder::image);
        if let Some(reasks) = self.max_reasks {
            task = task.max_reasks(reasks);
        }
        if let Some(retries) = self.retries {
            task = task.retry(RetryPolicy { retries, ..RetryPolicy::default() });
        }
        if !self.dedup {
            task = task.equal_rows(EqualRows::AskEach);
        }
        let extractor = task.prompt(&self.prompt)?;
        match &self.journal {
            None => Ok((extractor, model)),
            Some(journal) => Ok((extractor.journal_with(&journal.options(&Memo::default()))?, model)),
        }
    }

    /// Whether a template has `field` in it as a word, or it holds images. A template may use a field without needing it of
    /// every row.
    pub(crate) fn names(&self, field: &str) -> bool {
        let mut templates = [Some(&self.prompt), self.system.as_ref()].into_iter().flatten();
        self.images.iter().any(|image| image == field) || templates.any(|text| has_word(text, field))
    }

    /// A schema, which is checked for slips if the user has written it.
    ///
    /// # Errors
    /// What is no schema.
    pub(crate) fn read(&self, schema: &Value) -> Result<Schema> {
        let read = if self.schema_is_given { Schema::from_json } else { Schema::from_generated };
        read(schema.clone()).map_err(Error::Config)
    }

    /// The temperature that is asked for, by whatever name.
    pub(crate) fn sampling_temperature(&self) -> Option<f64> {
        self.temperature.or_else(|| self.params.get("temperature")?.as_f64())
    }

    /// Whether the prompt may use no field of the row.
    pub(crate) fn same_prompt(&self) -> SamePrompt {
        if self.same_prompt { SamePrompt::Allow } else { SamePrompt::Refuse }
    }

    /// How the schema is asked for, if that is said.
    ///
    /// # Errors
    /// A mode that does not exist.
    pub(crate) fn mode(&self) -> Result<Option<Mode>> {
        named(
            self.mode.as_deref(),
            "mode",
            "`schema`, `tool`, `json` or `prompt`",
            "leave it out: rowcall then takes the best that the model has",
        )
    }

    /// How the server is spoken to, if that is said.
    ///
    /// # Errors
    /// A protocol that does not exist.
    pub(crate) fn protocol(&self) -> Result<Option<Protocol>> {
        named(
            self.protocol.as_deref(),
            "protocol",
            "`chat`, `responses`, `anthropic` or `gemini`",
            "leave it out: rowcall then speaks to the provider as it is used to",
        )
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let goes_on = |character: Option<char>| {
        character.is_some_and(|character| character.is_alphanumeric() || character == '_')
    };
    !word.is_empty()
        && text.match_indices(word).any(|(at, found)| {
            let (before, after) = (text.get(..at), text.get(at + found.len()..));
            !goes_on(before.and_then(|text| text.chars().next_back()))
                && !goes_on(after.and_then(|text| text.chars().next()))
        })
}

/// A time in seconds.
///
/// # Errors
/// What is no time.
fn time(what: &str, seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
        Error::Config(Problem::new(format!("{what} `{seconds}` is out of range, expected seconds above 0")))
    })
}

/// What `name` stands for among the named values of a type.
fn named<T: DeserializeOwned>(
    name: Option<&str>,
    what: &str,
    expected: &str,
    hint: &str,
) -> Result<Option<T>> {
    let Some(name) = name else { return Ok(None) };
    serde_json::from_value(Value::String(name.to_owned())).map(Some).map_err(|_| {
        Error::Config(Problem::new(format!("the {what} `{name}` is unknown, expected {expected}")).hint(hint))
    })
}
