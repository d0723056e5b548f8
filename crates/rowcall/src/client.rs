//! The front door to an account: model, key and limits, shared by every extractor made from it.

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

    /// A client with an address, key or limits of its own.
    pub fn builder(model: &str) -> ClientBuilder {
        ClientBuilder { options: AccountOptions { model: model.to_owned(), ..AccountOptions::default() } }
    }

    /// A client as the options say.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for whatever in them cannot be.
    pub fn with_options(options: &AccountOptions) -> Result<Self> {
        Ok(Self { account: Arc::new(Account::new(options)?) })
    }

    /// A way to values of a Rust type: its JSON Schema is what the model is asked for, and its own rules of
    /// deserialising are part of what is valid.
    pub fn extractor<T: DeserializeOwned + JsonSchema>(&self) -> ExtractorBuilder<T> {
        ExtractorBuilder::new(Arc::clone(&self.account), Schema::from_type::<T>(), misfit::<T>)
    }

    /// A way to JSON values of a schema that is known only at run time.
    pub fn extractor_with(&self, schema: Schema) -> ExtractorBuilder<Value> {
        ExtractorBuilder::new(Arc::clone(&self.account), Ok(schema), |_| None)
    }

    /// Asks the server what it makes of a schema, by tiny requests that each ask for a value which a schema forbids: what is answered
    /// shows whether the server holds the model to it. `told` is called with each observation as it is made. What was observed may be
    /// given to extractors with [`ExtractorBuilder::observed`].
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) for a mode in which no schema is enforced, [`Error::Stopped`](crate::Error::Stopped) for a
    /// fault that every request would meet.
    pub async fn probe(&self, options: &ProbeOptions, told: impl FnMut(&Observation)) -> Result<Probed> {
        probe(&self.account, options, told).await
    }

    /// Counts what the runs of the journal at `path` have spent against the budget before the journal is opened for a run, as for a
    /// [`probe`](Self::probe). What is counted once is not counted again.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if there is a budget, and nobody knows the most that they have spent.
    pub fn spent_before(&self, contents: &Contents, path: &Path) -> Result<()> {
        let spent = contents.totals().cost;
        self.account.spent_before(spent, path).map(drop).map_err(Error::Config)
    }

    /// The subset of JSON Schema that the server is taken to hold the model to.
    pub fn dialect(&self) -> Dialect {
        self.account.offer.dialect
    }
}

/// What a client is to be; see [`Client::builder`].
#[derive(Debug, Clone)]
pub struct ClientBuilder {
    options: AccountOptions,
}

impl ClientBuilder {
    /// Another address than the provider's own, such as `http://localhost:8000/v1`. It never changes the protocol.
    pub fn base_url(mut self, base_url: impl Into<String>) -> Self {
        self.options.base_url = Some(base_url.into());
        self
    }

    /// How the server is spoken to, where the provider speaks more than one protocol: `openai` speaks Chat Completions unless it
    /// is told to speak Responses.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.options.protocol = Some(protocol);
        self
    }

    /// The key, in place of the one in the environment.
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.options.api_key = Some(SecretString::from(key.into()));
        self
    }

    /// A further header of every request. Its value is treated as a secret.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.headers.push((name.into(), SecretString::from(value.into())));
        self
    }

    /// How long an attempt may take, from its first byte out to its last byte in; 600 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// A PEM file with certificate authorities to trust beside the system's.
    pub fn ca_cert(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.ca_cert = Some(path.into());
        self
    }

    /// The most attempts in flight on the account, at least 1, whichever extractors they belong to; found out by what the server
    /// takes if not said.
    pub fn concurrency(mut self, places: usize) -> Self {
        self.options.concurrency = Some(places);
        self
    }

    /// The most requests per minute, above 0; as many as the server allows if not said. A tenth of it may go out at once.
    pub fn requests_per_minute(mut self, requests: f64) -> Self {
        self.options.requests_per_minute = Some(requests);
        self
    }

    /// The most tokens per minute, in and out together, above 0; as many as the server allows if not said. A tenth of it may go
    /// out at once.
    pub fn tokens_per_minute(mut self, tokens: f64) -> Self {
        self.options.tokens_per_minute = Some(tokens);
        self
    }

    /// What the model's tokens cost, such as [`Price::parse("in=0.15,out=0.60")`](Price::parse), in place of what the table says.
    pub fn price(mut self, price: Price) -> Self {
        self.options.price = Some(price);
        self
    }

    /// The table of prices, in place of the one that is compiled in.
    pub fn prices(mut self, prices: Prices) -> Self {
        self.options.prices = Some(Arc::new(prices));
        self
    }

    /// What all requests on the account may cost together, whichever extractors they belong to, with what earlier runs have spent by the
    /// same journals. A run stops with [`Error::Limit`](crate::Error::Limit) before it could cost more, even if every answer
    /// in flight were as dear as it can be.
    pub fn budget(mut self, budget: Usd) -> Self {
        self.options.budget = Some(budget);
        self
    }

    /// The client.
    ///
    /// # Errors
    /// [`Error::Config`](crate::Error::Config) if the provider is unknown, its key is not set, or one of the settings
    /// cannot be.
    pub fn build(self) -> Result<Client> {
        Client::with_options(&self.options)
    }
}
