//! `cargo xtask schemas DIR...`: JSON Schemas and OpenAPI documents as they are found in the wild, through every protocol. None may
//! make us panic, and no wire schema of ours may be refused by the simulator, which judges it by each provider's rules. The dialects of
//! engines must have each schema within a second, or a reason why not.
#![expect(clippy::disallowed_methods, reason = "how long a schema takes is judged")]

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rowcall::provider::{Form, Forms, Parameters, Protocol, Quirks, Target};
use rowcall::schema::Dialect;
use rowcall::{Mode, Prompt, Schema, Turn};
use serde_json::{Map, Value, json};

use crate::server::Server;
use crate::{Result, binaries};

/// Larger files are data, not schemas.
const LARGEST: u64 = 2 * 1024 * 1024;

const UNSIMULATED: &str = "not supported here by the simulator";

const PROTOCOLS: [(Protocol, &str); 4] = [
    (Protocol::OpenAiChat, "chat"),
    (Protocol::OpenAiResponses, "responses"),
    (Protocol::Anthropic, "anthropic"),
    (Protocol::Gemini, "gemini"),
];

/// The dialects of engines.
const ENGINES: [Dialect; 4] = [Dialect::Xgrammar, Dialect::Sglang, Dialect::LlamaCpp, Dialect::Ollama];

/// What a schema may take in one dialect.
const LONGEST: Duration = Duration::from_secs(1);

/// Judges what is found in `folders`, and prints what became of it.
///
/// # Errors
/// A folder without schemas, a panic, and a wire schema that a provider's rules forbid.
pub(crate) fn run(folders: &[&str]) -> Result<()> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(Path::new(folder), &mut paths);
    }
    paths.sort();
    let schemas: Vec<_> = paths.iter().flat_map(|path| read(path)).collect();
    if schemas.is_empty() {
        return Err(format!("no JSON Schema and no OpenAPI document in {folders:?}"));
    }
    let mut command = Command::new(binaries::tested("rowcall")?);
    let server = Server::start(command.args(["sim", "--latency", "0s"]))?;
    let mut tally = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, schema) in &schemas {
        for (protocol, spoken) in PROTOCOLS {
            let told = judge(&server, schema, protocol);
            if let Told::Panicked | Told::Forbidden(_) = &told {
                wrong.push(format!("{spoken} {name}: {}", told.words()));
            }
            *tally.entry((spoken, told.kind())).or_insert(0_usize) += 1;
        }
    }
    for (name, schema) in &schemas {
        for dialect in ENGINES {
            let (kind, slow) = translated(schema, dialect);
            if kind == PANICKED || slow.is_some() {
                let took = slow.map_or(String::new(), |slow| format!(", {:.1} s", slow.as_secs_f64()));
                wrong.push(format!("{} {name}: {kind}{took}", dialect.name()));
            }
            *tally.entry((dialect.name(), kind)).or_insert(0_usize) += 1;
        }
    }
    println!("{} schemas in {} files", schemas.len(), paths.len());
    for ((spoken, kind), count) in tally {
        println!("{spoken:10} {count:5} {kind}");
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

const PANICKED: &str = "panicked";

/// What becomes of a schema in a dialect, and how long that took if it was too long.
fn translated(schema: &Value, dialect: Dialect) -> (&'static str, Option<Duration>) {
    let begun = Instant::now();
    let made = catch_unwind(AssertUnwindSafe(|| match Schema::from_json(schema.clone()) {
        Ok(schema) => Some(schema.wire(dialect).is_ok()),
        Err(_) => None,
    }));
    let took = begun.elapsed();
    let kind = match made {
        Ok(Some(true)) => "by schema",
        Ok(Some(false)) => "not by schema",
        Ok(None) => "refused by us",
        Err(_) => PANICKED,
    };
    (kind, (took > LONGEST).then_some(took))
}

/// The schemas below `folders`, with their names.
pub(crate) fn found(folders: &[&str]) -> Vec<(String, Value)> {
    let mut paths = Vec::new();
    for folder in folders {
        collect(Path::new(folder), &mut paths);
    }
    paths.sort();
    paths.iter().flat_map(|path| read(path)).collect()
}

/// What became of a schema in one protocol.
#[derive(Debug)]
enum Told {
    /// It goes by the provider's own structured output, and the simulator takes it.
    Native,
    /// It goes by another of the provider's means.
    Otherwise(Mode),
    /// It is no schema that anything can satisfy, or none that we read.
    Refused,
    Forbidden(String),
    Panicked,
}

impl Told {
    fn kind(&self) -> &'static str {
        match self {
            Self::Native => "by schema",
            Self::Otherwise(Mode::Schema | Mode::Tool) => "by a tool",
            Self::Otherwise(Mode::Json | Mode::Prompt) => "by the prompt",
            Self::Refused => "refused by us",
            Self::Forbidden(_) => "forbidden by the provider",
            Self::Panicked => PANICKED,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Forbidden(why) => why.clone(),
            Self::Native | Self::Otherwise(_) | Self::Refused | Self::Panicked => self.kind().to_owned(),
        }
    }
}

