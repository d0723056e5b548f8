//! `rowcall compare`, `rowcall schema` and `rowcall sim`: what they print.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::command::TestDir;

#[test]
fn compare_has_the_guides_five_methods_with_their_ideals() {
    let ran = TestDir::new().rowcall(&["compare", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let table: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    let seen: Vec<_> =
        table.iter().map(|line| (&line["method"], &line["ideal_seconds"], &line["concurrency"])).collect();
    assert_eq!(
        json!(seen),
        json!([
            ["sequential", 6.17, 1],
            ["gather", 0.95, 7],
            ["as_completed", 0.95, 7],
            ["rate-limited gather", 3.4, 2],
            ["rate-limited as_completed", 3.4, 2]
        ])
    );
    for line in &table {
        let (seconds, ideal) =
            (line["seconds"].as_f64().expect("a time"), line["ideal_seconds"].as_f64().expect("a time"));
        assert!(seconds >= ideal - 0.01, "faster than possible: {line}");
        assert!((line["ratio"].as_f64().expect("a ratio") - seconds / ideal).abs() < 0.001, "{line}");
        assert!(line["for"].is_string());
    }
}

#[test]
fn compare_accepts_the_users_own_rows() {
    let dir = TestDir::new();
    dir.write("in.csv", "text\none\ntwo\nthree\n");
    let ran = dir.rowcall(&["compare", "in.csv", "--schema", "name", "--prompt", "{{ text }}", "-m", "sim"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("| rate-limited gather"), "{}", ran.stdout);
}

#[test]
fn schema_shows_what_is_sent_and_what_is_lost() {
    let ran = TestDir::new().rowcall(&[
        "schema",
        r#"{"type": "array", "items": {"type": "string", "minLength": 2}}"#,
        "--json",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let shown: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&shown["given"]["type"], &shown["wire"]["type"]), (&json!("array"), &json!("object")));
    assert!(
        shown["losses"]
            .as_array()
            .is_some_and(|losses| losses.iter().any(|loss| loss["keyword"] == "minLength")),
        "{shown}"
    );
    let text = TestDir::new().rowcall(&["schema", "name, age int"]);
    assert!(text.stdout.contains("as given:") && text.stdout.contains("no losses"), "{}", text.stdout);
}

#[test]
fn sim_prints_its_base_url_first_and_serves_there() {
    let dir = TestDir::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rowcall"))
        .args(["sim", "--port", "0", "--latency", "1ms", "--count"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the simulator starts");
    let mut url = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut url).expect("a line");
    let url = url.trim_end();
    let arguments =
        ["run", "-", "--schema", "name", "--prompt", "{{ text }}", "-m", "sim", "--base-url", url];
    let ran = dir.rowcall_with(&arguments, "text\nAnn is 30\n", &[]);
    child.kill().expect("it can be stopped");
    child.wait().expect("it ends");
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/v1"), "{url}");
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
}

#[test]
fn scenarios_are_listed_with_a_description() {
    let ran = TestDir::new().rowcall(&["sim", "--list", "--json"]);
    let list: Vec<Value> = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(list.iter().any(|entry| entry["scenario"] == "guide" && entry["about"].is_string()), "{list:?}");
}
