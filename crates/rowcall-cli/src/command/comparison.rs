//! One schema as it goes to several providers, side by side: what each loses of it, and where their wire schemas differ.

use std::collections::HashMap;

use rowcall::provider::{Form, Forms, Offer};
use rowcall::schema::Loss;
use serde_json::{Map, Value, json};

use crate::table::table;

/// The keyword of losses that are but other names.
const RENAMED: &str = "properties";

/// The differences of wire schemas that are listed for one pair.
const MOST: usize = 40;

/// The characters of a value that is shown.
const LONGEST: usize = 100;

/// A provider with what it is sent.
pub(super) struct Side {
    pub(super) offer: Offer,
    pub(super) forms: Forms,
}

impl Side {
    fn form(&self) -> &Form {
        &self.forms.first
    }

    /// Losses of what is asked for; names are another matter.
    fn losses(&self) -> impl Iterator<Item = &Loss> {
        self.form().wire.losses.iter().filter(|loss| loss.keyword != RENAMED)
    }

    /// The properties that are asked for under other names.
    fn renamed(&self) -> Vec<&Loss> {
        self.form().wire.losses.iter().filter(|loss| loss.keyword == RENAMED).collect()
    }

    /// The wire schema with the user's own names.
    fn wire(&self) -> Value {
        let names: HashMap<&str, &str> =
            self.renamed().into_iter().filter_map(|loss| names_in(&loss.note)).collect();
        let mut wire = self.form().wire.schema.clone();
        if !names.is_empty() {
            rename(&mut wire, &names);
        }
        wire
    }

    fn name(&self) -> String {
        format!("{} (`{}`)", self.offer.provider.name, self.form().dialect.name())
    }
}

/// The name on the wire and the user's, in what is said of a property that is asked for under another name.
fn names_in(note: &str) -> Option<(&str, &str)> {
    let mut quoted = note.split('`').skip(1).step_by(2);
    let users = quoted.next()?;
    Some((quoted.next()?, users))
}

