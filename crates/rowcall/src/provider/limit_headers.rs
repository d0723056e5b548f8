//! What a response's headers and error text say about waiting. Durations and dates are read here; what to do with them is
//! decided by `retry.rs`, and what they mean for others on the account by `admission/`.

use std::time::Duration;

use crate::request::Response;
use crate::standing::{Dimension, Period, Standing};

/// A server cannot mean a wait longer than this (a week); such a figure is a slip and treated as absent.
const LONGEST: f64 = 7.0 * 24.0 * 3600.0;

/// How long the server asks to wait, from the first of these that makes sense: `retry-after-ms`; `retry-after`, in seconds
/// (OpenAI sends whole ones, others fractions) or as a date; "try again in 210ms" in the `message`; the reset of a dimension
/// of which nothing remains. A time of nothing or less makes no sense, as in the official SDKs.
pub(crate) fn retry_after(response: &Response, message: &str) -> Option<Duration> {
    let in_header = |name: &str| response.header(name).map(str::trim);
    in_header("retry-after-ms")
        .and_then(|text| seconds(text).and_then(|ms| sensible(ms / 1000.0)))
        .or_else(|| {
            in_header("retry-after")
                .and_then(|text| seconds(text).and_then(sensible).or_else(|| until(text, response)))
        })
        .or_else(|| in_words(message))
        .or_else(|| ["requests", "tokens"].into_iter().find_map(|dimension| exhausted(response, dimension)))
}

/// How the account stands, by the headers of any response. Which there are depends on the provider; each is optional.
///
/// | headers | meaning |
/// |---|---|
/// | `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` | OpenAI's, sent by most; the reset is when the bucket is full. Groq's requests, and OpenAI's on low tiers, are per day, which shows in the reset; Azure sends only what remains |
/// | `x-ratelimit-…-project-tokens` | OpenAI's, where a project has a limit of its own |
/// | `anthropic-ratelimit-{requests,input-tokens,output-tokens}-{limit,remaining,reset}` | Anthropic's; remaining tokens are rounded to thousands, the reset is a time of day |
pub(crate) fn standings(response: &Response) -> Vec<Standing> {
    // Most servers send none, and looking for each name costs more than going through the names once.
    if !response.headers.keys().any(|name| name.as_str().contains("ratelimit")) {
        return Vec::new();
    }
    let number = |name: &str| seconds(response.header(name)?.trim()).filter(|number| number.is_finite());
    let mut standings = Vec::new();
    for (dimension, limit, remaining, reset) in OPENAI {
        let (limit, remaining) = (number(limit), number(remaining));
        if limit.is_none() && remaining.is_none() {
            continue;
        }
        let full_in = response.header(reset).and_then(go_duration);
        let period = period(limit, remaining, full_in);
        standings.push(Standing { dimension, period, limit, remaining, full_in, exact_to: 1.0 });
    }
    for (dimension, limit, remaining) in ANTHROPIC {
        let (limit, remaining) = (number(limit), number(remaining));
        if limit.is_none() && remaining.is_none() {
            continue;
        }
        let is_rounded =
            dimension != Dimension::Requests && remaining.is_some_and(|left| left % 1000.0 == 0.0);
        let exact_to = if is_rounded { 1000.0 } else { 1.0 };
        let period = Period::Minute;
        standings.push(Standing { dimension, period, limit, remaining, full_in: None, exact_to });
    }
    standings
}

/// The names are written out, since they are looked for with every response.
const OPENAI: [(Dimension, &str, &str, &str); 3] = [
    (
        Dimension::Requests,
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ),
    (
        Dimension::Tokens,
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ),
    (
        Dimension::Tokens,
        "x-ratelimit-limit-project-tokens",
        "x-ratelimit-remaining-project-tokens",
        "x-ratelimit-reset-project-tokens",
    ),
];

const ANTHROPIC: [(Dimension, &str, &str); 3] = [
    (Dimension::Requests, "anthropic-ratelimit-requests-limit", "anthropic-ratelimit-requests-remaining"),
    (
        Dimension::InputTokens,
        "anthropic-ratelimit-input-tokens-limit",
        "anthropic-ratelimit-input-tokens-remaining",
    ),
    (
        Dimension::OutputTokens,
        "anthropic-ratelimit-output-tokens-limit",
        "anthropic-ratelimit-output-tokens-remaining",
    ),
];

