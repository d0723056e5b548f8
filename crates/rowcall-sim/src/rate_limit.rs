//! What a quota reports with every answer: headers in OpenAI's or Anthropic's form. Each provider words its
//! rejections; this writes the times for them.

use std::time::Duration;

use crate::quota::{Dimension, Headers, Limits, Quota, Standing};
use crate::timestamp::Now;
use crate::timestamp::rfc3339;

/// Limit, remaining, reset.
type Names = [&'static str; 3];

/// OpenAI does not say whether requests are per minute or per day.
const OPENAI: [(&[Dimension], Names); 2] = [
    (
        &[Dimension::Requests, Dimension::RequestsPerDay],
        ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"],
    ),
    (
        &[Dimension::Tokens],
        ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"],
    ),
];

const ANTHROPIC: [(Dimension, Names); 4] = [
    (
        Dimension::Requests,
        [
            "anthropic-ratelimit-requests-limit",
            "anthropic-ratelimit-requests-remaining",
            "anthropic-ratelimit-requests-reset",
        ],
    ),
    (
        Dimension::Tokens,
        [
            "anthropic-ratelimit-tokens-limit",
            "anthropic-ratelimit-tokens-remaining",
            "anthropic-ratelimit-tokens-reset",
        ],
    ),
    (
        Dimension::InputTokens,
        [
            "anthropic-ratelimit-input-tokens-limit",
            "anthropic-ratelimit-input-tokens-remaining",
            "anthropic-ratelimit-input-tokens-reset",
        ],
    ),
    (
        Dimension::OutputTokens,
        [
            "anthropic-ratelimit-output-tokens-limit",
            "anthropic-ratelimit-output-tokens-remaining",
            "anthropic-ratelimit-output-tokens-reset",
        ],
    ),
];

/// The headers with the account's state at `now`, true or falsified as configured; the provider's `own` unless the
/// limits choose others.
pub(crate) fn headers(
    limits: &Limits,
    own: Headers,
    quota: &mut Quota,
    now: Now,
) -> Vec<(&'static str, String)> {
    let falsified = |number: u64| (number as f64 * limits.headers_factor).round() as u64;
    let advertised = |standing: Standing| Standing {
        limit: falsified(standing.limit),
        remaining: falsified(standing.remaining),
        reset: standing.reset,
    };
    let mut headers = Vec::new();
    let kind = if limits.headers == Headers::Provider { own } else { limits.headers };
    match kind {
        Headers::None | Headers::Provider => {}
        Headers::Openai => {
            for (dimensions, names) in OPENAI {
                let found = dimensions.iter().find_map(|dimension| quota.standing(now.story, *dimension));
                let Some(Standing { limit, remaining, reset }) = found.map(advertised) else { continue };
                let values = [limit.to_string(), remaining.to_string(), go_duration(reset)];
                headers.extend(names.into_iter().zip(values));
            }
        }
        Headers::Anthropic => {
            for (dimension, names) in ANTHROPIC {
                let found = quota.standing(now.story, dimension);
                let Some(Standing { limit, remaining, reset }) = found.map(advertised) else { continue };
                let remaining = match dimension {
                    Dimension::Requests | Dimension::RequestsPerDay | Dimension::InFlight => remaining,
                    Dimension::Tokens | Dimension::InputTokens | Dimension::OutputTokens => {
                        in_thousands(remaining)
                    }
                };
                let full = rfc3339(now.unix.saturating_add(reset));
                headers.extend(names.into_iter().zip([limit.to_string(), remaining.to_string(), full]));
            }
        }
    }
    headers
}

/// From a thousand on, rounded to the nearest thousand.
fn in_thousands(tokens: u64) -> u64 {
    if tokens < 1_000 { tokens } else { (tokens + 500) / 1_000 * 1_000 }
}

/// When to retry in whole seconds, for `retry-after`: rounded up, at least 1.
pub(crate) fn retry_seconds(wait: Duration) -> u128 {
    wait.as_millis().div_ceil(1_000).max(1)
}

/// Whole milliseconds, rounded up, so that waiting as advertised is enough.
pub(crate) fn milliseconds(time: Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000)
}

