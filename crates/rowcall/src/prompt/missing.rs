//! Finds the variables that a rendering looks up and does not find: the engine itself fails where they are written, but not in every
//! filter.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Template;
use minijinja::value::Object;
use serde_json::{Map, Value};

use super::field::{self, Forms, Nulls};
use super::spelling::Numbers;

/// Fields that record which lookups failed.
#[derive(Debug)]
struct Watched {
    fields: Map<String, Value>,
    missed: Mutex<BTreeSet<String>>,
}

impl Object for Watched {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let name = key.as_str()?;
        let found = self.fields.get(name);
        if found.is_none() {
            self.missed.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        }
        let forms = Forms { numbers: &Numbers::Values, nulls: Nulls::None };
        found.map(|value| field::one(value, forms))
    }
}

/// Fields that all exist and are empty, and that record which ones were looked up.
#[derive(Debug)]
struct Noted {
    /// Names that are not fields.
    functions: BTreeSet<String>,
    asked: Mutex<BTreeSet<String>>,
}

impl Object for Noted {
    fn get_value(self: &Arc<Self>, key: &minijinja::Value) -> Option<minijinja::Value> {
        let name = key.as_str().filter(|name| !self.functions.contains(*name))?;
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Some(minijinja::Value::from(""))
    }
}

/// The fields with brackets after their name that rendering `template` looks up if all fields are empty. The template engine's own
/// list omits fields that are only sliced, as in `{{ text[:80] }}`.
pub(super) fn sliced(template: &Template<'_, '_>, functions: BTreeSet<String>) -> BTreeSet<String> {
    let noted = Arc::new(Noted { functions, asked: Mutex::default() });
    // Even if it fails, the lookups until then are recorded.
    let _ = template.render(minijinja::Value::from_dyn_object(Arc::clone(&noted)));
    let asked = noted.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let source = template.source();
    let is_in_brackets =
        |name: &&String| source.contains(&format!("{name}[")) || source.contains(&format!("{name} ["));
    asked.iter().filter(is_in_brackets).cloned().collect()
}

/// The first of `lacking`, which are not among `fields`, that rendering `template` looks up.
pub(super) fn first_looked_for<'a>(
    template: &Template<'_, '_>,
    fields: &Map<String, Value>,
    lacking: &[&'a String],
) -> Option<&'a String> {
    if lacking.is_empty() {
        return None;
    }
    let watched = Arc::new(Watched { fields: fields.clone(), missed: Mutex::default() });
    // Even if it fails, the failed lookups until then are recorded.
    let _ = template.render(minijinja::Value::from_dyn_object(Arc::clone(&watched)));
    let missed = watched.missed.lock().unwrap_or_else(PoisonError::into_inner);
    lacking.iter().copied().find(|name| missed.contains(*name))
}
