//! Each format as a table from text to rows, and what holds for any text: no panic, and no difference where the pieces
//! are cut.

use proptest::prelude::*;
use rowcall::{Problem, Row, UnreadableKind};
use serde_json::{Value, json};

use super::Rows;
use crate::format::InputFormat::{self, Csv, Json, JsonLines, Text, Tsv};
use crate::input::{MAX_RECORD_BYTES, parser_of};

/// Feeds `pieces` to the parser of `format`, for which `label` and `_error` are reserved.
fn parse(format: InputFormat, pieces: &[&[u8]]) -> (Vec<Row>, Option<Problem>) {
    let mut rows = Rows::default();
    let parsed = parser_of(format, vec!["label".to_owned(), "_error".to_owned()]).and_then(|mut parser| {
        pieces.iter().try_for_each(|piece| parser.feed(piece, &mut rows))?;
        parser.end(&mut rows)
    });
    (rows.take(), parsed.err())
}

/// A row in a line: its record, its fields where they say something else, or why there are none.
fn shown(row: &Row) -> String {
    let record = String::from_utf8_lossy(&row.record);
    match &row.fields {
        Ok(fields) => {
            let fields = Value::from(fields.clone()).to_string();
            if fields == record { fields } else { format!("{record} as {fields}") }
        }
        Err(unreadable) => {
            let kind = match unreadable.kind {
                UnreadableKind::Input => "input",
                UnreadableKind::Clash => "clash",
            };
            format!("{record} {kind}: {}", unreadable.message)
        }
    }
}

/// Checks that `text` gives `expected`, the last of which is the problem if it begins with `!`.
fn check(format: InputFormat, text: impl AsRef<[u8]>, expected: &[&str]) {
    let text = text.as_ref();
    let whole = parse(format, &[text]);
    let bytes: Vec<&[u8]> = text.chunks(1).collect();
    assert_eq!(whole, parse(format, &bytes), "byte by byte");
    let (rows, problem) = whole;
    assert!(rows.iter().map(|row| row.index).eq(0..rows.len() as u64));
    let mut found: Vec<_> = rows.iter().map(shown).collect();
    found.extend(problem.map(|problem| format!("!{problem}")));
    assert_eq!(found, expected, "{format}: {}", String::from_utf8_lossy(text));
}

