//! `cargo xtask schemas DIR...`: takes JSON Schemas and OpenAPI documents found in the wild through every protocol.
//! None may cause a panic, and the simulator, which applies each provider's rules, may reject none of our wire
//! schemas. Translating a schema to any dialect, or rejecting it with a reason, must take less than a second, and so
//! must everything else that is done with a schema before a run.
#![expect(clippy::disallowed_methods, reason = "the time for a schema is limited")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{fmt, fs};

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

/// The longest time for a schema in one dialect, or for reading it.
const LONGEST: Duration = Duration::from_secs(1);

/// How many reasons and slowest schemas are printed.
const REASONS: usize = 40;
const SLOWEST: usize = 5;

/// Checks the schemas in `folders`, and prints the results.
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
        return Err(format!("no JSON Schema or OpenAPI document in {folders:?}"));
    }
    let mut command = Command::new(binaries::tested("rowcall")?);
    let server = Server::start(command.args(["sim", "--latency", "0s"]))?;
    let mut tally = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, schema) in &schemas {
        for (protocol, spoken) in PROTOCOLS {
            let judgement = judge(&server, schema, protocol);
            if let Judgement::Panicked | Judgement::Forbidden(_) = &judgement {
                wrong.push(format!("{spoken} {name}: {}", judgement.words()));
            }
            *tally.entry((spoken, judgement.kind())).or_insert(0_usize) += 1;
        }
    }
    let mut translated = Translated::default();
    for (name, schema) in &schemas {
        translated.add(name, schema);
    }
    wrong.extend(std::mem::take(&mut translated.wrong));
    tally.extend(std::mem::take(&mut translated.tally));
    println!("{} schemas in {} files", schemas.len(), paths.len());
    for ((spoken, kind), count) in tally {
        println!("{spoken:10} {count:5} {kind}");
    }
    println!("{translated}");
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}

const PANICKED: &str = "panicked";

/// The results of schemas in the dialects.
#[derive(Debug, Default)]
struct Translated {
    tally: BTreeMap<(&'static str, &'static str), usize>,
    /// Why schemas are rejected, with a count and an example.
    reasons: BTreeMap<String, (usize, String)>,
    /// How long each took, and for what.
    times: Vec<(Duration, String)>,
    wrong: Vec<String>,
}

impl Translated {
    /// Reads the schema, does everything with it that happens before a run, and translates it to every dialect.
    fn add(&mut self, name: &str, schema: &Value) {
        let read = || Schema::from_json(schema.clone()).inspect(used);
        let schema = match self.timed(name, "read", read) {
            None => return self.count("read", PANICKED),
            Some(Err(problem)) => {
                self.refuse("read", name, &problem.message);
                return self.count("read", "rejected by us");
            }
            Some(Ok(schema)) => schema,
        };
        self.count("read", "accepted");
        for dialect in Dialect::NAMED {
            let kind = match self.timed(name, dialect.name(), || schema.wire(dialect).map(drop)) {
                None => PANICKED,
                Some(Ok(())) => "by schema",
                Some(Err(problem)) => {
                    self.refuse(dialect.name(), name, &problem.message);
                    "not by schema"
                }
            };
            self.count(dialect.name(), kind);
        }
    }

    fn count(&mut self, what: &'static str, kind: &'static str) {
        *self.tally.entry((what, kind)).or_default() += 1;
    }

    fn refuse(&mut self, what: &str, name: &str, message: &str) {
        if message.trim().is_empty() {
            self.wrong.push(format!("{what} {name}: rejected without a reason"));
        }
        let (count, _) = self
            .reasons
            .entry(format!("{what:10} {}", generally(message)))
            .or_insert_with(|| (0, name.rsplit('/').next().unwrap_or_default().to_owned()));
        *count += 1;
    }

    /// The result of `made`, unless it panics.
    fn timed<T>(&mut self, name: &str, what: &str, made: impl FnOnce() -> T) -> Option<T> {
        let begun = Instant::now();
        let made = catch_unwind(AssertUnwindSafe(made));
        let took = begun.elapsed();
        self.times.push((took, format!("{what} {name}")));
        if took > LONGEST {
            self.wrong.push(format!("{what} {name}: took {:.1} s", took.as_secs_f64()));
        }
        if made.is_err() {
            self.wrong.push(format!("{what} {name}: {PANICKED}"));
        }
        made.ok()
    }
}

impl fmt::Display for Translated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut reasons: Vec<_> = self.reasons.iter().collect();
        reasons.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        for (reason, (count, name)) in reasons.into_iter().take(REASONS) {
            writeln!(f, "{count:5} rejected, {reason} ({name})")?;
        }
        let mut times: Vec<_> = self.times.iter().collect();
        times.sort_by(|one, other| other.cmp(one));
        for (took, what) in times.into_iter().take(SLOWEST) {
            writeln!(f, "{:.2} s {what}", took.as_secs_f64())?;
        }
        Ok(())
    }
}

