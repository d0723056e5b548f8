//! Golden requests and responses: the vectors under `tests/vectors/`, encoded and decoded.

use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Value, json};

use super::*;
use crate::completion::{self, Reading};
use crate::fault::FaultKind;
use crate::schema::{Dialect, Schema};
use crate::standing::LimitedBy;
use crate::turn::{Content, Finish, Turn, Usage};

macro_rules! vectors {
    ($file:literal) => {
        cases(include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/", $file)))
    };
}

const OPENAI: Quirks = Quirks { output_limit_field: "max_completion_tokens", system_role: "developer" };
const PLAIN: Quirks = Quirks { output_limit_field: "max_tokens", system_role: "system" };

fn cases(file: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(file).expect("the vectors are JSON");
    file["cases"].as_array().expect("the vectors have cases").clone()
}

fn case<'a>(cases: &'a [Value], id: &str) -> &'a Value {
    cases.iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("no case `{id}`"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("`{value}` is no text")).to_owned()
}

fn response(case: &Value) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in case["headers"].as_object().into_iter().flatten() {
        let name = HeaderName::try_from(name.as_str()).expect("a header's name");
        headers.insert(name, HeaderValue::try_from(text(value)).expect("a header's value"));
    }
    let body = match case.get("body_text") {
        Some(body) => text(body),
        None => case["body"].to_string(),
    };
    let status = case["status"].as_u64().and_then(|status| u16::try_from(status).ok()).expect("a status");
    Response { status, headers, body: Bytes::from(body), received: SystemTime::UNIX_EPOCH }
}

fn ok(body: &str) -> Response {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Response { status: 200, headers: HeaderMap::new(), body, received: SystemTime::UNIX_EPOCH }
}

/// The wire schema that stands in a vector's request, made from a user's schema of that name.
fn wire(name: &str, description: Option<&str>, schema: &Value) -> Arc<WireSchema> {
    let mut given = json!({ "title": name });
    given.as_object_mut().expect("an object").extend(schema.as_object().expect("an object").clone());
    let mut wire =
        Schema::from_json(given).expect("a schema").wire(Dialect::OpenAiStrict).expect("fits the wire");
    wire.description = description.map(str::to_owned);
    Arc::new(wire)
}

fn prompt(system: &Value, user: &Value) -> Prompt {
    Prompt { turns: vec![Turn::System(text(system).into()), Turn::User(text(user))], output_limit: None }
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("the body is JSON")
}

