//! The settings that Python passes for an extractor, checked by the library: the account and the task.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::prelude::*;
use rowcall::journal::{Existing, Records};
use rowcall::schema::{Feature, Finding, Observed};
use rowcall::{
    CacheOptions, Client, Effort, EqualRows, Error, Extractor, ExtractorBuilder, JournalOptions,
    KnownFailures, MaxFailures, Mode, Parameters, Problem, Result, RetryPolicy, SamePrompt, Schema,
};
use rowcall_cli::{Assumed, Manner, Memo, count_spent, find_out};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::account::AccountSettings;
use crate::failure;

/// The settings that Python passes for an extractor, except the key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) account: AccountSettings,
    /// What was observed of the server, if it was probed.
    #[serde(skip)]
    observed: Observed,
    /// What probing took.
    #[serde(skip)]
    probed: Option<Effort>,
    pub(crate) schema: Value,
    /// Whether the user gave the schema itself, instead of a type.
    pub(crate) schema_is_given: bool,
    /// The schema of serialized instances, where it differs from the requested one.
    pub(crate) output_schema: Option<Value>,
    pub(crate) prompt: String,
    pub(crate) same_prompt: bool,
    keep_going: bool,
    deadline: Option<f64>,
    max_failures: Option<String>,
    pub(crate) system: Option<String>,
    /// Pairs of a row and its expected value.
    pub(crate) examples: Vec<(Map<String, Value>, Value)>,
    /// The fields that hold images or PDFs.
    pub(crate) images: Vec<String>,
    pub(crate) mode: Option<String>,
    pub(crate) temperature: Option<f64>,
    pub(crate) max_output_tokens: Option<u32>,
    pub(crate) params: Map<String, Value>,
    pub(crate) max_reasks: Option<u32>,
    pub(crate) retries: Option<u32>,
    pub(crate) dedup: bool,
    retry_failed: bool,
    /// The user's model that validates values, if there is one besides the schema.
    pub(crate) validated_by: Option<String>,
    /// A hash of that model, if a journal is to store it.
    pub(crate) validated_by_hash: Option<String>,
    pub(crate) journal: Option<JournalSettings>,
    /// Where answers are kept for other runs.
    pub(crate) cache: Option<PathBuf>,
}

