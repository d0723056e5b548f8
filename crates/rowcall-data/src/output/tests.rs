//! Rows and outcomes as tables to text, and where the text goes.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use proptest::prelude::*;
use rowcall::{
    Cost, Effort, Error, Failure, FailureKind, FaultKind, Outcome, Row, Sink, Usage, Usd, Violation,
};
use serde_json::{Value, json};

use super::row::{Names, OutputRow, record_text};
use super::{LeftOut, Output, OutputOptions, Written, csv, is_reader_gone, json_lines, same_file};
use crate::format::OutputFormat;
use crate::layout::Layout;

fn row(record: impl Into<Bytes>) -> Row {
    Row { index: 0, fields: Ok(serde_json::Map::new()), record: record.into() }
}

fn outcome(result: Result<Value, Failure>) -> Outcome {
    let usage = Usage { input_tokens: 12, cached_tokens: 4, output_tokens: 3, ..Usage::default() };
    let cost = Cost::known(Usd::from_picodollars(2_510_000));
    let effort = Effort {
        attempts: 2,
        prompts: 1,
        usage,
        unmetered: 0,
        cost,
        latency: Duration::from_micros(1_234_567),
    };
    Outcome {
        result: result.map_err(Into::into),
        effort,
        model: Some("m-1".to_owned()),
        finish_reason: Some("stop".to_owned()),
        ..Outcome::unasked(0, invalid())
    }
}

fn invalid() -> Failure {
    let violations =
        vec![Violation::at("/score", "`11` is over 10"), Violation::whole("\"label\" is missing")];
    Failure { violations, ..Failure::unasked(FailureKind::Invalid, "no value, \"after\" 3 prompts") }
}

fn json_line(layout: &Layout, record: &'static str, outcome: &Outcome) -> String {
    let mut line = Vec::new();
    json_lines::push(&OutputRow::new(record, outcome, layout, Names::OfFields).unwrap(), &mut line);
    String::from_utf8(line).unwrap().strip_suffix('\n').unwrap().to_owned()
}

