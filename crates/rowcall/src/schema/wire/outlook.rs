//! Predicts what a place of the user's schema becomes in the wire form. `form.rs` creates it.

use serde_json::Value;

use super::dialect::{Anything, Compounds, Maps, Rules, SeveralTypes, Tuples};
use super::list::least_items;
use super::pattern::rewritten;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::{Alternative, Items, Place, Rest};

/// What a place becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// JSON as text, since anything may stand there.
    Text,
    /// A list of keys and values, since the properties have no names.
    Map,
    /// An object, since each item of the list has a schema of its own.
    Tuple,
    /// Anything.
    Anything,
    /// One of a few values, objects or lists among them, each with a schema of its own.
    Members,
    /// What it is.
    Itself,
}

/// What a place without alternatives becomes.
pub(super) fn shape(place: &Place<'_>, rules: &Rules) -> Shape {
    let types = place.types();
    let compound =
        |members: Vec<&Value>| members.iter().any(|member| member.is_object() || member.is_array());
    match place.members() {
        Some(members) => match rules.compounds {
            _ if !compound(members) => Shape::Itself,
            Compounds::Text => Shape::Text,
            Compounds::Alternatives => Shape::Members,
        },
        None if types.includes(JsonTypes::OBJECT | JsonTypes::ARRAY) => match rules.anything {
            Anything::Native if types == JsonTypes::ANY && !place.parts().iter().any(Part::constrains) => {
                Shape::Anything
            }
            Anything::Native if rules.several_types == SeveralTypes::ScalarsListed => Shape::Itself,
            Anything::Native | Anything::Text => Shape::Text,
        },
        None if types.includes(JsonTypes::OBJECT) && is_map(place) && !stays_native(place, rules) => {
            Shape::Map
        }
        None if types.includes(JsonTypes::ARRAY) && is_tuple(place, rules) => Shape::Tuple,
        None => Shape::Itself,
    }
}

/// Whether properties without names of their own stay properties.
pub(super) fn stays_native(place: &Place<'_>, rules: &Rules) -> bool {
    let named = || place.all("propertyNames").next().is_some();
    let Rest::Of { any, matching } = place.rest() else {
        return match rules.maps {
            Maps::Entries => false,
            Maps::Native => true,
            Maps::Closed | Maps::ClosedOrMatching => !named(),
        };
    };
    match rules.maps {
        Maps::Entries => false,
        Maps::Native => true,
        Maps::Closed => matching.is_empty() && !named(),
        Maps::ClosedOrMatching => {
            !named()
                && match matching.as_slice() {
                    [] => true,
                    [(pattern, _)] => {
                        any.is_empty() && !place.has_properties() && rewritten(pattern).is_some()
                    }
                    _ => false,
                }
        }
    }
}

/// Whether a list has items with schemas of their own that must be asked for as an object.
fn is_tuple(place: &Place<'_>, rules: &Rules) -> bool {
    let length = place.prefix().len();
    if length == 0 {
        return false;
    }
    match rules.tuples {
        Tuples::Object => true,
        Tuples::Native => false,
        Tuples::Exact => {
            let ends = match place.items() {
                Items::Closed => true,
                Items::Of(parts) => !parts.iter().any(Part::constrains),
            };
            let most = place.all("maxItems").filter_map(Value::as_u64).min();
            !(ends && least_items(place) == length && most.is_none_or(|most| most == length as u64))
        }
    }
}

/// Whether the properties of an object have no names.
pub(super) fn is_map(place: &Place<'_>) -> bool {
    !place.has_properties()
        && match place.rest() {
            Rest::Closed => false,
            Rest::Open | Rest::Of { .. } => true,
            // An empty list of properties says that there are none.
            Rest::Unsaid => place.all("properties").next().is_none(),
        }
}

/// Whether a place may be the root of what is sent: it is one form of object, in the user's form and in the wire's.
pub(super) fn may_be_root<'s>(place: &Place<'s>, root: &'s Value, rules: &Rules) -> bool {
    place.types() == JsonTypes::OBJECT
        && place.alternatives(root).is_none()
        && shape(place, rules) == Shape::Itself
        && place.names().all(|name| rules.root_names.allow(name))
}

/// What is known of the form of a place before it is made.
#[derive(Clone, Copy)]
pub(super) struct Outlook {
    /// The types of values in the wire's form.
    pub(super) types: JsonTypes,
    /// Whether alternatives could be taken for one another in the wire's form, so that all of the place must be text.
    pub(super) muddled: bool,
    /// Whether values are asked for as text, as entries of a map, or as lists, in one of the alternatives at least.
    text: bool,
    entries: bool,
    lists: bool,
}

impl Outlook {
    /// For a place without alternatives.
    fn of(shape: Shape, types: JsonTypes) -> Self {
        Self {
            types: match shape {
                Shape::Text => JsonTypes::STRING,
                Shape::Map => types.without(JsonTypes::OBJECT) | JsonTypes::ARRAY,
                Shape::Tuple => types.without(JsonTypes::ARRAY) | JsonTypes::OBJECT,
                Shape::Anything | Shape::Members | Shape::Itself => types,
            },
            muddled: false,
            text: shape == Shape::Text,
            entries: shape == Shape::Map,
            lists: matches!(shape, Shape::Itself | Shape::Members | Shape::Anything)
                && types.overlaps(JsonTypes::ARRAY),
        }
    }

    /// For a place with these alternatives: text could be taken for another's string, no entries for no items.
    fn of_all(alternatives: &[Self]) -> Self {
        let types = alternatives.iter().fold(JsonTypes::NONE, |all, each| all | each.types);
        let any = |is: fn(&Self) -> bool| alternatives.iter().any(is);
        let strings = alternatives.iter().filter(|each| each.types.overlaps(JsonTypes::STRING)).count();
        let (text, entries, lists) =
            (any(|each| each.text), any(|each| each.entries), any(|each| each.lists));
        if text && strings > 1 || entries && lists {
            return Self { muddled: true, ..Self::of(Shape::Text, types) };
        }
        Self { types, muddled: false, text, entries, lists }
    }
}

/// What the form of `place` will be. Alternatives within alternatives are followed a thousand times.
pub(super) fn of<'s>(place: &Place<'s>, root: &'s Value, rules: &Rules) -> Outlook {
    within(place, root, rules, &mut 1_000)
}

/// What the form of these alternatives will be together.
pub(super) fn of_all<'s>(alternatives: &[Alternative<'s>], root: &'s Value, rules: &Rules) -> Outlook {
    among(alternatives, root, rules, &mut 1_000)
}

fn within<'s>(place: &Place<'s>, root: &'s Value, rules: &Rules, left: &mut usize) -> Outlook {
    match place.alternatives(root) {
        Some(alternatives) => among(&alternatives, root, rules, left),
        None => Outlook::of(shape(place, rules), place.types()),
    }
}

fn among<'s>(alternatives: &[Alternative<'s>], root: &'s Value, rules: &Rules, left: &mut usize) -> Outlook {
    let mut known = Vec::new();
    for (_, parts) in alternatives {
        if *left == 0 {
            known.push(Outlook::of(Shape::Itself, JsonTypes::ANY));
            break;
        }
        *left -= 1;
        known.push(within(&Place::new(root, parts.clone()), root, rules, left));
    }
    Outlook::of_all(&known)
}
