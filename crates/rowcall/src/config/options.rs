//! Options as the user gives them: for an account and for a task.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use super::DEFAULT_MAX_REASKS;
use crate::identity::EqualRows;
use crate::money::Usd;
use crate::outcome::Effort;
use crate::price::{Price, Prices};
use crate::prompt::SamePrompt;
use crate::provider::{Mode, Parameters, Protocol};
use crate::refusals::AllRefused;
use crate::retry::RetryPolicy;
use crate::row::AnsweredRow;
use crate::schema::{Dialect, Observed};
use crate::stops::Stops;

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
    /// [`DEFAULT_TIMEOUT`](crate::DEFAULT_TIMEOUT).
    pub timeout: Option<Duration>,
    /// A PEM file with certificate authorities to trust in addition to the system's.
    pub ca_cert: Option<PathBuf>,
    /// The most attempts in flight on the account, 1 to [`MOST_CONCURRENCY`](crate::MOST_CONCURRENCY); if `None`, adapted to what the server accepts.
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