fn judge(server: &Server, schema: &Value, protocol: Protocol) -> Told {
    let asked = catch_unwind(AssertUnwindSafe(|| {
        let schema = Schema::from_json(schema.clone()).ok()?;
        let forms = Forms::of(&schema, protocol, protocol.modes()).ok()?;
        let (mode, target) = (forms.first.mode, target(forms.first, protocol));
        Some((mode, target.encode(&Prompt::new(vec![Turn::user("Anything.")]))))
    }));
    let (mode, request) = match asked {
        Err(_) => return Told::Panicked,
        Ok(None) => return Told::Refused,
        Ok(Some(asked)) => asked,
    };
    let root = match protocol {
        Protocol::OpenAiChat | Protocol::OpenAiResponses => "/v1",
        Protocol::Anthropic | Protocol::Gemini => "",
    };
    let mut headers = String::new();
    for (name, value) in request.headers {
        headers.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    match server.post(&format!("{root}{}", request.path), &headers, &request.body) {
        Ok((200, _)) if mode == Mode::Schema => Told::Native,
        Ok((200, _)) => Told::Otherwise(mode),
        // A schema that no provider enforces may say anything; the simulator cannot make up a value for all of that.
        Ok((400, body)) if mode != Mode::Schema && body.contains(UNSIMULATED) => Told::Otherwise(mode),
        Ok((status, body)) => Told::Forbidden(format!("{status} {body}")),
        Err(problem) => Told::Forbidden(problem),
    }
}

fn target(form: Form, protocol: Protocol) -> Target {
    let quirks = Quirks { output_limit_field: "max_tokens", system_role: "system", no_capacity_status: None };
    Target::new(protocol, quirks, "sim".to_owned(), form, Parameters::default())
}

/// The JSON files below a folder; what cannot be read is passed over.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let Ok(kind) = entry.file_type() else { continue };
        let path = entry.path();
        if kind.is_dir() {
            collect(&path, paths);
        } else if kind.is_file()
            && path.extension().is_some_and(|ending| ending == "json")
            && entry.metadata().is_ok_and(|file| file.len() <= LARGEST)
        {
            paths.push(path);
        }
    }
}

/// The schemas in a file: itself, if it says that it is one, or those of an OpenAPI document.
fn read(path: &Path) -> Vec<(String, Value)> {
    let Some(Value::Object(file)) = fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok())
    else {
        return Vec::new();
    };
    let name = path.display().to_string();
    let says = file.get("$schema").and_then(Value::as_str);
    if says.is_some_and(|says| says.contains("json-schema.org")) {
        return vec![(name, Value::Object(file))];
    }
    if !file.contains_key("openapi") && !file.contains_key("swagger") {
        return Vec::new();
    }
    of_openapi(&file).into_iter().map(|(part, schema)| (format!("{name} {part}"), schema)).collect()
}

/// Each of the components of an OpenAPI document, with all the others to refer to.
fn of_openapi(document: &Map<String, Value>) -> Vec<(String, Value)> {
    let parts = document
        .get("components")
        .and_then(|components| components.get("schemas"))
        .or_else(|| document.get("definitions"));
    let Some(Value::Object(parts)) = parts else { return Vec::new() };
    let schema = |name: &String| {
        let all = json!({"components": {"schemas": parts}, "definitions": parts});
        let mut whole = all.as_object().cloned().unwrap_or_default();
        let place = if document.contains_key("components") { "components/schemas" } else { "definitions" };
        let escaped = name.replace('~', "~0").replace('/', "~1");
        whole.insert("$ref".to_owned(), json!(format!("#/{place}/{escaped}")));
        (name.clone(), Value::Object(whole))
    };
    parts.keys().map(schema).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_form_in_an_engines_dialect_or_is_refused() {
        let recursive = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}});
        for (schema, kind) in [(recursive, "by schema"), (json!({"type": "strin"}), "refused by us")] {
            for dialect in ENGINES {
                assert_eq!(translated(&schema, dialect).0, kind, "{schema}");
            }
        }
    }

    #[test]
    fn schemas_are_told_from_other_files() {
        let folder = tempfile::tempdir().expect("a folder");
        let files = [
            ("a.json", r#"{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}"#),
            (
                "b.json",
                r#"{"openapi": "3.1.0", "components": {"schemas": {"A": {"type": "string"}, "B/C": {"enum": [1]}}}}"#,
            ),
            ("c.json", r#"{"name": "package"}"#),
            ("d.json", "not JSON"),
            ("e.txt", "{}"),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text).expect("written");
        }
        let mut paths = Vec::new();
        collect(folder.path(), &mut paths);
        paths.sort();
        let found: Vec<_> = paths.iter().flat_map(|path| read(path)).collect();
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|(_, schema)| Schema::from_json(schema.clone()).is_ok()), "{found:?}");
    }
}
