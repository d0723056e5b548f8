//! Failed rows are asked again in another way: of another model, in other words, with another limit. What comes of it is the row's for
//! the command that made the journal, too.

use rowcall_sim::{Fault, FaultKind, Options, Scenario, Simulator};
use rusqlite::Connection;
use serde_json::json;

use super::{JOURNAL, Story, answers, assert_exit, people};
use crate::command::{ages, asking, lines};

/// Declines to answer about Ann where she is seven.
fn declining() -> Scenario {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("Ann is 7");
    Scenario::instant("declines to answer about one").with_fault(refusal)
}

/// The command that made the journal goes on with it: all is known and as it is in the output.
fn goes_on(story: &Story, more: &[&str], rows: u64) {
    let (output, asked) = (story.output(), story.asked());
    assert_exit(&story.run(more), 0, &[&format!("{rows} of these known")]);
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
    assert_exit(&story.place.rowcall(&rerun), 2, &["`OPENAI_API_KEY` is not set"]);
    assert_exit(&story.place.rowcall_with(&rerun, "", &[("OPENAI_API_KEY", "x")]), 0, &["20 rows, 0 failed"]);
    assert_eq!((story.asked(), elsewhere.stats().requests.all), (0, 1));
    assert_eq!(story.output(), answers(0..20));
    goes_on(&story, &["--mode", "tool"], 20);
    // An address holds for its own provider: without another one, the provider's own is asked.
    assert_exit(
        &story.place.rowcall(&["rerun", JOURNAL, "-m", "nobody/x"]),
        2,
        &["unknown provider `nobody`"],
    );
}

#[test]
fn the_same_server_is_asked_for_another_of_its_models() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["1 failed"]);
    assert_exit(
        &story.place.rowcall(&["rerun", JOURNAL, "-m", "sim/other", "--max-reasks", "0"]),
        3,
        &["1 failed"],
    );
    assert_eq!(story.asked(), 21, "at the address that the journal remembers");
}

#[test]
fn another_prompt_is_asked_about_the_failed_rows() {
    let twice = (0..20).chain(0..20);
    let story = Story::new(declining(), &people(twice.clone()));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["2 failed"]);
    assert_eq!(story.asked(), 20);
    story.place.write("prompt.txt", "{{ text | replace('Ann', 'Bea') }}");
    assert_exit(
        &story.place.rowcall(&["rerun", JOURNAL, "--prompt", "@prompt.txt"]),
        0,
        &["40 rows, 0 failed"],
    );
    assert_eq!((story.asked(), story.output()), (1, answers(twice)));
    goes_on(&story, &[], 40);
}

#[test]
fn rows_that_another_prompt_tells_apart_are_asked_each() {
    let story = Story::new(declining(), "");
    story.place.write(
        "in.jsonl",
        [1, 2, 1].map(|age| format!("{{\"text\":\"Ann is 7\",\"age_now\":{age}}}\n")).concat(),
    );
    let run = [&story.asking("in.jsonl")[..], &["-o", "out.jsonl", "--max-reasks", "0"]].concat();
    assert_exit(&story.place.rowcall(&run), 3, &["3 failed"]);
    assert_eq!(story.asked(), 1);
    let rerun = ["rerun", JOURNAL, "--prompt", "Bea is {{ age_now }}"];
    assert_exit(&story.place.rowcall(&rerun), 0, &["3 rows, 0 failed"]);
    let found: Vec<_> = lines(&story.output()).iter().map(|line| line["age"].clone()).collect();
    assert_eq!((story.asked(), found), (2, vec![json!(1), json!(2), json!(1)]));
}

/// Declines to answer about anyone of whom these words are said.
fn declining_about(all: &[&str]) -> Scenario {
    all.iter().fold(Scenario::instant("declines to answer about some"), |scenario, words| {
        scenario.with_fault(Fault::new(FaultKind::Refusal, 1.0).with_contains(words))
    })
}

