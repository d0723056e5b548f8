//! Keeps the input's spelling of numbers in a prompt, such as `1.10` and `1e5`, while templates can still compute with them. Numbers
//! that the template engine would write differently are rendered as texts if the result is the same. If it is not, since the template
//! computes, results are written as the row spells the same number.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use minijinja::value::{DynObject, Object, ObjectRepr, Value as Field, ValueKind};
use minijinja::{Error, State, Template};
use serde::{Serialize, Serializer};
use serde_json::{Map, Number, Value};

use super::field::{self, Forms, Nulls};
use crate::number::{Decimal, is_exact_as_float};

/// The variable that holds the spellings of a row: no template can refer to it.
const VARIABLE: &str = " spellings";

/// How the numbers of a row are converted.
#[derive(Debug)]
pub(super) enum Numbers {
    /// To the engine's own numbers, or the nearest that it has.
    Values,
    /// To the engine's own numbers, written as spelled in the row if it is clear which number of the row each one is.
    Known(Arc<Spellings>),
    /// To texts, spelled as the engine would write its own numbers.
    Usual,
    /// To texts, spelled as the engine would write its own numbers in a list or an object.
    UsualWithin,
    /// To texts, spelled as in the row.
    Spelled,
}

impl Numbers {
    /// The additional variable for the template, if any.
    pub(super) fn variable(&self) -> Option<(&'static str, Field)> {
        match self {
            Self::Known(spellings) => Some((VARIABLE, Field::from_dyn_object(Arc::clone(spellings)))),
            Self::Values | Self::Usual | Self::UsualWithin | Self::Spelled => None,
        }
    }
}

/// The spellings of a row's numbers, by their bits as floats; `None` for a number with several spellings.
#[derive(Debug, Default)]
pub(super) struct Spellings(HashMap<u64, Option<String>>);

impl Object for Spellings {}

impl Spellings {
    fn of(fields: &Map<String, Value>) -> Self {
        let mut spellings = Self::default();
        each_number(fields.values(), &mut |number| {
            if let Some(float) = number.as_f64().filter(|_| !is_whole(number)) {
                let known = spellings.0.entry(float.to_bits());
                known
                    .and_modify(|known| {
                        if known.as_deref() != Some(number.as_str()) {
                            *known = None;
                        }
                    })
                    .or_insert_with(|| Some(number.as_str().to_owned()));
            }
        });
        spellings
    }

    fn spelling(&self, float: f64) -> Option<&str> {
        self.0.get(&float.to_bits())?.as_deref()
    }

    /// `text` with rounded numbers, which are part of a list or of another text, spelled as in the row. Only a number with as many digits
    /// as a float holds is known to be one of the row's.
    fn unrounded(&self, mut text: String) -> String {
        const SURE: usize = 16;
        for (bits, spelling) in &self.0 {
            let Some(spelling) = spelling else { continue };
            let value = Field::from(f64::from_bits(*bits));
            for written in [value.to_string(), format!("{value:?}")] {
                let is_sure = written.bytes().filter(u8::is_ascii_digit).count() >= SURE;
                if is_sure && written != *spelling && !spelling.starts_with(&written) {
                    text = text.replace(&written, spelling);
                }
            }
        }
        text
    }

    /// The row's spelling of a value, if it is a number of the row that `state` renders.
    fn written(state: &State<'_, '_>, value: &Field) -> Option<String> {
        if value.kind() != ValueKind::Number || value.is_integer() {
            return None;
        }
        let spellings = Self::in_state(state)?;
        spellings.spelling(f64::try_from(value.clone()).ok()?).map(str::to_owned)
    }

    fn in_state(state: &State<'_, '_>) -> Option<Arc<Self>> {
        state.lookup(VARIABLE)?.downcast_object()
    }
}

/// A number that is written as a text.
struct Digits {
    /// The text to write.
    written: String,
    /// The number.
    number: Number,
}

impl fmt::Debug for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

