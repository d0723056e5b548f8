//! Answers of every format read as every protocol, and web pages.

use serde_json::json;

use super::super::tests::ok;
use super::*;
use crate::hint::Setting;

const ALL: [Protocol; 4] =
    [Protocol::OpenAiChat, Protocol::OpenAiResponses, Protocol::Anthropic, Protocol::Gemini];

fn fault(protocol: Protocol, body: &str) -> Fault {
    protocol.decode(&ok(body)).expect_err("no answer in this protocol")
}

#[test]
fn an_answer_in_another_protocol_names_the_option_for_it() {
    let chat = json!({"object": "chat.completion", "choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]});
    let anthropic =
        json!({"type": "message", "content": [{"type": "text", "text": "{}"}], "stop_reason": "end_turn"});
    let gemini = json!({"candidates": [{"content": {"parts": [{"text": "{}"}]}}]});
    let responses = json!({"object": "response", "status": "completed", "output": []});
    for (answered, body) in ALL.into_iter().zip([chat, responses, anthropic, gemini]) {
        for requested in ALL.into_iter().filter(|requested| *requested != answered) {
            let listed = json!([body]).to_string();
            let streamed = format!("data: {body}\n\n");
            for body in [body.to_string(), listed, streamed] {
                let fault = fault(requested, &body);
                assert_eq!(fault.kind, FaultKind::NotFound, "{requested:?} {body}: {fault}");
                let protocol = Setting::Protocol.exactly(answered.name());
                assert!(
                    fault.hint().is_some_and(|hint| hint.parts().contains(&protocol)),
                    "{requested:?} {body}: {fault}"
                );
            }
        }
    }
}

#[test]
fn an_answer_in_a_format_of_no_protocol_hints_at_another_address() {
    for body in [
        json!({"id": "x", "message": {"role": "assistant", "content": [{"type": "text", "text": "{}"}]}, "finish_reason": "COMPLETE"}),
        json!({"text": "{}", "generation_id": "x", "finish_reason": "COMPLETE"}),
        json!({"generated_text": "{}"}),
        json!([{"generated_text": "{}"}]),
        json!(["{}"]),
        json!({"output": {"message": {"content": [{"text": "{}"}]}}, "stopReason": "end_turn"}),
        json!({"model": "m", "response": "{}", "done": true}),
    ] {
        for requested in ALL {
            let fault = fault(requested, &body.to_string());
            assert_eq!(fault.kind, FaultKind::NotFound, "{requested:?} {body}: {fault}");
            let hint = fault.hint().map(|hint| hint.to_string()).unwrap_or_default();
            assert!(hint.contains("`/v1`"), "{requested:?} {body}: {fault}");
        }
    }
}

#[test]
fn a_page_is_named_and_retried() {
    for (page, title) in [
        ("<!DOCTYPE html><html><title>Sign in\n here</title></html>", "(`Sign in here`)"),
        (" <HTML><body>no</body></HTML>", "page, expected"),
    ] {
        for requested in ALL {
            let fault = fault(requested, page);
            assert_eq!(fault.kind, FaultKind::Server, "{requested:?}: {fault}");
            assert!(fault.message.contains(title), "{requested:?}: {fault}");
            assert!(fault.is_page() && fault.hint().is_some(), "{fault}");
        }
    }
}

/// Neither an answer, nor one in another format.
#[test]
fn a_body_in_no_known_format_is_the_servers_fault() {
    for body in ["", "{}", "[]", "3", "hello", "{\"choices\":", "[{\"error\":{\"message\":\"oops\"}}]"] {
        for requested in ALL {
            let kind = fault(requested, body).kind;
            assert!(
                matches!(kind, FaultKind::Server | FaultKind::Connection),
                "{requested:?} {body}: {kind:?}"
            );
        }
    }
}
