//! Failed rows are retried with another model, prompt or limit, and the command that made the journal uses the new outcomes too.

use rowcall_sim::{Fault, FaultKind, Options, Scenario, Simulator};
use rusqlite::Connection;
use serde_json::json;

use super::{JOURNAL, Story, answers, assert_exit, people};
use crate::command::{ages, asking, lines};

/// Declines to answer about Ann at seven.
fn declining() -> Scenario {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("Ann is 7");
    Scenario::instant("declines to answer about one").with_fault(refusal)
}

/// The command that made the journal resumes it: all rows are known, and the output stays the same.
fn assert_resumes(story: &Story, more: &[&str], rows: u64) {
    let (output, asked) = (story.output(), story.asked());
    // With the same options, which the journal remembers.
    let options = [more, &["--max-reasks", "0"]].concat();
    assert_exit(&story.run(&options), 0, &[&format!("{rows} of these known")]);
    assert_eq!((story.asked(), story.output()), (0, output), "{asked} were asked by the rerun");
    assert_eq!((&story.status()["model"], story.count("plans")), (&json!("sim/sim"), 1));
}

#[test]
fn another_model_is_asked_about_the_failed_rows() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0", "--mode", "tool"]), 3, &["1 failed"]);
    assert_eq!(story.asked(), 20);
    let elsewhere =
        Simulator::start(Scenario::instant("declines nothing"), Options::default()).expect("it starts");
    let rerun = ["rerun", JOURNAL, "-m", "openai/other", "--base-url", &elsewhere.base_url()];
    assert_exit(&story.dir.rowcall(&rerun), 2, &["`OPENAI_API_KEY` is not set"]);
    assert_exit(&story.dir.rowcall_with(&rerun, "", &[("OPENAI_API_KEY", "x")]), 0, &["20 rows, 0 failed"]);
    assert_eq!((story.asked(), elsewhere.stats().requests.all), (0, 1));
    assert_eq!(story.output(), answers(0..20));
    assert_resumes(&story, &["--mode", "tool"], 20);
    // An address belongs to its provider; another provider uses its own.
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL, "-m", "nobody/x"]), 2, &["unknown provider `nobody`"]);
}

#[test]
fn another_model_of_the_same_server_is_asked() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["1 failed"]);
    assert_exit(
        &story.dir.rowcall(&["rerun", JOURNAL, "-m", "sim/other", "--max-reasks", "0"]),
        3,
        &["1 failed"],
    );
    assert_eq!(story.asked(), 21, "at the address in the journal");
}

#[test]
fn another_prompt_is_asked_about_the_failed_rows() {
    let twice = (0..20).chain(0..20);
    let story = Story::new(declining(), &people(twice.clone()));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["2 failed"]);
    assert_eq!(story.asked(), 20);
    story.dir.write("prompt.txt", "{{ text | replace('Ann', 'Bea') }}");
    assert_exit(
        &story.dir.rowcall(&["rerun", JOURNAL, "--prompt", "@prompt.txt"]),
        0,
        &["40 rows, 0 failed"],
    );
    assert_eq!((story.asked(), story.output()), (1, answers(twice)));
    assert_resumes(&story, &[], 40);
}

#[test]
fn rows_that_differ_under_another_prompt_are_each_asked() {
    let story = Story::new(declining(), "");
    story.dir.write(
        "in.jsonl",
        [1, 2, 1].map(|age| format!("{{\"text\":\"Ann is 7\",\"age_now\":{age}}}\n")).concat(),
    );
    let run = [&story.asking("in.jsonl")[..], &["-o", "out.jsonl", "--max-reasks", "0"]].concat();
    assert_exit(&story.dir.rowcall(&run), 3, &["3 failed"]);
    assert_eq!(story.asked(), 1);
    let rerun = ["rerun", JOURNAL, "--prompt", "Bea is {{ age_now }}"];
    assert_exit(&story.dir.rowcall(&rerun), 0, &["3 rows, 0 failed"]);
    let found: Vec<_> = lines(&story.output()).iter().map(|line| line["age"].clone()).collect();
    assert_eq!((story.asked(), found), (2, vec![json!(1), json!(2), json!(1)]));
}

