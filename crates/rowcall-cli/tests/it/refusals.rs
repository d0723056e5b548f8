//! Bad command lines and inputs: each is refused before any request, with the offending value, what was expected, and a next step.
//! Bad rows fail in their position, with their line.

use rowcall_sim::Scenario;
use serde_json::Value;

use crate::command::{Ran, TestDir, requests, simulator};

/// A command that differs from [`RIGHT`].
#[derive(Clone, Copy)]
struct Asked<'a> {
    input: &'a str,
    schema: &'a str,
    prompt: &'a str,
    more: &'a [&'a str],
}

const RIGHT: Asked<'_> = Asked { input: "in.csv", schema: "name, age int", prompt: "{{ text }}", more: &[] };

fn dir() -> TestDir {
    let dir = TestDir::new();
    dir.write("in.csv", "text,topic\nAnn is 30,people\n");
    dir.write("twice.csv", "text,text\n1,2\n");
    dir.write("empty.csv", "");
    dir.write("headless.csv", "Ann is 30,people\nBob is 40,people\n");
    dir.write("utf16.csv", b"t\0e\0x\0t\0\n\0");
    dir.write("object.json", "Ann");
    dir.write("broken.json", "{\"type\": ");
    dir.write("number.json", "42");
    dir.write("latin1.txt", b"Gr\xfc\xdfe");
    dir.write("not-a-certificate.pem", "hello");
    std::fs::create_dir(dir.path("folder")).expect("a folder");
    dir
}

fn run(dir: &TestDir, url: &str, asked: Asked<'_>) -> Ran {
    let Asked { input, schema, prompt, more } = asked;
    let arguments = ["run", input, "--schema", schema, "--prompt", prompt, "-m", "sim", "--base-url", url];
    dir.rowcall(&[&arguments[..], more].concat())
}

