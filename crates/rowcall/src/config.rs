//! Turns the user's options into a checked plan; the only module that reads the environment. Invalid settings are rejected
//! here, before any request.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the one that reads the environment, and prices have an age"
)]

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use secrecy::SecretString;
use serde_json::Value;

use crate::admission::{Admission, Denial, Limit, Need, Permit, Purse, Share};
use crate::attachment::Files;
use crate::cache::{Cache, Endpoint};
use crate::check::Check;
use crate::error::{Error, Problem, Result};
use crate::event::Observers;
use crate::identity::{EqualRows, Identity, Keys, KnownFailures};
use crate::journal::Journal;
use crate::money::{Cost, Usd};
use crate::outcome::Effort;
use crate::price::{Moment, Price, Prices, Pricing};
use crate::prompt::{SamePrompt, Template};
use crate::provider::{Approach, Forms, Means, Mode, Offer, Parameters, Protocol, Quirks, Target};
use crate::refusals::AllRefused;
use crate::retry::RetryPolicy;
use crate::row::AnsweredRow;
use crate::schema::{Dialect, Observed, Schema};
use crate::stops::Stops;
use crate::transport::{Network, Transport};
use crate::violation::Violation;
use crate::weight::Capacity;

mod bounds;
mod budget;
mod endpoint;
mod headers;
mod known_as;
mod pricing;

pub use bounds::MOST_CONCURRENCY;
use headers::{brings_a_key, environment, headers, key_from_environment};
pub(crate) use known_as::KnownAs;

/// How long an attempt may take by default, as in the official SDKs.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// How often the model is asked again after an invalid answer, by default.
pub const DEFAULT_MAX_REASKS: u32 = 3;

/// The user's settings for an account.
#[derive(Clone, Default)]
pub struct AccountOptions {
    /// `PROVIDER/MODEL`, such as `openai/gpt-6-luna`.
    pub model: String,
    /// Base URL in place of the provider's own. It never changes the protocol.
    pub base_url: Option<String>,
    /// The protocol; `None` for the provider's default.
    pub protocol: Option<Protocol>,
    /// The subset of JSON Schema that the server enforces; `None` for the provider's default.
    pub dialect: Option<Dialect>,
    /// API key, in place of the one in the provider's environment variable.
    pub api_key: Option<SecretString>,
    /// Allows a missing key where the provider requires one, for requests that are shown but not sent.
    pub keyless: bool,
    /// Additional headers of every request. Any of them may hold a secret.
    pub headers: Vec<(String, SecretString)>,
    /// How long an attempt may take, from its first byte out to its last byte in, 1 ms to 30 days; by default
    /// [`DEFAULT_TIMEOUT`].
    pub timeout: Option<Duration>,
    /// A PEM file with certificate authorities to trust in addition to the system's.
    pub ca_cert: Option<PathBuf>,
    /// The most attempts in flight on the account, 1 to [`MOST_CONCURRENCY`]; if `None`, adapted to what the server accepts.
    pub concurrency: Option<usize>,
    /// The most attempts in flight that the system has connections for, at least 1; a ceiling on any other limit.
    pub most_concurrency: Option<usize>,
    /// The most requests per minute, above 0; if `None`, as many as the server allows.
    pub requests_per_minute: Option<f64>,
    /// The most tokens per minute, input and output together, above 0; if `None`, as many as the server allows.
    pub tokens_per_minute: Option<f64>,
    /// What the model's tokens cost, in place of the table's price.
    pub price: Option<Price>,
    /// The table of prices, in place of the one that is compiled in.
    pub prices: Option<Arc<Prices>>,
    /// The most that all requests on the account may cost together, including those of earlier runs with the same journals.
    pub budget: Option<Usd>,
}

