//! Converts between Python objects and JSON: rows on the way in, values on the way out. `_rows.py` handles objects
//! that are neither plain nor dictionaries.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use rowcall::TEXT_FIELD;
use serde_json::{Map, Number, Value};

/// Python's `Decimal`, once it is imported.
static DECIMAL: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The maximum nesting depth of a row, the same as for JSON.
const DEEPEST: usize = 128;

/// The function that makes rows of other objects, once it is imported.
static FIELDS_OF: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The function that converts other objects to plain ones, once it is imported.
static PLAIN: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// The fields of a row: a string is the field `text`; dictionaries, models and dataclasses have their own.
///
/// # Errors
/// `TypeError` for anything else.
pub(crate) fn fields(item: &Bound<'_, PyAny>) -> PyResult<Map<String, Value>> {
    if let Ok(text) = item.cast::<PyString>() {
        return Ok(Map::from_iter([(TEXT_FIELD.to_owned(), string(text))]));
    }
    if let Ok(fields) = item.cast::<PyDict>() {
        return object(fields, 0);
    }
    if item.is_none() {
        return Ok(Map::from_iter([(TEXT_FIELD.to_owned(), Value::Null)]));
    }
    let fields = FIELDS_OF.import(item.py(), "rowcall._rows", "fields_of")?.call1((item,))?;
    object(fields.cast::<PyDict>()?, 0)
}

/// JSON as Python dictionaries, lists, strings, numbers and `None`.
///
/// # Errors
/// Only those for a lack of memory.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(value) => PyBool::new(py, *value).to_owned().into_any(),
        Value::Number(number) => of_number(py, number)?,
        Value::String(text) => PyString::new(py, text).into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(members) => {
            let dict = PyDict::new(py);
            for (name, member) in members {
                dict.set_item(name, to_python(py, member)?)?;
            }
            dict.into_any()
        }
    })
}

/// An integer as `int` whatever its length, another number as `float`, or as `decimal.Decimal` where a float would
/// round it.
fn of_number<'py>(py: Python<'py>, number: &Number) -> PyResult<Bound<'py, PyAny>> {
    if let Some(number) = number.as_i64() {
        return Ok(number.into_pyobject(py)?.into_any());
    }
    let text = number.as_str();
    let is_whole = !text.contains(['.', 'e', 'E']);
    if let Some(float) = number.as_f64().filter(|_| !is_whole && rowcall::is_exact_as_float(number)) {
        return Ok(PyFloat::new(py, float).into_any());
    }
    let decimal = DECIMAL.import(py, "decimal", "Decimal")?.call1((text,))?;
    // Through `Decimal`, since `int` rejects texts of more than 4300 digits.
    if is_whole { py.get_type::<PyInt>().call1((decimal,)) } else { Ok(decimal) }
}

/// A response's body as the provider sent it: JSON, or the JSON of each event of a stream. Null for no body, text for anything else.
pub(crate) fn body(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    if let Ok(whole) = serde_json::from_slice(body) {
        return whole;
    }
    let text = String::from_utf8_lossy(body);
    let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let events: Vec<Value> = data.filter_map(|data| serde_json::from_str(data).ok()).collect();
    if events.is_empty() { text.into() } else { events.into() }
}

fn value(item: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    if depth > DEEPEST {
        return Err(PyValueError::new_err(format!("the row is nested more than {DEEPEST} levels deep")));
    }
    if item.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = item.cast::<PyString>() {
        return Ok(string(text));
    }
    if let Ok(value) = item.cast::<PyBool>() {
        return Ok(Value::Bool(value.is_true()));
    }
    if let Ok(number) = item.cast::<PyInt>() {
        return Ok(integer(number));
    }
    if let Ok(number) = item.cast::<PyFloat>() {
        // NaN and infinities have no JSON form; in data they mean a missing value.
        return Ok(Number::from_f64(number.value()).map_or(Value::Null, Value::Number));
    }
    if let Ok(members) = item.cast::<PyDict>() {
        return Ok(Value::Object(object(members, depth)?));
    }
    if let Ok(items) = item.cast::<PyList>() {
        return items.iter().map(|item| value(&item, depth + 1)).collect();
    }
    if let Ok(items) = item.cast::<PyTuple>() {
        return items.iter().map(|item| value(&item, depth + 1)).collect();
    }
    let plain = PLAIN.import(item.py(), "rowcall._rows", "plain")?.call1((item,))?;
    value(&plain, depth + 1)
}

fn object(fields: &Bound<'_, PyDict>, depth: usize) -> PyResult<Map<String, Value>> {
    let mut object = Map::with_capacity(fields.len());
    for (name, field) in fields {
        let Ok(name) = name.cast::<PyString>() else {
            let of = name.get_type().name()?;
            return Err(PyTypeError::new_err(format!("a field's name is of type `{of}`, expected `str`")));
        };
        object.insert(name.to_string_lossy().into_owned(), value(&field, depth + 1)?);
    }
    Ok(object)
}

fn string(text: &Bound<'_, PyString>) -> Value {
    Value::String(text.to_string_lossy().into_owned())
}

/// An integer with all its digits.
fn integer(number: &Bound<'_, PyInt>) -> Value {
    if let Ok(number) = number.extract::<i64>() {
        return number.into();
    }
    let digits = number.to_string();
    serde_json::from_str(&digits).map_or(Value::String(digits), Value::Number)
}
