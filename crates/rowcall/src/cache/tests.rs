//! A cache from within: which keys there are, what its file does, and the thread that serves it.

use std::sync::mpsc;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::store::{LEASE, Standing, Store, Work};
use super::*;
use crate::identity::Key;
use crate::identity::tests::identity;
use crate::money::Usd;
use crate::turn::Usage;

mod desks;
mod files;

fn endpoint() -> Endpoint {
    Endpoint { host: "localhost".to_owned(), hash: [1; 32] }
}

fn key(n: u8) -> Key {
    Key::from_bytes(&[n; 16]).expect("16 bytes")
}

fn wanted(n: u8) -> Wanted {
    Wanted { key: key(n), rejected: None }
}

fn answer(value: Value) -> Answer {
    Answer {
        number: 0,
        value,
        model: Some("calm-1".to_owned()),
        finish_reason: Some("stop".to_owned()),
        repairs: vec!["fence".to_owned()],
        usage: Usage { input_tokens: 10, output_tokens: 2, ..Usage::default() },
        cost: Some(Usd::from_picodollars(7)),
    }
}

/// The same answer as it comes back, but for its number.
fn kept(standing: &Standing) -> Answer {
    match standing {
        Standing::Answered(answer) => Answer { number: 0, ..Answer::clone(answer) },
        Standing::Claimed | Standing::Free => panic!("no answer but {standing:?}"),
    }
}

/// A folder and a cache in it.
fn folder() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("answers.cache");
    (folder, path)
}

fn open(path: &std::path::Path) -> Result<Arc<Cache>, Problem> {
    Cache::open(&CacheOptions::at(path), &identity(), &endpoint()).map(Arc::new)
}

#[test]
fn what_shapes_a_value_is_in_its_key() {
    let of = |identity: &Identity, endpoint: &Endpoint, by: Option<&str>, files: Option<&[u8]>| {
        AnswerKeys::new(identity, endpoint, by).of(key(1), files).expect("a key")
    };
    let same = of(&identity(), &endpoint(), None, None);
    let described = json!({"type": "object", "properties": {"a": {"type": "string", "description": "b"}}});
    let reordered = json!({"properties": {"a": {"type": "string"}}, "type": "object"});
    let other_server = Endpoint { hash: [2; 32], ..endpoint() };
    let others = [
        of(&Identity { schema: described, ..identity() }, &endpoint(), None, None),
        of(&Identity { schema: reordered, ..identity() }, &endpoint(), None, None),
        of(&identity(), &other_server, None, None),
        of(&identity(), &endpoint(), Some("Person 1"), None),
        of(&identity(), &endpoint(), Some("Person 2"), None),
        of(&identity(), &endpoint(), None, Some(&[1])),
        of(&identity(), &endpoint(), None, Some(&[2])),
        AnswerKeys::new(&identity(), &endpoint(), None).of(key(2), None).expect("a key"),
        key(1),
    ];
    let distinct: std::collections::HashSet<_> = others.iter().chain([&same]).collect();
    assert_eq!(distinct.len(), others.len() + 1);
    // What is asked is in the row's own key, which comes in from outside.
    let reworded = Identity { prompt: "{{ text | trim }}".to_owned(), ..identity() };
    assert_eq!(of(&reworded, &endpoint(), None, None), same);
}
