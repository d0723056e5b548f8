//! What we send to the providers' batch APIs: the lines of a file and the create, for each provider with an official SDK. They are written
//! as JSON lines, which `xtask/judges/judge_batches.py` reads.

use std::fs;
use std::path::Path;

use rowcall::provider::batch::{BatchApi, Carrier, Creation, Spool, Terms};
use rowcall::provider::{self, Forms, Protocol, Target};
use rowcall::{Mode, Payload, Schema};
use serde_json::{Value, json};

use super::questions;
use crate::Result;

/// A provider, as its SDK is called, with a model of it.
const PROVIDERS: [(&str, Protocol, &str); 7] = [
    ("openai", Protocol::OpenAiChat, "gpt-6-luna"),
    ("openai", Protocol::OpenAiResponses, "gpt-6-luna"),
    ("groq", Protocol::OpenAiChat, "llama-4"),
    ("together", Protocol::OpenAiChat, "Qwen/Qwen3.7-Max"),
    ("mistral", Protocol::OpenAiChat, "mistral-medium-3"),
    ("anthropic", Protocol::Anthropic, "claude-haiku-5-5"),
    ("google", Protocol::Gemini, "gemini-3.8-flash"),
];

/// Prompts that every provider takes.
const QUESTIONS: [&str; 4] = ["plain", "system", "examples", "an output limit"];

/// Writes what is sent to every provider to `file`, one per line.
///
/// # Errors
/// A provider without batches, and a file that cannot be written.
pub(super) fn write(file: &Path) -> Result<()> {
    let mut text = String::new();
    for (provider, protocol, model) in PROVIDERS {
        text.push_str(&sent(provider, protocol, model)?.to_string());
        text.push('\n');
    }
    let folder = file.parent().unwrap_or(file);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(file, text));
    written.map_err(|error| format!("cannot write `{}`: {error}", file.display()))
}

fn sent(provider: &str, protocol: Protocol, model: &str) -> Result<Value> {
    let terms = Terms::of(provider, protocol).ok_or_else(|| format!("{provider} has no batches"))?;
    let (api, endpoint) = (terms.api, terms.endpoint(protocol));
    let quirks = provider::named(provider).map_err(|problem| problem.message)?.quirks_at("");
    let schema = json!({
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": false,
    });
    let schema = Schema::from_json(schema).map_err(|problem| problem.message)?;
    let mut lines = Vec::new();
    for mode in [Mode::Schema, Mode::Tool] {
        let forms = Forms::of(&schema, protocol, &[mode]).map_err(|problem| problem.to_string())?;
        let all = questions::first(protocol);
        for question in all.iter().filter(|question| QUESTIONS.contains(&&*question.name)) {
            let parameters = question.parameters.clone();
            let target = Target::new(protocol, quirks, model.to_owned(), forms.first.clone(), parameters);
            let id = format!("0123456789ab-{}", lines.len());
            lines.push(api.line(api.carrier(), &id, endpoint, &target.encode(&question.prompt)));
        }
    }
    let (label, checksum) = ("rowcall_0123456789ab".to_owned(), "0".repeat(64));
    let spool = Spool { path: "/nowhere".into(), length: 0, label, checksum };
    let file = if api == BatchApi::Gemini { "files/in1" } else { "file-in1" };
    let file = (api.carrier() == Carrier::File).then_some(file);
    let call = api.create(&Creation { spool: &spool, file, endpoint, model });
    let create = match &call.payload {
        Payload::Empty => Vec::new(),
        Payload::Text(text) => text.to_vec(),
        Payload::File { before, after, .. } => {
            [&before[..], &lines.join(api.carrier().separator()), &after[..]].concat()
        }
    };
    let parsed = |text: &[u8]| serde_json::from_slice::<Value>(text).map_err(|error| error.to_string());
    let lines = lines.iter().map(|line| parsed(line)).collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "provider": provider,
        "protocol": protocol.name(),
        "path": call.to.as_str(),
        "create": parsed(&create)?,
        "lines": lines,
    }))
}

#[cfg(test)]
mod tests {
    use super::{PROVIDERS, QUESTIONS, sent};

    #[test]
    fn every_provider_is_sent_all_questions_in_both_modes() {
        for (provider, protocol, model) in PROVIDERS {
            let sent = sent(provider, protocol, model).expect("it can be sent");
            let lines = sent["lines"].as_array().expect("lines");
            assert_eq!(lines.len(), 2 * QUESTIONS.len(), "{provider}");
        }
    }
}