impl Object for Digits {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        self.number.as_f64() != Some(0.0)
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some(Decimal::of(self.number.as_str()).cmp(&Decimal::of(other.number.as_str())))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// The rendered text of a row, and how its numbers were converted.
///
/// # Errors
/// Those of the template.
pub(super) fn rendered(
    template: &Template<'_, '_>,
    fields: &Map<String, Value>,
) -> Result<(String, Numbers), Error> {
    let with = |numbers: &Numbers| template.render(field::all(fields, Forms { numbers, nulls: Nulls::None }));
    let mut is_usual = true;
    each_number(fields.values(), &mut |number| is_usual &= is_spelled_usually(number));
    let text = with(&Numbers::Values)?;
    if is_usual {
        return Ok((text, Numbers::Values));
    }
    let is_same = |numbers: &Numbers| with(numbers).is_ok_and(|usual| usual == text);
    if (is_same(&Numbers::Usual) || is_same(&Numbers::UsualWithin))
        && let Ok(spelled) = with(&Numbers::Spelled)
    {
        return Ok((spelled, Numbers::Spelled));
    }
    let spellings = Arc::new(Spellings::of(fields));
    let known = Numbers::Known(Arc::clone(&spellings));
    with(&known).map(|text| (spellings.unrounded(text), known))
}

/// Converts a number for the template.
pub(super) fn number(number: &Number, numbers: &Numbers) -> Field {
    match numbers {
        // Two numbers that are equal as floats cannot be distinguished when they are written.
        Numbers::Known(spellings)
            if !is_whole(number)
                && !is_exact_as_float(number)
                && number.as_f64().is_some_and(|float| spellings.spelling(float).is_none()) =>
        {
            digits(number)
        }
        Numbers::Values | Numbers::Known(_) => value(number),
        Numbers::Usual | Numbers::UsualWithin | Numbers::Spelled if is_spelled_usually(number) => {
            value(number)
        }
        Numbers::UsualWithin => {
            Field::from_object(Digits { written: format!("{:?}", value(number)), number: number.clone() })
        }
        Numbers::Usual => {
            Field::from_object(Digits { written: value(number).to_string(), number: number.clone() })
        }
        Numbers::Spelled => digits(number),
    }
}

fn digits(number: &Number) -> Field {
    Field::from_object(Digits { written: number.as_str().to_owned(), number: number.clone() })
}

/// The engine's equal number, or else the nearest float; a number beyond the range of floats is a text.
fn value(number: &Number) -> Field {
    if let Some(number) = number.as_i64() {
        return Field::from(number);
    }
    if let Some(number) = number.as_i128() {
        return Field::from(number);
    }
    if let Some(number) = number.as_u128() {
        return Field::from(number);
    }
    number.as_f64().map_or_else(|| digits(number), Field::from)
}

/// Whether the engine represents it as an integer.
fn is_whole(number: &Number) -> bool {
    number.as_i128().is_some() || number.as_u128().is_some()
}

/// Whether the engine writes a number as it is spelled in the row.
fn is_spelled_usually(number: &Number) -> bool {
    const HELD: usize = 18;
    let text = number.as_str();
    text.len() <= HELD && text.bytes().all(|byte| byte.is_ascii_digit()) || value(number).to_string() == text
}

fn each_number<'v>(values: impl IntoIterator<Item = &'v Value>, act: &mut impl FnMut(&'v Number)) {
    for value in values {
        match value {
            Value::Number(number) => act(number),
            Value::Array(items) => each_number(items, act),
            Value::Object(fields) => each_number(fields.values(), act),
            Value::Null | Value::Bool(_) | Value::String(_) => {}
        }
    }
}

/// The row's spelling of `value`, if it is one of the row's numbers.
pub(super) fn written(state: &State<'_, '_>, value: &Field) -> Option<String> {
    Spellings::written(state, value)
}

/// A value as JSON, with its numbers spelled as in the row.
pub(super) struct Json<'a> {
    value: &'a Field,
    spellings: Option<Arc<Spellings>>,
}

impl<'a> Json<'a> {
    pub(super) fn new(state: &State<'_, '_>, value: &'a Field) -> Self {
        Self { value, spellings: Spellings::in_state(state) }
    }

