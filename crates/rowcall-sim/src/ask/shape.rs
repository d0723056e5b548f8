//! The permitted shape of a request's body, as data, and the first location where a body violates it. Each provider
//! words the violation.

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use super::encoded;

/// The shape of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Anything: it is checked elsewhere, or not at all.
    Any,
    Flag,
    Text,
    Integer {
        least: i64,
        most: i64,
    },
    Number {
        least: f64,
        most: f64,
    },
    /// One of these words.
    Word(&'static [&'static str]),
    /// Text in Base64.
    Base64,
    /// A URL to fetch, or a `data:` URL with Base64.
    Url,
    /// An object with any fields.
    Map,
    List(&'static Self),
    /// An object with these fields.
    Record(&'static [Field]),
    /// An object whose first field selects one of the records.
    Tagged(&'static str, &'static [(&'static str, &'static [Field])]),
    /// The first of these with the value's JSON type.
    Either(&'static [Self]),
}

/// One field of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    shape: Shape,
    need: Need,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
    /// May be absent or null.
    Nullable,
}

pub(crate) const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, need: Need::Required }
}

pub(crate) const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, need: Need::Optional }
}

pub(crate) const fn nullable(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, need: Need::Nullable }
}

/// How field names may be spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// As in the table.
    Exact,
    /// As in the table, in camelCase, or in snake_case; afterwards the value has the table's spelling.
    CamelOrSnake,
}

/// One step of a path in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Name(Cow<'static, str>),
    Index(usize),
}

/// The first problem with a body, and its location.
#[derive(Debug, PartialEq)]
pub(crate) struct Breach {
    pub(crate) at: Vec<Step>,
    pub(crate) wrong: Wrong,
}

#[derive(Debug, PartialEq)]
pub(crate) enum Wrong {
    /// Unknown field.
    Unknown,
    Missing,
    /// Wrong JSON type.
    Type {
        expected: Shape,
        found: Value,
    },
    Low {
        least: Bound,
        found: String,
    },
    High {
        most: Bound,
        found: String,
    },
    /// Unknown word.
    Word {
        known: Vec<&'static str>,
        found: String,
    },
    Base64,
    Url,
}

/// A bound of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Bound {
    Integer(i64),
    Decimal(f64),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(bound) => write!(f, "{bound}"),
            Self::Decimal(bound) => write!(f, "{bound}"),
        }
    }
}

/// Whether `value` has this shape; changes field names to the table's spelling.
pub(crate) fn judge(value: &mut Value, shape: Shape, spelling: Spelling) -> Result<(), Box<Breach>> {
    let mut judge = Judge { spelling, at: Vec::new() };
    judge.value(value, shape).map_err(|wrong| Box::new(Breach { at: judge.at, wrong }))
}

struct Judge {
    spelling: Spelling,
    /// The path to the value being checked; after a breach, the path to that.
    at: Vec<Step>,
}

