//! A place in a value, and all the schemas that must hold there together: a schema, its references and its `allOf`.
//! This file computes what they demand in combination; other files use the result.

use std::collections::HashSet;

use serde_json::Value;

use super::json_type::JsonTypes;
use super::part::Part;
use super::subschemas::target;
use crate::number;

static ANYTHING: Value = Value::Bool(true);

/// A place with all that must hold there.
#[derive(Debug, Clone)]
pub(super) struct Place<'s> {
    /// The schemas, the outermost first; their references and `allOf` are followed and count as spent.
    parts: Vec<Part<'s>>,
    /// A restriction of the types in addition to what the schemas say.
    only: JsonTypes,
}

/// Keywords of later drafts than the one that the schema `root` names, in which they say nothing.
fn later_keywords(root: &Value) -> impl Iterator<Item = &'static str> {
    const SINCE: [(&str, &[&str]); 3] = [
        ("draft-04", &["const", "contains", "propertyNames"]),
        ("draft-06", &["if", "then", "else", "contentEncoding", "contentMediaType"]),
        (
            "draft-07",
            &[
                "prefixItems",
                "unevaluatedItems",
                "unevaluatedProperties",
                "dependentRequired",
                "dependentSchemas",
                "minContains",
                "maxContains",
            ],
        ),
    ];
    let named = root.get("$schema").and_then(Value::as_str).unwrap_or_default();
    let from = SINCE.iter().position(|(draft, _)| named.contains(draft)).unwrap_or(SINCE.len());
    SINCE.into_iter().skip(from).flat_map(|(_, keywords)| keywords.iter().copied())
}

/// What an object may have beside its named properties.
#[derive(Debug, Clone)]
pub(super) enum Rest<'s> {
    /// Nothing.
    Closed,
    /// Anything, because the schema does not mention it.
    Unsaid,
    /// Anything, because the schema says so explicitly.
    Open,
    /// Properties of any name with these schemas, or with a name that matches and the schema beside it.
    Of { any: Vec<Part<'s>>, matching: Vec<(&'s str, Part<'s>)> },
}

/// What a list may have after its first, individually described items.
#[derive(Debug, Clone)]
pub(super) enum Items<'s> {
    /// Nothing.
    Closed,
    /// Items for which all of these hold.
    Of(Vec<Part<'s>>),
}

/// One of several alternatives: its location in the user's schema, and everything that must hold if it is chosen.
pub(super) type Alternative<'s> = (String, Vec<Part<'s>>);

impl<'s> Place<'s> {
    /// The place where all of `parts` must hold. References must have been checked for cycles.
    pub(super) fn new(root: &'s Value, parts: Vec<Part<'s>>) -> Self {
        let mut place = Self { parts: Vec::new(), only: JsonTypes::ANY };
        for part in parts {
            place.add(root, part);
        }
        place
    }

    fn add(&mut self, root: &'s Value, part: Part<'s>) {
        if self.parts.iter().any(|known| known.pointer == part.pointer) {
            return;
        }
        let mut spent = vec!["$ref", "allOf"];
        spent.extend(later_keywords(root));
        let referred = part.get("$ref").and_then(Value::as_str).and_then(|reference| target(root, reference));
        let mut held: Vec<Part<'s>> =
            referred.map(|(pointer, schema)| Part::new(pointer, schema)).into_iter().collect();
        held.extend(part.list("allOf"));
        for keyword in ["anyOf", "oneOf"] {
            // A single alternative must hold like any other schema.
            if let Ok([only]) = <[Part<'s>; 1]>::try_from(part.list(keyword)) {
                held.push(only);
                spent.push(keyword);
            }
        }
        self.parts.push(part.spend(&spent));
        for part in held {
            self.add(root, part);
        }
    }

    /// The same place for values of `only` these types.
    pub(super) fn narrowed(mut self, only: JsonTypes) -> Self {
        self.only = only;
        self
    }

    /// The same place without its description and default.
    pub(super) fn undescribed(mut self) -> Self {
        self.parts = self.parts.into_iter().map(|part| part.spend(&["description", "default"])).collect();
        self
    }

    /// What identifies this place: the schemas that constrain a value, by their locations.
    pub(super) fn key(&self) -> Vec<(String, Vec<&'static str>)> {
        let saying = self.parts.iter().filter(|part| part.constrains());
        saying.map(|part| (part.pointer.clone(), part.spent().to_vec())).collect()
    }

    pub(super) fn parts(&self) -> &[Part<'s>] {
        &self.parts
    }

