//! Parquet, Arrow, folders and parts through the command line.

use std::fs;

use rowcall_sim::Scenario;
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, lines, requests, simulator};

/// Asks a running simulator about every row.
fn asked(dir: &TestDir, url: &str, input: &str, output: &str, more: &[&str]) -> Ran {
    let arguments = ["run", input, "-s", "age int", "-p", "{{ text }}", "-m", "sim", "--base-url", url];
    dir.rowcall(&[&arguments[..], &["-o", output], more].concat())
}

fn names(dir: &TestDir, folder: &str) -> Vec<String> {
    let entries = fs::read_dir(dir.path(folder)).expect("a folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    names
}

#[test]
fn a_parquet_file_goes_through_with_its_types() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(3));
    let simulator = simulator(Scenario::instant("tables"));
    let url = simulator.base_url();
    let ran = asked(&dir, &url, "in.txt", "ages.parquet", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    // The output of one step is the input of the next: `age` is an integer in the prompt and in the output.
    let arguments = ["run", "ages.parquet", "-s", "name", "-p", "{{ text }}, {{ age + 1 }}", "-m", "sim"];
    let ran = dir.rowcall(&[&arguments[..], &["--base-url", &url, "-o", "named.arrow"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("the input is the output of an earlier step"), "{}", ran.stderr);
    let arguments = ["run", "named.arrow", "-s", "label", "-p", "{{ name }}", "-m", "sim", "--no-journal"];
    let ran = dir.rowcall(&[&arguments[..], &["--base-url", &url]].concat());
    let first = &ran.lines()[0];
    assert_eq!((&first["text"], &first["age"]), (&json!("Ann is 0"), &json!(0)), "{}", ran.stderr);
    let keys: Vec<_> = first.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(keys, ["text", "age", "name", "label", "_error"]);
}

#[test]
fn an_export_from_the_journal_is_the_same_file() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(2000));
    let simulator = simulator(Scenario::instant("tables"));
    let url = simulator.base_url();
    assert_eq!(asked(&dir, &url, "in.txt", "one.parquet", &[]).code, Some(0));
    let arguments = ["run", "one.parquet", "-s", "name", "-p", "{{ text }}", "-m", "sim", "--base-url", &url];
    let ran = dir.rowcall(&[&arguments[..], &["-o", "two.parquet"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    fs::copy(dir.path("two.parquet"), dir.path("first.parquet")).expect("a copy");
    let ran = dir.rowcall(&["export", "two.parquet.journal", "-o", "three.parquet"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let read = |name: &str| fs::read(dir.path(name)).expect("a file");
    assert_eq!(read("three.parquet"), read("first.parquet"));
    // The journal was moved together with its output, which is recognised as its own.
    fs::create_dir(dir.path("moved")).expect("a folder");
    for name in ["two.parquet", "two.parquet.journal"] {
        fs::rename(dir.path(name), dir.path(&format!("moved/{name}"))).expect("a file");
    }
    let ran = dir.rowcall(&["export", "moved/two.parquet.journal", "-o", "moved/two.parquet"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    fs::write(dir.path("moved/two.parquet"), read("one.parquet")).expect("another file");
    let ran = dir.rowcall(&["export", "moved/two.parquet.journal", "-o", "moved/two.parquet"]);
    assert_eq!(ran.code, Some(2), "{}", ran.stderr);
}

#[test]
fn a_folder_of_parts_is_complete_only_with_its_manifest() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(250));
    let simulator = simulator(Scenario::instant("tables"));
    let url = simulator.base_url();
    let parquet = ["--output-format", "parquet", "--part-rows", "100"];
    let ran = asked(&dir, &url, "in.txt", "out/", &[&parquet[..], &["--limit-rows", "150"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(names(&dir, "out"), ["_manifest.json", "part-00000.parquet", "part-00001.parquet"]);
    assert!(dir.has("out.journal"), "the journal is beside the folder");
    let ran = asked(&dir, &url, "in.txt", "out/", &parquet);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(requests(&simulator), 250, "what is known is not asked again");
    let manifest: Value = serde_json::from_str(&dir.read("out/_manifest.json")).expect("JSON");
    assert_eq!((&manifest["rows"], manifest["parts"].as_array().map(Vec::len)), (&json!(250), Some(3)));
    assert_eq!(manifest["parts"][2]["first_row"], 200);
    // The folder is an input like any other, and `_manifest.json` is not a part of it.
    let ran = asked(&dir, &url, "out", "again.jsonl", &["--failed-rows", "ask", "--into", "again"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let rows = lines(&dir.read("again.jsonl"));
    assert_eq!((rows.len(), &rows[249]["text"]), (250, &json!("Ann is 249")));
}

#[test]
fn a_folder_of_parts_is_checked_before_anything_is_sent() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(3));
    fs::create_dir(dir.path("full")).expect("a folder");
    dir.write("full/part-00000.parquet", "somebody's");
    let simulator = simulator(Scenario::instant("tables"));
    let url = simulator.base_url();
    let parquet = ["--output-format", "parquet"];
    for (output, more, message) in [
        ("out/", &[][..], "`out/` is a folder, whose name implies no format"),
        (
            "out/",
            &["--output-format", "parquet", "--order", "completed"],
            "a folder of parts is in input order",
        ),
        ("full", &parquet, "the output `full` exists, but its journal `full.journal` does not"),
        ("out.jsonl", &["--part-rows", "5"], "rows per part apply to a folder of parts"),
        ("out.jsonl", &["--explode", "tags"], "the value has no field `tags`"),
        ("out.jsonl.xz", &[], "outputs are not compressed as `.xz`"),
    ] {
        let ran = asked(&dir, &url, "in.txt", output, more);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(message), "{}", ran.stderr);
    }
    assert_eq!(requests(&simulator), 0);
    assert_eq!(dir.read("full/part-00000.parquet"), "somebody's");
}

#[test]
fn bad_files_are_found_before_anything_is_sent() {
    let dir = TestDir::new();
    let simulator = simulator(Scenario::instant("tables"));
    let url = simulator.base_url();
    dir.write("in.txt", ages(3));
    assert_eq!(asked(&dir, &url, "in.txt", "good.parquet", &[]).code, Some(0));
    dir.write("other.csv", "text,n\na,1\n");
    let arguments = ["run", "other.csv", "-s", "label", "-p", "{{ text }}", "-m", "sim", "--base-url", &url];
    assert_eq!(dir.rowcall(&[&arguments[..], &["-o", "other.parquet"]].concat()).code, Some(0));
    let before = requests(&simulator);
    let good = fs::read(dir.path("good.parquet")).expect("a file");
    dir.write("cut.parquet", &good[..good.len() - 10]);
    dir.write("empty.parquet", "");
    dir.write("text.parquet", "text\na\nb\nc\nd\n");
    dir.write("encrypted.parquet", [b"PARE".as_slice(), &[0; 20], b"PARE"].concat());
    dir.write("broken.parquet", [&good[..4], &[0xff; 200], &good[good.len() - 8..]].concat());
    dir.write("cut.arrow", b"ARROW1\0\0".as_slice());
    dir.write("text.xlsx", "text\na\n");
    fs::create_dir_all(dir.path("mixed")).expect("a folder");
    for name in ["good.parquet", "other.parquet"] {
        fs::copy(dir.path(name), dir.path(&format!("mixed/{name}"))).expect("a copy");
    }
    fs::create_dir(dir.path("nothing")).expect("a folder");
    for (input, message) in [
        ("cut.parquet", "`cut.parquet` is cut off: it begins like a Parquet file, but its end is missing"),
        ("empty.parquet", "`empty.parquet` is empty, expected a Parquet file"),
        ("text.parquet", "`text.parquet` is not a Parquet file: it does not begin with `PAR1`"),
        ("encrypted.parquet", "`encrypted.parquet` is encrypted"),
        ("broken.parquet", "cannot read `broken.parquet`: "),
        ("cut.arrow", "cannot read `cut.arrow`: "),
        ("text.xlsx", "`text.xlsx` is not a spreadsheet"),
        ("mixed", "the files differ: `mixed/other.parquet` has no column `age`"),
        ("nothing", "`nothing` has no file of a known format"),
        ("no/*.parquet", "`no/*.parquet` matches no file"),
    ] {
        let ran = asked(&dir, &url, input, "out.jsonl", &["--into", "answer"]);
        assert_eq!(ran.code, Some(2), "{input}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{input}: {}", ran.stderr);
        assert!(ran.stderr.contains("hint: ") || message.starts_with("cannot"), "{input}: {}", ran.stderr);
    }
    assert_eq!(requests(&simulator), before);
}

#[test]
fn folders_give_their_names_as_columns() {
    let dir = TestDir::new();
    let simulator = simulator(Scenario::instant("tables"));
    let url = simulator.base_url();
    for (year, age) in [("2025", 30), ("2026", 31)] {
        fs::create_dir_all(dir.path(&format!("data/year={year}"))).expect("a folder");
        dir.write(&format!("data/year={year}/a.csv"), format!("text\nAnn is {age}\n"));
    }
    let prompt =
        ["run", "data", "-s", "age int", "-p", "{{ text }} in {{ year }}", "-m", "sim", "--base-url", &url];
    for (output, more) in [("out.jsonl", &[][..]), ("out.parquet", &[]), ("out.csv", &[])] {
        let ran = dir.rowcall(&[&prompt[..], &["-o", output], more].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    let expected = "{\"text\":\"Ann is 30\",\"year\":\"2025\",\"age\":30,\"_error\":null}\n\
                    {\"text\":\"Ann is 31\",\"year\":\"2026\",\"age\":31,\"_error\":null}\n";
    assert_eq!(dir.read("out.jsonl"), expected);
    assert_eq!(dir.read("out.csv"), "text,year,age,_error\nAnn is 30,2025,30,\nAnn is 31,2026,31,\n");
}
