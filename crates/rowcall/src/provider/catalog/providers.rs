//! The table of providers. Base URLs and key variables follow the official SDKs, or the documentation of local servers; everything
//! else in an entry has its source in a comment.

use super::{Address, Key, Provider};
use crate::provider::Mode::{Json, Prompt, Schema, Tool};
use crate::provider::Protocol::{Anthropic, Gemini, OpenAiChat, OpenAiResponses};
use crate::provider::{KeyHeader, Mode, Quirks};
use crate::schema::Dialect;

/// OpenAI's API reference: `max_tokens` is deprecated and rejected for current models, `developer` replaces `system`.
pub(super) const OPENAI: Quirks = Quirks {
    output_limit_field: "max_completion_tokens",
    system_role: "developer",
    no_capacity_status: None,
};

/// The names that every server of Chat Completions knows.
pub(super) const COMPATIBLE: Quirks =
    Quirks { output_limit_field: "max_tokens", system_role: "system", no_capacity_status: None };

/// Every mode, the most reliable first.
const ALL: &[Mode] = &[Schema, Tool, Json, Prompt];

/// A server of Chat Completions with all of OpenAI's features, under the names that every server knows.
const fn compatible(name: &'static str, address: Address, key: Key) -> Provider {
    Provider {
        name,
        aliases: &[],
        address,
        base_url_variable: None,
        api_path: "",
        key,
        key_header: None,
        speaks: &[(OpenAiChat, ALL)],
        quirks: COMPATIBLE,
        dialect: None,
        always: &[],
        has_tier_setting: false,
    }
}

