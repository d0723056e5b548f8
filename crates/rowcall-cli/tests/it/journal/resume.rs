//! The same command again: after it finished, after SIGKILL and Ctrl-C, and with the options for the journal.

use std::io::{BufRead, BufReader};

use rowcall_sim::{Options, Scenario, Simulator};
use serde_json::json;

use super::{JOURNAL, Story, answers, assert_exit, people, send, sorted};
use crate::command::{Ran, TestDir, ages};

#[test]
fn the_same_command_again_asks_nothing_and_gives_the_same_output() {
    let story = Story::instant(&ages(300));
    assert_exit(&story.run(&[]), 0, &["300 done"]);
    assert_eq!((story.asked(), story.output()), (300, answers(0..300)));
    for left_behind in
        ["out.jsonl.part", "out.jsonl.journal-wal", "out.jsonl.journal-shm", "out.jsonl.journal-lock"]
    {
        assert!(!story.dir.has(left_behind), "{left_behind}");
    }
    for _ in 0..2 {
        let again = story.run(&[]);
        assert_exit(
            &again,
            0,
            &[
                "resuming `out.jsonl.journal`: 300 rows are known\n",
                "300 done, 300 of these known without asking",
            ],
        );
        assert_eq!((story.asked(), story.output()), (0, answers(0..300)));
    }
    assert_eq!((story.count("outcomes"), story.count("places"), story.count("intents")), (300, 300, 0));
    let status = story.status();
    for (name, expected) in [
        ("rows", json!(300)),
        ("done", json!(300)),
        ("failed", json!(0)),
        ("requests", json!(300)),
        ("possibly_paid", json!(0)),
        ("running", json!(false)),
        ("complete", json!(true)),
    ] {
        assert_eq!(status[name], expected, "{name}");
    }
}

#[test]
fn a_killed_run_resumes_and_reports_possible_double_billing() {
    let story = Story::slow(30, &ages(400));
    for round in 1..=3_u64 {
        story.kill(100, &["-c", "8"]);
        let status = story.status();
        let (requests, known) =
            (story.simulator.stats().requests.all, status["rows"].as_u64().expect("a count"));
        let possibly_paid = status["possibly_paid"].as_u64().expect("a count");
        assert!(possibly_paid >= round, "each time some were in flight: {status}");
        assert!(known + possibly_paid >= requests, "{requests} requests: {status}");
        assert_eq!((&status["running"], &status["complete"]), (&json!(false), &json!(false)));
        assert!(!story.dir.has("out.jsonl"), "an output gets its name when it is complete");
    }
    let cut_off = story.count("intents");
    let finished = story.run(&["-c", "8"]);
    let billed_twice =
        format!("{cut_off} rows were in flight when the last run was killed and may be billed twice");
    assert_exit(&finished, 0, &["resuming `out.jsonl.journal`: ", &billed_twice, "400 done", "billed?"]);
    assert_eq!(story.output(), answers(0..400), "the output of an undisturbed run");
    let (status, stats) = (story.status(), story.simulator.stats());
    let possibly_paid = status["possibly_paid"].as_u64().expect("a count");
    assert_eq!(possibly_paid, story.count("possibly_paid"));
    assert!(stats.requests.all <= 400 + possibly_paid, "{} requests: {status}", stats.requests.all);
    assert!(stats.repeats <= Some(possibly_paid), "{:?} were asked again: {status}", stats.repeats);
    assert_eq!((&status["rows"], &status["complete"]), (&json!(400), &json!(true)));
    assert_eq!((story.count("outcomes"), story.count("intents")), (400, 0));
}

#[test]
fn an_interrupted_run_is_never_billed_twice() {
    let story = Story::slow(30, &ages(200));
    let mut child = story.start(&["-c", "8"]);
    story.until_requests(&mut child, 50);
    send("-INT", &child);
    let ran = Ran::of(child);
    assert_exit(
        &ran,
        130,
        &["the journal is `out.jsonl.journal`: run the same command to continue", "rows left"],
    );
    let status = story.status();
    assert_eq!((&status["possibly_paid"], &status["complete"]), (&json!(0), &json!(false)));
    assert_eq!(status["rows"], story.simulator.stats().requests.all);
    assert_exit(&story.run(&["-c", "8"]), 0, &["resuming", "200 done"]);
    assert_eq!((story.asked(), story.output()), (200, answers(0..200)));
}

