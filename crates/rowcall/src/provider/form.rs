//! How a schema is asked for: by which of a provider's means, and as which wire schema. What cannot be expressed by one means is
//! asked for by the next.

use std::sync::Arc;

use super::{Mode, Protocol};
use crate::error::Problem;
use crate::schema::{Dialect, Observed, Schema, Wanted, WireSchema};

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
        self.dialect.is_enforced()
    }
}

/// By which means a schema may be asked for.
#[derive(Debug, Clone, Copy)]
pub struct Means<'m> {
    /// How the server is spoken to.
    pub protocol: Protocol,
    /// The modes to try, the best first.
    pub modes: &'m [Mode],
    /// The subset of JSON Schema that the server holds a model to.
    pub dialect: Dialect,
    /// What was observed of it.
    pub observed: &'m Observed,
    /// The most tokens of an answer, if there is a limit.
    pub output_limit: Option<u32>,
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
    /// The forms of `schema` in these modes, in the protocol's usual dialect.
    ///
    /// # Errors
    /// As `by`.
    pub fn of(schema: &Schema, protocol: Protocol, modes: &[Mode]) -> Result<Self, Problem> {
        let (dialect, observed) = (protocol.dialect(), &Observed::default());
        Self::by(Means { protocol, modes, dialect, observed, output_limit: None }, schema)
    }

    /// The forms of `schema` by these means, of which the first that can express it is the best.
    ///
    /// # Errors
    /// If no mode can express the schema, with the reason of the first.
    pub fn by(means: Means<'_>, schema: &Schema) -> Result<Self, Problem> {
        let mut forms: Vec<Form> = Vec::new();
        let mut refusals = Vec::new();
        let wire = |dialect| {
            let is_observed = dialect == means.dialect;
            let observed = if is_observed { means.observed.clone() } else { Observed::default() };
            schema.wire_as(Wanted { output_limit: means.output_limit, observed, ..Wanted::from(dialect) })
        };
        for &mode in means.modes {
            for dialect in means.protocol.dialects(mode, means.dialect) {
                match wire(dialect) {
                    Ok(wire) => {
                        let plain = has_plain_names(means.protocol, mode);
                        let wire = Arc::new(if plain { wire.with_plain_names() } else { wire });
                        forms.push(Form { mode, dialect, wire });
                        break;
                    }
                    Err(problem) if forms.is_empty() => refusals.push((mode, problem)),
                    // What is wrong with a mode that may never be needed is of no interest.
                    Err(_) => {}
                }
            }
        }
        // What an engine refuses is asked of it once more with nothing but the form of a value, before another mode is taken.
        if let [first, ..] = forms.as_slice()
            && first.dialect.is_engines()
            && let Ok(plain) = wire(Dialect::Plain)
            && plain.schema != first.wire.schema
        {
            let plain = Form { mode: first.mode, dialect: Dialect::Plain, wire: Arc::new(plain) };
            forms.insert(1, plain);
        }
        let mut forms = forms.into_iter();
        let Some(first) = forms.next() else {
            let none = || Problem::new("the model takes no schema in any way, expected one mode at least");
            return Err(refusals.into_iter().next().map_or_else(none, |(_, problem)| problem));
        };
        let notes = refusals.iter().map(|(mode, problem)| note(*mode, problem, first.mode)).collect();
        Ok(Self { first, further: forms.collect(), notes })
    }
}

/// Whether the properties of a schema must have plain names: Anthropic's tools refuse others ("Property keys should match pattern").
fn has_plain_names(protocol: Protocol, mode: Mode) -> bool {
    matches!((protocol, mode), (Protocol::Anthropic, Mode::Tool))
}

/// What follows from a problem with asking by `mode`, where it is asked by `chosen`.
fn note(mode: Mode, problem: &Problem, chosen: Mode) -> String {
    let why = &problem.message;
    if mode == chosen {
        format!("{} goes without `strict` ({why}), so answers are only checked here", mode.phrase())
    } else {
        format!("{} cannot have this schema ({why}); {} is used instead", mode.phrase(), chosen.phrase())
    }
}
