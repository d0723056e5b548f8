//! Google's wording for what is wrong with a request.

use serde_json::{Value, json};

use crate::ask::shape::{Breach, Shape, Step, Wrong, snake_case};
use crate::invalid::Invalid;

/// The rejection of a body with this breach.
pub(super) fn invalid(breach: &Breach) -> Invalid {
    let location = path(&breach.at);
    match &breach.wrong {
        Wrong::Unknown => match breach.at.split_last() {
            Some((Step::Name(name), within)) => unknown(name, &path(within)),
            _ => Invalid::new("Invalid JSON payload received."),
        },
        Wrong::Missing => at(&location, "is not specified"),
        Wrong::Type { expected, found } => mistyped(&location, described(*expected), found),
        Wrong::Word { known: _, found } => mistyped(&location, "TYPE_ENUM", &json!(found)),
        Wrong::Low { least, found } => at(&location, &format!("must be at least {least}, but is {found}")),
        Wrong::High { most, found } => at(&location, &format!("must be at most {most}, but is {found}")),
        Wrong::Base64 => {
            Invalid::new(format!("Invalid value at '{location}' (TYPE_BYTES), Base64 decoding failed"))
                .at(location)
        }
        Wrong::Url => at(&location, "is not a valid URI"),
    }
}

/// The rejection of a field that the message at this path does not have.
pub(super) fn unknown(name: &str, location: &str) -> Invalid {
    let within = if location.is_empty() { String::new() } else { format!(" at '{location}'") };
    let message =
        format!("Invalid JSON payload received. Unknown name \"{name}\"{within}: Cannot find field.");
    Invalid::new(message).at(location)
}

/// The rejection of the value at this path.
pub(super) fn at(location: &str, what: &str) -> Invalid {
    Invalid::new(format!("* GenerateContentRequest.{location}: {what}")).at(location)
}

fn mistyped(location: &str, kind: &str, found: &Value) -> Invalid {
    Invalid::new(format!("Invalid value at '{location}' ({kind}), {found}")).at(location)
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