pub(super) const PROVIDERS: &[Provider] = &[
    Provider {
        base_url_variable: Some("OPENAI_BASE_URL"),
        speaks: &[(OpenAiChat, ALL), (OpenAiResponses, ALL)],
        quirks: OPENAI,
        // API reference, `service_tier`: without one, the tier is that of the project's settings.
        has_tier_setting: true,
        ..compatible("openai", Address::At("https://api.openai.com/v1"), Key::Required(&["OPENAI_API_KEY"]))
    },
    // Microsoft's documentation: `{endpoint}/openai/v1` needs no `api-version`, the model is the deployment's name. Roles and
    // fields are OpenAI's, but not every model deployed there knows `developer`.
    Provider {
        base_url_variable: Some("AZURE_OPENAI_ENDPOINT"),
        api_path: "/openai/v1",
        key_header: Some(KeyHeader::Named("api-key")),
        speaks: &[(OpenAiChat, ALL), (OpenAiResponses, ALL)],
        quirks: Quirks { output_limit_field: "max_completion_tokens", ..COMPATIBLE },
        // Microsoft's documentation of priority processing: without `service_tier`, the tier is that of the deployment.
        has_tier_setting: true,
        ..compatible(
            "azure",
            Address::Own { example: "https://RESOURCE.openai.azure.com" },
            Key::Required(&["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"]),
        )
    },
    // Anthropic's API has no mode that only guarantees JSON.
    Provider {
        base_url_variable: Some("ANTHROPIC_BASE_URL"),
        speaks: &[(Anthropic, &[Schema, Tool, Prompt])],
        ..compatible(
            "anthropic",
            Address::At("https://api.anthropic.com"),
            Key::Required(&["ANTHROPIC_API_KEY"]),
        )
    },
    // Google's SDK prefers `GOOGLE_API_KEY` where both are set.
    Provider {
        aliases: &["gemini"],
        base_url_variable: Some("GOOGLE_GEMINI_BASE_URL"),
        speaks: &[(Gemini, ALL)],
        ..compatible(
            "google",
            Address::At("https://generativelanguage.googleapis.com"),
            Key::Required(&["GOOGLE_API_KEY", "GEMINI_API_KEY"]),
        )
    },
    // Mistral's SDK has `json_schema` with `strict`, and a named tool as `tool_choice`.
    compatible("mistral", Address::At("https://api.mistral.ai/v1"), Key::Required(&["MISTRAL_API_KEY"])),
    // The SDK's base URL has no path. Only some models support structured output by schema. The limits, which the headers show, are
    // per day for requests and per minute for tokens. The documentation of errors: 498, elsewhere a bad token, means that there is
    // no capacity at the flexible price.
    Provider {
        base_url_variable: Some("GROQ_BASE_URL"),
        api_path: "/openai/v1",
        quirks: Quirks { no_capacity_status: Some(498), ..COMPATIBLE },
        ..compatible("groq", Address::At("https://api.groq.com/openai/v1"), Key::Required(&["GROQ_API_KEY"]))
    },
    // DeepSeek's documentation of Chat Completions has only `text` and `json_object`, and the server rejects `json_schema` ("This
    // response_format type is unavailable now", seen in July 2026).
    Provider {
        base_url_variable: Some("DEEPSEEK_API_BASE"),
        speaks: &[(OpenAiChat, &[Json, Tool, Prompt])],
        ..compatible(
            "deepseek",
            Address::At("https://api.deepseek.com"),
            Key::Required(&["DEEPSEEK_API_KEY"]),
        )
    },
    compatible("together", Address::At("https://api.together.ai/v1"), Key::Required(&["TOGETHER_API_KEY"])),
    compatible(
        "fireworks",
        Address::At("https://api.fireworks.ai/inference/v1"),
        Key::Required(&["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"]),
    ),
    // OpenRouter's documentation: without this field, a request may be routed to a provider that ignores unknown fields, such as
    // a schema.
    Provider {
        speaks: &[(OpenAiChat, ALL), (OpenAiResponses, ALL)],
        always: &[("provider", r#"{"require_parameters":true}"#)],
        ..compatible(
            "openrouter",
            Address::At("https://openrouter.ai/api/v1"),
            Key::Required(&["OPENROUTER_API_KEY"]),
        )
    },
    compatible("cerebras", Address::At("https://api.cerebras.ai/v1"), Key::Required(&["CEREBRAS_API_KEY"])),
    compatible("xai", Address::At("https://api.x.ai/v1"), Key::Required(&["XAI_API_KEY"])),
    // Perplexity's documentation: structured output is by `json_schema` only, and users cannot define tools.
    Provider {
        speaks: &[(OpenAiChat, &[Schema, Prompt])],
        ..compatible(
            "perplexity",
            Address::At("https://api.perplexity.ai"),
            Key::Required(&["PERPLEXITY_API_KEY"]),
        )
    },
    // AWS's documentation recommends this endpoint for OpenAI's protocols; variables as in OpenAI's SDK.
    Provider {
        base_url_variable: Some("AWS_BEDROCK_BASE_URL"),
        api_path: "/openai/v1",
        speaks: &[(OpenAiChat, ALL), (OpenAiResponses, ALL)],
        ..compatible(
            "bedrock",
            Address::Regional {
                url: "https://bedrock-runtime.{region}.amazonaws.com/openai/v1",
                region: &["AWS_REGION", "AWS_DEFAULT_REGION"],
            },
            Key::Required(&["AWS_BEARER_TOKEN_BEDROCK"]),
        )
    },
    // Ollama's source: `/v1` enforces `json_schema` with a grammar and ignores `tool_choice`.
    Provider {
        api_path: "/v1",
        speaks: &[(OpenAiChat, &[Schema, Json, Prompt])],
        dialect: Some(Dialect::Ollama),
        ..compatible(
            "ollama",
            Address::Local { url: "http://localhost:11434/v1", host: "OLLAMA_HOST" },
            Key::Optional(&["OLLAMA_API_KEY"]),
        )
    },
    Provider {
        api_path: "/v1",
        speaks: &[(OpenAiChat, ALL), (OpenAiResponses, ALL)],
        dialect: Some(Dialect::Xgrammar),
        ..compatible("vllm", Address::At("http://localhost:8000/v1"), Key::Optional(&["VLLM_API_KEY"]))
    },
    // Its documentation: port 30000, and `--api-key` for a key.
    Provider {
        api_path: "/v1",
        dialect: Some(Dialect::Sglang),
        ..compatible("sglang", Address::At("http://localhost:30000/v1"), Key::Optional(&["SGLANG_API_KEY"]))
    },
    // Measured: `tool_choice` as an object counts as `auto`, and the formats of Responses and Messages are ignored.
    Provider {
        aliases: &["llamacpp", "llama-cpp"],
        api_path: "/v1",
        speaks: &[
            (OpenAiChat, &[Schema, Json, Prompt]),
            (OpenAiResponses, &[Prompt]),
            (Anthropic, &[Prompt]),
        ],
        dialect: Some(Dialect::LlamaCpp),
        ..compatible("llama.cpp", Address::At("http://127.0.0.1:8080/v1"), Key::Optional(&["LLAMA_API_KEY"]))
    },
    // LM Studio's server says that `response_format.type` must be `json_schema` or `text` and `tool_choice` a string.
    Provider {
        aliases: &["lm-studio"],
        api_path: "/v1",
        speaks: &[(OpenAiChat, &[Schema, Prompt])],
        dialect: Some(Dialect::LlamaCpp),
        ..compatible("lmstudio", Address::At("http://localhost:1234/v1"), Key::Optional(&["LM_API_TOKEN"]))
    },
    // Our own simulator supports all four.
    Provider {
        speaks: &[
            (OpenAiChat, ALL),
            (OpenAiResponses, ALL),
            (Anthropic, &[Schema, Tool, Prompt]),
            (Gemini, ALL),
        ],
        ..compatible("sim", Address::Own { example: "http://127.0.0.1:PORT/v1" }, Key::None)
    },
];
