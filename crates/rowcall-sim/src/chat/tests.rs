//! Which requests are rejected and how, and the shapes of answers.

use serde_json::{Value, json};

use super::decode;
use crate::answer::{Answer, Finish, Said};
use crate::ask::Ask;
use crate::ask::wanted::{Forced, Tool, Wanted};
use crate::fault::FaultKind;
use crate::mode::Mode;
use crate::rules::Rules;
use crate::scenario::Scenario;

type Refused = (String, Option<String>, Option<&'static str>);

fn decoded(body: &Value) -> Result<Ask, Refused> {
    decoded_by(&Scenario::instant(""), body)
}

fn decoded_by(scenario: &Scenario, body: &Value) -> Result<Ask, Refused> {
    decode(body.to_string().as_bytes(), Rules::of(scenario))
        .map_err(|invalid| (invalid.message, invalid.param, invalid.code))
}

fn with(fields: Value) -> Value {
    let mut body = json!({ "model": "m", "messages": [{ "role": "user", "content": "Ann Lee is a 30-year-old nurse. json" }] });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn person() -> Value {
    json!({ "type": "object", "properties": { "name": { "type": "string" }, "age": { "type": "integer" } }, "required": ["name", "age"], "additionalProperties": false })
}

fn native() -> Value {
    with(
        json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "person", "strict": true, "schema": person() } } }),
    )
}

fn tool(choice: &Value) -> Value {
    with(
        json!({ "tools": [{ "type": "function", "function": { "name": "record", "parameters": person() } }], "tool_choice": choice }),
    )
}

#[test]
fn problems_with_a_request_are_reported() {
    let loose = json!({ "type": "object", "properties": { "a": {} } });
    let cases = [
        (
            json!([]),
            "We could not parse the JSON body of your request. The OpenAI API expects a JSON object.",
            None,
            None,
        ),
        (
            json!({ "messages": [] }),
            "Missing required parameter: 'model'.",
            Some("model"),
            Some("missing_required_parameter"),
        ),
        (
            json!({ "model": 3 }),
            "Invalid type for 'model': expected a string, but got an integer instead.",
            Some("model"),
            Some("invalid_type"),
        ),
        (
            json!({ "model": "m" }),
            "Missing required parameter: 'messages'.",
            Some("messages"),
            Some("missing_required_parameter"),
        ),
        (
            with(json!({ "messages": "hi" })),
            "Invalid type for 'messages': expected an array of objects, but got a string instead.",
            Some("messages"),
            Some("invalid_type"),
        ),
        (
            with(json!({ "messages": [] })),
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            Some("messages"),
            Some("empty_array"),
        ),
        (
            with(json!({ "messages": [{ "role": "boss", "content": "" }] })),
            "Invalid value: 'boss'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
            Some("messages[0].role"),
            Some("invalid_value"),
        ),
        (
            with(json!({ "messages": [{ "role": "user" }] })),
            "Missing required parameter: 'messages[0].content'.",
            Some("messages[0].content"),
            Some("missing_required_parameter"),
        ),
        (
            with(json!({ "messages": [{ "role": "user", "content": 1.5 }] })),
            "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got a decimal instead.",
            Some("messages[0].content"),
            Some("invalid_type"),
        ),
        (
            with(json!({ "messages": [{ "role": "user", "content": [{ "type": "song" }] }] })),
            "Invalid value: 'song'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.",
            Some("messages[0].content[0].type"),
            Some("invalid_value"),
        ),
        (
            with(json!({ "messages": [{ "role": "tool", "content": "x" }] })),
            "Missing required parameter: 'messages[0].tool_call_id'.",
            Some("messages[0].tool_call_id"),
            Some("missing_required_parameter"),
        ),
        (
            with(json!({ "n": 2 })),
            "Unsupported value: 'n': this simulator answers with one choice, but got 2.",
            Some("n"),
            Some("unsupported_value"),
        ),
        (
            with(json!({ "max_tokens": 0 })),
            "Invalid 'max_tokens': integer below minimum value. Expected a value >= 1, but got 0 instead.",
            Some("max_tokens"),
            Some("integer_below_min_value"),
        ),
        (
            with(json!({ "stream": "yes" })),
            "Invalid type for 'stream': expected a boolean, but got a string instead.",
            Some("stream"),
            Some("invalid_type"),
        ),
        (
            with(json!({ "response_format": { "type": "xml" } })),
            "Invalid value: 'xml'. Supported values are: 'json_object', 'json_schema', and 'text'.",
            Some("response_format.type"),
            Some("invalid_value"),
        ),
        (
            with(
                json!({ "response_format": { "type": "json_object" }, "messages": [{ "role": "user", "content": "x" }] }),
            ),
            "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
            Some("messages"),
            None,
        ),
        (
            with(
                json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "a b", "schema": {} } } }),
            ),
            "Invalid 'response_format.json_schema.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            Some("response_format.json_schema.name"),
            Some("invalid_value"),
        ),
        (
            with(
                json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "a", "strict": true, "schema": loose } } }),
            ),
            "Invalid schema for response_format 'a': In context=(), 'additionalProperties' is required to be supplied and to be false.",
            Some("response_format"),
            None,
        ),
        (
            with(
                json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "a", "schema": { "not": {} } } } }),
            ),
            "Invalid schema for response_format 'a': In context=(), 'not' is not supported here by the simulator.",
            Some("response_format"),
            None,
        ),
        (
            with(
                json!({ "tools": [{ "type": "function", "function": { "name": "f", "strict": true, "parameters": loose } }] }),
            ),
            "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be false.",
            Some("tools[0].function.parameters"),
            None,
        ),
        (
            with(
                json!({ "tools": [{ "type": "function", "function": { "name": "f", "parameters": { "type": "array", "items": {} } } }] }),
            ),
            "Invalid schema for function 'f': In context=(), schema must be a JSON Schema of 'type: \"object\"', got 'type: \"array\"'.",
            Some("tools[0].function.parameters"),
            None,
        ),
        (
            with(json!({ "tool_choice": "auto" })),
            "'tool_choice' is only allowed when 'tools' are specified.",
            Some("tool_choice"),
            None,
        ),
        (
            tool(&json!({ "type": "function", "function": { "name": "other" } })),
            "Tool choice 'function' not found in 'tools' parameter: 'other'.",
            Some("tool_choice"),
            None,
        ),
        (with(json!({ "top_k": 3 })), "Unrecognized request argument supplied: top_k", None, None),
        (
            with(json!({ "temperature": 2.5 })),
            "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
            Some("temperature"),
            Some("decimal_above_max_value"),
        ),
        (
            with(json!({ "messages": [{ "role": "user", "content": "x", "mood": 1 }] })),
            "Unknown parameter: 'messages[0].mood'.",
            Some("messages[0].mood"),
            Some("unknown_parameter"),
        ),
        (
            with(
                json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:image/png;base64,?" } }] }] }),
            ),
            "Invalid 'messages[0].content[0].image_url.url'. Expected a valid URL, but got a value with an invalid format.",
            Some("messages[0].content[0].image_url.url"),
            Some("invalid_value"),
        ),
        (
            with(json!({ "messages": [call(), { "role": "user", "content": "x" }] })),
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: call_1",
            Some("messages.[1].role"),
            None,
        ),
        (
            with(json!({ "messages": [{ "role": "tool", "tool_call_id": "call_1", "content": "x" }] })),
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
            Some("messages.[0].role"),
            None,
        ),
        (
            with(json!({ "stream_options": { "include_usage": true } })),
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            Some("stream_options"),
            None,
        ),
    ];
    for (body, message, param, code) in cases {
        let refused = decoded(&body).unwrap_err();
        assert_eq!(refused, (message.to_owned(), param.map(str::to_owned), code), "{body}");
    }
}

