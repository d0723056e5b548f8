//! Recognises a JSON file whose only object is a whole table: its members are columns, or one of them is the list of rows. Such a file
//! would be taken as one row.

use rowcall::Problem;
use serde_json::{Map, Value};

/// How to read such an object as one row after all.
const ONE_ROW: &str = "if it is a single row, put `[` and `]` around it";

/// The problem with a file called `name` that has only this object, if it is a table.
pub(crate) fn problem(name: &str, object: &Map<String, Value>) -> Option<Problem> {
    if are_columns(object) || is_split(object) {
        let message = format!("{name} is a table by columns, expected one object per row");
        let hint = format!("in pandas, write it with `to_json(orient=\"records\")`; {ONE_ROW}");
        return Some(Problem::new(message).hint(hint));
    }
    let rows = rows_under(object)?;
    let path = if rows.chars().all(|c| c.is_ascii_alphabetic() || c == '_') {
        format!(".{rows}")
    } else {
        format!(".[{}]", Value::from(rows))
    };
    let message =
        format!("{name} has its rows under `{rows}`, expected an array of them or one object per row");
    Some(Problem::new(message).hint(format!("take them out with `jq '{path}'`; {ONE_ROW}")))
}

/// Whether the members are columns: objects with the same keys, which are row numbers, or whose values are all scalars in at least
/// two columns.
fn are_columns(object: &Map<String, Value>) -> bool {
    let Some(columns) = object.values().map(Value::as_object).collect::<Option<Vec<_>>>() else {
        return false;
    };
    let Some(first) = columns.first().filter(|first| !first.is_empty()) else { return false };
    let is_like_first = |column: &&Map<String, Value>| {
        column.len() == first.len() && column.keys().all(|key| first.contains_key(key))
    };
    let is_flat =
        |column: &&Map<String, Value>| !column.values().any(|cell| cell.is_object() || cell.is_array());
    let are_numbered = first.keys().zip(0_usize..).all(|(key, row)| *key == row.to_string());
    columns.iter().all(is_like_first) && (are_numbered || columns.len() > 1 && columns.iter().all(is_flat))
}

/// Whether it is what pandas writes with `orient="split"`.
fn is_split(object: &Map<String, Value>) -> bool {
    let is_list = |name: &str| object.get(name).is_some_and(Value::is_array);
    is_list("columns")
        && object.get("data").and_then(Value::as_array).is_some_and(|rows| rows.iter().all(Value::is_array))
        && object.keys().all(|name| matches!(name.as_str(), "columns" | "index" | "data"))
}

/// The only member that is a list of objects.
fn rows_under(object: &Map<String, Value>) -> Option<&str> {
    let is_rows = |value: &Value| {
        value.as_array().is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object))
    };
    let mut lists = object.iter().filter(|(_, value)| is_rows(value)).map(|(name, _)| name.as_str());
    lists.next().filter(|_| lists.next().is_none())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_is_not_a_row() {
        for (object, expected) in [
            (json!({"text": {"0": "a", "1": "b"}, "n": {"0": 1, "1": 2}}), Some("columns")),
            (json!({"text": {"0": "a", "1": {"k": 1}}}), Some("columns")),
            (json!({"text": {"x7": "a", "x9": "b"}, "n": {"x9": 1, "x7": null}}), Some("columns")),
            (json!({"columns": ["text"], "index": [0, 1], "data": [["a"], ["b"]]}), Some("columns")),
            (json!({"data": [{"text": "a"}, {"text": "b"}], "total": 2}), Some("`jq '.data'`")),
            (json!({"my rows": [{"text": "a"}]}), Some(r#"`jq '.["my rows"]'`"#)),
            (json!({"schema": {"fields": []}, "data": [{"text": "a"}]}), Some("`jq '.data'`")),
            (json!({"text": "a"}), None),
            (json!({}), None),
            (json!({"text": {"a": 1}}), None),
            (json!({"text": {"a": 1}, "meta": {"b": 1}}), None),
            (json!({"de": {"text": "a", "tags": []}, "en": {"text": "b", "tags": []}}), None),
            (json!({"a": {}, "b": {}}), None),
            (json!({"data": [], "total": 0}), None),
            (json!({"data": [1, {"text": "a"}]}), None),
            (json!({"a": [{"x": 1}], "b": [{"x": 1}]}), None),
        ] {
            let found = problem("`in.json`", object.as_object().unwrap());
            let text = found
                .map(|Problem { message, hint, .. }| message + "; " + &hint.unwrap_or_default().to_string());
            assert_eq!(text.is_some(), expected.is_some(), "{object}: {text:?}");
            let text = text.unwrap_or_default();
            assert!(text.contains(expected.unwrap_or_default()), "{object}: {text}");
            assert!(expected.is_none() || text.contains("put `[` and `]` around it"), "{text}");
        }
    }
}
