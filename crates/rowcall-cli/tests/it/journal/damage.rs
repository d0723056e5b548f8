//! Journals torn by a crash or damaged later: completed correctly or refused clearly, never a wrong output.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::{JOURNAL, Story, answers, assert_exit};
use crate::command::ages;

/// A frame of SQLite's write-ahead log: 24 bytes and a page.
const FRAME: u64 = 24 + PAGE as u64;
const PAGE: usize = 4_096;

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).expect("it is there").len()
}

fn cut(path: &Path, bytes: u64) {
    let file = File::options().write(true).open(path).expect("it can be opened");
    file.set_len(length(path) - bytes).expect("it can be cut");
}

fn write_at(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = File::options().write(true).open(path).expect("it can be opened");
    file.seek(SeekFrom::Start(at)).and_then(|_| file.write_all(bytes)).expect("it can be written to");
}

#[test]
fn a_torn_end_of_the_log_loses_only_what_was_torn() {
    type Tear = fn(&Path);
    let tears: [(&str, Tear); 5] = [
        ("cut within its last frame", |log| cut(log, FRAME / 2)),
        ("cut within a frame long before", |log| cut(log, 20 * FRAME + 100)),
        ("followed by garbage", |log| write_at(log, length(log), &[0xa5; 3 * FRAME as usize / 2])),
        ("with garbage for its last page", |log| write_at(log, length(log) - PAGE as u64, &[0xa5; PAGE])),
        ("gone", |log| std::fs::remove_file(log).expect("it is there")),
    ];
    for (what, tear) in tears {
        let story = Story::slow(20, &ages(300));
        story.kill(100, &["-c", "8"]);
        let log = story.dir.path(&format!("{JOURNAL}-wal"));
        assert!(length(&log) > 40 * FRAME, "there is something to tear");
        tear(&log);
        let ran = story.run(&["-c", "8"]);
        if what == "gone" && ran.code != Some(0) {
            // Without its log the journal may look as if no run had started.
            assert_exit(&ran, 2, &["`out.jsonl.journal`", "hint: "]);
            assert_exit(&story.run(&["-c", "8", "--fresh"]), 0, &["300 done"]);
        } else {
            assert_exit(&ran, 0, &["300 done"]);
        }
        assert_eq!(story.output(), answers(0..300), "the log was {what}");
        assert_exit(&story.run(&[]), 0, &["300 of these known"]);
    }
}

#[test]
fn a_damaged_journal_gives_the_right_output_or_none() {
    type Damage = fn(&mut Vec<u8>);
    let story = Story::instant(&ages(500));
    assert_exit(&story.run(&[]), 0, &[]);
    let whole = std::fs::read(story.dir.path(JOURNAL)).expect("the journal");
    assert!(whole.len() > 20 * PAGE, "{} bytes", whole.len());
    let damages: [(&str, Damage); 7] = [
        ("the last page is cut off", |journal| journal.truncate(journal.len() - PAGE)),
        ("half of the last page is cut off", |journal| journal.truncate(journal.len() - PAGE / 2)),
        ("the second half is cut off", |journal| journal.truncate(journal.len() / 2)),
        ("all but the first page is cut off", |journal| journal.truncate(PAGE)),
        ("all but the header is cut off", |journal| journal.truncate(100)),
        ("the last page is zero", |journal| {
            let last = journal.len() - PAGE;
            journal[last..].fill(0);
        }),
        ("the first page is garbage behind the header", |journal| journal[100..PAGE].fill(0xa5)),
    ];
    let mut wrong = Vec::new();
    for (what, damage) in damages {
        let mut damaged = whole.clone();
        damage(&mut damaged);
        wrong.extend(wrongs(&story, what, &damaged));
    }
    for page in 1..whole.len() / PAGE {
        let mut damaged = whole.clone();
        damaged[page * PAGE..(page + 1) * PAGE].fill(0xa5);
        wrong.extend(wrongs(&story, &format!("page {page} is garbage"), &damaged));
    }
    assert_eq!(wrong, [""; 0]);
}

/// What goes wrong with a journal of these bytes: each command must either do its work correctly or refuse and say why.
fn wrongs(story: &Story, what: &str, damaged: &[u8]) -> Vec<String> {
    let mut wrong = Vec::new();
    for command in ["status", "export", "rerun", "run"] {
        story.dir.write(JOURNAL, damaged);
        for other in ["out.jsonl.journal-wal", "out.jsonl.journal-shm", "out.jsonl"] {
            let _ = std::fs::remove_file(story.dir.path(other));
        }
        let ran = match command {
            "run" => story.run(&[]),
            "export" => story.dir.rowcall(&["export", JOURNAL, "-o", "out.jsonl"]),
            _ => story.dir.rowcall(&[command, JOURNAL]),
        };
        let written = story.dir.has("out.jsonl").then(|| story.output());
        let is_right = match ran.code {
            Some(0) => command == "status" || written == Some(answers(0..500)),
            Some(1 | 2) => {
                let expected = ["the journal `out.jsonl.journal` is damaged", "hint: "];
                written.is_none() && expected.iter().all(|part| ran.stderr.contains(part))
            }
            _ => false,
        };
        if !is_right {
            let rows = written.map(|written| written.lines().count());
            wrong.push(format!("{what}: {command}: {:?}, {rows:?} rows written: {}", ran.code, ran.stderr));
        }
    }
    // A damaged journal is still recognised as ours.
    story.dir.write(JOURNAL, damaged);
    let fresh = story.run(&["--fresh"]);
    if fresh.code != Some(0) || story.output() != answers(0..500) {
        wrong.push(format!("{what}: --fresh: {:?}: {}", fresh.code, fresh.stderr));
    }
    wrong
}
