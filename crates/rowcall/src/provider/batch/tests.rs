//! The vectors of the three batch APIs, and what they leave out.

use std::time::SystemTime;

use serde_json::json;

use super::super::tests::{case, text, vectors};
use super::*;
use crate::request::Payload;
use crate::retry::{self, Decision, RetryPolicy, Tried};
use crate::turn::Content;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// What a result line comes to, in the vectors' words.
fn judged(protocol: Protocol, line: &ResultLine) -> &'static str {
    let result = match &line.result {
        Ok(response) => protocol.decode(response),
        Err(fault) => Err(fault.clone()),
    };
    match result {
        Ok(completion) if matches!(completion.content, Content::Refusal(_)) => "refusal",
        Ok(_) => "ok",
        Err(fault) => {
            let tried = Tried { faults: 1, answered: true, ..Tried::default() };
            match retry::decide(&fault, tried, RetryPolicy::default(), 0.5) {
                Decision::Retry(_) => "retry",
                Decision::GiveUp | Decision::Stop => "invalid_request",
            }
        }
    }
}

/// Checks lines of results against what the vector expects of each id.
fn check_lines(api: BatchApi, protocol: Protocol, case: &Value) {
    let lines = case["lines"].as_array().expect("lines");
    let expected = case["expect"].as_object().expect("expectations");
    assert_eq!(lines.len(), expected.len());
    for line in lines {
        let line = api.result(text(line).as_bytes(), NOW).expect("a line that can be read");
        let LineId::Custom(id) = &line.id else { panic!("{line:?} has no id") };
        assert_eq!(judged(protocol, &line), expected[id], "{id}");
    }
}

fn check_batch(api: BatchApi, case: &Value) -> RemoteBatch {
    let batch = api.read(&case["body"]).expect("a batch");
    let is_terminal = case["expect"]["terminal"] == true;
    assert_eq!(batch.phase == Phase::Ended, is_terminal, "{}", case["id"]);
    assert_ne!(batch.phase, Phase::Unknown, "{}", case["id"]);
    batch
}

fn request(body: &Value) -> Request {
    Request { path: "".into(), headers: &[], body: Bytes::from(body.to_string()) }
}

/// The body of a create with these lines in it.
fn whole(api: BatchApi, creation: &Creation<'_>, lines: &[Vec<u8>]) -> Value {
    let text = match api.create(creation).payload {
        Payload::Empty => Vec::new(),
        Payload::Text(text) => text.to_vec(),
        Payload::File { before, after, .. } => {
            [&before[..], &lines.join(Carrier::Create.separator()), &after[..]].concat()
        }
    };
    serde_json::from_slice(&text).expect("the create is JSON")
}

fn spool(label: &str) -> Spool {
    let checksum = "0".repeat(64);
    Spool { path: "/nowhere".into(), length: 7, label: label.to_owned(), checksum }
}

#[test]
fn openais_vectors_are_read_and_written() {
    let api = BatchApi::OpenAi;
    let cases = vectors("openai_batch.json");
    let mut played = 0;
    for case in &cases {
        match case["kind"].as_str() {
            Some("file") => {
                let response = super::super::tests::ok(&case["body"].to_string());
                assert_eq!(api.uploaded(&response).expect("a file"), case["body"]["id"]);
            }
            Some("lines_in") => {
                for line in case["lines"].as_array().expect("lines") {
                    let line: Value = serde_json::from_str(&text(line)).expect("JSON");
                    let (id, url) = (text(&line["custom_id"]), text(&line["url"]));
                    let ours = api.line(Carrier::File, &id, &url, &request(&line["body"]));
                    assert_eq!(serde_json::from_slice::<Value>(&ours).expect("JSON"), line);
                }
            }
            Some("lines_out" | "lines_err") => check_lines(api, Protocol::OpenAiChat, case),
            Some("batch") => drop(check_batch(api, case)),
            other => panic!("{other:?} is not played"),
        }
        played += 1;
    }
    assert_eq!(played, 10);
    let completed = check_batch(api, case(&cases, "batch_completed"));
    let files = ["file-out1", "file-err1"].map(|file| Results::File(file.to_owned()));
    assert_eq!((completed.results, completed.rows, completed.done), (files.to_vec(), Some(3), Some(3)));
    let failed = check_batch(api, case(&cases, "batch_failed"));
    assert_eq!(failed.problem.expect("a problem").code, "duplicate_custom_id");
    let cancelled = check_batch(api, case(&cases, "batch_cancelled"));
    assert_eq!(cancelled.results, [Results::File("file-out1".to_owned())], "what was done is there");
}

