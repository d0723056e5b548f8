//! Journals changed by hand: of an earlier version, and with very long texts.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{JOURNAL, json_of, ran, troubled};
use crate::command::TestDir;

/// A journal of a run, opened to be changed.
fn changed(dir: &TestDir, sql: &str) {
    let journal = Connection::open(dir.path(JOURNAL)).expect("a journal");
    journal.execute_batch(sql).expect("changed");
}

#[test]
fn a_journal_of_an_earlier_version_is_reported_as_far_as_it_goes() {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, 60);
    let now = json_of(&dir);
    changed(
        &dir,
        "DROP TABLE intervals; ALTER TABLE outcomes DROP COLUMN history; UPDATE places SET record = NULL",
    );
    let report = json_of(&dir);
    for name in ["totals", "slowest"] {
        assert_eq!(report[name]["rows"], now[name]["rows"], "{name}");
    }
    assert_eq!(report["failures"][0]["rows"], now["failures"][0]["rows"]);
    assert_eq!(report["curves"]["intervals"], json!([]));
    assert_eq!(report["lacks"].as_array().map(Vec::len), Some(3), "{}", report["lacks"]);
    let page = dir.rowcall(&["report", JOURNAL, "-o", "-"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    // A run that goes on with it brings what is missing.
    assert_eq!(ran(&dir, &simulator, 70).code, Some(3));
    let report = json_of(&dir);
    assert_eq!(report["totals"]["rows"], 70);
    assert!(report["curves"]["intervals"].as_array().is_some_and(|intervals| !intervals.is_empty()));
}

#[test]
fn a_page_is_small_however_many_and_long_the_rows_are() {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, 400);
    let long = "<&\"'/>".repeat(3_000);
    let record = json!({"text": long}).to_string().replace('\'', "''");
    let value =
        json!({"age": 1, "note": long, "list": vec![long.clone(); 3]}).to_string().replace('\'', "''");
    changed(
        &dir,
        &format!(
            "UPDATE places SET record = '{record}'; UPDATE outcomes SET value = '{value}' WHERE value IS NOT NULL"
        ),
    );
    let page = dir.rowcall(&["report", JOURNAL, "-o", "-"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    assert!((100_000..2_000_000).contains(&page.stdout.len()), "{}", page.stdout.len());
    let report = json_of(&dir);
    let fields: Vec<&Value> =
        report["fields"].as_array().expect("fields").iter().map(|field| &field["name"]).collect();
    assert_eq!(fields, ["age", "note", "list", "list[]"]);
}
