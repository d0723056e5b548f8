//! The crate from the outside: what is written in one format is read in another, through inputs and outputs as a run
//! uses them.

#![expect(clippy::unwrap_used, reason = "the functions beside the tests are tests too")]

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rowcall::{Failure, FailureKind, Outcome, Row, Sink, Source};
use rowcall_data::{Input, InputFormat, InputOptions, Layout, Output, OutputFormat, OutputOptions};
use serde_json::{Map, Value, json};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

async fn read(format: InputFormat, text: &[u8]) -> (Vec<String>, Vec<Row>) {
    let mut input = Input::from_reader(
        "input",
        Cursor::new(text.to_vec()),
        &InputOptions { format: Some(format), ..InputOptions::default() },
    )
    .unwrap();
    let columns = input.first_record_fields().unwrap_or_default().to_vec();
    let mut rows = Vec::new();
    loop {
        let more = input.next(2).await.unwrap();
        if more.is_empty() {
            return (columns, rows);
        }
        rows.extend(more);
    }
}

/// The output of a run with the value `"v"` for every row.
async fn write(format: OutputFormat, columns: &[String], rows: Vec<Row>) -> Vec<u8> {
    let text = Shared::default();
    let layout = Layout::under("v").unwrap();
    let options = OutputOptions { columns: columns.to_vec(), ..OutputOptions::new(layout) };
    let mut output = Output::from_writer("output", text.clone(), format, options).unwrap();
    let done = rows.into_iter().map(|row| {
        let unasked = Outcome::unasked(row.index, Failure::unasked(FailureKind::Refusal, "no"));
        let outcome = Outcome { result: Ok(json!("v")), ..unasked };
        (row, outcome)
    });
    output.write(done.collect()).await.unwrap();
    output.finish().await.unwrap();
    let written = text.0.lock().unwrap();
    written.clone()
}

fn fields(rows: &[Row]) -> Vec<Map<String, Value>> {
    rows.iter().map(|row| row.fields.clone().unwrap()).collect()
}

/// The input's fields and those that the output added, as the output's format represents them.
fn with_added(rows: &[Map<String, Value>], error: &Value) -> Vec<Map<String, Value>> {
    let added = [("v".to_owned(), json!("v")), ("_error".to_owned(), error.clone())];
    rows.iter().map(|row| row.clone().into_iter().chain(added.clone()).collect()).collect()
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn from_csv_to_json_lines_and_back(
        records in prop::collection::vec(prop::collection::vec(r#"[",\\\n\r\ta ☃\x00-]{0,8}"#, 3), 0..8),
    ) {
        let mut text = csv::Writer::from_writer(Vec::new());
        text.write_record(["a", "ü \"", "c,"]).unwrap();
        for record in &records {
            text.write_record(record).unwrap();
        }
        let text = text.into_inner().unwrap();
        run(async {
            let (columns, rows) = read(InputFormat::Csv, &text).await;
            let expected = fields(&rows);
            assert_eq!(expected.len(), records.len());
            for (row, record) in expected.iter().zip(&records) {
                assert!(row.values().map(|value| value.as_str().unwrap()).eq(record));
            }
            let lines = write(OutputFormat::JsonLines, &columns, rows.clone()).await;
            let (_, back) = read(InputFormat::JsonLines, &lines).await;
            assert_eq!(fields(&back), with_added(&expected, &Value::Null));

            for (written, read_as) in [(OutputFormat::Csv, InputFormat::Csv), (OutputFormat::Tsv, InputFormat::Tsv)] {
                let again = write(written, &columns, rows.clone()).await;
                assert_eq!(fields(&read(read_as, &again).await.1), with_added(&expected, &json!("")));
            }
        });
    }

    #[test]
    fn from_an_array_to_json_lines(
        objects in prop::collection::vec(prop::collection::hash_map("[a-u\"☃]{1,3}", any::<f64>(), 0..4), 0..6),
    ) {
        let nested = |number: f64| json!([number, {"k": number}]);
        let objects: Vec<Map<_, _>> =
            objects.into_iter().map(|object| object.into_iter().map(|(k, v)| (k, nested(v))).collect()).collect();
        let text = serde_json::to_string_pretty(&objects).unwrap();
        run(async {
            let (columns, rows) = read(InputFormat::Json, text.as_bytes()).await;
            let lines = write(OutputFormat::JsonLines, &columns, rows.clone()).await;
            assert_eq!(std::str::from_utf8(&lines).unwrap().lines().count(), objects.len());
            let (_, back) = read(InputFormat::JsonLines, &lines).await;
            assert_eq!(fields(&back), with_added(&fields(&rows), &Value::Null));
        });
    }
}

#[test]
fn numbers_and_spelling_go_through_every_format() {
    run(async {
        let lines =
            br#"{"id":12345678901234567890123, "zip":"007", "x":1.50, "deep":{"n":98765432109876543210}}"#;
        let (columns, rows) = read(InputFormat::JsonLines, lines).await;
        let text = write(OutputFormat::JsonLines, &columns, rows.clone()).await;
        let kept = &lines[..lines.len() - 1];
        assert_eq!(text, [kept, br#","v":"v","_error":null}"#, b"\n"].concat());
        let text = write(OutputFormat::Csv, &columns, rows).await;
        let expected = "id,zip,x,deep,v,_error\n12345678901234567890123,007,1.50,\"{\"\"n\"\":98765432109876543210}\",v,\n";
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    });
}