#[test]
fn fresh_starts_over() {
    let story = Story::instant(&ages(50));
    assert_exit(&story.run(&[]), 0, &[]);
    let again = story.run(&["--fresh"]);
    assert_exit(&again, 0, &["50 done"]);
    assert!(!again.stderr.contains("resuming"), "{}", again.stderr);
    assert_eq!((story.asked(), story.output()), (100, answers(0..50)));
    assert_eq!((story.count("outcomes"), story.count("plans")), (50, 1));
}

#[test]
fn fresh_starts_over_after_a_kill() {
    let story = Story::slow(20, &ages(200));
    for after in [1, 20, 60] {
        story.kill(after, &["-c", "8", "--force"]);
        let ran = story.run(&["-c", "8", "--fresh"]);
        assert_exit(&ran, 0, &["200 done", "requests  200, "]);
        assert!(!ran.stderr.contains("known") && !ran.stderr.contains("billed?"), "{}", ran.stderr);
        assert_eq!((story.count("outcomes"), story.output()), (200, answers(0..200)));
        std::fs::remove_file(story.dir.path(JOURNAL)).expect("the journal");
    }
}

#[test]
fn an_output_without_a_journal_is_not_overwritten() {
    let story = Story::instant(&ages(20));
    story.dir.write("out.jsonl", "made by hand\n");
    let refused = story.run(&[]);
    assert_exit(&refused, 2, &["`out.jsonl`", "`out.jsonl.journal`", "hint: use `--force`"]);
    assert_eq!((story.asked(), &*story.output()), (0, "made by hand\n"));
    assert!(!story.dir.has(JOURNAL), "nothing was begun");
    assert_exit(&story.run(&["--force"]), 0, &[]);
    assert_eq!((story.asked(), story.output()), (20, answers(0..20)));
    // Without its journal it counts as another program's file again.
    std::fs::remove_file(story.dir.path(JOURNAL)).expect("it is there");
    assert_exit(&story.run(&[]), 2, &["hint: use `--force`"]);
    story.dir.write("out.jsonl", "");
    assert_exit(&story.run(&[]), 0, &[]);
    assert_eq!((story.asked(), story.output()), (20, answers(0..20)));
}

#[test]
fn without_a_journal_every_row_is_asked_again() {
    let story = Story::instant(&ages(20));
    for _ in 0..2 {
        assert_exit(&story.run(&["--no-journal"]), 0, &["20 done"]);
        assert_eq!((story.asked(), story.output()), (20, answers(0..20)));
        assert!(!story.dir.has(JOURNAL));
    }
    assert_exit(&story.run(&["--no-journal", "--journal", "kept"]), 2, &["--no-journal", "--journal"]);
}

#[test]
fn a_journal_has_its_own_name_and_is_neither_input_nor_output() {
    let story = Story::instant(&ages(20));
    for (name, what) in [
        ("in.txt", "input"),
        ("./in.txt", "input"),
        ("out.jsonl", "output"),
        ("./out.jsonl", "output"),
        ("failed.jsonl", "file for failed rows"),
    ] {
        let refused = story.run(&["--journal", name, "--failed", "failed.jsonl"]);
        assert_exit(
            &refused,
            2,
            &[&format!("`{name}`"), &format!("both the {what} and the journal"), "hint: "],
        );
    }
    assert_eq!((story.asked(), story.dir.read("in.txt")), (0, ages(20)));
    for _ in 0..2 {
        assert_exit(&story.run(&["--journal", "kept"]), 0, &[]);
    }
    assert_eq!(story.asked(), 20);
    assert!(story.dir.has("kept") && !story.dir.has(JOURNAL));
}

#[test]
fn standard_output_has_a_journal_only_if_one_is_named() {
    let story = Story::instant(&ages(20));
    let to_stdout = |more: &[&str]| story.dir.rowcall(&[&story.asking("in.txt")[..], more].concat());
    let files = || std::fs::read_dir(story.dir.path("")).expect("a folder").count();
    for _ in 0..2 {
        let ran = to_stdout(&[]);
        assert_eq!((ran.code, story.asked(), ran.stdout), (Some(0), 20, answers(0..20)));
        assert_eq!(files(), 1, "only the input");
    }
    for asked in [20, 0] {
        let ran = to_stdout(&["--journal", "kept"]);
        assert_eq!((ran.code, story.asked(), ran.stdout), (Some(0), asked, answers(0..20)));
    }
    let ran = to_stdout(&["-o", "-"]);
    assert_eq!((ran.code, story.asked(), ran.stdout), (Some(0), 20, answers(0..20)));
    assert_eq!(files(), 2, "the input and the journal that was named");
}

