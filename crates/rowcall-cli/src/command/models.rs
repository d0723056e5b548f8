//! `rowcall models`: the providers there are, and what is known about their models.

use rowcall::models::{self, Model};
use rowcall::provider::{self, Offer, Provider};
use rowcall::{Error, Mode, Result};
use serde_json::{Value, json};

use crate::args::ModelsArguments;
use crate::exit::Exit;
use crate::printing;
use crate::table::table;

/// What stands where nothing is known.
const UNKNOWN: &str = "?";

/// What is printed, and a remark about it for the person at the terminal.
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
        remark: "any other OpenAI-compatible server is `-m openai/NAME --base-url URL`".to_owned(),
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
        "no such model is known here; any name that its server knows can be asked for".to_owned()
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
        let sees = [("images", model.capabilities.vision), ("PDFs", model.capabilities.pdf)];
        let sees = sees.into_iter().filter(|(_, can)| *can == Some(true)).map(|(what, _)| what);
        vec![
            offer.path(),
            price(model.input_usd_per_token),
            price(model.output_usd_per_token),
            price(model.cached_usd_per_token),
            tokens(model.max_input_tokens),
            tokens(model.max_output_tokens),
            names(&offer.modes()).join(" "),
            sees.collect::<Vec<_>>().join(" "),
            model.retires_on.unwrap_or_default().to_owned(),
        ]
    });
    let header = ["model", "in", "out", "cached", "context", "most out", "modes", "sees", "shut down on"];
    table(&header, rows, 1..6)
}

fn model_as_json(offer: &Offer, model: &Model) -> Value {
    let can = model.capabilities;
    json!({
        "model": offer.path(),
        "input_usd_per_token": model.input_usd_per_token,
        "output_usd_per_token": model.output_usd_per_token,
        "cached_usd_per_token": model.cached_usd_per_token,
        "written_usd_per_token": model.written_usd_per_token,
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

/// USD per million tokens, with as many digits as there are.
fn price(usd_per_token: Option<f64>) -> String {
    usd_per_token.map_or(UNKNOWN.to_owned(), |usd| {
        let text = format!("{:.6}", usd * 1e6);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    })
}

fn tokens(tokens: Option<u32>) -> String {
    tokens.map_or(UNKNOWN.to_owned(), |tokens| indicatif::HumanCount(tokens.into()).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_the_digits_it_has() {
        for (usd, text) in [
            (1e-7, "0.1"),
            (2.5e-6, "2.5"),
            (1e-5, "10"),
            (4.2e-8, "0.042"),
            (2.625e-7, "0.2625"),
            (6e-4, "600"),
        ] {
            assert_eq!(price(Some(usd)), text);
        }
        assert_eq!(price(None), "?");
    }
}
