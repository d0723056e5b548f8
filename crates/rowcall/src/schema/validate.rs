//! Checks a value against a schema and lists the breaches. Only this file and `exact.rs` use the validation library. `wording.rs` phrases
//! values, and `breach.rs` reports on alternatives.

use std::cell::OnceCell;
use std::fmt;
use std::sync::{Arc, OnceLock};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ReferencingError, Registry, ValidationError, ValidationOptions};
use rowcall_validate::{compile, errors, is_valid};
use serde_json::{Value, json};

use super::breach::{self, Breach, Expected};
use super::json_type::{JsonType, JsonTypes};
use super::wording::{self, cut};
use super::{refused, subschemas};
use crate::error::{Problem, did_you_mean};
use crate::hint::Hint;
use crate::number;

mod exact;

/// The most reasons that are reported. A longer list would not help a model.
pub(crate) const MOST_VIOLATIONS: usize = 32;

/// The message for a list that contains equal items.
const ITEMS_EQUAL: &str = "has items that are equal, expected each only once";

/// The URI of a document while schemas within it are compiled.
const DOCUMENT: &str = "urn:rowcall:schema";

/// A compiled schema. Formats are checked; unknown formats and unknown keywords are not.
pub(super) struct Validator {
    compiled: jsonschema::Validator,
    precision: Precision,
}

/// How numbers are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// As 64-bit floats, which is exact for numbers of at most 15 digits.
    Floats,
    /// By all their digits.
    Digits,
}

impl Precision {
    /// The precision that a value or a schema needs.
    pub(super) fn needed_by(value: &Value) -> Self {
        if number::has_long(value) { Self::Digits } else { Self::Floats }
    }
}

impl Validator {
    /// Compiles a schema with `precision`, which must be at least what the schema needs. All references must be local.
    ///
    /// # Errors
    /// A value that is not a schema: for example a list where an object is required, a pattern that is not a regular
    /// expression, or an unknown `$schema`.
    pub(super) fn compile(schema: &Value, precision: Precision) -> Result<Self, Problem> {
        let draft = jsonschema::Draft::default().detect(schema);
        let compiled = compile(&options_of(draft, precision), schema).map_err(|error| problem(&error))?;
        Ok(Self { compiled, precision })
    }

    /// Whether it can validate values that need this precision.
    pub(super) fn has(&self, precision: Precision) -> bool {
        self.precision == Precision::Digits || precision == Precision::Floats
    }

    /// Whether `pattern` can be used unchanged.
    pub(super) fn takes_pattern(pattern: &str) -> bool {
        // The latest draft does not check the syntax of patterns.
        compile(&options().with_draft(jsonschema::Draft::Draft7), &json!({ "pattern": pattern })).is_ok()
    }

    pub(super) fn is_valid(&self, value: &Value) -> bool {
        is_valid(&self.compiled, value)
    }

    /// The first reasons, at most `most`, why `value` does not satisfy `schema`, which is what this was compiled from.
    pub(super) fn breaches(&self, schema: &Value, value: &Value, most: usize) -> Vec<Breach> {
        if self.is_valid(value) {
            return Vec::new();
        }
        let mut breaches: Vec<Breach> =
            errors(&self.compiled, value, most).iter().flat_map(|error| breaches(schema, error)).collect();
        breaches.truncate(most);
        breaches
    }
}

impl fmt::Debug for Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Validator")
    }
}

fn options<'r>() -> ValidationOptions<'r> {
    jsonschema::options().offline().should_validate_formats(true)
}

fn options_of<'r>(draft: jsonschema::Draft, precision: Precision) -> ValidationOptions<'r> {
    match precision {
        Precision::Floats => options(),
        Precision::Digits => exact::added_to(options(), draft),
    }
}

/// A document whose subschemas can be compiled separately, with their references.
pub(super) struct Document<'s> {
    root: &'s Value,
    prepared: OnceCell<Arc<Prepared>>,
}

/// What a document is to the validation library.
struct Prepared {
    registry: Result<Registry<'static>, Problem>,
    draft: jsonschema::Draft,
    precision: Precision,
}

impl<'s> Document<'s> {
    /// Wraps a document. It is only processed when the first subschema is needed.
    pub(super) fn new(root: &'s Value) -> Self {
        Self { root, prepared: OnceCell::new() }
    }

    /// Compiles the schema at `pointer`.
    ///
    /// # Errors
    /// None for a pointer to a schema in a document that `Validator::compile` accepted.
    pub(super) fn at(&self, pointer: &str) -> Result<Validator, Problem> {
        self.prepared().at(pointer)
    }