#[test]
fn rows_that_another_prompt_has_told_apart_keep_their_own_outcomes() {
    // Which rows the rerun gives a value, with the rows in another order for the command that goes on.
    for (declined, expected) in [
        (&["Ann is 7"][..], [json!(1), json!(2), json!(1), json!(4)]),
        (&["Ann is 7", "Bea is 1"], [json!(null), json!(2), json!(null), json!(4)]),
        (&["Ann is 7", "Bea is 2"], [json!(1), json!(null), json!(1), json!(4)]),
    ] {
        let story = Story::new(declining_about(declined), "");
        let row = |age, id| format!("{{\"text\":\"Ann is 7\",\"age_now\":{age},\"id\":{id}}}\n");
        let rows = [row(1, 0), row(2, 1), row(1, 2), row(4, 3)];
        story.place.write("in.jsonl", rows.concat());
        let run = [&story.asking("in.jsonl")[..], &["-o", "out.jsonl", "--max-reasks", "0"]].concat();
        assert_exit(&story.place.rowcall(&run), 3, &["4 failed"]);
        assert_eq!(story.asked(), 1);
        let code = if expected.contains(&json!(null)) { 3 } else { 0 };
        let rerun = ["rerun", JOURNAL, "--prompt", "Bea is {{ age_now }}", "--max-reasks", "0"];
        assert_exit(&story.place.rowcall(&rerun), code, &[]);
        assert_eq!(story.asked(), 3, "rows that are asked the same share an outcome");
        let ages = || lines(&story.output()).into_iter().map(|line| line["age"].clone()).collect::<Vec<_>>();
        assert_eq!(ages(), expected, "{declined:?}");
        for _ in 0..2 {
            assert_exit(&story.place.rowcall(&run), code, &["4 of these known"]);
            assert_eq!((story.asked(), ages()), (0, expected.to_vec()), "{declined:?}");
        }
        let exported = lines(&story.place.rowcall(&["export", JOURNAL]).stdout);
        let exported: Vec<_> = exported.into_iter().map(|line| line["age"].clone()).collect();
        assert_eq!(exported, expected, "{declined:?}");
        // Another rerun asks about those that have no value, in the words that they were first asked in as well.
        assert_exit(&story.place.rowcall(&["rerun", JOURNAL, "--max-reasks", "0"]), code, &[]);
        assert_exit(&story.place.rowcall(&run), code, &[]);
        assert_eq!(ages(), expected, "{declined:?}");
        let moved: Vec<_> = rows.iter().rev().map(String::as_str).collect();
        story.place.write("in.jsonl", moved.concat());
        assert_exit(&story.place.rowcall(&run), code, &["4 of these known"]);
        assert_eq!(ages(), expected.iter().rev().cloned().collect::<Vec<_>>(), "{declined:?}");
    }
}

#[test]
fn rows_that_have_no_prompt_are_asked_by_another_template() {
    let story = Story::instant("");
    story.place.write("in.jsonl", "{\"text\":\"Ann is 7\"}\n{\"note\":\"Ann is 8\"}\n");
    let run = [&story.asking("in.jsonl")[..], &["-o", "out.jsonl"]].concat();
    assert_exit(&story.place.rowcall(&run), 3, &["1 failed (1 template)"]);
    let ages = || lines(&story.output()).into_iter().map(|line| line["age"].clone()).collect::<Vec<_>>();
    let rerun = |prompt| story.place.rowcall(&["rerun", JOURNAL, "--prompt", prompt]);
    assert_exit(&rerun("{{ nothing }}"), 3, &["1 failed (1 template)"]);
    assert_eq!((story.asked(), ages()), (1, vec![json!(7), json!(null)]));
    assert_exit(&rerun("{{ note }}"), 0, &["2 rows, 0 failed"]);
    assert_eq!((story.asked(), ages()), (1, vec![json!(7), json!(8)]));
    assert_exit(&story.place.rowcall(&run), 0, &["2 of these known"]);
    assert_eq!((story.asked(), ages()), (0, vec![json!(7), json!(8)]));
}

#[test]
fn a_slip_in_the_prompt_of_a_rerun_takes_nothing_from_the_rows() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["1 failed (1 refusal)"]);
    let rerun = |prompt| story.place.rowcall(&["rerun", JOURNAL, "--prompt", prompt, "--max-reasks", "0"]);
    assert_exit(&rerun("{{ text.age + 1 }}"), 3, &["1 failed"]);
    assert_eq!(story.asked(), 20);
    assert_exit(&rerun("{{ text | replace('Ann', 'Bea') }}"), 0, &["20 rows, 0 failed"]);
    assert_eq!((story.asked(), story.output()), (1, answers(0..20)));
    goes_on(&story, &[], 20);
}

