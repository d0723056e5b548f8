//! The simulator over a real socket, tested with a client that knows only HTTP.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, also in what its cases share")]
#![expect(clippy::disallowed_methods, reason = "the simulator runs on another thread, by the wall clock")]

mod wire;

use std::io;
use std::time::{Duration, Instant};

use rowcall_sim::quota::Limits;
use rowcall_sim::{
    Counting, ErrorBody, Fault, FaultKind, Latency, Moment, Options, Scenario, SimError, Simulator, Span,
    StatusFault,
};
use serde_json::{Value, json};
use wire::{Answer, Client};

fn start(scenario: Scenario) -> Simulator {
    Simulator::start(scenario, Options::default()).unwrap()
}

fn instant() -> Scenario {
    Scenario::instant("a test")
}

fn with_fault(kind: FaultKind) -> Simulator {
    start(instant().with_fault(Fault::new(kind, 1.0)))
}

fn person(text: &str) -> Value {
    json!({
        "model": "gpt-test",
        "messages": [{ "role": "system", "content": "Extract the person." }, { "role": "user", "content": text }],
        "response_format": { "type": "json_schema", "json_schema": { "name": "person", "strict": true, "schema": {
            "type": "object",
            "properties": { "name": { "type": "string" }, "age": { "type": "integer" }, "occupation": { "type": "string" } },
            "required": ["name", "age", "occupation"],
            "additionalProperties": false,
        } } },
    })
}

fn content(answer: &Answer) -> Value {
    let text = answer.json()["choices"][0]["message"]["content"].as_str().unwrap().to_owned();
    serde_json::from_str(&text).unwrap()
}

/// The scenario begins with the first request, so its answer may be lost in the outage.
#[test]
fn connections_are_refused_while_the_server_is_down_and_accepted_afterwards() {
    let away = Span { from_seconds: 0.0, for_seconds: 0.2 };
    let simulator = start(instant().with_away(away));
    let connected = || std::net::TcpStream::connect(simulator.address());
    let is_refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
    loop {
        simulator.reset();
        let _ = Client::to(&simulator).ask(&person("Ann is 30"));
        // On a busy machine the check may come too late, and a connection that the closing socket still held is
        // reset.
        if (0..1_000).any(|_| connected().is_err_and(is_refused)) {
            break;
        }
    }
    while connected().is_err() {
        std::thread::yield_now();
    }
    assert_eq!(Client::to(&simulator).ask(&person("Ann is 30")).unwrap().status, 200);
    assert!(simulator.stats().answers_by_tenth.iter().sum::<u32>() > 0);
}

#[test]
fn an_answer_has_openais_shape_and_says_that_it_is_simulated() {
    let simulator = start(instant());
    let answer =
        Client::to(&simulator).ask(&person("John Smith is a 30-year-old software engineer")).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(
        content(&answer),
        json!({ "name": "John Smith", "age": 30, "occupation": "software engineer" })
    );
    let mut body = answer.json();
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-sim-"));
    assert!(body["created"].as_u64().unwrap() > 1_700_000_000);
    for volatile in ["id", "created"] {
        body.as_object_mut().unwrap().remove(volatile);
    }
    assert_eq!(
        body,
        json!({
            "object": "chat.completion", "model": "gpt-test",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant", "content": "{\"name\":\"John Smith\",\"age\":30,\"occupation\":\"software engineer\"}",
                    "refusal": null, "annotations": [],
                },
                "logprobs": null, "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": 16, "completion_tokens": 16, "total_tokens": 32,
                "prompt_tokens_details": { "cached_tokens": 0, "audio_tokens": 0, "cache_write_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 },
            },
            "service_tier": "default", "system_fingerprint": "rowcall-simulator",
        })
    );
    assert_eq!(answer.header("server"), Some("rowcall-simulator"));
    assert_eq!(answer.header("openai-version"), Some("2020-10-01"));
    assert_eq!(answer.header("openai-processing-ms"), Some("0"));
    assert!(answer.header("x-request-id").unwrap().starts_with("req_sim_"));
    assert_eq!(answer.header("x-ratelimit-limit-requests"), None);
}

