//! Feeds any text to the reader of completions. It must not panic, must return no value that the schema does not
//! allow, and must finish in time. Of a valid answer damaged by a few slips it must return everything or nothing. The
//! first byte selects the requested schema, how the answer ended, and its form; text between two U+0001 is repeated,
//! since only long inputs take long.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use rowcall::completion::{self, Reading, json};
use rowcall::schema::{Dialect, WireSchema};
use rowcall::{Completion, Content, Finish, Schema, ToolCall};
use serde_json::Value;

#[path = "../../crates/rowcall/src/completion/tests/damage.rs"]
mod damage;
mod limits;

use limits::{in_time, stretched};

/// From common schemas to those that demand most of the repairs: recursion, maps, alternatives, lists and bare
/// scalars.
const SCHEMAS: [&str; 6] = [
    "name str, age int?, tags str[]?",
    r##"{"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"type": "array", "items": {"$ref": "#"}}, "e": {"enum": ["x-y", "z", 1]}}, "additionalProperties": false}"##,
    r#"{"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 0}}, "required": ["a"], "additionalProperties": false}}"#,
    r#"{"type": "object", "properties": {"ages": {"type": "object", "additionalProperties": {"type": "integer"}}, "at": {"type": ["string", "null"], "format": "date"}}, "required": ["ages"]}"#,
    r#"{"type": "object", "properties": {"v": {"anyOf": [{"type": "number"}, {"type": "object", "properties": {"v": {"type": "boolean"}}, "required": ["v"]}, {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}}]}}, "required": ["v"]}"#,
    r#"{"type": "integer"}"#,
];

static ASKED: LazyLock<Vec<(Schema, WireSchema)>> = LazyLock::new(|| {
    let asked = |text: &&str| {
        let schema = Schema::parse(text).expect("a schema");
        let wire = schema.wire(Dialect::OpenAiStrict).expect("fits the wire");
        (schema, wire)
    };
    SCHEMAS.iter().map(asked).collect()
});

/// The schemas of damaged answers.
static DAMAGED: LazyLock<Vec<(Schema, WireSchema)>> = LazyLock::new(|| {
    let asked = |text: &&str| {
        let schema = Schema::parse(text).expect("a schema");
        let wire = schema.wire(Dialect::OpenAiStrict).expect("fits the wire");
        (schema, wire)
    };
    damage::SCHEMAS.iter().map(asked).collect()
});

/// Checks that nothing of an answer is lost: `data` decides the answer and its damage.
fn loses_nothing(data: &[u8]) {
    let Some(damaged) = damage::damaged(&mut damage::Decisions(data)) else { return };
    let (schema, wire) = &DAMAGED[damaged.schema];
    for finish in [Finish::Stop, Finish::Length, Finish::Unstated] {
        let completion = Completion {
            content: Content::Text(damaged.text.clone()),
            finish,
            finish_reason: String::new(),
            usage: None,
            model: String::new(),
            raw_turn: Value::Null,
            service_tier: None,
            continuation: None,
            body: Default::default(),
        };
        if let Reading::Value { value, .. } = completion::read(&completion, schema, wire) {
            let lost = damage::lost(&damaged.value, &value);
            assert_eq!(lost, None, "of {} in {value}, read from {}", damaged.value, damaged.text);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    loses_nothing(data);
    let Some((choice, text)) = data.split_first() else { return };
    // Letters first, so that seeds are readable: `A` selects the first schema and a text that ended normally.
    let choice = usize::from(choice.wrapping_sub(b'A'));
    let (schema, wire) = &ASKED[choice % SCHEMAS.len()];
    let finish = if (choice / SCHEMAS.len()) % 2 == 0 { Finish::Stop } else { Finish::Length };
    let text = String::from_utf8_lossy(&stretched(text)).into_owned();
    let content = match (choice / SCHEMAS.len() / 2) % 2 {
        0 => Content::Text(text.clone()),
        _ => Content::Calls(calls(&text, &wire.name)),
    };
    let completion = Completion {
        content,
        finish,
        finish_reason: String::new(),
        usage: None,
        model: String::new(),
        raw_turn: Value::Null,
        service_tier: None,
        continuation: None,
        body: Default::default(),
    };
    match in_time(text.len(), || completion::read(&completion, schema, wire)) {
        Reading::Value { value, .. } => assert!(schema.validates(&value), "not of the schema: {value}"),
        Reading::Invalid { violations, .. } => assert!(!violations.is_empty(), "invalid without a reason"),
        Reading::Truncated => {}
        reading @ (Reading::Refused(_) | Reading::Filtered | Reading::Paused) => {
            panic!("neither happened: {reading:?}")
        }
    }
    let found = in_time(text.len(), || json::find(&text, &[]));
    assert!(found.candidates.len() <= 1024, "more candidates than promised");
});

/// A call for each piece of the text, every other one to a tool that does not exist.
fn calls(text: &str, name: &str) -> Vec<ToolCall> {
    let pieces = text.split('\0').enumerate();
    let call = |(at, arguments): (usize, &str)| ToolCall {
        name: if at % 2 == 0 { name } else { "other" }.to_owned(),
        arguments: arguments.to_owned(),
        came_parsed: false,
    };
    pieces.map(call).collect()
}
