//! One row's story on the terminal, and two journals side by side.

use rowcall_sim::{Fault, FaultKind, Options, Scenario, Simulator};
use serde_json::{Value, json};

use super::hostile::{HOSTILE, hostile, is_harmful};
use super::{JOURNAL, json_of, ran, troubled};
use crate::command::{TestDir, ages, asking};

#[test]
fn a_row_has_its_story_by_number_and_by_key() {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, 100);
    let failed = dir.rowcall(&["show", JOURNAL, "7"]);
    assert_eq!(failed.code, Some(0), "{}", failed.stderr);
    for part in [
        "row       7, failed: invalid",
        "user\n    Ann is 7\n",
        "attempt 4: prompt 4",
        "an invalid answer",
        "    - `/age`: ",
        "failure   invalid",
    ] {
        assert!(failed.stdout.contains(part), "{part:?} in {}", failed.stdout);
    }
    let done = dir.rowcall(&["show", JOURNAL, "30"]);
    assert!(done.stdout.contains("value\n    {\"age\":30}"), "{}", done.stdout);
    let json = dir.rowcall(&["show", JOURNAL, "30", "--json"]);
    let story: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!(
        (&story["row"], &story["value"], &story["state"]),
        (&json!(30), &json!("{\"age\":30}"), &json!("done"))
    );
    let key = story["key"].as_str().expect("a key");
    assert_eq!(dir.rowcall(&["show", JOURNAL, key]).stdout, done.stdout);
    for (row, said) in [
        ("100", "row 100 has no outcome in the journal, which has 100 of them"),
        ("ann", "`ann` names no row"),
        ("00000000000000000000000000000000", "no row of the journal has the key"),
    ] {
        let refused = dir.rowcall(&["show", JOURNAL, row]);
        assert_eq!(refused.code, Some(2), "{row}");
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
}

#[test]
fn a_terminal_is_given_nothing_to_obey() {
    let dir = hostile();
    let harmful = |text: &str| text.chars().find(|c| is_harmful(*c));
    for row in 0..HOSTILE.len() {
        let shown = dir.rowcall(&["show", JOURNAL, &row.to_string()]);
        assert_eq!(shown.code, Some(0), "{}", shown.stderr);
        assert!(shown.stdout.contains(&format!("word{row}")), "{}", shown.stdout);
        assert_eq!(harmful(&shown.stdout), None, "{}", shown.stdout.escape_debug());
    }
    let diff = dir.rowcall(&["diff", JOURNAL, JOURNAL]);
    assert_eq!((diff.code, harmful(&diff.stdout)), (Some(0), None), "{}", diff.stdout.escape_debug());
    let report = dir.rowcall(&["report", JOURNAL]);
    assert_eq!(harmful(&report.stderr), None, "{}", report.stderr.escape_debug());
    let status = dir.rowcall(&["status", JOURNAL]);
    assert_eq!(harmful(&status.stdout), None, "{}", status.stdout.escape_debug());
}

