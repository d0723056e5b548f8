//! Field profiles: shares of null and missing values, distinct counts, frequent values, and histograms of numbers and lengths.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;

use super::sketch::{Distinct, Frequent, Numbers};
use super::text::{Escaped, cut};

/// The maximum number of profiled fields, including those in objects and lists.
const MOST_FIELDS: usize = 100;

/// The maximum depth of a profiled field in objects and lists.
const DEEPEST: usize = 3;

/// The maximum length of a value that is shown and counted, in bytes.
const LONGEST_VALUE: usize = 80;

/// The most frequent values that are shown.
const TOP: usize = 8;

/// Where more than half of all values differ, the most frequent ones are shown only if one of them has at least this share of all, and
/// this many rows: otherwise they say nothing about the field.
const WORTH_SHOWING: (f64, u64) = (0.01, 3);

/// The approximate number of bars of a histogram.
const BARS: usize = 24;

/// The name of the whole value if it is not an object.
pub(crate) const WHOLE: &str = "(value)";

/// The statistics of a field.
#[derive(Debug, Default)]
struct Field {
    present: u64,
    null: u64,
    kinds: BTreeMap<&'static str, u64>,
    distinct: Distinct,
    frequent: Frequent,
    numbers: Numbers,
    lengths: Numbers,
    is_of_schema: bool,
}

/// The statistics of all fields.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    names: HashMap<String, usize>,
    seen: Vec<(String, Field)>,
    values: u64,
    has_left_out: bool,
}

/// The profile of a field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FieldProfile {
    /// Its name; `a.b` is the field `b` of the object `a`, `a[]` an item of the list `a`.
    pub(crate) name: String,
    /// Values that have it, null included.
    pub(crate) present: u64,
    /// Of those, the null ones.
    pub(crate) null: u64,
    /// Values without it; only counted for fields of the whole value.
    pub(crate) missing: u64,
    /// The share of values in which it is null or missing.
    pub(crate) empty_share: f64,
    /// The number of values of each JSON type.
    pub(crate) types: BTreeMap<&'static str, u64>,
    /// The number of distinct values.
    pub(crate) distinct: u64,
    /// Whether that is exact; otherwise it is an estimate with a standard error of 1.6 %.
    pub(crate) distinct_is_exact: bool,
    /// The most frequent values.
    pub(crate) top: Vec<TopValue>,
    /// Why none is shown, if there are some.
    pub(crate) top_left_out: Option<&'static str>,
    /// The maximum error of these counts; they are never too large.
    pub(crate) top_error: u64,
    /// The distribution of numbers.
    pub(crate) numbers: Option<Distribution>,
    /// The distribution of lengths: of texts in characters, of lists in items.
    pub(crate) lengths: Option<Distribution>,
    /// Its violations in answers that gave no value.
    pub(crate) violations: Vec<FieldViolation>,
}

/// A value and its count.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct TopValue {
    pub(crate) value: String,
    pub(crate) rows: u64,
}

/// The distribution of numbers.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Distribution {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) mean: f64,
    pub(crate) max: f64,
    /// `[from, to, count]`; a number at `to` is in the next.
    pub(crate) bars: Vec<(f64, f64, u64)>,
    /// The count of numbers outside the bars.
    pub(crate) beyond: u64,
}

/// A violation of a field.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FieldViolation {
    pub(crate) message: String,
    /// The number of answers with it.
    pub(crate) answers: u64,
    /// The number of rows that failed because of it.
    pub(crate) failed_rows: u64,
    /// An example row.
    pub(crate) example: u64,
}

