//! Together's files and batches as JSON: states in capitals, progress in place of counts, no labels. The fields are those of Together's own
//! client.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::{BatchStore, Stored};
use super::{Batch, Executed, State};
use crate::timestamp::rfc3339;

pub(super) fn file(id: &str, stored: &Stored) -> Value {
    json!({
        "id": id, "object": "file", "bytes": stored.bytes.len(), "created_at": stored.created,
        "filename": stored.name, "FileType": "jsonl", "purpose": "batch-api", "processing_status": "COMPLETED",
        "validation_report": null,
    })
}

pub(super) fn batch(store: &BatchStore, batch: &Batch, now: Duration) -> Value {
    let state = store.state(batch, now);
    let word = match state {
        State::Validating => "VALIDATING",
        State::Running | State::Cancelling => store.settings.state.as_deref().unwrap_or("IN_PROGRESS"),
        State::Failed => "FAILED",
        State::Completed => "COMPLETED",
        State::Cancelled => "CANCELLED",
        State::Expired => "EXPIRED",
    };
    let nothing = Executed::default();
    let executed = batch.executed.as_ref().unwrap_or(&nothing);
    let (completed, failed, rest) = executed.counts;
    let progress = match completed + failed + rest {
        0 => 0.0,
        all => 100.0 * (completed + failed) as f64 / all as f64,
    };
    let named = |file: &Option<String>| file.clone().filter(|_| !store.settings.without_results);
    let window = Duration::from_secs_f64(store.settings.window_seconds / store.settings.speed);
    let error = batch.rejected.as_ref().filter(|_| state == State::Failed);
    let size =
        batch.input_file.as_ref().and_then(|file| store.files.get(file)).map(|stored| stored.bytes.len());
    json!({
        "id": batch.id, "user_id": "user-simulated", "input_file_id": batch.input_file,
        "file_size_bytes": size, "status": word, "job_deadline": rfc3339(batch.created + window),
        "created_at": rfc3339(batch.created), "completed_at": state.has_ended().then(|| rfc3339(now)),
        "endpoint": batch.endpoint, "progress": progress, "model_id": batch.model,
        "output_file_id": named(&executed.output_file), "error_file_id": named(&executed.error_file),
        "error": error.map(|(code, message)| format!("{code}: {message}")),
    })
}