fn call() -> Value {
    let function = json!({ "name": "record", "arguments": "{}" });
    json!({ "role": "assistant", "content": null, "tool_calls": [{ "id": "call_1", "type": "function", "function": function }] })
}

#[test]
fn unsupported_parameters_and_modes_are_rejected() {
    let older = Scenario::instant("").with_modes(&[Mode::JsonObject, Mode::Prompt]);
    let refused = |scenario: &Scenario, body: &Value| decoded_by(scenario, body).unwrap_err();
    assert_eq!(
        refused(&older, &native()),
        (
            "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
                .to_owned(),
            Some("response_format".to_owned()),
            None
        )
    );
    let tools = refused(&older, &tool(&json!("required")));
    assert_eq!(tools.1.as_deref(), Some("tools"));
    let object = with(json!({ "response_format": { "type": "json_object" } }));
    assert!(decoded_by(&older, &object).is_ok() && decoded_by(&older, &with(json!({}))).is_ok());
    let words_only = Scenario::instant("").with_modes(&[Mode::Prompt]);
    assert_eq!(refused(&words_only, &object).1.as_deref(), Some("response_format"));

    let reasoning = Scenario::instant("").with_refuses(&["max_tokens", "temperature"]);
    assert_eq!(
        refused(&reasoning, &with(json!({ "max_tokens": 9 }))),
        (
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
                .to_owned(),
            Some("max_tokens".to_owned()),
            Some("unsupported_parameter")
        )
    );
    assert!(decoded_by(&reasoning, &with(json!({ "max_completion_tokens": 9 }))).is_ok());
}

#[test]
fn the_row_is_the_last_user_text_or_the_first_in_a_re_ask() {
    let conversation =
        |turns: Value| decoded(&with(json!({ "messages": turns }))).map(|ask| (ask.row.text, ask.re_ask));
    let user = |text: &str| json!({ "role": "user", "content": text });
    let assistant = json!({ "role": "assistant", "content": null, "tool_calls": [] });
    let parts = json!({ "role": "user", "content": [{ "type": "text", "text": "a" }, { "type": "image_url", "image_url": { "url": "https://example.org/a.png" } }, { "type": "text", "text": "b" }] });
    assert_eq!(
        conversation(json!([{ "role": "developer", "content": "d" }, user("x"), user("y")])),
        Ok(("y".to_owned(), false))
    );
    assert_eq!(conversation(json!([user("x"), assistant, user("again")])), Ok(("x".to_owned(), true)));
    assert_eq!(conversation(json!([parts])), Ok(("ab".to_owned(), false)));
    assert_eq!(conversation(json!([{ "role": "system", "content": "s" }])), Ok(("s".to_owned(), false)));
}

