//! Several processes at once: one of them asks about each row, and the others take over the rows of a killed one.

use super::*;

/// How many processes run at once.
const AT_ONCE: usize = 4;

/// Requests in flight in each.
const IN_FLIGHT: u64 = 8;

fn start(story: &Story, more: &[&str]) -> Vec<(String, Child)> {
    let start = |n: usize| {
        let output = format!("out{n}.jsonl");
        let child = story.start(&output, &[&["-c", "8"], more].concat());
        (output, child)
    };
    (0..AT_ONCE).map(start).collect()
}

#[test]
fn four_at_once_ask_about_each_row_once() {
    let story = Story::slow(5, 400);
    for (output, child) in start(&story, &[]) {
        assert_exit(&Ran::of(child), 0, &["400 done"]);
        assert_eq!(story.dir.read(&output), answers(400));
    }
    assert_eq!(story.asked(), 400);
    assert_eq!(story.shown()["being_asked"], json!(0), "all claims are released");
}

#[test]
fn a_killed_process_costs_no_more_than_it_had_in_flight() {
    let story = Story::slow(20, 400);
    let mut children = start(&story, &["--no-journal"]);
    let (_, mut killed) = children.remove(0);
    story.until_requests(&mut killed, 100);
    killed.kill().expect("it is killed");
    let id = killed.id();
    Ran::of(killed);
    // Its leases would expire within 15 seconds; the test does not wait for that.
    let file = story.file();
    file.busy_timeout(Duration::from_mins(1)).expect("it waits for the others");
    let sql = format!("UPDATE claims SET expires_at_ms = 0 WHERE claimant LIKE '{id}-%'");
    let left = file.execute(&sql, []).expect("a cache") as u64;
    assert!(left <= IN_FLIGHT, "{left} claims of {IN_FLIGHT} in flight");
    for (output, child) in children {
        assert_exit(&Ran::of(child), 0, &["400 done"]);
        assert_eq!(story.dir.read(&output), answers(400));
    }
    let asked = story.asked();
    assert!((400..=400 + IN_FLIGHT).contains(&asked), "{asked} requests");
}

#[test]
fn an_interrupted_run_releases_its_claims() {
    let story = Story::slow(20, 200);
    let mut child = story.start("out.jsonl", &["-c", "8"]);
    story.until_requests(&mut child, 40);
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("`kill` runs").success());
    assert_exit(&Ran::of(child), 130, &[]);
    let (asked, shown) = (story.asked(), story.shown());
    assert_eq!(
        (&shown["answers"], &shown["being_asked"]),
        (&json!(asked), &json!(0)),
        "answers in flight are kept"
    );
    assert_exit(&story.run("other.jsonl", &[]), 0, &["200 done"]);
    assert_eq!(story.asked(), 200 - asked);
}
