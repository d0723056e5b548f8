//! The pinned vectors, checked; and malformed files and cases.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Finding, KINDS, Known, Line, files, finding, judge_file};
use crate::vectors::case::Case;
use crate::workspace;

fn judged(folder: &Path) -> Vec<Line> {
    let known = Known::read().expect("the table");
    let paths = files(folder).expect("the folder");
    paths.iter().flat_map(|path| judge_file(path, &known)).collect()
}

#[test]
fn the_pinned_vectors_pass_except_where_listed() {
    let lines = judged(&workspace().join("crates/rowcall/tests/vectors"));
    let differ: Vec<String> = lines
        .iter()
        .filter(|line| matches!(line.finding, Finding::Differs(_)))
        .map(ToString::to_string)
        .collect();
    assert_eq!(differ, [""; 0]);
    let count = |file: &str, finding: fn(&Finding) -> bool| {
        lines.iter().filter(|line| line.file == file && finding(&line.finding)).count()
    };
    let ok = |finding: &Finding| *finding == Finding::Ok;
    for (file, met) in [
        ("openai_chat.json", 19),
        ("openai_responses.json", 9),
        ("anthropic_messages.json", 9),
        ("gemini_generate.json", 8),
        ("compat_servers.json", 13),
        ("openai_errors.json", 22),
        ("anthropic_errors.json", 13),
        ("gemini_errors.json", 10),
        ("openai_batch.json", 10),
        ("anthropic_batches.json", 3),
        ("gemini_batch.json", 7),
        ("retry_and_limits.json", 77),
    ] {
        assert_eq!(count(file, ok), met, "{file}");
    }
    // A line of the table that is no longer needed must be removed.
    for (patterns, why) in Known::read().expect("the table").lines {
        let is_needed = lines.iter().any(|line| line.finding == Finding::Known(why.clone()));
        assert!(is_needed, "nothing differs in the way of {patterns:?}");
    }
}

/// The finding for a pinned case after `change`.
fn changed(file: &str, id: &str, change: fn(&mut Value)) -> String {
    let path = workspace().join("crates/rowcall/tests/vectors").join(file);
    let cases = super::cases(&path).expect("cases");
    let mut case = cases.into_iter().find(|case| case["id"] == id).expect("the case");
    change(&mut case);
    let (_, judge) = KINDS.iter().find(|(name, _)| *name == file).expect("a known file");
    let finding = finding(id, judge(Case(&case)), &Known::read().expect("the table"));
    Line { file: file.to_owned(), case: Some(id.to_owned()), finding }.to_string()
}

type Story = (&'static str, fn(&mut Value), &'static str);

#[test]
fn differences_in_a_conversation_are_reported() {
    let file = "openai_chat.json";
    let stories: [Story; 15] = [
        // Fields that a user may add, and alternative names, are within our reach; anything else is not checked.
        ("json_schema_ok", |case| case["request"]["top_p"] = json!(1), "ok"),
        ("json_schema_ok", |case| case["request"]["messages"][0]["role"] = json!("system"), "ok"),
        ("json_schema_ok", |case| case["request"]["response_format"] = json!({"type": "json_object"}), "ok"),
        (
            "json_schema_ok",
            |case| case["request"]["response_format"]["json_schema"]["x"] = json!(1),
            "expected the request/response_format/json_schema/x 1, got nothing",
        ),
        (
            "json_schema_ok",
            |case| case["expect"]["value"]["total"] = json!(1),
            "expected the value/total 1, got 1249.5",
        ),
        (
            "json_schema_ok",
            |case| case["expect"]["input_tokens"] = json!(1),
            "expected input_tokens 1, got 96",
        ),
        ("json_schema_ok", |case| case["request"] = json!({"stream": true}), "ok"),
        (
            "stream_json",
            |case| case["raw"] = json!("data: {}\n\n"),
            "expected ok, got the fault 200 connection: the stream ended before the answer did (retried)",
        ),
        (
            "tool_calls_parallel",
            |case| case["expect"]["values"][1]["total"] = json!(4),
            "expected the values/1/total 4, got 3",
        ),
        (
            "refusal",
            |case| case["expect"]["text"] = json!("no"),
            r#"expected the text "no", got "I can't help with extracting that information.""#,
        ),
        ("truncated_length", |case| case["expect"]["outcome"] = json!("ok"), "expected ok, got Truncated"),
        ("truncated_length", |case| case["expect"]["outcome"] = json!("incomplete"), "truncated_length"),
        (
            "json_schema_ok",
            |case| case["expect"]["outcome"] = json!("ok_after_repair"),
            "expected ok_after_repair, got a value without a repair",
        ),
        (
            "content_filter",
            |case| case["body"] = json!({}),
            "expected content_filter, got the fault 200 server: the body has no choices (retried)",
        ),
        (
            "refusal",
            |case| case["expect"] = json!({"outcome": "x"}),
            "malformed: `/expect/outcome` is `x`, which is not known",
        ),
    ];
    for (id, change, expected) in stories {
        let finding = changed(file, id, change);
        assert!(finding.ends_with(expected), "{finding}\ninstead of {expected}");
    }
}

