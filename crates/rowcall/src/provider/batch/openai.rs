//! OpenAI's files and batches. The form of the objects and lines is that of OpenAI's API reference of November 2026.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Creation, LineId, Phase, RemoteBatch, ResultLine, Results, not_executed, quoted, rejected, response,
};
use crate::fault::{Fault, FaultKind};
use crate::request::Call;

/// The name of the label in a batch's metadata, at Mistral as well, where names such as `model` and `page` would be taken for parameters of
/// the list (mistralai 3.7.0).
pub(super) const LABEL: &str = "rowcall_batch";

pub(super) fn line(id: &str, endpoint: &str, body: &Bytes) -> Vec<u8> {
    let head =
        format!("{{\"custom_id\":{},\"method\":\"POST\",\"url\":{},\"body\":", quoted(id), quoted(endpoint));
    [head.as_bytes(), body, b"}"].concat()
}

pub(super) fn create(creation: &Creation<'_>) -> Call {
    let body = json!({
        "input_file_id": creation.file,
        "endpoint": creation.endpoint,
        "completion_window": "24h",
        "metadata": {LABEL: creation.spool.label},
    });
    Call::post("/batches", body.to_string())
}

pub(super) fn read(body: &Value) -> Option<RemoteBatch> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let state = text("status")?;
    let phase = phase(&state);
    let files = ["output_file_id", "error_file_id"].iter().filter_map(|name| text(name));
    Some(RemoteBatch {
        id: text("id")?,
        phase,
        state,
        label: body["metadata"][LABEL].as_str().map(str::to_owned),
        file: text("input_file_id"),
        // While a batch is validated, its counts are zero.
        rows: body["request_counts"]["total"].as_u64().filter(|rows| *rows > 0),
        done: done(body),
        percent: None,
        created: body["created_at"].as_i64(),
        results: files.filter(|file| !file.is_empty()).map(Results::File).collect(),
        problem: rejected(&body["errors"]["data"][0], "code"),
    })
}

/// What a state says. Together writes the words in capitals.
pub(super) fn phase(state: &str) -> Phase {
    match state.to_ascii_lowercase().as_str() {
        "validating" | "in_progress" | "finalizing" | "cancelling" => Phase::Running,
        "completed" | "failed" | "expired" | "cancelled" => Phase::Ended,
        _ => Phase::Unknown,
    }
}

fn done(body: &Value) -> Option<u64> {
    let counts = &body["request_counts"];
    Some(counts["completed"].as_u64()? + counts["failed"].as_u64().unwrap_or_default())
}

/// A line of the output or error file. An error has one of three forms: a response with an error status, a code in words, or a number.
pub(super) fn result(line: &Value, received: SystemTime) -> Option<ResultLine> {
    let id = LineId::Custom(line["custom_id"].as_str()?.to_owned());
    let answer = &line["response"];
    if answer.is_object() {
        let status = answer["status_code"].as_u64().and_then(|status| u16::try_from(status).ok());
        let result = Ok(response(status.unwrap_or(200), &answer["body"], received));
        return Some(ResultLine { id, result });
    }
    let error = &line["error"];
    if !error.is_object() {
        return None;
    }
    let message = error["message"].as_str().unwrap_or_default();
    let status = error["code"].as_u64().or_else(|| error["code"].as_str()?.parse().ok());
    if let Some(status) = status.and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 400)
    {
        return Some(ResultLine { id, result: Ok(response(status, &json!({"error": error}), received)) });
    }
    let code = error["code"].as_str().unwrap_or_default();
    let fault = match code {
        "batch_expired" | "batch_cancelled" => not_executed(message),
        _ => Fault::new(FaultKind::Server, format!("{code}: {message}")),
    };
    Some(ResultLine { id, result: Err(fault) })
}
