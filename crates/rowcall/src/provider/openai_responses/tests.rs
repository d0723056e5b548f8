//! Requests and responses of Responses: the vectors, and what only this protocol has. What it shares with Chat Completions is tested
//! in `openai_chat/tests/alike.rs`.

use serde_json::{Value, json};

use super::*;
use crate::fault::FaultKind;
use crate::provider::openai_chat::tests::with_attachments;
use crate::provider::tests::{OPENAI, body, case, check, form, ok, prompt, text, vectors, wire};
use crate::provider::{Forms, Protocol};
use crate::schema::{Dialect, Schema};
use crate::turn::{Content, Example, Finish};
use crate::violation::Violation;

/// The target that should produce a vector's request, derived from that request.
fn target(request: &Value) -> Target {
    let (mode, wire) = match request.pointer("/text/format") {
        Some(format) => (Mode::Schema, wire(&text(&format["name"]), None, &format["schema"])),
        None => (Mode::Tool, {
            let tool = &request["tools"][0];
            wire(&text(&tool["name"]), tool["description"].as_str(), &tool["parameters"])
        }),
    };
    let known = [
        "model",
        "instructions",
        "input",
        "text",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_output_tokens",
    ];
    let extra = request.as_object().expect("an object").iter();
    let extra = extra.filter(|(name, _)| !known.contains(&name.as_str()));
    let limit = request["max_output_tokens"].as_u64();
    let parameters = Parameters {
        max_output_tokens: limit.and_then(|limit| u32::try_from(limit).ok()),
        temperature: None,
        extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    Target::new(Protocol::OpenAiResponses, OPENAI, text(&request["model"]), form(mode, wire), parameters)
}

#[test]
fn requests_are_encoded_as_in_the_vectors() {
    let mut encoded = 0;
    for case in vectors("openai_responses.json") {
        let Some(request) = case.get("request") else { continue };
        let ours = target(request).encode(&prompt(&request["instructions"], &request["input"]));
        assert_eq!(&*ours.path, "/responses");
        assert_eq!(&body(&ours), request, "{}", case["id"]);
        encoded += 1;
    }
    assert_eq!(encoded, 7);
}

#[test]
fn responses_are_read_as_in_the_vectors() {
    let cases = vectors("openai_responses.json");
    let format = &case(&cases, "refusal")["request"]["text"]["format"];
    let schema = Schema::from_json(format["schema"].clone()).expect("a schema");
    for case in &cases {
        let calls = text(&case["id"]).ends_with("function_call");
        let name = if calls { "record_invoice" } else { "invoice" };
        check(case, Protocol::OpenAiResponses, &schema, &wire(name, None, &format["schema"]));
    }
    assert_eq!(cases.len(), 10);
}

fn person() -> Schema {
    Schema::parse("name, age int").expect("a schema")
}

fn asking(form: Form, extra: &Value) -> Target {
    let extra = extra.as_object().expect("an object").clone();
    let parameters = Parameters { temperature: Some(0.5), max_output_tokens: Some(100), extra };
    Target::new(Protocol::OpenAiResponses, OPENAI, "m".to_owned(), form, parameters)
}

#[test]
fn each_mode_sends_its_own_fields() {
    let forms =
        Forms::of(&person(), Protocol::OpenAiResponses, Protocol::OpenAiResponses.modes()).expect("forms");
    let loose = Arc::new(person().wire(Dialect::Object).expect("fits"));
    let loose = Form { mode: Mode::Tool, dialect: Dialect::Object, wire: loose };
    for form in [forms.first].into_iter().chain(forms.further).chain([loose]) {
        let (wire, mode, strict) = (Arc::clone(&form.wire), form.mode, form.is_strict());
        let sent = body(&asking(form, &json!({})).encode(&prompt(&json!("Be brief."), &json!("Who?"))));
        let described = |kind: &str, field: &str| json!({"type": kind, "name": wire.name, "strict": strict, field: wire.schema});
        let mut expected = match mode {
            Mode::Schema => json!({"text": {"format": described("json_schema", "schema")}}),
            Mode::Tool => json!({
                "tools": [described("function", "parameters")],
                "tool_choice": {"type": "function", "name": wire.name},
                "parallel_tool_calls": false,
            }),
            Mode::Json => json!({"text": {"format": {"type": "json_object"}}}),
            Mode::Prompt => json!({}),
        };
        for (name, value) in [
            ("model", json!("m")),
            ("store", json!(false)),
            ("max_output_tokens", json!(100)),
            ("temperature", json!(0.5)),
        ] {
            expected[name] = value;
        }
        if mode == Mode::Json {
            let system = text(&sent["input"][0]["content"]);
            assert!(system.contains("JSON") && system.ends_with("Be brief."), "{system}");
            assert_eq!(sent["input"][0]["role"], "developer");
            assert_eq!(sent["input"][1], json!({"role": "user", "content": "Who?"}));
        } else {
            let instructions = text(&sent["instructions"]);
            assert!(instructions.ends_with("Be brief."), "{instructions}");
            assert_eq!(instructions.contains(&wire.schema.to_string()), mode == Mode::Prompt, "{mode:?}");
            assert_eq!(sent["input"], "Who?");
        }
        for field in ["instructions", "input"] {
            expected[field] = sent[field].clone();
        }
        let mut sent = sent;
        if mode == Mode::Json {
            sent["instructions"] = Value::Null;
        }
        assert_eq!(sent, expected, "{mode:?}");
    }
}

#[test]
fn the_users_fields_win() {
    let strict = || Form {
        mode: Mode::Schema,
        dialect: Dialect::OpenAiStrict,
        wire: Arc::new(person().wire(Dialect::OpenAiStrict).expect("fits")),
    };
    let sent =
        |extra: Value| body(&asking(strict(), &extra).encode(&prompt(&json!("Be brief."), &json!("Who?"))));
    let plain =
        sent(json!({"store": true, "temperature": 1, "max_output_tokens": 7, "text": {"verbosity": "low"}}));
    assert_eq!(plain["store"], true);
    assert_eq!((&plain["temperature"], &plain["max_output_tokens"]), (&json!(1), &json!(7)));
    assert_eq!(
        (&plain["text"]["verbosity"], &plain["text"]["format"]["type"]),
        (&json!("low"), &json!("json_schema"))
    );
    for (extra, include) in [
        (json!({}), None),
        (json!({"reasoning": {"effort": "none"}}), None),
        (json!({"reasoning": null}), None),
        (json!({"reasoning": {"effort": "low"}}), Some(json!(["reasoning.encrypted_content"]))),
        (json!({"reasoning": {"summary": "auto"}}), Some(json!(["reasoning.encrypted_content"]))),
        (json!({"reasoning": {"effort": "low"}, "include": []}), Some(json!([]))),
    ] {
        assert_eq!(sent(extra.clone()).get("include"), include.as_ref(), "{extra}");
    }
}

#[test]
fn examples_and_attachments_are_in_the_input() {
    let wire = Arc::new(person().wire(Dialect::Text).expect("fits"));
    let target = asking(Form { mode: Mode::Schema, dialect: Dialect::OpenAiStrict, wire }, &json!({}));
    let example = Example { question: "Bo, 7".to_owned(), value: json!({"name": "Bo", "age": 7}) };
    let turns = vec![Turn::System("Be brief.".into()), Turn::Example(Arc::new(example)), with_attachments()];
    let sent = body(&target.encode(&Prompt::new(turns)));
    assert_eq!(sent["instructions"], "Be brief.");
    assert_eq!(
        sent["input"],
        json!([
            {"role": "user", "content": "Bo, 7"},
            {"type": "message", "role": "assistant", "content": "{\"name\":\"Bo\",\"age\":7}"},
            {"role": "user", "content": [
                {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "auto"},
                {"type": "input_image", "image_url": "data:image/jpeg;base64,AAAA", "detail": "auto"},
                {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,BBBB"},
                {"type": "input_file", "file_url": "https://example.com/b.pdf"},
                {"type": "input_image", "image_url": "data:image/gif;base64,", "detail": "auto"},
                {"type": "input_text", "text": "What is it?"},
            ]},
        ])
    );
}

/// The completion of a response with these items.
fn answered(items: &Value) -> Completion {
    let body = json!({"status": "completed", "output": items});
    Protocol::OpenAiResponses.decode(&ok(&body.to_string())).expect("a completion")
}

#[test]
fn a_reask_replays_the_items_that_the_server_accepts() {
    let cases = vectors("openai_responses.json");
    let request = &case(&cases, "function_call")["request"];
    let correction = "The answer is not valid:\n- `/age`: is missing\n\
                Give the whole answer again with all of this corrected, and nothing else.";
    let reasoning = json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA", "status": null});
    let stored = json!({"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": null});
    let call = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{", "status": "completed"});
    let message = json!({"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "phase": "final_answer", "content": [
        {"type": "output_text", "text": "{}", "annotations": [], "logprobs": []},
    ]});
    let replayed_reasoning =
        json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAA", "summary": []});
    let replayed_call = json!({"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{"});
    for (items, expected) in [
        (
            json!([reasoning, call]),
            vec![
                replayed_reasoning.clone(),
                replayed_call.clone(),
                json!({"type": "function_call_output", "call_id": "call_1", "output": correction}),
            ],
        ),
        (
            json!([stored, message, {"type": "web_search_call", "id": "ws_1"}]),
            vec![
                json!({"type": "message", "role": "assistant", "phase": "final_answer", "content": "{}"}),
                json!({"role": "user", "content": correction}),
            ],
        ),
        (json!([]), vec![json!({"role": "user", "content": correction})]),
    ] {
        let mut prompt = prompt(&request["instructions"], &request["input"]);
        let raw_turn = answered(&items).raw_turn;
        prompt.turns.push(Turn::Invalid { raw_turn, violations: vec![Violation::at("/age", "is missing")] });
        let sent = body(&target(request).encode(&prompt));
        let question = json!({"role": "user", "content": request["input"]});
        let expected: Value = [question].into_iter().chain(expected).collect();
        assert_eq!(sent["input"], expected, "{items}");
    }
}

#[test]
fn only_the_final_answer_counts() {
    let message = |phase: Value, text: &str| {
        json!({"type": "message", "role": "assistant", "phase": phase, "content": [
            {"type": "output_text", "text": text}, {"type": "output_text", "text": "!"},
        ]})
    };
    let commentary = || message(json!("commentary"), "I look at it");
    for (items, expected) in [
        (json!([commentary(), message(json!("final_answer"), "{}")]), "{}!"),
        (json!([message(Value::Null, "{"), message(Value::Null, "}")]), "{!}!"),
        (json!([commentary()]), "I look at it!"),
    ] {
        assert_eq!(answered(&items).content, Content::Text(expected.to_owned()), "{items}");
    }
    let reasoning = json!([{"type": "reasoning", "content": [{"type": "output_text", "text": "{}"}]}]);
    assert_eq!(answered(&reasoning).content, Content::Thoughts("{}".to_owned()));
}

#[test]
fn a_200_without_an_answer_is_a_fault() {
    for (body, kind) in [
        ("", FaultKind::Server),
        ("<html>busy</html>", FaultKind::Server),
        ("{}", FaultKind::Server),
        (r#"{"status": "completed"}"#, FaultKind::Server),
        (r#"{"status": "failed", "output": []}"#, FaultKind::Server),
        (r#"{"status": "cancelled", "output": []}"#, FaultKind::Server),
        (r#"{"status": "queued", "output": []}"#, FaultKind::UnsupportedParameter),
        (r#"{"status": "in_progress", "output": []}"#, FaultKind::UnsupportedParameter),
        (r#"{"object": "error", "message": "no", "code": 429}"#, FaultKind::RateLimit),
    ] {
        let fault = Protocol::OpenAiResponses.decode(&ok(body)).expect_err(body);
        assert_eq!((fault.kind, fault.param.as_deref()), (kind, None), "{body}: {fault}");
    }
}

#[test]
fn an_answer_may_be_incomplete_for_any_reason() {
    for (reason, finish) in [
        ("max_output_tokens", Finish::Length),
        ("content_filter", Finish::ContentFilter),
        ("max_messages", Finish::Length),
        ("steered", Finish::Length),
    ] {
        let body = json!({"status": "incomplete", "incomplete_details": {"reason": reason}, "output": []});
        let completion = Protocol::OpenAiResponses.decode(&ok(&body.to_string())).expect("a completion");
        assert_eq!((completion.finish, &*completion.finish_reason), (finish, reason));
    }
}

#[test]
fn items_missing_from_the_last_event_are_taken_from_earlier_ones() {
    let item = json!({"type": "message", "content": [{"type": "output_text", "text": "{}"}]});
    for (output, expected) in [(json!([]), "{}"), (Value::Null, "{}"), (json!([{"type": "message"}]), "")] {
        let stream = format!(
            "data: {}\n\ndata: {}\n\n",
            json!({"type": "response.output_item.done", "item": item}),
            json!({"type": "response.completed", "response": {"status": "completed", "output": output}}),
        );
        let completion = Protocol::OpenAiResponses.decode(&ok(&stream)).expect("a completion");
        assert_eq!(completion.content, Content::Text(expected.to_owned()), "{output}");
    }
}
