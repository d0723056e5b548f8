//! What a single place of the user's schema becomes in the wire's form, and the step that leads back from there. Objects
//! and lists are put together in `compound.rs`.

use serde_json::{Map, Value, json};

use super::constraint::in_words;
use super::restore::Step;
use super::translation::{KEPT, Translation};
use crate::error::Problem;
use crate::schema::alternatives::Branch;
use crate::schema::json_type::JsonTypes;
use crate::schema::part::Part;
use crate::schema::place::{Place, Rest};

/// A schema in the wire's form.
pub(super) struct Form {
    pub(super) schema: Map<String, Value>,
    /// The types of values in the wire's form.
    pub(super) types: JsonTypes,
    /// What leads back to the user's form.
    pub(super) step: usize,
}

/// What a place becomes.
#[derive(Clone, Copy, PartialEq)]
enum Shape {
    /// JSON as text, since anything may stand there.
    Text,
    /// A list of keys and values, since the properties have no names.
    Map,
    /// An object, since each item of the list has a schema of its own.
    Tuple,
    /// What it is.
    Itself,
}

fn shape(place: &Place<'_>) -> Shape {
    let types = place.types();
    let compound =
        |members: Vec<&Value>| members.iter().any(|member| member.is_object() || member.is_array());
    match place.members() {
        Some(members) => {
            if compound(members) {
                Shape::Text
            } else {
                Shape::Itself
            }
        }
        None if types.includes(JsonTypes::OBJECT | JsonTypes::ARRAY) => Shape::Text,
        None if types.includes(JsonTypes::OBJECT) && is_map(place) => Shape::Map,
        None if types.includes(JsonTypes::ARRAY) && !place.prefix().is_empty() => Shape::Tuple,
        None => Shape::Itself,
    }
}

fn is_map(place: &Place<'_>) -> bool {
    place.properties().is_empty()
        && match place.rest() {
            Rest::Closed => false,
            Rest::Open | Rest::Of { .. } => true,
            // An empty list of properties says that there are none.
            Rest::Unsaid => place.all("properties").next().is_none(),
        }
}

/// Whether a place is one form of object, in the user's form and in the wire's.
pub(super) fn is_plain_object<'s>(place: &Place<'s>, root: &'s Value) -> bool {
    place.types() == JsonTypes::OBJECT && place.alternatives(root).is_none() && shape(place) == Shape::Itself
}

/// The types of values at a place in the wire's form.
pub(super) fn wire_types<'s>(place: &Place<'s>, root: &'s Value) -> JsonTypes {
    place.over_alternatives(root, |place| match shape(place) {
        Shape::Text => JsonTypes::STRING,
        Shape::Map => place.types().without(JsonTypes::OBJECT) | JsonTypes::ARRAY,
        Shape::Tuple => place.types().without(JsonTypes::ARRAY) | JsonTypes::OBJECT,
        Shape::Itself => place.types(),
    })
}

/// A default is nothing that a provider enforces or misses: it is told in the description.
pub(super) fn default_note(place: &Place<'_>) -> Vec<String> {
    let default = place.all("default").find(|value| !value.is_null());
    default.and_then(|value| in_words("default", value)).into_iter().collect()
}

/// `schema` with its keys in the order of the user's keywords, further ones behind.
pub(super) fn in_order_of(place: &Place<'_>, schema: Map<String, Value>) -> Map<String, Value> {
    let users: Vec<&str> =
        place.parts().iter().flat_map(Part::keywords).map(|(keyword, _)| keyword).collect();
    let mut entries: Vec<(String, Value)> = schema.into_iter().collect();
    entries.sort_by_key(|(keyword, _)| {
        let alike = |user: &&str| *user == keyword || *user == "oneOf" && keyword == "anyOf";
        users.iter().position(alike).unwrap_or(usize::MAX)
    });
    entries.into_iter().collect()
}

/// The same form, which takes null as well.
pub(super) fn nullable(form: Form) -> Form {
    if form.types.includes(JsonTypes::NULL) {
        return form;
    }
    let scalar = !form.types.overlaps(JsonTypes::OBJECT | JsonTypes::ARRAY);
    let mut schema = form.schema;
    if scalar && schema.contains_key("type") {
        schema = schema.into_iter().map(with_null).collect();
    } else if let Some(Value::Array(branches)) = schema.get_mut("anyOf") {
        branches.push(json!({ "type": "null" }));
    } else {
        let description = schema.shift_remove("description").map(|text| ("description".to_owned(), text));
        let any_of = ("anyOf".to_owned(), json!([schema, { "type": "null" }]));
        schema = description.into_iter().chain([any_of]).collect();
    }
    Form { schema, types: form.types | JsonTypes::NULL, step: form.step }
}

