//! Equal rows are asked about once, unless `--no-dedup` is given.

use super::{JOURNAL, Story, answers, assert_exit, each, people};

#[test]
fn equal_rows_are_asked_once_however_far_apart_they_are() {
    let twice = (0..1_500).chain(0..1_500);
    let story = Story::instant(&people(twice.clone()));
    assert_exit(&story.run(&[]), 0, &["3,000 done, 1,500 of these known"]);
    assert_eq!(story.asked(), 1_500);
    assert!(story.output() == answers(twice), "each has the value");
    assert_eq!((story.count("outcomes"), story.count("places")), (1_500, 3_000));
    assert_exit(&story.run(&[]), 0, &["3,000 of these known"]);
    assert_eq!(story.asked(), 0);
}

#[test]
fn without_a_journal_equal_rows_are_asked_once_while_one_of_them_is() {
    let twice = (0..200).map(|row| row / 2);
    let story = Story::slow(50, &people(twice.clone()));
    assert_exit(&story.run(&["--no-journal"]), 0, &["200 done, 100 of these known"]);
    assert_eq!((story.asked(), story.output()), (100, answers(twice)));
}

#[test]
fn each_of_several_equal_rows_is_asked_with_no_dedup() {
    let twice = (0..100).chain(0..100);
    let story = Story::instant(&people(twice.clone()));
    for (more, asked) in [
        (&["--no-dedup", "--no-journal"][..], 200),
        (&["--no-dedup"], 200),
        (&["--no-dedup"], 0),
        // The first of each kind has its usual key, so a run that asks once for all knows it too.
        (&[], 0),
        (&["--no-dedup"], 0),
    ] {
        assert_exit(&story.run(&[more, &["--force"]].concat()), 0, &["200 done"]);
        assert_eq!((story.asked(), story.output()), (asked, answers(twice.clone())), "{more:?}");
    }
    assert_eq!(story.count("outcomes"), 200);
}

#[test]
fn a_killed_run_over_equal_rows_asks_each_kind_once_more_at_most() {
    let story = Story::slow(20, &people((0..400).map(|row| row % 200)));
    for more in [&["-c", "8"][..], &["-c", "8", "--no-dedup"]] {
        let rows = if more.len() == 2 { 200 } else { 400 };
        let fresh = [more, &["--fresh"]].concat();
        story.kill(100, &fresh);
        assert_exit(&story.run(more), 0, &["400 done"]);
        assert_eq!(story.output(), answers((0..400).map(|row| row % 200)));
        let possibly_paid = story.count("possibly_paid");
        assert!((rows..=rows + possibly_paid).contains(&story.asked()), "{possibly_paid} possibly paid");
    }
}

#[test]
fn equal_prompts_of_different_records_keep_their_records() {
    let story = Story::instant("");
    let records = each(0..100, |id| format!("{id},Ann is {}\n", id % 10));
    story.dir.write("in.csv", format!("id,text\n{records}"));
    let expected = each(0..100, |id| {
        format!("{{\"id\":\"{id}\",\"text\":\"Ann is {0}\",\"age\":{0},\"_error\":null}}\n", id % 10)
    });
    for asked in [10, 0] {
        let ran = story.dir.rowcall(&[&story.asking("in.csv")[..], &["-o", "out.jsonl"]].concat());
        assert_exit(&ran, 0, &["100 done"]);
        assert_eq!((story.asked(), story.output()), (asked, expected.clone()));
    }
    assert_eq!(story.dir.rowcall(&["export", JOURNAL]).stdout, expected);
}
