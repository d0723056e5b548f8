//! A plan as a cache sees it: the keys of its rows, and the record by which its answers are shown.

use rusqlite::{Connection, OptionalExtension as _, params};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::identity::{Identity, Key, add, canonical};
use crate::sqlite::text;

/// The parts of a server's address that decide what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Its host.
    pub(crate) host: String,
    /// A hash of that, of the path below which it is asked, and of what else decides which model answers.
    pub(crate) hash: [u8; 32],
}

/// Turns the keys of rows in a plan into the keys of answers in a cache.
#[derive(Debug, Clone)]
pub(crate) struct AnswerKeys(Sha256);

impl AnswerKeys {
    /// The keys of a plan that asks `identity` of this server and validates by something with this name beside the schema. The schema counts
    /// as written, not in canonical form: the order of fields changes a model's answers.
    pub(crate) fn new(identity: &Identity, endpoint: &Endpoint, validated_by: Option<&str>) -> Self {
        let mut hash = Sha256::new();
        add(&mut hash, b"rowcall cache 1");
        add(&mut hash, &endpoint.hash);
        add(&mut hash, identity.schema.to_string().as_bytes());
        add(&mut hash, validated_by.unwrap_or_default().as_bytes());
        Self(hash)
    }

    /// The key of an answer about a row that is asked under this key, with a hash of its files, if it has any.
    pub(crate) fn of(&self, asked: Key, files: Option<&[u8]>) -> Option<Key> {
        let mut hash = self.0.clone();
        add(&mut hash, asked.bytes());
        add(&mut hash, files.unwrap_or_default());
        let digest = hash.finalize();
        Key::from_bytes(digest.get(..asked.bytes().len())?)
    }
}

/// What the cache records of a plan, to show its answers.
#[derive(Debug)]
pub(super) struct PlanRecord {
    hash: [u8; 32],
    identity: Identity,
    host: String,
    validated_by: Option<String>,
}

impl PlanRecord {
    pub(super) fn new(identity: &Identity, endpoint: &Endpoint, validated_by: Option<&str>) -> Self {
        let Identity { model, prompt, system, parameters, schema, examples, images } = identity;
        let mut hash = Sha256::new();
        let examples = examples.iter().map(|row| (row.fields.clone().into(), row.value.clone()));
        let examples = examples.map(|(fields, value): (Value, Value)| Value::from(vec![fields, value]));
        for part in [
            model.clone(),
            prompt.clone(),
            canonical(&system.clone().into()),
            canonical(&parameters.clone().into()),
            schema.to_string(),
            canonical(&examples.collect()),
            canonical(&images.clone().into()),
            validated_by.unwrap_or_default().to_owned(),
        ] {
            add(&mut hash, part.as_bytes());
        }
        add(&mut hash, &endpoint.hash);
        Self {
            hash: hash.finalize().into(),
            identity: identity.clone(),
            host: endpoint.host.clone(),
            validated_by: validated_by.map(str::to_owned),
        }
    }

    /// Its number in the cache. It is written if missing: pruning removes plans without answers. Only the names of parameters are written,
    /// since their values may be secret.
    pub(super) fn number(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let Self { hash, identity, host, validated_by } = self;
        let mut find = connection.prepare_cached("SELECT id FROM plans WHERE hash = ?")?;
        if let Some(number) = find.query_row([hash.as_slice()], |row| row.get(0)).optional()? {
            return Ok(number);
        }
        let names: Vec<&String> = identity.parameters.keys().collect();
        connection.execute(
            "INSERT INTO plans (hash, model, host, prompt, system, parameters, schema, validated_by) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                hash.as_slice(),
                identity.model,
                host,
                identity.prompt,
                identity.system,
                text(&names)?,
                identity.schema.to_string(),
                validated_by,
            ],
        )?;
        Ok(connection.last_insert_rowid())
    }
}
