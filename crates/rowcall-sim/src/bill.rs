//! What the account is charged, and for which tokens: those that answers report, and those of requests that failed on
//! the way. The scenario sets prices and excesses.

use serde::Deserialize;

use crate::ask::Ask;
use crate::fault::FaultKind;

/// How requests are charged.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bill {
    /// Picodollars per prompt token.
    pub input: u64,
    /// Picodollars per answer token.
    pub output: u64,
    /// Picodollars per prompt token from the cache. Default: the price of any other.
    #[serde(default)]
    pub cached: Option<u64>,
    /// Prices for the whole request once its prompt exceeds a length, the shortest first.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// How many prompt tokens are counted for each estimated one.
    #[serde(default = "one")]
    pub prompt_factor: f64,
    /// The share of a prompt's tokens that come from the cache.
    #[serde(default)]
    pub cached_share: f64,
    /// Whether every answer uses its whole output limit.
    #[serde(default)]
    pub full_output: bool,
    /// How many answer tokens are counted for each, even beyond the limit.
    #[serde(default = "one")]
    pub output_factor: f64,
    /// Whether requests that fail on the way (5xx, connections, unreadable bodies) are charged like any other.
    #[serde(default)]
    pub failures: bool,
}

/// The prices of long prompts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// They apply to prompts of more tokens than this.
    pub above: u64,
    /// Picodollars per prompt token, from the cache or not.
    pub input: u64,
    /// Picodollars per answer token.
    pub output: u64,
}

fn one() -> f64 {
    1.0
}

impl Bill {
    /// Picodollars per input and per output token, and nothing unusual.
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

    /// The same at half price, each price rounded up.
    pub(crate) fn halved(&self) -> Self {
        let half = |price: u64| price.div_ceil(2);
        let tiers = self.tiers.iter();
        Self {
            input: half(self.input),
            output: half(self.output),
            cached: self.cached.map(half),
            tiers: tiers
                .map(|tier| Tier { input: half(tier.input), output: half(tier.output), ..tier.clone() })
                .collect(),
            ..self.clone()
        }
    }

    /// The same request with its prompt tokens as they are counted here.
    pub(crate) fn count(&self, mut ask: Ask) -> Ask {
        ask.prompt_tokens = (ask.prompt_tokens as f64 * self.prompt_factor).ceil() as u64;
        ask.cached_tokens = (ask.prompt_tokens as f64 * self.cached_share) as u64;
        ask
    }

    /// The answer tokens as they are counted here.
    pub(crate) fn output(&self, tokens: u64, limit: Option<u64>) -> u64 {
        let taken = limit.filter(|_| self.full_output).unwrap_or(tokens);
        (taken as f64 * self.output_factor).ceil() as u64
    }

    /// The charge in picodollars for a request that met this fault or none.
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
            // 529 is a rejection.
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