/// Declines to answer prompts that contain any of these texts.
fn declining_about(all: &[&str]) -> Scenario {
    all.iter().fold(Scenario::instant("declines to answer about some"), |scenario, words| {
        scenario.with_fault(Fault::new(FaultKind::Refusal, 1.0).with_contains(words))
    })
}

#[test]
fn rows_that_differ_under_another_prompt_keep_their_own_outcomes() {
    // The ages after the rerun; the original command then resumes with the rows in another order.
    for (declined, expected) in [
        (&["Ann is 7"][..], [json!(1), json!(2), json!(1), json!(4)]),
        (&["Ann is 7", "Bea is 1"], [json!(null), json!(2), json!(null), json!(4)]),
        (&["Ann is 7", "Bea is 2"], [json!(1), json!(null), json!(1), json!(4)]),
    ] {
        let story = Story::new(declining_about(declined), "");
        let row = |age, id| format!("{{\"text\":\"Ann is 7\",\"age_now\":{age},\"id\":{id}}}\n");
        let rows = [row(1, 0), row(2, 1), row(1, 2), row(4, 3)];
        story.dir.write("in.jsonl", rows.concat());
        let run = [&story.asking("in.jsonl")[..], &["-o", "out.jsonl", "--max-reasks", "0"]].concat();
        assert_exit(&story.dir.rowcall(&run), 3, &["4 failed"]);
        assert_eq!(story.asked(), 1);
        let code = if expected.contains(&json!(null)) { 3 } else { 0 };
        let rerun = ["rerun", JOURNAL, "--prompt", "Bea is {{ age_now }}", "--max-reasks", "0"];
        assert_exit(&story.dir.rowcall(&rerun), code, &[]);
        assert_eq!(story.asked(), 3, "rows with the same prompt share an outcome");
        let ages = || lines(&story.output()).into_iter().map(|line| line["age"].clone()).collect::<Vec<_>>();
        assert_eq!(ages(), expected, "{declined:?}");
        for _ in 0..2 {
            assert_exit(&story.dir.rowcall(&run), code, &["4 of these known"]);
            assert_eq!((story.asked(), ages()), (0, expected.to_vec()), "{declined:?}");
        }
        let exported = lines(&story.dir.rowcall(&["export", JOURNAL]).stdout);
        let exported: Vec<_> = exported.into_iter().map(|line| line["age"].clone()).collect();
        assert_eq!(exported, expected, "{declined:?}");
        // Another rerun asks about rows without a value, with their original prompt too.
        assert_exit(&story.dir.rowcall(&["rerun", JOURNAL, "--max-reasks", "0"]), code, &[]);
        assert_exit(&story.dir.rowcall(&run), code, &[]);
        assert_eq!(ages(), expected, "{declined:?}");
        let moved: Vec<_> = rows.iter().rev().map(String::as_str).collect();
        story.dir.write("in.jsonl", moved.concat());
        assert_exit(&story.dir.rowcall(&run), code, &["4 of these known"]);
        assert_eq!(ages(), expected.iter().rev().cloned().collect::<Vec<_>>(), "{declined:?}");
    }
}

#[test]
fn rows_without_a_prompt_are_asked_by_another_template() {
    let story = Story::instant("");
    story.dir.write("in.jsonl", "{\"text\":\"Ann is 7\"}\n{\"note\":\"Ann is 8\"}\n");
    let run = [&story.asking("in.jsonl")[..], &["-o", "out.jsonl"]].concat();
    assert_exit(&story.dir.rowcall(&run), 3, &["1 failed (1 template)"]);
    let ages = || lines(&story.output()).into_iter().map(|line| line["age"].clone()).collect::<Vec<_>>();
    let rerun = |prompt| story.dir.rowcall(&["rerun", JOURNAL, "--prompt", prompt]);
    assert_exit(&rerun("{{ nothing }}"), 3, &["1 failed (1 template)"]);
    assert_eq!((story.asked(), ages()), (1, vec![json!(7), json!(null)]));
    assert_exit(&rerun("{{ note }}"), 0, &["2 rows, 0 failed"]);
    assert_eq!((story.asked(), ages()), (1, vec![json!(7), json!(8)]));
    assert_exit(&story.dir.rowcall(&run), 0, &["2 of these known"]);
    assert_eq!((story.asked(), ages()), (0, vec![json!(7), json!(8)]));
}

