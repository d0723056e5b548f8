//! Strings that are not what the model meant, apostrophes, grouped digits, and calls that are written out.

use super::*;

#[test]
fn half_a_surrogate_pair_is_a_violation_at_its_path() {
    let half =
        "`/name`: has half a surrogate pair, expected both halves as `\\ud83d\\ude00` or the character";
    Asked::new("name str").check(
        Finish::Stop,
        &[
            (text(r#"{"name":"a\ud83d b"}"#), &format!("invalid, best {{\"name\":\"a\u{fffd} b\"}}; {half}")),
            (text(r#"{"name":"\ud83d\ude00"}"#), r#"value {"name":"😀"}"#),
            // The character itself may be in the input.
            (text("{\"name\":\"a\u{fffd}\"}"), "value {\"name\":\"a\u{fffd}\"}"),
        ],
    );
}

#[test]
fn a_string_does_not_swallow_another_property() {
    let asked = Asked::new("name str, age int?, city str?");
    for name in [
        "Ann</parameter>\\n<parameter name=\\\"age\\\">3",
        "Ann</name>\\n<parameter name=\\\"city\\\">Bern",
        "Ann</parameter>\\n</invoke>",
        "Ann\\\", \\\"age\\\": 3",
    ] {
        let namespaced = name.replace("parameter", "antml:parameter");
        for name in [name, &namespaced] {
            let answer = format!(r#"{{"name":"{name}"}}"#);
            let reading = summary(&asked.read(calls(&[("answer", &answer)]), Finish::Stop));
            assert!(reading.contains("`/name`: contains the "), "{answer}: {reading}");
        }
    }
    for answer in [
        r#"{"name":"<b>Ann</b>","age":null,"city":null}"#,
        r#"{"name":"a <parameter name=\"size\"> tag","age":null,"city":null}"#,
        r#"{"name":"\"a\", \"b\": c","age":null,"city":null}"#,
        r#"{"name":"\"a\", \"age\": c","age":3,"city":null}"#,
    ] {
        let reading = asked.read(text(answer), Finish::Stop);
        assert!(matches!(reading, Reading::Value { .. }), "{answer}: {}", summary(&reading));
    }
}

#[test]
fn apostrophes_and_grouped_digits_are_read_where_they_are_unambiguous() {
    Asked::new("u str, v str?").check(
        Finish::Stop,
        &[
            (text("{'u': 'it's', 'v': 'b'}"), r#"value {"u":"it's","v":"b"} single_quotes inner_quotes"#),
            (
                text("{'u': 'the dogs' bowl', 'v': 'b'}"),
                r#"value {"u":"the dogs' bowl","v":"b"} single_quotes inner_quotes"#,
            ),
            (
                text("{'u': 'a' + 'b'}"),
                "invalid; the JSON cannot be read: expected `,` or `}`, found `+ 'b'}`",
            ),
        ],
    );
    Asked::new("n int, m int?").check(
        Finish::Stop,
        &[
            (text(r#"{"n": 1,234,567, "m": 2}"#), r#"value {"n":1234567,"m":2} grouped_digits"#),
            (text(r#"{"n": 1,234}"#), r#"value {"n":1234} grouped_digits"#),
            (text(r#"{"n": 1,23}"#), "invalid; the JSON cannot be read: expected `:`, found `}`"),
        ],
    );
    Asked::new(r#"{"type":"object","additionalProperties":{"type":"integer"}}"#)
        .check(Finish::Stop, &[(text("{1: 2,345: 6}"), r#"value {"1":2,"345":6} unquoted_key"#)]);
    Asked::new("xs int[]")
        .check(Finish::Stop, &[(text(r#"{"xs":[1,234,567]}"#), r#"value {"xs":[1,234,567]}"#)]);
}

#[test]
fn calls_that_are_written_out_are_read() {
    let asked = Asked::new("xs str[]");
    let (name, wire) = (asked.schema.name().to_owned(), asked.wire.name.clone());
    for name in [name, wire] {
        let answer = format!(r#"[TOOL_CALLS][{{"name":"{name}","arguments":{{"xs":["a"]}}}}]"#);
        let reading = summary(&asked.read(text(&answer), Finish::Stop));
        assert_eq!(reading, r#"value {"xs":["a"]} prose envelope"#, "{answer}");
    }
    asked.check(
        Finish::Stop,
        &[
            (calls(&[("answer", r#"{}{"xs":["a"]}"#)]), r#"value {"xs":["a"]}"#),
            (calls(&[("answer", r#"{"xs":["a"]}{"xs":["b"]}"#)]), "invalid, best {\"xs\":[\"b\"]}; the answer contains 2 different matching values, expected exactly one"),
        ],
    );
}
