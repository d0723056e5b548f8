//! Which rows share an answer: whatever shapes a value is part of the key, how the server is reached is not.

use rowcall_sim::{Fault, FaultKind};

use super::*;

/// The arguments of a run with this schema and prompt.
fn arguments<'a>(story: &'a Story, schema: &'a str, prompt: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let usual =
        ["run", "in.txt", "--schema", schema, "--prompt", prompt, "-m", "sim", "--base-url", &story.url];
    [&usual[..], &["-o", "out.jsonl", "--force", "--fresh", "--cache", "answers.cache"], more].concat()
}

#[test]
fn only_changes_that_shape_the_value_are_asked_again() {
    let story = Story::instant(10);
    story.dir.write("examples.jsonl", "{\"text\":\"Bob is 3\",\"age\":3,\"name\":\"Bob\"}\n");
    let schema = |description: &str| {
        json!({"type": "object", "properties": {"age": {"type": "integer", "description": description}, "name": {"type": "string"}},
               "required": ["age", "name"], "additionalProperties": false})
        .to_string()
    };
    let (one, other) = (schema("in years"), schema("in whole years"));
    let reordered = one.replace(
        "\"age\":{\"type\":\"integer\",\"description\":\"in years\"},\"name\":{\"type\":\"string\"}",
        "\"name\":{\"type\":\"string\"},\"age\":{\"type\":\"integer\",\"description\":\"in years\"}",
    );
    assert_ne!(one, reordered);
    let asked = |schema: &str, prompt: &str, more: &[&str]| {
        let mut arguments = arguments(&story, schema, prompt, more);
        if let Some(model) = more.iter().find(|word| word.starts_with("sim/")) {
            arguments.retain(|word| word != model);
            arguments[7] = model;
        }
        assert_exit(&story.dir.rowcall(&arguments), 0, &["10 done"]);
        story.asked()
    };
    let usual = "{{ text }}";
    for (schema, prompt, more) in [
        (&one, usual, &[][..]),
        (&one, "Who? {{ text }}", &[]),
        (&other, usual, &[]),
        (&reordered, usual, &[]),
        (&one, usual, &["--system", "Be brief."]),
        (&one, usual, &["--examples", "examples.jsonl"]),
        (&one, usual, &["--param", "seed=1"]),
        (&one, usual, &["--param", "seed=2"]),
        (&one, usual, &["--temperature", "0.5"]),
        (&one, usual, &["sim/alias"]),
        (&one, usual, &["--header", "anthropic-beta: one"]),
    ] {
        assert_eq!(
            (asked(schema, prompt, more), asked(schema, prompt, more)),
            (10, 0),
            "{schema} {prompt} {more:?}"
        );
    }
    // What counts is the rendered prompt, not the template.
    for (prompt, more) in [
        ("{{ text | trim }}", &[][..]),
        (usual, &["--max-output-tokens", "500"]),
        (usual, &["-c", "2", "--timeout", "5s", "--retries", "1", "--max-reasks", "1"]),
        (usual, &["--mode", "tool"]),
        (usual, &["--protocol", "responses"]),
        (usual, &["--header", "Authorization: Bearer other", "--header", "x-request-id: 7"]),
        (usual, &["--order", "completed", "--into", "person", "--no-journal"]),
    ] {
        assert_eq!(asked(&one, prompt, more), 0, "{prompt} {more:?}");
    }
    // Another port of this machine is another server, which may have another model under the same name, unless it is a simulator.
    let other = Simulator::start(Scenario::instant("another server"), Options::default()).expect("it starts");
    let other_url = other.base_url();
    for (model, asked) in [("sim", [0, 0]), ("vllm/default", [10, 10])] {
        for (url, expected) in [story.url.as_str(), other_url.as_str()].into_iter().zip(asked) {
            let before = requests(&other) + requests(&story.simulator);
            let mut arguments = arguments(&story, &one, usual, &[]);
            (arguments[7], arguments[9]) = (model, url);
            assert_exit(&story.dir.rowcall(&arguments), 0, &["10 done"]);
            assert_eq!(requests(&other) + requests(&story.simulator) - before, expected, "{model} {url}");
        }
    }
}

