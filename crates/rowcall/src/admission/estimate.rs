//! What an attempt will probably use, in tokens: input from its bytes, by linear regression over earlier attempts, and output from
//! the 90th percentile of earlier outputs. Exact tokenising would cost more than the error does, since every estimate is later
//! replaced by the actual usage.

use crate::turn::Usage;

/// English and JSON average about four bytes per token; measurements take over with the first answer.
const BYTES_PER_TOKEN: f64 = 4.0;

/// The weight of the newest answer in moving averages: of outputs, and of inputs, whose regression needs more points.
const WEIGHT: f64 = 0.1;
const WEIGHT_OF_INPUT: f64 = 0.02;

/// Requests that differ in length by less than this share do not show how tokens grow with bytes.
const LEAST_SPREAD: f64 = 0.02;

/// The share of answers that the output estimate should cover.
const COVERED: f64 = 0.9;

/// How far the moving quantile moves with each answer, as a share of itself: far at first, then less and less.
const FIRST_STEP: f64 = 0.5;
const LAST_STEP: f64 = 0.02;

/// What an attempt uses, by kind of token.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) input: f64,
    pub(crate) output: f64,
}

/// What earlier attempts used, from which new ones are estimated.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Estimate {
    inputs: Inputs,
    /// The moving 90th percentile of outputs, in tokens.
    most_output: Option<f64>,
    /// The moving average of outputs, in tokens.
    mean_output: f64,
    answers: u32,
}

/// The regression of input tokens on request bytes, by moving averages. Parts that all requests share, such as the schema, may
/// be counted differently by the server, so the line need not pass through zero.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Inputs {
    count: u32,
    bytes: f64,
    tokens: f64,
    spread: f64,
    common: f64,
}

/// What attempts use on average.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Expected {
    /// Input tokens per request, and per byte of it.
    each: f64,
    per_byte: f64,
    /// Output tokens.
    pub(super) output: f64,
}

impl Expected {
    /// Input tokens of this many requests with this many bytes in total.
    pub(super) fn input(self, requests: f64, bytes: f64) -> f64 {
        requests * self.each + bytes * self.per_byte
    }
}

impl Inputs {
    /// Tokens per request, and per byte of it.
    fn line(&self) -> (f64, f64) {
        if self.count == 0 {
            return (0.0, 1.0 / BYTES_PER_TOKEN);
        }
        if self.spread.sqrt() < LEAST_SPREAD * self.bytes {
            return (0.0, self.tokens / self.bytes);
        }
        let slope = (self.common / self.spread).clamp(0.0, 1.0);
        (self.tokens - slope * self.bytes, slope)
    }

    fn learn(&mut self, bytes: usize, tokens: u64) {
        self.count = self.count.saturating_add(1);
        let weight = (1.0 / f64::from(self.count)).max(WEIGHT_OF_INPUT);
        let (longer, more) = (bytes as f64 - self.bytes, tokens as f64 - self.tokens);
        self.bytes += weight * longer;
        self.tokens += weight * more;
        self.spread = (1.0 - weight) * (self.spread + weight * longer * longer);
        self.common = (1.0 - weight) * (self.common + weight * longer * more);
    }
}

impl Estimate {
    /// Tokens to reserve for a request of `bytes` whose answer may have at most `limit` tokens.
    pub(crate) fn tokens(&self, bytes: usize, limit: Option<u32>) -> Tokens {
        let (each, per_byte) = self.inputs.line();
        // With few points the line may be steep, but must not make short requests look free.
        let least = bytes as f64 / (16.0 * BYTES_PER_TOKEN);
        let input = (each + bytes as f64 * per_byte).max(least);
        let most = limit.map_or(f64::INFINITY, f64::from);
        // Before the first answer the output is unknown; an extracted record is about as long as its source.
        let output = self.most_output.unwrap_or(input).min(most);
        Tokens { input, output }
    }

    /// What attempts use on average.
    pub(super) fn expected(&self) -> Expected {
        let (each, per_byte) = self.inputs.line();
        Expected { each, per_byte, output: self.mean_output }
    }

    /// Learns from an answer to a request of `bytes`.
    pub(crate) fn learn(&mut self, bytes: usize, usage: Usage) {
        self.answers = self.answers.saturating_add(1);
        let newest = 1.0 / f64::from(self.answers);
        if bytes > 0 && usage.input_tokens > 0 {
            self.inputs.learn(bytes, usage.input_tokens);
        }
        let output = usage.output_tokens as f64;
        self.mean_output += newest.max(WEIGHT) * (output - self.mean_output);
        let most = self.most_output.get_or_insert(output);
        // A step up for an answer above it is nine times a step down for one below, so it settles where nine in ten are below.
        let step = (FIRST_STEP * newest).max(LAST_STEP) * most.max(1.0);
        *most += if output > *most { step * COVERED } else { -step * (1.0 - COVERED) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(outputs: impl IntoIterator<Item = u64>) -> Estimate {
        let mut estimate = Estimate::default();
        for output_tokens in outputs {
            estimate.learn(400, Usage { input_tokens: 200, output_tokens, ..Usage::default() });
        }
        estimate
    }

    #[test]
    fn the_measured_ratio_takes_over() {
        let first = Estimate::default().tokens(400, Some(50));
        assert!((first.input - 100.0).abs() < 1e-9 && (first.output - 50.0).abs() < 1e-9, "{first:?}");
        let later = learned([20; 100]).tokens(400, Some(50));
        assert!((later.input - 200.0).abs() < 1.0, "{later:?}");
        assert!((18.0..24.0).contains(&later.output), "{later:?}");
    }

    #[test]
    fn the_shared_part_of_requests_is_separated_from_the_rest() {
        let mut estimate = Estimate::default();
        for bytes in [800, 5_000, 1_200, 10_000, 3_000] {
            // A schema of 500 bytes that is not counted.
            let input_tokens = (bytes as u64 - 500) / 4;
            estimate.learn(bytes, Usage { input_tokens, output_tokens: 10, ..Usage::default() });
        }
        for (bytes, tokens) in [(600, 25.0), (2_500, 500.0), (12_500, 3_000.0)] {
            let input = estimate.tokens(bytes, None).input;
            assert!((input - tokens).abs() < 0.1 * tokens + 15.0, "{bytes}: {input}");
        }
    }

    #[test]
    fn nine_in_ten_outputs_are_covered() {
        // 0 to 99 in a mixed order.
        let tokens = learned((0..5000_u64).map(|n| (n * 37) % 100)).tokens(400, None);
        assert!((80.0..98.0).contains(&tokens.output), "{tokens:?}");
    }

    #[test]
    fn an_output_limit_caps_the_estimate() {
        assert!(learned([5000]).tokens(4, Some(10)).output <= 10.0);
    }

    #[test]
    fn the_average_output_is_estimated() {
        let mean = learned((0..5000_u64).map(|n| (n * 37) % 100)).expected().output;
        assert!((30.0..70.0).contains(&mean), "{mean}");
    }
}