#[test]
fn anthropics_vectors_are_read_and_written() {
    let api = BatchApi::Anthropic;
    let cases = vectors("anthropic_batches.json");
    let mut played = 0;
    for case in &cases {
        match case["kind"].as_str() {
            Some("request") => {
                let requests = case["request"]["requests"].as_array().expect("requests");
                let lines: Vec<_> = requests
                    .iter()
                    .map(|each| {
                        api.line(Carrier::Create, &text(&each["custom_id"]), "", &request(&each["params"]))
                    })
                    .collect();
                let spool = spool("rowcall_1");
                let creation = Creation { spool: &spool, file: None, endpoint: "", model: "m" };
                assert_eq!(whole(api, &creation, &lines), case["request"]);
            }
            Some("batch") => {
                let batch = check_batch(api, case);
                assert_eq!((batch.rows, batch.done, batch.results.len()), (Some(5), None, 0));
                assert_eq!(batch.created, Some(1_795_341_600));
            }
            Some("results") => check_lines(api, Protocol::Anthropic, case),
            other => panic!("{other:?} is not played"),
        }
        played += 1;
    }
    assert_eq!(played, 3);
    let version = (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));
    for call in [api.look("msgbatch_1"), api.list(None), api.cancel("msgbatch_1")] {
        assert_eq!(call.headers, std::slice::from_ref(&version), "{}", call.to.as_str());
    }
}

#[test]
fn geminis_vectors_are_read_and_written() {
    let api = BatchApi::Gemini;
    let cases = vectors("gemini_batch.json");
    let mut played = 0;
    for case in &cases {
        match case["kind"].as_str() {
            Some("request") => {
                let batch = &case["request"]["batch"];
                let requests = batch["inputConfig"]["requests"]["requests"].as_array();
                let lines: Vec<_> = requests
                    .into_iter()
                    .flatten()
                    .map(|each| {
                        api.line(
                            Carrier::Create,
                            &text(&each["metadata"]["key"]),
                            "",
                            &request(&each["request"]),
                        )
                    })
                    .collect();
                let (label, file) = (text(&batch["displayName"]), batch["inputConfig"]["fileName"].as_str());
                let spool = spool(&label);
                let creation = Creation { spool: &spool, file, endpoint: "", model: "gemini-3.8-flash" };
                assert_eq!(whole(api, &creation, &lines), case["request"]);
                let call = api.create(&creation);
                assert_eq!(call.to.as_str(), "/v1/models/gemini-3.8-flash:batchGenerateContent");
            }
            Some("batch") => drop(check_batch(api, case)),
            other => panic!("{other:?} is not played"),
        }
        played += 1;
    }
    assert_eq!(played, 7);
    let done = check_batch(api, case(&cases, "succeeded_file"));
    assert_eq!(done.results, [Results::File("files/out1".to_owned())]);
    let call = api.results(&done.id, &done.results[0]).expect("a download");
    assert_eq!(call.to.as_str(), "/v1/files/out1:download?alt=media");
    assert_eq!(check_batch(api, case(&cases, "pending")).rows, Some(2));
}

#[test]
fn an_error_line_has_any_of_three_forms() {
    let status = json!({"custom_id": "a", "response": {"status_code": 503, "body": {"error": {"message": "busy"}}}, "error": null});
    let words =
        json!({"custom_id": "a", "response": null, "error": {"code": "batch_expired", "message": "late"}});
    let number = json!({"custom_id": "a", "response": null, "error": {"code": 429, "message": "slow down"}});
    for (line, kind) in
        [(status, FaultKind::Overloaded), (words, FaultKind::Timeout), (number, FaultKind::RateLimit)]
    {
        let line = BatchApi::OpenAi.result(line.to_string().as_bytes(), NOW).expect("a line");
        let fault = match line.result {
            Ok(response) => Protocol::OpenAiChat.decode(&response).expect_err("an error"),
            Err(fault) => fault,
        };
        assert_eq!(fault.kind, kind, "{fault:?}");
        assert!(!fault.may_be_billed(), "{fault:?}");
    }
    assert!(BatchApi::OpenAi.result(b"{\"custom_id\":\"a\",\"resp", NOW).is_none(), "a line that was cut");
}

