//! What users read, as sessions in `messages/`: commands, what they print, and their exit codes. A change of a message is a change
//! of these files; `ROWCALL_SNAPSHOTS=write` writes what is printed now.
#![expect(clippy::disallowed_methods, reason = "a variable asks for the sessions to be written anew")]

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::command::{Ran, TestDir};

/// What differs from run to run, and what is shown instead.
static VARYING: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r"127\.0\.0\.1:\d{4,5}", "127.0.0.1:PORT"),
        (r"\d+(\.\d+)? rows/s", "N rows/s"),
        (r"latency p50 .*", "latency p50 T, p95 T"),
        (r"\b\d+(\.\d+)? (ms|s)\b", "T"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?", "DATE"),
        (r"waiting for \d+ requests?", "waiting for N requests"),
    ]
    .into_iter()
    .map(|(pattern, shown)| (Regex::new(pattern).expect("a pattern"), shown))
    .collect()
});

#[test]
fn sessions_print_what_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/messages");
    let mut sessions: Vec<PathBuf> =
        std::fs::read_dir(&folder).expect("the sessions").flatten().map(|entry| entry.path()).collect();
    sessions.sort();
    let is_written = std::env::var("ROWCALL_SNAPSHOTS").is_ok_and(|wanted| wanted == "write");
    let mut differing = Vec::new();
    for path in &sessions {
        let session = std::fs::read_to_string(path).expect("a session");
        let printed = play(&session);
        if printed == session {
            continue;
        }
        if is_written {
            std::fs::write(path, printed).expect("the session is written");
        } else {
            differing.push(format!("{}:\n{}", path.display(), first_difference(&session, &printed)));
        }
    }
    assert!(!sessions.is_empty(), "no sessions");
    assert!(differing.is_empty(), "{}\nROWCALL_SNAPSHOTS=write writes them anew", differing.join("\n"));
}

/// The session with what its commands print now. Lines before the first command and those that start with `#` are kept.
fn play(session: &str) -> String {
    let dir = TestDir::new();
    let mut printed = String::new();
    let mut is_output = false;
    for line in session.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            printed.push_str(line);
            printed.push('\n');
            printed.push_str(&output(&dir, command));
            is_output = true;
        } else if line.starts_with('#') || !is_output {
            printed.push_str(line);
            printed.push('\n');
            is_output = false;
        }
    }
    printed
}

/// What a command prints, what varies replaced, with an empty line at the end.
fn output(dir: &TestDir, command: &str) -> String {
    let script = format!("rowcall() {{ \"$0\" \"$@\"; }}\n{command}");
    let ran = Ran::of(dir.start_under(&["sh", "-c", &script], &[], &[]));
    let folder = dir.path("");
    let folder = folder.to_str().expect("a path in UTF-8").trim_end_matches('/');
    let mut text = format!("{}{}", ran.stdout, ran.stderr).replace(folder, "DIR");
    for (pattern, shown) in VARYING.iter() {
        text = pattern.replace_all(&text, *shown).into_owned();
    }
    // Lines of output that start like those of a session.
    text = text.replace("\n$ ", "\n\\$ ").replace("\n#", "\n\\#");
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match ran.code {
        Some(0) => {}
        code => text.push_str(&format!(
            "[exit {}]\n",
            code.map_or("by a signal".to_owned(), |code| code.to_string())
        )),
    }
    text.push('\n');
    text
}

fn first_difference(expected: &str, printed: &str) -> String {
    let pairs = expected.lines().map(Some).chain(std::iter::repeat(None));
    let at = printed.lines().zip(pairs).position(|(now, before)| Some(now) != before);
    let at = at.unwrap_or_else(|| printed.lines().count());
    let around =
        |text: &str| text.lines().skip(at.saturating_sub(2)).take(6).collect::<Vec<_>>().join("\n  ");
    format!("line {}, expected:\n  {}\nprinted:\n  {}", at + 1, around(expected), around(printed))
}
