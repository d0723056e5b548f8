//! The four protocols behind one interface: reads a call into an ask, writes an answer in the call's form, reports
//! errors in the provider's words. Each protocol has its own module.

use std::time::Duration;

use http::HeaderMap;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::ask::wanted::Wanted;
use crate::chance::hash;
use crate::complaint::Complaint;
use crate::envelope::Envelope;
use crate::form::Form;
use crate::gemini::Target;
use crate::invalid::Invalid;
use crate::quota::Headers;
use crate::reply::Reply;
use crate::rules::Rules;
use crate::trouble::{Asked, Trouble};
use crate::written::Written;
use crate::{chat, gemini, messages, openai, responses};

/// The protocol of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// OpenAI's Chat Completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's Messages.
    Messages,
    /// Gemini's generateContent; the model and the form of the answer are in the path.
    Gemini(Target),
}

/// A request to a model as it arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'c> {
    pub(crate) service: &'c Service,
    pub(crate) headers: &'c HeaderMap,
    pub(crate) body: &'c [u8],
}

impl Call<'_> {
    /// A hash that identifies equal requests.
    pub(crate) fn hash(self) -> u64 {
        let path = match self.service {
            Service::Chat | Service::Responses | Service::Messages => 0,
            Service::Gemini(target) => hash(1, target.model.as_bytes()),
        };
        hash(path, self.body)
    }

    /// What is asked, or why the request is rejected.
    pub(crate) fn decode(self, rules: Rules<'_>) -> Result<Ask, Invalid> {
        match self.service {
            Service::Chat => chat::decode(self.body, rules),
            Service::Responses => responses::decode(self.body, rules),
            Service::Messages => messages::decode(self.headers, self.body, rules),
            Service::Gemini(target) => gemini::decode(target, self.body, rules),
        }
    }

    /// The number of tokens in a prompt, as the provider's own endpoint reports it.
    pub(crate) fn count(self, rules: Rules<'_>) -> Result<Written, Invalid> {
        match self.service {
            Service::Chat => Err(Invalid::new("Chat Completions does not count tokens.")),
            Service::Responses => responses::count(self.body, rules),
            Service::Messages => messages::count(self.headers, self.body, rules),
            Service::Gemini(target) => gemini::count(target, self.body, rules),
        }
    }
}

impl Service {
    /// The rejection of a schema for which no value was found.
    pub(crate) fn no_value(&self, wanted: &Wanted, complaint: &Complaint) -> Invalid {
        match self {
            Self::Chat => openai::no_value(wanted, complaint, "response_format"),
            Self::Responses => openai::no_value(wanted, complaint, "text.format.schema"),
            Self::Messages => messages::no_value(wanted, complaint),
            Self::Gemini(_) => gemini::no_value(wanted, complaint),
        }
    }

    /// The key that the caller sends.
    pub(crate) fn key(&self, headers: &HeaderMap) -> Option<String> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = header("authorization").map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        let key = match self {
            Self::Chat | Self::Responses => bearer,
            Self::Messages => header("x-api-key").or(bearer),
            Self::Gemini(target) => header("x-goog-api-key").or(target.key.as_deref()).or(bearer),
        };
        key.map(str::to_owned)
    }

    /// The error for `trouble`.
    pub(crate) fn error(&self, trouble: Trouble<'_>, asked: Asked<'_>) -> Reply {
        match self {
            Self::Chat | Self::Responses => openai::error::reply(trouble, asked.model),
            Self::Messages => messages::error::reply(trouble, asked),
            Self::Gemini(target) => gemini::error::reply(trouble, asked.model, target.form),
        }
    }

    /// The request's id in the provider's header, and the other headers of every answer.
    pub(crate) fn headers(&self, id: &str, processing: Duration) -> Vec<(&'static str, String)> {
        let milliseconds = processing.as_millis();
        match self {
            Self::Chat | Self::Responses => vec![
                ("x-request-id", id.to_owned()),
                ("openai-version", "2020-10-01".to_owned()),
                ("openai-processing-ms", milliseconds.to_string()),
            ],
            Self::Messages => {
                vec![("request-id", id.to_owned()), ("anthropic-organization-id", "org-simulated".to_owned())]
            }
            Self::Gemini(_) => vec![("server-timing", format!("gfet4t7; dur={milliseconds}"))],
        }
    }

    /// The headers in which the provider reports an account's limits.
    pub(crate) fn limit_headers(&self) -> Headers {
        match self {
            Self::Chat | Self::Responses => Headers::Openai,
            Self::Messages => Headers::Anthropic,
            Self::Gemini(_) => Headers::None,
        }
    }
}

/// The answer in the form that `ask` wants.
pub(crate) fn write(envelope: Envelope, ask: &Ask, answer: &Answer) -> Written {
    match &ask.form {
        Form::Chat(form) => chat::write(envelope, ask, *form, answer),
        Form::Responses(form) => responses::write(envelope, ask, form, answer),
        Form::Messages(form) => messages::write(envelope, ask, *form, answer),
        Form::Gemini(form) => gemini::write(envelope, ask, *form, answer),
    }
}

/// An error with status 200, instead of the answer or in the middle of its stream.
pub(crate) fn write_failing(envelope: Envelope, ask: &Ask, answer: &Answer, id: &str) -> Written {
    let written = write(envelope, ask, answer);
    match &ask.form {
        Form::Chat(_) => {
            let error = openai::error::upstream();
            written.failing(&error, |_| format!("data: {error}\n\n"))
        }
        Form::Responses(form) => {
            let failed = responses::failed(envelope, ask, form);
            written.failing(&failed, responses::failure_frame)
        }
        Form::Messages(_) => {
            let error = messages::error::upstream(id);
            written.failing(&error, |_| format!("event: error\ndata: {error}\n\n"))
        }
        Form::Gemini(form) => {
            let error = gemini::error::upstream();
            written.failing(&error, |_| gemini::last_frame(*form, &error))
        }
    }
}

#[cfg(test)]
mod tests;
