//! Finds which of several alternatives (`anyOf`, `oneOf`) a value belongs to: by its type and the constants in it, and if
//! these are not conclusive, by its properties and by validation. The caller decides what to do with the value.

use std::collections::HashSet;

use serde_json::Value;

use super::json_type::JsonTypes;
use super::validate::{Document, LateValidator};
use crate::number;

/// One alternative.
#[derive(Debug)]
pub(super) struct Branch {
    /// Its location in the user's schema; `None` if its types alone distinguish it from the others.
    pub(super) pointer: Option<String>,
    /// The types of values that belong to it, in the form in which they are met.
    pub(super) types: JsonTypes,
    /// The types of the same values in the user's form.
    users: JsonTypes,
    /// Properties of objects that belong to it, with the values they may have.
    pub(super) tags: Vec<(String, Vec<Value>)>,
    /// What to do with a value that belongs to it.
    pub(super) step: usize,
    /// The names in objects that belong to it, which may be of several kinds; empty if nothing is known of them.
    names: Vec<Names>,
    validator: Option<LateValidator>,
}

/// The names of the properties of objects that belong to an alternative.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) known: HashSet<String>,
    /// Those that an object has in any case, in the form in which it is met.
    pub(super) needed: Vec<String>,
    /// The one more that an object has in that form.
    pub(super) added: Option<String>,
    /// Whether there may be others in the user's form.
    pub(super) open: bool,
}

impl Names {
    /// Whether an object in the form in which it is met has all that it needs, and nothing else than what is known.
    fn fit(&self, value: &Value) -> bool {
        let is_known = |name: &String| {
            self.known.contains(name)
                || self.added.as_ref() == Some(name)
                || self.added.is_none() && self.open
        };
        value.as_object().is_none_or(|fields| {
            fields.keys().all(is_known) && self.needed.iter().all(|name| fields.contains_key(name))
        })
    }

    /// Whether an object in the user's form has nothing else than what is known.
    fn fit_users(&self, value: &Value) -> bool {
        self.open
            || value.as_object().is_none_or(|fields| fields.keys().all(|name| self.known.contains(name)))
    }
}

impl Branch {
    pub(super) fn new(
        pointer: Option<String>,
        types: JsonTypes,
        tags: Vec<(String, Vec<Value>)>,
        step: usize,
    ) -> Self {
        Self { pointer, types, users: types, tags, step, names: Vec::new(), validator: None }
    }

    /// The same, met in another form than the user's, in which its values are of these types.
    pub(super) fn of_users(mut self, types: JsonTypes) -> Self {
        self.users = types;
        self
    }

    /// Whether a value may belong to it, which is of one of `types` if it does.
    fn admits(&self, types: JsonTypes, value: &Value) -> bool {
        let tagged = |(name, members): &(String, Vec<Value>)| {
            value.get(name).is_some_and(|tag| number::is_among(tag, members))
        };
        types.overlaps(JsonTypes::of(value)) && (!value.is_object() || self.tags.iter().all(tagged))
    }

    /// Whether its objects have such names as `fit` asks for, as far as is known.
    fn has_names(&self, fit: impl Fn(&Names) -> bool) -> bool {
        self.names.is_empty() || self.names.iter().any(fit)
    }

    /// Whether there may be a value that both admit, in one form or the other.
    fn overlaps(&self, other: &Self) -> bool {
        self.share(other, self.types & other.types) || self.share(other, self.users & other.users)
    }

    /// Whether both may admit a value of one of `types`.
    fn share(&self, other: &Self, types: JsonTypes) -> bool {
        if types != JsonTypes::OBJECT {
            return !types.is_empty();
        }
        !self.tags.iter().any(|(name, members)| {
            let theirs = other.tags.iter().find(|(theirs, _)| theirs == name);
            theirs.is_some_and(|(_, theirs)| !theirs.iter().any(|each| number::is_among(each, members)))
        })
    }
}

/// Alternatives, of which a value belongs to one.
#[derive(Debug)]
pub(super) struct Alternatives(Vec<Branch>);

impl Alternatives {
    pub(super) fn new(branches: Vec<Branch>) -> Self {
        Self(branches)
    }

    pub(super) fn branches(&self) -> &[Branch] {
        &self.0
    }

    /// Adds what is needed to distinguish branches that admit the same values. `names` gives the names of a step's
    /// objects, where they are known.
    pub(super) fn prepare(&mut self, document: &Document<'_>, names: impl Fn(usize) -> Vec<Names>) {
        let ambiguous: Vec<bool> =
            self.0.iter().map(|one| self.0.iter().filter(|each| one.overlaps(each)).count() > 1).collect();
        for (branch, ambiguous) in self.0.iter_mut().zip(ambiguous) {
            if let (true, Some(pointer)) = (ambiguous, &branch.pointer) {
                branch.validator = Some(document.later(pointer));
                branch.names = names(branch.step);
            }
        }
    }

    /// The step of the branch that `value`, which is in the user's form, belongs to: the only one that admits it, or else
    /// the first whose schema it satisfies, one that knows all its properties before others.
    pub(super) fn of(&self, value: &Value) -> Option<usize> {
        let mut admitting: Vec<&Branch> =
            self.0.iter().filter(|branch| branch.admits(branch.users, value)).collect();
        if let [only] = admitting.as_slice() {
            return Some(only.step);
        }
        admitting.sort_by_key(|branch| !branch.has_names(|names| names.fit_users(value)));
        let satisfied =
            |branch: &&Branch| branch.validator.as_ref().is_some_and(|validator| validator.is_valid(value));
        admitting.into_iter().find(satisfied).map(|branch| branch.step)
    }

    /// Does to `value` what the branch says that it belongs to: the only one that admits it, or else the first whose
    /// schema the result satisfies, one with the same properties before others. Where there is none, the value stays as
    /// it is.
    pub(super) fn apply(&self, value: &mut Value, act: impl Fn(usize, &mut Value)) {
        let mut admitting = self.0.iter().filter(|branch| branch.admits(branch.types, value));
        let Some(first) = admitting.next() else { return };
        let Some(second) = admitting.next() else { return act(first.step, value) };
        let mut admitting: Vec<&Branch> = [first, second].into_iter().chain(admitting).collect();
        admitting.sort_by_key(|branch| !branch.has_names(|names| names.fit(value)));
        for branch in admitting {
            let mut candidate = value.clone();
            act(branch.step, &mut candidate);
            if branch.validator.as_ref().is_some_and(|validator| validator.is_valid(&candidate)) {
                *value = candidate;
                return;
            }
        }
    }
}

/// Which of a graph's nodes have one of `seeds` within reach, themselves included.
pub(super) fn reaching(inner: &[Vec<usize>], mut reached: Vec<bool>) -> Vec<bool> {
    let mut outer: Vec<Vec<usize>> = vec![Vec::new(); inner.len()];
    for (node, targets) in inner.iter().enumerate() {
        for target in targets {
            if let Some(sources) = outer.get_mut(*target) {
                sources.push(node);
            }
        }
    }
    let mut open: Vec<usize> = (0..reached.len()).filter(|node| reached.get(*node) == Some(&true)).collect();
    while let Some(node) = open.pop() {
        for source in outer.get(node).into_iter().flatten() {
            if let Some(mark @ false) = reached.get_mut(*source) {
                *mark = true;
                open.push(*source);
            }
        }
    }
    reached
}
