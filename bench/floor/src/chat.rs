//! The chat completions protocol, as little as a typed client needs: a request with the row's text, and the person
//! from the answer's envelope.

use std::borrow::Cow;

use serde::Deserialize;

use crate::person::{Person, text};

const BEFORE_TEXT: &str = r#"{"model":"stub","messages":[{"role":"user","content":"#;
const AFTER_TEXT: &str = concat!(
    r#"}],"response_format":{"type":"json_schema","json_schema":{"name":"Person","strict":true,"#,
    r#""schema":{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer"},"#,
    r#""occupation":{"type":"string"}},"required":["name","age","occupation"],"additionalProperties":false}}}}"#,
);

/// The body of the request about `row`.
pub(crate) fn request(row: u64) -> Result<Vec<u8>, String> {
    let text = text(row);
    let mut body = Vec::with_capacity(BEFORE_TEXT.len() + AFTER_TEXT.len() + text.len() + 16);
    body.extend_from_slice(BEFORE_TEXT.as_bytes());
    serde_json::to_writer(&mut body, &text).map_err(|error| error.to_string())?;
    body.extend_from_slice(AFTER_TEXT.as_bytes());
    Ok(body)
}

/// The person in the answer `body`, checked to belong to `row`.
pub(crate) fn answer(body: &[u8], row: u64) -> Result<Person, String> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let content = envelope.choices.first().and_then(|choice| choice.message.content.as_deref());
    let content = content.ok_or_else(|| format!("row {row}: the answer has no content"))?;
    let person: Person = serde_json::from_str(content).map_err(|error| error.to_string())?;
    if person.is_of(row) { Ok(person) } else { Err(format!("row {row}: got `{}`", person.name)) }
}

/// The fields that an extraction needs: content, finish reason, and usage.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    choices: Vec<Choice<'a>>,
    #[serde(rename = "usage")]
    _usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    message: Message<'a>,
    #[serde(borrow, rename = "finish_reason")]
    _finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(borrow, rename = "refusal")]
    _refusal: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(rename = "prompt_tokens")]
    _prompt: u64,
    #[serde(rename = "completion_tokens")]
    _completion: u64,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{answer, request};

    fn envelope(content: &Value) -> Vec<u8> {
        let usage = json!({"prompt_tokens": 87, "completion_tokens": 18});
        let message = json!({"role": "assistant", "content": content, "refusal": null});
        json!({"choices": [{"message": message, "finish_reason": "stop"}], "usage": usage})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_request_is_json_and_names_its_row() {
        let body: Value = serde_json::from_slice(&request(42).unwrap()).unwrap();
        assert!(body["messages"][0]["content"].as_str().unwrap().starts_with("[row 42] My name is Ann"));
        assert_eq!(body["response_format"]["json_schema"]["name"], "Person");
    }

    #[test]
    fn an_answer_counts_only_for_its_row() {
        let person = json!(r#"{"name":"Person 61","age":21,"occupation":"software engineer"}"#);
        assert_eq!(answer(&envelope(&person), 61).unwrap().age, 21);
        assert_eq!(answer(&envelope(&person), 1).unwrap_err(), "row 1: got `Person 61`");
        assert_eq!(answer(&envelope(&Value::Null), 1).unwrap_err(), "row 1: the answer has no content");
        assert!(answer(b"<html>", 1).is_err());
    }
}
