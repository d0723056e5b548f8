//! Tables through a run: every Arrow type goes in as a row and comes out as it was.

mod tools;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder, MapBuilder, StringBuilder};
use arrow_array::types::{Int8Type, Int32Type, IntervalMonthDayNanoType, UInt32Type};
use arrow_array::*;
use arrow_cast::cast;
use arrow_ipc::reader::FileReader;
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rowcall::{Failure, FailureKind, Outcome, Row, Sink, Source};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::{Input, InputOptions, Layout, Output, OutputFormat, OutputOptions};

/// A column of each type, with a null in each.
fn all_types() -> RecordBatch {
    let ints = || Arc::new(Int64Array::from(vec![Some(1), None, Some(-3)])) as ArrayRef;
    let texts = || Arc::new(StringArray::from(vec![Some("a\"b"), None, Some("ü\n")])) as ArrayRef;
    let to = |array: ArrayRef, to: &DataType| cast(&array, to).expect("a cast");
    let stored = |values: [i64; 2], data_type: DataType| {
        let array = Int64Array::from(vec![Some(values[0]), None, Some(values[1])]);
        let data = array.into_data().into_builder().data_type(data_type).build().expect("the same layout");
        make_array(data)
    };
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    let mut add = |array: ArrayRef| columns.push((format!("{}:{}", columns.len(), array.data_type()), array));
    for data_type in [
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal32(9, 2),
        DataType::Decimal64(18, 3),
        DataType::Decimal128(38, 10),
        DataType::Decimal256(76, 2),
    ] {
        add(to(ints(), &data_type));
    }
    let unsigned = Arc::new(UInt64Array::from(vec![Some(u64::MAX), None, Some(0)])) as ArrayRef;
    add(Arc::clone(&unsigned));
    add(Arc::new(UInt8Array::from(vec![Some(255), None, Some(0)])));
    add(Arc::new(UInt16Array::from(vec![Some(65535), None, Some(0)])));
    add(Arc::new(UInt32Array::from(vec![Some(u32::MAX), None, Some(0)])));
    add(Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)])));
    for data_type in [
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
        DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::LargeUtf8)),
    ] {
        add(to(texts(), &data_type));
    }
    let pairs = [Some([0_u8, 255]), None, Some([1, 2])].into_iter();
    add(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(pairs, 2).expect("pairs")));
    // Not numbers, and extremes.
    add(Arc::new(Float64Array::from(vec![Some(f64::NAN), Some(f64::INFINITY), Some(-0.1)])));
    add(Arc::new(Float32Array::from(vec![Some(f32::NEG_INFINITY), None, Some(0.1)])));
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        add(stored([1_700_000_000, -5], DataType::Timestamp(unit, None)));
        add(stored([1_700_000_000, i64::MAX], DataType::Timestamp(unit, Some("UTC".into()))));
        add(stored([i64::MIN, 0], DataType::Timestamp(unit, Some("Europe/Berlin".into()))));
        add(stored([1, i64::MAX], DataType::Duration(unit)));
    }
    add(stored([1, 86_399_999_999], DataType::Time64(TimeUnit::Microsecond)));
    // DuckDB has a time of 24:00:00.
    add(stored([86_400_000_000, 0], DataType::Time64(TimeUnit::Microsecond)));
    add(stored([1, 2], DataType::Time64(TimeUnit::Nanosecond)));
    add(Arc::new(Time32SecondArray::from(vec![Some(1), None, Some(86_399)])));
    add(Arc::new(Time32MillisecondArray::from(vec![Some(1), None, Some(86_399_999)])));
    add(Arc::new(Date32Array::from(vec![Some(20_000), None, Some(i32::MAX)])));
    add(Arc::new(Date64Array::from(vec![Some(86_400_000), None, Some(0)])));
    let interval = IntervalMonthDayNanoType::make_value;
    add(Arc::new(IntervalMonthDayNanoArray::from(vec![
        Some(interval(14, -3, 4)),
        None,
        Some(interval(0, 0, 0)),
    ])));
    let list =
        ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None, Some(vec![])]);
    let item = || Arc::new(Field::new("item", DataType::Int32, true));
    let list: ArrayRef = Arc::new(list);
    add(Arc::clone(&list));
    add(to(Arc::clone(&list), &DataType::LargeList(item())));
    add(to(Arc::clone(&list), &DataType::ListView(item())));
    add(Arc::new(FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(
        [Some(vec![Some(1), Some(2)]), None, Some(vec![None, Some(4)])],
        2,
    )));
    let mut nested = ListBuilder::new(StringBuilder::new());
    nested.append_value([Some("x"), None]);
    nested.append_null();
    nested.append_value([Some("")]);
    let nested: ArrayRef = Arc::new(nested.finish());
    let member = |name: &str, array: &ArrayRef| {
        (Arc::new(Field::new(name, array.data_type().clone(), true)), Arc::clone(array))
    };
    let zoned = stored([7, 8], DataType::Timestamp(TimeUnit::Second, Some("Asia/Tokyo".into())));
    let category = Arc::new(DictionaryArray::<Int8Type>::from_iter([Some("p"), None, Some("q")])) as ArrayRef;
    add(Arc::new(StructArray::from(vec![
        member("list", &nested),
        member("zoned", &zoned),
        member("category", &category),
    ])));
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("k");
    map.values().append_value(1);
    map.append(true).expect("an entry");
    map.append(false).expect("a null");
    map.append(true).expect("an empty map");
    add(Arc::new(map.finish()));
    let mut map = MapBuilder::new(None, Int32Builder::new(), StringBuilder::new());
    map.keys().append_value(7);
    map.values().append_value("v");
    map.append(true).expect("an entry");
    map.append(false).expect("a null");
    map.append(true).expect("an empty map");
    add(Arc::new(map.finish()));
    let values = DictionaryArray::<UInt32Type>::new(
        UInt32Array::from(vec![Some(0), None, Some(1)]),
        Arc::new(StringArray::from(vec![Some("here"), None])),
    );
    add(Arc::new(values));
    add(Arc::new(NullArray::new(3)));
    let fields: Vec<_> = columns
        .iter()
        .map(|(name, array)| Field::new(name.clone(), array.data_type().clone(), true))
        .collect();
    let schema = Schema::new(fields);
    let columns = columns.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), columns).expect("a batch")
}

