//! The known providers, as data: the fields of an entry of the table (`catalog/providers.rs`), and how to find one. A server that is
//! not in the table is reached as an OpenAI-compatible one: `openai/NAME` with a base URL.

mod address;
mod providers;

use super::{KeyHeader, Mode, Protocol, Quirks};
use crate::error::{Problem, did_you_mean};
use crate::schema::Dialect;

pub use address::Address;
use providers::{COMPATIBLE, OPENAI, PROVIDERS};

/// A provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The part before the slash in `openai/gpt-6-luna`.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// Its address, unless the user gives another.
    pub address: Address,
    /// The environment variable for another base URL, if there is a customary one.
    pub base_url_variable: Option<&'static str>,
    /// The path of its API, which is appended to an address without a path. Empty if such an address is complete.
    pub api_path: &'static str,
    /// What is known about its key.
    pub key: Key,
    /// The header that carries the key, if it differs from the protocol's.
    pub key_header: Option<KeyHeader>,
    /// The protocols that it supports, the default one first, each with the modes that it supports in that protocol, best first.
    pub speaks: &'static [(Protocol, &'static [Mode])],
    /// Its deviations from the protocol at its own address.
    pub quirks: Quirks,
    /// The subset of JSON Schema that it enforces, if it differs from the protocol vendor's.
    pub dialect: Option<Dialect>,
    /// Fields that are sent in every request, each with its value as JSON text.
    pub always: &'static [(&'static str, &'static str)],
    /// Whether the account's settings at the provider choose the service tier of a request that asks for none.
    pub has_tier_setting: bool,
}

/// What is known about a provider's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A key is required, from the first of these environment variables that is set.
    Required(&'static [&'static str]),
    /// The key from the first of these environment variables that is set is sent; without one, requests have no key.
    Optional(&'static [&'static str]),
    /// There is no key.
    None,
}

impl Key {
    /// The environment variables; empty if the provider uses no key.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Required(variables) | Self::Optional(variables) => variables,
            Self::None => &[],
        }
    }
}

impl Provider {
    /// The deviations to expect at a base URL. Only OpenAI's own hosts accept its newest names; any other host of `openai` is a
    /// compatible server.
    pub fn quirks_at(&self, base_url: &str) -> Quirks {
        match (self.name, is_openais(base_url)) {
            ("openai", true) => OPENAI,
            ("openai", false) => COMPATIBLE,
            _ => self.quirks,
        }
    }

    /// The value of `service_tier` that asks for the standard service at this base URL, where a request without one may get another. Only
    /// OpenAI's own hosts certainly accept it.
    pub fn standard_tier_at(&self, base_url: &str) -> Option<&'static str> {
        (self.name == "openai" && self.has_tier_setting && is_openais(base_url)).then_some("default")
    }

    /// The modes that it supports in this protocol, best first; `None` if it does not support the protocol.
    pub fn modes(&self, protocol: Protocol) -> Option<&'static [Mode]> {
        self.speaks.iter().find(|(supported, _)| *supported == protocol).map(|(_, modes)| *modes)
    }
}

/// Whether this is one of OpenAI's own hosts.
fn is_openais(base_url: &str) -> bool {
    let host = base_url.split("://").nth(1).unwrap_or(base_url).split(['/', ':']).next().unwrap_or("");
    host == "api.openai.com" || host.ends_with(".api.openai.com")
}

/// All providers.
pub fn all() -> &'static [Provider] {
    PROVIDERS
}

/// Finds a provider by name or alias.
///
/// # Errors
/// If there is none, with the nearest known name.
pub fn named(name: &str) -> Result<&'static Provider, Problem> {
    let is_named = |provider: &&Provider| provider.name == name || provider.aliases.contains(&name);
    PROVIDERS.iter().find(is_named).ok_or_else(|| {
        let known: Vec<_> = PROVIDERS.iter().map(|provider| provider.name).collect();
        let aliases = PROVIDERS.iter().flat_map(|provider| provider.aliases);
        let hint = did_you_mean(name, known.iter().chain(aliases).copied()).unwrap_or_else(|| {
            "for any other OpenAI-compatible server write `openai/NAME` and give its base URL".to_owned()
        });
        Problem::new(format!("unknown provider `{name}` (known: {})", known.join(", "))).hint(hint)
    })
}

/// The provider and the model's name in `PROVIDER/MODEL`; `sim` alone names the simulator's model `sim`.
///
/// # Errors
/// If the provider is unknown, with the nearest known name, or the model's name is empty.
pub fn find(model: &str) -> Result<(&'static Provider, &str), Problem> {
    let (name, rest) = model.split_once('/').unwrap_or((model, model));
    let provider = named(name).map_err(|problem| Problem {
        message: problem.message.replacen(&format!("`{name}`"), &format!("`{name}` in model `{model}`"), 1),
        ..problem
    })?;
    if rest.is_empty() || (!model.contains('/') && provider.name != "sim") {
        return Err(Problem::new(format!("no model is named in `{model}`, expected `PROVIDER/MODEL`"))
            .hint(format!("for example `openai/gpt-6-luna`; `rowcall models {name}` lists the known ones")));
    }
    Ok((provider, rest))
}

#[cfg(test)]
mod tests;
