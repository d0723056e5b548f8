//! What each provider allows in a batch, as data with its source and date.

use std::time::Duration;

use super::BatchApi;
use crate::provider::Protocol;

/// A provider's terms for batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The provider's name in the catalog.
    pub provider: &'static str,
    /// The protocols that its requests may be in.
    pub protocols: &'static [Protocol],
    /// The form of the API.
    pub api: BatchApi,
    /// Whether the path that each line names has no `/v1` in front, unlike OpenAI's.
    pub without_version: bool,
    /// The most requests in one batch.
    pub most_rows: u32,
    /// The most bytes in one batch.
    pub most_bytes: u64,
    /// How long results can be read after the batch was created, if the provider says so.
    pub kept: Option<Duration>,
    /// The part of the standard price that a batch costs, in percent.
    pub price_percent: u64,
    /// Where this is from, and when it was looked up.
    pub source: &'static str,
}

const fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

const OPENAI: Terms = Terms {
    provider: "openai",
    protocols: &[Protocol::OpenAiChat, Protocol::OpenAiResponses],
    api: BatchApi::OpenAi,
    without_version: false,
    most_rows: 50_000,
    most_bytes: 200_000_000,
    kept: Some(days(30)),
    price_percent: 50,
    source: "platform.openai.com/docs/guides/batch, 2026-11",
};

const ANTHROPIC: Terms = Terms {
    provider: "anthropic",
    protocols: &[Protocol::Anthropic],
    api: BatchApi::Anthropic,
    without_version: false,
    most_rows: 100_000,
    most_bytes: 256_000_000,
    kept: Some(days(29)),
    price_percent: 50,
    source: "docs.claude.com/en/docs/build-with-claude/batch-processing, 2026-11",
};

const GEMINI: Terms = Terms {
    provider: "google",
    protocols: &[Protocol::Gemini],
    api: BatchApi::Gemini,
    without_version: false,
    most_rows: 50_000,
    most_bytes: 2_000_000_000,
    // Documented as longer, but users report that results were gone after two days.
    kept: Some(days(2)),
    price_percent: 50,
    source: "ai.google.dev/gemini-api/docs/batch-api, 2026-11; googleapis/python-genai issues",
};

const ALL: [Terms; 10] = [
    OPENAI,
    Terms {
        provider: "azure",
        without_version: true,
        source: "learn.microsoft.com/azure/ai-foundry/openai/how-to/batch, 2026-11",
        ..OPENAI
    },
    Terms {
        provider: "groq",
        protocols: &[Protocol::OpenAiChat],
        most_bytes: 100_000_000,
        source: "console.groq.com/docs/batch, 2026-11",
        ..OPENAI
    },
    // At most half the price, for most models.
    Terms {
        provider: "together",
        protocols: &[Protocol::OpenAiChat],
        api: BatchApi::Together,
        most_bytes: 100_000_000,
        kept: None,
        source: "docs.together.ai/docs/batch-inference, 2026-11",
        ..OPENAI
    },
    Terms {
        provider: "mistral",
        protocols: &[Protocol::OpenAiChat],
        api: BatchApi::Mistral,
        // A million is allowed; smaller batches end sooner and lose less.
        most_rows: 100_000,
        most_bytes: 512_000_000,
        kept: None,
        source: "docs.mistral.ai/capabilities/batch, 2026-11",
        ..OPENAI
    },
    ANTHROPIC,
    GEMINI,
    Terms { provider: "sim", source: "our own simulator", ..OPENAI },
    Terms { provider: "sim", source: "our own simulator", ..ANTHROPIC },
    Terms { provider: "sim", source: "our own simulator", ..GEMINI },
];

impl Terms {
    /// The terms of this provider for requests in this protocol; `None` if it has no batches that we know how to use.
    pub fn of(provider: &str, protocol: Protocol) -> Option<&'static Self> {
        ALL.iter().find(|terms| terms.provider == provider && terms.protocols.contains(&protocol))
    }

    /// The providers with batches, each once.
    pub fn providers() -> Vec<&'static str> {
        let mut names: Vec<_> = ALL.iter().map(|terms| terms.provider).collect();
        names.dedup();
        names
    }

    /// The path that each line names.
    pub fn endpoint(&self, protocol: Protocol) -> &'static str {
        let path = BatchApi::endpoint(protocol);
        if self.without_version { path.strip_prefix("/v1").unwrap_or(path) } else { path }
    }
}
