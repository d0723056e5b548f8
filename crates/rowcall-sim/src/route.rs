//! What a path requests. Clients give base URLs with and without `/v1`, so it may appear twice or not at all.

use http::{Method, Uri};

use crate::form::GeminiForm;
use crate::gemini::Target;
use crate::protocol::Service;

/// What is requested.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// An answer of a model.
    Answer(Service),
    /// The number of tokens in a prompt.
    Count(Service),
    Models,
    Stats,
    Reset,
    Health,
}

impl Route {
    /// What `uri` requests, if it exists.
    pub(crate) fn of(uri: &Uri) -> Option<Self> {
        let (_, path) = below_provider(uri.path());
        if let Some((service, method)) = gemini(path, uri.query().unwrap_or_default()) {
            return match method {
                "countTokens" => Some(Self::Count(service)),
                "generateContent" | "streamGenerateContent" => Some(Self::Answer(service)),
                _ => None,
            };
        }
        let path = below(path, "/v1");
        match path {
            "/chat/completions" => Some(Self::Answer(Service::Chat)),
            "/responses" => Some(Self::Answer(Service::Responses)),
            "/responses/input_tokens" => Some(Self::Count(Service::Responses)),
            "/models" => Some(Self::Models),
            "/stats" => Some(Self::Stats),
            "/reset" => Some(Self::Reset),
            "/health" | "/" => Some(Self::Health),
            _ => match below(path, "/v1") {
                "/messages" => Some(Self::Answer(Service::Messages)),
                "/messages/count_tokens" => Some(Self::Count(Service::Messages)),
                _ => None,
            },
        }
    }

    /// The HTTP method for it.
    pub(crate) fn method(&self) -> Method {
        match self {
            Self::Answer(_) | Self::Count(_) | Self::Reset => Method::POST,
            Self::Models | Self::Stats | Self::Health => Method::GET,
        }
    }
}

/// The providers that stand in front of a path where they differ from OpenAI, or where their clients add it themselves, as Groq's does.
const PROVIDERS: [&str; 3] = ["mistral", "openai", "together"];

/// The provider that stands in front of `path`, if one does, and the rest.
pub(crate) fn below_provider(path: &str) -> (Option<&'static str>, &str) {
    let found = PROVIDERS.into_iter().find_map(|provider| {
        let rest = path.strip_prefix('/')?.strip_prefix(provider)?;
        rest.starts_with('/').then_some((Some(provider), rest))
    });
    found.unwrap_or((None, path))
}

/// The rest of `path` after `base`, or all of it if `base` is not there.
fn below<'p>(path: &'p str, base: &str) -> &'p str {
    path.strip_prefix(base).filter(|rest| rest.starts_with('/')).unwrap_or(path)
}

/// `/v1beta/models/gemini-3.8-flash:generateContent?alt=sse`, also below a base URL that ends in `/v1`, as the model and
/// the form of the answer, and the method.
fn gemini<'p>(path: &'p str, query: &str) -> Option<(Service, &'p str)> {
    let path = below(path, "/v1");
    let path = match below(path, "/v1beta") {
        same if same == path => below(path, "/v1"),
        rest => rest,
    };
    let (model, method) = path.strip_prefix("/models/")?.split_once(':')?;
    let parameter = |name: &str| query.split('&').find_map(|each| each.strip_prefix(name)?.strip_prefix('='));
    let form = match (method, parameter("alt")) {
        ("streamGenerateContent", Some("sse")) => GeminiForm::Events,
        ("streamGenerateContent", _) => GeminiForm::Array,
        _ => GeminiForm::Whole,
    };
    let target = Target { model: model.to_owned(), form, key: parameter("key").map(str::to_owned) };
    (!model.is_empty() && !model.contains('/')).then_some((Service::Gemini(target), method))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(path: &str) -> Option<Route> {
        Route::of(&path.parse().unwrap())
    }

    #[test]
    fn paths_are_routed_as_at_the_providers_with_and_without_the_version() {
        let cases = [
            ("/v1/chat/completions", Some(Route::Answer(Service::Chat))),
            ("/chat/completions?x=1", Some(Route::Answer(Service::Chat))),
            ("/v1/responses", Some(Route::Answer(Service::Responses))),
            ("/v1/responses/input_tokens", Some(Route::Count(Service::Responses))),
            ("/v1/responses/resp_1", None),
            ("/v1/messages", Some(Route::Answer(Service::Messages))),
            ("/v1/v1/messages", Some(Route::Answer(Service::Messages))),
            ("/messages", Some(Route::Answer(Service::Messages))),
            ("/v1/messages/count_tokens", Some(Route::Count(Service::Messages))),
            ("/v1/v1/chat/completions", None),
            ("/together/v1/chat/completions", Some(Route::Answer(Service::Chat))),
            ("/openai/v1/responses", Some(Route::Answer(Service::Responses))),
            ("/togetherness/v1/responses", None),
            ("/v1/models", Some(Route::Models)),
            ("/", Some(Route::Health)),
            ("/v1", None),
        ];
        for (path, expected) in cases {
            assert_eq!(route(path), expected, "{path}");
        }
    }

    #[test]
    fn gemini_paths_contain_the_model_and_the_form() {
        let service = |form, key: Option<&str>| {
            let key = key.map(str::to_owned);
            Service::Gemini(Target { model: "gemini-3.8-flash".to_owned(), form, key })
        };
        for base in ["", "/v1", "/v1beta", "/v1/v1", "/v1/v1beta"] {
            let at = |method: &str| route(&format!("{base}/models/gemini-3.8-flash:{method}"));
            assert_eq!(
                at("generateContent"),
                Some(Route::Answer(service(GeminiForm::Whole, None))),
                "{base}"
            );
            let stream = at("streamGenerateContent?key=k&alt=sse");
            assert_eq!(stream, Some(Route::Answer(service(GeminiForm::Events, Some("k")))), "{base}");
            assert_eq!(at("streamGenerateContent"), Some(Route::Answer(service(GeminiForm::Array, None))));
            assert_eq!(at("countTokens"), Some(Route::Count(service(GeminiForm::Whole, None))));
            assert_eq!(at("embedContent"), None);
        }
        assert_eq!(route("/v1beta/models/:generateContent"), None);
        assert_eq!(route("/v2/models/gemini:generateContent"), None);
    }
}
