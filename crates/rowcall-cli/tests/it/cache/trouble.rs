//! Unusable files are refused before anything is sent; later trouble is a warning, and the run continues.

use super::*;

#[test]
fn an_unusable_cache_is_refused_before_anything_is_sent() {
    let story = Story::instant(5);
    assert_exit(&story.run("one.jsonl", &[]), 0, &[]);
    story.asked();
    std::fs::create_dir(story.dir.path("folder")).expect("a folder");
    story.dir.write("text.txt", "x".repeat(5_000));
    std::fs::copy(story.dir.path("answers.cache"), story.dir.path("newer.cache")).expect("a copy");
    let newer = Connection::open(story.dir.path("newer.cache")).expect("a SQLite file");
    newer.execute_batch("PRAGMA user_version = 9").expect("it is done");
    drop(newer);
    let held = Connection::open(story.dir.path("answers.cache")).expect("a SQLite file");
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
        assert_exit(&story.dir.rowcall(&arguments), 2, &[expected, "hint: "]);
        assert!(!story.dir.has("out.jsonl") && !story.dir.has("out.jsonl.journal"), "{cache}");
    }
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_failing_cache_is_a_warning_and_the_run_continues() {
    let story = Story::slow(10, 100);
    let mut child = story.start("out.jsonl", &["-c", "4"]);
    story.until_requests(&mut child, 20);
    let file = story.file();
    file.busy_timeout(Duration::from_mins(1)).expect("it waits for the run");
    file.execute_batch("DROP TABLE claims").expect("it is done");
    let ran = Ran::of(child);
    assert_exit(
        &ran,
        0,
        &[
            "100 done",
            "warning: the cache `answers.cache` cannot be used: no such table",
            "stores no more answers there",
        ],
    );
    assert_eq!(ran.stderr.matches("warning: the cache").count(), 1, "{}", ran.stderr);
    assert_eq!(story.dir.read("out.jsonl"), answers(100));
    assert_eq!(story.asked(), 100);
    assert_exit(
        &story.run("two.jsonl", &[]),
        2,
        &["the cache `answers.cache` cannot be used: no such table"],
    );
}

#[test]
fn a_cache_that_is_deleted_or_replaced_during_a_run_is_noticed() {
    for (replaced, expected) in
        [(false, "was deleted while it was in use"), (true, "was replaced by another file")]
    {
        let story = Story::slow(10, 100);
        let mut child = story.start("out.jsonl", &["-c", "4"]);
        story.until_requests(&mut child, 20);
        std::fs::remove_file(story.dir.path("answers.cache")).expect("it is deleted");
        if replaced {
            story.dir.write("answers.cache", "");
        }
        let ran = Ran::of(child);
        assert_exit(
            &ran,
            0,
            &["100 done", "warning: the cache `answers.cache`", expected, "stores no more answers"],
        );
        assert_eq!(ran.stderr.matches("warning: the cache").count(), 1, "{}", ran.stderr);
        assert_eq!((story.dir.read("out.jsonl"), story.asked()), (answers(100), 100));
    }
}

#[test]
fn a_full_disk_is_warned_about_and_its_answers_are_still_found() {
    let Some(way) = with_own_mounts() else { return };
    let story = Story::slow(2, 1_000);
    std::fs::create_dir(story.dir.path("small")).expect("a folder");
    // The small disk is gone with the shell that mounted it, so everything happens in one.
    let script = "mount -t tmpfs -o size=160k none small || exit 99
        \"$@\" -o one.jsonl 2> full.txt; echo $? > full.code
        \"$1\" cache show --json small/answers.cache > shown.json || exit 98
        \"$@\" -o two.jsonl 2> still-full.txt; echo $? > still-full.code
        mount -o remount,size=64m small || exit 99
        \"$@\" -o three.jsonl || exit $?
        \"$@\" -o four.jsonl";
    let under = [way, &["sh", "-c", script, "sh"]].concat();
    let asking = asking("in.txt", "age int", &story.url);
    let arguments = [&asking[..], &["--cache", "small/answers.cache", "--no-journal", "-c", "8"]].concat();
    let ran = Ran::of(story.dir.start_under(&under, &arguments, &[]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let full = |name: &str| Ran {
        code: story.dir.read(&format!("{name}.code")).trim().parse().ok(),
        stdout: String::new(),
        stderr: story.dir.read(&format!("{name}.txt")),
    };
    let first = full("full");
    assert_exit(&first, 0, &["1,000 done", "warning: the cache `small/answers.cache`", "the disk is full"]);
    assert_eq!(first.stderr.matches("warning: the cache").count(), 1, "{}", first.stderr);
    let shown: Value = serde_json::from_str(&story.dir.read("shown.json")).expect("JSON");
    let kept = shown["answers"].as_u64().expect("a count");
    assert!((1..1_000).contains(&kept), "{shown}");
    // On the full disk it may be refused at once, with a hint.
    let second = full("still-full");
    match second.code {
        Some(0) => assert_exit(&second, 0, &["from the cache)"]),
        _ => assert_exit(&second, 2, &["the disk is full", "hint: ", "rowcall cache prune"]),
    }
    for output in ["one.jsonl", "three.jsonl", "four.jsonl"] {
        assert!(story.dir.read(output) == answers(1_000), "{output}");
    }
    assert_exit(&ran, 0, &["(1,000 from the cache)"]);
}
