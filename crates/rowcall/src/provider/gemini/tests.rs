//! Messages to and from Gemini: the vectors, and a table of possible answers.

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::*;
use crate::completion::{self, Reading};
use crate::provider::Protocol;
use crate::provider::tests::{PLAIN, body, check, ok, text as written, vectors, wire};
use crate::schema::{Dialect, Schema, WireSchema};
use crate::turn::{Content, Example, Usage};
use crate::violation::Violation;

/// The mode and the schema of a vector's request.
fn asked(request: &Value) -> (Mode, &Value, Arc<WireSchema>) {
    if let Some(schema) = request.pointer("/generationConfig/responseJsonSchema") {
        (Mode::Schema, schema, wire("invoice", None, schema))
    } else {
        let function = &request["tools"][0]["functionDeclarations"][0];
        let schema = &function["parametersJsonSchema"];
        (Mode::Tool, schema, wire(&written(&function["name"]), function["description"].as_str(), schema))
    }
}

/// The start of a stream that is declared as one.
fn beginning(of: &str, end: usize) -> Response {
    let mut response = ok(&of[..end]);
    response.headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

fn form(schema: &Schema, mode: Mode) -> Form {
    let dialect = match mode {
        Mode::Schema | Mode::Tool => Dialect::Gemini,
        Mode::Json => Dialect::Object,
        Mode::Prompt => Dialect::Text,
    };
    Form { mode, dialect, wire: Arc::new(schema.wire(dialect).expect("fits the wire")) }
}

fn person() -> Schema {
    Schema::parse("name, age int").expect("a schema")
}

fn target(form: Form, parameters: Parameters) -> Target {
    Target::new(Protocol::Gemini, PLAIN, "gemini-3.8-flash".to_owned(), form, parameters)
}

fn sent(target: &Target, prompt: &Prompt) -> Value {
    body(&target.encode(prompt))
}

fn with_extra(extra: &Value) -> Parameters {
    let extra = extra.as_object().expect("an object").clone();
    Parameters { extra, ..Parameters::default() }
}

#[test]
fn requests_are_encoded_as_in_the_vectors() {
    let mut encoded = 0;
    for case in vectors("gemini_generate.json") {
        let (id, request) = (&case["id"], &case["request"]);
        let text = |pointer: &str| request.pointer(pointer).and_then(Value::as_str);
        let system = text("/systemInstruction/parts/0/text").map(|text| Turn::System(text.into()));
        let user = text("/contents/0/parts/0/text").map(Turn::user);
        let limit = request.pointer("/generationConfig/maxOutputTokens").and_then(Value::as_u64);
        let mut parameters = Parameters {
            max_output_tokens: limit.and_then(|limit| u32::try_from(limit).ok()),
            ..Parameters::default()
        };
        // Besides a schema for the answer, this one offers a tool, which then counts as the user's own.
        if id == "malformed_function_call" {
            parameters.extra.insert("tools".to_owned(), request["tools"].clone());
        }
        let (mode, _, wire) = asked(request);
        let target = target(Form { mode, dialect: Dialect::Gemini, wire }, parameters);
        let prompt = Prompt::new(system.into_iter().chain(user).collect());
        assert_eq!(&sent(&target, &prompt), request, "{id}");
        encoded += 1;
    }
    assert_eq!(encoded, 9);
}

#[test]
fn answers_are_read_as_in_the_vectors() {
    let mut read = 0;
    for case in vectors("gemini_generate.json") {
        let (_, schema, wire) = asked(&case["request"]);
        let schema = Schema::from_json(schema.clone()).expect("a schema");
        // As a plain body, as the array of a default stream, and as events.
        for body in [
            case["body"].to_string(),
            format!("[{}]", case["body"]),
            format!("data: {}\r\n\r\n", case["body"]),
        ] {
            let mut case = case.clone();
            case["body_text"] = body.clone().into();
            match case["expect"]["outcome"].as_str() {
                Some("continue") => {
                    let completion = decode(&ok(&body)).expect("a completion");
                    assert_eq!(completion::read(&completion, &schema, &wire), Reading::Paused);
                    assert_eq!(completion.continuation.as_deref(), Some("QUJD"));
                }
                // The vectors retry this as an error; for us it is an answer without a value, see `docs/faults.md`.
                Some("error") => {
                    assert_eq!(case["id"], "empty_candidate");
                    case["expect"] = json!({"outcome": "invalid_json"});
                    check(&case, Protocol::Gemini, &schema, &wire);
                }
                Some(_) | None => check(&case, Protocol::Gemini, &schema, &wire),
            }
            let completion = decode(&ok(&body)).expect("a completion");
            let input_tokens = completion.usage.expect("the usage").input_tokens;
            assert_eq!((input_tokens, &*completion.model), (88, "gemini-3.8-flash"), "{}", case["id"]);
        }
        read += 1;
    }
    assert_eq!(read, 9);
}

/// A candidate as a plain body, as events with one part each, and as the array of the same.
fn all_ways(parts: &Value, ending: &Value) -> [Response; 3] {
    let chunk = |parts: &Value, ending: &Value| {
        let mut candidate = json!({"index": 0, "content": {"role": "model", "parts": parts}});
        candidate.as_object_mut().expect("an object").extend(ending.as_object().expect("an object").clone());
        json!({"candidates": [candidate], "usageMetadata": {"promptTokenCount": 1}, "modelVersion": "m"})
    };
    let parts_of = parts.as_array().expect("parts").iter();
    let mut chunks: Vec<_> = parts_of.map(|part| chunk(&json!([part]), &json!({}))).collect();
    chunks.push(chunk(&json!([]), ending));
    let events: Vec<_> = chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect();
    [ok(&chunk(parts, ending).to_string()), ok(&events.concat()), ok(&json!(chunks).to_string())]
}

#[test]
fn every_kind_of_answer_is_read() {
    let call = |name: &str, arguments: Value| json!({"functionCall": {"name": name, "args": arguments}});
    let (ann, short) = (json!({"name": "Ann", "age": 30}), json!({"name": "Ann"}));
    let text = json!({"text": ann.to_string()});
    let thought = json!({"text": "{\"name\": \"no\", \"age\": 0}", "thought": true});
    let name = person().name().to_owned();
    let finished = |reason: &str| json!({"finishReason": reason});
    let explained = json!({"finishReason": "SAFETY", "finishMessage": "Not this."});
    let paused = json!({"finishReason": "CONTINUATION", "continuationToken": "t"});
    for (what, parts, ending, expected) in [
        ("an answer", json!([text]), finished("STOP"), "value"),
        ("a refusal", json!([]), explained, "refused: SAFETY: Not this."),
        ("a content filter", json!([text]), finished("PROHIBITED_CONTENT"), "refused: PROHIBITED_CONTENT"),
        ("a recitation", json!([]), finished("RECITATION"), "refused: RECITATION"),
        ("truncation", json!([{"text": "{\"name\":"}]), finished("MAX_TOKENS"), "truncated"),
        ("thinking to the limit", json!([thought]), finished("MAX_TOKENS"), "truncated"),
        ("no content", json!([]), finished("STOP"), "invalid"),
        ("no content for some reason", json!([]), finished("OTHER"), "invalid"),
        ("a break for some reason", json!([{"text": "{\"name\":"}]), finished("OTHER"), "invalid"),
        ("a malformed answer", json!([{"text": "{\"na"}]), finished("MALFORMED_RESPONSE"), "invalid"),
        ("a whole answer all the same", json!([text]), finished("OTHER"), "value"),
        ("a malformed call", json!([]), finished("MALFORMED_FUNCTION_CALL"), "invalid"),
        ("an unexpected call", json!([]), finished("UNEXPECTED_TOOL_CALL"), "invalid"),
        ("a call", json!([call(&name, ann.clone())]), finished("STOP"), "value"),
        ("a call by another name", json!([call("other", ann.clone())]), finished("STOP"), "value"),
        ("two calls", json!([call(&name, short), call(&name, ann.clone())]), finished("STOP"), "value"),
        ("text before a call", json!([{"text": "Sure!"}, call(&name, ann)]), finished("STOP"), "value"),
        ("a call without arguments", json!([{"functionCall": {"name": name}}]), finished("STOP"), "invalid"),
        ("thoughts", json!([thought, text]), finished("STOP"), "value"),
        ("a part to come", json!([{"future": {}}, text]), finished("STOP"), "value"),
        ("a pause", json!([{"text": "{\"na"}]), paused, "paused"),
        ("a reason to come", json!([text]), finished("A_FUTURE_REASON"), "value"),
    ] {
        for response in all_ways(&parts, &ending) {
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
fn a_stream_that_is_cut_off_is_a_broken_connection() {
    let [plain, events, array] =
        all_ways(&json!([{"text": "{\"a"}, {"text": "\":1}"}]), &json!({"finishReason": "STOP"}));
    let complete = decode(&plain).expect("a completion");
    assert_eq!(decode(&array).expect("a completion"), complete);
    let whole = String::from_utf8(events.body.to_vec()).expect("text");
    let mut cuts = 0;
    for end in 0..whole.len() {
        match decode(&beginning(&whole, end)) {
            // The last event counts as soon as its JSON is complete.
            Ok(completion) => assert_eq!(completion, complete, "{end}"),
            Err(fault) => {
                assert_eq!((fault.kind, fault.status), (FaultKind::Connection, Some(200)), "{end}: {fault}");
                cuts += 1;
            }
        }
    }
    assert!(cuts > 300, "{cuts}");
    let unended = json!([{"candidates": [{"content": {"parts": [{"text": "{}"}]}}]}]);
    let fault = decode(&ok(&unended.to_string())).expect_err("no end");
    assert_eq!(fault.kind, FaultKind::Connection);
}

#[test]
fn an_error_in_a_200_is_that_error() {
    let error = |code: u16, status: &str| json!({"error": {"code": code, "message": "no", "status": status}});
    let begun = json!({"candidates": [{"content": {"parts": [{"text": "{"}]}}]});
    for (body, kind) in [
        (error(503, "UNAVAILABLE"), FaultKind::Overloaded),
        (error(429, "RESOURCE_EXHAUSTED"), FaultKind::RateLimit),
        (error(500, "INTERNAL"), FaultKind::Server),
        (error(400, "A_FUTURE_STATUS"), FaultKind::InvalidRequest),
    ] {
        for response in [
            body.to_string(),
            format!("[{begun},\n{body}\n]"),
            format!("data: {begun}\r\n\r\ndata: {body}\r\n\r\n"),
        ] {
            let fault = decode(&ok(&response)).expect_err("an error is not a completion");
            assert_eq!((fault.kind, &*fault.message), (kind, "no"), "{body}");
        }
    }
}

#[test]
fn a_200_without_an_answer_is_a_fault() {
    for (body, kind) in [
        ("", FaultKind::Server),
        ("{}", FaultKind::Server),
        ("null", FaultKind::Server),
        ("[]", FaultKind::Connection),
        ("<html>busy</html>", FaultKind::Server),
        (r#"{"candidates": []}"#, FaultKind::Server),
        (r#"{"candidates": [{"content": {"parts": [{"text": "{\"na"#, FaultKind::Server),
        ("data: [DONE]\n\n", FaultKind::Connection),
    ] {
        let fault = decode(&ok(body)).expect_err(body);
        assert_eq!(fault.kind, kind, "{body}: {fault}");
    }
}

#[test]
fn odd_parts_of_the_envelope_do_not_cost_the_answer() {
    let body = r#"{"candidates": [{"content": {"parts": [{"text": "{}"}, 7, {"text": 7}]}, "finishReason": null}, {}],
        "promptFeedback": {}, "usageMetadata": {"promptTokenCount": "many", "candidatesTokenCount": 3,
        "thoughtsTokenCount": 18446744073709551615, "cachedContentTokenCount": 5}, "modelVersion": null}"#;
    let completion = decode(&ok(body)).expect("a completion");
    assert_eq!((completion.content, completion.usage), (Content::Text("{}".to_owned()), None));
}

#[test]
fn what_tools_add_to_the_prompt_counts_as_input() {
    let wire = json!({"promptTokenCount": 88, "toolUsePromptTokenCount": 12, "totalTokenCount": 100});
    assert_eq!(answer::usage(&wire), Some(Usage { input_tokens: 100, ..Usage::default() }));
    assert_eq!(answer::usage(&json!({"trafficType": "ON_DEMAND"})), None);
}

#[test]
fn a_count_that_google_leaves_out_is_0_if_the_total_confirms_it() {
    let used = |wire: Value| answer::usage(&wire).map(|usage| (usage.input_tokens, usage.output_tokens));
    for (wire, expected) in [
        (json!({"promptTokenCount": 10, "candidatesTokenCount": 5}), Some((10, 5))),
        (json!({"promptTokenCount": 10, "totalTokenCount": 10}), Some((10, 0))),
        (json!({"promptTokenCount": 10, "thoughtsTokenCount": 4, "totalTokenCount": 14}), Some((10, 4))),
        (json!({"promptTokenCount": 10}), None),
        (json!({"promptTokenCount": 10, "thoughtsTokenCount": 4}), None),
        (json!({"candidatesTokenCount": 5, "totalTokenCount": 5}), None),
        (json!({"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}), None),
        (json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "totalTokenCount": 14}), None),
        (json!({"promptTokenCount": 10, "candidatesTokenCount": 5, "cachedContentTokenCount": 11}), None),
    ] {
        assert_eq!(used(wire.clone()), expected, "{wire}");
    }
}

/// The re-ask that follows an answer of `parts`.
fn reasked(parts: &Value) -> Value {
    let [response, ..] = all_ways(parts, &json!({"finishReason": "STOP"}));
    let raw_turn = decode(&response).expect("a completion").raw_turn;
    let mut prompt = Prompt::new(vec![Turn::user("Who?")]);
    prompt.turns.push(Turn::Invalid { raw_turn, violations: vec![Violation::at("/age", "is missing")] });
    sent(&target(form(&person(), Mode::Schema), Parameters::default()), &prompt)["contents"].clone()
}

#[test]
fn a_reask_replays_the_whole_turn_and_answers_each_call_with_a_response() {
    const CORRECTION: &str = "The answer is not valid:\n- `/age`: is missing\n\
                        Give the whole answer again with all of this corrected, and nothing else.";
    let question = json!({"role": "user", "parts": [{"text": "Who?"}]});
    let correction = json!({"role": "user", "parts": [{"text": CORRECTION}]});
    let thought = json!({"text": "Hm.", "thought": true});
    let signature = json!({"text": "", "thoughtSignature": "QUJD"});
    let text = json!({"text": "{}", "thoughtSignature": "QUJD"});
    for parts in [json!([text]), json!([thought, text]), json!([thought, {"text": "{}"}, signature])] {
        let expected = json!([question, {"role": "model", "parts": parts}, correction]);
        assert_eq!(reasked(&parts), expected);
    }
    let with_id = json!({"functionCall": {"id": "fc1", "name": "p", "args": {}}, "thoughtSignature": "QUJD"});
    let without_id = json!({"functionCall": {"name": "p", "args": {"age": 1}}});
    let calls = json!([thought, with_id, without_id]);
    let responses = json!([
        {"functionResponse": {"id": "fc1", "name": "p", "response": {"error": CORRECTION}}},
        {"functionResponse": {"name": "p", "response": {"error": CORRECTION}}},
    ]);
    let expected = json!([question, {"role": "model", "parts": calls}, {"role": "user", "parts": responses}]);
    assert_eq!(reasked(&calls), expected);
    // An empty turn is not replayed.
    for parts in [json!([]), json!([{"text": ""}]), json!([thought])] {
        assert_eq!(reasked(&parts), json!([question, correction]), "{parts}");
    }
}

#[test]
fn a_paused_or_cut_answer_is_continued_with_its_own_configuration() {
    let target = target(
        form(&person(), Mode::Json),
        Parameters { max_output_tokens: Some(100), temperature: Some(0.5), ..Parameters::default() },
    );
    let mut prompt = Prompt::new(vec![Turn::user("Who?")]);
    let mut expected =
        json!({"responseMimeType": "application/json", "maxOutputTokens": 100, "temperature": 0.5});
    assert_eq!(sent(&target, &prompt)["generationConfig"], expected);
    prompt.output_limit = Some(200);
    expected["maxOutputTokens"] = json!(200);
    assert_eq!(sent(&target, &prompt)["generationConfig"], expected);
    prompt.output_limit = None;
    prompt.continuation = Some("QUJD".to_owned());
    expected["maxOutputTokens"] = json!(100);
    assert_eq!(sent(&target, &prompt)["generationConfig"], expected);
    assert_eq!(sent(&target, &prompt)["continuationToken"], "QUJD");
}

#[test]
fn the_users_configuration_is_merged_into_ours() {
    let extra = json!({
        "generation_config": {"top_k": 40, "max_output_tokens": 7, "thinkingConfig": {"thinkingLevel": "LOW"}},
        "safetySettings": [],
        "service_tier": "flex",
    });
    let parameters = Parameters { max_output_tokens: Some(100), ..with_extra(&extra) };
    let target = target(form(&person(), Mode::Json), parameters);
    let mut prompt = Prompt::new(vec![Turn::user("Who?")]);
    // The user's own fields win, whatever happens to the limit.
    for limit in [None, Some(200)] {
        prompt.output_limit = limit;
        let mut sent = sent(&target, &prompt);
        sent.as_object_mut().expect("an object").shift_remove("systemInstruction");
        assert_eq!(
            sent,
            json!({
                "contents": [{"role": "user", "parts": [{"text": "Who?"}]}],
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "maxOutputTokens": 7,
                    "topK": 40,
                    "thinkingConfig": {"thinkingLevel": "LOW"},
                },
                "safetySettings": [],
                "serviceTier": "flex",
            })
        );
    }
}

#[test]
fn each_mode_sends_its_own_fields() {
    let prompt = Prompt::new(vec![Turn::System("Be brief.".into()), Turn::user("Who?")]);
    let names = |mode| {
        let sent = sent(&target(form(&person(), mode), Parameters::default()), &prompt);
        let names: Vec<_> = sent.as_object().expect("an object").keys().cloned().collect();
        (names.join(" "), sent["systemInstruction"]["parts"][0]["text"].as_str().map(str::len))
    };
    let said = Some("Be brief.".len());
    assert_eq!(names(Mode::Schema), ("contents systemInstruction generationConfig".to_owned(), said));
    assert_eq!(names(Mode::Tool), ("contents systemInstruction tools toolConfig".to_owned(), said));
    // In the other modes the schema is in the prompt.
    let (fields, with_schema) = names(Mode::Json);
    assert_eq!(fields, "contents systemInstruction generationConfig");
    assert!(with_schema > said);
    assert_eq!(names(Mode::Prompt), ("contents systemInstruction".to_owned(), with_schema));
}

#[test]
fn examples_images_and_documents_are_parts_of_the_conversation() {
    let attachment = |media_type: &str, content| Attachment { media_type: media_type.to_owned(), content };
    let attachments = vec![
        attachment("image/png", AttachmentContent::Base64("aGk=".into())),
        attachment("application/pdf", AttachmentContent::Url("https://example.com/a.pdf".to_owned())),
    ];
    let example = Example { question: "Who is Bo?".to_owned(), value: json!({"name": "Bo", "age": 1}) };
    let user = Turn::User { text: "Who?".to_owned(), attachments };
    let prompt = Prompt::new(vec![Turn::Example(Arc::new(example)), user]);
    let sent = sent(&target(form(&person(), Mode::Schema), Parameters::default()), &prompt);
    let expected = json!([
        {"role": "user", "parts": [{"text": "Who is Bo?"}]},
        {"role": "model", "parts": [{"text": "{\"name\":\"Bo\",\"age\":1}"}]},
        {"role": "user", "parts": [
            {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
            {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/a.pdf"}},
            {"text": "Who?"},
        ]},
    ]);
    assert_eq!(sent["contents"], expected);
}

#[test]
fn a_models_name_cannot_escape_its_segment_of_the_path() {
    for (model, expected) in [
        ("gemini-3.8-flash", "/v1/models/gemini-3.8-flash:generateContent"),
        ("models/gemini-3.8-flash", "/v1/models/gemini-3.8-flash:generateContent"),
        ("tunedModels/mine-x1", "/v1/tunedModels/mine-x1:generateContent"),
        ("a b?c#d%e:f", "/v1/models/a%20b%3Fc%23d%25e%3Af:generateContent"),
        ("../x", "/v1/models/..%2Fx:generateContent"),
        ("łódź", "/v1/models/%C5%82%C3%B3d%C5%BA:generateContent"),
    ] {
        assert_eq!(&*path(model), expected);
    }
}

/// An object would keep only one value of a duplicate key.
#[test]
fn arguments_with_a_duplicate_key_are_not_a_value() {
    let name = person().name().to_owned();
    for (arguments, is_value) in [
        (r#"{"name":"Ann","age":30}"#, true),
        (r#"{"name":"Ann","age":30,"age":31}"#, false),
        (r#"{"name":"Ann","name":"Bob","age":30}"#, false),
    ] {
        let answer = format!(
            r#"{{"candidates":[{{"content":{{"role":"model","parts":[{{"functionCall":{{"name":"{name}","args":{arguments}}}}}]}},"finishReason":"STOP"}}]}}"#
        );
        for body in [answer.clone(), format!("[{answer}]")] {
            let completion = decode(&ok(&body)).expect("an answer");
            let reading = completion::read(&completion, &person(), &form(&person(), Mode::Tool).wire);
            assert_eq!(matches!(reading, Reading::Value { .. }), is_value, "{arguments}: {reading:?}");
            assert!(is_value || matches!(reading, Reading::Invalid { .. }), "{arguments}: {reading:?}");
            let replayed = &completion.raw_turn["parts"][0]["functionCall"]["args"];
            assert!(replayed.is_object(), "{replayed}");
        }
    }
}
