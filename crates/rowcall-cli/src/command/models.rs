//! `rowcall models`: the providers, and what is known about their models.
#![expect(clippy::disallowed_methods, reason = "prices depend on the time of day")]

use std::time::SystemTime;

use rowcall::models::{self, Model};
use rowcall::price::{Moment, Rates};
use rowcall::provider::{self, Offer, Provider};
use rowcall::{Error, Mode, Price, Prices, Result, Usd};
use serde_json::{Value, json};

use crate::args::ModelsArguments;
use crate::exit::Exit;
use crate::printing;
use crate::table::table;

/// Shown for an unknown figure.
const UNKNOWN: &str = "?";

/// What is printed to stdout, and a remark about it for stderr.
struct Listing {
    text: String,
    remark: String,
}

pub(crate) fn models(arguments: &ModelsArguments) -> Result<Exit> {
    let filter = arguments.filter.as_deref().unwrap_or_default().to_lowercase();
    let listing = match &arguments.provider {
        None if filter.is_empty() => providers(arguments.json),
        None => known(provider::all(), &filter, arguments.json)?,
        Some(name) => {
            let provider = provider::named(name).map_err(Error::Config)?;
            known(std::slice::from_ref(provider), &filter, arguments.json)?
        }
    };
    if !listing.text.is_empty() {
        printing::result(&listing.text).map_err(|error| printing::unprintable(&error))?;
    }
    if !arguments.json {
        printing::note(&listing.remark);
    }
    Ok(Exit::Done)
}

/// The providers.
fn providers(as_json: bool) -> Listing {
    let all = provider::all();
    let rows = all.iter().map(|provider| {
        let protocols = provider.speaks.iter().map(|(protocol, _)| protocol.name());
        vec![
            provider.name.to_owned(),
            provider.address.written().to_owned(),
            provider.key.variables().join(", "),
            protocols.collect::<Vec<_>>().join(", "),
            models::of(provider.name).len().to_string(),
        ]
    });
    let text = if as_json {
        json!({"providers": all.iter().map(provider_as_json).collect::<Vec<_>>()}).to_string()
    } else {
        table(&["provider", "base URL", "key", "protocols", "models"], rows, 4..5)
    };
    Listing {
        text,
        remark: "for any other OpenAI-compatible server use `-m openai/NAME --base-url URL`".to_owned(),
    }
}

fn provider_as_json(provider: &Provider) -> Value {
    let speaks = provider.speaks.iter().map(|(protocol, modes)| {
        json!({"protocol": protocol.name(), "modes": modes.iter().map(|mode| mode.name()).collect::<Vec<_>>()})
    });
    json!({
        "name": provider.name,
        "aliases": provider.aliases,
        "base_url": provider.address.written(),
        "base_url_variable": provider.base_url_variable,
        "key_variables": provider.key.variables(),
        "speaks": speaks.collect::<Vec<_>>(),
        "models": models::of(provider.name).len(),
    })
}

/// The known models of these providers with `filter` in their name.
fn known(providers: &'static [Provider], filter: &str, as_json: bool) -> Result<Listing> {
    let mut found = Vec::new();
    for provider in providers {
        for model in models::of(provider.name) {
            let offer = Offer::at(provider, model.name, None).map_err(Error::Config)?;
            if offer.path().to_lowercase().contains(filter) {
                found.push((offer, model));
            }
        }
    }
    let text = match (as_json, &found[..]) {
        (true, found) => {
            let found: Vec<_> = found.iter().map(|(offer, model)| model_as_json(offer, model)).collect();
            json!({"taken_on": models::TAKEN_ON, "source": models::SOURCE, "models": found}).to_string()
        }
        (false, []) => String::new(),
        (false, found) => as_table(found),
    };
    let remark = if found.is_empty() {
        "no such model is listed; any model name that the server knows can be used".to_owned()
    } else {
        format!(
            "USD per million tokens, as of {}, from {}; `{UNKNOWN}` is unknown; a server may have models that are not listed",
            models::TAKEN_ON,
            models::SOURCE
        )
    };
    Ok(Listing { text, remark })
}

fn as_table(found: &[(Offer, &Model)]) -> String {
    let rows = found.iter().map(|(offer, model)| {
        let prices = PricesNow::of(offer);
        let sees = [("images", model.capabilities.vision), ("PDFs", model.capabilities.pdf)];
        let sees = sees.into_iter().filter(|(_, can)| *can == Some(true)).map(|(what, _)| what);
        vec![
            offer.path(),
            per_million(prices.base().input),
            per_million(prices.base().output),
            per_million(prices.base().cached),
            tokens(model.max_input_tokens),
            tokens(model.max_output_tokens),
            prices.further(),
            names(&offer.modes()).join(" "),
            sees.collect::<Vec<_>>().join(" "),
            model.retires_on.unwrap_or_default().to_owned(),
        ]
    });
    let header = [
        "model",
        "in",
        "out",
        "cached",
        "context",
        "max out",
        "other prices",
        "modes",
        "accepts",
        "shut down on",
    ];
    table(&header, rows, 1..6)
}

