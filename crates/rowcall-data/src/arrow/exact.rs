//! The JSON of Arrow values that loses nothing: what the writer of JSON would write as null, as another value or as the text of
//! an error is written in a form that is read back.

use std::fmt::Write as _;

use arrow_array::cast::AsArray;
use arrow_array::temporal_conversions::{
    timestamp_ms_to_datetime, timestamp_ns_to_datetime, timestamp_s_to_datetime, timestamp_us_to_datetime,
};
use arrow_array::timezone::Tz;
use arrow_array::types::{Float16Type, Float32Type, Float64Type};
use arrow_array::{Array, Int64Array};
use arrow_cast::cast;
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_cast::parse::string_to_datetime;
use arrow_json::writer::NullableEncoder;
use arrow_json::{Encoder, EncoderFactory, EncoderOptions};
use arrow_schema::{ArrowError, DataType, FieldRef, TimeUnit};

/// The first and the last second of the years 1 to 9999, which have four digits in ISO 8601.
const FIRST_SECOND: i64 = -62_135_596_800;
const LAST_SECOND: i64 = 253_402_300_799;

const SECONDS_PER_DAY: i64 = 86_400;

/// The first second of 1973. Before, some zones were seconds apart from UTC (Liberia as the last one until January 1972), which an
/// offset in hours and minutes cannot say.
const WHOLE_MINUTES_SINCE: i64 = 94_694_400;

/// Writes floats that are not numbers as the texts `NaN`, `Infinity` and `-Infinity`, as Protocol Buffers do, and times outside
/// of the years 1 to 9999 as the count of units that they are stored as. A time with a zone whose offset had seconds is in UTC.
#[derive(Debug)]
pub(crate) struct Exact;

impl EncoderFactory for Exact {
    fn make_default_encoder<'a>(
        &self,
        _: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        let encoder = match array.data_type() {
            DataType::Float16 | DataType::Float32 | DataType::Float64 => floats(array),
            DataType::Interval(_) => Some(Box::new(Texts(formatter(array)?)) as Box<dyn Encoder + 'a>),
            other => match range(other) {
                Some(range) => ranged(array, range)?,
                None => None,
            },
        };
        Ok(encoder.map(|encoder| NullableEncoder::new(encoder, array.nulls().cloned())))
    }
}

fn formatter(array: &dyn Array) -> Result<ArrayFormatter<'_>, ArrowError> {
    const OPTIONS: FormatOptions<'static> = FormatOptions::new();
    ArrayFormatter::try_new(array, &OPTIONS)
}

/// An encoder of floats, if some are not numbers.
fn floats<'a>(array: &'a dyn Array) -> Option<Box<dyn Encoder + 'a>> {
    let values: Vec<f64> = match array.data_type() {
        DataType::Float16 => {
            array.as_primitive::<Float16Type>().values().iter().map(|value| value.to_f64()).collect()
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            if values.iter().all(|value| value.is_finite()) {
                return None;
            }
            return Some(Box::new(Singles(values.to_vec())));
        }
        _ => array.as_primitive::<Float64Type>().values().to_vec(),
    };
    if values.iter().all(|value| value.is_finite()) { None } else { Some(Box::new(Doubles(values))) }
}

struct Doubles(Vec<f64>);

impl Encoder for Doubles {
    fn encode(&mut self, at: usize, out: &mut Vec<u8>) {
        push_float(self.0.get(at).copied().unwrap_or_default(), out);
    }
}

/// Apart from [`Doubles`]: a float of 32 bits has fewer digits.
struct Singles(Vec<f32>);

impl Encoder for Singles {
    fn encode(&mut self, at: usize, out: &mut Vec<u8>) {
        let value = self.0.get(at).copied().unwrap_or_default();
        if value.is_finite() {
            out.extend_from_slice(serde_json::to_string(&value).unwrap_or_default().as_bytes());
        } else {
            push_float(f64::from(value), out);
        }
    }
}

fn push_float(value: f64, out: &mut Vec<u8>) {
    let text = if value.is_nan() {
        "\"NaN\""
    } else if value == f64::INFINITY {
        "\"Infinity\""
    } else if value == f64::NEG_INFINITY {
        "\"-Infinity\""
    } else {
        return out.extend_from_slice(serde_json::to_string(&value).unwrap_or_default().as_bytes());
    };
    out.extend_from_slice(text.as_bytes());
}

/// Values as the texts that they are displayed as.
struct Texts<'a>(ArrayFormatter<'a>);

impl Encoder for Texts<'_> {
    fn encode(&mut self, at: usize, out: &mut Vec<u8>) {
        out.push(b'"');
        out.extend_from_slice(displayed(&self.0, at).as_bytes());
        out.push(b'"');
    }
}

