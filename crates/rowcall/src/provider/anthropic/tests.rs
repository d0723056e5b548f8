//! Messages to and from Anthropic: the vectors, and a table of possible answers.

use std::sync::Arc;

use http::header::CONTENT_TYPE;

use super::*;
use crate::completion::{self, Reading};
use crate::provider::Protocol;
use crate::provider::tests::{PLAIN, body, case, check, ok, prompt, response, text, vectors, wire};
use crate::schema::{Dialect, Schema, WireSchema};
use crate::turn::{Content, Example, Finish, ToolCall, Usage};
use crate::violation::Violation;

fn cases() -> Vec<Value> {
    let mut cases = vectors("anthropic_messages.json");
    // Token counting has another endpoint.
    cases.retain(|case| case["kind"] != "count_tokens");
    cases
}

/// The mode and the schema of a vector's request.
fn asked(request: &Value) -> (Mode, &Value, Arc<WireSchema>) {
    if let Some(schema) = request.pointer("/output_config/format/schema") {
        (Mode::Schema, schema, wire("invoice", None, schema))
    } else {
        let tool = &request["tools"][0];
        let schema = &tool["input_schema"];
        (Mode::Tool, schema, wire(&text(&tool["name"]), tool["description"].as_str(), schema))
    }
}

fn form(schema: &Schema, mode: Mode) -> Form {
    let dialect = if mode == Mode::Prompt { Dialect::Text } else { Dialect::Anthropic };
    Form { mode, dialect, wire: Arc::new(schema.wire(dialect).expect("fits the wire")) }
}

fn person() -> Schema {
    Schema::parse("name, age int").expect("a schema")
}

fn target(form: Form, parameters: Parameters) -> Target {
    Target::new(Protocol::Anthropic, PLAIN, "claude-haiku-5-5".to_owned(), form, parameters)
}

/// What is sent without any parameters.
fn sent(prompt: &Prompt) -> Value {
    body(&target(form(&person(), Mode::Schema), Parameters::default()).encode(prompt))
}

fn limited(max_output_tokens: u32) -> Parameters {
    Parameters { max_output_tokens: Some(max_output_tokens), ..Parameters::default() }
}

fn with_extra(extra: &Value) -> Parameters {
    let extra = extra.as_object().expect("an object").clone();
    Parameters { extra, ..Parameters::default() }
}

fn ask() -> Prompt {
    Prompt::new(vec![Turn::System("s".into()), Turn::user("u")])
}

