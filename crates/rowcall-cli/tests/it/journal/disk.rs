//! Disks that are read-only, full, or failing: the run stops before it sends what it could not record, and can be resumed.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{JOURNAL, Story, answers, assert_exit};
use crate::command::{Ran, ages, with_own_mounts};

/// Runs the story while `path` is read-only: by its permissions or, for a user who can ignore these, by its mount.
fn run_read_only(story: &Story, path: &str, more: &[&str]) -> Option<Ran> {
    let full = story.dir.path(path);
    let writable = std::fs::metadata(&full).expect("it is there").permissions();
    let mode = if full.is_dir() { 0o555 } else { 0o444 };
    std::fs::set_permissions(&full, Permissions::from_mode(mode)).expect("permissions");
    let ran = if binds(&full) {
        Some(story.run(more))
    } else {
        with_own_mounts().map(|way| {
            let script =
                format!("mount --bind {path} {path} && mount -o remount,bind,ro {path} && exec \"$@\"");
            story.run_under(&[way, &["sh", "-c", &script, "sh"]].concat(), more)
        })
    };
    std::fs::set_permissions(&full, writable).expect("permissions");
    ran
}

/// Whether permissions stop this process from writing.
fn binds(path: &Path) -> bool {
    let path = if path.is_dir() { path.join("probe") } else { path.to_owned() };
    let opened = File::options().append(true).create(true).open(&path);
    if path.ends_with("probe") {
        let _ = std::fs::remove_file(&path);
    }
    opened.is_err()
}

#[test]
fn a_read_only_journal_is_reported_before_anything_is_sent() {
    let story = Story::instant(&ages(20));
    std::fs::create_dir(story.dir.path("kept")).expect("a folder");
    let journal = ["--journal", "kept/journal"];
    // In a folder where it cannot be created.
    let Some(ran) = run_read_only(&story, "kept", &journal) else { return };
    assert_exit(&ran, 2, &["the journal `kept/journal` cannot be locked: ", "hint: "]);
    assert_eq!(story.asked(), 0);
    assert_exit(&story.run(&journal), 0, &[]);
    assert_eq!(story.asked(), 20);
    // In a folder where it exists but nothing can be created beside it; and a read-only journal.
    story.dir.write("in.txt", ages(30));
    let before = std::fs::read(story.dir.path("kept/journal")).expect("the journal");
    for (path, part) in [("kept", "cannot be locked: "), ("kept/journal", "cannot be written to")] {
        for more in [&[][..], &["--fresh"]] {
            let ran = run_read_only(&story, path, &[&journal, more].concat());
            // A user who may write to the folder may delete the file, unless it is a mount point.
            if let Some(ran) = ran.filter(|ran| path == "kept" || more.is_empty() || ran.code != Some(0)) {
                let part = if path != "kept" && !more.is_empty() { "cannot be removed" } else { part };
                assert_exit(&ran, 2, &["`kept/journal`", part, "hint: "]);
                assert_eq!(story.asked(), 0, "{path} {more:?}");
                assert!(std::fs::read(story.dir.path("kept/journal")).expect("the journal") == before);
            }
        }
    }
    assert_exit(&story.run(&journal), 0, &["30 done"]);
    assert_eq!(story.output(), answers(0..30));
}

#[test]
fn a_journal_in_a_read_only_folder_can_be_read() {
    let story = Story::instant(&ages(20));
    std::fs::create_dir(story.dir.path("kept")).expect("a folder");
    assert_exit(&story.run(&["--journal", "kept/journal"]), 0, &[]);
    let Some(way) = with_own_mounts() else { return };
    let script = "mount --bind kept kept && mount -o remount,bind,ro kept && exec \"$@\"";
    let under = [way, &["sh", "-c", script, "sh"]].concat();
    let read = |arguments: &[&str]| Ran::of(story.dir.start_under(&under, arguments, &[]));
    assert_exit(&read(&["status", "kept/journal"]), 0, &[]);
    let exported = read(&["export", "kept/journal"]);
    assert_eq!((exported.code, exported.stdout), (Some(0), answers(0..20)), "{}", exported.stderr);
}

