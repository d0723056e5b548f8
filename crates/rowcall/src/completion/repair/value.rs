//! Repairs of a value that was read but does not satisfy the user's schema. The schema guides them; repairs count only if the value
//! then satisfies it. The spelling of numbers and booleans is left to `Schema::coerce`.

use std::borrow::Cow;

use serde_json::{Map, Number, Value, json};

use super::Repair;
use crate::completion::json::{self, Candidate, Ending};
use crate::completion::plain::{named_boolean, named_member, number};
use crate::schema::{Breach, Expected, JsonType, MOST_VIOLATIONS, Schema, WireSchema};
use crate::violation::Violation;

/// How many layers around a value are removed or added.
const MOST_LAYERS: usize = 3;

/// How many rounds of repairs are made inside a value: a repaired part may turn out to have errors inside.
const MOST_ROUNDS: usize = 8;

/// The maximum number of errors in a value to repair. Finding all of them takes longer than reading the text, so a value with
/// more errors is not checked over and over.
const MOST_BREACHES: usize = 256;

/// Names under which models wrap an answer that should not be wrapped.
const ENVELOPES: [&str; 7] = ["value", "answer", "result", "response", "output", "data", "properties"];

/// What is wanted: a value of the user's schema, requested in the form of the wire schema.
#[derive(Clone, Copy)]
pub(in crate::completion) struct Wanted<'a> {
    pub(in crate::completion) schema: &'a Schema,
    pub(in crate::completion) wire: &'a WireSchema,
}

