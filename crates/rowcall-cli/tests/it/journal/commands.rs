//! Failed rows: they are known as failed, `status` counts them, `rerun` retries them.

use rowcall_sim::{Fault, FaultKind, Options, Scenario, Simulator};
use serde_json::json;

use super::{JOURNAL, Story, answers, assert_exit, each, people, send};
use crate::command::{Ran, TestDir, ages, lines};

/// Declines to answer about ages with a 7, at every request or only at a row's first ones.
fn declining(first: Option<u8>) -> Scenario {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("7");
    let refusal = first.map_or(refusal.clone(), |first| refusal.with_attempts(first));
    Scenario::instant("declines to answer about some").with_fault(refusal)
}

#[test]
fn failed_rows_are_known_as_failed() {
    let story = Story::new(declining(None), &ages(50));
    assert_exit(&story.run(&[]), 3, &["45 done, 5 failed (5 refusal)"]);
    let (asked, output) = (story.asked(), story.output());
    assert!(asked >= 50);
    for _ in 0..2 {
        assert_exit(&story.run(&[]), 3, &["45 done, 5 failed (5 refusal), 50 of these known without asking"]);
        assert_eq!((story.asked(), story.output()), (0, output.clone()));
    }
    let status = story.status();
    for (name, expected) in [
        ("done", json!(45)),
        ("failed", json!(5)),
        ("failures", json!({"refusal": 5})),
        ("requests", json!(asked)),
        ("model", json!("sim/sim")),
        ("output", json!(story.dir.path("out.jsonl"))),
    ] {
        assert_eq!(status[name], expected, "{name}");
    }
    let text = story.dir.rowcall(&["status", JOURNAL]).stdout;
    for part in ["complete", "45 done, 5 failed (5 refusal)"] {
        assert!(text.contains(part), "`{part}` is missing: {text}");
    }
}

#[test]
fn rerun_asks_the_failed_rows_and_rewrites_the_output() {
    let story = Story::new(declining(Some(1)), &ages(50));
    assert_exit(&story.run(&["--failed", "failed.jsonl", "--max-reasks", "0"]), 3, &["5 failed"]);
    assert_eq!((story.asked(), lines(&story.dir.read("failed.jsonl")).len()), (50, 5));
    // Neither the input nor the address has to be given.
    std::fs::remove_file(story.dir.path("in.txt")).expect("the input");
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL]), 0, &["5 done", "50 rows, 0 failed"]);
    assert_eq!((story.asked(), story.output()), (5, answers(0..50)));
    assert_eq!(story.dir.read("failed.jsonl"), "");
    let status = story.status();
    assert_eq!(
        (&status["failed"], &status["failures"], &status["done"]),
        (&json!(0), &json!({}), &json!(50))
    );
    assert_eq!((&status["requests"], story.count("outcomes")), (&json!(55), 55));
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL]), 0, &["50 rows, 0 failed"]);
    story.dir.write("in.txt", ages(50));
    assert_exit(&story.run(&[]), 0, &["50 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(0..50)));
}

#[test]
fn rerun_of_rows_that_fail_again_keeps_the_others() {
    let story = Story::new(declining(None), &ages(50));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["5 failed"]);
    let (asked, output) = (story.asked(), story.output());
    assert_eq!(asked, 50);
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL, "--max-reasks", "0"]), 3, &["50 rows, 5 failed"]);
    assert_eq!((story.asked(), story.output()), (5, output.clone()));
    assert_exit(&story.run(&[]), 3, &["50 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, output));
}

#[test]
fn rerun_asks_equal_failed_rows_once_and_each_has_the_value() {
    let twice = (0..50).chain(0..50);
    for (more, asked) in [(&[][..], 5), (&["--no-dedup"], 10)] {
        let story = Story::new(declining(Some(if asked == 5 { 1 } else { 2 })), &people(twice.clone()));
        assert_exit(&story.run(&[more, &["--max-reasks", "0"]].concat()), 3, &["10 failed"]);
        assert_eq!(story.asked(), asked * 10);
        assert_exit(&story.dir.rowcall(&["rerun", JOURNAL]), 0, &["100 rows, 0 failed"]);
        assert_eq!((story.asked(), story.output()), (asked, answers(twice.clone())), "{more:?}");
        assert_exit(&story.run(more), 0, &["100 of these known"]);
        assert_eq!((story.asked(), story.output()), (0, answers(twice.clone())), "{more:?}");
    }
}

#[test]
fn a_killed_rerun_resumes() {
    let scenario =
        declining(Some(1)).with_latency(rowcall_sim::Latency::fixed(std::time::Duration::from_millis(20)));
    let sevens = 7_000..7_200;
    let story = Story::new(scenario, &people(sevens.clone()));
    assert_exit(&story.run(&["--max-reasks", "0", "-c", "32"]), 3, &["200 failed"]);
    assert_eq!(story.asked(), 200);
    let mut child = story.dir.start(&["rerun", JOURNAL, "-c", "8"], &[]);
    story.until_requests(&mut child, 300);
    child.kill().expect("it is killed");
    child.wait().expect("it ends");
    let mut child = story.dir.start(&["rerun", JOURNAL, "-c", "8"], &[]);
    story.until_requests(&mut child, 340);
    send("-INT", &child);
    assert_exit(&Ran::of(child), 130, &["interrupted: run the same command to ask about the remaining rows"]);
    assert!(!story.dir.has("out.jsonl.part"), "the output is not started before all rows are asked");
    assert_eq!(lines(&story.output()).len(), 200, "the output is as it was");
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL]), 0, &["200 rows, 0 failed"]);
    assert_eq!(story.output(), answers(sevens));
    let possibly_paid = story.count("possibly_paid");
    assert!((200..=200 + possibly_paid).contains(&story.asked()), "{possibly_paid} possibly paid");
}