    /// The schema at `pointer`, which is compiled when the first value is checked: a large schema can have hundreds of alternatives,
    /// and each takes as long as the whole.
    pub(super) fn later(&self, pointer: &str) -> LateValidator {
        let prepared = Arc::clone(self.prepared());
        LateValidator { prepared, pointer: pointer.to_owned(), compiled: OnceLock::new() }
    }

    fn prepared(&self) -> &Arc<Prepared> {
        self.prepared.get_or_init(|| {
            let draft = jsonschema::Draft::default().detect(self.root);
            let precision = Precision::needed_by(self.root);
            Arc::new(Prepared { registry: registry(self.root), draft, precision })
        })
    }
}

impl Prepared {
    fn at(&self, pointer: &str) -> Result<Validator, Problem> {
        let registry = self.registry.as_ref().map_err(Problem::clone)?;
        let schema = json!({ "$ref": format!("{DOCUMENT}#{}", subschemas::percent_encoded(pointer)) });
        let precision = self.precision;
        let built = compile(&options_of(self.draft, precision).with_registry(registry), &schema);
        built.map(|compiled| Validator { compiled, precision }).map_err(|error| problem(&error))
    }
}

/// A schema that is compiled on first use.
pub(super) struct LateValidator {
    prepared: Arc<Prepared>,
    pointer: String,
    compiled: OnceLock<Option<Validator>>,
}

impl LateValidator {
    pub(super) fn is_valid(&self, value: &Value) -> bool {
        // What is part of a schema that compiles does so as well.
        let compiled = self.compiled.get_or_init(|| self.prepared.at(&self.pointer).ok());
        compiled.as_ref().is_some_and(|compiled| compiled.is_valid(value))
    }
}

impl fmt::Debug for LateValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LateValidator").field(&self.pointer).finish()
    }
}

fn registry(root: &Value) -> Result<Registry<'static>, Problem> {
    let mut root = root.clone();
    if let Value::Object(keywords) = &mut root {
        // An `$id` would override the URI that references use.
        keywords.shift_remove("$id");
    }
    let draft = jsonschema::Draft::default().detect(&root);
    let registry = Registry::new().draft(draft).add(DOCUMENT, draft.create_resource(root));
    let prepared = registry.and_then(jsonschema::RegistryBuilder::prepare);
    prepared.map_err(|error| Problem::new(format!("schema: {error}")))
}

/// The problem with a schema that does not compile. The instance of `error` is the schema itself.
fn problem(error: &ValidationError<'_>) -> Problem {
    let pointer = error.instance_path().as_str();
    let problem = match error.kind() {
        ValidationErrorKind::Referencing(ReferencingError::UnknownSpecification { specification }) => {
            refused("/$schema", format!("`{specification}` is not a known version of JSON Schema"))
                .hint("leave it out, or write `https://json-schema.org/draft/2020-12/schema`")
        }
        ValidationErrorKind::Referencing(error) => refused(pointer, error),
        ValidationErrorKind::Format { format } if format == "regex" => {
            refused(pointer, format!("{} is not a regular expression", shown(error)))
        }
        _ => match breaches(&Value::Null, error).into_iter().next() {
            Some(Breach { path, message, expected: Expected::Member(known) }) => {
                let near = error
                    .instance()
                    .as_str()
                    .and_then(|name| did_you_mean(name, known.iter().filter_map(Value::as_str)));
                Problem { hint: near.map(Hint::from), ..refused(&path, message) }
            }
            Some(breach) => refused(&breach.path, breach.message),
            None => refused(pointer, "it is not a schema"),
        },
    };
    let usual = if pointer.ends_with("/required") || pointer == "/required" {
        "`required` is a list of names beside `properties`"
    } else if pointer.ends_with("/items") && error.instance().is_array() {
        "put a list of schemas under `prefixItems`; up to draft 2019-09 it was `items`, for which `$schema` must name the draft"
    } else {
        "see the JSON Schema specification for what is allowed here"
    };
    let hint = problem.hint.clone().unwrap_or_else(|| usual.into());
    problem.hint(hint)
}

fn shown(error: &ValidationError<'_>) -> String {
    wording::shown(error.instance())
}

