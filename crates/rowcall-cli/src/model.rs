//! The account to use, and the simulator that `-m sim` starts for it.

use std::fmt::Display;
use std::path::Path;

use rowcall::{AccountOptions, Client, Error, Hint, Problem, Result};
use rowcall_sim::{Options, Scenario, Simulator};

/// An account, and the simulator behind it if one was started.
#[derive(Debug)]
pub struct Model {
    options: AccountOptions,
    /// Stops when dropped.
    simulator: Option<Simulator>,
}

impl Model {
    /// The account with these options. `sim` and `sim/SCENARIO` without a base URL start a simulator.
    ///
    /// # Errors
    /// If the scenario is unknown or its simulator cannot start.
    pub fn new(mut options: AccountOptions) -> Result<Self> {
        let (provider, name) =
            options.model.split_once('/').map_or((&*options.model, None), |(p, name)| (p, Some(name)));
        if provider != "sim" || options.base_url.is_some() {
            return Ok(Self { options, simulator: None });
        }
        let simulator = start(scenario(name)?, Options::default())?;
        options.base_url = Some(simulator.base_url());
        Ok(Self { options, simulator: Some(simulator) })
    }

    /// A client with its own connections.
    ///
    /// # Errors
    /// As [`Client::with_options`].
    pub fn client(&self) -> Result<Client> {
        Client::with_options(&self.options)
    }

    /// The simulator that was started for it, if one was.
    pub fn simulator(&self) -> Option<&Simulator> {
        self.simulator.as_ref()
    }
}

/// The scenario of this name or in this TOML file, or the default one.
///
/// # Errors
/// If there is no such scenario, or the file does not hold one.
pub(crate) fn scenario(name: Option<&str>) -> Result<Scenario> {
    let Some(name) = name else { return Ok(Scenario::default()) };
    if !Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("toml")) {
        return Scenario::named(name).map_err(|error| problem(&error, error.hint()));
    }
    let text = std::fs::read_to_string(name).map_err(|error| {
        let message = format!("the scenario file `{name}` cannot be read: {error}");
        Error::Config(Problem::new(message).hint("list the built-in scenarios with `rowcall sim --list`"))
    })?;
    Scenario::from_toml(&text).map_err(|error| {
        let cause = std::error::Error::source(&error).map_or(String::new(), |cause| format!(": {cause}"));
        problem(&format!("{error}{cause} (in `{name}`)"), error.hint())
    })
}

/// Starts a simulator.
///
/// # Errors
/// If the port is taken.
pub(crate) fn start(scenario: Scenario, options: Options) -> Result<Simulator> {
    Simulator::start(scenario, options).map_err(|error| problem(&error, error.hint()))
}

pub(crate) fn problem(message: &impl Display, hint: Option<String>) -> Error {
    Error::Config(Problem { hint: hint.map(Hint::from), ..Problem::new(message.to_string()) })
}
