//! Which variables a rendering looks for and does not find: the engine fails by itself where they are written out, but not in
//! every filter.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Template;
use minijinja::value::Object;
use serde_json::{Map, Value};

use super::field::{self, Forms, Nulls};
use super::spelling::Numbers;

/// Fields that remember what was asked of them in vain.
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

/// Fields that are all there and empty, and that remember which were asked for.
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

/// The fields with something in brackets behind their name that rendering `template` looks for where all are empty. The template
/// engine's own list leaves out what is only sliced, as `text` is in `{{ text[:80] }}`.
pub(super) fn sliced(template: &Template<'_, '_>, functions: BTreeSet<String>) -> BTreeSet<String> {
    let noted = Arc::new(Noted { functions, asked: Mutex::default() });
    // However it ends, what was asked for on the way is known.
    let _ = template.render(minijinja::Value::from_dyn_object(Arc::clone(&noted)));
    let asked = noted.asked.lock().unwrap_or_else(PoisonError::into_inner);
    let source = template.source();
    let is_in_brackets =
        |name: &&String| source.contains(&format!("{name}[")) || source.contains(&format!("{name} ["));
    asked.iter().filter(is_in_brackets).cloned().collect()
}

/// The first of `lacking`, which are not among `fields`, that rendering `template` looks for.
pub(super) fn first_looked_for<'a>(
    template: &Template<'_, '_>,
    fields: &Map<String, Value>,
    lacking: &[&'a String],
) -> Option<&'a String> {
    if lacking.is_empty() {
        return None;
    }
    let watched = Arc::new(Watched { fields: fields.clone(), missed: Mutex::default() });
    // However it ends, what was missed on the way is known.
    let _ = template.render(minijinja::Value::from_dyn_object(Arc::clone(&watched)));
    let missed = watched.missed.lock().unwrap_or_else(PoisonError::into_inner);
    lacking.iter().copied().find(|name| missed.contains(*name))
}
