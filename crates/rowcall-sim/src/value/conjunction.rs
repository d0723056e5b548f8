//! Several schemas that must all hold: what they require together, keyword by keyword. References and `allOf` are
//! resolved here; the generator chooses between branches.

use serde_json::{Map, Value};

/// A choice that a schema leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choice<'s> {
    pub(super) branches: &'s [Value],
    /// `oneOf`: the value must satisfy no other branch.
    pub(super) exactly_one: bool,
}

/// The flat schemas that must hold, and the open choices.
#[derive(Clone, Debug, Default)]
pub(super) struct Conjunction<'s> {
    pub(super) maps: Vec<&'s Map<String, Value>>,
    pub(super) choices: Vec<Choice<'s>>,
}

/// The most references followed at one location before they are considered cyclic.
const MOST_REFERENCES: usize = 64;

impl<'s> Conjunction<'s> {
    /// Adds `schema` with everything that it references. Fails with the keyword that cannot be satisfied.
    pub(super) fn add(&mut self, root: &'s Value, schema: &'s Value) -> Result<(), &'static str> {
        let mut open = vec![schema];
        let mut resolved = 0;
        while let Some(schema) = open.pop() {
            let keywords = match schema {
                Value::Bool(true) => continue,
                Value::Object(keywords) => keywords,
                _ => return Err("false"),
            };
            if let Some(target) = keywords.get("$ref") {
                resolved += 1;
                let found = target.as_str().and_then(|target| resolve(root, target));
                open.push(found.filter(|_| resolved < MOST_REFERENCES).ok_or("$ref")?);
            }
            if let Some(Value::Array(all)) = keywords.get("allOf") {
                open.extend(all.iter().rev());
            }
            for (word, exactly_one) in [("anyOf", false), ("oneOf", true)] {
                if let Some(Value::Array(branches)) = keywords.get(word) {
                    self.choices.push(Choice { branches, exactly_one });
                }
            }
            self.maps.push(keywords);
        }
        Ok(())
    }

    /// Every value that a schema has for `word`.
    pub(super) fn values(&self, word: &'static str) -> impl Iterator<Item = &'s Value> {
        self.maps.iter().filter_map(move |map| map.get(word))
    }

    /// The largest of the counts for `word`.
    pub(super) fn at_least(&self, word: &'static str) -> usize {
        self.counts(word).max().unwrap_or(0)
    }

    /// The smallest of the counts for `word`.
    pub(super) fn at_most(&self, word: &'static str) -> Option<usize> {
        self.counts(word).min()
    }

    /// A count may be written `3` or `3.0`.
    fn counts(&self, word: &'static str) -> impl Iterator<Item = usize> {
        self.values(word).filter_map(Value::as_f64).map(|count| count.max(0.0) as usize)
    }

    pub(super) fn strings(&self, word: &'static str) -> impl Iterator<Item = &'s str> {
        self.values(word).filter_map(Value::as_str)
    }

    /// The types that all schemas allow, in the order of the first that lists any; `None` if none does.
    pub(super) fn types(&self) -> Option<Vec<&'s str>> {
        let asked: Vec<_> = self.values("type").map(type_names).collect();
        let allowed = |name: &&str| {
            asked.iter().all(|names| names.contains(name) || *name == "integer" && names.contains(&"number"))
        };
        let first = asked.first()?;
        // Another schema may require a number to be an integer.
        let narrower = first.contains(&"number") && !allowed(&"number");
        Some(first.iter().copied().chain(narrower.then_some("integer")).filter(allowed).collect())
    }

    /// The names of properties, in the order in which the schemas list them.
    pub(super) fn property_names(&self) -> Vec<&'s str> {
        let declared =
            self.values("properties").filter_map(Value::as_object).flat_map(Map::keys).map(String::as_str);
        let required = self.required();
        unique(declared.chain(required))
    }

    pub(super) fn required(&self) -> Vec<&'s str> {
        unique(self.values("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str))
    }

    /// The schemas that the property `name` must satisfy; the name may be new.
    pub(super) fn property(&self, name: &str) -> Vec<&'s Value> {
        let of = |map: &&'s Map<String, Value>| {
            let declared = map.get("properties").and_then(|properties| properties.get(name));
            declared.or_else(|| map.get("additionalProperties"))
        };
        self.maps.iter().filter_map(of).collect()
    }

    /// The schemas that the item at `index` must satisfy.
    pub(super) fn item(&self, index: usize) -> Vec<&'s Value> {
        let of = |map: &&'s Map<String, Value>| {
            let listed = map.get("prefixItems").and_then(|items| items.get(index));
            listed.or_else(|| map.get("items"))
        };
        self.maps.iter().filter_map(of).collect()
    }
}

fn unique<'s>(names: impl Iterator<Item = &'s str>) -> Vec<&'s str> {
    let mut seen = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen
}

/// The names in `type`, which is a single name or a list.
pub(super) fn type_names(value: &Value) -> Vec<&str> {
    match value {
        Value::String(name) => vec![name.as_str()],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => vec![],
    }
}

/// Whether a schema with these keywords allows this type, alone or among others.
pub(crate) fn names_type(keywords: &Map<String, Value>, name: &str) -> bool {
    keywords.get("type").is_some_and(|names| type_names(names).contains(&name))
}

/// The target of `target`, a reference within the document.
pub(crate) fn resolve<'s>(root: &'s Value, target: &str) -> Option<&'s Value> {
    let pointer = target.strip_prefix('#')?.replace("%25", "%").replace("%20", " ");
    root.pointer(&pointer)
}
