//! Which Responses requests are rejected and how, and what is read from the others.

use serde_json::{Value, json};

use super::decode;
use crate::ask::wanted::{Forced, Tool, Wanted};
use crate::ask::{Ask, Thinking};
use crate::rules::Rules;
use crate::scenario::Scenario;

type Refused = (String, Option<String>, Option<&'static str>);

fn decoded(body: &Value) -> Result<Ask, Refused> {
    decode(body.to_string().as_bytes(), Rules::of(&Scenario::instant("")))
        .map_err(|invalid| (invalid.message, invalid.param, invalid.code))
}

fn with(fields: Value) -> Value {
    let mut body = json!({ "model": "m", "input": "Ann Lee is a 30-year-old nurse." });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn input(items: &Value) -> Value {
    with(json!({ "input": items, "store": false }))
}

fn person() -> Value {
    json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"], "additionalProperties": false })
}

fn format(fields: Value) -> Value {
    let mut format = json!({ "type": "json_schema", "name": "person", "strict": true, "schema": person() });
    if let (Value::Object(format), Value::Object(fields)) = (&mut format, fields) {
        format.extend(fields);
    }
    with(json!({ "text": { "format": format } }))
}

fn tool(choice: &Value) -> Value {
    let tool = json!({ "type": "function", "name": "record", "parameters": person(), "strict": true });
    with(json!({ "tools": [tool], "tool_choice": choice }))
}

#[test]
fn problems_with_a_request_are_reported() {
    let call = json!({ "type": "function_call", "call_id": "call_1", "name": "record", "arguments": "{}" });
    let output = json!({ "type": "function_call_output", "call_id": "call_1", "output": "x" });
    let thought = json!({ "type": "reasoning", "id": "rs_1", "summary": [] });
    let user = json!({ "role": "user", "content": "x" });
    let answer = json!({ "role": "assistant", "content": "y" });
    let said = |role: &str, part: Value| {
        input(&json!([{ "role": role, "content": [part] }, { "role": "user", "content": "x" }]))
    };
    let loose = json!({ "type": "object", "properties": {} });
    let cases = [
        (
            json!({ "model": "m" }),
            "Missing required parameter: 'input'.",
            "input",
            "missing_required_parameter",
        ),
        (with(json!({ "messages": [] })), "Unknown parameter: 'messages'.", "messages", "unknown_parameter"),
        (
            with(json!({ "max_output_tokens": 15 })),
            "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 15 instead.",
            "max_output_tokens",
            "integer_below_min_value",
        ),
        (
            with(json!({ "reasoning": { "effort": "huge" } })),
            "Invalid value: 'huge'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', and 'max'.",
            "reasoning.effort",
            "invalid_value",
        ),
        (
            with(json!({ "input": 3 })),
            "Invalid type for 'input': expected one of a string or array of objects, but got an integer instead.",
            "input",
            "invalid_type",
        ),
        (
            input(&json!([])),
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "input",
            "empty_array",
        ),
        (
            input(&json!([{ "content": "x" }])),
            "Missing required parameter: 'input[0].type'.",
            "input[0].type",
            "missing_required_parameter",
        ),
        (
            said("user", json!({ "type": "output_text", "text": "x" })),
            "Invalid value: 'output_text'. Supported values are: 'input_text', 'input_image', and 'input_file'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            said("assistant", json!({ "type": "input_text", "text": "x" })),
            "Invalid value: 'input_text'. Supported values are: 'output_text' and 'refusal'.",
            "input[0].content[0]",
            "invalid_value",
        ),
        (
            said("user", json!({ "type": "input_image", "detail": "auto" })),
            "Missing required parameter: 'input[0].content[0].file_id'.",
            "input[0].content[0].file_id",
            "missing_required_parameter",
        ),
        (
            said("user", json!({ "type": "input_image", "image_url": "data:image/png;base64,?" })),
            "Invalid 'input[0].content[0].image_url'. Expected a valid URL, but got a value with an invalid format.",
            "input[0].content[0].image_url",
            "invalid_value",
        ),
        (input(&json!([user, call])), "No tool output found for function call call_1.", "input", ""),
        (
            input(&json!([user, output])),
            "No tool call found for function call output with call_id call_1.",
            "input",
            "",
        ),
        (
            input(&json!([user, thought, user])),
            "Item with id 'rs_1' not found. Items are not persisted when `store` is set to false. Try again with `store` set to true, or remove this item from your input.",
            "input",
            "",
        ),
        (
            input(&json!([user, answer, thought])),
            "Item 'rs_1' of type 'reasoning' was provided without its required following item.",
            "input",
            "",
        ),
        (
            input(&json!([{ "type": "item_reference", "id": "msg_1" }])),
            "Item with id 'msg_1' not found.",
            "input",
            "",
        ),
        (
            with(json!({ "previous_response_id": "resp_1" })),
            "Unsupported value: 'previous_response_id': this simulator stores nothing.",
            "previous_response_id",
            "unsupported_value",
        ),
        (
            with(json!({ "background": true })),
            "Unsupported value: 'background': this simulator answers at once.",
            "background",
            "unsupported_value",
        ),
        (
            with(json!({ "text": { "format": { "type": "json_object" } } })),
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type 'json_object'.",
            "input",
            "",
        ),
        (
            format(json!({ "schema": loose })),
            "Invalid schema for response_format 'person': In context=(), 'additionalProperties' is required to be supplied and to be false.",
            "text.format.schema",
            "invalid_json_schema",
        ),
        (
            format(json!({ "name": "a b" })),
            "Invalid 'text.format.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            "text.format.name",
            "invalid_value",
        ),
        (
            with(json!({ "tools": [{ "type": "function", "name": "f", "parameters": loose }] })),
            "Invalid schema for function 'f': In context=(), 'additionalProperties' is required to be supplied and to be false.",
            "tools[0].parameters",
            "invalid_function_parameters",
        ),
        (
            tool(&json!({ "type": "function", "name": "other" })),
            "Tool choice 'function' not found in 'tools' parameter: 'other'.",
            "tool_choice",
            "",
        ),
        (
            with(json!({ "tool_choice": "required" })),
            "Tool choice other than 'auto' or 'none' requires 'tools'.",
            "tool_choice",
            "",
        ),
        (
            with(json!({ "stream_options": {} })),
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
            "",
        ),
    ];
    for (body, message, param, code) in cases {
        let code = Some(code).filter(|code| !code.is_empty());
        assert_eq!(decoded(&body).unwrap_err(), (message.to_owned(), Some(param.to_owned()), code), "{body}");
    }
}

#[test]
fn a_schema_comes_from_the_format_or_a_tool() {
    let wanted = |body: &Value| decoded(body).unwrap().wanted;
    assert!(matches!(wanted(&format(json!({}))), Wanted::Schema(schema) if schema == person()));
    for (choice, expected) in [
        (json!({ "type": "function", "name": "record" }), Forced::Named),
        (json!("required"), Forced::Any),
        (json!("auto"), Forced::Free),
    ] {
        let wanted = wanted(&tool(&choice));
        assert!(matches!(wanted, Wanted::Tool(Tool { forced, .. }) if forced == expected), "{choice}");
    }
    assert!(matches!(wanted(&tool(&json!("none"))), Wanted::Text));
    let prompt = with(json!({ "instructions": format!("Answer in JSON by {}", person()) }));
    assert!(matches!(wanted(&prompt), Wanted::Object { in_prompt: Some(schema) } if schema == person()));
}

#[test]
fn calls_and_reasoning_are_accepted_back_with_their_items() {
    let body = input(&json!([
        { "role": "user", "content": [{ "type": "input_text", "text": "Ann" }] },
        { "type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA" },
        { "type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "record", "arguments": "{}", "status": "completed" },
        { "type": "function_call_output", "call_id": "call_1", "output": "name is missing" },
    ]));
    let ask = decoded(&body).unwrap();
    assert_eq!((ask.row.text.as_str(), ask.re_ask), ("Ann", true));
}

#[test]
fn thinking_is_shown_if_a_summary_is_requested() {
    let thinking = |reasoning: Value| decoded(&with(json!({ "reasoning": reasoning }))).unwrap().thinking;
    assert_eq!(thinking(Value::Null), Thinking::Off);
    assert_eq!(thinking(json!({ "effort": "none", "summary": "auto" })), Thinking::Off);
    assert_eq!(thinking(json!({ "effort": "low" })), Thinking::Hidden);
    assert_eq!(thinking(json!({ "effort": "low", "summary": "auto" })), Thinking::Shown);
}
