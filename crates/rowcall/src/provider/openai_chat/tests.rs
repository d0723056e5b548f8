//! Requests and responses of Chat Completions: the vectors, and other things that servers do.

use serde_json::{Value, json};

use super::*;
use crate::fault::FaultKind;
use crate::provider::tests::{
    OPENAI, PLAIN, body, case, check, form, ok, prompt, response, text, vectors, wire,
};
use crate::provider::{Forms, Protocol};
use crate::schema::{Dialect, Schema};
use crate::turn::{Content, Example, Finish};
use crate::violation::Violation;

mod alike;
mod shapes;

/// The target that should produce a vector's request, derived from that request.
fn target(request: &Value) -> Target {
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
    let extra = request.as_object().expect("an object").iter();
    let extra = extra.filter(|(name, _)| !known.contains(&name.as_str()));
    let limit = request["max_completion_tokens"].as_u64();
    let parameters = Parameters {
        max_output_tokens: limit.and_then(|limit| u32::try_from(limit).ok()),
        temperature: None,
        extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
    };
    Target::new(Protocol::OpenAiChat, OPENAI, text(&request["model"]), form(mode, wire), parameters)
}

#[test]
fn requests_are_encoded_as_in_the_vectors() {
    // These requests have forms that we never send: a tool that need not be called, or no schema.
    let not_ours =
        ["tool_call_auto", "tool_calls_parallel", "minimal_body_compat", "vllm_structured_outputs_choice"];
    let cases = [vectors("openai_chat.json"), vectors("compat_servers.json")].concat();
    let mut encoded = 0;
    for case in cases.iter().filter(|case| !text(&case["id"]).starts_with("ollama_native_")) {
        let Some(request) = case.get("request") else { continue };
        if not_ours.contains(&text(&case["id"]).as_str()) {
            continue;
        }
        let messages = &request["messages"];
        let ours = target(request).encode(&prompt(&messages[0]["content"], &messages[1]["content"]));
        assert_eq!(&*ours.path, "/chat/completions");
        assert_eq!(&body(&ours), request, "{}", case["id"]);
        encoded += 1;
    }
    assert_eq!(encoded, 10);
}

#[test]
fn responses_are_read_as_in_the_vectors() {
    let cases = [vectors("openai_chat.json"), vectors("compat_servers.json")].concat();
    let format = &case(&cases, "json_schema_ok")["request"]["response_format"]["json_schema"];
    let schema = Schema::from_json(format["schema"].clone()).expect("a schema");
    let mut read = 0;
    for case in cases.iter().filter(|case| case.get("status").is_some()) {
        if text(&case["id"]).starts_with("ollama_native_") {
            // A known difference: we use Ollama's compatible API.
            let fault = Protocol::OpenAiChat.decode(&response(case)).expect_err("not this protocol");
            assert_eq!(fault.kind, FaultKind::NotFound, "{fault}");
            continue;
        }
        let called = case.pointer("/request/tools/0/function/name").and_then(Value::as_str);
        let name = if case["id"] == "stream_tool_call" { Some("record_invoice") } else { called };
        let wire = wire(name.unwrap_or("invoice"), None, &format["schema"]);
        check(case, Protocol::OpenAiChat, &schema, &wire);
        read += 1;
    }
    assert_eq!(read, 19 + 12);
}

/// The forms of a person's schema in all modes, and the tool mode once more without `strict`.
fn forms() -> Vec<Form> {
    let schema = Schema::parse("name, age int").expect("a schema");
    let all = Forms::of(&schema, Protocol::OpenAiChat, Protocol::OpenAiChat.modes()).expect("forms");
    let loose = Arc::new(schema.wire(Dialect::Object).expect("fits"));
    let loose = Form { mode: Mode::Tool, dialect: Dialect::Object, wire: loose };
    [all.first].into_iter().chain(all.further).chain([loose]).collect()
}

