//! The wire schema: what a provider is sent in the place of the user's schema, what of it was lost on the way, and the
//! way back for a value that comes in the wire's form. The rules of each provider are data in `dialect.rs`.

use std::fmt;

use serde_json::Value;

use super::Schema;
use crate::error::Problem;

mod compound;
mod constraint;
mod dialect;
mod form;
mod limits;
mod restore;
mod translation;

pub use dialect::Dialect;

use restore::Restoration;
use translation::Translation;

/// What a provider is sent in the place of the user's schema. Made by [`Schema::wire`].
#[derive(Debug)]
pub struct WireSchema {
    /// The schema's name, fit for `[a-zA-Z0-9_-]{1,64}`.
    pub name: String,
    /// What the user's schema says of itself; it also stands in `schema`.
    pub description: Option<String>,
    /// The schema as the provider takes it.
    pub schema: Value,
    /// What it does not say of the user's schema, in the order of that.
    pub losses: Vec<Loss>,
    restoration: Restoration,
}

/// Something that the user's schema asks for and the wire schema cannot. It is checked when the answer is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Where in the user's schema, as a JSON Pointer.
    pub path: String,
    /// The keyword there.
    pub keyword: String,
    /// What becomes of it, as a sentence fragment.
    pub note: String,
}

impl WireSchema {
    pub(super) fn new(schema: &Schema, dialect: Dialect) -> Result<Self, Problem> {
        let json = schema.as_json();
        let translated = Translation::of(json, dialect.rules())?;
        limits::check(&translated.schema, &dialect.rules().limits)?;
        Ok(Self {
            name: schema.name().to_owned(),
            description: json.get("description").and_then(Value::as_str).map(str::to_owned),
            schema: translated.schema,
            losses: translated.losses,
            restoration: translated.restoration,
        })
    }

    /// `value` in the form of the user's schema: the root unwrapped, nulls that stand for absent properties removed, maps
    /// and tuples put back. What has not the form of the wire schema is left as it is, for validation to judge.
    pub fn restore(&self, mut value: Value) -> Value {
        self.restoration.apply(&mut value);
        value
    }

    /// Whether `restore` never changes anything.
    pub fn is_identity(&self) -> bool {
        self.restoration.is_idle()
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the schema" } else { &self.path };
        write!(f, "{place}: {}", self.note)
    }
}

#[cfg(test)]
mod tests;
