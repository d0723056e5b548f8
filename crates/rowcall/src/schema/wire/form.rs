//! Translates a single place of the user's schema into the wire form, with the step that converts its values. `object.rs`
//! and `list.rs` do so for objects and lists.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::constraint::{GENERAL, in_words};
use super::dialect::{Members, SeveralTypes};
use super::list::{List, least_items};
use super::outlook::{Shape, shape};
use super::step::Step;
use super::translation::{KEPT, Translation};
use crate::error::Problem;
use crate::number::{Decimal, is_exact_as_float};
use crate::schema::alternatives::Branch;
use crate::schema::json_type::{JsonType, JsonTypes};
use crate::schema::part::{Part, about};
use crate::schema::place::Place;
use crate::schema::wording::cut_long;

/// Keywords that say nothing of a value that is known to be one of a few.
const FREE: [&str; 2] = ["contentEncoding", "contentMediaType"];

/// A schema in the wire's form.
pub(super) struct Form {
    pub(super) schema: Map<String, Value>,
    /// The types of values in the wire's form.
    pub(super) types: JsonTypes,
    /// What leads there from the user's form, and back.
    pub(super) step: usize,
}

/// A provider neither enforces a default nor needs it, so it goes into the description.
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
        let alike = |user: &&str| {
            *user == keyword || [("oneOf", "anyOf"), ("const", "enum")].contains(&(*user, keyword))
        };
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
        if place.types().is_empty() {
            return Ok(None);
        }
        if place.is_untyped() {
            let meant: Vec<&str> = place.types().list().into_iter().map(JsonType::phrase).collect();
            let note = format!(
                "no `type` is given, so only {} is asked for, which the other keywords describe",
                meant.join(" or ")
            );
            self.narrow(place.pointer(), "type", note);
        }
        let shape = shape(place, self.rules);
        if let Some(members) = place.members()
            && self.allowed(place, members)?.is_empty()
        {
            return Ok(None);
        }
        let apart = self.apart(place, shape);
        if apart.len() > 1 {
            return self.alternatives_of(place, apart);
        }
        match shape {
            Shape::Text => Ok(Some(self.text(place)?)),
            Shape::Anything => Ok(Some(anything(place))),
            Shape::Members => Ok(Some(self.compound_members(place)?)),
            Shape::Map => self.map(place),
            Shape::Tuple => self.tuple(place),
            Shape::Itself => self.itself(place),
        }
    }

    /// The types of a place that cannot be written together, in groups that can.
    fn apart(&self, place: &Place<'s>, shape: Shape) -> Vec<JsonTypes> {
        let types = place.types();
        let groups = match (shape, self.rules.several_types) {
            (Shape::Text | Shape::Anything | Shape::Members, _) | (Shape::Itself, SeveralTypes::Listed) => {
                vec![types]
            }
            (Shape::Itself, SeveralTypes::ScalarsListed) => {
                let scalars = types.without(JsonTypes::OBJECT | JsonTypes::ARRAY);
                vec![types & JsonTypes::OBJECT, types & JsonTypes::ARRAY, scalars]
            }
            (Shape::Map, _) => vec![JsonTypes::OBJECT, types.without(JsonTypes::OBJECT)],
            (Shape::Tuple, _) => vec![JsonTypes::ARRAY, types.without(JsonTypes::ARRAY)],
            (Shape::Itself, SeveralTypes::Apart) => {
                let names = types.list();
                let scalar = !types.overlaps(JsonTypes::OBJECT | JsonTypes::ARRAY);
                let nullable = scalar && names.len() == 2 && types.includes(JsonTypes::NULL);
                if nullable && place.members().is_none() {
                    vec![types]
                } else {
                    names.into_iter().map(JsonTypes::from).collect()
                }
            }
        };
        groups.into_iter().filter(|group| !group.is_empty()).collect()
    }

    /// A place of several types, an alternative for each group of them.
    fn alternatives_of(
        &mut self,
        place: &Place<'s>,
        groups: Vec<JsonTypes>,
    ) -> Result<Option<Form>, Problem> {
        let (mut schemas, mut branches) = (Vec::new(), Vec::new());
        for types in groups {
            if let Some(form) = self.form(&place.clone().narrowed(types).undescribed())? {
                let branch = Branch::new(None, form.types, Vec::new(), form.step);
                branches.push(branch.of_users(types));
                schemas.push(Value::Object(form.schema));
            }
        }
        Ok((!branches.is_empty()).then(|| self.chosen(place, schemas, branches)))
    }

    /// Those of `members` that satisfy everything else that holds at the place: beside listed values, engines ignore other limits.
    fn allowed(&self, place: &Place<'s>, mut members: Vec<&'s Value>) -> Result<Vec<&'s Value>, Problem> {
        let types = place.types();
        let limits = |keyword: &str| {
            !FREE.contains(&keyword) && (GENERAL.contains(&keyword) || about(keyword).overlaps(types))
        };
        let limited = place.parts().iter().filter(|part| part.keywords().any(|(keyword, _)| limits(keyword)));
        for part in limited {
            let validator = self.document.at(&part.pointer)?;
            members.retain(|member| validator.is_valid(member));
        }
        Ok(members)
    }

    /// The allowed values of a place, if only a few are.
    fn members_of(&self, place: &Place<'s>) -> Result<Option<Vec<&'s Value>>, Problem> {
        place.members().map(|members| self.allowed(place, members)).transpose()
    }

    /// JSON as text.
    ///
    /// # Errors
    /// None for a schema that is valid.
    pub(super) fn text(&mut self, place: &Place<'s>) -> Result<Form, Problem> {
        let mut schema = Map::from_iter([("type".to_owned(), json!("string"))]);
        let mut notes = default_note(place);
        let members = self.members_of(place)?;
        if let Some(members) = &members {
            let texts: Vec<String> = members.iter().map(ToString::to_string).collect();
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
        let members = members.unwrap_or_default().into_iter().cloned().collect();
        Ok(Form { schema, types: JsonTypes::STRING, step: self.step(Step::Text(members)) })
    }

    /// One of a few values, objects or lists among them.
    fn compound_members(&self, place: &Place<'s>) -> Result<Form, Problem> {
        let members = self.members_of(place)?.unwrap_or_default();
        let (compound, scalars): (Vec<&Value>, Vec<&Value>) =
            members.iter().partition(|member| member.is_object() || member.is_array());
        let mut schemas: Vec<Value> = compound.into_iter().map(exactly).collect();
        if !scalars.is_empty() {
            let types = JsonTypes::of_all(scalars.iter().copied());
            schemas.push(json!({ "type": types.spell(), "enum": scalars }));
        }
        let mut schema = Map::new();
        describe(&mut schema, place, &default_note(place));
        match <[Value; 1]>::try_from(schemas) {
            Ok([only]) => schema.extend(only.as_object().cloned().unwrap_or_default()),
            Err(several) => {
                schema.insert("anyOf".to_owned(), Value::Array(several));
            }
        }
        Ok(Form { schema, types: JsonTypes::of_all(members), step: KEPT })
    }

    fn itself(&mut self, place: &Place<'s>) -> Result<Option<Form>, Problem> {
        let types = place.types();
        let mut schema = Map::from_iter([("type".to_owned(), spelled(place, types))]);
        let (mut step, mut most, mut notes) = (KEPT, None, Vec::new());
        if let Some(members) = self.members_of(place)? {
            notes.extend(self.members(place, &members, &mut schema));
            notes.extend(default_note(place));
            describe(&mut schema, place, &notes);
            return Ok(Some(Form { schema: in_order_of(place, schema), types, step }));
        } else if types.includes(JsonTypes::OBJECT) {
            let Some(object) = self.object(place, &mut schema)? else { return Ok(None) };
            step = object;
        } else if types.includes(JsonTypes::ARRAY) {
            List { step, most } = self.list(place, &mut schema)?;
            if most.is_some_and(|most| most < least_items(place)) {
                return Ok(None);
            }
        }
        notes.extend(self.constraints(place, types, &[], &mut schema));
        notes.extend(most.and_then(|most| self.limit_items(place, most, &mut schema)));
        leave_tightest(&mut schema);
        self.bound_integers(place, types, &mut schema);
        if types.overlaps(JsonTypes::ARRAY) {
            self.bound_items(place, &mut schema);
        }
        describe(&mut schema, place, &notes);
        Ok(Some(Form { schema: in_order_of(place, schema), types, step }))
    }

    /// Adds the allowed values to `schema`; returns in words what it cannot express.
    fn members(
        &mut self,
        place: &Place<'s>,
        members: &[&Value],
        schema: &mut Map<String, Value>,
    ) -> Option<String> {
        let types = place.types();
        let constant = place.all("const").next().is_some() && members.len() == 1;
        match self.rules.members {
            Members::TypedFloats if members.iter().any(|member| is_beyond_floats(member)) => {
                let keyword = if constant { "const" } else { "enum" };
                let note =
                    "numbers that 64-bit floats do not hold are described to the model and checked locally";
                self.lose(place.pointer(), keyword, note.to_owned());
                let listed: Vec<String> = members.iter().map(ToString::to_string).collect();
                return Some(cut_long(&format!("one of {}", listed.join(", "))));
            }
            Members::Typed | Members::TypedFloats | Members::Untyped => {
                if self.rules.members == Members::Untyped && types.list().len() > 1 {
                    schema.shift_remove("type");
                }
                match members {
                    [only] if constant => schema.insert("const".to_owned(), (*only).clone()),
                    several => schema.insert("enum".to_owned(), json!(several)),
                };
            }
            Members::StringsAndNumbers if (JsonTypes::STRING | JsonTypes::NUMBER).includes(types) => {
                schema.insert("enum".to_owned(), json!(members));
            }
            Members::StringsAndNumbers => {
                // Null is said by its type, and so are both booleans.
                if types == JsonTypes::BOOLEAN
                    && let [only] = members
                {
                    let keyword = if constant { "const" } else { "enum" };
                    let note = format!(
                        "that only `{only}` is allowed is written into the description and checked locally"
                    );
                    self.lose(place.pointer(), keyword, note);
                    return Some(format!("always {only}"));
                }
            }
        }
        None
    }
}

/// Leaves one of `minimum` and `exclusiveMinimum`, and one of the other two: llama.cpp ignores the exclusive one beside the other.
fn leave_tightest(schema: &mut Map<String, Value>) {
    for (inclusive, exclusive, looser) in
        [("minimum", "exclusiveMinimum", Ordering::Less), ("maximum", "exclusiveMaximum", Ordering::Greater)]
    {
        let limit = |keyword| schema.get(keyword).and_then(Decimal::of_value);
        if let (Some(with), Some(without)) = (limit(inclusive), limit(exclusive)) {
            schema.shift_remove(if without.cmp(&with) == looser { exclusive } else { inclusive });
        }
    }
}

fn is_beyond_floats(member: &Value) -> bool {
    member.as_number().is_some_and(|number| !is_exact_as_float(number))
}

/// A schema that only this value satisfies, in which no object or list stands as a constant: engines take such a constant in one
/// spelling only.
fn exactly(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let names: Vec<&String> = fields.keys().collect();
            let properties: Map<String, Value> =
                fields.iter().map(|(name, field)| (name.clone(), exactly(field))).collect();
            json!({ "type": "object", "properties": properties, "required": names, "additionalProperties": false })
        }
        Value::Array(items) if items.is_empty() => {
            json!({ "type": "array", "items": { "type": "string" }, "maxItems": 0 })
        }
        Value::Array(items) => {
            let first: Vec<Value> = items.iter().map(exactly).collect();
            json!({ "type": "array", "prefixItems": first, "minItems": items.len(), "maxItems": items.len() })
        }
        Value::Null => json!({ "type": "null" }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            json!({ "type": JsonTypes::of(value).spell(), "const": value })
        }
    }
}

/// The value of `type`: the user's own spelling, where it says the same.
fn spelled(place: &Place<'_>, types: JsonTypes) -> Value {
    let count = types.list().len();
    let own = place.all("type").find(|spelling| {
        let names = spelling.as_array().map_or(1, Vec::len);
        JsonTypes::spelled(spelling) == types && names == count && (count > 1 || spelling.is_string())
    });
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

/// Anything, as an empty schema.
fn anything(place: &Place<'_>) -> Form {
    let mut schema = Map::new();
    describe(&mut schema, place, &default_note(place));
    Form { schema, types: JsonTypes::ANY, step: KEPT }
}