fn rename(schema: &mut Value, names: &HashMap<&str, &str>) {
    let users = |wire: &str| names.get(wire).map_or_else(|| wire.to_owned(), |users| (*users).to_owned());
    match schema {
        Value::Object(keywords) => {
            if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
                *properties = std::mem::take(properties)
                    .into_iter()
                    .map(|(wire, inner)| (users(&wire), inner))
                    .collect();
            }
            if let Some(Value::Array(required)) = keywords.get_mut("required") {
                for name in required.iter_mut() {
                    *name = Value::from(users(name.as_str().unwrap_or_default()));
                }
            }
            keywords.values_mut().for_each(|inner| rename(inner, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| rename(inner, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What becomes of one keyword at a place, for each side.
type Row = (String, String, Vec<Vec<&'static str>>);

fn rows(sides: &[Side]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (number, side) in sides.iter().enumerate() {
        for loss in side.losses() {
            let at =
                rows.iter().position(|(path, keyword, _)| *path == loss.path && *keyword == loss.keyword);
            let at = at.unwrap_or_else(|| {
                rows.push((loss.path.clone(), loss.keyword.clone(), vec![Vec::new(); sides.len()]));
                rows.len() - 1
            });
            if let Some(effects) = rows.get_mut(at).and_then(|(_, _, cells)| cells.get_mut(number)) {
                effects.push(loss.effect.name());
            }
        }
    }
    rows
}

/// What each side loses, and how what the others are sent differs from what the first is.
pub(super) fn as_text(sides: &[Side]) -> String {
    let mut text = String::new();
    for side in sides {
        text.push_str(&format!("{}: as {}", side.name(), side.form().mode.phrase()));
        match side.renamed().as_slice() {
            [] => {}
            [only] => text.push_str(&format!("; {}", only.note)),
            [first, more @ ..] => {
                text.push_str(&format!("; {}, and {} more likewise", first.note, more.len()));
            }
        }
        text.push('\n');
    }
    let rows = rows(sides);
    if rows.is_empty() {
        text.push_str("\nno losses\n");
    } else {
        let names: Vec<String> = sides.iter().map(Side::name).collect();
        let header: Vec<&str> =
            ["what is lost at", "of"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let cells = rows.into_iter().map(|(path, keyword, effects)| {
            let place = if path.is_empty() { "the schema".to_owned() } else { path };
            let effects =
                effects.iter().map(|each| if each.is_empty() { "-".to_owned() } else { each.join(", ") });
            [place, keyword].into_iter().chain(effects).collect()
        });
        text.push_str(&format!("\n{}\n", table(&header, cells, 0..0)));
        text.push_str(
            "\nchecked: a model may answer otherwise, which is checked here; narrowed: some valid values cannot be answered\n",
        );
    }
    let Some((first, others)) = sides.split_first() else { return text };
    for other in others {
        let (one, another) = (first.wire(), other.wire());
        let found = differences(&one, &another);
        let (here, there) = (first.offer.provider.name, other.offer.provider.name);
        if found.is_empty() {
            text.push_str(&format!("\n{there} is sent the same as {here}\n"));
            continue;
        }
        text.push_str(&format!("\non the wire to {there} otherwise than to {here}:\n"));
        for (pointer, one, another) in found.iter().take(MOST) {
            let place = if pointer.is_empty() { "the schema" } else { pointer };
            text.push_str(&format!(
                "  {place}\n    {here:10} {}\n    {there:10} {}\n",
                shown(*one),
                shown(*another)
            ));
        }
        if found.len() > MOST {
            text.push_str(&format!("  … {} places in all\n", found.len()));
        }
    }
    text.trim_end().to_owned()
}

/// The same for programs.
pub(super) fn as_json(sides: &[Side]) -> Value {
    let losses = rows(sides).into_iter().map(|(path, keyword, effects)| {
        let by: Map<String, Value> = sides
            .iter()
            .zip(effects)
            .map(|(side, effects)| (side.offer.provider.name.to_owned(), json!(effects)))
            .collect();
        json!({ "path": path, "keyword": keyword, "effects": by })
    });
    let wires: Map<String, Value> = sides
        .iter()
        .map(|side| {
            let form = side.form();
            let sent =
                json!({ "mode": form.mode.name(), "dialect": form.dialect.name(), "wire": form.wire.schema });
            (side.offer.provider.name.to_owned(), sent)
        })
        .collect();
    json!({ "providers": wires, "losses": losses.collect::<Vec<_>>() })
}

/// A place in two wire schemas, with what stands there in each.
type Difference<'v> = (String, Option<&'v Value>, Option<&'v Value>);

/// The innermost places at which the two differ.
fn differences<'v>(one: &'v Value, other: &'v Value) -> Vec<Difference<'v>> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), Some(one), Some(other))];
    while let Some((pointer, one, other)) = open.pop() {
        match (one, other) {
            (one, other) if one == other => {}
            (Some(Value::Object(one)), Some(Value::Object(other))) => {
                let more = other.keys().filter(|key| !one.contains_key(*key));
                let keys: Vec<&String> = one.keys().chain(more).collect();
                let inner = |key: &String| format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"));
                open.extend(keys.into_iter().rev().map(|key| (inner(key), one.get(key), other.get(key))));
            }
            (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
                let pairs = one.iter().zip(other).enumerate().rev();
                open.extend(
                    pairs.map(|(at, (one, other))| (format!("{pointer}/{at}"), Some(one), Some(other))),
                );
            }
            (one, other) => found.push((pointer, one, other)),
        }
    }
    found
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value else { return "-".to_owned() };
    let text = value.to_string();
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_places_that_differ_are_found_in_order() {
        let one = json!({ "type": "object", "properties": { "a/b": { "type": "string" }, "c": {} }, "required": ["a", "c"] });
        let other = json!({ "type": "object", "properties": { "a/b": { "type": "number", "minimum": 1 } }, "required": ["a", "d"] });
        let found = differences(&one, &other);
        let places: Vec<&str> = found.iter().map(|(pointer, _, _)| pointer.as_str()).collect();
        let expected = ["/properties/a~1b/type", "/properties/a~1b/minimum", "/properties/c", "/required/1"];
        assert_eq!(places, expected);
        assert_eq!((found[2].1, found[2].2), (Some(&json!({})), None));
        assert!(differences(&one, &one).is_empty());
    }
}
