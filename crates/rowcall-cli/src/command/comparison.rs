//! One schema as several providers get it, side by side: what each loses, and where their wire schemas differ.

use std::collections::HashMap;

use rowcall::provider::{Form, Forms, Offer};
use rowcall::schema::Loss;
use serde_json::{Map, Value, json};

use crate::table::table;

/// The keyword of losses that only rename properties.
const RENAMED: &str = "properties";

/// The maximum number of differences listed for a pair of wire schemas.
const MAX_DIFFERENCES: usize = 40;

/// The maximum number of paths listed in a row of the table.
const PATHS_SHOWN: usize = 3;

/// The maximum length of a shown value, in characters.
const MAX_LENGTH: usize = 100;

/// A provider with the forms it is sent.
pub(super) struct Side {
    pub(super) offer: Offer,
    pub(super) forms: Forms,
}

impl Side {
    fn form(&self) -> &Form {
        &self.forms.first
    }

    /// The losses other than renamed properties.
    fn losses(&self) -> impl Iterator<Item = &Loss> {
        self.form().wire.losses.iter().filter(|loss| loss.keyword != RENAMED)
    }

    /// The losses that rename properties.
    fn renamed(&self) -> Vec<&Loss> {
        self.form().wire.losses.iter().filter(|loss| loss.keyword == RENAMED).collect()
    }

    /// The wire schema with the user's names for properties.
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

/// The name on the wire and the user's name, from the note about a renamed property.
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

/// A path, a keyword, and what each side loses of it.
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

/// Rows of the table that differ only in their paths: the paths, the keyword, and the effects on each side.
type Group = (Vec<String>, String, Vec<Vec<&'static str>>);

/// The rows as the table shows them: those in which the sides differ come first, and those that differ only in their path are one row.
fn shown_rows(rows: Vec<Row>) -> Vec<Vec<String>> {
    let mut groups: Vec<Group> = Vec::new();
    for (path, keyword, effects) in rows {
        let path = if path.is_empty() { "the schema".to_owned() } else { path };
        match groups.iter_mut().find(|(_, known, cells)| (known, cells) == (&keyword, &effects)) {
            Some((paths, _, _)) => paths.push(path),
            None => groups.push((vec![path], keyword, effects)),
        }
    }
    groups.sort_by_key(|(_, _, effects)| effects.windows(2).all(|pair| pair.first() == pair.last()));
    let line = |(paths, keyword, effects): Group| {
        let more = paths.len().saturating_sub(PATHS_SHOWN);
        let mut shown = paths.into_iter().take(PATHS_SHOWN).collect::<Vec<_>>().join(", ");
        if more > 0 {
            shown.push_str(&format!(" and {more} more"));
        }
        let effects =
            effects.iter().map(|each| if each.is_empty() { "-".to_owned() } else { each.join(", ") });
        [shown, keyword].into_iter().chain(effects).collect()
    };
    groups.into_iter().map(line).collect()
}

/// What each side loses, and how the wire schemas of the others differ from the first one.
pub(super) fn as_text(sides: &[Side]) -> String {
    let mut text = String::new();
    for side in sides {
        text.push_str(&format!("{}: as {}", side.name(), side.form().mode.phrase()));
        match side.renamed().as_slice() {
            [] => {}
            [only] => text.push_str(&format!("; {}", only.note)),
            [first, more @ ..] => {
                text.push_str(&format!("; {}; {} more are renamed", first.note, more.len()));
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
            ["path", "keyword"].into_iter().chain(names.iter().map(String::as_str)).collect();
        let cells = shown_rows(rows).into_iter();
        text.push_str(&format!("\n{}\n", table(&header, cells, 0..0)));
        text.push_str(
            "\nchecked: not enforced on the wire, but checked by rowcall; narrowed: the model cannot return some valid values\n",
        );
    }
    let Some((first, others)) = sides.split_first() else { return text };
    for other in others {
        let (one, another) = (first.wire(), other.wire());
        let found = differences(&one, &another);
        let (here, there) = (first.offer.provider.name, other.offer.provider.name);
        if found.is_empty() {
            text.push_str(&format!("\n{there} gets the same schema as {here}\n"));
            continue;
        }
        text.push_str(&format!("\non the wire, {there} differs from {here}:\n"));
        for (pointer, one, another) in found.iter().take(MAX_DIFFERENCES) {
            let path = if pointer.is_empty() { "the schema" } else { pointer };
            text.push_str(&format!(
                "  {path}\n    {here:10} {}\n    {there:10} {}\n",
                shown(*one),
                shown(*another)
            ));
        }
        if found.len() > MAX_DIFFERENCES {
            text.push_str(&format!("  … {} differences in all\n", found.len()));
        }
    }
    text.trim_end().to_owned()
}

/// The same as JSON.
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

/// A path in two wire schemas, with the value at it in each.
type Difference<'v> = (String, Option<&'v Value>, Option<&'v Value>);

/// The innermost paths at which the two differ.
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
    if text.chars().count() <= MAX_LENGTH {
        return text;
    }
    text.chars().take(MAX_LENGTH).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_come_first_and_the_same_effect_at_several_paths_is_one_row() {
        let row = |path: &str, keyword: &str, one: &[&'static str], other: &[&'static str]| {
            (path.to_owned(), keyword.to_owned(), vec![one.to_vec(), other.to_vec()])
        };
        let rows = shown_rows(vec![
            row("", "additionalProperties", &["narrowed"], &["narrowed"]),
            row("/properties/a", "minimum", &["narrowed"], &[]),
            row("/properties/b", "minimum", &["narrowed"], &[]),
            row("/properties/c", "minimum", &["checked"], &["narrowed", "checked"]),
        ]);
        assert_eq!(
            rows,
            [
                ["/properties/a, /properties/b", "minimum", "narrowed", "-"],
                ["/properties/c", "minimum", "checked", "narrowed, checked"],
                ["the schema", "additionalProperties", "narrowed", "narrowed"],
            ]
        );
    }

    #[test]
    fn the_innermost_paths_that_differ_are_found_in_order() {
        let one = json!({ "type": "object", "properties": { "a/b": { "type": "string" }, "c": {} }, "required": ["a", "c"] });
        let other = json!({ "type": "object", "properties": { "a/b": { "type": "number", "minimum": 1 } }, "required": ["a", "d"] });
        let found = differences(&one, &other);
        let paths: Vec<&str> = found.iter().map(|(pointer, _, _)| pointer.as_str()).collect();
        let expected = ["/properties/a~1b/type", "/properties/a~1b/minimum", "/properties/c", "/required/1"];
        assert_eq!(paths, expected);
        assert_eq!((found[2].1, found[2].2), (Some(&json!({})), None));
        assert!(differences(&one, &one).is_empty());
    }
}
