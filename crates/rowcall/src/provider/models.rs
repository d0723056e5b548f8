//! Known models: their limits and capabilities, from a dated table that is compiled in. Unknown values are `None`, never 0 and
//! never a guess. Servers' capabilities are in the catalog, prices in `price.rs`.

use super::Mode;

/// The attribution of the table's sources.
pub const SOURCE: &str = "LiteLLM's model_prices_and_context_window.json (MIT, © 2023 Berri AI) and genai-prices \
     (MIT, © Pydantic Services Inc.)";

/// What is known about a model, apart from its price ([`Prices::find`](crate::Prices::find)).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Model {
    /// The catalog's name for its provider.
    pub provider: &'static str,
    /// Its name as the provider's server knows it.
    pub name: &'static str,
    /// The maximum number of tokens in a prompt.
    pub max_input_tokens: Option<u32>,
    /// The maximum number of tokens in an answer, including reasoning.
    pub max_output_tokens: Option<u32>,
    /// The day on which it is shut down, for example `2026-12-11`.
    pub retires_on: Option<&'static str>,
    /// Whether the provider serves it only through Responses, not through Chat Completions.
    pub only_responses: bool,
    /// Its capabilities.
    pub capabilities: Capabilities,
}

/// What a model is known to support or to reject; `None` is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Capabilities {
    /// The provider's own structured output.
    pub schema: Option<bool>,
    /// Tools at all.
    pub tool: Option<bool>,
    /// A forced tool call.
    pub forced_tool: Option<bool>,
    /// Sampling parameters such as the temperature.
    pub sampling: Option<bool>,
    /// Images.
    pub vision: Option<bool>,
    /// PDFs.
    pub pdf: Option<bool>,
}

impl Model {
    /// Whether the model is known to reject a mode.
    pub fn refuses(&self, mode: Mode) -> bool {
        match mode {
            Mode::Schema => self.capabilities.schema == Some(false),
            Mode::Tool => self.capabilities.forced_tool == Some(false),
            Mode::Json | Mode::Prompt => false,
        }
    }
}

/// Finds a model by the catalog's name for its provider and its own name. A dated name is not the same as the undated one.
pub fn find(provider: &str, name: &str) -> Option<&'static Model> {
    let position = MODELS.binary_search_by_key(&(provider, name), |model| (model.provider, model.name));
    MODELS.get(position.ok()?)
}

/// All known models of a provider, sorted by name.
pub fn of(provider: &str) -> &'static [Model] {
    let from = MODELS.partition_point(|model| model.provider < provider);
    let to = MODELS.partition_point(|model| model.provider <= provider);
    MODELS.get(from..to).unwrap_or_default()
}

include!(concat!(env!("OUT_DIR"), "/models.rs"));

#[cfg(test)]
mod tests;
