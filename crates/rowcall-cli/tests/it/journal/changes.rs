//! A changed command: which changes count, which do not, and which rows are asked then.

use serde_json::Value;

use super::{JOURNAL, Story, answers, assert_exit, sorted};
use crate::command::{Ran, ages};

/// A command that differs from [`SAME`], which made the journal.
#[derive(Clone, Copy)]
struct Asked<'a> {
    schema: &'a str,
    prompt: &'a str,
    model: &'a str,
    more: &'a [&'a str],
}

const SAME: Asked<'_> = Asked { schema: "age int", prompt: "{{ text }}", model: "sim", more: &[] };

fn run(story: &Story, asked: Asked<'_>, more: &[&str]) -> Ran {
    let Asked { schema, prompt, model, more: changed } = asked;
    let arguments = [
        "run",
        "in.txt",
        "-s",
        schema,
        "-p",
        prompt,
        "-m",
        model,
        "--base-url",
        &story.url,
        "-o",
        "out.jsonl",
    ];
    story.dir.rowcall(&[&arguments[..], changed, more].concat())
}

/// An output limit can cause a failure but never another value, so rows with a value are not asked again.
#[test]
fn another_output_limit_is_not_a_change() {
    let story = Story::instant(&ages(20));
    assert_exit(&run(&story, SAME, &[]), 0, &[]);
    assert_eq!(story.asked(), 20);
    for limit in ["100", "50"] {
        let asked = Asked { more: &["--max-output-tokens", limit], ..SAME };
        assert_exit(&run(&story, asked, &[]), 0, &["20 of these known"]);
    }
    assert_eq!((story.asked(), story.output()), (0, answers(0..20)));
}

#[test]
fn a_change_is_reported_with_a_count_and_made_only_if_accepted() {
    for (asked, what, unknown) in [
        (Asked { prompt: "Look: {{ text }}", ..SAME }, "prompt", 20),
        // The rendered prompt counts, not the template: 1 and 10 to 19.
        (Asked { prompt: "{{ text | replace('is 1', 'was 1') }}", ..SAME }, "prompt", 11),
        (Asked { prompt: "{{ text | trim }}", ..SAME }, "prompt", 0),
        (Asked { model: "sim/other", ..SAME }, "model", 20),
        (Asked { schema: "age int, name", ..SAME }, "schema", 20),
        (Asked { more: &["--temperature", "0.5"], ..SAME }, "parameters", 20),
        (Asked { more: &["--param", "seed=1"], ..SAME }, "parameters", 20),
        (Asked { more: &["--system", "Be exact."], ..SAME }, "system prompt", 20),
        (Asked { prompt: "Look: {{ text }}", schema: "age int, name", ..SAME }, "prompt and schema", 20),
    ] {
        let story = Story::instant(&ages(20));
        assert_exit(&run(&story, SAME, &[]), 0, &[]);
        assert_eq!(story.asked(), 20);
        if unknown == 0 {
            assert_exit(&run(&story, asked, &[]), 0, &["20 of these known"]);
            assert_eq!(story.asked(), 0, "rows with the same prompt are known");
            continue;
        }
        let refused = run(&story, asked, &[]);
        let other = if what == "parameters" { "other" } else { "another" };
        let message = format!(
            "the journal `out.jsonl.journal` was made with {other} {what}: {unknown} of 20 rows would be asked\n"
        );
        assert_exit(
            &refused,
            2,
            &[&message, "use `--accept-changes` to continue", "start over with `--fresh`"],
        );
        assert_eq!((story.asked(), story.output(), story.count("plans")), (0, answers(0..20), 1), "{what}");
        assert_exit(&run(&story, SAME, &[]), 0, &["20 of these known"]);

        assert_exit(&run(&story, asked, &["--accept-changes"]), 0, &["20 done"]);
        assert_eq!(story.asked(), unknown, "{what}: only new prompts");
        assert_exit(&run(&story, asked, &[]), 0, &["20 of these known"]);
        assert_exit(&run(&story, SAME, &[]), 0, &["20 of these known"]);
        assert_eq!(
            (story.asked(), story.output()),
            (0, answers(0..20)),
            "{what}: the old answers are still known"
        );

        assert_exit(&run(&story, asked, &["--fresh"]), 0, &["20 done"]);
        assert_eq!((story.asked(), story.count("outcomes")), (20, 20), "{what}");
    }
}