fn model_as_json(offer: &Offer, model: &Model) -> Value {
    let can = model.capabilities;
    let prices = PricesNow::of(offer);
    let base = prices.base();
    json!({
        "model": offer.path(),
        "input_usd_per_token": per_token(base.input),
        "output_usd_per_token": per_token(base.output),
        "cached_usd_per_token": per_token(base.cached),
        "written_usd_per_token": per_token(base.written),
        "prices": prices.as_json(),
        "max_input_tokens": model.max_input_tokens,
        "max_output_tokens": model.max_output_tokens,
        "modes": names(&offer.modes()),
        "sampling": can.sampling,
        "vision": can.vision,
        "pdf": can.pdf,
        "only_responses": model.only_responses,
        "retires_on": model.retires_on,
    })
}

fn names(modes: &[Mode]) -> Vec<&'static str> {
    modes.iter().map(|mode| mode.name()).collect()
}

/// The prices of a model at this moment.
struct PricesNow {
    price: Option<Price>,
    now: Moment,
}

impl PricesNow {
    fn of(offer: &Offer) -> Self {
        let price = Prices::bundled().find(offer.provider.name, &offer.name).ok().flatten();
        Self { price, now: Moment::from(SystemTime::now()) }
    }

    /// The rates for a short request in the standard tier.
    fn base(&self) -> Rates {
        self.tiers(None).first().map_or(Rates::default(), |(_, rates)| *rates)
    }

    fn tiers(&self, service: Option<&str>) -> Vec<(u64, Rates)> {
        self.price.as_ref().map_or_else(Vec::new, |price| price.tiers(service, self.now))
    }

    fn services(&self) -> Vec<&str> {
        self.price.as_ref().map_or_else(Vec::new, |price| price.services(self.now))
    }

    /// The other rates in short: `from 272,001: 0.2/0.75, flex: 0.05/0.25, by time`.
    fn further(&self) -> String {
        let pair = |rates: &Rates| format!("{}/{}", per_million(rates.input), per_million(rates.output));
        let tiers = self.tiers(None).into_iter().skip(1);
        let mut parts: Vec<String> = tiers
            .map(|(from, rates)| format!("from {}: {}", indicatif::HumanCount(from), pair(&rates)))
            .collect();
        for service in self.services() {
            if let Some((_, rates)) = self.tiers(Some(service)).first() {
                parts.push(format!("{service}: {}", pair(rates)));
            }
        }
        if self.price.as_ref().is_some_and(Price::changes) {
            parts.push("by time".to_owned());
        }
        parts.join(", ")
    }

    fn as_json(&self) -> Value {
        let tier = |(from, rates): (u64, Rates)| {
            json!({
                "from_input_tokens": from,
                "input_usd_per_token": per_token(rates.input),
                "output_usd_per_token": per_token(rates.output),
                "cached_usd_per_token": per_token(rates.cached),
                "written_usd_per_token": per_token(rates.written),
                "written_long_usd_per_token": per_token(rates.written_long),
            })
        };
        let of = |service: Option<&str>| self.tiers(service).into_iter().map(tier).collect::<Vec<_>>();
        let services = std::iter::once(None).chain(self.services().into_iter().map(Some));
        let by_service: serde_json::Map<String, Value> =
            services.map(|service| (service.unwrap_or("standard").to_owned(), of(service).into())).collect();
        Value::Object(by_service)
    }
}

/// USD per token with all digits.
fn per_token(picodollars: Option<u64>) -> Value {
    let usd = picodollars.map(|price| Usd::from_picodollars(price).decimal());
    usd.and_then(|usd| serde_json::from_str(&usd).ok()).unwrap_or_default()
}

/// USD per million tokens with all digits.
fn per_million(picodollars: Option<u64>) -> String {
    picodollars.map_or(UNKNOWN.to_owned(), |price| Usd::from_picodollars(price).times(1_000_000).decimal())
}

fn tokens(tokens: Option<u32>) -> String {
    tokens.map_or(UNKNOWN.to_owned(), |tokens| indicatif::HumanCount(tokens.into()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_keeps_its_digits() {
        for (usd, text) in [
            (100_000, "0.1"),
            (2_500_000, "2.5"),
            (10_000_000, "10"),
            (42_000, "0.042"),
            (262_500, "0.2625"),
            (600_000_000, "600"),
        ] {
            assert_eq!(per_million(Some(usd)), text);
        }
        assert_eq!(per_million(None), "?");
    }
}
