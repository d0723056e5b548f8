//! All names of metrics and attributes that are sent, in one place: those of OpenTelemetry's conventions for generative AI, which are still in
//! development and have two generations, and our own. `docs/metrics.md` lists them.
//!
//! Sources: open-telemetry/semantic-conventions 1.41 for the old generation, open-telemetry/semantic-conventions-genai as of 2026-09 for the new.

/// The variable that chooses the generation, a list separated by commas.
pub(super) const OPT_IN: &str = "OTEL_SEMCONV_STABILITY_OPT_IN";

/// The word in it for the new generation.
const LATEST: &str = "gen_ai_latest_experimental";

/// A generation of the conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// Up to 1.41, which most back ends read.
    Old,
    /// Of the conventions' own repository.
    New,
}

impl Generation {
    /// The generation that the value of [`OPT_IN`] asks for.
    pub(super) fn of(opted_in: Option<&str>) -> Self {
        let is_new = opted_in.is_some_and(|words| words.split(',').any(|word| word.trim() == LATEST));
        if is_new { Self::New } else { Self::Old }
    }

    /// The attribute for the provider.
    pub(super) fn provider(self) -> &'static str {
        match self {
            Self::Old => "gen_ai.system",
            Self::New => "gen_ai.provider.name",
        }
    }

    /// The histogram of the latencies of requests, in seconds.
    pub(super) fn duration(self) -> &'static str {
        match self {
            Self::Old => "gen_ai.client.operation.duration",
            Self::New => "gen_ai.client.inference.duration",
        }
    }
}

pub(super) const OPERATION: &str = "gen_ai.operation.name";
pub(super) const MODEL: &str = "gen_ai.request.model";
pub(super) const OUTPUT_TYPE: &str = "gen_ai.output.type";
pub(super) const SPAN_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";
pub(super) const SPAN_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";
pub(super) const ERROR: &str = "error.type";
pub(super) const SERVER: &str = "server.address";

/// Of the old generation: one histogram for all tokens, by their type.
pub(super) const TOKEN_USAGE: &str = "gen_ai.client.token.usage";
pub(super) const TOKEN_TYPE: &str = "gen_ai.token.type";

/// Of the new generation: a counter for each type of tokens.
pub(super) const INPUT_TOKENS: &str = "gen_ai.client.inference.usage.input_tokens";
pub(super) const OUTPUT_TOKENS: &str = "gen_ai.client.inference.usage.output_tokens";
pub(super) const CACHE_READ_TOKENS: &str = "gen_ai.client.inference.usage.cache_read.input_tokens";
pub(super) const CACHE_WRITE_TOKENS: &str = "gen_ai.client.inference.usage.cache_write.input_tokens";
pub(super) const REASONING_TOKENS: &str = "gen_ai.client.inference.usage.reasoning.output_tokens";

/// The bounds of histograms of latencies in both generations, in seconds.
pub(super) const DURATIONS: [f64; 14] =
    [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/// The only operation: a chat completion, whatever the protocol calls it.
pub(super) const CHAT: &str = "chat";

// Attributes of our own.
pub(super) const ROW: &str = "rowcall.row";
pub(super) const ATTEMPT: &str = "rowcall.attempt";
pub(super) const PROMPT: &str = "rowcall.prompt";
pub(super) const COST: &str = "rowcall.cost";
pub(super) const WAITED: &str = "rowcall.waited";
pub(super) const WAITED_FOR: &str = "rowcall.waited_for";
pub(super) const FAILURE: &str = "rowcall.failure";
pub(super) const ATTEMPTS: &str = "rowcall.attempts";
pub(super) const PROMPTS: &str = "rowcall.prompts";

/// The name of a provider in the conventions.
pub(super) fn provider(ours: &str) -> &str {
    match ours {
        "google" | "gemini" => "gcp.gemini",
        "vertex" => "gcp.vertex_ai",
        "azure" => "azure.ai.openai",
        "bedrock" => "aws.bedrock",
        "mistral" => "mistral_ai",
        "xai" => "x_ai",
        // openai, anthropic, deepseek, groq, perplexity and others have the same name.
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_chooses_the_generation() {
        for (opted_in, expected) in [
            (None, Generation::Old),
            (Some(""), Generation::Old),
            (Some("http"), Generation::Old),
            (Some("http, gen_ai_latest_experimental"), Generation::New),
        ] {
            assert_eq!(Generation::of(opted_in), expected, "{opted_in:?}");
        }
    }
}
