//! Mistral's files and batch jobs as JSON. The fields are those of Mistral's own client.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::{BatchStore, Stored, doubled_id};
use super::{Batch, Executed, Line, State};

fn line(value: &Value) -> Option<Line> {
    let id = value["custom_id"].as_str()?.to_owned();
    value["body"].is_object().then(|| Line { id, url: String::new(), body: value["body"].clone() })
}

/// The requests in a create, if they are there and not in a file.
pub(super) fn requests(body: &Value) -> Option<Vec<Line>> {
    body["requests"].as_array()?.iter().map(line).collect()
}

/// The requests of an uploaded file, or why it is rejected: a code and a message.
pub(super) fn lines(file: &[u8]) -> Result<Vec<Line>, (String, String)> {
    let mut lines = Vec::new();
    let wrong = |message: String| Err(("invalid_file".to_owned(), message));
    let all = file.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    for (number, text) in all.enumerate() {
        let read = serde_json::from_slice(text).ok().as_ref().and_then(line);
        let Some(line) = read else { return wrong(format!("Line {} is not a request.", number + 1)) };
        lines.push(line);
    }
    match doubled_id(&lines) {
        Some(id) => wrong(format!("The custom_id '{id}' is there twice.")),
        None => Ok(lines),
    }
}

pub(super) fn file(id: &str, stored: &Stored) -> Value {
    let lines = stored.bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
    json!({
        "id": id, "object": "file", "bytes": stored.bytes.len(), "created_at": stored.created,
        "filename": stored.name, "purpose": "batch", "sample_type": "batch_request", "source": "upload",
        "num_lines": lines, "mimetype": "application/jsonl", "signature": null, "visibility": "workspace",
        "deleted": false, "expires_at": null,
    })
}

pub(super) fn batch(store: &BatchStore, batch: &Batch, now: Duration) -> Value {
    let state = store.state(batch, now);
    let word = match state {
        State::Validating => "QUEUED",
        State::Running => store.settings.state.as_deref().unwrap_or("RUNNING"),
        State::Cancelling => "CANCELLATION_REQUESTED",
        State::Failed => "FAILED",
        State::Completed => "SUCCESS",
        State::Cancelled => "CANCELLED",
        State::Expired => "TIMEOUT_EXCEEDED",
    };
    let nothing = Executed::default();
    let executed = batch.executed.as_ref().unwrap_or(&nothing);
    let (succeeded, failed, _) = executed.counts;
    let named = |file: &Option<String>| file.clone().filter(|_| !store.settings.without_results);
    let problem = batch.rejected.as_ref().filter(|_| state == State::Failed);
    let errors = problem.map(|(_, message)| json!({ "message": message, "count": 1 }));
    let is_started = state != State::Validating;
    json!({
        "id": batch.id, "object": "batch", "input_files": batch.input_file.iter().collect::<Vec<_>>(),
        "metadata": batch.label, "endpoint": batch.endpoint, "model": batch.model, "agent_id": null,
        "output_file": named(&executed.output_file), "error_file": named(&executed.error_file), "outputs": null,
        "errors": errors.into_iter().collect::<Vec<_>>(), "status": word, "created_at": batch.created.as_secs(),
        "total_requests": batch.lines.len(), "completed_requests": succeeded + failed,
        "succeeded_requests": succeeded, "failed_requests": failed,
        "started_at": is_started.then_some(batch.created.as_secs()),
        "completed_at": state.has_ended().then_some(now.as_secs()),
    })
}