impl Wanted<'_> {
    /// Converts `value` from the wire's form to the user's, with its numbers and booleans spelled as the schema requires. Also
    /// returns the breaches that the schema itself cannot detect.
    pub(in crate::completion) fn form(&self, value: Value) -> (Value, Vec<Breach>) {
        let (value, damage) = self.wire.restored(value);
        (self.schema.coerce(value), damage)
    }

    /// `value` in the user's form, repaired where it does not satisfy the schema, and the repairs in the order in which they were
    /// made. `is_item` says whether an object may be the only item of a
    /// wanted list; `exponents` are its numbers with an exponent as in the text.
    ///
    /// # Errors
    /// `value` in the user's form, unrepaired, with its violations, if no repair makes it satisfy the schema.
    pub(in crate::completion) fn repaired(
        &self,
        value: Value,
        is_item: bool,
        exponents: &[String],
    ) -> Result<(Value, Vec<Repair>), (Value, Vec<Violation>)> {
        let mut repairs = Vec::new();
        let called = match &value {
            Value::Array(items) => self.only_call(items),
            value => self.call_in_writing(value),
        };
        let value = match called {
            Some(arguments) => {
                repairs.push(Repair::Envelope);
                arguments.clone()
            }
            None => value,
        };
        let (unrepaired, mut damage) = self.form(value.clone());
        let mut broken = damage.clone();
        broken.extend(self.breaches(&unrepaired));
        let (mut layers, mut form, mut breaches) = (value, unrepaired.clone(), broken.clone());
        for _ in 0..=MOST_LAYERS {
            // With this many errors inside, a layer around the value is not the problem.
            if breaches.len() > MOST_BREACHES {
                break;
            }
            let wants_list =
                breaches.iter().any(|each| each.path.is_empty() && expects(each, JsonType::Array));
            if damage.is_empty()
                && let Some((value, inside)) = self.repaired_inside(form, breaches, exponents)
            {
                repairs.extend(inside);
                return Ok((value, repairs));
            }
            let Some((next, relayered)) = self.relayered(&layers, wants_list && is_item, wants_list) else {
                break;
            };
            repairs.extend(relayered);
            layers = next;
            (form, damage) = self.form(layers.clone());
            breaches = self.breaches(&form);
        }
        Err((unrepaired, broken.into_iter().take(MOST_VIOLATIONS).map(Violation::from).collect()))
    }

    /// Whether a list is wanted.
    pub(in crate::completion) fn wants_list(&self) -> bool {
        let breaches = self.schema.breaches(&json!({}), 1);
        breaches.iter().any(|each| each.path.is_empty() && expects(each, JsonType::Array))
    }

    /// Whether a value has a list or a map somewhere, so that something may be omitted from it.
    pub(in crate::completion) fn holds_items(&self) -> bool {
        has_items(self.schema.as_json())
    }

    /// The names of all properties anywhere in the schema.
    pub(in crate::completion) fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        gather_keys(self.schema.as_json(), &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// `value`, in the user's form, with its `breaches` repaired; `None` if that is not enough.
    fn repaired_inside(
        &self,
        mut value: Value,
        mut breaches: Vec<Breach>,
        exponents: &[String],
    ) -> Option<(Value, Vec<Repair>)> {
        let mut repairs = Vec::new();
        for _ in 0..MOST_ROUNDS {
            if breaches.len() > MOST_BREACHES {
                break;
            }
            let before = repairs.len();
            repairs.extend(breaches.iter().filter_map(|breach| repair_at(&mut value, breach, exponents)));
            if repairs.len() == before {
                break;
            }
            value = self.schema.coerce(value);
            breaches = self.breaches(&value);
        }
        breaches.is_empty().then_some((value, repairs))
    }

    /// The breaches of `value`, at most one more than are repaired.
    fn breaches(&self, value: &Value) -> Vec<Breach> {
        let mut breaches = self.schema.breaches(value, MOST_BREACHES + 1);
        breaches.extend(self.schema.strangers(value, MOST_BREACHES + 1 - breaches.len()));
        breaches
    }

    /// `value`, as received, with a layer around it removed or added.
    fn relayered(&self, value: &Value, is_item: bool, wants_list: bool) -> Option<(Value, Vec<Repair>)> {
        match value {
            Value::String(text) => read_text(text),
            Value::Array(items) => Some((only_object(items)?, vec![Repair::Unwrapped])),
            Value::Object(fields) => match self.enveloped(fields, wants_list) {
                Some(inner) => Some((inner.clone(), vec![Repair::Envelope])),
                // If there are several objects, a list of one would lose the others.
                None if is_item => Some((json!([value]), vec![Repair::Wrapped])),
                None => None,
            },
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    /// Whether one of a few labels is wanted, and this is one of them.
    fn is_label(&self, value: &Value) -> bool {
        let breaches = self.schema.breaches(&json!({}), 1);
        let expected = breaches.first().map(|breach| &breach.expected);
        matches!(expected, Some(Expected::Member(_))) && value.is_string() && self.schema.validates(value)
    }

    /// The arguments, if `value` is a tool call written as JSON, unless the schema itself has a property of that name.
    pub(in crate::completion) fn call_in_writing<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        let fields = value.as_object()?;
        let called = fields.get("name")?.as_str()?;
        if called != self.schema.name() && called != self.wire.name {
            return None;
        }
        let (key, arguments) =
            ["arguments", "parameters"].into_iter().find_map(|key| Some((key, fields.get(key)?)))?;
        let is_of_a_call =
            |key: &String| ["name", "type", "id", "arguments", "parameters"].contains(&key.as_str());
        let is_property =
            |key| self.schema.properties().is_some_and(|names| names.iter().any(|name| name == key));
        let is_call = fields.keys().all(is_of_a_call) && !is_property(key);
        is_call.then_some(arguments)
    }

    /// The arguments of the only call in a list, as Mistral's models write calls.
    fn only_call<'v>(&self, items: &'v [Value]) -> Option<&'v Value> {
        let [only] = items else { return None };
        let keys = self.keys();
        let has_key = |name: &str| keys.iter().any(|key| key == name);
        self.call_in_writing(only).filter(|_| !has_key("arguments") && !has_key("parameters"))
    }

    /// The value that an object wraps: a wanted label under any name; otherwise a value under a generic name or the schema's name, or,
    /// since some modes only allow an object as the root, a list under any name.
    fn enveloped<'v>(&self, fields: &'v Map<String, Value>, wants_list: bool) -> Option<&'v Value> {
        let name = self.schema.name();
        let mut each = fields.iter();
        match (each.next()?, each.next(), each.next()) {
            ((key, inner), None, None) => {
                let is_generic = ENVELOPES.contains(&key.as_str()) || key.eq_ignore_ascii_case(name);
                let is_list = wants_list && inner.as_array().is_some_and(|items| !items.is_empty());
                (is_generic || is_list || self.is_label(inner)).then_some(inner)
            }
            _ => None,
        }
    }
}

