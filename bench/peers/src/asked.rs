//! What a peer is asked to do, and the loop around its calls.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::{Value, json};

use crate::person::Person;

/// Shown in requests.
pub(crate) const MODEL: &str = "stub";
pub(crate) const KEY: &str = "stub";

/// The validated arguments.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) peer: String,
    /// The server's base URL, including `/v1`.
    pub(crate) base: String,
    rows: u64,
    in_flight: usize,
}

impl Asked {
    /// Parses the arguments in `words`, or returns what is wrong with them.
    pub(crate) fn parse(words: &[String]) -> Result<Self, String> {
        let (peer, options) = words.split_first().ok_or("no peer is named")?;
        let option = |name: &str| {
            let named = options.chunks(2).find(|pair| pair[0] == name);
            named.and_then(|pair| pair.get(1)).ok_or_else(|| format!("`{name}` is missing"))
        };
        let number = |name: &str| {
            let value = option(name)?;
            value.parse().map_err(|_| format!("`{value}` is not a valid value for `{name}`"))
        };
        let (rows, in_flight) = (number("--rows")?, number("--in-flight")?);
        let base = option("--base")?.trim_end_matches('/').to_owned();
        Ok(Self { peer: peer.clone(), base, rows, in_flight: usize::try_from(in_flight).unwrap_or(1).max(1) })
    }

    /// Asks about all rows, `in_flight` at a time as futures of one task, and checks the answers; returns how many there were. This
    /// is the loop that the peers' examples have.
    pub(crate) async fn each<F>(&self, ask: impl Fn(u64) -> F) -> Result<u64, String>
    where
        F: Future<Output = Result<Person, String>>,
    {
        let answers = stream::iter(0..self.rows).map(|row| {
            let answer = ask(row);
            async move {
                let person = answer.await.map_err(|problem| format!("row {row}: {problem}"))?;
                if person.is_of(row) { Ok(()) } else { Err(format!("row {row}: got {person:?}")) }
            }
        });
        answers.buffer_unordered(self.in_flight).try_fold(0, async |ok, ()| Ok(ok + 1)).await
    }
}

/// The schema for the peers that take one.
pub(crate) fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "age": { "type": "integer" },
            "occupation": { "type": "string" },
        },
        "required": ["name", "age", "occupation"],
        "additionalProperties": false,
    })
}

/// The person in a model's text.
pub(crate) fn person(text: Option<&str>) -> Result<Person, String> {
    serde_json::from_str(text.ok_or("the answer has no text")?).map_err(|error| error.to_string())
}
