//! All requests to check: each prompt in each mode of each protocol, with each awkward schema. They are written as
//! JSON lines, which `xtask/judges/judge_requests.py` reads.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rowcall::provider::{self, Forms, Protocol, Target};
use rowcall::{Mode, Request, Schema};
use serde_json::{Value, json};

use super::questions::{self, Question};
use crate::{Result, workspace};

/// A protocol with a server's deviations.
#[derive(Debug)]
struct Way {
    name: &'static str,
    protocol: Protocol,
    provider: &'static str,
    base_url: &'static str,
    model: &'static str,
}

/// One for each protocol and each set of deviations from it that the SDKs also know.
const WAYS: [Way; 5] = [
    Way {
        name: "chat",
        protocol: Protocol::OpenAiChat,
        provider: "openai",
        base_url: "https://api.openai.com/v1",
        model: "gpt-6-luna",
    },
    Way {
        name: "compatible",
        protocol: Protocol::OpenAiChat,
        provider: "openai",
        base_url: "http://localhost:8000/v1",
        model: "any/model",
    },
    Way {
        name: "responses",
        protocol: Protocol::OpenAiResponses,
        provider: "openai",
        base_url: "https://api.openai.com/v1",
        model: "gpt-6-luna",
    },
    Way {
        name: "anthropic",
        protocol: Protocol::Anthropic,
        provider: "anthropic",
        base_url: "",
        model: "claude-haiku-5-5",
    },
    Way {
        name: "gemini",
        protocol: Protocol::Gemini,
        provider: "gemini",
        base_url: "",
        model: "gemini-3.8-flash",
    },
];

/// Writes all requests to `file`, one per line.
///
/// # Errors
/// Schemas or answers that cannot be read, and a file that cannot be written.
pub(super) fn write(file: &Path) -> Result<()> {
    let mut text = String::new();
    let lines = lines()?;
    for line in lines.values() {
        text.push_str(line);
        text.push('\n');
    }
    let folder = file.parent().unwrap_or(file);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(file, text));
    written.map_err(|error| format!("cannot write `{}`: {error}", file.display()))?;
    println!("{} requests are judged, `{}`", lines.len(), file.display());
    Ok(())
}

/// The lines, by the names of the requests.
fn lines() -> Result<BTreeMap<String, String>> {
    let schemas = schemas()?;
    let mut lines = BTreeMap::new();
    for way in &WAYS {
        let (first, further) = (questions::first(way.protocol), questions::further(way.protocol)?);
        for &mode in way.protocol.modes() {
            let mut rest = further.as_slice();
            for (schema_name, schema) in &schemas {
                // Some modes cannot express some schemas; other tests cover which.
                let Ok(forms) = Forms::of(schema, way.protocol, &[mode]) else { continue };
                // Earlier answers are the same with every schema, so one schema is enough.
                for question in first.iter().chain(std::mem::take(&mut rest)) {
                    let name = format!("{}/{}/{schema_name}/{}", way.name, mode.name(), question.name);
                    let target = way.target(&forms, question)?;
                    let line = line(&name, way, mode, &target.encode(&question.prompt));
                    lines.insert(name, line);
                }
            }
        }
    }
    Ok(lines)
}

impl Way {
    fn target(&self, forms: &Forms, question: &Question) -> Result<Target> {
        let provider = provider::named(self.provider).map_err(|problem| problem.message)?;
        let (form, parameters) = (forms.first.clone(), question.parameters.clone());
        let quirks = provider.quirks_at(self.base_url);
        Ok(Target::new(self.protocol, quirks, self.model.to_owned(), form, parameters))
    }
}

/// One request as a line. It contains the body byte for byte, so that a repeated key can be found.
fn line(name: &str, way: &Way, mode: Mode, request: &Request) -> String {
    let headers = request.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())));
    let headers: Value = Value::Object(headers.collect());
    let (protocol, mode) = (way.protocol.name(), mode.name());
    let about = json!({
        "name": name,
        "protocol": protocol,
        "mode": mode,
        "model": way.model,
        "path": &*request.path,
        "headers": headers,
    });
    let about = about.to_string();
    let about = about.strip_suffix('}').unwrap_or(&about);
    format!("{about},\"body\":{}}}", String::from_utf8_lossy(&request.body))
}

/// The awkward schemas of the library's tests, by name.
fn schemas() -> Result<BTreeMap<String, Schema>> {
    let folder = workspace().join("crates/rowcall/tests/schemas");
    let unreadable = |error: std::io::Error| format!("cannot read `{}`: {error}", folder.display());
    let mut schemas = BTreeMap::new();
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let text = fs::read(&path).map_err(unreadable)?;
        let wrong = |what: String| format!("`{}` is not a schema: {what}", path.display());
        let schema = serde_json::from_slice(&text).map_err(|error| wrong(error.to_string()))?;
        schemas.insert(name, Schema::from_json(schema).map_err(|problem| wrong(problem.message))?);
    }
    Ok(schemas)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::{WAYS, lines, schemas};

    #[test]
    fn every_mode_of_every_protocol_is_checked_with_every_schema() {
        let lines = lines().expect("the requests");
        let schemas = schemas().expect("the schemas");
        assert!(schemas.len() >= 20, "{}", schemas.len());
        let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for name in lines.keys().filter(|name| name.ends_with("/plain")) {
            let mut parts = name.split('/');
            let way = parts.next().expect("a way");
            *counts.entry((way, parts.next().expect("a mode"))).or_default() += 1;
        }
        for way in &WAYS {
            for mode in way.protocol.modes() {
                let count = counts.get(&(way.name, mode.name())).copied().unwrap_or_default();
                // Anthropic and Gemini do not accept every recursive schema.
                assert!(count + 4 >= schemas.len(), "{} by {}: {count}", way.name, mode.name());
            }
        }
    }

    #[test]
    fn a_line_has_the_request_in_it() {
        let lines = lines().expect("the requests");
        let line = lines.get("anthropic/tool/tree/a long output limit").expect("the request");
        let line: Value = serde_json::from_str(line).expect("JSON");
        let at = |pointer: &str| line.pointer(pointer).cloned().unwrap_or_default();
        assert_eq!(at("/protocol"), "anthropic");
        assert_eq!(at("/path"), "/v1/messages");
        assert_eq!(at("/headers/anthropic-version"), "2026-10-21");
        assert_eq!(at("/body/model"), "claude-haiku-5-5");
        assert_eq!(at("/body/stream"), true);
        for (name, line) in &lines {
            let line: Value = serde_json::from_str(line).expect(name);
            assert_eq!(line.get("name").and_then(Value::as_str), Some(name.as_str()));
        }
    }
}
