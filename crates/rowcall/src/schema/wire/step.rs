//! How a value is converted at each place between the user's form and the wire form, computed when the wire schema is
//! created. `express.rs` and `restore.rs` do the conversions.

use std::collections::HashSet;

use serde_json::Value;

use crate::schema::alternatives::{Alternatives, Names, reaching};
use crate::schema::validate::Document;

/// How one place is converted. Numbers refer to other steps.
#[derive(Debug, Default)]
pub(super) enum Step {
    /// The value is not converted.
    #[default]
    Keep,
    /// The same as another step: a reference.
    As(usize),
    /// The root, wrapped in an object.
    Wrap(usize),
    /// JSON as text, of these values if it is one of a few.
    Text(Vec<Value>),
    /// An object, with its properties in the order of the wire schema, and what becomes of others.
    Object { properties: Vec<Property>, others: Others },
    /// A list, with the items that have a schema of their own and then those that share one.
    List { first: Vec<usize>, rest: usize },
    /// A map, as a list of entries, with its values.
    Map(usize),
    /// A list, as an object, with the property for each item.
    Tuple(Vec<Property>),
    /// One of several.
    Choose(Alternatives),
}

/// A property in the wire's form.
#[derive(Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) step: usize,
    pub(super) null: Null,
}

/// What null means as the value of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Null {
    /// Null, like any other value.
    Itself,
    /// That the property is absent.
    Absent,
    /// Either, since the user's schema takes both; it comes back as null.
    Either,
}

/// What becomes of properties that an object may have beside its named ones.
#[derive(Debug)]
pub(super) enum Others {
    /// There are none, or nothing.
    Kept,
    /// They are gathered in a list of entries, under a property of this name.
    Gathered { name: String, step: usize },
    /// They stay where they are.
    Beside(usize),
}

impl Others {
    pub(super) fn is_nothing(&self) -> bool {
        matches!(self, Self::Kept)
    }

    fn step(&self) -> Option<usize> {
        match self {
            Self::Kept => None,
            Self::Gathered { step, .. } | Self::Beside(step) => Some(*step),
        }
    }
}

impl Step {
    fn inner(&self) -> Vec<usize> {
        match self {
            Self::Keep | Self::Text(_) => Vec::new(),
            Self::As(step) | Self::Wrap(step) | Self::Map(step) => vec![*step],
            Self::Object { properties, others } => {
                properties.iter().map(|each| each.step).chain(others.step()).collect()
            }
            Self::List { first, rest } => first.iter().copied().chain([*rest]).collect(),
            Self::Tuple(properties) => properties.iter().map(|each| each.step).collect(),
            Self::Choose(alternatives) => alternatives.branches().iter().map(|branch| branch.step).collect(),
        }
    }

    /// Whether it changes a value by itself on the way back, or, if `nulls` are of one of these kinds, there.
    fn changes(&self, nulls: &[Null]) -> bool {
        match self {
            Self::Keep | Self::As(_) | Self::List { .. } | Self::Choose(_) => false,
            Self::Wrap(_) | Self::Text(_) | Self::Map(_) | Self::Tuple(_) => true,
            Self::Object { properties, others } => {
                matches!(others, Others::Gathered { .. })
                    || properties.iter().any(|each| nulls.contains(&each.null))
            }
        }
    }
}

/// The steps between the two forms. They refer to one another by number, so that recursive schemas need no more of them.
#[derive(Debug)]
pub(super) struct Steps {
    all: Vec<Step>,
    first: usize,
    /// Whether `restore` changes nothing.
    idle: bool,
    has_texts: bool,
}

impl Steps {
    /// Drops what changes nothing, and prepares the choices between alternatives.
    pub(super) fn new(mut steps: Vec<Step>, first: usize, document: &Document<'_>) -> Self {
        let inner: Vec<Vec<usize>> = steps.iter().map(Step::inner).collect();
        let active =
            |nulls: &[Null]| reaching(&inner, steps.iter().map(|step| step.changes(nulls)).collect());
        let idle = active(&[Null::Absent]).get(first) != Some(&true);
        let needed = active(&[Null::Absent, Null::Either]);
        for (number, needed) in needed.iter().enumerate() {
            let Some(mut step) = steps.get_mut(number).map(std::mem::take) else { continue };
            if let (Step::Choose(alternatives), true) = (&mut step, needed) {
                alternatives.prepare(document, |step| names(&steps, step));
            }
            if let Some(slot) = steps.get_mut(number) {
                *slot = step;
            }
        }
        for (step, needed) in steps.iter_mut().zip(needed) {
            if !needed {
                *step = Step::Keep;
            }
        }
        let has_texts = steps.iter().any(|step| matches!(step, Step::Text(_)));
        Self { all: steps, first, idle, has_texts }
    }

    /// The steps of a schema that is sent as given, wrapped in an object.
    pub(super) fn wrap() -> Self {
        Self { all: vec![Step::Wrap(1), Step::Keep], first: 0, idle: false, has_texts: false }
    }

    /// No steps at all.
    pub(super) fn none() -> Self {
        Self { all: Vec::new(), first: 0, idle: true, has_texts: false }
    }

    /// Whether `restore` changes nothing.
    pub(super) fn are_idle(&self) -> bool {
        self.idle
    }

    /// Whether some values are JSON as text.
    pub(super) fn have_texts(&self) -> bool {
        self.has_texts
    }

    /// The number of the root's step.
    pub(super) fn first(&self) -> usize {
        self.first
    }

    /// What is done at a place; references are followed.
    pub(super) fn at(&self, number: usize) -> &Step {
        match self.all.get(number) {
            Some(Step::As(step)) => self.at(*step),
            Some(step) => step,
            None => &Step::Keep,
        }
    }
}

/// The names of the properties of objects at a place, in each of the forms that they may have.
fn names(steps: &[Step], number: usize) -> Vec<Names> {
    let (mut found, mut open, mut seen) = (Vec::new(), vec![number], HashSet::new());
    while let Some(number) = open.pop() {
        match steps.get(number).filter(|_| seen.insert(number)) {
            Some(Step::As(step)) => open.push(*step),
            Some(Step::Choose(alternatives)) => {
                open.extend(alternatives.branches().iter().map(|branch| branch.step));
            }
            Some(Step::Object { properties, others }) => found.push(names_of(properties, others)),
            Some(Step::Tuple(properties)) => found.push(names_of(properties, &Others::Kept)),
            Some(Step::Keep | Step::Wrap(_) | Step::Text(_) | Step::List { .. } | Step::Map(_)) | None => {}
        }
    }
    found
}

fn names_of(properties: &[Property], others: &Others) -> Names {
    let nullable = properties.iter().filter(|property| property.null != Null::Itself);
    Names {
        known: properties.iter().map(|property| property.name.clone()).collect(),
        needed: nullable.map(|property| property.name.clone()).collect(),
        added: match others {
            Others::Gathered { name, .. } => Some(name.clone()),
            Others::Kept | Others::Beside(_) => None,
        },
        open: !matches!(others, Others::Kept),
    }
}
