//! The providers we know, as data: where they are, which variable holds the key, which protocol they speak and where
//! they deviate. What is not here is reached as any OpenAI-compatible server: `openai/NAME` with a base URL.

use super::{Protocol, Quirks};
use crate::error::{Problem, did_you_mean};

/// One provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Provider {
    /// The word before the slash in `openai/gpt-6-luna`.
    pub name: &'static str,
    /// Where it is, unless the user says otherwise; `None` if the user must say.
    pub base_url: Option<&'static str>,
    /// The environment variable for another base URL, if its users have one.
    pub base_url_variable: Option<&'static str>,
    /// What is known about its key.
    pub key: Key,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// Its deviations at its own address.
    pub quirks: Quirks,
}

/// What is known about a provider's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Nothing is sent without the key in this environment variable.
    Required(&'static str),
    /// The key in this environment variable is sent if there is one.
    Optional(&'static str),
    /// There is no key.
    None,
}

impl Key {
    /// The environment variable, if there is a key at all.
    pub fn variable(self) -> Option<&'static str> {
        match self {
            Self::Required(variable) | Self::Optional(variable) => Some(variable),
            Self::None => None,
        }
    }
}

impl Provider {
    /// The deviations to expect at a base URL. Only OpenAI's own hosts take its newest names; whatever else speaks its
    /// protocol is a compatible server, whichever provider's name it was given under.
    pub fn quirks_at(&self, base_url: &str) -> Quirks {
        let host = base_url.split("://").nth(1).unwrap_or(base_url).split(['/', ':']).next().unwrap_or("");
        match self.protocol {
            Protocol::OpenAiChat if host == "api.openai.com" || host.ends_with(".api.openai.com") => OPENAI,
            Protocol::OpenAiChat => COMPATIBLE,
            Protocol::Anthropic => self.quirks,
        }
    }
}

const OPENAI: Quirks = Quirks { output_limit_field: "max_completion_tokens", system_role: "developer" };

const COMPATIBLE: Quirks = Quirks { output_limit_field: "max_tokens", system_role: "system" };

/// Base URLs and key variables as the official SDKs and the servers' own documentation have them.
const PROVIDERS: &[Provider] = &[
    Provider {
        name: "openai",
        base_url: Some("https://api.openai.com/v1"),
        base_url_variable: Some("OPENAI_BASE_URL"),
        key: Key::Required("OPENAI_API_KEY"),
        protocol: Protocol::OpenAiChat,
        quirks: OPENAI,
    },
    Provider {
        name: "anthropic",
        base_url: Some("https://api.anthropic.com"),
        base_url_variable: Some("ANTHROPIC_BASE_URL"),
        key: Key::Required("ANTHROPIC_API_KEY"),
        protocol: Protocol::Anthropic,
        quirks: Quirks { output_limit_field: "max_tokens", system_role: "system" },
    },
    Provider {
        name: "ollama",
        base_url: Some("http://localhost:11434/v1"),
        base_url_variable: None,
        key: Key::Optional("OLLAMA_API_KEY"),
        protocol: Protocol::OpenAiChat,
        quirks: COMPATIBLE,
    },
    Provider {
        name: "vllm",
        base_url: Some("http://localhost:8000/v1"),
        base_url_variable: None,
        key: Key::Optional("VLLM_API_KEY"),
        protocol: Protocol::OpenAiChat,
        quirks: COMPATIBLE,
    },
    Provider {
        name: "sim",
        base_url: None,
        base_url_variable: None,
        key: Key::None,
        protocol: Protocol::OpenAiChat,
        quirks: COMPATIBLE,
    },
];

/// The provider and the model's name in `PROVIDER/MODEL`; a provider alone stands for a model of its own name.
///
/// # Errors
/// If the provider is unknown, with the nearest known name, or the model's name is empty.
pub fn find(model: &str) -> Result<(&'static Provider, &str), Problem> {
    let (name, rest) = model.split_once('/').unwrap_or((model, model));
    let Some(provider) = PROVIDERS.iter().find(|provider| provider.name == name) else {
        let known: Vec<_> = PROVIDERS.iter().map(|provider| provider.name).collect();
        let hint = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
            "for any other OpenAI-compatible server write `openai/NAME` and give its base URL".to_owned()
        });
        let message = format!("unknown provider `{name}` in model `{model}` (known: {})", known.join(", "));
        return Err(Problem::new(message).hint(hint));
    };
    if rest.is_empty() || (!model.contains('/') && provider.name != "sim") {
        return Err(Problem::new(format!("no model is named in `{model}`, expected `PROVIDER/MODEL`"))
            .hint(format!("for example `{name}/gpt-6-luna`")));
    }
    Ok((provider, rest))
}
