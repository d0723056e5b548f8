//! How headers are read: the vectors, and each provider's own headers.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;

/// Sun, 22 Nov 2026 17:00:00 GMT, the day the vectors were written.
const RECEIVED: u64 = 1_795_366_800;

fn cases(kind: &str) -> Vec<Value> {
    let file = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/retry_and_limits.json"));
    let file: Value = serde_json::from_str(file).expect("the vectors are JSON");
    let cases = file["cases"].as_array().expect("the vectors have cases");
    let cases: Vec<_> = cases.iter().filter(|case| case["kind"] == kind).cloned().collect();
    assert!(!cases.is_empty(), "no case of kind `{kind}`");
    cases
}

fn limited(headers: &[(&str, &str)]) -> Response {
    let headers = headers.iter().map(|(name, value)| {
        (HeaderName::try_from(*name).expect("a name"), HeaderValue::try_from(*value).expect("a value"))
    });
    Response {
        status: 429,
        headers: headers.collect(),
        body: Bytes::new(),
        received: SystemTime::UNIX_EPOCH + Duration::from_secs(RECEIVED),
    }
}

#[test]
fn durations_are_read_as_in_the_vectors() {
    for case in cases("go_duration") {
        let read =
            go_duration(case["input"].as_str().expect("a text")).map(|duration| duration.as_secs_f64());
        assert_eq!(read, case["seconds"].as_f64(), "{}", case["id"]);
    }
}

#[test]
fn plausible_retry_after_is_read_as_in_the_vectors() {
    for case in cases("retry_after") {
        let headers: Vec<_> = case["headers"].as_object().expect("headers").iter().collect();
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect();
        let read = retry_after(&limited(&headers), "").map(|wait| wait.as_secs_f64());
        // Zero, negative and infinite times and text count as absent; dates have their own tests.
        let expected = case["anthropic_seconds"].as_f64().filter(|&seconds| seconds > 0.0);
        if case["anthropic_seconds"] != "date" {
            assert_eq!(read, expected, "{}", case["id"]);
        }
    }
}

#[test]
fn a_date_counts_from_the_receipt_and_a_past_one_does_not_count() {
    let at = |date| retry_after(&limited(&[("retry-after", date)]), "");
    assert_eq!(at("Sun, 22 Nov 2026 17:00:20 GMT"), Some(Duration::from_secs(20)));
    assert_eq!(at("Sun, 22 Nov 2020 17:00:00 GMT"), None);
    assert_eq!(at("Sun, 22 Nov 2043 17:00:00 GMT"), None);
}

#[test]
fn each_providers_headers_are_read_with_their_own_meaning() {
    let read = |headers: &[(&str, &str)]| {
        let standings = standings(&limited(headers)).into_iter();
        standings
            .map(|standing| (standing.dimension, standing.period, standing.limit, standing.remaining))
            .collect::<Vec<_>>()
    };
    let openai = [
        ("x-ratelimit-limit-requests", "5000"),
        ("x-ratelimit-remaining-requests", "4870"),
        ("x-ratelimit-reset-requests", "1.56s"),
        ("x-ratelimit-limit-tokens", "200000"),
        ("x-ratelimit-remaining-tokens", "500"),
        ("x-ratelimit-reset-tokens", "59.85s"),
    ];
    assert_eq!(
        read(&openai),
        [
            (Dimension::Requests, Period::Minute, Some(5000.0), Some(4870.0)),
            (Dimension::Tokens, Period::Minute, Some(200_000.0), Some(500.0)),
        ]
    );
    let groq = [
        ("x-ratelimit-limit-requests", "14400"),
        ("x-ratelimit-remaining-requests", "14370"),
        ("x-ratelimit-reset-requests", "2m59.56s"),
        ("x-ratelimit-limit-tokens", "18000"),
        ("x-ratelimit-remaining-tokens", "17997"),
        ("x-ratelimit-reset-tokens", "7.66ms"),
    ];
    assert_eq!(
        read(&groq),
        [
            (Dimension::Requests, Period::Day, Some(14_400.0), Some(14_370.0)),
            (Dimension::Tokens, Period::Minute, Some(18_000.0), Some(17_997.0)),
        ]
    );
    let anthropic = [
        ("anthropic-ratelimit-requests-limit", "1000"),
        ("anthropic-ratelimit-requests-remaining", "999"),
        ("anthropic-ratelimit-requests-reset", "2026-11-22T17:16:34Z"),
        ("anthropic-ratelimit-input-tokens-limit", "80000"),
        ("anthropic-ratelimit-input-tokens-remaining", "79000"),
        ("anthropic-ratelimit-output-tokens-limit", "16000"),
        ("anthropic-ratelimit-output-tokens-remaining", "16000"),
        ("anthropic-ratelimit-tokens-limit", "96000"),
        ("anthropic-ratelimit-tokens-remaining", "95000"),
    ];
    assert_eq!(
        read(&anthropic),
        [
            (Dimension::Requests, Period::Minute, Some(1000.0), Some(999.0)),
            (Dimension::InputTokens, Period::Minute, Some(80_000.0), Some(79_000.0)),
            (Dimension::OutputTokens, Period::Minute, Some(16_000.0), Some(16_000.0)),
        ]
    );
    let azure = [("x-ratelimit-remaining-requests", "7"), ("x-ratelimit-remaining-tokens", "900")];
    assert_eq!(
        read(&azure),
        [
            (Dimension::Requests, Period::Minute, None, Some(7.0)),
            (Dimension::Tokens, Period::Minute, None, Some(900.0)),
        ]
    );
    assert_eq!(read(&[("x-ratelimit-limit-requests", "many")]), []);
    assert_eq!(read(&[("retry-after", "1")]), []);
}

#[test]
fn the_most_exact_source_wins() {
    let all = [
        ("retry-after-ms", "210"),
        ("retry-after", "1"),
        ("x-ratelimit-remaining-tokens", "0"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    let words = "Rate limit reached. Please try again in 4.5s.";
    for (headers, expected) in [(&all[..], 0.21), (&all[1..], 1.0), (&all[2..], 4.5)] {
        assert_eq!(retry_after(&limited(headers), words), Some(Duration::from_secs_f64(expected)));
    }
    assert_eq!(retry_after(&limited(&all[2..]), ""), Some(Duration::from_mins(6)));
    let through_litellm = [("llm_provider-retry-after", "12")];
    assert_eq!(retry_after(&limited(&through_litellm), words), Some(Duration::from_secs(12)));
    assert_eq!(retry_after(&limited(&[]), "Please try again later."), None);
}
