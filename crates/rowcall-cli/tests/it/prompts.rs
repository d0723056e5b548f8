//! Examples and images: the requests that carry them, and runs with them.

use rowcall_sim::Scenario;
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, asking, lines, requests, simulator};

/// A pixel.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89";

/// The bodies of the requests that a command shows.
fn bodies(ran: &Ran) -> Vec<Value> {
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let bodies = ran.stdout.lines().filter(|line| line.starts_with('{'));
    bodies.map(|body| serde_json::from_str(body).expect("JSON")).collect()
}

fn showing<'a>(input: &'a str, schema: &'a str, prompt: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let fixed = [
        "run",
        input,
        "-s",
        schema,
        "-p",
        prompt,
        "-m",
        "openai/gpt-6-luna",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--show-requests",
        "10",
    ];
    [&fixed[..], more].concat()
}

#[test]
fn examples_are_sent_before_each_row() {
    let dir = TestDir::new();
    dir.write("in.txt", "Eve is 5\nTom is 6\n");
    dir.write(
        "examples.jsonl",
        "{\"text\":\"Ann is 3\",\"name\":\"Ann\",\"age\":3,\"_error\":null}\n{\"text\":\"Bob\",\"name\":\"Bob\",\"age\":null}\n",
    );
    let more = ["--examples", "examples.jsonl", "--system", "Be exact."];
    let ran = dir.rowcall(&showing("in.txt", "name, age int?", "Who? {{ text }}", &more));
    for (body, text) in bodies(&ran).iter().zip(["Eve is 5", "Tom is 6"]) {
        let said: Vec<_> = body["messages"].as_array().expect("messages").clone();
        let texts: Vec<_> = said.iter().map(|message| message["content"].as_str().expect("text")).collect();
        assert_eq!(texts.first(), Some(&"Be exact."));
        assert_eq!((texts[1], texts[3], texts[5]), ("Who? Ann is 3", "Who? Bob", &*format!("Who? {text}")));
        let answers: Vec<Value> =
            [texts[2], texts[4]].map(|text| serde_json::from_str(text).expect("JSON")).into();
        assert_eq!(answers, [json!({"name": "Ann", "age": 3}), json!({"name": "Bob", "age": null})]);
        let roles: Vec<_> =
            said[1..].iter().map(|message| message["role"].as_str().expect("a role")).collect();
        assert_eq!(roles, ["user", "assistant", "user", "assistant", "user"]);
    }
    assert_eq!(bodies(&ran).len(), 2);
}

#[test]
fn an_invalid_example_is_refused_with_its_location_before_anything_is_sent() {
    let dir = TestDir::new();
    dir.write("in.txt", "Eve is 5\n");
    for (name, content, expected) in [
        (
            "a.jsonl",
            "{\"text\":\"Ann\",\"name\":\"Ann\",\"age\":3}\n\n{\"text\":\"Bob\",\"name\":\"Bob\",\"age\":\"old\"}\n",
            "the examples `a.jsonl`, line 3: the value is not valid: `/age`: ",
        ),
        (
            "a.csv",
            "text,name\nAnn,Ann\n",
            "the examples `a.csv`, record 1: the value is not valid: required property `age` is missing",
        ),
        (
            "a.json",
            r#"[{"words":"Ann","name":"Ann","age":3}]"#,
            "the examples `a.json`, record 1: the prompt uses `text`, which the row lacks (it has `words`)",
        ),
    ] {
        dir.write(name, content);
        let ran = dir.rowcall(&showing("in.txt", "name, age int", "{{ text }}", &["--examples", name]));
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected) && ran.stderr.contains("hint: "), "{}", ran.stderr);
    }
}

#[test]
fn images_are_sent_with_their_rows() {
    let dir = TestDir::new();
    dir.write("a.png", PNG);
    dir.write("b.pdf", b"%PDF-1.4\n");
    dir.write(
        "in.jsonl",
        [
            json!({"text": "file", "photo": "a.png"}),
            json!({"text": "address", "photo": "https://a.example/c.jpg"}),
            json!({"text": "data", "photo": "data:image/gif;base64,R0lGODlh"}),
            json!({"text": "none", "photo": null}),
            json!({"text": "two", "photo": ["a.png", "https://a.example/c.jpg"]}),
            json!({"text": "pdf", "photo": "b.pdf"}),
        ]
        .map(|row| row.to_string())
        .join("\n"),
    );
    let ran = dir.rowcall(&showing("in.jsonl", "name", "{{ text }}", &["--image", "photo"]));
    let bodies = bodies(&ran);
    let base64 = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ";
    let address = "https://a.example/c.jpg";
    let images = |body: &Value| -> Vec<String> {
        let parts = body["messages"][0]["content"].as_array().cloned().unwrap_or_default();
        let urls = parts.iter().filter_map(|part| part["image_url"]["url"].as_str());
        urls.map(str::to_owned).collect()
    };
    assert_eq!(
        bodies.iter().map(images).collect::<Vec<_>>(),
        [
            vec![base64],
            vec![address],
            vec!["data:image/gif;base64,R0lGODlh"],
            vec![],
            vec![base64, address],
            vec![],
        ]
    );
    assert!(bodies[5].to_string().contains("JVBERi0xLjQK"), "{}", bodies[5]);
    assert!(!bodies[3].to_string().contains("image_url"), "{}", bodies[3]);
}