impl fmt::Debug for AccountOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { model, base_url, protocol, dialect, api_key, keyless, headers, timeout, ca_cert, .. } =
            self;
        let Self { concurrency, most_concurrency, requests_per_minute, tokens_per_minute, .. } = self;
        let Self { price, prices, budget, .. } = self;
        // There may be a password before an `@`, and a key after a `?`.
        let base_url = base_url.as_deref().map(|url| if url.contains(['@', '?']) { "…" } else { url });
        f.debug_struct("AccountOptions")
            .field("model", model)
            .field("base_url", &base_url)
            .field("protocol", protocol)
            .field("dialect", dialect)
            .field("api_key", api_key)
            .field("keyless", keyless)
            .field("headers", headers)
            .field("timeout", timeout)
            .field("ca_cert", ca_cert)
            .field("concurrency", concurrency)
            .field("most_concurrency", most_concurrency)
            .field("requests_per_minute", requests_per_minute)
            .field("tokens_per_minute", tokens_per_minute)
            .field("price", price)
            .field("prices", prices)
            .field("budget", budget)
            .finish()
    }
}

/// A checked provider, base URL and key; limits apply per account.
#[derive(Debug)]
pub(crate) struct Account {
    /// The model at its provider, and what is known about the two.
    pub(crate) offer: Offer,
    pub(crate) quirks: Quirks,
    pub(crate) transport: Transport,
    /// The parts of the server's address that affect its answers.
    pub(crate) endpoint: Endpoint,
    pub(crate) admission: Arc<Admission>,
    /// The most that all attempts may cost together, which admission enforces.
    pub(crate) budget: Option<Usd>,
    /// What attempts cost.
    pub(crate) pricing: Pricing,
    /// A note about the prices, if any: a sentence fragment.
    pricing_note: Option<String>,
}

impl Account {
    /// Checks the user's settings for the account, without connecting.
    pub(crate) fn new(options: &AccountOptions) -> Result<Self> {
        let offer = Offer::of(&options.model, options.protocol).map_err(Error::Config)?;
        let offer = offer.with_dialect(options.dialect);
        let provider = offer.provider;
        let base_url = provider.base_url(options.base_url.as_deref(), environment).map_err(Error::Config)?;
        let key_header = provider.key_header.unwrap_or_else(|| offer.protocol.key_header());
        let key = match &options.api_key {
            Some(key) => Some(key.clone()),
            // Anthropic ignores a token if its own key header is sent as well.
            None if brings_a_key(&options.headers, key_header) => None,
            None if options.keyless => key_from_environment(provider.key).unwrap_or_default(),
            None => key_from_environment(provider.key).map_err(Error::Config)?,
        };
        let headers = headers(key_header, key.as_ref(), &options.headers).map_err(Error::Config)?;
        let network = Network {
            timeout: options.timeout.map_or(Ok(DEFAULT_TIMEOUT), bounds::timeout)?,
            ca_cert: options.ca_cert.clone(),
            https_proxy: environment("HTTPS_PROXY").or_else(|| environment("https_proxy")),
            no_proxy: environment("NO_PROXY").or_else(|| environment("no_proxy")),
        };
        let transport = Transport::new(&base_url, headers, &network).map_err(Error::Config)?;
        let admission = Admission::new();
        if let Some(places) = options.concurrency {
            admission.apply(Limit::Concurrency(bounds::concurrency(places)?));
        }
        if let Some(places) = options.most_concurrency {
            admission.apply(Limit::MostConcurrency(bounds::concurrency(places.min(MOST_CONCURRENCY))?));
        }
        if let Some(per_minute) = options.requests_per_minute {
            admission.apply(Limit::Requests(bounds::requests_per_minute(per_minute)?));
        }
        if let Some(per_minute) = options.tokens_per_minute {
            admission.apply(Limit::Tokens(bounds::tokens_per_minute(per_minute)?));
        }
        let pricing = pricing::of(&offer, &base_url, options).map_err(Error::Config)?;
        if let Some(budget) = options.budget {
            budget::check_price(&pricing, &offer).map_err(Error::Config)?;
            admission.apply(Limit::Budget(budget));
        }
        let pricing_note = pricing::note(&pricing, &offer, options, Moment::from(SystemTime::now()));
        let quirks = provider.quirks_at(&base_url);
        let budget = options.budget;
        let endpoint = endpoint::endpoint(transport.uri(), &options.headers);
        Ok(Self { offer, quirks, transport, endpoint, admission, budget, pricing, pricing_note })
    }