#[test]
fn routes_and_methods_are_as_openais() {
    let simulator = start(instant());
    let mut client = Client::to(&simulator);
    let body = person("x").to_string();
    let cases = [
        ("POST", "/chat/completions", 200, ""),
        ("GET", "/v1/models", 200, ""),
        ("GET", "/health", 200, ""),
        ("GET", "/stats", 200, ""),
        ("GET", "/v1/stats", 200, ""),
        ("GET", "/v1/chat/completions", 405, "Not allowed to GET on /v1/chat/completions."),
        ("DELETE", "/stats", 405, "Not allowed to DELETE on /stats."),
        ("POST", "/v1/embeddings", 404, "Invalid URL (POST /v1/embeddings)"),
        ("GET", "/v1", 404, "Invalid URL (GET /v1)"),
    ];
    for (method, path, status, message) in cases {
        let answer = client.send(method, path, &[], &body).unwrap();
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.json()["error"]["message"].as_str().unwrap_or(""), message);
    }
}

#[test]
fn a_bad_request_and_a_wrong_key_get_openais_errors() {
    let simulator = start(instant().with_key("sk-right"));
    let mut client = Client::to(&simulator);
    let wrong = client.ask(&person("x")).unwrap();
    assert_eq!((wrong.status, wrong.json()["error"]["code"].as_str()), (401, Some("invalid_api_key")));
    let right = [("authorization", "Bearer sk-right")];
    let bad = client.send("POST", "/v1/chat/completions", &right, "{").unwrap();
    assert_eq!((bad.status, bad.json()["error"]["type"].as_str()), (400, Some("invalid_request_error")));
    let good = client.send("POST", "/v1/chat/completions", &right, &person("x").to_string()).unwrap();
    assert_eq!(good.status, 200);
    assert_eq!(simulator.stats().requests.invalid, 2);
}

