//! The wire schema: what a provider receives instead of the user's schema, what was lost in the translation, and the
//! conversions between the two forms of a value. The rules of each provider are data in `dialect.rs`.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::Schema;
use super::breach::Breach;
use super::observed::Observed;
use crate::error::Problem;
use crate::violation::Violation;

mod constraint;
mod definition;
mod dialect;
mod express;
mod form;
mod given;
mod limits;
mod list;
mod names;
mod object;
mod outlook;
mod pattern;
mod recursion;
mod restore;
mod step;
mod text;
mod translation;

pub use dialect::Dialect;
pub(super) use restore::key_given_twice;

use dialect::{Treatment, applied};
use names::{Names, Naming};
use step::{Step, Steps};
use translation::{Translated, Translation};

/// The options of a wire schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The provider's or engine's subset of JSON Schema.
    pub dialect: Dialect,
    /// The most tokens of an answer, if there is a limit. It bounds lists that the user's schema does not limit, where an engine would
    /// let a model continue forever.
    pub output_limit: Option<u32>,
    /// Keywords of the dialect that are only described to the model, since a server rejected them.
    pub described: Vec<String>,
    /// What was observed about the server.
    pub observed: Observed,
}

impl From<Dialect> for Wanted {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, output_limit: None, described: Vec::new(), observed: Observed::default() }
    }
}

/// The property that contains a wrapped root.
const WRAPPER: &str = "value";

/// The names of the two parts of an entry of a map.
const ENTRY: [&str; 2] = ["key", "value"];

/// The schema that a provider receives instead of the user's schema. Created by [`Schema::wire`].
#[derive(Debug)]
pub struct WireSchema {
    /// The schema's name, which matches `[a-zA-Z0-9_-]{1,64}`.
    pub name: String,
    /// The description of the user's schema, which is also in `schema`.
    pub description: Option<String>,
    /// The schema in the form that the provider accepts.
    pub schema: Value,
    /// What it leaves out of the user's schema, in the order of the user's schema.
    pub losses: Vec<Loss>,
    /// The options that it was created with.
    pub wanted: Wanted,
    users: Schema,
    steps: Steps,
    names: Names,
    naming: Naming,
    as_given: bool,
}

/// Something that the user's schema requires and the wire schema cannot express. It is checked once the answer has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// The location in the user's schema, as a JSON Pointer.
    pub path: String,
    /// The keyword at that location.
    pub keyword: String,
    /// What happens to it, as a sentence fragment.
    pub note: String,
    /// What it means for answers.
    pub effect: Effect,
}

/// What a loss means for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The provider may let a model give an invalid answer, so it is checked locally.
    Checked,
    /// The model cannot answer with some valid values.
    Narrowed,
}

impl Effect {
    /// Its name, as one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Checked => "checked",
            Self::Narrowed => "narrowed",
        }
    }
}

impl WireSchema {
    pub(super) fn new(users: &Schema, wanted: Wanted) -> Result<Self, Problem> {
        let json = users.as_json();
        let untranslated = |schema, steps| Translated { schema, losses: Vec::new(), steps };
        let mut naming = Naming::Kept;
        let Translated { schema, losses, steps } = match wanted.dialect.treatment() {
            Treatment::Given => untranslated(json.clone(), Steps::none()),
            Treatment::GivenAsObject => match given::as_object(json) {
                Some(schema) => untranslated(schema, Steps::none()),
                None => untranslated(given::wrapped(json)?, Steps::wrap()),
            },
            Treatment::Translated(rules) => {
                let rules = applied(rules, &wanted.observed);
                naming = rules.naming;
                let translated = Translation::of(json, &rules, &wanted)?;
                limits::check(&translated.schema, &rules.limits)?;
                translated
            }
        };
        let wire = Self {
            name: users.name().to_owned(),
            description: json.get("description").and_then(Value::as_str).map(str::to_owned),
            as_given: schema == *json,
            schema,
            losses,
            wanted,
            users: users.clone(),
            steps,
            names: Names::default(),
            naming: Naming::Kept,
        };
        Ok(if naming == Naming::Kept { wire } else { wire.named(naming) })
    }

