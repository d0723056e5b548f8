//! Estimates what a row would take without asking about it: input from bytes, output from the schema. `docs/cost.md` says how
//! accurate that is; a sample shows what answers really take.

mod length;

use std::collections::HashMap;

use serde_json::Value;

use crate::identity::Key;
use crate::money::Usd;
use crate::price::Moment;

/// English and JSON average about four bytes per token.
const BYTES_PER_TOKEN: usize = 4;

/// How deep a schema that refers to itself is followed.
const DEEPEST: usize = 6;

/// The estimate for a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowEstimate {
    /// Identifies the row: rows with the same key are asked about once.
    pub key: Key,
    /// Bytes of text in its first request.
    pub bytes: usize,
    /// Input tokens of its first request.
    pub input_tokens: u64,
    /// Output tokens of an answer.
    pub output_tokens: Range<u64>,
    /// What one request costs now; `None` if unknown.
    pub cost: Option<Range<Usd>>,
    /// What it costs at the most expensive time of the next day.
    pub dearest: Option<Usd>,
    /// What it would cost in a batch, if the provider has a cheaper price for that.
    pub by_batch: Option<Usd>,
    /// The most that it can cost, if bounded.
    pub most: Option<Usd>,
}

/// What all rows of an input are likely to take, each that has to be asked about once. Amounts are `None` where a row's is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunEstimate {
    /// All rows.
    pub rows: u64,
    /// Rows that cannot be asked about, such as those without a field that the prompt uses.
    pub unaskable: u64,
    /// Rows that are asked the same as one before them.
    pub equal: u64,
    /// Rows whose answers are in the cache.
    pub cached: u64,
    /// Tokens of all requests.
    pub input_tokens: u64,
    /// Tokens of all answers.
    pub output_tokens: Range<u64>,
    /// What all requests cost, now.
    pub cost: Option<Range<Usd>>,
    /// What they cost at the dearest time of the next day.
    pub dearest: Option<Usd>,
    /// What they would cost as a batch; no less than `cost` where the provider has no price for batches.
    pub by_batch: Option<Usd>,
    /// The most that they can cost if nothing is asked twice.
    pub most: Option<Usd>,
}

impl RunEstimate {
    /// That of no rows.
    pub(crate) fn new() -> Self {
        let none = Usd::ZERO;
        Self {
            rows: 0,
            unaskable: 0,
            equal: 0,
            cached: 0,
            input_tokens: 0,
            output_tokens: Range::default(),
            cost: Some(Range { low: none, likely: none, high: none }),
            dearest: Some(none),
            by_batch: Some(none),
            most: Some(none),
        }
    }

    /// Adds a row that has to be asked about.
    pub(crate) fn add(&mut self, row: &RowEstimate) {
        let both = |sum: Option<Usd>, more: Option<Usd>| Some(sum? + more?);
        self.input_tokens += row.input_tokens;
        let (sum, more) = (self.output_tokens, row.output_tokens);
        self.output_tokens =
            Range { low: sum.low + more.low, likely: sum.likely + more.likely, high: sum.high + more.high };
        self.cost = self.cost.zip(row.cost).map(|(sum, more)| Range {
            low: sum.low + more.low,
            likely: sum.likely + more.likely,
            high: sum.high + more.high,
        });
        self.dearest = both(self.dearest, row.dearest);
        self.by_batch = both(self.by_batch, row.by_batch);
        self.most = both(self.most, row.most);
    }

    /// Rows that have to be asked about.
    pub fn asked(&self) -> u64 {
        self.rows - self.unaskable - self.equal - self.cached
    }
}

/// A likely value with its range.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range<T> {
    /// Rarely less.
    pub low: T,
    /// The likely value.
    pub likely: T,
    /// Rarely more.
    pub high: T,
}

impl<T> Range<T> {
    /// The same range with `f` applied to each value.
    pub fn map<U>(self, f: impl Fn(T) -> U) -> Range<U> {
        Range { low: f(self.low), likely: f(self.likely), high: f(self.high) }
    }
}

/// The moments at which prices are compared to find the highest of the next day: every half hour.
pub(crate) fn next_day(now: Moment) -> impl Iterator<Item = Moment> {
    (0..=48).map(move |half_hours| Moment::from_seconds(now.seconds().saturating_add(half_hours * 1_800)))
}

