//! The syntax tree of a pattern.

/// Quantifiers and generated strings beyond this length are rejected.
pub(super) const LONGEST: u32 = 4_096;

/// A pattern, or part of one.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// One character.
    Set(Set),
    /// One after another.
    Sequence(Vec<Self>),
    /// One of several.
    Either(Vec<Self>),
    Repeat {
        what: Box<Self>,
        min: u32,
        max: Option<u32>,
    },
    Start,
    End,
    /// `\b` (true) and `\B` (false).
    Boundary(bool),
}

/// Characters, by ranges.
#[derive(Clone, Debug, Default)]
pub(super) struct Set {
    pub(super) ranges: Vec<(char, char)>,
    pub(super) negated: bool,
}

impl Set {
    pub(super) fn one(c: char) -> Self {
        Self { ranges: vec![(c, c)], negated: false }
    }

    pub(super) fn has(&self, c: char) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != self.negated
    }
}
