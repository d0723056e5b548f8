//! Converts an outcome to the columns of the table `outcomes`, and back.

use std::time::Duration;

use rusqlite::types::Type;
use rusqlite::{Row as Columns, params};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::identity::Key;
use crate::money::{Cost, Usd};
use crate::outcome::{Effort, Outcome, Spent};
use crate::sqlite::{integer, natural, parsed, text};
use crate::turn::Usage;

/// The columns that [`read`] reads, in its order, of a table with the alias `o`.
pub(super) const OUTCOME: &str = "o.value, o.failure, o.attempts, o.prompts, o.input_tokens, o.cached_tokens, \
     o.cache_write_tokens, o.output_tokens, o.reasoning_tokens, o.unmetered, o.latency_us, o.model, \
     o.finish_reason, o.repairs, o.cache_write_long_tokens, o.cost_picousd, o.cost_unknown, o.cost_bounded, \
     o.cost_most_picousd, o.requests, o.from_cache, o.history";

/// The columns that are missing in journals from before costs were kept, and in those from before their bounds were, with the
/// expressions that replace them.
pub(super) const COST: [&str; 2] =
    ["o.cache_write_long_tokens, o.cost_picousd, o.cost_unknown", "0, 0, o.attempts"];
pub(super) const BOUNDS: [&str; 2] = ["o.cost_bounded, o.cost_most_picousd, o.requests", "0, 0, NULL"];

/// The same for journals from before there was a cache.
pub(super) const CACHE: [&str; 2] = ["o.from_cache", "0"];

/// The same for journals without the history of attempts.
pub(super) const HISTORY: [&str; 2] = ["o.history", "NULL"];

const INSERT: &str = "INSERT INTO outcomes (key, ended_at_ms, value, failure, attempts, prompts, input_tokens, \
     cached_tokens, cache_write_tokens, output_tokens, reasoning_tokens, unmetered, latency_us, model, \
     finish_reason, repairs, cache_write_long_tokens, cost_picousd, cost_unknown, cost_bounded, \
     cost_most_picousd, requests, basis, from_cache, history) \
     VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25)";

/// What is written along with an outcome.
#[derive(Debug, Clone, Copy)]
pub(super) struct With {
    pub(super) key: Option<Key>,
    pub(super) ended_at_ms: i64,
    /// The prices that its costs are based on, if any.
    pub(super) basis: Option<i64>,
}

/// Inserts an outcome and returns its number.
pub(super) fn insert(
    connection: &rusqlite::Connection,
    outcome: &Outcome,
    With { key, ended_at_ms, basis }: With,
) -> rusqlite::Result<i64> {
    let Outcome {
        index: _,
        result,
        effort,
        repairs,
        model,
        finish_reason,
        requests,
        history,
        from_cache,
        ..
    } = outcome;
    let Effort { attempts, prompts, usage, unmetered, cost, latency } = effort;
    let (value, failure) = match result {
        Ok(value) => (Some(text(value)?), None),
        Err(failure) => (None, Some(text(failure)?)),
    };
    let repairs = (!repairs.is_empty()).then(|| text(repairs)).transpose()?;
    let requests = (!requests.is_empty()).then(|| text(&requests.iter().map(Kept::from).collect::<Vec<_>>()));
    let history = (!history.is_empty()).then(|| text(history)).transpose()?;
    // An outcome without a request has no cost.
    let basis = basis.filter(|_| *attempts > 0);
    connection.prepare_cached(INSERT)?.execute(params![
        key.as_ref().map(Key::bytes),
        ended_at_ms,
        value,
        failure,
        attempts,
        prompts,
        integer(usage.input_tokens),
        integer(usage.cached_tokens),
        integer(usage.cache_write_tokens),
        integer(usage.output_tokens),
        integer(usage.reasoning_tokens),
        unmetered,
        i64::try_from(latency.as_micros()).unwrap_or(i64::MAX),
        model,
        finish_reason,
        repairs,
        integer(usage.cache_write_long_tokens),
        integer(cost.known.picodollars()),
        integer(cost.unknown),
        integer(cost.bounded),
        integer(cost.most.picodollars()),
        requests.transpose()?,
        basis,
        from_cache,
        history,
    ])?;
    Ok(connection.last_insert_rowid())
}

