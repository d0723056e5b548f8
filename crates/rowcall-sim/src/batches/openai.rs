//! OpenAI's files and batches as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::{BatchStore, Stored, doubled_id};
use super::{Batch, Executed, Line, State};

/// The requests of an uploaded file, or why it is rejected: a code, a message and a line.
pub(super) fn lines(file: &[u8]) -> Result<Vec<Line>, (String, String)> {
    let mut lines = Vec::new();
    let wrong = |code: &str, message: String| Err((code.to_owned(), message));
    for (number, text) in file.split(|byte| *byte == b'\n').enumerate() {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let number = number + 1;
        let Ok(line) = serde_json::from_slice::<Value>(text) else {
            return wrong("invalid_json_line", format!("Line {number} is not valid JSON."));
        };
        let Some(id) = line["custom_id"].as_str().filter(|id| !id.is_empty()) else {
            return wrong("missing_required_parameter", format!("Line {number} has no custom_id."));
        };
        if line["method"] != "POST" {
            return wrong("invalid_method", format!("Line {number}: the method must be POST."));
        }
        let url = line["url"].as_str().unwrap_or_default().to_owned();
        lines.push(Line { id: id.to_owned(), url, body: line["body"].clone() });
    }
    if let Some(id) = doubled_id(&lines) {
        return wrong("duplicate_custom_id", format!("The custom_id '{id}' is duplicated."));
    }
    let url = lines.first().map(|line| line.url.clone());
    if lines.iter().any(|line| Some(&line.url) != url.as_ref()) {
        return wrong("mismatched_url", "All requests of a batch must have the same url.".to_owned());
    }
    if lines.is_empty() {
        return wrong("empty_file", "The input file is empty.".to_owned());
    }
    Ok(lines)
}

pub(super) fn file(id: &str, stored: &Stored) -> Value {
    json!({
        "id": id, "object": "file", "bytes": stored.bytes.len(), "created_at": stored.created,
        "expires_at": stored.created + 2_592_000, "filename": stored.name, "purpose": stored.purpose,
        "status": "processed", "status_details": null,
    })
}

pub(super) fn batch(store: &BatchStore, batch: &Batch, now: Duration) -> Value {
    let state = store.state(batch, now);
    let word = match state {
        State::Validating => "validating",
        State::Failed => "failed",
        State::Running => store.settings.state.as_deref().unwrap_or("in_progress"),
        State::Cancelling => "cancelling",
        State::Completed => "completed",
        State::Cancelled => "cancelled",
        State::Expired => "expired",
    };
    let at = |is_there: bool| is_there.then_some(now.as_secs());
    let nothing = Executed::default();
    let executed = batch.executed.as_ref().unwrap_or(&nothing);
    let (completed, failed, _) = executed.counts;
    let is_known = !matches!(state, State::Validating | State::Failed);
    let total = if is_known { batch.lines.len() } else { 0 };
    let errors = batch.rejected.as_ref().filter(|_| state == State::Failed).map(|(code, message)| {
        json!({ "object": "list", "data": [{ "code": code, "message": message, "param": null, "line": null }] })
    });
    let named = |file: &Option<String>| file.clone().filter(|_| !store.settings.without_results);
    let seconds = |seconds: f64| (seconds / store.settings.speed) as u64;
    json!({
        "id": batch.id, "object": "batch", "endpoint": batch.endpoint, "model": batch.model,
        "errors": errors, "input_file_id": batch.input_file, "completion_window": "24h", "status": word,
        "output_file_id": named(&executed.output_file), "error_file_id": named(&executed.error_file),
        "created_at": batch.created.as_secs(), "in_progress_at": at(is_known),
        "expires_at": batch.created.as_secs() + seconds(store.settings.window_seconds),
        "finalizing_at": at(state == State::Completed), "completed_at": at(state == State::Completed),
        "failed_at": at(state == State::Failed), "expired_at": at(state == State::Expired),
        "cancelling_at": batch.cancelled.map(|at| at.as_secs()), "cancelled_at": at(state == State::Cancelled),
        "request_counts": { "total": total, "completed": completed, "failed": failed },
        "metadata": batch.label,
    })
}

/// The line of the output or the error file for a request that was executed.
pub(super) fn answered(line: &Line, number: u64, status: u16, body: &Value) -> Value {
    json!({
        "id": format!("batch_req_sim{number:08}"), "custom_id": line.id,
        "response": { "status_code": status, "request_id": format!("req_sim_{number:08}"), "body": body },
        "error": null,
    })
}

/// The line of the error file for a request that was not executed, because the batch expired.
pub(super) fn expired(line: &Line, number: u64) -> Value {
    let message = "This request could not be executed before the completion window expired.";
    json!({
        "id": format!("batch_req_sim{number:08}"), "custom_id": line.id, "response": null,
        "error": { "code": "batch_expired", "message": message },
    })
}
