//! What makes two plans or two rows the same: the question, the model and the schema. Speed, order and how the schema is sent
//! change neither.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Number, Value};
use sha2::{Digest, Sha256};

use crate::row::{AnsweredRow, Row};
use crate::turn::{Attachment, AttachmentContent, Prompt, Turn};

/// The parameter that only cuts an answer short: keys leave it out, so that a value is found under any limit.
const OUTPUT_LIMIT: &str = "max_output_tokens";

/// Bytes of a key: enough that no two of billions of rows share one by accident.
const KEY_BYTES: usize = 16;

/// What a plan asks.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// `PROVIDER/MODEL`.
    pub model: String,
    /// The template of the user part.
    pub prompt: String,
    /// The template of the system part, if there is one.
    pub system: Option<String>,
    /// The parameters of the answers, by name.
    pub parameters: Map<String, Value>,
    /// The user's schema, as given.
    pub schema: Value,
    /// The examples, without their origins.
    pub examples: Vec<AnsweredRow>,
    /// The fields of a row that hold images or documents.
    pub images: Vec<String>,
}

impl Identity {
    /// The parts in which `self` differs from `other`, as users know them; empty if both ask the same. The output limit does
    /// not count.
    pub fn changes(&self, other: &Self) -> Vec<&'static str> {
        let Self { model, prompt, system, parameters, schema, examples, images } = self;
        let parts = [
            ("model", *model == other.model),
            ("prompt", *prompt == other.prompt),
            ("system prompt", *system == other.system),
            ("parameters", without_limit(parameters) == without_limit(&other.parameters)),
            ("schema", canonical(schema) == canonical(&other.schema)),
            ("examples", are_equal(examples, &other.examples)),
            ("images", *images == other.images),
        ];
        parts.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
    }

    /// Whether rows are asked in the same words as by `other`, so that rows equal for one are equal for the other.
    pub(crate) fn has_words_of(&self, other: &Self) -> bool {
        let of_prompt = ["prompt", "system prompt", "examples", "images"];
        !self.changes(other).iter().any(|change| of_prompt.contains(change))
    }

    /// The hasher that turns this plan's prompts into keys.
    pub(crate) fn keys(&self) -> Keys {
        self.with_output_limit(None).keys_with_limit()
    }

    /// The same, for a journal whose keys include the output limit.
    pub(crate) fn keys_with_limit(&self) -> Keys {
        let mut hash = Sha256::new();
        for part in [self.model.clone(), canonical(&object(&self.parameters)), canonical(&self.schema)] {
            add(&mut hash, part.as_bytes());
        }
        Keys(hash)
    }

    /// The output limit, if one is set.
    pub(crate) fn output_limit(&self) -> Option<&Value> {
        self.parameters.get(OUTPUT_LIMIT)
    }

    /// The same with this output limit in place of its own.
    pub(crate) fn with_output_limit(&self, limit: Option<&Value>) -> Self {
        let mut other = self.clone();
        other.parameters.remove(OUTPUT_LIMIT);
        other.parameters.extend(limit.map(|limit| (OUTPUT_LIMIT.to_owned(), limit.clone())));
        other
    }
}

/// What to do about rows whose failure is in the journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KnownFailures {
    /// The failure counts as the outcome.
    #[default]
    Keep,
    /// They are asked about again, unless the best of their invalid values is now valid.
    AskAgain,
}

/// Whether rows with exactly the same request share an outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EqualRows {
    /// One of them is asked about, and the others get its outcome as well.
    #[default]
    Share,
    /// Each is asked about.
    AskEach,
}

/// Turns the prompts of a plan into keys. Templates count only through the prompts that they render.
#[derive(Debug, Clone)]
pub(crate) struct Keys(Sha256);

impl Keys {
    /// The key of the row whose first prompt this is.
    pub(crate) fn of(&self, prompt: &Prompt) -> Key {
        self.of_named(prompt, name)
    }

