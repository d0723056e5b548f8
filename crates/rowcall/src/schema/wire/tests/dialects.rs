//! What becomes of a schema for Anthropic, for Gemini and for servers that enforce nothing; what these refuse.

use serde_json::{Map, Value, json};

use super::{Dialect, VECTORS, summary_in};
use crate::schema::Schema;

#[test]
fn the_schemas_of_the_vectors_come_into_every_subset() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    let lines: Vec<String> = vectors["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| {
            let summaries =
                [Dialect::Anthropic, Dialect::Gemini].map(|dialect| summary_in(dialect, &case["input"]));
            format!("{}\n{}", case["id"].as_str().unwrap(), summaries.join("\n"))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r##"
    flat_optional
    {"type":"object","properties":{"name":{"type":"string"},"age":{"anyOf":[{"type":"integer","description":"at least 0; at most 150"},{"type":"null"}]}},"required":["name"],"additionalProperties":false}
      - /properties/age/anyOf/0: `minimum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/age/anyOf/0: `maximum` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"name":{"type":"string"},"age":{"anyOf":[{"type":"integer","minimum":0,"maximum":150},{"type":"null"}]}},"required":["name"],"propertyOrdering":["name","age"]}
    constraints
    {"type":"object","properties":{"sku":{"type":"string","description":"matching the regular expression ^[A-Z]{3}-\\d+$; at least 5 characters; at most 20 characters"},"qty":{"type":"integer","description":"more than 0; a multiple of 5"},"tags":{"type":"array","items":{"type":"string"},"minItems":1,"description":"at most 4 items; no item twice"},"codes":{"type":"array","items":{"type":"string"},"description":"at least 3 items"}},"required":["sku","qty","tags","codes"],"additionalProperties":false}
      - /properties/sku: `pattern` is not enforced by the provider; it is written into the description and checked locally
      - /properties/sku: `minLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/sku: `maxLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/qty: `exclusiveMinimum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/qty: `multipleOf` is not enforced by the provider; it is written into the description and checked locally
      - /properties/tags: `maxItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/tags: `uniqueItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/codes: `minItems` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"sku":{"type":"string","description":"matching the regular expression ^[A-Z]{3}-\\d+$; at least 5 characters; at most 20 characters"},"qty":{"type":"integer","description":"more than 0; a multiple of 5"},"tags":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":4,"description":"no item twice"},"codes":{"type":"array","items":{"type":"string"},"minItems":3}},"required":["sku","qty","tags","codes"],"propertyOrdering":["sku","qty","tags","codes"]}
      - /properties/sku: `pattern` is not enforced by the provider; it is written into the description and checked locally
      - /properties/sku: `minLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/sku: `maxLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/qty: `exclusiveMinimum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/qty: `multipleOf` is not enforced by the provider; it is written into the description and checked locally
      - /properties/tags: `uniqueItems` is not enforced by the provider; it is written into the description and checked locally
    formats
    {"type":"object","properties":{"d":{"type":"string","format":"date"},"u":{"type":"string","format":"uri"},"x":{"type":"string","description":"in the format binary"}},"required":["d","u","x"],"additionalProperties":false}
      - /properties/x: `format` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"d":{"type":"string","format":"date"},"u":{"type":"string","description":"in the format uri"},"x":{"type":"string","description":"in the format binary"}},"required":["d","u","x"],"propertyOrdering":["d","u","x"]}
      - /properties/u: `format` is not enforced by the provider; it is written into the description and checked locally
      - /properties/x: `format` is not enforced by the provider; it is written into the description and checked locally
    defs_ref
    {"type":"object","properties":{"lines":{"type":"array","items":{"$ref":"#/$defs/Line"}}},"required":["lines"],"$defs":{"Line":{"type":"object","properties":{"text":{"type":"string"},"price":{"type":"number","description":"default: 1.5"}},"required":["text"],"additionalProperties":false}},"additionalProperties":false}
      - the schema: only the named properties are asked for
      - /$defs/Line: only the named properties are asked for
    {"type":"object","properties":{"lines":{"type":"array","items":{"$ref":"#/$defs/Line"}}},"required":["lines"],"$defs":{"Line":{"type":"object","properties":{"text":{"type":"string"},"price":{"type":"number","description":"default: 1.5"}},"required":["text"],"propertyOrdering":["text","price"]}},"propertyOrdering":["lines"]}
    ref_with_sibling
    {"type":"object","properties":{"home":{"description":"home address","type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false},"work":{"$ref":"#/$defs/Addr"}},"required":["home","work"],"$defs":{"Addr":{"type":"object","description":"an address","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}},"additionalProperties":false}
      - /properties/home: only the named properties are asked for
      - the schema: only the named properties are asked for
      - /$defs/Addr: only the named properties are asked for
    {"type":"object","properties":{"home":{"description":"home address","type":"object","properties":{"city":{"type":"string"}},"required":["city"],"propertyOrdering":["city"]},"work":{"$ref":"#/$defs/Addr"}},"required":["home","work"],"$defs":{"Addr":{"type":"object","description":"an address","properties":{"city":{"type":"string"}},"required":["city"],"propertyOrdering":["city"]}},"propertyOrdering":["home","work"]}
    enum_and_const
    {"type":"object","properties":{"k":{"type":"string","enum":["a","b"]},"v":{"const":"fixed","type":"string"},"n":{"enum":[1,2,null]}},"required":["k","v","n"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"k":{"type":"string","enum":["a","b"]},"v":{"enum":["fixed"],"type":"string"},"n":{"anyOf":[{"enum":[1,2],"type":"integer"},{"type":"null"}]}},"required":["k","v","n"],"propertyOrdering":["k","v","n"]}
    union_one_of
    {"type":"object","properties":{"shape":{"anyOf":[{"type":"object","properties":{"kind":{"const":"circle","type":"string"},"r":{"type":"number"}},"required":["kind","r"],"additionalProperties":false},{"type":"object","properties":{"kind":{"const":"box","type":"string"},"w":{"type":"number"}},"required":["kind","w"],"additionalProperties":false}]}},"required":["shape"],"additionalProperties":false}
      - /properties/shape/oneOf/0: only the named properties are asked for
      - /properties/shape/oneOf/1: only the named properties are asked for
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"shape":{"anyOf":[{"type":"object","properties":{"kind":{"enum":["circle"],"type":"string"},"r":{"type":"number"}},"required":["kind","r"],"propertyOrdering":["kind","r"]},{"type":"object","properties":{"kind":{"enum":["box"],"type":"string"},"w":{"type":"number"}},"required":["kind","w"],"propertyOrdering":["kind","w"]}]}},"required":["shape"],"propertyOrdering":["shape"]}
    all_of_single
    {"type":"object","properties":{"m":{"description":"money","type":"object","properties":{"amount":{"type":"number"}},"required":["amount"],"additionalProperties":false}},"required":["m"],"additionalProperties":false}
      - /properties/m: only the named properties are asked for
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"m":{"description":"money","type":"object","properties":{"amount":{"type":"number"}},"required":["amount"],"propertyOrdering":["amount"]}},"required":["m"],"propertyOrdering":["m"]}
    open_object
    {"type":"object","properties":{"meta":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}}},"required":["meta"],"additionalProperties":false}
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"meta":{"type":"object","additionalProperties":{"type":"string"}}},"required":["meta"],"propertyOrdering":["meta"]}
    empty_object
    {"type":"object","properties":{},"additionalProperties":false}
      - the schema: only the named properties are asked for
    {"type":"object","properties":{}}
    root_array
    {"type":"object","properties":{"value":{"type":"array","items":{"type":"string"}}},"required":["value"],"additionalProperties":false}
    {"type":"object","properties":{"value":{"type":"array","items":{"type":"string"}}},"required":["value"],"additionalProperties":false,"propertyOrdering":["value"]}
    "##);
}

#[test]
fn each_provider_keeps_what_it_can() {
    let string = json!({ "type": "string" });
    let object = |properties: Value| json!({ "type": "object", "properties": properties });
    let cases = [
        (
            "values of several types",
            object(json!({
                "enum": { "enum": ["a", 1, 2.5, true, null], "description": "mixed" }, "flag": { "enum": [true, false] },
                "yes": { "const": true }, "one": { "const": 1 }, "or_null": { "enum": ["a", null] },
            })),
        ),
        (
            "several types",
            object(json!({
                "scalar": { "type": ["string", "integer"], "minLength": 1, "minimum": 0 }, "text": { "type": ["string", "null"] },
                "object": { "type": ["object", "null"], "properties": { "a": string }, "description": "an a" },
                "list": { "type": ["array", "null"], "items": string },
            })),
        ),
        (
            "maps",
            object(json!({
                "any": { "type": "object" }, "of": { "type": "object", "additionalProperties": { "type": "integer" }, "minProperties": 2 },
                "keyed": { "type": "object", "patternProperties": { "^x-": string }, "additionalProperties": false },
                "mixed": { "type": "object", "properties": { "id": string }, "required": ["id"], "additionalProperties": string },
                "open": { "type": "object", "properties": { "id": string }, "additionalProperties": true },
                "named": { "type": "object", "propertyNames": { "enum": ["a", "b"] }, "additionalProperties": string },
            })),
        ),
        (
            "lists",
            object(json!({
                "pair": { "type": "array", "prefixItems": [string, { "type": "integer" }], "minItems": 2, "maxItems": 2 },
                "open": { "type": "array", "prefixItems": [string], "items": { "type": "integer" } },
                "closed": { "type": "array", "prefixItems": [string, string], "items": false },
                "three": { "type": "array", "items": string, "minItems": 3, "maxItems": 5, "uniqueItems": true },
                "none": { "type": "array", "items": false }, "any": { "type": "array" },
            })),
        ),
        (
            "limits",
            object(json!({
                "n": { "type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2 }, "t": { "type": "string", "format": "uri", "pattern": "^h" },
                "d": { "type": "string", "format": "date", "default": "2026-01-01" },
            })),
        ),
        (
            "references",
            json!({ "definitions": { "a b": { "type": "integer" }, "C": object(json!({ "x": string })) },
            "type": "object", "properties": { "n": { "$ref": "#/definitions/a%20b" }, "c": { "$ref": "#/definitions/C", "description": "a C" },
                "cs": { "type": "array", "items": { "$ref": "#/definitions/C" } } } }),
        ),
        (
            "what could be taken for one another is text",
            object(
                json!({ "text": { "anyOf": [string, true] }, "map": { "anyOf": [{ "type": "object" }, { "type": "array", "items": string }] } }),
            ),
        ),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(name, schema)| {
            let summaries = [Dialect::Anthropic, Dialect::Gemini].map(|dialect| summary_in(dialect, schema));
            format!("{name}\n{}", summaries.join("\n"))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r##"
    values of several types
    {"type":"object","properties":{"enum":{"enum":["a",1,2.5,true,null],"description":"mixed"},"flag":{"enum":[true,false],"type":"boolean"},"yes":{"const":true,"type":"boolean"},"one":{"const":1,"type":"integer"},"or_null":{"enum":["a",null]}},"additionalProperties":false}
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"enum":{"description":"mixed","anyOf":[{"type":"boolean","description":"always true"},{"enum":[1,2.5],"type":"number"},{"enum":["a"],"type":"string"},{"type":"null"}]},"flag":{"type":"boolean"},"yes":{"type":"boolean","description":"always true"},"one":{"enum":[1],"type":"integer"},"or_null":{"anyOf":[{"enum":["a"],"type":"string"},{"type":"null"}]}},"propertyOrdering":["enum","flag","yes","one","or_null"]}
      - /properties/enum: that only `true` is allowed is written into the description and checked locally
      - /properties/yes: that only `true` is allowed is written into the description and checked locally
    several types
    {"type":"object","properties":{"scalar":{"type":["string","integer"],"description":"at least 1 character; at least 0"},"text":{"type":["string","null"]},"object":{"type":["object","null"],"properties":{"a":{"type":"string"}},"description":"an a","additionalProperties":false},"list":{"type":["array","null"],"items":{"type":"string"}}},"additionalProperties":false}
      - /properties/scalar: `minLength` is not enforced by the provider; it is written into the description and checked locally
      - /properties/scalar: `minimum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/object: only the named properties are asked for
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"scalar":{"anyOf":[{"type":"integer","minimum":0},{"type":"string","description":"at least 1 character"}]},"text":{"type":["string","null"]},"object":{"description":"an a","anyOf":[{"type":"object","properties":{"a":{"type":"string"}},"propertyOrdering":["a"]},{"type":"null"}]},"list":{"anyOf":[{"type":"array","items":{"type":"string"}},{"type":"null"}]}},"propertyOrdering":["scalar","text","object","list"]}
      - /properties/scalar: `minLength` is not enforced by the provider; it is written into the description and checked locally
    maps
    {"type":"object","properties":{"any":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string","description":"any JSON value, written as JSON text"}},"required":["key","value"],"additionalProperties":false}},"of":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"integer"}},"required":["key","value"],"additionalProperties":false},"description":"at least 2 properties"},"keyed":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string","description":"matching the regular expression ^x-"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}},"mixed":{"type":"object","properties":{"id":{"type":"string"},"other_properties":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}}},"required":["id","other_properties"],"additionalProperties":false},"open":{"type":"object","properties":{"id":{"type":"string"}},"additionalProperties":false},"named":{"type":"array","items":{"type":"object","properties":{"key":{"enum":["a","b"],"type":"string"},"value":{"type":"string"}},"required":["key","value"],"additionalProperties":false}}},"additionalProperties":false}
      - /properties/any: any value is asked for as JSON text, which is read back
      - /properties/of: `minProperties` is not enforced by the provider; it is written into the description and checked locally
      - /properties/keyed: which schema goes with which name is not enforced by the provider; it is checked
      - /properties/open: only the named properties are asked for
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"any":{"type":"object","additionalProperties":true},"of":{"type":"object","additionalProperties":{"type":"integer"},"description":"at least 2 properties"},"keyed":{"type":"object","additionalProperties":{"type":"string"},"description":"patternProperties: {\"^x-\":{\"type\":\"string\"}}"},"mixed":{"type":"object","properties":{"id":{"type":"string"}},"required":["id"],"additionalProperties":{"type":"string"},"propertyOrdering":["id"]},"open":{"type":"object","properties":{"id":{"type":"string"}},"additionalProperties":true,"propertyOrdering":["id"]},"named":{"type":"object","additionalProperties":{"type":"string"},"description":"propertyNames: {\"enum\":[\"a\",\"b\"]}"}},"propertyOrdering":["any","of","keyed","mixed","open","named"]}
      - /properties/of: `minProperties` is not enforced by the provider; it is written into the description and checked locally
      - /properties/keyed: `patternProperties` is not enforced by the provider; it is written into the description and checked locally
      - /properties/named: `propertyNames` is not enforced by the provider; it is written into the description and checked locally
    lists
    {"type":"object","properties":{"pair":{"type":"object","properties":{"item_1":{"type":"string"},"item_2":{"type":"integer"}},"required":["item_1","item_2"],"additionalProperties":false},"open":{"type":"object","properties":{"item_1":{"type":["string","null"]}},"required":["item_1"],"additionalProperties":false},"closed":{"type":"object","properties":{"item_1":{"type":["string","null"]},"item_2":{"type":["string","null"]}},"required":["item_1","item_2"],"additionalProperties":false},"three":{"type":"array","items":{"type":"string"},"description":"at least 3 items; at most 5 items; no item twice"},"none":{"type":"array","items":{"type":"string"},"description":"at most 0 items"},"any":{"type":"array","items":{"type":"string","description":"any JSON value, written as JSON text"}}},"additionalProperties":false}
      - /properties/pair: a list with a schema for each item is asked for as an object, and put back
      - /properties/open: a list with a schema for each item is asked for as an object, and put back
      - /properties/open/items: items after those described one by one are not asked for
      - /properties/closed: a list with a schema for each item is asked for as an object, and put back
      - /properties/three: `minItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/three: `maxItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/three: `uniqueItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/none: that there are at most 0 items is only described
      - /properties/any: any value is asked for as JSON text, which is read back
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"pair":{"type":"array","prefixItems":[{"type":"string"},{"type":"integer"}],"minItems":2,"maxItems":2},"open":{"type":"array","prefixItems":[{"type":"string"}],"items":{"type":"integer"}},"closed":{"type":"array","prefixItems":[{"type":"string"},{"type":"string"}],"maxItems":2},"three":{"type":"array","items":{"type":"string"},"minItems":3,"maxItems":5,"description":"no item twice"},"none":{"type":"array","items":{"type":"string"},"maxItems":0},"any":{"type":"array","items":{"type":"string","description":"any JSON value, written as JSON text"}}},"propertyOrdering":["pair","open","closed","three","none","any"]}
      - /properties/three: `uniqueItems` is not enforced by the provider; it is written into the description and checked locally
      - /properties/any: any value is asked for as JSON text, which is read back
    limits
    {"type":"object","properties":{"n":{"type":"integer","description":"at least 1; less than 9; a multiple of 2"},"t":{"type":"string","format":"uri","description":"matching the regular expression ^h"},"d":{"type":"string","format":"date","description":"default: \"2026-01-01\""}},"additionalProperties":false}
      - /properties/n: `minimum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/n: `exclusiveMaximum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/n: `multipleOf` is not enforced by the provider; it is written into the description and checked locally
      - /properties/t: `pattern` is not enforced by the provider; it is written into the description and checked locally
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"less than 9; a multiple of 2"},"t":{"type":"string","description":"in the format uri; matching the regular expression ^h"},"d":{"type":"string","format":"date","description":"default: \"2026-01-01\""}},"propertyOrdering":["n","t","d"]}
      - /properties/n: `exclusiveMaximum` is not enforced by the provider; it is written into the description and checked locally
      - /properties/n: `multipleOf` is not enforced by the provider; it is written into the description and checked locally
      - /properties/t: `format` is not enforced by the provider; it is written into the description and checked locally
      - /properties/t: `pattern` is not enforced by the provider; it is written into the description and checked locally
    references
    {"type":"object","properties":{"n":{"$ref":"#/$defs/a_b"},"c":{"description":"a C","type":"object","properties":{"x":{"type":"string"}},"additionalProperties":false},"cs":{"type":"array","items":{"$ref":"#/$defs/C"}}},"additionalProperties":false,"$defs":{"a_b":{"type":"integer"},"C":{"type":"object","properties":{"x":{"type":"string"}},"additionalProperties":false}}}
      - /properties/c: only the named properties are asked for
      - the schema: only the named properties are asked for
      - /definitions/C: only the named properties are asked for
    {"type":"object","properties":{"n":{"$ref":"#/$defs/a_b"},"c":{"description":"a C","type":"object","properties":{"x":{"type":"string"}},"propertyOrdering":["x"]},"cs":{"type":"array","items":{"$ref":"#/$defs/C"}}},"propertyOrdering":["n","c","cs"],"$defs":{"a_b":{"type":"integer"},"C":{"type":"object","properties":{"x":{"type":"string"}},"propertyOrdering":["x"]}}}
    what could be taken for one another is text
    {"type":"object","properties":{"text":{"type":"string","description":"any JSON value, written as JSON text"},"map":{"type":"string","description":"any JSON value, written as JSON text"}},"additionalProperties":false}
      - /properties/text: any value is asked for as JSON text, which is read back
      - /properties/map: any value is asked for as JSON text, which is read back
      - the schema: only the named properties are asked for
    {"type":"object","properties":{"text":{"type":"string","description":"any JSON value, written as JSON text"},"map":{"anyOf":[{"type":"object","additionalProperties":true},{"type":"array","items":{"type":"string"}}]}},"propertyOrdering":["text","map"]}
      - /properties/text: any value is asked for as JSON text, which is read back
    "##);
}

#[test]
fn gemini_may_leave_out_what_leads_back() {
    let node = json!({ "type": "object", "required": ["name", "children"], "properties": { "name": { "type": "string" },
        "children": { "type": "array", "items": { "$ref": "#/$defs/Node" } }, "next": { "$ref": "#/$defs/Node" } } });
    let tree = json!({ "$defs": { "Node": node }, "type": "object", "properties": { "tree": { "$ref": "#/$defs/Node" } }, "required": ["tree"] });
    insta::assert_snapshot!(summary_in(Dialect::Gemini, &tree), @r##"
    {"$defs":{"Node":{"type":"object","required":["name"],"properties":{"name":{"type":"string"},"children":{"type":"array","items":{"$ref":"#/$defs/Node"}},"next":{"$ref":"#/$defs/Node"}},"propertyOrdering":["name","children","next"]}},"type":"object","properties":{"tree":{"$ref":"#/$defs/Node"}},"required":["tree"],"propertyOrdering":["tree"]}
      - /$defs/Node/properties/children: `children` may be left out for the provider, which takes recursion only so; it is checked locally
    "##);
}

#[test]
fn where_nothing_is_enforced_the_schema_goes_out_as_it_was_given() {
    let line = json!({ "type": "object", "properties": { "x": { "type": "string" } }, "required": ["x"] });
    let cases = [
        (
            "an object",
            json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.org/a",
            "properties": { "a": { "oneOf": [true, false] } }, "required": ["a"], "minProperties": 1 }),
        ),
        (
            "of an older draft",
            json!({ "$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{ "type": "string" }] }),
        ),
        ("a reference to one", json!({ "$ref": "#/$defs/Line", "$defs": { "Line": line } })),
        (
            "a union of them",
            json!({ "anyOf": [line, { "type": "object", "properties": { "again": { "$ref": "#" } } }] }),
        ),
        (
            "a list",
            json!({ "type": "array", "items": { "$ref": "#/$defs/Line" }, "title": "Lines", "$defs": { "Line": line, "First": { "$ref": "#/items" } },
            "contains": { "const": { "$ref": "#" } } }),
        ),
        ("anything", json!(true)),
    ];
    let lines: Vec<String> = cases
        .iter()
        .map(|(name, schema)| {
            let text = Schema::from_json(schema.clone()).unwrap().wire(Dialect::Text).unwrap();
            assert_eq!(text.schema.to_string(), schema.to_string());
            assert!(text.is_identity() && text.is_as_given() && text.losses.is_empty());
            format!("{name}\n{}", summary_in(Dialect::Object, schema))
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r##"
    an object
    {"type":"object","properties":{"a":{"oneOf":[true,false]}},"required":["a"],"minProperties":1}
    of an older draft
    {"type":"object","properties":{"value":{"type":"array","items":[{"type":"string"}]}},"required":["value"],"additionalProperties":false,"$schema":"http://json-schema.org/draft-07/schema#"}
    a reference to one
    {"type":"object","$ref":"#/$defs/Line","$defs":{"Line":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]}}}
    a union of them
    {"type":"object","properties":{"value":{"anyOf":[{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]},{"type":"object","properties":{"again":{"$ref":"#/properties/value"}}}]}},"required":["value"],"additionalProperties":false}
    a list
    {"type":"object","properties":{"value":{"type":"array","items":{"$ref":"#/$defs/Line"},"title":"Lines","contains":{"const":{"$ref":"#"}}}},"required":["value"],"additionalProperties":false,"$defs":{"Line":{"type":"object","properties":{"x":{"type":"string"}},"required":["x"]},"First":{"$ref":"#/properties/value/items"}}}
    anything
    {"type":"object","properties":{"value":true},"required":["value"],"additionalProperties":false}
    "##);
}

#[test]
fn what_a_provider_does_not_take_is_refused_with_its_place() {
    let properties = |count: usize, schema: &Value| -> Value {
        (0..count).map(|number| (format!("p{number}"), schema.clone())).collect::<Map<_, _>>().into()
    };
    let optional =
        |count| json!({ "type": "object", "properties": properties(count, &json!({ "type": "string" })) });
    let nullable = |count| {
        let properties = properties(count, &json!({ "type": ["string", "null"] }));
        json!({ "type": "object", "required": properties.as_object().unwrap().keys().collect::<Vec<_>>(), "properties": properties })
    };
    let nested = json!({ "type": "array", "items": { "$ref": "#" } });
    let endless = json!({ "type": "array", "minItems": 4_000_000_000_u64, "prefixItems": [{ "type": "string" }],
        "items": { "$ref": "#/$defs/a" }, "$defs": { "a": { "type": "string" } } });
    let problems: Vec<String> = [
        (Dialect::Anthropic, optional(25)),
        (Dialect::Anthropic, nullable(17)),
        (
            Dialect::Anthropic,
            json!({ "type": "object", "properties": { "a": { "type": "array", "items": { "$ref": "#" } } } }),
        ),
        (Dialect::Gemini, nested),
        (Dialect::Anthropic, endless),
    ]
    .into_iter()
    .map(|(dialect, schema)| {
        let problem = Schema::from_json(schema).unwrap().wire(dialect).unwrap_err();
        format!("{}\n    {}", problem.message, problem.hint.unwrap_or_default())
    })
    .collect();
    insta::assert_snapshot!(problems.join("\n"), @r#"
    the schema has 25 properties that are not required at `/properties/p24`, the provider takes at most 24
        ask for less at once, or use a mode that does not send the schema to be enforced
    the schema has 17 places with alternatives or several types at `/properties/p16`, the provider takes at most 16
        ask for less at once, or use a mode that does not send the schema to be enforced
    the schema contains itself at `/properties/a/items`, the provider takes no schema that does
        write the levels out one by one, or use a mode that does not send the schema to be enforced
    the schema contains itself at `/$defs/root/items`, the provider takes that only through a property that is not required
        write the levels out one by one, or use a mode that does not send the schema to be enforced
    the schema takes more than 10000 schemas to write out
        refer to a definition without a description or other keywords beside the `$ref`
    "#);
    summary_in(Dialect::Anthropic, &optional(24));
    summary_in(Dialect::Anthropic, &nullable(16));
}
