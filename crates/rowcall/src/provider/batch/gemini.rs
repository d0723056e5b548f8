//! Google's `batchGenerateContent`. A batch is a long-running operation, and inline results come in the order of the requests, with the
//! metadata that each was sent with.

use std::time::SystemTime;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    Carrier, Creation, LineId, Phase, RemoteBatch, ResultLine, Results, not_executed, quoted, rejected,
    response, seconds,
};
use crate::request::{Call, Payload};

/// A request in a create or in a file.
pub(super) fn line(carrier: Carrier, id: &str, body: &Bytes) -> Vec<u8> {
    if carrier == Carrier::File {
        return [format!("{{\"key\":{},\"request\":", quoted(id)).as_bytes(), body, b"}"].concat();
    }
    let tail = format!(",\"metadata\":{{\"key\":{}}}}}", quoted(id));
    [b"{\"request\":", &body[..], tail.as_bytes()].concat()
}

pub(super) fn create(creation: &Creation<'_>) -> Call {
    let path = format!("/v1/models/{}:batchGenerateContent", creation.model);
    let name = quoted(&creation.spool.label);
    if let Some(file) = creation.file {
        let body = json!({"batch": {"displayName": creation.spool.label, "inputConfig": {"fileName": file}}});
        return Call::post(path, body.to_string());
    }
    let before =
        format!("{{\"batch\":{{\"displayName\":{name},\"inputConfig\":{{\"requests\":{{\"requests\":[");
    let payload = Payload::File {
        before: before.into(),
        path: creation.spool.path.clone(),
        length: creation.spool.length,
        after: Bytes::from_static(b"]}}}}"),
    };
    Call { payload, ..Call::post(path, Bytes::new()) }
}

pub(super) fn read(body: &Value) -> Option<RemoteBatch> {
    let metadata = &body["metadata"];
    let state = metadata["state"].as_str().unwrap_or_default().to_owned();
    // The API writes `BATCH_STATE_…`, Vertex and the SDK `JOB_STATE_…`.
    let word = state.rsplit("_STATE_").next().unwrap_or_default();
    let phase = match word {
        "SUCCEEDED" | "FAILED" | "CANCELLED" | "EXPIRED" | "PARTIALLY_SUCCEEDED" => Phase::Ended,
        _ if body["done"] == true
            || metadata["endTime"].is_string()
            || metadata["output"].is_object()
            || body["response"].is_object() =>
        {
            Phase::Ended
        }
        "PENDING" | "RUNNING" | "QUEUED" | "CANCELLING" | "PAUSED" | "UPDATING" | "UNSPECIFIED" => {
            Phase::Running
        }
        _ => Phase::Unknown,
    };
    let output = [&metadata["output"], &body["response"]];
    let file = output.iter().find_map(|output| output["responsesFile"].as_str());
    let inline = output.iter().map(|output| &output["inlinedResponses"]["inlinedResponses"]);
    let inline = inline.filter(|all| all.is_array()).map(|all| Results::Inline(all.clone()));
    // Whole numbers of 64 bits are texts in Google's JSON.
    let count = |name: &str| {
        let count = &metadata["batchStats"][name];
        count.as_u64().or_else(|| count.as_str()?.parse().ok())
    };
    let done =
        count("successfulRequestCount").unwrap_or_default() + count("failedRequestCount").unwrap_or_default();
    Some(RemoteBatch {
        id: body["name"].as_str()?.to_owned(),
        phase,
        state,
        label: metadata["displayName"].as_str().map(str::to_owned),
        file: metadata["inputConfig"]["fileName"].as_str().map(str::to_owned),
        rows: count("requestCount"),
        done: count("requestCount").map(|_| done),
        percent: None,
        created: metadata["createTime"].as_str().and_then(seconds),
        results: file.map(|file| Results::File(file.to_owned())).into_iter().chain(inline).collect(),
        problem: rejected(&body["error"], "status"),
    })
}

pub(super) fn inline(results: &Value, received: SystemTime) -> Vec<ResultLine> {
    let all = results.as_array().into_iter().flatten().enumerate();
    all.filter_map(|(position, each)| {
        let key = each["metadata"]["key"].as_str();
        let id = key.map_or(LineId::Position(position), |key| LineId::Custom(key.to_owned()));
        of(each, id, received)
    })
    .collect()
}

/// A line of a result file.
pub(super) fn result(line: &Value, received: SystemTime) -> Option<ResultLine> {
    let key = line["key"].as_str().or_else(|| line["metadata"]["key"].as_str())?;
    of(line, LineId::Custom(key.to_owned()), received)
}

fn of(item: &Value, id: LineId, received: SystemTime) -> Option<ResultLine> {
    if item["response"].is_object() {
        return Some(ResultLine { id, result: Ok(response(200, &item["response"], received)) });
    }
    let error = &item["error"];
    if !error.is_object() {
        return None;
    }
    let code = error["code"].as_u64().unwrap_or_default();
    let result = match code {
        // Cancelled, and the deadline is over: the request was not executed.
        1 | 4 => Err(not_executed(error["message"].as_str().unwrap_or_default())),
        code => Ok(response(status(code), &json!({"error": error}), received)),
    };
    Some(ResultLine { id, result })
}

/// The HTTP status of a code of `google.rpc.Code`, which may itself be one.
fn status(code: u64) -> u16 {
    match code {
        400..=599 => u16::try_from(code).unwrap_or(500),
        3 | 9 | 11 => 400,
        5 => 404,
        6 | 10 => 409,
        7 => 403,
        8 => 429,
        12 => 501,
        14 => 503,
        16 => 401,
        _ => 500,
    }
}