/// How many tokens a value of this schema has, excluding any reasoning before it.
pub(crate) fn answer(schema: &Value) -> Range<u64> {
    let Range { low, likely, high } = Sizes { root: schema, known: HashMap::new() }.bytes(schema, "", 0);
    Range { low: tokens(low), likely: tokens(likely), high: tokens(high) }
}

/// The approximate tokens of this many bytes of text.
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

/// The lengths of values as JSON text. A schema may be referred to many times, each of which would multiply the work, so it is measured
/// only once at each depth for each property's name.
struct Sizes<'s> {
    root: &'s Value,
    known: HashMap<(*const Value, usize, &'s str), Range<usize>>,
}

impl<'s> Sizes<'s> {
    /// The length of a value of `schema`, which is a property of this name or an item of one.
    fn bytes(&mut self, schema: &'s Value, property: &'s str, depth: usize) -> Range<usize> {
        let at = (std::ptr::from_ref(schema), depth, property);
        if let Some(known) = self.known.get(&at) {
            return *known;
        }
        let size = self.measured(schema, property, depth);
        self.known.insert(at, size);
        size
    }

    fn measured(&mut self, schema: &'s Value, property: &'s str, depth: usize) -> Range<usize> {
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
            return self.bytes(target, property, depth + 1);
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
                return one_of(
                    branches.iter().map(|branch| self.bytes(branch, property, depth + 1)).collect(),
                );
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
                properties.iter().fold(Range { low: 2, likely: 2, high: 2 }, |sum, (name, schema)| {
                    // Its quotation marks, colon and comma.
                    let named = name.len() + 4;
                    let size = self.bytes(schema, name, depth + 1);
                    let size = plus(size, Range { low: named, likely: named, high: named });
                    let low = if required.contains(&name.as_str()) { size.low } else { 0 };
                    plus(sum, Range { low, ..size })
                })
            }
            Some("array") => {
                let items = schema.get("items").map_or(Range { low: 2, likely: 12, high: 60 }, |items| {
                    self.bytes(items, property, depth + 1)
                });
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
                let format = schema.get("format").and_then(Value::as_str);
                let likely = length::likely(property, format);
                Range { low: within(1), likely: within(likely), high: within(likely.max(50) * 4) }
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
    fn the_length_of_an_answer_follows_from_its_schema() {
        let tokens = |schema: &str| answer(Schema::parse(schema).expect("a schema").as_json());
        let person = tokens("name, age int, occupation");
        // {"name":"John Smith","age":30,"occupation":"engineer"}
        assert!(
            (8..=14).contains(&person.low) && (13..=25).contains(&person.likely) && person.high > 100,
            "{person:?}"
        );
        // {"title":"…","summary":"…"}: a sentence or two.
        let summary = tokens("title, summary");
        assert!((45..=90).contains(&summary.likely), "{summary:?}");
        let label = tokens("sentiment: positive or negative or neutral");
        assert!(label.low <= 8 && label.likely <= 12, "{label:?}");
        assert!(tokens("tags str[]").likely > tokens("tag").likely);
        let shared = json!({"properties": {"name": {"$ref": "#/$defs/text"}, "summary": {"$ref": "#/$defs/text"}},
            "$defs": {"text": {"type": "string"}}});
        let apart = json!({"properties": {"name": {"type": "string"}, "summary": {"type": "string"}}});
        assert_eq!(answer(&shared).likely, answer(&apart).likely, "a definition under two names");
        let own = json!({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object", "properties":
            {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}}}}});
        assert!(answer(&own).likely < 100, "a schema that refers to itself ends");
    }

    #[test]
    fn a_schema_that_refers_to_itself_from_everywhere_is_measured_in_time() {
        // Measuring every reference separately would take a billion of them.
        let names = (0..100).map(|number| (format!("p{number}"), json!({"$ref": "#/$defs/n"})));
        let properties: serde_json::Map<String, Value> = names.collect();
        let schema =
            json!({"$ref": "#/$defs/n", "$defs": {"n": {"type": "object", "properties": properties}}});
        let mut sizes = Sizes { root: &schema, known: HashMap::new() };
        let size = sizes.bytes(&schema, "", 0);
        assert!(sizes.known.len() < 1_000, "{} measured", sizes.known.len());
        assert!(size.low <= size.likely && size.likely <= size.high);
    }

    #[test]
    fn the_answer_to_any_schema_has_a_length() {
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
