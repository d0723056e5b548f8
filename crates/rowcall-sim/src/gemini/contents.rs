//! The contents of a Gemini request: its turns, whether function calls have responses, and whether they carry the
//! signatures that were issued with them.

use serde_json::{Map, Value};

use super::signature::is_signature;
use super::words::at;
use crate::ask::conversation::{Conversation, Speaker};
use crate::ask::field::{object, text};
use crate::ask::shape::snake_case;
use crate::invalid::Invalid;

/// Models before these accept function calls without a signature.
const SIGNING: &str = "gemini-3";

/// What Google's documentation allows instead of a signature that is not available.
const STAND_INS: [&str; 2] = ["skip_thought_signature_validator", "context_engineering_is_the_way_to_go"];

/// A field of a part that has content; each part has one.
const DATA: [&str; 5] = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];

/// Fields that a part of this kind always has.
const NEEDED: [(&str, &str); 5] = [
    ("inlineData", "mimeType"),
    ("inlineData", "data"),
    ("fileData", "fileUri"),
    ("functionCall", "name"),
    ("functionResponse", "name"),
];

/// The conversation in a body whose shape has been checked.
pub(super) fn read(body: &Map<String, Value>, model: &str) -> Result<Conversation, Invalid> {
    let mut conversation = Conversation::default();
    if let Some(system) = object(body, "systemInstruction") {
        conversation.say(Speaker::Instructions, Content::of(system).texts());
    }
    let contents = body.get("contents").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let contents: Vec<Content<'_>> = contents.iter().filter_map(Value::as_object).map(Content::of).collect();
    if contents.is_empty() {
        return Err(at("contents", "contents is not specified"));
    }
    // The last question; everything after it is the current turn.
    let asked = contents.iter().rposition(|content| content.role != "model" && content.asks());
    let mut calls = 0;
    for (n, content) in contents.iter().enumerate() {
        content.judge(n)?;
        let responses = content.count("functionResponse");
        if responses != calls {
            return Err(unmet(responses, calls));
        }
        calls = content.count("functionCall");
        if calls > 0 && content.role != "model" {
            return Err(Invalid::new("Please ensure that function call turns have the role `model`.")
                .at(format!("contents[{n}]")));
        }
        if calls > 0 && model.contains(SIGNING) && asked.is_some_and(|asked| asked < n) {
            content.is_signed(n)?;
        }
        content.say(&mut conversation);
    }
    if calls == 0 { Ok(conversation) } else { Err(unmet(0, calls)) }
}

fn unmet(responses: usize, calls: usize) -> Invalid {
    let message = if calls == 0 && responses > 0 {
        "Please ensure that function response turn comes immediately after a function call turn."
    } else {
        "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn."
    };
    Invalid::new(message)
}

struct Content<'c> {
    role: &'c str,
    parts: Vec<&'c Map<String, Value>>,
}

impl<'c> Content<'c> {
    fn of(content: &'c Map<String, Value>) -> Self {
        let parts = content.get("parts").and_then(Value::as_array).into_iter().flatten();
        Self {
            role: content.get("role").and_then(Value::as_str).unwrap_or("user"),
            parts: parts.filter_map(Value::as_object).collect(),
        }
    }

    fn judge(&self, n: usize) -> Result<(), Invalid> {
        if !matches!(self.role, "user" | "model" | "function") {
            return Err(
                Invalid::new("Please use a valid role: user, model.").at(format!("contents[{n}].role"))
            );
        }
        if self.parts.is_empty() {
            return Err(at(&format!("contents[{n}].parts"), "contents.parts must not be empty."));
        }
        for (m, part) in self.parts.iter().enumerate() {
            let location = format!("contents[{n}].parts[{m}]");
            let has = |field: &&str| part.get(*field).is_some_and(|value| !value.is_null());
            if DATA.iter().filter(|field| has(field)).count() != 1 {
                let what = "required oneof field 'data' must have one initialized field";
                return Err(at(&format!("{location}.data"), what));
            }
            let lacks = |(data, field): &&(&str, &str)| {
                object(part, data).is_some_and(|inner| text(inner, field).is_empty())
            };
            if let Some((data, field)) = NEEDED.iter().find(lacks) {
                let at_field = format!("{location}.{}.{}", snake_case(data), snake_case(field));
                return Err(at(&at_field, "is not specified"));
            }
        }
        Ok(())
    }

    /// The first call of an answer carries the signature of its thought.
    fn is_signed(&self, n: usize) -> Result<(), Invalid> {
        let first = self.parts.iter().find(|part| part.contains_key("functionCall"));
        let signature = first.map(|part| text(part, "thoughtSignature")).unwrap_or_default();
        if signature.is_empty() {
            let name = first.and_then(|part| object(part, "functionCall")).map(|call| text(call, "name"));
            let message = format!(
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `default_api:{}`, position {}.",
                name.unwrap_or_default(),
                n + 1
            );
            return Err(Invalid::new(message));
        }
        if is_signature(signature) || STAND_INS.contains(&signature) {
            return Ok(());
        }
        Err(Invalid::new("Thought signature is not valid."))
    }

    /// Whether it asks something, rather than only answering a call.
    fn asks(&self) -> bool {
        self.count("functionResponse") == 0
    }

    fn count(&self, data: &str) -> usize {
        self.parts.iter().filter(|part| part.get(data).is_some_and(|value| !value.is_null())).count()
    }

    fn texts(&self) -> String {
        let said = self.parts.iter().filter(|part| part.get("thought") != Some(&Value::Bool(true)));
        said.map(|part| text(part, "text")).collect()
    }

    fn say(&self, conversation: &mut Conversation) {
        for response in self.parts.iter().filter_map(|part| part.get("functionResponse")) {
            let content = response.get("response").map(Value::to_string);
            conversation.say(Speaker::Tool, content.unwrap_or_default());
        }
        let call = self.parts.iter().find_map(|part| part.get("functionCall")?.get("args"));
        let said = call.map_or_else(|| self.texts(), Value::to_string);
        let speaker = if self.role == "model" { Speaker::Model } else { Speaker::User };
        let data = |part: &&Map<String, Value>| {
            let inline = object(part, "inlineData").map(|inline| text(inline, "data").to_owned());
            inline.or_else(|| object(part, "fileData").map(|file| text(file, "fileUri").to_owned()))
        };
        let attached: Vec<String> = self.parts.iter().filter_map(data).collect();
        // A content with only responses adds no turn.
        if !said.is_empty() || !attached.is_empty() || speaker == Speaker::Model {
            conversation.say(speaker, said);
        }
        for content in attached {
            conversation.attach(&content);
        }
    }
}
