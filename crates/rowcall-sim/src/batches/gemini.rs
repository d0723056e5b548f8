//! Gemini's batches and files as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::{BatchStore, Stored};
use super::{Batch, Executed, Line, State};
use crate::timestamp::rfc3339;

/// The requests of a create, or of the file that it names.
pub(super) fn lines(body: &Value, store: &BatchStore) -> Result<Vec<Line>, String> {
    let config = &body["batch"]["inputConfig"];
    if let Some(file) = config["fileName"].as_str() {
        let Some(stored) = store.files.get(file) else { return Err(format!("File {file} not found.")) };
        let lines = stored.bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        return lines
            .map(|line| {
                let line: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
                let id = line["key"].as_str().unwrap_or_default().to_owned();
                Ok(Line { id, url: String::new(), body: line["request"].clone() })
            })
            .collect();
    }
    let Some(requests) = config["requests"]["requests"].as_array().filter(|all| !all.is_empty()) else {
        return Err("batch.input_config: one of requests and file_name is required".to_owned());
    };
    let line = |request: &Value| {
        let id = request["metadata"]["key"].as_str().unwrap_or_default().to_owned();
        Line { id, url: String::new(), body: request["request"].clone() }
    };
    Ok(requests.iter().map(line).collect())
}

pub(super) fn file(id: &str, stored: &Stored) -> Value {
    let created = rfc3339(Duration::from_secs(stored.created));
    json!({
        "name": id, "displayName": stored.name, "mimeType": "application/jsonl",
        "sizeBytes": stored.bytes.len().to_string(), "createTime": created, "updateTime": created,
        "state": "ACTIVE", "uri": format!("https://generativelanguage.googleapis.com/v1beta/{id}"),
    })
}

pub(super) fn batch(store: &BatchStore, batch: &Batch, now: Duration) -> Value {
    let state = store.state(batch, now);
    let word = match state {
        State::Validating => "BATCH_STATE_PENDING",
        State::Running => store.settings.state.as_deref().unwrap_or("BATCH_STATE_RUNNING"),
        State::Cancelling => "BATCH_STATE_RUNNING",
        State::Failed => "BATCH_STATE_FAILED",
        State::Completed => "BATCH_STATE_SUCCEEDED",
        State::Cancelled => "BATCH_STATE_CANCELLED",
        State::Expired => "BATCH_STATE_EXPIRED",
    };
    let nothing = Executed::default();
    let executed = batch.executed.as_ref().unwrap_or(&nothing);
    let (succeeded, failed, rest) = executed.counts;
    let pending = if state.has_ended() { rest } else { batch.lines.len() as u64 };
    let mut metadata = json!({
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": format!("models/{}", batch.model.as_deref().unwrap_or_default()),
        "displayName": batch.label, "name": batch.id,
        "createTime": rfc3339(batch.created), "updateTime": rfc3339(now),
        "batchStats": {
            "requestCount": batch.lines.len().to_string(), "pendingRequestCount": pending.to_string(),
            "successfulRequestCount": succeeded.to_string(), "failedRequestCount": failed.to_string(),
        },
        "state": word,
    });
    if let Some(fields) = metadata.as_object_mut().filter(|_| state.has_ended()) {
        fields.insert("endTime".to_owned(), json!(rfc3339(now)));
        let output = match &executed.output_file {
            _ if store.settings.without_results || state == State::Failed => None,
            Some(file) => Some(json!({ "responsesFile": file })),
            None => Some(json!({ "inlinedResponses": { "inlinedResponses": executed.results } })),
        };
        output.map(|output| fields.insert("output".to_owned(), output));
    }
    let mut operation = json!({ "name": batch.id, "metadata": metadata });
    if let Some(fields) = operation.as_object_mut().filter(|_| state.has_ended()) {
        fields.insert("done".to_owned(), json!(true));
        if let (Some((_, message)), State::Failed) = (&batch.rejected, state) {
            let error = json!({ "code": 3, "message": message, "status": "INVALID_ARGUMENT" });
            fields.insert("error".to_owned(), error);
        }
    }
    operation
}

/// The result of a request that was executed.
pub(super) fn answered(batch: &Batch, line: &Line, status: u16, body: &Value) -> Value {
    let error = &body["error"];
    let (name, value) = if status == 200 {
        ("response", body.clone())
    } else {
        ("error", json!({ "code": error["code"], "message": error["message"] }))
    };
    if batch.input_file.is_some() {
        return json!({ "key": line.id, name: value });
    }
    json!({ name: value, "metadata": { "key": line.id } })
}

/// The result of a request that was not executed.
pub(super) fn skipped(batch: &Batch, line: &Line) -> Value {
    let error = json!({ "code": 1, "message": "The request was not executed." });
    if batch.input_file.is_some() {
        return json!({ "key": line.id, "error": error });
    }
    json!({ "error": error, "metadata": { "key": line.id } })
}
