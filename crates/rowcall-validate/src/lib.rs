//! The entry points to the validation library, which is generic over the form of values. A package that is optimised for speed compiles
//! all generic code that it calls again, which costs a quarter of the library's own time and size. This one is optimised for size
//! (`Cargo.toml`), shares the library's code, and offers functions that are not generic.

use jsonschema::{ValidationError, ValidationOptions, Validator};
use serde_json::Value;

/// Compiles a schema.
///
/// # Errors
/// A value that is not a schema, and references that cannot be resolved.
#[inline(never)]
pub fn compile(
    options: &ValidationOptions<'_>,
    schema: &Value,
) -> Result<Validator, Box<ValidationError<'static>>> {
    options.build(schema).map_err(Box::new)
}

/// Whether a value satisfies the schema.
#[inline(never)]
pub fn is_valid(validator: &Validator, value: &Value) -> bool {
    validator.is_valid(value)
}

/// The first reasons, at most `most`, why a value does not satisfy the schema.
#[inline(never)]
pub fn errors<'v>(validator: &'v Validator, value: &'v Value, most: usize) -> Vec<ValidationError<'v>> {
    validator.iter_errors(value).take(most).collect()
}
