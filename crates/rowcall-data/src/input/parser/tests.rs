//! Each format as a table from text to rows, and properties for any text: no panic, and no difference however it is
//! split.

use proptest::prelude::*;
use rowcall::{Problem, Row, UnreadableKind};
use serde_json::{Value, json};

use super::Rows;
use crate::format::InputFormat::{self, Csv, Json, JsonLines, Text, Tsv};
use crate::input::json_values::Form;
use crate::input::rules::Rules;
use crate::input::shape::Shape;
use crate::input::{CsvOptions, FailedRows, MAX_RECORD_BYTES, Quote, parser_of};

/// Feeds `pieces` to the parser of `format`, with `label` and `_error` reserved.
fn parse(format: InputFormat, pieces: &[&[u8]]) -> (Vec<Row>, Option<Problem>) {
    parse_as(Shape::of(format), CsvOptions::default(), &rules(&["label", "_error"]), pieces)
}

fn rules(reserved: &[&str]) -> Rules {
    Rules { reserved: reserved.iter().map(|name| (*name).to_owned()).collect(), ..Rules::default() }
}

fn parse_as(
    shape: Shape,
    options: CsvOptions,
    rules: &Rules,
    pieces: &[&[u8]],
) -> (Vec<Row>, Option<Problem>) {
    let mut rows = Rows::default();
    let parsed = parser_of(shape, options, rules.clone()).and_then(|mut parser| {
        pieces.iter().try_for_each(|piece| parser.feed(piece, &mut rows))?;
        parser.end(&mut rows)
    });
    (rows.take(), parsed.err())
}

/// A row on one line: its record, its fields where they differ, or why there are none.
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
                UnreadableKind::Encoding => "encoding",
                UnreadableKind::Clash => "clash",
            };
            format!("{record} {kind}: {}", unreadable.message)
        }
    }
}

