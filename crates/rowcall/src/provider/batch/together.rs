//! Together's batches, as its own client has them (together 3.1.1): as OpenAI's, but a batch has no label, reports its progress in percent and
//! its problem as text, and a create answers with the batch inside.

use serde_json::{Value, json};

use super::{Creation, Phase, Rejected, RemoteBatch, Results, openai, seconds};
use crate::request::Call;

pub(super) fn create(creation: &Creation<'_>) -> Call {
    let body = json!({
        "input_file_id": creation.file,
        "endpoint": creation.endpoint,
        // A wish: batches are not cut off by it.
        "completion_window": "24h",
    });
    Call::post("/batches", body.to_string())
}

pub(super) fn read(body: &Value) -> Option<RemoteBatch> {
    let body = if body["job"].is_object() { &body["job"] } else { body };
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let state = text("status")?;
    let phase = openai::phase(&state);
    let files = ["output_file_id", "error_file_id"].iter().filter_map(|name| text(name));
    // A code and a message, or only a message.
    let problem = text("error").filter(|_| phase == Phase::Ended).map(|error| match error.split_once(": ") {
        Some((code, message)) if !code.contains(' ') => {
            Rejected { code: code.to_owned(), message: message.to_owned() }
        }
        _ => Rejected { code: state.clone(), message: error },
    });
    Some(RemoteBatch {
        id: text("id")?,
        phase,
        label: None,
        file: text("input_file_id"),
        rows: None,
        done: None,
        percent: body["progress"].as_f64(),
        created: body["created_at"].as_str().and_then(seconds),
        results: files.map(Results::File).collect(),
        problem,
        state,
    })
}