#[test]
fn an_invalid_command_is_refused_before_any_request() {
    let simulator = simulator(Scenario::instant("for nothing to arrive at"));
    let (url, dir) = (simulator.base_url(), dir());
    let more = |more| Asked { more, ..RIGHT };
    let input = |input| Asked { input, ..RIGHT };
    let schema = |schema| Asked { schema, ..RIGHT };
    let prompt = |prompt| Asked { prompt, ..RIGHT };
    let mut wrong = Vec::new();
    for (asked, offending, expected) in [
        (input("none.csv"), "`none.csv`", "No such file"),
        (input("folder"), "`folder`", "no file of a known format"),
        (input("in.xls"), "`.xls`", "csv"),
        (input("twice.csv"), "`text`", "twice"),
        (input("empty.csv"), "empty.csv", "header"),
        (input("headless.csv"), "`text`", "no such column"),
        (input("utf16.csv"), "utf16.csv", "--encoding utf-16le"),
        (input("object.json"), "object.json", "array"),
        (prompt("{{ title }}"), "`title`", "no such column"),
        (prompt("Classify: {text}"), "`{text}`", "`{{ text }}`"),
        (prompt("Classify"), "no field", "--same-prompt"),
        (prompt("{{ txt | default('') }}"), "no column", "`text`, `topic`"),
        (prompt(""), "empty", "{{ text }}"),
        (prompt("prompt.txt"), "`prompt.txt`", "@prompt.txt"),
        (prompt("{{ text"), "line 1", "expected"),
        (prompt("{{ text | shout }}"), "shout", "filter"),
        (prompt("@none.txt"), "`none.txt`", "No such file"),
        (prompt("@latin1.txt"), "`latin1.txt`", "UTF-8"),
        (schema("name, age integr"), "`integr`", "int"),
        (schema("name, name"), "`name`", "twice"),
        (schema(""), "schema", "field"),
        (schema("none.json"), "`none.json`", "No such file"),
        (schema("broken.json"), "`broken.json`", "line 1"),
        (schema("number.json"), "`number.json`", "expected an object"),
        (schema(r#"{"enum": []}"#), "enum", "no value"),
        (schema(r#"{"type": "integer", "minimum": 5, "maximum": 4}"#), "5", "4"),
        (schema(r#"{"type": "object", "properties": {"a": false}, "required": ["a"]}"#), "`a`", "required"),
        (schema("topic"), "`topic`", "--into"),
        (schema("_error"), "`_error`", "--into"),
        (more(&["--into", "_error"]), "`_error`", "name"),
        (more(&["-o", "in.csv"]), "`in.csv`", "input"),
        (more(&["-o", "none/out.jsonl"]), "none/out.jsonl", "No such file"),
        (more(&["-o", "out.xlsx"]), "`.xlsx`", "jsonl"),
        (more(&["-o", "folder"]), "`folder`", "parquet"),
        (more(&["-o", "out.jsonl", "--failed", "out.jsonl"]), "`out.jsonl`", "both"),
        (more(&["--rpm", "0"]), "`0`", "above 0"),
        (more(&["--tpm", "-5"]), "`-5`", "above 0"),
        (more(&["--concurrency", "0"]), "0", "--concurrency"),
        (more(&["--concurrency", "1000000000"]), "1000000000", "100000"),
        (more(&["--timeout", "soon"]), "soon", "90s"),
        (more(&["--timeout", "0s"]), "timeout `0ns`", "1 ms"),
        (more(&["--timeout", "1000y"]), "timeout", "30 days"),
        (more(&["--max-output-tokens", "0"]), "`0`", "from 1"),
        (more(&["--param", "max_completion_tokens=0"]), "`0`", "from 1"),
        (more(&["--param", "max_tokens=abc"]), "`max_tokens`", "expected a number"),
        (more(&["--param", "n=2"]), "`n` is `2`", "expected `1`"),
        (more(&["--max-output-tokens", "-1"]), "-1", "from 1 to 10000000"),
        (more(&["--max-output-tokens", "many"]), "many", "from 1 to 10000000"),
        (more(&["--retries", "-1"]), "-1", "from 0 to 1000"),
        (more(&["--retries", "99999999999"]), "99999999999", "from 0 to 1000"),
        (more(&["--max-reasks", "1.5"]), "1.5", "from 0 to 100"),
        (more(&["--temperature", "NaN"]), "`NaN`", "from 0 to 10"),
        (more(&["--temperature=-1"]), "`-1`", "from 0 to 10"),
        (more(&["--retries", "4000000000"]), "retries `4000000000`", "1000"),
        (more(&["--max-reasks", "4000000000"]), "re-asks `4000000000`", "100"),
        (more(&["--limit-rows", "0"]), "0", "--limit-rows"),
        (more(&["--show-requests", "0"]), "0", "--show-requests"),
        (more(&["--param", "model=x"]), "`model`", "expected"),
        (more(&["--param", "novalue"]), "novalue", "NAME=VALUE"),
        (more(&["--mode", "magic"]), "magic", "schema"),
        (more(&["--order", "random"]), "random", "completed"),
        (more(&["--input-format", "xml"]), "xml", "csv"),
        (more(&["--header", "bad name: x"]), "`bad name`", "NAME: VALUE"),
        (more(&["--nonsense"]), "--nonsense", "--help"),
    ] {
        let ran = run(&dir, &url, asked);
        let described =
            format!("{} {} {} {:?}: {}", asked.input, asked.schema, asked.prompt, asked.more, ran.stderr);
        let next_step = ran.stderr.contains("hint: ") || ran.stderr.contains("--help");
        let right = (ran.code, ran.stdout.as_str()) == (Some(2), "")
            && next_step
            && ran.stderr.contains(offending)
            && ran.stderr.contains(expected);
        if !right {
            wrong.push(format!(
                "expected 2, `{offending}` and `{expected}`, got {:?} from {described}",
                ran.code
            ));
        }
    }
    assert_eq!(wrong, [""; 0]);
    assert_eq!(requests(&simulator), 0);
    assert!(!dir.has("out.jsonl") && !dir.has("out.jsonl.part"), "nothing was begun");
}

#[test]
fn a_model_needs_a_known_provider_a_reachable_server_and_a_key() {
    let dir = dir();
    let closed_port = "http://127.0.0.1:9/v1";
    for (model, more, variables, code, offending, hint) in [
        ("opnai/gpt-6-luna", &[][..], &[][..], 2, "unknown provider `opnai`", "did you mean `openai`?"),
        ("gpt-6-luna", &[], &[], 2, "unknown provider `gpt-6-luna`", "openai/NAME"),
        (
            "opnai/x",
            &["--base-url", closed_port],
            &[],
            2,
            "unknown provider `opnai`",
            "did you mean `openai`?",
        ),
        ("openai/", &[], &[], 2, "`openai/`", "for example"),
        ("openai/gpt-6-luna", &[], &[], 2, "`OPENAI_API_KEY` is not set", "set `OPENAI_API_KEY`"),
        (
            "openai/x",
            &["--base-url", closed_port],
            &[("OPENAI_API_KEY", " ")],
            2,
            "`OPENAI_API_KEY` is not set",
            "set `OPENAI",
        ),
        (
            "openai/x",
            &[],
            &[("OPENAI_API_KEY", "sk-\u{7}secret")],
            2,
            "the key has a character",
            "set it again",
        ),
        ("sim/guied", &[], &[], 2, "unknown scenario `guied`", "did you mean `guide`?"),
        ("sim/none.toml", &[], &[], 2, "`none.toml`", "sim --list"),
        ("sim", &["--base-url", "localhost:8000"], &[], 2, "`localhost:8000`", "http://localhost:8000/v1"),
        ("sim", &["--base-url", "https://localhost:1", "--ca-cert", "none.pem"], &[], 2, "`none.pem`", "PEM"),
        (
            "sim",
            &["--base-url", "https://localhost:1", "--ca-cert", "not-a-certificate.pem"],
            &[],
            2,
            "`not-a-certificate.pem`",
            "PEM",
        ),
        (
            "sim",
            &["--base-url", closed_port, "--retries", "0"],
            &[],
            1,
            closed_port,
            "that the server is running",
        ),
    ] {
        let arguments = ["run", "in.csv", "--schema", "name", "--prompt", "{{ text }}", "-m", model];
        let ran = dir.rowcall_with(&[&arguments[..], more].concat(), "", variables);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(code), ""), "{model} {more:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(offending), "`{offending}` is missing: {}", ran.stderr);
        assert!(
            ran.stderr.contains("hint: ") && ran.stderr.contains(hint),
            "`{hint}` is missing: {}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("secret"), "{}", ran.stderr);
    }
}

#[test]
fn a_bad_row_fails_in_its_position_with_its_line() {
    let simulator = simulator(Scenario::instant("for the good rows"));
    let (url, dir) = (simulator.base_url(), TestDir::new());
    let huge = format!("text\nAnn is 30\n\"{}\"\nEve is 50\n", "x".repeat(17 * 1024 * 1024));
    for (name, content, kind, expected) in [
        ("ragged.csv", b"text\nAnn is 30\none,two\nEve is 50\n".to_vec(), "input", ["line 3", "2", "1"]),
        (
            "bytes.csv",
            b"text\nAnn is 30\nGr\xfc\xdfe\nEve is 50\n".to_vec(),
            "encoding",
            ["line 3", "UTF-8", ""],
        ),
        ("huge.csv", huge.into_bytes(), "input", ["line 3", "bytes", ""]),
        (
            "torn.jsonl",
            b"{\"text\": \"Ann is 30\"}\n{\"text\": \n{\"text\": \"Eve is 50\"}".to_vec(),
            "input",
            ["line 2", "", ""],
        ),
        (
            "list.jsonl",
            b"{\"text\": \"Ann is 30\"}\n[1]\n{\"text\": \"Eve is 50\"}".to_vec(),
            "input",
            ["line 2", "object", ""],
        ),
        (
            "lacks.jsonl",
            b"{\"text\": \"Ann is 30\"}\n{\"words\": 1}\n{\"text\": \"Eve is 50\"}".to_vec(),
            "template",
            ["`text`", "`words`", ""],
        ),
        (
            "clash.jsonl",
            b"{\"text\": \"Ann is 30\"}\n{\"text\": \"x\", \"age\": 1}\n{\"text\": \"Eve is 50\"}".to_vec(),
            "clash",
            ["`age`", "line 2", ""],
        ),
    ] {
        let before = requests(&simulator);
        dir.write(name, content);
        let ran = run(&dir, &url, Asked { input: name, schema: "age int", ..RIGHT });
        assert_eq!(ran.code, Some(3), "{name}: {}", ran.stderr);
        let rows = ran.lines();
        let ages: Vec<_> =
            rows.iter().map(|row| row["_error"].is_null().then(|| row["age"].clone())).collect();
        assert_eq!(
            ages,
            [Some(Value::from(30)), None, Some(Value::from(50))],
            "{name}: the other rows are done"
        );
        let (failed, message) =
            (&rows[1]["_error"], rows[1]["_error"]["message"].as_str().unwrap_or_default());
        assert_eq!(failed["kind"], kind, "{name}: {failed}");
        for part in expected {
            assert!(message.contains(part), "{name}: `{part}` is missing: {message}");
        }
        assert_eq!(requests(&simulator) - before, 2, "{name}: nothing is asked about the bad row");
    }
}

#[test]
fn a_truncated_input_keeps_the_finished_rows() {
    let simulator = simulator(Scenario::instant("for the rows before the tear"));
    let (url, dir) = (simulator.base_url(), TestDir::new());
    dir.write("torn.json", "[{\"text\": \"Ann is 30\"}, {\"text\": \"Eve is 50\"}, {\"te");
    let ran = run(&dir, &url, Asked { input: "torn.json", schema: "age int", ..RIGHT });
    assert_eq!((ran.code, ran.lines().len()), (Some(1), 2), "{}", ran.stderr);
    assert!(ran.stderr.contains("torn.json"), "{}", ran.stderr);
}