#[test]
fn a_missing_column_is_reported_before_anything_is_sent() {
    let dir = TestDir::new();
    dir.write("in.csv", "text,photo\nx,a.png\n");
    let ran = dir.rowcall(&showing("in.csv", "name", "{{ text }}", &["--image", "image"]));
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("the images come from `image`, but the input has no such column"),
        "{}",
        ran.stderr
    );
}

#[test]
fn an_unsendable_file_fails_its_row_and_rerun_retries_it() {
    let dir = TestDir::new();
    dir.write("in.csv", "text,photo\nAnn is 3,\nBob is 4,none.png\nEve is 5,bad\n");
    dir.write("bad", b"nothing known");
    let run = [
        "run",
        "in.csv",
        "-s",
        "age int",
        "-p",
        "{{ text }}",
        "-m",
        "sim",
        "-o",
        "out.jsonl",
        "--image",
        "photo",
    ];
    let ran = dir.rowcall(&run);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 done, 2 failed (2 attachment)"), "{}", ran.stderr);
    let rows = lines(&dir.read("out.jsonl"));
    assert_eq!((&rows[0]["age"], &rows[0]["_error"]), (&json!(3), &Value::Null));
    for (row, expected) in
        [(1, "the file `none.png` cannot be read: "), (2, "the file `bad` is of an unknown type, ")]
    {
        let error = &rows[row]["_error"];
        assert_eq!(error["kind"], "attachment");
        assert!(error["message"].as_str().is_some_and(|message| message.starts_with(expected)), "{error}");
    }
    // The journal records the images column.
    let journal = rusqlite::Connection::open(dir.path("out.jsonl.journal")).expect("the journal");
    let images: String = journal.query_row("SELECT images FROM plans", [], |row| row.get(0)).expect("a plan");
    assert_eq!(images, r#"["photo"]"#);
    let without = dir.rowcall(&run[..run.len() - 2]);
    assert_eq!(without.code, Some(2));
    assert!(
        without.stderr.contains("was made with other images: 2 of 3 rows would be asked"),
        "{}",
        without.stderr
    );

    // It also records the folder that paths start from, so a rerun works from any folder.
    dir.write("none.png", PNG);
    dir.write("bad", b"%PDF-1.4\n");
    std::fs::create_dir(dir.path("elsewhere")).expect("a folder");
    let elsewhere = ["env", "-C", "elsewhere"];
    let rerun = Ran::of(dir.start_under(&elsewhere, &["rerun", "../out.jsonl.journal"], &[]));
    assert_eq!(rerun.code, Some(0), "{}", rerun.stderr);
    let ages: Vec<_> = lines(&dir.read("out.jsonl")).iter().map(|row| row["age"].clone()).collect();
    assert_eq!(ages, [json!(3), json!(4), json!(5)]);
}

#[test]
fn a_journal_knows_its_examples() {
    let dir = TestDir::new();
    let simulator = simulator(Scenario::instant("for examples"));
    let url = simulator.base_url();
    dir.write("in.txt", "Eve is 5\nTom is 6\n");
    dir.write("e.jsonl", "{\"text\":\"Ann is 3\",\"age\":3}\n");
    dir.write("other.jsonl", "{\"text\":\"Ann is 4\",\"age\":4}\n");
    dir.write("same.csv", "age,text\n3,Ann is 3\n");
    let run = |more: &[&str]| {
        let asking = asking("in.txt", "age int", &url);
        dir.rowcall(&[&asking[..], &["-o", "out.jsonl"], more].concat())
    };
    let ran = run(&["--examples", "e.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ages: Vec<_> = lines(&dir.read("out.jsonl")).iter().map(|row| row["age"].clone()).collect();
    assert_eq!((ages, requests(&simulator)), (vec![json!(5), json!(6)], 2));

    for (more, asked) in [(&["--examples", "other.jsonl"][..], 2), (&[], 2)] {
        let changed = run(more);
        assert_eq!(changed.code, Some(2), "{}", changed.stderr);
        let message = format!("was made with other examples: {asked} of 2 rows would be asked");
        assert!(changed.stderr.contains(&message), "{}", changed.stderr);
    }
    let same = run(&["--examples", "same.csv"]);
    assert_eq!((same.code, requests(&simulator)), (Some(0), 2), "{}", same.stderr);
    let rerun = dir.rowcall(&["rerun", "out.jsonl.journal", "--base-url", &url]);
    assert_eq!((rerun.code, requests(&simulator)), (Some(0), 2), "{}", rerun.stderr);
}

#[test]
fn a_journal_of_the_first_format_is_resumed() {
    let dir = TestDir::new();
    let simulator = simulator(Scenario::instant("for an old journal"));
    let url = simulator.base_url();
    dir.write("in.txt", "Eve is 5\nTom is 6\n");
    let run = |more: &[&str]| {
        let asking = asking("in.txt", "age int", &url);
        dir.rowcall(&[&asking[..], &["-o", "out.jsonl"], more].concat())
    };
    assert_eq!(run(&[]).code, Some(0));
    let journal = rusqlite::Connection::open(dir.path("out.jsonl.journal")).expect("the journal");
    journal
        .execute_batch(
            "ALTER TABLE plans DROP COLUMN examples; ALTER TABLE plans DROP COLUMN images; PRAGMA user_version = 1;",
        )
        .expect("it is as it was before");
    drop(journal);
    for command in ["status", "export"] {
        let read = dir.rowcall(&[command, "out.jsonl.journal"]);
        assert_eq!(read.code, Some(0), "{}", read.stderr);
    }
    dir.write("e.jsonl", "{\"text\":\"Ann is 3\",\"age\":3}\n");
    let refused = run(&["--examples", "e.jsonl"]);
    assert!(refused.stderr.contains("was made with other examples"), "{}", refused.stderr);
    let resumed = run(&[]);
    assert_eq!((resumed.code, requests(&simulator)), (Some(0), 2), "{}", resumed.stderr);
    let accepted = run(&["--examples", "e.jsonl", "--accept-changes"]);
    assert_eq!((accepted.code, requests(&simulator)), (Some(0), 4), "{}", accepted.stderr);
    assert_eq!(run(&["--examples", "e.jsonl"]).code, Some(0));
    assert_eq!(requests(&simulator), 4);
}

#[test]
fn numbers_are_sent_as_the_input_spells_them() {
    let dir = TestDir::new();
    dir.write("in.jsonl", "{\"price\":1.10,\"big\":1e5,\"E\":1E5,\"many\":[2.50,0.30000000000000000001]}\n");
    let prompt = "{{ price }} {{ row.big }} {{ E }} {{ many[1] }} {{ row | tojson }}";
    let said = |prompt: &str| {
        let ran = dir.rowcall(&showing("in.jsonl", "age int", prompt, &[]));
        let body = bodies(&ran).pop().expect("a request");
        body["messages"]
            .as_array()
            .and_then(|all| all.last()?["content"].as_str().map(str::to_owned))
            .expect("text")
    };
    assert_eq!(
        said(prompt),
        "1.10 1e5 1E5 0.30000000000000000001 {\"price\":1.10,\"big\":1e5,\"E\":1E5,\"many\":[2.50,0.30000000000000000001]}"
    );
    assert_eq!(said("{% if price > 1 %}{{ price * 2 }} {{ price }}{% endif %}"), "2.2 1.10");
}

#[test]
fn a_missing_field_is_reported_with_the_fields_that_exist() {
    let dir = TestDir::new();
    dir.write("in.txt", "Ann is 3\n");
    dir.write("in.jsonl", "{\"text\":\"Ann is 3\",\"more\":1}\n");
    let ran = dir.rowcall(&showing("in.txt", "age int", "{{ row.txt }}", &[]));
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    for words in ["`row.txt`, but the input has no such column", "the columns are `text`"] {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
    let simulator = simulator(Scenario::instant("answers"));
    let url = simulator.base_url();
    let ran = dir.rowcall(&[
        "run",
        "in.jsonl",
        "-s",
        "age int",
        "-p",
        "{{ row.txt }}",
        "-m",
        "sim",
        "--base-url",
        &url,
    ]);
    let record = lines(&ran.stdout).pop().expect("a row");
    let message = record["_error"]["message"].as_str().expect("a message");
    assert_eq!(message, "the prompt uses `row.txt`, which the row lacks (it has `text`, `more`)");
    assert_eq!(requests(&simulator), 0);
}