/// Where a journal is, and what to do with an existing one.
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
    /// The options for the library, with what the journal stores.
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
    /// Probes how the server handles the schema, if requested and not known from the extractor's own journal. Returns
    /// a warning, if there is one.
    ///
    /// # Errors
    /// Invalid settings, and a server that cannot be probed.
    pub(crate) async fn find_out(&mut self, client: &Client) -> Result<Option<String>> {
        let Some(assumed) = self.account.dialect.as_deref().map(Assumed::named).transpose()? else {
            return Ok(None);
        };
        self.observed = assumed.observed;
        if !assumed.asks {
            return Ok(None);
        }
        // Reject invalid settings before anything is sent.
        self.task(client)?;
        let known = match self.journal.as_ref().filter(|journal| !journal.fresh) {
            Some(journal) => {
                let known = self.memo()?.observed_at(&journal.path)?;
                count_spent(client, &journal.path)?;
                known
            }
            None => Observed::default(),
        };
        let parameters = Parameters { extra: self.params.clone(), ..Parameters::default() };
        let manner = Manner { mode: self.mode()?, parameters };
        let found = find_out(client, &self.read(&self.schema)?, &manner, known).await?;
        let is_held = found.observed.finding(Feature::Schema) == Finding::Enforced;
        (self.observed, self.probed) = (found.observed, found.effort);
        Ok((!is_held).then_some(found.note))
    }

    /// The extractor for an account, with its journal.
    ///
    /// # Errors
    /// Invalid settings.
    pub(crate) fn extractor(&self, client: &Client) -> Result<Extractor<Value>> {
        let mut extractor = self.task(client)?;
        if let Some(cache) = self.cache_options() {
            extractor = extractor.cache_with(&cache)?;
        }
        match &self.journal {
            None => Ok(extractor),
            Some(journal) => extractor.journal_with(&journal.options(&self.memo()?)),
        }
    }

    /// The cache, if there is one.
    pub(crate) fn cache_options(&self) -> Option<CacheOptions> {
        let path = self.cache.clone()?;
        let validated_by = self.validated_by.as_ref().zip(self.validated_by_hash.as_ref());
        let validated_by = validated_by.map(|(name, hash)| format!("{name} {hash}"));
        Some(CacheOptions { path, validated_by })
    }

    /// The extractor for an account.
    ///
    /// # Errors
    /// Invalid settings.
    fn task(&self, client: &Client) -> Result<Extractor<Value>> {
        let schema = self.read(&self.schema)?;
        let task = client.extractor_with(schema).observed(self.observed.clone());
        let mut task = task.parameters(Parameters {
            temperature: self.temperature,
            max_output_tokens: self.max_output_tokens,
            extra: self.params.clone(),
        });
        if let Some(effort) = self.probed {
            task = task.probed(effort);
        }
        if let Some(mode) = self.mode()? {
            task = task.mode(mode);
        }
        if self.keep_going {
            task = task.keep_going();
        }
        if let Some(seconds) = self.deadline {
            task = task.deadline(time("deadline", seconds)?);
        }
        if let Some(failures) = &self.max_failures {
            task = task.max_failures(MaxFailures::parse(failures).map_err(Error::Config)?);
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
        let mut extractor = task.prompt(&self.prompt)?;
        if self.retry_failed {
            extractor = extractor.known_failures(KnownFailures::AskAgain);
        }
        Ok(extractor)
    }

    /// Whether a template contains `field` as a word, or the field holds images. A template may use a field without
    /// requiring it of every row.
    pub(crate) fn names(&self, field: &str) -> bool {
        let mut templates = [Some(&self.prompt), self.system.as_ref()].into_iter().flatten();
        self.images.iter().any(|image| image == field) || templates.any(|text| has_word(text, field))
    }

    /// A schema, checked for typing mistakes if the user wrote it.
    ///
    /// # Errors
    /// An invalid schema.
    pub(crate) fn read(&self, schema: &Value) -> Result<Schema> {
        let read = if self.schema_is_given { Schema::from_json } else { Schema::from_generated };
        read(schema.clone()).map_err(Error::Config)
    }

    /// The requested temperature, from either setting.
    pub(crate) fn sampling_temperature(&self) -> Option<f64> {
        self.temperature.or_else(|| self.params.get("temperature")?.as_f64())
    }

    /// Whether the prompt may use no field of the row.
    pub(crate) fn same_prompt(&self) -> SamePrompt {
        if self.same_prompt { SamePrompt::Allow } else { SamePrompt::Refuse }
    }

    /// The mode, if one was given.
    ///
    /// # Errors
    /// An unknown mode.
    pub(crate) fn mode(&self) -> Result<Option<Mode>> {
        named(
            self.mode.as_deref(),
            "mode",
            "`schema`, `tool`, `json` or `prompt`",
            "leave it out for the best mode that the model supports",
        )
    }

    /// What the command line would store about a run with this extractor, apart from its files.
    ///
    /// # Errors
    /// An unknown mode or protocol.
    pub(crate) fn memo(&self) -> Result<Memo> {
        let AccountSettings { model, base_url, dialect, .. } = &self.account;
        Ok(Memo {
            model: model.clone(),
            base_url: base_url.as_deref().and_then(Memo::recordable_address),
            mode: self.mode()?,
            protocol: self.account.protocol()?,
            dialect: dialect.as_deref().map(Assumed::named).transpose()?.and_then(|assumed| assumed.name()),
            observed: self.observed.clone(),
            no_dedup: !self.dedup,
            folder: if self.images.is_empty() { None } else { std::path::absolute(".").ok() },
            validated_by: self.validated_by.clone(),
            validated_by_hash: self.validated_by_hash.clone(),
            ..Memo::default()
        })
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

/// A duration in seconds.
///
/// # Errors
/// A number that is not a positive duration.
pub(crate) fn time(what: &str, seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
        Error::Config(Problem::new(format!("{what} `{seconds}` is out of range, expected seconds above 0")))
    })
}

/// The value of a type that is called `name`.
pub(crate) fn named<T: DeserializeOwned>(
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

/// Reads the JSON that Python passed.
///
/// # Errors
/// `ConfigError` with the name of the `what` that is invalid.
pub(crate) fn read<T: DeserializeOwned>(py: Python<'_>, json: &str, what: &str) -> PyResult<T> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.into_inner().to_string());
        // The position in that JSON means nothing to the user.
        let cause = cause.split(" at line ").next().unwrap_or_default();
        failure::of_config(py, &Problem::new(format!("invalid {what} `{path}`: {cause}")))
    })
}
