//! Answers of models in each protocol, for re-asks and continuations to refer to: those of the pinned vectors, and
//! those in `xtask/judges/answers.json`, which the vectors lack.

use std::fs;
use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use rowcall::provider::Protocol;
use rowcall::{Completion, Response};
use serde_json::Value;

use crate::{Result, workspace};

/// An answer as read, and its name.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) name: String,
    pub(super) completion: Completion,
}

/// All answers of a protocol.
///
/// # Errors
/// Files that do not exist or are malformed.
pub(super) fn all(protocol: Protocol) -> Result<Vec<Answer>> {
    let vectors = match protocol {
        Protocol::OpenAiChat => "openai_chat.json",
        Protocol::OpenAiResponses => "openai_responses.json",
        Protocol::Anthropic => "anthropic_messages.json",
        Protocol::Gemini => "gemini_generate.json",
    };
    let vectors = list(&format!("crates/rowcall/tests/vectors/{vectors}"), "cases")?;
    let own = list("xtask/judges/answers.json", protocol.name())?;
    // Some of the vectors are faults and contain no answer.
    let vectors = vectors.iter().filter_map(|case| read(protocol, case, "id"));
    let mut answers: Vec<Answer> = vectors.collect();
    for answer in &own {
        answers.push(read(protocol, answer, "name").ok_or_else(|| format!("no answer: {answer}"))?);
    }
    Ok(answers)
}

fn list(path: &str, field: &str) -> Result<Vec<Value>> {
    let text = fs::read(workspace().join(path)).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    let file: Value =
        serde_json::from_slice(&text).map_err(|error| format!("`{path}` is not JSON: {error}"))?;
    let list = file.get(field).and_then(Value::as_array).cloned();
    list.ok_or_else(|| format!("`{path}` has no list of `{field}`"))
}

/// The answer in a case, if there is one.
fn read(protocol: Protocol, case: &Value, name: &str) -> Option<Answer> {
    let mut headers = HeaderMap::new();
    let body = match case.get("raw").and_then(Value::as_str) {
        Some(stream) => {
            headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
            stream.to_owned()
        }
        None => case.get("body")?.to_string(),
    };
    let response =
        Response { status: 200, headers, body: Bytes::from(body), received: SystemTime::UNIX_EPOCH };
    let completion = protocol.decode(&response).ok()?;
    Some(Answer { name: case.get(name)?.as_str()?.to_owned(), completion })
}

#[cfg(test)]
mod tests {
    use rowcall::Finish;
    use rowcall::provider::Protocol;

    use super::all;

    #[test]
    fn every_protocol_has_answers_of_every_kind() {
        for (protocol, least, pauses) in [
            (Protocol::OpenAiChat, 18, 0),
            (Protocol::OpenAiResponses, 7, 0),
            (Protocol::Anthropic, 12, 1),
            (Protocol::Gemini, 9, 2),
        ] {
            let answers = all(protocol).expect("the answers");
            assert!(answers.len() >= least, "{protocol:?}: {}", answers.len());
            let paused = answers.iter().filter(|answer| answer.completion.finish == Finish::Paused);
            assert_eq!(paused.count(), pauses, "{protocol:?}");
            // The answers that a re-ask after two calls, or after text, refers to.
            for words in ["two calls", "text"] {
                let is_there = answers.iter().any(|answer| {
                    let said = answer.completion.raw_turn.to_string();
                    match words {
                        "text" => said.contains("text") || said.contains("\"content\":\""),
                        _ => answer.name.contains(words) && said.matches("record").count() == 2,
                    }
                });
                assert!(is_there, "{protocol:?}: {words}");
            }
        }
    }
}
