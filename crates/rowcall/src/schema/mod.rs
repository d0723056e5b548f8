//! The user's schema, built from a Rust type, JSON Schema or the short form. It decides which values are valid. `wire`
//! derives the schema that a provider receives instead; invalid answers are repaired elsewhere.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::error::Problem;
use crate::number;
use crate::repeated_key::repeated_key;
use crate::violation::Violation;

mod alternatives;
mod breach;
mod canonical;
mod coerce;
mod intake;
mod json_type;
mod observed;
mod part;
mod pattern;
mod place;
mod question;
mod satisfiable;
mod short_form;
mod strangers;
mod subschemas;
mod validate;
mod wholeness;
mod wire;
mod wording;

pub use breach::{Breach, Expected};
pub use json_type::JsonType;
pub use observed::{Feature, Finding, Observation, Observed};
pub(crate) use question::{Judgement, Trial, conclusion};
pub(crate) use validate::MOST_VIOLATIONS;
pub use wire::{Dialect, Effect, Loss, Wanted, WireSchema};

use coerce::Coercion;
use json_type::JsonTypes;
use part::Part;
use place::{Place, Rest};
use subschemas::Subschemas;
use validate::{Precision, Validator};

/// The user's schema, checked and compiled. Cloning is cheap.
///
/// JSON Schema drafts 4 to 2020-12 are supported (2020-12 unless `$schema` says otherwise). Formats such as `date` are
/// checked. References must be local. The root may be of any type; `true` and `{}` allow any value.
#[derive(Clone)]
pub struct Schema(Arc<Compiled>);

/// Whether an object may have fields that its schema does not name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FurtherFields {
    /// It may not.
    Forbidden,
    /// It may, since the schema does not mention them.
    Unmentioned,
    /// It may, since the schema says so, for example for a map.
    Allowed,
}

struct Compiled {
    json: Value,
    name: String,
    properties: Option<Vec<String>>,
    further_fields: FurtherFields,
    validator: Validator,
    /// The validator for values whose numbers have more digits than those of the schema. It is compiled on first use.
    exact: OnceLock<Option<Validator>>,
    coercion: Coercion,
    notes: Vec<String>,
}

impl Schema {
    /// The schema of a Rust type, as it is deserialised.
    ///
    /// # Errors
    /// A type that no value satisfies, such as one that contains itself without an `Option`, `Vec` or map in between.
    pub fn from_type<T: schemars::JsonSchema>() -> Result<Self, Problem> {
        let generator = schemars::SchemaGenerator::default();
        Self::from_generated(generator.into_root_schema_for::<T>().to_value())
    }

    /// Takes a JSON Schema as a value. A schema in a provider's wrapper, such as `{"name", "strict", "schema"}`, is unwrapped, with
    /// a [note](Self::notes).
    ///
    /// # Errors
    /// As [`from_generated`](Self::from_generated). Also a schema that restricts nothing, unless it is `{}` or `true`, and a
    /// misspelled keyword; the hint says what was probably meant.
    pub fn from_json(json: Value) -> Result<Self, Problem> {
        let json = satisfiable::check_depth(json)?;
        let (json, note) = intake::unwrapped(json);
        intake::check(&json)?;
        Self::compiled(json, note.into_iter().collect(), intake::check_spelling)
    }

    /// Takes a JSON Schema that a program generated, for example from a type. It may allow any value and use custom keywords.
    ///
    /// # Errors
    /// A value that is not a JSON Schema; a schema that is nested more than about 64 levels deep, contains more than 10,000
    /// schemas, has a reference to another document, or cannot be satisfied. The message gives the location as a JSON Pointer.
    pub fn from_generated(json: Value) -> Result<Self, Problem> {
        Self::compiled(satisfiable::check_depth(json)?, Vec::new(), |_| Ok(()))
    }

