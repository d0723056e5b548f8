//! What is wrong with a schema and where, in OpenAI's wording.

use std::fmt;

/// A keyword that is missing, not permitted or unsatisfiable, and the path to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    /// Property names and keywords from the root of the schema to the keyword.
    pub(crate) path: Vec<String>,
    /// What is wrong there.
    pub(crate) what: String,
}

impl Complaint {
    pub(crate) fn new(path: &[String], what: impl Into<String>) -> Self {
        Self { path: path.to_vec(), what: what.into() }
    }
}

impl fmt::Display for Complaint {
    /// OpenAI prints the path as Python prints a tuple: `()`, `('a',)`, `('properties', 'a')`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "In context=(")?;
        for (n, part) in self.path.iter().enumerate() {
            write!(f, "{}'{part}'", if n > 0 { ", " } else { "" })?;
        }
        write!(f, "{}), {}", if self.path.len() == 1 { "," } else { "" }, self.what)
    }
}
