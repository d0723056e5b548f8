//! A daily quota that is used up: how servers report it, and how to read the wait that they ask for. How to react is decided in
//! `retry.rs`.

use std::time::Duration;

use super::limit_headers;
use crate::fault::{Fault, FaultKind};

/// Words that can only mean a daily quota, in lower case: Google has `GenerateRequestsPerDay…`, GitHub `ByDay`, OpenRouter
/// `free-models-per-day`.
const NAMED: &[&str] =
    &["perday", "byday", "per-day", "daily limit", "daily quota", "daily rate limit", "per 86400s"];

/// Words that also occur in advice on how to get more requests per day, so they count only if no minute is named: OpenAI, Groq,
/// Cerebras.
const SPOKEN_OF: &[&str] = &["per day", "/ day", "(rpd)", "(tpd)", "daily"];

const MINUTE: &[&str] = &["per min", "per-min", "permin", "/ min", "(rpm)", "(tpm)"];

/// Phrases with which a message asks to wait.
const WAIT: &[&str] = &["try again in ", "retry in ", "retry after ", "try again after ", "please wait "];

/// The longest wait for one request's worth of a quota that refills continuously at which a run still makes progress.
const WORTH_WAITING: Duration = Duration::from_mins(1);

const DAY: f64 = 24.0 * 3600.0;

/// Whether a body says that a daily quota is used up.
pub(super) fn is_in(body: &str) -> bool {
    let text = body.to_ascii_lowercase();
    let says = |any: &[&str]| any.iter().any(|words| text.contains(words));
    says(NAMED) || says(SPOKEN_OF) && !says(MINUTE)
}

/// The same fault as one of a daily quota. A short wait does not help, unless the message's own figures show that it refills enough.
pub(super) fn used_up(fault: Fault) -> Fault {
    if fault.retry_after.is_some_and(limit_headers::is_for_long) {
        return Fault { kind: FaultKind::Quota, ..fault };
    }
    let message = without_wait(&fault.message);
    let refill =
        fault.retry_after.filter(|wait| *wait <= WORTH_WAITING && is_refill_time(&fault.message, *wait));
    if let Some(wait) = refill {
        let seconds = (wait.as_secs_f64() * 100.0).round() / 100.0;
        let message = format!(
            "{message} (a daily quota, which has room for this request in {seconds} s and is full again tomorrow)"
        );
        return Fault { message, ..fault };
    }
    let message = format!("{message} (a daily quota, which is full again tomorrow)");
    Fault { kind: FaultKind::Quota, message, retry_after: None, ..fault }
}

/// Whether a wait is the time in which the quota refills by what the message says is missing, as in `Limit 10000, Used 10000, Requested 1`.
fn is_refill_time(message: &str, wait: Duration) -> bool {
    let text = message.to_ascii_lowercase();
    let figure = |name: &str| {
        text.split(name)
            .skip(1)
            .find_map(|after| after.split(|c: char| !c.is_ascii_digit()).next()?.parse::<f64>().ok())
    };
    let (Some(limit), Some(used), Some(requested)) =
        (figure("limit "), figure("used "), figure("requested "))
    else {
        return false;
    };
    let refill = (used + requested - limit) / limit * DAY;
    // Headers are in whole seconds.
    (wait.as_secs_f64() - refill).abs() <= 1.0 + refill / 20.0
}

/// A message without its request to wait.
fn without_wait(message: &str) -> String {
    let text = message.to_ascii_lowercase();
    let Some(start) = WAIT.iter().filter_map(|words| text.find(words)).min() else {
        return message.to_owned();
    };
    let (before, rest) = message.split_at(start);
    let after = rest.split_once(". ").map_or("", |(_, after)| after);
    let before = before.trim_end();
    let before = before.strip_suffix("Please").or_else(|| before.strip_suffix("please")).unwrap_or(before);
    let before = before.trim_end_matches([' ', ',', ';', ':']);
    format!("{before} {after}").trim().to_owned()
}

#[cfg(test)]
mod tests;