#[test]
fn each_mode_sends_its_own_fields() {
    let prompt = prompt(&json!("Be brief."), &json!("Who?"));
    for form in forms() {
        let (wire, mode, strict) = (Arc::clone(&form.wire), form.mode, form.is_strict());
        let target = Target::new(Protocol::OpenAiChat, PLAIN, "m".to_owned(), form, Parameters::default());
        let mut sent = body(&target.encode(&prompt));
        let messages = sent["messages"].take();
        let described = |field: &str| json!({"name": wire.name, "strict": strict, field: wire.schema});
        let expected = match mode {
            Mode::Schema => {
                json!({"response_format": {"type": "json_schema", "json_schema": described("schema")}})
            }
            Mode::Tool => json!({
                "tools": [{"type": "function", "function": described("parameters")}],
                "tool_choice": {"type": "function", "function": {"name": wire.name}},
                "parallel_tool_calls": false,
            }),
            Mode::Json => json!({"response_format": {"type": "json_object"}}),
            Mode::Prompt => json!({}),
        };
        let fields = sent.as_object_mut().expect("an object");
        fields.retain(|name, _| name != "model" && name != "messages");
        assert_eq!(sent, expected, "{mode:?}");
        let system = text(&messages[0]["content"]);
        assert!(system.ends_with("Be brief."), "{mode:?}");
        let in_prompt = matches!(mode, Mode::Json | Mode::Prompt);
        assert_eq!(system.contains(&wire.schema.to_string()), in_prompt, "{mode:?}");
        assert_eq!(messages[1], json!({"role": "user", "content": "Who?"}));
    }
}

#[test]
fn a_compatible_server_gets_names_that_it_knows() {
    let parameters = Parameters {
        temperature: Some(0.5),
        max_output_tokens: Some(100),
        extra: [("top_k".to_owned(), json!(40)), ("temperature".to_owned(), json!(0))].into_iter().collect(),
    };
    let form = forms().remove(0);
    let target = Target::new(Protocol::OpenAiChat, PLAIN, "llama".to_owned(), form, parameters);
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

/// An image by its URL, an inline one, a document, and the text about them.
pub(in crate::provider) fn with_attachments() -> Turn {
    let attachment = |media_type: &str, content| Attachment { media_type: media_type.to_owned(), content };
    Turn::User {
        text: "What is it?".to_owned(),
        attachments: vec![
            attachment("image/png", AttachmentContent::Url("https://example.com/a.png".to_owned())),
            attachment("image/jpeg", AttachmentContent::Base64("AAAA".into())),
            attachment("application/pdf", AttachmentContent::Base64("BBBB".into())),
            attachment("application/pdf", AttachmentContent::Url("https://example.com/b.pdf".to_owned())),
            attachment("image/gif", AttachmentContent::File("/home/ann/secret.gif".into())),
        ],
    }
}

#[test]
fn examples_and_attachments_are_in_the_messages() {
    let form = forms().remove(0);
    let target = Target::new(Protocol::OpenAiChat, PLAIN, "m".to_owned(), form, Parameters::default());
    let example = Example { question: "Bo, 7".to_owned(), value: json!({"name": "Bo", "age": 7}) };
    let turns = vec![Turn::Example(Arc::new(example)), with_attachments()];
    let sent = body(&target.encode(&Prompt::new(turns)));
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "user", "content": "Bo, 7"},
            {"role": "assistant", "content": "{\"name\":\"Bo\",\"age\":7}"},
            {"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}},
                {"type": "file", "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
                {"type": "file", "file": {"filename": "document.pdf", "file_data": "https://example.com/b.pdf"}},
                {"type": "image_url", "image_url": {"url": "data:image/gif;base64,"}},
                {"type": "text", "text": "What is it?"},
            ]},
        ])
    );
}

