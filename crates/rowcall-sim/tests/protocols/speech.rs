//! A minimal client of each protocol: just enough to ask about a person and find the value in the answer.

use serde_json::{Value, json};

use crate::wire::Answer;

/// A protocol that the simulator serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Chat,
    Responses,
    Messages,
    Gemini,
}

pub(crate) const ALL: [Protocol; 4] =
    [Protocol::Chat, Protocol::Responses, Protocol::Messages, Protocol::Gemini];

/// How the value is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Schema,
    Tool,
    /// Any JSON; the schema is in the prompt.
    Object,
    Prompt,
}

/// How the answer is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Stream,
}

pub(crate) const HEADERS: [(&str, &str); 1] = [("anthropic-version", "2026-10-21")];

pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": { "name": { "type": "string" }, "age": { "type": "integer" } },
        "required": ["name", "age"],
        "additionalProperties": false,
    })
}

impl Protocol {
    pub(crate) fn path(self, delivery: Delivery) -> &'static str {
        match (self, delivery) {
            (Self::Chat, _) => "/v1/chat/completions",
            (Self::Responses, _) => "/v1/responses",
            (Self::Messages, _) => "/v1/messages",
            (Self::Gemini, Delivery::Whole) => "/v1beta/models/gemini-3.8-flash:generateContent",
            (Self::Gemini, Delivery::Stream) => {
                "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse"
            }
        }
    }

    /// A turn by `user` or `assistant`.
    pub(crate) fn turn(self, role: &str, text: &str) -> Value {
        match self {
            Self::Chat | Self::Responses | Self::Messages => json!({ "role": role, "content": text }),
            Self::Gemini => {
                json!({ "role": if role == "user" { "user" } else { "model" }, "parts": [{ "text": text }] })
            }
        }
    }

    /// The field that holds the turns.
    pub(crate) fn turns(self) -> &'static str {
        match self {
            Self::Chat | Self::Messages => "messages",
            Self::Responses => "input",
            Self::Gemini => "contents",
        }
    }

    /// A request for the person in `text`.
    pub(crate) fn ask(self, text: &str, mode: Mode, delivery: Delivery) -> Value {
        let text = match mode {
            Mode::Schema | Mode::Tool => text.to_owned(),
            Mode::Object | Mode::Prompt => format!("{text}\n\nAnswer in JSON by this schema: {}", schema()),
        };
        let mut body = match self {
            Self::Gemini => json!({}),
            Self::Messages => json!({ "model": "claude-haiku-5-5", "max_tokens": 500 }),
            Self::Chat | Self::Responses => json!({ "model": "gpt-6-luna" }),
        };
        body[self.turns()] = json!([self.turn("user", &text)]);
        if delivery == Delivery::Stream && self != Self::Gemini {
            body["stream"] = json!(true);
        }
        self.want(&mut body, mode);
        body
    }

    fn want(self, body: &mut Value, mode: Mode) {
        let function = json!({ "name": "record", "parameters": schema(), "strict": true });
        match (self, mode) {
            (_, Mode::Prompt) | (Self::Messages, Mode::Object) => {}
            (Self::Chat, Mode::Schema) => {
                let format = json!({ "name": "person", "strict": true, "schema": schema() });
                body["response_format"] = json!({ "type": "json_schema", "json_schema": format });
            }
            (Self::Chat, Mode::Object) => body["response_format"] = json!({ "type": "json_object" }),
            (Self::Chat, Mode::Tool) => {
                body["tools"] = json!([{ "type": "function", "function": function }]);
                body["tool_choice"] = json!({ "type": "function", "function": { "name": "record" } });
            }
            (Self::Responses, Mode::Schema) => {
                let format =
                    json!({ "type": "json_schema", "name": "person", "strict": true, "schema": schema() });
                body["text"] = json!({ "format": format });
            }
            (Self::Responses, Mode::Object) => body["text"] = json!({ "format": { "type": "json_object" } }),
            (Self::Responses, Mode::Tool) => {
                body["tools"] = json!([function]);
                body["tools"][0]["type"] = json!("function");
                body["tool_choice"] = json!({ "type": "function", "name": "record" });
            }
            (Self::Messages, Mode::Schema) => {
                body["output_config"] = json!({ "format": { "type": "json_schema", "schema": schema() } });
            }
            (Self::Messages, Mode::Tool) => {
                body["tools"] = json!([{ "name": "record", "input_schema": schema(), "strict": true }]);
                body["tool_choice"] = json!({ "type": "tool", "name": "record" });
            }
            (Self::Gemini, Mode::Schema) => {
                body["generationConfig"] =
                    json!({ "responseMimeType": "application/json", "responseJsonSchema": schema() });
            }
            (Self::Gemini, Mode::Object) => {
                body["generationConfig"] = json!({ "responseMimeType": "application/json" });
            }
            (Self::Gemini, Mode::Tool) => {
                let function = json!({ "name": "record", "parametersJsonSchema": schema() });
                body["tools"] = json!([{ "functionDeclarations": [function] }]);
                let calling = json!({ "mode": "ANY", "allowedFunctionNames": ["record"] });
                body["toolConfig"] = json!({ "functionCallingConfig": calling });
            }
        }
    }

    /// The value in an answer, if there is one.
    pub(crate) fn value(self, answer: &Answer, delivery: Delivery) -> Option<Value> {
        let text = match delivery {
            Delivery::Whole => self.whole(&serde_json::from_str(&answer.body).ok()?),
            Delivery::Stream => self.streamed(&answer.body),
        };
        serde_json::from_str(&text).ok()
    }

    /// The text or the arguments of an answer.
    pub(crate) fn whole(self, body: &Value) -> String {
        let texts = |parts: &Value, pointers: [&str; 2]| -> String {
            let parts = parts.as_array().into_iter().flatten();
            parts.flat_map(|part| pointers.map(|pointer| plain(part.pointer(pointer)))).collect()
        };
        match self {
            Self::Chat => {
                let message = &body["choices"][0]["message"];
                let arguments = message.pointer("/tool_calls/0/function/arguments");
                plain(message.get("content").filter(|content| !content.is_null()).or(arguments))
            }
            Self::Responses => texts(&body["output"], ["/content/0/text", "/arguments"]),
            Self::Messages => texts(&body["content"], ["/text", "/input"]),
            Self::Gemini => {
                texts(&body["candidates"][0]["content"]["parts"], ["/text", "/functionCall/args"])
            }
        }
    }

    fn streamed(self, body: &str) -> String {
        let pointers: &[&str] = match self {
            Self::Chat => &["/choices/0/delta/content", "/choices/0/delta/tool_calls/0/function/arguments"],
            Self::Responses => &["/delta"],
            Self::Messages => &["/delta/text", "/delta/partial_json"],
            Self::Gemini => {
                &["/candidates/0/content/parts/0/text", "/candidates/0/content/parts/0/functionCall/args"]
            }
        };
        let pieces = frames(body).flat_map(|frame| {
            pointers.iter().map(|pointer| plain(frame.pointer(pointer))).collect::<Vec<_>>()
        });
        pieces.collect()
    }
}

/// The data of each server-sent event that is JSON.
pub(crate) fn frames(body: &str) -> impl Iterator<Item = Value> {
    let data = body.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|data| serde_json::from_str(data).ok())
}

/// A text as it is, an object as JSON, null as an empty text.
fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
