//! Options as given become a plan as checked; the only file that reads the environment. What cannot be run is refused here,
//! before any request.
#![expect(clippy::disallowed_methods, reason = "this file is the one that reads the environment")]

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::admission::{Admission, From, Limit, Need, Permit};
use crate::check::Check;
use crate::error::{Error, Problem, Result};
use crate::event::Observers;
use crate::identity::{EqualRows, Identity, Keys};
use crate::journal::Journal;
use crate::prompt::Template;
use crate::provider::{self, Key, Mode, Parameters, Protocol, Quirks, Target};
use crate::retry::RetryPolicy;
use crate::schema::{Dialect, Schema};
use crate::transport::{Network, Transport};
use crate::violation::Violation;

/// How long an attempt may take where nobody says otherwise, as in the official SDKs.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// How often an invalid answer is asked for again where nobody says otherwise.
pub const DEFAULT_MAX_REASKS: u32 = 3;

/// What the user says about the account.
#[derive(Debug, Clone, Default)]
pub struct AccountOptions {
    /// `PROVIDER/MODEL`, such as `openai/gpt-6-luna`.
    pub model: String,
    /// Another address than the provider's own.
    pub base_url: Option<String>,
    /// The key, in place of the one in the provider's environment variable.
    pub api_key: Option<SecretString>,
    /// Whether to go without a key where the provider requires one: for looking at requests that are not sent.
    pub keyless: bool,
    /// Further headers of every request.
    pub headers: Vec<(String, String)>,
    /// How long an attempt may take, from its first byte out to its last byte in; by default [`DEFAULT_TIMEOUT`].
    pub timeout: Option<Duration>,
    /// A PEM file with certificate authorities to trust beside the system's.
    pub ca_cert: Option<PathBuf>,
    /// The most attempts in flight on the account.
    pub concurrency: Option<usize>,
    /// The most attempts in flight that the system has connections for, whatever else is found out or asked for.
    pub most_concurrency: Option<usize>,
    /// The most requests per minute.
    pub requests_per_minute: Option<f64>,
    /// The most tokens per minute, in and out together.
    pub tokens_per_minute: Option<f64>,
}

/// Provider, base URL and key, checked: what limits belong to.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) protocol: Protocol,
    pub(crate) quirks: Quirks,
    pub(crate) model: String,
    /// The model with its provider in front, whatever the address.
    pub(crate) model_path: String,
    pub(crate) transport: Transport,
    pub(crate) admission: Arc<Admission>,
}

impl Account {
    /// Checks what the user says about the account. Nothing is connected.
    pub(crate) fn new(options: &AccountOptions) -> Result<Self> {
        let (provider, model) = provider::find(&options.model).map_err(Error::Config)?;
        let base_url = options
            .base_url
            .clone()
            .or_else(|| provider.base_url_variable.and_then(environment))
            .or_else(|| provider.base_url.map(str::to_owned))
            .ok_or_else(|| {
                Problem::new(format!(
                    "provider `{}` has no address of its own, expected a base URL",
                    provider.name
                ))
                .hint("start one with `rowcall sim` and pass what it prints as the base URL")
            })
            .map_err(Error::Config)?;
        let key = match &options.api_key {
            Some(key) => Some(key.clone()),
            None if options.keyless => key_from_environment(provider.key).unwrap_or_default(),
            None => key_from_environment(provider.key).map_err(Error::Config)?,
        };
        let headers = headers(provider.protocol, key.as_ref(), &options.headers).map_err(Error::Config)?;
        let network = Network {
            timeout: options.timeout.unwrap_or(DEFAULT_TIMEOUT),
            ca_cert: options.ca_cert.clone(),
            https_proxy: environment("HTTPS_PROXY").or_else(|| environment("https_proxy")),
            no_proxy: environment("NO_PROXY").or_else(|| environment("no_proxy")),
        };
        let transport = Transport::new(&base_url, headers, &network).map_err(Error::Config)?;
        let admission = Admission::new();
        if let Some(places) = options.concurrency {
            admission.apply(Limit::Concurrency(at_least_one(places)?), From::User);
        }
        if let Some(places) = options.most_concurrency {
            admission.apply(Limit::MostConcurrency(at_least_one(places)?), From::User);
        }
        if let Some(per_minute) = options.requests_per_minute {
            admission.apply(Limit::Requests(positive("requests per minute", per_minute)?), From::User);
        }
        if let Some(per_minute) = options.tokens_per_minute {
            admission.apply(Limit::Tokens(positive("tokens per minute", per_minute)?), From::User);
        }
        Ok(Self {
            protocol: provider.protocol,
            quirks: provider.quirks_at(&base_url),
            model: model.to_owned(),
            model_path: format!("{}/{model}", provider.name),
            transport,
            admission,
        })
    }
}

/// What the user says about a task.
#[derive(Debug, Clone)]
pub struct TaskOptions {
    /// The user's part of every prompt: a template in Jinja's syntax.
    pub prompt: String,
    /// What holds for every row: a template as well.
    pub system: Option<String>,
    /// How the schema is asked for.
    pub mode: Mode,
    /// What the user sets about the answers.
    pub parameters: Parameters,
    /// How often an invalid answer is asked for again.
    pub max_reasks: u32,
    /// What is retried, and until when.
    pub retry: RetryPolicy,
    /// Whether rows that would be asked the very same share an outcome.
    pub equal_rows: EqualRows,
}

impl Default for TaskOptions {
    fn default() -> Self {
        Self {
            prompt: "{{ text }}".to_owned(),
            system: None,
            mode: Mode::default(),
            parameters: Parameters::default(),
            max_reasks: DEFAULT_MAX_REASKS,
            retry: RetryPolicy::default(),
            equal_rows: EqualRows::default(),
        }
    }
}

