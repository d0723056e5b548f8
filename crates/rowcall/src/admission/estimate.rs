//! What an attempt will probably take, in tokens: the input from its bytes, corrected by what earlier ones really took, the
//! output from what nine in ten of them did not exceed. Exact tokenising would cost more than the error does, since every
//! estimate is settled by fact.

use crate::turn::Usage;

/// English and JSON run at about four bytes a token; the measured ratio takes over with the first answer.
const BYTES_PER_TOKEN: f64 = 4.0;

/// The weight of the newest answer in the moving average of the ratio.
const WEIGHT: f64 = 0.1;

/// The share of answers that the output's estimate is to cover.
const COVERED: f64 = 0.9;

/// How far the moving quantile moves with an answer, as a share of itself: far with the first ones, then less and less.
const FIRST_STEP: f64 = 0.5;
const LAST_STEP: f64 = 0.02;

/// What an attempt takes, by kind of token.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tokens {
    pub(crate) input: f64,
    pub(crate) output: f64,
}

/// What is known of attempts by what earlier ones took.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Estimate {
    tokens_per_byte: f64,
    /// The moving 90th percentile of outputs, in tokens.
    most_output: Option<f64>,
    /// The moving average of outputs, in tokens.
    mean_output: f64,
    answers: u32,
}

impl Default for Estimate {
    fn default() -> Self {
        Self { tokens_per_byte: 1.0 / BYTES_PER_TOKEN, most_output: None, mean_output: 0.0, answers: 0 }
    }
}

impl Estimate {
    /// Tokens to reserve for a request of `bytes`, if at most `limit` tokens may come back.
    pub(crate) fn tokens(&self, bytes: usize, limit: Option<u32>) -> Tokens {
        let input = bytes as f64 * self.tokens_per_byte;
        let most = limit.map_or(f64::INFINITY, f64::from);
        // Before the first answer nothing is known of the output; a record is about as long as what it is drawn from.
        let output = self.most_output.unwrap_or(input).min(most);
        Tokens { input, output }
    }

    /// How many tokens an output takes on average.
    pub(crate) fn mean_output(&self) -> f64 {
        self.mean_output
    }

    /// Learns from an answer to a request of `bytes`.
    pub(crate) fn learn(&mut self, bytes: usize, usage: Usage) {
        self.answers = self.answers.saturating_add(1);
        let newest = 1.0 / f64::from(self.answers);
        if bytes > 0 && usage.input_tokens > 0 {
            let ratio = usage.input_tokens as f64 / bytes as f64;
            self.tokens_per_byte += newest.max(WEIGHT) * (ratio - self.tokens_per_byte);
        }
        let output = usage.output_tokens as f64;
        self.mean_output += newest.max(WEIGHT) * (output - self.mean_output);
        let most = self.most_output.get_or_insert(output);
        // A step up for an answer above it is nine times a step down for one below: it rests where nine in ten are below.
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
    fn the_average_output_is_told() {
        let mean = learned((0..5000_u64).map(|n| (n * 37) % 100)).mean_output();
        assert!((30.0..70.0).contains(&mean), "{mean}");
    }
}