#[test]
fn a_field_to_match_rows_by_must_be_there() {
    let dir = TestDir::new();
    run(&dir, &ages(5), "a.jsonl", "none");
    let ran = dir.rowcall(&["diff", "a.jsonl.journal", "a.jsonl.journal", "--key", "txt"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    let said = "no row of `a.jsonl.journal` has the field `txt`, expected one of `text`";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
    // Rows without a value there are like no others, wherever they stand.
    let journal = rusqlite::Connection::open(dir.path("a.jsonl.journal")).expect("a journal");
    let changed = r#"UPDATE places SET record = '{"other":1}' WHERE idx = 1;
                     UPDATE places SET record = '{"text":null}' WHERE idx = 2"#;
    journal.execute_batch(changed).expect("changed");
    let ran = dir.rowcall(&["diff", "a.jsonl.journal", "a.jsonl.journal", "--key", "text", "--json"]);
    let diff: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    assert_eq!((&diff["rows"]["both"], &diff["sides"][0]["only_here"]), (&json!(3), &json!(2)));
    assert_eq!(diff["sides"][1]["only_here_examples"], json!([1, 2]));
}

#[test]
fn an_unknown_cost_is_not_a_cost_of_nothing() {
    let simulator = Simulator::start(Scenario::instant("calm"), Options::default()).expect("it starts");
    let (dir, url) = (TestDir::new(), simulator.base_url());
    dir.write("in.txt", ages(3));
    let mut arguments = asking("in.txt", "age int", &url);
    arguments[7] = "openai/gpt-9-nobody";
    let variables = [("OPENAI_API_KEY", "key")];
    let ran = dir.rowcall_with(&[&arguments[..], &["-o", "out.jsonl"]].concat(), "", &variables);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let report = json_of(&dir);
    let costs = [
        &report["totals"]["cost_usd"],
        &report["slowest"][0]["cost_usd"],
        &report["curves"]["intervals"][0]["cost_usd"],
        &report["sample"]["rows"][0]["cost_usd"],
    ];
    assert_eq!(costs, [&Value::Null; 4], "{report}");
    assert_eq!((&report["totals"]["cost_unknown"], &report["most_expensive"]), (&json!(3), &json!([])));
    let diff = dir.rowcall(&["diff", JOURNAL, JOURNAL, "--json"]);
    assert_eq!(
        serde_json::from_str::<Value>(&diff.stdout).expect("JSON")["sides"][0]["cost_usd"],
        Value::Null
    );
    let page = dir.rowcall(&["report", JOURNAL, "-o", "-"]);
    let shown = dir.rowcall(&["show", JOURNAL, "0"]);
    assert!(shown.stdout.contains("cost      unknown, of 1 request\n"), "{}", shown.stdout);
    for text in [page.stdout, shown.stdout, dir.rowcall(&["diff", JOURNAL, JOURNAL]).stdout] {
        assert!(text.contains("unknown, of") && !text.contains("$0"), "{text}");
    }
}

/// Runs over the lines of `input` into `name`, asking a simulator in which ages with this digit fail.
fn run(dir: &TestDir, input: &str, name: &str, fails: &str) {
    let faults = vec![Fault::new(FaultKind::SchemaViolation, 1.0).with_contains(fails)];
    let scenario = Scenario { faults, ..Scenario::instant("some fail") };
    let simulator = Simulator::start(scenario, Options::default()).expect("it starts");
    dir.write("in.txt", input);
    let url = simulator.base_url();
    let more = ["-o", name, "--quiet", "--max-reasks", "0"];
    let ran = dir.rowcall(&[&asking("in.txt", "age int", &url)[..], &more].concat());
    assert!(matches!(ran.code, Some(0 | 3)), "{}", ran.stderr);
}

#[test]
fn two_journals_are_compared_by_rows_wherever_they_stand() {
    let dir = TestDir::new();
    let input = ages(50);
    run(&dir, &input, "a.jsonl", "is 7");
    // The other has the rows in another order, one of them twice, and lacks one.
    let mut lines: Vec<&str> = input.lines().skip(1).collect();
    lines.reverse();
    lines.push("Ann is 49");
    run(&dir, &(lines.join("\n") + "\n"), "b.jsonl", "is 8");
    let journal = rusqlite::Connection::open(dir.path("b.jsonl.journal")).expect("a journal");
    let changed = "UPDATE outcomes SET value = '{\"age\":99}' WHERE value = '{\"age\":40}'; \
                   UPDATE outcomes SET value = '{\"age\":41.0}' WHERE value = '{\"age\":41}'";
    journal.execute_batch(changed).expect("changed");
    let ran = dir.rowcall(&["diff", "a.jsonl.journal", "b.jsonl.journal", "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let diff: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(diff["by"], "record");
    assert_eq!(
        diff["rows"],
        json!({"both": 49, "same": 46, "changed": 1, "only_first_has_value": 1, "only_second_has_value": 1, "both_failed": 0})
    );
    let [first, second] = [&diff["sides"][0], &diff["sides"][1]];
    assert_eq!(
        (&first["rows"], &first["only_here"], &first["only_here_examples"]),
        (&json!(50), &json!(1), &json!([0]))
    );
    assert_eq!((&second["rows"], &second["only_here"]), (&json!(50), &json!(1)));
    let age = &diff["fields"][0];
    assert_eq!((&age["same"], &age["changed"], &age["mean_change"]), (&json!(46), &json!(1), &json!(59.0)));
    assert_eq!(age["examples"], json!([{"rows": [40, 9], "before": "40", "after": "99"}]));
    let by_key = dir.rowcall(&["diff", "a.jsonl.journal", "b.jsonl.journal", "--json", "--key", "text"]);
    let by_key: Value = serde_json::from_str(&by_key.stdout).expect("JSON");
    assert_eq!(by_key["fields"], diff["fields"]);

    let table = dir.rowcall(&["diff", "a.jsonl.journal", "b.jsonl.journal"]);
    for part in [
        "49 rows in both; of 47 rows with a value in both, 97.9 % are the same.",
        "40/9",
        "failed in the second only",
    ] {
        assert!(table.stdout.contains(part), "{part} in {}", table.stdout);
    }
    let page = dir.rowcall(&["diff", "a.jsonl.journal", "b.jsonl.journal", "-o", "diff.html"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    assert!(dir.read("diff.html").contains("97.9 % are the same"));
    journal.execute_batch("UPDATE places SET record = NULL").expect("changed");
    let by_place = dir.rowcall(&["diff", "a.jsonl.journal", "b.jsonl.journal", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&by_place.stdout).expect("JSON")["by"], "place");
    let refused = dir.rowcall(&["diff", "a.jsonl.journal", "b.jsonl.journal", "--key", "text"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
}

#[test]
fn a_journal_is_the_same_as_itself() {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, 100);
    let ran = dir.rowcall(&["diff", JOURNAL, JOURNAL, "--json"]);
    let diff: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let report = json_of(&dir);
    assert_eq!((&diff["rows"]["same"], &diff["rows"]["changed"]), (&report["totals"]["done"], &json!(0)));
    assert_eq!(diff["fields"][0]["agreement"], 1.0);
    assert_eq!(diff["sides"][0]["cost_usd"], diff["sides"][1]["cost_usd"]);
}
