//! Feeds any bytes to all protocols as the body of a response, mostly as streams. Nothing may panic, everything must
//! finish in time, and the result must be consistent: a value with the schema, a replayed answer with the next
//! request. The first byte selects the protocol and whether the status is a success; text between two U+0001 is
//! repeated.
#![no_main]

use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use libfuzzer_sys::fuzz_target;
use rowcall::completion::{self, Reading};
use rowcall::provider::{Form, Parameters, Protocol, Quirks, Target};
use rowcall::schema::Dialect;
use rowcall::{Mode, Prompt, Response, Schema, Turn, Violation};
use serde_json::Value;

mod limits;

use limits::{in_time, stretched};

const PROTOCOLS: [Protocol; 4] =
    [Protocol::OpenAiChat, Protocol::OpenAiResponses, Protocol::Anthropic, Protocol::Gemini];

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::parse("name str, age int?").expect("a schema"));

static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let wire = Arc::new(SCHEMA.wire(Dialect::Text).expect("fits the wire"));
    let target = |protocol| {
        let form = Form { mode: Mode::Tool, dialect: Dialect::Text, wire: Arc::clone(&wire) };
        let quirks = Quirks { output_limit_field: "max_tokens", system_role: "system", no_capacity_status: None };
        Target::new(protocol, quirks, "m".to_owned(), form, Parameters::default())
    };
    PROTOCOLS.into_iter().map(target).collect()
});

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    // Letters first, so that seeds are readable: `A` is a success of the first protocol.
    let choice = usize::from(choice.wrapping_sub(b'A'));
    let target = &TARGETS[choice % PROTOCOLS.len()];
    let status = if (choice / PROTOCOLS.len()) % 2 == 0 { 200 } else { 400 };
    let body = stretched(body);
    let length = body.len();
    let mut response =
        Response { status, headers: Default::default(), body: body.into(), received: SystemTime::UNIX_EPOCH };
    response.headers.insert("content-type", "text/event-stream".parse().expect("a header"));
    match in_time(length, || target.decode(&response)) {
        Ok(completion) => {
            if let Reading::Value { value, .. } = completion::read(&completion, &SCHEMA, &target.form.wire) {
                assert!(SCHEMA.validates(&value), "not of the schema: {value}");
            }
            let violations = vec![Violation::whole("no")];
            let invalid = Turn::Invalid { raw_turn: completion.raw_turn, violations };
            let asked = target.encode(&Prompt::new(vec![Turn::user("Who?"), invalid]));
            let sent = serde_json::from_slice::<Value>(&asked.body);
            assert!(sent.is_ok_and(|sent| sent.is_object()), "the re-ask is no JSON: {:?}", asked.body);
        }
        Err(fault) => assert!(!fault.message.is_empty(), "a fault without a message: {fault:?}"),
    }
});