#[test]
fn a_state_without_a_known_word_ends_when_something_else_says_so() {
    let gemini = |metadata: Value, done: bool| {
        let body = json!({"name": "batches/b", "metadata": metadata, "done": done});
        BatchApi::Gemini.read(&body).expect("a batch").phase
    };
    assert_eq!(gemini(json!({"state": "BATCH_STATE_DREAMING"}), false), Phase::Unknown);
    assert_eq!(gemini(json!({"state": "BATCH_STATE_DREAMING"}), true), Phase::Ended);
    assert_eq!(
        gemini(json!({"state": "BATCH_STATE_DREAMING", "endTime": "2026-11-22T10:40:00Z"}), false),
        Phase::Ended
    );
    assert_eq!(gemini(json!({"state": "JOB_STATE_PARTIALLY_SUCCEEDED"}), false), Phase::Ended);
    assert_eq!(gemini(json!({"state": "JOB_STATE_QUEUED"}), false), Phase::Running);
    let openai =
        |state: &str| BatchApi::OpenAi.read(&json!({"id": "b", "status": state})).expect("a batch").phase;
    assert_eq!((openai("dreaming"), openai("COMPLETED")), (Phase::Unknown, Phase::Ended));
}

#[test]
fn inline_results_without_a_key_are_known_by_their_position() {
    let results = json!([
        {"response": {"candidates": []}},
        {"error": {"code": 1, "message": "not executed"}, "metadata": {"key": "k"}},
    ]);
    let lines = BatchApi::Gemini.inline(&results, NOW);
    assert_eq!(
        lines.iter().map(|line| &line.id).collect::<Vec<_>>(),
        [&LineId::Position(0), &LineId::Custom("k".to_owned())]
    );
    assert!(lines[1].result.as_ref().is_err_and(|fault| !fault.may_be_billed()));
}

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &Value) -> Response {
    let headers =
        headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    let body = Bytes::from(body.to_string());
    Response { status, headers: headers.collect(), body, received: NOW }
}

/// The method, the address, and the body around the file of a call.
fn shown(call: &Call) -> (String, Option<(String, String)>) {
    let body = match &call.payload {
        Payload::Empty => None,
        Payload::Text(text) => Some((String::from_utf8_lossy(text).into_owned(), String::new())),
        Payload::File { before, after, .. } => {
            Some((String::from_utf8_lossy(before).into_owned(), String::from_utf8_lossy(after).into_owned()))
        }
    };
    (format!("{} {}", call.method, call.to.as_str()), body)
}

#[test]
fn together_names_the_address_for_a_file_and_is_asked_to_take_it_up() {
    let (api, spool) = (BatchApi::Together, spool("rowcall_1"));
    let call = api.upload(&UploadStep::Begin, &spool);
    let (to, body) = shown(&call);
    let (form, file) = body.expect("a form");
    assert_eq!((&*to, &*file), ("POST /files", ""), "the content is not there yet");
    for field in
        ["name=\"purpose\"\r\n\r\nbatch-api", "name=\"file_name\"\r\n\r\nrowcall_1.jsonl", &spool.checksum]
    {
        assert!(form.contains(field), "{field}: {form}");
    }
    let url = "https://store.example/put?signature=s";
    let moved = answer(
        302,
        &[("location", "https://store.example/put?signature=s"), ("x-together-file-id", "file-7")],
        &Value::Null,
    );
    let content = UploadStep::Content { url: url.to_owned(), id: Some("file-7".to_owned()) };
    assert_eq!(api.uploaded_by(&UploadStep::Begin, &moved), Ok(Uploaded::Next(content.clone())));
    let call = api.upload(&content, &spool);
    assert_eq!(call.to, crate::request::Destination::Given(url.to_owned()));
    assert_eq!((call.method, call.headers.len()), (Method::PUT, 0));
    let confirm = UploadStep::Confirm { id: "file-7".to_owned() };
    let stored = answer(200, &[], &Value::Null);
    assert_eq!(api.uploaded_by(&content, &stored), Ok(Uploaded::Next(confirm.clone())));
    assert_eq!(shown(&api.upload(&confirm, &spool)).0, "POST /files/file-7/preprocess");
    let done = answer(200, &[], &json!({"id": "file-7", "object": "file"}));
    assert_eq!(api.uploaded_by(&confirm, &done), Ok(Uploaded::File("file-7".to_owned())));
    let known = answer(409, &[], &json!({"file_id": "file-7"}));
    assert_eq!(api.uploaded_by(&UploadStep::Begin, &known), Ok(Uploaded::File("file-7".to_owned())));
    for refused in [answer(302, &[], &Value::Null), answer(401, &[], &Value::Null)] {
        assert!(api.uploaded_by(&UploadStep::Begin, &refused).is_err(), "{refused:?}");
    }
    assert!(api.uploaded_by(&content, &answer(403, &[], &Value::Null)).is_err());
    assert_eq!(api.upload_again(content.clone()), content);
}

