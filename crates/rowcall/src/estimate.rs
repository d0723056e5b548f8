//! What a row would take if it were asked about, as far as that can be said without asking: input by bytes, output by what the schema
//! asks for. How far off that is, `docs/cost.md` says; what answers really take, a sample shows.

use std::collections::HashMap;

use serde_json::Value;

use crate::identity::Key;
use crate::money::Usd;
use crate::price::Moment;

/// English and JSON run at about four bytes a token.
const BYTES_PER_TOKEN: usize = 4;

/// A schema that refers to itself is followed so far.
const DEEPEST: usize = 6;

/// What a row is likely to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowEstimate {
    /// What it is known by: rows with the same one are asked once.
    pub key: Key,
    /// Bytes of words in its first request.
    pub bytes: usize,
    /// Tokens of that.
    pub input_tokens: u64,
    /// Tokens of an answer.
    pub output_tokens: Range<u64>,
    /// What one request costs, now; `None` if that is not known.
    pub cost: Option<Range<Usd>>,
    /// What it costs at the dearest time of the next day.
    pub dearest: Option<Usd>,
    /// What it would cost as a part of a batch, if the provider has a price for that.
    pub by_batch: Option<Usd>,
    /// The most that it can cost, if there is a most.
    pub most: Option<Usd>,
}

/// A likely figure and what it lies between.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range<T> {
    /// It is hardly less.
    pub low: T,
    /// It is about this.
    pub likely: T,
    /// It is hardly more.
    pub high: T,
}

impl<T> Range<T> {
    /// The same, each put through `f`.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Range<U> {
        Range { low: f(self.low), likely: f(self.likely), high: f(self.high) }
    }
}

/// The moments at which prices are looked at to find the dearest of the next day: every half hour.
pub(crate) fn next_day(now: Moment) -> impl Iterator<Item = Moment> {
    (0..=48).map(move |half_hours| Moment::from_seconds(now.seconds().saturating_add(half_hours * 1_800)))
}

/// How many tokens a value of this schema has, without any thought that goes before it.
pub(crate) fn answer(schema: &Value) -> Range<u64> {
    let Range { low, likely, high } = Sizes { root: schema, known: HashMap::new() }.bytes(schema, 0);
    Range { low: tokens(low), likely: tokens(likely), high: tokens(high) }
}

/// How many tokens so many bytes of words are.
pub(crate) fn tokens(bytes: usize) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN) as u64
}

fn each(of: Range<usize>, count: Range<usize>) -> Range<usize> {
    Range {
        low: of.low.saturating_mul(count.low),
        likely: of.likely.saturating_mul(count.likely),
        high: of.high.saturating_mul(count.high),
    }
}

fn plus(one: Range<usize>, other: Range<usize>) -> Range<usize> {
    Range {
        low: one.low.saturating_add(other.low),
        likely: one.likely.saturating_add(other.likely),
        high: one.high.saturating_add(other.high),
    }
}

/// How long values are as JSON text. A schema may be referred to from many places, each of which would double the work: it is measured once
/// at each depth.
struct Sizes<'s> {
    root: &'s Value,
    known: HashMap<(*const Value, usize), Range<usize>>,
}

impl<'s> Sizes<'s> {
    fn bytes(&mut self, schema: &'s Value, depth: usize) -> Range<usize> {
        let at = (std::ptr::from_ref(schema), depth);
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let size = self.measured(schema, depth);
        self.known.insert(at, size);
        size
    }

