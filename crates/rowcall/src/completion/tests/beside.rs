//! Text next to a value: prose, thoughts, or more of the same JSON; and values that lack closing brackets or have a duplicate key.

use super::*;

const NESTED: &str = r#"{"type":"object","properties":{"n":{"type":"integer"},"p":{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}},"required":["a"],"additionalProperties":false}},"required":["n","p"],"additionalProperties":false}"#;

#[test]
fn an_object_with_a_duplicate_key_is_not_a_value() {
    let twice =
        |rest: &str| format!("invalid; the JSON cannot be read: expected each key once, found `{rest}`");
    Asked::new("name str, age int?").check(
        Finish::Stop,
        &[
            (text(r#"{"name":"Ann","age":3,"age":4}"#), &twice(r#""age":4}"#)),
            (text(r#"{"name":"Ann","age":3,"age":3}"#), &twice(r#""age":3}"#)),
            (calls(&[("answer", r#"{"age":3,"name":"Ann","age":4}"#)]), &twice(r#""age":4}"#)),
            // A colon in a string, or the same key in another object, is not a duplicate.
            (text(r#"{"name":"a: \"b\": c","age":3}"#), r#"value {"name":"a: \"b\": c","age":3}"#),
        ],
    );
    Asked::new(NESTED).check(
        Finish::Stop,
        &[
            (text(r#"{"n":1,"p":{"a":2,"b":"n"}}"#), r#"value {"n":1,"p":{"a":2,"b":"n"}}"#),
            (text(r#"{"n":1,"p":{"a":2,"a":3,"b":""}}"#), &twice(r#""a":3,"b":""}}"#)),
        ],
    );
}

#[test]
fn objects_that_lack_only_closing_brackets_are_closed() {
    let cut = format!("invalid; {NOT_CLOSED}");
    let whole = r#"value {"n":1,"p":{"a":2,"b":"x"}}"#;
    Asked::new(NESTED).check(
        Finish::Stop,
        &[
            (text(r#"{"n":1,"p":{"a":2,"b":"x"}"#), &format!("{whole} missing_bracket")),
            (text(r#"{"n":1,"p":{"a":2,"b":"x""#), &format!("{whole} missing_bracket")),
            (
                text("```json\n{\"n\":1,\"p\":{\"a\":2,\"b\":\"x\"\n```"),
                &format!("{whole} missing_bracket fence"),
            ),
            (calls(&[("answer", r#"{"n":1,"p":{"a":2,"b":"x""#)]), &format!("{whole} missing_bracket")),
            // The inner or the outer object may lack an optional property.
            (text(r#"{"n":1,"p":{"a":2 "#), &cut),
            (text(r#"{"p":{"a":2,"b":"x""#), &cut),
            (text(r#"{"n":1,"p":{"b":"x","a":2"#), &cut),
        ],
    );
    Asked::new(NESTED).check(Finish::Length, &[(text(r#"{"n":1,"p":{"a":2,"b":"x""#), "truncated")]);
}

#[test]
fn prose_next_to_a_value_is_not_part_of_it() {
    let value = r#"value {"s":"x"} prose"#;
    let left_over = "invalid; pieces of JSON are left over next to the value, expected one complete value";
    Asked::new("s str, note str?").check(
        Finish::Stop,
        &[
            (text(r#"He is 6'2" tall. {"s":"x"}"#), value),
            (text("{\"s\":\"x\"}\n\nA 5\" disk, \"floppy\" too."), value),
            (text(r#"In the range [0, 1) it gives {"s":"x"}"#), value),
            (text(r#"For (0, 0.5] it gives {"s":"x"}"#), value),
            (text("The object for \"Ann\":\n{\"s\":\"x\"}"), value),
            (text("First comes \"s\"\n{\"s\":\"x\"}"), value),
            (text("The field \"s\": I took the name.\n{\"s\":\"x\"}"), value),
            (text(r#"{{"s":"x"}}"#), value),
            // Text that may be part of it.
            (text("\"note\": 3\n{\"s\":\"x\"}"), left_over),
            (
                text("{\"s\":\"x\"}\nnote: more"),
                "invalid; the JSON continues after its closing bracket, at `note: more`, expected one complete value",
            ),
            (text("{\"s\":\"x\",\"note\":\"y\"}\nnote: it is short"), r#"value {"s":"x","note":"y"} prose"#),
        ],
    );
}

#[test]
fn thoughts_with_any_mark_never_count() {
    let asked = Asked::new("s str");
    for (begin, end) in [
        ("<think>", "</think>"),
        ("<seed:think>", "</seed:think>"),
        ("<Draft>", "</Draft>"),
        ("◁think▷", "◁/think▷"),
        ("<|begin_of_thought|>", "<|end_of_thought|>"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
        ("<|start|>assistant<|channel|>analysis<|message|>", "<|channel|>final <|constrain|>json<|message|>"),
    ] {
        let whole = format!(r#"{begin}perhaps {{"s":"draft"}}{end}{{"s":"x"}}"#);
        let reading = asked.read(text(&whole), Finish::Stop);
        assert!(summary(&reading).starts_with(r#"value {"s":"x"}"#), "{whole}: {}", summary(&reading));
        let open = format!(r#"{begin}perhaps {{"s":"draft"}}"#);
        let reading = asked.read(text(&open), Finish::Stop);
        assert!(matches!(reading, Reading::Invalid { .. }), "{open}: {}", summary(&reading));
    }
}

#[test]
fn numbers_keep_their_spelling_where_a_text_is_wanted() {
    Asked::new("s str, t str?").check(
        Finish::Stop,
        &[
            (text(r#"{"s":+41791234567}"#), r#"value {"s":"+41791234567"} loose_number"#),
            (text(r#"{"s":12e4}"#), r#"value {"s":"12e4"} number_as_text"#),
            (text(r#"{"s":1E5,"t":"y"}"#), r#"value {"s":"1E5","t":"y"} number_as_text"#),
            // A `Value` has one spelling for both, so they cannot be distinguished.
            (
                text(r#"{"s":1E5,"t":1e5}"#),
                r#"invalid, best {"s":1e+5,"t":1e+5}; `/s`: is an integer, expected a string; `/t`: is an integer, expected a string or null"#,
            ),
        ],
    );
    Asked::new("n int, x float").check(
        Finish::Stop,
        &[
            (text(r#"{"n":+5,"x":"+2.5"}"#), r#"value {"n":5,"x":2.5} loose_number"#),
            (text(r#"{"n":1,"x":1e5}"#), r#"value {"n":1,"x":1e+5}"#),
        ],
    );
}

#[test]
fn two_strings_are_not_one_with_inner_quotes() {
    Asked::new("s str").check(
        Finish::Stop,
        &[
            (text(r#"{"s": "he said "hi" to me"}"#), r#"value {"s":"he said \"hi\" to me"} inner_quotes"#),
            (text(r#"{"s": "a 5" disk"}"#), r#"value {"s":"a 5\" disk"} inner_quotes"#),
            (
                text(r#"{"s": "a" + "b"}"#),
                r#"invalid; the JSON cannot be read: expected `,` or `}`, found `+ "b"}`"#,
            ),
            (
                text(r#"{"s": "a" or "b"}"#),
                r#"invalid; the JSON cannot be read: expected `,` or `}`, found `or "b"}`"#,
            ),
            (text(r#"{\"s\": \"a\"}"#), r#"value {"s":"a"} stringified"#),
            // A superfluous quote is not content.
            (text(r#"{"s": ""a"}"#), r#"invalid; the JSON cannot be read: expected `,` or `}`, found `a"}`"#),
            (text(r#"{"s": "a""}"#), r#"invalid; the JSON cannot be read: expected `,` or `}`, found `"}`"#),
            (text(r#"{"s": "5""}"#), r#"value {"s":"5\""} inner_quotes"#),
        ],
    );
}

#[test]
fn comments_that_replace_items_are_rejected() {
    let asked = Asked::new(r#"{"type":"array","items":{"type":"integer"}}"#);
    for comment in ["// and so on", "/* 3 more */", "# remaining items omitted", "// ... ", "// etc."] {
        let reading = asked.read(text(&format!("[1, 2, {comment}\n]")), Finish::Stop);
        assert!(
            summary(&reading).contains("expected everything written out"),
            "{comment}: {}",
            summary(&reading)
        );
    }
    asked.check(Finish::Stop, &[(text("[1, 2 // no more than two\n]"), "value [1,2] comment")]);
}
