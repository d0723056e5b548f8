//! Hostile data and answers in pages and on terminals.

use rusqlite::Connection;
use serde_json::{Value, json};

use super::{JOURNAL, ran, troubled};
use crate::command::{Ran, TestDir};

/// What must never come out of a report as it is. Each has `~`, which is a word of its own to be found by.
pub(crate) const HOSTILE: [&str; 30] = [
    "<script>alert('~')</script>",
    "</script><script>alert('~')</script>",
    "<img src=x onerror=alert('~')>",
    "<svg onload=alert('~')>",
    "\"><b id=~>",
    "'><b id=~>",
    "\" onmouseover=\"alert('~')",
    "' onfocus='alert(1)' autofocus='~",
    "</pre></details></main><h1>~</h1>",
    "</style><style>*{display:none}~</style>",
    "</title><title>~",
    "<!-- ~",
    "--><i>~</i><!--",
    "<a href=\"javascript:alert('~')\">x</a>",
    "<iframe src=\"https://example.com/~\"></iframe>",
    "<link rel=stylesheet href=\"//example.com/~.css\">",
    "<base href=\"//example.com/~/\">",
    "<meta http-equiv=refresh content=\"0;url=//example.com/~\">",
    "<form action=//example.com/~><input name=q></form>",
    "<object data=\"//example.com/~\"></object>",
    "{{ 7 * 7 }}<b>{% for x in y %} ~",
    "{{ report.settings|safe }}<b>~</b>",
    "${alert('~')} `alert('~')`<b>",
    "&lt;script&gt;~&lt;/script&gt;<u>",
    "<b\0>~</b>",
    "\u{1b}[2J\u{1b}[H<~>",
    "\u{1b}]0;~\u{7}<b>",
    "\u{1b}]8;;https://example.com/~\u{7}x\u{1b}]8;;\u{7}<b>",
    "\u{9b}31m~<b>",
    "\u{202e}~<b>\r\n\u{2028}",
];

/// A journal with hostile texts in data and answers.
pub(super) fn hostile() -> TestDir {
    let (dir, simulator) = (TestDir::new(), troubled());
    ran(&dir, &simulator, HOSTILE.len());
    let journal = Connection::open(dir.path(JOURNAL)).expect("a journal");
    for (row, text) in HOSTILE.iter().enumerate() {
        let text = text.replace('~', &format!("word{row}"));
        let (name, row) = (text.as_str(), i64::try_from(row).expect("few"));
        let record = json!({ "text": name }).to_string();
        let violations =
            json!([{"path": format!("/{}", name.replace('~', "~0").replace('/', "~1")), "message": name}]);
        let history = json!([
            {"p": 1, "at": 0, "ms": 1, "result": {"fault": {"kind": "server", "message": name}}},
            {"p": 1, "at": 2, "ms": 1, "result": {"rejected": {"answer": name, "violations": violations}}},
            {"p": 2, "at": 4, "ms": 1, "result": "answered"},
        ]);
        let (value, failure) = if row % 2 == 0 {
            let value = json!({ name: name, "list": [name], "in": { name: name } });
            (Some(value.to_string()), None)
        } else {
            let effort: Value = serde_json::to_value(rowcall::Effort::default()).expect("JSON");
            let failure = json!({"kind": "invalid", "message": name, "violations": violations, "completion": null,
                "best": {name: name}, "fault": null, "effort": effort});
            (None, Some(failure.to_string()))
        };
        journal
            .execute(
                "UPDATE outcomes SET value = ?2, failure = ?3, history = ?4, model = ?5, finish_reason = ?5, repairs = ?6 \
                 WHERE seq = (SELECT outcome FROM places WHERE idx = ?1)",
                rusqlite::params![row, value, failure, history.to_string(), name, json!([name]).to_string()],
            )
            .expect("changed");
        let kind = (row % 2 == 1).then_some("invalid");
        let sql = "UPDATE places SET record = ?2, failure = ?3 WHERE idx = ?1";
        journal.execute(sql, rusqlite::params![row, record, kind]).expect("changed");
    }
    dir
}

/// Whether a character could do something to a terminal, or to a reader's eyes.
pub(crate) fn is_harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202e}' | '\u{2028}')
}