#[test]
fn a_schema_in_the_prompt_is_used_and_is_not_part_of_the_row() {
    let text = format!("Read: Ann Lee is 30. Answer in JSON for {}", person());
    let body = with(json!({ "messages": [{ "role": "user", "content": text }] }));
    let ask = decoded(&body).unwrap();
    assert!(matches!(&ask.wanted, Wanted::Object { in_prompt: Some(schema) } if *schema == person()));
    assert_eq!(ask.row.text, "Read: Ann Lee is 30. Answer in JSON for ");
    assert_eq!(content(&body), "{\"name\":\"Ann Lee\",\"age\":30}");
}

#[test]
fn tools_are_called_according_to_the_choice() {
    let wanted = |choice: Value| decoded(&tool(&choice)).map(|ask| ask.wanted);
    for (choice, expected) in [
        (json!({ "type": "function", "function": { "name": "record" } }), Forced::Named),
        (json!("required"), Forced::Any),
        (json!("auto"), Forced::Free),
        (
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "auto", "tools": [{ "type": "function", "function": { "name": "record" } }] } }),
            Forced::Free,
        ),
    ] {
        assert!(matches!(wanted(choice), Ok(Wanted::Tool(Tool { forced, .. })) if forced == expected));
    }
    assert!(matches!(wanted(json!("none")), Ok(Wanted::Text)));
}

fn answer(body: &Value) -> (Ask, Answer) {
    let ask = decoded(body).unwrap();
    let answer = Answer::whole(&ask, ask.row.chance(1)).unwrap();
    (ask, answer)
}

fn content(body: &Value) -> String {
    match answer(body).1.said {
        Said::Content(text) => text,
        other => panic!("not content: {other:?}"),
    }
}

#[test]
fn each_fault_changes_the_answer() {
    let good = "{\"name\":\"Ann Lee\",\"age\":30}";
    let bent = |fault: FaultKind| {
        let (ask, answer) = answer(&native());
        answer.bent(&fault, &ask, ask.row.chance(1))
    };
    let text = |fault| match bent(fault).said {
        Said::Content(text) => text,
        other => panic!("not content: {other:?}"),
    };
    assert_eq!(content(&native()), good);
    assert_eq!(text(FaultKind::Fenced), format!("```json\n{good}\n```"));
    assert!(text(FaultKind::Prose).contains(good));
    assert!(serde_json::from_str::<Value>(&text(FaultKind::InvalidJson)).is_err());
    assert_eq!(text(FaultKind::TruncatedJson), &good[..13]);
    assert_eq!(bent(FaultKind::TruncatedJson).finish, Finish::Stop);
    assert_eq!(
        (text(FaultKind::Length).as_str(), bent(FaultKind::Length).finish),
        (&good[..13], Finish::Length)
    );
    assert_eq!(bent(FaultKind::ContentFilter).finish, Finish::ContentFilter);
    assert_eq!(text(FaultKind::Empty), "");
    assert!(matches!(bent(FaultKind::Refusal).said, Said::Refusal(_)));

    let wrong: Value = serde_json::from_str(&text(FaultKind::SchemaViolation)).unwrap();
    assert!(!jsonschema::is_valid(&person(), &wrong), "{wrong}");
}

#[test]
fn faults_of_tools_change_the_calls() {
    let calls = |fault: FaultKind| {
        let (ask, answer) = answer(&tool(&json!("required")));
        match answer.bent(&fault, &ask, ask.row.chance(1)).said {
            Said::Calls(calls) => calls,
            other => panic!("no calls: {other:?}"),
        }
    };
    let names = |fault| calls(fault).into_iter().map(|call| call.name).collect::<Vec<_>>();
    assert_eq!(names(FaultKind::WrongTool), ["simulated_wrong_tool"]);
    assert_eq!(names(FaultKind::TwoTools), ["record", "record"]);
    assert!(serde_json::from_str::<Value>(&calls(FaultKind::InvalidJson)[0].arguments).is_err());
}

#[test]
fn the_token_limit_cuts_the_text_between_characters() {
    let (_, answer) =
        answer(&with(json!({ "messages": [{ "role": "user", "content": "Ünïcödé ".repeat(40) }] })));
    for most in 1..40 {
        let cut = answer.clone().limited(Some(most));
        assert_eq!((cut.finish, cut.tokens), (Finish::Length, most));
        assert!(matches!(cut.said, Said::Content(text) if text.len() as u64 <= most * 4));
    }
    assert_eq!(answer.clone().limited(Some(answer.tokens)), answer);
}