#[test]
fn a_tool_is_called_and_a_named_one_finishes_with_stop() {
    let simulator = start(instant());
    let mut body = json!({
        "model": "m", "messages": [{ "role": "user", "content": "Ann Lee is 30 years old" }],
        "tools": [{ "type": "function", "function": { "name": "record", "parameters": {
            "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] } } }],
        "tool_choice": "required",
    });
    let mut client = Client::to(&simulator);
    for (choice, finish) in [
        (json!("required"), "tool_calls"),
        (json!({ "type": "function", "function": { "name": "record" } }), "stop"),
    ] {
        body["tool_choice"] = choice;
        let choice = client.ask(&body).unwrap().json()["choices"][0].clone();
        assert_eq!(choice["finish_reason"], finish);
        assert_eq!(choice["message"]["content"], Value::Null);
        assert_eq!(
            choice["message"]["tool_calls"][0]["function"],
            json!({ "name": "record", "arguments": "{\"name\":\"Ann Lee\"}" })
        );
    }
}

#[test]
fn a_stream_carries_the_same_value_in_pieces() {
    let simulator = start(instant());
    let mut client = Client::to(&simulator);
    let mut body = person("John Smith is a 30-year-old software engineer");
    let whole = client.ask(&body).unwrap().json()["choices"][0]["message"]["content"].clone();
    body["stream"] = json!(true);
    body["stream_options"] = json!({ "include_usage": true });
    let answer = client.ask(&body).unwrap();
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let frames: Vec<&str> =
        answer.body.split("\n\n").map(|frame| frame.strip_prefix("data: ").unwrap_or(frame)).collect();
    assert_eq!(frames[frames.len() - 2..], ["[DONE]", ""]);
    let chunks: Vec<Value> =
        frames[..frames.len() - 2].iter().map(|frame| serde_json::from_str(frame).unwrap()).collect();
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(json!(text), whole);
    assert!(chunks.len() > 5);
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
    assert_eq!(chunks[chunks.len() - 1]["usage"]["total_tokens"], 32);
    assert_eq!(chunks[0]["usage"], Value::Null);
}

#[test]
fn the_same_seed_gives_the_same_answers_and_faults_and_another_seed_others() {
    let scenario = || {
        let fault = |kind| Fault::new(kind, 0.3);
        instant()
            .with_fault(fault(FaultKind::Empty))
            .with_fault(fault(FaultKind::Status(StatusFault::new(503))))
    };
    let story = |seed| {
        let simulator = Simulator::start(scenario(), Options::default().with_seed(seed)).unwrap();
        let mut client = Client::to(&simulator);
        let mut answers = vec![];
        for row in (0..12).chain(0..12) {
            let answer = client.ask(&person(&format!("row {row}"))).unwrap();
            answers.push((answer.status, answer.json()["choices"][0]["message"]["content"].clone()));
        }
        answers
    };
    assert_eq!(story(1), story(1));
    assert_ne!(story(1), story(2));
}

#[test]
fn a_requests_quota_refuses_with_the_time_to_wait() {
    let limits = Limits { requests_per_minute: Some(60), burst_seconds: 2.0, ..Limits::default() };
    let simulator = start(instant().with_quota(limits));
    let mut client = Client::to(&simulator);
    let first = client.ask(&person("a")).unwrap();
    assert_eq!(first.header("x-ratelimit-limit-requests"), Some("60"));
    assert_eq!(first.header("x-ratelimit-remaining-requests"), Some("1"));
    assert!(first.header("x-ratelimit-reset-requests").unwrap().ends_with('s'));
    assert_eq!(client.ask(&person("b")).unwrap().status, 200);

    let refused = client.ask(&person("c")).unwrap();
    assert_eq!(refused.status, 429);
    let error = refused.json()["error"].clone();
    assert_eq!(
        (error["type"].as_str(), error["code"].as_str()),
        (Some("requests"), Some("rate_limit_exceeded"))
    );
    let message = error["message"].as_str().unwrap();
    assert!(message.starts_with("Rate limit reached for gpt-test in organization org-simulated on requests per min (RPM): Limit 60, Used 2, Requested 1. Please try again in "), "{message}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    let wait: u64 = refused.header("retry-after-ms").unwrap().parse().unwrap();
    assert!((1..=1_000).contains(&wait));
    assert_eq!(refused.header("openai-processing-ms"), Some("0"));

    let stats = simulator.stats();
    assert_eq!((stats.requests.all, stats.requests.first, stats.requests.refused), (3, 2, 1));
    simulator.reset();
    assert_eq!(client.ask(&person("c")).unwrap().status, 200);
}

#[test]
fn a_request_larger_than_the_bucket_gets_no_retry_time() {
    let limits = Limits { tokens_per_minute: Some(60), ..Limits::default() };
    let simulator = start(instant().with_quota(limits));
    let refused = Client::to(&simulator).ask(&person(&"long ".repeat(100))).unwrap();
    assert_eq!((refused.status, refused.header("x-should-retry")), (429, Some("false")));
    let error = refused.json()["error"].clone();
    assert_eq!(error["type"], "tokens");
    assert!(error["message"].as_str().unwrap().starts_with("Request too large for gpt-test in organization org-simulated on tokens per min (TPM): Limit 60, Requested"));
    assert_eq!(refused.header("x-ratelimit-remaining-tokens"), Some("60"));
}

#[test]
fn an_account_may_be_closed_or_ask_for_slower_growth() {
    let scenario = |quota: &str| Scenario::from_toml(&format!("about = 'a test'\n{quota}")).unwrap();
    let simulator = start(scenario("[[quota.closed]]\nfrom_seconds = 0\nfor_seconds = 3600"));
    let overloaded = Client::to(&simulator).ask(&person("a")).unwrap();
    assert_eq!(overloaded.json()["error"]["type"], "overloaded_error");
    assert_eq!((overloaded.status, overloaded.header("retry-after")), (529, Some("3600")));

    let simulator = start(scenario("[quota.ramp]\nfrom_per_second = 0.5\ndoubling_seconds = 3600"));
    let mut client = Client::to(&simulator);
    assert_eq!(client.ask(&person("a")).unwrap().status, 200);
    let slow_down = client.ask(&person("b")).unwrap();
    assert_eq!(slow_down.json()["error"]["code"], "slow_down");
    assert_eq!((slow_down.status, slow_down.header("retry-after")), (429, Some("2")));
    assert_eq!(simulator.stats().requests.refused, 1);
}

#[test]
fn requests_beyond_the_slots_wait() {
    let scenario = instant().with_latency(Latency::fixed(Duration::from_millis(40))).with_slots(1);
    let simulator = start(scenario);
    let mut clients: Vec<_> = (0..3).map(|_| Client::to(&simulator)).collect();
    for client in &mut clients {
        client.post(&person("a"));
    }
    let mut waits: Vec<u64> = clients
        .iter_mut()
        .map(|client| client.receive().unwrap().header("openai-processing-ms").unwrap().parse().unwrap())
        .collect();
    waits.sort_unstable();
    assert_eq!(waits[0], 40);
    assert!(waits[2] > waits[1] && waits[1] >= 40, "{waits:?}");
    assert!(simulator.stats().lasted >= Duration::from_millis(120));
}

#[test]
fn the_cost_and_latency_of_a_request_can_be_predicted() {
    let latency = Latency::LogNormal { median_seconds: 0.02, sigma: 0.5 };
    let scenario = instant().with_latency(latency);
    let body = person("John Smith is a 30-year-old software engineer");
    let forecast = scenario.forecast(7, body.to_string().as_bytes()).unwrap();
    let simulator = Simulator::start(scenario.clone(), Options::default().with_seed(7)).unwrap();
    let answer = Client::to(&simulator).ask(&body).unwrap();
    let processing = forecast.latency.as_millis().to_string();
    assert_eq!(answer.header("openai-processing-ms"), Some(processing.as_str()));
    let usage = &answer.json()["usage"];
    assert_eq!(
        (usage["prompt_tokens"].as_u64(), usage["completion_tokens"].as_u64()),
        (Some(forecast.need.input_tokens), Some(forecast.need.output_tokens))
    );
    assert_eq!(scenario.forecast(7, b"{"), None);
}

#[test]
fn a_held_row_is_answered_after_a_number_of_others() {
    let scenario =
        Scenario::from_toml("about = 'a test'\n[held]\ncontains = 'Ann'\nuntil_answered = 2").unwrap();
    assert_eq!(scenario, Scenario { about: "a test".to_owned(), ..instant().with_held("Ann", 2) });
    let simulator = start(scenario);
    let (mut held, mut other) = (Client::to(&simulator), Client::to(&simulator));
    held.post(&person("Ann is 30"));
    wire::until(|| simulator.stats().requests.all == 1);
    assert_eq!(other.ask(&person("Bob is 40")).unwrap().status, 200);
    held.limit(Duration::from_millis(100));
    assert_eq!(held.receive().map(|answer| answer.status).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    assert_eq!(other.ask(&person("Eve is 50")).unwrap().status, 200);
    held.limit(Duration::from_secs(20));
    assert_eq!(content(&held.receive().unwrap())["age"], 30);
    simulator.reset();
    held.post(&person("Ann is 30"));
    held.limit(Duration::from_millis(100));
    assert!(held.receive().is_err(), "the answers before a reset do not count");
}

#[test]
fn a_slot_in_flight_is_released_when_the_client_leaves() {
    let limits = Limits { in_flight: Some(1), ..Limits::default() };
    let stall = Fault::new(FaultKind::Stall(Moment::Before), 1.0).with_contains("slow");
    let simulator = start(instant().with_quota(limits).with_fault(stall));
    let mut slow = Client::to(&simulator);
    slow.post(&person("slow"));
    wire::until(|| simulator.stats().in_flight.now == 1);
    let refused = Client::to(&simulator).ask(&person("a")).unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, None));
    drop(slow);
    wire::until(|| simulator.stats().in_flight.now == 0);
    assert_eq!(Client::to(&simulator).ask(&person("a")).unwrap().status, 200);
    assert_eq!(simulator.stats().unfinished, 1);
}

#[test]
fn statuses_come_with_the_body_and_headers_of_the_scenario() {
    let answer =
        |status: StatusFault| Client::to(&with_fault(FaultKind::Status(status))).ask(&person("x")).unwrap();
    let plain = answer(StatusFault {
        retry_after: Some(7),
        retry_after_ms: Some(6_500),
        should_retry: Some(false),
        ..StatusFault::new(503)
    });
    assert_eq!((plain.status, plain.json()["error"]["code"].as_str()), (503, Some("server_is_overloaded")));
    assert_eq!(
        (plain.header("retry-after"), plain.header("retry-after-ms"), plain.header("x-should-retry")),
        (Some("7"), Some("6500"), Some("false"))
    );
    let page = answer(StatusFault { body: ErrorBody::Html, ..StatusFault::new(502) });
    assert_eq!((page.header("content-type"), page.body.starts_with("<html>")), (Some("text/html"), true));
    let empty = answer(StatusFault { body: ErrorBody::Empty, ..StatusFault::new(429) });
    assert_eq!((empty.status, empty.body.as_str()), (429, ""));
    let text = answer(StatusFault {
        body: ErrorBody::String,
        message: Some("invalid_token".into()),
        ..StatusFault::new(401)
    });
    assert_eq!(text.json(), json!({ "error": "invalid_token" }));
    let money = answer(StatusFault {
        error_type: Some("insufficient_quota".into()),
        error_code: Some("credit_balance_exhausted".into()),
        ..StatusFault::new(429)
    });
    assert_eq!(money.json()["error"]["code"], "credit_balance_exhausted");
}

#[test]
fn connections_fail_before_or_during_the_answer() {
    use std::io::ErrorKind::{ConnectionReset, UnexpectedEof};
    for (kind, expected, some_body) in [
        (FaultKind::Reset(Moment::Before), ConnectionReset, false),
        (FaultKind::Reset(Moment::Midway), ConnectionReset, true),
        (FaultKind::Cut(Moment::Before), UnexpectedEof, false),
        (FaultKind::Cut(Moment::Midway), UnexpectedEof, true),
    ] {
        let simulator = with_fault(kind.clone());
        let mut client = Client::to(&simulator);
        let error = client.ask(&person("Ann Lee is 30")).unwrap_err();
        assert_eq!(error.kind(), expected, "{kind:?}");
        assert_eq!(!client.received().is_empty(), some_body, "{kind:?}");
        wire::until(|| simulator.stats().unfinished == 1);
        assert_eq!(simulator.stats().faults.get(kind.name()), Some(&1));
        assert_eq!(simulator.stats().statuses.get(&200).copied().unwrap_or(0), u64::from(some_body));
    }
}

#[test]
fn a_stall_lasts_until_the_client_leaves() {
    for moment in [Moment::Before, Moment::Midway] {
        let simulator = with_fault(FaultKind::Stall(moment));
        let mut client = Client::to(&simulator);
        client.limit(Duration::from_millis(150));
        let error = client.ask(&person("Ann Lee is 30")).unwrap_err();
        assert!(
            matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut),
            "{error}"
        );
        assert_eq!(client.received().is_empty(), moment == Moment::Before);
        drop(client);
        wire::until(|| simulator.stats().in_flight.now == 0);
    }
}

#[test]
fn a_body_may_be_an_error_or_not_json() {
    let error = Client::to(&with_fault(FaultKind::ErrorIn200)).ask(&person("x")).unwrap();
    assert_eq!((error.status, error.json()["error"]["code"].as_str()), (200, Some("upstream_error")));
    let garbage = Client::to(&with_fault(FaultKind::GarbageBody)).ask(&person("x")).unwrap();
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_str::<Value>(&garbage.body).is_err());

    let mut body = person("x");
    body["stream"] = json!(true);
    let stream = Client::to(&with_fault(FaultKind::ErrorIn200)).ask(&body).unwrap();
    assert!(stream.body.contains("\"delta\"") && stream.body.contains("data: {\"error\""), "{}", stream.body);
    assert!(!stream.body.contains("[DONE]"));
}

#[test]
fn the_first_attempts_fail_and_the_next_succeeds() {
    let fault = Fault::new(FaultKind::Status(StatusFault::new(500)), 1.0).with_attempts(2);
    let simulator = start(instant().with_fault(fault));
    let mut client = Client::to(&simulator);
    let statuses: Vec<_> =
        ["a", "b", "a", "a"].iter().map(|text| client.ask(&person(text)).unwrap().status).collect();
    assert_eq!(statuses, [500, 500, 500, 200]);
    let stats = simulator.stats();
    assert_eq!((stats.requests.first, stats.requests.again), (2, 2));
    assert_eq!(stats.statuses.into_iter().collect::<Vec<_>>(), [(200, 1), (500, 3)]);
}

#[test]
fn re_asks_and_repeats_are_distinguished_and_repeats_counted() {
    let simulator = Simulator::start(instant(), Options::default().with_counting(Counting::On)).unwrap();
    let mut client = Client::to(&simulator);
    let ask = person("Ann Lee is 30");
    let mut re_ask = ask.clone();
    re_ask["messages"].as_array_mut().unwrap().extend([
        json!({ "role": "assistant", "content": "{}" }),
        json!({ "role": "user", "content": "name is missing" }),
    ]);
    let mut short = ask.clone();
    short["max_completion_tokens"] = json!(2);
    let first = content(&client.ask(&ask).unwrap());
    assert_eq!(content(&client.ask(&re_ask).unwrap()), first);
    assert_eq!(client.ask(&short).unwrap().json()["choices"][0]["finish_reason"], "length");
    client.ask(&short).unwrap();
    assert_eq!(
        simulator.stats().repeats,
        Some(0),
        "a cut answer is not complete, so asking again does not count as a repeat"
    );
    client.ask(&ask).unwrap();
    client.ask(&re_ask).unwrap();
    let shown = client.send("GET", "/stats", &[], "").unwrap().json();
    assert_eq!(
        shown["requests"],
        json!({ "all": 6, "first": 1, "again": 3, "re_ask": 2, "refused": 0, "invalid": 0 })
    );
    assert_eq!(
        (&shown["repeats"], &shown["repeated"]),
        (&json!(2), &json!(["Ann Lee is 30", "Ann Lee is 30"]))
    );
    let reset = client.send("POST", "/v1/reset", &[], "").unwrap().json();
    assert_eq!(
        (&reset["requests"]["all"], &reset["repeats"], &reset["repeated"], &reset["connections"]["now"]),
        (&json!(0), &json!(0), &json!([]), &json!(1))
    );
}

#[test]
fn the_guides_seven_sentences_run_in_parallel() {
    let scenario = Scenario::named("guide").unwrap();
    let simulator = start(scenario);
    let people = [("Tom Brown", 870), ("Sarah Johnson", 950), ("John Smith", 800), ("Nobody", 850)];
    let began = Instant::now();
    let mut clients: Vec<_> = people
        .iter()
        .map(|(name, _)| {
            let mut client = Client::to(&simulator);
            client.post(&person(name));
            client
        })
        .collect();
    for (client, (name, latency)) in clients.iter_mut().zip(people) {
        assert_eq!(
            client.receive().unwrap().header("openai-processing-ms"),
            Some(latency.to_string().as_str()),
            "{name}"
        );
    }
    assert!(began.elapsed() >= Duration::from_millis(950));
    assert!(simulator.stats().in_flight.max >= 4);
}

#[test]
fn the_latency_of_the_options_replaces_the_scenarios() {
    let slow = instant().with_latency(Latency::fixed(Duration::from_mins(1)));
    let at_once = Simulator::start(slow, Options::default().with_latency(Duration::ZERO)).unwrap();
    assert_eq!(Client::to(&at_once).ask(&person("x")).unwrap().header("openai-processing-ms"), Some("0"));
    let calm =
        Simulator::start(instant(), Options::default().with_latency(Duration::from_millis(30))).unwrap();
    assert_eq!(Client::to(&calm).ask(&person("x")).unwrap().header("openai-processing-ms"), Some("30"));
}

#[test]
fn a_taken_port_is_named_and_a_stopped_simulator_frees_it() {
    let simulator = start(instant());
    let port = simulator.address().port();
    assert_eq!(simulator.base_url(), format!("http://127.0.0.1:{port}/v1"));
    let taken = Simulator::start(instant(), Options::default().with_port(port)).unwrap_err();
    assert_eq!(taken.to_string(), format!("cannot listen on port `{port}` of 127.0.0.1"));
    assert_eq!(taken.hint().as_deref(), Some("use another port, or 0 for any free one"));
    let mut client = Client::to(&simulator);
    client.ask(&person("x")).unwrap();
    assert_eq!(simulator.stop().requests.all, 1);
    assert!(client.ask(&person("x")).is_err());
    Simulator::start(instant(), Options::default().with_port(port)).unwrap();
    let invalid = instant().with_fault(Fault::new(FaultKind::Empty, 2.0));
    assert!(matches!(Simulator::start(invalid, Options::default()), Err(SimError::OutOfRange { .. })));
}

#[test]
fn a_simulator_stops_during_a_stall_and_inside_a_clients_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let simulator = with_fault(FaultKind::Stall(Moment::Before));
        let mut client = Client::to(&simulator);
        client.post(&person("x"));
        wire::until(|| simulator.stats().in_flight.now == 1);
        let began = Instant::now();
        drop(simulator);
        assert!(began.elapsed() < Duration::from_secs(5));
        assert!(client.receive().is_err());
    });
}
