//! Files that other tools wrote: what their columns are in a record, and that they come out as they went in. `tests/data/tools`
//! says which versions wrote them.

use std::path::PathBuf;

use tempfile::TempDir;

use super::{assert_same, read_parquet, rows, run};
use crate::{Input, InputOptions};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tools").join(name)
}

#[tokio::test]
async fn columns_of_other_tools_are_read_without_loss() {
    let mut text = String::new();
    for name in [
        "pyarrow.parquet",
        "pandas.parquet",
        "polars.parquet",
        "polars.arrow",
        "duckdb.parquet",
        "int96.parquet",
        "interval.parquet",
        "sheet.xlsx",
    ] {
        let mut input = Input::open(file(name), InputOptions::default()).expect("an input");
        text.push_str(&format!("{name}\n"));
        for row in rows(&mut input).await {
            text.push_str(&format!("  {}\n", String::from_utf8_lossy(&row.record)));
        }
        for note in input.notes().take_all() {
            text.push_str(&format!("  note: {}\n", note.to_string().replace(env!("CARGO_MANIFEST_DIR"), "")));
        }
    }
    let expected = include_str!("../../../tests/data/tools/records.txt");
    assert_eq!(text, expected, "{text}");
}

#[tokio::test]
async fn columns_of_other_tools_come_out_as_they_went_in() {
    let folder = TempDir::new().expect("a folder");
    for name in ["pyarrow.parquet", "pandas.parquet", "polars.parquet", "duckdb.parquet"] {
        let to = folder.path().join(name);
        run(&file(name), &to).await;
        assert_same(&read_parquet(&file(name)), &read_parquet(&to));
    }
}
