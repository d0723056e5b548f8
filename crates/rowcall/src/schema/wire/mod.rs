//! The wire schema: what a provider is sent in the place of the user's schema, what of it was lost on the way, and the
//! ways between the two forms of a value. The rules of each provider are data in `dialect.rs`.

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

/// What is asked of a wire schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Whose.
    pub dialect: Dialect,
    /// The most tokens of an answer, if there is a limit: lists that the user's schema leaves open are bounded by it where an engine
    /// would let a model go on for ever.
    pub output_limit: Option<u32>,
    /// Keywords that are described to the model although the dialect has them, since a server has refused them.
    pub described: Vec<String>,
    /// What was observed of the server.
    pub observed: Observed,
}

impl From<Dialect> for Wanted {
    fn from(dialect: Dialect) -> Self {
        Self { dialect, output_limit: None, described: Vec::new(), observed: Observed::default() }
    }
}

/// The property that a wrapped root is under.
const WRAPPER: &str = "value";

/// The names of the two halves of an entry of a map.
const ENTRY: [&str; 2] = ["key", "value"];

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
    /// How it was asked for.
    pub wanted: Wanted,
    users: Schema,
    steps: Steps,
    names: Names,
    naming: Naming,
    as_given: bool,
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
    /// What it means for answers.
    pub effect: Effect,
}

/// What a loss means for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// The provider may let a model answer what is not valid, and it is checked here.
    Checked,
    /// Some values that are valid cannot be answered.
    Narrowed,
}

impl Effect {
    /// It in a word.
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

    /// The same schema with names of properties that a tool of Anthropic's may have, in place of those that it may not.
    pub(crate) fn with_plain_names(self) -> Self {
        self.named(Naming::Plain)
    }

    /// The same schema with other names of properties where this is called for.
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

    /// The keyword that a server names in its refusal, and the wire schema in which it is described instead; `None` if it names none
    /// that is sent and can be left out.
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

    /// `value` in the form of the user's schema: the root unwrapped, nulls that stand for absent properties removed, maps
    /// and tuples put back. What has not the form of the wire schema is left as it is, for validation to judge; entries
    /// of a map of which two have the same key become a list, which no schema of an object accepts.
    pub fn restore(&self, value: Value) -> Value {
        self.restored(value).0
    }

    /// As `restore`, with what is wrong with texts that hold JSON: one that is cut, or in which a key stands twice, is left as it is, and
    /// would pass for a string where any value may stand.
    pub(crate) fn restored(&self, mut value: Value) -> (Value, Vec<Breach>) {
        self.names.restore(&mut value);
        self.steps.restore(&mut value);
        let mut spoilt = Vec::new();
        if self.steps.have_texts() {
            text::take_spoilt(&mut value, &mut String::new(), &mut spoilt);
        }
        (value, spoilt)
    }

    /// `value`, which is of the user's schema, in the form of the wire schema: what a provider would have answered for
    /// it, as few-shot examples show it. The way there, of which `restore` is the way back, except that null comes back
    /// for a property that may be both absent and null. What does not fit is left as it is.
    pub fn express(&self, value: &Value) -> Value {
        let mut expressed = self.steps.express(value);
        self.names.express(&mut expressed);
        expressed
    }

    /// A violation in the names of properties that the model was asked for and has answered with.
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

/// Whether `text` has `word` in it, not as part of a longer one.
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
