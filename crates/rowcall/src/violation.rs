//! One reason why a completion has no valid value, with its location. Schema and check find violations; the model sees
//! them in a re-ask and the user in a failure.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One reason why a completion has no valid value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Where in the value, as a JSON Pointer (RFC 6901); the empty string is the whole value.
    pub path: String,
    /// What is wrong there and what was expected: a sentence fragment that a model can act on.
    pub message: String,
}

impl Violation {
    /// A violation at `path`, a JSON Pointer.
    pub fn at(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }

    /// A violation of the value as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self::at(String::new(), message)
    }
}

/// `name` as a segment of a JSON Pointer (RFC 6901).
pub(crate) fn escaped(name: &str) -> Cow<'_, str> {
    // Hardly any name has these characters, and every answer is searched with its paths.
    if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "`{}`: {}", self.path, self.message)
        }
    }
}
