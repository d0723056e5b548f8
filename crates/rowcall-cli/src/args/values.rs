//! Parsers for the values of options.

use std::num::NonZeroUsize;
use std::time::Duration;

use rowcall::{MOST_CONCURRENCY, MaxFailures, Price, Usd};
use serde_json::Value;

use super::Concurrency;

/// `2s`, `500ms`, `1m 30s`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = || Duration::try_from_secs_f64(text.parse().ok()?).ok();
    let parsed = humantime::parse_duration(text).ok().or_else(seconds);
    parsed.ok_or_else(|| "expected a time such as `90s`, `500ms` or `2m`".to_owned())
}

/// A time as `duration` reads it, above zero.
pub(super) fn deadline(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("expected a time above zero".to_owned()),
        time => Ok(time),
    }
}

/// An age such as `30d`. A bare number is refused, since its unit would be a guess.
pub(super) fn age(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|_| "expected an age such as `30d`, `12h` or `90m`".to_owned())
}

/// A size such as `500MB`: a number followed by `B`, `kB`, `MB`, `GB`, `KiB`, `MiB` or `GiB`, or a number of bytes.
pub(super) fn bytes(text: &str) -> Result<u64, String> {
    let expected = || "expected a size such as `500MB`, `2GiB` or a number of bytes".to_owned();
    let split =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1_u64,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(expected()),
    };
    let number: f64 = number.parse().map_err(|_| expected())?;
    Ok((number * factor as f64) as u64)
}

pub(super) fn usd(text: &str) -> Result<Usd, String> {
    Usd::parse(text).map_err(|problem| problem.message)
}

pub(super) fn max_failures(text: &str) -> Result<MaxFailures, String> {
    MaxFailures::parse(text).map_err(|problem| problem.message)
}

pub(super) fn price(text: &str) -> Result<Price, String> {
    Price::parse(text).map_err(|problem| problem.message)
}

pub(super) fn concurrency(text: &str) -> Result<Concurrency, String> {
    if text == "auto" {
        return Ok(Concurrency::Auto);
    }
    attempts(text).map(Concurrency::AtMost).map_err(|expected| format!("{expected}, or `auto`"))
}

/// A number of attempts in flight.
pub(super) fn attempts(text: &str) -> Result<NonZeroUsize, String> {
    let attempts = text.parse().ok().filter(|attempts: &NonZeroUsize| attempts.get() <= MOST_CONCURRENCY);
    attempts.ok_or_else(|| format!("expected a number from 1 to {MOST_CONCURRENCY}"))
}

pub(super) fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        // The text may be a credential, so it is not repeated.
        None => Err("expected `NAME: VALUE`".to_owned()),
    }
}

/// A value that is valid JSON is sent as JSON, any other as text.
pub(super) fn parameter(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            let parsed = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            Ok((name.trim().to_owned(), parsed))
        }
        Some(_) | None => Err("expected `NAME=VALUE`".to_owned()),
    }
}

/// The maximum tokens of an answer. The library checks the bounds; this only reads a number.
pub(super) fn output_tokens(text: &str) -> Result<u32, String> {
    whole(text, "expected a whole number from 1 to 10000000")
}

/// How often an attempt is retried.
pub(super) fn retries(text: &str) -> Result<u32, String> {
    whole(text, "expected a whole number from 0 to 1000")
}

/// How often an invalid answer is sent back.
pub(super) fn reasks(text: &str) -> Result<u32, String> {
    whole(text, "expected a whole number from 0 to 100")
}

fn whole(text: &str, expected: &str) -> Result<u32, String> {
    text.parse().map_err(|_| expected.to_owned())
}

/// A number of rows.
pub(super) fn rows(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "expected a whole number above 0".to_owned())
}

/// How many rows a batch may have.
pub(super) fn batch_rows(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| "expected a whole number above 0".to_owned())
}

/// How many rows of the input are read.
pub(super) fn row_limit(text: &str) -> Result<u64, String> {
    text.parse().ok().filter(|rows| *rows > 0).ok_or_else(|| "expected a whole number above 0".to_owned())
}

/// A temperature. The library checks the bounds; this only reads a number.
pub(super) fn temperature(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| "expected a number such as `0.7`".to_owned())
}