impl Judge {
    fn value(&mut self, value: &mut Value, shape: Shape) -> Result<(), Wrong> {
        if !has_type(value, shape) {
            return Err(Wrong::Type { expected: shape, found: value.clone() });
        }
        match (shape, value) {
            (Shape::Integer { least, most }, Value::Number(number)) => {
                let value = number.as_i64().unwrap_or(i64::MAX);
                let found = number.to_string();
                if value < least {
                    return Err(Wrong::Low { least: Bound::Integer(least), found });
                }
                if value > most {
                    return Err(Wrong::High { most: Bound::Integer(most), found });
                }
            }
            (Shape::Number { least, most }, Value::Number(number)) => {
                let value = number.as_f64().unwrap_or(f64::INFINITY);
                let found = number.to_string();
                if value < least {
                    return Err(Wrong::Low { least: Bound::Decimal(least), found });
                }
                if value > most {
                    return Err(Wrong::High { most: Bound::Decimal(most), found });
                }
            }
            (Shape::Word(known), Value::String(found)) if !known.contains(&found.as_str()) => {
                return Err(Wrong::Word { known: known.to_vec(), found: found.clone() });
            }
            (Shape::Base64, Value::String(text)) if !encoded::is_base64(text) => return Err(Wrong::Base64),
            (Shape::Url, Value::String(text)) if !encoded::is_url(text) => return Err(Wrong::Url),
            (Shape::List(of), Value::Array(items)) => {
                for (n, item) in items.iter_mut().enumerate() {
                    self.at.push(Step::Index(n));
                    self.value(item, *of)?;
                    self.at.pop();
                }
            }
            (Shape::Record(fields), Value::Object(object)) => self.record(object, fields, None)?,
            (Shape::Tagged(tag, records), Value::Object(object)) => self.tagged(object, tag, records)?,
            (Shape::Either(shapes), value) => {
                if let Some(shape) = shapes.iter().find(|shape| has_type(value, **shape)) {
                    self.value(value, *shape)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn tagged(
        &mut self,
        object: &mut Map<String, Value>,
        tag: &'static str,
        records: &'static [(&'static str, &'static [Field])],
    ) -> Result<(), Wrong> {
        let wrong = match object.get(tag) {
            None => Wrong::Missing,
            Some(Value::String(found)) => match records.iter().find(|(name, _)| name == found) {
                Some((_, fields)) => return self.record(object, fields, Some(tag)),
                None => Wrong::Word {
                    known: records.iter().map(|(name, _)| *name).collect(),
                    found: found.clone(),
                },
            },
            Some(other) => Wrong::Type { expected: Shape::Text, found: other.clone() },
        };
        self.at.push(Step::Name(Cow::Borrowed(tag)));
        Err(wrong)
    }

    fn record(
        &mut self,
        object: &mut Map<String, Value>,
        fields: &'static [Field],
        tag: Option<&str>,
    ) -> Result<(), Wrong> {
        if self.spelling == Spelling::CamelOrSnake {
            let fields_as_sent = std::mem::take(object);
            object.extend(fields_as_sent.into_iter().map(|(name, value)| (spelled(name, fields), value)));
        }
        for field in fields {
            self.at.push(Step::Name(Cow::Borrowed(field.name)));
            match (object.get_mut(field.name), field.need) {
                (None, Need::Required) => return Err(Wrong::Missing),
                (Some(Value::Null), Need::Nullable) | (None, Need::Optional | Need::Nullable) => {}
                (Some(value), Need::Required | Need::Optional | Need::Nullable) => {
                    self.value(value, field.shape)?;
                }
            }
            self.at.pop();
        }
        let known =
            |name: &String| tag == Some(name.as_str()) || fields.iter().any(|field| field.name == name);
        match object.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                self.at.push(Step::Name(Cow::Owned(name.clone())));
                Err(Wrong::Unknown)
            }
        }
    }
}

fn has_type(value: &Value, shape: Shape) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Flag => value.is_boolean(),
        Shape::Text | Shape::Word(_) | Shape::Base64 | Shape::Url => value.is_string(),
        Shape::Integer { .. } => value.is_i64() || value.is_u64(),
        Shape::Number { .. } => value.is_number(),
        Shape::Map | Shape::Record(_) | Shape::Tagged(..) => value.is_object(),
        Shape::List(_) => value.is_array(),
        Shape::Either(shapes) => shapes.iter().any(|shape| has_type(value, *shape)),
    }
}

/// The table's spelling of `name`, if it is one of its fields.
fn spelled(name: String, fields: &[Field]) -> String {
    let is_known = !name.contains('_') || fields.iter().any(|field| field.name == name);
    let field = if is_known { None } else { fields.iter().find(|field| snake_case(field.name) == name) };
    field.map_or(name, |field| field.name.to_owned())
}