/// The outcome of the row `index` from the columns [`OUTCOME`], which start at column `from`.
pub(super) fn read(columns: &Columns<'_>, from: usize, index: u64) -> rusqlite::Result<Outcome> {
    let value: Option<&str> = columns.get_ref(from)?.as_str_or_null()?;
    let failure: Option<&str> = columns.get_ref(from + 1)?.as_str_or_null()?;
    let result = match (value, failure) {
        (Some(value), _) => Ok(parsed::<Value>(value, from)?),
        (None, failure) => Err(Box::new(parsed(failure.unwrap_or("null"), from + 1)?)),
    };
    let tokens = |at: usize| columns.get::<_, i64>(from + at).map(natural);
    let effort = Effort {
        attempts: columns.get(from + 2)?,
        prompts: columns.get(from + 3)?,
        usage: Usage {
            input_tokens: tokens(4)?,
            cached_tokens: tokens(5)?,
            cache_write_tokens: tokens(6)?,
            cache_write_long_tokens: tokens(14)?,
            output_tokens: tokens(7)?,
            reasoning_tokens: tokens(8)?,
        },
        unmetered: columns.get(from + 9)?,
        cost: cost(columns, from + 15)?,
        latency: Duration::from_micros(tokens(10)?),
    };
    let repairs = match columns.get_ref(from + 13)?.as_str_or_null()? {
        Some(repairs) => parsed(repairs, from + 13)?,
        None => Vec::new(),
    };
    let requests: Vec<Kept> = match columns.get_ref(from + 19)?.as_str_or_null()? {
        Some(requests) => parsed(requests, from + 19)?,
        None => Vec::new(),
    };
    Ok(Outcome {
        index,
        result,
        effort,
        repairs,
        model: columns.get(from + 11)?,
        finish_reason: columns.get(from + 12)?,
        requests: requests.into_iter().map(Spent::from).collect(),
        history: match columns.get_ref(from + 21)?.as_str_or_null()? {
            Some(history) => parsed(history, from + 21)?,
            None => Vec::new(),
        },
        from_cache: columns.get(from + 20)?,
        completion: None,
    })
}

/// A cost from its four columns, which start at column `from`.
pub(super) fn cost(columns: &Columns<'_>, from: usize) -> rusqlite::Result<Cost> {
    let count = |at: usize| columns.get::<_, i64>(from + at).map(natural);
    Ok(Cost {
        known: Usd::from_picodollars(count(0)?),
        unknown: count(1)?,
        bounded: count(2)?,
        most: Usd::from_picodollars(count(3)?),
    })
}

/// The usage of one request as compact JSON: tokens (input, cached, cache writes, long-term cache writes, output, reasoning), the
/// cost in picodollars if it is known, otherwise its upper bound, if there is one.
#[derive(Serialize, Deserialize)]
struct Kept(Option<[u64; 6]>, Option<u64>, Option<u64>);

impl From<&Spent> for Kept {
    fn from(Spent { usage, cost }: &Spent) -> Self {
        let tokens = usage.map(|usage| {
            let Usage { input_tokens, cached_tokens, output_tokens, reasoning_tokens, .. } = usage;
            let (written, long) = (usage.cache_write_tokens, usage.cache_write_long_tokens);
            [input_tokens, cached_tokens, written, long, output_tokens, reasoning_tokens]
        });
        let most = (cost.bounded > 0).then_some(cost.most.picodollars());
        Self(tokens, cost.exact().map(Usd::picodollars), most)
    }
}

impl From<Kept> for Spent {
    fn from(Kept(tokens, known, most): Kept) -> Self {
        let usage =
            tokens.map(|[input_tokens, cached_tokens, written, long, output_tokens, reasoning_tokens]| {
                let (cache_write_tokens, cache_write_long_tokens) = (written, long);
                Usage {
                    input_tokens,
                    cached_tokens,
                    cache_write_tokens,
                    cache_write_long_tokens,
                    output_tokens,
                    reasoning_tokens,
                }
            });
        let cost = match (known, most) {
            (Some(known), _) => Cost::known(Usd::from_picodollars(known)),
            (None, Some(most)) => Cost::at_most(Usd::from_picodollars(most)),
            (None, None) => Cost::UNKNOWN,
        };
        Self { usage, cost }
    }
}

/// A key from its column.
pub(super) fn key(columns: &Columns<'_>, at: usize) -> rusqlite::Result<Key> {
    let bytes = columns.get_ref(at)?.as_blob()?;
    Key::from_bytes(bytes).ok_or(rusqlite::Error::InvalidColumnType(at, "key".to_owned(), Type::Blob))
}