    fn compiled(
        json: Value,
        notes: Vec<String>,
        check: impl FnOnce(&Subschemas<'_>) -> Result<(), Problem>,
    ) -> Result<Self, Problem> {
        if !json.is_object() && !json.is_boolean() {
            let found = JsonType::of(&json).phrase();
            return Err(Problem::new(format!("the schema is {found}, expected an object")).hint(FORMS));
        }
        check(&Subschemas::of(&json)?)?;
        let json = canonical::spelled(json)?;
        let schemas = Subschemas::of(&json)?;
        satisfiable::check_chains(&schemas)?;
        satisfiable::check_contradictions(&schemas)?;
        let validator = Validator::compile(&json, Precision::needed_by(&json))?;
        satisfiable::check_combinations(&json, &schemas)?;
        satisfiable::check_inhabited(&schemas)?;
        let coercion = Coercion::compile(&json);
        let (name, properties, further_fields) = (name(&json), properties(&json), further_fields(&json));
        let exact = OnceLock::new();
        Ok(Self(Arc::new(Compiled {
            json,
            name,
            properties,
            further_fields,
            validator,
            exact,
            coercion,
            notes,
        })))
    }

    /// Parses a schema from text: JSON Schema if it begins with `{` or is `true` or `false`, otherwise the short form, such as
    /// `name str, age int?: in years, tags str[]`.
    ///
    /// # Errors
    /// As `from_json`. Also invalid JSON, with line and column, and an invalid field of the short form.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let text = text.trim_start_matches('\u{feff}').trim_start();
        Self::from_json(match text.trim_end() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ if text.starts_with('{') => parse_json(text)?,
            _ => short_form::parse(text)?,
        })
    }

    /// Loads a schema from a command-line argument: the path of a file if it ends in `.json`, otherwise text for `parse`.
    ///
    /// # Errors
    /// As `parse`. Also a file that cannot be read, with its path and the reason.
    pub fn load(argument: &str) -> Result<Self, Problem> {
        let is_json = |extension: &std::ffi::OsStr| extension.eq_ignore_ascii_case("json");
        if argument.trim_start().starts_with('{') || !Path::new(argument).extension().is_some_and(is_json) {
            return Self::parse(argument);
        }
        let text = std::fs::read_to_string(argument).map_err(|error| {
            Problem::new(format!("schema file `{argument}` cannot be read: {error}")).hint(FORMS)
        })?;
        let in_file = |problem: Problem| Problem {
            message: format!("schema file `{argument}`: {}", problem.message),
            ..problem
        };
        parse_json(text.trim_start_matches('\u{feff}')).and_then(Self::from_json).map_err(in_file)
    }

    /// The schema as it was given, with its keys in the same order. Only spellings that cannot be used are changed: nested `$id`s are
    /// removed, and references and patterns are spelled strictly. For the short form, the equivalent JSON Schema.
    pub fn as_json(&self) -> &Value {
        &self.0.json
    }

    /// What was changed on the way in: one sentence fragment each.
    pub fn notes(&self) -> &[String] {
        &self.0.notes
    }

    /// A name for the schema: the `title`, changed to match `[a-zA-Z0-9_-]{1,64}`, or `answer`.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The names of a value's properties in order, including those from references and `allOf`. `None` if values are not
    /// objects, or are one of several alternatives.
    pub fn properties(&self) -> Option<Vec<String>> {
        self.0.properties.clone()
    }

    /// Whether a value may have fields beyond [`Schema::properties`].
    pub fn further_fields(&self) -> FurtherFields {
        self.0.further_fields
    }

    /// Whether every value is an object with the same properties.
    pub fn is_object(&self) -> bool {
        self.0.properties.is_some()
    }

    /// Whether `value` satisfies the schema.
    pub fn validates(&self, value: &Value) -> bool {
        let precision = Precision::needed_by(value);
        match precision {
            Precision::Digits if number::has_too_large(value) => false,
            Precision::Digits | Precision::Floats => self.validator(precision).is_valid(value),
        }
    }

    fn validator(&self, precision: Precision) -> &Validator {
        let Compiled { json, validator, exact, .. } = &*self.0;
        if validator.has(precision) {
            return validator;
        }
        // A schema that compiles with one precision compiles with the other.
        exact.get_or_init(|| Validator::compile(json, precision).ok()).as_ref().unwrap_or(validator)
    }

    /// The reasons why `value` does not satisfy the schema, at most 32; empty if it does.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        self.breaches(value, MOST_VIOLATIONS).into_iter().map(Violation::from).collect()
    }

    /// As `violations`, with what was expected at each location, and at most `most` of them.
    pub fn breaches(&self, value: &Value, most: usize) -> Vec<Breach> {
        let precision = Precision::needed_by(value);
        let plain = match precision {
            Precision::Floats => None,
            Precision::Digits => number::without_too_large(value),
        };
        let judged = plain.as_ref().unwrap_or(value);
        let mut breaches = self.validator(precision).breaches(&self.0.json, judged, most);
        if plain.is_some() {
            let too_large = number::too_large(value, most);
            breaches.retain(|breach| !too_large.iter().any(|(path, _)| *path == breach.path));
            let too_large = too_large.into_iter().map(|(path, number)| {
                let message =
                    format!("is `{}`, which is too large for a 64-bit float", wording::cut(number.as_str()));
                Breach::new(&path, message, Expected::Other)
            });
            breaches.splice(0..0, too_large);
            breaches.truncate(most);
        }
        breaches
    }

    /// The objects in `value` that have unknown properties instead of those that the schema names: none of the named ones, or the same
    /// names in another case or style. Such a value may satisfy the schema. At most `most` of them.
    pub fn strangers(&self, value: &Value, most: usize) -> Vec<Breach> {
        self.0.coercion.strangers(value, most)
    }

    /// Whether `value` and the last members within it, `levels` objects in all, each have every property that the schema names for
    /// them and can have no others. If so, nothing can be missing after the last one.
    pub fn is_whole(&self, value: &Value, levels: usize) -> bool {
        self.0.coercion.is_whole(value, levels)
    }

    /// Returns `value` with numbers and booleans in the types that the schema asks for, and everything else unchanged.
    ///
    /// JSON Schema accepts `3.0` as an integer, Rust's `u32` does not: where integers are allowed and fractions are
    /// not, it becomes `3`. Where neither strings nor anything like them is allowed, `"3"` becomes `3`, `"3.5"` a number
    /// and `"true"` a boolean. Alternatives, references, lists and maps are followed.
    pub fn coerce(&self, mut value: Value) -> Value {
        self.0.coercion.apply(&mut value);
        value
    }

    /// The schema to send instead of this one to a provider that uses `dialect`.
    ///
    /// # Errors
    /// A schema that the dialect cannot express at all, or that exceeds the provider's limits.
    pub fn wire(&self, dialect: Dialect) -> Result<WireSchema, Problem> {
        self.wire_as(Wanted::from(dialect))
    }

    /// As `wire`, with all options.
    ///
    /// # Errors
    /// As `wire`.
    pub fn wire_as(&self, wanted: Wanted) -> Result<WireSchema, Problem> {
        WireSchema::new(self, wanted)
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.0.json).finish()
    }
}

