//! What servers say about tokens and tiers, and what that does to costs and budgets, over real sockets.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rowcall::{Client, Error, Extractor, Price, Prices, RetryPolicy, Schema, Usd};
use serde_json::{Value, json};

use crate::connections::{Server, head, take_request};

/// A server that gives everyone this answer, with the number of requests that it has answered.
fn server(answer: &Value) -> (Server, Arc<AtomicU64>) {
    let requests = Arc::new(AtomicU64::new(0));
    let (counter, answer) = (Arc::clone(&requests), answer.to_string());
    let server = Server::new(move |_, mut stream| {
        while take_request(&mut stream).is_some() {
            counter.fetch_add(1, Ordering::SeqCst);
            let _ = write!(stream, "{}{answer}", head(answer.len()));
        }
    });
    (server, requests)
}

fn usd(text: &str) -> Usd {
    Usd::parse(text).expect("an amount")
}

fn chat(usage: &Value, tier: &str) -> Value {
    json!({
        "choices": [{"message": {"role": "assistant", "content": "{\"age\":30}"}, "finish_reason": "stop"}],
        "usage": usage,
        "service_tier": tier,
    })
}

const PRICES: &str = r#"{"providers": {
    "openai": {"m": {"prices": [{"i": 150000, "o": 600000}, {"for": "batch", "i": 75000, "o": 300000},
        {"for": "priority", "i": 300000, "o": 1200000}]}},
    "google": {"m": {"prices": [{"i": 150000, "o": 600000}, {"for": "priority", "i": 300000, "o": 1200000}]}}}}"#;

/// Asks with a budget of $0.05 and answers of at most 1,000 tokens.
fn ages(model: &str, base_url: &str, tier: Option<&str>) -> Extractor<Value> {
    let client = Client::builder(model).base_url(base_url).api_key("sk-unused").concurrency(8);
    let client = client.prices(Prices::parse(PRICES).expect("a table")).budget(usd("0.05"));
    let client = client.build().expect("a client");
    let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).max_output_tokens(1_000);
    let ages = match tier {
        Some(tier) => ages.parameter("service_tier", tier),
        None => ages,
    };
    // A retry would wait.
    let ages = ages.retry(RetryPolicy { retries: 0, ..RetryPolicy::default() });
    ages.prompt("{{ text }}").expect("an extractor")
}

fn rows() -> Vec<String> {
    (0..60).map(|age| format!("Ann is {age}")).collect()
}

/// OpenAI and Azure serve requests without a tier, or with `auto`, as the account is set.
#[tokio::test]
async fn an_answer_in_a_dearer_tier_that_the_account_may_be_set_to_does_not_exceed_the_budget() {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 1_000, "total_tokens": 1_100});
    for tier in [None, Some("auto")] {
        let (server, requests) = server(&chat(&usage, "priority"));
        let dir = tempfile::tempdir().expect("a folder");
        // Nor is it exceeded by a run that is resumed.
        for _ in 0..3 {
            let ages = ages("openai/m", &server.base_url, tier)
                .journal(dir.path().join("journal"))
                .expect("a journal");
            let error = ages.gather(rows()).await.expect_err("it is not enough");
            let message = error.to_string();
            assert!(message.contains("the budget of $0.05 is used up"), "{message}");
            let bill = usd("0.00123").times(requests.load(Ordering::SeqCst));
            assert!((usd("0.047")..=usd("0.05")).contains(&bill), "{bill}");
        }
    }
}

#[tokio::test]
async fn an_unexpected_tier_is_named() {
    let (google, requests) = server(&json!({
        "candidates": [{"content": {"parts": [{"text": "{\"age\":30}"}]}, "finishReason": "STOP"}],
        "usageMetadata": {"promptTokenCount": 100, "candidatesTokenCount": 1_000, "totalTokenCount": 1_100,
            "serviceTier": "priority"},
    }));
    let ages = ages("google/m", &google.base_url.replace("/v1", "/v1beta"), None).concurrency(1);
    let Err(Error::Limit(problem)) = ages.gather(rows()).await else { panic!("it goes on") };
    let expected = "a request cost $0.00123, expected at most $0.00";
    assert!(problem.message.starts_with(expected), "{}", problem.message);
    assert!(
        problem.message.contains("in the tier `priority`, which it did not ask for"),
        "{}",
        problem.message
    );
    assert_eq!(requests.load(Ordering::SeqCst), 1);

    let usage = json!({"prompt_tokens": 100, "completion_tokens": 10});
    let (openai, _) = server(&chat(&usage, "scale"));
    let Err(Error::Limit(problem)) = self::ages("openai/m", &openai.base_url, None).gather(rows()).await
    else {
        panic!("it goes on")
    };
    assert!(problem.message.contains("in the tier `scale`, which has no price"), "{}", problem.message);
}

