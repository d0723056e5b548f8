//! What there is to choose from for a model at a provider: the protocol, the modes, and which of the user's parameters are sent. What is
//! known to be refused is found out here, before any request.

use serde_json::{Map, Value};

use super::models::{self, Model};
use super::{Mode, Parameters, Protocol, Provider, catalog};
use crate::error::Problem;
use crate::schema::Dialect;

/// Fields of a request's body that steer sampling.
pub(super) const SAMPLING: [&str; 3] = ["temperature", "top_p", "top_k"];

/// A model at a provider, and what is known about the two.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Who serves it.
    pub provider: &'static Provider,
    /// How that is spoken to.
    pub protocol: Protocol,
    /// The model's name as the server knows it.
    pub name: String,
    /// The subset of JSON Schema that the server holds the model to.
    pub dialect: Dialect,
    /// What is known about the model, if it is known.
    pub model: Option<&'static Model>,
}

impl Offer {
    /// What `PROVIDER/MODEL` names, spoken to by the provider's usual protocol or another one of its.
    ///
    /// # Errors
    /// If the provider is unknown or does not speak the protocol, or no model is named.
    pub fn of(model: &str, protocol: Option<Protocol>) -> Result<Self, Problem> {
        let (provider, name) = catalog::find(model)?;
        Self::at(provider, name, protocol)
    }

    /// The model of this name at a provider.
    ///
    /// # Errors
    /// If the provider does not speak the protocol.
    pub fn at(provider: &'static Provider, name: &str, protocol: Option<Protocol>) -> Result<Self, Problem> {
        let usual = provider.speaks.first().map_or(Protocol::OpenAiChat, |(protocol, _)| *protocol);
        let protocol = protocol.unwrap_or(usual);
        if provider.modes(protocol).is_none() {
            let spoken = provider.speaks.iter().map(|(protocol, _)| format!("`{}`", protocol.name()));
            let spoken: Vec<_> = spoken.collect();
            let message = format!(
                "provider `{}` does not speak `{}`, expected {}",
                provider.name,
                protocol.name(),
                spoken.join(" or ")
            );
            return Err(Problem::new(message).hint("leave the protocol out to speak the provider's own"));
        }
        let model = models::find(provider.name, name);
        let dialect = provider.dialect.unwrap_or_else(|| protocol.dialect());
        Ok(Self { provider, protocol, name: name.to_owned(), dialect, model })
    }

    /// The same for a server that holds the model to another subset of JSON Schema.
    #[must_use]
    pub fn with_dialect(mut self, dialect: Option<Dialect>) -> Self {
        self.dialect = dialect.unwrap_or(self.dialect);
        self
    }

    /// The model with its provider in front.
    pub fn path(&self) -> String {
        format!("{}/{}", self.provider.name, self.name)
    }

    /// The modes that there are, the best first.
    pub fn modes(&self) -> Vec<Mode> {
        let modes = self.provider.modes(self.protocol).unwrap_or_default().iter().copied();
        modes.filter(|mode| !self.model.is_some_and(|model| model.refuses(*mode))).collect()
    }

    /// The modes to try, the best first: the one wished for, or all there are.
    ///
    /// # Errors
    /// If the one wished for is known to be refused, with those that there are.
    pub fn chosen(&self, wished: Option<Mode>) -> Result<Vec<Mode>, Problem> {
        let modes = self.modes();
        let Some(wished) = wished else { return Ok(modes) };
        if modes.contains(&wished) {
            return Ok(vec![wished]);
        }
        let who = match self.model {
            Some(model) if model.refuses(wished) => format!("model `{}`", self.path()),
            Some(_) | None => format!("provider `{}`", self.provider.name),
        };
        let names: Vec<_> = modes.iter().map(|mode| format!("`{}`", mode.name())).collect();
        let message = format!(
            "{who} does not take mode `{}` ({}), expected {}",
            wished.name(),
            wished.phrase(),
            names.join(" or ")
        );
        Err(Problem::new(message).hint("leave the mode out to have the best that there is"))
    }

    /// The parameters that are sent: the provider's own fields and the user's, without what the model is known to refuse; and
    /// what became of the others, as sentences.
    pub fn fit(&self, wished: &Parameters) -> (Parameters, Vec<String>) {
        let mut parameters = wished.clone();
        let mut notes = Vec::new();
        let always = self.provider.always.iter().filter_map(|(name, value)| {
            Some(((*name).to_owned(), serde_json::from_str::<Value>(value).ok()?))
        });
        parameters.extra = always.chain(wished.extra.clone()).collect::<Map<_, _>>();
        let Some(model) = self.model else { return (parameters, notes) };
        if model.capabilities.sampling == Some(false) {
            for name in SAMPLING {
                let is_set = name == "temperature" && parameters.temperature.take().is_some();
                if parameters.extra.shift_remove(name).is_some() || is_set {
                    notes.push(format!("`{}` takes no `{name}`, so it is not sent", self.name));
                }
            }
        }
        if let (Some(limit), Some(most)) = (parameters.max_output_tokens, model.max_output_tokens)
            && limit > most
        {
            parameters.max_output_tokens = Some(most);
            notes.push(format!(
                "`{}` gives at most {most} tokens, so the output limit is {most} instead of {limit}",
                self.name
            ));
        }
        if model.only_responses && self.protocol == Protocol::OpenAiChat {
            notes.push(format!(
                "`{}` is known to be served by protocol `responses` only, and is asked by `chat`",
                self.name
            ));
        }
        (parameters, notes)
    }
}

#[cfg(test)]
mod tests;
