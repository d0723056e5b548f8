//! Probes of a server's schema support: shown, saved, and used for a run.

use std::collections::HashMap;

use rowcall_sim::{Engine, Scenario, Simulator};
use serde_json::Value;

use crate::command::{Ran, TestDir, requests, simulator};

fn behind(ignores: &[&str], refuses: &[&str]) -> Engine {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Engine { ignores: owned(ignores), refuses: owned(refuses), babbles: false }
}

fn served_by(engine: Engine) -> Simulator {
    simulator(Scenario::instant("a constrained decoder").with_engine(engine))
}

fn probe(model: &str, server: &Simulator, more: &[&str]) -> Ran {
    let url = server.base_url();
    let asked = ["schema", "name", "--for", model, "--base-url", &url, "--probe"];
    TestDir::new().rowcall_with(&[&asked, more].concat(), "", &[("OPENAI_API_KEY", "sk-test")])
}

/// The finding for each feature, the number of requests, and the notes.
fn found(model: &str, server: &Simulator) -> (HashMap<String, String>, u64, HashMap<String, String>) {
    let ran = probe(model, server, &["--json", "--quiet"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let shown: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = shown["probe"]["observed"].as_array().expect("a list").clone();
    let by = |field: &'static str| all.iter().map(move |one| (text(&one["feature"]), text(&one[field])));
    let (findings, notes) = (by("finding").collect(), by("note").collect());
    (findings, shown["probe"]["requests"].as_u64().expect("a number"), notes)
}

#[test]
fn a_server_is_probed_keyword_by_keyword() {
    let ignored = ["pattern", "format=email", "order", "minItems", "maxItems"];
    let server = served_by(behind(&ignored, &["multipleOf", "prefixItems"]));
    let (findings, asked, notes) = found("vllm/m", &server);
    assert_eq!(asked, requests(&server), "all requests are counted");
    for (feature, finding) in &findings {
        let expected = match feature.as_str() {
            "pattern" | "format_email" | "order" | "item_count" => "ignored",
            "multiple_of" | "tuple" => "refused",
            // Too few items would have to differ.
            "unique_items" => "unknown",
            _ => "enforced",
        };
        assert_eq!(finding, expected, "{feature}: {}", notes[feature]);
    }
    assert_eq!(notes["pattern"], r#"answered `{"value":"hello"}`"#);
    assert!(notes["multiple_of"].contains("Unimplemented keys"), "{}", notes["multiple_of"]);
}

/// A value that a model makes up without enforcement can be valid by chance.
#[test]
fn made_up_values_are_not_mistaken_for_enforcement() {
    let ignored = [
        "pattern",
        "format",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "enum",
    ];
    let server = served_by(Engine { babbles: true, ..behind(&ignored, &[]) });
    let (findings, _, notes) = found("llama.cpp/m", &server);
    for (feature, finding) in &findings {
        let is_form = ["schema", "order", "closed_object", "optional_property", "recursion", "any_value"]
            .contains(&feature.as_str());
        assert!(is_form || finding != "enforced", "{feature}: {}", notes[feature]);
    }
    assert_eq!((&*findings["schema"], &*findings["integer_bounds"]), ("enforced", "ignored"));
}

#[test]
fn a_server_that_enforces_no_schema_is_not_probed_further() {
    let server = served_by(behind(&["json_schema"], &[]));
    let (findings, asked, notes) = found("ollama/m", &server);
    assert_eq!((&*findings["schema"], asked), ("ignored", 1));
    assert!(findings.iter().all(|(feature, finding)| feature == "schema" || finding == "unknown"));
    assert!(notes["pattern"].starts_with("not asked"), "{}", notes["pattern"]);
    let refusing = served_by(behind(&[], &["additionalProperties"]));
    assert_eq!(found("ollama/m", &refusing).0["schema"], "refused");
}

#[test]
fn a_hosted_service_can_be_probed_too() {
    let server = simulator(Scenario::instant("OpenAI's own rules"));
    let (findings, _, _) = found("openai/m", &server);
    for (feature, finding) in [
        ("pattern", "enforced"),
        ("number_bounds", "enforced"),
        ("optional_property", "refused"),
        ("map", "refused"),
    ] {
        assert_eq!(findings[feature], finding, "{feature}");
    }
}

#[test]
fn findings_are_shown_as_a_table_and_used_for_the_schema() {
    let server = served_by(behind(&["pattern"], &["multipleOf"]));
    let url = server.base_url();
    let schema = r#"{"type":"object","properties":{"a":{"type":"string","pattern":"^a"},"b":{"type":"number","maximum":2.125}},"required":["a","b"],"additionalProperties":false}"#;
    let asked = ["schema", schema, "--for", "llama.cpp/m", "--base-url", &url, "--probe"];
    let ran = TestDir::new().rowcall(&asked);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for words in ["  ignored   `pattern` ", "  refused   `multipleOf` of integers ", "\"maximum\": 2.125"] {
        assert!(ran.stdout.contains(words), "`{words}` is missing: {}", ran.stdout);
    }
    assert!(!ran.stdout.contains("\"pattern\": \"^a.*$\""), "{}", ran.stdout);
    assert!(ran.stdout.contains("`/properties/a`, pattern:"), "a loss: {}", ran.stdout);
    assert!(
        ran.stderr.contains("1 of 29: an object with a property of a type is enforced"),
        "{}",
        ran.stderr
    );
}

const CODES: &str = r#"{"type":"object","properties":{"code":{"type":"string","pattern":"^[a-z ]+$"},"size":{"type":"integer","minimum":3}},"required":["code","size"],"additionalProperties":false}"#;

fn run<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let run = ["run", "in.csv", "-s", CODES, "-p", "{{ text }}", "-m", "vllm/m", "--base-url", url];
    [&run[..], &["-o", "out.jsonl", "--max-reasks", "0"], more].concat()
}

#[test]
fn a_run_probes_the_server_once_and_its_journal_remembers() {
    // Without an enforced pattern the model makes up letters and digits.
    let server = served_by(behind(&[], &["pattern"]));
    let url = server.base_url();
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn\n");
    let first = dir.rowcall(&run(&url, &["--dialect", "auto"]));
    assert!(first.stderr.contains("note: the server was probed for its schema support"), "{}", first.stderr);
    assert!(first.stderr.contains("it refuses `pattern`"), "{}", first.stderr);
    let refused = server.stats().requests.invalid;
    assert_eq!(refused, 1, "only the request about `pattern` is refused");
    let after_first = requests(&server);

    dir.write("in.csv", "text\nAnn\nBob\n");
    let second = dir.rowcall(&run(&url, &["--dialect", "auto"]));
    assert!(second.stderr.contains("is known from the journal"), "{}", second.stderr);
    assert_eq!(requests(&server), after_first + 1, "one row more");
    assert_eq!(server.stats().requests.invalid, refused);

    // The rerun uses the known findings.
    let again = dir.rowcall(&["rerun", "out.jsonl.journal"]);
    assert_eq!(server.stats().requests.invalid, refused, "{}", again.stderr);

    // Another schema needs more findings.
    let other = CODES.replace("\"minimum\":3", "\"minimum\":3,\"multipleOf\":5");
    let mut changed = run(&url, &["--dialect", "auto", "--accept-changes", "--quiet"]);
    changed[3] = &other;
    let before = requests(&server);
    let third = dir.rowcall(&changed);
    assert_eq!(third.stderr, "");
    // Two requests about schemas as such, two about multiples, then two rows.
    assert_eq!(requests(&server), before + 6);
}

#[test]
fn findings_can_be_saved_for_runs() {
    let server = served_by(behind(&[], &["pattern"]));
    let url = server.base_url();
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn\n");
    let saved = probe("vllm/m", &server, &["--json", "--quiet"]);
    dir.write("gpu.json", &saved.stdout);
    let before = server.stats().requests;
    let ran = dir.rowcall(&run(&url, &["--dialect", "gpu.json"]));
    let after = server.stats().requests;
    assert_eq!((after.all - before.all, after.invalid - before.invalid), (1, 0), "{}", ran.stderr);
    let named = dir.rowcall(&run(&url, &["--dialect", "xgrammar", "--fresh"]));
    assert!(server.stats().requests.invalid > after.invalid, "{}", named.stderr);
    let other = dir.rowcall(&run(&url, &["--dialect", "in.json"]));
    assert_eq!(other.code, Some(2));
    assert!(other.stderr.contains("the dialect file `in.json` cannot be read"), "{}", other.stderr);
    dir.write("in.json", "{}");
    let other = dir.rowcall(&run(&url, &["--dialect", "in.json"]));
    assert!(other.stderr.contains("the dialect file `in.json` has no `probe`"), "{}", other.stderr);
}

#[test]
fn no_probe_is_sent_where_nothing_may_be_sent() {
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn\n");
    let shown = dir.rowcall(&run("http://127.0.0.1:9/v1", &["--dialect", "auto", "--show-requests", "1"]));
    assert_eq!(shown.code, Some(2));
    assert!(shown.stderr.contains("dialect `auto` asks the server"), "{}", shown.stderr);
    let schema = dir.rowcall(&["schema", "name", "--for", "vllm", "--dialect", "auto"]);
    assert!(schema.stderr.contains("hint: add `--probe`"), "{}", schema.stderr);
    let json = dir.rowcall(&["schema", "name", "--for", "vllm/m", "--mode", "json", "--probe"]);
    assert_eq!(json.code, Some(2));
    assert!(json.stderr.contains("no server enforces a schema by a JSON object"), "{}", json.stderr);
    let usage = dir.rowcall(&["schema", "name", "--for", "vllm/m", "--base-url", "http://127.0.0.1:9/v1"]);
    assert_eq!(usage.code, Some(2), "{}", usage.stderr);
}

#[test]
fn a_server_that_rejects_the_key_is_reported_at_once() {
    let server = simulator(Scenario::instant("a key").with_key("sk-other"));
    let ran = probe("openai/m", &server, &["--quiet"]);
    assert_eq!((ran.code, requests(&server)), (Some(1), 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("401"), "{}", ran.stderr);
}

#[test]
fn the_cost_of_a_probe_counts_against_the_budget() {
    let server = served_by(behind(&[], &[]));
    let url = server.base_url();
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn\n");
    let paid = ["--dialect", "auto", "--price", "in=1000,out=1000", "--max-output-tokens", "50", "--budget"];
    let short = dir.rowcall(&run(&url, &[&paid[..], &["0.5"]].concat()));
    assert_eq!(short.code, Some(4), "{}", short.stderr);
    assert!(short.stderr.contains("the budget of $0.50 is less than"), "{}", short.stderr);
    assert_eq!(requests(&server), 0);
    let enough = dir.rowcall(&run(&url, &[&paid[..], &["50"]].concat()));
    assert!(enough.stderr.contains(" tokens, $"), "{}", enough.stderr);
    // The journal has the cost of the probe, which counts before more is sent.
    let spent = status(&dir);
    assert_eq!(spent["requests"].as_u64(), Some(requests(&server)));
    assert!(
        enough.stderr.contains(&format!("requests  {}, 0 re-asks", requests(&server))),
        "{}",
        enough.stderr
    );
    let other = CODES.replace("\"minimum\":3", "\"minimum\":3,\"multipleOf\":5");
    let cost = format!(
        "{:.4}",
        spent["cost_usd"].to_string().trim_matches('"').parse::<f64>().expect("a cost") + 0.1
    );
    let mut resumed = run(&url, &[&paid[..], &[&cost, "--accept-changes"]].concat());
    resumed[3] = &other;
    let before = requests(&server);
    let used_up = dir.rowcall(&resumed);
    assert_eq!((used_up.code, requests(&server)), (Some(4), before), "{}", used_up.stderr);
    assert!(used_up.stderr.contains("is used up"), "{}", used_up.stderr);
}

#[test]
fn the_cost_of_a_probe_that_the_budget_ends_is_recorded() {
    let server = served_by(behind(&[], &[]));
    let url = server.base_url();
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn\n");
    // Enough for the first request, since each may cost $2.673.
    let paid = ["--dialect", "auto", "--price", "in=1000,out=1000", "--budget", "3.2", "-c", "1"];
    let ran = dir.rowcall(&run(&url, &paid));
    assert_eq!(ran.code, Some(4), "{}", ran.stderr);
    assert!(ran.stderr.contains("unknown: "), "{}", ran.stderr);
    let spent = status(&dir);
    assert!(requests(&server) > 0);
    assert_eq!(spent["requests"].as_u64(), Some(requests(&server)), "{spent}");
    assert_ne!(spent["cost_usd"].to_string().trim_matches('"'), "0", "{spent}");
}

fn status(dir: &TestDir) -> Value {
    let shown = dir.rowcall(&["status", "out.jsonl.journal", "--json"]);
    serde_json::from_str(&shown.stdout).expect("JSON")
}