fn value_of(index: u64, value: Value) -> Outcome {
    let unasked = Outcome::unasked(index, Failure::unasked(FailureKind::Refusal, "no"));
    Outcome { result: Ok(value), ..unasked }
}

fn options(schema: &Value, input: &Input) -> OutputOptions {
    let properties = schema["properties"].as_object().expect("an object").keys().cloned();
    OutputOptions {
        record_schema: input.record_schema().map(str::to_owned),
        columns: input.first_record_fields().unwrap_or_default().to_vec(),
        schema: schema.clone(),
        ..OutputOptions::new(Layout::beside(properties).expect("a layout"))
    }
}

fn label() -> Value {
    json!({"type": "object", "properties": {"label": {"type": "string"}}, "required": ["label"], "additionalProperties": false})
}

async fn rows(input: &mut Input) -> Vec<Row> {
    let mut rows = Vec::new();
    loop {
        let more = input.next(1000).await.expect("the input can be read");
        if more.is_empty() {
            return rows;
        }
        rows.extend(more);
    }
}

/// Reads `from`, gives each row a label, and writes `to`.
async fn run(from: &Path, to: &Path) {
    let mut input = Input::open(from, InputOptions::default()).expect("an input");
    let rows = rows(&mut input).await;
    let mut output = Output::open(Some(to), options(&label(), &input)).expect("an output");
    let done = rows.into_iter().map(|row| {
        let outcome = value_of(row.index, json!({"label": format!("l{}", row.index)}));
        (row, outcome)
    });
    output.write(done.collect()).await.expect("it can be written");
    output.finish().await.expect("it can be completed");
}

fn write_arrow(path: &Path, batch: &RecordBatch) {
    let mut writer =
        FileWriter::try_new(File::create(path).expect("a file"), &batch.schema()).expect("a writer");
    writer.write(batch).expect("it can be written");
    writer.finish().expect("it can be completed");
}

