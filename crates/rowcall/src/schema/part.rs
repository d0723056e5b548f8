//! One schema of the user with its location, read keyword by keyword. Older spellings of a keyword are read in the same way.
//! `place.rs` combines schemas that hold together.

use serde_json::Value;

use super::json_type::JsonTypes;
use crate::violation::escaped;

/// One schema among those that hold at a place.
#[derive(Debug, Clone)]
pub(super) struct Part<'s> {
    /// Its location in the user's schema, as a JSON Pointer.
    pub(super) pointer: String,
    schema: &'s Value,
    /// Keywords that are already handled and are now ignored.
    spent: Vec<&'static str>,
}

impl<'s> Part<'s> {
    /// The schema at `pointer`.
    pub(super) fn new(pointer: String, schema: &'s Value) -> Self {
        Self { pointer, schema, spent: Vec::new() }
    }

    /// The same without `keywords`.
    pub(super) fn spend(mut self, keywords: &[&'static str]) -> Self {
        for keyword in keywords {
            if self.get(keyword).is_some() {
                self.spent.push(keyword);
            }
        }
        self
    }

    pub(super) fn spent(&self) -> &[&'static str] {
        &self.spent
    }

    pub(super) fn get(&self, keyword: &str) -> Option<&'s Value> {
        if self.spent.contains(&keyword) { None } else { self.schema.get(keyword) }
    }

    /// The keywords and their values, in order.
    pub(super) fn keywords(&self) -> impl Iterator<Item = (&'s str, &'s Value)> {
        let keywords = self.schema.as_object().into_iter().flatten();
        keywords.map(|(name, value)| (name.as_str(), value)).filter(|(name, _)| !self.spent.contains(name))
    }

