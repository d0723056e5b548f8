//! `garde`'s rules as a check: the model sees their violations like any other.

use std::sync::Arc;

use garde::{Path, Validate};
use serde::de::DeserializeOwned;

use crate::check::{Closure, Scope};
use crate::extractor::Extractor;
use crate::row::Row;
use crate::violation::{Violation, escaped};

impl<T> Extractor<T>
where
    T: DeserializeOwned + Validate<Context = ()> + 'static,
{
    /// The same extractor with the rules that `T` derives from `garde` as its check.
    pub fn garde(&self) -> Self {
        let rule = |_: &Row, value: &T| match value.validate() {
            Ok(()) => Vec::new(),
            Err(report) => {
                report.iter().map(|(path, error)| Violation::at(pointer(path), error.to_string())).collect()
            }
        };
        self.check_with(Arc::new(Closure::<T, _>::new(rule, Scope::Value)))
    }
}

/// A path such as `items[0].price` as a JSON Pointer.
fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for part in path.to_string().split(['.', '[', ']']).filter(|part| !part.is_empty()) {
        pointer.push('/');
        pointer.push_str(&escaped(part));
    }
    pointer
}