/// `maxOutputTokens` as `max_output_tokens`.
pub(crate) fn snake_case(camel: &str) -> String {
    let mut snake = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INNER: &[Field] = &[required("maxWords", Shape::Integer { least: 1, most: 9 })];
    const BODY: &[Field] = &[
        required("model", Shape::Text),
        nullable("heat", Shape::Number { least: 0.0, most: 2.0 }),
        optional("mode", Shape::Word(&["a", "b"])),
        optional("inner", Shape::Record(INNER)),
        optional("parts", Shape::List(&PART)),
        optional("stop", Shape::Either(&[Shape::Text, Shape::List(&Shape::Text)])),
    ];
    const PART: Shape = Shape::Tagged(
        "type",
        &[
            ("text", &[required("text", Shape::Text)]),
            ("image", &[required("url", Shape::Url), optional("data", Shape::Base64)]),
        ],
    );

    fn breach(fields: &Value, spelling: Spelling) -> Option<(String, Wrong)> {
        let mut body = json!({ "model": "m" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let Breach { at, wrong } = *judge(&mut body, Shape::Record(BODY), spelling).err()?;
        let steps = at.into_iter().map(|step| match step {
            Step::Name(name) => name.into_owned(),
            Step::Index(n) => n.to_string(),
        });
        Some((steps.collect::<Vec<_>>().join("."), wrong))
    }

    #[test]
    fn the_first_breach_is_found_with_its_path() {
        let word = |known: &[&'static str], found: &str| Wrong::Word {
            known: known.to_vec(),
            found: found.to_owned(),
        };
        let mistyped = |expected, found| Wrong::Type { expected, found };
        let low = Wrong::Low { least: Bound::Integer(1), found: "0".into() };
        let high = Wrong::High { most: Bound::Decimal(2.0), found: "2.5".into() };
        let cases = [
            (json!({ "model": null }), "model", mistyped(Shape::Text, json!(null))),
            (json!({ "heat": 2.5 }), "heat", high),
            (json!({ "mode": null }), "mode", mistyped(Shape::Word(&["a", "b"]), json!(null))),
            (json!({ "mode": "c" }), "mode", word(&["a", "b"], "c")),
            (json!({ "inner": {} }), "inner.maxWords", Wrong::Missing),
            (json!({ "inner": { "maxWords": 0 } }), "inner.maxWords", low),
            (json!({ "inner": { "maxWords": 1, "x": 1 } }), "inner.x", Wrong::Unknown),
            (json!({ "inner": { "max_words": 1 } }), "inner.maxWords", Wrong::Missing),
            (json!({ "parts": [{ "text": "a" }] }), "parts.0.type", Wrong::Missing),
            (json!({ "parts": [{ "type": "song" }] }), "parts.0.type", word(&["text", "image"], "song")),
            (
                json!({ "parts": [{ "type": "text", "text": "a" }, { "type": "text" }] }),
                "parts.1.text",
                Wrong::Missing,
            ),
            (json!({ "parts": [{ "type": "image", "url": "a.png" }] }), "parts.0.url", Wrong::Url),
            (
                json!({ "parts": [{ "type": "image", "url": "http://a", "data": "?" }] }),
                "parts.0.data",
                Wrong::Base64,
            ),
            (json!({ "stop": [1] }), "stop.0", mistyped(Shape::Text, json!(1))),
            (json!({ "song": 1 }), "song", Wrong::Unknown),
        ];
        for (fields, at, wrong) in cases {
            assert_eq!(breach(&fields, Spelling::Exact), Some((at.to_owned(), wrong)), "{fields}");
        }
        let sound = json!({ "heat": null, "mode": "b", "inner": { "maxWords": 9 }, "stop": "x" });
        assert_eq!(breach(&sound, Spelling::Exact), None);
    }

    #[test]
    fn fields_in_snake_case_are_spelled_in_camel_case_afterwards() {
        let mut body = json!({ "model": "m", "inner": { "max_words": 3 } });
        judge(&mut body, Shape::Record(BODY), Spelling::CamelOrSnake).unwrap();
        assert_eq!(body["inner"], json!({ "maxWords": 3 }));
        let unknown = breach(&json!({ "inner": { "maxWords": 3, "max_Words": 3 } }), Spelling::CamelOrSnake);
        assert_eq!(unknown, Some(("inner.max_Words".to_owned(), Wrong::Unknown)));
    }
}