/// The start of a stream that is declared as one.
fn beginning(of: &str, end: usize) -> Response {
    let mut response = ok(&of[..end]);
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

#[test]
fn requests_are_encoded_as_in_the_vectors() {
    let mut encoded = 0;
    for case in cases() {
        let Some(request) = case.get("request") else { continue };
        let (mode, _, wire) = asked(request);
        let ours = ["model", "max_tokens", "system", "messages", "output_config", "tools", "tool_choice"];
        let fields = request.as_object().expect("an object").iter();
        let extra = fields.filter(|(name, _)| !ours.contains(&name.as_str()));
        let parameters = Parameters {
            max_output_tokens: request["max_tokens"].as_u64().and_then(|limit| u32::try_from(limit).ok()),
            temperature: None,
            extra: extra.map(|(name, value)| (name.clone(), value.clone())).collect(),
        };
        let target = target(Form { mode, dialect: Dialect::Anthropic, wire }, parameters);
        let sent = target.encode(&prompt(&request["system"], &request["messages"][0]["content"]));
        assert_eq!((&*sent.path, &body(&sent)), ("/v1/messages", request), "{}", case["id"]);
        encoded += 1;
    }
    assert_eq!(encoded, 6);
}

#[test]
fn answers_are_read_as_in_the_vectors() {
    let cases = cases();
    for given in &cases {
        // Some vectors have a stream without its request.
        let alike = if given["id"] == "stream_tool_use" { "tool_use_forced" } else { "json_schema_ok" };
        let request = given.get("request").unwrap_or(&case(&cases, alike)["request"]);
        let (_, schema, wire) = asked(request);
        let schema = Schema::from_json(schema.clone()).expect("a schema");
        check(given, Protocol::Anthropic, &schema, &wire);
    }
    assert_eq!(cases.len(), 9);
}

#[test]
fn a_stream_yields_the_same_message_as_a_plain_body() {
    let cases = cases();
    let plain = decode(&response(case(&cases, "tool_use_forced"))).expect("a completion");
    let streamed = decode(&response(case(&cases, "stream_tool_use"))).expect("a completion");
    assert_eq!((streamed.raw_turn, streamed.content), (plain.raw_turn, plain.content));

    let thinking = decode(&response(case(&cases, "stream_json"))).expect("a completion");
    let first = json!({"type": "thinking", "thinking": "Read the total.", "signature": "EqQB"});
    assert_eq!(thinking.raw_turn["content"][0], first);
}

#[test]
fn a_stream_that_is_cut_off_anywhere_is_a_broken_connection() {
    let whole = text(&case(&cases(), "stream_json")["raw"]);
    let complete = decode(&ok(&whole)).expect("a completion");
    let mut cuts = 0;
    for (end, _) in whole.char_indices() {
        // The event with the stop reason counts as soon as its last line is complete.
        match decode(&beginning(&whole, end)) {
            Ok(completion) => assert_eq!(completion, complete, "{end}"),
            Err(fault) => {
                assert_eq!((fault.kind, fault.status), (FaultKind::Connection, Some(200)), "{end}: {fault}");
                cuts += 1;
            }
        }
    }
    assert!(cuts > 1_000, "{cuts}");
}

/// A message as a plain body and as a stream of the same.
fn both_ways(content: &Value, ending: &Value) -> [Response; 2] {
    let mut message = json!({"type": "message", "role": "assistant", "content": content, "model": "m"});
    message.as_object_mut().expect("an object").extend(ending.as_object().expect("an object").clone());
    let mut events = vec![json!({"type": "message_start", "message": {"content": [], "model": "m"}})];
    for (index, block) in content.as_array().expect("blocks").iter().enumerate() {
        let mut start = block.clone();
        let delta = match block["type"].as_str().expect("a type") {
            "text" => json!({"type": "text_delta", "text": start["text"].take()}),
            "thinking" => json!({"type": "signature_delta", "signature": start["signature"].take()}),
            "tool_use" => {
                let pieces = json!({"type": "input_json_delta", "partial_json": block["input"].to_string()});
                start["input"] = json!({});
                pieces
            }
            _ => json!({"type": "a_future_delta"}),
        };
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
    }
    events.push(json!({"type": "message_delta", "delta": ending}));
    let stream: Vec<_> = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    [ok(&message.to_string()), ok(&stream.concat())]
}

#[test]
fn every_kind_of_answer_is_read() {
    let (text, call) = (
        |text: &str| json!({"type": "text", "text": text}),
        |name: &str, input: Value| json!({"type": "tool_use", "id": "t", "name": name, "input": input}),
    );
    let (ann, short) = (json!({"name": "Ann", "age": 30}), json!({"name": "Ann"}));
    let ann_text = ann.to_string();
    let name = person().name().to_owned();
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "Sg=="});
    let redacted = json!({"type": "redacted_thinking", "data": "x"});
    let stopped = |reason: &str| json!({"stop_reason": reason});
    let refused = json!({
        "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "cyber", "explanation": "I would rather not."},
    });
    let of_a_category =
        json!({"stop_reason": "refusal", "stop_details": {"category": "bio", "explanation": null}});
    for (what, content, ending, expected) in [
        ("an answer", json!([text(&ann_text)]), stopped("end_turn"), "value"),
        ("a refusal", json!([]), refused.clone(), "refused: I would rather not."),
        ("a refusal after some text", json!([text("{")]), refused, "refused: I would rather not."),
        ("a refusal of a category", json!([]), of_a_category, "refused: no explanation, category `bio`"),
        ("a refusal without words", json!([]), stopped("refusal"), "refused: no explanation"),
        ("truncation", json!([text("{\"name\":")]), stopped("max_tokens"), "truncated"),
        ("a full context", json!([text("{")]), stopped("model_context_window_exceeded"), "truncated"),
        ("thinking to the limit", json!([thinking]), stopped("max_tokens"), "truncated"),
        ("no content", json!([]), stopped("end_turn"), "invalid"),
        ("blank text", json!([text("\n")]), stopped("end_turn"), "invalid"),
        ("a call", json!([call(&name, ann.clone())]), stopped("tool_use"), "value"),
        ("a call by another name", json!([call("other", ann.clone())]), stopped("tool_use"), "value"),
        ("two calls", json!([call(&name, short), call(&name, ann.clone())]), stopped("tool_use"), "value"),
        ("text before a call", json!([text("Sure!"), call(&name, ann)]), stopped("tool_use"), "value"),
        ("a call without input", json!([call(&name, json!({}))]), stopped("tool_use"), "invalid"),
        ("thinking", json!([thinking, redacted, text(&ann_text)]), stopped("end_turn"), "value"),
        ("a block to come", json!([{"type": "future"}, text(&ann_text)]), stopped("end_turn"), "value"),
        ("a pause", json!([text("{")]), stopped("pause_turn"), "paused"),
        ("a reason to come", json!([text(&ann_text)]), stopped("a_future_reason"), "value"),
    ] {
        for response in both_ways(&content, &ending) {
            let completion = decode(&response).unwrap_or_else(|fault| panic!("{what}: {fault}"));
            let reading = completion::read(&completion, &person(), &form(&person(), Mode::Tool).wire);
            let got = match reading {
                Reading::Value { value, .. } => {
                    assert_eq!(value, json!({"name": "Ann", "age": 30}), "{what}");
                    "value".to_owned()
                }
                Reading::Refused(words) => format!("refused: {words}"),
                Reading::Truncated => "truncated".to_owned(),
                Reading::Paused => "paused".to_owned(),
                Reading::Filtered => "filtered".to_owned(),
                Reading::Invalid { .. } => "invalid".to_owned(),
            };
            assert_eq!(got, expected, "{what}");
        }
    }
}

