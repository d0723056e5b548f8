//! `rowcall run` when all goes well: inputs, outputs, orders, and what they look like.

use rowcall_sim::Scenario;
use serde_json::{Value, json};

use crate::command::{Workplace, example, lines, requests, simulator};

const SCHEMA: &str = "name, age int, occupation";
const PROMPT: &str = "Extract person info: {{ text }}";

#[test]
fn the_readmes_command_gives_seven_correct_records() {
    let place = Workplace::new();
    let people = example("people.csv");
    let input = people.to_str().expect("a path");
    let ran = place.rowcall(&[
        "run",
        input,
        "--schema",
        SCHEMA,
        "--prompt",
        PROMPT,
        "-m",
        "sim",
        "-o",
        "people.jsonl",
    ]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    let expected = [
        ("John Smith", 30, "software engineer"),
        ("Sarah Johnson", 25, "data scientist"),
        ("Mike Davis", 35, "product manager"),
        ("Lisa Wilson", 28, "UX designer"),
        ("Tom Brown", 32, "DevOps engineer"),
        ("Emma Garcia", 27, "frontend developer"),
        ("David Lee", 33, "backend developer"),
    ];
    let records = lines(&place.read("people.jsonl"));
    assert_eq!(records.len(), expected.len());
    for (record, (name, age, occupation)) in records.iter().zip(expected) {
        let text = format!("{name} is a {age}-year-old {occupation}");
        let whole = json!({"text": text, "name": name, "age": age, "occupation": occupation, "_error": null});
        assert_eq!(record, &whole);
        assert_eq!(record.to_string(), whole.to_string(), "the fields stand in this order");
    }
    assert!(ran.stderr.contains("7 done"), "{}", ran.stderr);
    assert!(!place.has("people.jsonl.part"));
}

#[test]
fn fifty_unknown_people_are_read_from_their_sentences() {
    let people = include_str!("../data/fifty.csv");
    let mut rows = people.lines().skip(1).map(|line| line.split(';').collect::<Vec<_>>());
    let input: Vec<_> = rows.clone().map(|row| json!({"text": row[3]}).to_string()).collect();
    let place = Workplace::new();
    place.write("fifty.jsonl", input.join("\n"));
    let ran = place.rowcall(&[
        "run",
        "fifty.jsonl",
        "--schema",
        SCHEMA,
        "--prompt",
        PROMPT,
        "-m",
        "sim",
        "--quiet",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let wrong: Vec<_> = ran
        .lines()
        .into_iter()
        .filter(|record| {
            let row = rows.next().expect("a row for each record");
            let age: u64 = row[1].parse().expect("an age");
            record["name"] != row[0] || record["age"] != age || record["occupation"] != row[2]
        })
        .collect();
    assert!(wrong.len() <= 2, "{} of fifty are wrong: {wrong:#?}", wrong.len());
}

#[test]
fn a_pipe_gives_json_lines_and_nothing_else_on_stdout() {
    let place = Workplace::new();
    let arguments = ["run", "-", "--schema", "name, age int", "--prompt", "{{ text }}", "-m", "sim"];
    let ran = place.rowcall_with(&arguments, "text\n\"Ann is a 30-year-old nurse\"\n", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(
        ran.stdout,
        "{\"text\":\"Ann is a 30-year-old nurse\",\"name\":\"Ann\",\"age\":30,\"_error\":null}\n"
    );
}

#[test]
fn what_went_in_comes_out_as_it_was() {
    let place = Workplace::new();
    place.write("in.csv", "code,long,text\n007,12345678901234567890,\"Ann, 30\"\n");
    place.write(
        "in.jsonl",
        "{\"code\": \"007\", \"long\": 12345678901234567890, \"n\": 1.50, \"text\": \"Ann, 30\"}\n",
    );
    for (input, expected) in [
        ("in.csv", r#"{"code":"007","long":"12345678901234567890","text":"Ann, 30","age":30,"_error":null}"#),
        (
            "in.jsonl",
            r#"{"code": "007", "long": 12345678901234567890, "n": 1.50, "text": "Ann, 30","age":30,"_error":null}"#,
        ),
    ] {
        let ran = place.rowcall(&[
            "run",
            input,
            "--schema",
            "age int",
            "--prompt",
            "{{ text }} {{ long }}",
            "-m",
            "sim",
        ]);
        assert_eq!((ran.code, ran.stdout.trim_end()), (Some(0), expected), "{}", ran.stderr);
    }
}

#[test]
fn csv_out_has_the_inputs_columns_then_the_values() {
    let place = Workplace::new();
    place.write("in.csv", "id,text\n1,Ann is a 30-year-old nurse\n");
    let ran = place.rowcall(&[
        "run",
        "in.csv",
        "--schema",
        "name, age int",
        "--prompt",
        "{{ text }}",
        "-m",
        "sim",
        "-o",
        "out.csv",
        "--meta",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let out = place.read("out.csv");
    let mut rows = out.lines();
    assert_eq!(
        rows.next(),
        Some(
            "id,text,name,age,_error,_meta_attempts,_meta_prompts,_meta_input_tokens,_meta_cached_tokens,\
             _meta_output_tokens,_meta_cost_usd,_meta_cost_unknown,_meta_latency_s,_meta_model,_meta_finish_reason,_meta_from_cache"
        )
    );
    assert!(
        rows.next().is_some_and(|row| row.starts_with("1,Ann is a 30-year-old nurse,Ann,30,,1,1,")),
        "{out}"
    );
}

#[test]
fn meta_tells_what_a_row_took() {
    let place = Workplace::new();
    place.write("in.txt", "Ann is a 30-year-old nurse\n");
    let ran = place.rowcall(&[
        "run",
        "in.txt",
        "--schema",
        "name",
        "--prompt",
        "{{ text }}",
        "-m",
        "sim",
        "--meta",
    ]);
    let meta = ran.lines()[0]["_meta"].clone();
    assert_eq!(
        (&meta["attempts"], &meta["prompts"], &meta["finish_reason"]),
        (&json!(1), &json!(1), &json!("stop"))
    );
    assert!(meta["input_tokens"].as_u64().is_some_and(|tokens| tokens > 0), "{meta}");
    assert!(meta["latency_s"].as_f64().is_some_and(|seconds| seconds >= 0.02), "{meta}");
}

#[test]
fn a_value_can_stand_under_a_name_of_its_own() {
    let place = Workplace::new();
    place.write("in.csv", "name\nAnn is a 30-year-old nurse\n");
    let clashing = ["run", "in.csv", "--schema", "name", "--prompt", "{{ name }}", "-m", "sim"];
    let ran = place.rowcall(&clashing);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    assert!(ran.stderr.contains("`name`") && ran.stderr.contains("--into"), "{}", ran.stderr);
    let ran = place.rowcall(&[&clashing[..], &["--into", "person"]].concat());
    assert_eq!(ran.lines()[0]["person"], json!({"name": "Ann"}), "{}", ran.stderr);
}

#[test]
fn a_schema_without_properties_gives_a_value() {
    let place = Workplace::new();
    place.write("in.txt", "ok\n");
    place.write("list.json", r#"{"type": "array", "items": {"type": "integer"}, "minItems": 2}"#);
    let ran =
        place.rowcall(&["run", "in.txt", "--schema", "list.json", "--prompt", "{{ text }}", "-m", "sim"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.lines()[0]["value"].as_array().is_some_and(|list| list.len() >= 2), "{}", ran.stdout);
}

#[test]
fn both_modes_and_orders_give_every_row() {
    let place = Workplace::new();
    let rows: Vec<_> = (0..300)
        .map(|n| json!({"id": n, "text": format!("Ann is a {}-year-old nurse", 20 + n % 60)}).to_string())
        .collect();
    place.write("in.jsonl", rows.join("\n"));
    for (mode, order) in
        [("schema", "input"), ("tool", "input"), ("schema", "completed"), ("tool", "completed")]
    {
        let ran = place.rowcall(&[
            "run",
            "in.jsonl",
            "--schema",
            "age int",
            "--prompt",
            "{{ text }}",
            "-m",
            "sim/slow-tail",
            "--mode",
            mode,
            "--order",
            order,
            "-c",
            "300",
        ]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let records = ran.lines();
        let ids: Vec<_> = records.iter().filter_map(|record| record["id"].as_u64()).collect();
        let sorted: Vec<_> = (0..300).collect();
        assert_eq!(ids == sorted, order == "input", "{mode} {order}");
        for record in records {
            assert_eq!(record["age"], json!(20 + record["id"].as_u64().expect("an id") % 60));
        }
    }
}

#[test]
fn requests_are_shown_and_not_sent() {
    let simulator = simulator(Scenario::instant("for looking at"));
    let place = Workplace::new();
    place.write("in.csv", "text\nfirst\nsecond\nthird\n");
    let url = simulator.base_url();
    let ran = place.rowcall_with(
        &[
            "run",
            "in.csv",
            "--schema",
            "name",
            "--prompt",
            "Who? {{ text }}",
            "--system",
            "Be brief.",
            "-m",
            "openai/gpt-6-luna",
            "--base-url",
            &url,
            "--show-requests",
            "2",
            "--header",
            "x-team: blue-secret",
            "--param",
            "top_k=3",
            "--temperature",
            "0",
            "--max-output-tokens",
            "50",
        ],
        "",
        &[("OPENAI_API_KEY", "sk-very-secret")],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(requests(&simulator), 0);
    assert!(!format!("{ran:?}").contains("secret"), "{ran:?}");
    assert!(ran.stdout.contains("authorization: ***"), "{}", ran.stdout);
    assert_eq!(ran.stdout.matches(&format!("POST {url}/chat/completions")).count(), 2);
    let bodies: Vec<Value> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(
        bodies[1]["messages"],
        json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Who? second"}])
    );
    assert_eq!(
        (&bodies[0]["top_k"], &bodies[0]["temperature"], &bodies[0]["max_tokens"]),
        (&json!(3), &json!(0.0), &json!(50))
    );
    assert_eq!(bodies[0]["response_format"]["json_schema"]["strict"], true);
}

#[test]
fn verbose_logs_each_attempt_without_the_key() {
    let simulator = simulator(Scenario::instant("for listening").with_key("sk-very-secret"));
    let place = Workplace::new();
    place.write("in.csv", "text\nAnn\nBob\n");
    let url = simulator.base_url();
    let ran = place.rowcall_with(
        &[
            "run",
            "in.csv",
            "--schema",
            "name",
            "--prompt",
            "{{ text }}",
            "-m",
            "openai/x",
            "--base-url",
            &url,
            "-v",
        ],
        "",
        &[("OPENAI_API_KEY", "sk-very-secret")],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches(" attempt 1: answered").count(), 2, "{}", ran.stderr);
    assert!(!format!("{ran:?}").contains("secret"));
}

#[test]
fn quiet_says_nothing() {
    let place = Workplace::new();
    let arguments =
        ["run", "-", "--schema", "name", "--prompt", "{{ text }}", "-m", "sim", "--quiet", "-o", "out.jsonl"];
    let ran = place.rowcall_with(&arguments, "text\nAnn\n", &[]);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

#[test]
fn no_rows_are_no_trouble() {
    let place = Workplace::new();
    for (name, content) in [("a.csv", "text\n"), ("b.jsonl", ""), ("c.json", "[]"), ("d.txt", "")] {
        place.write(name, content);
        let ran = place.rowcall(&[
            "run",
            name,
            "--schema",
            "name",
            "--prompt",
            "{{ text }}",
            "-m",
            "sim",
            "-o",
            "out.jsonl",
        ]);
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.stderr);
        assert_eq!(place.read("out.jsonl"), "", "{name}");
    }
}