    /// The same without the names of files, for a key to which their contents are added.
    pub(crate) fn without_files(&self, prompt: &Prompt) -> Key {
        self.of_named(prompt, |attachment| match &attachment.content {
            AttachmentContent::File(_) => Cow::Borrowed(""),
            AttachmentContent::Url(_) | AttachmentContent::Base64(_) => name(attachment),
        })
    }

    fn of_named<'a>(&self, prompt: &'a Prompt, name: impl Fn(&'a Attachment) -> Cow<'a, str>) -> Key {
        let Prompt { turns, output_limit: _, continuation: _ } = prompt;
        let mut hash = self.0.clone();
        for turn in turns {
            match turn {
                Turn::System(text) => {
                    hash.update([0]);
                    add(&mut hash, text.as_bytes());
                }
                Turn::User { text, attachments } => {
                    hash.update([1]);
                    add(&mut hash, text.as_bytes());
                    for attachment in attachments {
                        hash.update([4]);
                        add(&mut hash, name(attachment).as_bytes());
                    }
                }
                Turn::Example(example) => {
                    hash.update([3]);
                    add(&mut hash, example.question.as_bytes());
                    add(&mut hash, canonical(&example.value).as_bytes());
                }
                // A first prompt never includes an answer.
                Turn::Invalid { .. } => hash.update([2]),
            }
        }
        Key::of(&hash.finalize())
    }

    /// The key of a row whose prompt cannot be rendered; it identifies an outcome that the row got under another template.
    pub(crate) fn of_unasked(&self, row: &Row) -> Key {
        let hash = self.0.clone().chain_update([5]);
        Key::of(&hash.finalize()).of_row(row)
    }
}

/// How an attachment enters a key: a file by its path, so that a resumed run need not read a million images to identify its
/// rows.
fn name(attachment: &Attachment) -> Cow<'_, str> {
    match &attachment.content {
        AttachmentContent::Url(text) => Cow::Borrowed(text),
        AttachmentContent::Base64(text) => Cow::Borrowed(text),
        AttachmentContent::File(path) => path.to_string_lossy(),
    }
}

/// Identifies a row, regardless of its position in the input: a hash of everything that determines its answer. It prints as
/// 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    fn of(digest: &[u8]) -> Self {
        let mut bytes = [0; KEY_BYTES];
        bytes.iter_mut().zip(digest).for_each(|(byte, of_digest)| *byte = *of_digest);
        Self(bytes)
    }

    /// The key of the `n`th equal row, counted from 0, if equal rows are asked individually.
    pub(crate) fn occurrence(self, n: u64) -> Self {
        if n == 0 {
            return self;
        }
        Self::of(&Sha256::new().chain_update(self.0).chain_update(n.to_le_bytes()).finalize())
    }

    /// The key of this row alone among all rows with this key: it also hashes the row's fields.
    pub(crate) fn of_row(self, row: &Row) -> Self {
        let mut hash = Sha256::new().chain_update(self.0).chain_update(b"row");
        match &row.fields {
            Ok(fields) => add(&mut hash, canonical(&object(fields)).as_bytes()),
            Err(_) => hash.update(&row.record),
        }
        Self::of(&hash.finalize())
    }

    /// Its bytes, as the journal stores them.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The key with these bytes, if there are exactly as many as a key has.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.try_into().ok()?))
    }
}

/// What a key is a hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyOf {
    /// The prompt: rows with exactly the same request share it.
    Prompt,
    /// The prompt and the row's fields, for an outcome that other rows with the same request may not share.
    Row,
}

/// A key, and what it is a hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowKey {
    pub(crate) key: Key,
    pub(crate) of: KeyOf,
    /// The key of the current prompt. It differs from `key` if a rerun asks rows of a journal differently.
    pub(crate) asked: Key,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Adds bytes with their length in front, so that no two lists of parts have the same hash.
pub(crate) fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

/// Whether examples are the same in the same order.
fn are_equal(some: &[AnsweredRow], others: &[AnsweredRow]) -> bool {
    let is_equal = |(one, other): (&AnsweredRow, &AnsweredRow)| {
        canonical(&object(&one.fields)) == canonical(&object(&other.fields))
            && canonical(&one.value) == canonical(&other.value)
    };
    some.len() == others.len() && some.iter().zip(others).all(is_equal)
}

