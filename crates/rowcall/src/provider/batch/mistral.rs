//! Mistral's batch jobs: as OpenAI's, but the model belongs to the job, and the lines name neither method nor path.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use super::openai::{self, LABEL};
use super::{Creation, Phase, RemoteBatch, ResultLine, Results, quoted, rejected};
use crate::request::Call;

/// How long a job may take, in hours.
const WINDOW_HOURS: u32 = 24;

pub(super) fn line(id: &str, body: &Bytes) -> Vec<u8> {
    [format!("{{\"custom_id\":{},\"body\":", quoted(id)).as_bytes(), body, b"}"].concat()
}

pub(super) fn create(creation: &Creation<'_>) -> Call {
    let body = json!({
        "input_files": [creation.file],
        "endpoint": creation.endpoint,
        "model": creation.model,
        "metadata": {LABEL: creation.spool.label},
        "timeout_hours": WINDOW_HOURS,
    });
    Call::post("/batch/jobs", body.to_string())
}

pub(super) fn read(body: &Value) -> Option<RemoteBatch> {
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    let state = text("status")?;
    let phase = match state.as_str() {
        "QUEUED" | "RUNNING" | "CANCELLATION_REQUESTED" => Phase::Running,
        "SUCCESS" | "FAILED" | "TIMEOUT_EXCEEDED" | "CANCELLED" => Phase::Ended,
        _ => Phase::Unknown,
    };
    let files = ["output_file", "error_file"].iter().filter_map(|name| text(name)).map(Results::File);
    let inline = body["outputs"].is_array().then(|| Results::Inline(body["outputs"].clone()));
    Some(RemoteBatch {
        id: text("id")?,
        phase,
        state,
        label: body["metadata"][LABEL].as_str().map(str::to_owned),
        file: body["input_files"][0].as_str().map(str::to_owned),
        rows: body["total_requests"].as_u64().filter(|rows| *rows > 0),
        done: body["completed_requests"].as_u64(),
        percent: None,
        created: body["created_at"].as_i64(),
        results: files.chain(inline).collect(),
        problem: rejected(&body["errors"][0], "code"),
    })
}

pub(super) fn inline(results: &Value, received: SystemTime) -> Vec<ResultLine> {
    let all = results.as_array().into_iter().flatten();
    all.filter_map(|line| openai::result(line, received)).collect()
}