#[test]
fn google_takes_a_file_in_two_requests() {
    let (api, spool) = (BatchApi::Gemini, spool("rowcall_1"));
    let call = api.upload(&UploadStep::Begin, &spool);
    assert_eq!(shown(&call).0, "POST /upload/v1/files");
    let length = HeaderName::from_static("x-goog-upload-header-content-length");
    assert!(call.headers.contains(&(length, HeaderValue::from_static("7"))), "{:?}", call.headers);
    let named = answer(200, &[("x-goog-upload-url", "https://g.example/u?upload_id=1")], &json!({}));
    let content = UploadStep::Content { url: "https://g.example/u?upload_id=1".to_owned(), id: None };
    assert_eq!(api.uploaded_by(&UploadStep::Begin, &named), Ok(Uploaded::Next(content.clone())));
    assert!(api.uploaded_by(&UploadStep::Begin, &answer(200, &[], &json!({}))).is_err());
    assert_eq!(api.upload(&content, &spool).method, Method::POST);
    let done = answer(200, &[], &json!({"file": {"name": "files/a1"}}));
    assert_eq!(api.uploaded_by(&content, &done), Ok(Uploaded::File("files/a1".to_owned())));
    assert_eq!(api.upload_again(content), UploadStep::Begin);
    assert_eq!(shown(&api.delete_file("files/a1")).0, "DELETE /v1/files/a1");
    let line = api.line(Carrier::File, "k", "", &request(&json!({"contents": []})));
    assert_eq!(line, br#"{"key":"k","request":{"contents":[]}}"#);
}

#[test]
fn together_reports_progress_and_problems_in_its_own_way() {
    let api = BatchApi::Together;
    let job = json!({
        "id": "b1", "status": "IN_PROGRESS", "progress": 40.0, "input_file_id": "file-7",
        "created_at": "2026-11-22T10:00:00Z", "output_file_id": null, "error": null,
    });
    let created = answer(200, &[], &json!({"job": job, "warning": null}));
    let batch = api.described(&created).expect("a batch");
    assert_eq!((batch.phase, batch.done_of(60), batch.rows), (Phase::Running, Some(24), None));
    assert_eq!((batch.file.as_deref(), batch.created), (Some("file-7"), Some(1_795_341_600)));
    let (listed, next) = api.listed(&answer(200, &[], &json!([job])), None).expect("a list");
    assert_eq!((listed.len(), next), (1, None));
    let failed = json!({"id": "b1", "status": "FAILED", "error": "line 3 is not valid"});
    let failed = api.read(&failed).expect("a batch");
    assert_eq!(failed.phase, Phase::Ended);
    assert_eq!(failed.problem.expect("a problem").message, "line 3 is not valid");
}

#[test]
fn lists_are_followed_page_by_page() {
    let page = |body: Value| super::super::tests::ok(&body.to_string());
    let batch = json!({"id": "batch_3", "status": "completed"});
    let (found, next) =
        BatchApi::OpenAi.listed(&page(json!({"data": [batch], "has_more": true})), None).expect("a page");
    assert_eq!((found.len(), next.as_deref()), (1, Some("batch_3")));
    assert_eq!(BatchApi::OpenAi.list(next.as_deref()).to.as_str(), "/batches?limit=100&after=batch_3");
    let last = BatchApi::OpenAi.listed(&page(json!({"data": [], "has_more": false})), None).expect("a page");
    assert_eq!(last.1, None);
    let (_, next) = BatchApi::Gemini
        .listed(&page(json!({"operations": [], "nextPageToken": "t"})), None)
        .expect("a page");
    assert_eq!(next.as_deref(), Some("t"));
}

#[test]
fn every_provider_with_batches_has_a_source_and_sensible_limits() {
    for (provider, protocol) in [
        ("openai", Protocol::OpenAiChat),
        ("openai", Protocol::OpenAiResponses),
        ("azure", Protocol::OpenAiChat),
        ("groq", Protocol::OpenAiChat),
        ("together", Protocol::OpenAiChat),
        ("mistral", Protocol::OpenAiChat),
        ("anthropic", Protocol::Anthropic),
        ("google", Protocol::Gemini),
        ("sim", Protocol::Gemini),
    ] {
        let terms = Terms::of(provider, protocol).unwrap_or_else(|| panic!("{provider} has batches"));
        assert!(terms.most_rows >= 50_000 && terms.most_bytes >= 19_000_000 && terms.source.len() > 8);
        // The catalog's own name, not another one for the same.
        assert_eq!(super::super::named(provider).expect("a provider").name, provider);
    }
    assert!(Terms::of("ollama", Protocol::OpenAiChat).is_none());
    assert_eq!(
        Terms::of("azure", Protocol::OpenAiChat).map(|terms| terms.endpoint(Protocol::OpenAiChat)),
        Some("/chat/completions")
    );
}
