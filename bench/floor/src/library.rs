//! The same rows through rowcall, as a user would write it: a typed extractor, outcomes as they complete, none kept.

use rowcall::Client;

use crate::arguments::Arguments;
use crate::person::{Person, text};

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(arguments: &Arguments) -> Result<u64, String> {
    let client =
        Client::builder("vllm/stub").base_url(&arguments.base).concurrency(arguments.in_flight).build();
    let people = client.and_then(|client| client.extractor::<Person>().prompt("{{ text }}"));
    let people = people.map_err(|error| error.to_string())?;
    let mut outcomes = people.as_completed((0..arguments.rows).map(text));
    let mut ok = 0;
    while let Some(outcome) = outcomes.next().await {
        let outcome = outcome.map_err(|error| error.to_string())?;
        let row = outcome.index;
        let person = outcome.result.map_err(|failure| format!("row {row}: {failure}"))?;
        if !person.is_of(row) {
            return Err(format!("row {row}: got `{}`", person.name));
        }
        ok += 1;
    }
    Ok(ok)
}