#[test]
fn an_error_in_a_200_is_that_error() {
    let error = |kind: &str, words: &str| json!({"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_1"});
    let start = json!({"type": "message_start", "message": {"content": []}});
    for (body, kind) in [
        (error("overloaded_error", "Overloaded"), FaultKind::Overloaded),
        (error("api_error", "Internal server error"), FaultKind::Server),
        (error("a_future_error", "Hm"), FaultKind::Server),
        (
            error("invalid_request_error", "Output blocked by content filtering policy"),
            FaultKind::ContentPolicy,
        ),
    ] {
        let stream = format!("event: message_start\ndata: {start}\n\nevent: error\ndata: {body}\n\n");
        for response in [ok(&body.to_string()), ok(&stream)] {
            let fault = decode(&response).expect_err("an error is not a completion");
            assert_eq!((fault.kind, fault.request_id.as_deref()), (kind, Some("req_1")), "{body}");
        }
    }
}

#[test]
fn a_200_without_a_message_is_a_fault() {
    for (body, kind) in [
        ("", FaultKind::Server),
        ("{}", FaultKind::Server),
        ("[]", FaultKind::Server),
        ("null", FaultKind::Server),
        ("<html>busy</html>", FaultKind::Server),
        (r#"{"input_tokens": 412}"#, FaultKind::Server),
        (r#"{"content": [{"type": "text", "text": "{\"na"#, FaultKind::Server),
        ("data: [DONE]\n\n", FaultKind::Connection),
        ("event: message_stop\ndata: {\"type\": \"message_stop\"}\n\n", FaultKind::Connection),
    ] {
        let fault = decode(&ok(body)).expect_err(body);
        assert_eq!(fault.kind, kind, "{body}: {fault}");
    }
}

#[test]
fn odd_parts_of_the_envelope_do_not_cost_the_answer() {
    let body = r#"{"content": [{"type": "text", "text": "{}"}, 7, {"text": "no type"}], "usage": {"input_tokens": "many",
        "output_tokens": 3, "cache_read_input_tokens": 18446744073709551615}, "model": null, "error": null}"#;
    let completion = decode(&ok(body)).expect("a completion");
    assert_eq!((completion.content, completion.usage), (Content::Text("{}".to_owned()), None));
}

