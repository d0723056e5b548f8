//! What a model offers at a provider: the protocol, the modes, and which of the user's parameters are sent. Anything that the server
//! is known to reject is caught here, before the first request.

use serde_json::{Map, Value};

use super::models::{self, Model};
use super::{Mode, Parameters, Protocol, Provider, catalog};
use crate::error::Problem;
use crate::schema::Dialect;

/// The request fields that control sampling.
pub(super) const SAMPLING: [&str; 3] = ["temperature", "top_p", "top_k"];

/// A model at a provider, and what is known about both.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The provider that serves the model.
    pub provider: &'static Provider,
    /// The protocol to use.
    pub protocol: Protocol,
    /// The model's name as the server knows it.
    pub name: String,
    /// The subset of JSON Schema that the server enforces.
    pub dialect: Dialect,
    /// What is known about the model, if it is in the table.
    pub model: Option<&'static Model>,
}

impl Offer {
    /// The offer for `PROVIDER/MODEL`, with the provider's default protocol or another of its protocols.
    ///
    /// # Errors
    /// If the provider is unknown or does not support the protocol, or if no model is named.
    pub fn of(model: &str, protocol: Option<Protocol>) -> Result<Self, Problem> {
        let (provider, name) = catalog::find(model)?;
        Self::at(provider, name, protocol)
    }

    /// The model of this name at a provider.
    ///
    /// # Errors
    /// If the provider does not support the protocol.
    pub fn at(provider: &'static Provider, name: &str, protocol: Option<Protocol>) -> Result<Self, Problem> {
        let usual = provider.speaks.first().map_or(Protocol::OpenAiChat, |(protocol, _)| *protocol);
        let protocol = protocol.unwrap_or(usual);
        if provider.modes(protocol).is_none() {
            let supported = provider.speaks.iter().map(|(protocol, _)| format!("`{}`", protocol.name()));
            let supported: Vec<_> = supported.collect();
            let message = format!(
                "provider `{}` does not support protocol `{}`, expected {}",
                provider.name,
                protocol.name(),
                supported.join(" or ")
            );
            return Err(Problem::new(message).hint("omit the protocol to use the provider's default"));
        }
        let model = models::find(provider.name, name);
        let dialect = provider.dialect.unwrap_or_else(|| protocol.dialect());
        Ok(Self { provider, protocol, name: name.to_owned(), dialect, model })
    }

    /// The same offer for a server that enforces another subset of JSON Schema.
    #[must_use]
    pub fn with_dialect(mut self, dialect: Option<Dialect>) -> Self {
        self.dialect = dialect.unwrap_or(self.dialect);
        self
    }

    /// The model as `PROVIDER/MODEL`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.provider.name, self.name)
    }

    /// The available modes, best first.
    pub fn modes(&self) -> Vec<Mode> {
        let modes = self.provider.modes(self.protocol).unwrap_or_default().iter().copied();
        modes.filter(|mode| !self.model.is_some_and(|model| model.refuses(*mode))).collect()
    }

    /// The modes to try, best first: the requested one, or all available ones.
    ///
    /// # Errors
    /// If the requested mode is known to be rejected; the message lists the available ones.
    pub fn chosen(&self, requested: Option<Mode>) -> Result<Vec<Mode>, Problem> {
        let modes = self.modes();
        let Some(requested) = requested else { return Ok(modes) };
        if modes.contains(&requested) {
            return Ok(vec![requested]);
        }
        let who = match self.model {
            Some(model) if model.refuses(requested) => format!("model `{}`", self.path()),
            Some(_) | None => format!("provider `{}`", self.provider.name),
        };
        let names: Vec<_> = modes.iter().map(|mode| format!("`{}`", mode.name())).collect();
        let message = format!(
            "{who} does not support mode `{}` ({}), expected {}",
            requested.name(),
            requested.phrase(),
            names.join(" or ")
        );
        Err(Problem::new(message).hint("omit the mode to use the best available one"))
    }

    /// The parameters to send: the provider's own fields and the user's, without those that the model is known to reject; and
    /// notes about the ones that were dropped or changed.
    pub fn fit(&self, requested: &Parameters) -> (Parameters, Vec<String>) {
        let mut parameters = requested.clone();
        let mut notes = Vec::new();
        let always = self.provider.always.iter().filter_map(|(name, value)| {
            Some(((*name).to_owned(), serde_json::from_str::<Value>(value).ok()?))
        });
        parameters.extra = always.chain(requested.extra.clone()).collect::<Map<_, _>>();
        let Some(model) = self.model else { return (parameters, notes) };
        if model.capabilities.sampling == Some(false) {
            for name in SAMPLING {
                let is_set = name == "temperature" && parameters.temperature.take().is_some();
                if parameters.extra.shift_remove(name).is_some() || is_set {
                    notes.push(format!("`{}` does not accept `{name}`, so it is not sent", self.name));
                }
            }
        }
        if let (Some(limit), Some(most)) = (parameters.max_output_tokens, model.max_output_tokens)
            && limit > most
        {
            parameters.max_output_tokens = Some(most);
            notes.push(format!(
                "`{}` returns at most {most} tokens, so the output limit is {most} instead of {limit}",
                self.name
            ));
        }
        if model.only_responses && self.protocol == Protocol::OpenAiChat {
            notes.push(format!(
                "`{}` is known to be served only through protocol `responses`, but `chat` is used",
                self.name
            ));
        }
        (parameters, notes)
    }
}

#[cfg(test)]
mod tests;
