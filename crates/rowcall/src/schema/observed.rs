//! Observations of how a running server treats the parts of a schema. `probe.rs` sends the requests, `question.rs` defines them, and
//! `wire/dialect/observed.rs` adjusts a dialect to the results.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::subschemas::Subschemas;

/// The formats that are tested: those of any dialect.
pub(super) const FORMATS: [&str; 10] =
    ["date", "time", "date-time", "uuid", "email", "uri", "hostname", "ipv4", "ipv6", "duration"];

/// A part of JSON Schema that a server may or may not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// Any schema at all: an object with a typed property.
    Schema,
    /// That properties come in the schema's order.
    Order,
    /// `additionalProperties: false`.
    Closed,
    /// A property that is not required.
    Optional,
    /// `enum`.
    Members,
    /// `anyOf`.
    Alternatives,
    /// An object with any names and values of one schema.
    Map,
    /// `prefixItems`.
    Tuple,
    /// A definition that refers to itself.
    Recursion,
    /// An empty schema.
    Anything,
    /// `pattern`.
    Pattern,
    /// `minLength` and `maxLength`.
    Length,
    /// `minimum` and `maximum` of integers.
    Integers,
    /// `exclusiveMinimum` and `exclusiveMaximum` of integers.
    ExclusiveIntegers,
    /// `minimum` and `maximum` of other numbers.
    Numbers,
    /// `exclusiveMinimum` and `exclusiveMaximum` of other numbers.
    ExclusiveNumbers,
    /// `multipleOf` of integers.
    Multiples,
    /// `minItems` and `maxItems`.
    Counts,
    /// `uniqueItems`.
    Unique,
    /// `format` with this value.
    Format(&'static str),
}

/// All features but the formats, in the order in which they are tested.
const OTHERS: [Feature; 19] = [
    Feature::Schema,
    Feature::Order,
    Feature::Closed,
    Feature::Optional,
    Feature::Members,
    Feature::Alternatives,
    Feature::Map,
    Feature::Tuple,
    Feature::Recursion,
    Feature::Anything,
    Feature::Pattern,
    Feature::Length,
    Feature::Integers,
    Feature::ExclusiveIntegers,
    Feature::Numbers,
    Feature::ExclusiveNumbers,
    Feature::Multiples,
    Feature::Counts,
    Feature::Unique,
];

impl Feature {
    /// All features, in the order in which they are tested.
    pub fn all() -> Vec<Self> {
        OTHERS.into_iter().chain(FORMATS.into_iter().map(Self::Format)).collect()
    }

    /// The features that a schema may need, and the two that every schema needs.
    pub fn of_schema(schema: &Value) -> Vec<Self> {
        let mut found = BTreeSet::from([Self::Schema, Self::Order]);
        // A schema that cannot be traversed is rejected elsewhere.
        for subschema in Subschemas::of(schema).iter().flat_map(Subschemas::all) {
            if let Some(keywords) = subschema.schema.as_object() {
                found.extend(of_keywords(keywords));
            }
        }
        found.into_iter().collect()
    }

    /// Its name, as one word.
    pub fn name(self) -> String {
        let name = match self {
            Self::Schema => "schema",
            Self::Order => "order",
            Self::Closed => "closed_object",
            Self::Optional => "optional_property",
            Self::Members => "enum",
            Self::Alternatives => "alternatives",
            Self::Map => "map",
            Self::Tuple => "tuple",
            Self::Recursion => "recursion",
            Self::Anything => "any_value",
            Self::Pattern => "pattern",
            Self::Length => "length",
            Self::Integers => "integer_bounds",
            Self::ExclusiveIntegers => "exclusive_integer_bounds",
            Self::Numbers => "number_bounds",
            Self::ExclusiveNumbers => "exclusive_number_bounds",
            Self::Multiples => "multiple_of",
            Self::Counts => "item_count",
            Self::Unique => "unique_items",
            Self::Format(format) => return format!("format_{}", format.replace('-', "_")),
        };
        name.to_owned()
    }

    /// Its description: what is written in a schema.
    pub fn phrase(self) -> String {
        let phrase = match self {
            Self::Schema => "an object with a property of a type",
            Self::Order => "properties in the schema's order",
            Self::Closed => "`additionalProperties: false`",
            Self::Optional => "a property that is not required",
            Self::Members => "`enum`",
            Self::Alternatives => "`anyOf`",
            Self::Map => "a map: `additionalProperties` with a schema",
            Self::Tuple => "a tuple: `prefixItems`",
            Self::Recursion => "a definition that refers to itself",
            Self::Anything => "any value: `{}`",
            Self::Pattern => "`pattern`",
            Self::Length => "`minLength`, `maxLength`",
            Self::Integers => "`minimum`, `maximum` of integers",
            Self::ExclusiveIntegers => "`exclusiveMinimum`, `exclusiveMaximum` of integers",
            Self::Numbers => "`minimum`, `maximum` of numbers",
            Self::ExclusiveNumbers => "`exclusiveMinimum`, `exclusiveMaximum` of numbers",
            Self::Multiples => "`multipleOf` of integers",
            Self::Counts => "`minItems`, `maxItems`",
            Self::Unique => "`uniqueItems`",
            Self::Format(format) => return format!("`format: {format}`"),
        };
        phrase.to_owned()
    }
}

