//! How a schema is requested: in which of the provider's modes and as which wire schema. A schema that one form cannot express is
//! requested in the next.

use std::sync::Arc;

use super::{Mode, Protocol};
use crate::error::Problem;
use crate::schema::{Dialect, Observed, Schema, Wanted, WireSchema};

/// How a schema is requested.
#[derive(Debug, Clone)]
pub struct Form {
    /// The provider's mode.
    pub mode: Mode,
    /// The subset of JSON Schema.
    pub dialect: Dialect,
    /// The schema in that subset.
    pub wire: Arc<WireSchema>,
}

impl Form {
    /// Whether the provider is asked to enforce the wire schema.
    pub fn is_strict(&self) -> bool {
        self.dialect.is_enforced()
    }
}

/// What a server offers for requesting a schema.
#[derive(Debug, Clone, Copy)]
pub struct Means<'m> {
    /// The protocol of the server.
    pub protocol: Protocol,
    /// The modes to try, best first.
    pub modes: &'m [Mode],
    /// The subset of JSON Schema that the server enforces.
    pub dialect: Dialect,
    /// What was observed about the server's enforcement.
    pub observed: &'m Observed,
    /// The maximum number of tokens in an answer, if there is a limit.
    pub output_limit: Option<u32>,
}

/// The forms in which a schema may be requested, best first.
#[derive(Debug, Clone)]
pub struct Forms {
    /// The form to start with.
    pub first: Form,
    /// The forms to fall back to if the server rejects the first, in this order.
    pub further: Vec<Form>,
    /// Why the best mode or dialect is not used, as sentences.
    pub notes: Vec<String>,
}

impl Forms {
    /// The forms of `schema` in these modes, in the protocol's usual dialect.
    ///
    /// # Errors
    /// Those of [`Forms::by`].
    pub fn of(schema: &Schema, protocol: Protocol, modes: &[Mode]) -> Result<Self, Problem> {
        let (dialect, observed) = (protocol.dialect(), &Observed::default());
        Self::by(Means { protocol, modes, dialect, observed, output_limit: None }, schema)
    }

    /// The forms of `schema` on such a server; the first mode that can express it comes first.
    ///
    /// # Errors
    /// If no mode can express the schema, with the reason for the first mode.
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
                    // Problems of a fallback mode that may never be needed are not reported.
                    Err(_) => {}
                }
            }
        }
        // If an engine rejects the schema, retry with only the shape of a value before switching to another mode.
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
            let none = || Problem::new("the model accepts no schema in any mode, expected at least one mode");
            return Err(refusals.into_iter().next().map_or_else(none, |(_, problem)| problem));
        };
        let notes = refusals.iter().map(|(mode, problem)| note(*mode, problem, first.mode)).collect();
        Ok(Self { first, further: forms.collect(), notes })
    }
}

/// Whether a schema's properties must have plain names: Anthropic's tools reject others ("Property keys should match pattern").
fn has_plain_names(protocol: Protocol, mode: Mode) -> bool {
    matches!((protocol, mode), (Protocol::Anthropic, Mode::Tool))
}

/// The note for the user that `mode` has this problem and `chosen` is used.
fn note(mode: Mode, problem: &Problem, chosen: Mode) -> String {
    let why = &problem.message;
    if mode == chosen {
        format!("{} is used without `strict` ({why}), so answers are validated only locally", mode.phrase())
    } else {
        format!("{} cannot express this schema ({why}); {} is used instead", mode.phrase(), chosen.phrase())
    }
}
