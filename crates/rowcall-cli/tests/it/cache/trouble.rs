//! Files that cannot be used are refused before anything is sent; what goes wrong later is warned of, and the run goes on.

use super::*;

#[test]
fn what_is_no_cache_is_refused_before_anything_is_sent() {
    let story = Story::instant(5);
    assert_ran(&story.run("one.jsonl", &[]), 0, &[]);
    story.asked();
    std::fs::create_dir(story.place.path("folder")).expect("a folder");
    story.place.write("text.txt", "x".repeat(5_000));
    std::fs::copy(story.place.path("answers.cache"), story.place.path("newer.cache")).expect("a copy");
    let newer = Connection::open(story.place.path("newer.cache")).expect("a SQLite file");
    newer.execute_batch("PRAGMA user_version = 9").expect("it is done");
    drop(newer);
    let held = Connection::open(story.place.path("answers.cache")).expect("a SQLite file");
    held.execute_batch("BEGIN EXCLUSIVE").expect("it is held");
    for (cache, expected) in [
        ("folder", "the cache `folder` is a directory, expected a file"),
        ("folder/none/x", "cannot be locked: "),
        ("text.txt", "the cache `text.txt` is not a rowcall cache"),
        ("one.jsonl.journal", "`one.jsonl.journal` is a SQLite file, but not a rowcall cache"),
        ("newer.cache", "the cache `newer.cache` has format 9, expected at most 1"),
        ("in.txt", "`in.txt` is both the input and the cache"),
        ("out.jsonl", "`out.jsonl` is both the output and the cache"),
        ("out.jsonl.journal", "`out.jsonl.journal` is both the journal and the cache"),
        ("answers.cache", "the cache `answers.cache` is locked by another program"),
    ] {
        let arguments =
            [&asking("in.txt", "age int", &story.url)[..], &["-o", "out.jsonl", "--cache", cache]].concat();
        assert_ran(&story.place.rowcall(&arguments), 2, &[expected, "hint: "]);
        assert!(!story.place.has("out.jsonl") && !story.place.has("out.jsonl.journal"), "{cache}");
    }
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_cache_that_fails_is_warned_of_and_the_run_goes_on() {
    let story = Story::slow(10, 100);
    let mut child = story.start("out.jsonl", &["-c", "4"]);
    story.until_requests(&mut child, 20);
    let file = story.file();
    file.busy_timeout(Duration::from_mins(1)).expect("it waits for the run");
    file.execute_batch("DROP TABLE claims").expect("it is done");
    let ran = Ran::of(child);
    assert_ran(
        &ran,
        0,
        &[
            "100 done",
            "warning: the cache `answers.cache` cannot be used: no such table",
            "keeps no more answers there",
        ],
    );
    assert_eq!(ran.stderr.matches("warning: the cache").count(), 1, "{}", ran.stderr);
    assert_eq!(story.place.read("out.jsonl"), answers(100));
    assert_eq!(story.asked(), 100);
    assert_ran(&story.run("two.jsonl", &[]), 2, &["the cache `answers.cache` cannot be used: no such table"]);
}