const FORMS: &str =
    "give the path of a JSON Schema file, JSON Schema itself, or fields such as `name str, age int?`";

fn parse_json(text: &str) -> Result<Value, Problem> {
    let json = serde_json::from_str(text).map_err(|error| {
        if error.to_string().starts_with("recursion limit") {
            return satisfiable::too_deep();
        }
        Problem::new(format!("the schema is not valid JSON: {error}")).hint(FORMS)
    })?;
    match repeated_key(text) {
        Some(name) => {
            let message = format!("the name `{name}` appears twice in an object of the schema");
            Err(Problem::new(message).hint("only one of the two would count: remove or rename the other"))
        }
        None => Ok(json),
    }
}

/// A problem with the schema at `pointer`.
fn refused(pointer: &str, reason: impl fmt::Display) -> Problem {
    if pointer.is_empty() {
        Problem::new(format!("schema: {reason}"))
    } else {
        Problem::new(format!("schema at `{pointer}`: {reason}"))
    }
}

fn name(schema: &Value) -> String {
    const LONGEST: usize = 64;
    let title = schema.get("title").and_then(Value::as_str).unwrap_or_default();
    let fitting: String = title
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' })
        .take(LONGEST)
        .collect();
    match fitting.trim_matches('_') {
        "" => "answer".to_owned(),
        // Gemini wants a letter first.
        name if name.starts_with(|first: char| !first.is_ascii_alphabetic()) => {
            format!("answer_{name}").chars().take(LONGEST).collect()
        }
        name => name.to_owned(),
    }
}

fn properties(schema: &Value) -> Option<Vec<String>> {
    let place = Place::new(schema, vec![Part::new(String::new(), schema)]);
    if place.types() != JsonTypes::OBJECT || place.alternatives(schema).is_some() {
        return None;
    }
    Some(place.properties().into_iter().map(|(name, _)| name.to_owned()).collect())
}

fn further_fields(schema: &Value) -> FurtherFields {
    match Place::new(schema, vec![Part::new(String::new(), schema)]).rest() {
        Rest::Closed => FurtherFields::Forbidden,
        Rest::Unsaid => FurtherFields::Unmentioned,
        Rest::Open | Rest::Of { .. } => FurtherFields::Allowed,
    }
}

#[cfg(test)]
mod tests;
