//! How Arrow values travel through a run: as JSON text in the record of their row, and back. Most types are read back from
//! JSON as they are; the others are carried in another type, which is restored here. `exact.rs` writes the JSON.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::timezone::Tz;
use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, StructArray, make_array};
use arrow_cast::{CastOptions, cast_with_options};
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType, Field, FieldRef, Fields, Schema, TimeUnit};

/// The offset that times with a zone are carried with.
const UTC: &str = "+00:00";

/// The type that the JSON of a column of this type is read as.
///
/// # Errors
/// A type without a JSON form, which is named.
pub(crate) fn carried(data_type: &DataType) -> Result<DataType, ArrowError> {
    Ok(match data_type {
        DataType::Dictionary(_, values) => carried(values)?,
        DataType::RunEndEncoded(_, values) => carried(values.data_type())?,
        DataType::Duration(_) | DataType::Interval(_) => DataType::Utf8,
        DataType::Timestamp(unit, Some(_)) => DataType::Timestamp(*unit, Some(UTC.into())),
        DataType::List(items) => DataType::List(field(items)?),
        DataType::LargeList(items) => DataType::LargeList(field(items)?),
        DataType::ListView(items) => DataType::ListView(field(items)?),
        DataType::LargeListView(items) => DataType::LargeListView(field(items)?),
        DataType::FixedSizeList(items, length) => DataType::FixedSizeList(field(items)?, *length),
        DataType::Struct(members) => {
            DataType::Struct(members.iter().map(field).collect::<Result<Fields, _>>()?)
        }
        DataType::Map(entries, _) if has_text_keys(entries) => DataType::Map(field(entries)?, false),
        // An object has texts as its keys, so other maps are lists of entries.
        DataType::Map(entries, _) => DataType::List(field(entries)?),
        DataType::Union(_, _) => {
            return Err(ArrowError::NotYetImplemented(format!("the type `{data_type}`")));
        }
        other => other.clone(),
    })
}

fn field(field: &FieldRef) -> Result<FieldRef, ArrowError> {
    // Without metadata: it is put back with the type.
    Ok(Arc::new(Field::new(field.name(), carried(field.data_type())?, field.is_nullable())))
}

fn has_text_keys(entries: &FieldRef) -> bool {
    let DataType::Struct(members) = entries.data_type() else { return false };
    let is_text =
        |key: &FieldRef| matches!(key.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    members.first().is_some_and(is_text)
}

/// `batch` with its columns in a form that JSON can be written from.
///
/// # Errors
/// A type without a JSON form.
pub(crate) fn lowered(batch: &RecordBatch) -> Result<StructArray, ArrowError> {
    let columns = batch.columns().iter().map(lower).collect::<Result<Vec<_>, _>>()?;
    let fields = batch.schema_ref().fields().iter().zip(&columns);
    let fields: Fields = fields
        .map(|(field, column)| Field::new(field.name(), column.data_type().clone(), field.is_nullable()))
        .collect();
    StructArray::try_new_with_length(fields, columns, None, batch.num_rows())
}

fn lower(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        // The writer looks for nulls among the keys only.
        DataType::Dictionary(_, values) if array.as_any_dictionary().values().null_count() > 0 => {
            lower(&cast(array, values)?)
        }
        DataType::Timestamp(unit, Some(zone)) if zone.parse::<Tz>().is_err() => {
            Ok(relabelled(array, DataType::Timestamp(*unit, Some(UTC.into())))?)
        }
        DataType::Map(entries, _) if !has_text_keys(entries) => {
            let list = relabelled(array, DataType::List(Arc::clone(entries)))?;
            lower(&list)
        }
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(_, _)
        | DataType::Struct(_)
        | DataType::Map(_, _) => nested(array, lower),
        _ => Ok(Arc::clone(array)),
    }
}

/// `batch`, which was read from JSON in the carried types, with the columns of `schema`.
///
/// # Errors
/// A value that the type of its column does not hold.
pub(crate) fn raised(batch: &RecordBatch, schema: &Arc<Schema>) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns =
        columns.map(|(column, field)| raise(column, field.data_type())).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns)
}

fn raise(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match to {
        DataType::Dictionary(_, values) => cast(&raise(array, values)?, to),
        DataType::RunEndEncoded(_, values) => cast(&raise(array, values.data_type())?, to),
        DataType::Duration(unit) => relabelled(&durations(array, *unit)?, to.clone()),
        DataType::Timestamp(_, _) => relabelled(array, to.clone()),
        DataType::Map(_, _)
        | DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(_, _)
        | DataType::Struct(_) => {
            let types = children(to);
            let mut types = types.iter();
            let data = rebuilt(array, to.clone(), |child| {
                let to = types.next().map_or_else(|| child.data_type().clone(), |to| (*to).clone());
                raise(child, &to)
            })?;
            Ok(make_array(data))
        }
        _ => cast(array, to),
    }
}

