//! Anthropic's wording for what is wrong with a request.

use crate::ask::shape::{Breach, Shape, Step, Wrong};
use crate::invalid::Invalid;

/// The rejection of a body with this breach.
pub(super) fn invalid(breach: &Breach) -> Invalid {
    let what = match &breach.wrong {
        Wrong::Unknown => "Extra inputs are not permitted".to_owned(),
        Wrong::Missing => "Field required".to_owned(),
        Wrong::Type { expected, .. } => format!("Input should be {}", described(*expected)),
        Wrong::Low { least, .. } => format!("Input should be greater than or equal to {least}"),
        Wrong::High { most, .. } => format!("Input should be less than or equal to {most}"),
        Wrong::Word { known, found: _ } => {
            let quoted: Vec<_> = known.iter().map(|word| format!("'{word}'")).collect();
            match quoted.as_slice() {
                [most @ .., last] if !most.is_empty() => {
                    format!("Input should be {} or {last}", most.join(", "))
                }
                one => format!("Input should be {}", one.concat()),
            }
        }
        Wrong::Base64 => "Input should be valid base64".to_owned(),
        Wrong::Url => "Input should be a valid URL".to_owned(),
    };
    at(&path(&breach.at), &what)
}

/// The rejection of the value at this path.
pub(super) fn at(location: &str, what: &str) -> Invalid {
    Invalid::new(format!("{location}: {what}"))
}

/// `messages.0.content.1.type`.
fn path(steps: &[Step]) -> String {
    let steps = steps.iter().map(|step| match step {
        Step::Name(name) => name.to_string(),
        Step::Index(n) => n.to_string(),
    });
    steps.collect::<Vec<_>>().join(".")
}

fn described(shape: Shape) -> &'static str {
    match shape {
        Shape::Any => "a value",
        Shape::Flag => "a valid boolean",
        Shape::Text | Shape::Word(_) | Shape::Base64 | Shape::Url => "a valid string",
        Shape::Integer { .. } => "a valid integer",
        Shape::Number { .. } => "a valid number",
        Shape::Map | Shape::Record(_) | Shape::Tagged(..) => "an object",
        Shape::List(_) => "a valid list",
        // Anthropic describes the last of the choices.
        Shape::Either(shapes) => shapes.last().map_or("a value", |shape| described(*shape)),
    }
}
