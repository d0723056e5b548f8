//! What the account is charged, and by which tokens: those that answers tell of, and those of requests that failed on the way.
//! Prices and excesses are the scenario's.

use serde::Deserialize;

use crate::ask::Ask;
use crate::fault::FaultKind;

/// What requests are charged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// Picodollars for a token of a prompt.
    pub input: u64,
    /// Picodollars for a token of an answer.
    pub output: u64,
    /// Picodollars for a token of a prompt that comes from the cache; absent, as for any other.
    #[serde(default)]
    pub cached: Option<u64>,
    /// What a whole request is charged once its prompt is longer, the shortest first.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// How many tokens of a prompt are counted for each that there is by the usual estimate.
    #[serde(default = "one")]
    pub prompt_factor: f64,
    /// The share of a prompt's tokens that comes from the cache.
    #[serde(default)]
    pub cached_share: f64,
    /// Whether every answer takes the whole of its output limit.
    #[serde(default)]
    pub full_output: bool,
    /// How many tokens of an answer are counted for each, also beyond its limit.
    #[serde(default = "one")]
    pub output_factor: f64,
    /// Whether requests that fail on the way (5xx, connections, unreadable bodies) are charged as if they had not.
    #[serde(default)]
    pub failures: bool,
}

/// The prices of long prompts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// They hold for prompts of more tokens than this.
    pub above: u64,
    /// Picodollars for a token of a prompt, from the cache or not.
    pub input: u64,
    /// Picodollars for a token of an answer.
    pub output: u64,
}

fn one() -> f64 {
    1.0
}

impl Bill {
    /// Picodollars for a token in and for one out, and nothing unusual.
    pub fn new(input: u64, output: u64) -> Self {
        Self {
            input,
            output,
            cached: None,
            tiers: Vec::new(),
            prompt_factor: 1.0,
            cached_share: 0.0,
            full_output: false,
            output_factor: 1.0,
            failures: false,
        }
    }

    /// The same request with its prompt's tokens as they are counted here.
    pub(crate) fn count(&self, mut ask: Ask) -> Ask {
        ask.prompt_tokens = (ask.prompt_tokens as f64 * self.prompt_factor).ceil() as u64;
        ask.cached_tokens = (ask.prompt_tokens as f64 * self.cached_share) as u64;
        ask
    }

    /// The tokens of an answer as they are counted here.
    pub(crate) fn output(&self, tokens: u64, limit: Option<u64>) -> u64 {
        let taken = limit.filter(|_| self.full_output).unwrap_or(tokens);
        (taken as f64 * self.output_factor).ceil() as u64
    }

    /// What a request is charged, in picodollars, that met this fault or none.
    pub(crate) fn charge(&self, ask: &Ask, output: u64, fault: Option<&FaultKind>) -> u64 {
        if !fault.is_none_or(|fault| self.charges(fault)) {
            return 0;
        }
        let tier = self.tiers.iter().rfind(|tier| ask.prompt_tokens > tier.above);
        let usual = (self.input, self.cached.unwrap_or(self.input), self.output);
        let (input, cached, out) = tier.map_or(usual, |tier| (tier.input, tier.input, tier.output));
        (ask.prompt_tokens - ask.cached_tokens) * input + ask.cached_tokens * cached + output * out
    }

    fn charges(&self, fault: &FaultKind) -> bool {
        match fault {
            // 529 is a refusal.
            FaultKind::Status(status) => self.failures && status.code >= 500 && status.code != 529,
            FaultKind::Reset(_)
            | FaultKind::Cut(_)
            | FaultKind::Stall(_)
            | FaultKind::ErrorIn200
            | FaultKind::GarbageBody => self.failures,
            FaultKind::InvalidJson
            | FaultKind::TruncatedJson
            | FaultKind::SchemaViolation
            | FaultKind::Fenced
            | FaultKind::Prose
            | FaultKind::Refusal
            | FaultKind::ContentFilter
            | FaultKind::Length
            | FaultKind::Empty
            | FaultKind::WrongTool
            | FaultKind::TwoTools => true,
        }
    }
}