#[test]
fn nothing_breaks_out_of_a_page() {
    let dir = hostile();
    let page = dir.rowcall(&["report", JOURNAL, "-o", "-"]);
    assert_eq!(page.code, Some(0), "{}", page.stderr);
    for (row, text) in HOSTILE.iter().enumerate() {
        let text = text.replace('~', &format!("word{row}"));
        assert!(!page.stdout.contains(&text), "{text:?}");
        assert!(page.stdout.contains(&format!("word{row}")), "row {row} is not shown");
    }
    // Hostile texts are in text and in quoted attributes, never in the markup itself.
    for tag in page.stdout.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let unquoted: String = tag.split('"').step_by(2).collect();
        assert!(!unquoted.contains("word"), "<{tag}>");
    }
    // Characters that would mislead a reader are written out.
    dir.write("same.journal", std::fs::read(dir.path(JOURNAL)).expect("a journal"));
    let diff = dir.rowcall(&["diff", JOURNAL, "same.journal", "-o", "-"]);
    assert_eq!(diff.code, Some(0), "{}", diff.stderr);
    let json = dir.rowcall(&["report", JOURNAL, "--json"]);
    for text in [&page.stdout, &diff.stdout, &json.stdout] {
        let harmful = text.chars().find(|c| is_harmful(*c));
        assert_eq!(harmful, None, "{:?}", harmful.and_then(|c| Some(&text[..text.find(c)? + 9])));
    }
    assert!(page.stdout.contains("\\u{202e}word29") && page.stdout.contains("\\u{1b}[2J"));
    let json: Value = serde_json::from_str(&json.stdout).expect("JSON");
    let stories = json["sample"]["rows"].as_array().expect("rows");
    assert!(
        stories.iter().any(|story| story["model"].as_str().is_some_and(|model| model.contains('\u{9b}')))
    );
    for (own, count) in
        [("<script", 1), ("</script", 1), ("<style", 1), ("<main", 1), ("<h1", 1), ("<meta", 4)]
    {
        assert_eq!(page.stdout.matches(own).count(), count, "{own}");
    }
}

/// Runs the command on a terminal, where its messages are printed above a bar. The bar's own sequences are among what comes out, those of the
/// hostile texts are not.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn above_a_bar(dir: &TestDir, arguments: &[&str]) {
    let has_script =
        std::process::Command::new("script").arg("--version").output().is_ok_and(|ran| ran.status.success());
    if !has_script {
        eprintln!("skipped: `script`, which gives a command a terminal, is not available");
        return;
    }
    let carrier = ["bash", "-c", "exec script -qec \"$(printf '%q ' \"$@\")\" /dev/null", "bash"];
    let run = Ran::of(dir.start_under(&carrier, &[arguments, &["--fresh"]].concat(), &[]));
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.stdout.contains("\\u{202e}word0"), "{run:?}");
    for raw in ["\u{1b}[2J", "\u{1b}[H", "\u{1b}]", "\u{9b}", "\u{202e}", "\u{7}"] {
        assert!(!run.stdout.contains(raw), "{raw:?} in {:?}", run.stdout);
    }
}

/// What a spreadsheet would take for a formula.
const FORMULAS: [&str; 5] =
    ["=HYPERLINK(\"http://example.com/\", \"~\")", "+1+cmd|' /C calc'!A0~", "-2+3~", "@SUM(1)~", "\t=1~"];

#[tokio::test]
async fn nothing_reaches_a_terminal_or_another_column_of_a_csv() {
    let dir = TestDir::new();
    let texts: Vec<_> = HOSTILE
        .iter()
        .rev()
        .chain(&FORMULAS)
        .enumerate()
        .map(|(row, text)| text.replace('~', &format!("word{row}")))
        .collect();
    let mut rows = String::new();
    for text in &texts {
        rows.push_str(&format!("{}\n", json!({ "text": text, "file": text })));
    }
    dir.write("in.jsonl", rows);
    // No file has such a name, and the messages say which was not found.
    let arguments = [
        "run",
        "in.jsonl",
        "-s",
        "age int",
        "-p",
        "{{ text }}",
        "--image",
        "file",
        "-m",
        "sim",
        "-o",
        "out.csv",
        "--verbose",
    ];
    let run = dir.rowcall(&arguments);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    for text in [&run.stdout, &run.stderr] {
        let harmful = text.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t' || *c == '\u{202e}');
        assert_eq!(harmful, None, "{text:?}");
    }
    assert!(run.stderr.contains("\\u{202e}"), "escaped characters can be seen: {}", run.stderr);
    above_a_bar(&dir, &arguments);
    let mut input = rowcall_data::Input::open(
        dir.path("out.csv"),
        rowcall_data::InputOptions {
            failed_rows: rowcall_data::FailedRows::Ask,
            ..rowcall_data::InputOptions::default()
        },
    )
    .expect("a CSV");
    let mut read = Vec::new();
    loop {
        let rows = rowcall::Source::next(&mut input, 100).await.expect("rows");
        if rows.is_empty() {
            break;
        }
        read.extend(rows.into_iter().map(|row| {
            let record: Value = serde_json::from_slice(&row.record).expect("JSON");
            record["text"].as_str().unwrap_or_default().to_owned()
        }));
    }
    assert_eq!(read, texts, "each text is in its column as it was");
}
