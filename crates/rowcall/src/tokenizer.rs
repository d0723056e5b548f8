//! Estimates the tokens of a prompt: with OpenAI's published encodings if they are compiled in (the feature `tokenizer`), otherwise by an
//! approximation of the newer one. `docs/cost.md` says how accurate each is.

mod approximation;
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
    /// A quarter of the bytes, as the simulator counts.
    Bytes,
    /// By a vocabulary or an approximation of one; the model counts `percent` % of its tokens.
    Words { vocabulary: Vocabulary, percent: u64 },
}

/// Whose words are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vocabulary {
    Encoding(Encoding),
    /// About `o200k_base`.
    Approximation,
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
    /// How to count tokens for this model of this provider. Other vendors' models are counted like OpenAI's newer ones, which
    /// is more accurate than bytes.
    pub(crate) fn of(provider: &str, model: &str) -> Self {
        if provider == "sim" {
            return Self::Bytes;
        }
        let name = model.rsplit('/').next().unwrap_or(model);
        let percent = if name.contains("claude") { PERCENT_OF_CLAUDE } else { 100 };
        if !ARE_AVAILABLE {
            return Self::Words { vocabulary: Vocabulary::Approximation, percent };
        }
        let is_newer_gpt_4 = ["gpt-4o", "gpt-4.", "gpt-4-o"].iter().any(|start| name.starts_with(start));
        let is_old = name.starts_with("gpt-3.5") || name.starts_with("gpt-4") && !is_newer_gpt_4;
        let encoding = if is_old { Encoding::Cl100k } else { Encoding::O200k };
        Self::Words { vocabulary: Vocabulary::Encoding(encoding), percent }
    }

    /// How tokens are counted, as shown to users.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bytes => "a quarter of the bytes",
            Self::Words { vocabulary, percent: 100 } => match vocabulary {
                Vocabulary::Encoding(Encoding::Cl100k) => "cl100k_base",
                Vocabulary::Encoding(Encoding::O200k) => "o200k_base",
                Vocabulary::Approximation => "an approximation of o200k_base",
            },
            Self::Words { vocabulary, .. } => match vocabulary {
                Vocabulary::Encoding(_) => "o200k_base, times 1.25 for Claude",
                Vocabulary::Approximation => "an approximation of o200k_base, times 1.25 for Claude",
            },
        }
    }

    /// The tokens of the request for `prompt`, encoded for `target`.
    pub(crate) fn input(self, prompt: &Prompt, target: &Target) -> u64 {
        match self {
            Self::Bytes => {
                // The simulator counts no schema.
                let Messages { text, attachments, .. } =
                    Messages::of(prompt, target, |text| text.len() as u64);
                tokens(usize::try_from(text).unwrap_or(usize::MAX)) + ATTACHMENT * attachments
            }
            Self::Words { vocabulary, percent } => {
                let Messages { number, text, attachments } =
                    Messages::of(prompt, target, |text| vocabulary.text(text));
                let schema = target.schema_in_fields().map_or(0, |schema| SCHEMA + vocabulary.text(&schema));
                let counted = number * (MESSAGE + ROLE) + text + ATTACHMENT * attachments + schema + ANSWER;
                counted.saturating_mul(percent).div_ceil(100)
            }
        }
    }
}

impl Vocabulary {
    fn text(self, text: &str) -> u64 {
        match self {
            Self::Encoding(encoding) => encoding.text(text),
            Self::Approximation => approximation::count(text),
        }
    }
}

/// What a request's messages consist of.
#[derive(Debug, Default)]
struct Messages {
    number: u64,
    /// The lengths of their texts together.
    text: u64,
    attachments: u64,
}

impl Messages {
    /// The messages for `prompt`, with texts measured by `length`.
    fn of(prompt: &Prompt, target: &Target, length: impl Fn(&str) -> u64) -> Self {
        let mut messages = Self::default();
        // With the target's description of the answer's form.
        if let Some(text) = target.system(prompt) {
            messages.number += 1;
            messages.text += length(&text);
        }
        for turn in &prompt.turns {
            match turn {
                Turn::System(_) => {}
                Turn::Example(example) => {
                    messages.number += 2;
                    messages.text += length(&example.question) + length(&example.value.to_string());
                }
                Turn::User { text, attachments } => {
                    messages.number += 1;
                    messages.text += length(text);
                    messages.attachments += attachments.len() as u64;
                }
                Turn::Invalid { raw_turn, violations } => {
                    messages.number += 1;
                    messages.text += length(&raw_turn.to_string());
                    messages.text +=
                        violations.iter().map(|violation| length(&violation.message)).sum::<u64>();
                }
            }
        }
        messages
    }
}

#[cfg(all(test, feature = "tokenizer"))]
mod tests;
