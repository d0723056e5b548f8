//! What is known about models: their limits and what they can, from a dated table that is compiled in. What is not known is
//! `None`, never 0 and never a guess; what a provider's server can is the catalog's business, prices are that of `price.rs`.

use super::Mode;

/// Where the table is from, as it wants to be named.
pub const SOURCE: &str = "LiteLLM's model_prices_and_context_window.json (MIT, © 2023 Berri AI) and genai-prices \
     (MIT, © Pydantic Services Inc.)";

/// What is known about a model, beside its price ([`Prices::find`](crate::Prices::find)).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// The catalog's name of its provider.
    pub provider: &'static str,
    /// Its name as the provider's server knows it.
    pub name: &'static str,
    /// The most tokens that a prompt may have.
    pub max_input_tokens: Option<u32>,
    /// The most tokens that an answer may have, reasoning included.
    pub max_output_tokens: Option<u32>,
    /// The day on which it is shut down, as `2026-12-11`.
    pub retires_on: Option<&'static str>,
    /// Whether the provider serves it by Responses alone, not by Chat Completions.
    pub only_responses: bool,
    /// What it can.
    pub capabilities: Capabilities,
}

/// What a model is known to can and to refuse; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// The provider's own structured output.
    pub schema: Option<bool>,
    /// Tools at all.
    pub tool: Option<bool>,
    /// A tool that it must call.
    pub forced_tool: Option<bool>,
    /// Temperature and the like.
    pub sampling: Option<bool>,
    /// Images.
    pub vision: Option<bool>,
    /// PDFs.
    pub pdf: Option<bool>,
}

impl Model {
    /// Whether it is known to refuse a mode.
    pub fn refuses(&self, mode: Mode) -> bool {
        match mode {
            Mode::Schema => self.capabilities.schema == Some(false),
            Mode::Tool => self.capabilities.forced_tool == Some(false),
            Mode::Json | Mode::Prompt => false,
        }
    }
}

/// The model of this name at this provider, by the catalog's name. A name with a date is another one than the name without.
pub fn find(provider: &str, name: &str) -> Option<&'static Model> {
    let place = MODELS.binary_search_by_key(&(provider, name), |model| (model.provider, model.name));
    MODELS.get(place.ok()?)
}

/// All models of a provider that are known, by name.
pub fn of(provider: &str) -> &'static [Model] {
    let from = MODELS.partition_point(|model| model.provider < provider);
    let to = MODELS.partition_point(|model| model.provider <= provider);
    MODELS.get(from..to).unwrap_or_default()
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

#[cfg(test)]
mod tests;
