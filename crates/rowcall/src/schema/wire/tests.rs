//! The schemas of other tools' tests and some harder ones, with what becomes of them for OpenAI; what is lost; the
//! limits; the way back. Whether what is sent keeps a provider's rules is tested from outside, in `tests/it/schemas.rs`.

mod dialects;
mod documentation;
mod engines;
mod express;
mod names;
mod observed;

use serde_json::{Value, json};

use super::constraint::in_words;
use super::{Dialect, WireSchema};
use crate::schema::Schema;

const VECTORS: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/schema_transforms.json"));

fn wire_for(dialect: Dialect, schema: &Value) -> WireSchema {
    Schema::from_json(schema.clone()).unwrap().wire(dialect).unwrap()
}

fn wire(schema: &Value) -> WireSchema {
    wire_for(Dialect::OpenAiStrict, schema)
}

/// The wire schema, and below it what it lost, in short lines.
fn summary_in(dialect: Dialect, schema: &Value) -> String {
    let wire = wire_for(dialect, schema);
    let losses = wire.losses.iter().map(|loss| format!("  - {loss}"));
    [wire.schema.to_string()].into_iter().chain(losses).collect::<Vec<_>>().join("\n")
}

fn summary(schema: &Value) -> String {
    summary_in(Dialect::OpenAiStrict, schema)
}