/// Checks that `text` gives `expected`, where a last item that begins with `!` is the problem.
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
        // Ragged records keep what they have; lines are counted including quoted and blank ones.
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
        // Two halves of a character in two columns do not make one.
        (
            b"id,text\n1,\xffa\n\xc3,\xa9\n",
            &[
                "{\"id\":\"1\",\"text\":\"\u{fffd}a\"} encoding: the column `text` on line 2 is not UTF-8",
                "{\"id\":\"\u{fffd}\",\"text\":\"\u{fffd}\"} encoding: the column `id` on line 3 is not UTF-8",
            ],
        ),
        (
            b"id,text\n1,a\n2,\"b\n3,c\n",
            &[
                r#"{"id":"1","text":"a"}"#,
                "{} input: a quote in the record that begins on line 3 is never closed",
            ],
        ),
        // A column without a name is named by its position.
        (b"id,\n1,2\n", &[r#"{"id":"1","column_2":"2"}"#]),
        (b",column_1, ,\n1,2,3,4\n", &[r#"{"column_1_2":"1","column_1":"2","column_3":"3","column_4":"4"}"#]),
        (b"id,text,id\n", &["!the column `id` appears twice in the header"]),
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
        // The record stays unchanged; the fields keep the spelling of big numbers.
        (
            br#"{ "id" : 12345678901234567890, "x":1.50,"y":{"a":[ 1 ]}, "z":0.30000000000000004 }"#,
            &[concat!(
                r#"{ "id" : 12345678901234567890, "x":1.50,"y":{"a":[ 1 ]}, "z":0.30000000000000004 }"#,
                r#" as {"id":12345678901234567890,"x":1.50,"y":{"a":[1]},"z":0.30000000000000004}"#
            )],
        ),
        (br#"{"id":123456789012345678901}"#, &[r#"{"id":123456789012345678901}"#]),
        (br#"{"a":1,"b":2,"a":[3,  4]}"#, &[r#"{"a":[3,  4],"b":2} as {"a":[3,4],"b":2}"#]),
        (
            b"{\"id\":1}\n{\"id\":\n[1, 2]\nnull\n{\"id\":2} x\n\"\xff\"\n{\"id\":{\"n\":1e999}}\n{\"id\":3}",
            &[
                r#"{"id":1}"#,
                "{} input: line 2: EOF while parsing a value (column 6)",
                "{} input: line 3: expected a JSON object or a string, found `[1, 2]`",
                "{} input: line 4: expected a JSON object or a string, found `null`",
                "{} input: line 5: unexpected text after the JSON value, expected a single value, such as one per line (column 10)",
                "{} encoding: line 6: the text is not UTF-8",
                r#"{"id":{"n":1e999}}"#,
                r#"{"id":3}"#,
            ],
        ),
        (b"{\"id\":1},\n{\"id\":2} ,\r\n{\"id\":3}", &[r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#]),
        (
            b"{\"id\":1}\n{\"id\":2",
            &[r#"{"id":1}"#, "{} input: line 2: EOF while parsing an object (column 7)"],
        ),
        (
            "{\"läbel\":1}\n{\"l\\u0061bel\":1}".as_bytes(),
            &[
                "{\"läbel\":1}",
                r#"{"l\u0061bel":1} clash: line 2: the field `label` has the name of a field that the output adds"#,
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
        &[&format!("{{}} input: line 1: expected a JSON object or a string, found `[{}…`", "☃".repeat(39))],
    );
    let deep = "{\"a\":".repeat(200) + "1" + &"}".repeat(200);
    let expected = format!("{deep} input: line 1: the field `a`: recursion limit exceeded");
    check(JsonLines, &deep, &[&expected]);
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
            &["{\n \"id\": 12345678901234567890123\n} as {\"id\":12345678901234567890123}"],
        ),
        // A problem inside an element affects only that row.
        (
            "[{\"id\":1},\n[2],\"3\",4 , null,{\"id\":}, {\"label\":1},\n{\"id\":8}]",
            &[
                r#"{"id":1}"#,
                "{} input: element 2 on line 2: expected a JSON object or a string, found `[2]`",
                r#"{"text":"3"}"#,
                r#"{"text":4}"#,
                "{} input: element 5 on line 2: expected a JSON object or a string, found `null`",
                "{} input: element 6 on line 2: expected value (column 7)",
                "{\"label\":1} clash: element 7 on line 2: the field `label` has the name of a field that the output adds",
                r#"{"id":8}"#,
            ],
        ),
        // A problem with the array ends the input, after the rows before it.
        (
            "[{\"id\":1},\n{\"id\":2",
            &[r#"{"id":1}"#, "!the array ends on line 2 within element 2, which begins on line 2"],
        ),
        ("[{\"id\":1}\n", &[r#"{"id":1}"#, "!the array ends on line 2 after 1 element without `]`"]),
        // A comma after the last element is accepted.
        ("[{\"id\":1},\n]", &[r#"{"id":1}"#]),
        ("[{\"id\":1},,]", &[r#"{"id":1}"#, "!expected an object on line 1, found `,`"]),
        ("[,]", &["!expected an object on line 1, found `,`"]),
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
fn invalid_json_is_null_or_fails_its_row_which_keeps_its_record() {
    for (text, expected) in [
        (r#"{"a":NaN,"b":"NaN"}"#, r#"{"a":null,"b":"NaN"}"#.to_owned()),
        (r#"{"a":[-Infinity]}"#, r#"{"a":[null]}"#.to_owned()),
        (
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud800"} input: line 1: the field `a`: half of a surrogate pair, such as `\ud83d`, is not a character, expected both halves, such as `\ud83d\ude00`"#.to_owned(),
        ),
        (
            r#"{"\ud800":1}"#,
            r#"{"\ufffd":1} input: line 1: half of a surrogate pair, such as `\ud83d`, is not a character, expected both halves, such as `\ud83d\ude00` (column 9)"#.to_owned(),
        ),
        ("NaN", "{} input: line 1: expected a JSON object or a string, found `null`".to_owned()),
        (r#""NaN""#, r#"{"text":"NaN"}"#.to_owned()),
        ("true", r#"{"text":true}"#.to_owned()),
        ("-", "{} input: line 1: expected a JSON object or a string, found `-`".to_owned()),
    ] {
        check(JsonLines, text, &[&expected]);
    }
}

#[test]
fn values_may_span_any_number_of_lines() {
    let sequence = |text: &str| {
        let shape = Shape::Values(Form::Sequence);
        let (rows, problem) = parse_as(shape, CsvOptions::default(), &rules(&[]), &[text.as_bytes()]);
        let mut found: Vec<_> = rows.iter().map(shown).collect();
        found.extend(problem.map(|problem| format!("!{problem}")));
        found
    };
    assert_eq!(
        sequence("{\n \"a\": 1\n}\n{\n \"a\": \"}\"\n}{\"a\":3}\n \"t\"\n4"),
        [
            "{\n \"a\": 1\n} as {\"a\":1}",
            "{\n \"a\": \"}\"\n} as {\"a\":\"}\"}",
            r#"{"a":3}"#,
            r#"{"text":"t"}"#,
            r#"{"text":4}"#
        ]
    );
    assert_eq!(
        sequence("{\"a\":1}\n{\n\"a\":"),
        [r#"{"a":1}"#, "!the text ends on line 3 within value 2, which begins on line 2"]
    );
    assert_eq!(sequence(""), [""; 0]);
}

#[test]
fn a_csv_is_read_with_the_given_characters() {
    let parse = |options: CsvOptions, text: &str| {
        let (rows, problem) = parse_as(Shape::of(Csv), options, &rules(&[]), &[text.as_bytes()]);
        assert_eq!(problem, None);
        rows.iter().map(shown).collect::<Vec<_>>()
    };
    let plain = CsvOptions::default();
    let semicolon = CsvOptions { delimiter: ";".parse().ok(), ..plain };
    assert_eq!(parse(semicolon, "a;b\n1,5;\"x;y\"\n"), [r#"{"a":"1,5","b":"x;y"}"#]);
    let quoted = CsvOptions { quote: "'".parse().ok(), ..plain };
    assert_eq!(parse(quoted, "a,b\n'1,5',\"x\"\n"), [r#"{"a":"1,5","b":"\"x\""}"#]);
    let unquoted = CsvOptions { quote: Some(Quote::Nothing), ..plain };
    assert_eq!(parse(unquoted, "a,b\n\"1,5\"\n"), [r#"{"a":"\"1","b":"5\""}"#]);
    let escaped = CsvOptions { escape: "\\".parse().ok(), ..plain };
    assert_eq!(parse(escaped, "a,b\n\"1\\\",5\",2\n"), [r#"{"a":"1\",5","b":"2"}"#]);
    let titled = CsvOptions { skip_rows: 2, ..plain };
    assert_eq!(
        parse(titled, "Report \"x\n\na,b\n1,2\n3\n"),
        [r#"{"a":"1","b":"2"}"#, r#"{"a":"3"} input: line 5 has 1 column, expected 2 as in the header"#]
    );
}

#[test]
fn an_output_is_an_input() {
    let failed = r#"{"kind":"invalid","message":"no value","violations":[]}"#;
    let jsonl = format!(
        "{{\"t\":\"a\",\"_error\":null,\"_meta\":{{\"model\":\"m\"}}}}\n{{\"t\":\"b\",\"_error\":{failed},\"_meta\":1}}\n\
         {{\"t\":\"c\",\"_error\":\"\"}}\n{{\"t\":\"d\"}}\n"
    );
    let csv = "t,_error,_meta_model\na,,m\nb,invalid: no value,m\nc,null,\nd,,\n".to_owned();
    let message = "line {}: the row failed in an earlier step: invalid: no value";
    let done = [r#"{"t":"a"}"#, r#"{"t":"c"}"#, r#"{"t":"d"}"#].map(str::to_owned);
    for (format, text, kept) in [
        (
            JsonLines,
            &jsonl,
            format!(r#"{{"t":"b","_error":{failed}}} input: {}"#, message.replace("{}", "2")),
        ),
        (
            Csv,
            &csv,
            format!(r#"{{"t":"b","_error":"invalid: no value"}} input: {}"#, message.replace("{}", "3")),
        ),
    ] {
        for (failed_rows, second, note) in [
            (
                FailedRows::Error,
                Some(kept),
                "1 row of the input failed in an earlier step: not asked about, the error is kept",
            ),
            (FailedRows::Skip, None, "1 row of the input failed in an earlier step: skipped"),
            (
                FailedRows::Ask,
                Some(r#"{"t":"b"}"#.to_owned()),
                "1 row of the input failed in an earlier step: asked about",
            ),
        ] {
            let rules = Rules { failed_rows, ..rules(&["_error", "label"]) };
            let (rows, problem) =
                parse_as(Shape::of(format), CsvOptions::default(), &rules, &[text.as_bytes()]);
            assert_eq!(problem, None);
            let mut expected = done.to_vec();
            if let Some(second) = second {
                expected.insert(1, second);
            }
            assert_eq!(rows.iter().map(shown).collect::<Vec<_>>(), expected);
            let notes = rules.notes.take_all();
            assert_eq!(
                notes[0],
                "the input is the output of an earlier step: its `_error` and `_meta` are dropped".into()
            );
            assert!(notes[1].to_string().starts_with(note), "{notes:?}");
        }
    }
    // Without `_error`, `_meta` is a field like any other, and other names still clash.
    check(JsonLines, r#"{"_meta":1}"#, &[r#"{"_meta":1}"#]);
    check(
        JsonLines,
        r#"{"label":1,"_error":null}"#,
        &[
            r#"{"label":1,"_error":null} clash: line 1: the field `label` has the name of a field that the output adds"#,
        ],
    );
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
            "{\"text\":\"c\u{fffd}\"} encoding: line 4 is not UTF-8",
            r#"{"text":"d"}"#
        ]
    );
    let problem = parser_of(Shape::Text, CsvOptions::default(), rules(&["text"])).err().unwrap();
    assert_eq!(problem.message, "the input's column `text` has the name of a field that the output adds");
    assert_eq!(problem.hint, Some(crate::input::rules::clash_hint("id")));
}

#[test]
fn a_record_beyond_the_limit_is_a_row_in_its_place() {
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

/// Texts made mostly of the characters that matter to the formats.
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
