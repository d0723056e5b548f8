//! `retry_and_limits.json`: durations as Go prints them, headers that ask for a wait, what is retried by status and
//! headers alone, and the backoff.

use std::time::{Duration, SystemTime};

use rowcall::provider::Protocol;
use rowcall::retry::{self, Decision, RetryPolicy, Tried};
use rowcall::{Fault, FaultKind};
use serde_json::Value;

use super::case::{
    Case, Difference, LONGEST, OVER_A_WEEK, RECEIVED, Verdict, fault, header, response, retried,
};

/// Checks a case by its `kind`.
pub(super) fn judge(case: Case<'_>) -> Result<Verdict, String> {
    let differences = match case.text("/kind")? {
        "go_duration" => go_duration(case)?,
        "retry_after" => retry_after(case)?,
        "should_retry" => should_retry(case)?,
        "backoff_range" => backoff_range(case)?,
        kind => return Ok(Verdict::Skipped(format!("kind `{kind}` is not judged yet"))),
    };
    Ok(Verdict::Judged(differences.into_iter().collect()))
}

/// Reads a duration as the header in which OpenAI sends it.
fn go_duration(case: Case<'_>) -> Result<Option<Difference>, String> {
    let (input, expected) = (case.text("/input")?, seconds(case, "/seconds")?);
    let mut limited = response(429, "");
    limited.headers.extend([
        header("x-ratelimit-remaining-requests", "0").map(|(name, value)| (Some(name), value))?,
        header("x-ratelimit-reset-requests", input).map(|(name, value)| (Some(name), value))?,
    ]);
    Ok(compared(&[expected], fault(Protocol::OpenAiChat, &limited).and_then(|fault| fault.retry_after)))
}

/// The SDKs disagree about waits that make no sense; agreeing with one of them is enough.
fn retry_after(case: Case<'_>) -> Result<Option<Difference>, String> {
    let theirs = [seconds(case, "/anthropic_seconds")?, seconds(case, "/openai_seconds")?];
    let limited =
        Case(&serde_json::json!({"status": 429, "headers": case.get("/headers")})).response(Some(""))?;
    Ok(compared(&theirs, fault(Protocol::OpenAiChat, &limited).and_then(|fault| fault.retry_after)))
}

/// A wait in seconds as the vectors write it; `None` for a missing one, a past one or one that is not a number.
fn seconds(case: Case<'_>, pointer: &str) -> Result<Option<f64>, String> {
    let seconds = match case.get(pointer) {
        Some(Value::Null) => return Ok(None),
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(word)) if word == "date" => Some(until(case.text("/headers/retry-after")?)?),
        // Not every number can be written in JSON.
        Some(Value::String(word)) => word.parse().ok(),
        Some(Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => None,
    };
    let seconds = seconds.ok_or_else(|| format!("no number of seconds at `{pointer}`"))?;
    Ok(Some(seconds).filter(|seconds| *seconds > 0.0))
}

/// Seconds from the receipt to a date, negative if it is past.
fn until(date: &str) -> Result<f64, String> {
    let date = httpdate::parse_http_date(date).map_err(|_| format!("`{date}` is not a date"))?;
    let since_epoch = date.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Ok(since_epoch.as_secs_f64() - RECEIVED.as_secs_f64())
}

/// The difference between each of `theirs` and ours.
fn compared(theirs: &[Option<f64>], ours: Option<Duration>) -> Option<Difference> {
    let ours = ours.map(|wait| wait.as_secs_f64());
    let agrees = |theirs: &Option<f64>| match (theirs, ours) {
        (None, None) => true,
        // A `Duration` has a precision of one nanosecond.
        (Some(theirs), Some(ours)) => (theirs - ours).abs() < 2e-9_f64.max(theirs * 1e-12),
        (None, Some(_)) | (Some(_), None) => false,
    };
    if theirs.iter().any(agrees) {
        return None;
    }
    let words =
        |wait: Option<f64>| wait.map_or("no wait".to_owned(), |seconds| format!("a wait of {seconds} s"));
    let mut expected: Vec<String> = theirs.iter().map(|wait| words(*wait)).collect();
    expected.dedup();
    let is_too_long = ours.is_none() && theirs.iter().flatten().any(|seconds| *seconds > LONGEST);
    Some(Difference::new(expected.join(" or "), words(ours)).special(is_too_long.then_some(OVER_A_WEEK)))
}

/// Whether status and headers alone are a reason to retry; if the status is a success, after a complete answer.
fn should_retry(case: Case<'_>) -> Result<Option<Difference>, String> {
    const ANSWER: &str = r#"{"choices":[{"message":{"content":"{}"},"finish_reason":"stop"}]}"#;
    let theirs = case.truth("/openai")?.ok_or("neither true nor false at `/openai`")?;
    let is_success = case.response(Some(""))?.is_success();
    let answered = case.response(Some(if is_success { ANSWER } else { "" }))?;
    Ok(retried(theirs, fault(Protocol::OpenAiChat, &answered).as_ref()))
}

/// The range of the wait before the retry with this index, counted from 0.
fn backoff_range(case: Case<'_>) -> Result<Option<Difference>, String> {
    let number =
        |pointer: &str| case.get(pointer).and_then(Value::as_f64).ok_or(format!("no number at `{pointer}`"));
    let theirs = (number("/min_s")?, number("/max_s")?);
    let index = case.get("/retry_index").and_then(Value::as_u64).and_then(|index| u32::try_from(index).ok());
    let faults = index.ok_or("no number at `/retry_index`")?.saturating_add(1);
    let waited = |random| {
        let (fault, tried) = (Fault::new(FaultKind::Server, ""), Tried { faults, ..Tried::default() });
        let policy = RetryPolicy { retries: u32::MAX, ..RetryPolicy::default() };
        match retry::decide(&fault, tried, policy, random) {
            Decision::Retry(wait) => Some(wait.as_secs_f64()),
            Decision::GiveUp | Decision::Stop => None,
        }
    };
    let Some(ours) = waited(0.0).zip(waited(1.0)) else {
        return Ok(Some(Difference::new("a retry", "none")));
    };
    let is_same = |theirs: f64, ours: f64| (theirs - ours).abs() < 1e-9;
    if is_same(theirs.0, ours.0) && is_same(theirs.1, ours.1) {
        return Ok(None);
    }
    let words = |(least, most)| format!("a wait of {least} to {most} s");
    Ok(Some(Difference::new(words(theirs), words(ours))))
}
