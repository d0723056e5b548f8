//! A changed input: rows that were moved, added, removed or left for later.

use super::{Story, answers, assert_exit, people};
use crate::command::ages;

/// These ages in another order, the same each time.
fn shuffled(ages: std::ops::Range<usize>) -> impl Iterator<Item = usize> + Clone {
    let (start, rows) = (ages.start, ages.len());
    // 7919 is a prime that does not divide the number of rows, so each age occurs once.
    ages.map(move |age| start + (age - start) * 7_919 % rows)
}

#[test]
fn rows_are_known_at_any_position_and_only_new_ones_are_asked() {
    let story = Story::instant(&ages(300));
    assert_exit(&story.run(&[]), 0, &[]);
    assert_eq!(story.asked(), 300);
    let moved = shuffled(0..300).chain(300..400);
    story.dir.write("in.txt", people(moved.clone()));
    assert_exit(&story.run(&[]), 0, &["400 done, 300 of these known"]);
    assert_eq!((story.asked(), story.output()), (100, answers(moved.clone())));
    assert_eq!((story.count("outcomes"), story.count("places")), (400, 400));
    // New rows between the old ones, which have moved again.
    let between = shuffled(0..450);
    story.dir.write("in.txt", people(between.clone()));
    assert_exit(&story.run(&[]), 0, &["450 done, 400 of these known"]);
    assert_eq!((story.asked(), story.output()), (50, answers(between)));
}

#[test]
fn removed_rows_leave_the_output_and_are_known_when_they_return() {
    let story = Story::instant(&ages(300));
    assert_exit(&story.run(&[]), 0, &[]);
    assert_eq!(story.asked(), 300);
    let every_third = (0..300).step_by(3);
    story.dir.write("in.txt", people(every_third.clone()));
    assert_exit(&story.run(&[]), 0, &["100 done, 100 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(every_third.clone())));
    assert_eq!((&story.status()["rows"], story.count("places")), (&100.into(), 100));
    let exported = story.dir.rowcall(&["export", super::JOURNAL]);
    assert_eq!((exported.code, exported.stdout), (Some(0), answers(every_third)));
    story.dir.write("in.txt", ages(300));
    assert_exit(&story.run(&[]), 0, &["300 done, 300 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(0..300)));
}

#[test]
fn an_input_that_changes_between_killed_runs_gives_the_new_inputs_output() {
    let story = Story::slow(20, &ages(300));
    story.kill(100, &["-c", "8"]);
    let moved = shuffled(50..350);
    story.dir.write("in.txt", people(moved.clone()));
    story.kill(100, &["-c", "8"]);
    let half_way = story.dir.rowcall(&["export", super::JOURNAL]);
    assert_exit(&half_way, 0, &["warning: the last run found the input changed"]);
    assert_exit(&story.run(&["-c", "8"]), 0, &["300 done"]);
    assert_eq!(story.output(), answers(moved.clone()));
    let exported = story.dir.rowcall(&["export", super::JOURNAL]);
    assert_eq!((exported.code, exported.stdout), (Some(0), answers(moved)));
    assert!(!exported.stderr.contains("warning"), "{}", exported.stderr);
}

#[test]
fn a_run_limited_to_the_first_rows_can_be_extended() {
    let story = Story::instant(&ages(300));
    assert_exit(&story.run(&["--limit-rows", "100"]), 0, &["100 done"]);
    assert_eq!((story.asked(), story.output()), (100, answers(0..100)));
    assert_exit(&story.run(&[]), 0, &["300 done, 100 of these known"]);
    assert_eq!((story.asked(), story.output()), (200, answers(0..300)));
    assert_exit(&story.run(&["--limit-rows", "50"]), 0, &["50 done, 50 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(0..50)));
    assert_exit(&story.run(&[]), 0, &["300 done, 300 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(0..300)));
}

#[test]
fn a_record_changed_in_a_field_the_prompt_does_not_use_is_written_as_it_is_now() {
    let story = Story::instant("");
    let (asking, output) = (story.asking("in.csv"), ["-o", "out.jsonl"]);
    for (id, asked) in [("a", 1), ("b", 0)] {
        story.dir.write("in.csv", format!("id,text\n{id},Ann is 30\n"));
        assert_exit(&story.dir.rowcall(&[&asking[..], &output].concat()), 0, &["1 done"]);
        let line = format!("{{\"id\":\"{id}\",\"text\":\"Ann is 30\",\"age\":30,\"_error\":null}}\n");
        assert_eq!((story.asked(), story.output()), (asked, line.clone()));
        assert_eq!(story.dir.rowcall(&["export", super::JOURNAL]).stdout, line);
    }
}