fn object(map: &Map<String, Value>) -> Value {
    Value::Object(map.clone())
}

/// The parameters without the output limit, in canonical form.
fn without_limit(parameters: &Map<String, Value>) -> String {
    let others = parameters.iter().filter(|(name, _)| *name != OUTPUT_LIMIT);
    canonical(&others.map(|(name, value)| (name.clone(), value.clone())).collect::<Value>())
}

/// A number with the sign of its exponent written out, as the JSON parser spells it: the keys of journals were made from that
/// spelling.
fn with_exponent_sign(number: &Number) -> Cow<'_, str> {
    match number.as_str().split_once(['e', 'E']) {
        None => Cow::Borrowed(number.as_str()),
        Some((mantissa, exponent)) if exponent.starts_with(['+', '-']) => {
            Cow::Owned(format!("{mantissa}e{exponent}"))
        }
        Some((mantissa, exponent)) => Cow::Owned(format!("{mantissa}e+{exponent}")),
    }
}

/// JSON text without white space and with the keys of all objects sorted.
pub(crate) fn canonical(value: &Value) -> String {
    fn write(value: &Value, text: &mut String) {
        match value {
            Value::Object(map) => {
                let mut fields: Vec<_> = map.iter().collect();
                fields.sort_unstable_by_key(|(name, _)| *name);
                text.push('{');
                for (n, (name, value)) in fields.into_iter().enumerate() {
                    if n > 0 {
                        text.push(',');
                    }
                    text.push_str(&Value::from(name.as_str()).to_string());
                    text.push(':');
                    write(value, text);
                }
                text.push('}');
            }
            Value::Array(items) => {
                text.push('[');
                for (n, item) in items.iter().enumerate() {
                    if n > 0 {
                        text.push(',');
                    }
                    write(item, text);
                }
                text.push(']');
            }
            Value::Number(number) => text.push_str(&with_exponent_sign(number)),
            Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
        }
    }
    let mut text = String::new();
    write(value, &mut text);
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::turn::Example;

    /// A plan with nothing but what every plan has.
    pub(crate) fn identity() -> Identity {
        Identity {
            model: "sim/calm".to_owned(),
            prompt: "{{ text }}".to_owned(),
            system: None,
            parameters: Map::new(),
            schema: json!({"type": "object", "properties": {"a": {"type": "string"}}}),
            examples: Vec::new(),
            images: Vec::new(),
        }
    }

    fn prompt(texts: &[&str]) -> Prompt {
        let turns = texts.iter().map(|text| Turn::user(*text)).collect();
        Prompt::new(turns)
    }

    #[test]
    fn key_order_and_white_space_of_a_schema_do_not_change_the_plan() {
        let other = Identity {
            schema: json!({"properties": {"a": {"type": "string"}}, "type": "object"}),
            ..identity()
        };
        assert_eq!(other.changes(&identity()), Vec::<&str>::new());
        assert_eq!(other.keys().of(&prompt(&["x"])), identity().keys().of(&prompt(&["x"])));
    }

    #[test]
    fn each_changed_part_of_a_plan_is_named_and_changes_the_keys() {
        let key = identity().keys().of(&prompt(&["x"]));
        let model = Identity { model: "sim/flaky".to_owned(), ..identity() };
        let temperature = Map::from_iter([("temperature".to_owned(), json!(1))]);
        let parameters = Identity { parameters: temperature, ..identity() };
        let schema = Identity { schema: json!({}), ..identity() };
        for (other, name) in [(model, "model"), (parameters, "parameters"), (schema, "schema")] {
            assert_eq!(other.changes(&identity()), [name]);
            assert_ne!(other.keys().of(&prompt(&["x"])), key, "{name}");
        }
        // The prompt has what a template renders; the template itself does not change the key.
        let template = Identity { prompt: "{{ text | trim }}".to_owned(), ..identity() };
        assert_eq!(template.changes(&identity()), ["prompt"]);
        assert_eq!(template.keys().of(&prompt(&["x"])), key);
        let system = Identity { system: Some("Be brief.".to_owned()), ..identity() };
        assert_eq!(system.changes(&identity()), ["system prompt"]);
        let row = AnsweredRow::new("x", &json!({"a": "y"})).expect("a row");
        let examples = Identity { examples: vec![row.clone()], ..identity() };
        assert_eq!(examples.changes(&identity()), ["examples"]);
        assert_eq!(identity().changes(&examples), ["examples"]);
        let twice = Identity { examples: vec![row.clone(), row], ..identity() };
        assert_eq!(twice.changes(&examples), ["examples"]);
        let images = Identity { images: vec!["photo".to_owned()], ..identity() };
        assert_eq!(images.changes(&identity()), ["images"]);
    }

    #[test]
    fn the_output_limit_does_not_change_the_plan() {
        let limited = |limit: u32| identity().with_output_limit(Some(&json!(limit)));
        let key = |keys: Keys| keys.of(&prompt(&["x"]));
        assert_eq!(limited(50).changes(&limited(100)), Vec::<&str>::new());
        assert_eq!(limited(50).changes(&identity()), Vec::<&str>::new());
        assert_eq!(key(limited(50).keys()), key(identity().keys()));
        assert_ne!(key(limited(50).keys_with_limit()), key(limited(100).keys_with_limit()));
    }

    #[test]
    fn examples_and_attachments_change_the_key() {
        let keys = identity().keys();
        let asked = |attachments: &[AttachmentContent]| {
            let attachment = |content: &AttachmentContent| Attachment {
                media_type: "image/png".to_owned(),
                content: content.clone(),
            };
            let attachments = attachments.iter().map(attachment).collect();
            Turn::User { text: "x".to_owned(), attachments }
        };
        let example = |question: &str, value: Value| {
            Turn::Example(std::sync::Arc::new(Example { question: question.to_owned(), value }))
        };
        let file = AttachmentContent::File("a.png".into());
        let url = AttachmentContent::Url("https://a/a.png".to_owned());
        let prompts = [
            vec![asked(&[])],
            vec![asked(std::slice::from_ref(&file))],
            vec![asked(std::slice::from_ref(&url))],
            vec![asked(&[file.clone(), url.clone()])],
            vec![asked(&[url, file])],
            vec![example("q", json!(1)), asked(&[])],
            vec![example("q", json!(2)), asked(&[])],
            vec![example("p", json!(1)), asked(&[])],
            vec![example("q", json!(1)), example("q", json!(1)), asked(&[])],
        ];
        let known: std::collections::HashSet<_> =
            prompts.iter().map(|turns| keys.of(&Prompt::new(turns.clone()))).collect();
        assert_eq!(known.len(), prompts.len());
    }

    #[test]
    fn the_spelling_of_an_exponent_does_not_change_the_key() {
        let spelled = |text: &str| Value::Number(Number::from_string_unchecked(text.to_owned()));
        for (text, expected) in [("1e5", "1e+5"), ("1E+5", "1e+5"), ("1.10e-7", "1.10e-7"), ("1.10", "1.10")]
        {
            assert_eq!(canonical(&json!([spelled(text)])), format!("[{expected}]"));
        }
    }

    #[test]
    fn different_lists_of_turns_have_different_keys() {
        let keys = identity().keys();
        assert_ne!(keys.of(&prompt(&["ab", "c"])), keys.of(&prompt(&["a", "bc"])));
        assert_ne!(keys.of(&prompt(&["a"])), keys.of(&prompt(&["a", ""])));
        let system = Prompt::new(vec![Turn::System("a".into())]);
        assert_ne!(keys.of(&prompt(&["a"])), keys.of(&system));
    }

    #[test]
    fn a_key_is_32_digits_and_each_occurrence_has_its_own() {
        let key = identity().keys().of(&prompt(&["x"]));
        assert_eq!(key.to_string().len(), 32);
        assert_eq!(key.occurrence(0), key);
        assert_ne!(key.occurrence(1), key.occurrence(2));
        assert_eq!(Key::from_bytes(key.bytes()), Some(key));
        assert_eq!(Key::from_bytes(&[0; 15]), None);
    }
}
