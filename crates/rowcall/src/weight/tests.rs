//! The most that a request can take, by protocol, limit and attachments.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::provider::{self, Form, Mode, Parameters};
use crate::schema::{Dialect, Schema};
use crate::turn::Turn;

const CAPACITY: Capacity = Capacity { input: Some(1_000_000), output: Some(64_000) };

fn target(protocol: Protocol, limit: Option<u32>, extra: &Value) -> Target {
    let quirks = provider::named("openai").expect("a provider").quirks_at("https://example.org/v1");
    let schema = Schema::parse("name: der Name in Großbuchstaben, age int").expect("a schema");
    let wire = Arc::new(schema.wire(Dialect::OpenAiStrict).expect("fits the wire"));
    let form = Form { mode: Mode::Schema, dialect: Dialect::OpenAiStrict, wire };
    let extra = extra.as_object().cloned().unwrap_or_default();
    let parameters = Parameters { temperature: None, max_output_tokens: limit, extra };
    Target::new(protocol, quirks, "m".to_owned(), form, parameters)
}

fn weighed(target: &Target, prompt: &Prompt, model: Capacity) -> Weight {
    weigh(&target.encode(prompt), target, prompt, model)
}

fn attachment(media_type: &str, content: AttachmentContent) -> Prompt {
    let attachments = vec![Attachment { media_type: media_type.to_owned(), content }];
    Prompt::new(vec![Turn::User { text: "Who?".to_owned(), attachments }])
}

#[test]
fn the_output_is_bounded_by_the_limit_sent() {
    use Protocol::{Anthropic, Gemini, OpenAiChat, OpenAiResponses};
    let prompt = Prompt::new(vec![Turn::user("Who?")]);
    let larger = Prompt { output_limit: Some(800), ..prompt.clone() };
    let none = Value::Object(Map::new());
    let own = json!({"generation_config": {"max_output_tokens": 77}});
    for (protocol, limit, extra, prompt, expected) in [
        (OpenAiChat, Some(400), &none, &prompt, 400),
        (OpenAiChat, Some(400), &none, &larger, 800),
        // If no limit is sent, the model's own applies.
        (OpenAiChat, None, &none, &prompt, 64_000),
        (OpenAiChat, Some(400), &json!({"max_tokens": "many"}), &prompt, 64_000),
        (OpenAiResponses, Some(400), &none, &prompt, 400),
        (Anthropic, Some(400), &none, &prompt, 400),
        (Anthropic, None, &none, &prompt, 16_000),
        (Gemini, Some(400), &none, &prompt, 400),
        (Gemini, Some(400), &own, &prompt, 77),
    ] {
        let target = target(protocol, limit, extra);
        let most = weighed(&target, prompt, CAPACITY).most.and_then(|most| most.output_tokens);
        assert_eq!(most, Some(expected), "{protocol:?} {limit:?} {extra}");
        let body = String::from_utf8(target.encode(prompt).body.to_vec()).expect("text");
        let said = expected.to_string();
        assert!(expected == 64_000 || body.contains(&said), "{body}");
    }
    let unknown = weighed(&target(OpenAiChat, None, &none), &prompt, Capacity::default());
    assert_eq!(unknown.most.and_then(|most| most.output_tokens), None);
}

#[test]
fn the_input_is_bounded_by_the_bytes_sent_and_the_servers_additions() {
    for protocol in [Protocol::OpenAiChat, Protocol::OpenAiResponses, Protocol::Anthropic, Protocol::Gemini] {
        let target = target(protocol, Some(9), &Value::Null);
        let prompt = Prompt::new(vec![Turn::System("Be brief.".into()), Turn::user("日本語 \u{1} \"x\"")]);
        let bytes = target.encode(&prompt).body.len();
        let weight = weighed(&target, &prompt, CAPACITY);
        // The schema's one non-ASCII character has two bytes, and six characters if escaped in ASCII.
        assert_eq!(weight.most.map(|most| most.input_tokens), Some(bytes as u64 + 4 + ADDED), "{protocol:?}");
        assert_eq!(weight.bytes, bytes);

        let paused = Prompt { continuation: Some("token".to_owned()), ..prompt };
        let bytes = target.encode(&paused).body.len();
        let most = weighed(&target, &paused, CAPACITY).most.expect("a limit");
        assert_eq!(most.input_tokens, bytes as u64 + 4 + ADDED + 5 * 9);
    }
}

#[test]
fn an_image_counts_as_the_most_expensive_and_a_document_as_the_longest_prompt() {
    let url = || AttachmentContent::Url("https://example.org/a.png".to_owned());
    let file = || AttachmentContent::Base64("QUJD".repeat(100_000).into());
    let input = |protocol, prompt: &Prompt, model| {
        let target = target(protocol, Some(9), &Value::Null);
        weighed(&target, prompt, model).most.map(|most| most.input_tokens)
    };
    for content in [url, file] {
        let image = attachment("image/png", content());
        let chat = input(Protocol::OpenAiChat, &image, CAPACITY).expect("a most");
        let anthropic = input(Protocol::Anthropic, &image, CAPACITY).expect("a most");
        assert!(
            (50_000..54_000).contains(&chat) && (5_000..9_000).contains(&anthropic),
            "{chat} {anthropic}"
        );
        let document = attachment("application/pdf", content());
        let most = input(Protocol::Anthropic, &document, CAPACITY).expect("a most");
        assert!((1_000_000..1_004_000).contains(&most), "{most}");
        assert_eq!(input(Protocol::Anthropic, &document, Capacity::default()), None);
    }
}
