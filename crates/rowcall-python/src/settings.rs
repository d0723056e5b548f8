//! What Python says about an extractor, as checked by the library: the account, the task, and the simulator that `sim` starts
//! along the way.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rowcall::journal::{Existing, Records};
use rowcall::provider::Protocol;
use rowcall::{
    AccountOptions, Client, EqualRows, Error, Extractor, JournalOptions, Mode, Parameters, Problem, Result,
    RetryPolicy, Schema,
};
use rowcall_sim::{Options, Scenario, SimError, Simulator};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Map, Value};

/// What Python says about an extractor, but for the key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) model: String,
    pub(crate) schema: Value,
    /// What instances are as JSON, where that is not what is asked for.
    pub(crate) output_schema: Option<Value>,
    pub(crate) prompt: String,
    pub(crate) system: Option<String>,
    pub(crate) mode: Option<String>,
    pub(crate) protocol: Option<String>,
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
    pub(crate) fn options(&self, memo: String) -> JournalOptions {
        JournalOptions {
            path: self.path.clone(),
            existing: match (self.fresh, self.accept_changes) {
                (true, _) => Existing::StartOver,
                (false, true) => Existing::AcceptChanges,
                (false, false) => Existing::Resume,
            },
            records: Records::Kept,
            memo,
        }
    }
}

impl Settings {
    /// The extractor, and the simulator behind it if one was started for it.
    ///
    /// # Errors
    /// Whatever in the settings cannot be.
    pub(crate) fn extractor(
        &self,
        api_key: Option<String>,
        headers: Vec<(String, String)>,
    ) -> Result<(Extractor<Value>, Option<Simulator>)> {
        let schema = Schema::from_json(self.schema.clone()).map_err(Error::Config)?;
        let simulator = self.simulator()?;
        let base_url = self.base_url.clone().or_else(|| simulator.as_ref().map(Simulator::base_url));
        let client = Client::with_options(&AccountOptions {
            model: self.model.clone(),
            base_url,
            protocol: self.protocol.as_deref().map(protocol).transpose()?,
            api_key: api_key.map(SecretString::from),
            headers,
            timeout: self.timeout.map(|seconds| time("timeout", seconds)).transpose()?,
            ca_cert: self.ca_cert.clone(),
            concurrency: self.concurrency,
            most_concurrency: self.most_connections,
            requests_per_minute: self.rpm,
            tokens_per_minute: self.tpm,
            ..AccountOptions::default()
        })?;
        let mut task = client.extractor_with(schema).parameters(Parameters {
            temperature: self.temperature,
            max_output_tokens: self.max_output_tokens,
            extra: self.params.clone(),
        });
        if let Some(mode) = &self.mode {
            task = task.mode(self::mode(mode)?);
        }
        if let Some(system) = &self.system {
            task = task.system(system);
        }
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
            None => Ok((extractor, simulator)),
            Some(journal) => Ok((extractor.journal_with(&journal.options(String::new()))?, simulator)),
        }
    }

    fn simulator(&self) -> Result<Option<Simulator>> {
        let (provider, name) = self
            .model
            .split_once('/')
            .map_or((&*self.model, None), |(provider, name)| (provider, Some(name)));
        if provider != "sim" || self.base_url.is_some() {
            return Ok(None);
        }
        let simulator = Simulator::start(scenario(name)?, Options::default());
        simulator.map(Some).map_err(|error| simulated(&error))
    }
}

/// A time in seconds.
///
/// # Errors
/// What is no time.
fn time(what: &str, seconds: f64) -> Result<Duration> {
    Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
        Error::Config(Problem::new(format!("`{seconds}` is no {what}, expected seconds above 0")))
    })
}

fn mode(name: &str) -> Result<Mode> {
    serde_json::from_value(Value::String(name.to_owned())).map_err(|_| {
        let problem = Problem::new(format!(
            "the mode `{name}` is unknown, expected `schema`, `tool`, `json` or `prompt`"
        ));
        Error::Config(problem.hint("leave it out: rowcall then takes the best that the model has"))
    })
}

fn protocol(name: &str) -> Result<Protocol> {
    serde_json::from_value(Value::String(name.to_owned())).map_err(|_| {
        let expected = "expected `chat`, `responses`, `anthropic` or `gemini`";
        let problem = Problem::new(format!("the protocol `{name}` is unknown, {expected}"));
        Error::Config(problem.hint("leave it out: rowcall then speaks to the provider as it is used to"))
    })
}

fn scenario(name: Option<&str>) -> Result<Scenario> {
    let Some(name) = name else { return Ok(Scenario::default()) };
    if !Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
        return Scenario::named(name).map_err(|error| simulated(&error));
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        Error::Config(Problem::new(format!("the scenario file `{name}` cannot be read: {error}")))
    })?;
    Scenario::from_toml(&text).map_err(|error| simulated(&error))
}

fn simulated(error: &SimError) -> Error {
    let cause = std::error::Error::source(error).map_or(String::new(), |cause| format!(": {cause}"));
    Error::Config(Problem { message: format!("{error}{cause}"), hint: error.hint() })
}
