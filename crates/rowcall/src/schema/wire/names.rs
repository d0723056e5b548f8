//! Replaces property names that a provider rejects, and restores them in answers. This is the last step of the translation, since it
//! only changes names, wherever they are in the wire schema.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::dialect::RootNames;
use super::{Effect, Loss};
use crate::schema::subschemas::Subschemas;
use crate::violation::{Violation, escaped};

/// The longest name that is asked for.
const LONGEST: usize = 64;

/// Keywords whose values are answers, or parts of them.
const VALUES: [&str; 4] = ["enum", "const", "default", "examples"];

/// Letters that have a spelling in ASCII, beside those that lose an accent.
const SPELLED: [(&str, &str); 12] = [
    ("äÄæÆ", "ae"),
    ("öÖœŒ", "oe"),
    ("üÜ", "ue"),
    ("ß", "ss"),
    ("àáâãåÀÁÂÃÅ", "a"),
    ("çćčÇĆČ", "c"),
    ("èéêëÈÉÊË", "e"),
    ("ìíîïıİÌÍÎÏ", "i"),
    ("ñńÑŃ", "n"),
    ("òóôõøÒÓÔÕØ", "o"),
    ("şśšŞŚŠ", "s"),
    ("ùúûÙÚÛ", "u"),
];

/// Which names of properties are asked for under others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// None.
    Kept,
    /// Those that are not 1 to 64 letters, digits, dots, hyphens and underscores of ASCII.
    Plain,
    /// The empty one.
    Filled,
    /// All, with numbers in front, where properties are not in the order of their names, and the empty one.
    Numbered,
}

/// The names that a provider receives, and the names that they replace.
#[derive(Debug, Default)]
pub(super) struct Names {
    to_wire: HashMap<String, String>,
    to_user: HashMap<String, String>,
}