    /// Counts the most that the runs of the journal at `path` may have spent against the budget.
    ///
    /// # Errors
    /// If there is a budget, but the most that they may have spent is unknown.
    pub(crate) fn spent_before(&self, spent: Cost, path: &Path) -> std::result::Result<Purse, Problem> {
        let at_most = match (spent.ceiling(), self.budget) {
            (Some(at_most), _) => at_most,
            (None, None) => Usd::ZERO,
            (None, Some(_)) => {
                let requests = spent.unknown - spent.bounded;
                let message = format!(
                    "the journal `{}` has {requests} requests of unknown cost, so no budget can be kept",
                    path.display()
                );
                return Err(
                    Problem::new(message).hint("continue without a budget, or start over with `--fresh`")
                );
            }
        };
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(self.admission.spent_before(&path, at_most))
    }

    /// The most tokens of input and output that the model supports, as far as known.
    pub(crate) fn capacity(&self) -> Capacity {
        let model = self.offer.model;
        Capacity {
            input: model.and_then(|model| model.max_input_tokens),
            output: model.and_then(|model| model.max_output_tokens),
        }
    }
}

/// The user's settings for a task.
#[derive(Debug, Clone)]
pub struct TaskOptions {
    /// The user part of every prompt: a template in Jinja syntax.
    pub prompt: String,
    /// The system prompt: a template as well.
    pub system: Option<String>,
    /// Whether `prompt` may use no field of the row.
    pub same_prompt: SamePrompt,
    /// Rows with their values, as examples for the model, rendered with `prompt`.
    pub examples: Vec<AnsweredRow>,
    /// The fields of a row that hold images or documents: a path, an `https:`, `http:` or `data:` URL, or a list of them.
    pub images: Vec<String>,
    /// The folder that relative paths of images start from; `None` for the current one.
    pub folder: Option<PathBuf>,
    /// How the schema is sent; `None` for the best mode that the model supports.
    pub mode: Option<Mode>,
    /// What a probe observed of the server, in addition to what is known of its dialect.
    pub observed: Observed,
    /// What the probe took, if it should be counted.
    pub probed: Option<Effort>,
    /// The parameters of the answers.
    pub parameters: Parameters,
    /// How often the model is asked again after an invalid answer, at most 100 times.
    pub max_reasks: u32,
    /// What is retried, at most 1,000 times, and until when.
    pub retry: RetryPolicy,
    /// Whether rows with exactly the same request share an outcome.
    pub equal_rows: EqualRows,
    /// What to do if the server refuses all the first rows alike.
    pub all_refused: AllRefused,
    /// The limits that a run stops at.
    pub stops: Stops,
}

impl Default for TaskOptions {
    fn default() -> Self {
        Self {
            prompt: "{{ text }}".to_owned(),
            system: None,
            same_prompt: SamePrompt::default(),
            examples: Vec::new(),
            images: Vec::new(),
            folder: None,
            mode: None,
            observed: Observed::default(),
            probed: None,
            parameters: Parameters::default(),
            max_reasks: DEFAULT_MAX_REASKS,
            retry: RetryPolicy::default(),
            equal_rows: EqualRows::default(),
            all_refused: AllRefused::default(),
            stops: Stops::default(),
        }
    }
}