#[test]
fn a_mistake_in_the_prompt_of_a_rerun_can_be_corrected() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["1 failed (1 refusal)"]);
    let rerun = |prompt| story.dir.rowcall(&["rerun", JOURNAL, "--prompt", prompt, "--max-reasks", "0"]);
    assert_exit(&rerun("{{ text.age + 1 }}"), 3, &["1 failed"]);
    assert_eq!(story.asked(), 20);
    assert_exit(&rerun("{{ text | replace('Ann', 'Bea') }}"), 0, &["20 rows, 0 failed"]);
    assert_eq!((story.asked(), story.output()), (1, answers(0..20)));
    assert_resumes(&story, &[], 20);
}

#[test]
fn a_journal_of_unasked_rows_resumes_with_another_prompt() {
    let story = Story::instant("");
    story.dir.write("in.jsonl", "{\"text\":\"Ann is 7\"}\n{\"text\":\"Ann is 8\"}\n");
    let run = |prompt| {
        let more = ["-o", "out.jsonl", "--prompt", prompt];
        let asking = story.asking("in.jsonl");
        let without = asking.iter().position(|word| *word == "-p" || *word == "--prompt").expect("a prompt");
        story.dir.rowcall(&[&asking[..without], &asking[without + 2..], &more[..]].concat())
    };
    assert_exit(&run("{{ txt }}"), 3, &["2 failed (2 template)"]);
    assert_exit(&run("{{ text }}"), 0, &["2 done"]);
    assert_eq!(story.asked(), 2);
    assert_exit(&run("Bea says: {{ text }}"), 2, &["was made with another prompt"]);
}

#[test]
fn a_prompt_without_a_field_needs_same_prompt() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["1 failed"]);
    let rerun = ["rerun", JOURNAL, "--prompt", "Bea is 7"];
    assert_exit(&story.dir.rowcall(&rerun), 2, &["--same-prompt"]);
    assert_eq!(story.asked(), 20);
    assert_exit(&story.dir.rowcall(&[&rerun[..], &["--same-prompt"]].concat()), 0, &["20 rows, 0 failed"]);
    assert_eq!((story.asked(), story.output()), (1, answers(0..20)));
    assert_exit(&story.dir.rowcall(&["rerun", JOURNAL, "--same-prompt"]), 2, &["--prompt"]);
}

#[test]
fn truncated_rows_are_retried_with_a_larger_limit() {
    let story = Story::new(Scenario::instant("answers as long as it may"), &ages(20));
    let asking = asking("in.txt", "name, age int, occupation", &story.url);
    let run = |limit| {
        story.dir.rowcall(&[&asking[..], &["-o", "out.jsonl", "--max-output-tokens", limit]].concat())
    };
    assert_exit(&run("1"), 3, &["20 failed (20 truncated)"]);
    let asked = story.asked();
    // Failed rows stay known under another limit.
    assert_exit(&run("100"), 3, &["20 of these known"]);
    assert_eq!((story.asked(), asked), (0, 60), "each limit is doubled twice");
    assert_exit(
        &story.dir.rowcall(&["rerun", JOURNAL, "--max-output-tokens", "50"]),
        0,
        &["20 rows, 0 failed"],
    );
    let output = story.output();
    assert_eq!(story.asked(), 20);
    assert_exit(&run("1"), 0, &["20 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, output));
}

/// Journals of format 2 had the output limit in their keys.
#[test]
fn a_journal_with_the_limit_in_its_keys_is_resumed() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&["--max-output-tokens", "40"]), 0, &["20 done"]);
    let connection = Connection::open(story.dir.path(JOURNAL)).expect("the journal");
    connection.pragma_update(None, "user_version", 2).expect("a version");
    drop(connection);
    assert_eq!(story.asked(), 20);
    // Its rows are looked up by the old keys and then get the new ones.
    assert_exit(&story.run(&["--max-output-tokens", "40"]), 0, &["20 done"]);
    assert_eq!(story.asked(), 20);
    for limit in ["40", "80"] {
        assert_exit(&story.run(&["--max-output-tokens", limit]), 0, &["20 of these known"]);
    }
    assert_exit(&story.run(&[]), 0, &["20 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(0..20)));
}
