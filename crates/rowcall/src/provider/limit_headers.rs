//! Waits and rate limits in a response's headers and error text. This module parses durations and dates; `retry.rs` decides how to
//! react, and `admission/` what they mean for the rest of the account.

use std::time::Duration;

use http::HeaderValue;

use crate::request::Response;
use crate::standing::{Dimension, Period, Standing};

/// The longest plausible wait (a week), in seconds; a longer one is a mistake of the server and ignored.
const LONGEST: f64 = 7.0 * 24.0 * 3600.0;

/// How long the server asks to wait, from the first plausible one of these: its headers ([`in_headers`]); "try again in 210ms" in
/// the `message`; the reset of a dimension of which nothing remains. As in the official SDKs, zero and negative waits are ignored.
pub(crate) fn retry_after(response: &Response, message: &str) -> Option<Duration> {
    in_headers(response)
        .or_else(|| in_words(message))
        .or_else(|| ["requests", "tokens"].into_iter().find_map(|dimension| exhausted(response, dimension)))
}

/// LiteLLM passes on its upstream's header under another name.
const RETRY_AFTER: [&str; 2] = ["retry-after", "llm_provider-retry-after"];

/// The wait in the headers `retry-after-ms` or `retry-after`, the latter in seconds (whole ones from OpenAI, fractions from others)
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

/// A wait as in Google's `RetryInfo`, in seconds with a unit: `46s`, `0.812500s`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    sensible(go_duration(text)?.as_secs_f64())
}

/// Whether a wait is long enough to be for a daily quota: an hour or more.
pub(super) fn is_for_long(wait: Duration) -> bool {
    wait >= Duration::from_hours(1)
}

/// The account's rate limits and what remains of them, from the headers of any response. Each header is optional and depends on the provider.
///
/// | headers | meaning |
/// |---|---|
/// | `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` | OpenAI's, sent by most; the reset is when the bucket is full. Groq's requests, and OpenAI's on low tiers, are per day, as the reset shows; Azure sends only the remaining amount |
/// | `x-ratelimit-…-project-tokens` | OpenAI's, where a project has its own limit |
/// | `anthropic-ratelimit-{requests,input-tokens,output-tokens}-{limit,remaining}` | Anthropic's; remaining tokens are rounded to thousands |
pub(crate) fn standings(response: &Response) -> Vec<Standing> {
    let (mut openai, mut anthropic) = ([Headers::default(); 3], [Headers::default(); 3]);
    let mut are_there = false;
    // One pass over all headers costs less than looking each of the fifteen up, most of which no server sends.
    for (name, value) in &response.headers {
        let header = match Family::of(name.as_str()) {
            Some((Family::OpenAi, name)) => openai_header(&mut openai, name),
            Some((Family::Anthropic, name)) => anthropic_header(&mut anthropic, name),
            None => None,
        };
        if let Some(header) = header {
            header.get_or_insert(value);
            are_there = true;
        }
    }
    if !are_there {
        return Vec::new();
    }
    let mut standings = Vec::new();
    for ((dimension, _), headers) in OPENAI.into_iter().zip(openai) {
        let (limit, remaining) = (number(headers.limit), number(headers.remaining));
        if limit.is_none() && remaining.is_none() {
            continue;
        }
        let full_in = text(headers.reset).and_then(go_duration);
        let period = period(limit, remaining, full_in);
        standings.push(Standing { dimension, period, limit, remaining, full_in, exact_to: 1.0 });
    }
    for ((dimension, _), headers) in ANTHROPIC.into_iter().zip(anthropic) {
        let (limit, remaining) = (number(headers.limit), number(headers.remaining));
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

/// Whose names a header about a limit has.
enum Family {
    OpenAi,
    Anthropic,
}

impl Family {
    /// The family of a header about a limit, with the rest of its name.
    fn of(name: &str) -> Option<(Self, &str)> {
        let openai = name.strip_prefix("x-ratelimit-").map(|rest| (Self::OpenAi, rest));
        openai.or_else(|| Some((Self::Anthropic, name.strip_prefix("anthropic-ratelimit-")?)))
    }
}

/// The headers about one limit, as far as they came; of several with the same name, the first.
#[derive(Debug, Clone, Copy, Default)]
struct Headers<'a> {
    limit: Option<&'a HeaderValue>,
    remaining: Option<&'a HeaderValue>,
    reset: Option<&'a HeaderValue>,
}

/// What is limited, and its name in OpenAI's headers.
const OPENAI: [(Dimension, &str); 3] =
    [(Dimension::Requests, "requests"), (Dimension::Tokens, "tokens"), (Dimension::Tokens, "project-tokens")];

/// The same for Anthropic's.
const ANTHROPIC: [(Dimension, &str); 3] = [
    (Dimension::Requests, "requests"),
    (Dimension::InputTokens, "input-tokens"),
    (Dimension::OutputTokens, "output-tokens"),
];

/// The place of `x-ratelimit-{name}`.
fn openai_header<'h, 'a>(
    limits: &'h mut [Headers<'a>; 3],
    name: &str,
) -> Option<&'h mut Option<&'a HeaderValue>> {
    let (which, of) = name.split_once('-')?;
    let headers = of_limit(&OPENAI, limits, of)?;
    match which {
        "limit" => Some(&mut headers.limit),
        "remaining" => Some(&mut headers.remaining),
        "reset" => Some(&mut headers.reset),
        _ => None,
    }
}

/// The place of `anthropic-ratelimit-{name}`. Their resets are not used.
fn anthropic_header<'h, 'a>(
    limits: &'h mut [Headers<'a>; 3],
    name: &str,
) -> Option<&'h mut Option<&'a HeaderValue>> {
    let (of, which) = name.rsplit_once('-')?;
    let headers = of_limit(&ANTHROPIC, limits, of)?;
    match which {
        "limit" => Some(&mut headers.limit),
        "remaining" => Some(&mut headers.remaining),
        _ => None,
    }
}

fn of_limit<'h, 'a>(
    names: &[(Dimension, &str); 3],
    limits: &'h mut [Headers<'a>; 3],
    of: &str,
) -> Option<&'h mut Headers<'a>> {
    names.iter().zip(limits).find(|((_, name), _)| *name == of).map(|(_, headers)| headers)
}

/// A header's text; it may go beyond ASCII, see [`Response::header`].
fn text(value: Option<&HeaderValue>) -> Option<&str> {
    std::str::from_utf8(value?.as_bytes()).ok()
}

fn number(value: Option<&HeaderValue>) -> Option<f64> {
    seconds(text(value)?.trim()).filter(|number| number.is_finite())
}

/// The period of a limit, inferred from how long the used part takes to refill: with 10,000 a day one request is back in 8.64 s,
/// with 10,000 a minute in 6 ms.
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