/// The checked configuration of a run.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) account: Arc<Account>,
    pub(crate) schema: Schema,
    pub(crate) approach: Arc<Approach>,
    /// The user's limit on an answer, in tokens.
    pub(crate) output_limit: Option<u32>,
    /// The service tier that the user requests, if any; assumed where an answer does not name one.
    pub(crate) service_tier: Option<String>,
    /// The most tokens of input and output that the model supports, as far as known.
    pub(crate) capacity: Capacity,
    /// What could not be done by the provider's best means, and why.
    pub(crate) notes: Vec<String>,
    pub(crate) template: Arc<Template>,
    /// Reads the files of rows.
    pub(crate) files: Files,
    /// Returns why a valid value does not fit the caller's type, if it does not.
    pub(crate) misfit: fn(&Value) -> Option<Violation>,
    /// The user's own rule, if there is one.
    pub(crate) check: Option<Arc<dyn Check>>,
    pub(crate) max_reasks: u32,
    pub(crate) retry: RetryPolicy,
    pub(crate) observers: Observers,
    /// What is asked, as a journal records it.
    pub(crate) identity: Arc<Identity>,
    pub(crate) keys: Keys,
    /// How rows are identified, if not by what is asked.
    pub(crate) known_as: Option<Arc<KnownAs>>,
    pub(crate) equal_rows: EqualRows,
    pub(crate) all_refused: AllRefused,
    pub(crate) known_failures: KnownFailures,
    pub(crate) stops: Stops,
    /// What a probe spent before the first row, until it is counted and recorded.
    pub(crate) probing: Arc<Probing>,
    /// Where the budget records the spending of this plan's requests, if there is a journal.
    pub(crate) purse: Option<Purse>,
    /// Where outcomes are recorded, if anywhere.
    pub(crate) journal: Option<Arc<Journal>>,
    /// Where answers are stored for other runs, if anywhere.
    pub(crate) cache: Option<Arc<Cache>>,
    /// The limit on this task's own attempts in flight, if it has one.
    share: Option<Arc<Share>>,
}

/// What it took to probe the server: counted by the first run, and recorded by the first journal.
#[derive(Debug, Default)]
pub(crate) struct Probing {
    uncounted: Mutex<Option<Effort>>,
    unrecorded: Mutex<Option<Effort>>,
}

impl Probing {
    fn new(effort: Option<Effort>) -> Self {
        Self { uncounted: Mutex::new(effort), unrecorded: Mutex::new(effort) }
    }

