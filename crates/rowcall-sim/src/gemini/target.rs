//! What stands in the path and the query of a call of Gemini: the model, the form of the answer, perhaps the key.

use crate::form::GeminiForm;

/// Whom a call asks, and how it wants the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) model: String,
    pub(crate) form: GeminiForm,
    /// The query's `key`.
    pub(crate) key: Option<String>,
}