#[test]
fn counts_that_contradict_one_another_are_no_usage() {
    let usage = |wire: Value| answer::usage(&wire);
    let whole = json!({"input_tokens": 10, "cache_read_input_tokens": 5, "cache_creation_input_tokens": 3, "output_tokens": 7});
    let expected = Usage {
        input_tokens: 18,
        cached_tokens: 5,
        cache_write_tokens: 3,
        output_tokens: 7,
        ..Usage::default()
    };
    assert_eq!(usage(whole), Some(expected));
    for wire in [
        json!({"input_tokens": 10}),
        json!({"output_tokens": 7}),
        json!({"input_tokens": 0, "output_tokens": 7}),
        json!({"input_tokens": 10, "output_tokens": 7, "output_tokens_details": {"thinking_tokens": 8}}),
        json!({"input_tokens": 10, "output_tokens": 7, "cache_creation": {"ephemeral_1h_input_tokens": 4}}),
        json!({"input_tokens": 10, "output_tokens": 7, "cache_read_input_tokens": u64::MAX}),
    ] {
        assert_eq!(usage(wire.clone()), None, "{wire}");
    }
}

/// The re-ask that follows an answer of `content`.
fn reasked(content: &Value) -> Value {
    let [response, _] = both_ways(content, &json!({"stop_reason": "end_turn"}));
    let raw_turn = decode(&response).expect("a completion").raw_turn;
    let mut prompt = Prompt::new(vec![Turn::user("Who?")]);
    prompt.turns.push(Turn::Invalid { raw_turn, violations: vec![Violation::at("/age", "is missing")] });
    sent(&prompt)["messages"].clone()
}

const CORRECTION: &str = "The answer is not valid:\n- `/age`: is missing\n\
                    Give the whole answer again with all of this corrected, and nothing else.";

#[test]
fn a_reask_replays_the_whole_turn_and_answers_each_call_with_a_result() {
    let question = json!({"role": "user", "content": "Who?"});
    let result =
        |id: &str| json!({"type": "tool_result", "tool_use_id": id, "is_error": true, "content": CORRECTION});
    let call = |id: &str, input: Value| json!({"type": "tool_use", "id": id, "name": "p", "input": input});
    let thinking = json!({"type": "thinking", "thinking": "Hm.", "signature": "Sg=="});
    let redacted = json!({"type": "redacted_thinking", "data": "x"});
    let text = json!({"type": "text", "text": "{}", "citations": null});
    for content in [json!([text]), json!([thinking, redacted, text])] {
        let expected = json!([
            question,
            {"role": "assistant", "content": content},
            {"role": "user", "content": CORRECTION},
        ]);
        assert_eq!(reasked(&content), expected);
    }
    let calls = json!([thinking, text, call("a", json!({})), call("b", json!({"age": 1}))]);
    let expected = json!([
        question,
        {"role": "assistant", "content": calls},
        {"role": "user", "content": [result("a"), result("b")]},
    ]);
    assert_eq!(reasked(&calls), expected);
}

#[test]
fn what_the_api_would_reject_is_not_replayed() {
    let blank = json!({"type": "text", "text": " \n"});
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "Sg=="});
    let unanswered = json!([{"role": "user", "content": "Who?"}, {"role": "user", "content": CORRECTION}]);
    for content in [json!([]), json!([blank]), json!([thinking]), json!([thinking, blank])] {
        assert_eq!(reasked(&content), unanswered, "{content}");
    }
    let broken = json!([blank, {"type": "tool_use", "id": "a", "name": "p", "input": "{\"age\":"}]);
    let input = json!({"INVALID_JSON": "{\"age\":"});
    assert_eq!(
        reasked(&broken)[1]["content"],
        json!([{"type": "tool_use", "id": "a", "name": "p", "input": input}])
    );
}

