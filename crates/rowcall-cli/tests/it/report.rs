//! Reports as HTML and as JSON, of runs with many failures and of hostile data.

pub(crate) mod hostile;
mod made;
mod show;

use rowcall_sim::{Fault, FaultKind, Options, Scenario, Simulator, StatusFault};
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, asking};

/// The journal beside `out.jsonl`.
const JOURNAL: &str = "out.jsonl.journal";

/// What a run asks in which people of seven and of seventy to seventy-nine years never get a valid value, a tenth of the others at the second
/// prompt only, and a tenth fails once.
fn troubled() -> Simulator {
    let faults = vec![
        Fault::new(FaultKind::SchemaViolation, 1.0).with_contains("is 7"),
        Fault::new(FaultKind::SchemaViolation, 0.1).with_attempts(1),
        Fault::new(FaultKind::Status(StatusFault::new(500)), 0.1).with_attempts(1),
    ];
    let scenario = Scenario { faults, ..Scenario::instant("much goes wrong") };
    Simulator::start(scenario, Options::default().with_seed(3)).expect("it starts")
}

/// Runs over `rows` rows, with the journal [`JOURNAL`].
fn ran(dir: &TestDir, simulator: &Simulator, rows: usize) -> Ran {
    dir.write("in.txt", ages(rows));
    let url = simulator.base_url();
    dir.rowcall(&[&asking("in.txt", "age int", &url)[..], &["-o", "out.jsonl", "--quiet"]].concat())
}