/// Everything that is done with a schema before and during a run, except the translation.
fn used(schema: &Schema) {
    for value in [json!({}), json!([{}]), json!("x"), json!(null)] {
        let value = schema.coerce(value);
        let _ = (schema.violations(&value), schema.strangers(&value, 4), schema.is_whole(&value, 2));
    }
}

/// A message without the parts that are specific to one schema.
fn generally(message: &str) -> String {
    let mut general = String::new();
    for (number, part) in message.split('`').enumerate() {
        general.push_str(if number % 2 == 1 { "`…`" } else { part });
    }
    let digits = |c: char| if c.is_ascii_digit() { '#' } else { c };
    general.chars().map(digits).take(160).collect()
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

/// The result of a schema in one protocol.
#[derive(Debug)]
enum Judgement {
    /// Through the provider's own structured output, and the simulator accepts it.
    Native,
    /// Through another of the provider's modes.
    Otherwise(Mode),
    /// An invalid or unsatisfiable schema, or one that we do not support.
    Refused,
    Forbidden(String),
    Panicked,
}

impl Judgement {
    fn kind(&self) -> &'static str {
        match self {
            Self::Native => "by schema",
            Self::Otherwise(Mode::Schema | Mode::Tool) => "by a tool",
            Self::Otherwise(Mode::Json | Mode::Prompt) => "by the prompt",
            Self::Refused => "rejected by us",
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

fn judge(server: &Server, schema: &Value, protocol: Protocol) -> Judgement {
    let asked = catch_unwind(AssertUnwindSafe(|| {
        let schema = Schema::from_json(schema.clone()).ok()?;
        let forms = Forms::of(&schema, protocol, protocol.modes()).ok()?;
        let (mode, target) = (forms.first.mode, target(forms.first, protocol));
        Some((mode, target.encode(&Prompt::new(vec![Turn::user("Anything.")]))))
    }));
    let (mode, request) = match asked {
        Err(_) => return Judgement::Panicked,
        Ok(None) => return Judgement::Refused,
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
        Ok((200, _)) if mode == Mode::Schema => Judgement::Native,
        Ok((200, _)) => Judgement::Otherwise(mode),
        // A schema that no provider enforces may contain anything; the simulator cannot make up a value for all of
        // that.
        Ok((400, body)) if mode != Mode::Schema && body.contains(UNSIMULATED) => Judgement::Otherwise(mode),
        Ok((status, body)) => Judgement::Forbidden(format!("{status} {body}")),
        Err(problem) => Judgement::Forbidden(problem),
    }
}

fn target(form: Form, protocol: Protocol) -> Target {
    let quirks = Quirks { output_limit_field: "max_tokens", system_role: "system", no_capacity_status: None };
    Target::new(protocol, quirks, "sim".to_owned(), form, Parameters::default())
}

/// The JSON files below a folder; unreadable ones are skipped.
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

/// The schemas in a file: the file itself, if it says that it is one, or those of an OpenAPI document.
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

/// Each component of an OpenAPI document, with all others available for references.
fn of_openapi(document: &Map<String, Value>) -> Vec<(String, Value)> {
    let parts = document
        .get("components")
        .and_then(|components| components.get("schemas"))
        .or_else(|| document.get("definitions"));
    let Some(Value::Object(parts)) = parts else { return Vec::new() };
    let schema = |name: &String| {
        let all = json!({"components": {"schemas": parts}, "definitions": parts});
        let mut whole = all.as_object().cloned().unwrap_or_default();
        let section = if document.contains_key("components") { "components/schemas" } else { "definitions" };
        let escaped = name.replace('~', "~0").replace('/', "~1");
        whole.insert("$ref".to_owned(), json!(format!("#/{section}/{escaped}")));
        (name.clone(), Value::Object(whole))
    };
    parts.keys().map(schema).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_has_a_form_in_every_dialect_or_is_rejected_with_a_reason() {
        let recursive = json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}}});
        let mut translated = Translated::default();
        translated.add("recursive.json", &recursive);
        translated.add("wrong.json", &json!({"type": "strin"}));
        for dialect in Dialect::NAMED {
            let kind = if dialect == Dialect::Anthropic { "not by schema" } else { "by schema" };
            assert_eq!(translated.tally.get(&(dialect.name(), kind)), Some(&1), "{}", dialect.name());
        }
        assert_eq!(translated.tally.get(&("read", "rejected by us")), Some(&1));
        let reasons: Vec<&String> = translated.reasons.keys().collect();
        assert!(
            reasons.iter().any(|reason| reason.contains("the schema contains itself at `…`")),
            "{reasons:?}"
        );
        assert!(translated.wrong.is_empty(), "{:?}", translated.wrong);
    }

    #[test]
    fn schemas_are_distinguished_from_other_files() {
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
