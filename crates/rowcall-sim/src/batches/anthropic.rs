//! Anthropic's Message Batches as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use super::store::{BatchStore, doubled_id};
use super::{Batch, Executed, Line, State};
use crate::timestamp::rfc3339;

/// The requests of a create, or why it is refused.
pub(super) fn lines(body: &Value) -> Result<Vec<Line>, String> {
    let Some(requests) = body["requests"].as_array().filter(|all| !all.is_empty()) else {
        return Err("requests: List should have at least 1 item after validation".to_owned());
    };
    let mut lines = Vec::with_capacity(requests.len());
    for (at, request) in requests.iter().enumerate() {
        let id = request["custom_id"].as_str().unwrap_or_default();
        let is_one = (1..=64).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if !is_one {
            return Err(format!(
                "requests.{at}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{{1,64}}$'"
            ));
        }
        if !request["params"].is_object() {
            return Err(format!("requests.{at}.params: Field required"));
        }
        lines.push(Line { id: id.to_owned(), url: String::new(), body: request["params"].clone() });
    }
    if doubled_id(&lines).is_some() {
        return Err("requests: custom_id must be unique".to_owned());
    }
    Ok(lines)
}

pub(super) fn batch(store: &BatchStore, batch: &Batch, now: Duration, host: &str) -> Value {
    let state = store.state(batch, now);
    let word = match state {
        State::Validating | State::Running => store.settings.state.as_deref().unwrap_or("in_progress"),
        State::Cancelling => "canceling",
        State::Failed | State::Completed | State::Cancelled | State::Expired => "ended",
    };
    let nothing = Executed::default();
    let executed = batch.executed.as_ref().unwrap_or(&nothing);
    let (succeeded, errored, rest) = executed.counts;
    let has_ended = state.has_ended();
    let processing = if has_ended { 0 } else { batch.lines.len() };
    let of = |wanted: State| if state == wanted { rest } else { 0 };
    let url = format!("http://{host}/v1/messages/batches/{}/results", batch.id);
    let window = Duration::from_secs_f64(store.settings.window_seconds / store.settings.speed);
    json!({
        "id": batch.id, "type": "message_batch", "processing_status": word,
        "request_counts": {
            "processing": processing, "succeeded": succeeded, "errored": errored,
            "canceled": of(State::Cancelled), "expired": of(State::Expired),
        },
        "created_at": rfc3339(batch.created), "expires_at": rfc3339(batch.created + window),
        "ended_at": has_ended.then(|| rfc3339(now)), "archived_at": null,
        "cancel_initiated_at": batch.cancelled.map(rfc3339),
        "results_url": Some(url).filter(|_| has_ended && !store.settings.without_results),
    })
}

/// The result of a request that was executed.
pub(super) fn answered(line: &Line, status: u16, body: &Value) -> Value {
    if status == 200 {
        let mut message = body.clone();
        if let Some(usage) = message["usage"].as_object_mut() {
            usage.insert("service_tier".to_owned(), json!("batch"));
        }
        return json!({ "custom_id": line.id, "result": { "type": "succeeded", "message": message } });
    }
    json!({ "custom_id": line.id, "result": { "type": "errored", "error": body } })
}

/// The result of a request that was not executed.
pub(super) fn skipped(line: &Line, state: State) -> Value {
    let kind = if state == State::Expired { "expired" } else { "canceled" };
    json!({ "custom_id": line.id, "result": { "type": kind } })
}