impl Names {
    /// Renames the properties in `schema` according to `naming`, and adds the original names to their descriptions. Returns the changes
    /// as losses.
    pub(super) fn of(schema: &mut Value, naming: Naming) -> (Self, Vec<Loss>) {
        // A schema made here refers to nothing that it does not have.
        let Ok(all) = Subschemas::of(schema) else { return (Self::default(), Vec::new()) };
        let mut pointers: Vec<String> = all.all().iter().map(|each| each.pointer.clone()).collect();
        let properties = || all.all().iter().filter_map(|each| each.schema.get("properties")?.as_object());
        let known: HashSet<&String> = properties().flat_map(Map::keys).collect();
        // In objects that take any name, one that ends in a dot is hardly ever one of the data's own.
        let mark = if all.all().iter().any(|each| is_open(each.schema)) { "." } else { "" };
        let mut names = Self::default();
        let is_kept = |name: &&String| match naming {
            Naming::Kept => true,
            Naming::Plain => RootNames::Plain.allow(name),
            Naming::Filled | Naming::Numbered => !name.is_empty(),
        };
        for name in properties().flat_map(Map::keys).filter(|name| !is_kept(name)) {
            names.add(name, mark, &known);
        }
        if naming == Naming::Numbered {
            let lists: Vec<Vec<&String>> = properties().map(|named| named.keys().collect()).collect();
            match numbered(&lists) {
                Some(numbered) => names.number(&numbered),
                None => return (names, vec![unordered()]),
            }
        }
        if names.is_empty() {
            return (names, Vec::new());
        }
        let losses = all.all().iter().flat_map(|each| {
            let renamed =
                each.schema.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys);
            let renamed = renamed.filter_map(|name| Some((name, names.to_wire.get(name)?)));
            renamed.map(|(name, wire)| Loss {
                path: format!("{}/properties/{}", each.pointer, escaped(name)),
                keyword: "properties".to_owned(),
                note: format!("`{name}` is asked for as `{wire}`, since {}", naming.reason()),
                effect: Effect::Checked,
            })
        });
        let losses = losses.collect();
        // What stands deepest first, so that the places of the others still hold.
        pointers.sort_by_key(|pointer| std::cmp::Reverse(pointer.matches('/').count()));
        for pointer in pointers {
            if let Some(Value::Object(keywords)) = schema.pointer_mut(&pointer) {
                names.rename_in(keywords, naming);
            }
        }
        (names, losses)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.to_wire.is_empty()
    }

    /// Replaces the provider's names in a value by the user's.
    pub(super) fn restore(&self, value: &mut Value) {
        if !self.is_empty() {
            rename(value, &self.to_user);
        }
    }

    /// Replaces the user's names in a value by the provider's.
    pub(super) fn express(&self, value: &mut Value) {
        if !self.is_empty() {
            rename(value, &self.to_wire);
        }
    }

    /// A violation of a value with the user's names, as one of the value that the provider has.
    pub(super) fn in_violation(&self, Violation { path, message }: &Violation) -> Violation {
        let step = |step: &str| {
            let name = step.replace("~1", "/").replace("~0", "~");
            self.to_wire.get(&name).map_or_else(|| step.to_owned(), |wire| escaped(wire).into_owned())
        };
        Violation {
            path: path.split('/').map(step).collect::<Vec<_>>().join("/"),
            message: self.in_message(message),
        }
    }

    /// A message with the provider's names in place of the user's, if it is one about properties: in others, what stands in backticks is
    /// a value.
    fn in_message(&self, message: &str) -> String {
        const OF_PROPERTIES: [&str; 4] = [
            "required property `",
            "unexpected propert",
            "has none of the properties",
            "the property name `",
        ];
        if !OF_PROPERTIES.iter().any(|words| message.starts_with(words)) {
            return message.to_owned();
        }
        let known = "(known: ";
        let (head, list) = match message.split_once(known) {
            Some((head, list)) => (head, Some(list)),
            None => (message, None),
        };
        let quoted = head.split('`').enumerate().map(|(at, part)| match self.to_wire.get(part) {
            Some(wire) if at % 2 == 1 => wire.as_str(),
            Some(_) | None => part,
        });
        let mut translated = quoted.collect::<Vec<_>>().join("`");
        if let Some((names, rest)) = list.and_then(|list| list.rsplit_once(')')) {
            let names = names.split(", ").map(|name| self.to_wire.get(name).map_or(name, String::as_str));
            translated.push_str(&format!("{known}{}){rest}", names.collect::<Vec<_>>().join(", ")));
        }
        translated
    }

    /// Puts numbers in front of names, of those that have been changed already as well.
    fn number(&mut self, numbered: &[(&String, usize)]) {
        let width = numbered.len().to_string().len();
        for (name, number) in numbered {
            let plain = self.to_wire.get(*name).unwrap_or(name);
            let wire = format!("{number:0width$}_{plain}");
            self.to_user.insert(wire.clone(), (*name).clone());
            self.to_wire.insert((*name).clone(), wire);
        }
    }

    fn add(&mut self, name: &str, mark: &str, known: &HashSet<&String>) {
        if self.to_wire.contains_key(name) {
            return;
        }
        let plain = spelled(name) + mark;
        let is_free = |wire: &String| !known.contains(wire) && !self.to_user.contains_key(wire);
        let numbered = (2..).map(|number| {
            let digits = format!("_{number}");
            let kept: String = plain.chars().take(LONGEST - digits.len()).collect();
            kept + &digits
        });
        let wire = std::iter::once(plain.clone()).chain(numbered).find(is_free);
        if let Some(wire) = wire {
            self.to_user.insert(wire.clone(), name.to_owned());
            self.to_wire.insert(name.to_owned(), wire);
        }
    }

    /// Gives the names in the keywords of one schema, not in those within it.
    fn rename_in(&self, keywords: &mut Map<String, Value>, naming: Naming) {
        let mut unsaid = Vec::new();
        if let Some(Value::Object(properties)) = keywords.get_mut("properties") {
            for (name, schema) in properties.iter_mut() {
                match (
                    self.to_wire.get(name).filter(|_| naming != Naming::Numbered || name.is_empty()),
                    schema,
                ) {
                    (None, _) => {}
                    (Some(_), Value::Object(keywords)) if !keywords.contains_key("$ref") => {
                        describe(keywords, format!("`{name}`"));
                    }
                    // Beside a reference nothing else may stand.
                    (Some(wire), _) => unsaid.push(format!("`{wire}` is `{name}`")),
                }
            }
        }
        for keyword in ["properties", "dependentSchemas", "dependentRequired"] {
            if let Some(Value::Object(named)) = keywords.get_mut(keyword) {
                rename_keys(named, &self.to_wire);
            }
        }
        if let Some(Value::Object(lists)) = keywords.get_mut("dependentRequired") {
            lists.values_mut().for_each(|list| self.rename_listed(list));
        }
        for keyword in ["required", "propertyOrdering"] {
            if let Some(list) = keywords.get_mut(keyword) {
                self.rename_listed(list);
            }
        }
        for keyword in VALUES {
            if let Some(value) = keywords.get_mut(keyword) {
                rename(value, &self.to_wire);
            }
        }
        if let Some(Value::String(reference)) = keywords.get_mut("$ref") {
            self.rename_along(reference);
        }
        if !unsaid.is_empty() {
            describe(keywords, unsaid.join(", "));
        }
    }

    fn rename_listed(&self, list: &mut Value) {
        for name in list.as_array_mut().into_iter().flatten() {
            if let Some(wire) = name.as_str().and_then(|name| self.to_wire.get(name)) {
                *name = Value::String(wire.clone());
            }
        }
    }

    /// The names of properties that a reference passes by.
    fn rename_along(&self, reference: &mut String) {
        let mut steps: Vec<String> = reference.split('/').map(str::to_owned).collect();
        for at in 1..steps.len() {
            if steps[at - 1] == "properties"
                && let Some((_, wire)) = self.to_wire.iter().find(|(name, _)| is_step(&steps[at], name))
            {
                steps[at].clone_from(wire);
            }
        }
        *reference = steps.join("/");
    }
}

