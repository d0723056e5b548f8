//! References that make a wire schema contain itself: which of them a provider accepts, and which properties must become
//! optional for that.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::dialect::Recursion;
use super::{Effect, Loss};
use crate::error::Problem;
use crate::schema::subschemas::target;
use crate::schema::wording::cut;
use crate::violation::escaped;

/// A reference.
struct Link {
    /// The number of the definition that it is in, and of the one that it leads to.
    from: usize,
    to: usize,
    /// Where it stands, as a JSON Pointer.
    pointer: String,
    /// The innermost property that it is in: where the object stands, and the property's name.
    property: Option<(String, String)>,
    /// Whether one of the properties that it is in is not required.
    optional: bool,
}

/// Lets `schema`, the wire schema of `users`, contain itself only as the provider takes it: a property that must not be
/// required is so no longer, which is a loss.
///
/// # Errors
/// Where it contains itself otherwise.
pub(super) fn settle(
    schema: &mut Value,
    recursion: Recursion,
    users: &Value,
    losses: &mut Vec<Loss>,
) -> Result<(), Problem> {
    match recursion {
        Recursion::Allowed => Ok(()),
        Recursion::Refused => refuse(&circular(links(schema)), "takes no schema that does"),
        Recursion::ThroughOptional => {
            let required =
                |schema: &Value| circular(links(schema).into_iter().filter(|link| !link.optional).collect());
            for (object, name) in required(schema).into_iter().filter_map(|link| link.property) {
                if loosen(schema, &object, &name) {
                    losses.push(loss(users, &object, &name));
                }
            }
            refuse(&required(schema), "takes that only through a property that is not required")
        }
    }
}

fn refuse(circular: &[Link], what: &str) -> Result<(), Problem> {
    let Some(link) = circular.first() else { return Ok(()) };
    Err(Problem::new(format!("the schema contains itself at `{}`, the provider {what}", cut(&link.pointer)))
        .hint("write the levels out one by one, or use a mode that does not send the schema to be enforced"))
}

/// Removes `name` from the required properties of the object at `pointer`; returns whether it was required.
fn loosen(schema: &mut Value, pointer: &str, name: &str) -> bool {
    let Some(object) = schema.pointer_mut(pointer).and_then(Value::as_object_mut) else { return false };
    let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) else { return false };
    let before = required.len();
    required.retain(|each| each != name);
    let was = required.len() < before;
    if required.is_empty() {
        object.shift_remove("required");
    }
    was
}

/// The loss of a requirement. A definition has the same location as in the user's schema; other losses are reported at the schema
/// that contains them.
fn loss(users: &Value, object: &str, name: &str) -> Loss {
    let mut path = format!("{object}/properties/{}", escaped(name));
    while users.pointer(&path).is_none() {
        path.truncate(path.rfind('/').unwrap_or(0));
    }
    let note = format!(
        "`{name}` may be left out for the provider, which takes recursion only so; it is checked locally"
    );
    Loss { path, keyword: "required".to_owned(), note, effect: Effect::Checked }
}

/// Those of `links` that are part of a circle.
fn circular(links: Vec<Link>) -> Vec<Link> {
    let count = links.iter().map(|link| link.from.max(link.to) + 1).max().unwrap_or(0);
    let mut graph = vec![Vec::new(); count];
    for link in &links {
        if let Some(targets) = graph.get_mut(link.from) {
            targets.push(link.to);
        }
    }
    let circle = components(&graph);
    links.into_iter().filter(|link| circle.get(link.from) == circle.get(link.to)).collect()
}

/// For each node of a graph, the number of its strongly connected component. Kosaraju's algorithm, without recursion.
fn components(graph: &[Vec<usize>]) -> Vec<usize> {
    let mut reversed = vec![Vec::new(); graph.len()];
    for (node, targets) in graph.iter().enumerate() {
        for target in targets {
            if let Some(sources) = reversed.get_mut(*target) {
                sources.push(node);
            }
        }
    }
    let mut finished = Vec::new();
    let mut seen = vec![false; graph.len()];
    for root in 0..graph.len() {
        finished.extend(finishing_order(graph, root, &mut seen));
    }
    let mut component = vec![0; graph.len()];
    let mut seen = vec![false; graph.len()];
    for root in finished.into_iter().rev() {
        for node in finishing_order(&reversed, root, &mut seen) {
            if let Some(slot) = component.get_mut(node) {
                *slot = root;
            }
        }
    }
    component
}

