//! Refusals for a daily quota in the words of several servers: a short wait that would not help is never waited out.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::fault::{Fault, FaultKind};
use crate::provider::Protocol;
use crate::provider::tests::ok;
use crate::request::Response;

fn refused(protocol: Protocol, body: &Value) -> Fault {
    let body = Bytes::from(body.to_string());
    protocol.decode(&Response { status: 429, body, ..ok("") }).expect_err("a refusal")
}

fn said(message: &str) -> Value {
    json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message}})
}

/// After the seconds that come with a daily quota, the next request would be refused, too.
#[test]
fn a_daily_quota_is_not_waited_for() {
    let quota = |id: &str| json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": id}]});
    let delay = json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "39s"});
    let day = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier");
    let google = |message: &str| json!({"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": message, "details": [day, delay]}});
    let (chat, gemini) = (Protocol::OpenAiChat, Protocol::Gemini);
    let anthropic = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Tokens have exceeded your daily rate limit, try again in 39s"}});
    for (protocol, body) in [
        (gemini, google("You exceeded your quota. Please retry in 39.1s.")),
        (gemini, google("You exceeded your current quota.")),
        (chat, google("You exceeded your quota. Please retry in 39.1s.")),
        (chat, google("You exceeded your current quota.")),
        (chat, said("Rate limit exceeded: free-models-per-day.")),
        (
            chat,
            said(
                "Rate limit exceeded: free-models-per-day. Add credits for 1000 requests per day, 20 per minute",
            ),
        ),
        // The wait is not the time to refill: with 200 requests a day, one is back in 7 min 12 s.
        (
            chat,
            said(
                "Rate limit reached for m on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 39s.",
            ),
        ),
        (
            chat,
            said(
                "Rate limit reached for m on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s. Visit us.",
            ),
        ),
        (
            chat,
            said(
                "Rate limit reached for m on tokens per day (TPD): Limit 100000, Used 99432, Requested 1234. Please try again in 9m35.4s.",
            ),
        ),
        (chat, said("Tokens per day limit exceeded - too many tokens processed.")),
        (
            chat,
            said(
                "Rate limit of 50 per 86400s exceeded for UserByModelByDay. Please wait 39 seconds before retrying.",
            ),
        ),
        (Protocol::Anthropic, anthropic),
    ] {
        let fault = refused(protocol, &body);
        assert_eq!((fault.kind, fault.retry_after), (FaultKind::Quota, None), "{fault}");
        assert!(fault.message.ends_with("(a daily quota, which is full again tomorrow)"), "{fault}");
        let asks_to_wait =
            ["39", "7m12s", "9m35", "Please"].iter().any(|words| fault.message.contains(words));
        assert!(!asks_to_wait, "{fault}");
    }
}

#[test]
fn a_wait_of_an_hour_or_more_is_kept() {
    let fault = refused(Protocol::OpenAiChat, &said("Daily limit reached. Please try again in 9h5m."));
    let wait = std::time::Duration::from_mins(9 * 60 + 5);
    assert_eq!((fault.kind, fault.retry_after), (FaultKind::Quota, Some(wait)));
    assert!(fault.to_string().ends_with("(it asks to wait 545 min)"), "{fault}");
}

/// With 10,000 requests a day, one is back in 8.64 s.
#[test]
fn a_quota_that_refills_quickly_is_waited_for() {
    let fault = refused(
        Protocol::OpenAiChat,
        &said(
            "Rate limit reached for m on requests per day (RPD): Limit 10000, Used 10000, Requested 1. Please try again in 8.64s.",
        ),
    );
    assert_eq!(fault.kind, FaultKind::RateLimit, "{fault}");
    assert_eq!(fault.retry_after.map(|wait| wait.as_secs_f64()), Some(8.64), "{fault}");
    assert!(
        fault.message.ends_with("has room for this request in 8.64 s and is full again tomorrow)"),
        "{fault}"
    );
    assert!(!fault.message.contains("try again in"), "{fault}");
}

#[test]
fn a_limit_per_minute_stays_one_although_the_message_mentions_a_day() {
    for message in [
        "Rate limit exceeded: free-models-per-min. Add credits to get 1000 requests per day.",
        "Rate limit reached on requests per min (RPM): Limit 3, Used 3, Requested 1. Please try again in 20s. \
         Your plan has 200 requests per day.",
    ] {
        let fault = refused(Protocol::OpenAiChat, &said(message));
        assert_eq!((fault.kind, &*fault.message), (FaultKind::RateLimit, message));
    }
}