    /// The same schema with property names that Anthropic's tools do not allow replaced by names that they do.
    pub(crate) fn with_plain_names(self) -> Self {
        self.named(Naming::Plain)
    }

    /// The same schema with properties renamed where `naming` requires it.
    fn named(mut self, naming: Naming) -> Self {
        let (names, losses) = Names::of(&mut self.schema, naming);
        self.as_given &= names.is_empty();
        let wrapped = format!("/properties/{WRAPPER}");
        let is_wrapped = matches!(self.steps.at(self.steps.first()), Step::Wrap(_));
        self.losses.extend(losses.into_iter().map(|loss| match loss.path.strip_prefix(&wrapped) {
            Some(path) if is_wrapped => Loss { path: path.to_owned(), ..loss },
            Some(_) | None => loss,
        }));
        Self { names, naming, ..self }
    }

    /// The keyword that a server names when it rejects the schema, and a wire schema that describes this keyword instead of sending it.
    /// `None` if the server names no keyword that is sent and can be left out.
    pub fn without_named(&self, refusal: &str) -> Option<(&'static str, Self)> {
        let Treatment::Translated(rules) = self.wanted.dialect.treatment() else { return None };
        let named =
            rules.keywords.iter().map(|line| line.keyword).filter(|keyword| has_word(refusal, keyword));
        let mut open = named.filter(|keyword| !self.wanted.described.iter().any(|each| each == keyword));
        open.find_map(|keyword| {
            let mut wanted = self.wanted.clone();
            wanted.described.push(keyword.to_owned());
            let wire = Self::new(&self.users, wanted).ok()?;
            let wire = if self.naming == Naming::Plain { wire.with_plain_names() } else { wire };
            (wire.schema != self.schema).then_some((keyword, wire))
        })
    }

    /// Converts `value` to the form of the user's schema: unwraps the root, removes nulls that mean absent properties, and
    /// restores maps and tuples. Parts that do not have the form of the wire schema are left unchanged, for validation to
    /// reject. Map entries with a repeated key stay a list, which no schema of an object accepts.
    pub fn restore(&self, value: Value) -> Value {
        self.restored(value).0
    }

    /// As `restore`, and also reports invalid texts that should contain JSON. A text that is truncated or repeats a key is left
    /// unchanged, and would otherwise be accepted as a string where any value is allowed.
    pub(crate) fn restored(&self, mut value: Value) -> (Value, Vec<Breach>) {
        self.names.restore(&mut value);
        self.steps.restore(&mut value);
        let mut spoilt = Vec::new();
        if self.steps.have_texts() {
            text::take_spoilt(&mut value, &mut String::new(), &mut spoilt);
        }
        (value, spoilt)
    }

    /// Converts `value` from the form of the user's schema to that of the wire schema, as few-shot examples need it.
    /// `restore` is the inverse, except that it returns null for an absent property that may also be null. Parts that do
    /// not match the schema are left unchanged.
    pub fn express(&self, value: &Value) -> Value {
        let mut expressed = self.steps.express(value);
        self.names.express(&mut expressed);
        expressed
    }

    /// A violation with the property names of the wire schema, which the model knows.
    pub(crate) fn expressed<'v>(&self, violation: &'v Violation) -> Cow<'v, Violation> {
        if self.names.is_empty() {
            return Cow::Borrowed(violation);
        }
        Cow::Owned(self.names.in_violation(violation))
    }

    /// Whether `restore` never changes anything.
    pub fn is_identity(&self) -> bool {
        self.steps.are_idle() && self.names.is_empty()
    }

    /// Whether it is the user's schema as it was given.
    pub fn is_as_given(&self) -> bool {
        self.as_given
    }
}

/// Whether `text` contains `word` as a whole word.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, found)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|text| text.chars().next());
        [before, after].into_iter().flatten().all(|c| !c.is_ascii_alphanumeric() && c != '_')
    })
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.path.is_empty() { "the schema" } else { &self.path };
        write!(f, "{place}: {}", self.note)
    }
}

#[cfg(test)]
mod tests;
