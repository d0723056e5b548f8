//! The wording of errors that have no code: about the schema, a prompt's length, the model, the key or the address. The phrases of
//! vLLM, SGLang, llama.cpp, Ollama, LM Studio, Anthropic, Gemini and gateways, as data. How to react is decided elsewhere.

/// Phrases about a schema, or the grammar compiled from it, in lower case.
const SCHEMA: &[&str] = &[
    // OpenAI, Groq, Fireworks, Mistral.
    "invalid schema",
    "invalid json schema",
    "invalid json_schema",
    "invalid jsonschema",
    // vLLM with xgrammar, llguidance, outlines.
    "grammar error",
    "invalid grammar",
    "json schema into a grammar",
    "schema contains features not supported",
    "not supported by xgrammar",
    "not supported by outlines",
    "not supported by llguidance",
    "unimplemented keys",
    "unsatisfiable schema",
    // The same for backends that enforce no schema at all, not even through tools.
    "guided decoding",
    "guided generation",
    "guided_json",
    "constrained decoding",
    // SGLang.
    "failed to compile json grammar",
    "failed to compile grammar",
    // llama.cpp, also behind Ollama, LM Studio and LiteLLM.
    "failed to parse grammar",
    "error parsing grammar",
    "failed to initialize samplers",
    "failed to initialize sampler",
    "json schema conversion failed",
    "unrecognized schema",
    "unable to generate parser for this template",
    "grammar stack",
    "unsupported $ref",
    "unsupported ref",
    "error resolving ref",
    // Ollama.
    "invalid format: expected",
    "required for format",
    "invalid json schema in format",
    // Anthropic.
    "grammar compilation",
    "too complex for compilation",
    "schema is too complex",
    "values other than 0 or 1",
    "schemas contain",
    "property keys should match",
    // Gemini.
    "too many states",
];

/// Words for the schema or the grammar.
const SUBJECTS: &[&str] = &["schema", "grammar"];

/// Words that reject it.
const REFUSED: &[&str] = &[
    "invalid",
    "unsupported",
    "not support",
    "not valid",
    "not allowed",
    "not permitted",
    "failed",
    "cannot",
    "could not",
    "unable to",
    "too complex",
    "too deep",
    "too large",
    "too many",
];

/// Words for compiling the schema, which only the server does, never the model.
const COMPILING: &[&str] = &["compil"];

/// Words for a compilation that failed.
const COMPILATION_FAILED: &[&str] = &[
    "fail",
    "timed out",
    "timeout",
    "too long",
    "error",
    "exception",
    "cannot",
    "could not",
    "unable to",
    "not able to",
];

/// Phrases about an answer that violates the schema, which is a different problem.
const OF_ANSWER: &[&str] = &[
    "not match",
    "returned an invalid response",
    "failed to generate",
    "validation failed",
    "failed to validate",
    "jsonschemavalidationerror",
];

/// Phrases about a single answer that left the grammar, which another answer may not do: llama.cpp, vLLM, SGLang.
const ONE_ANSWER: &[&str] = &[
    "grammar stack",
    "failed to advance",
    "failed to accept token",
    "rejected by the grammar",
    "not accepted by the grammar",
];

/// How far into a message the general rule looks, in characters: some servers append the request.
const BEGINNING: usize = 300;

/// Keywords of JSON Schema that are not also names of request fields.
const KEYWORDS: &[&str] = &[
    "$schema",
    "$defs",
    "$ref",
    "$id",
    "additionalProperties",
    "additional_properties",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minLength",
    "maxLength",
    "minProperties",
    "maxProperties",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "anyOf",
    "oneOf",
    "allOf",
    "const",
    "enum",
    "pattern",
    "unevaluatedProperties",
];

/// Phrases about a prompt that is too long, in lower case.
const LENGTH: &[&str] = &[
    // vLLM, Mistral, SGLang, Together, OpenAI-like servers in general.
    "maximum model length",
    "exceeds the maximum allowed length",
    "maximum allowed number of input tokens",
    // LiteLLM and gateways in general.
    "context window",
    "exceed context limit",
    "contextwindowexceeded",
    // TGI: "`inputs` tokens + `max_new_tokens` must be <= 4096".
    "`inputs` tokens + `max_new_tokens` must be",
    "`inputs` must have less than",
    // Anthropic, Bedrock, Zhipu, Moonshot, MiniMax, Groq and Cerebras.
    "prompt is too long",
    "input is too long",
    "prompt exceeds max length",
    "exceeded model token limit",
    "reduce the length of the messages",
];

/// Words for the length of a prompt.
const LENGTHS: &[&str] = &[
    "context length",
    "context size",
    "context window",
    "prompt length",
    "prompt tokens",
    "tokens in the prompt",
    "input length",
    "input token",
    "length of the input",
    "length of the prompt",
];

/// Words for a length that is too great.
const TOO_MUCH: &[&str] = &[
    "exceed",
    "too long",
    "too large",
    "longer than",
    "larger than",
    "greater than",
    "more than",
    "overflow",
    "not enough",
    "maximum",
    "only ",
    "limit",
    "should be",
    "must be",
    "available",
    "reduce",
];

