//! What cannot be run is refused before any request, with the offending value, what was expected, and a next step.

use rowcall_sim::Scenario;

use crate::command::{Workplace, requests, simulator};

#[test]
fn what_cannot_be_run_is_refused_before_any_request() {
    let simulator = simulator(Scenario::instant("for nothing to arrive at"));
    let url = simulator.base_url();
    let place = Workplace::new();
    place.write("in.csv", "text,topic\nAnn is 30,people\n");
    place.write("twice.csv", "text,text\n1,2\n");
    place.write("bad.json", "{\"type\": ");
    let run = |input: &str, schema: &str, prompt: &str, more: &[&str]| {
        let arguments =
            ["run", input, "--schema", schema, "--prompt", prompt, "-m", "sim", "--base-url", &url];
        place.rowcall(&[&arguments[..], more].concat())
    };
    for (ran, expected) in [
        (run("none.csv", "name", "{{ text }}", &[]), "cannot open `none.csv`"),
        (run("in.xlsx", "name", "{{ text }}", &[]), "`.xlsx`"),
        (run("twice.csv", "name", "{{ text }}", &[]), "`text`"),
        (run("in.csv", "name", "{{ title }}", &[]), "`title`"),
        (run("in.csv", "name", "{{ text", &[]), "line 1"),
        (run("in.csv", "name", "@none.txt", &[]), "`none.txt`"),
        (run("in.csv", "name, age integr", "{{ text }}", &[]), "`integr`"),
        (run("in.csv", "name, name", "{{ text }}", &[]), "`name`"),
        (run("in.csv", "bad.json", "{{ text }}", &[]), "`bad.json`"),
        (run("in.csv", r#"{"enum": []}"#, "{{ text }}", &[]), "enum"),
        (run("in.csv", "topic", "{{ text }}", &[]), "--into"),
        (run("in.csv", "name", "{{ text }}", &["-o", "in.csv"]), "`in.csv`"),
        (run("in.csv", "name", "{{ text }}", &["-o", "none/out.jsonl"]), "none/out.jsonl"),
        (run("in.csv", "name", "{{ text }}", &["-o", "out.xlsx"]), "xlsx"),
        (run("in.csv", "name", "{{ text }}", &["--rpm", "0"]), "`0` requests per minute"),
        (run("in.csv", "name", "{{ text }}", &["--timeout", "soon"]), "soon"),
        (run("in.csv", "name", "{{ text }}", &["--param", "model=x"]), "`model`"),
        (run("in.csv", "name", "{{ text }}", &["--mode", "magic"]), "magic"),
    ] {
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected), "`{expected}` is not in: {}", ran.stderr);
    }
    assert_eq!(requests(&simulator), 0);
}

#[test]
fn a_model_must_be_known_and_have_its_key() {
    let place = Workplace::new();
    place.write("in.csv", "text\nAnn\n");
    for (model, expected, hint) in [
        ("opnai/gpt-6-luna", "unknown provider `opnai`", "did you mean `openai`?"),
        ("openai/gpt-6-luna", "`OPENAI_API_KEY` is not set", "set `OPENAI_API_KEY`"),
        ("gpt-6-luna", "unknown provider `gpt-6-luna`", "hint"),
        ("sim/guied", "unknown scenario `guied`", "did you mean `guide`?"),
    ] {
        let ran =
            place.rowcall(&["run", "in.csv", "--schema", "name", "--prompt", "{{ text }}", "-m", model]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{}", ran.stderr);
        assert!(ran.stderr.contains(expected) && ran.stderr.contains(hint), "{}", ran.stderr);
    }
}
