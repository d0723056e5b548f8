//! The providers we know, as data: what a line of the table (`catalog/providers.rs`) says, and how one is found. What is not there is
//! reached as any OpenAI-compatible server: `openai/NAME` with a base URL.

mod address;
mod providers;

use super::{KeyHeader, Mode, Protocol, Quirks};
use crate::error::{Problem, did_you_mean};
use crate::schema::Dialect;

pub use address::Address;
use providers::{COMPATIBLE, OPENAI, PROVIDERS};

/// One provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The word before the slash in `openai/gpt-6-luna`.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// Where it is, unless the user says otherwise.
    pub address: Address,
    /// The environment variable for another base URL, if its users have one.
    pub base_url_variable: Option<&'static str>,
    /// The path of its API: an address without a path is completed by it. Empty if that is a path of its own.
    pub api_path: &'static str,
    /// What is known about its key.
    pub key: Key,
    /// The header that carries the key, if it is not the protocol's.
    pub key_header: Option<KeyHeader>,
    /// The protocols that it speaks, of which the first is spoken unless the user says otherwise, each with the modes that it has
    /// there, the best first.
    pub speaks: &'static [(Protocol, &'static [Mode])],
    /// Its deviations at its own address.
    pub quirks: Quirks,
    /// The subset of JSON Schema that it holds a model to, if that is not the one of the protocol's makers.
    pub dialect: Option<Dialect>,
    /// Fields of every request's body, each with its value as JSON text.
    pub always: &'static [(&'static str, &'static str)],
}

/// What is known about a provider's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Nothing is sent without the key in one of these environment variables, of which the first that is set counts.
    Required(&'static [&'static str]),
    /// The key in the first of these environment variables that is set is sent if there is one.
    Optional(&'static [&'static str]),
    /// There is no key.
    None,
}

impl Key {
    /// The environment variables, none if there is no key at all.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Required(variables) | Self::Optional(variables) => variables,
            Self::None => &[],
        }
    }
}

impl Provider {
    /// The deviations to expect at a base URL. Only OpenAI's own hosts take its newest names; whatever else is given as
    /// `openai` is a compatible server.
    pub fn quirks_at(&self, base_url: &str) -> Quirks {
        let host = base_url.split("://").nth(1).unwrap_or(base_url).split(['/', ':']).next().unwrap_or("");
        let is_openais = host == "api.openai.com" || host.ends_with(".api.openai.com");
        match (self.name, is_openais) {
            ("openai", true) => OPENAI,
            ("openai", false) => COMPATIBLE,
            _ => self.quirks,
        }
    }

    /// The modes that it has by this protocol, the best first; `None` if it does not speak it.
    pub fn modes(&self, protocol: Protocol) -> Option<&'static [Mode]> {
        self.speaks.iter().find(|(spoken, _)| *spoken == protocol).map(|(_, modes)| *modes)
    }
}

/// All providers.
pub fn all() -> &'static [Provider] {
    PROVIDERS
}

/// The provider of this name.
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

/// The provider and the model's name in `PROVIDER/MODEL`; a simulator alone stands for a model of its own name.
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
        return Err(Problem::new(format!("no model is named in `{model}`, expected `PROVIDER/MODEL`")).hint(
            format!("for example `openai/gpt-6-luna`; `rowcall models {name}` lists those that are known"),
        ));
    }
    Ok((provider, rest))
}

#[cfg(test)]
mod tests;
