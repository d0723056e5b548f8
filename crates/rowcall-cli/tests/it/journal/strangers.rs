//! Files at the journal's path that are not ours, or not usable now: reported and left alone.

use rusqlite::{Connection, OpenFlags};

use super::{JOURNAL, Story, answers, assert_exit};
use crate::command::{Ran, ages};

/// A small database of another program.
fn database(story: &Story, name: &str, mode: &str) {
    let connection = Connection::open(story.dir.path(name)).expect("SQLite opens a file");
    connection.pragma_update(None, "journal_mode", mode).expect("a mode");
    connection
        .execute_batch("CREATE TABLE letters (text); INSERT INTO letters VALUES ('dear Ann')")
        .expect("SQL");
}

/// Asserts that `name` is refused by every command that takes a journal, and is the same afterwards.
fn assert_left_alone(story: &Story, name: &str, parts: &[&str]) {
    let before = std::fs::read(story.dir.path(name)).expect("the file");
    let run = |more: &[&str]| story.run(&[&["--journal", name], more].concat());
    let command = |command: &str| story.dir.rowcall(&[command, name]);
    let refused: [Ran; 6] = [
        run(&[]),
        run(&["--fresh"]),
        run(&["--accept-changes", "--force"]),
        command("status"),
        command("export"),
        command("rerun"),
    ];
    for ran in refused {
        assert_exit(&ran, 2, &[&[&*format!("`{name}`"), "hint: "], parts].concat());
        assert_eq!(ran.stdout, "");
    }
    assert!(std::fs::read(story.dir.path(name)).expect("the file") == before, "{name} was changed");
    assert!(!story.dir.has(&format!("{name}-lock")), "{name}");
    assert_eq!(story.asked(), 0);
    assert!(!story.dir.has("out.jsonl") && !story.dir.has("out.jsonl.part"));
}

#[test]
fn a_text_file_is_not_a_journal() {
    let story = Story::instant(&ages(20));
    for (name, content) in [
        ("notes.txt", "dear Ann\n".to_owned()),
        ("long.txt", "dear Ann, ".repeat(10_000)),
        ("short.txt", "x".to_owned()),
        ("false.txt", format!("SQLite format 3\0{}", "x".repeat(5_000))),
    ] {
        story.dir.write(name, content);
        assert_left_alone(&story, name, &["not a rowcall journal"]);
    }
}

#[test]
fn another_programs_database_is_not_a_journal() {
    let story = Story::instant(&ages(20));
    for mode in ["delete", "wal"] {
        let name = format!("letters-{mode}.db");
        database(&story, &name, mode);
        assert_left_alone(&story, &name, &["not a rowcall journal"]);
        let connection = Connection::open(story.dir.path(&name)).expect("SQLite opens it");
        let text: String =
            connection.query_row("SELECT text FROM letters", [], |row| row.get(0)).expect("a letter");
        assert_eq!(text, "dear Ann");
    }
}

#[test]
fn a_folder_is_not_a_journal() {
    let story = Story::instant(&ages(20));
    std::fs::create_dir(story.dir.path("folder")).expect("a folder");
    for more in [&[][..], &["--fresh"], &["--accept-changes"]] {
        assert_exit(&story.run(&[&["--journal", "folder"], more].concat()), 2, &["`folder`", "hint: "]);
    }
    assert_exit(&story.run(&["--journal", "none/journal"]), 2, &["`none/journal`", "hint: "]);
    assert!(story.dir.has("folder") && !story.dir.has("none"));
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_newer_journal_is_left_to_a_newer_rowcall() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&[]), 0, &[]);
    let connection = Connection::open(story.dir.path(JOURNAL)).expect("the journal");
    connection.pragma_update(None, "user_version", 4).expect("a version");
    drop(connection);
    let before = std::fs::read(story.dir.path(JOURNAL)).expect("the journal");
    let command = |command: &str| story.dir.rowcall(&[command, JOURNAL]);
    for ran in [
        story.run(&[]),
        story.run(&["--accept-changes"]),
        command("status"),
        command("export"),
        command("rerun"),
    ] {
        assert_exit(
            &ran,
            2,
            &["`out.jsonl.journal` has format 4, expected at most 3", "newer rowcall", "`--fresh`"],
        );
    }
    assert!(std::fs::read(story.dir.path(JOURNAL)).expect("the journal") == before);
    assert_eq!(story.asked(), 20);
    assert_exit(&story.run(&["--fresh"]), 0, &["20 done"]);
    assert_eq!((story.asked(), story.count("outcomes")), (20, 20));
}

