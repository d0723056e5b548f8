//! The keywords that compare numbers, with full precision: the validation library compares 64-bit floats. This is slower, and only used
//! where a schema or a value has numbers with more digits than a float can represent.

use std::cmp::Ordering;
use std::collections::HashSet;

use jsonschema::{Draft, Keyword, ValidationError, ValidationOptions};
use serde_json::{Map, Value};

use crate::number::{self, Decimal};
use crate::schema::breach::{Breach, Expected};
use crate::schema::json_type::JsonTypes;

/// What a keyword demands of a value, with the keyword's value, so that a breach can report it.
struct Rule {
    demand: Demand,
    said: String,
}

enum Demand {
    /// The value is one of these.
    Member(Vec<Value>),
    /// Its items differ from one another.
    Unique,
    /// It is of one of these types.
    Types { types: JsonTypes, is_draft_4: bool },
    /// If it is a number, it has this relation to the limit.
    Limit { limit: Decimal, allowed: fn(Ordering) -> bool },
    /// If it is a number, it is a multiple of this one.
    Multiple(Decimal),
    /// Nothing.
    None,
}

impl Demand {
    fn is_met(&self, value: &Value) -> bool {
        let decimal = || Decimal::of_value(value);
        match self {
            Self::Member(members) => number::is_among(value, members),
            Self::Unique => value.as_array().is_none_or(|items| {
                let mut known = HashSet::with_capacity(items.len());
                items.iter().all(|item| known.insert(number::canonical(item)))
            }),
            Self::Types { types, is_draft_4 } => types.overlaps(exact_type(value, *is_draft_4)),
            Self::Limit { limit, allowed } => decimal().is_none_or(|number| allowed(number.cmp(limit))),
            Self::Multiple(unit) => decimal().is_none_or(|number| number.is_multiple_of(unit)),
            Self::None => true,
        }
    }
}

/// The type of a value; of a number, whatever its size.
fn exact_type(value: &Value, is_draft_4: bool) -> JsonTypes {
    match value {
        Value::Number(number) => {
            let text = number.as_str();
            // Up to draft 4, `1.0` was a fraction.
            let is_whole = Decimal::of(text).is_whole() && !(is_draft_4 && text.contains(['.', 'e', 'E']));
            if is_whole { JsonTypes::INTEGER } else { JsonTypes::FRACTION }
        }
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            JsonTypes::of(value)
        }
    }
}

impl<'i> Keyword<'i> for Rule {
    fn validate(&self, value: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.demand.is_met(value) { Ok(()) } else { Err(ValidationError::custom(self.said.clone())) }
    }

    fn is_valid(&self, value: &'i Value) -> bool {
        self.demand.is_met(value)
    }
}

