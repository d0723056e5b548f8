//! Which generateContent requests are rejected and how, and what is read from the others.

use serde_json::{Value, json};

use super::{Target, count, decode};
use crate::ask::wanted::{Forced, Tool, Wanted};
use crate::ask::{Ask, Thinking};
use crate::form::GeminiForm;
use crate::rules::Rules;
use crate::scenario::Scenario;

fn target(model: &str) -> Target {
    Target { model: model.to_owned(), form: GeminiForm::Whole, key: None }
}

fn decoded_by(model: &str, body: &Value) -> Result<Ask, String> {
    let scenario = Scenario::instant("");
    decode(&target(model), body.to_string().as_bytes(), Rules::of(&scenario))
        .map_err(|invalid| invalid.message)
}

fn decoded(body: &Value) -> Result<Ask, String> {
    decoded_by("gemini-3.8-flash", body)
}

fn with(fields: Value) -> Value {
    let mut body = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Ann Lee is 30." }] }] });
    if let (Value::Object(body), Value::Object(fields)) = (&mut body, fields) {
        body.extend(fields);
    }
    body
}

fn config(config: &Value) -> Value {
    with(json!({ "generationConfig": config }))
}

fn person() -> Value {
    json!({ "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] })
}

fn tool(calling: &Value) -> Value {
    let function = json!({ "name": "record", "parametersJsonSchema": person() });
    with(json!({
        "tools": [{ "functionDeclarations": [function] }], "toolConfig": { "functionCallingConfig": calling },
    }))
}

fn contents(contents: &[Value]) -> Value {
    with(json!({ "contents": contents }))
}

fn said(role: &str, part: &Value) -> Value {
    json!({ "role": role, "parts": [part] })
}

#[test]
fn problems_with_a_request_are_reported() {
    let user = said("user", &json!({ "text": "x" }));
    let call = said("model", &json!({ "functionCall": { "name": "record", "args": {} } }));
    let forged = said("model", &json!({ "functionCall": { "name": "record" }, "thoughtSignature": "QUJD" }));
    let response = said("user", &json!({ "functionResponse": { "name": "record", "response": {} } }));
    let as_json = |more: Value| {
        let mut asked = json!({ "responseMimeType": "application/json" });
        asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config(&asked)
    };
    let cases = [
        (
            config(&json!({ "foo": 1 })),
            "Invalid JSON payload received. Unknown name \"foo\" at 'generation_config': Cannot find field.",
        ),
        (
            with(json!({ "messages": [] })),
            "Invalid JSON payload received. Unknown name \"messages\": Cannot find field.",
        ),
        (
            config(&json!({ "temperature": "hot" })),
            "Invalid value at 'generation_config.temperature' (TYPE_FLOAT), \"hot\"",
        ),
        (
            config(&json!({ "top_p": 2 })),
            "* GenerateContentRequest.generation_config.top_p: must be at most 1, but is 2",
        ),
        (json!({}), "* GenerateContentRequest.contents: contents is not specified"),
        (contents(&[said("boss", &json!({ "text": "x" }))]), "Please use a valid role: user, model."),
        (
            contents(&[json!({ "role": "user", "parts": [] })]),
            "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.",
        ),
        (
            contents(&[said("user", &json!({}))]),
            "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one initialized field",
        ),
        (
            contents(&[said("user", &json!({ "inline_data": { "mime_type": "image/png", "data": "?" } }))]),
            "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
        ),
        (
            contents(&[said("user", &json!({ "inlineData": { "data": "QUJD" } }))]),
            "* GenerateContentRequest.contents[0].parts[0].inline_data.mime_type: is not specified",
        ),
        (
            contents(&[user.clone(), said("model", &json!({ "functionCall": { "args": {} } }))]),
            "* GenerateContentRequest.contents[1].parts[0].function_call.name: is not specified",
        ),
        (
            contents(&[user.clone(), call.clone(), response.clone()]),
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:record`, position 2.",
        ),
        (contents(&[user.clone(), forged, response.clone()]), "Thought signature is not valid."),
        (
            contents(&[user.clone(), call, user.clone()]),
            "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
        ),
        (
            contents(&[user, response]),
            "Please ensure that function response turn comes immediately after a function call turn.",
        ),
        (
            config(&json!({ "responseMimeType": "text/html" })),
            "* GenerateContentRequest.generation_config.response_mime_type: allowed mimetypes are `text/plain`, `application/json`, and `text/x.enum`.",
        ),
        (
            config(&json!({ "responseJsonSchema": person() })),
            "* GenerateContentRequest.generation_config.response_mime_type: must be `application/json` where there is a response schema",
        ),
        (
            as_json(json!({ "responseJsonSchema": person(), "responseSchema": { "type": "STRING" } })),
            "* GenerateContentRequest.generation_config.response_schema: only one of response_schema and response_json_schema can be set",
        ),
        (
            as_json(json!({ "responseSchema": { "type": "OBJECT", "additionalProperties": false } })),
            "* GenerateContentRequest.generation_config.response_schema: Unknown name \"additionalProperties\": Cannot find field.",
        ),
        (
            as_json(
                json!({ "responseJsonSchema": { "type": "object", "properties": { "a": { "const": 1 } } } }),
            ),
            "* GenerateContentRequest.generation_config.response_json_schema.properties.a: keyword 'const' is not supported.",
        ),
        (
            as_json(
                json!({ "responseSchema": { "type": "OBJECT", "properties": { "a": { "type": "ARRAY" } } } }),
            ),
            "* GenerateContentRequest.generation_config.response_schema.properties.a: items: missing field.",
        ),
        (config(&json!({ "candidateCount": 2 })), "Multiple candidates is not enabled for this model"),
        (
            json!({ "contents": [said("user", &json!({ "text": "Ann is 30" }))], "continuationToken": "QUJD" }),
            "* GenerateContentRequest.continuation_token: is unknown: this simulator gives none out",
        ),
        (
            tool(&json!({ "mode": "ANY", "allowedFunctionNames": ["other"] })),
            "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: `other` is not the name of a declared function",
        ),
        (
            tool(&json!({ "allowedFunctionNames": ["record"] })),
            "* GenerateContentRequest.tool_config.function_calling_config.allowed_function_names: can only be set when the function calling mode is ANY or VALIDATED.",
        ),
        (
            tool(&json!({ "mode": "SOME" })),
            "Invalid value at 'tool_config.function_calling_config.mode' (TYPE_ENUM), \"SOME\"",
        ),
        (
            with(json!({ "toolConfig": { "functionCallingConfig": { "mode": "ANY" } } })),
            "* GenerateContentRequest.tool_config.function_calling_config.mode: Function calling config is set without function_declarations.",
        ),
        (
            with(json!({ "tools": [{ "googleSearch": {} }] })),
            "* GenerateContentRequest.tools[0]: this simulator knows only function_declarations",
        ),
        (
            with(
                json!({ "tools": [{ "functionDeclarations": [{ "name": "f", "parametersJsonSchema": { "type": "array" } }] }] }),
            ),
            "* GenerateContentRequest.tools[0].function_declarations[0].parameters: parameters must be of type OBJECT",
        ),
        (
            with(json!({ "tools": [{ "functionDeclarations": [{ "name": "1st" }] }] })),
            "* GenerateContentRequest.tools[0].function_declarations[0].name: Invalid function name. Must start with a letter or an underscore. Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or dashes (-), with a maximum length of 128.",
        ),
    ];
    for (body, message) in cases {
        assert_eq!(decoded(&body).unwrap_err(), message, "{body}");
    }
}

#[test]
fn json_and_functions_are_exclusive_only_in_older_models() {
    let mut both = tool(&json!({ "mode": "ANY" }));
    both["generation_config"] = json!({ "response_mime_type": "application/json" });
    let refused = "Function calling with a response mime type: 'application/json' is unsupported";
    assert_eq!(decoded_by("gemini-2.5-flash", &both).unwrap_err(), refused);
    assert!(matches!(decoded(&both).unwrap().wanted, Wanted::Tool(_)));
}

#[test]
fn a_schema_comes_from_either_form_or_a_function() {
    let wanted = |body: &Value| decoded(body).unwrap().wanted;
    let native = config(&json!({ "responseMimeType": "application/json", "responseJsonSchema": person() }));
    assert!(matches!(wanted(&native), Wanted::Schema(schema) if schema == person()));
    let older = json!({
        "type": "OBJECT", "property_ordering": ["name", "sizes"], "required": ["name"],
        "properties": {
            "name": { "type": "STRING", "nullable": true, "enum": ["a"] },
            "sizes": { "type": "ARRAY", "min_items": "1", "items": { "type": "INTEGER" } },
        },
    });
    let in_json_schema = json!({
        "type": "object", "required": ["name"],
        "properties": {
            "name": { "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "null" }] },
            "sizes": { "type": "array", "minItems": 1, "items": { "type": "integer" } },
        },
    });
    let older = config(&json!({ "response_mime_type": "application/json", "response_schema": older }));
    assert!(matches!(wanted(&older), Wanted::Schema(schema) if schema == in_json_schema));
    for (calling, expected) in [
        (json!({ "mode": "ANY", "allowedFunctionNames": ["record"] }), Forced::Named),
        (json!({ "mode": "ANY" }), Forced::Any),
        (json!({ "mode": "AUTO" }), Forced::Free),
        (Value::Null, Forced::Free),
    ] {
        let wanted = wanted(&tool(&calling));
        assert!(matches!(wanted, Wanted::Tool(Tool { forced, .. }) if forced == expected), "{calling}");
    }
    assert!(matches!(wanted(&tool(&json!({ "mode": "NONE" }))), Wanted::Text));
    let object = config(&json!({ "responseMimeType": "application/json" }));
    assert!(matches!(wanted(&object), Wanted::Object { in_prompt: None }));
    let mut prompt = object;
    prompt["system_instruction"] = json!({ "parts": [{ "text": format!("By {}", person()) }] });
    assert!(matches!(wanted(&prompt), Wanted::Object { in_prompt: Some(schema) } if schema == person()));
}

#[test]
fn examples_and_older_models_need_no_signature_and_substitutes_are_accepted() {
    let question = |text: &str| said("user", &json!({ "text": text }));
    let call = said("model", &json!({ "functionCall": { "name": "record", "args": { "name": "Ann" } } }));
    let response =
        said("user", &json!({ "functionResponse": { "name": "record", "response": { "result": "ok" } } }));
    let mut body = tool(&json!({ "mode": "ANY" }));
    body["contents"] = json!([question("Ann"), call, response, question("Bob")]);
    let ask = decoded(&body).unwrap();
    assert_eq!((ask.row.text.as_str(), ask.re_ask), ("Bob", false));

    body["contents"] = json!([question("Ann"), call, response]);
    let ask = decoded_by("gemini-2.5-flash", &body).unwrap();
    assert_eq!((ask.row.text.as_str(), ask.re_ask), ("Ann", true));
    body["contents"][1]["parts"][0]["thoughtSignature"] = json!("skip_thought_signature_validator");
    assert!(decoded(&body).is_ok());
}

#[test]
fn thinking_and_tokens_are_as_requested() {
    let thinking =
        |thinking: Value| decoded(&config(&json!({ "thinkingConfig": thinking }))).unwrap().thinking;
    assert_eq!(thinking(Value::Null), Thinking::Off);
    assert_eq!(thinking(json!({ "thinkingBudget": 0, "includeThoughts": true })), Thinking::Off);
    assert_eq!(thinking(json!({ "thinkingLevel": "LOW" })), Thinking::Hidden);
    assert_eq!(thinking(json!({ "thinking_budget": -1, "include_thoughts": true })), Thinking::Shown);

    let scenario = Scenario::instant("");
    let counted = |body: &Value| {
        let counted = count(&target("m"), body.to_string().as_bytes(), Rules::of(&scenario));
        String::from_utf8_lossy(&counted.unwrap().reply().body).into_owned()
    };
    let plain = with(json!({}));
    let whole = json!({ "generateContentRequest": plain });
    for body in [plain, whole] {
        assert_eq!(
            counted(&body),
            "{\"totalTokens\":4,\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":4}]}"
        );
    }
}
