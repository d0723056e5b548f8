//! Faults of answers, streams and statuses, and how clients recover from them.

use rowcall_sim::{FaultKind, Moment, Options, Scenario, Simulator, StatusFault};
use serde_json::{Value, json};

use crate::speech::Delivery::{Stream, Whole};
use crate::speech::Protocol::{Chat, Gemini, Messages, Responses};
use crate::speech::{ALL, HEADERS, Mode, Protocol, frames, schema};
use crate::wire::Client;
use crate::{TEXT, ask, at, with_fault};

#[test]
fn faults_of_the_answer_have_each_protocols_form() {
    let text = |words: &str| json!(words);
    let cases: [(FaultKind, [(&str, Value); 4]); 6] = [
        (
            FaultKind::Refusal,
            [
                ("/choices/0/message/content", Value::Null),
                ("/output/0/content/0/type", text("refusal")),
                ("/stop_details/type", text("refusal")),
                ("/promptFeedback/blockReason", text("PROHIBITED_CONTENT")),
            ],
        ),
        (
            FaultKind::ContentFilter,
            [
                ("/choices/0/finish_reason", text("content_filter")),
                ("/incomplete_details/reason", text("content_filter")),
                ("/stop_reason", text("refusal")),
                ("/candidates/0/finishReason", text("SAFETY")),
            ],
        ),
        (
            FaultKind::Length,
            [
                ("/choices/0/finish_reason", text("length")),
                ("/incomplete_details/reason", text("max_output_tokens")),
                ("/stop_reason", text("max_tokens")),
                ("/candidates/0/finishReason", text("MAX_TOKENS")),
            ],
        ),
        (
            FaultKind::Empty,
            [
                ("/choices/0/message/content", text("")),
                ("/output", json!([])),
                ("/content", json!([])),
                ("/candidates/0/content", json!({ "role": "model" })),
            ],
        ),
        (
            FaultKind::WrongTool,
            [
                ("/choices/0/message/tool_calls/0/function/name", text("simulated_wrong_tool")),
                ("/output/0/name", text("simulated_wrong_tool")),
                ("/content/0/name", text("simulated_wrong_tool")),
                ("/candidates/0/content/parts/0/functionCall/name", text("simulated_wrong_tool")),
            ],
        ),
        (
            FaultKind::ErrorIn200,
            [
                ("/error/code", text("upstream_error")),
                ("/error/code", text("server_error")),
                ("/error/type", text("api_error")),
                ("/error/status", text("INTERNAL")),
            ],
        ),
    ];
    for (kind, expected) in cases {
        let simulator = with_fault(kind.clone());
        for (protocol, (pointer, value)) in ALL.into_iter().zip(expected) {
            let answer = ask(&simulator, protocol, Mode::Schema, Whole);
            assert_eq!(
                (answer.status, at(&answer, pointer)),
                (200, value),
                "{kind:?} {protocol:?}: {}",
                answer.body
            );
        }
        assert_eq!(simulator.stats().faults.get(kind.name()), Some(&4));
    }
}

#[test]
fn text_faults_are_the_same_in_every_protocol() {
    for kind in [FaultKind::InvalidJson, FaultKind::TruncatedJson, FaultKind::Fenced, FaultKind::Prose] {
        let simulator = with_fault(kind.clone());
        let texts =
            ALL.map(|protocol| protocol.whole(&ask(&simulator, protocol, Mode::Schema, Whole).json()));
        assert!(texts.iter().all(|text| *text == texts[0]), "{kind:?}: {texts:?}");
        assert!(serde_json::from_str::<Value>(&texts[0]).is_err(), "{kind:?}: {}", texts[0]);
    }
    let simulator = with_fault(FaultKind::SchemaViolation);
    for protocol in ALL {
        for mode in [Mode::Schema, Mode::Tool] {
            let answer = ask(&simulator, protocol, mode, Whole);
            let value = protocol.value(&answer, Whole).unwrap();
            assert!(!jsonschema::is_valid(&schema(), &value), "{protocol:?} {mode:?}: {value}");
        }
    }
}

#[test]
fn faulty_arguments_that_are_objects_take_the_providers_form() {
    let called = |kind, protocol| ask(&with_fault(kind), protocol, Mode::Tool, Whole);
    let invalid = called(FaultKind::InvalidJson, Messages);
    let wrapped = at(&invalid, "/content/0/input/INVALID_JSON");
    assert!(wrapped.as_str().unwrap().contains("simulated: invalid"), "{}", invalid.body);
    assert_eq!(at(&called(FaultKind::Length, Messages), "/content/0/input"), json!({}));
    let malformed = called(FaultKind::InvalidJson, Gemini);
    assert_eq!(at(&malformed, "/candidates/0/finishReason"), "MALFORMED_FUNCTION_CALL");
    assert_eq!(at(&malformed, "/candidates/0/content"), Value::Null);
    let cut = called(FaultKind::Length, Gemini);
    assert_eq!(at(&cut, "/candidates/0/finishReason"), "MAX_TOKENS");
    assert_eq!(at(&cut, "/candidates/0/content/parts"), Value::Null);
    for (protocol, text) in [(Messages, "/content/0/text"), (Gemini, "/candidates/0/content/parts/0/text")] {
        let fenced = at(&called(FaultKind::Fenced, protocol), text);
        assert!(fenced.as_str().unwrap().starts_with("```json"), "in words instead of a call: {fenced}");
    }
    for (protocol, second) in [
        (Responses, "/output/1/name"),
        (Messages, "/content/1/name"),
        (Gemini, "/candidates/0/content/parts/1/functionCall/name"),
    ] {
        assert_eq!(at(&called(FaultKind::TwoTools, protocol), second), "record", "{protocol:?}");
    }
}

