//! Opened inputs: when rows come, what bytes and paths they come from, and how an input ends.

use std::io::{self, Read, Write};
use std::sync::mpsc;

use flate2::Compression;
use flate2::write::GzEncoder;
use rowcall::{Error, Row, Source};

use super::{Input, InputOptions};
use crate::format::InputFormat::{self, Csv, Json, JsonLines, Text};

/// A reader of what is sent, and no more; it ends when the sender is gone.
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
    Input::from_reader("`x`", reader, format, vec!["_error".to_owned()])
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
async fn a_pipe_that_drips_gives_each_row_when_it_is_whole() {
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
    let error = open(&b"\xff\xfei\0d\0"[..], Csv).unwrap_err();
    assert!(matches!(&error, Error::Config(_)));
    assert_eq!(error.to_string(), "cannot read `x`: the text is UTF-16, expected UTF-8");
}

#[tokio::test]
async fn what_breaks_off_gives_its_rows_and_then_the_error() {
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
        (JsonLines, "{\n[]\n{}\n{\"c\":1,\"_error\":2}\n{\"a\":1}", None, names(&["c", "_error"])),
        (JsonLines, "", None, None),
        (Json, "[ {\"a\":1}, {\"b\":1} ]", None, names(&["a"])),
    ] {
        let input = open(text.as_bytes(), format).unwrap();
        assert_eq!(input.header().map(<[_]>::to_vec), header, "{text}");
        assert_eq!(input.first_record_fields().map(<[_]>::to_vec), first, "{text}");
    }
}

#[tokio::test]
async fn files_are_opened_by_their_ending_or_format() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("a.CSV"), "id\n1\n").unwrap();
    std::fs::write(path("b.tsv.gz"), gzip(b"id\tx\n1\t2\n")).unwrap();
    std::fs::write(path("c.data"), "a\nb\n").unwrap();
    std::fs::write(path("d.json"), "{}").unwrap();
    std::fs::write(path("empty.csv"), "\n\n").unwrap();
    for (name, format, rows) in
        [("a.CSV", None, 1), ("b.tsv.gz", None, 1), ("c.data", Some(Text), 2), ("a.CSV", Some(Text), 2)]
    {
        let input = Input::open(path(name), InputOptions { format, reserved: Vec::new() }).unwrap();
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
        (
            "",
            format!("`{shown}/` has no ending that tells its format, expected one of"),
            Some("`--input-format`"),
        ),
        (
            "d.json",
            format!("`{shown}/d.json`: expected an array of objects on line 1, found `{{`"),
            Some("jsonl`"),
        ),
    ] {
        let error = Input::open(path(name), InputOptions::default()).unwrap_err();
        assert!(matches!(&error, Error::Config(_)));
        assert!(error.to_string().starts_with(&message), "{error}");
        assert_eq!(error.hint().is_some(), hint.is_some());
        assert!(error.hint().unwrap_or_default().ends_with(hint.unwrap_or_default()));
    }
    let options = InputOptions { format: Some(Csv), reserved: Vec::new() };
    let error = Input::open(directory.path(), options).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read `{shown}`: Is a directory"));
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
    assert_eq!(error.unwrap().to_string(), "the thread that read `x` is gone");
}
