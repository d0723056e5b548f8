//! Values of plain words where a scalar is wanted.

use serde_json::{Value, json};

use crate::completion::{Reading, read};
use crate::schema::{Dialect, Schema};
use crate::turn::{Completion, Content, Finish};

fn summary(schema: &Value, text: &str, finish: Finish) -> String {
    let schema = Schema::from_json(schema.clone()).expect("a schema");
    let wire = schema.wire(Dialect::Text).expect("fits the wire");
    let completion = Completion {
        content: Content::Text(text.to_owned()),
        finish,
        finish_reason: String::new(),
        usage: None,
        model: String::new(),
        raw_turn: Value::Null,
        service_tier: None,
        continuation: None,
        body: bytes::Bytes::new(),
    };
    match read(&completion, &schema, &wire) {
        Reading::Value { value, repairs } => {
            let repairs: Vec<&str> = repairs.iter().map(|repair| repair.name()).collect();
            format!("{value} {}", repairs.join(" ")).trim_end().to_owned()
        }
        Reading::Truncated => "truncated".to_owned(),
        _ => "invalid".to_owned(),
    }
}

#[test]
fn plain_words_give_a_scalar() {
    let label = json!({ "enum": ["yes", "no"] });
    let constant = json!({ "const": "done" });
    let boolean = json!({ "type": "boolean" });
    let text = json!({ "type": "string" });
    let nullable = json!({ "anyOf": [{ "enum": ["A", "B"] }, { "type": "null" }] });
    for (schema, answer, expected) in [
        (&label, "yes", r#""yes" label"#),
        (&label, "Yes.", r#""yes" label"#),
        (&label, "**yes**", r#""yes" label"#),
        (&label, "\"Yes\"", r#""yes" label"#),
        (&label, "<think>no?</think>\nyes", r#""yes" label"#),
        (&label, "```\nyes\n```", r#""yes" label"#),
        (&label, "yes and no", "invalid"),
        (&label, "perhaps", "invalid"),
        (&label, "yes: the customer has agreed", r#""yes" label"#),
        (&label, "yes (high confidence)", r#""yes" label"#),
        (&label, "yes: no", "invalid"),
        (&label, "yes: false", "invalid"),
        (&label, "yes (incorrect)", "invalid"),
        (&label, "yes - unlikely", "invalid"),
        (&label, "yes: not at all true", "invalid"),
        (&label, "I doubt it is yes", "invalid"),
        (&label, "I wouldn't say it is yes", "invalid"),
        (&label, "Wrong answer: yes", "invalid"),
        (&label, "\u{2705} yes", r#""yes" label"#),
        (&label, "\u{274c} yes", "invalid"),
        (&label, "\u{2610} yes", "invalid"),
        (&label, "no? </think>yes", r#""yes" label"#),
        (&text, "Rome? No.</think>Paris", r#""Paris" plain_text"#),
        (
            &text,
            "<|START_THINKING|>Rome?<|END_THINKING|><|START_RESPONSE|>Paris<|END_RESPONSE|>",
            r#""Paris" plain_text"#,
        ),
        (&text, "Paris<|im_end|>", r#""Paris" plain_text"#),
        (&text, "a < b and b > a", r#""a < b and b > a" plain_text"#),
        (&text, "```\nParis\n```", r#""Paris" fence plain_text"#),
        (&text, "```python\nprint({\"a\": 1})\n```", r#""print({\"a\": 1})" fence plain_text"#),
        (&json!({ "type": "integer" }), "5.000.", "invalid"),
        (&constant, "Done!", r#""done" label"#),
        (&boolean, "Answer: **True**", "true label"),
        (&boolean, "no", "false label"),
        (&boolean, "not true", "invalid"),
        (&nullable, "Label: B", r#""B" label"#),
        (&text, "Plain words, as they stand.", r#""Plain words, as they stand." plain_text"#),
        (&text, "I have 42 apples [1]", r#""I have 42 apples [1]" plain_text"#),
        (&text, "42", r#""42" plain_text"#),
        (&text, "\"quoted\"", r#""quoted""#),
        (&json!({ "type": "string", "maxLength": 3 }), "too long", "invalid"),
        (&json!({ "type": "integer" }), "1,234", "1234 grouped_digits"),
        (&json!({ "type": "integer" }), "about 3", "invalid"),
        (&json!({ "type": "integer" }), "**42**", "42 label"),
        (&json!({ "type": "integer" }), "The answer: 42.", "42 label"),
        (&json!({ "type": "integer" }), "Error: 404", "invalid"),
        (&json!({ "type": "integer" }), "[42]", "invalid"),
        (&label, "{\"label\":\"yes\"}", r#""yes" envelope"#),
        (&label, "{\"label\":\"perhaps\"}", "invalid"),
        (&label, "<answer>no</answer>", r#""no" label"#),
        (&text, "```json\n\"quoted\"\n```", r#""quoted" fence"#),
        (&text, "He said {x}", r#""He said {x}" plain_text"#),
        (&text, "[Ann] said so", r#""[Ann] said so" plain_text"#),
        (&text, "{\"error\":\"nothing\"}", "invalid"),
    ] {
        assert_eq!(summary(schema, answer, Finish::Stop), expected, "{answer} under {schema}");
    }
    assert_eq!(summary(&text, "Plain words, as th", Finish::Length), "truncated");
}

#[test]
fn properties_are_read_as_a_careful_reader_would() {
    let schema = json!({ "title": "Person", "type": "object", "properties": {
        "zip": { "type": "string" },
        "population": { "type": "integer" },
        "isCapital": { "type": "boolean" },
        "mood": { "enum": ["good", "bad"] },
    }});
    for (answer, expected) in [
        (r#"{"zip":3012}"#, r#"{"zip":"3012"} number_as_text"#),
        (r#"{"zip":03012}"#, r#"{"zip":"03012"} loose_number"#),
        (r#"{"zip":12345678901234567890.10}"#, r#"{"zip":"12345678901234567890.10"} number_as_text"#),
        (r#"{"population":"1,234,567"}"#, r#"{"population":1234567} grouped_digits"#),
        (r#"{"isCapital":"Yes."}"#, r#"{"isCapital":true} label"#),
        (r#"{"is_capital":true}"#, r#"{"isCapital":true} key_spelling"#),
        (r#"{"Is Capital":"no"}"#, r#"{"isCapital":false} key_spelling label"#),
        (r#"{"mood":"**Good**"}"#, r#"{"mood":"good"} label"#),
        (r#"{"mood":"good or bad"}"#, "invalid"),
        (r#"{"mood":["good"]}"#, r#"{"mood":"good"} unwrapped"#),
        (r#"{"mood":["good","bad"]}"#, "invalid"),
        (r#"{"mood":"Mood.BAD"}"#, r#"{"mood":"bad"} label"#),
        (r#"{"population":"5.000"}"#, "invalid"),
        (r#"{"population":"5.0"}"#, r#"{"population":5}"#),
        (r#"{"zip":"a" + " b"}"#, "invalid"),
        (r#"{"zip":"a " or " b"}"#, "invalid"),
        (r#"{"zip":"a" + name + " b"}"#, "invalid"),
        (r#"{"zip":"either "a" or "b" will do"}"#, r#"{"zip":"either \"a\" or \"b\" will do"} inner_quotes"#),
        (r#"{"name":"Person","arguments":{"zip":"1"}}"#, r#"{"zip":"1"} envelope"#),
        (r#"{"name":"Person","parameters":"{\"zip\":\"1\"}"}"#, r#"{"zip":"1"} envelope stringified"#),
        (r#"{"population":[5]}"#, r#"{"population":5} unwrapped"#),
        (r#"{"isCapital":TRUE}"#, r#"{"isCapital":true} python_literal"#),
        (r#"{"Person":{"zip":"1"}}"#, r#"{"zip":"1"} envelope"#),
        (r#"{"properties":{"zip":"1"}}"#, r#"{"zip":"1"} envelope"#),
        (r#"{"error":"no person found"}"#, "invalid"),
        (r#"{"zip":"1","error":"none"}"#, r#"{"zip":"1","error":"none"}"#),
        ("{}", "{}"),
    ] {
        assert_eq!(summary(&schema, answer, Finish::Stop), expected, "{answer}");
    }
    assert_eq!(summary(&schema, &schema.to_string(), Finish::Stop), "invalid", "the schema itself");
}