fn write_parquet(path: &Path, batch: &RecordBatch) {
    let mut writer =
        ArrowWriter::try_new(File::create(path).expect("a file"), batch.schema(), None).expect("a writer");
    writer.write(batch).expect("it can be written");
    writer.close().expect("it can be completed");
}

fn read_arrow(path: &Path) -> RecordBatch {
    let mut reader = FileReader::try_new(File::open(path).expect("a file"), None).expect("a reader");
    reader.next().expect("a batch").expect("it can be read")
}

fn read_parquet(path: &Path) -> RecordBatch {
    let file = File::open(path).expect("a file");
    let mut reader =
        ParquetRecordBatchReaderBuilder::try_new(file).expect("a file").build().expect("a reader");
    reader.next().expect("a batch").expect("it can be read")
}

fn assert_same(before: &RecordBatch, after: &RecordBatch) {
    for (field, column) in before.schema().fields().iter().zip(before.columns()) {
        let after =
            after.column_by_name(field.name()).unwrap_or_else(|| panic!("no column {}", field.name()));
        assert_eq!(column.data_type(), after.data_type());
        // Dictionaries may have other values in another order.
        let plain = |array: &ArrayRef| match array.data_type() {
            DataType::Dictionary(_, values) => cast(array, values).expect("a cast"),
            _ => Arc::clone(array),
        };
        let shown = |array: &ArrayRef| format!("{array:?}");
        assert_eq!(shown(&plain(column)), shown(&plain(after)), "{}", field.name());
    }
}

#[tokio::test]
async fn every_type_comes_out_of_an_arrow_file_as_it_went_in() {
    let folder = TempDir::new().expect("a folder");
    let (from, to) = (folder.path().join("in.arrow"), folder.path().join("out.arrow"));
    let batch = all_types();
    write_arrow(&from, &batch);
    run(&from, &to).await;
    let out = read_arrow(&to);
    assert_same(&batch, &out);
    assert_eq!(out.num_columns(), batch.num_columns() + 2);
    assert_eq!(out.column_by_name("_error").expect("errors").null_count(), 3);
}

#[tokio::test]
async fn every_type_of_parquet_comes_out_as_it_went_in() {
    let folder = TempDir::new().expect("a folder");
    let (from, to) = (folder.path().join("in.parquet"), folder.path().join("out.parquet"));
    let all = all_types();
    let is_writable = |data_type: &DataType| {
        !matches!(
            data_type,
            DataType::Interval(IntervalUnit::MonthDayNano) | DataType::Null | DataType::ListView(_)
        )
    };
    let kept: Vec<_> = (0..all.num_columns()).filter(|at| is_writable(all.column(*at).data_type())).collect();
    let batch = all.project(&kept).expect("columns");
    write_parquet(&from, &batch);
    run(&from, &to).await;
    // As the library reads its own file: it makes other types of some, such as `Date64`.
    assert_same(&read_parquet(&from), &read_parquet(&to));
}

#[tokio::test]
async fn a_stream_needs_its_end_mark() {
    let folder = TempDir::new().expect("a folder");
    let batch = all_types();
    let mut bytes = Vec::new();
    let mut writer = StreamWriter::try_new(&mut bytes, &batch.schema()).expect("a writer");
    writer.write(&batch).expect("it can be written");
    writer.finish().expect("it can be completed");
    for (length, whole) in [(bytes.len(), true), (bytes.len() - 8, false), (bytes.len() - 100, false)] {
        let path = folder.path().join("in.arrows");
        std::fs::write(&path, &bytes[..length]).expect("a file");
        let mut input = Input::open(&path, InputOptions::default()).expect("an input");
        let mut read = 0;
        let end = loop {
            match input.next(100).await {
                Ok(rows) if rows.is_empty() => break true,
                Ok(rows) => read += rows.len(),
                Err(_) => break false,
            }
        };
        assert_eq!(end, whole, "{length} bytes");
        assert!(read == 3 || !whole);
    }
    let mut input =
        Input::from_reader("standard input", std::io::Cursor::new(bytes), &InputOptions::default())
            .expect("a stream is recognised");
    assert_eq!(rows(&mut input).await.len(), 3);
}