    /// What the schemas say under `keyword`, the outermost first.
    pub(super) fn all(&self, keyword: &str) -> impl Iterator<Item = &'s Value> {
        self.parts.iter().filter_map(move |part| part.get(keyword))
    }

    /// Whether some schema has `false` under `keyword`.
    pub(super) fn forbids(&self, keyword: &str) -> bool {
        self.all(keyword).any(|said| said == &Value::Bool(false))
    }

    /// The types that a value may have here as far as this place alone says, its alternatives aside; none if the
    /// schemas contradict one another. Where no schema names a type, the keywords show which is meant: `properties`
    /// is for objects, although JSON Schema would let a string pass.
    pub(super) fn types(&self) -> JsonTypes {
        let spelled = self.spelled();
        let types = match self.listed() {
            Some(members) => spelled & JsonTypes::of_all(members),
            None => spelled,
        };
        if types != JsonTypes::ANY {
            return types;
        }
        let meant = self.parts.iter().map(Part::meant).find(|meant| !meant.is_empty());
        meant.unwrap_or(JsonTypes::ANY)
    }

    /// The types that the schemas name.
    fn spelled(&self) -> JsonTypes {
        self.parts.iter().fold(self.only, |types, part| types & part.types())
    }

    /// Whether no schema names a type or lists values, so that `types` goes by the other keywords.
    pub(super) fn is_untyped(&self) -> bool {
        self.spelled() == JsonTypes::ANY && self.listed().is_none() && self.types() != JsonTypes::ANY
    }

    /// Whether a value may satisfy this place and `other`, of two alternatives of which exactly one may hold, if it has only the
    /// properties that one of them names. `true` if that is not known.
    pub(super) fn may_share(&self, other: &Self, root: &'s Value) -> bool {
        let types = self.accepted(root) & other.accepted(root);
        let (ours, theirs) = (self.members(), other.members());
        if let (Some(ours), Some(theirs)) = (&ours, &theirs) {
            return ours.iter().any(|member| number::is_among(member, theirs.iter().copied()));
        }
        if ours.or(theirs).is_some_and(|members| !JsonTypes::of_all(members).overlaps(types)) {
            return false;
        }
        let is_plain = |place: &Self| place.alternatives(root).is_none();
        if types != JsonTypes::OBJECT || !is_plain(self) || !is_plain(other) {
            return !types.is_empty();
        }
        let others = other.tags(root);
        let differ = self.tags(root).iter().any(|(name, members)| {
            let theirs = others.iter().find(|(theirs, _)| theirs == name);
            theirs.is_some_and(|(_, theirs)| !theirs.iter().any(|each| number::is_among(each, members)))
        });
        !differ && (self.may_be_of(other) || other.may_be_of(self))
    }

    /// Whether an object with the properties that this place names may have those that `other` requires, and no others than it allows.
    fn may_be_of(&self, other: &Self) -> bool {
        let names: HashSet<&str> = self.names().collect();
        let theirs: HashSet<&str> = other.names().collect();
        let open = matches!(self.rest(), Rest::Of { .. }) || names.is_empty();
        let allowed =
            !matches!(other.rest(), Rest::Closed) || self.required().all(|name| theirs.contains(name));
        allowed && (open || other.required().all(|name| names.contains(name)))
    }

    /// The only values allowed here, if `enum` or `const` says so.
    pub(super) fn members(&self) -> Option<Vec<&'s Value>> {
        let types = self.types();
        let mut members = self.listed()?;
        members.retain(|member| types.overlaps(JsonTypes::of(member)));
        Some(members)
    }

    fn listed(&self) -> Option<Vec<&'s Value>> {
        let mut lists = self.parts.iter().flat_map(Part::members);
        let mut members: Vec<&'s Value> = lists.next()?.iter().collect();
        lists.for_each(|list| members.retain(|member| number::is_among(member, list)));
        Some(members)
    }

    /// The alternatives, if the place has any: each with all else that must hold. Alternatives that only say which
    /// properties must be present are none, since they do not differ in form.
    pub(super) fn alternatives(&self, root: &'s Value) -> Option<Vec<Alternative<'s>>> {
        let (holder, keyword) = self.parts.iter().find_map(|part| {
            let chosen = ["anyOf", "oneOf"]
                .into_iter()
                .find(|keyword| part.list(keyword).iter().any(|branch| !branch.only_requires()));
            chosen.map(|keyword| (part, keyword))
        })?;
        let spend = |part: &Part<'s>| {
            let part = part.clone().spend(&["description", "default"]);
            if part.pointer == holder.pointer { part.spend(&[keyword]) } else { part }
        };
        let rest: Vec<Part<'s>> = self.parts.iter().map(spend).filter(Part::constrains).collect();
        let with_rest = |branch: Part<'s>| {
            let pointer = branch.pointer.clone();
            let implied = rest.iter().all(|part| {
                part.only_types() && part.types().includes(Self::new(root, vec![branch.clone()]).types())
            });
            let parts = if implied { vec![branch] } else { rest.iter().cloned().chain([branch]).collect() };
            (pointer, parts)
        };
        Some(holder.list(keyword).into_iter().map(with_rest).collect())
    }

    /// The types that a value may have here, alternatives included. Alternatives within alternatives within … are given up
    /// after a thousand, and then any type counts as accepted.
    pub(super) fn accepted(&self, root: &'s Value) -> JsonTypes {
        self.accepted_in(root, &mut 1_000)
    }

    fn accepted_in(&self, root: &'s Value, left: &mut usize) -> JsonTypes {
        let Some(alternatives) = self.alternatives(root) else { return self.types() };
        let mut found = JsonTypes::NONE;
        for (_, parts) in alternatives {
            if *left == 0 {
                return JsonTypes::ANY;
            }
            *left -= 1;
            found = found | Self::new(root, parts).accepted_in(root, left);
        }
        found
    }

    /// The named properties in order, each with the schemas that hold for it.
    pub(super) fn properties(&self) -> Vec<(&'s str, Vec<Part<'s>>)> {
        self.names().map(|name| (name, self.property(name))).collect()
    }

    /// Whether there are named properties.
    pub(super) fn has_properties(&self) -> bool {
        self.names().next().is_some()
    }

    /// The names of the properties in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'s str> {
        let mut known = HashSet::new();
        let named = self.all("properties").filter_map(Value::as_object).flat_map(|named| named.keys());
        named.map(String::as_str).chain(self.required()).filter(move |name| {
            self.parts.iter().all(|part| part.admits_property(name)) && known.insert(*name)
        })
    }

    /// The schemas that hold for a property of this name.
    fn property(&self, name: &str) -> Vec<Part<'s>> {
        self.or_anything(self.parts.iter().filter_map(|part| part.property(name)).collect())
    }

    /// The names of the properties that must be present.
    pub(super) fn required(&self) -> impl Iterator<Item = &'s str> {
        self.all("required").filter_map(Value::as_array).flatten().filter_map(Value::as_str)
    }

    /// What may stand beside the named properties.
    pub(super) fn rest(&self) -> Rest<'s> {
        if self.parts.iter().any(Part::closes) {
            return Rest::Closed;
        }
        let any: Vec<Part<'s>> = self
            .parts
            .iter()
            .filter_map(|part| part.child("additionalProperties"))
            .filter(Part::constrains)
            .collect();
        let matching: Vec<(&'s str, Part<'s>)> =
            self.parts.iter().flat_map(|part| part.named("patternProperties")).collect();
        let any = if any.is_empty() && self.all("additionalProperties").next().is_none() {
            self.unevaluated("unevaluatedProperties")
        } else {
            any
        };
        if !any.is_empty() || !matching.is_empty() {
            let any = any.into_iter().filter(|part| !part.is_false()).collect();
            return Rest::Of { any, matching };
        }
        if self.forbids("unevaluatedProperties") {
            return Rest::Closed;
        }
        let said = self.all("additionalProperties").chain(self.all("unevaluatedProperties")).next();
        if said.is_some() { Rest::Open } else { Rest::Unsaid }
    }

    /// Whether an object may have nothing beside its named properties and those whose names match a pattern.
    pub(super) fn is_closed_beside_patterns(&self) -> bool {
        self.forbids("additionalProperties") || self.forbids("unevaluatedProperties")
    }

    /// The schemas of what no other keyword describes, unless they are `false`.
    fn unevaluated(&self, keyword: &str) -> Vec<Part<'s>> {
        let described = self.parts.iter().filter_map(|part| part.child(keyword));
        described.filter(|part| part.constrains() && !part.is_false()).collect()
    }

    /// The schemas of the first items of a list, where they are described one by one.
    pub(super) fn prefix(&self) -> Vec<Vec<Part<'s>>> {
        let length = self.parts.iter().map(|part| part.prefix().len()).max().unwrap_or(0);
        (0..length).map(|number| self.item(number)).collect()
    }

    /// The schemas of the item with this number, counted from 0, whether it is one of those or comes after them.
    pub(super) fn item(&self, number: usize) -> Vec<Part<'s>> {
        self.or_anything(self.parts.iter().filter_map(|part| part.item(number)).collect())
    }

    /// The schemas of the items after those.
    pub(super) fn items(&self) -> Items<'s> {
        let items: Vec<Part<'s>> = self.parts.iter().filter_map(Part::further_items).collect();
        let is_closed =
            items.iter().any(Part::is_false) || items.is_empty() && self.forbids("unevaluatedItems");
        if is_closed {
            return Items::Closed;
        }
        let items = if items.is_empty() { self.unevaluated("unevaluatedItems") } else { items };
        Items::Of(self.or_anything(items))
    }

    /// `parts`, or if there are none, a schema that says nothing and counts as standing where this place does.
    pub(super) fn or_anything(&self, parts: Vec<Part<'s>>) -> Vec<Part<'s>> {
        if parts.is_empty() { vec![Part::new(self.pointer().to_owned(), &ANYTHING)] } else { parts }
    }

    /// The location of the outermost schema.
    pub(super) fn pointer(&self) -> &str {
        self.parts.first().map_or("", |part| &part.pointer)
    }

    /// The values that required properties must have where only a few are allowed. They distinguish alternatives.
    pub(super) fn tags(&self, root: &'s Value) -> Vec<(String, Vec<Value>)> {
        let required: HashSet<&str> = self.required().collect();
        self.names()
            .filter(|name| required.contains(name))
            .filter_map(|name| {
                let members = Self::new(root, self.property(name)).members()?;
                let scalars = members.iter().all(|member| !member.is_object() && !member.is_array());
                scalars.then(|| (name.to_owned(), members.into_iter().cloned().collect()))
            })
            .collect()
    }
}
