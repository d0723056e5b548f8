//! Answers in every form to every protocol, and pages.

use serde_json::json;

use super::super::tests::ok;
use super::*;

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
        for spoken in ALL.into_iter().filter(|spoken| *spoken != answered) {
            let listed = json!([body]).to_string();
            let streamed = format!("data: {body}\n\n");
            for body in [body.to_string(), listed, streamed] {
                let fault = fault(spoken, &body);
                assert_eq!(fault.kind, FaultKind::NotFound, "{spoken:?} {body}: {fault}");
                let option = format!("`--protocol {}`", answered.name());
                assert!(
                    fault.hint().is_some_and(|hint| hint.contains(&option)),
                    "{spoken:?} {body}: {fault}"
                );
            }
        }
    }
}

#[test]
fn an_answer_in_a_form_that_no_protocol_has_asks_for_another_address() {
    for body in [
        json!({"id": "x", "message": {"role": "assistant", "content": [{"type": "text", "text": "{}"}]}, "finish_reason": "COMPLETE"}),
        json!({"text": "{}", "generation_id": "x", "finish_reason": "COMPLETE"}),
        json!({"generated_text": "{}"}),
        json!([{"generated_text": "{}"}]),
        json!(["{}"]),
        json!({"output": {"message": {"content": [{"text": "{}"}]}}, "stopReason": "end_turn"}),
        json!({"model": "m", "response": "{}", "done": true}),
    ] {
        for spoken in ALL {
            let fault = fault(spoken, &body.to_string());
            assert_eq!(fault.kind, FaultKind::NotFound, "{spoken:?} {body}: {fault}");
            assert!(fault.hint().is_some_and(|hint| hint.contains("`/v1`")), "{spoken:?} {body}: {fault}");
        }
    }
}

#[test]
fn a_page_is_named_and_may_pass() {
    for (page, title) in [
        ("<!DOCTYPE html><html><title>Sign in\n here</title></html>", "(`Sign in here`)"),
        (" <HTML><body>no</body></HTML>", "page, expected"),
    ] {
        for spoken in ALL {
            let fault = fault(spoken, page);
            assert_eq!(fault.kind, FaultKind::Server, "{spoken:?}: {fault}");
            assert!(fault.message.contains(title), "{spoken:?}: {fault}");
            assert!(fault.hint().is_some_and(|hint| hint.contains("base URL")), "{fault}");
        }
    }
}

/// Neither an answer, nor one of another form.
#[test]
fn what_is_in_no_known_form_is_the_servers_fault() {
    for body in ["", "{}", "[]", "3", "hello", "{\"choices\":", "[{\"error\":{\"message\":\"oops\"}}]"] {
        for spoken in ALL {
            let kind = fault(spoken, body).kind;
            assert!(matches!(kind, FaultKind::Server | FaultKind::Connection), "{spoken:?} {body}: {kind:?}");
        }
    }
}
