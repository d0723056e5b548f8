//! The entry point to an account: model, key and limits, shared by every extractor made from it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::config::{Account, AccountOptions};
use crate::error::{Error, Result};
use crate::extractor::ExtractorBuilder;
use crate::journal::Contents;
use crate::money::Usd;
use crate::price::{Price, Prices};
use crate::probe::{ProbeOptions, Probed, probe};
use crate::provider::Protocol;
use crate::schema::{Dialect, Observation, Schema};
use crate::validity::misfit;

/// An account with a provider and one of its models. Cloning it is cheap, and all clones share one admission: limits hold
/// for all of them together.
#[derive(Debug, Clone)]
pub struct Client {
    account: Arc<Account>,
}

impl Client {
    /// A client for `PROVIDER/MODEL`, such as `openai/gpt-6-luna`, with the key from the provider's environment variable
    /// (`OPENAI_API_KEY`). Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the provider is unknown or its key is not set.
    pub fn new(model: &str) -> Result<Self> {
        Self::builder(model).build()
    }

    /// Configures a client: address, key, limits and more.
    pub fn builder(model: &str) -> ClientBuilder {
        ClientBuilder { options: AccountOptions { model: model.to_owned(), ..AccountOptions::default() } }
    }

    /// A client configured by `options`.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for any option that is not valid.
    pub fn with_options(options: &AccountOptions) -> Result<Self> {
        Ok(Self { account: Arc::new(Account::new(options)?) })
    }

    /// Builds an extractor for a Rust type. The model is asked for the type's JSON Schema, and a value is valid only if
    /// it also deserialises into the type.
    pub fn extractor<T: DeserializeOwned + JsonSchema>(&self) -> ExtractorBuilder<T> {
        ExtractorBuilder::new(Arc::clone(&self.account), Schema::from_type::<T>(), misfit::<T>)
    }

    /// Builds an extractor for JSON values of a schema that is known only at run time.
    pub fn extractor_with(&self, schema: Schema) -> ExtractorBuilder<Value> {
        ExtractorBuilder::new(Arc::clone(&self.account), Ok(schema), |_| None)
    }

    /// Probes how the server enforces a schema. Each tiny request asks for a value that its schema forbids; the answer shows whether
    /// the server holds the model to it. `on_observation` is called with each observation as it is made. Pass the result to
    /// extractors with [`ExtractorBuilder::observed`].
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a mode in which no schema is enforced, [`Error::Stopped`](crate::Error::Stopped) for a
    /// fault that every request would meet.
    pub async fn probe(
        &self,
        options: &ProbeOptions,
        on_observation: impl FnMut(&Observation),
    ) -> Result<Probed> {
        probe(&self.account, options, on_observation).await
    }

    /// Counts what the runs of the journal at `path` have spent against the budget, for requests that go out before the journal is
    /// opened, such as those of a [`probe`](Self::probe). Each journal is counted only once.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if there is a budget, but the most that they may have spent is unknown.
    pub fn spent_before(&self, contents: &Contents, path: &Path) -> Result<()> {
        let spent = contents.totals().cost;
        self.account.spent_before(spent, path).map(drop).map_err(Error::Config)
    }

    /// The subset of JSON Schema that the server is assumed to enforce.
    pub fn dialect(&self) -> Dialect {
        self.account.offer.dialect
    }
}

/// The configuration of a client to be built; see [`Client::builder`].
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    options: AccountOptions,
}

impl ClientBuilder {
    /// Base URL in place of the provider's own, such as `http://localhost:8000/v1`. It never changes the protocol.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.options.base_url = Some(base_url.into());
        self
    }

    /// The protocol, for a provider that supports more than one: `openai` uses Chat Completions unless set to Responses.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.options.protocol = Some(protocol);
        self
    }

    /// API key, in place of the one in the environment.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.options.api_key = Some(SecretString::from(key.into()));
        self
    }

    /// Adds a header to every request. Its value is treated as a secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), SecretString::from(value.into())));
        self
    }

    /// How long an attempt may take, from its first byte out to its last byte in; 600 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// A PEM file with certificate authorities to trust in addition to the system's.
    pub fn ca_cert(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.ca_cert = Some(path.into());
        self
    }

    /// The most attempts in flight on the account, at least 1, across all its extractors. If not set, it is adapted to what the
    /// server accepts.
    pub fn concurrency(mut self, attempts: usize) -> Self {
        self.options.concurrency = Some(attempts);
        self
    }

    /// The most requests per minute, above 0; if not set, as many as the server allows. A burst may be a tenth of it.
    pub fn requests_per_minute(mut self, requests: f64) -> Self {
        self.options.requests_per_minute = Some(requests);
        self
    }

    /// The most tokens per minute, input and output together, above 0; if not set, as many as the server allows. A burst may be
    /// a tenth of it.
    pub fn tokens_per_minute(mut self, tokens: f64) -> Self {
        self.options.tokens_per_minute = Some(tokens);
        self
    }

    /// What the model's tokens cost, such as [`Price::parse("in=0.15,out=0.60")`](Price::parse), in place of the table's price.
    pub fn price(mut self, price: Price) -> Self {
        self.options.price = Some(price);
        self
    }

    /// The table of prices, in place of the one that is compiled in.
    pub fn prices(mut self, prices: Prices) -> Self {
        self.options.prices = Some(Arc::new(prices));
        self
    }

    /// The most that all requests on the account may cost together, across all its extractors and including what earlier runs with the
    /// same journals have spent. A run stops with [`Error::Limit`](crate::Error::Limit) before it could cost more, even if every answer
    /// in flight were as expensive as possible.
    pub fn budget(mut self, budget: Usd) -> Self {
        self.options.budget = Some(budget);
        self
    }

    /// Builds the client. Nothing is sent.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the provider is unknown, its key is not set, or a setting is not
    /// valid.
    pub fn build(self) -> Result<Client> {
        Client::with_options(&self.options)
    }
}