    /// Where the reference leads, if this is one and says nothing else.
    pub(super) fn reference(&self) -> Option<&'s str> {
        let beside = |(name, value): (&str, &Value)| {
            name != "$ref"
                && (constrains(name) || name == "description" || name == "default" && !value.is_null())
        };
        let reference = self.get("$ref")?.as_str()?;
        (!self.keywords().any(beside)).then_some(reference)
    }

    /// Where the reference leads, if this is one with nothing but a description or a default beside it.
    pub(super) fn described_reference(&self) -> Option<&'s str> {
        let reference = self.get("$ref")?.as_str()?;
        (!self.keywords().any(|(name, _)| name != "$ref" && constrains(name))).then_some(reference)
    }

    pub(super) fn is_false(&self) -> bool {
        self.schema == &Value::Bool(false)
    }

    /// Whether it says anything of a value, and does not merely comment on it.
    pub(super) fn constrains(&self) -> bool {
        self.is_false() || self.keywords().any(|(name, _)| constrains(name))
    }

    /// Whether it says nothing but which properties must be present.
    pub(super) fn only_requires(&self) -> bool {
        self.get("required").is_some()
            && !self.keywords().any(|(name, _)| name != "required" && constrains(name))
    }

    /// Whether it says nothing but `type`.
    pub(super) fn only_types(&self) -> bool {
        !self.keywords().any(|(name, _)| name != "type" && constrains(name))
    }

    /// The types that `type` allows: any if it is not there, none for the schema `false`.
    pub(super) fn types(&self) -> JsonTypes {
        match self.get("type") {
            Some(names) => JsonTypes::spelled(names),
            None if self.is_false() => JsonTypes::NONE,
            None => JsonTypes::ANY,
        }
    }

    /// The types that its other keywords are about.
    pub(super) fn meant(&self) -> JsonTypes {
        self.keywords().map(|(name, _)| about(name)).fold(JsonTypes::NONE, |all, one| all | one)
    }

    /// The lists of allowed values: `enum`, and `const` as a list of one.
    pub(super) fn members(&self) -> impl Iterator<Item = &'s [Value]> {
        let listed = self.get("enum").and_then(Value::as_array).map(Vec::as_slice);
        listed.into_iter().chain(self.get("const").map(std::slice::from_ref))
    }

    /// The schema under `keyword`.
    pub(super) fn child(&self, keyword: &str) -> Option<Self> {
        let schema = self.get(keyword).filter(|schema| schema.is_object() || schema.is_boolean())?;
        Some(Self::new(format!("{}/{keyword}", self.pointer), schema))
    }

    /// The schemas listed under `keyword`.
    pub(super) fn list(&self, keyword: &str) -> Vec<Self> {
        let schemas = self.get(keyword).and_then(Value::as_array).into_iter().flatten().enumerate();
        schemas
            .map(|(number, schema)| Self::new(format!("{}/{keyword}/{number}", self.pointer), schema))
            .collect()
    }

    /// The schemas under `keyword` with their names.
    pub(super) fn named(&self, keyword: &str) -> Vec<(&'s str, Self)> {
        let schemas = self.get(keyword).and_then(Value::as_object).into_iter().flatten();
        let part =
            |name: &str, schema| Self::new(format!("{}/{keyword}/{}", self.pointer, escaped(name)), schema);
        schemas.map(|(name, schema)| (name.as_str(), part(name, schema))).collect()
    }

    /// What holds for the property `name`; what holds for names that match a pattern is left to validation.
    pub(super) fn property(&self, name: &str) -> Option<Self> {
        let named = self.get("properties").and_then(|properties| properties.get(name));
        let pointer = || format!("{}/properties/{}", self.pointer, escaped(name));
        let other =
            || self.get("patternProperties").is_none().then(|| self.child("additionalProperties")).flatten();
        named.map(|schema| Self::new(pointer(), schema)).or_else(other)
    }

    pub(super) fn admits_property(&self, name: &str) -> bool {
        !self.closes() || self.get("properties").is_some_and(|properties| properties.get(name).is_some())
    }

    /// Whether it allows no other properties than those it names.
    pub(super) fn closes(&self) -> bool {
        self.get("additionalProperties") == Some(&Value::Bool(false))
            && self.get("patternProperties").is_none()
    }

    /// Whether, on its own, it is an object with properties of any name: it says so with `type`, and names none itself or by what it
    /// refers to or combines.
    pub(super) fn is_open_map(&self) -> bool {
        const NAMING: [&str; 5] =
            ["properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "required"];
        !self.spent.iter().any(|spent| ["$ref", "allOf", "anyOf", "oneOf"].contains(spent))
            && self.get("type").is_some_and(|names| JsonTypes::spelled(names).includes(JsonTypes::OBJECT))
            && NAMING.iter().all(|keyword| self.get(keyword).is_none())
    }

    /// The schemas of the first items: `prefixItems`, which up to draft 2019-09 was a list under `items`.
    pub(super) fn prefix(&self) -> Vec<Self> {
        let now = self.list("prefixItems");
        if now.is_empty() { self.list("items") } else { now }
    }

    /// The schema of the items after those.
    pub(super) fn further_items(&self) -> Option<Self> {
        let before = self.get("items").is_some_and(Value::is_array);
        self.child(if before { "additionalItems" } else { "items" })
    }

    /// What holds for the item with this number, counted from 0.
    pub(super) fn item(&self, number: usize) -> Option<Self> {
        self.prefix().into_iter().nth(number).or_else(|| self.further_items())
    }
}

pub(super) fn constrains(keyword: &str) -> bool {
    const OF_ANY_TYPE: [&str; 11] =
        ["type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"];
    OF_ANY_TYPE.contains(&keyword) || !about(keyword).is_empty()
}

/// The type of values that a keyword says something about; none for a comment, or if it is about any value.
pub(super) fn about(keyword: &str) -> JsonTypes {
    match keyword {
        "properties"
        | "required"
        | "additionalProperties"
        | "patternProperties"
        | "propertyNames"
        | "minProperties"
        | "maxProperties"
        | "unevaluatedProperties"
        | "dependentRequired"
        | "dependentSchemas"
        | "dependencies" => JsonTypes::OBJECT,
        "items" | "prefixItems" | "additionalItems" | "minItems" | "maxItems" | "uniqueItems"
        | "contains" | "minContains" | "maxContains" | "unevaluatedItems" => JsonTypes::ARRAY,
        "minLength" | "maxLength" | "pattern" | "format" | "contentEncoding" | "contentMediaType"
        | "contentSchema" => JsonTypes::STRING,
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => JsonTypes::NUMBER,
        _ => JsonTypes::NONE,
    }
}
