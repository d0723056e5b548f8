//! What is wrong with a request, in Google's words.

use serde_json::{Value, json};

use crate::ask::shape::{Breach, Shape, Step, Wrong, snake_case};
use crate::invalid::Invalid;

/// The refusal of a body with this breach.
pub(super) fn invalid(breach: &Breach) -> Invalid {
    let place = path(&breach.at);
    match &breach.wrong {
        Wrong::Unknown => match breach.at.split_last() {
            Some((Step::Name(name), within)) => unknown(name, &path(within)),
            _ => Invalid::new("Invalid JSON payload received."),
        },
        Wrong::Missing => at(&place, "is not specified"),
        Wrong::Type { expected, found } => mistyped(&place, described(*expected), found),
        Wrong::Word { known: _, found } => mistyped(&place, "TYPE_ENUM", &json!(found)),
        Wrong::Low { least, found } => at(&place, &format!("must be at least {least}, but is {found}")),
        Wrong::High { most, found } => at(&place, &format!("must be at most {most}, but is {found}")),
        Wrong::Base64 => {
            Invalid::new(format!("Invalid value at '{place}' (TYPE_BYTES), Base64 decoding failed")).at(place)
        }
        Wrong::Url => at(&place, "is no valid URI"),
    }
}

/// The refusal of a field that the message at this place does not have.
pub(super) fn unknown(name: &str, place: &str) -> Invalid {
    let within = if place.is_empty() { String::new() } else { format!(" at '{place}'") };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{within}: Cannot find field.");
    Invalid::new(message).at(place)
}

/// The refusal of what stands at this place.
pub(super) fn at(place: &str, what: &str) -> Invalid {
    Invalid::new(format!("* GenerateContentRequest.{place}: {what}")).at(place)
}

fn mistyped(place: &str, kind: &str, found: &Value) -> Invalid {
    Invalid::new(format!("Invalid value at '{place}' ({kind}), {found}")).at(place)
}

/// `generation_config.response_schema`, `contents[0].parts[1]`.
fn path(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Index(n) => path.push_str(&format!("[{n}]")),
            Step::Name(name) => {
                path.push_str(if path.is_empty() { "" } else { "." });
                path.push_str(&snake_case(name));
            }
        }
    }
    path
}

fn described(shape: Shape) -> &'static str {
    match shape {
        Shape::Any | Shape::Either(_) => "google.protobuf.Value",
        Shape::Flag => "TYPE_BOOL",
        Shape::Text | Shape::Url => "TYPE_STRING",
        Shape::Word(_) => "TYPE_ENUM",
        Shape::Base64 => "TYPE_BYTES",
        Shape::Integer { .. } => "TYPE_INT32",
        Shape::Number { .. } => "TYPE_FLOAT",
        Shape::Map => "google.protobuf.Struct",
        Shape::Record(_) | Shape::Tagged(..) => "TYPE_MESSAGE",
        Shape::List(_) => "repeated field",
    }
}