fn with_null((keyword, value): (String, Value)) -> (String, Value) {
    match (keyword.as_str(), value) {
        ("type", name @ Value::String(_)) => (keyword, json!([name, "null"])),
        ("type" | "enum", Value::Array(mut members)) => {
            members.push(if keyword == "type" { json!("null") } else { Value::Null });
            (keyword, Value::Array(members))
        }
        ("const", constant) => ("enum".to_owned(), json!([constant, null])),
        (_, value) => (keyword, value),
    }
}

impl<'s> Translation<'s> {
    /// The form of a place without alternatives; `None` if nothing can stand there.
    pub(super) fn form(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let types = place.types();
        if types.is_empty() {
            return Ok(None);
        }
        let one_type = types.list().len() == 1;
        match shape(place) {
            Shape::Text => Ok(Some(self.text(place))),
            Shape::Itself => self.itself(place),
            Shape::Map if one_type => self.map(place),
            Shape::Tuple if one_type => self.tuple(place),
            Shape::Map => self.apart(place, JsonTypes::OBJECT),
            Shape::Tuple => self.apart(place, JsonTypes::ARRAY),
        }
    }

    /// A place of several types, one of which takes another form: an alternative for that, and one for the others.
    fn apart(&mut self, place: &Place<'s>, types: JsonTypes) -> Result<Option<Form>, Problem> {
        let (mut schemas, mut branches) = (Vec::new(), Vec::new());
        for types in [types, place.types().without(types)] {
            if let Some(mut form) = self.form(&place.clone().narrowed(types))? {
                if types == JsonTypes::NULL {
                    form.schema.shift_remove("description");
                }
                branches.push(Branch::new(None, form.types, Vec::new(), form.step));
                schemas.push(Value::Object(form.schema));
            }
        }
        let bare = Place::new(self.root, Vec::new());
        Ok((!branches.is_empty()).then(|| self.chosen(&bare, schemas, branches)))
    }

    fn text(&mut self, place: &Place<'s>) -> Form {
        let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
        let mut notes = default_note(place);
        if let Some(members) = place.members() {
            let texts: Vec<String> = members.into_iter().map(Value::to_string).collect();
            schema.insert("enum".to_owned(), json!(texts));
        } else {
            notes.push("any JSON value, written as JSON text".to_owned());
            self.lose(
                place.pointer(),
                "type",
                "any value is asked for as JSON text, which is read back".to_owned(),
            );
        }
        describe(&mut schema, place, &notes);
        Form { schema, types: JsonTypes::STRING, step: self.step(Step::ReadText) }
    }

    fn itself(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let types = place.types();
        let mut schema = Map::from_iter([("type".to_owned(), spelled(place, types))]);
        let mut step = KEPT;
        if let Some(members) = place.members() {
            match (place.all("const").next(), members.as_slice()) {
                (Some(_), [only]) => schema.insert("const".to_owned(), (*only).clone()),
                _ => schema.insert("enum".to_owned(), json!(members)),
            };
        } else if types.includes(JsonTypes::OBJECT) {
            let Some(object) = self.object(place, &mut schema)? else { return Ok(None) };
            step = object;
        } else if types.includes(JsonTypes::ARRAY) {
            step = self.list(place, &mut schema)?;
        }
        let notes = self.constraints(place, types, &[], &mut schema);
        describe(&mut schema, place, &notes);
        Ok(Some(Form { schema: in_order_of(place, schema), types, step }))
    }
}

/// The value of `type`: the user's own spelling, where it says the same.
fn spelled(place: &Place<'_>, types: JsonTypes) -> Value {
    let own = place.all("type").find(|spelling| JsonTypes::spelled(spelling) == types);
    own.cloned().unwrap_or_else(|| types.spell())
}

/// Gives `schema` the user's description, with what else is to be said.
pub(super) fn describe(schema: &mut Map<String, Value>, place: &Place<'_>, notes: &[String]) {
    let users = place.all("description").find_map(Value::as_str).filter(|text| !text.is_empty());
    let notes = notes.join("; ");
    let description = match (users, notes.is_empty()) {
        (None, true) => return,
        (None, false) => notes,
        (Some(users), true) => users.to_owned(),
        (Some(users), false) => format!("{users} ({notes})"),
    };
    schema.insert("description".to_owned(), Value::String(description));
}
