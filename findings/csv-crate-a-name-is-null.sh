#!/usr/bin/env bash
# Guess: a field of a CSV file that is read into a serde_json::Value is a text, or a number where it is written as one.
# Fact (csv 1.4.0, serde_json 1.0.145): Rust takes nan, inf and infinity in any case for numbers, and JSON has none of them: a person named Nan, or a
# company named Infinity, is null. There is no error. The postcode 01067 is 1067.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cd "$dir"
cat > Cargo.toml <<'TOML'
[package]
name = "run"
edition = "2021"

[dependencies]
csv = "=1.4.0"
serde_json = "=1.0.145"

[workspace]
TOML
cat > src/main.rs <<'RS'
use serde_json::{Map, Value};

fn main() -> Result<(), csv::Error> {
    let file = "name,company,postcode\nAnn,Acme,D-01067\nNan,Infinity,01067\n";
    let rows = csv::Reader::from_reader(file.as_bytes())
        .deserialize::<Map<String, Value>>()
        .collect::<Result<Vec<_>, _>>()?;
    for row in &rows {
        println!("{}", Value::from(row.clone()));
    }
    assert_eq!(rows[0]["name"], "Ann");
    assert!(rows[1]["name"].is_null() && rows[1]["company"].is_null(), "the names are kept now");
    assert_eq!(rows[1]["postcode"], 1067);
    Ok(())
}
RS
cargo run --quiet
cargo tree --quiet --depth 1