fn has_items(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let is_list = fields.get("type").is_some_and(|kind| match kind {
                Value::Array(kinds) => kinds.contains(&json!("array")),
                kind => kind == "array",
            });
            let further = fields.get("additionalProperties");
            let is_map = further.is_some_and(|further| further.is_object() || *further == json!(true));
            let is_any =
                ["items", "prefixItems", "patternProperties"].iter().any(|key| fields.contains_key(*key));
            is_list || is_map || is_any || fields.values().any(has_items)
        }
        Value::Array(schemas) => schemas.iter().any(has_items),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn gather_keys(schema: &Value, keys: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            if let Some(Value::Object(properties)) = fields.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            fields.values().for_each(|field| gather_keys(field, keys));
        }
        Value::Array(items) => items.iter().for_each(|item| gather_keys(item, keys)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Repairs the part of `value` that `breach` is about, if possible. Validation decides whether that was right.
fn repair_at(value: &mut Value, breach: &Breach, exponents: &[String]) -> Option<Repair> {
    let parent = breach.path.rsplit_once('/').and_then(|(parent, _)| value.pointer(parent));
    // An item that is a list may be one of several lists.
    let is_member = parent.is_some_and(Value::is_object);
    let target = value.pointer_mut(&breach.path)?;
    let is_root = breach.path.is_empty();
    let (repaired, repair) = match (&breach.expected, &*target) {
        (Expected::Types(_) | Expected::Member(_), Value::Null) => return drop_property(value, &breach.path),
        (Expected::Member(members), meant) => match (member_meant(meant, members), meant) {
            (Some(member), _) => (member.clone(), Repair::EnumSpelling),
            (None, Value::String(text)) => named_member(text, members)?,
            (None, Value::Array(items)) if is_member => (only_scalar(items)?, Repair::Unwrapped),
            (None, _) => return None,
        },
        (Expected::Name { found, meant }, Value::Object(fields)) => {
            let renamed = fields.iter().map(|(name, field)| {
                (if name == found { meant.clone() } else { name.clone() }, field.clone())
            });
            (Value::Object(renamed.collect()), Repair::KeySpelling)
        }
        (Expected::Types(_), Value::Number(number)) if expects(breach, JsonType::String) => {
            (Value::String(as_written(number, exponents)?), Repair::NumberAsText)
        }
        (Expected::Types(_), Value::String(text)) if expects(breach, JsonType::Boolean) => {
            named_boolean(text)?
        }
        (Expected::Types(types), Value::String(text))
            if expects(breach, JsonType::Number) || expects(breach, JsonType::Integer) =>
        {
            number(text, types)?
        }
        // Layers around the whole value are removed before it is converted to the user's form.
        (Expected::Types(_), _) if is_root => return None,
        (Expected::Types(_), Value::Array(items)) if expects(breach, JsonType::Object) => {
            (only_object(items)?, Repair::Unwrapped)
        }
        (Expected::Types(types), Value::Array(items)) if is_member => {
            let only = only_scalar(items)?;
            let is = |named| types.contains(&named);
            let found = JsonType::of(&only);
            let is_wanted = is(found) || found == JsonType::Integer && is(JsonType::Number);
            (if is_wanted { only } else { return None }, Repair::Unwrapped)
        }
        (Expected::Types(_), Value::Object(_)) if expects(breach, JsonType::Array) => {
            (json!([target]), Repair::Wrapped)
        }
        (Expected::Types(_), Value::String(text))
            if expects(breach, JsonType::Object) || expects(breach, JsonType::Array) =>
        {
            (read_text(text)?.0, Repair::Stringified)
        }
        (Expected::Types(_) | Expected::Name { .. } | Expected::Other, _) => return None,
    };
    *target = repaired;
    Some(repair)
}

/// The number as it was written. A `Value` has `1e+5` for both `1E5` and `1e5`; if the text has both, `None`.
fn as_written(number: &Number, exponents: &[String]) -> Option<String> {
    let parts = |text: &str| {
        let (mantissa, exponent) = text.split_once(['e', 'E'])?;
        Some((mantissa.to_owned(), exponent.trim_start_matches('+').to_owned()))
    };
    let Some(own) = parts(number.as_str()) else { return Some(number.as_str().to_owned()) };
    let mut written = exponents.iter().filter(|other| parts(other).as_ref() == Some(&own));
    match written.next() {
        Some(first) => written.all(|other| other == first).then(|| first.clone()),
        None => Some(number.as_str().to_owned()),
    }
}

/// Whether a value of this type is expected where one of another type was found.
fn expects(breach: &Breach, wanted: JsonType) -> bool {
    matches!(&breach.expected, Expected::Types(types) if types.contains(&wanted))
}

/// Removes a property that is null; if it is required, validation will report it.
fn drop_property(value: &mut Value, path: &str) -> Option<Repair> {
    let (parent, name) = path.rsplit_once('/')?;
    let fields = value.pointer_mut(parent)?.as_object_mut()?;
    fields.shift_remove(&name.replace("~1", "/").replace("~0", "~"))?;
    Some(Repair::NullDropped)
}

fn only_object(items: &[Value]) -> Option<Value> {
    match items {
        [only @ Value::Object(_)] => Some(only.clone()),
        _ => None,
    }
}

fn only_scalar(items: &[Value]) -> Option<Value> {
    match items {
        [only @ (Value::String(_) | Value::Number(_) | Value::Bool(_))] => Some(only.clone()),
        _ => None,
    }
}

/// The object or list in a string that contains only its JSON.
fn read_text(text: &str) -> Option<(Value, Vec<Repair>)> {
    let found = json::find(text, &[]).candidates;
    let [Candidate { value, repairs, ending, .. }] = <[Candidate; 1]>::try_from(found).ok()?;
    let stands_alone = ending == Ending::Text
        && !repairs.iter().any(|repair| matches!(repair, Repair::Prose | Repair::MissingBracket));
    let is_container = value.is_object() || value.is_array();
    (stands_alone && is_container).then(|| (value, [repairs, vec![Repair::Stringified]].concat()))
}

/// The only member that `value` is another spelling of: with white space around it, in another case, with `-`, `_` and
/// spaces exchanged, or as a number or boolean instead of its string.
fn member_meant<'m>(value: &Value, members: &'m [Value]) -> Option<&'m Value> {
    let spellings: [fn(&str) -> String; 4] = [
        |text| text.trim().to_owned(),
        |text| text.trim().to_lowercase(),
        |text| text.trim().to_lowercase().replace(['-', '_'], " "),
        // Before a digit, a hyphen is a minus.
        |text| match text.trim() {
            text if text.starts_with(char::is_alphabetic) => text.to_lowercase().replace(['-', '_', ' '], ""),
            text => text.to_owned(),
        },
    ];
    let text = scalar_text(value)?;
    spellings.into_iter().find_map(|spelling| {
        let spelled = spelling(&text);
        let mut alike = members
            .iter()
            .filter(|member| scalar_text(member).is_some_and(|text| spelling(&text) == spelled));
        alike.next().filter(|_| alike.next().is_none())
    })
}

fn scalar_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(_) | Value::Bool(_) => Some(Cow::Owned(value.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests;
