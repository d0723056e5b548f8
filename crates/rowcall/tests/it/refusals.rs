//! Servers that refuse rows, over real sockets: all of them alike, which stops the run, or some, which fail individually.

use std::sync::atomic::Ordering;

use rowcall::{Client, Error, FaultKind, Schema};

use crate::outages::{ANSWER, ages, rows, server};

const REFUSAL: &str = r#"{"error":{"message":"row 17 has the wrong 'shape'"}}"#;

#[tokio::test]
async fn a_refusal_that_every_row_meets_stops_the_run() {
    let (base_url, requests) = server(|_| Some((400, REFUSAL)));
    let error = ages(&base_url, 5).gather_outcomes(rows(500)).await.expect_err("all are refused");
    let Error::Refused { rows, fault } = &error else { panic!("not refused: {error}") };
    assert_eq!(fault.kind, FaultKind::InvalidRequest);
    assert!(*rows >= 8 && requests.load(Ordering::SeqCst) < 200, "{rows} {requests:?}");
    assert!(
        error.hint().is_some_and(|hint| hint.parts().contains(&rowcall::Setting::KeepGoing.on())),
        "{error}"
    );
}

/// Rows fail individually if there are too few to show that all are refused, or if others are accepted.
#[tokio::test]
async fn rows_that_are_refused_for_their_own_fault_fail_individually() {
    for (first_answer, all) in [(u32::MAX, 7), (12, 100), (0, 100)] {
        let (base_url, _) = server(move |nth| match (nth == first_answer, nth % 2) {
            (true, _) => Some((200, ANSWER)),
            (false, 0) if first_answer == 0 => Some((200, ANSWER)),
            (false, _) => Some((400, REFUSAL)),
        });
        let outcomes = ages(&base_url, 0).gather_outcomes(rows(all)).await.expect("outcomes");
        assert_eq!(outcomes.len(), all as usize);
        assert!(outcomes.iter().any(|outcome| outcome.result.is_err()), "{first_answer}");
    }
}

#[tokio::test]
async fn with_keep_going_every_row_is_asked_about() {
    let (base_url, requests) = server(|_| Some((400, REFUSAL)));
    let client = Client::builder("vllm/any").base_url(base_url).build().expect("a client");
    let ages = client.extractor_with(Schema::parse("age int").expect("a schema")).keep_going();
    let ages = ages.prompt("{{ text }}").expect("an extractor");
    let outcomes = ages.gather_outcomes(rows(40)).await.expect("outcomes");
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
    assert_eq!(requests.load(Ordering::SeqCst), 40);
}

/// A wrong base URL does not use up every row's retries; for another protocol the first answer is enough.
#[tokio::test]
async fn a_page_or_an_answer_of_another_protocol_stops_the_run_with_a_hint() {
    const PAGE: &str = "<!doctype html><html><title>Chat</title></html>";
    for (model, body, hint) in [
        ("vllm/any", PAGE, "base URL"),
        ("anthropic/claude-sonnet-4-5", PAGE, "base URL"),
        ("anthropic/claude-sonnet-4-5", ANSWER, "protocol(\"chat\""),
        ("google/gemini-3-flash", ANSWER, "protocol(\"chat\""),
    ] {
        let (base_url, requests) = server(move |_| Some((200, body)));
        let client = Client::builder(model).base_url(base_url).api_key("none");
        let client = client.build().expect("a client");
        let ages = client.extractor_with(Schema::parse("age int").expect("a schema"));
        let ages = ages.prompt("{{ text }}").expect("an extractor");
        let error = ages.gather_outcomes(rows(500)).await.expect_err("no answer comes");
        assert!(matches!(error, Error::Stopped(_)), "{model}: {error}");
        assert!(error.hint().is_some_and(|given| given.to_string().contains(hint)), "{model}: {error}");
        assert!(requests.load(Ordering::SeqCst) < 250, "{model}: {requests:?}");
    }
}

/// One row after another, so none may wait for the next.
#[tokio::test]
async fn rows_that_are_asked_one_by_one_are_counted_as_well() {
    let (base_url, requests) = server(|_| Some((400, REFUSAL)));
    let error = ages(&base_url, 0).sequential(rows(40)).await.expect_err("the first row is refused");
    assert!(matches!(error, Error::Row { index: 0, .. }), "{error}");
    assert_eq!(requests.load(Ordering::SeqCst), 1);
}

/// What a server says about a schema, and what is changed for the rest of the run: first the keyword, then all limits, then the
/// mode.
#[tokio::test]
async fn a_schema_that_an_engine_rejects_is_reduced() {
    const SGLANG: &str = r#"{"error":{"message":"Failed to compile json grammar: JSON Schema at #/properties/age is not supported by xgrammar: pattern"}}"#;
    const VLLM: &str = r#"{"error":{"message":"Grammar error: Unimplemented keys: [\"minimum\"]","type":"BadRequestError"}}"#;
    const LLAMA_CPP: &str = r#"{"error":{"code":400,"message":"Failed to initialize samplers: failed to parse grammar","type":"invalid_request_error"}}"#;
    const OLLAMA: &str = r#"{"error":{"message":"JSON schema conversion failed:\nUnrecognized schema: {}"}}"#;
    let (keyword, plain, tool, json) =
        ("described to the model", "the constraints of the schema", "a forced tool", "a JSON object");
    for (model, refusals, changes) in [
        ("sglang/m", vec![SGLANG], vec![keyword]),
        ("sglang/m", vec![SGLANG, SGLANG], vec![keyword, plain]),
        ("vllm/m", vec![VLLM], vec![keyword]),
        ("vllm/m", vec![VLLM, VLLM, VLLM], vec![keyword, plain, tool]),
        ("llama.cpp/m", vec![LLAMA_CPP], vec![plain]),
        ("llama.cpp/m", vec![LLAMA_CPP, LLAMA_CPP], vec![plain, json]),
        ("ollama/m", vec![OLLAMA, OLLAMA], vec![plain, json]),
    ] {
        let count = refusals.len() as u32;
        let story = refusals.clone();
        let (base_url, requests) = server(move |nth| match story.get(nth as usize) {
            Some(refusal) => Some((400, refusal)),
            None => Some((200, ANSWER)),
        });
        let schema = serde_json::json!({"type": "object", "properties": {
            "age": {"type": "integer", "minimum": 0, "maximum": 150}, "code": {"type": ["string", "null"], "pattern": "^[A-Z]$"},
        }});
        let client = Client::builder(model).base_url(base_url).concurrency(1).build().expect("a client");
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let recorded = std::sync::Arc::clone(&seen);
        let ages = client.extractor_with(Schema::from_json(schema).expect("a schema"));
        let ages = ages.prompt("{{ text }}").expect("an extractor").on_event(move |event| {
            if let rowcall::event::EventKind::Adapted(what) = &event.kind {
                recorded.lock().expect("no panic").push(what.clone());
            }
        });
        let values = ages.gather(rows(5)).await.expect("values");
        assert_eq!(values.len(), 5, "{model}");
        assert_eq!(requests.load(Ordering::SeqCst), 5 + count, "{model}: each change is made once");
        let seen = seen.lock().expect("no panic");
        assert_eq!(seen.len(), changes.len(), "{model}: {seen:?}");
        for (said, expected) in seen.iter().zip(&changes) {
            assert!(said.contains(expected), "{model}: `{said}` without `{expected}`");
        }
    }
}
