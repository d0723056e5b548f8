//! How long the simulated model takes: a pure function of the chance, the row's text and the length of the answer.

use std::time::Duration;

use serde::Deserialize;

use crate::chance::Chance;

/// How long an answer takes. All times are in seconds. In a scenario file each form is a table of that name.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    /// Always the same.
    Fixed {
        /// Seconds.
        seconds: f64,
    },
    /// Mostly near the median, occasionally far above it, like real providers.
    LogNormal {
        /// Half of the answers take less time than this, in seconds.
        median_seconds: f64,
        /// The standard deviation of the logarithm: 0 means no variation, with 1 one answer in a hundred takes ten
        /// times as long.
        sigma: f64,
    },
    /// Proportional to the length of the answer.
    PerToken {
        /// Seconds before the first token.
        base_seconds: f64,
        /// Seconds per token of the answer.
        token_seconds: f64,
    },
    /// Determined by what the row's text contains.
    ByText {
        /// Seconds for a text that none of `texts` matches.
        otherwise_seconds: f64,
        /// Tried in order.
        texts: Vec<TextLatency>,
    },
}

/// The latency of rows whose text contains something.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextLatency {
    /// What the row's text must contain.
    pub contains: String,
    /// Seconds.
    pub seconds: f64,
}

impl Latency {
    /// The same latency for every answer.
    pub fn fixed(time: Duration) -> Self {
        Self::Fixed { seconds: time.as_secs_f64() }
    }

    /// How long an answer of `tokens` tokens to `text` takes.
    pub(crate) fn draw(&self, chance: Chance, text: &str, tokens: u64) -> Duration {
        let seconds = match self {
            Self::Fixed { seconds } => *seconds,
            Self::LogNormal { median_seconds, sigma } => median_seconds * (sigma * chance.normal()).exp(),
            Self::PerToken { base_seconds, token_seconds } => base_seconds + token_seconds * tokens as f64,
            Self::ByText { otherwise_seconds, texts } => texts
                .iter()
                .find(|each| text.contains(&each.contains))
                .map_or(*otherwise_seconds, |each| each.seconds),
        };
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
    }

    /// All its durations and its deviation, for checking the scenario.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        match self {
            Self::Fixed { seconds } => vec![*seconds],
            Self::LogNormal { median_seconds, sigma } => vec![*median_seconds, *sigma],
            Self::PerToken { base_seconds, token_seconds } => vec![*base_seconds, *token_seconds],
            Self::ByText { otherwise_seconds, texts } => {
                texts.iter().map(|each| each.seconds).chain([*otherwise_seconds]).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(latency: &Latency, text: &str, tokens: u64) -> u128 {
        latency.draw(Chance::of(1, text), text, tokens).as_millis()
    }

    #[test]
    fn each_form_takes_its_time() {
        let texts = vec![TextLatency { contains: "Ann".into(), seconds: 0.8 }];
        assert_eq!(millis(&Latency::fixed(Duration::from_millis(20)), "x", 9), 20);
        assert_eq!(millis(&Latency::PerToken { base_seconds: 0.2, token_seconds: 0.01 }, "x", 30), 500);
        let by_text = Latency::ByText { otherwise_seconds: 0.85, texts };
        assert_eq!(millis(&by_text, "Ann is 30", 1), 800);
        assert_eq!(millis(&by_text, "Bob is 30", 1), 850);
    }

    #[test]
    fn log_normal_draws_have_the_right_quantiles() {
        let latency = Latency::LogNormal { median_seconds: 1.0, sigma: 1.0 };
        let mut drawn: Vec<_> = (0..2_001).map(|n| millis(&latency, &n.to_string(), 1)).collect();
        drawn.sort_unstable();
        assert!((900..1_100).contains(&drawn[1_000]), "median {}", drawn[1_000]);
        assert!((8_000..13_000).contains(&drawn[1_980]), "99th percentile {}", drawn[1_980]);
    }
}
