//! Estimates the tokens of a prompt: with OpenAI's published encodings if they are compiled in (the feature `tokenizer`), otherwise from
//! bytes. `docs/cost.md` says how accurate each is.

#[cfg(feature = "tokenizer")]
mod encodings;
#[cfg(not(feature = "tokenizer"))]
#[path = "tokenizer/no_encodings.rs"]
mod encodings;

use encodings::ARE_AVAILABLE;

use crate::estimate::tokens;
use crate::provider::Target;
use crate::turn::{Prompt, Turn};

/// What an image or a document counts as, in tokens: about what a one-megapixel image takes.
const ATTACHMENT: u64 = 1_024;

/// What a chat's messages take beyond their text: per message, per role, and once for the beginning of the answer (OpenAI's cookbook on
/// counting tokens; accurate to a few tokens for gpt-4o).
const MESSAGE: u64 = 3;
const ROLE: u64 = 1;
const ANSWER: u64 = 3;

/// What a schema takes beyond its text, as measured for gpt-4o.
const SCHEMA: u64 = 15;

/// Claude's tokens per hundred of OpenAI's: 115 to 120 on English text according to Anthropic, 120 to 135 according to others.
const PERCENT_OF_CLAUDE: u64 = 125;

/// How the tokens of a model are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// Approximately, from bytes.
    Bytes,
    /// With an encoding of OpenAI's; the model counts `percent` % of its tokens.
    Encoding { encoding: Encoding, percent: u64 },
}

/// An encoding of OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// For gpt-4 and earlier.
    Cl100k,
    /// For gpt-4o and later; nothing else is published for gpt-6.
    O200k,
}

impl Counting {
    /// How to count the tokens of the model with this name. Other vendors' models are counted like OpenAI's newer ones, which
    /// is more accurate than bytes.
    pub(crate) fn of(model: &str) -> Self {
        if !ARE_AVAILABLE {
            return Self::Bytes;
        }
        let name = model.rsplit('/').next().unwrap_or(model);
        let is_newer_gpt_4 = ["gpt-4o", "gpt-4.", "gpt-4-o"].iter().any(|start| name.starts_with(start));
        let is_old = name.starts_with("gpt-3.5") || name.starts_with("gpt-4") && !is_newer_gpt_4;
        let encoding = if is_old { Encoding::Cl100k } else { Encoding::O200k };
        Self::Encoding { encoding, percent: if name.contains("claude") { PERCENT_OF_CLAUDE } else { 100 } }
    }

    /// The encoding, if tokens are counted by one.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Self::Bytes => None,
            Self::Encoding { encoding: Encoding::Cl100k, .. } => Some("cl100k_base"),
            Self::Encoding { encoding: Encoding::O200k, percent: 100 } => Some("o200k_base"),
            Self::Encoding { encoding: Encoding::O200k, .. } => Some("o200k_base, times 1.25 for Claude"),
        }
    }

    /// The tokens of the request for `prompt`, encoded for `target`, with `bytes` of text.
    pub(crate) fn input(self, prompt: &Prompt, target: &Target, bytes: usize) -> u64 {
        match self {
            Self::Bytes => tokens(bytes),
            Self::Encoding { encoding, percent } => {
                let counted = encoding.prompt(prompt, target);
                counted.saturating_mul(percent).div_ceil(100)
            }
        }
    }
}

impl Encoding {
    fn prompt(self, prompt: &Prompt, target: &Target) -> u64 {
        let message = |text: &str| MESSAGE + ROLE + self.text(text);
        let turns = prompt.turns.iter().map(|turn| match turn {
            // It is counted below, with the target's description of the answer's form.
            Turn::System(_) => 0,
            Turn::Example(example) => message(&example.question) + message(&example.value.to_string()),
            Turn::User { text, attachments } => message(text) + ATTACHMENT * attachments.len() as u64,
            Turn::Invalid { raw_turn, violations } => {
                let named = violations.iter().map(|violation| self.text(&violation.message));
                message(&raw_turn.to_string()) + named.sum::<u64>()
            }
        });
        let messages = turns.sum::<u64>();
        let system = target.system(prompt).map_or(0, |text| message(&text));
        let schema = target.schema_in_fields().map_or(0, |schema| SCHEMA + self.text(&schema));
        messages + system + schema + ANSWER
    }
}

#[cfg(all(test, feature = "tokenizer"))]
mod tests;