/// What `report --json` says.
fn json_of(dir: &TestDir) -> Value {
    let ran = dir.rowcall(&["report", JOURNAL, "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// What an array of objects has under `name`, added up.
fn sum(items: &Value, name: &str) -> u64 {
    items.as_array().expect("an array").iter().map(|item| item[name].as_u64().expect("a count")).sum()
}

#[test]
fn a_device_and_a_link_are_written_through() {
    let (dir, simulator) = (TestDir::new(), troubled());
    assert_eq!(ran(&dir, &simulator, 20).code, Some(3));
    dir.write("report.html", "");
    for (name, target) in [("nowhere", "/dev/null"), ("link.html", "report.html")] {
        std::os::unix::fs::symlink(target, dir.path(name)).expect("a link");
        for _ in 0..2 {
            let ran = dir.rowcall(&["report", JOURNAL, "-o", name, "--force"]);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        }
        assert!(dir.path(name).is_symlink(), "{name}");
    }
    assert!(
        std::fs::read_to_string(dir.path("report.html")).is_ok_and(|page| page.contains("rowcall report"))
    );
}

#[test]
fn a_report_says_what_failed_and_why() {
    let (dir, simulator) = (TestDir::new(), troubled());
    assert_eq!(ran(&dir, &simulator, 300).code, Some(3));
    let before = std::fs::read(dir.path(JOURNAL)).expect("a journal");
    let report = json_of(&dir);
    let status = dir.rowcall(&["status", JOURNAL, "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");

    let totals = &report["totals"];
    for name in ["rows", "done", "failed", "requests", "reasks", "input_tokens", "output_tokens", "unmetered"]
    {
        assert_eq!(totals[name], status[name], "{name}");
    }
    assert_eq!(report["state"], "complete");
    let failed = totals["failed"].as_u64().expect("a count");
    assert!(failed > 10, "{failed}");
    assert_eq!(sum(&report["failures"], "rows"), failed);
    let group = &report["failures"][0];
    assert_eq!((&group["kind"], &group["fields"]), (&json!("invalid"), &json!(["age"])));
    assert!(report["verdict"].as_str().expect("text").contains("invalid at `age`"), "{}", report["verdict"]);

    // An example has the whole story: what was asked, each answer with what was wrong with it, and the failure.
    let story = &group["stories"][0];
    let row = story["row"].as_u64().expect("a row");
    assert_eq!(story["prompt"][0]["text"], format!("Ann is {row}"));
    let attempts = story["attempts"].as_array().expect("attempts");
    assert_eq!(story["requests"].as_u64(), Some(sum(&story["attempts"], "times")));
    for attempt in attempts.iter().filter(|attempt| attempt["fault"].is_null()) {
        assert_eq!(attempt["violations"][0]["path"], "/age", "{attempt}");
        assert!(attempt["answer"].as_str().is_some_and(|answer| !answer.is_empty()), "{attempt}");
    }
    assert_eq!(story["failure"]["kind"], "invalid");

    // Violations of re-asked answers are those of the field, and each re-ask has its cause.
    let age = &report["fields"][0];
    assert_eq!(
        (&age["name"], &age["empty_share"], &age["distinct"]),
        (&json!("age"), &json!(0.0), &totals["done"])
    );
    assert_eq!(sum(&age["violations"], "failed_rows"), failed);
    assert_eq!(sum(&report["reasks"], "answers"), totals["reasks"].as_u64().expect("a count"));
    assert!(report["faults"]["server"]["rows"].as_u64().expect("a count") > 5, "{}", report["faults"]);
    assert_eq!(
        age["numbers"]["bars"]
            .as_array()
            .expect("bars")
            .iter()
            .map(|bar| bar[2].as_u64().expect("a count"))
            .sum::<u64>(),
        totals["done"]
    );

    // The curves add up to the totals.
    let intervals = &report["curves"]["intervals"];
    for (name, total) in
        [("requests", "requests"), ("reasks", "reasks"), ("done", "done"), ("failed", "failed")]
    {
        assert_eq!(sum(intervals, name), totals[total].as_u64().expect("a count"), "{name}");
    }

    let names: Vec<_> = report["sample"]["strata"]
        .as_array()
        .expect("strata")
        .iter()
        .map(|stratum| &stratum["name"])
        .collect();
    assert_eq!(names, ["asked again", "failed: invalid", "retried", "without trouble"]);
    assert_eq!(report["sample"]["rows"].as_array().map(Vec::len), Some(200));
    assert_eq!(report["lacks"], json!([]));

    let ran = dir.rowcall(&["report", JOURNAL]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(0), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("Report: `out.report.html`"), "{}", ran.stderr);
    let page = dir.read("out.report.html");
    assert!(page.len() < 2_000_000, "{}", page.len());
    assert_eq!(std::fs::read(dir.path(JOURNAL)).expect("a journal"), before, "a report alters nothing");
    // The same journal gives the same report.
    assert_eq!(dir.rowcall(&["report", JOURNAL, "-o", "-"]).stdout, format!("{page}\n"));
}

#[test]
fn a_report_of_a_run_that_goes_on_is_of_what_is_done() {
    let scenario = Scenario::instant("waits for more").with_held("is 7", 1_000);
    let simulator = Simulator::start(scenario, Options::default()).expect("it starts");
    let (dir, url) = (TestDir::new(), simulator.base_url());
    dir.write("in.txt", ages(10));
    let mut child = dir.start(&[&asking("in.txt", "age int", &url)[..], &["-o", "out.jsonl"]].concat(), &[]);
    let done = || {
        let ran = dir.rowcall(&["report", JOURNAL, "--json"]);
        let report: Option<Value> = serde_json::from_str(&ran.stdout).ok();
        report.filter(|report| report["totals"]["done"] == 9)
    };
    let report = std::iter::repeat_with(done).flatten().next().expect("nine rows are done");
    assert_eq!((&report["state"], &report["totals"]["in_flight"]), (&json!("running"), &json!(1)));
    assert_eq!(report["verdict"], "All 9 rows that have ended have a value.");
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
    let report = json_of(&dir);
    assert_eq!(
        (&report["state"], &report["verdict"]),
        (&json!("not_complete"), &json!("All 9 rows that have ended have a value. The run did not finish."))
    );
}

#[test]
fn a_command_says_what_is_not_a_journal_and_ends_quietly_with_its_reader() {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, 300);
    std::fs::create_dir(dir.path("folder")).expect("a folder");
    dir.write("empty.journal", "");
    dir.write("text.journal", "some text");
    for command in ["report", "status", "export", "rerun", "collect"] {
        for (journal, said) in [
            ("folder", "`folder` is a folder, expected a rowcall journal"),
            ("empty.journal", "the journal `empty.journal` is empty: no run has started"),
            ("text.journal", "`text.journal` is not a rowcall journal"),
        ] {
            let refused = dir.rowcall(&[command, journal]);
            assert_eq!(refused.code, Some(2), "{command} {refused:?}");
            assert!(refused.stderr.contains(said), "{command}: {}", refused.stderr);
            assert!(!refused.stderr.contains("--journal"), "{command}: {}", refused.stderr);
        }
    }
    for arguments in [&["report", JOURNAL, "--json"][..], &["diff", JOURNAL, JOURNAL], &["models"]] {
        let mut child = dir.start(arguments, &[]);
        // The reader goes away at once.
        drop(child.stdout.take());
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!((ended.status.code(), String::from_utf8_lossy(&ended.stderr).as_ref()), (Some(141), ""));
    }
}

#[test]
fn what_is_not_a_report_is_not_written_over() {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, 5);
    dir.write("precious.csv", "a,b\n");
    let refused = dir.rowcall(&["report", JOURNAL, "-o", "precious.csv"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("`precious.csv` exists and is not a report"), "{}", refused.stderr);
    assert_eq!(dir.rowcall(&["report", JOURNAL, "-o", JOURNAL, "--force"]).code, Some(2), "its own journal");
    for more in [&["--force"][..], &[]] {
        let ran = dir.rowcall(&[&["report", JOURNAL, "-o", "precious.csv"], more].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    assert_eq!(dir.rowcall(&["report", "nothing.journal"]).code, Some(2));
}