impl Fields {
    /// The fields of a schema, shown in its order even if no value has them.
    pub(crate) fn of_schema(schema: &Value) -> Self {
        let mut fields = Self::default();
        for name in
            schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| name)
        {
            if let Some(field) = fields.field(name) {
                field.is_of_schema = true;
            }
        }
        fields
    }

    /// Adds a row's value.
    pub(crate) fn add(&mut self, value: &Value) {
        self.values += 1;
        match value {
            Value::Object(object) => {
                let mut path = String::new();
                for (name, value) in object {
                    path.clear();
                    path.push_str(name);
                    self.add_at(&mut path, value, 1);
                }
            }
            other => self.add_at(&mut WHOLE.to_owned(), other, 1),
        }
    }

    fn add_at(&mut self, path: &mut String, value: &Value, depth: usize) {
        let Some(field) = self.field(path) else { return };
        field.add(value);
        if depth >= DEEPEST {
            return;
        }
        let length = path.len();
        match value {
            Value::Object(object) => {
                for (name, value) in object {
                    path.push('.');
                    path.push_str(name);
                    self.add_at(path, value, depth + 1);
                    path.truncate(length);
                }
            }
            Value::Array(items) => {
                path.push_str("[]");
                for item in items {
                    self.add_at(path, item, depth + 1);
                }
                path.truncate(length);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn field(&mut self, name: &str) -> Option<&mut Field> {
        let at = match self.names.get(name) {
            Some(at) => *at,
            None if self.seen.len() >= MOST_FIELDS => {
                self.has_left_out = true;
                return None;
            }
            None => {
                self.names.insert(name.to_owned(), self.seen.len());
                self.seen.push((name.to_owned(), Field::default()));
                self.seen.len() - 1
            }
        };
        self.seen.get_mut(at).map(|(_, field)| field)
    }

    /// Whether there are more fields than the maximum.
    pub(crate) fn has_left_out(&self) -> bool {
        self.has_left_out
    }

    /// The profiles, inner fields after their outer ones.
    pub(crate) fn profiles(self) -> Vec<FieldProfile> {
        let values = self.values;
        let order: HashMap<String, usize> = self
            .seen
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (outermost(name).to_owned(), at))
            .rev()
            .collect();
        let mut fields = self.seen;
        fields.sort_by_cached_key(|(name, _)| (order.get(outermost(name)).copied(), name.clone()));
        fields.into_iter().map(|(name, field)| field.profile(name, values)).collect()
    }
}

/// The name of the field of the value that a field is or is in.
fn outermost(name: &str) -> &str {
    if name == WHOLE { name } else { name.split(['.', '[']).next().unwrap_or(name) }
}

impl Field {
    fn add(&mut self, value: &Value) {
        self.present += 1;
        let kind = match value {
            Value::Null => {
                self.null += 1;
                "null"
            }
            Value::Bool(truth) => {
                self.count(if *truth { "true" } else { "false" });
                "boolean"
            }
            Value::Number(number) => {
                if let Some(number) = number.as_f64() {
                    self.numbers.add(number);
                }
                self.count(&number.to_string());
                "number"
            }
            Value::String(text) => {
                self.lengths.add(text.chars().count() as f64);
                self.count(text);
                "string"
            }
            Value::Array(items) => {
                self.lengths.add(items.len() as f64);
                "array"
            }
            Value::Object(_) => "object",
        };
        *self.kinds.entry(kind).or_default() += 1;
    }

    fn count(&mut self, value: &str) {
        self.distinct.add(value);
        self.frequent.add(&cut(value, LONGEST_VALUE, Escaped::No));
    }

    fn profile(self, name: String, values: u64) -> FieldProfile {
        let is_inner = name.contains(['.', '[']) && !self.is_of_schema;
        let missing = if is_inner { 0 } else { values.saturating_sub(self.present) };
        let of = if is_inner { self.present } else { values };
        let (distinct, distinct_is_exact) = self.distinct.count();
        let (top, top_left_out) = self.top();
        FieldProfile {
            name,
            present: self.present,
            null: self.null,
            missing,
            empty_share: if of == 0 { 0.0 } else { (self.null + missing) as f64 / of as f64 },
            types: self.kinds,
            distinct,
            distinct_is_exact,
            top: top.into_iter().map(|(value, rows)| TopValue { value, rows }).collect(),
            top_left_out,
            top_error: self.frequent.error(),
            numbers: Distribution::of(&self.numbers),
            lengths: Distribution::of(&self.lengths),
            violations: Vec::new(),
        }
    }
}

impl Field {
    /// The most frequent values or, if they say nothing, why.
    fn top(&self) -> (Vec<(String, u64)>, Option<&'static str>) {
        let (values, (distinct, is_exact)) = (self.present - self.null, self.distinct.count());
        let top = self.frequent.top(TOP);
        if distinct <= TOP as u64 {
            return (top, None);
        }
        if is_exact && distinct == values {
            return (Vec::new(), Some("all values differ"));
        }
        let (share, rows) = WORTH_SHOWING;
        let most = top.first().map_or(0, |(_, rows)| *rows);
        if distinct > values / 2 && (most < rows || (most as f64) < values as f64 * share) {
            return (Vec::new(), Some("nearly all values differ, and none is frequent"));
        }
        (top, None)
    }
}

impl FieldProfile {
    /// The profile of a field that no value has.
    pub(crate) fn unseen(name: String) -> Self {
        Field::default().profile(name, 0)
    }
}

impl Distribution {
    /// The distribution of numbers, if there are any.
    pub(crate) fn of(numbers: &Numbers) -> Option<Self> {
        let ((min, max), median) = numbers.range().zip(numbers.quantile(0.5))?;
        let (bars, beyond) = numbers.histogram(BARS);
        let bars = bars.into_iter().map(|bar| (bar.from, bar.to, bar.count)).collect();
        Some(Self { min, median, mean: numbers.mean().unwrap_or_default(), max, bars, beyond })
    }
}

/// The name of the field at a JSON Pointer, in the notation of this file.
pub(crate) fn field_at(pointer: &str) -> String {
    let mut name = String::new();
    for part in pointer.split('/').skip(1).take(DEEPEST) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) {
            name.push_str("[]");
        } else {
            if !name.is_empty() {
                name.push('.');
            }
            name.push_str(&part);
        }
    }
    if name.is_empty() { WHOLE.to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_summed_up_in_the_order_of_the_schema_and_inner_ones_after_theirs() {
        let schema = json!({"properties": {"name": {}, "age": {}, "unseen": {}, "tags": {}}});
        let mut fields = Fields::of_schema(&schema);
        fields.add(&json!({"age": 30, "name": "Ann", "tags": ["a", "b"], "home": {"city": "Oslo"}}));
        fields.add(&json!({"age": null, "name": "Bob", "tags": ["a"]}));
        let profiles = fields.profiles();
        let names: Vec<_> = profiles.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["name", "age", "unseen", "tags", "tags[]", "home", "home.city"]);
        let [name, age, unseen, tags, tag, home, city] = &profiles[..] else { panic!("{names:?}") };
        assert_eq!((name.distinct, name.lengths.as_ref().map(|lengths| lengths.max)), (2, Some(3.0)));
        assert_eq!((age.null, age.missing, age.empty_share), (1, 0, 0.5));
        assert_eq!((unseen.missing, unseen.empty_share), (2, 1.0));
        assert_eq!(tags.lengths.as_ref().map(|lengths| (lengths.min, lengths.max)), Some((1.0, 2.0)));
        assert_eq!((tag.present, tag.top[0].value.as_str(), tag.top[0].rows), (3, "a", 2));
        assert_eq!((home.missing, city.missing), (1, 0));
    }

    #[test]
    fn frequent_values_are_shown_where_they_say_something() {
        let profile = |text: &dyn Fn(u64) -> String| {
            let mut fields = Fields::default();
            (0..1_000).for_each(|n| fields.add(&json!({ "name": text(n) })));
            let profile = fields.profiles().remove(0);
            (profile.top.len(), profile.top_left_out)
        };
        for (text, expected) in [
            (&(|n: u64| n.to_string()) as &dyn Fn(u64) -> String, (0, Some("all values differ"))),
            (&|n| (n / 2 * 2).to_string(), (TOP, None)),
            (&|n| (n.max(5)).to_string(), (0, Some("nearly all values differ, and none is frequent"))),
            // Something that a model writes when it knows nothing.
            (&|n| if n < 40 { "unknown".to_owned() } else { n.to_string() }, (1, None)),
            (&|n| (n % 5).to_string(), (5, None)),
        ] {
            let found = profile(text);
            assert_eq!((found.0.min(expected.0.max(1)), found.1), expected, "{found:?}");
        }
    }

    #[test]
    fn pointers_are_names() {
        for (pointer, name) in [
            ("", "(value)"),
            ("/age", "age"),
            ("/tags/3", "tags[]"),
            ("/a/b~1c", "a.b/c"),
            ("/a/0/b", "a[].b"),
        ] {
            assert_eq!(field_at(pointer), name);
        }
    }
}