#[test]
fn a_stream_fails_between_events_or_is_cut_off() {
    let failing = with_fault(FaultKind::ErrorIn200);
    for (protocol, place, expected) in [
        (Chat, "/error/code", "upstream_error"),
        (Responses, "/code", "server_error"),
        (Messages, "/error/type", "api_error"),
        (Gemini, "/error/status", "INTERNAL"),
    ] {
        let answer = ask(&failing, protocol, Mode::Schema, Stream);
        let frames: Vec<Value> = frames(&answer.body).collect();
        assert!(frames.len() > 1, "{protocol:?}: {}", answer.body);
        let last = frames.last().unwrap();
        assert_eq!(last.pointer(place), Some(&json!(expected)), "{protocol:?}: {last}");
        if protocol == Responses {
            assert_eq!(last["sequence_number"], json!(frames.len() - 1));
        }
    }
    let cutting = with_fault(FaultKind::Cut(Moment::Midway));
    for protocol in ALL {
        let mut client = Client::to(&cutting);
        let body = protocol.ask(TEXT, Mode::Schema, Stream).to_string();
        assert!(client.send("POST", protocol.path(Stream), &HEADERS, &body).is_err());
        assert!(!client.received().is_empty(), "{protocol:?}");
    }
}

#[test]
fn statuses_have_each_protocols_form() {
    let status = |code| StatusFault { retry_after_ms: Some(1_500), ..StatusFault::new(code) };
    let money = StatusFault { error_code: Some("insufficient_quota".to_owned()), ..StatusFault::new(429) };
    let own = StatusFault {
        error_type: Some("own_type".to_owned()),
        error_code: Some("own_code".to_owned()),
        message: Some("own words".to_owned()),
        ..StatusFault::new(418)
    };
    let cases = [
        (status(429), ["requests", "requests", "rate_limit_error", "RESOURCE_EXHAUSTED"]),
        (status(500), ["server_error", "server_error", "api_error", "INTERNAL"]),
        (status(503), ["service_unavailable_error", "service_unavailable_error", "api_error", "UNAVAILABLE"]),
        (status(529), ["overloaded_error", "overloaded_error", "overloaded_error", "UNAVAILABLE"]),
        (status(404), ["invalid_request_error", "invalid_request_error", "not_found_error", "NOT_FOUND"]),
        (status(504), ["server_error", "server_error", "timeout_error", "DEADLINE_EXCEEDED"]),
        (money, ["requests", "requests", "rate_limit_error", "RESOURCE_EXHAUSTED"]),
        (own, ["own_type"; 4]),
    ];
    for (fault, expected) in cases {
        let simulator = with_fault(FaultKind::Status(fault.clone()));
        for (protocol, kind) in ALL.into_iter().zip(expected) {
            let answer = ask(&simulator, protocol, Mode::Schema, Whole);
            let place = if protocol == Gemini { "/error/status" } else { "/error/type" };
            assert_eq!(
                (answer.status, at(&answer, place)),
                (fault.code, json!(kind)),
                "{protocol:?}: {}",
                answer.body
            );
            let has_header = answer.header("retry-after-ms").is_some();
            assert_eq!(has_header, protocol != Gemini && fault.retry_after_ms.is_some(), "{protocol:?}");
            let in_details = answer.body.contains("\"retryDelay\":\"1.500s\"");
            assert_eq!(in_details, protocol == Gemini && fault.retry_after_ms.is_some(), "{}", answer.body);
        }
        if fault.error_code.as_deref() == Some("insufficient_quota") {
            let code = |protocol| ask(&simulator, protocol, Mode::Schema, Whole);
            assert_eq!(at(&code(Messages), "/error/details/error_code"), "enforced_spend_limit_reached");
            assert!(code(Gemini).body.contains("PerDay"));
        }
    }
}

/// How many of 150 rows of this scenario get a valid value if each is requested at most twenty times.
fn rows_done(name: &str, protocol: Protocol, mode: Mode) -> (usize, Simulator) {
    let options = Options::default().with_latency(std::time::Duration::ZERO);
    let simulator = Simulator::start(Scenario::named(name).unwrap(), options).unwrap();
    let mut client = Client::to(&simulator);
    let done = (0..150).filter(|row| {
        let body = protocol.ask(&format!("Ann Lee is {row} years old"), mode, Whole).to_string();
        (0..20).any(|_| {
            let Ok(answer) = client.send("POST", protocol.path(Whole), &HEADERS, &body) else {
                client = Client::to(&simulator);
                return false;
            };
            let value = protocol.value(&answer, Whole);
            answer.status == 200 && value.is_some_and(|value| jsonschema::is_valid(&schema(), &value))
        })
    });
    (done.count(), simulator)
}

#[test]
fn clients_of_every_protocol_recover_from_flaky_and_messy() {
    for protocol in ALL {
        let (done, simulator) = rows_done("flaky", protocol, Mode::Schema);
        assert_eq!(done, 150, "{protocol:?}");
        let faults = simulator.stats().faults;
        assert!(faults.contains_key("status") && faults.contains_key("reset"), "{protocol:?}: {faults:?}");
        let (done, simulator) = rows_done("messy", protocol, Mode::Tool);
        assert_eq!(done, 150, "{protocol:?}");
        assert!(simulator.stats().faults.len() > 4, "{protocol:?}: {:?}", simulator.stats().faults);
    }
}
