//! Files from other tools, and outputs as the next step's input.

use rowcall_sim::Scenario;
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, lines, requests, simulator};

/// Asks a simulator for a label of each row.
fn labelled(dir: &TestDir, input: &str, prompt: &str, more: &[&str]) -> Ran {
    let asked = ["run", input, "-s", "label", "-p", prompt, "-m", "sim", "--no-journal"];
    dir.rowcall(&[&asked[..], more].concat())
}

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

#[test]
fn a_column_without_a_name_is_called_by_its_position() {
    let dir = TestDir::new();
    dir.write("pandas.csv", ",text\n0,a\n1,b\n");
    let ran = labelled(&dir, "pandas.csv", "{{ text }} {{ column_1 }}", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(column(&ran.lines(), "column_1"), ["0", "1"]);
    assert!(ran.stderr.contains("note: a column without a name in the header on line 1 is named `column_1`"));
}

#[test]
fn a_table_from_a_spreadsheet_is_read_with_options() {
    let dir = TestDir::new();
    dir.write("sheet.csv", b"Report\n\nname;age\nJos\xe9;3\n");
    let ran = labelled(&dir, "sheet.csv", "{{ name }}", &[]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    assert!(ran.stderr.contains("use `--skip-rows` to skip the lines above it"), "{}", ran.stderr);
    let skipping = ["--skip-rows", "2"];
    let ran = labelled(&dir, "sheet.csv", "{{ name }}", &skipping);
    assert!(ran.stderr.contains("use `--delimiter ';'` to split them"), "{}", ran.stderr);
    let parted = [&skipping[..], &["--delimiter", ";"]].concat();
    let ran = labelled(&dir, "sheet.csv", "{{ name }}", &parted);
    let message = ran.lines()[0]["_error"]["message"].to_string();
    assert!(message.contains("is not UTF-8"), "{message}");
    assert!(ran.stderr.contains("give the input's encoding with `--encoding`"), "{}", ran.stderr);
    let ran = labelled(&dir, "sheet.csv", "{{ name }}", &[&parted[..], &["--encoding", "cp1252"]].concat());
    assert_eq!((ran.code, column(&ran.lines(), "name")), (Some(0), vec![json!("José")]), "{}", ran.stderr);
    for (option, value, message) in [
        ("--encoding", "klingon", "unknown encoding `klingon`"),
        ("--delimiter", "§", "`§` is not a single ASCII character"),
        ("--quote", ",", "`,` is both the delimiter and the quote"),
        ("--failed-rows", "maybe", "unknown value `maybe`"),
    ] {
        let ran = labelled(&dir, "sheet.csv", "{{ name }}", &[option, value]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
}

#[test]
fn a_json_array_named_jsonl_is_read_as_an_array() {
    let dir = TestDir::new();
    dir.write("in.jsonl", "[\n{\"text\":\"a\"},\n{\"text\":\"b\"}\n]\n");
    let ran = labelled(&dir, "in.jsonl", "{{ text }}", &[]);
    assert_eq!((ran.code, ran.lines().len()), (Some(0), 2), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("note: `in.jsonl` is a single JSON array and is read as one"),
        "{}",
        ran.stderr
    );
    dir.write("words.json", "[\"a\", \"b\"]");
    let ran = labelled(&dir, "words.json", "{{ text }}", &[]);
    assert_eq!(column(&ran.lines(), "text"), ["a", "b"]);
}

#[test]
fn an_output_is_the_next_steps_input() {
    let dir = TestDir::new();
    dir.write("step0.csv", "text\na\nb\n");
    for (first, second, meta) in [
        ("step1.csv", "step2.csv", "--meta"),
        ("step1.jsonl", "step2.jsonl", "-v"),
        ("meta.jsonl", "step2.csv", "--meta"),
    ] {
        let step = ["run", "step0.csv", "-s", "name", "-p", "{{ text }}", "-m", "sim", "-o", first, meta];
        assert_eq!(dir.rowcall(&step).code, Some(0));
        for into in [&[][..], &["--into", "r"], &["--meta"]] {
            let output = [&["-o", second, "--force"], into].concat();
            let ran = labelled(&dir, first, "{{ name }}", &output);
            assert_eq!(ran.code, Some(0), "{first} {into:?}: {}", ran.stderr);
            assert!(
                ran.stderr.contains("the output of an earlier step: its `_error` and `_meta` are dropped")
            );
        }
    }
    let last = dir.read("step2.jsonl");
    let fields: Vec<_> = lines(&last)[0].as_object().expect("an object").keys().cloned().collect();
    assert_eq!(fields, ["text", "name", "label", "_error", "_meta"]);
}

#[test]
fn rows_that_failed_in_an_earlier_step_are_handled_as_the_user_says() {
    let dir = TestDir::new();
    dir.write("csv.csv", "text,_error\na,\nb,invalid: no value\nc,\n");
    dir.write(
        "jsonl.jsonl",
        "{\"text\":\"a\",\"_error\":null}\n{\"text\":\"b\",\"_error\":{\"kind\":\"invalid\",\"message\":\"no value\"}}\n\
         {\"text\":\"c\",\"_error\":null}\n",
    );
    let simulator = simulator(Scenario::default());
    let mut asked = 0;
    for input in ["csv.csv", "jsonl.jsonl"] {
        for (more, code, texts, requested, note) in [
            (&[][..], 3, &["a", "b", "c"][..], 2, "1 row of the input failed in an earlier step: not asked"),
            (
                &["--failed-rows", "skip"],
                0,
                &["a", "c"],
                2,
                "1 row of the input failed in an earlier step: skipped",
            ),
            (
                &["--failed-rows", "ask"],
                0,
                &["a", "b", "c"],
                3,
                "1 row of the input failed in an earlier step: asked",
            ),
        ] {
            let ran =
                labelled(&dir, input, "{{ text }}", &[&["--base-url", &simulator.base_url()], more].concat());
            assert_eq!(
                (ran.code, column(&ran.lines(), "text")),
                (Some(code), texts.iter().map(|text| json!(text)).collect())
            );
            assert!(ran.stderr.contains(note), "{}", ran.stderr);
            asked += requested;
            assert_eq!(requests(&simulator), asked);
        }
    }
    // The journal recognises such a row, and no request is sent for it.
    let run = ["run", "jsonl.jsonl", "-s", "label", "-p", "{{ text }}", "-m", "sim", "-o", "out.jsonl"];
    assert_eq!(dir.rowcall(&run).code, Some(3));
    let ran = dir.rowcall(&["rerun", "out.jsonl.journal"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let error = &lines(&dir.read("out.jsonl"))[1]["_error"];
    assert_eq!(error["message"], "line 2: the row failed in an earlier step: invalid: no value");
}

/// A value with an undeclared field that the input has too, as when the model repeats its input.
#[test]
fn a_value_with_the_name_of_an_input_field_reaches_every_format() {
    let dir = TestDir::new();
    dir.write("in.csv", "text\na\n");
    dir.write(
        "map.json",
        r#"{"type":"object","additionalProperties":{"type":"integer"},"const":{"text":1}}"#,
    );
    let run = ["run", "in.csv", "-s", "map.json", "-p", "{{ text }}", "-m", "sim"];
    for time in ["first", "again"] {
        let ran = dir.rowcall(&[&run[..], &["-o", "out.jsonl"]].concat());
        assert_eq!(ran.code, Some(0), "{time}: {}", ran.stderr);
        assert_eq!(
            dir.read("out.jsonl"),
            "{\"text\":\"a\",\"value\":{\"text\":1},\"_error\":null}\n",
            "{time}"
        );
    }
    let ran = dir.rowcall(&["export", "out.jsonl.journal"]);
    assert_eq!((ran.code, ran.stdout), (Some(0), dir.read("out.jsonl")), "{}", ran.stderr);
    let ran = dir.rowcall(&["rerun", "out.jsonl.journal"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let ran = dir.rowcall(&["export", "out.jsonl.journal", "--output-format", "csv"]);
    assert_eq!(ran.stdout, "text,value,_error\na,\"{\"\"text\"\":1}\",\n", "{}", ran.stderr);
}

#[test]
fn clashing_names_are_refused_before_anything_is_sent() {
    let dir = TestDir::new();
    dir.write("in.csv", "text,label\na,b\n");
    dir.write("in.jsonl", "{\"text\":\"a\",\"label\":\"b\"}\n");
    for input in ["in.csv", "in.jsonl"] {
        let ran = labelled(&dir, input, "{{ text }}", &[]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains("`--into NAME`"), "{}", ran.stderr);
        assert_eq!(labelled(&dir, input, "{{ text }}", &["--into", "r"]).code, Some(0));
    }
    // `_meta` without `_error` is the user's own field.
    dir.write("meta.jsonl", "{\"text\":\"a\",\"_meta\":1}\n");
    assert_eq!(labelled(&dir, "meta.jsonl", "{{ text }}", &[]).lines()[0]["_meta"], 1);
    let ran = labelled(&dir, "meta.jsonl", "{{ text }}", &["--meta"]);
    assert!(ran.stderr.contains("leave out `--meta`"), "{}", ran.stderr);
}