#[tokio::test]
async fn values_have_the_types_of_the_schema_even_if_all_are_null() {
    let folder = TempDir::new().expect("a folder");
    let from = folder.path().join("in.csv");
    std::fs::write(&from, "id\n1\n2\n3\n").expect("a file");
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {
        "text": {"type": "string"},
        "count": {"type": "integer"},
        "score": {"type": "number"},
        "yes": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "time": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "person": {"type": "object", "properties": {"name": {"type": ["string", "null"]}}},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
    }});
    let full = json!({"text": "t", "count": 3, "score": 0.5, "yes": true, "day": "2026-11-30",
        "time": "2026-11-30T07:00:00+01:00", "tags": ["a"], "person": {"name": null}, "counts": {"a": 1}});
    let mut read = Vec::new();
    for (name, value) in [("nulls.parquet", json!({})), ("full.parquet", full)] {
        let to = folder.path().join(name);
        let mut input = Input::open(&from, InputOptions::default()).expect("an input");
        let rows = rows(&mut input).await;
        let mut output = Output::open(Some(&to), options(&schema, &input)).expect("an output");
        let done = rows.into_iter().map(|row| {
            let outcome = value_of(row.index, value.clone());
            (row, outcome)
        });
        output.write(done.collect()).await.expect("it can be written");
        output.finish().await.expect("it can be completed");
        read.push(read_parquet(&to));
    }
    assert_eq!(read[0].schema(), read[1].schema());
    let types: Vec<_> = read[1].schema().fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types, EXPECTED_TYPES);
    let line = super::batch(&read[1].schema(), &[]).expect("an empty batch");
    assert_eq!(line.num_rows(), 0);
}

#[tokio::test]
async fn a_value_that_does_not_fit_its_column_is_an_error_in_its_row() {
    let folder = TempDir::new().expect("a folder");
    let (from, to) = (folder.path().join("in.csv"), folder.path().join("out.parquet"));
    std::fs::write(&from, "id\n1\n2\n").expect("a file");
    let schema =
        json!({"type": "object", "additionalProperties": false, "properties": {"n": {"type": "integer"}}});
    let mut input = Input::open(&from, InputOptions::default()).expect("an input");
    let rows = rows(&mut input).await;
    let mut output = Output::open(Some(&to), options(&schema, &input)).expect("an output");
    let values =
        ["9223372036854775808", "7"].map(|text| serde_json::from_str::<Value>(text).expect("a number"));
    let done = rows.into_iter().zip(values).map(|(row, value)| {
        let outcome = value_of(row.index, json!({ "n": value }));
        (row, outcome)
    });
    output.write(done.collect()).await.expect("it can be written");
    assert_eq!(output.finish().await.expect("it can be completed").clashes, 1);
    let batch = read_parquet(&to);
    assert_eq!(batch.column_by_name("n").expect("a column").null_count(), 1);
    let errors = format!("{:?}", batch.column_by_name("_error").expect("errors"));
    assert!(errors.contains("`9223372036854775808` does not fit the column's type `Int64`"), "{errors}");
    assert!(errors.contains("/n"), "{errors}");
}

