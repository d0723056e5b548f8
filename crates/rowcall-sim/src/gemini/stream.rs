//! An answer as a stream, in Gemini's two forms: server-sent events, and one JSON array.

use serde_json::{Value, json};

use super::body::{content, last, parts, response};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::envelope::Envelope;
use crate::form::GeminiForm;
use crate::written::pieces;

/// How many pieces of text go into one chunk of a stream.
const PIECES: usize = 3;

/// Each part in its own chunk, texts in several; the last chunk has the finish reason.
pub(super) fn frames(envelope: Envelope, ask: &Ask, form: GeminiForm, answer: &Answer) -> Vec<String> {
    let mut parts: Vec<Value> = parts(envelope, ask, answer).iter().flat_map(divided).collect();
    let end = parts.pop();
    let chunk = |part: &Value| {
        let candidate = json!({ "index": 0, "content": content(std::slice::from_ref(part)) });
        response(
            envelope,
            ask,
            &[candidate],
            &json!({ "promptTokenCount": ask.prompt_tokens, "totalTokenCount": ask.prompt_tokens }),
        )
    };
    let chunks = parts.iter().map(chunk).chain([last(envelope, ask, answer, end.as_slice())]);
    framed(form, &chunks.collect::<Vec<_>>())
}

/// A text part as several, the last of which has the part's other fields.
fn divided(part: &Value) -> Vec<Value> {
    let Some(text) = part.get("text").and_then(Value::as_str) else { return vec![part.clone()] };
    let pieces: Vec<&str> = pieces(text).collect();
    let texts: Vec<String> = pieces.chunks(PIECES).map(<[&str]>::concat).collect();
    let count = texts.len();
    let with_text = |(n, text): (usize, String)| {
        let mut piece = part.as_object().cloned().unwrap_or_default();
        piece.insert("text".to_owned(), json!(text));
        if n + 1 < count {
            piece.shift_remove("thoughtSignature");
        }
        Value::Object(piece)
    };
    texts.into_iter().enumerate().map(with_text).collect()
}

/// The chunks of a whole stream, framed.
fn framed(form: GeminiForm, chunks: &[Value]) -> Vec<String> {
    match form {
        GeminiForm::Whole => chunks.iter().map(Value::to_string).collect(),
        GeminiForm::Events => chunks.iter().map(|chunk| format!("data: {chunk}\r\n\r\n")).collect(),
        GeminiForm::Array => {
            let chunk = |(n, chunk)| format!("{}{chunk}", if n == 0 { "[" } else { ",\r\n" });
            chunks.iter().enumerate().map(chunk).chain(["]\n".to_owned()]).collect()
        }
    }
}

/// The last frame of a stream that has begun.
pub(crate) fn last_frame(form: GeminiForm, chunk: &Value) -> String {
    match form {
        GeminiForm::Whole => chunk.to_string(),
        GeminiForm::Events => format!("data: {chunk}\r\n\r\n"),
        GeminiForm::Array => format!(",\r\n{chunk}]\n"),
    }
}
