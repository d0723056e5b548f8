//! The shapes in which servers send a message, each with its content.

use serde_json::{Value, json};

use crate::fault::FaultKind;
use crate::hint::Setting;
use crate::provider::Protocol;
use crate::provider::tests;
use crate::request::Response;
use crate::turn::{Content, Finish, ToolCall};

fn ok(body: &Value) -> Response {
    tests::ok(&body.to_string())
}

fn read(body: &Value) -> Content {
    Protocol::OpenAiChat.decode(&ok(body)).unwrap_or_else(|fault| panic!("{fault} for {body}")).content
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn called(arguments: &str) -> Content {
    calls(arguments, false)
}

fn calls(arguments: &str, came_parsed: bool) -> Content {
    Content::Calls(vec![ToolCall { name: "answer".to_owned(), arguments: arguments.to_owned(), came_parsed }])
}

#[test]
fn a_message_is_read_in_every_shape() {
    let answer = r#"{"name":"Ann"}"#;
    let call = json!({"name": "answer", "arguments": answer});
    let part = |kind: &str| json!({"type": kind, "text": answer});
    for (message, content) in [
        (json!({"content": answer}), text(answer)),
        (json!(answer), text(answer)),
        (json!({"content": [answer]}), text(answer)),
        (json!({"content": [r#"{"name":"#, r#""Ann"}"#]}), text(answer)),
        (json!({"content": [part("text")]}), text(answer)),
        (json!({"content": ["", part("output_text")]}), text(answer)),
        (json!({"content": [{"type": "thinking", "thinking": [part("text")]}, part("text")]}), text(answer)),
        (json!({"content": [{"type": "reasoning", "text": "{}"}, part("text")]}), text(answer)),
        (json!({"content": part("text")}), text(answer)),
        (json!({"content": {"text": answer}}), text(answer)),
        (json!({"content": {"name": "Ann"}}), text(answer)),
        (json!({"content": {"type": "dog", "name": "Rex"}}), text(r#"{"type":"dog","name":"Rex"}"#)),
        (json!({"content": [{"name": "Ann"}]}), text(r#"[{"name":"Ann"}]"#)),
        (json!({"content": 3}), text("3")),
        (json!({"content": null}), text("")),
        (json!({"content": null, "function_call": call}), called(answer)),
        (json!({"content": "", "function_call": call, "tool_calls": []}), called(answer)),
        (json!({"function_call": {"name": "answer", "arguments": {"name": "Ann"}}}), calls(answer, true)),
        (json!({"tool_calls": [{"function": call}]}), called(answer)),
        (json!({"tool_calls": [call]}), called(answer)),
        (json!({"tool_calls": {"id": "1", "function": call}}), called(answer)),
        // From gateways that always send the field.
        (json!({"content": answer, "function_call": {}}), text(answer)),
        (
            json!({"content": answer, "tool_calls": [{"id": "", "function": {"name": "", "arguments": ""}}]}),
            text(answer),
        ),
        (json!({"content": "", "reasoning_content": answer}), Content::Thoughts(answer.to_owned())),
        (json!({"content": null, "reasoning": answer}), Content::Thoughts(answer.to_owned())),
        (
            json!({"content": [{"type": "thinking", "thinking": answer}]}),
            Content::Thoughts(answer.to_owned()),
        ),
        (json!({"content": answer, "reasoning_content": "{}"}), text(answer)),
    ] {
        assert_eq!(read(&json!({"choices": [{"message": message}]})), content, "{message}");
    }
    let cut = json!({"choices": [{"message": {"content": {"name": "Ann"}}, "finish_reason": "length"}]});
    assert_eq!(read(&cut), text(""), "the server closed JSON that was cut off");
    assert_eq!(read(&json!({"choices": [{"text": answer, "finish_reason": "stop"}]})), text(answer));
    let delta = json!({"choices": [{"delta": {"content": answer}, "finish_reason": "stop"}]});
    assert_eq!(read(&delta), text(answer));
}

#[test]
fn a_value_that_is_not_a_message_is_named() {
    for (message, found) in [(json!(3), "a number"), (json!([1]), "a list"), (json!(true), "a boolean")] {
        let fault = Protocol::OpenAiChat
            .decode(&ok(&json!({"choices": [{"message": message}]})))
            .expect_err("no message");
        assert_eq!(fault.message, format!("the message is {found}, expected an object with `content`"));
    }
}

#[test]
fn ollamas_own_format_is_named_with_a_hint() {
    let message = json!({"role": "assistant", "content": "{}"});
    for body in [
        json!({"model": "m", "message": message, "done": true}),
        json!({"model": "m", "response": "{}", "done": true}),
    ] {
        let fault = Protocol::OpenAiChat.decode(&ok(&body)).expect_err("another protocol");
        assert_eq!(fault.kind, FaultKind::NotFound);
        assert!(fault.message.contains("Ollama's own form"), "{fault}");
        assert!(fault.hint().is_some_and(|hint| hint.to_string().contains("`/v1`")), "{fault}");
    }
}

#[test]
fn the_formats_of_other_protocols_are_named_with_a_hint() {
    for (body, name) in [
        (json!({"type": "message", "content": [{"type": "text", "text": "{}"}]}), "anthropic"),
        (json!({"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}), "gemini"),
        (json!({"object": "response", "output": []}), "responses"),
    ] {
        let fault = Protocol::OpenAiChat.decode(&ok(&body)).expect_err("another protocol");
        assert_eq!(fault.kind, FaultKind::NotFound);
        let option = Setting::Protocol.exactly(name);
        assert!(fault.hint().is_some_and(|hint| hint.parts().contains(&option)), "{fault}");
    }
}

#[test]
fn a_stream_with_an_end_mark_needs_no_finish_reason() {
    let piece =
        |content: &str| format!("data: {}\n\n", json!({"choices": [{"delta": {"content": content}}]}));
    let ended = [piece("{\"name\":"), piece("\"Ann\"}"), "data: [DONE]\n\n".to_owned()].concat();
    let completion = Protocol::OpenAiChat.decode(&tests::ok(&ended)).expect("a completion");
    assert_eq!(completion.content, text(r#"{"name":"Ann"}"#));
    assert_eq!(completion.finish, Finish::Unstated);
    for broken in [piece("{\"name\":"), "data: [DONE]\n\n".to_owned()] {
        let fault = Protocol::OpenAiChat.decode(&tests::ok(&broken)).expect_err("no answer");
        assert_eq!(fault.kind, FaultKind::Connection, "{broken}");
    }
}

#[test]
fn a_streamed_function_call_is_assembled() {
    let pieces = [
        json!({"choices": [{"delta": {"function_call": {"name": "answer", "arguments": "{\"name\":"}}}]}),
        json!({"choices": [{"delta": {"function_call": {"arguments": "\"Ann\"}"}}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "function_call"}]}),
    ];
    let events: Vec<String> = pieces.iter().map(|piece| format!("data: {piece}\n\n")).collect();
    let completion = Protocol::OpenAiChat.decode(&tests::ok(&events.concat())).expect("a completion");
    assert_eq!(completion.content, called(r#"{"name":"Ann"}"#));
}

/// An object would keep only one value of a duplicate key.
#[test]
fn a_parsed_answer_with_a_duplicate_key_stays_text() {
    let twice = r#"{"name":"Ann","name":"Bob"}"#;
    for (message, content) in [
        (format!(r#"{{"content":{twice}}}"#), text(twice)),
        (format!(r#"{{"content":[{twice}]}}"#), text(&format!("[{twice}]"))),
        (
            format!(r#"{{"tool_calls":[{{"function":{{"name":"answer","arguments":{twice}}}}}]}}"#),
            called(twice),
        ),
    ] {
        let body = format!(r#"{{"choices":[{{"message":{message},"finish_reason":"stop"}}]}}"#);
        let read = Protocol::OpenAiChat.decode(&tests::ok(&body)).expect("an answer").content;
        assert_eq!(read, content, "{message}");
    }
}
