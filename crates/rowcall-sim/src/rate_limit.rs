//! What a quota tells the client: `x-ratelimit-*` headers and the answer 429, in OpenAI's words.

use std::time::Duration;

use crate::chat::body;
use crate::quota::{Dimension, Quota, Refusal, Wait};
use crate::reply::Reply;

/// The headers that tell how the account stands at `now`.
pub(crate) fn headers(quota: &mut Quota, now: Duration) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let requests =
        quota.standing(now, Dimension::Requests).or_else(|| quota.standing(now, Dimension::RequestsPerDay));
    if let Some(standing) = requests {
        headers.extend([
            ("x-ratelimit-limit-requests", standing.limit.to_string()),
            ("x-ratelimit-remaining-requests", standing.remaining.to_string()),
            ("x-ratelimit-reset-requests", go_duration(standing.reset)),
        ]);
    }
    if let Some(standing) = quota.standing(now, Dimension::Tokens) {
        headers.extend([
            ("x-ratelimit-limit-tokens", standing.limit.to_string()),
            ("x-ratelimit-remaining-tokens", standing.remaining.to_string()),
            ("x-ratelimit-reset-tokens", go_duration(standing.reset)),
        ]);
    }
    headers
}

/// The answer to a request that the quota refused.
pub(crate) fn refused(model: &str, refusal: Refusal) -> Reply {
    let Refusal { dimension, limit, used, requested, wait } = refusal;
    let (subject, kind) = match dimension {
        Dimension::Requests => ("requests per min (RPM)", "requests"),
        Dimension::Tokens => ("tokens per min (TPM)", "tokens"),
        Dimension::InputTokens => ("input tokens per min (ITPM)", "tokens"),
        Dimension::OutputTokens => ("output tokens per min (OTPM)", "tokens"),
        Dimension::RequestsPerDay => ("requests per day (RPD)", "requests"),
        Dimension::InFlight => ("concurrent requests", "requests"),
    };
    let reached = format!(
        "Rate limit reached for {model} in organization org-simulated on {subject}: Limit {limit}, Used {used}, Requested {requested}."
    );
    let (message, headers) = match wait {
        Wait::For(time) => {
            let headers = vec![
                ("retry-after", time.as_millis().div_ceil(1_000).max(1).to_string()),
                ("retry-after-ms", milliseconds(time).to_string()),
            ];
            (format!("{reached} Please try again in {}.", go_duration(time)), headers)
        }
        Wait::ForAnotherToEnd => {
            (format!("{reached} Please try again when another request has ended."), vec![])
        }
        Wait::Forever => {
            let message = format!(
                "Request too large for {model} in organization org-simulated on {subject}: Limit {limit}, Requested {requested}. \
                 The input or output tokens must be reduced in order to run successfully."
            );
            (message, vec![("x-should-retry", "false".to_owned())])
        }
    };
    Reply::json(429, body::error(&message, kind, None, Some("rate_limit_exceeded"))).with_headers(headers)
}

/// Whole milliseconds, rounded up, so that waiting as told is enough.
fn milliseconds(time: Duration) -> u128 {
    time.as_nanos().div_ceil(1_000_000)
}

/// A duration as Go prints it: `0s`, `20ms`, `8.64s`, `6m0s`, `1h2m3.5s`; rounded up to milliseconds.
fn go_duration(time: Duration) -> String {
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

    #[test]
    fn durations_are_printed_as_go_prints_them() {
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
