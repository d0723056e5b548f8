//! Possible answers in both of OpenAI's protocols, plain and streamed: all four versions of an answer give the same reading.

use serde_json::{Value, json};

use crate::completion::{self, Reading, Repair};
use crate::fault::FaultKind;
use crate::provider::Protocol;
use crate::provider::tests::ok;
use crate::schema::{Dialect, Schema};
use crate::turn::{Content, Usage};
use crate::violation::Violation;

const ANN: &str = r#"{"name":"Ann","age":30}"#;

/// An answer, independent of the protocol.
#[derive(Clone, Copy, Default)]
struct Said {
    thought: &'static str,
    text: &'static str,
    refusal: &'static str,
    /// The names and arguments of the tool calls.
    calls: &'static [(&'static str, &'static str)],
    ended: Ended,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Ended {
    #[default]
    Well,
    Cut,
    Filtered,
}

fn stories() -> Vec<(&'static str, Said, Reading)> {
    let said = Said::default();
    let value = |repairs| Reading::Value { value: json!({"name": "Ann", "age": 30}), repairs };
    vec![
        ("plain", Said { text: ANN, ..said }, value(vec![])),
        (
            "a refusal",
            Said { refusal: "I would rather not.", ..said },
            Reading::Refused("I would rather not.".to_owned()),
        ),
        ("a filter", Said { text: "{\"na", ended: Ended::Filtered, ..said }, Reading::Filtered),
        ("cut", Said { text: "{\"name\":\"Łód", ended: Ended::Cut, ..said }, Reading::Truncated),
        ("cut while thinking", Said { thought: "hm", ended: Ended::Cut, ..said }, Reading::Truncated),
        (
            "nothing",
            said,
            Reading::Invalid {
                violations: vec![Violation::whole("the answer is empty, expected JSON")],
                best: None,
            },
        ),
        ("a call", Said { calls: &[("answer", ANN)], ..said }, value(vec![])),
        ("a call of another tool", Said { calls: &[("other", ANN)], ..said }, value(vec![Repair::ToolName])),
        (
            "two calls",
            Said { calls: &[("answer", "{\"name\":\"Bo\"}"), ("answer", ANN)], ..said },
            value(vec![]),
        ),
        (
            "text before a call",
            Said { text: "Let me see.", calls: &[("answer", ANN)], ..said },
            value(vec![]),
        ),
        (
            "a cut call",
            Said { calls: &[("answer", "{\"name\":\"A")], ended: Ended::Cut, ..said },
            Reading::Truncated,
        ),
        ("thoughts before", Said { thought: "She is 31? No.", text: ANN, ..said }, value(vec![])),
    ]
}

/// A text in pieces of three characters, as in a stream.
fn pieces(text: &str) -> Vec<String> {
    let characters: Vec<_> = text.chars().collect();
    characters.chunks(3).map(|piece| piece.iter().collect()).collect()
}

fn chat(said: Said) -> Value {
    let call = |(at, (name, arguments)): (usize, &(&str, &str))| json!({"id": format!("call_{at}"), "type": "function", "function": {"name": name, "arguments": arguments}});
    let calls: Vec<_> = said.calls.iter().enumerate().map(call).collect();
    let mut message = json!({"role": "assistant", "content": said.text, "refusal": null, "reasoning_content": said.thought});
    if !calls.is_empty() {
        message["tool_calls"] = json!(calls);
    }
    if !said.refusal.is_empty() {
        message["refusal"] = json!(said.refusal);
        message["content"] = Value::Null;
    }
    json!({
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason(said)}],
        "usage": {"prompt_tokens": 7, "completion_tokens": 5},
    })
}

fn finish_reason(said: Said) -> &'static str {
    match said.ended {
        Ended::Well => "stop",
        Ended::Cut => "length",
        Ended::Filtered => "content_filter",
    }
}

