//! The ways to ask for a schema, of which a scenario may say that the server knows only some.

use serde::Deserialize;

/// How a schema may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// By the provider's own field for a schema.
    JsonSchema,
    /// As the parameters of a tool.
    Tool,
    /// JSON of any kind is asked for; the schema stands in the prompt.
    JsonObject,
    /// In the prompt's words only, which no server can tell from other words.
    Prompt,
}