#[test]
fn a_reask_replays_the_answer_and_lists_all_violations() {
    let violations = vec![
        Violation::at("/age", "is a string, expected an integer"),
        Violation::whole("`name` is missing"),
    ];
    let correction = "The answer is not valid:\n- `/age`: is a string, expected an integer\n- `name` is missing\n\
                Give the whole answer again with all of this corrected, and nothing else.";
    let cases = vectors("openai_chat.json");
    for (id, replayed, reply) in [
        (
            "json_schema_ok",
            json!({"role": "assistant", "content": case(&cases, "json_schema_ok")["body"]["choices"][0]["message"]["content"]}),
            json!({"role": "user", "content": correction}),
        ),
        (
            "tool_call_forced",
            json!({
                "role": "assistant",
                "content": null,
                "tool_calls": case(&cases, "tool_call_forced")["body"]["choices"][0]["message"]["tool_calls"],
            }),
            json!({"role": "tool", "tool_call_id": "call_a1", "content": correction}),
        ),
    ] {
        let case = case(&cases, id);
        let completion = Protocol::OpenAiChat.decode(&response(case)).expect("a completion");
        let messages = &case["request"]["messages"];
        let mut prompt = prompt(&messages[0]["content"], &messages[1]["content"]);
        prompt.turns.push(Turn::Invalid { raw_turn: completion.raw_turn, violations: violations.clone() });
        let sent = body(&target(&case["request"]).encode(&prompt));
        assert_eq!(sent["messages"], json!([messages[0], messages[1], replayed, reply]), "{id}");
    }
}

#[test]
fn what_servers_would_reject_is_replayed_as_text() {
    let call = |id: Value, arguments: Value| json!({"id": id, "type": "function", "function": {"name": "answer", "arguments": arguments}});
    for (message, replayed) in [
        (json!({"content": null, "reasoning_content": "hm"}), json!("(no answer)")),
        (json!({"content": " "}), json!("(no answer)")),
        (json!({"content": null, "tool_calls": [call(json!("a"), json!("{\"na"))]}), json!("{\"na")),
        (
            json!({"content": "So:", "tool_calls": [call(json!(null), json!({"a": 1}))]}),
            json!("So:\n{\"a\":1}"),
        ),
        (
            json!({"content": "", "tool_calls": [call(json!(""), json!("{}")), call(json!("b"), json!(null))]}),
            json!("{}\n"),
        ),
    ] {
        let answer = ok(&json!({"choices": [{"message": message, "finish_reason": "stop"}]}).to_string());
        let completion = Protocol::OpenAiChat.decode(&answer).expect("a completion");
        assert_eq!(completion.raw_turn, json!({"role": "assistant", "content": replayed}), "{message}");
    }
}

#[test]
fn reasoning_counts_as_output_wherever_the_server_counts_it() {
    let used = |usage: Value| {
        let answer =
            json!({"choices": [{"message": {"content": "1"}, "finish_reason": "stop"}], "usage": usage});
        let usage = Protocol::OpenAiChat.decode(&ok(&answer.to_string())).expect("a completion").usage;
        usage.map(|usage| (usage.input_tokens, usage.output_tokens, usage.reasoning_tokens))
    };
    let reasoned = |total: u64| json!({"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": total, "completion_tokens_details": {"reasoning_tokens": 15}});
    assert_eq!(used(reasoned(120)), Some((100, 20, 15)), "OpenAI");
    assert_eq!(used(reasoned(135)), Some((100, 35, 15)), "xAI");
}