#[test]
fn rows_without_a_prompt_are_neither_asked_nor_recorded_twice() {
    let story = Story::instant("");
    story.dir.write(
        "in.jsonl",
        "{\"text\": \"Ann is 30\"}\n{\"words\": \"Bob is 40\"}\n{\"text\": \n{\"text\": \"Eve is 50\"}\n",
    );
    let run = || story.dir.rowcall(&[&story.asking("in.jsonl")[..], &["-o", "out.jsonl"]].concat());
    assert_exit(&run(), 3, &["2 done, 2 failed"]);
    let (outcomes, output) = (story.count("outcomes"), story.output());
    assert_eq!((story.asked(), outcomes), (2, 4));
    for _ in 0..3 {
        assert_exit(&run(), 3, &["2 done, 2 failed"]);
        assert_eq!((story.asked(), story.count("outcomes"), story.output()), (0, 4, output.clone()));
    }
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL]), 3, &["4 rows, 2 failed"]);
    assert_eq!((story.asked(), story.count("outcomes"), story.output()), (0, 4, output));
    assert_eq!(story.status()["failures"], json!({"input": 1, "template": 1}));
}

#[test]
fn rerun_uses_another_server_and_output_if_named() {
    let story = Story::new(declining(None), &ages(50));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["5 failed"]);
    let (asked, output) = (story.asked(), story.output());
    let elsewhere =
        Simulator::start(Scenario::instant("declines nothing"), Options::default()).expect("it starts");
    let arguments = ["rerun", JOURNAL, "--base-url", &elsewhere.base_url(), "-o", "again.csv"];
    assert_exit(&story.dir.rowcall(&arguments), 0, &["wrote `again.csv`: 50 rows, 0 failed"]);
    assert_eq!((asked, story.asked(), elsewhere.stats().requests.all), (50, 0, 5));
    assert_eq!(story.output(), output, "the journal's own output is not this one");
    let csv = each(0..50, |age| format!("Ann is {age},{age},\n"));
    assert_eq!(story.dir.read("again.csv"), format!("text,age,_error\n{csv}"));
}

#[test]
fn rerun_of_a_journal_without_an_output_leaves_that_to_export() {
    let story = Story::new(declining(Some(1)), &ages(20));
    let run = [&story.asking("in.txt")[..], &["--journal", "kept", "--max-reasks", "0"]].concat();
    assert_exit(&story.dir.rowcall(&run), 3, &["2 failed"]);
    let ran = story.dir.rowcall(&["rerun", "kept"]);
    assert_exit(&ran, 0, &["use `rowcall export` to write one"]);
    assert_eq!((ran.stdout.as_str(), story.asked()), ("", 22));
    assert_eq!(story.dir.rowcall(&["export", "kept"]).stdout, answers(0..20));
}

#[test]
fn rerun_checks_its_output_before_it_asks() {
    let story = Story::new(declining(None), &ages(50));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["5 failed"]);
    assert_eq!(story.asked(), 50);
    story.dir.write("letters.jsonl", "dear Ann\n");
    for (output, part) in [
        ("letters.jsonl", "`letters.jsonl` exists and is not this journal's output"),
        ("out.xlsx", "`.xlsx`"),
        ("none/out.jsonl", "`none/out.jsonl`"),
    ] {
        assert_exit(&story.dir.rowcall(&["rerun", JOURNAL, "-o", output]), 2, &[part, "hint: "]);
        assert_eq!(story.asked(), 0, "{output}");
    }
    assert_eq!(story.dir.read("letters.jsonl"), "dear Ann\n");
    assert!(!story.dir.has("out.jsonl.part"));
}

#[test]
fn rerun_asks_as_the_run_did() {
    let dir = TestDir::new();
    let story = Story::new(declining(Some(1)).with_key("sk-right"), &ages(10));
    dir.write("in.txt", ages(10));
    let key = [("OPENAI_API_KEY", "sk-right")];
    let arguments = [
        "run",
        "in.txt",
        "-s",
        "age int",
        "-p",
        "{{ text }}",
        "--system",
        "Be exact.",
        "-m",
        "openai/x",
        "--base-url",
        &story.url,
        "-o",
        "out.jsonl",
        "--mode",
        "tool",
        "--temperature",
        "0.5",
        "--max-output-tokens",
        "500",
        "--param",
        "seed=7",
        "--into",
        "found",
        "--meta",
        "--max-reasks",
        "0",
    ];
    assert_exit(&dir.rowcall_with(&arguments, "", &key), 3, &["1 failed"]);
    assert_exit(&dir.rowcall(&["rerun", JOURNAL]), 2, &["`OPENAI_API_KEY` is not set"]);
    assert_exit(&dir.rowcall_with(&["rerun", JOURNAL], "", &key), 0, &["10 rows, 0 failed"]);
    assert_eq!(story.asked(), 11);
    for (age, line) in lines(&dir.read("out.jsonl")).iter().enumerate() {
        assert_eq!((&line["found"]["age"], &line["_meta"]["attempts"]), (&json!(age), &json!(1)), "{line}");
    }
    // The rerun has the same plan as the run: nothing has changed, and all rows are known.
    assert_exit(&dir.rowcall_with(&arguments, "", &key), 0, &["10 of these known"]);
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_missing_journal_is_an_error() {
    let dir = TestDir::new();
    for command in [&["status", "none.journal"][..], &["export", "none.journal"], &["rerun", "none.journal"]]
    {
        let ran = dir.rowcall(command);
        assert_exit(&ran, 2, &["there is no journal `none.journal`", "hint: "]);
        assert!(!dir.has("none.journal") && !dir.has("none.journal-lock"), "{command:?}");
    }
}
