//! The ways to request a schema. A scenario may say that the server supports only some.

use serde::Deserialize;

/// How a schema may be requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Through the provider's own field for a schema.
    JsonSchema,
    /// As the parameters of a tool.
    Tool,
    /// Any JSON is requested; the schema is in the prompt.
    JsonObject,
    /// Only in the prompt's words, which a server cannot distinguish from other words.
    Prompt,
}