#[test]
fn the_schemas_of_the_vectors_come_into_the_subset() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    let lines: Vec<String> = cases
        .iter()
        .map(|case| format!("{}\n{}", case["id"].as_str().unwrap(), summary(&case["input"])))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r##"
    flat_optional
    {"type":"object","properties":{"name":{"type":"string"},"age":{"anyOf":[{"type":"integer","minimum":0,"maximum":150},{"type":"null"}]}},"required":["name","age"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    constraints
    {"type":"object","properties":{"sku":{"type":"string","pattern":"^[A-Z]{3}-\\d+$","description":"at least 5 characters; at most 20 characters"},"qty":{"type":"integer","exclusiveMinimum":0,"multipleOf":5},"tags":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":4,"description":"no item twice"},"codes":{"type":"array","items":{"type":"string"},"minItems":3}},"required":["sku","qty","tags","codes"],"additionalProperties":false}
      - /properties/sku: `minLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/sku: `maxLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/tags: `uniqueItems` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    formats
    {"type":"object","properties":{"d":{"type":"string","format":"date"},"u":{"type":"string","description":"in the format uri"},"x":{"type":"string","description":"in the format binary"}},"required":["d","u","x"],"additionalProperties":false}
      - /properties/u: `format` is not enforced by the provider; it is written into the description and checked locally
      - /properties/x: `format` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    defs_ref
    {"type":"object","properties":{"lines":{"type":"array","items":{"$ref":"#/$defs/Line"}}},"required":["lines"],"$defs":{"Line":{"type":"object","properties":{"text":{"type":"string"},"price":{"type":["number","null"],"description":"default: 1.5"}},"required":["text","price"],"additionalProperties":false}},"additionalProperties":false}
      - the schema: only the named properties are asked for
      - /$defs/Line: only the named properties are asked for
    ref_with_sibling
    {"type":"object","properties":{"home":{"description":"home address","type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false},"work":{"$ref":"#/$defs/Addr"}},"required":["home","work"],"$defs":{"Addr":{"type":"object","description":"an address","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}},"additionalProperties":false}
      - /properties/home: only the named properties are asked for
      - the schema: only the named properties are asked for
      - /$defs/Addr: only the named properties are asked for
    enum_and_const
    {"type":"object","properties":{"k":{"type":"string","enum":["a","b"]},"v":{"const":"fixed","type":"string"},"n":{"enum":[1,2,null],"type":["integer","null"]}},"required":["k","v","n"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    union_one_of
    {"type":"object","properties":{"shape":{"anyOf":[{"type":"object","properties":{"kind":{"const":"circle","type":"string"},"r":{"type":"number"}},"required":["kind","r"],"additionalProperties":false},{"type":"object","properties":{"kind":{"const":"box","type":"string"},"w":{"type":"number"}},"required":["kind","w"],"additionalProperties":false}]}},"required":["shape"],"additionalProperties":false}
      - /properties/shape/oneOf/0: only the named properties are asked for
      - /properties/shape/oneOf/1: only the named properties are asked for
      - the schema: only the named properties are asked for
    all_of_single
    {"type":"object","properties":{"m":{"description":"money","type":"object","properties":{"amount":{"type":"number"}},"required":["amount"],"additionalProperties":false}},"required":["m"],"additionalProperties":false}
      - /properties/m: only the named properties are asked for
      - the schema: only the named properties are asked for
    open_object
    {"type":"object","properties":{"meta":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}}},"required":["meta"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    empty_object
    {"type":"object","properties":{},"required":[],"additionalProperties":false}
      - the schema: only the named properties are asked for
    root_array
    {"type":"object","properties":{"value":{"type":"array","items":{"type":"string"}}},"required":["value"],"additionalProperties":false}
    "##);
}

#[test]
fn a_schema_within_the_subset_goes_out_as_it_is() {
    for schema in [
        json!({ "type": "object", "properties": { "vendor": { "type": "string" }, "total": { "type": "number" },
            "currency": { "type": "string", "enum": ["EUR", "USD", "GBP"] }, "due_date": { "type": ["string", "null"] } },
            "required": ["vendor", "total", "currency", "due_date"], "additionalProperties": false }),
        json!({ "description": "a tree", "type": "object", "required": ["children", "name"], "additionalProperties": false,
            "properties": { "name": { "type": "string", "description": "its name", "pattern": "^[a-z]+$" },
                "children": { "type": "array", "items": { "$ref": "#" }, "maxItems": 3 } } }),
        json!({ "$defs": { "b": { "type": "object", "properties": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }, { "type": "null" }] } },
                "required": ["a"], "additionalProperties": false },
                "a": { "type": "integer", "minimum": 0, "exclusiveMaximum": 9, "multipleOf": 3 } },
            "type": "object", "properties": { "b": { "$ref": "#/$defs/b" }, "day": { "format": "date", "type": "string" } },
            "additionalProperties": false, "required": ["b", "day"] }),
        json!({ "type": "object", "properties": { "shape": { "description": "one of two", "anyOf": [
            { "type": "object", "properties": { "kind": { "type": "string", "const": "circle" } }, "required": ["kind"], "additionalProperties": false },
            { "type": "object", "properties": { "side": { "type": "number" } }, "required": ["side"], "additionalProperties": false }] } },
            "required": ["shape"], "additionalProperties": false }),
    ] {
        let wire = wire(&schema);
        assert_eq!(wire.schema.to_string(), schema.to_string(), "key order included");
        assert_eq!(wire.losses, []);
        assert!(wire.is_identity() && wire.is_as_given());
        assert_eq!(wire.name, "answer");
        assert_eq!(wire.description.as_deref(), schema["description"].as_str());
    }
}

#[test]
fn what_the_subset_lacks_is_rewritten_or_described() {
    let string = json!({ "type": "string" });
    let object = |name: &str| json!({ "type": "object", "properties": { name: string }, "required": [name] });
    let cases = [
        ("a root of another type is wrapped", json!({ "type": "integer", "description": "a count" })),
        (
            "so is a nullable one",
            json!({ "type": ["object", "null"], "properties": { "a": string }, "required": ["a"] }),
        ),
        (
            "so is a union, and a reference to it",
            json!({ "anyOf": [object("a"), { "type": "array", "items": { "$ref": "#" } }] }),
        ),
        ("so is anything", json!(true)),
        (
            "a root reference is followed",
            json!({ "$ref": "#/$defs/a", "$defs": { "a": object("a"), "unused": {} } }),
        ),
        (
            "alternatives that only require are described",
            json!({ "type": "object", "properties": { "a": string, "b": string },
            "anyOf": [{ "required": ["a"] }, { "required": ["b"] }] }),
        ),
        (
            "what stands beside alternatives goes into them",
            json!({ "type": "object", "properties": { "x": { "type": "object",
            "description": "an x", "properties": { "id": string }, "required": ["id"], "oneOf": [object("a"), object("b")] } }, "required": ["x"] }),
        ),
        (
            "allOf is merged, the tighter limit wins",
            json!({ "allOf": [object("a"), { "properties": { "b": { "type": "integer", "minimum": 1 } } },
            { "properties": { "b": { "minimum": 2, "maximum": 9 } }, "required": ["b"] }], "description": "both" }),
        ),
        (
            "what cannot be merged is described",
            json!({ "properties": { "a": { "allOf": [{ "type": "string", "pattern": "^a" }, { "pattern": "z$" }] } }, "required": ["a"] }),
        ),
        (
            "maps become lists of entries",
            json!({ "properties": {
            "any": { "type": "object" },
            "few": { "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 1, "maxProperties": 3, "description": "counts" },
            "keyed": { "type": "object", "patternProperties": { "^x-": string }, "additionalProperties": false },
            "named": { "type": "object", "additionalProperties": string, "propertyNames": { "enum": ["a", "b"] } },
            "mixed": { "type": "object", "properties": { "id": string }, "required": ["id"], "additionalProperties": string },
            "null": { "type": ["object", "null"], "additionalProperties": string },
        }, "required": ["any", "few", "keyed", "named", "mixed", "null"] }),
        ),
        (
            "named properties only",
            json!({ "type": "object", "properties": { "a": string }, "required": ["a"], "additionalProperties": true }),
        ),
        (
            "tuples become objects",
            json!({ "properties": {
            "pair": { "type": "array", "prefixItems": [string, { "type": "integer" }], "minItems": 2, "maxItems": 2 },
            "open": { "type": "array", "prefixItems": [string, { "type": "integer" }], "minItems": 1, "items": string },
        }, "required": ["pair", "open"] }),
        ),
        (
            "other limits are described",
            json!({ "properties": {
            "s": { "type": "string", "description": "a code", "minLength": 1, "maxLength": 2, "format": "uri", "pattern": "^(?=a)" },
            "n": { "type": "integer", "format": "uint32", "minimum": 0 },
            "l": { "type": "array", "items": string, "uniqueItems": true, "contains": { "const": "x" } },
            "o": { "type": "object", "properties": { "a": string }, "required": ["a"], "minProperties": 1, "dependentRequired": { "a": ["b"] } },
            "c": { "type": "string", "not": { "const": "x" }, "if": { "const": "y" }, "then": false, "default": "z" },
        }, "required": ["s", "n", "l", "o", "c"] }),
        ),
        (
            "compound constants are text",
            json!({ "properties": { "a": { "enum": [[1], { "b": null }] } }, "required": ["a"] }),
        ),
        (
            "optional things take null",
            json!({ "properties": {
            "s": string, "e": { "enum": ["a", "b"] }, "c": { "const": "a" }, "m": { "type": ["string", "integer"] }, "n": { "type": ["string", "null"] },
            "o": { "description": "an o", "type": "object", "properties": {} }, "r": { "$ref": "#/$defs/r" }, "u": { "oneOf": [string, { "type": "integer" }] },
            "never": false,
        }, "$defs": { "r": string } }),
        ),
        (
            "references with a description are inlined, but not without end",
            json!({ "$defs": { "node": { "type": "object", "properties": {
            "left": { "$ref": "#/$defs/node", "description": "on the left" }, "right": { "$ref": "#/$defs/node" } } } },
            "properties": { "root": { "$ref": "#/$defs/node", "description": "the root" } }, "required": ["root"] }),
        ),
        (
            "references elsewhere become definitions",
            json!({ "properties": { "a": object("x"), "b": { "$ref": "#/properties/a" },
            "c": { "$ref": "#/properties/a/properties/x" } }, "required": ["a", "b", "c"] }),
        ),
        (
            "lists that must be empty",
            json!({ "properties": { "a": { "type": "array", "items": false }, "b": { "type": "array" } }, "required": ["a", "b"] }),
        ),
    ];
    let lines: Vec<String> =
        cases.iter().map(|(name, schema)| format!("{name}\n{}", summary(schema))).collect();
    insta::assert_snapshot!(lines.join("\n"), @r##"
    a root of another type is wrapped
    {"type":"object","properties":{"value":{"type":"integer","description":"a count"}},"required":["value"],"additionalProperties":false}
    so is a nullable one
    {"type":"object","properties":{"value":{"type":["object","null"],"properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}},"required":["value"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    so is a union, and a reference to it
    {"type":"object","properties":{"value":{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false},{"type":"array","items":{"$ref":"#/$defs/root"}}]}},"required":["value"],"additionalProperties":false,"$defs":{"root":{"anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false},{"type":"array","items":{"$ref":"#/$defs/root"}}]}}}
      - /anyOf/0: only the named properties are asked for
    so is anything
    {"type":"object","properties":{"value":{"type":"string","description":"any JSON value, written as JSON text"}},"required":["value"],"additionalProperties":false}
      - the schema: any value is asked for as JSON text, which is read back
    a root reference is followed
    {"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    alternatives that only require are described
    {"type":"object","properties":{"a":{"type":["string","null"]},"b":{"type":["string","null"]}},"required":["a","b"],"additionalProperties":false,"description":"with `a`, or with `b`"}
      - the schema: only the named properties are asked for
      - the schema: `anyOf` is not enforced by the provider; it is written into the description and checked locally
    what stands beside alternatives goes into them
    {"type":"object","properties":{"x":{"description":"an x","anyOf":[{"type":"object","properties":{"id":{"type":"string"},"a":{"type":"string"}},"required":["id","a"],"additionalProperties":false},{"type":"object","properties":{"id":{"type":"string"},"b":{"type":"string"}},"required":["id","b"],"additionalProperties":false}]}},"required":["x"],"additionalProperties":false}
      - /properties/x: only the named properties are asked for
      - the schema: only the named properties are asked for
    allOf is merged, the tighter limit wins
    {"description":"both","type":"object","properties":{"a":{"type":"string"},"b":{"type":"integer","minimum":2,"maximum":9}},"required":["a","b"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    what cannot be merged is described
    {"properties":{"a":{"type":"string","pattern":"^a","description":"matching the regular expression z$"}},"required":["a"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/a/allOf/1: `pattern` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    maps become lists of entries
    {"properties":{"any":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string","description":"any JSON value, written as JSON text"}},"required":["key","value"],"additionalProperties":false}},"few":{"type":"array","description":"counts","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"integer"}},"required":["key","value"],"additionalProperties":false},"minItems":1,"maxItems":3},"keyed":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string","pattern":"^x-"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}},"named":{"type":"array","items":{"type":"object","properties":{"key":{"enum":["a","b"],"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}},"mixed":{"type":"object","properties":{"id":{"type":"string"},"other_properties":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}}},"required":["id","other_properties"],"additionalProperties":false},"null":{"anyOf":[{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}},{"type":"null"}]}},"required":["any","few","keyed","named","mixed","null"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/any: any value is asked for as JSON text, which is read back
      - the schema: only the named properties are asked for
    named properties only
    {"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    tuples become objects
    {"properties":{"pair":{"type":"object","properties":{"item_1":{"type":"string"},"item_2":{"type":"integer"}},"required":["item_1","item_2"],"additionalProperties":false},"open":{"type":"object","properties":{"item_1":{"type":"string"},"item_2":{"type":["integer","null"]}},"required":["item_1","item_2"],"additionalProperties":false}},"required":["pair","open"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/pair: a list with a schema for each item is asked for as an object, and put back
      - /properties/open: a list with a schema for each item is asked for as an object, and put back
      - /properties/open/items: items after those described one by one are not asked for
      - the schema: only the named properties are asked for
    other limits are described
    {"properties":{"s":{"type":"string","description":"a code (at least 1 character; at most 2 characters; in the format uri; matching the regular expression ^(?=a))"},"n":{"type":"integer","minimum":0},"l":{"type":"array","items":{"type":"string"},"description":"no item twice; contains: {\"const\":\"x\"}"},"o":{"type":"object","properties":{"a":{"type":"string"}},"required":["a"],"additionalProperties":false,"description":"at least 1 property; dependentRequired: {\"a\":[\"b\"]}"},"c":{"type":"string","description":"default: \"z\"; not what this JSON Schema describes: {\"const\":\"x\"}; as this JSON Schema says: {\"if\":{\"const\":\"y\"},\"then\":false}"}},"required":["s","n","l","o","c"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/s: `minLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/s: `maxLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/s: `format` is not enforced by the provider; it is written into the description and checked locally
      - /properties/s: `pattern` is not enforced by the provider; it is written into the description and checked locally
      - /properties/l: `uniqueItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/l: `contains` is not enforced by the provider; it is written into the description and checked locally
      - /properties/o: only the named properties are asked for
      - /properties/o: `minProperties` is not enforced by the provider; it is written into the description and checked locally
      - /properties/o: `dependentRequired` is not enforced by the provider; it is written into the description and checked locally
      - /properties/c: `not` is not enforced by the provider; it is written into the description and checked locally
      - /properties/c: `if` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    compound constants are text
    {"properties":{"a":{"type":"string","enum":["[1]","{\"b\":null}"]}},"required":["a"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - the schema: only the named properties are asked for
    optional things take null
    {"properties":{"s":{"type":["string","null"]},"e":{"enum":["a","b",null],"type":["string","null"]},"c":{"enum":["a",null],"type":["string","null"]},"m":{"type":["string","integer","null"]},"n":{"type":["string","null"]},"o":{"description":"an o","anyOf":[{"type":"object","properties":{},"required":[],"additionalProperties":false},{"type":"null"}]},"r":{"anyOf":[{"$ref":"#/$defs/r"},{"type":"null"}]},"u":{"anyOf":[{"type":"string"},{"type":"integer"},{"type":"null"}]}},"$defs":{"r":{"type":"string"}},"type":"object","required":["s","e","c","m","n","o","r","u"],"additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/o: only the named properties are asked for
      - the schema: only the named properties are asked for
    references with a description are inlined, but not without end
    {"$defs":{"node":{"type":"object","properties":{"left":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]},"right":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["left","right"],"additionalProperties":false}},"properties":{"root":{"description":"the root","type":"object","properties":{"left":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]},"right":{"anyOf":[{"$ref":"#/$defs/node"},{"type":"null"}]}},"required":["left","right"],"additionalProperties":false}},"required":["root"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/root: only the named properties are asked for
      - the schema: only the named properties are asked for
      - /$defs/node: only the named properties are asked for
    references elsewhere become definitions
    {"properties":{"a":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false},"b":{"$ref":"#/$defs/a"},"c":{"$ref":"#/$defs/x"}},"required":["a","b","c"],"type":"object","additionalProperties":false,"$defs":{"a":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"],"additionalProperties":false},"x":{"type":"string"}}}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/a: only the named properties are asked for
      - the schema: only the named properties are asked for
    lists that must be empty
    {"properties":{"a":{"type":"array","items":{"type":"string"},"maxItems":0},"b":{"type":"array","items":{"type":"string","description":"any JSON value, written as JSON text"}}},"required":["a","b"],"type":"object","additionalProperties":false}
      - the schema: no `type` is given, so only an object is asked for, which the other keywords describe
      - /properties/b: any value is asked for as JSON text, which is read back
      - the schema: only the named properties are asked for
    "##);
}

/// The value in the user's form for one in the wire's.
fn restored(schema: &Value, value: &Value) -> Value {
    let wire = wire(schema);
    let restored = wire.restore(value.clone());
    assert!(!wire.is_identity() || restored == *value);
    restored
}

#[test]
fn a_value_comes_back_in_the_users_form() {
    let string = json!({ "type": "string" });
    let optional = json!({ "type": "object", "properties": { "a": string, "b": { "type": ["string", "null"] }, "c": true } });
    let map = json!({ "type": "object", "additionalProperties": optional });
    let tuple = json!({ "type": "array", "prefixItems": [string, optional, string], "minItems": 1 });
    let circle = json!({ "type": "object", "properties": { "kind": { "const": "circle" }, "label": string }, "required": ["kind"] });
    let square = json!({ "type": "object", "properties": { "kind": { "const": "square" }, "label": { "type": ["string", "null"] } }, "required": ["kind", "label"] });
    let shape = json!({ "oneOf": [circle, square, { "type": "array", "items": { "$ref": "#" } }] });
    let untagged = json!({ "anyOf": [
        { "type": "object", "properties": { "a": { "type": "integer" }, "x": string }, "required": ["a"] },
        { "type": "object", "properties": { "a": { "type": "boolean" }, "x": { "type": "null" } }, "required": ["a", "x"] } ] });
    let mixed = json!({ "type": "object", "properties": { "id": string }, "required": ["id"], "additionalProperties": { "type": "integer" } });
    let entries = |list: Value| json!({ "value": list });
    for (schema, value, expected) in [
        (&optional, json!({ "a": null, "b": null, "c": null }), json!({ "b": null, "c": null })),
        (
            &optional,
            json!({ "a": "x", "b": "y", "c": "{\"d\":[1]}" }),
            json!({ "a": "x", "b": "y", "c": { "d": [1] } }),
        ),
        (
            &optional,
            json!({ "a": 1, "c": "not json", "z": null }),
            json!({ "a": 1, "c": "not json", "z": null }),
        ),
        (&optional, json!([null]), json!([null])),
        (
            &map,
            entries(json!([{ "key": "k", "value": { "a": null, "b": null, "c": "1" } }])),
            json!({ "k": { "b": null, "c": 1 } }),
        ),
        (&map, entries(json!([])), json!({})),
        // Two entries with one key are no map, and neither is a list of anything else: validation will say so.
        (
            &map,
            entries(json!([{ "key": "k", "value": {} }, { "key": "k", "value": {} }])),
            json!([{ "key": "k", "value": {} }, { "key": "k", "value": {} }]),
        ),
        (&map, entries(json!([{ "key": 1, "value": {} }])), json!([{ "key": 1, "value": {} }])),
        (
            &map,
            entries(json!([{ "key": "k", "value": {}, "more": 1 }])),
            json!([{ "key": "k", "value": {}, "more": 1 }]),
        ),
        (&map, entries(json!([{ "key": "k" }])), json!([{ "key": "k" }])),
        (&map, entries(json!(3)), json!(3)),
        (&map, json!({ "value": [], "more": 1 }), json!({ "value": [], "more": 1 })),
        (&map, json!({ "k": {} }), json!({ "k": {} })),
        (
            &tuple,
            json!({ "value": { "item_1": "x", "item_2": { "a": null }, "item_3": "y" } }),
            json!(["x", {}, "y"]),
        ),
        (&tuple, json!({ "value": { "item_3": null, "item_2": null, "item_1": "x" } }), json!(["x"])),
        (
            &tuple,
            json!({ "value": { "item_1": "x", "item_2": null, "item_3": "y" } }),
            json!(["x", null, "y"]),
        ),
        (&tuple, json!({ "value": { "item_1": "x" } }), json!({ "item_1": "x" })),
        (&shape, json!({ "value": { "kind": "circle", "label": null } }), json!({ "kind": "circle" })),
        (
            &shape,
            json!({ "value": { "kind": "square", "label": null } }),
            json!({ "kind": "square", "label": null }),
        ),
        (
            &shape,
            json!({ "value": [{ "kind": "circle", "label": null }, []] }),
            json!([{ "kind": "circle" }, []]),
        ),
        // The tag says which alternative is meant, even where its other properties are wrong.
        (
            &shape,
            json!({ "value": { "kind": "circle", "label": null, "more": 1 } }),
            json!({ "kind": "circle", "more": 1 }),
        ),
        (
            &shape,
            json!({ "value": { "kind": "oval", "label": null } }),
            json!({ "kind": "oval", "label": null }),
        ),
        (&shape, json!({ "value": { "label": null } }), json!({ "label": null })),
        (&untagged, json!({ "value": { "a": 1, "x": null } }), json!({ "a": 1 })),
        (&untagged, json!({ "value": { "a": true, "x": null } }), json!({ "a": true, "x": null })),
        (&untagged, json!({ "value": { "a": "?", "x": null } }), json!({ "a": "?", "x": null })),
        (
            &mixed,
            json!({ "id": "i", "other_properties": [{ "key": "n", "value": 1 }] }),
            json!({ "id": "i", "n": 1 }),
        ),
        (
            &mixed,
            json!({ "id": "i", "other_properties": [{ "key": "id", "value": 1 }] }),
            json!([{ "key": "id", "value": "i" }, { "key": "id", "value": 1 }]),
        ),
    ] {
        assert_eq!(restored(schema, &value).to_string(), expected.to_string(), "{value} under {schema}");
    }
}

#[test]
fn limits_are_named_with_their_place() {
    let properties =
        |count: usize| (0..count).map(|number| (format!("p{number}"), json!({ "type": "string" })));
    let object = |count: usize| json!({ "type": "object", "properties": properties(count).collect::<serde_json::Map<_, _>>() });
    let nested = (0..11).fold(
        json!({ "type": "string" }),
        |inner, _| json!({ "type": "object", "properties": { "in": inner } }),
    );
    let members = |count: usize, length: usize| -> Vec<String> {
        (0..count).map(|number| format!("{number:0length$}")).collect()
    };
    let under = |name: &str, schema: Value| json!({ "type": "object", "properties": { name: schema }, "required": [name] });
    let described =
        (0..18).fold(json!({ "d18": { "type": "object", "properties": {} } }), |mut defs, level| {
            let next = json!({ "$ref": format!("#/$defs/d{}", level + 1), "description": "again" });
            defs[format!("d{level}")] = json!({ "type": "object", "properties": { "a": next, "b": next } });
            defs
        });
    let cases = [
        under("a", object(5_000)),
        nested,
        under("e", json!({ "enum": members(1_001, 1) })),
        under("e", json!({ "enum": members(251, 60) })),
        under("e", json!({ "enum": members(200, 601) })),
        json!({ "allOf": [{ "properties": { "a": {} }, "additionalProperties": false }, { "required": ["b"] }] }),
    ];
    let problems: Vec<String> = cases
        .into_iter()
        .map(|schema| {
            let problem = Schema::from_json(schema).unwrap().wire(Dialect::OpenAiStrict).unwrap_err();
            format!("{}\n    {}", problem.message, problem.hint.unwrap_or_default())
        })
        .collect();
    insta::assert_snapshot!(problems.join("\n"), @r#"
    the schema has 5001 properties at `/properties/a/properties/p4999`, the provider takes at most 5000
        ask for less at once, or use a mode that does not send the schema to be enforced
    the schema has 11 levels of objects at `/properties/in/anyOf/0/properties/in/anyOf/0/properties/in/anyOf/0/properties/in…`, the provider takes at most 10
        ask for less at once, or use a mode that does not send the schema to be enforced
    the schema has 1001 enum values at `/properties/e`, the provider takes at most 1000
        ask for less at once, or use a mode that does not send the schema to be enforced
    the schema has 15060 characters in one enum at `/properties/e`, the provider takes at most 15000
        ask for less at once, or use a mode that does not send the schema to be enforced
    the schema has 120201 characters in names and enum values at `/properties/e`, the provider takes at most 120000
        ask for less at once, or use a mode that does not send the schema to be enforced
    schema: its parts contradict one another, so that no value satisfies all of them
        check `allOf`, and what stands beside `$ref`, `anyOf` and `oneOf`
    "#);
    wire(&object(5_000));
    wire(&under("e", json!({ "enum": members(1_000, 3) })));
    // Written out for the sake of their descriptions, the references would come to 2^18 schemas.
    let sent = wire(&json!({ "$ref": "#/$defs/d0", "$defs": described }));
    assert!(sent.schema.to_string().len() < 20_000);
}

#[test]
fn constraints_are_said_in_words_in_all_forms_they_are_written_in() {
    for (keyword, value, words) in [
        ("minLength", json!(1), Some("at least 1 character")),
        ("maxItems", json!(3.0), Some("at most 3 items")),
        ("exclusiveMinimum", json!(0.5), Some("more than 0.5")),
        ("exclusiveMinimum", json!(true), Some("more than the minimum")),
        ("exclusiveMaximum", json!(true), Some("less than the maximum")),
        ("exclusiveMaximum", json!(false), None),
    ] {
        assert_eq!(in_words(keyword, &value).as_deref(), words, "{keyword}: {value}");
    }
}