#[test]
fn a_full_disk_stops_the_run_which_resumes_once_there_is_room() {
    let Some(way) = with_own_mounts() else { return };
    let story = Story::instant(&ages(1_000));
    std::fs::create_dir(story.dir.path("kept")).expect("a folder");
    // The small disk disappears with the shell that mounted it, so everything happens in one shell.
    let script = "mount -t tmpfs -o size=256k none kept || exit 99
        \"$@\" 2> full.txt; echo $? > full.code
        \"$@\" 2> still-full.txt; echo $? > still-full.code
        mount -o remount,size=64m kept || exit 99
        \"$@\" || exit $?
        \"$1\" status --json kept/journal > status.json";
    let under = [way, &["sh", "-c", script, "sh"]].concat();
    let ran = story.run_under(&under, &["--journal", "kept/journal", "-c", "8"]);
    let full = |name: &str| Ran {
        code: story.dir.read(&format!("{name}.code")).trim().parse().ok(),
        stdout: String::new(),
        stderr: story.dir.read(&format!("{name}.txt")),
    };
    let stopped = full("full");
    assert_exit(
        &stopped,
        1,
        &[
            "the journal `kept/journal` cannot grow: the disk is full",
            "hint: make room and run the same command again",
        ],
    );
    let again = full("still-full");
    assert!(matches!(again.code, Some(1 | 2)), "{again:?}");
    assert!(again.stderr.contains("the disk is full"), "{}", again.stderr);
    assert_exit(&ran, 0, &["resuming `kept/journal`", "1,000 done"]);
    assert!(story.output() == answers(0..1_000), "the output is the right one");
    let status: serde_json::Value = serde_json::from_str(&story.dir.read("status.json")).expect("JSON");
    let possibly_paid = status["possibly_paid"].as_u64().expect("a count");
    assert!((1_000..=1_000 + possibly_paid).contains(&story.asked()), "{status}");
}

#[test]
fn a_full_output_disk_stops_the_run_and_nothing_is_lost() {
    let Some(way) = with_own_mounts() else { return };
    let story = Story::instant(&ages(2_000));
    std::fs::create_dir(story.dir.path("small")).expect("a folder");
    let script = "mount -t tmpfs -o size=64k none small || exit 99
        \"$@\" 2> full.txt; echo $? > full.code
        mount -o remount,size=64m small || exit 99
        \"$@\" && cat small/out.jsonl";
    let under = [way, &["sh", "-c", script, "sh"]].concat();
    let arguments =
        [&story.asking("in.txt")[..], &["-o", "small/out.jsonl", "--journal", JOURNAL, "-c", "8"]].concat();
    let ran = Ran::of(story.dir.start_under(&under, &arguments, &[]));
    assert_eq!(story.dir.read("full.code").trim(), "1", "{}", story.dir.read("full.txt"));
    let stderr = story.dir.read("full.txt");
    assert!(stderr.contains("small/out.jsonl") && stderr.contains("No space left"), "{stderr}");
    assert_exit(&ran, 0, &["resuming `out.jsonl.journal`", "2,000 done"]);
    assert!(ran.stdout == answers(0..2_000), "the output is the right one");
    let possibly_paid = story.count("possibly_paid");
    assert!((2_000..=2_000 + possibly_paid).contains(&story.asked()), "{possibly_paid} possibly paid");
}

#[test]
fn whichever_sync_fails_nothing_more_is_sent_and_the_same_command_finishes() {
    let traces = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).status();
    if !traces.is_ok_and(|status| status.success()) {
        eprintln!("skipped: `strace` makes syncs fail; `cargo xtask test` installs it if it can");
        return;
    }
    let mut stopped_by_the_journal = 0;
    for failing in 1..=8 {
        let story = Story::slow(10, &ages(400));
        let [journal, log] =
            ["", "-wal"].map(|ending| format!("{}{ending}", story.dir.path(JOURNAL).display()));
        let inject = format!("inject=fsync,fdatasync:error=EIO:when={failing}");
        let ran = story.run_under(
            &[
                "strace",
                "-f",
                "-qq",
                "-o",
                "trace.txt",
                "-e",
                "trace=fsync,fdatasync",
                "-e",
                &inject,
                "-P",
                &journal,
                "-P",
                &log,
            ],
            &["-c", "8"],
        );
        assert!(story.dir.read("trace.txt").contains("EIO"), "sync {failing} was not made to fail");
        let code = ran.code.unwrap_or_default();
        assert!(code == 1 || (code == 2 && story.asked() == 0), "sync {failing}: {ran:?}");
        assert_exit(
            &ran,
            code,
            &["`out.jsonl.journal` cannot be stored safely on its disk", "hint: nothing more was sent"],
        );
        // The first syncs follow the first answers, so most rows must not have been asked yet.
        assert!(story.simulator.stats().requests.all < 200, "{:?}", story.simulator.stats().requests);
        assert_eq!(story.simulator.stats().unfinished, 0, "what was in flight was awaited");
        assert!(!story.dir.has("out.jsonl"));
        stopped_by_the_journal += u32::from(code == 1);
        assert_exit(&story.run(&["-c", "8"]), 0, &["400 done"]);
        assert_eq!(story.output(), answers(0..400), "sync {failing}");
        let (requests, possibly_paid) = (story.simulator.stats().requests.all, story.count("possibly_paid"));
        assert!(
            requests <= 400 + possibly_paid,
            "sync {failing}: {requests} requests, {possibly_paid} possibly paid"
        );
    }
    assert!(stopped_by_the_journal >= 3, "most syncs are of outcomes");
}
