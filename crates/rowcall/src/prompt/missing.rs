//! Which variables a rendering looks for and does not find: the engine fails by itself where they are written out, but not in
//! every filter.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Template;
use minijinja::value::Object;
use serde_json::{Map, Value};

use super::field;

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
        found.map(field::one)
    }
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

/// The names that rendering `template` looks for with no field at hand. Reading a slice (`{{ text[:9] }}`) is one of the uses
/// that minijinja's list of undeclared variables leaves out (3.1).
pub(super) fn looked_for(template: &Template<'_, '_>) -> BTreeSet<String> {
    let watched = Arc::new(Watched { fields: Map::new(), missed: Mutex::default() });
    // However it ends, what was missed on the way is known.
    let _ = template.render(minijinja::Value::from_dyn_object(Arc::clone(&watched)));
    let missed = watched.missed.lock().unwrap_or_else(PoisonError::into_inner);
    missed.clone()
}