/// Counts that cannot be right say nothing about the cost, except that it is at most what the request can take.
#[tokio::test]
async fn the_cost_of_an_answer_with_impossible_counts_is_bounded_but_unknown() {
    let usage =
        |prompt: Value, completion: Value| json!({"prompt_tokens": prompt, "completion_tokens": completion});
    let with = |name: &str, value: Value| {
        let mut usage = usage(json!(100), json!(10));
        usage[name] = value;
        usage
    };
    for (usage, known) in [
        (usage(json!(100), json!(10)), true),
        (with("total_tokens", json!(110)), true),
        (with("prompt_tokens_details", json!({"cached_tokens": 100})), true),
        // xAI counts reasoning beside the answer.
        (
            json!({"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 115,
                "completion_tokens_details": {"reasoning_tokens": 5}}),
            true,
        ),
        (Value::Null, false),
        (usage(json!(0), json!(0)), false),
        (usage(json!(0), json!(10)), false),
        (usage(json!(100), json!(0)), false),
        (usage(json!(100), Value::Null), false),
        (usage(Value::Null, json!(10)), false),
        (usage(json!(-1), json!(10)), false),
        (with("total_tokens", json!(109)), false),
        (with("total_tokens", json!(5_000)), false),
        (with("prompt_tokens_details", json!({"cached_tokens": 101})), false),
        (with("completion_tokens_details", json!({"reasoning_tokens": 11})), false),
        (usage(json!(u64::MAX), json!(u64::MAX)), false),
    ] {
        let (server, _) = server(&chat(&usage, "default"));
        let client = Client::builder("vllm/m").base_url(&server.base_url);
        let client = client.price(Price::parse("in=1,out=2").expect("a price")).build().expect("a client");
        let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).max_output_tokens(100);
        let ages = ages.prompt("{{ text }}").expect("an extractor");
        let outcomes = ages.gather_outcomes(["Ann is 30"]).await.expect("an outcome");
        let cost = outcomes[0].effort.cost;
        assert!(outcomes[0].result.is_ok());
        if known {
            assert!(cost.exact().is_some_and(|cost| cost >= usd("0.00012")), "{usage}: {cost}");
        } else {
            let ceiling = cost.ceiling().expect("it is bounded");
            assert_eq!((cost.exact(), cost.known, cost.unknown), (None, Usd::ZERO, 1), "{usage}");
            assert!(ceiling >= usd("0.002"), "{usage}: {cost}");
            assert_eq!(ages.stats().cost, cost);
        }
    }
}

/// A server that bills a request and then breaks the connection, which has served another one just before: the request is not sent again
/// without its cost being reserved again.
#[tokio::test]
async fn requests_that_break_on_used_connections_do_not_exceed_the_budget() {
    let requests = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&requests);
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 1_000, "total_tokens": 1_100});
    let answer = chat(&usage, "default").to_string();
    let server = Server::new(move |_, mut stream| {
        for nth in 0..2 {
            if take_request(&mut stream).is_some() {
                counter.fetch_add(1, Ordering::SeqCst);
                if nth == 0 {
                    let _ = write!(stream, "{}{answer}", head(answer.len()));
                }
            }
        }
    });
    let ages = ages("openai/m", &server.base_url, Some("default"));
    let rows = (0..200).map(|age| format!("Ann is {age}"));
    let Err(Error::Limit(problem)) = ages.gather_outcomes(rows).await else { panic!("it is enough") };
    assert!(
        problem.message.contains("requests without an answer may have cost up to"),
        "{}",
        problem.message
    );
    let bill = usd("0.000615").times(requests.load(Ordering::SeqCst));
    assert!(bill <= usd("0.05"), "{bill}");
    let stats = ages.stats();
    assert_eq!(stats.requests, requests.load(Ordering::SeqCst), "each one counts");
    assert!(
        stats.cost.unknown > 5 && stats.cost.ceiling().is_some_and(|most| most <= usd("0.05")),
        "{}",
        stats.cost
    );
}