#[test]
fn fresh_and_accept_changes_exclude_each_other() {
    let story = Story::instant(&ages(20));
    assert_exit(&run(&story, SAME, &["--fresh", "--accept-changes"]), 2, &["--fresh", "--accept-changes"]);
    assert!(!story.dir.has(JOURNAL));
}

#[test]
fn the_rows_of_a_changed_input_are_counted_too() {
    let story = Story::instant(&ages(20));
    assert_exit(&run(&story, SAME, &[]), 0, &[]);
    // Six are new, two of which are equal.
    story
        .dir
        .write("in.txt", format!("{}Eve is 1\nEve is 1\nEve is 2\nEve is 3\nEve is 4\nEve is 5\n", ages(20)));
    let trimmed = Asked { prompt: "{{ text | trim }}", ..SAME };
    assert_exit(&run(&story, trimmed, &[]), 2, &["another prompt: 5 of 26 rows would be asked"]);
    assert_exit(&run(&story, trimmed, &["--no-dedup"]), 2, &["another prompt: 6 of 26 rows would be asked"]);
    assert_exit(
        &run(&story, trimmed, &["--limit-rows", "22"]),
        2,
        &["another prompt: 1 of 22 rows would be asked"],
    );
    assert_exit(&run(&story, trimmed, &["--accept-changes"]), 0, &[]);
    assert_eq!(story.asked(), 25);
}

#[test]
fn speed_order_and_retries_are_not_changes() {
    let story = Story::instant(&ages(20));
    assert_exit(&run(&story, SAME, &[]), 0, &[]);
    assert_eq!(story.asked(), 20);
    for more in [
        &["--concurrency", "3"][..],
        &["--order", "completed"],
        &["--retries", "1"],
        &["--max-reasks", "0"],
        &["--mode", "tool"],
        &["--rpm", "1000000", "--tpm", "1000000000"],
        &["--timeout", "30s"],
        &["--no-dedup"],
        &["--header", "X-Trace: 1"],
        &["--fail-fast"],
    ] {
        let ran = run(&story, Asked { more, ..SAME }, &[]);
        assert_exit(&ran, 0, &["20 of these known"]);
        assert_eq!((story.asked(), sorted(&story.output())), (0, sorted(&answers(0..20))), "{more:?}");
    }
    for (more, name) in [(&["--into", "found"][..], "found"), (&["--meta"], "_meta")] {
        assert_exit(&run(&story, Asked { more, ..SAME }, &[]), 0, &["20 of these known"]);
        let first: Value =
            serde_json::from_str(story.output().lines().next().expect("a line")).expect("JSON");
        assert!(first[name].is_object(), "{name}: {first}");
    }
    assert_eq!(story.asked(), 0);
}

#[test]
fn a_schema_with_other_order_and_whitespace_is_the_same() {
    let story = Story::instant(&ages(20));
    let a = r#"{"type": "object", "properties": {"age": {"type": "integer", "minimum": 0}}, "required": ["age"]}"#;
    let b = r#"{"required":["age"],"properties":{"age":{"minimum":0,"type":"integer"}},"type":"object"}"#;
    story.dir.write("a.json", a);
    for (schema, asked) in [("a.json", 20), (a, 0), (b, 0)] {
        assert_exit(&run(&story, Asked { schema, ..SAME }, &[]), 0, &["20 done"]);
        assert_eq!(story.asked(), asked, "{schema}");
    }
}
