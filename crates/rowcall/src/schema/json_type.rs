//! The types of JSON Schema, and sets of them. `integer` and `number` overlap: an integer is a number without a
//! fractional part, however it is written.

use std::fmt;
use std::ops::{BitAnd, BitOr};

use serde_json::{Number, Value};

use crate::number;

/// A type as the `type` keyword of JSON Schema names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JsonType {
    /// `null`.
    Null,
    /// `true` or `false`.
    Boolean,
    /// A number without a fractional part; JSON Schema counts `3.0` among them.
    Integer,
    /// Any number.
    Number,
    /// A string.
    String,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl JsonType {
    /// In the order in which they are listed.
    const ALL: [Self; 7] =
        [Self::Boolean, Self::Integer, Self::Number, Self::String, Self::Array, Self::Object, Self::Null];

    /// The type with this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|candidate| candidate.name() == name)
    }

    /// The narrowest type of `value`: `3` and `3.0` are integers, `3.5` is a number.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if is_integral(number) => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// The name that JSON Schema gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }

    /// The name with its article, for a sentence.
    pub(super) fn phrase(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

impl fmt::Display for JsonType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn is_integral(number: &Number) -> bool {
    number.is_i64() || number.is_u64() || number::whole(number).is_some()
}

/// A set of types. `number` is two bits, whole and fractional, so that the common part of `number` and `integer` is
/// `integer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JsonTypes(u8);

impl JsonTypes {
    pub(super) const NONE: Self = Self(0);
    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(1 << 1);
    pub(super) const INTEGER: Self = Self(1 << 2);
    pub(super) const FRACTION: Self = Self(1 << 3);
    pub(super) const NUMBER: Self = Self(Self::INTEGER.0 | Self::FRACTION.0);
    pub(super) const STRING: Self = Self(1 << 4);
    pub(super) const ARRAY: Self = Self(1 << 5);
    pub(super) const OBJECT: Self = Self(1 << 6);
    pub(super) const ANY: Self = Self(0x7f);

    /// The set that a `type` keyword spells, a name or a list of names; unknown names count for nothing.
    pub(super) fn spelled(keyword: &Value) -> Self {
        match keyword {
            Value::String(name) => JsonType::named(name).map_or(Self::NONE, Self::from),
            Value::Array(names) => names.iter().map(Self::spelled).fold(Self::NONE, BitOr::bitor),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Self::NONE,
        }
    }

    /// The types of `values`, each as narrow as possible.
    pub(super) fn of_all<'v>(values: impl IntoIterator<Item = &'v Value>) -> Self {
        values.into_iter().map(Self::of).fold(Self::NONE, BitOr::bitor)
    }

    /// The narrowest set that holds `value`.
    pub(super) fn of(value: &Value) -> Self {
        match JsonType::of(value) {
            JsonType::Number => Self::FRACTION,
            narrow @ (JsonType::Null
            | JsonType::Boolean
            | JsonType::Integer
            | JsonType::String
            | JsonType::Array
            | JsonType::Object) => Self::from(narrow),
        }
    }

    pub(super) fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// Whether every type of `other` is in this set.
    pub(super) fn includes(self, other: Self) -> bool {
        self & other == other
    }

    /// Whether the sets have a type in common.
    pub(super) fn overlaps(self, other: Self) -> bool {
        self & other != Self::NONE
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The types by name, `integer` left out where `number` says it already.
    pub(super) fn list(self) -> Vec<JsonType> {
        // What takes fractions has no narrower name than `number`.
        let named = if self.overlaps(Self::FRACTION) { self | Self::NUMBER } else { self };
        JsonType::ALL
            .into_iter()
            .filter(|each| named.includes(Self::from(*each)))
            .filter(|each| *each != JsonType::Integer || !named.includes(Self::NUMBER))
            .collect()
    }

    /// The value of a `type` keyword for this set: one name, or a list of names.
    pub(super) fn spell(self) -> Value {
        let names: Vec<Value> = self.list().into_iter().map(|each| Value::from(each.name())).collect();
        match <[Value; 1]>::try_from(names) {
            Ok([name]) => name,
            Err(names) => Value::Array(names),
        }
    }

    /// The types in a sentence: "a string", "an integer or null".
    pub(super) fn phrase(self) -> String {
        self.list().into_iter().map(JsonType::phrase).collect::<Vec<_>>().join(" or ")
    }
}

impl From<JsonType> for JsonTypes {
    fn from(one: JsonType) -> Self {
        match one {
            JsonType::Null => Self::NULL,
            JsonType::Boolean => Self::BOOLEAN,
            JsonType::Integer => Self::INTEGER,
            JsonType::Number => Self::NUMBER,
            JsonType::String => Self::STRING,
            JsonType::Array => Self::ARRAY,
            JsonType::Object => Self::OBJECT,
        }
    }
}

impl BitOr for JsonTypes {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for JsonTypes {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}
