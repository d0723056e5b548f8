//! How many tokens a prompt has, without asking: by OpenAI's published encodings where they are compiled in (the feature `tokenizer`), else
//! by bytes. `docs/cost.md` says how far off each is.

#[cfg(feature = "tokenizer")]
mod encodings;
#[cfg(not(feature = "tokenizer"))]
#[path = "tokenizer/no_encodings.rs"]
mod encodings;

use encodings::ARE_THERE;

use crate::estimate::tokens;
use crate::provider::Target;
use crate::turn::{Prompt, Turn};

/// What an image or a document counts as, in tokens: about what a megapixel takes.
const ATTACHMENT: u64 = 1_024;

/// What a chat's messages take beyond their words: each one, its role, and once the beginning of the answer (OpenAI's cookbook on counting
/// tokens; right to a few tokens for gpt-4o).
const MESSAGE: u64 = 3;
const ROLE: u64 = 1;
const ANSWER: u64 = 3;

/// What a schema takes beyond its text, as measured for gpt-4o.
const SCHEMA: u64 = 15;

/// Claude's tokens per hundred of OpenAI's: 115 to 120 by Anthropic on English text, 120 to 135 on others'.
const PERCENT_OF_CLAUDE: u64 = 125;

/// How the tokens of a model are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counting {
    /// By bytes: about.
    Bytes,
    /// By an encoding of OpenAI's, which is `percent` of what the model counts.
    Encoding { encoding: Encoding, percent: u64 },
}

/// An encoding of OpenAI's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Of gpt-4 and before.
    Cl100k,
    /// Of gpt-4o and everything since; of gpt-6 nothing else is known.
    O200k,
}

impl Counting {
    /// How the tokens of the model of this name are counted. Models of others are counted as OpenAI's newer ones, which comes nearer than bytes.
    pub(crate) fn of(model: &str) -> Self {
        if !ARE_THERE {
            return Self::Bytes;
        }
        let name = model.rsplit('/').next().unwrap_or(model);
        let is_newer_gpt_4 = ["gpt-4o", "gpt-4.", "gpt-4-o"].iter().any(|start| name.starts_with(start));
        let is_old = name.starts_with("gpt-3.5") || name.starts_with("gpt-4") && !is_newer_gpt_4;
        let encoding = if is_old { Encoding::Cl100k } else { Encoding::O200k };
        Self::Encoding { encoding, percent: if name.contains("claude") { PERCENT_OF_CLAUDE } else { 100 } }
    }

    /// The tokens of the request that asks `prompt` in the way of `target` and has `bytes` of words in it.
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
            // It goes along with what the target says of the answer's form.
            Turn::System(_) => 0,
            Turn::Example(example) => message(&example.question) + message(&example.value.to_string()),
            Turn::User { text, attachments } => message(text) + ATTACHMENT * attachments.len() as u64,
            Turn::Invalid { raw_turn, violations } => {
                let named = violations.iter().map(|violation| self.text(&violation.message));
                message(&raw_turn.to_string()) + named.sum::<u64>()
            }
        });
        let said = turns.sum::<u64>();
        let system = target.system(prompt).map_or(0, |text| message(&text));
        let schema = target.schema_in_fields().map_or(0, |schema| SCHEMA + self.text(&schema));
        said + system + schema + ANSWER
    }
}

#[cfg(all(test, feature = "tokenizer"))]
mod tests;