/// The completion of a stream with `json` as a tool's input.
fn streamed_input(json: &str, stop_reason: &str) -> Completion {
    let events = [
        json!({"type": "message_start", "message": {"content": []}}),
        json!({"type": "content_block_start", "index": 0,
            "content_block": {"type": "tool_use", "id": "t", "name": "p", "input": {}}}),
        json!({"type": "content_block_delta", "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": json}}),
        json!({"type": "message_delta", "delta": {"stop_reason": stop_reason}, "usage": {"output_tokens": 9}}),
    ];
    let stream: Vec<_> = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    decode(&ok(&stream.concat())).expect("a completion")
}

#[test]
fn input_that_is_not_an_object_stays_as_it_was_streamed() {
    for (input, stop_reason, finish) in [
        ("{\"name\":\"A", "max_tokens", Finish::Length),
        ("{\"name\":\"A\",\"name\":\"B\"}", "tool_use", Finish::Stop),
    ] {
        let completion = streamed_input(input, stop_reason);
        let call = ToolCall { name: "p".to_owned(), arguments: input.to_owned(), came_parsed: false };
        assert_eq!((completion.content, completion.finish), (Content::Calls(vec![call]), finish), "{input}");
    }
}

#[test]
fn a_paused_turn_is_resumed() {
    let content = json!([{"type": "text", "text": "{\"na"}, {"type": "server_tool_use", "id": "s"}]);
    let [response, _] = both_ways(&content, &json!({"stop_reason": "pause_turn"}));
    let completion = decode(&response).expect("a completion");
    assert_eq!(completion.finish, Finish::Paused);
    let mut prompt = Prompt::new(vec![Turn::user("Who?")]);
    prompt.continuation = completion.continuation;
    let sent = sent(&prompt);
    let expected = json!([{"role": "user", "content": "Who?"}, {"role": "assistant", "content": content}]);
    assert_eq!(sent["messages"], expected);
}