/// The time for which a limit is given, told by how long it takes for what is in use to flow in again: with 10,000 a day one request
/// is back in 8.64 s, with 10,000 a minute in 6 ms.
fn period(limit: Option<f64>, remaining: Option<f64>, full_in: Option<Duration>) -> Period {
    let (Some(limit), Some(remaining), Some(full_in)) = (limit, remaining, full_in) else {
        return Period::Minute;
    };
    let per_minute = (limit - remaining).max(1.0) / limit.max(1.0) * 60.0;
    if full_in.as_secs_f64() > 30.0 * per_minute { Period::Day } else { Period::Minute }
}

/// A duration as Go prints it and OpenAI sends it: `20ms`, `8.64s`, `6m0s`, `1h2m3.5s`. `None` for anything else.
fn go_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (value, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) =
            after.split_at(after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len()));
        let scale = match unit {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += value.parse::<f64>().ok()? * scale;
        rest = after;
    }
    Duration::try_from_secs_f64(seconds).ok()
}

fn seconds(text: &str) -> Option<f64> {
    text.parse().ok()
}

fn sensible(seconds: f64) -> Option<Duration> {
    (seconds > 0.0 && seconds <= LONGEST).then(|| Duration::from_secs_f64(seconds))
}

/// The time from the receipt of the response to a date.
fn until(date: &str, response: &Response) -> Option<Duration> {
    let date = httpdate::parse_http_date(date).ok()?;
    sensible(date.duration_since(response.received).ok()?.as_secs_f64())
}

fn in_words(message: &str) -> Option<Duration> {
    let after = message.split_once("try again in ").or_else(|| message.split_once("retry in "))?.1;
    let word = after.split_whitespace().next()?.trim_end_matches(['.', ',']);
    sensible(go_duration(word)?.as_secs_f64())
}

fn exhausted(response: &Response, dimension: &str) -> Option<Duration> {
    let remaining = response.header(&format!("x-ratelimit-remaining-{dimension}"))?;
    let reset = response.header(&format!("x-ratelimit-reset-{dimension}"))?;
    if response.status != 429 || seconds(remaining.trim())? > 0.0 {
        return None;
    }
    sensible(go_duration(reset)?.as_secs_f64())
}

#[cfg(test)]
mod tests {
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
    fn retry_after_is_read_as_in_the_vectors_where_it_makes_sense() {
        for case in cases("retry_after") {
            let headers: Vec<_> = case["headers"].as_object().expect("headers").iter().collect();
            let headers: Vec<_> =
                headers.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect();
            let read = retry_after(&limited(&headers), "").map(|wait| wait.as_secs_f64());
            // Times of nothing or less, no number, and infinite ones are treated as absent; dates have tests of their own.
            let expected = case["anthropic_seconds"].as_f64().filter(|&seconds| seconds > 0.0);
            if case["anthropic_seconds"] != "date" {
                assert_eq!(read, expected, "{}", case["id"]);
            }
        }
    }

    #[test]
    fn a_date_counts_from_the_receipt_and_not_if_it_is_past() {
        let at = |date| retry_after(&limited(&[("retry-after", date)]), "");
        assert_eq!(at("Sun, 22 Nov 2026 17:00:20 GMT"), Some(Duration::from_secs(20)));
        assert_eq!(at("Sun, 22 Nov 2020 17:00:00 GMT"), None);
        assert_eq!(at("Sun, 22 Nov 2043 17:00:00 GMT"), None);
    }

    #[test]
    fn each_providers_headers_are_read_in_its_meaning() {
        let told = |headers: &[(&str, &str)]| {
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
            told(&openai),
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
            told(&groq),
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
            told(&anthropic),
            [
                (Dimension::Requests, Period::Minute, Some(1000.0), Some(999.0)),
                (Dimension::InputTokens, Period::Minute, Some(80_000.0), Some(79_000.0)),
                (Dimension::OutputTokens, Period::Minute, Some(16_000.0), Some(16_000.0)),
            ]
        );
        let azure = [("x-ratelimit-remaining-requests", "7"), ("x-ratelimit-remaining-tokens", "900")];
        assert_eq!(
            told(&azure),
            [
                (Dimension::Requests, Period::Minute, None, Some(7.0)),
                (Dimension::Tokens, Period::Minute, None, Some(900.0)),
            ]
        );
        assert_eq!(told(&[("x-ratelimit-limit-requests", "many")]), []);
        assert_eq!(told(&[("retry-after", "1")]), []);
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
        assert_eq!(retry_after(&limited(&[]), "Please try again later."), None);
    }
}
