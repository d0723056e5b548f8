//! Which of several alternatives (`anyOf`, `oneOf`) a value belongs to: by its type, by the constants in it, and only
//! where these leave a choice by validation. What is then done to the value is up to the caller.

use serde_json::Value;

use super::json_type::JsonTypes;
use super::validate::{Document, Validator};
use crate::error::Problem;

/// One alternative.
#[derive(Debug)]
pub(super) struct Branch {
    /// Where it stands in the user's schema; `None` if its types alone tell it from the others.
    pub(super) pointer: Option<String>,
    /// The types of values that belong to it, in the form in which they are met.
    pub(super) types: JsonTypes,
    /// Properties of objects that belong to it, with the values they may have.
    pub(super) tags: Vec<(String, Vec<Value>)>,
    /// What to do with a value that belongs to it.
    pub(super) step: usize,
    validator: Option<Validator>,
}

impl Branch {
    pub(super) fn new(
        pointer: Option<String>,
        types: JsonTypes,
        tags: Vec<(String, Vec<Value>)>,
        step: usize,
    ) -> Self {
        Self { pointer, types, tags, step, validator: None }
    }

    fn admits(&self, value: &Value) -> bool {
        let tagged =
            |(name, members): &(String, Vec<Value>)| value.get(name).is_some_and(|tag| members.contains(tag));
        self.types.overlaps(JsonTypes::of(value)) && (!value.is_object() || self.tags.iter().all(tagged))
    }

    /// Whether there may be a value that both admit.
    fn overlaps(&self, other: &Self) -> bool {
        let types = self.types & other.types;
        if types != JsonTypes::OBJECT {
            return !types.is_empty();
        }
        !self.tags.iter().any(|(name, members)| {
            let theirs = other.tags.iter().find(|(theirs, _)| theirs == name);
            theirs.is_some_and(|(_, theirs)| !theirs.iter().any(|each| members.contains(each)))
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

    /// Compiles what is needed to tell branches apart that admit the same values.
    ///
    /// # Errors
    /// None for branches that stand in `document`.
    pub(super) fn prepare(&mut self, document: &Document<'_>) -> Result<(), Problem> {
        let ambiguous: Vec<bool> =
            self.0.iter().map(|one| self.0.iter().filter(|each| one.overlaps(each)).count() > 1).collect();
        for (branch, ambiguous) in self.0.iter_mut().zip(ambiguous) {
            if let (true, Some(pointer)) = (ambiguous, &branch.pointer) {
                branch.validator = Some(document.at(pointer)?);
            }
        }
        Ok(())
    }

    /// Does to `value` what the branch says that it belongs to: the only one that admits it, or else the first whose
    /// schema the result satisfies. Where there is none, the value stays as it is.
    pub(super) fn apply(&self, value: &mut Value, act: impl Fn(usize, &mut Value)) {
        let mut admitting = self.0.iter().filter(|branch| branch.admits(value));
        let Some(first) = admitting.next() else { return };
        let Some(second) = admitting.next() else { return act(first.step, value) };
        let rest: Vec<&Branch> = admitting.collect();
        for branch in [first, second].into_iter().chain(rest) {
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