#[test]
fn a_200_without_an_answer_is_a_fault() {
    for (body, kind) in [
        ("", FaultKind::Server),
        ("<html>busy</html>", FaultKind::Server),
        (r#"{"choices": []}"#, FaultKind::Server),
        (r#"{"choices": [{"finish_reason": "stop"}]}"#, FaultKind::Server),
        (r#"{"choices": [{"message": {"content": "{\"na"#, FaultKind::Server),
        (r#"{"choices": [{"message": {"content": "{"}, "finish_reason": "error"}]}"#, FaultKind::Server),
        (
            r#"{"choices": [{"error": {"code": 429, "message": "no"}, "finish_reason": "error"}]}"#,
            FaultKind::RateLimit,
        ),
        (r#"{"object": "error", "message": "no", "code": 429}"#, FaultKind::RateLimit),
        (
            r#"{"choices": [{"message": {"content": ""}, "finish_reason": "insufficient_system_resource"}]}"#,
            FaultKind::Overloaded,
        ),
    ] {
        let fault = Protocol::OpenAiChat.decode(&ok(body)).expect_err(body);
        assert_eq!(fault.kind, kind, "{body}: {fault}");
    }
}

#[test]
fn odd_parts_of_the_envelope_do_not_cost_the_answer() {
    for body in [
        "\u{feff}{\"choices\": [{\"message\": {\"content\": \"{}\"}}], \"error\": {}}",
        r#"  {"choices": [{"message": {"role": "assistant", "content": [{"type": "text", "text": "{}"}], "tool_calls": []},
        "finish_reason": null}], "usage": {"prompt_tokens": "many"}, "model": null, "error": null}"#,
    ] {
        let completion = Protocol::OpenAiChat.decode(&ok(body)).expect("a completion");
        assert_eq!((completion.content, completion.usage), (Content::Text("{}".to_owned()), None), "{body}");
    }
}

#[test]
fn what_groqs_own_validator_rejected_is_an_answer() {
    for (code, generation, content, finish) in [
        ("json_validate_failed", "{\"na", "", Finish::Stop),
        ("json_validate_failed", "{\"age\": \"x\"}\n", "{\"age\": \"x\"}\n", Finish::Stop),
        ("tool_use_failed", "<function=answer>{}</function>", "<function=answer>{}</function>", Finish::Stop),
        (
            "json_validate_failed",
            "max completion tokens reached before generating a valid document",
            "",
            Finish::Length,
        ),
    ] {
        let body = json!({"error": {"message": "no", "code": code, "failed_generation": generation}});
        let refused = Response { status: 400, ..ok(&body.to_string()) };
        for answer in [refused, ok(&format!("event: error\ndata: {body}\n\n"))] {
            let completion = Protocol::OpenAiChat.decode(&answer).expect("a completion");
            assert_eq!((completion.content, completion.finish), (Content::Text(content.to_owned()), finish));
            assert_eq!(completion.raw_turn, json!({"role": "assistant", "content": generation}));
        }
    }
}

#[test]
fn streams_of_every_kind_are_assembled() {
    let chunk = |delta: Value, finish: Value| {
        format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    };
    let call = |piece: Value| chunk(json!({"tool_calls": [piece]}), Value::Null);
    let end = chunk(json!({}), json!("stop")) + "data: [DONE]\n\n";
    let calls = |calls: &[(&str, &str)]| {
        let call = |(name, arguments): &(&str, &str)| crate::turn::ToolCall {
            name: (*name).to_owned(),
            arguments: (*arguments).to_owned(),
            came_parsed: false,
        };
        Content::Calls(calls.iter().map(call).collect())
    };
    for (what, stream, expected) in [
        (
            "repeated names, and interleaved calls",
            call(json!({"index": 1, "id": "b", "function": {"name": "g", "arguments": "{"}}))
                + &call(json!({"index": 0, "id": "a", "function": {"name": "f", "arguments": "["}}))
                + &call(json!({"index": 1, "id": "b", "function": {"name": "g", "arguments": "}"}}))
                + &call(json!({"index": 0, "function": {"arguments": "]"}})),
            calls(&[("f", "[]"), ("g", "{}")]),
        ),
        (
            "calls without an index",
            call(json!({"id": "a", "function": {"name": "f", "arguments": "["}}))
                + &call(json!({"function": {"arguments": "]"}}))
                + &call(json!({"id": "b", "function": {"name": "g", "arguments": {"a": 1}}}))
                + &call(json!({"id": "b", "function": {"arguments": " "}})),
            calls(&[("f", "[]"), ("g", "{\"a\":1} ")]),
        ),
        (
            "parts, some of them thoughts",
            chunk(
                json!({"content": [{"type": "thinking", "thinking": []}, {"type": "text", "text": "{"}]}),
                json!(""),
            ) + "data:\n\n"
                + &chunk(json!({"content": "}", "reasoning_content": "hm"}), Value::Null),
            Content::Text("{}".to_owned()),
        ),
        (
            "the whole message at once",
            format!("data: {}\n\n", json!({"choices": [{"message": {"content": "{}"}}]})),
            Content::Text("{}".to_owned()),
        ),
    ] {
        let completion = Protocol::OpenAiChat.decode(&ok(&(stream + &end))).expect(what);
        assert_eq!(completion.content, expected, "{what}");
    }
    let groq = format!(
        "data: {}\n\n",
        json!({"choices": [], "x_groq": {"usage": {"prompt_tokens": 5, "completion_tokens": 2}}})
    );
    let completion = Protocol::OpenAiChat.decode(&ok(&(groq + &end))).expect("a completion");
    assert_eq!(completion.usage.map(|usage| usage.input_tokens), Some(5));
}
