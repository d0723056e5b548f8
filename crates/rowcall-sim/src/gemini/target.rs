//! The path and the query of a Gemini call: the model, the form of the answer, perhaps the key.

use crate::form::GeminiForm;

/// The model of a call, and the form of answer it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) model: String,
    pub(crate) form: GeminiForm,
    /// The query's `key`.
    pub(crate) key: Option<String>,
}