/// The options with those keywords in place of the library's own.
pub(super) fn added_to(mut options: ValidationOptions<'_>, draft: Draft) -> ValidationOptions<'_> {
    let is_draft_4 = draft == Draft::Draft4;
    let mut keywords = vec![
        "type",
        "enum",
        "uniqueItems",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
    ];
    // Draft 4 does not have it.
    keywords.extend((!is_draft_4).then_some("const"));
    for keyword in keywords {
        options = options.with_keyword(keyword, move |beside, said, _| {
            let demand = demand(keyword, said, beside, is_draft_4);
            Ok(Box::new(Rule { demand, said: said.to_string() }))
        });
    }
    options
}

fn demand(keyword: &str, said: &Value, beside: &Map<String, Value>, is_draft_4: bool) -> Demand {
    let excludes = |keyword: &str| beside.get(keyword) == Some(&Value::Bool(true));
    // Up to draft 4, `exclusiveMinimum` was a boolean.
    let limit = |allowed: fn(Ordering) -> bool| {
        Decimal::of_value(said).map_or(Demand::None, |limit| Demand::Limit { limit, allowed })
    };
    match keyword {
        "type" => Demand::Types { types: JsonTypes::spelled(said), is_draft_4 },
        "enum" => Demand::Member(said.as_array().cloned().unwrap_or_default()),
        "const" => Demand::Member(vec![said.clone()]),
        "uniqueItems" if said == &Value::Bool(true) => Demand::Unique,
        "minimum" if excludes("exclusiveMinimum") => limit(Ordering::is_gt),
        "maximum" if excludes("exclusiveMaximum") => limit(Ordering::is_lt),
        "minimum" => limit(Ordering::is_ge),
        "maximum" => limit(Ordering::is_le),
        "exclusiveMinimum" => limit(Ordering::is_gt),
        "exclusiveMaximum" => limit(Ordering::is_lt),
        "multipleOf" => Decimal::of_value(said).map_or(Demand::None, Demand::Multiple),
        _ => Demand::None,
    }
}

/// What is wrong with the value at `path`, by `keyword`, which says `said`.
pub(super) fn breach(path: &str, value: &Value, keyword: &str, said: &str) -> Breach {
    let limit = |words: &str| Breach::new(path, format!("{value} {words} {said}"), Expected::Other);
    let meant = || serde_json::from_str::<Value>(said).unwrap_or_default();
    match keyword {
        "type" => Breach::types(path, value, JsonTypes::spelled(&meant())),
        "enum" => Breach::member(path, value, meant().as_array().cloned().unwrap_or_default()),
        "const" => Breach::member(path, value, vec![meant()]),
        "minimum" => limit("is less than the minimum"),
        "maximum" => limit("is greater than the maximum"),
        "exclusiveMinimum" => limit("is not greater than"),
        "exclusiveMaximum" => limit("is not less than"),
        "multipleOf" => limit("is not a multiple of"),
        _ => Breach::new(path, super::ITEMS_EQUAL.to_owned(), Expected::Other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::schema::Schema;

    fn violations(schema: &str, value: &str) -> Vec<String> {
        let schema = Schema::parse(schema).expect("a schema");
        let value: Value = serde_json::from_str(value).expect("JSON");
        let violations: Vec<String> = schema.violations(&value).iter().map(ToString::to_string).collect();
        assert_eq!(schema.validates(&value), violations.is_empty(), "{value}: {violations:?}");
        violations
    }

    #[test]
    fn numbers_are_compared_with_every_digit() {
        for (schema, valid, invalid) in [
            (r#"{"const":12345678901234567890123}"#, "12345678901234567890123", "12345678901234567890124"),
            (r#"{"const":0.3}"#, "0.30", "0.30000000000000000001"),
            (r#"{"enum":[9007199254740993,"a"]}"#, "9007199254740993.0", "9007199254740992"),
            (
                r#"{"enum":[{"id":18446744073709551617}]}"#,
                r#"{"id":18446744073709551617}"#,
                r#"{"id":18446744073709551616}"#,
            ),
            (r#"{"type":"number","minimum":9007199254740993}"#, "9007199254740993", "9007199254740992.9"),
            (r#"{"type":"number","maximum":0.1}"#, "0.1", "0.10000000000000000001"),
            (
                r#"{"type":"number","exclusiveMinimum":10000000000000000000000}"#,
                "10000000000000000000001",
                "1e22",
            ),
            (
                r#"{"type":"number","exclusiveMaximum":0.12345678901234567891}"#,
                "0.1234567890123456789",
                "0.12345678901234567891",
            ),
            (r#"{"type":"number","exclusiveMinimum":0}"#, "1e-400", "0e-400"),
            (r#"{"type":"number","multipleOf":0.01}"#, "10704681070468107046.14", "10704681070468107046.145"),
            (
                r#"{"type":"integer","multipleOf":12345678901234567890}"#,
                "24691357802469135780",
                "24691357802469135781",
            ),
            (r#"{"type":"integer"}"#, "12345678901234567890.0", "12345678901234567890.5"),
            (r#"{"type":"integer"}"#, "1e50", "1e-400"),
            (
                r#"{"type":"array","items":{},"uniqueItems":true}"#,
                "[1,0.1,0.10000000000000000001]",
                "[0.1,1e-1]",
            ),
            (
                r#"{"type":"array","items":{},"uniqueItems":true}"#,
                r#"[{"a":18446744073709551616},{"a":18446744073709551617}]"#,
                r#"[{"a":1e20,"b":1},{"b":1.0,"a":100000000000000000000}]"#,
            ),
            (
                r##"{"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[{"const":36893488147419103233},{"type":"null"}]}}}"##,
                "36893488147419103233",
                "36893488147419103232",
            ),
            (
                r#"{"$schema":"http://json-schema.org/draft-04/schema#","type":"number","minimum":36893488147419103232,"exclusiveMinimum":true}"#,
                "36893488147419103233",
                "36893488147419103232",
            ),
        ] {
            assert_eq!(violations(schema, valid), Vec::<String>::new(), "{schema}");
            assert_eq!(violations(schema, invalid).len(), 1, "{schema} {invalid}");
        }
    }

    #[test]
    fn the_words_are_those_of_any_number() {
        for (schema, value, words) in [
            (r#"{"const":12345678901234567890123}"#, "1", "is `1`, expected 12345678901234567890123"),
            (
                r#"{"enum":[36893488147419103232,null]}"#,
                "36893488147419103233",
                "`36893488147419103233` is not one of 36893488147419103232, null",
            ),
            (r#"{"type":"integer"}"#, "12345678901234567890.5", "is a number, expected an integer"),
            (
                r#"{"type":"number","minimum":36893488147419103233}"#,
                "36893488147419103232",
                "36893488147419103232 is less than the minimum 36893488147419103233",
            ),
            (
                r#"{"type":"number","maximum":0.1}"#,
                "0.10000000000000000001",
                "0.10000000000000000001 is greater than the maximum 0.1",
            ),
            (
                r#"{"type":"number","multipleOf":0.1}"#,
                "0.10000000000000000001",
                "0.10000000000000000001 is not a multiple of 0.1",
            ),
            (
                r#"{"type":"array","items":{},"uniqueItems":true}"#,
                "[1e20,1e20]",
                "has items that are equal, expected each only once",
            ),
        ] {
            assert_eq!(violations(schema, value), [words], "{schema}");
        }
    }
}
