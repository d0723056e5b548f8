//! An account as checked: the provider, the base URL and the key, with the limits and prices that apply to it.
#![expect(clippy::disallowed_methods, reason = "the age of the prices is measured from now")]

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::headers::{brings_a_key, environment, headers, key_from_environment};
use super::{AccountOptions, DEFAULT_TIMEOUT, MOST_CONCURRENCY, bounds, budget, endpoint, pricing};
use crate::admission::{Admission, Limit, Purse};
use crate::cache::Endpoint;
use crate::error::{Error, Problem, Result};
use crate::hint::{Hint, Setting};
use crate::money::{Cost, Usd};
use crate::price::{Moment, Pricing};
use crate::provider::{Offer, Quirks};
use crate::standing::Dimension;
use crate::transport::{Network, Transport};
use crate::weight::Capacity;

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
    /// The value of `service_tier` that asks for the standard service, where a request without one may get another.
    pub(super) standard_tier: Option<&'static str>,
    /// A note about the prices, if any: a sentence fragment.
    pub(super) pricing_note: Option<Hint>,
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
            let limit = bounds::requests_per_minute(per_minute)?;
            admission.apply(Limit::PerMinute(Dimension::Requests, Some(limit)));
        }
        if let Some(per_minute) = options.tokens_per_minute {
            let limit = bounds::tokens_per_minute(per_minute)?;
            admission.apply(Limit::PerMinute(Dimension::Tokens, Some(limit)));
        }
        let pricing = pricing::of(&offer, &base_url, options).map_err(Error::Config)?;
        if let Some(budget) = options.budget {
            let budget = bounds::budget(budget)?;
            budget::check_price(&pricing, &offer).map_err(Error::Config)?;
            admission.apply(Limit::Budget(Some(budget)));
        }
        let pricing_note = pricing::note(&pricing, &offer, options, Moment::from(SystemTime::now()));
        let quirks = provider.quirks_at(&base_url);
        let standard_tier = provider.standard_tier_at(&base_url);
        let budget = options.budget;
        let endpoint = endpoint::endpoint(provider, transport.uri(), &options.headers);
        Ok(Self {
            offer,
            quirks,
            transport,
            endpoint,
            admission,
            budget,
            pricing,
            standard_tier,
            pricing_note,
        })
    }

    /// Counts the most that the runs of the journal at `path` may have spent against the budget.
    ///
    /// # Errors
    /// If there is a budget, but the most that they may have spent is unknown.
    pub(crate) fn spent_before(&self, spent: Cost, path: &Path) -> std::result::Result<Purse, Problem> {
        match (spent.ceiling(), self.budget) {
            (Some(_), _) | (None, None) => {}
            (None, Some(_)) => {
                let requests = spent.unknown - spent.bounded;
                let message = format!(
                    "the journal `{}` has {requests} requests of unknown cost, so no budget can be kept",
                    path.display()
                );
                let hint = Hint::from("continue without a budget, or start over with ");
                return Err(Problem::new(message).hint(hint.with(Setting::Fresh.on())));
            }
        }
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(self.admission.spent_before(&path, spent))
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
