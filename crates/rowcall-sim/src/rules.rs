//! What a scenario allows requests to ask for.

use crate::engine::Engine;
use crate::mode::Mode;
use crate::scenario::Scenario;

/// What the scenario allows a request to ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules<'s> {
    refuses: &'s [String],
    modes: Option<&'s [Mode]>,
    engine: Option<&'s Engine>,
}

impl<'s> Rules<'s> {
    pub(crate) fn of(scenario: &'s Scenario) -> Self {
        Self {
            refuses: &scenario.refuses,
            modes: scenario.modes.as_deref(),
            engine: scenario.engine.as_ref(),
        }
    }

    /// Whether the model rejects a parameter of this name.
    pub(crate) fn refuses(self, parameter: &str) -> bool {
        self.refuses.iter().any(|refused| refused == parameter)
    }

    /// The engine that handles schemas instead of the provider's own rules.
    pub(crate) fn engine(self) -> Option<&'s Engine> {
        self.engine
    }

    /// Whether the server supports this mode.
    pub(crate) fn knows(self, mode: Mode) -> bool {
        self.modes.is_none_or(|modes| modes.contains(&mode))
    }
}