#[test]
fn images_and_documents_go_before_the_text() {
    let attachment = |media_type: &str, content| Attachment { media_type: media_type.to_owned(), content };
    let attachments = vec![
        attachment("image/png", AttachmentContent::Base64("aGk=".into())),
        attachment("image/jpeg", AttachmentContent::Url("https://example.com/a.jpg".to_owned())),
        attachment("application/pdf", AttachmentContent::Base64("JVBERg==".into())),
        attachment("application/pdf", AttachmentContent::Url("https://example.com/a.pdf".to_owned())),
    ];
    let prompt = Prompt::new(vec![Turn::User { text: "What is this?".to_owned(), attachments }]);
    let sent = sent(&prompt);
    let expected = json!([
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.jpg"}},
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="}},
        {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        {"type": "text", "text": "What is this?"},
    ]);
    assert_eq!(sent["messages"], json!([{"role": "user", "content": expected}]));
}

#[test]
fn a_sampling_parameter_is_sent_with_the_version_that_accepts_it() {
    let version = |parameters: Parameters| {
        let request = target(form(&person(), Mode::Schema), parameters).encode(&ask());
        let [(name, value)] = request.headers else { panic!("one header") };
        assert_eq!(name, "anthropic-version");
        value.to_str().expect("a date").to_owned()
    };
    assert_eq!(version(Parameters::default()), "2026-10-21");
    assert_eq!(version(with_extra(&json!({"thinking": {"type": "adaptive"}}))), "2026-10-21");
    assert_eq!(version(Parameters { temperature: Some(0.0), ..Parameters::default() }), "2023-06-01");
    for name in SAMPLING {
        assert_eq!(version(with_extra(&json!({name: 1}))), "2023-06-01", "{name}");
    }
}

#[test]
fn only_long_answers_are_streamed() {
    for (parameters, enlarged, limit, stream) in [
        (Parameters::default(), None, json!(16_000), Value::Null),
        (Parameters::default(), Some(32_000), json!(32_000), json!(true)),
        (limited(21_333), None, json!(21_333), Value::Null),
        (limited(21_334), None, json!(21_334), json!(true)),
        (with_extra(&json!({"max_tokens": 50_000})), None, json!(50_000), json!(true)),
    ] {
        let mut prompt = ask();
        prompt.output_limit = enlarged;
        let request = target(form(&person(), Mode::Schema), parameters).encode(&prompt);
        let written = std::str::from_utf8(&request.body).expect("text");
        let count = |name: &str| written.matches(name).count();
        assert!(count("\"max_tokens\"") == 1 && count("\"stream\"") <= 1, "{written}");
        let sent = body(&request);
        assert_eq!((&sent["max_tokens"], &sent["stream"]), (&limit, &stream));
    }
}

#[test]
fn a_long_constant_prefix_is_cached() {
    let long = "Be brief. ".repeat(410);
    let example =
        |question: &str| Turn::Example(Arc::new(Example { question: question.to_owned(), value: json!(1) }));
    let marked = |text: &str| json!([{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]);
    let sent = |turns: Vec<Turn>, parameters: Parameters| {
        body(&target(form(&person(), Mode::Schema), parameters).encode(&Prompt::new(turns)))
    };
    let with_long = || vec![Turn::System(long.as_str().into()), Turn::user("u")];

    let of_short = sent(vec![Turn::System("Be brief.".into()), Turn::user("u")], Parameters::default());
    assert_eq!(of_short["system"], "Be brief.");
    assert_eq!(sent(with_long(), Parameters::default())["system"], marked(&long));
    let users = with_extra(&json!({"cache_control": {"type": "ephemeral", "ttl": "1h"}}));
    assert_eq!(sent(with_long(), users)["system"], long);

    // The examples follow the system message, so the last of them has the mark.
    let turns = vec![Turn::System(long.as_str().into()), example("a"), example("b"), Turn::user("u")];
    let sent = sent(turns, Parameters::default());
    assert_eq!(sent["system"], long);
    assert_eq!(
        sent["messages"],
        json!([
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "b"},
            {"role": "assistant", "content": marked("1")},
            {"role": "user", "content": "u"},
        ])
    );
}

#[test]
fn each_mode_sends_its_own_fields() {
    let fields_of = |mode, parameters: Parameters| {
        let mut sent = body(&target(form(&person(), mode), parameters).encode(&ask()));
        let fields = sent.as_object_mut().expect("an object");
        fields.retain(|name, _| !["model", "max_tokens", "messages"].contains(&name.as_str()));
        sent
    };
    let schema = form(&person(), Mode::Schema).wire.schema.clone();
    let format = json!({"type": "json_schema", "schema": schema});
    let plain = fields_of(Mode::Schema, Parameters::default());
    assert_eq!(plain, json!({"system": "s", "output_config": {"format": format}}));
    // The user's fields go next to the format.
    let effort = fields_of(Mode::Schema, with_extra(&json!({"output_config": {"effort": "low"}})));
    assert_eq!(effort["output_config"], json!({"format": format, "effort": "low"}));

    let prompted = fields_of(Mode::Prompt, Parameters::default());
    assert_eq!(prompted.as_object().expect("an object").len(), 1);
    let system = prompted["system"].as_str().expect("a text");
    assert!(system.contains("JSON Schema") && system.ends_with("\n\ns"), "{system}");

    let loose = Form { dialect: Dialect::Object, ..form(&person(), Mode::Tool) };
    let tool = fields(&loose, &Parameters::default());
    assert_eq!(tool["tools"][0]["strict"], false);
}

/// An object would keep only one value of a duplicate key.
#[test]
fn arguments_with_a_duplicate_key_are_not_a_value() {
    let name = person().name().to_owned();
    for (input, is_value) in [
        (r#"{"name":"Ann","age":30}"#, true),
        (r#"{"name":"Ann","age":30,"age":31}"#, false),
        (r#"{"name":"Ann","name":"Bob","age":30}"#, false),
    ] {
        let message = format!(
            r#"{{"type":"message","role":"assistant","model":"m","content":[{{"type":"tool_use","id":"1","name":"{name}","input":{input}}}],"stop_reason":"tool_use"}}"#
        );
        let completion = decode(&ok(&message)).expect("a message");
        let reading = completion::read(&completion, &person(), &form(&person(), Mode::Tool).wire);
        assert_eq!(matches!(reading, Reading::Value { .. }), is_value, "{input}: {reading:?}");
        assert!(is_value || matches!(reading, Reading::Invalid { .. }), "{input}: {reading:?}");
        let replayed = &completion.raw_turn["content"][0]["input"];
        assert!(replayed.is_object(), "{replayed}");
    }
}
