//! An account as the Python layer holds it: model, key and limits, shared by the extractors made from it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use rowcall::provider::Protocol;
use rowcall::{AccountOptions, Client, Error, Price, Prices, Result, Usd};
use rowcall_cli::{Assumed, Model};
use secrecy::SecretString;
use serde::Deserialize;

use crate::failure;
use crate::settings::{named, read, time};

/// The settings that Python passes for an account, except the key.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountSettings {
    pub(crate) model: String,
    pub(crate) base_url: Option<String>,
    protocol: Option<String>,
    pub(crate) dialect: Option<String>,
    timeout: Option<f64>,
    ca_cert: Option<PathBuf>,
    concurrency: Option<usize>,
    most_connections: Option<usize>,
    rpm: Option<f64>,
    tpm: Option<f64>,
    price: Option<String>,
    prices: Option<PathBuf>,
    budget: Option<String>,
}

impl AccountSettings {
    /// The protocol, if one was given.
    ///
    /// # Errors
    /// An unknown protocol.
    pub(crate) fn protocol(&self) -> Result<Option<Protocol>> {
        named(
            self.protocol.as_deref(),
            "protocol",
            "`chat`, `responses`, `anthropic` or `gemini`",
            "leave it out to use the provider's default protocol",
        )
    }

    /// The user's own price table, with every entry checked.
    fn prices(&self) -> Result<Option<Arc<Prices>>> {
        let Some(path) = &self.prices else { return Ok(None) };
        Ok(Some(Arc::new(Prices::read(path).map_err(Error::Config)?)))
    }

    fn open(&self, api_key: Option<String>, headers: Vec<(String, String)>) -> Result<Opened> {
        let model = Model::new(AccountOptions {
            model: self.model.clone(),
            base_url: self.base_url.clone(),
            protocol: self.protocol()?,
            dialect: self
                .dialect
                .as_deref()
                .map(Assumed::named)
                .transpose()?
                .and_then(|assumed| assumed.dialect),
            api_key: api_key.map(SecretString::from),
            headers: headers.into_iter().map(|(name, value)| (name, value.into())).collect(),
            timeout: self.timeout.map(|seconds| time("timeout", seconds)).transpose()?,
            ca_cert: self.ca_cert.clone(),
            concurrency: self.concurrency,
            most_concurrency: self.most_connections,
            requests_per_minute: self.rpm,
            tokens_per_minute: self.tpm,
            price: self.price.as_deref().map(Price::parse).transpose().map_err(Error::Config)?,
            prices: self.prices()?,
            budget: self.budget.as_deref().map(Usd::parse).transpose().map_err(Error::Config)?,
            ..AccountOptions::default()
        })?;
        Ok(Opened { client: model.client()?, model })
    }
}

/// The client and its connections.
pub(crate) struct Opened {
    pub(crate) client: Client,
    /// A simulator started for it stops when this is dropped.
    pub(crate) model: Model,
}

/// An account. It belongs to the process that made it.
#[pyclass(frozen, module = "rowcall._rowcall")]
pub(crate) struct Account {
    /// `None` once it is closed. Locked only by threads that hold the interpreter's lock.
    opened: Mutex<Option<Arc<Opened>>>,
    process: u32,
}

#[pymethods]
impl Account {
    #[new]
    #[pyo3(signature = (settings, api_key=None, headers=Vec::new()))]
    fn new(
        py: Python<'_>,
        settings: &str,
        api_key: Option<String>,
        headers: Vec<(String, String)>,
    ) -> PyResult<Self> {
        let settings: AccountSettings = read(py, settings, "setting")?;
        let opened = py.detach(|| settings.open(api_key, headers));
        let opened = opened.map_err(|error| failure::of_run(py, &error))?;
        Ok(Self { opened: Mutex::new(Some(Arc::new(opened))), process: std::process::id() })
    }

    /// Releases the connections. Extractors made from it keep them as long as they are open.
    fn close(&self, py: Python<'_>) {
        let opened = self.opened().take();
        py.detach(|| drop(opened));
    }
}

impl Account {
    /// The client.
    ///
    /// # Errors
    /// If it is closed.
    pub(crate) fn get(&self) -> PyResult<Arc<Opened>> {
        self.opened().clone().ok_or_else(|| failure::of_closed("client"))
    }

    fn opened(&self) -> MutexGuard<'_, Option<Arc<Opened>>> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        if self.process == std::process::id() {
            Python::attach(|py| self.close(py));
        } else {
            // A forked child does not have the threads that would have to be waited for.
            std::mem::forget(self.opened().take());
        }
    }
}
