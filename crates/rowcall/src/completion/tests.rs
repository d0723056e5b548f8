//! Scenarios of completions: what comes back, and how it is read.

use std::fmt::Write as _;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{NOT_CLOSED, Reading, read};
use crate::schema::{Dialect, Schema, WireSchema};
use crate::turn::{Completion, Content, Finish, ToolCall};
use crate::violation::Violation;

mod beside;
mod corrupt;
mod damage;
mod loss;
mod several;
mod texts;

fn completion(content: Content, finish: Finish) -> Completion {
    Completion {
        content,
        finish,
        finish_reason: String::new(),
        usage: None,
        model: String::new(),
        raw_turn: Value::Null,
        service_tier: None,
        continuation: None,
        body: bytes::Bytes::new(),
    }
}

fn text(text: &str) -> Content {
    Content::Text(text.to_owned())
}

fn calls(calls: &[(&str, &str)]) -> Content {
    let call = |(name, arguments): &(&str, &str)| ToolCall {
        name: (*name).to_owned(),
        arguments: (*arguments).to_owned(),
        came_parsed: false,
    };
    Content::Calls(calls.iter().map(call).collect())
}

/// A reading on one line, or on several if there are violations.
fn summary(reading: &Reading) -> String {
    match reading {
        Reading::Value { value, repairs } => {
            let names: Vec<&str> = repairs.iter().map(|repair| repair.name()).collect();
            format!("value {value} {}", names.join(" ")).trim_end().to_owned()
        }
        Reading::Invalid { violations, best } => {
            let mut summary = "invalid".to_owned();
            if let Some(best) = best {
                write!(summary, ", best {best}").expect("writes");
            }
            for violation in violations {
                write!(summary, "; {violation}").expect("writes");
            }
            summary
        }
        Reading::Refused(words) => format!("refused: {words}"),
        Reading::Truncated => "truncated".to_owned(),
        Reading::Paused => "paused".to_owned(),
        Reading::Filtered => "filtered".to_owned(),
    }
}

struct Asked {
    schema: Schema,
    wire: WireSchema,
}

impl Asked {
    fn new(schema: &str) -> Self {
        let schema = Schema::parse(schema).expect("a schema");
        let wire = schema.wire(Dialect::OpenAiStrict).expect("a wire schema");
        Self { schema, wire }
    }

    fn read(&self, content: Content, finish: Finish) -> Reading {
        read(&completion(content, finish), &self.schema, &self.wire)
    }