/// A duration as Go prints it: `0s`, `20ms`, `8.64s`, `6m0s`, `1h2m3.5s`; rounded up to milliseconds.
pub(crate) fn go_duration(time: Duration) -> String {
    let millis = milliseconds(time);
    if millis == 0 {
        return "0s".to_owned();
    }
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (minutes, rest) = (millis / 60_000, millis % 60_000);
    let fraction = format!("{:03}", rest % 1_000);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let seconds = format!("{}{point}{fraction}s", rest / 1_000);
    match (minutes / 60, minutes % 60) {
        (0, 0) => seconds,
        (0, minutes) => format!("{minutes}m{seconds}"),
        (hours, minutes) => format!("{hours}h{minutes}m{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{Admission, Need};

    /// The headers after five requests of 300 tokens at the start of a minute, half a second later.
    fn headers_of(limits: Limits) -> Vec<String> {
        let limits = Limits { burst_seconds: 60.0, ..limits };
        let mut quota = Quota::new(&limits);
        let need = Need { requests: 1, input_tokens: 200, output_tokens: 100 };
        for _ in 0..5 {
            assert_eq!(quota.admit(Duration::ZERO, need), Admission::Admitted);
        }
        let now = Now { story: Duration::from_millis(500), unix: Duration::from_millis(1_795_367_794_500) };
        headers(&limits, Headers::Openai, &mut quota, now)
            .into_iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect()
    }

    fn limits() -> Limits {
        Limits { requests_per_minute: Some(60), tokens_per_minute: Some(60_000), ..Limits::default() }
    }

    #[test]
    fn openai_headers_have_the_time_until_a_bucket_is_full() {
        let expected = [
            "x-ratelimit-limit-requests: 60",
            "x-ratelimit-remaining-requests: 55",
            "x-ratelimit-reset-requests: 4.5s",
            "x-ratelimit-limit-tokens: 60000",
            "x-ratelimit-remaining-tokens: 59000",
            "x-ratelimit-reset-tokens: 1s",
        ];
        assert_eq!(headers_of(limits()), expected);
        assert_eq!(
            headers_of(Limits { requests_per_day: Some(9), ..Limits::default() })[..2],
            ["x-ratelimit-limit-requests: 9", "x-ratelimit-remaining-requests: 4",]
        );
    }

    #[test]
    fn anthropic_headers_have_the_time_when_a_bucket_is_full_and_round_tokens() {
        let limits = Limits {
            requests_per_minute: Some(60),
            input_tokens_per_minute: Some(2_400),
            output_tokens_per_minute: Some(1_200),
            headers: Headers::Anthropic,
            ..Limits::default()
        };
        let expected = [
            "anthropic-ratelimit-requests-limit: 60",
            "anthropic-ratelimit-requests-remaining: 55",
            "anthropic-ratelimit-requests-reset: 2026-11-22T17:16:39Z",
            "anthropic-ratelimit-input-tokens-limit: 2400",
            "anthropic-ratelimit-input-tokens-remaining: 1000", // 1420 in truth
            "anthropic-ratelimit-input-tokens-reset: 2026-11-22T17:16:59Z",
            "anthropic-ratelimit-output-tokens-limit: 1200",
            "anthropic-ratelimit-output-tokens-remaining: 710", // under a thousand it is exact
            "anthropic-ratelimit-output-tokens-reset: 2026-11-22T17:16:59Z",
        ];
        assert_eq!(headers_of(limits), expected);
    }

    #[test]
    fn headers_may_be_wrong_or_missing() {
        let expected = [
            "x-ratelimit-limit-requests: 120",
            "x-ratelimit-remaining-requests: 110",
            "x-ratelimit-reset-requests: 4.5s",
            "x-ratelimit-limit-tokens: 120000",
            "x-ratelimit-remaining-tokens: 118000",
            "x-ratelimit-reset-tokens: 1s",
        ];
        assert_eq!(headers_of(Limits { headers_factor: 2.0, ..limits() }), expected);
        assert_eq!(headers_of(Limits { headers: Headers::None, ..limits() }), [""; 0]);
    }

    #[test]
    fn durations_are_formatted_as_in_go() {
        let cases = [
            (0, "0s"),
            (20, "20ms"),
            (1_000, "1s"),
            (8_640, "8.64s"),
            (59_850, "59.85s"),
            (360_000, "6m0s"),
            (3_723_500, "1h2m3.5s"),
            (86_400_000, "24h0m0s"),
        ];
        for (millis, expected) in cases {
            assert_eq!(go_duration(Duration::from_millis(millis)), expected);
        }
        assert_eq!(go_duration(Duration::from_nanos(1)), "1ms");
    }
}