    /// Returns the effort to count, once.
    pub(crate) fn take_uncounted(&self) -> Option<Effort> {
        self.uncounted.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns the effort that a journal should record, once.
    pub(crate) fn take_unrecorded(&self) -> Option<Effort> {
        self.unrecorded.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Fields of a request that only the engine sets, compared without case and underscores.
const RESERVED_PARAMETERS: [&str; 9] = [
    "model",
    "messages",
    "input",
    "contents",
    "system",
    "instructions",
    "systeminstruction",
    "continuationtoken",
    "stream",
];

/// The service tier that a request asks for: `service_tier`, Google's `serviceTier`, Anthropic's `speed`.
pub(crate) fn service_tier(parameters: &Parameters) -> Option<String> {
    let mut words = ["service_tier", "serviceTier", "speed"].into_iter();
    words.find_map(|name| parameters.extra.get(name)?.as_str()).map(str::to_owned)
}

/// Whether only the engine sets this field of a request. Google accepts `snake_case` as well as `camelCase`.
fn is_reserved(name: &str) -> bool {
    let spelled = name.replace('_', "").to_ascii_lowercase();
    RESERVED_PARAMETERS.contains(&&*spelled)
}

impl Plan {
    /// Checks the user's settings for a task.
    pub(crate) fn new(
        account: Arc<Account>,
        schema: Schema,
        misfit: fn(&Value) -> Option<Violation>,
        options: &TaskOptions,
    ) -> Result<Self> {
        let template = template(options, &schema, misfit).map_err(Error::Config)?;
        if let Some(name) = options.parameters.extra.keys().find(|name| is_reserved(name)) {
            let problem = Problem::new(format!(
                "parameter `{name}` is set by rowcall itself, expected a different one"
            ));
            return Err(Error::Config(problem));
        }
        bounds::repetitions(options.retry, options.max_reasks)?;
        let offer = &account.offer;
        let modes = offer.chosen(options.mode).map_err(Error::Config)?;
        let mut wished = options.parameters.clone();
        if let Some(field) = offer.protocol.output_limit_field(account.quirks) {
            wished = wished.with_limit_from(field);
        }
        bounds::parameters(&wished)?;
        let service_tier = service_tier(&options.parameters);
        if account.budget.is_some() {
            budget::check(&account.pricing, &wished, service_tier.as_deref()).map_err(Error::Config)?;
            budget::limit_output(&mut wished, offer);
        }
        let (parameters, unfit) = offer.fit(&wished);
        let means = Means {
            protocol: offer.protocol,
            modes: &modes,
            dialect: offer.dialect,
            observed: &options.observed,
            output_limit: parameters.max_output_tokens,
        };
        let Forms { first, further, mut notes } = Forms::by(means, &schema).map_err(Error::Config)?;
        notes.splice(0..0, schema.notes().iter().cloned());
        notes.extend(unfit);
        notes.extend(account.pricing_note.clone());
        let output_limit = parameters.max_output_tokens;
        let capacity = account.capacity();
        let target = Target::new(offer.protocol, account.quirks, offer.name.clone(), first, parameters);
        let target = if account.transport.has_version() { target.below_version() } else { target };
        let identity = Identity {
            model: offer.path(),
            prompt: options.prompt.clone(),
            system: options.system.clone(),
            parameters: options.parameters.by_name(),
            schema: schema.as_json().clone(),
            examples: options.examples.iter().map(AnsweredRow::without_place).collect(),
            images: options.images.clone(),
        };
        Ok(Self {
            keys: identity.keys(),
            known_as: None,
            identity: Arc::new(identity),
            equal_rows: options.equal_rows,
            all_refused: options.all_refused,
            known_failures: KnownFailures::default(),
            stops: options.stops,
            probing: Arc::new(Probing::new(options.probed)),
            purse: None,
            journal: None,
            cache: None,
            account,
            schema,
            approach: Arc::new(Approach::new(target, further)),
            output_limit,
            service_tier,
            capacity,
            notes,
            template: Arc::new(template),
            files: Files::from_folder(options.folder.as_deref()),
            misfit,
            check: None,
            max_reasks: options.max_reasks,
            retry: options.retry,
            observers: Observers::default(),
            share: None,
        })
    }

    /// The same plan with at most `places` attempts in flight; 0 counts as 1.
    pub(crate) fn with_concurrency(mut self, places: usize) -> Self {
        self.share = Some(Arc::new(self.account.admission.share(places.max(1))));
        self
    }

    /// The most attempts that may be in flight.
    pub(crate) fn concurrency(&self) -> usize {
        match &self.share {
            Some(share) => share.concurrency(),
            None => self.account.admission.concurrency(),
        }
    }

    /// Waits for the account's admission.
    ///
    /// # Errors
    /// If the budget allows no more.
    pub(crate) async fn admit(&self, need: Need) -> std::result::Result<Permit, Denial> {
        self.account.admission.admit(need, self.share.as_deref()).await
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("account", &self.account)
            .field("approach", &self.approach)
            .finish_non_exhaustive()
    }
}

/// The template with its examples, whose values must be as valid as answers.
fn template(
    options: &TaskOptions,
    schema: &Schema,
    misfit: fn(&Value) -> Option<Violation>,
) -> std::result::Result<Template, Problem> {
    let judge = |value: &Value| {
        let violations = schema.violations(value);
        if violations.is_empty() { misfit(value).into_iter().collect() } else { violations }
    };
    let template = Template::new(&options.prompt, options.system.as_deref())?.with_images(&options.images);
    match options.same_prompt {
        SamePrompt::Refuse => template.check_use(&options.prompt)?,
        SamePrompt::Allow => {}
    }
    template.with_examples(&options.examples, judge)
}
