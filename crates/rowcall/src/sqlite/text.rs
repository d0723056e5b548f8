//! Counts and JSON as stored in columns.

use rusqlite::types::Type;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The maximum nesting depth. Answers are read up to 128 levels, and repairs add a few; a file with deeper nesting is not ours, and
/// reading it could exhaust a thread's stack.
const DEEPEST: usize = 256;

/// A count as SQLite stores it.
pub(crate) fn integer(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A count as read from SQLite.
pub(crate) fn natural(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

/// JSON text.
pub(crate) fn text(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
}

/// Parses JSON text in a column. A repaired answer may nest deeper than serde_json reads by default.
pub(crate) fn parsed<T: DeserializeOwned>(text: &str, column: usize) -> rusqlite::Result<T> {
    let deep = || {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        deserializer.disable_recursion_limit();
        let value = T::deserialize(&mut deserializer)?;
        deserializer.end().map(|()| value)
    };
    // The depth rarely needs to be checked.
    let parsed = serde_json::from_str(text);
    let parsed = if parsed.is_err() && nesting(text) <= DEEPEST { deep() } else { parsed };
    parsed.map_err(|error| rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error)))
}

/// The nesting depth of JSON text.
fn nesting(text: &str) -> usize {
    let (mut deepest, mut depth, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
