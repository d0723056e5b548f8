//! What is read from files of examples.

use serde_json::json;
use tempfile::TempDir;

use super::*;

/// The fields and values read from a file with this name and content, or the error.
fn read_from(
    name: &str,
    content: &str,
    schema: &str,
    into: Option<&str>,
) -> std::result::Result<Value, String> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("a file");
    let schema = Schema::parse(schema).expect("a schema");
    let read = crate::block_on(read(&path, &schema, into));
    let in_folder = folder.path().display().to_string() + "/";
    let read = read.map_err(|error| error.to_string().replace(&in_folder, ""))?;
    Ok(read.into_iter().map(|row| json!([row.fields, row.value])).collect())
}

const PERSON: &str = "name, age int?, tags str[]?";

#[test]
fn a_value_is_beside_the_rows_fields_or_in_a_named_field() {
    let number = r#"{"type": "integer"}"#;
    for (name, content, schema, into, expected) in [
        // An output of rowcall with its extra fields.
        (
            "a.jsonl",
            "{\"text\":\"Ann is 3\",\"name\":\"Ann\",\"age\":3,\"_error\":null,\"_meta\":{\"attempts\":1}}\n\n{\"text\":\"Bob\",\"name\":\"Bob\"}\n",
            PERSON,
            None,
            json!([[{"text": "Ann is 3"}, {"name": "Ann", "age": 3}], [{"text": "Bob"}, {"name": "Bob"}]]),
        ),
        (
            "a.json",
            r#"[{"text":"x","value":{"name":"Ann"}}]"#,
            PERSON,
            None,
            json!([[{"text": "x"}, {"name": "Ann"}]]),
        ),
        (
            "a.json",
            r#"[{"text":"x","output":{"name":"Ann"}}]"#,
            PERSON,
            None,
            json!([[{"text": "x"}, {"name": "Ann"}]]),
        ),
        // With `--into` the row may have the names of the value's fields.
        (
            "a.jsonl",
            r#"{"name":"row","found":{"name":"Ann"}}"#,
            PERSON,
            Some("found"),
            json!([[{"name": "row"}, {"name": "Ann"}]]),
        ),
        (
            "a.jsonl",
            r#"{"name":"row","output":{"name":"Ann"}}"#,
            PERSON,
            Some("found"),
            json!([[{"name": "row"}, {"name": "Ann"}]]),
        ),
        // A property of that name is one of the value's fields.
        (
            "a.jsonl",
            r#"{"text":"x","value":7,"unit":"kg"}"#,
            "value int, unit",
            None,
            json!([[{"text": "x"}, {"value": 7, "unit": "kg"}]]),
        ),
        ("a.jsonl", r#"{"text":"x","value":7}"#, number, None, json!([[{"text": "x"}, 7]])),
        ("a.csv", "text,value\nx,7\n", number, None, json!([[{"text": "x"}, 7]])),
        (
            "a.csv",
            "text,value\nx,\"[1,2]\"\n",
            r#"{"type": "array"}"#,
            None,
            json!([[{"text": "x"}, [1, 2]]]),
        ),
        // Texts are read as the schema requires, whatever they look like.
        (
            "a.csv",
            "text,name,age,tags,_error\n5,7,30,\"[\"\"a\"\"]\",\n6,x,,,\n",
            PERSON,
            None,
            json!([
                [{"text": "5"}, {"name": "7", "age": 30, "tags": ["a"]}],
                [{"text": "6"}, {"name": "x", "age": null, "tags": null}],
            ]),
        ),
        (
            "a.tsv",
            "text\tn\tok\nx\t\ttrue\n",
            r#"{"type": "object", "properties": {"n": {"type": "integer"}, "ok": {"type": "boolean"}}}"#,
            None,
            json!([[{"text": "x"}, {"ok": true}]]),
        ),
        // A text that fits neither way is kept for the library to report.
        (
            "a.csv",
            "text,name,age\nx,Ann,old\n",
            PERSON,
            None,
            json!([[{"text": "x"}, {"name": "Ann", "age": "old"}]]),
        ),
    ] {
        assert_eq!(read_from(name, content, schema, into), Ok(expected), "{content}");
    }
}

#[test]
fn a_file_without_examples_is_an_error() {
    for (name, content, expected) in [
        (
            "a.jsonl",
            "{\"text\":\"x\",\"name\":\"Ann\"}\n\n{\"text\":\"y\"}\n",
            "the examples `a.jsonl`, line 3: the row has no value, neither in the schema's fields nor in `value` or `output`",
        ),
        (
            "a.csv",
            "text\nx\n",
            "the examples `a.csv`, record 1: the row has no value, neither in the schema's fields nor in `value` or `output`",
        ),
        (
            "a.csv",
            "text,name,_error\nx,,refusal\n",
            "the examples `a.csv`, record 1: the row failed (`_error` is not empty), so it has no value",
        ),
        ("a.jsonl", "", "the examples `a.jsonl` are empty, expected at least one row"),
        ("a.json", "[]", "the examples `a.json` are empty, expected at least one row"),
    ] {
        assert_eq!(read_from(name, content, PERSON, None), Err(expected.to_owned()), "{content}");
    }
    let torn = read_from("a.jsonl", "{\"text\":\"x\",\"name\":\"Ann\"}\n{\"text\"\n", PERSON, None);
    assert!(torn.as_ref().is_err_and(|message| message.contains("line 2")), "{torn:?}");
    let schema = Schema::parse(PERSON).expect("a schema");
    for (name, expected) in [
        ("none.jsonl", "cannot open `none.jsonl`"),
        ("a.yaml", "`a.yaml` has the unknown file extension `.yaml`"),
    ] {
        let error = crate::block_on(read(Path::new(name), &schema, None)).expect_err(name);
        assert!(error.to_string().starts_with(expected) && error.hint().is_some(), "{error}");
    }
}
