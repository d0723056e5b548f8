//! Several values in an answer: none is chosen, and none is dropped, whatever the answer's end, its lines and its choices.

use super::*;
use crate::turn::{Choice, Usage};

const LIST: &str = r#"{"type":"array","items":{"type":"integer"}}"#;
const WORDS: &str = r#"{"type":"array","items":{"enum":["a","b","c"]}}"#;
const PEOPLE: &str = r#"{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"],"additionalProperties":false}}"#;
const TWO: &str = "the answer contains 2 different matching values, expected exactly one";

fn kind(reading: &Reading) -> String {
    summary(reading).split([',', ';']).next().unwrap_or_default().to_owned()
}

#[test]
fn the_output_limit_does_not_choose_among_several_values() {
    let asked = Asked::new("name str");
    for answer in [
        "```json\n{\"name\":\"X\"}\n```\n```json\n{\"name\":\"Y\"}\n```",
        "{\"name\":\"X\"}\n```json\n{\"name\":\"Y\"}\n```",
        "```json\n{\"name\":\"X\"}\n```\n```json\n{\"name\":7}\n```",
    ] {
        assert_eq!(asked.read(text(answer), Finish::Length), Reading::Truncated, "{answer}");
    }
    let twice = "```json\n{\"name\":\"X\"}\n```\n```json\n{\"name\":\"X\"}\n```";
    asked.check(
        Finish::Length,
        &[
            (text(twice), r#"value {"name":"X"} fence"#),
            (calls(&[("answer", r#"{"name":"X"}"#), ("answer", r#"{"name":"Y"}"#)]), "truncated"),
        ],
    );
    let lists = "```json\n[\"a\"]\n```\n```json\n[\"b\"]\n```";
    assert_eq!(Asked::new(WORDS).read(text(lists), Finish::Length), Reading::Truncated);
}

#[test]
fn only_lists_on_lines_of_their_own_are_joined() {
    let asked = Asked::new(LIST);
    for (answer, expected) in [
        ("[1, 2]\n[3]", "value [1,2,3] merged"),
        ("Here:\n- [1, 2]\n- [3]\n", "value [1,2,3] merged"),
        ("```json\n[1, 2]\n```\n```json\n[3]\n```", "value [1,2,3] merged"),
        ("Here is the list: [3, 4]", "value [3,4] prose"),
        ("The answer is [3, 4]. Anything else?", "value [3,4] prose"),
    ] {
        assert_eq!(summary(&asked.read(text(answer), Finish::Stop)), expected, "{answer}");
    }
    for answer in [
        "See [1].\n[3, 4]",
        "See [1].\n```json\n[3, 4]\n```",
        "[3, 4]\n\n[1]: https://example.com/source",
        "[3, 4] [1]",
        "[3, 4] [1].",
        "Values in [0, 10]\n[3, 4]",
        "## Q[1]\n[3, 4]",
        "Source [1] - [3, 4]",
    ] {
        let reading = summary(&asked.read(text(answer), Finish::Stop));
        assert!(reading.ends_with(TWO), "{answer}: {reading}");
    }
    for answer in ["M[1][2]\n[7]", "[1][2]\n[7]"] {
        let reading = asked.read(text(answer), Finish::Stop);
        assert_eq!(kind(&reading), "invalid", "{answer}: {}", summary(&reading));
    }
    let words = Asked::new(WORDS);
    for answer in ["Options: [\"a\",\"b\"]\n[\"c\"]", "Rejected [\"b\"].\n[\"c\"]"] {
        let reading = summary(&words.read(text(answer), Finish::Stop));
        assert!(reading.ends_with(TWO), "{answer}: {reading}");
    }
}

#[test]
fn an_object_in_a_sentence_is_not_a_list_of_one() {
    let asked = Asked::new(PEOPLE);
    for answer in [
        "I excluded {\"name\":\"B\"} because it is too old.",
        "For example {\"name\":\"B\"}.",
        "Excluded: {\"name\":\"B\"}\n{\"name\":\"A\"}",
        "Excluded [{\"name\":\"B\"}].\n[{\"name\":\"A\"}]",
        "{\"name\":\"A\"}\n{\"name\":\"B\"} was excluded",
    ] {
        let reading = asked.read(text(answer), Finish::Stop);
        assert!(kind(&reading).starts_with("invalid"), "{answer}: {}", summary(&reading));
    }
    asked.check(
        Finish::Stop,
        &[
            (text("Here:\n- {\"name\":\"A\"}\n"), r#"value [{"name":"A"}] prose wrapped"#),
            (text("<answer>{\"name\":\"A\"}</answer>"), r#"value [{"name":"A"}] prose wrapped"#),
            (
                text("{\"name\":\"A\"}, {\"name\":\"B\"}"),
                r#"value [{"name":"A"},{"name":"B"}] collected prose"#,
            ),
        ],
    );
    Asked::new("name str")
        .check(Finish::Stop, &[(text("Answer: {\"name\":\"A\"}"), r#"value {"name":"A"} prose"#)]);
}

#[test]
fn remarks_about_omissions_count_wherever_there_is_a_list() {
    let elided = "invalid; the answer says that something is omitted, expected everything written out";
    let asked = Asked::new("xs str[]");
    for remark in [
        "(and 5 more)",
        "… etc.",
        "[Output truncated]",
        "(Part 1 of 3)",
        "I will send the remaining items in the next message.",
        "Would you like me to continue with the remaining 12 entries?",
    ] {
        let answer = format!("{{\"xs\":[\"a\"]}}\n{remark}");
        assert_eq!(summary(&asked.read(text(&answer), Finish::Stop)), elided, "{answer}");
        let answer = format!("```json\n{{\"xs\":[\"a\"]}}\n```\n\n{remark}");
        assert_eq!(summary(&asked.read(text(&answer), Finish::Stop)), elided, "{answer}");
    }
    let value = r#"value {"xs":["a"]} prose"#;
    asked.check(
        Finish::Stop,
        &[
            (text("{\"xs\":[\"a\"]}\nLet me know if you need anything else."), value),
            (text("The first 3 of 5 lines:\n{\"xs\":[\"a\"]}\n\nI hope this helps!"), value),
            (
                text("{\"xs\":[\"a\", // add more here\n]}"),
                "invalid; the JSON cannot be read: expected everything written out, found `// add more here`",
            ),
        ],
    );
    // A value without a list is complete.
    Asked::new("name str").check(
        Finish::Stop,
        &[(text("{\"name\":\"A\"}\nShall I continue with the rest?"), r#"value {"name":"A"} prose"#)],
    );
}

#[test]
fn without_a_finish_reason_the_output_limit_decides() {
    let string = Asked::new(r#"{"type":"string"}"#);
    let number = Asked::new(r#"{"type":"integer"}"#);
    let people = Asked::new(PEOPLE);
    let object = Asked::new("xs str[]");
    let parsed = || {
        let arguments = r#"{"xs":["a"]}"#.to_owned();
        Content::Calls(vec![ToolCall { name: "answer".to_owned(), arguments, came_parsed: true }])
    };
    for (asked, content, used, is_value) in [
        (&string, text("Hello wor"), Some(100), false),
        (&string, text("Hello world"), Some(99), true),
        (&string, text("Hello world"), None, true),
        // As many bytes as the limit has tokens.
        (&string, text(&"a ".repeat(50)), None, false),
        (&number, text("12"), Some(100), false),
        (&number, text("12"), Some(2), true),
        (&people, text("{\"name\":\"A\"}\n{\"name\":\"B\"}"), Some(100), false),
        (&people, text("{\"name\":\"A\"}\n{\"name\":\"B\"}"), Some(20), true),
        (&object, parsed(), Some(100), false),
        (&object, parsed(), Some(20), true),
        // JSON that the model itself closed.
        (&object, text(r#"{"xs":["a"]}"#), Some(100), true),
    ] {
        let usage = used.map(|output_tokens| Usage { output_tokens, ..Usage::default() });
        let completion = Completion { usage, ..completion(content, Finish::Unstated) };
        let reading = crate::completion::read_within(&completion, &asked.schema, &asked.wire, Some(100));
        assert_eq!(matches!(reading, Reading::Value { .. }), is_value, "{completion:?}: {reading:?}");
        assert_eq!(reading == Reading::Truncated, !is_value, "{completion:?}: {reading:?}");
    }
}

#[test]
fn several_choices_are_ambiguous_unless_one_has_the_value() {
    let choices = |all: &[(Content, Finish)]| {
        let choice =
            |(content, finish): &(Content, Finish)| Choice { content: content.clone(), finish: *finish };
        Content::Choices(all.iter().map(choice).collect())
    };
    let (ann, bob) = (r#"{"name":"Ann"}"#, r#"{"name":"Bob"}"#);
    let stop = Finish::Stop;
    Asked::new("name str").check(
        stop,
        &[
            (choices(&[(text(ann), stop), (text(bob), stop)]), &format!("invalid; {TWO}")),
            (choices(&[(text(ann), stop), (text(ann), stop)]), r#"value {"name":"Ann"}"#),
            (
                choices(&[(text("I will call it."), stop), (calls(&[("answer", ann)]), stop)]),
                r#"value {"name":"Ann"}"#,
            ),
            (choices(&[(text(r#"{"name":"#), Finish::Length), (text(ann), stop)]), "truncated"),
        ],
    );
}