/// The nodes reachable from `root` that have not been `seen`, each after those that it leads to.
fn finishing_order(graph: &[Vec<usize>], root: usize, seen: &mut [bool]) -> Vec<usize> {
    let mut finished = Vec::new();
    let mut open = vec![(root, 0)];
    if std::mem::replace(seen.get_mut(root).unwrap_or(&mut true), true) {
        return finished;
    }
    while let Some((node, next)) = open.last_mut() {
        let Some(target) = graph.get(*node).and_then(|targets| targets.get(*next)).copied() else {
            finished.push(*node);
            open.pop();
            continue;
        };
        *next += 1;
        if !std::mem::replace(seen.get_mut(target).unwrap_or(&mut true), true) {
            open.push((target, 0));
        }
    }
    finished
}

/// All references of a wire schema, in order.
fn links(schema: &Value) -> Vec<Link> {
    let mut definitions = vec![(String::new(), schema)];
    for keyword in DEFINITIONS {
        let named = schema.get(keyword).and_then(Value::as_object).into_iter().flatten();
        definitions.extend(named.map(|(name, each)| (format!("/{keyword}/{}", escaped(name)), each)));
    }
    let numbers = definitions.iter().map(|(pointer, _)| pointer.clone()).zip(0..).collect();
    let mut search = Search { root: schema, numbers, links: Vec::new() };
    for (definition, (pointer, schema)) in definitions.into_iter().enumerate() {
        search.schema(schema, Within { definition, pointer, property: None, optional: false });
    }
    search.links
}

const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];

struct Search<'s> {
    root: &'s Value,
    /// The number of each definition by where it stands.
    numbers: HashMap<String, usize>,
    links: Vec<Link>,
}

/// Where a search is.
#[derive(Clone)]
struct Within {
    definition: usize,
    pointer: String,
    property: Option<(String, String)>,
    optional: bool,
}

impl Search<'_> {
    fn schema(&mut self, schema: &Value, within: Within) {
        let Some(keywords) = schema.as_object() else { return };
        if let Some((pointer, _)) =
            keywords.get("$ref").and_then(Value::as_str).and_then(|reference| target(self.root, reference))
        {
            let to = self.numbers.get(&pointer).copied().unwrap_or(0);
            let Within { definition: from, pointer, property, optional } = within;
            return self.links.push(Link { from, to, pointer, property, optional });
        }
        for (keyword, value) in
            keywords.iter().filter(|(keyword, _)| !DEFINITIONS.contains(&keyword.as_str()))
        {
            let pointer = format!("{}/{keyword}", within.pointer);
            match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => self.properties(keywords, properties, &within),
                ("anyOf" | "prefixItems", Value::Array(schemas)) => {
                    for (number, schema) in schemas.iter().enumerate() {
                        self.schema(
                            schema,
                            Within { pointer: format!("{pointer}/{number}"), ..within.clone() },
                        );
                    }
                }
                ("items" | "additionalProperties", schema) => {
                    self.schema(schema, Within { pointer, ..within.clone() });
                }
                _ => {}
            }
        }
    }

    fn properties(
        &mut self,
        keywords: &Map<String, Value>,
        properties: &Map<String, Value>,
        within: &Within,
    ) {
        let required = keywords.get("required").and_then(Value::as_array);
        for (name, schema) in properties {
            let is_required = required.is_some_and(|required| required.iter().any(|each| each == name));
            let within = Within {
                definition: within.definition,
                pointer: format!("{}/properties/{}", within.pointer, escaped(name)),
                property: Some((within.pointer.clone(), name.clone())),
                optional: within.optional || !is_required,
            };
            self.schema(schema, within);
        }
    }
}