    fn inner<'b>(&self, value: &'b Field) -> Json<'b> {
        Json { value, spellings: self.spellings.clone() }
    }
}

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{Error as _, SerializeMap, SerializeSeq};

        if let Some(digits) = self.value.downcast_object_ref::<Digits>() {
            return Number::from_string_unchecked(digits.written.clone()).serialize(serializer);
        }
        match self.value.kind() {
            ValueKind::Seq | ValueKind::Iterable => {
                let mut list = serializer.serialize_seq(self.value.len())?;
                for item in self.value.try_iter().map_err(S::Error::custom)? {
                    list.serialize_element(&self.inner(&item))?;
                }
                list.end()
            }
            ValueKind::Map => {
                let mut map = serializer.serialize_map(None)?;
                for key in self.value.try_iter().map_err(S::Error::custom)? {
                    let value = self.value.get_item(&key).map_err(S::Error::custom)?;
                    map.serialize_entry(&key, &self.inner(&value))?;
                }
                map.end()
            }
            ValueKind::Number if !self.value.is_integer() => {
                let float = f64::try_from(self.value.clone()).ok();
                match float.and_then(|float| self.spellings.as_ref()?.spelling(float)) {
                    Some(spelling) => {
                        Number::from_string_unchecked(spelling.to_owned()).serialize(serializer)
                    }
                    None => self.value.serialize(serializer),
                }
            }
            _ => self.value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Number, Value};

    use crate::prompt::Template;
    use crate::turn::Turn;

    /// Restores `1e5`, which the parser spells differently.
    fn respell(value: &mut Value) {
        match value {
            Value::Number(number) if number.as_str() == "1e+5" => {
                *number = Number::from_string_unchecked("1e5".to_owned());
            }
            Value::Array(items) => items.iter_mut().for_each(respell),
            Value::Object(fields) => fields.values_mut().for_each(respell),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// The text of `template` for a row, given as JSON text, with `1e5` unchanged.
    fn said(template: &str, row: &str) -> Result<String, String> {
        let mut fields: Map<String, Value> = serde_json::from_str(row).expect("an object");
        fields.values_mut().for_each(respell);
        let template = Template::new(template, None).expect("compiles");
        let prompt = template.render(&fields).map_err(|failure| failure.message)?;
        match prompt.turns.as_slice() {
            [Turn::User { text, .. }] => Ok(text.clone()),
            turns => panic!("{} turns", turns.len()),
        }
    }

    #[test]
    fn numbers_keep_their_spelling() {
        for number in [
            "3",
            "-7",
            "1.5",
            "3.0",
            "1.10",
            "1.100",
            "-0",
            "1e5",
            "1e+16",
            "1.50e-07",
            "0.30000000000000000001",
            "18446744073709551616",
            "-9223372036854775809",
            "123456789012345678901234567890123456789012345",
            "1e+400",
        ] {
            let row = format!(r#"{{"n":{number},"more":{{"list":[{number}, 2.50]}}}}"#);
            for (template, expected) in [
                ("{{ n }}", number.to_owned()),
                ("{{ row.n }}", number.to_owned()),
                ("€ {{ n }}, {{ more.list[1] }}", format!("€ {number}, 2.50")),
                ("{{ n ~ ' EUR' }}", format!("{number} EUR")),
                ("{% for each in more.list %}{{ each }};{% endfor %}", format!("{number};2.50;")),
                ("{% set x = n %}{{ x }}{% if text is defined %}{{ text }}{% endif %}", number.to_owned()),
                ("{{ more.list | join(', ') }}", format!("{number}, 2.50")),
                ("{{ n | tojson }}", number.to_owned()),
                ("{{ row | tojson }}", format!(r#"{{"n":{number},"more":{{"list":[{number},2.50]}}}}"#)),
                ("{{ more }}", format!("{{'list': [{number}, 2.50]}}")),
            ] {
                assert_eq!(said(template, &row).as_deref(), Ok(&*expected), "{template} {number}");
            }
        }
    }

    #[test]
    fn a_template_computes_with_numbers_of_any_spelling() {
        let row = r#"{"price":1.10,"big":1e5,"many":[2.50,1.0],"same":1.1,"no":0.00,"long":0.123456789012345678901}"#;
        for (template, expected) in [
            ("{{ price * 2 }}", "2.2"),
            ("{{ big + 1 }}", "100001.0"),
            ("{{ many | sum }}", "3.5"),
            ("{% if price > 1 %}dear{% else %}cheap{% endif %}", "dear"),
            ("{% if price == 1.1 %}{{ big }}{% endif %}", "1e5"),
            ("{% if big > 99999 %}{{ big }} {{ many | tojson }}{% endif %}", "1e5 [2.50,1.0]"),
            ("{% if no %}some{% else %}none of {{ many[0] }}{% endif %}", "none of 2.50"),
            ("{% if price < many[0] %}{{ many[0] }}{% endif %}", "2.50"),
            ("{{ many | sort | tojson }}", "[1.0,2.50]"),
            ("{{ price | round(1) }} {{ big | int }}", "1.1 100000"),
            ("{% if price is number %}{{ many[0] }}{% endif %}", "2.50"),
            ("{{ price }} {{ same }}", "1.10 1.1"),
            ("{% if long < 1 %}{{ long }}{% endif %}", "0.123456789012345678901"),
            ("{{ '%.2f' | format(price) }}", "1.10"),
            ("{{ price * 2 }} {{ many + [long] }}", "2.2 [2.5, 1.0, 0.123456789012345678901]"),
        ] {
            assert_eq!(said(template, row).as_deref(), Ok(expected), "{template}");
        }
    }

    /// Neither of two numbers that are equal as floats is written rounded.
    #[test]
    fn nothing_is_rounded_silently() {
        let row = r#"{"a":0.123456789012345678901,"b":0.123456789012345678902}"#;
        assert_eq!(
            said("{{ a }} {{ b }}", row).as_deref(),
            Ok("0.123456789012345678901 0.123456789012345678902")
        );
        assert!(said("{{ a + 1 }} {{ b }}", row).is_err());
    }
}