/// The checked configuration of a run.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) account: Arc<Account>,
    pub(crate) schema: Schema,
    pub(crate) target: Arc<Target>,
    pub(crate) template: Arc<Template>,
    /// Why a valid value does not fit the caller's type, if it does not.
    pub(crate) misfit: fn(&Value) -> Option<Violation>,
    /// The user's own rule, if there is one.
    pub(crate) check: Option<Arc<dyn Check>>,
    pub(crate) max_reasks: u32,
    pub(crate) retry: RetryPolicy,
    pub(crate) observers: Observers,
    /// What is asked, in the words that a journal remembers.
    pub(crate) identity: Arc<Identity>,
    pub(crate) keys: Keys,
    pub(crate) equal_rows: EqualRows,
    /// Where outcomes are kept, if they are.
    pub(crate) journal: Option<Arc<Journal>>,
    /// The cap on this task's own attempts in flight, if it has one.
    places: Option<(usize, Arc<Semaphore>)>,
}

/// Fields of a request that are the engine's business.
const RESERVED_PARAMETERS: [&str; 3] = ["model", "messages", "stream"];

impl Plan {
    /// Checks what the user says about a task.
    pub(crate) fn new(
        account: Arc<Account>,
        schema: Schema,
        misfit: fn(&Value) -> Option<Violation>,
        options: &TaskOptions,
    ) -> Result<Self> {
        let template = Template::new(&options.prompt, options.system.as_deref()).map_err(Error::Config)?;
        if let Some(name) =
            RESERVED_PARAMETERS.iter().find(|name| options.parameters.extra.contains_key(**name))
        {
            let problem =
                Problem::new(format!("parameter `{name}` is set by rowcall itself, expected another one"));
            return Err(Error::Config(problem));
        }
        let wire = Arc::new(schema.wire(Dialect::OpenAiStrict).map_err(Error::Config)?);
        let target = Target::new(
            account.protocol,
            account.quirks,
            account.model.clone(),
            options.mode,
            wire,
            options.parameters.clone(),
        );
        let identity = Identity {
            model: account.model_path.clone(),
            prompt: options.prompt.clone(),
            system: options.system.clone(),
            parameters: options.parameters.by_name(),
            schema: schema.as_json().clone(),
        };
        Ok(Self {
            keys: identity.keys(),
            identity: Arc::new(identity),
            equal_rows: options.equal_rows,
            journal: None,
            account,
            schema,
            target: Arc::new(target),
            template: Arc::new(template),
            misfit,
            check: None,
            max_reasks: options.max_reasks,
            retry: options.retry,
            observers: Observers::default(),
            places: None,
        })
    }

    /// The same plan with at most `places` attempts in flight, at least one.
    pub(crate) fn with_concurrency(mut self, places: usize) -> Self {
        let places = places.clamp(1, Semaphore::MAX_PERMITS);
        self.account.admission.apply(Limit::Concurrency(places), From::Extractor);
        self.places = Some((places, Arc::new(Semaphore::new(places))));
        self
    }

    /// The most attempts that may be in flight.
    pub(crate) fn concurrency(&self) -> usize {
        let account = self.account.admission.concurrency();
        self.places.as_ref().map_or(account, |(places, _)| account.min(*places))
    }

    /// Waits for a place among the task's own, then for the account's admission.
    pub(crate) async fn admit(&self, need: Need) -> (Option<OwnedSemaphorePermit>, Permit) {
        let place = match &self.places {
            // The semaphore is never closed.
            Some((_, places)) => Arc::clone(places).acquire_owned().await.ok(),
            None => None,
        };
        (place, self.account.admission.admit(need).await)
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("account", &self.account)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.trim().is_empty())
}

fn key_from_environment(key: Key) -> std::result::Result<Option<SecretString>, Problem> {
    let found = key.variable().and_then(environment).map(|key| SecretString::from(key.trim().to_owned()));
    match (key, found) {
        (Key::Required(variable), None) => {
            Err(Problem::new(format!("no key: the variable `{variable}` is not set"))
                .hint(format!("set `{variable}`; a compatible server that needs no key takes any text")))
        }
        (Key::Required(_) | Key::Optional(_) | Key::None, found) => Ok(found),
    }
}

fn headers(
    protocol: Protocol,
    key: Option<&SecretString>,
    own: &[(String, String)],
) -> std::result::Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("rowcall/", env!("CARGO_PKG_VERSION"))));
    // The key itself must not appear in the message.
    let of_key = protocol.headers(key).map_err(|_| {
        Problem::new("the key has a character that a header cannot carry, expected printable ASCII")
            .hint("set it again, without line breaks or other control characters")
    })?;
    headers.extend(of_key);
    for (name, value) in own {
        let parsed = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
        let Some((name, mut value)) = parsed else {
            return Err(Problem::new(format!(
                "`{name}` is not a header, expected `NAME: VALUE` in printable ASCII"
            )));
        };
        // Whatever the user adds may be a credential.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

fn at_least_one(places: usize) -> Result<usize> {
    match places {
        0 => Err(Error::Config(Problem::new("concurrency `0` sends nothing, expected at least 1"))),
        places => Ok(places),
    }
}

fn positive(what: &str, per_minute: f64) -> Result<f64> {
    if per_minute.is_finite() && per_minute > 0.0 {
        return Ok(per_minute);
    }
    Err(Error::Config(Problem::new(format!("`{per_minute}` {what} send nothing, expected a number above 0"))))
}