impl Naming {
    /// Why a name is not asked for as it is.
    fn reason(self) -> &'static str {
        match self {
            Self::Kept | Self::Plain => "a tool takes no such name",
            Self::Filled => "the engine takes no empty name",
            Self::Numbered => "the server may sort properties by name",
        }
    }
}

/// The loss where numbers cannot keep the order.
fn unordered() -> Loss {
    Loss {
        path: String::new(),
        keyword: "properties".to_owned(),
        note: "the server may sort properties by name, and the model then writes them in that order"
            .to_owned(),
        effect: Effect::Checked,
    }
}

/// A number for each name, by which the names of each list come in its order; none if they do so without. `None` if no numbers do.
fn numbered<'n>(lists: &[Vec<&'n String>]) -> Option<Vec<(&'n String, usize)>> {
    if lists.iter().all(|names| names.is_sorted()) {
        return Some(Vec::new());
    }
    let mut order: Vec<&String> = Vec::new();
    let mut waiting: Vec<std::collections::VecDeque<&String>> =
        lists.iter().map(|names| names.iter().copied().collect()).collect();
    loop {
        waiting.retain(|names| !names.is_empty());
        // The next is one that nothing waits before.
        let Some(next) = waiting
            .iter()
            .filter_map(|names| names.front().copied())
            .find(|name| !waiting.iter().any(|names| names.iter().skip(1).any(|each| each == name)))
        else {
            return waiting.is_empty().then(|| order.into_iter().zip(1..).collect());
        };
        order.push(next);
        for names in &mut waiting {
            if names.front() == Some(&next) {
                names.pop_front();
            }
        }
    }
}

/// Whether a schema is one of objects with any further names.
fn is_open(schema: &Value) -> bool {
    let is_of_objects =
        schema.get("properties").is_some() || schema.get("type").is_some_and(|types| types == "object");
    is_of_objects && schema.get("additionalProperties") != Some(&Value::Bool(false))
}

/// Whether a step of a reference names this property, encoded or not.
fn is_step(step: &str, name: &str) -> bool {
    let escaped = escaped(name);
    step == escaped || step == crate::schema::subschemas::percent_encoded(&escaped)
}

/// Puts `words` before what a schema says of itself.
fn describe(keywords: &mut Map<String, Value>, words: String) {
    let said = match keywords.get("description").and_then(Value::as_str) {
        Some(said) => format!("{words}: {said}"),
        None => words,
    };
    keywords.insert("description".to_owned(), Value::String(said));
}

/// `name` in ASCII, as far as it can be spelled so.
fn spelled(name: &str) -> String {
    let mut plain = String::new();
    for c in name.chars() {
        match SPELLED.iter().find(|(letters, _)| letters.contains(c)) {
            _ if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') => plain.push(c),
            Some((_, letters)) => plain.push_str(letters),
            None if plain.ends_with('_') => {}
            None => plain.push('_'),
        }
    }
    let plain = plain.trim_matches('_');
    let plain: String = if plain.bytes().any(|b| b.is_ascii_alphanumeric()) { plain } else { "property" }
        .chars()
        .take(LONGEST - 1)
        .collect();
    plain
}

fn rename_keys(fields: &mut Map<String, Value>, names: &HashMap<String, String>) {
    if fields.keys().any(|name| names.contains_key(name)) {
        let renamed = std::mem::take(fields).into_iter();
        let mut fields_renamed = Map::new();
        for (name, value) in renamed {
            // What stands under both names stays under both, for validation to see.
            let new = names.get(&name).filter(|new| !fields_renamed.contains_key(*new));
            fields_renamed.insert(new.cloned().unwrap_or(name), value);
        }
        *fields = fields_renamed;
    }
}

/// Renames the fields of all objects within a value, at any depth, without recursion.
fn rename(value: &mut Value, names: &HashMap<String, String>) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(fields) => {
                rename_keys(fields, names);
                open.extend(fields.values_mut());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}