fn chat_stream(said: Said) -> String {
    let chunk = |delta: Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"model": "m", "choices": [choice], "usage": null}))
    };
    let mut stream = chunk(json!({"role": "assistant", "content": "", "refusal": null}), None);
    for (field, text) in
        [("reasoning_content", said.thought), ("content", said.text), ("refusal", said.refusal)]
    {
        stream.extend(pieces(text).into_iter().map(|piece| chunk(json!({ field: piece }), None)));
    }
    for (at, (name, arguments)) in said.calls.iter().enumerate() {
        let begun = json!({"index": at, "id": format!("call_{at}"), "type": "function", "function": {"name": name, "arguments": ""}});
        stream.push_str(&chunk(json!({"tool_calls": [begun]}), None));
        for piece in pieces(arguments) {
            let more = json!({"index": at, "function": {"arguments": piece}});
            stream.push_str(&chunk(json!({"tool_calls": [more]}), None));
        }
    }
    stream.push_str(&chunk(json!({}), Some(finish_reason(said))));
    let usage = json!({"model": "m", "choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}});
    stream + &format!("data: {usage}\n\ndata: [DONE]\n\n")
}

fn items(said: Said) -> Vec<Value> {
    let message = |part: Value| json!({"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]});
    let mut items = Vec::new();
    if !said.thought.is_empty() {
        items.push(json!({"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": said.thought}]}));
    }
    if !said.text.is_empty() {
        items.push(message(
            json!({"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}),
        ));
    }
    if !said.refusal.is_empty() {
        items.push(message(json!({"type": "refusal", "refusal": said.refusal})));
    }
    for (at, (name, arguments)) in said.calls.iter().enumerate() {
        items.push(json!({"type": "function_call", "id": "fc_1", "call_id": format!("call_{at}"), "name": name, "arguments": arguments, "status": "completed"}));
    }
    items
}

fn responses(said: Said) -> Value {
    let (status, details) = match said.ended {
        Ended::Well => ("completed", Value::Null),
        Ended::Cut => ("incomplete", json!({"reason": "max_output_tokens"})),
        Ended::Filtered => ("incomplete", json!({"reason": "content_filter"})),
    };
    json!({
        "object": "response",
        "status": status,
        "error": null,
        "incomplete_details": details,
        "model": "m",
        "output": items(said),
        "usage": {"input_tokens": 7, "output_tokens": 5},
    })
}

fn responses_stream(said: Said) -> String {
    let event = |kind: &str, mut data: Value| {
        data["type"] = json!(kind);
        format!("event: {kind}\ndata: {data}\n\n")
    };
    let mut stream = event("response.created", json!({"response": {"status": "in_progress", "output": []}}));
    stream.extend(
        pieces(said.text)
            .into_iter()
            .map(|piece| event("response.output_text.delta", json!({"delta": piece}))),
    );
    stream.extend(
        items(said).into_iter().map(|item| event("response.output_item.done", json!({"item": item}))),
    );
    let whole = responses(said);
    stream
        + &event(
            &format!("response.{}", whole["status"].as_str().expect("a status")),
            json!({"response": whole}),
        )
}

/// The answer's body in each protocol, plain and as a stream.
fn bodies(said: Said) -> [(Protocol, String); 4] {
    [
        (Protocol::OpenAiChat, chat(said).to_string()),
        (Protocol::OpenAiChat, chat_stream(said)),
        (Protocol::OpenAiResponses, responses(said).to_string()),
        (Protocol::OpenAiResponses, responses_stream(said)),
    ]
}

#[test]
fn every_answer_is_read_alike_in_all_versions() {
    let schema = Schema::parse("name, age int").expect("a schema");
    let mut wire = schema.wire(Dialect::OpenAiStrict).expect("fits the wire");
    "answer".clone_into(&mut wire.name);
    for (story, said, expected) in stories() {
        for (protocol, body) in bodies(said) {
            let completion =
                protocol.decode(&ok(&body)).unwrap_or_else(|fault| panic!("{story}: {fault}: {body}"));
            assert_eq!(completion::read(&completion, &schema, &wire), expected, "{story}: {body}");
            let usage = Usage { input_tokens: 7, output_tokens: 5, ..Usage::default() };
            assert_eq!((completion.usage, &*completion.model), (Some(usage), "m"), "{story}: {body}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_off_is_not_an_answer() {
    for (story, said, _) in stories() {
        for (protocol, body) in bodies(said) {
            if body.starts_with('{') {
                continue;
            }
            let whole = protocol.decode(&ok(&body)).expect("a completion");
            let mut response = ok(&body);
            response.headers.insert("content-type", http::HeaderValue::from_static("text/event-stream"));
            for cut in 0..body.len() {
                response.body.truncate(body.len() - cut);
                match protocol.decode(&response) {
                    // Only the usage or the end mark is missing.
                    Ok(completion) => assert_eq!(
                        (&completion.content, completion.finish, &completion.raw_turn),
                        (&whole.content, whole.finish, &whole.raw_turn),
                        "{story} without its last {cut} bytes"
                    ),
                    Err(fault) => {
                        assert_eq!(fault.kind, FaultKind::Connection, "{story} without its last {cut} bytes");
                        assert!(fault.may_be_billed(), "{story}");
                    }
                }
            }
            response.body.clear();
            assert_eq!(protocol.decode(&response).expect_err("nothing").kind, FaultKind::Connection);
        }
    }
}

#[test]
fn an_error_in_a_200_is_a_fault_wherever_it_comes() {
    let error = json!({"message": "Slow down, please.", "type": "tokens", "code": "rate_limit_exceeded"});
    let said = Said { text: ANN, ..Said::default() };
    let mut last = error.clone();
    last["type"] = json!("error");
    let begun =
        |stream: String| stream.split_once("\n\n").map_or(String::new(), |(first, _)| format!("{first}\n\n"));
    for (protocol, body) in [
        (Protocol::OpenAiChat, json!({"error": error}).to_string()),
        (Protocol::OpenAiChat, begun(chat_stream(said)) + &format!("data: {}\n\n", json!({"error": error}))),
        (Protocol::OpenAiChat, begun(chat_stream(said)) + &format!("event: error\ndata: {error}\n\n")),
        (Protocol::OpenAiResponses, json!({"error": error}).to_string()),
        (Protocol::OpenAiResponses, json!({"status": "failed", "output": [], "error": error}).to_string()),
        (
            Protocol::OpenAiResponses,
            begun(responses_stream(said)) + &format!("event: error\ndata: {last}\n\n"),
        ),
        (
            Protocol::OpenAiResponses,
            begun(responses_stream(said))
                + &format!(
                    "data: {}\n\n",
                    json!({"type": "response.failed", "response": {"status": "failed", "error": error}})
                ),
        ),
    ] {
        let fault = protocol.decode(&ok(&body)).expect_err("an error");
        assert_eq!((fault.kind, &*fault.message), (FaultKind::RateLimit, "Slow down, please."), "{body}");
        assert_eq!(fault.status, Some(200), "{body}");
    }
}

#[test]
fn calls_stay_in_order() {
    let said = Said { calls: &[("f", "{}"), ("g", "[]"), ("f", "1")], ..Said::default() };
    for (protocol, body) in bodies(said) {
        let completion = protocol.decode(&ok(&body)).expect("a completion");
        let Content::Calls(calls) = completion.content else { panic!("{body}") };
        let names: Vec<_> = calls.iter().map(|call| (call.name.as_str(), call.arguments.as_str())).collect();
        assert_eq!(names, said.calls, "{body}");
    }
}