#[test]
fn a_journal_of_rows_that_were_never_asked_goes_on_with_another_prompt() {
    let story = Story::instant("");
    story.place.write("in.jsonl", "{\"text\":\"Ann is 7\"}\n{\"text\":\"Ann is 8\"}\n");
    let run = |prompt| {
        let more = ["-o", "out.jsonl", "--prompt", prompt];
        let asking = story.asking("in.jsonl");
        let without = asking.iter().position(|word| *word == "-p" || *word == "--prompt").expect("a prompt");
        story.place.rowcall(&[&asking[..without], &asking[without + 2..], &more[..]].concat())
    };
    assert_exit(&run("{{ txt }}"), 3, &["2 failed (2 template)"]);
    assert_exit(&run("{{ text }}"), 0, &["2 done"]);
    assert_eq!(story.asked(), 2);
    assert_exit(&run("Bea says: {{ text }}"), 2, &["was made with another prompt"]);
}

#[test]
fn a_prompt_that_asks_every_row_the_same_must_be_meant() {
    let story = Story::new(declining(), &ages(20));
    assert_exit(&story.run(&["--max-reasks", "0"]), 3, &["1 failed"]);
    let rerun = ["rerun", JOURNAL, "--prompt", "Bea is 7"];
    assert_exit(&story.place.rowcall(&rerun), 2, &["--same-prompt"]);
    assert_eq!(story.asked(), 20);
    assert_exit(&story.place.rowcall(&[&rerun[..], &["--same-prompt"]].concat()), 0, &["20 rows, 0 failed"]);
    assert_eq!((story.asked(), story.output()), (1, answers(0..20)));
    assert_exit(&story.place.rowcall(&["rerun", JOURNAL, "--same-prompt"]), 2, &["--prompt"]);
}

#[test]
fn what_was_cut_is_asked_with_a_larger_limit() {
    let story = Story::new(Scenario::instant("answers as long as it may"), &ages(20));
    let asking = asking("in.txt", "name, age int, occupation", &story.url);
    let run = |limit| {
        story.place.rowcall(&[&asking[..], &["-o", "out.jsonl", "--max-output-tokens", limit]].concat())
    };
    assert_exit(&run("1"), 3, &["20 failed (20 truncated)"]);
    let asked = story.asked();
    // Failed rows are known, under another limit too.
    assert_exit(&run("100"), 3, &["20 of these known"]);
    assert_eq!((story.asked(), asked), (0, 60), "each limit is doubled twice");
    assert_exit(
        &story.place.rowcall(&["rerun", JOURNAL, "--max-output-tokens", "50"]),
        0,
        &["20 rows, 0 failed"],
    );
    let output = story.output();
    assert_eq!(story.asked(), 20);
    assert_exit(&run("1"), 0, &["20 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, output));
}

/// As journals were before the output limit was taken out of the keys.
#[test]
fn a_journal_with_the_limit_in_its_keys_goes_on_with_them() {
    let story = Story::instant(&ages(20));
    assert_exit(&story.run(&["--max-output-tokens", "40"]), 0, &["20 done"]);
    let connection = Connection::open(story.place.path(JOURNAL)).expect("the journal");
    connection.pragma_update(None, "user_version", 2).expect("a version");
    drop(connection);
    assert_eq!(story.asked(), 20);
    // Its rows are looked for by other keys than they have here, and get those.
    assert_exit(&story.run(&["--max-output-tokens", "40"]), 0, &["20 done"]);
    assert_eq!(story.asked(), 20);
    for limit in ["40", "80"] {
        assert_exit(&story.run(&["--max-output-tokens", limit]), 0, &["20 of these known"]);
    }
    assert_exit(&story.run(&[]), 0, &["20 of these known"]);
    assert_eq!((story.asked(), story.output()), (0, answers(0..20)));
}