    fn measured(&mut self, schema: &'s Value, depth: usize) -> Range<usize> {
        let root = self.root;
        let number = |name: &str| {
            schema.get(name).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
        };
        if depth > DEEPEST {
            return Range { low: 4, likely: 4, high: 40 };
        }
        if let Some(target) =
            schema.get("$ref").and_then(Value::as_str).and_then(|path| root.pointer(path.strip_prefix('#')?))
        {
            return self.bytes(target, depth + 1);
        }
        let one_of = |sizes: Vec<Range<usize>>| {
            let sum = sizes.iter().fold(0, |sum: usize, size| sum.saturating_add(size.likely));
            let likely = sum / sizes.len().max(1);
            let low = sizes.iter().map(|size| size.low).min().unwrap_or_default();
            Range { low, likely, high: sizes.iter().map(|size| size.high).max().unwrap_or_default() }
        };
        let exactly = |value: &Value| {
            let length = value.to_string().len();
            Range { low: length, likely: length, high: length }
        };
        if let Some(value) = schema.get("const") {
            return exactly(value);
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            return one_of(values.iter().map(exactly).collect());
        }
        for name in ["anyOf", "oneOf"] {
            if let Some(Value::Array(branches)) = schema.get(name) {
                return one_of(branches.iter().map(|branch| self.bytes(branch, depth + 1)).collect());
            }
        }
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().find(|kind| *kind != "null").and_then(Value::as_str),
            Some(kind) => kind.as_str(),
            None if schema.get("properties").is_some() => Some("object"),
            None => None,
        };
        match kind {
            Some("object") => {
                let Some(Value::Object(properties)) = schema.get("properties") else {
                    return Range { low: 2, likely: 60, high: 400 };
                };
                let required: Vec<_> = schema
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                properties.iter().fold(Range { low: 2, likely: 2, high: 2 }, |sum, (name, property)| {
                    let size = plus(self.bytes(property, depth + 1), exactly(&Value::from(name.len())));
                    let named = name.len() + 4;
                    let size = plus(size, Range { low: named, likely: named, high: named });
                    let low = if required.contains(&name.as_str()) { size.low } else { 0 };
                    plus(sum, Range { low, ..size })
                })
            }
            Some("array") => {
                let items = schema
                    .get("items")
                    .map_or(Range { low: 2, likely: 12, high: 60 }, |items| self.bytes(items, depth + 1));
                let (least, most) = (number("minItems").unwrap_or(0), number("maxItems").unwrap_or(10));
                let count = Range {
                    low: least,
                    likely: 3.clamp(least, most.max(least)),
                    high: most.clamp(least, 100.max(least)),
                };
                plus(
                    each(plus(items, Range { low: 1, likely: 1, high: 1 }), count),
                    Range { low: 2, likely: 2, high: 2 },
                )
            }
            Some("string") => {
                let (least, most) = (number("minLength").unwrap_or(1), number("maxLength").unwrap_or(200));
                let within = |length: usize| length.clamp(least, most.max(least)).saturating_add(2);
                Range { low: within(1), likely: within(20), high: within(200) }
            }
            Some("integer") => Range { low: 1, likely: 3, high: 10 },
            Some("number") => Range { low: 1, likely: 5, high: 18 },
            Some("boolean") => Range { low: 4, likely: 5, high: 5 },
            Some("null") => Range { low: 4, likely: 4, high: 4 },
            Some(_) | None => Range { low: 1, likely: 60, high: 400 },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Schema;

    #[test]
    fn an_answer_is_as_long_as_what_its_schema_asks_for() {
        let tokens = |schema: &str| answer(Schema::parse(schema).expect("a schema").as_json());
        let person = tokens("name, age int, occupation");
        // {"name":"John Smith","age":30,"occupation":"engineer"}
        assert!(
            (8..=14).contains(&person.low) && (13..=25).contains(&person.likely) && person.high > 100,
            "{person:?}"
        );
        let label = tokens("sentiment: positive or negative or neutral");
        assert!(label.low <= 8 && label.likely <= 12, "{label:?}");
        assert!(tokens("tags str[]").likely > tokens("tag").likely);
        let own = json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties":
            {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}});
        assert!(answer(&own).likely < 100, "one that refers to itself has an end");
    }

    #[test]
    fn a_schema_that_refers_to_itself_from_everywhere_is_measured_in_time() {
        // Measured place by place it would take a billion of them.
        let names = (0..100).map(|number| (format!("p{number}"), json!({"$ref": "#/$defs/n"})));
        let properties: serde_json::Map<String, Value> = names.collect();
        let schema =
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": properties}}});
        let mut sizes = Sizes { root: &schema, known: HashMap::new() };
        let size = sizes.bytes(&schema, 0);
        assert!(sizes.known.len() < 1_000, "{} places", sizes.known.len());
        assert!(size.low <= size.likely && size.likely <= size.high);
    }

    #[test]
    fn whatever_the_schema_its_answer_has_a_length() {
        for schema in [
            json!({}),
            json!(true),
            json!({"type": ["null", "string"], "minLength": 9}),
            json!({"enum": []}),
            json!({"type": "array", "minItems": 500, "items": {"const": 7}}),
            json!({"type": "object"}),
            json!({"type": "array", "minItems": u64::MAX, "items": {"type": "string", "minLength": u64::MAX}}),
        ] {
            let Range { low, likely, high } = answer(&schema);
            assert!(low <= likely && likely <= high, "{schema}: {low} {likely} {high}");
        }
    }
}
