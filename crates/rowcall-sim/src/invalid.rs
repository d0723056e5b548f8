//! A request that is refused for what it is. How that is worded is each provider's matter.

/// Why a request is answered with an error of its own making, in the provider's words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Invalid {
    /// The HTTP status, nearly always 400.
    pub(crate) status: u16,
    pub(crate) message: String,
    /// The parameter at fault, where the provider names it apart.
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