#[test]
fn differences_about_faults_are_reported() {
    let stories: [Story; 6] = [
        (
            "conflict",
            |case| case["expect"]["cls"] = json!("server"),
            "expected the fault server, got conflict",
        ),
        ("conflict", |case| case["expect"]["retry"] = json!(false), "expected no retry, got a retry"),
        (
            "conflict",
            |case| case["expect"]["abort_run"] = json!(true),
            "expected the end of the run, got a run that goes on",
        ),
        ("slow_down", |case| case["expect"]["wait_s"] = json!(16), "expected a wait of 16 s, got 15 s"),
        (
            "slow_down",
            |case| case["headers"]["retry-after"] = json!(15),
            "malformed: a header's value is not text",
        ),
        ("slow_down", |case| case["status"] = json!(70_000), "malformed: no HTTP status at `/status`"),
    ];
    for (id, change, expected) in stories {
        let finding = changed("openai_errors.json", id, change);
        assert!(finding.ends_with(expected), "{finding}\ninstead of {expected}");
    }
}

#[test]
fn differences_about_limits_are_reported() {
    let stories: [Story; 9] = [
        ("dur_1", |case| case["seconds"] = json!(361), "expected a wait of 361 s, got a wait of 360 s"),
        (
            "dur_1",
            |case| *case = json!({"kind": "go_duration", "input": "0s", "seconds": 0}),
            "ok retry_and_limits.json dur_1",
        ),
        (
            "dur_1",
            |case| *case = json!({"kind": "go_duration", "input": "169h", "seconds": 608_400}),
            "a wait of more than a week is a mistake",
        ),
        (
            "retry_after_0",
            |case| case["headers"]["retry-after"] = json!("Sun, 22 Nov 2026 17:00:20 GMT"),
            "expected a wait of 2 s, got a wait of 20 s",
        ),
        (
            "retry_after_14",
            |case| case["headers"]["retry-after"] = json!("Sun, 22 Nov 2026 17:00:20 GMT"),
            "ok retry_and_limits.json retry_after_14",
        ),
        ("status_429_None", |case| case["openai"] = json!(false), "expected no retry, got a retry"),
        (
            "status_429_None",
            |case| *case = json!({"kind": "should_retry", "status": 429, "headers": {"retry-after": "300"}, "openai": false}),
            "should not sleep for hours unnoticed",
        ),
        ("backoff_0", |case| case["retry_index"] = json!("x"), "malformed: no number at `/retry_index`"),
        ("dur_0", |case| case["kind"] = json!("new"), "kind `new` is not judged yet"),
    ];
    for (id, change, expected) in stories {
        let finding = changed("retry_and_limits.json", id, change);
        assert!(finding.ends_with(expected), "{finding}\ninstead of {expected}");
    }
}

#[test]
fn malformed_files_are_reported_and_others_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [
        ("costs.json", "{}"),
        ("openai_chat.json", "{"),
        ("openai_errors.json", r#"{"cases": 1}"#),
        ("retry_and_limits.json", r#"{"cases": [1, {"id": "a"}, {"id": 2, "kind": "go_duration"}]}"#),
    ] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let findings: Vec<String> = judged(folder.path()).iter().map(ToString::to_string).collect();
    assert_eq!(
        findings,
        [
            "skipped costs.json: not judged yet",
            "differs openai_chat.json: malformed: EOF while parsing an object at line 1 column 1",
            "differs openai_errors.json: malformed: no list of `cases`",
            "differs retry_and_limits.json #0: malformed: no text at `/kind`",
            "differs retry_and_limits.json a: malformed: no text at `/kind`",
            "differs retry_and_limits.json #2: malformed: no text at `/input`",
        ]
    );
}
