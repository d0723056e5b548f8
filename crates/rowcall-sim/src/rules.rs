//! What a scenario lets requests ask for.

use crate::engine::Engine;
use crate::mode::Mode;
use crate::scenario::Scenario;

/// What the scenario lets a request ask for.
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

    /// Whether the model takes no parameter of this name.
    pub(crate) fn refuses(self, parameter: &str) -> bool {
        self.refuses.iter().any(|refused| refused == parameter)
    }

    /// What judges schemas in the place of the provider's own rules.
    pub(crate) fn engine(self) -> Option<&'s Engine> {
        self.engine
    }

    /// Whether the server knows this mode.
    pub(crate) fn knows(self, mode: Mode) -> bool {
        self.modes.is_none_or(|modes| modes.contains(&mode))
    }
}