fn breaches(schema: &Value, error: &ValidationError<'_>) -> Vec<Breach> {
    let value = error.instance().as_ref();
    let path = error.instance_path().as_str();
    let other = |message: String| vec![Breach::new(path, message, Expected::Other)];
    match error.kind() {
        ValidationErrorKind::Type { kind } => vec![Breach::types(path, value, types(kind))],
        ValidationErrorKind::Enum { options } => {
            let members = options.as_array().cloned().unwrap_or_default();
            vec![Breach::member(path, value, members)]
        }
        ValidationErrorKind::Constant { expected_value } => {
            vec![Breach::member(path, value, vec![expected_value.as_ref().clone()])]
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let branch = |errors: &Vec<ValidationError<'static>>| {
                errors.iter().take(MOST_VIOLATIONS).flat_map(|error| breaches(schema, error)).collect()
            };
            breach::nearest(path, value, &context.iter().map(branch).collect::<Vec<_>>())
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            other("matches more than one alternative of `oneOf`, expected exactly one".to_owned())
        }
        ValidationErrorKind::PropertyNames { error } => {
            let reasons = breaches(schema, error).into_iter().map(|breach| breach.message);
            other(format!(
                "the property name {} is not allowed: {}",
                shown(error),
                reasons.collect::<Vec<_>>().join("; ")
            ))
        }
        ValidationErrorKind::Required { property } => {
            other(format!("required property `{}` is missing", property.as_str().unwrap_or_default()))
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            other(wording::unexpected(unexpected, &siblings(schema, error)))
        }
        ValidationErrorKind::AdditionalItems { limit } => {
            other(wording::too_many(value, "item", *limit as u64))
        }
        ValidationErrorKind::UnevaluatedItems { .. } => other("has items that are not allowed".to_owned()),
        ValidationErrorKind::MaxItems { limit } => other(wording::too_many(value, "item", *limit)),
        ValidationErrorKind::MinItems { limit } => other(wording::too_few(value, "item", *limit)),
        ValidationErrorKind::MaxLength { limit } => other(wording::too_many(value, "character", *limit)),
        ValidationErrorKind::MinLength { limit } => other(wording::too_few(value, "character", *limit)),
        ValidationErrorKind::MaxProperties { limit } => other(wording::too_many(value, "property", *limit)),
        ValidationErrorKind::MinProperties { limit } => other(wording::too_few(value, "property", *limit)),
        ValidationErrorKind::Maximum { limit } => {
            other(format!("{value} is greater than the maximum {limit}"))
        }
        ValidationErrorKind::Minimum { limit } => other(format!("{value} is less than the minimum {limit}")),
        ValidationErrorKind::ExclusiveMaximum { limit } => other(format!("{value} is not less than {limit}")),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            other(format!("{value} is not greater than {limit}"))
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            other(format!("{value} is not a multiple of {multiple_of}"))
        }
        ValidationErrorKind::Format { format } => other(wording::not_of_format(value, format)),
        ValidationErrorKind::Pattern { pattern } => {
            other(format!("{} does not match the pattern `{}`", shown(error), cut(pattern)))
        }
        ValidationErrorKind::UniqueItems => other(ITEMS_EQUAL.to_owned()),
        ValidationErrorKind::Contains => {
            other("has too few or too many items that match `contains`".to_owned())
        }
        ValidationErrorKind::Not { schema } => {
            other(format!("{} is excluded by `not` {}", shown(error), cut(&schema.to_string())))
        }
        ValidationErrorKind::FalseSchema => other("is not allowed here".to_owned()),
        ValidationErrorKind::ContentEncoding { content_encoding } => {
            other(format!("{} is not encoded as {content_encoding}", shown(error)))
        }
        ValidationErrorKind::ContentMediaType { content_media_type } => {
            other(format!("{} is not of the media type {content_media_type}", shown(error)))
        }
        ValidationErrorKind::Custom { keyword, message } => {
            vec![exact::breach(path, value, keyword, message)]
        }
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. }
        | ValidationErrorKind::FromUtf8 { .. }
        | ValidationErrorKind::Referencing(_) => other(cut(&error.to_string())),
    }
}

fn types(kind: &TypeKind) -> JsonTypes {
    let named = |name: &str| JsonType::named(name).map_or(JsonTypes::NONE, JsonTypes::from);
    match kind {
        TypeKind::Single(one) => named(one.as_str()),
        TypeKind::Multiple(several) => {
            several.iter().fold(JsonTypes::NONE, |set, one| set | named(one.as_str()))
        }
    }
}

/// The property names of the object's schema, if the keyword is beside `properties`.
fn siblings(schema: &Value, error: &ValidationError<'_>) -> Vec<String> {
    let keyword = error.schema_path().as_str();
    let parent = keyword.rsplit_once('/').and_then(|(parent, _)| schema.pointer(parent));
    let properties = parent.and_then(|parent| parent.get("properties")).and_then(Value::as_object);
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