fn displayed(formatter: &ArrayFormatter<'_>, at: usize) -> String {
    let mut text = String::new();
    // Only a value out of range fails, and these are not displayed.
    let _ = write!(text, "{}", formatter.value(at));
    text
}

/// The values of a temporal type that have a text, as they are stored.
fn range(data_type: &DataType) -> Option<(i64, i64)> {
    let times = |per_second: i64| (FIRST_SECOND * per_second, LAST_SECOND * per_second + per_second - 1);
    Some(match data_type {
        DataType::Date32 => (FIRST_SECOND / SECONDS_PER_DAY, LAST_SECOND / SECONDS_PER_DAY),
        DataType::Date64 => times(1000),
        // All of 64 bits are within the years 1677 to 2262.
        DataType::Timestamp(TimeUnit::Nanosecond, _) => (i64::MIN + SECONDS_PER_DAY, i64::MAX),
        DataType::Timestamp(unit, _) => times(per_second(*unit)),
        DataType::Time32(unit) | DataType::Time64(unit) => (0, SECONDS_PER_DAY * per_second(*unit) - 1),
        // Counted in milliseconds by the library that displays them.
        DataType::Duration(TimeUnit::Second) => (-(i64::MAX / 1000), i64::MAX / 1000),
        DataType::Duration(_) => (-i64::MAX, i64::MAX),
        _ => return None,
    })
}

fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// An encoder of times, if some are out of range.
fn ranged<'a>(
    array: &'a dyn Array,
    (first, last): (i64, i64),
) -> Result<Option<Box<dyn Encoder + 'a>>, ArrowError> {
    let stored = cast(array, &DataType::Int64)?;
    let stored = stored.as_primitive::<arrow_array::types::Int64Type>().clone();
    let zoned = match array.data_type() {
        DataType::Timestamp(unit, Some(_)) => Some(*unit),
        _ => None,
    };
    let as_usual = zoned.map_or(first, |unit| WHOLE_MINUTES_SINCE.saturating_mul(per_second(unit)));
    if stored.iter().flatten().all(|value| (as_usual..=last).contains(&value)) {
        return Ok(None);
    }
    // A duration is carried as a text, whatever is in it.
    let is_text = matches!(array.data_type(), DataType::Duration(_));
    Ok(Some(Box::new(Ranged { formatter: formatter(array)?, stored, first, last, zoned, is_text })))
}

struct Ranged<'a> {
    formatter: ArrayFormatter<'a>,
    stored: Int64Array,
    first: i64,
    last: i64,
    /// The unit of times with a zone.
    zoned: Option<TimeUnit>,
    is_text: bool,
}

impl Ranged<'_> {
    /// The text of a value in range.
    fn text(&self, at: usize, stored: i64) -> String {
        let text = displayed(&self.formatter, at);
        match self.zoned {
            Some(unit) if instant(&text, unit) != Some(stored) => in_utc(stored, unit).unwrap_or(text),
            Some(_) | None => text,
        }
    }
}

/// The instant that a text says, in units since 1970.
fn instant(text: &str, unit: TimeUnit) -> Option<i64> {
    let utc: Tz = "+00:00".parse().ok()?;
    let time = string_to_datetime(&utc, text).ok()?;
    match unit {
        TimeUnit::Second => Some(time.timestamp()),
        TimeUnit::Millisecond => Some(time.timestamp_millis()),
        TimeUnit::Microsecond => Some(time.timestamp_micros()),
        TimeUnit::Nanosecond => time.timestamp_nanos_opt(),
    }
}

/// The text of an instant in UTC.
fn in_utc(stored: i64, unit: TimeUnit) -> Option<String> {
    let time = match unit {
        TimeUnit::Second => timestamp_s_to_datetime(stored),
        TimeUnit::Millisecond => timestamp_ms_to_datetime(stored),
        TimeUnit::Microsecond => timestamp_us_to_datetime(stored),
        TimeUnit::Nanosecond => timestamp_ns_to_datetime(stored),
    };
    // This form is ISO 8601.
    time.map(|time| format!("{time:?}Z"))
}

impl Encoder for Ranged<'_> {
    fn encode(&mut self, at: usize, out: &mut Vec<u8>) {
        let stored = self.stored.value(at);
        let is_in_range = (self.first..=self.last).contains(&stored);
        let text = if is_in_range { self.text(at, stored) } else { stored.to_string() };
        let quote = if is_in_range || self.is_text { "\"" } else { "" };
        out.extend_from_slice(format!("{quote}{text}{quote}").as_bytes());
    }
}
