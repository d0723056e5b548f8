//! Feeds the reader of completions any text. It must not panic, must return no value that the schema does not allow, and
//! must be done in time. The first byte says which schema is asked for, how the answer ended, and what form it has; what
//! stands between two U+0001 is repeated, since only what is long takes long.
#![no_main]

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use rowcall::completion::{self, Reading, json};
use rowcall::schema::{Dialect, WireSchema};
use rowcall::{Completion, Content, Finish, Schema, ToolCall};
use serde_json::Value;

/// How long reading may take for each 100 kB, and for anything shorter.
const ALLOWED: Duration = Duration::from_millis(50);

/// How many times as long the fuzzer's build takes, which counts every branch; measured over the seeds.
const COUNTING: f64 = if cfg!(fuzzing) { 10.0 } else { 1.0 };

/// Bytes that [`ALLOWED`] is for.
const PORTION: f64 = 100_000.0;

/// Bytes of a text that repeats itself: enough to see what grows too fast, and not so many that little else is tried.
const LONG: usize = 20_000;

/// From the usual to what asks most of the repairs: recursion, maps, alternatives, lists and bare scalars.
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

fuzz_target!(|data: &[u8]| {
    let Some((choice, text)) = data.split_first() else { return };
    // Letters first, so that seeds can be read: `A` asks for the first schema, as a text that ended well.
    let choice = usize::from(choice.wrapping_sub(b'A'));
    let (schema, wire) = &ASKED[choice % SCHEMAS.len()];
    let finish = if (choice / SCHEMAS.len()) % 2 == 0 { Finish::Stop } else { Finish::Length };
    let text = stretched(&String::from_utf8_lossy(text));
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
    };
    match in_time(text.len(), || completion::read(&completion, schema, wire)) {
        Reading::Value { value, .. } => assert!(schema.validates(&value), "not of the schema: {value}"),
        Reading::Invalid { violations, .. } => assert!(!violations.is_empty(), "invalid without a reason"),
        Reading::Truncated => {}
        reading @ (Reading::Refused(_) | Reading::Filtered) => panic!("neither happened: {reading:?}"),
    }
    let found = in_time(text.len(), || json::find(&text));
    assert!(found.candidates.len() <= 16, "more candidates than promised");
});

/// The text, with what stands between its only two U+0001 repeated until there are [`LONG`] bytes.
fn stretched(text: &str) -> String {
    match text.split('\u{1}').collect::<Vec<_>>()[..] {
        [head, unit, tail] if !unit.is_empty() => {
            let room = LONG.saturating_sub(head.len() + tail.len());
            [head, &unit.repeat(room / unit.len()), tail].concat()
        }
        _ => text.to_owned(),
    }
}

/// A call for each piece of the text, every second one of a tool that does not exist.
fn calls(text: &str, name: &str) -> Vec<ToolCall> {
    let pieces = text.split('\0').enumerate();
    let call = |(at, arguments): (usize, &str)| ToolCall {
        name: if at % 2 == 0 { name } else { "other" }.to_owned(),
        arguments: arguments.to_owned(),
    };
    pieces.map(call).collect()
}

/// What `read` gives, in the time that `length` bytes may take. A machine that is busy is given a few tries, of which the
/// best counts.
fn in_time<T>(length: usize, read: impl Fn() -> T) -> T {
    const TRIES: usize = 5;
    let allowed = ALLOWED.max(ALLOWED.mul_f64(COUNTING * length as f64 / PORTION));
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        let started = Instant::now();
        let result = read();
        best = best.min(started.elapsed());
        if cfg!(debug_assertions) || best <= allowed {
            return result;
        }
    }
    panic!("{length} bytes took {best:?} at best, of {allowed:?} allowed");
}