    fn check(&self, finish: Finish, stories: &[(Content, &str)]) {
        let mut wrong = Vec::new();
        for (content, expected) in stories {
            let got = summary(&self.read(content.clone(), finish));
            if got != *expected {
                wrong.push(format!("of {content:?}\n  got      {got}\n  expected {expected}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[test]
fn texts() {
    Asked::new("name str, age int?").check(
        Finish::Stop,
        &[
            (text(r#"{"name":"Ann","age":3}"#), r#"value {"name":"Ann","age":3}"#),
            // Parts of the wire's form that the user's lacks.
            (text(r#"{"name":"Ann","age":null}"#), r#"value {"name":"Ann","age":null}"#),
            (text(r#"{"name":"Ann","age":"3"}"#), r#"value {"name":"Ann","age":3}"#),
            (
                text("```json\n{'name': 'Ann', 'age': None,}\n```"),
                r#"value {"name":"Ann","age":null} single_quotes python_literal trailing_comma fence"#,
            ),
            (text(r#"Here: {"result": {"name":"Ann"}} "#), r#"value {"name":"Ann"} prose envelope"#),
            // Equal values count as one; one that does not resemble the schema is skipped, even in a fence.
            (text(r#"{"name":"Ann"} or {"name":"Ann","age":null}"#), r#"invalid, best {"name":"Ann","age":null}; the answer contains 2 different matching values, expected exactly one"#),
            (text("{\"name\":\"Ann\"}\n```\n{'name':'Ann'}\n```"), r#"value {"name":"Ann"} single_quotes fence"#),
            (text("{\"name\":\"Ann\"}, from ```{\"input\": 1}```"), r#"value {"name":"Ann"} prose"#),
            // A later invalid value may be the intended one; an earlier one was a draft.
            (
                text("{\"name\":\"Ann\"} is better than {\"name\":[7]}"),
                r#"invalid, best {"name":[7]}; `/name`: is an array, expected a string"#,
            ),
            (text("{\"name\":[7]}, no: {\"name\":\"Ann\"}"), r#"value {"name":"Ann"} prose"#),
            // Matched brackets of prose are skipped.
            (text(r#"As [1] and [x] say in {that}: {"name":"Ann"}."#), r#"value {"name":"Ann"} prose"#),
            (
                text(r#"[[ {x} [{[1 {"name":"Ann"}"#),
                r#"invalid; the JSON cannot be read: expected `:`, found `} [{[1 {"name":"Ann"}`"#,
            ),
            // None of several values is chosen, wherever they are.
            (
                text("At first {\"name\":\"Ann\"}, then ```{\"value\":{\"name\":\"Bob\"}}```"),
                "invalid, best {\"name\":\"Bob\"}; the answer contains 2 different matching values, expected exactly one",
            ),
            // A missing bracket is repaired only if it is certain where it belongs.
            (text(r#"{"name":"Ann","age":null"#), r#"value {"name":"Ann","age":null} missing_bracket"#),
            (text("{\"name\":\"Ann\",\"age\":30\n"), r#"value {"name":"Ann","age":30} missing_bracket"#),
            (text("```json\n{\"name\":\"Ann\",\"age\":30\n```"), r#"value {"name":"Ann","age":30} missing_bracket fence"#),
            (text(r#"{"name":"Ann","age":30"#), "invalid; the JSON is not closed: it ends before it is complete"),
            (text(r#"{"name":"Ann""#), "invalid; the JSON is not closed: it ends before it is complete"),
            (text(r#"{"name":"Ann","age":null,"#), "invalid; the JSON is not closed: it ends before it is complete"),
            // A continuation after the closing bracket belongs to the value.
            (text(r#"{"name":"Ann"},"age":30}"#), r#"value {"name":"Ann","age":30} stray_bracket"#),
            (text(r#"Here: {"name":"Ann"},"age":30,}}"#), r#"invalid; the JSON continues after its closing bracket, at `,"age":30,}}`, expected one complete value"#),
            (
                text(r#"{"name":"Ann"},"tags":["x"}"#),
                r#"invalid; the JSON continues after its closing bracket, at `,"tags":["x"}`, expected one complete value"#,
            ),
            (text(r#"{"name":"Ann" "age":3}"#), r#"value {"name":"Ann","age":3} missing_comma"#),
            (text(r#"{"name":"Ann "the Axe" Lee","age":3}"#), r#"value {"name":"Ann \"the Axe\" Lee","age":3} inner_quotes"#),
            (text(r#"{"age":3,"name":"Ann "the Axe" Lee"}"#), r#"value {"age":3,"name":"Ann \"the Axe\" Lee"} inner_quotes"#),
            (text(r#"{"name":"Ann, "age":"3"}"#), r#"invalid; the JSON cannot be read: expected `,` or `}`, found `age":"3"}`"#),
        ],
    );
}

#[test]
fn texts_without_a_value() {
    Asked::new("name str, age int?").check(
        Finish::Stop,
        &[
            (text(""), "invalid; the answer is empty, expected JSON"),
            (text(" \n"), "invalid; the answer is empty, expected JSON"),
            (text("I would rather not."), "invalid; the answer contains no JSON"),
            (text(r#"{"name": Ann}"#), "invalid; the JSON cannot be read: expected a value, found `Ann}`"),
            (text(&"[".repeat(200)), "invalid; the JSON nests deeper than 128 levels"),
            (text("42"), "invalid, best 42; is an integer, expected an object"),
            // The violations are those of the closest candidate, as the model wrote it.
            (text(r#"{"name":"Ann","age":"old"} or {"x":1,"age":""}"#), r#"invalid, best {"name":"Ann","age":"old"}; `/age`: is a string, expected an integer or null"#),
            // JSON that was cut off is not completed, and nothing in it is an answer.
            (text(r#"{"name":"Ann""#), "invalid; the JSON is not closed: it ends before it is complete"),
            (text(r#"[{"name":"Ann"},"#), "invalid; the JSON is not closed: it ends before it is complete"),
            (
                text(r#"I thought of {"name":"Ann"}, but no: {"name":"#),
                "invalid; the JSON is not closed: it ends before it is complete",
            ),
        ],
    );
}

#[test]
fn texts_at_the_output_limit() {
    let asked = Asked::new("name str, age int?");
    asked.check(
        Finish::Length,
        &[
            // A complete value counts.
            (text(r#"{"name":"Ann"}"#), r#"value {"name":"Ann"}"#),
            (text("{\"name\":\"Ann\"}\n\n"), r#"value {"name":"Ann"}"#),
            (text("```\n{\"name\":\"Ann\"}\n```\n"), r#"value {"name":"Ann"} fence"#),
            // A draft does not.
            (text("```\n{\"name\":\"Ann\"}\n```\nThis is what"), "truncated"),
            (text(r#"Perhaps {"name":"Ann"}. On the other"#), "truncated"),
            (text(r#"<think>{"name":"Ann"}"#), "truncated"),
            (text(r#"{"name":"Ann""#), "truncated"),
            (text(r#"{"name":[7]}"#), "truncated"),
            (text(""), "truncated"),
            (calls(&[("answer", r#"{"name":"Ann"}"#)]), r#"value {"name":"Ann"}"#),
            (calls(&[("answer", r#"{"name":"An"#)]), "truncated"),
            (calls(&[("answer", r#"{"name":"Ann"}"#), ("answer", r#"{"na"#)]), "truncated"),
            (calls(&[]), "truncated"),
        ],
    );
    // A number has no visible end.
    let schema = Schema::from_json(json!({"type": "integer"})).expect("a schema");
    let wire = schema.wire(Dialect::OpenAiStrict).expect("a wire schema");
    let asked = Asked { schema, wire };
    asked.check(
        Finish::Length,
        &[(text("12"), "truncated"), (text("```\n12"), "truncated"), (text(r#"{"value":12}"#), "value 12")],
    );
    asked.check(
        Finish::Stop,
        &[
            (text("12"), "value 12"),
            (text(r#"{"value":12}"#), "value 12"),
            (text("```\n12\n```"), "value 12 fence"),
        ],
    );
}

#[test]
fn parsed_arguments_at_the_output_limit_count_as_truncated() {
    let asked = Asked::new("xs int[], note str?");
    for arguments in [r#"{"xs":[1,2]}"#, r#"{"xs":[]}"#, r#"{"xs":[1],"note":"in the mid"}"#] {
        let call = |came_parsed| ToolCall {
            name: "answer".to_owned(),
            arguments: arguments.to_owned(),
            came_parsed,
        };
        for (came_parsed, finish, is_value) in [
            (true, Finish::Length, false),
            (true, Finish::Stop, true),
            (true, Finish::Unstated, true),
            // Text that the model itself closed.
            (false, Finish::Length, true),
        ] {
            let reading = asked.read(Content::Calls(vec![call(came_parsed)]), finish);
            assert_eq!(
                matches!(reading, Reading::Value { .. }),
                is_value,
                "{arguments}, {finish:?}: {reading:?}"
            );
            assert_eq!(reading == Reading::Truncated, !is_value, "{arguments}, {finish:?}: {reading:?}");
        }
    }
}

#[test]
fn lists() {
    let schema = r#"{"type":"array","items":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"],"additionalProperties":false}}"#;
    Asked::new(schema).check(
        Finish::Stop,
        &[
            (text(r#"[{"a":1},{"a":2}},{"a":3}]"#), r#"value [{"a":1},{"a":2},{"a":3}] stray_bracket"#),
            (text(r#"[{"a":1}],{"a":2},{"a":3}]"#), r#"value [{"a":1},{"a":2},{"a":3}] stray_bracket"#),
            // Consecutive objects are the list, if there are only separators between them.
            (text("{\"a\":1}\n{\"a\":2}\n{\"a\":2}\n"), r#"value [{"a":1},{"a":2},{"a":2}] collected prose"#),
            (text("Here:\n1. {\"a\":1},\n2. {\"a\":2}"), r#"value [{"a":1},{"a":2}] collected prose"#),
            (text("```json\n{\"a\":1}\n```\n```json\n{\"a\":2}\n```"), r#"value [{"a":1},{"a":2}] collected fence"#),
            (text("{\"a\":1}, or rather {\"a\":2}"), r#"invalid, best {"a":2}; is an object, expected an array"#),
            (text("{\"a\":1}\n{\"a\":\"x\"}"), r#"invalid, best {"a":"x"}; is an object, expected an array"#),
            (text("{\"a\":1}\n{\"a\":2}\n..."), "invalid; the answer says that something is omitted, expected everything written out"),
            (text("{\"a\":1}\n{\"a\":2}\n// 3 more"), "invalid; the answer says that something is omitted, expected everything written out"),
            (text("{\"a\":1}\n{\"a\":2}\netc."), "invalid; the answer says that something is omitted, expected everything written out"),
            (text("[{\"a\":1},{\"a\":2}]\n(and 5 more)"), "invalid; the answer says that something is omitted, expected everything written out"),
            (text("[{\"a\":1},{\"a\":2}]\n[Output truncated]"), "invalid; the answer says that something is omitted, expected everything written out"),
            (text("[{\"a\":1},{\"a\":2}, ...]"), "invalid; the JSON cannot be read: expected everything written out, found `...]`"),
            (text("{\"a\":1}"), r#"value [{"a":1}] wrapped"#),
            // Two lists.
            (text("[{\"a\":1}]\n[{\"a\":2}]"), r#"value [{"a":1},{"a":2}] merged"#),
            (text("[{\"a\":1}]\n[{\"a\":1},{\"a\":2}]"), r#"invalid, best [{"a":1},{"a":2}]; the answer contains 2 different matching values, expected exactly one"#),
            (text("First [{\"a\":1}], then [{\"a\":2}]"), r#"invalid, best [{"a":2}]; the answer contains 2 different matching values, expected exactly one"#),
            (text("[{\"a\":1}]\n[{\"a\":2},{\"a\":\"x\"}]"), r#"invalid, best [{"a":2},{"a":"x"}]; `/1/a`: is a string, expected an integer"#),
            (text("As [1] has it: [{\"a\":1}]"), r#"value [{"a":1}] prose"#),
            // A list that was cut off is not closed.
            (text(r#"[{"a":1},{"a":2}"#), "invalid; the JSON is not closed: it ends before it is complete"),
            (text("```json\n[{\"a\":1},{\"a\":2}\n```"), "invalid; the JSON is not closed: it ends before it is complete"),
            (text(r#"[{"a":1},{"a":2]"#), "invalid; the JSON cannot be read: expected `,` or `}`, found `]`"),
        ],
    );
    let many = (0..100).map(|n| format!("{{\"a\":{n}}}")).collect::<Vec<_>>().join("\n");
    let Reading::Value { value, .. } = Asked::new(schema).read(text(&many), Finish::Stop) else {
        panic!("a list")
    };
    assert_eq!(value.as_array().map(Vec::len), Some(100));
    Asked::new(schema).check(
        Finish::Length,
        &[
            (text("{\"a\":1}\n{\"a\":2}"), "truncated"),
            (text("{\"a\":1}"), "truncated"),
            (text("[{\"a\":1}]\n[{\"a\":2}]"), "truncated"),
            (text("[{\"a\":1}]"), r#"value [{"a":1}]"#),
        ],
    );
}

#[test]
fn backslashes() {
    Asked::new("s str").check(
        Finish::Stop,
        &[
            (
                text(r#"{"s":"\beta and \sigma in C:\Users\new"}"#),
                r#"value {"s":"\\beta and \\sigma in C:\\Users\\new"} invalid_escape"#,
            ),
            (text(r#"{"s":"\frac{1}{2} \alpha"}"#), r#"value {"s":"\\frac{1}{2} \\alpha"} invalid_escape"#),
            (
                calls(&[("answer", r#"{"s":"C:\Users\new"}"#)]),
                r#"value {"s":"C:\\Users\\new"} invalid_escape"#,
            ),
            (text(r#"{"s":"\\alpha \sigma"}"#), r#"invalid; the JSON cannot be read: expected every backslash of the string escaped as `\\`, found `\sigma"}`"#),
            // JSON, but a form feed before letters is never intended.
            (text(r#"{"s":"\frac{1}{2} \text{cm}"}"#), r#"invalid, best {"s":"\frac{1}{2} \text{cm}"}; `/s`: has a form feed before `rac`, because it was read from `\frac`, expected every backslash escaped as `\\`"#),
            (text(r#"{"s":"\nabla \times\n"}"#), r#"value {"s":"\nabla \times\n"}"#),
            (text(r#"{"s":"page 1\f\npage 2"}"#), r#"value {"s":"page 1\f\npage 2"}"#),
        ],
    );
}

#[test]
fn violations_describe_what_the_answer_contains() {
    Asked::new("title str, note str").check(
        Finish::Stop,
        &[
            (text(r#"{ title: Hello there, note: "x" }"#), r#"invalid; the JSON cannot be read: expected a value, found `Hello there, note: "x" }`"#),
            (
                text("Code:\n```python\nreturn p['a']\n```\n{\"title\":\"a\",\"note\": \"\"\"two \"words\" here\"\"\"}"),
                r#"value {"title":"a","note":"two \"words\" here"} triple_quotes prose"#,
            ),
            (text("Code:\n```python\nreturn p['a']\n```\n{\"title\":\"a\",\"note\": two words}"), "invalid; the JSON cannot be read: expected a value, found `two words}`"),
            (text(r#"{"title":"a"}"#), r#"invalid, best {"title":"a"}; required property `note` is missing"#),
            (text(r#"{"titel":"a","note":"b"}"#), r#"invalid, best {"titel":"a","note":"b"}; required property `title` is missing; unexpected property `titel`, did you mean `title`?"#),
            (text("<think>{\"title\":\"a\",\"note\":\"b\"}"), "invalid; the answer contains only thoughts, expected JSON after them"),
        ],
    );
}

#[test]
fn refusal_and_filter_take_precedence() {
    let asked = Asked::new("name str");
    let refusal = || Content::Refusal("I cannot help with that.".to_owned());
    asked.check(Finish::Stop, &[(refusal(), "refused: I cannot help with that.")]);
    asked.check(Finish::Length, &[(refusal(), "refused: I cannot help with that.")]);
    asked.check(
        Finish::ContentFilter,
        &[
            (refusal(), "refused: I cannot help with that."),
            (text(r#"{"name":"Ann"}"#), "filtered"),
            (text(""), "filtered"),
            (calls(&[("answer", r#"{"name":"Ann"}"#)]), "filtered"),
        ],
    );
}

#[test]
fn tool_calls() {
    let ann = r#"{"name":"Ann"}"#;
    let bob = r#"{"name":"Bob"}"#;
    let wrong = r#"{"name":[7]}"#;
    Asked::new("name str").check(
        Finish::Stop,
        &[
            (calls(&[("answer", ann)]), r#"value {"name":"Ann"}"#),
            (calls(&[("answer", "{'name': 'Ann'}")]), r#"value {"name":"Ann"} single_quotes"#),
            (calls(&[("answer", r#""{\"name\":\"Ann\"}""#)]), r#"value {"name":"Ann"} stringified"#),
            (calls(&[("answer", wrong)]), r#"invalid, best {"name":[7]}; `/name`: is an array, expected a string"#),
            (calls(&[("answer", r#"{"name":"Ann"#)]), "invalid; the JSON is not closed: it ends before it is complete"),
            (calls(&[]), "invalid; the answer is empty, expected JSON"),
            (calls(&[("answer", "")]), "invalid; the answer is empty, expected JSON"),
            (calls(&[("answer", ""), ("answer", "")]), "invalid; the answer is empty, expected JSON"),
            // Of two calls, the valid one counts.
            (
                calls(&[("answer", ann), ("answer", bob)]),
                r#"invalid, best {"name":"Bob"}; the answer contains 2 different matching values, expected exactly one"#,
            ),
            (calls(&[("answer", ann), ("answer", ann)]), r#"value {"name":"Ann"}"#),
            (calls(&[("answer", wrong), ("answer", bob)]), r#"value {"name":"Bob"}"#),
            // A wrong name does not matter if the arguments are valid.
            (calls(&[("answr", ann)]), r#"value {"name":"Ann"} tool_name"#),
            (calls(&[("answr", ann), ("answer", bob)]), r#"value {"name":"Bob"}"#),
            (calls(&[("answer", wrong), ("answr", ann)]), r#"value {"name":"Ann"} tool_name"#),
            (
                calls(&[("search", r#"{"query":"Ann"}"#)]),
                "invalid, best {\"query\":\"Ann\"}; the tool `search` was called, expected `answer`; \
                 unexpected property `query` (known: name); required property `name` is missing",
            ),
            (calls(&[("search", "")]), "invalid; the tool `search` was called, expected `answer`; the answer is empty, expected JSON"),
            (calls(&[("search", ""), ("search", "")]), "invalid; the tool `search` was called, expected `answer`; the answer is empty, expected JSON"),
        ],
    );
}

#[test]
fn the_wires_form_is_also_restored_under_an_envelope() {
    let map = json!({"type": "object", "properties": {"ages": {"type": "object", "additionalProperties": {"type": "integer"}}}, "required": ["ages"]});
    let asked = Asked::new(&map.to_string());
    asked.check(
        Finish::Stop,
        &[
            (text(r#"{"ages":[{"key":"Ann","value":3}]}"#), r#"value {"ages":{"Ann":3}}"#),
            (text(r#"{"ages":{"Ann":3}}"#), r#"value {"ages":{"Ann":3}}"#),
            (text(r#"[{"ages":[{"key":"Ann","value":"3"}]}]"#), r#"value {"ages":{"Ann":3}} unwrapped"#),
            (
                text(r#"{"answer":"{\"ages\":[{\"key\":\"Ann\",\"value\":3}]}"}"#),
                r#"value {"ages":{"Ann":3}} envelope stringified"#,
            ),
        ],
    );
}

/// Whatever is read, a value satisfies the schema and an invalid answer has reasons.
fn is_sound(asked: &Asked, text: &str, finish: Finish) {
    match asked.read(Content::Text(text.to_owned()), finish) {
        Reading::Value { value, .. } => assert!(asked.schema.validates(&value), "{value} of {text}"),
        Reading::Invalid { violations, .. } => assert!(!violations.is_empty(), "of {text}"),
        Reading::Truncated => {}
        Reading::Refused(_) | Reading::Filtered | Reading::Paused => {
            panic!("a text cannot give this reading")
        }
    }
}

fn loosest_and_strictest() -> [Asked; 3] {
    let deep = r##"{"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"type": "array", "items": {"$ref": "#"}}, "e": {"enum": ["x-y", "z"]}}, "additionalProperties": false}"##;
    [
        Asked::new("name str, age int?, tags str[]?"),
        Asked::new(deep),
        Asked::new(r#"{"type": "array", "items": {"type": "object"}}"#),
    ]
}

#[test]
fn pathological_texts_are_read_soundly() {
    // 100 kB in release mode, less where the code is slow.
    let size = if cfg!(debug_assertions) { 2_000 } else { 100_000 };
    let units = [
        "{\"a\":",
        "[",
        "{\"b\":[",
        "\"",
        "`",
        "{}",
        "[] ",
        "{\"e\":\"X Y\"} ",
        "[{},",
        "{\"a\":null,\"b\":null,\"e\":null,",
        "\\\"",
        "{\"a\":\"",
        "[\"{\\\"a\\\":",
        "<think>",
        "```json\n{}\n```\n",
        "1",
        "[1,",
        "{\"age\":\"x\"},",
    ];
    for asked in loosest_and_strictest() {
        for unit in units {
            let many = unit.repeat(size / unit.len());
            for text in [
                many.clone(),
                format!("[{many}{{}}]"),
                format!("{{\"b\":[{many}{{}}]}}"),
                json!(many).to_string(),
            ] {
                is_sound(&asked, &text, Finish::Stop);
                is_sound(&asked, &text, Finish::Length);
            }
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_read_is_sound(text in r#"(\PC|[{}\[\]":,]|"(a|b|e|name|age|tags)":|"x[_-]Y"|```|null|[0-9]){0,40}"#, cut in any::<bool>()) {
        for asked in loosest_and_strictest() {
            is_sound(&asked, &text, if cut { Finish::Length } else { Finish::Stop });
        }
    }

    #[test]
    fn a_valid_answer_is_read_as_it_is(name in "[^\\x08\\x0c]*", age in any::<Option<i64>>(), tags in any::<Option<Vec<u32>>>()) {
        let tags = tags.map(|tags| tags.iter().map(u32::to_string).collect::<Vec<_>>());
        let value = json!({"name": name, "age": age, "tags": tags});
        let reading = Asked::new("name str, age int?, tags str[]?").read(Content::Text(value.to_string()), Finish::Stop);
        prop_assert_eq!(reading, Reading::Value { value, repairs: Vec::new() });
    }

    #[test]
    fn no_prefix_of_an_answer_is_a_value(name in ".*", tags in any::<Vec<String>>(), share in 0.0..1.0) {
        let text = json!({"a": {}, "b": [{"e": "z"}, {"a": {"b": [{}]}}], "name": name, "tags": tags}).to_string();
        let mut end = (text.len() as f64 * share) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        for asked in loosest_and_strictest() {
            for finish in [Finish::Stop, Finish::Unstated, Finish::Length] {
                let reading = asked.read(Content::Text(text[..end].to_owned()), finish);
                let invalid = |why| Reading::Invalid { violations: vec![Violation::whole(why)], best: None };
                let expected = match (end, finish) {
                    (_, Finish::Length) | (1.., Finish::Unstated) => Reading::Truncated,
                    (0, _) => invalid("the answer is empty, expected JSON"),
                    (1.., _) => invalid(NOT_CLOSED),
                };
                prop_assert_eq!(reading, expected, "of {}", &text[..end]);
            }
        }
    }
}

#[test]
fn among_equally_wrong_candidates_the_first_one_is_shown() {
    Asked::new("name str, age int").check(
        Finish::Stop,
        &[(
            text(r#"{"name":"Ann"} or {"name":"Bob"}"#),
            r#"invalid, best {"name":"Bob"}; required property `age` is missing"#,
        )],
    );
}

#[test]
fn a_value_with_too_many_errors_is_not_repaired() {
    let schema = r#"{"type":"object","required":["all"],"properties":{"all":{"type":"array","items":{"enum":["yes","no"]}}}}"#;
    let asked = Asked::new(schema);
    for (errors, is_repaired) in [(256, true), (257, false)] {
        let all = vec!["YES"; errors];
        let reading = asked.read(text(&json!({"all": all}).to_string()), Finish::Stop);
        assert_eq!(matches!(reading, Reading::Value { .. }), is_repaired, "{errors} errors");
    }
}