fn children(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::Struct(members) => members.iter().map(|member| member.data_type()).collect(),
        DataType::Map(items, _)
        | DataType::List(items)
        | DataType::LargeList(items)
        | DataType::ListView(items)
        | DataType::LargeListView(items)
        | DataType::FixedSizeList(items, _) => vec![items.data_type()],
        _ => Vec::new(),
    }
}

/// A nested array whose children went through `change`.
fn nested(
    array: &ArrayRef,
    change: impl Fn(&ArrayRef) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayRef, ArrowError> {
    let changed: Vec<ArrayRef> = array
        .to_data()
        .child_data()
        .iter()
        .map(|child| change(&make_array(child.clone())))
        .collect::<Result<_, _>>()?;
    let types: Vec<_> = changed.iter().map(|child| child.data_type().clone()).collect();
    let to = with_children(array.data_type(), &types);
    if to == *array.data_type() {
        return Ok(Arc::clone(array));
    }
    let mut changed = changed.into_iter();
    let data = rebuilt(array, to, |child| Ok(changed.next().unwrap_or_else(|| Arc::clone(child))))?;
    Ok(make_array(data))
}

fn with_children(data_type: &DataType, children: &[DataType]) -> DataType {
    let item = |field: &FieldRef| {
        let to = children.first().unwrap_or(field.data_type()).clone();
        Arc::new(Field::new(field.name(), to, field.is_nullable()))
    };
    match data_type {
        DataType::Struct(members) => DataType::Struct(
            members
                .iter()
                .zip(children)
                .map(|(member, to)| Field::new(member.name(), to.clone(), member.is_nullable()))
                .collect(),
        ),
        DataType::Map(entries, sorted) => DataType::Map(item(entries), *sorted),
        DataType::List(items) => DataType::List(item(items)),
        DataType::LargeList(items) => DataType::LargeList(item(items)),
        DataType::ListView(items) => DataType::ListView(item(items)),
        DataType::LargeListView(items) => DataType::LargeListView(item(items)),
        DataType::FixedSizeList(items, length) => DataType::FixedSizeList(item(items), *length),
        other => other.clone(),
    }
}

/// The same values with other children, as another type of the same layout.
fn rebuilt(
    array: &ArrayRef,
    to: DataType,
    mut change: impl FnMut(&ArrayRef) -> Result<ArrayRef, ArrowError>,
) -> Result<ArrayData, ArrowError> {
    let data = array.to_data();
    let children = data.child_data().iter().map(|child| Ok(change(&make_array(child.clone()))?.to_data()));
    let children = children.collect::<Result<Vec<_>, ArrowError>>()?;
    data.into_builder().data_type(to).child_data(children).build()
}

/// The same values as another type of the same layout.
fn relabelled(array: &ArrayRef, to: DataType) -> Result<ArrayRef, ArrowError> {
    Ok(make_array(array.to_data().into_builder().data_type(to).build()?))
}

/// A cast that fails rather than make a null of what does not fit.
fn cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

/// Durations from their ISO 8601 texts, such as `PT1.5S`; a plain number is a count of units.
fn durations(texts: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef, ArrowError> {
    let digits = match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    let read = |text: Option<&str>| {
        let Some(text) = text else { return Ok(None) };
        match duration(text, digits) {
            Some(units) => Ok(Some(units)),
            None => Err(ArrowError::ParseError(format!("`{text}` is not a duration"))),
        }
    };
    let values = texts.as_string::<i32>().iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(Int64Array::from(values)))
}

fn duration(text: &str, digits: usize) -> Option<i64> {
    if let Ok(units) = text.parse() {
        return Some(units);
    }
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    if text == "P0D" {
        return Some(0);
    }
    let seconds = text.strip_prefix("PT")?.strip_suffix('S')?;
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let scale = 10_i128.pow(u32::try_from(digits).ok()?);
    let whole: i128 = whole.parse().ok()?;
    let fraction: i128 = format!("{fraction:0<digits$}").parse().unwrap_or_default();
    i64::try_from(sign * (whole * scale + fraction)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_they_are_written() {
        for (text, digits, expected) in [
            ("PT1.5S", 3, Some(1500)),
            ("-PT0.000001S", 6, Some(-1)),
            ("P0D", 9, Some(0)),
            ("PT86400S", 0, Some(86400)),
            ("9223372036854775807", 0, Some(i64::MAX)),
            ("1 day", 0, None),
        ] {
            assert_eq!(duration(text, digits), expected, "{text}");
        }
    }
}
