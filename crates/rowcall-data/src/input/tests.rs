//! Opened inputs: when rows arrive, which bytes and paths they come from, and how an input ends.

use std::io::{self, Read, Write};
use std::sync::mpsc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rowcall::{Error, Row, Setting, Source};

use super::{Input, InputOptions};
use crate::format::InputFormat::{self, Csv, Json, JsonLines, Text};

/// A reader of what is sent, and nothing else; it ends when the sender is dropped.
struct Pipe {
    sent: mpsc::Receiver<&'static [u8]>,
    rest: &'static [u8],
}

impl Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.sent.recv().unwrap_or_default();
        }
        self.rest.read(room)
    }
}

fn open(reader: impl Read + Send + 'static, format: InputFormat) -> rowcall::Result<Input> {
    let reserved = vec!["_error".to_owned()];
    Input::from_reader(
        "`x`",
        reader,
        &InputOptions { format: Some(format), reserved, ..InputOptions::default() },
    )
}

async fn all(mut input: Input, max: usize) -> (Vec<Row>, Option<Error>) {
    let mut rows = Vec::new();
    loop {
        match input.next(max).await {
            Ok(more) if more.is_empty() => return (rows, None),
            Ok(more) => {
                assert!(more.len() <= max);
                rows.extend(more);
            }
            Err(error) => {
                assert_eq!(input.next(max).await.unwrap(), [], "an error is the end");
                return (rows, Some(error));
            }
        }
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

#[tokio::test]
async fn a_slow_pipe_delivers_each_row_when_it_is_complete() {
    let (send, sent) = mpsc::channel();
    send.send(&b"id,t"[..]).unwrap();
    send.send(b"ext\n1,a\n2,").unwrap();
    let mut input = open(Pipe { sent, rest: b"" }, Csv).unwrap();
    assert_eq!(input.header().unwrap(), ["id", "text"]);
    assert_eq!(input.next(64).await.unwrap().len(), 1, "the second row is not waited for");
    {
        // A future that is dropped before it is ready loses nothing.
        let mut waiting = std::pin::pin!(input.next(64));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
    }
    send.send(b"b\n3,c\n").unwrap();
    assert_eq!(input.next(1).await.unwrap()[0].index, 1);
    assert_eq!(input.next(1).await.unwrap()[0].index, 2);
    drop(send);
    assert_eq!(input.next(1).await.unwrap(), []);
    assert_eq!(input.next(1).await.unwrap(), []);
}

#[tokio::test]
async fn bytes_become_text() {
    let line = b"{\"id\":1}\n{\"id\":2}\n";
    let mark = b"\xef\xbb\xbf";
    let two_members = [gzip(b"{\"id\":1}\n"), gzip(b"{\"id\":2}\n")].concat();
    for bytes in [
        line.to_vec(),
        [&mark[..], line].concat(),
        gzip(line),
        gzip(&[&mark[..], line].concat()),
        two_members,
    ] {
        let input = open(io::Cursor::new(bytes), JsonLines).unwrap();
        let (rows, error) = all(input, 10).await;
        assert_eq!((rows.len(), error.map(|error| error.to_string())), (2, None));
    }
    for (bytes, rows) in
        [(&b""[..], 0), (b"\xef", 1), (b"\xef\xbb", 1), (b"\xef\xbb\xbf", 0), (b"\x1f", 1), (b"a", 1)]
    {
        let (found, error) = all(open(bytes, Text).unwrap(), 10).await;
        assert_eq!((found.len(), error.is_none()), (rows, true), "{bytes:?}");
    }
    let error = open(&b"i\0d\0"[..], Csv).unwrap_err();
    assert!(matches!(&error, Error::Config(_)));
    assert!(error.to_string().starts_with("cannot read `x`: the text seems to be UTF-16 without"), "{error}");
}

/// The rows of `bytes`, formatted, and the notes.
async fn read(bytes: Vec<u8>, options: InputOptions) -> (Vec<String>, Vec<String>) {
    let input = Input::from_reader("`x`", io::Cursor::new(bytes), &options).unwrap();
    let notes = input.notes();
    let (rows, error) = all(input, 100).await;
    assert!(error.is_none(), "{error:?}");
    let rows = rows.iter().map(|row| match &row.fields {
        Ok(_) => String::from_utf8(row.record.to_vec()).unwrap(),
        Err(unreadable) => unreadable.message.clone(),
    });
    (rows.collect(), notes.take_all().iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn text_is_read_in_its_encoding() {
    let text = "id,größe\n1,☃😀\n";
    let record = r#"{"id":"1","größe":"☃😀"}"#;
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let named = |name: &str| InputOptions { encoding: name.parse().ok(), ..InputOptions::default() };
    for (bytes, options) in [
        ([&b"\xff\xfe"[..], &little].concat(), InputOptions::default()),
        ([&b"\xfe\xff"[..], &big].concat(), InputOptions::default()),
        (gzip(&[&b"\xff\xfe"[..], &little].concat()), InputOptions::default()),
        // A mark takes precedence over a name.
        ([&b"\xfe\xff"[..], &big].concat(), named("windows-1252")),
        (little, named("utf-16le")),
        (big, named("utf-16be")),
        (text.as_bytes().to_vec(), named("utf-8")),
        ([&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(), named("shift_jis")),
    ] {
        assert_eq!(read(bytes, options).await.0, [record]);
    }
    let latin = b"n\nJos\xe9\n";
    assert_eq!(read(latin.to_vec(), named("windows-1252")).await.0, [r#"{"n":"José"}"#]);
    let not_utf8 = "the column `n` on line 2 is not UTF-8";
    assert_eq!(read(latin.to_vec(), InputOptions::default()).await.0, [not_utf8]);
    let long = format!("n\n{}\n", "日本".repeat(50_000));
    let (encoded, _, _) = encoding_rs::SHIFT_JIS.encode(&long);
    let (rows, _) = read(encoded.to_vec(), named("shift_jis")).await;
    assert_eq!(rows, [format!(r#"{{"n":"{}"}}"#, "日本".repeat(50_000))]);
    // A byte that the encoding does not have fails its row, but not the next.
    let (rows, _) = read(b"n\n\x81\x20\n\x83\x41\n\x81".to_vec(), named("shift_jis")).await;
    let wrong =
        |line| format!("the column `n` on line {line} is not valid `Shift_JIS`, the encoding that was given");
    assert_eq!(rows, [wrong(2), r#"{"n":"ア"}"#.to_owned(), wrong(4)]);
}

#[tokio::test]
async fn zeros_after_gzip_are_padding_and_anything_else_is_an_error() {
    let line = gzip(b"{\"id\":1}\n");
    let jsonl = || InputOptions { format: Some(JsonLines), ..InputOptions::default() };
    for (bytes, rows) in [
        ([line.clone(), vec![0; 100_000]].concat(), 1),
        ([line.clone(), vec![0; 512], line.clone(), vec![0]].concat(), 2),
    ] {
        assert_eq!(read(bytes, jsonl()).await.0.len(), rows);
    }
    let (rows, error) =
        all(open(io::Cursor::new([line, b"abc".to_vec()].concat()), JsonLines).unwrap(), 9).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(
        error.unwrap().to_string(),
        "cannot read `x`: bytes that are not gzip follow the compressed text"
    );
}

#[tokio::test]
async fn the_layout_of_a_json_file_is_detected() {
    let directory = tempfile::tempdir().unwrap();
    let array = "is a single JSON array and is read as one";
    let values = "has JSON values that span several lines and is read that way";
    let lines = "has one JSON value per line and is read as JSON Lines";
    let text = [r#"{"text":"a"}"#, r#"{"text":"b"}"#];
    for (name, content, rows, note) in [
        ("a.jsonl", "[\n{\"text\":\"a\"},\n{\"text\":\"b\"}\n]\n", &text[..], array),
        ("a.jsonl", "[{\"text\":\"a\"},{\"text\":\"b\"}]", &text, array),
        ("a.ndjson", " [\"a\", \"b\"]\n", &text, array),
        ("a.jsonl", "[\"a\",\n\"b\"]", &text, array),
        (
            "a.jsonl",
            "[1,\nNaN]",
            &[r#"{"text":1}"#, "element 2 on line 2: expected a JSON object or a string, found `null`"],
            array,
        ),
        (
            "a.jsonl",
            "{\n\"text\":\"a\"}\n{\n\"text\":\"b\"}\n",
            &["{\n\"text\":\"a\"}", "{\n\"text\":\"b\"}"],
            values,
        ),
        ("a.json", "{\"text\":\"a\"}\n{\"text\":\"b\"}", &text, lines),
        ("a.json", "\"a\"\n\"b\"\n", &text, lines),
        ("a.json", "{\"text\":\"a\"}", &text[..1], lines),
        ("a.json", "{\n\"text\":\"a\"\n}", &["{\n\"text\":\"a\"\n}"], values),
        ("a.jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"}", &text, ""),
        ("a.json", "[\"a\",\"b\"]", &text, ""),
        // An incomplete line fails alone, even the first.
        (
            "a.jsonl",
            "{\"text\":\n{\"text\":\"a\"}\n{\"text\":\"b\"}\n",
            &["line 1: EOF while parsing a value (column 8)", text[0], text[1]],
            "",
        ),
        (
            "a.jsonl",
            "[1]\n[2]\n",
            &[
                "line 1: expected a JSON object or a string, found `[1]`",
                "line 2: expected a JSON object or a string, found `[2]`",
            ],
            "",
        ),
        ("a.jsonl", "", &[], ""),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        let input = Input::open(&path, InputOptions::default()).unwrap();
        let notes = input.notes();
        let (found, error) = all(input, 100).await;
        assert!(error.is_none(), "{error:?}");
        let found: Vec<_> = found
            .iter()
            .map(|row| match &row.fields {
                Ok(_) => String::from_utf8(row.record.to_vec()).unwrap(),
                Err(unreadable) => unreadable.message.clone(),
            })
            .collect();
        assert_eq!(found, rows, "{content}");
        let said: String = notes.take().iter().map(ToString::to_string).collect();
        assert!(said.ends_with(note) && said.is_empty() == note.is_empty(), "{content}: {said}");
    }
    // A given format is not detected.
    let path = directory.path().join("a.jsonl");
    std::fs::write(&path, "[\n{\"text\":\"a\"}\n]\n").unwrap();
    let options = InputOptions { format: Some(JsonLines), ..InputOptions::default() };
    assert_eq!(all(Input::open(&path, options).unwrap(), 9).await.0.len(), 3);
}

#[tokio::test]
async fn a_json_file_that_is_one_table_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let columns = r#"{"text":{"0":"a","1":"b"},"n":{"0":1,"1":2}}"#;
    let wrapped = "{\n \"data\": [\n  {\"text\": \"a\"}, {\"text\": \"b\"}\n ],\n \"total\": 2\n}\n";
    for (name, content, problem) in [
        ("a.json", columns.to_owned(), Some("is a table by columns")),
        ("a.json", wrapped.to_owned(), Some("has its rows under `data`")),
        // As one of several, as an element or on a line of its own, it is a row.
        ("a.json", format!("{wrapped}{wrapped}"), None),
        ("a.json", format!("{columns}\n{columns}"), None),
        ("a.json", format!("[{columns}]"), None),
        ("a.jsonl", format!("{columns}\n"), None),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, &content).unwrap();
        let opened = Input::open(&path, InputOptions::default());
        match problem {
            None => {
                assert!(all(opened.unwrap(), 9).await.0.iter().all(|row| row.fields.is_ok()), "{content}");
            }
            Some(problem) => {
                let error = opened.unwrap_err();
                assert!(matches!(error, Error::Config(_)), "{error:?}");
                assert!(error.to_string().contains(problem), "{content}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn opening_an_input_reports_a_clashing_first_record() {
    let options = InputOptions {
        format: Some(JsonLines),
        reserved: vec!["label".to_owned()],
        ..InputOptions::default()
    };
    let error = Input::from_reader("`x`", &b"{\"label\":1}\n"[..], &options).unwrap_err();
    assert!(matches!(&error, Error::Config(_)));
    assert_eq!(
        error.to_string(),
        "`x`: line 1: the field `label` has the name of a field that the output adds"
    );
    assert!(error.hint().unwrap().parts().contains(&Setting::Into.like("NAME")));
}

#[tokio::test]
async fn a_truncated_input_gives_its_rows_and_then_the_error() {
    let mut torn = gzip("{\"id\":1}\n".repeat(100).as_bytes());
    torn.truncate(torn.len() - 8);
    let (rows, error) = all(open(io::Cursor::new(torn), JsonLines).unwrap(), 7).await;
    assert_eq!(rows.len(), 100);
    assert!(matches!(&error, Some(Error::Source(_))));
    assert_eq!(error.unwrap().to_string(), "cannot read `x`: unexpected end of file");

    let (rows, error) = all(open(&b"[{\"id\":1},{\"id\":2}"[..], Json).unwrap(), 7).await;
    assert_eq!(rows.len(), 2);
    assert_eq!(error.unwrap().to_string(), "`x`: the array ends on line 1 after 2 elements without `]`");
}

#[tokio::test]
async fn columns_are_known_when_the_input_is_open() {
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    for (format, text, header, first) in [
        (Csv, "a,b\n1\n", names(&["a", "b"]), names(&["a", "b"])),
        (Text, "", names(&["text"]), names(&["text"])),
        (JsonLines, "{\"b\":1,\"a\":2,\"b\":3}", None, names(&["b", "a"])),
        (JsonLines, "{\n[]\n{}\n{\"c\":1,\"_error\":null}\n{\"a\":1}", None, names(&["c"])),
        (JsonLines, "", None, None),
        (Json, "[ {\"a\":1}, {\"b\":1} ]", None, names(&["a"])),
    ] {
        let input = open(text.as_bytes(), format).unwrap();
        assert_eq!(input.header().map(<[_]>::to_vec), header, "{text}");
        assert_eq!(input.first_record_fields().map(<[_]>::to_vec), first, "{text}");
    }
}

#[tokio::test]
async fn files_are_opened_by_their_extension_or_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("a.CSV"), "id\n1\n").unwrap();
    std::fs::write(path("b.tsv.gz"), gzip(b"id\tx\n1\t2\n")).unwrap();
    std::fs::write(path("c.data"), "a\nb\n").unwrap();
    std::fs::write(path("d.json"), "d").unwrap();
    std::fs::write(path("empty.csv"), "\n\n").unwrap();
    for (name, format, rows) in
        [("a.CSV", None, 1), ("b.tsv.gz", None, 1), ("c.data", Some(Text), 2), ("a.CSV", Some(Text), 2)]
    {
        let input = Input::open(path(name), InputOptions { format, ..InputOptions::default() }).unwrap();
        assert_eq!(all(input, 10).await.0.len(), rows, "{name}");
    }
    let shown = directory.path().display();
    for (name, message, hint) in [
        (
            "none.csv",
            format!("cannot open `{shown}/none.csv`: No such file or directory"),
            Some("standard input"),
        ),
        ("empty.csv", format!("`{shown}/empty.csv` has no header, expected a first line"), Some("txt`")),
        ("", format!("`{shown}/` has files of several formats, such as `"), Some("`data/*.parquet`")),
        (
            "d.json",
            format!("`{shown}/d.json`: expected an array of objects on line 1, found `d`"),
            Some("one value per line"),
        ),
    ] {
        let error = Input::open(path(name), InputOptions::default()).unwrap_err();
        assert!(matches!(&error, Error::Config(_)));
        assert!(error.to_string().starts_with(&message), "{error}");
        assert_eq!(error.hint().is_some(), hint.is_some());
        assert!(error.hint().unwrap_or_default().to_string().ends_with(hint.unwrap_or_default()), "{error}");
    }
    std::fs::write(path("book.csv"), b"PK\x03\x04\x14\0\x06\0").unwrap();
    let error = Input::open(path("book.csv"), InputOptions::default()).unwrap_err();
    assert!(error.to_string().contains("it is a zip archive, such as a spreadsheet"), "{error}");
}

#[tokio::test]
async fn a_dropped_input_lets_its_thread_end() {
    struct Endless(mpsc::Sender<()>);
    impl Read for Endless {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            room.fill(b'\n');
            Ok(room.len())
        }
    }
    impl Drop for Endless {
        fn drop(&mut self) {
            self.0.send(()).unwrap();
        }
    }
    let (send, gone) = mpsc::channel();
    let mut input = open(Endless(send), Text).unwrap();
    assert_eq!(input.next(3).await.unwrap().len(), 3);
    drop(input);
    gone.recv().unwrap();
}

#[tokio::test]
async fn a_reader_that_panics_is_an_error_and_not_the_end() {
    struct Panics(u8);
    impl Read for Panics {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            assert!(self.0 < 5, "on purpose");
            self.0 += 1;
            room[0] = b'\n';
            Ok(1)
        }
    }
    let (_, error) = all(open(Panics(0), Text).unwrap(), 10).await;
    assert_eq!(error.unwrap().to_string(), "the thread that read `x` has stopped");
}