#[tokio::test]
async fn parts_hold_the_rows_between_two_positions_and_are_the_same_again() {
    let folder = TempDir::new().expect("a folder");
    let (from, to) = (folder.path().join("in.csv"), folder.path().join("out/"));
    let lines = (0..2500).map(|row| row.to_string()).collect::<Vec<_>>().join("\n") + "\n";
    std::fs::write(&from, format!("id\n{lines}")).expect("a file");
    let mut seen = Vec::new();
    // The second run finds the folder of the first, and what a killed run may have left.
    for piece in [100, 7] {
        if to.exists() {
            std::fs::remove_file(to.join("part-00001.parquet")).expect("a part");
            std::fs::write(to.join(".part-00001.parquet"), "cut off").expect("a file");
            std::fs::write(to.join("part-00009.parquet"), "of a longer run").expect("a file");
            std::fs::write(to.join("notes.txt"), "the user's").expect("a file");
        }
        let mut input = Input::open(&from, InputOptions::default()).expect("an input");
        let part_rows = std::num::NonZeroU64::new(1000);
        let options =
            OutputOptions { format: Some(OutputFormat::Parquet), part_rows, ..options(&label(), &input) };
        let mut output = Output::open(Some(&to), options).expect("an output");
        let rows = rows(&mut input).await;
        for piece in rows.chunks(piece) {
            let done = piece.iter().map(|row| (row.clone(), value_of(row.index, json!({"label": "l"}))));
            output.write(done.collect()).await.expect("it can be written");
        }
        assert!(!to.join("_manifest.json").exists(), "only a complete folder has one");
        output.finish().await.expect("it can be completed");
        let mut names: Vec<_> = std::fs::read_dir(&to)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
            .filter(|name| name != "notes.txt")
            .collect();
        names.sort();
        assert_eq!(
            names,
            ["_manifest.json", "part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
        );
        let files: Vec<_> = names.iter().map(|name| std::fs::read(to.join(name)).expect("a file")).collect();
        seen.push(files);
    }
    assert_eq!(seen[0], seen[1], "the parts depend on the rows only");
    let manifest: Value = serde_json::from_slice(&seen[0][0]).expect("JSON");
    assert_eq!((&manifest["rows"], &manifest["parts"][2]["first_row"]), (&json!(2500), &json!(2000)));
    let hash = manifest["parts"][0]["sha256"].as_str().expect("a hash");
    assert_eq!(hash, format!("{:x}", Sha256::digest(&seen[0][1])));
    let input = Input::open(to.join("*.parquet"), InputOptions::default()).expect("the parts are one input");
    assert_eq!(input.gauge().rows_in_all().map(crate::RowsInAll::number), Some(2500));
}

#[tokio::test]
async fn each_element_of_a_list_is_a_row() {
    let folder = TempDir::new().expect("a folder");
    let from = folder.path().join("in.csv");
    std::fs::write(&from, "id\n1\n2\n3\n").expect("a file");
    let schema = json!({"type": "object", "additionalProperties": false, "properties": {
        "tags": {"type": "array", "items": {"type": "integer"}}, "n": {"type": "integer"}}});
    let values = [json!({"tags": [7, 8], "n": 1}), json!({"tags": [], "n": 2}), json!({"tags": [9], "n": 3})];
    for name in ["out.jsonl", "out.parquet"] {
        let to = folder.path().join(name);
        let mut input = Input::open(&from, InputOptions::default()).expect("an input");
        let rows = rows(&mut input).await;
        let explode = Some("tags".to_owned());
        let options = OutputOptions { explode, ..options(&schema, &input) };
        let mut output = Output::open(Some(&to), options).expect("an output");
        let done = rows.into_iter().zip(values.clone()).map(|(row, value)| {
            let outcome = value_of(row.index, value);
            (row, outcome)
        });
        output.write(done.collect()).await.expect("it can be written");
        output.finish().await.expect("it can be completed");
        let mut read = Input::open(&to, InputOptions::default()).expect("an output");
        let mut rows = self::rows(&mut read).await;
        let pairs: Vec<_> = rows
            .drain(..)
            .map(|row| row.fields.expect("fields"))
            .map(|fields| (fields["id"].clone(), fields.get("tags").cloned().unwrap_or_default()))
            .collect();
        let expected = [("1", json!(7)), ("1", json!(8)), ("2", json!(null)), ("3", json!(9))]
            .map(|(id, tag)| (json!(id), tag));
        assert_eq!(pairs, expected, "{name}");
    }
}

/// The types of the columns `id`, then those of the schema, then `_error`.
const EXPECTED_TYPES: [&str; 11] = [
    "Utf8",
    "Utf8",
    "Int64",
    "Float64",
    "Boolean",
    "Date32",
    "Timestamp(µs, \"UTC\")",
    "List(Utf8)",
    "Struct(\"name\": Utf8)",
    "Map(\"entries\": non-null Struct(\"key\": non-null Utf8, \"value\": Int64), unsorted)",
    "Struct(\"kind\": Utf8, \"message\": Utf8, \"violations\": List(Struct(\"path\": Utf8, \"message\": Utf8)))",
];
