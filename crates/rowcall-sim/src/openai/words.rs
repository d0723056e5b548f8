//! OpenAI's wording for what is wrong with a request.

use serde_json::Value;

use crate::ask::shape::{Bound, Breach, Shape, Step, Wrong};
use crate::invalid::Invalid;

/// The rejection of a body with this breach.
pub(crate) fn invalid(breach: &Breach) -> Invalid {
    let at = path(&breach.at);
    match &breach.wrong {
        Wrong::Unknown => unknown(&at),
        Wrong::Missing => missing(&at),
        Wrong::Type { expected, found } => wrong_type(&at, &described(*expected), found),
        Wrong::Low { least, found } => {
            let (kind, code) = match least {
                Bound::Integer(_) => ("integer", "integer_below_min_value"),
                Bound::Decimal(_) => ("decimal", "decimal_below_min_value"),
            };
            let message = format!(
                "Invalid '{at}': {kind} below minimum value. Expected a value >= {least}, but got {found} instead."
            );
            Invalid::new(message).at(at).with_code(code)
        }
        Wrong::High { most, found } => {
            let (kind, code) = match most {
                Bound::Integer(_) => ("integer", "integer_above_max_value"),
                Bound::Decimal(_) => ("decimal", "decimal_above_max_value"),
            };
            let message = format!(
                "Invalid '{at}': {kind} above maximum value. Expected a value <= {most}, but got {found} instead."
            );
            Invalid::new(message).at(at).with_code(code)
        }
        Wrong::Word { known, found } => wrong_value(&at, found, known),
        Wrong::Base64 => {
            let message = format!("Invalid '{at}'. Expected a base64-encoded value.");
            Invalid::new(message).at(at).with_code("invalid_base64")
        }
        Wrong::Url => {
            let message =
                format!("Invalid '{at}'. Expected a valid URL, but got a value with an invalid format.");
            Invalid::new(message).at(at).with_code("invalid_value")
        }
    }
}

/// `messages[0].content[1].type`.
fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Index(n) => path.push_str(&format!("[{n}]")),
            Step::Name(name) => {
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(name);
            }
        }
    }
    path
}

fn described(shape: Shape) -> String {
    match shape {
        Shape::Any => "a value".to_owned(),
        Shape::Flag => "a boolean".to_owned(),
        Shape::Text | Shape::Word(_) | Shape::Base64 | Shape::Url => "a string".to_owned(),
        Shape::Integer { .. } => "an integer".to_owned(),
        Shape::Number { .. } => "a decimal".to_owned(),
        Shape::Map | Shape::Record(_) | Shape::Tagged(..) => "an object".to_owned(),
        Shape::List(of) => {
            let of = described(*of);
            format!("an array of {}s", of.rsplit(' ').next().unwrap_or_default())
        }
        Shape::Either(shapes) => {
            let shapes: Vec<_> = shapes.iter().map(|shape| described(*shape)).collect();
            let shapes: Vec<_> =
                shapes.iter().map(|shape| shape.trim_start_matches("an ").trim_start_matches("a ")).collect();
            format!("one of a {}", shapes.join(" or "))
        }
    }
}

pub(crate) fn unknown(param: &str) -> Invalid {
    Invalid::new(format!("Unknown parameter: '{param}'.")).at(param).with_code("unknown_parameter")
}

pub(crate) fn missing(param: &str) -> Invalid {
    let message = format!("Missing required parameter: '{param}'.");
    Invalid::new(message).at(param).with_code("missing_required_parameter")
}

pub(crate) fn unsupported(param: &str, why: &str) -> Invalid {
    let message = format!("Unsupported value: '{param}': {why}.");
    Invalid::new(message).at(param).with_code("unsupported_value")
}

pub(crate) fn wrong_value(param: &str, found: &str, known: &[&str]) -> Invalid {
    let quoted: Vec<_> = known.iter().map(|word| format!("'{word}'")).collect();
    let known = match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [one, other] => format!("{one} and {other}"),
        [most @ .., last] => format!("{}, and {last}", most.join(", ")),
    };
    let message = format!("Invalid value: '{found}'. Supported values are: {known}.");
    Invalid::new(message).at(param).with_code("invalid_value")
}

pub(crate) fn wrong_type(param: &str, expected: &str, found: &Value) -> Invalid {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(text) if text.is_empty() => "an empty string",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let message = format!("Invalid type for '{param}': expected {expected}, but got {found} instead.");
    Invalid::new(message).at(param).with_code("invalid_type")
}
