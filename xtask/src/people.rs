//! Rows with distinguishable texts, each about a person: makes them, and finds them in an output.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::Result;

/// The task for the rows.
pub(crate) const TASK: [&str; 4] =
    ["--prompt", "Extract the person: {{ text }}", "--schema", "name, age int, occupation"];

/// The column `text` of a row; all are different.
pub(crate) fn text(row: u64) -> String {
    const NAMES: [&str; 7] = ["Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gus"];
    const OCCUPATIONS: [&str; 5] =
        ["nurse", "carpenter", "lighthouse keeper", "teacher", "software engineer"];
    let name = NAMES.get((row % 7) as usize).unwrap_or(&"Ann");
    let occupation = OCCUPATIONS.get((row % 5) as usize).unwrap_or(&"nurse");
    format!("[row {row}] {name} is a {}-year-old {occupation}", 20 + row % 60)
}

/// The row of a text, wherever it contains [`text`].
pub(crate) fn row(text: &str) -> Option<u64> {
    let (_, number) = text.split_once("[row ")?;
    number.split_once(']')?.0.parse().ok()
}

/// Writes a CSV with the first `rows` of them.
pub(crate) fn generate(path: &Path, rows: u64) -> Result<()> {
    let write = || {
        let mut file = BufWriter::new(File::create(path)?);
        writeln!(file, "text")?;
        for row in 0..rows {
            writeln!(file, "{}", text(row))?;
        }
        file.flush()
    };
    write().map_err(|error: std::io::Error| format!("cannot write {}: {error}", path.display()))
}

/// Checks that `lines` are the outcomes of all `rows`, in order, each with a value.
pub(crate) fn check(lines: impl Iterator<Item = String>, rows: u64) -> Result<()> {
    let mut count = 0;
    for (row, line) in (0..).zip(lines) {
        let line: Value = serde_json::from_str(&line).map_err(|error| format!("row {row}: {error}"))?;
        if line.get("text").and_then(Value::as_str) != Some(&text(row)) {
            return Err(format!("row {row} is out of order: {line}"));
        }
        if line.get("_error").is_some_and(|error| !error.is_null()) || line.get("name").is_none() {
            return Err(format!("row {row} has no value: {line}"));
        }
        count += 1;
    }
    if count == rows { Ok(()) } else { Err(format!("{count} rows came out of {rows}")) }
}

#[cfg(test)]
mod tests {
    use super::{check, row, text};

    fn line(row: u64) -> String {
        serde_json::json!({"text": text(row), "name": "Ann", "age": 30}).to_string()
    }

    #[test]
    fn every_row_must_come_out_in_order_with_a_value() {
        assert_eq!(check([0, 1, 2].map(line).into_iter(), 3), Ok(()));
        for lines in [
            vec![line(0), line(1)],
            vec![line(0), line(2), line(1)],
            vec![line(0), line(1), line(2), line(3)],
            vec![line(0), line(1), "torn".to_owned()],
            vec![
                line(0),
                line(1),
                serde_json::json!({"text": text(2), "_error": {"kind": "server"}}).to_string(),
            ],
            vec![line(0), line(1), serde_json::json!({"text": text(2)}).to_string()],
        ] {
            assert!(check(lines.clone().into_iter(), 3).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn a_row_is_found_in_its_prompt() {
        assert_eq!(row(&format!("Extract the person: {}", text(4711))), Some(4711));
        assert_eq!(row("Extract the person: Ann"), None);
        assert_eq!(row("[row x] Ann"), None);
    }
}