#[test]
fn csv() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"", &[]),
        (b"\r\n\n", &[]),
        (b"id,text\n", &[]),
        (b"id,text", &[]),
        (b"id,text\n007,a b\n8,\n", &[r#"{"id":"007","text":"a b"}"#, r#"{"id":"8","text":""}"#]),
        // Without a line end, with CRLF, with blank lines and quoted line breaks.
        (
            b"\nid,text\r\n\r\n1,\"a\r\n\"\"b\"\"\"\r\n2,c",
            &[r#"{"id":"1","text":"a\r\n\"b\""}"#, r#"{"id":"2","text":"c"}"#],
        ),
        ("id,größe\n1,☃\u{1F600}\n".as_bytes(), &["{\"id\":\"1\",\"größe\":\"☃\u{1F600}\"}"]),
        // Ragged records keep what they have; the lines are counted through quoted and blank ones.
        (
            b"id,text\n\"1\n1\",a\n\n2\n3,a,b\n4,c\n",
            &[
                r#"{"id":"1\n1","text":"a"}"#,
                r#"{"id":"2"} input: line 5 has 1 column, expected 2 as in the header"#,
                r#"{"id":"3","text":"a"} input: line 6 has 3 columns, expected 2 as in the header"#,
                r#"{"id":"4","text":"c"}"#,
            ],
        ),
        (
            b"id,text\r\n1,a\r\n2\r\n",
            &[
                r#"{"id":"1","text":"a"}"#,
                r#"{"id":"2"} input: line 3 has 1 column, expected 2 as in the header"#,
            ],
        ),
        // Two halves of a character in two columns are not one.
        (
            b"id,text\n1,\xffa\n\xc3,\xa9\n",
            &[
                "{\"id\":\"1\",\"text\":\"\u{fffd}a\"} input: the column `text` on line 2 is not UTF-8",
                "{\"id\":\"\u{fffd}\",\"text\":\"\u{fffd}\"} input: the column `id` on line 3 is not UTF-8",
            ],
        ),
        (
            b"id,text\n1,a\n2,\"b\n3,c\n",
            &[
                r#"{"id":"1","text":"a"}"#,
                "{} input: a quote in the record that begins on line 3 is never closed",
            ],
        ),
        (b"id,\n1,2\n", &["!column 2 has no name in the header on line 1"]),
        (b"id,text,id\n", &["!the column `id` is twice in the header"]),
        (b"\n\xff\n", &["!the name of column 1 on line 2 is not UTF-8"]),
        (b"id,\"te", &["!a quote in the record that begins on line 1 is never closed"]),
        (b"id,label\n1,2\n", &["!the input's column `label` has the name of a field that the output adds"]),
    ];
    for (text, expected) in cases {
        check(Csv, text, expected);
    }
    check(
        Tsv,
        "id\ttext\n1\ta,b\n2\t\"a\tb\"\n",
        &[r#"{"id":"1","text":"a,b"}"#, r#"{"id":"2","text":"a\tb"}"#],
    );
}

#[test]
fn json_lines() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"", &[]),
        (b"\n \r\n\t", &[]),
        (b"{\"id\":1}\r\n\n  {} \n", &[r#"{"id":1}"#, "{}"]),
        // The record stands as it stood; the fields show big numbers as they are spelled.
        (
            br#"{ "id" : 12345678901234567890, "x":1.50,"y":{"a":[ 1 ]}, "z":0.30000000000000004 }"#,
            &[concat!(
                r#"{ "id" : 12345678901234567890, "x":1.50,"y":{"a":[ 1 ]}, "z":0.30000000000000004 }"#,
                r#" as {"id":12345678901234567890,"x":1.5,"y":{"a":[1]},"z":0.30000000000000004}"#
            )],
        ),
        (
            br#"{"id":123456789012345678901}"#,
            &[r#"{"id":123456789012345678901} as {"id":"123456789012345678901"}"#],
        ),
        (br#"{"a":1,"b":2,"a":[3,  4]}"#, &[r#"{"a":[3,  4],"b":2} as {"a":[3,4],"b":2}"#]),
        (
            b"{\"id\":1}\n{\"id\":\n[1, 2]\nnull\n{\"id\":2} x\n\"\xff\"\n{\"id\":{\"n\":1e999}}\n{\"id\":3}",
            &[
                r#"{"id":1}"#,
                "{} input: line 2: EOF while parsing a value (column 6)",
                "{} input: line 3: expected a JSON object, found `[1, 2]`",
                "{} input: line 4: expected a JSON object, found `null`",
                "{} input: line 5: trailing characters (column 10)",
                "{} input: line 6: the text is not UTF-8",
                "{} input: line 7: the field `id`: number out of range",
                r#"{"id":3}"#,
            ],
        ),
        (
            b"{\"id\":1}\n{\"id\":2",
            &[r#"{"id":1}"#, "{} input: line 2: EOF while parsing an object (column 7)"],
        ),
        (
            "{\"läbel\":1}\n{\"l\\u0061bel\":1}\n{\"_error\":null}".as_bytes(),
            &[
                "{\"läbel\":1}",
                r#"{"l\u0061bel":1} clash: line 2: the field `label` has the name of a field that the output adds"#,
                r#"{"_error":null} clash: line 3: the field `_error` has the name of a field that the output adds"#,
            ],
        ),
    ];
    for (text, expected) in cases {
        check(JsonLines, text, expected);
    }
    let long = format!("[{}]", "☃".repeat(50));
    check(
        JsonLines,
        &long,
        &[&format!("{{}} input: line 1: expected a JSON object, found `[{}…`", "☃".repeat(39))],
    );
    let deep = "{\"a\":".repeat(200) + "1" + &"}".repeat(200);
    check(JsonLines, deep, &["{} input: line 1: the field `a`: recursion limit exceeded"]);
}

#[test]
fn json_arrays() {
    let cases: &[(&str, &[&str])] = &[
        ("", &[]),
        (" \n", &[]),
        ("[]", &[]),
        (" [ \n ] \n", &[]),
        (
            "[{\"id\":1,\"s\":\"]},\\\"[{\\\\\"},\n {\"id\": [{},[2]]} , {}]",
            &[r#"{"id":1,"s":"]},\"[{\\"}"#, r#"{"id": [{},[2]]} as {"id":[{},[2]]}"#, "{}"],
        ),
        (
            "[\n{\n \"id\": 12345678901234567890123\n}\n]",
            &["{\n \"id\": 12345678901234567890123\n} as {\"id\":\"12345678901234567890123\"}"],
        ),
        // What is wrong within an element is that row's trouble.
        (
            "[{\"id\":1},\n[2],\"3\",4 , null,{\"id\":}, {\"label\":1},\n{\"id\":8}]",
            &[
                r#"{"id":1}"#,
                "{} input: element 2 on line 2: expected a JSON object, found `[2]`",
                "{} input: element 3 on line 2: expected a JSON object, found `\"3\"`",
                "{} input: element 4 on line 2: expected a JSON object, found `4`",
                "{} input: element 5 on line 2: expected a JSON object, found `null`",
                "{} input: element 6 on line 2: expected value (column 7)",
                "{\"label\":1} clash: element 7 on line 2: the field `label` has the name of a field that the output adds",
                r#"{"id":8}"#,
            ],
        ),
        // What is wrong with the array ends the input, after the rows before.
        (
            "[{\"id\":1},\n{\"id\":2",
            &[r#"{"id":1}"#, "!the array ends on line 2 within element 2, which begins on line 2"],
        ),
        ("[{\"id\":1}\n", &[r#"{"id":1}"#, "!the array ends on line 2 after 1 element without `]`"]),
        ("[{\"id\":1},\n]", &[r#"{"id":1}"#, "!expected an object on line 2, found `]`"]),
        ("[{\"id\":1} {}]", &[r#"{"id":1}"#, "!expected `,` or `]` on line 1, found `{`"]),
        ("[{\"id\":1}]\n[]", &[r#"{"id":1}"#, "!expected nothing after the array on line 2, found `[`"]),
        ("[", &["!the array ends on line 1 after 0 elements without `]`"]),
        ("{\"id\":1}", &["!expected an array of objects on line 1, found `{`"]),
        ("☃", &["!expected an array of objects on line 1, found `\\u{e2}`"]),
    ];
    for (text, expected) in cases {
        check(Json, text, expected);
    }
}

#[test]
fn text() {
    let (rows, problem) = parse(Text, &[b"a\r\n\n \"b\" \nc\xff\nd"]);
    assert_eq!(problem, None);
    let rows: Vec<_> = rows.iter().map(shown).collect();
    assert_eq!(
        rows,
        [
            r#"{"text":"a"}"#,
            r#"{"text":""}"#,
            r#"{"text":" \"b\" "}"#,
            "{\"text\":\"c\u{fffd}\"} input: line 4 is not UTF-8",
            r#"{"text":"d"}"#
        ]
    );
    let problem = parser_of(Text, vec!["text".to_owned()]).err().unwrap();
    assert_eq!(problem.message, "the input's column `text` has the name of a field that the output adds");
    assert_eq!(problem.hint.as_deref(), Some("put the value under a name of its own with `--into NAME`"));
}

#[test]
fn a_record_past_its_bound_is_a_row_in_its_place() {
    let most = "x".repeat(MAX_RECORD_BYTES);
    for (format, text, message) in [
        (Csv, format!("t\n{most}\ny\n"), "the record that begins on line 2 is longer than 16777216 bytes"),
        (
            Csv,
            format!("t\n\"{}\"\ny\n", "\n".repeat(MAX_RECORD_BYTES)),
            "the record that begins on line 2 is longer",
        ),
        (
            Csv,
            format!("t\n{}\ny\n", ",".repeat(MAX_RECORD_BYTES)),
            "the record that begins on line 2 is longer",
        ),
        (JsonLines, format!("{{\"t\":\"{most}\"}}\n{{}}"), "line 1 is longer than 16777216 bytes"),
        (Json, format!("[{{\"t\":\"{most}\"}},\n{{}}]"), "element 1 on line 1 is longer than 16777216 bytes"),
        (Text, format!("{most}x\r\ny"), "line 1 is longer than 16777216 bytes"),
    ] {
        let whole = parse(format, &[text.as_bytes()]);
        let pieces: Vec<&[u8]> = text.as_bytes().chunks(64 * 1024).collect();
        assert!(parse(format, &pieces) == whole, "{format}: the pieces make a difference");
        let (rows, problem) = whole;
        assert_eq!((rows.len(), problem), (2, None), "{format}");
        assert_eq!(rows[0].record, "{}");
        assert!(rows[0].fields.as_ref().unwrap_err().message.starts_with(message), "{:?}", rows[0].fields);
        assert!(rows[1].fields.is_ok());
    }
    let (rows, _) = parse(Text, &[most.as_bytes()]);
    assert!(rows[0].fields.is_ok(), "the bound itself is allowed");
}

/// Texts in which the characters that formats are made of are frequent.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        r#"[\[{]([\[\]{}",:\\ \n\r0-9.eEa-b☃-]|null|"a":|\{"a":1\},|\n){0,60}"#.prop_map(String::into_bytes),
        r#"(a,b\r?\n)?([",a\t \n\r☃]|\r\n|1,2\n){0,60}"#.prop_map(String::into_bytes),
    ]
}

proptest! {
    #[test]
    fn any_text_in_any_pieces_gives_the_same_rows(text in texts(), cuts in prop::collection::vec(1usize..20, 0..20)) {
        let mut pieces: Vec<&[u8]> = Vec::new();
        let mut rest = text.as_slice();
        for cut in cuts {
            let (piece, more) = rest.split_at(cut.min(rest.len()));
            pieces.push(piece);
            rest = more;
        }
        pieces.push(rest);
        for format in [Csv, Tsv, JsonLines, Json, Text] {
            prop_assert_eq!(parse(format, &pieces), parse(format, &[&text]));
        }
    }

    #[test]
    fn csv_is_read_as_the_csv_crate_reads_it(text in r#"a,b\n([",x \n\r☃]|1,2\n|"x"|\r\n){0,40}"#) {
        let (rows, problem) = parse(Csv, &[text.as_bytes()]);
        prop_assert_eq!(problem, None);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let expected: Vec<csv::StringRecord> = reader.records().map(|record| record.unwrap()).collect();
        prop_assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(&expected) {
            match &row.fields {
                Ok(fields) => prop_assert!(fields.values().map(|value| value.as_str().unwrap()).eq(expected)),
                Err(why) => prop_assert!(expected.len() != 2 || why.message.contains("never closed"), "{:?}", why),
            }
        }
    }

    #[test]
    fn an_array_is_read_as_serde_reads_it_and_a_torn_one_up_to_the_tear(
        objects in prop::collection::vec(prop::collection::btree_map("[a-c]{1,2}", r#"[\[\]{}",:\\a\n]{0,5}"#, 0..4), 0..5),
        cut in any::<prop::sample::Index>(),
    ) {
        for text in [json!(objects).to_string(), serde_json::to_string_pretty(&objects).unwrap()] {
            let (rows, problem) = parse(Json, &[text.as_bytes()]);
            prop_assert_eq!(problem, None);
            let read: Vec<_> = rows.iter().map(|row| Value::from(row.fields.clone().unwrap())).collect();
            prop_assert_eq!(Value::from(read), json!(objects));

            let torn = &text.as_bytes()[..=cut.index(text.len() - 1)];
            if torn.len() < text.len() {
                let (before, problem) = parse(Json, &[torn]);
                prop_assert!(problem.is_some());
                prop_assert_eq!(before.as_slice(), &rows[..before.len()]);
            }
        }
    }
}