/// The features that the keywords of one schema need.
fn of_keywords(keywords: &Map<String, Value>) -> Vec<Feature> {
    let has = |names: &[&str]| names.iter().any(|name| keywords.contains_key(*name));
    let type_is = |name: &str| match keywords.get("type") {
        None => true,
        Some(Value::String(only)) => only == name,
        Some(several) => several.as_array().is_some_and(|all| all.iter().any(|each| each == name)),
    };
    let names = keywords.get("properties").and_then(Value::as_object);
    let is_map = type_is("object")
        && names.is_none_or(Map::is_empty)
        && keywords.get("additionalProperties") != Some(&Value::Bool(false));
    let says_type = has(&["type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "not", "if"]);
    let (bounds, exclusive) = (has(&["minimum", "maximum"]), has(&["exclusiveMinimum", "exclusiveMaximum"]));
    let format = keywords.get("format").and_then(Value::as_str);
    let needed = [
        (Feature::Closed, names.is_some_and(|names| !names.is_empty())),
        (Feature::Members, has(&["enum", "const"])),
        (Feature::Alternatives, has(&["anyOf", "oneOf"])),
        (Feature::Map, is_map && has(&["type", "additionalProperties", "patternProperties"])),
        (Feature::Tuple, has(&["prefixItems"]) || keywords.get("items").is_some_and(Value::is_array)),
        (Feature::Recursion, has(&["$ref"])),
        (Feature::Anything, !says_type && !has(&["properties", "items"])),
        (Feature::Pattern, has(&["pattern", "patternProperties"])),
        (Feature::Length, has(&["minLength", "maxLength"])),
        (Feature::Integers, bounds && type_is("integer")),
        (Feature::Numbers, bounds && type_is("number")),
        (Feature::ExclusiveIntegers, exclusive && type_is("integer")),
        (Feature::ExclusiveNumbers, exclusive && type_is("number")),
        (Feature::Multiples, has(&["multipleOf"]) && type_is("integer")),
        (Feature::Counts, has(&["minItems", "maxItems"])),
        (Feature::Unique, keywords.get("uniqueItems") == Some(&Value::Bool(true))),
    ];
    let needed = needed.into_iter().filter(|(_, is_needed)| *is_needed).map(|(feature, _)| feature);
    let known = FORMATS.into_iter().filter(|known| format == Some(known)).map(Feature::Format);
    needed.chain(known).collect()
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.phrase())
    }
}

impl Serialize for Feature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

impl<'de> Deserialize<'de> for Feature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let found = Self::all().into_iter().find(|feature| feature.name() == name);
        found.ok_or_else(|| {
            D::Error::custom(format!("`{name}` is not a part of a schema that is asked about"))
        })
    }
}

/// How a server treats a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It enforces the feature: the answers conformed although the prompt asked for one that does not.
    Enforced,
    /// It accepts the feature but does not enforce it.
    Ignored,
    /// It rejects a schema with the feature.
    Refused,
    /// Nothing is known: the answer is inconclusive.
    Unknown,
}

impl Finding {
    /// Its name, as one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Ignored => "ignored",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }
}

/// An observation about a feature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The feature.
    pub feature: Feature,
    /// How the server treats it.
    pub finding: Finding,
    /// The number of answers that show it.
    pub answers: u32,
    /// The answer or the error message, if the answer does not conform.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What was observed about a server; empty if it was not tested.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Observed(pub Vec<Observation>);

impl Observed {
    /// What is known about the feature.
    pub fn finding(&self, feature: Feature) -> Finding {
        let known = self.0.iter().find(|observation| observation.feature == feature);
        known.map_or(Finding::Unknown, |observation| observation.finding)
    }

    /// The features with this finding.
    pub fn with(&self, finding: Finding) -> Vec<Feature> {
        let alike = self.0.iter().filter(|observation| observation.finding == finding);
        alike.map(|observation| observation.feature).collect()
    }

    /// Those of `features` that were not tested.
    pub fn lacking(&self, features: &[Feature]) -> Vec<Feature> {
        let is_known = |feature: &Feature| self.0.iter().any(|known| known.feature == *feature);
        features.iter().copied().filter(|feature| !is_known(feature)).collect()
    }
}