/// The target that should give a vector's request, read off that request.
fn chat_target(request: &Value) -> Target {
    let (mode, wire) = match request.get("response_format") {
        Some(format) => (Mode::Schema, {
            let format = &format["json_schema"];
            wire(&text(&format["name"]), None, &format["schema"])
        }),
        None => (Mode::Tool, {
            let function = &request["tools"][0]["function"];
            wire(&text(&function["name"]), function["description"].as_str(), &function["parameters"])
        }),
    };
    let known = [
        "model",
        "messages",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_completion_tokens",
    ];
    let extra =
        request.as_object().expect("an object").iter().filter(|(name, _)| !known.contains(&name.as_str()));
    let parameters = Parameters {
        max_output_tokens: request["max_completion_tokens"]
            .as_u64()
            .and_then(|limit| u32::try_from(limit).ok()),
        temperature: None,
        extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    Target::new(Protocol::OpenAiChat, OPENAI, text(&request["model"]), mode, wire, parameters)
}

#[test]
fn chat_requests_are_encoded_as_in_the_vectors() {
    // Of the vectors' requests these two ask in ways that we do not: a tool that need not be called, and no schema.
    let not_ours = ["tool_call_auto", "tool_calls_parallel", "minimal_body_compat"];
    let mut encoded = 0;
    for case in vectors!("openai_chat.json") {
        let Some(request) = case.get("request").filter(|request| request.get("stream").is_none()) else {
            continue;
        };
        if not_ours.contains(&text(&case["id"]).as_str()) {
            continue;
        }
        let messages = &request["messages"];
        let ours = chat_target(request).encode(&prompt(&messages[0]["content"], &messages[1]["content"]));
        assert_eq!(ours.path, "/chat/completions");
        assert_eq!(&body(&ours), request, "{}", case["id"]);
        encoded += 1;
    }
    assert_eq!(encoded, 8);
}

#[test]
fn chat_responses_are_decoded_as_in_the_vectors() {
    let mut decoded = 0;
    for case in vectors!("openai_chat.json").iter().filter(|case| case.get("raw").is_none()) {
        let (id, expect) = (&case["id"], &case["expect"]);
        let completion =
            Protocol::OpenAiChat.decode(&response(case)).unwrap_or_else(|fault| panic!("{id}: {fault}"));
        match expect["outcome"].as_str() {
            Some("ok") => {
                let values = expect.get("values").unwrap_or(&json!([expect["value"]])).clone();
                assert_eq!(json!(read_all(&completion)), values, "{id}");
                assert_eq!(completion.finish, Finish::Stop, "{id}");
            }
            Some("refusal") => {
                assert_eq!(completion.content, Content::Refusal(text(&expect["text"])), "{id}");
            }
            Some("truncated") => {
                assert_eq!(completion.finish, Finish::Length, "{id}");
                assert_eq!(completion.content, Content::Text(text(&expect["partial_text"])), "{id}");
            }
            Some("content_filter") => assert_eq!(completion.finish, Finish::ContentFilter, "{id}"),
            other => panic!("{id}: unknown outcome {other:?}"),
        }
        let usage = completion.usage.unwrap_or_default();
        for (name, ours) in [
            ("input_tokens", usage.input_tokens),
            ("cached_tokens", usage.cached_tokens),
            ("output_tokens", usage.output_tokens),
            ("reasoning_tokens", usage.reasoning_tokens),
        ] {
            match expect.get(name) {
                None => {}
                Some(Value::Null) => assert_eq!(completion.usage, None, "{id}"),
                Some(expected) => assert_eq!(json!(ours), *expected, "{id} {name}"),
            }
        }
        decoded += 1;
    }
    assert_eq!(decoded, 11);
}

fn read_all(completion: &Completion) -> Vec<Value> {
    let parse = |text: &str| serde_json::from_str(text).expect("the answer is JSON");
    match &completion.content {
        Content::Text(text) => vec![parse(text)],
        Content::Calls(calls) => calls.iter().map(|call| parse(&call.arguments)).collect(),
        Content::Refusal(words) => panic!("refused: {words}"),
    }
}

#[test]
fn openai_errors_are_classified_as_in_the_vectors() {
    for case in vectors!("openai_errors.json") {
        let (id, expect) = (&case["id"], &case["expect"]);
        let fault = Protocol::OpenAiChat.decode(&response(&case)).expect_err("an error is no completion");
        assert_eq!(fault.kind.name(), text(&expect["cls"]), "{id}: {fault}");
        if let Some(wait) = expect.get("wait_s").and_then(Value::as_f64) {
            assert_eq!(fault.retry_after.map(|wait| wait.as_secs_f64()), Some(wait), "{id}");
        }
        if let Some(limited_by) = expect.get("limited_by").and_then(Value::as_str) {
            assert_eq!(fault.limited_by.map(LimitedBy::name), Some(limited_by), "{id}");
        }
        if expect.get("reduce_concurrency") == Some(&Value::Bool(true)) {
            assert_eq!(fault.limited_by, Some(LimitedBy::Growth), "{id}");
        }
        assert_eq!(fault.status.map(u64::from), case["status"].as_u64(), "{id}");
        assert!(!fault.message.is_empty(), "{id}");
    }
}

#[test]
fn a_compatible_server_gets_the_names_that_it_knows() {
    let wire = wire(
        "person",
        None,
        &json!({"type": "object", "properties": {}, "required": [], "additionalProperties": false}),
    );
    let parameters = Parameters {
        temperature: Some(0.5),
        max_output_tokens: Some(100),
        extra: [("top_k".to_owned(), json!(40)), ("temperature".to_owned(), json!(0))].into_iter().collect(),
    };
    let target = Target::new(Protocol::OpenAiChat, PLAIN, "llama".to_owned(), Mode::Schema, wire, parameters);
    let mut prompt = prompt(&json!("Be brief."), &json!("Who?"));
    let sent = body(&target.encode(&prompt));
    assert_eq!(sent["messages"][0]["role"], "system");
    assert_eq!(
        (&sent["max_tokens"], &sent["temperature"], &sent["top_k"]),
        (&json!(100), &json!(0), &json!(40))
    );
    prompt.output_limit = Some(200);
    assert_eq!(body(&target.encode(&prompt))["max_tokens"], 200);
}

#[test]
fn a_reask_replays_the_answer_and_tells_all_violations() {
    let violations = vec![
        Violation::at("/age", "is a string, expected an integer"),
        Violation::whole("`name` is missing"),
    ];
    let told = "The answer is not valid:\n- `/age`: is a string, expected an integer\n- `name` is missing\n\
                Give the whole answer again with all of this corrected, and nothing else.";
    let cases = vectors!("openai_chat.json");
    for (id, replayed, reply) in [
        (
            "json_schema_ok",
            json!({"role": "assistant", "content": case(&cases, "json_schema_ok")["body"]["choices"][0]["message"]["content"]}),
            json!({"role": "user", "content": told}),
        ),
        (
            "tool_call_forced",
            json!({
                "role": "assistant",
                "content": null,
                "tool_calls": case(&cases, "tool_call_forced")["body"]["choices"][0]["message"]["tool_calls"],
            }),
            json!({"role": "tool", "tool_call_id": "call_a1", "content": told}),
        ),
    ] {
        let case = case(&cases, id);
        let completion = Protocol::OpenAiChat.decode(&response(case)).expect("a completion");
        let messages = &case["request"]["messages"];
        let mut prompt = prompt(&messages[0]["content"], &messages[1]["content"]);
        prompt.turns.push(Turn::Invalid { raw_turn: completion.raw_turn, violations: violations.clone() });
        let sent = body(&chat_target(&case["request"]).encode(&prompt));
        assert_eq!(sent["messages"], json!([messages[0], messages[1], replayed, reply]), "{id}");
    }
}

/// The target that should give a vector's request to Anthropic, read off that request.
fn anthropic_target(request: &Value) -> Target {
    let (mode, wire) = match request.get("output_config") {
        Some(config) => (Mode::Schema, wire("invoice", None, &config["format"]["schema"])),
        None => (Mode::Tool, {
            let tool = &request["tools"][0];
            wire(&text(&tool["name"]), tool["description"].as_str(), &tool["input_schema"])
        }),
    };
    let parameters = Parameters { max_output_tokens: Some(1024), ..Parameters::default() };
    Target::new(Protocol::Anthropic, PLAIN, text(&request["model"]), mode, wire, parameters)
}

#[test]
fn anthropic_is_spoken_through_the_same_seams() {
    let cases = vectors!("anthropic_messages.json");
    let schema = Schema::parse("vendor, total float, currency, due_date?").expect("a schema");
    for (id, usage) in [
        (
            "json_schema_ok",
            Usage { input_tokens: 112, cached_tokens: 100, output_tokens: 38, ..Usage::default() },
        ),
        ("tool_use_forced", Usage { input_tokens: 540, output_tokens: 61, ..Usage::default() }),
        (
            "ok_with_thinking_block",
            Usage { input_tokens: 112, output_tokens: 240, reasoning_tokens: 200, ..Usage::default() },
        ),
    ] {
        let case = case(&cases, id);
        let request = &case["request"];
        let target = anthropic_target(request);
        let mut prompt = prompt(&request["system"], &request["messages"][0]["content"]);
        let encoded = target.encode(&prompt);
        assert_eq!((encoded.path, &body(&encoded)), ("/v1/messages", request), "{id}");

        let completion = Protocol::Anthropic.decode(&response(case)).expect("a completion");
        assert_eq!(completion.usage, Some(usage), "{id}");
        let reading = completion::read(&completion, &schema, &target.wire);
        assert_eq!(
            reading,
            Reading::Value { value: case["expect"]["value"].clone(), repairs: Vec::new() },
            "{id}"
        );

        // The whole turn goes back, thinking and all; a call is met by its result, text by text.
        prompt.turns.push(Turn::Invalid {
            raw_turn: completion.raw_turn,
            violations: vec![Violation::at("/total", "is too much")],
        });
        let sent = body(&target.encode(&prompt));
        assert_eq!(
            sent["messages"][1],
            json!({"role": "assistant", "content": case["body"]["content"]}),
            "{id}"
        );
        let told = "The answer is not valid:\n- `/total`: is too much\n\
                    Give the whole answer again with all of this corrected, and nothing else.";
        let reply = if id == "tool_use_forced" {
            json!([{"type": "tool_result", "tool_use_id": "toolu_01A", "is_error": true, "content": told}])
        } else {
            json!(told)
        };
        assert_eq!(sent["messages"][2], json!({"role": "user", "content": reply}), "{id}");
    }
}

#[test]
fn a_key_travels_in_the_protocols_own_header_and_does_not_print() {
    let key = SecretString::from("sk-very-secret".to_owned());
    for (protocol, header, value) in [
        (Protocol::OpenAiChat, "authorization", "Bearer sk-very-secret"),
        (Protocol::Anthropic, "x-api-key", "sk-very-secret"),
    ] {
        let headers = protocol.headers(Some(&key)).expect("a fit key");
        let (_, found) = headers.iter().find(|(name, _)| name == header).expect("the key's header");
        assert_eq!(found, value);
        assert!(!format!("{headers:?}").contains("very-secret"));
    }
}

#[test]
fn models_name_their_provider() {
    let found = |model: &str| find(model).map(|(provider, model)| (provider.name, model.to_owned()));
    assert_eq!(found("openai/gpt-6-luna"), Ok(("openai", "gpt-6-luna".to_owned())));
    assert_eq!(found("vllm/meta-llama/Llama-4"), Ok(("vllm", "meta-llama/Llama-4".to_owned())));
    assert_eq!(found("sim"), Ok(("sim", "sim".to_owned())));
    let typo = found("opnai/gpt-6-luna").expect_err("unknown");
    assert_eq!(typo.hint.as_deref(), Some("did you mean `openai`?"));
    assert!(
        typo.message.starts_with("unknown provider `opnai` in model `opnai/gpt-6-luna` (known: openai, ")
    );
    assert!(found("gpt-6-luna").is_err());
    assert!(found("openai").is_err());
    assert!(found("openai/").is_err());
}

#[test]
fn only_openais_own_hosts_get_its_newest_names() {
    let (openai, _) = find("openai/x").expect("known");
    assert_eq!(openai.quirks_at("https://api.openai.com/v1"), OPENAI);
    assert_eq!(openai.quirks_at("https://eu.api.openai.com/v1"), OPENAI);
    assert_eq!(openai.quirks_at("http://localhost:8000/v1"), PLAIN);
    assert_eq!(openai.quirks_at("https://api.openai.com.evil.example/v1"), PLAIN);
}

#[test]
fn a_200_that_is_no_answer_is_a_fault() {
    for (body, kind) in [
        ("", FaultKind::Server),
        ("<html>busy</html>", FaultKind::Server),
        (r#"{"choices": []}"#, FaultKind::Server),
        (r#"{"choices": [{"finish_reason": "stop"}]}"#, FaultKind::Server),
        (r#"{"choices": [{"message": {"content": "{\"na"#, FaultKind::Server),
        (r#"{"error": {"message": "Provider returned error", "code": 502}}"#, FaultKind::Server),
        (
            r#"{"choices": [{"message": {"content": ""}, "finish_reason": "insufficient_system_resource"}]}"#,
            FaultKind::Overloaded,
        ),
    ] {
        let response = ok(body);
        let fault = Protocol::OpenAiChat.decode(&response).expect_err(body);
        assert_eq!(fault.kind, kind, "{body}: {fault}");
    }
}

#[test]
fn odd_parts_of_the_envelope_do_not_cost_the_answer() {
    let body = r#"  {"choices": [{"message": {"role": "assistant", "content": [{"type": "text", "text": "{}"}], "tool_calls": []},
        "finish_reason": null}], "usage": {"prompt_tokens": "many"}, "model": null, "error": null}"#;
    let response = ok(body);
    let completion = Protocol::OpenAiChat.decode(&response).expect("a completion");
    assert_eq!((completion.content, completion.usage), (Content::Text("{}".to_owned()), None));
}