#[test]
fn an_empty_file_can_become_a_journal() {
    let story = Story::instant(&ages(20));
    for more in [&[][..], &["--fresh"]] {
        story.dir.write("kept", "");
        assert_exit(&story.run(&[&["--journal", "kept"], more].concat()), 0, &["20 done"]);
        assert_eq!((story.asked(), story.output()), (20, answers(0..20)));
        std::fs::remove_file(story.dir.path("out.jsonl")).expect("the output");
    }
    story.dir.write("kept", "");
    for command in ["status", "export", "rerun"] {
        assert_exit(&story.dir.rowcall(&[command, "kept"]), 2, &["`kept`"]);
    }
}

#[test]
fn a_run_killed_while_creating_its_journal_resumes() {
    let story = Story::instant(&ages(20));
    // Kill it as soon as the file exists, as soon as it has content, ...
    for bytes in [0, 1, 4_096, 4_097].repeat(5) {
        let mut child = story.start(&["--force"]);
        while !std::fs::metadata(story.dir.path(JOURNAL)).is_ok_and(|file| file.len() >= bytes) {
            if child.try_wait().expect("it can be asked").is_some() {
                break;
            }
        }
        // ... or at its end, if that comes first.
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        let asked = story.asked();
        assert_exit(&story.run(&["--force"]), 0, &["20 done"]);
        let possibly_paid = story.status()["possibly_paid"].as_u64().expect("a count");
        assert!(asked + story.asked() <= 20 + possibly_paid, "{possibly_paid} possibly paid");
        assert_eq!(story.output(), answers(0..20));
        for file in [JOURNAL, "out.jsonl.journal-wal", "out.jsonl.journal-shm", "out.jsonl"] {
            let _ = std::fs::remove_file(story.dir.path(file));
        }
    }
}

#[test]
fn a_journal_in_use_is_read_by_many_and_written_by_one() {
    let story = Story::slow(50, &ages(300));
    let mut first = story.start(&["-c", "4"]);
    story.until_requests(&mut first, 40);
    for ran in [story.run(&[]), story.run(&["--fresh"]), story.dir.rowcall(&["rerun", JOURNAL])] {
        assert_exit(&ran, 2, &["`out.jsonl.journal` is being written to by another process", "hint: "]);
        assert!(!ran.stderr.contains("resuming"), "{}", ran.stderr);
    }
    let status = story.status();
    assert_eq!(
        (&status["running"], &status["complete"], &status["possibly_paid"]),
        (&true.into(), &false.into(), &0.into())
    );
    assert!(status["in_flight"].as_u64().is_some_and(|rows| rows > 0), "{status}");
    let text = story.dir.rowcall(&["status", JOURNAL]).stdout;
    assert!(text.contains("running"), "{text}");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let reader = Connection::open_with_flags(story.dir.path(JOURNAL), flags).expect("others may read");
    let rows: u64 = reader
        .query_row("SELECT count(*) FROM outcomes", [], |row| row.get::<_, i64>(0))
        .map(|rows| rows as u64)
        .expect("rows");
    assert!((1..300).contains(&rows), "{rows} rows");
    let so_far = story.dir.rowcall(&["export", JOURNAL]);
    assert_eq!(so_far.code, Some(0), "{}", so_far.stderr);
    assert!(answers(0..300).starts_with(&so_far.stdout) || so_far.stdout.lines().count() < 300);
    // Its own output is not overwritten while the run writes to it.
    let onto = story.dir.rowcall(&["export", JOURNAL, "-o", "out.jsonl", "--force"]);
    assert_exit(&onto, 2, &["the run that writes `out.jsonl` is still in progress", "hint: "]);
    // A reader with an open transaction does not block the writer.
    reader.execute_batch("BEGIN; SELECT count(*) FROM outcomes").expect("a long read");
    let first = Ran::of(first);
    assert_exit(&first, 0, &["300 done"]);
    drop(reader);
    assert_eq!((story.asked(), story.output()), (300, answers(0..300)));
    assert_eq!(story.status()["running"], false);
    assert_exit(&story.run(&[]), 0, &["300 of these known"]);
    assert_eq!(story.asked(), 0);
}
