//! The batch APIs: what is sent, what a batch's state says, and what each result line comes to.

use bytes::Bytes;
use rowcall::provider::Protocol;
use rowcall::provider::batch::{BatchApi, Carrier, Creation, LineId, Phase, Spool};
use rowcall::retry::Decision;
use rowcall::{Content, Payload, Request};
use serde_json::Value;

use super::case::{Case, Difference, Verdict, decision, response};

/// Checks a case by its `kind`.
pub(super) fn judge(case: Case<'_>, api: BatchApi, protocol: Protocol) -> Result<Verdict, String> {
    let differences = match case.text("/kind")? {
        "file" => file(case, api)?,
        "lines_in" => lines_in(case, api)?,
        "lines_out" | "lines_err" | "results" => results(case, api, protocol)?,
        "batch" => batch(case, api)?,
        "request" => request(case, api)?,
        kind => return Ok(Verdict::Skipped(format!("kind `{kind}` is not judged yet"))),
    };
    Ok(Verdict::Judged(differences))
}

fn file(case: Case<'_>, api: BatchApi) -> Result<Vec<Difference>, String> {
    let body = case.get("/body").ok_or("no body")?;
    let got = api.uploaded(&response(200, &body.to_string())).map_err(|fault| fault.to_string());
    let expected = case.text("/body/id")?;
    Ok(Difference::between("the file", expected, &*got.unwrap_or_else(|fault| fault)).into_iter().collect())
}

fn lines(case: Case<'_>) -> Result<Vec<&str>, String> {
    let lines = case.get("/lines").and_then(Value::as_array).ok_or("no list of `lines`")?;
    lines.iter().map(|line| line.as_str().ok_or_else(|| "a line is not text".to_owned())).collect()
}

fn asked(body: &Value) -> Request {
    Request { path: "".into(), headers: &[], body: Bytes::from(body.to_string()) }
}

/// Each line is written by us from its parts.
fn lines_in(case: Case<'_>, api: BatchApi) -> Result<Vec<Difference>, String> {
    let mut differences = Vec::new();
    for line in lines(case)? {
        let line: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let id = if line["key"].is_string() { text("key") } else { text("custom_id") };
        let body =
            ["body", "request", "params"].iter().map(|name| &line[*name]).find(|body| body.is_object());
        let ours = api.line(Carrier::File, &id, &text("url"), &asked(body.unwrap_or(&Value::Null)));
        let ours: Value = serde_json::from_slice(&ours).map_err(|error| error.to_string())?;
        differences.extend(Difference::between("the line", &line.to_string(), &ours.to_string()));
    }
    Ok(differences)
}

/// What each result comes to, in the vectors' words.
fn results(case: Case<'_>, api: BatchApi, protocol: Protocol) -> Result<Vec<Difference>, String> {
    let expected = case.get("/expect").and_then(Value::as_object).ok_or("no object at `/expect`")?;
    let received = response(200, "").received;
    let (mut differences, mut found) = (Vec::new(), 0);
    for line in lines(case)? {
        let Some(line) = api.result(line.as_bytes(), received) else {
            differences.push(Difference::new("a line that can be read", line));
            continue;
        };
        let LineId::Custom(id) = line.id else { return Err("a line has no id".to_owned()) };
        let result = line.result.and_then(|response| protocol.decode(&response));
        let got = match &result {
            Ok(completion) if matches!(completion.content, Content::Refusal(_)) => "refusal",
            Ok(_) => "ok",
            Err(fault) if matches!(decision(fault), Decision::Retry(_)) => "retry",
            Err(fault) => fault.kind.name(),
        };
        let wanted = expected.get(&id).and_then(Value::as_str).ok_or("a line nothing is expected of")?;
        // A more precise word of ours for the same.
        let is_same = wanted == "invalid_request"
            && result.is_err_and(|fault| !matches!(decision(&fault), Decision::Retry(_)));
        if !is_same {
            differences.extend(Difference::between(&id, wanted, got));
        }
        found += 1;
    }
    differences.extend(Difference::between("lines", &expected.len(), &found));
    Ok(differences)
}

fn batch(case: Case<'_>, api: BatchApi) -> Result<Vec<Difference>, String> {
    let body = case.get("/body").ok_or("no body")?;
    let Some(batch) = api.read(body) else {
        return Ok(vec![Difference::new("a batch", "nothing that can be read")]);
    };
    let words = |has_ended| if has_ended { "ended" } else { "running" };
    let expected = words(case.truth("/expect/terminal")?.ok_or("nothing at `/expect/terminal`")?);
    let got = match batch.phase {
        Phase::Ended => words(true),
        Phase::Running => words(false),
        Phase::Unknown => "unknown",
    };
    Ok(Difference::between("a batch that is", expected, got).into_iter().collect())
}

/// A create is written by us from the requests in it.
fn request(case: Case<'_>, api: BatchApi) -> Result<Vec<Difference>, String> {
    let expected = case.get("/request").ok_or("no request")?;
    let inline =
        expected.pointer("/requests").or_else(|| expected.pointer("/batch/inputConfig/requests/requests"));
    let of = |request: &Value| {
        let id = request.get("custom_id").or_else(|| request.pointer("/metadata/key"));
        let body = request.get("params").or_else(|| request.get("request")).cloned().unwrap_or_default();
        api.line(Carrier::Create, id.and_then(Value::as_str).unwrap_or_default(), "", &asked(&body))
    };
    let lines: Vec<Vec<u8>> = inline.and_then(Value::as_array).into_iter().flatten().map(of).collect();
    let label = expected.pointer("/batch/displayName").and_then(Value::as_str).unwrap_or_default();
    let (label, checksum) = (label.to_owned(), String::new());
    let spool = Spool { path: "/nowhere".into(), length: 0, label, checksum };
    let file = expected.pointer("/batch/inputConfig/fileName").or_else(|| expected.get("input_file_id"));
    let creation = Creation {
        spool: &spool,
        file: file.and_then(Value::as_str),
        endpoint: expected["endpoint"].as_str().unwrap_or_default(),
        model: expected["model"].as_str().unwrap_or("m"),
    };
    let text = match api.create(&creation).payload {
        Payload::Empty => Vec::new(),
        Payload::Text(text) => text.to_vec(),
        Payload::File { before, after, .. } => {
            [&before[..], &lines.join(Carrier::Create.separator()), &after[..]].concat()
        }
    };
    let ours: Value = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
    // Labels are each sender's own.
    let bare = |mut body: Value| {
        body.as_object_mut().map(|body| body.remove("metadata"));
        body
    };
    let (theirs, ours) = (bare(expected.clone()), bare(ours));
    Ok(if theirs == ours { Vec::new() } else { vec![Difference::new(theirs, ours)] })
}
