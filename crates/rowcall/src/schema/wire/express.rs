//! Converts a value from the user's form to the wire form, as a provider would have answered. A value that does not fit is
//! left unchanged.

use serde_json::{Map, Value, json};

use super::step::{Null, Others, Property, Step, Steps};
use super::{ENTRY, WRAPPER};
use crate::number;

impl Steps {
    /// Converts `value` from the user's form to the wire form.
    pub(super) fn express(&self, value: &Value) -> Value {
        self.express_at(self.first(), value)
    }

    fn express_at(&self, number: usize, value: &Value) -> Value {
        match (self.at(number), value) {
            (Step::Wrap(step), _) => json!({ WRAPPER: self.express_at(*step, value) }),
            (Step::Text(members), _) => {
                // Equal values may be written with their keys in another order.
                let member = members.iter().find(|member| number::are_equal(member, value));
                Value::String(member.unwrap_or(value).to_string())
            }
            (Step::Object { properties, others }, Value::Object(fields)) => {
                Value::Object(self.express_object(properties, others, fields))
            }
            (Step::List { first, rest }, Value::Array(items)) => {
                let steps = first.iter().chain(std::iter::repeat(rest));
                steps.zip(items).map(|(step, item)| self.express_at(*step, item)).collect()
            }
            (Step::Map(step), Value::Object(fields)) => self.entries(*step, fields.iter()),
            (Step::Tuple(places), Value::Array(items)) => {
                self.express_tuple(places, items).unwrap_or_else(|| value.clone())
            }
            (Step::Choose(alternatives), _) => match alternatives.of(value) {
                Some(step) => self.express_at(step, value),
                None => value.clone(),
            },
            (
                Step::Keep
                | Step::As(_)
                | Step::Object { .. }
                | Step::List { .. }
                | Step::Map(_)
                | Step::Tuple(_),
                _,
            ) => value.clone(),
        }
    }

    /// The properties in the order in which the provider writes them.
    fn express_object(
        &self,
        properties: &[Property],
        others: &Others,
        fields: &Map<String, Value>,
    ) -> Map<String, Value> {
        let mut expressed = Map::new();
        for Property { name, step, null } in properties {
            match (fields.get(name), null) {
                (Some(Value::Null) | None, Null::Absent | Null::Either) => {
                    expressed.insert(name.clone(), Value::Null);
                }
                (Some(field), _) => {
                    expressed.insert(name.clone(), self.express_at(*step, field));
                }
                (None, Null::Itself) => {}
            }
        }
        let beside = fields.iter().filter(|(name, _)| !properties.iter().any(|each| each.name == **name));
        match others {
            Others::Gathered { name, step } => {
                expressed.insert(name.clone(), self.entries(*step, beside));
            }
            Others::Beside(step) => {
                expressed.extend(beside.map(|(name, field)| (name.clone(), self.express_at(*step, field))));
            }
            Others::Kept => expressed.extend(beside.map(|(name, field)| (name.clone(), field.clone()))),
        }
        expressed
    }

    fn entries<'v>(&self, step: usize, fields: impl Iterator<Item = (&'v String, &'v Value)>) -> Value {
        let [key, value] = ENTRY;
        fields.map(|(name, field)| json!({ key: name, value: self.express_at(step, field) })).collect()
    }

    /// The items under their names; `None` if there are too many, or too few.
    fn express_tuple(&self, places: &[Property], items: &[Value]) -> Option<Value> {
        if items.len() > places.len() {
            return None;
        }
        let mut items = items.iter();
        let mut expressed = Map::new();
        for Property { name, step, null } in places {
            let item = match (items.next(), null) {
                (None, Null::Itself) => return None,
                (None | Some(Value::Null), Null::Absent | Null::Either) => Value::Null,
                (Some(item), _) => self.express_at(*step, item),
            };
            expressed.insert(name.clone(), item);
        }
        Some(Value::Object(expressed))
    }
}
