//! What a response's headers and error text say about waiting. Durations and dates are read here; what to do with them is
//! decided by `retry.rs`, and what they mean for others on the account by `admission/`.

use std::time::Duration;

use crate::request::Response;
use crate::standing::{Dimension, Period, Standing};

/// A server cannot mean a wait longer than this (a week); such a figure is a slip and treated as absent.
const LONGEST: f64 = 7.0 * 24.0 * 3600.0;

/// How long the server asks to wait, from the first of these that makes sense: its headers ([`in_headers`]); "try again in 210ms" in
/// the `message`; the reset of a dimension of which nothing remains. A time of nothing or less makes no sense, as in the official
/// SDKs.
pub(crate) fn retry_after(response: &Response, message: &str) -> Option<Duration> {
    in_headers(response)
        .or_else(|| in_words(message))
        .or_else(|| ["requests", "tokens"].into_iter().find_map(|dimension| exhausted(response, dimension)))
}

/// LiteLLM passes its upstream's on under a name of its own.
const RETRY_AFTER: [&str; 2] = ["retry-after", "llm_provider-retry-after"];

/// How long the headers for it ask to wait: `retry-after-ms`, or `retry-after`, in seconds (OpenAI sends whole ones, others fractions)
/// or as a date.
pub(super) fn in_headers(response: &Response) -> Option<Duration> {
    let in_header = |name: &str| response.header(name).map(str::trim);
    let in_milliseconds = in_header("retry-after-ms").and_then(seconds).and_then(|ms| sensible(ms / 1000.0));
    in_milliseconds.or_else(|| {
        RETRY_AFTER.into_iter().find_map(|name| {
            let text = in_header(name)?;
            seconds(text).and_then(sensible).or_else(|| until(text, response))
        })
    })
}

/// A wait as Google's `RetryInfo` has it, in seconds with a unit: `46s`, `0.812500s`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    sensible(go_duration(text)?.as_secs_f64())
}

/// Whether a wait is as long as one for a day's quota would be: an hour or more.
pub(super) fn is_for_long(wait: Duration) -> bool {
    wait >= Duration::from_hours(1)
}

/// How the account stands, by the headers of any response. Which there are depends on the provider; each is optional.
///
/// | headers | meaning |
/// |---|---|
/// | `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` | OpenAI's, sent by most; the reset is when the bucket is full. Groq's requests, and OpenAI's on low tiers, are per day, which shows in the reset; Azure sends only what remains |
/// | `x-ratelimit-…-project-tokens` | OpenAI's, where a project has a limit of its own |
/// | `anthropic-ratelimit-{requests,input-tokens,output-tokens}-{limit,remaining}` | Anthropic's; remaining tokens are rounded to thousands |
pub(crate) fn standings(response: &Response) -> Vec<Standing> {
    // Most servers send none of fifteen names, which going through theirs once shows.
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
    duration(after.split_whitespace().next()?.trim_end_matches(['.', ',']))
}

fn exhausted(response: &Response, dimension: &str) -> Option<Duration> {
    let remaining = response.header(&format!("x-ratelimit-remaining-{dimension}"))?;
    let reset = response.header(&format!("x-ratelimit-reset-{dimension}"))?;
    if response.status != 429 || seconds(remaining.trim())? > 0.0 {
        return None;
    }
    duration(reset)
}

#[cfg(test)]
mod tests;