#[test]
fn a_device_and_show_requests_keep_no_journal() {
    let story = Story::instant(&ages(20));
    for _ in 0..2 {
        assert_exit(
            &story.dir.rowcall(
                &[&story.asking("in.txt")[..], &["-o", "/dev/null", "--output-format", "csv"]].concat(),
            ),
            0,
            &[],
        );
        assert_eq!(story.asked(), 20);
    }
    assert!(!std::path::Path::new("/dev/null.journal").exists());
    assert_exit(&story.run(&["--show-requests", "1"]), 0, &[]);
    assert!(!story.dir.has(JOURNAL));
}

#[test]
fn an_input_that_has_vanished_leaves_the_journal_as_it_was() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&[]), 0, &[]);
    let before = std::fs::read(story.dir.path(JOURNAL)).expect("the journal");
    std::fs::remove_file(story.dir.path("in.txt")).expect("the input is there");
    assert_exit(&story.run(&[]), 2, &["`in.txt`", "No such file"]);
    assert_exit(&story.run(&["--fresh"]), 2, &["`in.txt`", "No such file"]);
    assert!(std::fs::read(story.dir.path(JOURNAL)).expect("the journal") == before);
    assert_eq!((story.asked(), story.output()), (20, answers(0..20)));
}

#[test]
fn five_thousand_rows_come_in_order_although_the_first_is_answered_last() {
    let scenario =
        Scenario::instant("answers about the first row when all others are").with_held("Zoe", 4_999);
    let story = Story::new(scenario, &format!("Zoe is 0\n{}", people(1..5_000)));
    // If rows had to wait for the first one, it would wait for them too and fail by this timeout.
    let ran = story.run(&["-c", "64", "--timeout", "100s", "--retries", "0"]);
    assert_exit(&ran, 0, &["5,000 done"]);
    assert_eq!(story.asked(), 5_000);
    let first = "{\"text\":\"Zoe is 0\",\"age\":0,\"_error\":null}\n";
    assert!(story.output() == format!("{first}{}", answers(1..5_000)), "the order of the input");
    // And again, with nothing to wait for.
    assert_exit(&story.run(&[]), 0, &["5,000 of these known"]);
    assert!(story.output() == format!("{first}{}", answers(1..5_000)), "the order of the input");
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_run_between_pipes_can_be_resumed() {
    let story = Story::slow(10, "");
    let rows = ages(300);
    let arguments =
        [&story.asking("-")[..], &["--input-format", "txt", "--journal", "kept", "-c", "8"]].concat();
    let mut child = story.dir.start(&arguments, &[]);
    std::io::Write::write_all(&mut child.stdin.take().expect("piped"), rows.as_bytes()).expect("it reads");
    // Like `| head -1`: one line, then the pipe is closed.
    let mut first = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("a line");
    assert_eq!((Ran::of(child).code, first), (Some(141), answers(0..1)));
    let ran = story.dir.rowcall_with(&arguments, &rows, &[]);
    assert_eq!((ran.code, ran.stdout), (Some(0), answers(0..300)), "{}", ran.stderr);
    assert_eq!(story.asked(), 300, "what was in flight was awaited and kept");
    let other = arguments
        .iter()
        .map(|argument| if *argument == "{{ text }}" { "Look: {{ text }}" } else { argument });
    let refused = story.dir.rowcall_with(&other.collect::<Vec<_>>(), &rows, &[]);
    assert_exit(
        &refused,
        2,
        &["the journal `kept` was made with another prompt", "hint: use `--accept-changes`"],
    );
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_run_in_completed_order_can_be_resumed() {
    let story = Story::slow(20, &ages(200));
    let order = ["-c", "8", "--order", "completed"];
    story.kill(60, &order);
    assert_exit(&story.run(&order), 0, &["200 done"]);
    assert_eq!(sorted(&story.output()), sorted(&answers(0..200)));
}

#[test]
fn a_run_with_its_own_simulator_is_resumed_on_another_port() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(50));
    let run = |more: &[&str]| {
        let arguments =
            ["run", "in.txt", "-s", "age int", "-p", "{{ text }}", "-m", "sim", "-o", "out.jsonl"];
        dir.rowcall(&[&arguments[..], more].concat())
    };
    assert_exit(&run(&[]), 0, &["50 done"]);
    assert_exit(&run(&[]), 0, &["50 of these known"]);
    let elsewhere = Simulator::start(Scenario::instant("elsewhere"), Options::default()).expect("it starts");
    assert_exit(&run(&["--base-url", &elsewhere.base_url()]), 0, &["50 of these known"]);
    assert_eq!((elsewhere.stats().requests.all, dir.read("out.jsonl")), (0, answers(0..50)));
}
