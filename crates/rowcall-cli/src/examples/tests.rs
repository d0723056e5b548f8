//! Files of examples, and what is read from them.

use serde_json::json;
use tempfile::TempDir;

use super::*;

/// The fields and values read from a file of this name and content, or what is wrong with it.
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
fn a_value_stands_beside_the_row_or_under_a_name() {
    let number = r#"{"type": "integer"}"#;
    for (name, content, schema, into, expected) in [
        // An output of ours, with what it adds.
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
        // Texts are read as the schema needs them, whatever they look like.
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
        // What fits in no way is left for the library to tell.
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
fn a_file_that_gives_no_examples_is_told() {
    for (name, content, expected) in [
        (
            "a.jsonl",
            "{\"text\":\"x\",\"name\":\"Ann\"}\n\n{\"text\":\"y\"}\n",
            "the examples `a.jsonl`, line 3: has no value, neither in fields of the schema nor under `value` or `output`",
        ),
        (
            "a.csv",
            "text\nx\n",
            "the examples `a.csv`, record 1: has no value, neither in fields of the schema nor under `value` or `output`",
        ),
        (
            "a.csv",
            "text,name,_error\nx,,refusal\n",
            "the examples `a.csv`, record 1: has failed (`_error` is not empty), so it has no value to go by",
        ),
        ("a.jsonl", "", "the examples `a.jsonl` are none, expected at least one"),
        ("a.json", "[]", "the examples `a.json` are none, expected at least one"),
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
