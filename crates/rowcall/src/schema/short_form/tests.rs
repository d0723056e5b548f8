//! The short form: a table of texts, and the property that printing and parsing are inverse.

use proptest::prelude::*;
use serde_json::json;

use super::*;

#[test]
fn every_field_becomes_a_property_in_its_place() {
    let schema =
        parse("name str, age int?: in years, score float, done bool?, tags[], notes str[]?").unwrap();
    insta::assert_json_snapshot!(schema, @r#"
    {
      "type": "object",
      "properties": {
        "name": {
          "type": "string"
        },
        "age": {
          "type": [
            "integer",
            "null"
          ],
          "description": "in years"
        },
        "score": {
          "type": "number"
        },
        "done": {
          "type": [
            "boolean",
            "null"
          ]
        },
        "tags": {
          "type": "array",
          "items": {
            "type": "string"
          }
        },
        "notes": {
          "type": [
            "array",
            "null"
          ],
          "items": {
            "type": "string"
          }
        }
      },
      "required": [
        "name",
        "score",
        "tags"
      ],
      "additionalProperties": false
    }
    "#);
}

/// A type in the words of another language would silently be the description of a text.
#[test]
fn a_description_that_is_exactly_a_type_is_refused_with_the_type_that_is_meant() {
    for (field, hint) in [
        ("a: string", "write `a str`"),
        ("a: Int", "write `a int`"),
        ("a: integer?", "write `a int?`"),
        ("a: number", "write `a float`"),
        ("a: boolean", "write `a bool`"),
        ("a: date", "write `a str`"),
        ("a: array", "write `a str[]`"),
        ("a: list[str]", "write `a str[]`"),
        ("a: List[int]", "write `a int[]`"),
        ("a: Vec<f64>", "write `a float[]`"),
        ("a: string[]", "write `a str[]`"),
        ("a: Optional[int]", "write `a int?`"),
        ("a: str | None", "write `a str?`"),
        ("a: positive|negative", r#"`{"enum": ["positive", "negative"]}`"#),
        (r#"a: "yes" | "no""#, r#"`{"enum": ["yes", "no"]}`"#),
    ] {
        let problem = parse(&format!("b str, {field}")).unwrap_err();
        assert!(problem.message.contains("would be its description"), "{field}: {}", problem.message);
        assert!(
            problem.hint.clone().unwrap_or_default().to_string().contains(hint),
            "{field}: {:?}",
            problem.hint
        );
    }
    for field in ["a str: date", "a int: number", "a: date: of birth", "a: day|month of birth"] {
        assert!(parse(field).is_ok(), "{field}");
    }
}

#[test]
fn blanks_line_ends_and_commas_are_read_leniently() {
    let expected = parse("a str, b int?: words").unwrap();
    for text in [
        "a,b int?:words",
        "  a str ,b   int ?  :  words  ",
        "a, b int?: words,",
        "a\nb int?: words",
        "\n a str,\r\n\r\n b int?: words ,\n",
        "a:\nb int?: words",
    ] {
        assert_eq!(parse(text), Ok(expected.clone()), "{text:?}");
    }
    for text in ["a: str, b: int?: words", "a:str\nb : int ? : words"] {
        assert_eq!(parse(text), Ok(expected.clone()), "{text:?}");
    }
    assert_eq!(parse("a: int[]?, b: bool"), parse("a int[]?, b bool"));
    for words in [
        "an integer",
        "int or float",
        "an int",
        "int.",
        "strong",
        "yes or no",
        "in m|s of arc",
        "list of names",
    ] {
        let described = parse(&format!("a: {words}")).unwrap();
        assert_eq!(described["properties"]["a"], json!({ "type": "string", "description": words }));
    }
    let typed_already = parse("a float: int").unwrap();
    assert_eq!(typed_already["properties"]["a"], json!({ "type": "number", "description": "int" }));
    let with_commas = parse("a str: one, two\nb int?: words: more").unwrap();
    assert_eq!(with_commas["properties"]["a"]["description"], json!("one, two"));
    assert_eq!(with_commas["properties"]["b"]["description"], json!("words: more"));
    assert!(parse("größe-2_x int").unwrap()["properties"]["größe-2_x"].is_object());
}

#[test]
fn what_is_no_field_is_refused_with_a_way_out() {
    let table: Vec<String> = [
        "",
        " \n , \n",
        "a,,b",
        "a str, a int",
        "a strng",
        "a string",
        "a Integer[]",
        "a number?",
        "a boolean",
        "a wibble",
        "a str?[]",
        "a str b",
        "4 5",
        "$a str",
        "a b c, d\ne",
        "name: a description, with a comma",
    ]
    .iter()
    .map(|text| match parse(text) {
        Ok(schema) => format!("{text:?} is read as {schema}"),
        Err(Problem { message, hint, .. }) => {
            format!("{text:?}\n    {message}\n    {}", hint.unwrap_or_default())
        }
    })
    .collect();
    insta::assert_snapshot!(table.join("\n"), @r#"
    ""
        the schema is empty, expected at least one field
        a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`
    " \n , \n"
        the schema is empty, expected at least one field
        a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`
    "a,,b"
        a field of the schema is empty
        take out the comma too many
    "a str, a int"
        field `a` appears twice in the schema
        leave one of them out, or rename it
    "a strng"
        field `a strng`: unknown type `strng` (known: str, int, float, bool)
        did you mean `str`?
    "a string"
        field `a string`: unknown type `string` (known: str, int, float, bool)
        write `str` instead
    "a Integer[]"
        field `a Integer[]`: unknown type `Integer` (known: str, int, float, bool)
        write `int` instead
    "a number?"
        field `a number?`: unknown type `number` (known: str, int, float, bool)
        write `float` instead
    "a boolean"
        field `a boolean`: unknown type `boolean` (known: str, int, float, bool)
        write `bool` instead
    "a wibble"
        field `a wibble`: unknown type `wibble` (known: str, int, float, bool)
        a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`
    "a str?[]"
        field `a str?[]`: unknown type `str?` (known: str, int, float, bool)
        did you mean `str`?
    "a str b"
        field `a str b`: unknown type `str b` (known: str, int, float, bool)
        if this belongs to a description, put each field on a line of its own: on one line a comma ends it
    "4 5"
        field `4 5`: unknown type `5` (known: str, int, float, bool)
        a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`
    "$a str"
        field `$a str`: expected a name of letters, digits, `_` and `-`
        a field is `NAME [TYPE][[]][?][: description]`, for instance `age int?: in years`
    "a b c, d\ne"
        field `a b c, d`: unknown type `b c, d` (known: str, int, float, bool)
        put each field on a line of its own, or separate all of them by commas on one line
    "name: a description, with a comma"
        field `with a comma`: unknown type `a comma` (known: str, int, float, bool)
        if this belongs to a description, put each field on a line of its own: on one line a comma ends it
    "#);
}

fn fields() -> impl Strategy<Value = Vec<Field>> {
    let description = "[a-zé(][a-zé :?()\\[\\]-]{0,20}[a-zé)]";
    let base = prop::sample::select(TYPES.map(|(_, base)| base).to_vec());
    let field = (base, any::<bool>(), any::<bool>(), proptest::option::of(description));
    prop::collection::btree_map("[\\p{L}0-9_-]{1,8}", field, 1..6).prop_map(|fields| {
        let field =
            |(name, (base, list, optional, description))| Field { name, base, list, optional, description };
        fields.into_iter().map(field).collect()
    })
}

fn print(field: &Field, brief: bool) -> String {
    let (short, _) = TYPES.into_iter().find(|(_, base)| *base == field.base).unwrap();
    let base = if brief && short == "str" { String::new() } else { format!(" {short}") };
    let list = if field.list { "[]" } else { "" };
    let optional = if field.optional { "?" } else { "" };
    let description = field.description.as_ref().map(|text| format!(": {text}")).unwrap_or_default();
    format!("{}{base}{list}{optional}{description}", field.name)
}

proptest! {
    #[test]
    fn what_is_printed_is_read_back(fields in fields(), separator in prop::sample::select(vec![", ", "\n"]), brief: bool) {
        let text = fields.iter().map(|field| print(field, brief)).collect::<Vec<_>>().join(separator);
        prop_assert_eq!(parse(&text), Ok(object(fields)), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}|[a-z:,?\\[\\]\n\r ]{0,40}") {
        if let Err(problem) = parse(&text) {
            prop_assert!(!problem.message.is_empty());
        }
    }
}
