//! How a schema is asked for: by which of a provider's means, and as which wire schema. What cannot be expressed by one means is
//! asked for by the next.

use std::sync::Arc;

use super::{Mode, Protocol};
use crate::error::Problem;
use crate::schema::{Dialect, Schema, WireSchema};

/// How a schema is asked for.
#[derive(Debug, Clone)]
pub struct Form {
    /// By which of the provider's means.
    pub mode: Mode,
    /// In which subset of JSON Schema.
    pub dialect: Dialect,
    /// The schema in that subset.
    pub wire: Arc<WireSchema>,
}

impl Form {
    /// Whether the provider is to hold the model to the schema as it stands on the wire.
    pub fn is_strict(&self) -> bool {
        match self.dialect {
            Dialect::OpenAiStrict | Dialect::Anthropic | Dialect::Gemini => true,
            Dialect::Object | Dialect::Text => false,
        }
    }
}

/// The forms in which a schema may be asked for, the best first.
#[derive(Debug, Clone)]
pub struct Forms {
    /// The one to begin with.
    pub first: Form,
    /// What there is if the server does not take that, in this order.
    pub further: Vec<Form>,
    /// What is not asked for by the best means, and why, as sentences.
    pub notes: Vec<String>,
}

impl Forms {
    /// The forms of `schema` in these modes, of which the first that can express it is the best.
    ///
    /// # Errors
    /// If no mode can express the schema, with the reason of the first.
    pub fn of(schema: &Schema, protocol: Protocol, modes: &[Mode]) -> Result<Self, Problem> {
        let mut forms = Vec::new();
        let mut first_problem = None;
        let mut notes = Vec::new();
        for &mode in modes {
            for (nth, &dialect) in protocol.dialects(mode).iter().enumerate() {
                match schema.wire(dialect) {
                    Ok(wire) => {
                        if nth > 0 && forms.is_empty() {
                            notes.push(format!(
                                "{} goes without `strict`, so answers are only checked here",
                                mode.phrase()
                            ));
                        }
                        forms.push(Form { mode, dialect, wire: Arc::new(wire) });
                        break;
                    }
                    Err(problem) => {
                        if forms.is_empty() {
                            notes.push(format!(
                                "{} cannot have this schema ({})",
                                mode.phrase(),
                                problem.message
                            ));
                        }
                        first_problem.get_or_insert(problem);
                    }
                }
            }
        }
        let mut forms = forms.into_iter();
        match (forms.next(), first_problem) {
            (Some(first), _) => {
                if let Some(note) = notes.last_mut().filter(|_| first_problem_mode(modes, &first)) {
                    note.push_str(&format!("; {} is used instead", first.mode.phrase()));
                }
                Ok(Self { first, further: forms.collect(), notes })
            }
            (None, Some(problem)) => Err(problem),
            (None, None) => Err(Problem::new(
                "the model takes a schema in none of the ways there are, expected one mode at least",
            )),
        }
    }
}

/// Whether the first mode was passed over.
fn first_problem_mode(modes: &[Mode], first: &Form) -> bool {
    modes.first() != Some(&first.mode)
}
