//! How servers word a refusal that no code stands for: of the schema, a prompt's length, the model, the key, the address. The words of vLLM, SGLang,
//! llama.cpp, Ollama, LM Studio, Anthropic, Gemini and of gateways in front of them, as data. What follows is decided elsewhere.

/// What is said of a schema, or of the grammar made of it, in small letters.
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
    // The same of backends that hold to no schema at all, by tools as little as otherwise.
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

/// What is said of the schema or the grammar where it is named.
const SUBJECTS: &[&str] = &["schema", "grammar"];

/// What is said of them where they are refused.
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

/// What is said of work on the schema, which is the server's and never the model's, where it is named.
const COMPILING: &[&str] = &["compil"];

/// What is said of such work that came to nothing.
const CAME_TO_NOTHING: &[&str] = &[
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

/// What is said of an answer that does not keep to the schema, which is another matter.
const OF_ANSWER: &[&str] = &[
    "not match",
    "returned an invalid response",
    "failed to generate",
    "validation failed",
    "failed to validate",
    "jsonschemavalidationerror",
];

/// What is said of a grammar where one answer has left it, which another answer need not do: llama.cpp, vLLM, SGLang.
const ONE_ANSWER: &[&str] = &[
    "grammar stack",
    "failed to advance",
    "failed to accept token",
    "rejected by the grammar",
    "not accepted by the grammar",
];

/// How far into a message the general rule looks, in characters: some servers go on to repeat the request.
const BEGINNING: usize = 300;

/// Keywords of JSON Schema that are the name of no request field.
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

/// What is said of a prompt that is too long, in small letters.
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

/// What is said of a prompt's length where it is named.
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

/// What is said of it where it is too much.
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

/// What is said of a model that is not served, in small letters: DeepSeek, LiteLLM, Mistral, Perplexity, OpenRouter, Bedrock,
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

/// What is said of a thing that is not served, where it is named as the model.
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

/// The codes and types that say it of the model: OpenAI, Mistral, Perplexity, Groq, Hugging Face, Azure.
pub(super) const MODEL_CODES: &[&str] = &[
    "model_not_found",
    "invalid_model",
    "model_decommissioned",
    "model_not_supported",
    "unknown_model",
    "DeploymentNotFound",
];

/// What is said of a key: xAI, Mistral, Together, LiteLLM and others that say so with 400.
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

/// The codes that say it of the key.
pub(super) const KEY_CODES: &[&str] =
    &["invalid_api_key", "invalid_authentication_error", "authentication_error"];

/// What is said of a path that is not served, whatever the status: LM Studio says so with 200.
const PATH: &[&str] = &["unexpected endpoint or method", "invalid url (post", "cannot post /"];

/// What is said of too many requests at a time, in small letters: LiteLLM, Mistral, Together, Azure, Anthropic, NVIDIA and others.
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

/// What servers of HTTPS say to plain HTTP: nginx, Apache, Go, Tomcat.
const PLAIN: &[&str] = &[
    "plain http request was sent to https port",
    "sent an http request to an https server",
    "speaking plain http to an ssl",
    "combination of host and port requires tls",
];

/// Whether a message says that nothing is served at the address that was asked.
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

/// Whether a message has the known words for a schema, or the grammar made of it, that is not taken, or says in whatever words that it
/// could not be compiled.
pub(super) fn is_of_schema(message: &str) -> bool {
    let text = own_words(message);
    let start = beginning(&text);
    let says = |any: &[&str]| any.iter().any(|words| start.contains(words));
    let is_known = SCHEMA.iter().any(|words| text.contains(words));
    !is_of_answer(&text) && (is_known || says(SUBJECTS) && says(COMPILING) && says(CAME_TO_NOTHING))
}

/// Whether a message says that one answer has left the grammar, rather than that there can be none.
pub(super) fn is_of_one_answer(message: &str) -> bool {
    let text = own_words(message);
    ONE_ANSWER.iter().any(|words| text.contains(words))
}

/// Whether a message that is about no other field speaks of a schema or a grammar that is not taken, in whatever words.
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

/// Whether a message says that the prompt does not fit the model's context: in known words, or in others that name a length and say
/// that it is too much.
pub(super) fn is_of_length(message: &str) -> bool {
    let text = own_words(message);
    let start = beginning(&text);
    let says = |any: &[&str]| any.iter().any(|words| start.contains(words));
    LENGTH.iter().any(|words| text.contains(words)) || says(LENGTHS) && says(TOO_MUCH)
}

/// Whether a refusal for now says that too many requests are in flight.
pub(super) fn is_of_parallel(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    PARALLEL.iter().any(|words| text.contains(words))
}

/// Whether a name that a server does not know is one of the schema's and not of the request's.
pub(super) fn is_schema_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// A message in small letters, without the input that Pydantic repeats at its end, which may be a row's.
fn own_words(message: &str) -> String {
    message.split("'input':").next().unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
