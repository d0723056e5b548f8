//! What an attempt will probably take, in tokens: from its bytes, corrected by what earlier ones really took. Exact
//! tokenising would cost more than the error does, since every estimate is settled by fact.

use crate::turn::Usage;

/// English and JSON run at about four bytes a token; the measured ratio takes over with the first answer.
const BYTES_PER_TOKEN: f64 = 4.0;

/// The weight of the newest answer in the moving averages.
const WEIGHT: f64 = 0.1;

/// Moving averages of what answers took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    tokens_per_byte: f64,
    output_tokens: Option<f64>,
}

impl Default for Estimate {
    fn default() -> Self {
        Self { tokens_per_byte: 1.0 / BYTES_PER_TOKEN, output_tokens: None }
    }
}

impl Estimate {
    /// Tokens in and out for a request of `bytes`, if at most `limit` tokens may come back.
    pub(crate) fn tokens(&self, bytes: usize, limit: Option<u32>) -> f64 {
        let input = bytes as f64 * self.tokens_per_byte;
        let most = limit.map_or(f64::INFINITY, f64::from);
        // Before the first answer nothing is known of the output; a record is about as long as what it is drawn from.
        let output = self.output_tokens.unwrap_or(input).min(most);
        input + output
    }

    /// Learns from an answer to a request of `bytes`.
    pub(crate) fn learn(&mut self, bytes: usize, usage: Usage) {
        if bytes > 0 && usage.input_tokens > 0 {
            let ratio = usage.input_tokens as f64 / bytes as f64;
            self.tokens_per_byte += WEIGHT * (ratio - self.tokens_per_byte);
        }
        let output = usage.output_tokens as f64;
        let average = self.output_tokens.get_or_insert(output);
        *average += WEIGHT * (output - *average);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_measured_ratio_takes_over() {
        let mut estimate = Estimate::default();
        assert!((estimate.tokens(400, Some(50)) - 150.0).abs() < 1e-9);
        for _ in 0..100 {
            estimate.learn(400, Usage { input_tokens: 200, output_tokens: 20, ..Usage::default() });
        }
        assert!((estimate.tokens(400, Some(50)) - 220.0).abs() < 1.0);
    }

    #[test]
    fn an_output_limit_caps_the_estimate() {
        let mut estimate = Estimate::default();
        estimate.learn(4, Usage { input_tokens: 1, output_tokens: 5000, ..Usage::default() });
        assert!(estimate.tokens(4, Some(10)) < 12.0);
    }
}