#[test]
fn an_image_counts_by_its_content() {
    let story = Story::instant(1);
    let png = |byte: u8| [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[byte; 20]].concat();
    story.dir.write(
        "in.jsonl",
        "{\"text\":\"Ann is 1\",\"photo\":\"a.png\"}\n{\"text\":\"Ann is 2\",\"photo\":\"b.png\"}\n",
    );
    let run = |output: &str| {
        let arguments = [
            "run",
            "in.jsonl",
            "--schema",
            "age int",
            "--prompt",
            "{{ text }}",
            "--image",
            "photo",
            "-m",
            "sim",
        ];
        let ran = story.dir.rowcall(
            &[&arguments[..], &["--base-url", &story.url, "-o", output, "--cache", "answers.cache"]].concat(),
        );
        assert_exit(&ran, 0, &["2 done"]);
        story.asked()
    };
    story.dir.write("a.png", png(1));
    story.dir.write("b.png", png(2));
    assert_eq!((run("one.jsonl"), run("two.jsonl")), (2, 0));
    story.dir.write("b.png", png(3));
    assert_eq!((run("three.jsonl"), run("four.jsonl")), (1, 0));
    // An equal image in another file is the same question.
    story.dir.write("c.png", png(1));
    story.dir.write(
        "in.jsonl",
        "{\"text\":\"Ann is 1\",\"photo\":\"c.png\"}\n{\"text\":\"Ann is 1\",\"photo\":\"a.png\"}\n",
    );
    assert_eq!(run("five.jsonl"), 0);
    story.dir.write("c.png", png(9));
    story.dir.write("a.png", png(9));
    assert_eq!(run("six.jsonl"), 1, "also within a run");
}

#[test]
fn only_values_are_kept_and_a_rerun_finds_and_keeps_them() {
    let refusal = Fault::new(FaultKind::Refusal, 1.0).with_contains("is 1");
    let story = Story::new(Scenario::instant("declines to answer about some").with_fault(refusal), 20);
    assert_exit(&story.run("one.jsonl", &[]), 3, &["9 done, 11 failed (11 refusal)"]);
    assert_eq!((story.asked(), &story.shown()["answers"]), (20, &json!(9)));
    assert_exit(
        &story.run("two.jsonl", &[]),
        3,
        &["9 done, 11 failed (11 refusal), 9 of these known without asking (9 from the cache)"],
    );
    assert_eq!(story.asked(), 11, "failed rows are asked again");
    let willing = Simulator::start(Scenario::instant("answers"), Options::default()).expect("it starts");
    let url = willing.base_url();
    let rerun = |journal: &str| {
        story.dir.rowcall(&["rerun", journal, "--base-url", &url, "--cache", "answers.cache"])
    };
    assert_exit(&rerun("one.jsonl.journal"), 0, &["11 done\n"]);
    assert_exit(
        &rerun("two.jsonl.journal"),
        0,
        &["11 done, 11 of these known without asking (11 from the cache)"],
    );
    assert_eq!(requests(&willing), 11);
    assert_exit(&story.run("three.jsonl", &[]), 0, &["20 done, 20 of these known"]);
    assert_eq!(story.asked(), 0);
    for output in ["one.jsonl", "two.jsonl", "three.jsonl"] {
        assert_eq!(story.dir.read(output), answers(20));
    }
}

#[test]
fn equal_rows_are_asked_once_and_no_dedup_is_refused() {
    let story = Story::instant(1);
    story.dir.write("in.txt", "Ann is 5\nAnn is 5\nAnn is 6\nAnn is 5\n");
    assert_exit(&story.run("one.jsonl", &[]), 0, &["4 done"]);
    assert_eq!(story.asked(), 2);
    assert_exit(
        &story.run("two.jsonl", &[]),
        0,
        &["4 done, 4 of these known without asking (2 from the cache)"],
    );
    assert_eq!(story.asked(), 0);
    let refused = story.run("three.jsonl", &["--no-dedup"]);
    assert_exit(&refused, 2, &["equal rows are asked individually", "leave out `--no-dedup` or `--cache`"]);
    assert!(!story.dir.has("three.jsonl.journal"));
}