/// Phrases about a model that is not served, in lower case: DeepSeek, LiteLLM, Mistral, Perplexity, OpenRouter, Bedrock,
/// Hugging Face, Groq, Azure.
const MODEL: &[&str] = &[
    "model not exist",
    "invalid model",
    "unknown model",
    "no such model",
    "not a valid model",
    "model identifier is invalid",
    "is not a chat model",
    "does not work with the specified model",
];

/// Phrases about something that is not served, which count if the message names the model.
const NOT_SERVED: &[&str] = &[
    "does not exist",
    "not exist",
    "not found",
    "no longer available",
    "no longer supported",
    "decommissioned",
    "deprecated",
    "not supported by any provider",
    "not available on this",
    "not loaded",
];

/// Codes and types for a model that is not served: OpenAI, Mistral, Perplexity, Groq, Hugging Face, Azure.
pub(super) const MODEL_CODES: &[&str] = &[
    "model_not_found",
    "invalid_model",
    "model_decommissioned",
    "model_not_supported",
    "unknown_model",
    "DeploymentNotFound",
];

/// Phrases about a key, from xAI, Mistral, Together, LiteLLM and others that report it with 400.
const KEY: &[&str] = &[
    "incorrect api key",
    "invalid api key",
    "invalid api-key",
    "api key not valid",
    "api key is invalid",
    "api key is not valid",
    "api key has expired",
    "api key expired",
    "malformed api key",
    "missing api key",
    "no api key",
    "provide an api key",
    "invalid authentication",
    "litellm.authenticationerror",
];

/// Codes for a key that is not accepted.
pub(super) const KEY_CODES: &[&str] =
    &["invalid_api_key", "invalid_authentication_error", "authentication_error"];

/// Phrases about a path that is not served, with any status: LM Studio reports it with 200.
const PATH: &[&str] = &["unexpected endpoint or method", "invalid url (post", "cannot post /"];

/// Phrases about too many concurrent requests, in lower case: LiteLLM, Mistral, Together, Azure, Anthropic, NVIDIA and others.
const PARALLEL: &[&str] = &[
    "max_parallel_requests",
    "parallel request",
    "in parallel",
    "concurren",
    "simultaneous",
    "in flight",
    "in-flight",
    "inflight",
    "active request",
    "number of connections",
    "many connections",
    "connection limit",
    "at the same time",
    "local total request limit",
];

/// How HTTPS servers answer plain HTTP: nginx, Apache, Go, Tomcat.
const PLAIN: &[&str] = &[
    "plain http request was sent to https port",
    "sent an http request to an https server",
    "speaking plain http to an ssl",
    "combination of host and port requires tls",
];

/// Whether a message says that nothing is served at the requested address.
pub(super) fn is_of_address(message: &str) -> bool {
    let text = own_words(message);
    PATH.iter().chain(PLAIN).any(|words| text.contains(words))
}

/// Whether a message says that the model is not served.
pub(super) fn is_of_model(message: &str) -> bool {
    let start = beginning(&own_words(message));
    let says = |any: &[&str]| any.iter().any(|words| start.contains(words));
    says(MODEL) || start.contains("model") && says(NOT_SERVED)
}

/// Whether a message says that the key is not accepted.
pub(super) fn is_of_key(message: &str) -> bool {
    let start = beginning(&own_words(message));
    KEY.iter().any(|words| start.contains(words))
}

/// Whether a message uses a known phrase for a rejected schema or grammar, or says in any words that it could not be compiled.
pub(super) fn is_of_schema(message: &str) -> bool {
    let text = own_words(message);
    let start = beginning(&text);
    let says = |any: &[&str]| any.iter().any(|words| start.contains(words));
    let is_known = SCHEMA.iter().any(|words| text.contains(words));
    !is_of_answer(&text) && (is_known || says(SUBJECTS) && says(COMPILING) && says(COMPILATION_FAILED))
}

/// Whether a message says that a single answer left the grammar, rather than that no answer is possible.
pub(super) fn is_of_one_answer(message: &str) -> bool {
    let text = own_words(message);
    ONE_ANSWER.iter().any(|words| text.contains(words))
}

/// Whether a message that is about no other field mentions a rejected schema or grammar, in any words.
pub(super) fn speaks_of_schema(message: &str) -> bool {
    let text = own_words(message);
    let start = beginning(&text);
    let says = |any: &[&str]| any.iter().any(|words| start.contains(words));
    !is_of_answer(&text) && says(SUBJECTS) && says(REFUSED)
}

fn beginning(text: &str) -> String {
    text.chars().take(BEGINNING).collect()
}

fn is_of_answer(text: &str) -> bool {
    OF_ANSWER.iter().any(|words| text.contains(words))
}

/// Whether a message says that the prompt does not fit the model's context: in a known phrase, or in other words that name a length
/// and say that it is too great.
pub(super) fn is_of_length(message: &str) -> bool {
    let text = own_words(message);
    let start = beginning(&text);
    let says = |any: &[&str]| any.iter().any(|words| start.contains(words));
    LENGTH.iter().any(|words| text.contains(words)) || says(LENGTHS) && says(TOO_MUCH)
}

/// Whether a temporary refusal says that too many requests are in flight.
pub(super) fn is_of_parallel(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    PARALLEL.iter().any(|words| text.contains(words))
}

/// Whether a name that a server does not know belongs to the schema rather than to the request.
pub(super) fn is_schema_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// A message in lower case, without the input that Pydantic appends, which may come from a row.
fn own_words(message: &str) -> String {
    message.split("'input':").next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