fn csv_text(layout: &Layout, columns: &[&str], done: &[(&'static str, Outcome)]) -> (String, LeftOut) {
    let columns: Vec<_> = columns.iter().map(|name| (*name).to_owned()).collect();
    let (mut text, mut left_out) = (Vec::new(), LeftOut::default());
    let mut csv = csv::Csv::new(b',', &columns, layout);
    for (record, outcome) in done {
        csv.push(
            &OutputRow::new(record, outcome, layout, Names::OfColumns).unwrap(),
            &mut text,
            &mut left_out,
        );
    }
    csv.push_header(&mut text);
    (String::from_utf8(text).unwrap(), left_out)
}

#[test]
fn json_lines_splice_the_unchanged_record() {
    let beside = Layout::beside(["label"]).unwrap();
    let under = Layout::under("a\"b").unwrap();
    let good = json!({"label": "x\ny", "n": [1, {"k": null}]});
    for (layout, record, value, expected) in [
        (&beside, "{}", &good, r#"{"label":"x\ny","n":[1,{"k":null}],"_error":null}"#),
        (
            &beside,
            r#" { "z" : 1e2, "id":12345678901234567890, "x":1.50 } "#,
            &good,
            r#"{ "z" : 1e2, "id":12345678901234567890, "x":1.50,"label":"x\ny","n":[1,{"k":null}],"_error":null}"#,
        ),
        (&beside, "{\n  \"a\": [1,\r\n 2]\n}\n", &json!({}), r#"{"a":[1,2],"_error":null}"#),
        (&beside, r#"{"id":1}"#, &json!([1, "☃"]), r#"{"id":1,"value":[1,"☃"],"_error":null}"#),
        (
            &under,
            r#"{"label":1}"#,
            &good,
            r#"{"label":1,"a\"b":{"label":"x\ny","n":[1,{"k":null}]},"_error":null}"#,
        ),
        (&Layout::whole(), "{ }", &Value::Null, r#"{"value":null,"_error":null}"#),
    ] {
        assert_eq!(json_line(layout, record, &outcome(Ok(value.clone()))), expected);
    }
}

#[test]
fn failures_are_in_error_and_leave_no_value() {
    let layout = Layout::beside(["label", "score"]).unwrap();
    assert_eq!(
        json_line(&layout, r#"{"id":1}"#, &outcome(Err(invalid()))),
        concat!(
            r#"{"id":1,"_error":{"kind":"invalid","message":"no value, \"after\" 3 prompts","violations":["#,
            r#"{"path":"/score","message":"`11` is over 10"},{"path":"","message":"\"label\" is missing"}]}}"#
        )
    );
    let fault = Failure::unasked(FailureKind::Fault(FaultKind::RateLimit), "too many requests");
    assert_eq!(
        json_line(&layout, "{}", &outcome(Err(fault))),
        r#"{"_error":{"kind":"rate_limit","message":"too many requests","violations":[]}}"#
    );
}

/// Whatever the value's names are, nothing of a value that was paid for is lost.
#[test]
fn no_line_has_a_name_twice() {
    let layout = Layout::beside(["label"]).unwrap().with_meta();
    let twice = |name: &str| {
        format!(
            r#""_error":{{"kind":"clash","message":"the field `{name}` of the record or the value would appear twice in the output","violations":[]}},"_meta":"#
        )
    };
    for (record, result, expected) in [
        (
            r#"{"id":1,"note":2}"#,
            Ok(json!({"label": "x", "note": 3, "more": 4})),
            r#"{"id":1,"note":2,"label":"x","value":{"note":3,"more":4},"_error":null,"#.to_owned(),
        ),
        (
            r#"{"n\u006fte":2}"#,
            Ok(json!({"note": 3})),
            r#"{"n\u006fte":2,"value":{"note":3},"_error":null,"#.to_owned(),
        ),
        (
            r#"{"value":1}"#,
            Ok(json!({"value": 2, "value_2": 3})),
            r#"{"value":1,"value_2":{"value":2,"value_2":3},"_error":null,"#.to_owned(),
        ),
        (
            r#"{"value":1}"#,
            Ok(json!("not an object")),
            r#"{"value":1,"value_2":{"value":"not an object"},"_error":null,"#.to_owned(),
        ),
        (
            r#"{"id":1}"#,
            Ok(json!({"_error": "x"})),
            r#"{"id":1,"value":{"_error":"x"},"_error":null,"#.to_owned(),
        ),
        (r#"{"label":1}"#, Ok(json!({"label": "x"})), format!(r#"{{"label":1,{}"#, twice("label"))),
        (r#"{"_meta":0,"id": 1}"#, Ok(json!({})), format!(r#"{{"id":1,{}"#, twice("_meta"))),
        (
            r#"{"_error":null,"id": 1}"#,
            Err(Failure::unasked(FailureKind::Clash, "line 1")),
            r#"{"id":1,"_error":{"kind":"clash","message":"line 1","violations":[]},"_meta":"#.to_owned(),
        ),
    ] {
        let line = json_line(&layout, record, &outcome(result));
        assert!(line.starts_with(&expected), "{line}\n{expected}");
    }
}

#[test]
fn meta_has_what_a_row_took() {
    let layout = Layout::whole().with_meta();
    let metered = outcome(Ok(json!(1)));
    let mut unmetered = outcome(Ok(json!(1)));
    unmetered.effort =
        Effort { usage: Usage::default(), unmetered: 1, cost: Cost::UNKNOWN, ..unmetered.effort };
    let mut unasked = outcome(Ok(json!(1)));
    (unasked.effort, unasked.model, unasked.finish_reason) = (Effort::default(), None, None);
    let expected = [
        r#"{"attempts":2,"prompts":1,"input_tokens":12,"cached_tokens":4,"output_tokens":3,"cost_usd":0.00000251,"cost_unknown":0,"latency_s":1.235,"model":"m-1","finish_reason":"stop","from_cache":false}"#,
        r#"{"attempts":2,"prompts":1,"input_tokens":null,"cached_tokens":null,"output_tokens":null,"cost_usd":null,"cost_unknown":1,"latency_s":1.235,"model":"m-1","finish_reason":"stop","from_cache":false}"#,
        r#"{"attempts":0,"prompts":0,"input_tokens":0,"cached_tokens":0,"output_tokens":0,"cost_usd":0,"cost_unknown":0,"latency_s":0.0,"model":null,"finish_reason":null,"from_cache":false}"#,
    ];
    for (outcome, meta) in [&metered, &unmetered, &unasked].into_iter().zip(expected) {
        assert_eq!(
            json_line(&layout, "{}", outcome),
            format!(r#"{{"value":1,"_error":null,"_meta":{meta}}}"#)
        );
    }
    let (text, _) = csv_text(&layout, &[], &[("{}", metered), ("{}", unmetered), ("{}", unasked)]);
    assert_eq!(
        text,
        "value,_error,_meta_attempts,_meta_prompts,_meta_input_tokens,_meta_cached_tokens,_meta_output_tokens,\
         _meta_cost_usd,_meta_cost_unknown,_meta_latency_s,_meta_model,_meta_finish_reason,_meta_from_cache\n\
         1,,2,1,12,4,3,0.00000251,0,1.235,m-1,stop,false\n1,,2,1,,,,,1,1.235,m-1,stop,false\n1,,0,0,0,0,0,0,0,0.0,,,false\n"
    );
}

#[test]
fn csv_has_the_columns_of_the_first_record_and_of_the_schema() {
    let layout = Layout::beside(["label", "tags"]).unwrap();
    let (text, left_out) = csv_text(
        &layout,
        &["id", "a,b", "label"],
        &[
            (
                r#"{"id":12345678901234567890,"a,b":"x"}"#,
                outcome(Ok(json!({"tags": ["t", 1], "label": "say \"hi\""}))),
            ),
            (r#"{"a,b": [1,  2], "id":null, "more":1}"#, outcome(Ok(json!({"label": null, "extra": true})))),
            ("{\"a,b\":{\n\"k\": 1},\"id\":\"l1\\nl2\"}", outcome(Ok(json!({"label": "a\rb", "tags": 1.5})))),
            (r#"{"label":"mine","more":2}"#, outcome(Err(invalid()))),
            (r#"{"id":"\ud800"}"#, outcome(Ok(json!(7)))),
        ],
    );
    assert_eq!(
        text,
        concat!(
            "id,\"a,b\",label,tags,_error\n",
            "12345678901234567890,x,\"say \"\"hi\"\"\",\"[\"\"t\"\",1]\",\n",
            ",\"[1,  2]\",,,\n",
            "\"l1\nl2\",\"{\"\"k\"\":1}\",\"a\rb\",1.5,\n",
            ",,,,\"invalid: no value, \"\"after\"\" 3 prompts\"\n",
            "\"\"\"\\ud800\"\"\",,,,\n",
        )
    );
    let names = ["more", "extra", "value"].map(str::to_owned).to_vec();
    assert_eq!(left_out, LeftOut { fields: 4, names });

    assert_eq!(csv_text(&layout, &[], &[]).0, "label,tags,_error\n");
    let nothing = Layout::beside([""; 0]).unwrap();
    assert_eq!(csv_text(&nothing, &[], &[("{}", outcome(Ok(json!({}))))]).0, "_error\n\"\"\n");
}

#[test]
fn additional_fields_of_an_open_schema_reach_a_csv() {
    let map = Layout::beside([""; 0]).unwrap().with_rest();
    let open = Layout::beside(["color", "value"]).unwrap().with_rest();
    let record = r#"{"text":"hello"}"#;
    for (layout, done, expected) in [
        (
            &map,
            vec![
                outcome(Ok(json!({"color": "red", "size": 1_234_567}))),
                outcome(Ok(json!({}))),
                // In a separate column, names of the record do not clash.
                outcome(Ok(json!({"text": [1], "_error": null}))),
                outcome(Err(invalid())),
            ],
            concat!(
                "text,value,_error\n",
                "hello,\"{\"\"color\"\":\"\"red\"\",\"\"size\"\":1234567}\",\n",
                "hello,{},\n",
                "hello,\"{\"\"text\"\":[1],\"\"_error\"\":null}\",\n",
                "hello,,\"invalid: no value, \"\"after\"\" 3 prompts\"\n",
            ),
        ),
        (
            &open,
            vec![
                outcome(Ok(json!({"size": 1, "color": "red", "value": 2}))),
                outcome(Ok(json!({"color": "red"}))),
            ],
            "text,color,value,value_2,_error\nhello,red,2,\"{\"\"size\"\":1}\",\nhello,red,,,\n",
        ),
    ] {
        let done: Vec<_> = done.into_iter().map(|outcome| (record, outcome)).collect();
        assert_eq!(csv_text(layout, &["text"], &done), (expected.to_owned(), LeftOut::default()));
    }
    assert_eq!(
        json_line(&map, record, &outcome(Ok(json!({"color": "red"})))),
        r#"{"text":"hello","color":"red","_error":null}"#
    );
}

#[test]
fn many_fields_find_their_columns_in_any_order() {
    let count = 5_000;
    let name = |at: usize| format!("c{at}");
    let record: Value = (0..count)
        .rev()
        .map(|at| (name(at), at.to_string().into()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let value: Value =
        (count..2 * count).rev().map(|at| (name(at), at.into())).collect::<serde_json::Map<_, _>>().into();
    let columns: Vec<String> = (0..count).map(name).collect();
    let layout = Layout::beside((count..2 * count).map(name)).unwrap();
    let (record, done) = (record.to_string(), outcome(Ok(value)));
    let row = OutputRow::new(&record, &done, &layout, Names::OfColumns).unwrap();
    let (mut text, mut left_out) = (Vec::new(), LeftOut::default());
    csv::Csv::new(b',', &columns, &layout).push(&row, &mut text, &mut left_out);
    let line = String::from_utf8(text).unwrap().lines().nth(1).unwrap().to_owned();
    let expected: Vec<String> = (0..2 * count).map(|at| at.to_string()).chain([String::new()]).collect();
    assert_eq!((line, left_out), (expected.join(","), LeftOut::default()));
}

proptest! {
    #[test]
    fn a_csv_reads_back(cells in prop::collection::vec(r#"[",\n\r\ta ☃\\]{0,6}"#, 1..5)) {
        let columns: Vec<String> = (0..cells.len()).map(|at| format!("c{at}")).collect();
        let layout = Layout::whole();
        let record = json!(columns.iter().zip(&cells).collect::<std::collections::BTreeMap<_, _>>()).to_string();
        let done = outcome(Ok(json!(cells)));
        let row = OutputRow::new(&record, &done, &layout, Names::OfColumns).unwrap();
        for delimiter in *b",\t" {
            let (mut text, mut left_out) = (Vec::new(), LeftOut::default());
            csv::Csv::new(delimiter, &columns, &layout).push(&row, &mut text, &mut left_out);
            let mut reader = ::csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_slice());
            let read: Vec<String> = reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
            let expected: Vec<String> = cells.iter().cloned().chain([json!(cells).to_string(), String::new()]).collect();
            prop_assert_eq!(&read, &expected);
        }
    }
}

#[test]
fn a_row_without_a_record_has_its_fields() {
    let row = Row::new(0, &json!({"id": 1}));
    assert_eq!(record_text(&row).unwrap(), r#"{"id":1}"#);
    for record in [&b"[1]"[..], b"\xff", b"{", b"{} {}"] {
        let row = Row { index: 5, ..self::row(record) };
        let done = Outcome { index: 5, ..outcome(Ok(json!(1))) };
        let layout = Layout::whole();
        let error = record_text(&row)
            .and_then(|text| OutputRow::new(&text, &done, &layout, Names::OfFields).map(drop))
            .unwrap_err();
        assert_eq!(error.to_string(), "the record of row 5 is not the text of a JSON object");
    }
}

fn options(format: Option<OutputFormat>) -> OutputOptions {
    let layout = Layout::beside(["label"]).unwrap();
    OutputOptions { format, columns: vec!["id".to_owned()], ..OutputOptions::new(layout) }
}

fn done() -> Vec<(Row, Outcome)> {
    vec![
        (row(r#"{"id":1}"#), outcome(Ok(json!({"label": "x"})))),
        (row(r#"{"id":2}"#), outcome(Err(Failure::unasked(FailureKind::Refusal, "no")))),
        (row(r#"{"id":3,"label":4}"#), outcome(Ok(json!({"label": "x"})))),
    ]
}

#[tokio::test]
async fn a_file_has_its_name_when_it_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let read = |name: &str| std::fs::read_to_string(path(name)).ok();
    std::fs::write(path("out.csv"), "old").unwrap();
    std::os::unix::fs::symlink("out.csv", path("link.csv")).unwrap();

    let failed = Some(path("failed.jsonl"));
    let mut output =
        Output::open(Some(&path("link.csv")), OutputOptions { failed, ..options(None) }).unwrap();
    output.write(done()).await.unwrap();
    assert_eq!(read("out.csv").unwrap(), "old");
    let twice = "clash: the field `label` of the record or the value would appear twice in the output";
    let text = format!("id,label,_error\n1,x,\n2,,refusal: no\n3,,{twice}\n");
    assert_eq!(read("out.csv.part").unwrap(), text);
    assert_eq!(output.finish().await.unwrap(), Written { rows: 3, clashes: 1, left_out: LeftOut::default() });
    assert_eq!(read("out.csv").unwrap(), text);
    assert_eq!(read("out.csv.part"), None);
    assert!(path("link.csv").is_symlink());
    let failed = read("failed.jsonl").unwrap();
    assert!(
        failed.starts_with(
            "{\"id\":2,\"_error\":{\"kind\":\"refusal\",\"message\":\"no\",\"violations\":[]}}\n"
        )
    );
    assert_eq!(failed.lines().count(), 2);

    let mut output = Output::open(Some(&path("dropped.jsonl")), options(None)).unwrap();
    output.write(done()).await.unwrap();
    drop(output);
    assert_eq!(read("dropped.jsonl"), None);
    assert_eq!(read("dropped.jsonl.part").unwrap().lines().count(), 3);

    let mut output = Output::open(Some(&path("out.tsv.gz")), options(None)).unwrap();
    output.write(done()).await.unwrap();
    output.finish().await.unwrap();
    let unzipped =
        io::read_to_string(GzDecoder::new(std::fs::File::open(path("out.tsv.gz")).unwrap())).unwrap();
    assert_eq!(unzipped, text.replace(',', "\t"));

    let output = Output::open(Some(Path::new("/dev/null")), options(Some(OutputFormat::Csv))).unwrap();
    assert_eq!(output.finish().await.unwrap(), Written::default());
}

#[test]
fn opening_reports_an_output_that_cannot_be_written() {
    let directory = tempfile::tempdir().unwrap();
    let shown = directory.path().display().to_string();
    let path = |name: &str| directory.path().join(name);
    std::fs::create_dir(path("d.csv")).unwrap();
    for (name, failed, message, hint) in [
        (
            "no/out.csv",
            None,
            format!("cannot write `{shown}/no/out.csv`: No such file or directory"),
            format!("create the directory `{shown}/no` first"),
        ),
        (
            "d.csv",
            None,
            format!("`{shown}/d.csv` is a folder, whose name implies no format"),
            "give the format with `OutputOptions::format` `parquet`".to_owned(),
        ),
        (
            "out.json",
            None,
            format!(
                "`{shown}/out.json` has the unknown file extension `.json`, expected one of `.jsonl`, `.ndjson`, `.csv`, `.tsv`, `.parquet`, `.arrow`, `.feather`"
            ),
            "give the format with `OutputOptions::format`".to_owned(),
        ),
        (
            "out.csv",
            Some("out.csv"),
            format!("`{shown}/out.csv` is both the output and the file for failed rows"),
            String::new(),
        ),
        (
            "out.csv",
            Some("failed.csv"),
            format!("failed rows are written as JSON Lines, but the file is called `{shown}/failed.csv`"),
            "use a name that ends in `.jsonl`".to_owned(),
        ),
    ] {
        let options = OutputOptions { failed: failed.map(path), ..options(None) };
        let error = Output::open(Some(&path(name)), options).unwrap_err();
        assert!(matches!(error, Error::Config(_)));
        assert_eq!((error.to_string(), error.hint().unwrap_or_default().to_string()), (message, hint));
    }
}

#[test]
fn two_names_of_one_file_are_the_same_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    for name in ["a", "b", "c.part"] {
        std::fs::write(path(name), "").unwrap();
    }
    std::os::unix::fs::symlink(path("a"), path("link")).unwrap();
    std::fs::hard_link(path("a"), path("hard")).unwrap();
    for (input, output, same) in [
        ("a", "a", true),
        ("a", "./a", true),
        ("a", "link", true),
        ("hard", "a", true),
        ("c.part", "c", true),
        ("a", "b", false),
        ("a", "none", false),
        ("none", "none", false),
    ] {
        assert_eq!(same_file(&path(input), &path(output)), same, "{input} {output}");
    }
}

/// Collects what is written and counts the flushes; fails if configured to.
#[derive(Clone, Default)]
struct Collector {
    text: Arc<Mutex<(Vec<u8>, usize)>>,
    failure: Option<io::ErrorKind>,
}

impl Write for Collector {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.failure {
            Some(kind) => Err(kind.into()),
            None => self.text.lock().unwrap().0.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.text.lock().unwrap().1 += 1;
        Ok(())
    }
}

fn output_to(collector: &Collector) -> Output {
    let layout = Layout::beside(["label"]).unwrap();
    Output::from_writer(
        "standard output",
        collector.clone(),
        OutputFormat::JsonLines,
        OutputOptions::new(layout),
    )
    .expect("text has no columns that cannot be held")
}

#[tokio::test]
async fn each_batch_is_flushed() {
    let collector = Collector::default();
    let mut output = output_to(&collector);
    for batch in 1..=3 {
        output.write(done()).await.unwrap();
        let (text, flushes) = collector.text.lock().unwrap().clone();
        assert_eq!((str::from_utf8(&text).unwrap().lines().count(), flushes), (3 * batch, batch));
    }
}

#[tokio::test]
async fn a_full_pipe_blocks_nothing_else() {
    let (mut reader, writer) = io::pipe().unwrap();
    let mut output = Output::from_writer(
        "standard output",
        writer,
        OutputFormat::JsonLines,
        OutputOptions::new(Layout::whole()),
    )
    .unwrap();
    let long = json!("x".repeat(1024 * 1024));
    let length = r#"{"id":1,"value":"","_error":null}"#.len() + 1024 * 1024 + 1;
    let write = output.write(vec![(row(r#"{"id":1}"#), outcome(Ok(long)))]);
    let mut text = vec![0; length];
    // Both run on one thread, so if the write blocked it, nothing would ever be read.
    let (written, read) = tokio::join!(write, async { io::Read::read_exact(&mut reader, &mut text) });
    written.unwrap();
    read.unwrap();
    assert_eq!(text.last(), Some(&b'\n'));
    drop(reader);
    assert!(is_reader_gone(&output.write(done()).await.unwrap_err()));
}

#[tokio::test]
async fn a_cancelled_write_is_completed() {
    let collector = Collector::default();
    let mut output = output_to(&collector);
    {
        let mut given_up = std::pin::pin!(output.write(done()));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        // It may be done by the first poll.
        drop(given_up.as_mut().poll(&mut context));
    }
    output.write(done()).await.unwrap();
    assert_eq!(output.finish().await.unwrap().rows, 6);
}

#[tokio::test]
async fn a_closed_pipe_is_not_a_failure() {
    for (kind, gone, message) in [
        (io::ErrorKind::BrokenPipe, true, "the reader of the output has gone away"),
        (io::ErrorKind::StorageFull, false, "cannot write standard output: no storage space"),
    ] {
        let mut output = output_to(&Collector { failure: Some(kind), ..Collector::default() });
        let error = output.write(done()).await.unwrap_err();
        assert!(matches!(error, Error::Sink(_)));
        assert_eq!((is_reader_gone(&error), error.to_string()), (gone, message.to_owned()));
    }
}
