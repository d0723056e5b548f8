//! A request that is rejected for its content. Each provider words the rejection.

/// Why a request itself is rejected, in the provider's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// The HTTP status, nearly always 400.
    pub(crate) status: u16,
    pub(crate) message: String,
    /// The parameter at fault, where the provider names it separately.
    pub(crate) param: Option<String>,
    pub(crate) code: Option<&'static str>,
}

impl Invalid {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { status: 400, message: message.into(), param: None, code: None }
    }

    pub(crate) fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self { code: Some(code), ..self }
    }
}
