//! Anthropic's Message Batches: the requests are in the create itself, and a batch has no label, so every `custom_id` begins with the
//! batch's tag.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::Value;

use super::{
    Creation, LineId, Phase, RemoteBatch, ResultLine, Results, not_executed, quoted, response, seconds,
};
use crate::request::{Call, Payload};

pub(super) fn line(id: &str, body: &Bytes) -> Vec<u8> {
    [format!("{{\"custom_id\":{},\"params\":", quoted(id)).as_bytes(), body, b"}"].concat()
}

pub(super) fn create(creation: &Creation<'_>) -> Call {
    let payload = Payload::File {
        before: Bytes::from_static(b"{\"requests\":["),
        path: creation.spool.path.clone(),
        length: creation.spool.length,
        after: Bytes::from_static(b"]}"),
    };
    Call { payload, ..Call::post("/v1/messages/batches", Bytes::new()) }
}

pub(super) fn read(body: &Value) -> Option<RemoteBatch> {
    let state = body["processing_status"].as_str()?.to_owned();
    let phase = match state.as_str() {
        "in_progress" | "canceling" => Phase::Running,
        "ended" => Phase::Ended,
        _ if body["ended_at"].is_string() => Phase::Ended,
        _ => Phase::Unknown,
    };
    let counts = &body["request_counts"];
    let count = |name: &str| counts[name].as_u64();
    let rest = ["succeeded", "errored", "canceled", "expired"].into_iter().filter_map(count).sum::<u64>();
    Some(RemoteBatch {
        id: body["id"].as_str()?.to_owned(),
        phase,
        state,
        label: None,
        file: None,
        rows: count("processing").map(|processing| processing + rest),
        done: (phase == Phase::Ended).then_some(rest),
        percent: None,
        created: body["created_at"].as_str().and_then(seconds),
        results: if body["results_url"].is_string() { vec![Results::OfBatch] } else { Vec::new() },
        problem: None,
    })
}

pub(super) fn result(line: &Value, received: SystemTime) -> Option<ResultLine> {
    let id = LineId::Custom(line["custom_id"].as_str()?.to_owned());
    let result = &line["result"];
    let result = match result["type"].as_str()? {
        "succeeded" => Ok(response(200, &result["message"], received)),
        "errored" => {
            let error = &result["error"];
            let status = status(error["error"]["type"].as_str().unwrap_or_default());
            Ok(response(status, error, received))
        }
        "canceled" => Err(not_executed("the batch was cancelled before this request was executed")),
        "expired" => Err(not_executed("the batch expired before this request was executed")),
        _ => return None,
    };
    Some(ResultLine { id, result })
}

/// The status that an error of this type has online, from Anthropic's list of errors.
fn status(error: &str) -> u16 {
    match error {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    }
}
