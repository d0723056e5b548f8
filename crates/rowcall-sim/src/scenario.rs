//! The scenario that a simulator plays: key, latency, order, quota and faults, read from TOML or built in code. Owns
//! the format, its checks and the built-in scenarios; the server plays them.

use serde::Deserialize;

use crate::batches::Batches;
use crate::bill::Bill;
use crate::engine::Engine;
use crate::error::SimError;
use crate::fault::{Fault, FaultKind};
use crate::latency::Latency;
use crate::mode::Mode;
use crate::quota::Limits;
use crate::slots::Slots;
use crate::span::Span;

/// The built-in scenarios, by name; the first is the default.
const SHIPPED: [(&str, &str); 7] = [
    ("calm", include_str!("../scenarios/calm.toml")),
    ("guide", include_str!("../scenarios/guide.toml")),
    ("rate-limited", include_str!("../scenarios/rate-limited.toml")),
    ("token-limited", include_str!("../scenarios/token-limited.toml")),
    ("flaky", include_str!("../scenarios/flaky.toml")),
    ("messy", include_str!("../scenarios/messy.toml")),
    ("slow-tail", include_str!("../scenarios/slow-tail.toml")),
];

/// The scenario that a simulator plays. The crate's front page shows the file format.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it plays and why, in one sentence.
    pub about: String,
    /// The only accepted key. Default: any key, or none.
    #[serde(default)]
    pub key: Option<String>,
    /// How long an answer takes. Default: no time.
    #[serde(default)]
    pub latency: Option<Latency>,
    /// Which rows are answered only after others. Default: none.
    #[serde(default)]
    pub held: Option<Held>,
    /// What the account allows. Default: everything.
    #[serde(default)]
    pub quota: Option<Limits>,
    /// How many answers are produced concurrently while other requests wait. Default: any number.
    #[serde(default)]
    pub slots: Option<Slots>,
    /// Parameters that the model no longer accepts, by name, such as `temperature`: a request with one is answered
    /// with 400. For Gemini this includes those of `generationConfig`.
    #[serde(default)]
    pub refuses: Vec<String>,
    /// The modes that the server supports: others are answered with 400, as by older servers. Default: all of them.
    #[serde(default)]
    pub modes: Option<Vec<Mode>>,
    /// What requests are charged. Default: nothing.
    #[serde(default)]
    pub bill: Option<Bill>,
    /// How a constrained decoder handles a schema. Default: the provider's own rules.
    #[serde(default)]
    pub engine: Option<Engine>,
    /// How batches run. Default: ten minutes, which take a second.
    #[serde(default)]
    pub batches: Batches,
    /// The faults; their order matters only where rates add up to more than 1.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// When the server is down: connections are refused, and open ones are closed.
    #[serde(default)]
    pub away: Vec<Span>,
}

/// Rows that are answered only after others, however fast the client is. A client that asks about no others meanwhile
/// gets no answer at all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// What the row's text must contain.
    pub contains: String,
    /// How many answers must have been sent before, since the start or the last reset.
    pub until_answered: u64,
}

impl Default for Scenario {
    /// The scenario `calm`: every answer after 20 ms, no quota, no faults.
    fn default() -> Self {
        let calm = Self::named("calm");
        calm.unwrap_or_else(|_| Self::instant("answers at once: the shipped default could not be read"))
    }
}

impl Scenario {
    /// A scenario in which every answer is immediate and nothing goes wrong, to build others from.
    pub fn instant(about: &str) -> Self {
        Self {
            about: about.to_owned(),
            key: None,
            latency: None,
            held: None,
            quota: None,
            slots: None,
            refuses: vec![],
            modes: None,
            bill: None,
            engine: None,
            batches: Batches::default(),
            faults: vec![],
            away: vec![],
        }
    }

    /// The built-in scenario called `name`.
    ///
    /// # Errors
    ///
    /// [`SimError::UnknownScenario`] if there is none.
    pub fn named(name: &str) -> Result<Self, SimError> {
        match SHIPPED.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => Self::from_toml(text),
            None => Err(SimError::UnknownScenario { name: name.to_owned(), known: Self::names().collect() }),
        }
    }

    /// The names of the built-in scenarios, the default first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// A scenario from the text of a TOML file.
    ///
    /// # Errors
    ///
    /// [`SimError::Toml`] and [`SimError::OutOfRange`] say where it is wrong.
    pub fn from_toml(text: &str) -> Result<Self, SimError> {
        let scenario: Self =
            toml::from_str(text).map_err(|source| SimError::Toml { source: Box::new(source) })?;
        scenario.check()?;
        Ok(scenario)
    }

    /// The same scenario for callers with this key only.
    pub fn with_key(self, key: &str) -> Self {
        Self { key: Some(key.to_owned()), ..self }
    }

    /// The same scenario with this latency.
    pub fn with_latency(self, latency: Latency) -> Self {
        Self { latency: Some(latency), ..self }
    }

    /// The same scenario, in which rows whose text contains this are answered only after `until_answered` other
    /// answers.
    pub fn with_held(self, contains: &str, until_answered: u64) -> Self {
        Self { held: Some(Held { contains: contains.to_owned(), until_answered }), ..self }
    }

    /// The same scenario on an account with these limits.
    pub fn with_quota(self, limits: Limits) -> Self {
        Self { quota: Some(limits), ..self }
    }

    /// The same scenario on a server that produces this many answers concurrently.
    pub fn with_slots(self, places: u32) -> Self {
        Self { slots: Some(Slots { places }), ..self }
    }

    /// The same scenario for a model that rejects parameters of these names.
    pub fn with_refuses(self, parameters: &[&str]) -> Self {
        Self { refuses: parameters.iter().map(|&name| name.to_owned()).collect(), ..self }
    }

    /// The same scenario on a server that supports only these modes.
    pub fn with_modes(self, modes: &[Mode]) -> Self {
        Self { modes: Some(modes.to_vec()), ..self }
    }

    /// The same scenario with a bill.
    pub fn with_bill(self, bill: Bill) -> Self {
        Self { bill: Some(bill), ..self }
    }

    /// The same scenario on a server that enforces schemas as this engine does.
    pub fn with_engine(self, engine: Engine) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// The same scenario, in which batches run like this.
    pub fn with_batches(self, batches: Batches) -> Self {
        Self { batches, ..self }
    }

    /// The same scenario with one more fault, after the existing ones.
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The same scenario with a time when the server is down.
    pub fn with_away(mut self, away: Span) -> Self {
        self.away.push(away);
        self
    }

    /// Whether the server fails for some time.
    pub(crate) fn has_outages(&self) -> bool {
        !self.away.is_empty() || self.faults.iter().any(|fault| fault.during.is_some())
    }

    /// Whether every number is within its range.
    ///
    /// # Errors
    ///
    /// [`SimError::OutOfRange`] names the first that is not.
    pub fn check(&self) -> Result<(), SimError> {
        let times = self.latency.iter().flat_map(Latency::numbers);
        for (n, time) in times.enumerate() {
            within(time, 0.0, 86_400.0, "a number from 0 to 86400", || format!("latency number {}", n + 1))?;
        }
        if let Some(limits) = &self.quota {
            check_limits(limits)?;
        }
        if let Some(slots) = &self.slots {
            let places = f64::from(slots.places);
            within(places, 1.0, 100_000.0, "a number from 1 to 100000", || "slots.places".to_owned())?;
        }
        if let Some(bill) = &self.bill {
            let factor = "a factor from 0.001 to 1000";
            within(bill.prompt_factor, 0.001, 1_000.0, factor, || "bill.prompt_factor".to_owned())?;
            within(bill.output_factor, 0.001, 1_000.0, factor, || "bill.output_factor".to_owned())?;
            within(bill.cached_share, 0.0, 1.0, "a share from 0 to 1", || "bill.cached_share".to_owned())?;
        }
        for (key, found, low, high, expected) in self.batches.numbers() {
            within(found, low, high, expected, || key.to_owned())?;
        }
        for (n, fault) in self.faults.iter().enumerate() {
            within(fault.rate, 0.0, 1.0, "a share from 0 to 1", || format!("faults[{n}].rate"))?;
            if let FaultKind::Status(status) = &fault.kind {
                let code = f64::from(status.code);
                within(code, 400.0, 599.0, "a status from 400 to 599", || {
                    format!("faults[{n}].kind.status.code")
                })?;
            }
            if let Some(during) = fault.during {
                check_span(during, &format!("faults[{n}].during"))?;
            }
        }
        self.away.iter().enumerate().try_for_each(|(n, away)| check_span(*away, &format!("away[{n}]")))
    }
}

fn check_span(Span { from_seconds, for_seconds }: Span, key: &str) -> Result<(), SimError> {
    within(from_seconds, 0.0, 86_400.0, "seconds from 0 to 86400", || format!("{key}.from_seconds"))?;
    within(for_seconds, 0.001, 86_400.0, "seconds from 0.001 to 86400", || format!("{key}.for_seconds"))
}

fn check_limits(limits: &Limits) -> Result<(), SimError> {
    let long =
        |found, key: String| within(found, 0.001, 86_400.0, "seconds from 0.001 to 86400", || key.clone());
    let late = |found, key: String| within(found, 0.0, 86_400.0, "seconds from 0 to 86400", || key.clone());
    let factor = "a factor from 0.001 to 1000";
    within(limits.headers_factor, 0.001, 1_000.0, factor, || "quota.headers_factor".to_owned())?;
    long(limits.burst_seconds, "quota.burst_seconds".to_owned())?;
    for (n, change) in limits.changes.iter().enumerate() {
        late(change.after_seconds, format!("quota.changes[{n}].after_seconds"))?;
    }
    for (n, closed) in limits.closed.iter().enumerate() {
        late(closed.from_seconds, format!("quota.closed[{n}].from_seconds"))?;
        long(closed.for_seconds, format!("quota.closed[{n}].for_seconds"))?;
    }
    if let Some(growth) = &limits.ramp {
        let (from, rates) = (growth.from_per_second, "requests a second from 0.001 to 1000000");
        within(from, 0.001, 1e6, rates, || "quota.ramp.from_per_second".to_owned())?;
        long(growth.doubling_seconds, "quota.ramp.doubling_seconds".to_owned())?;
    }
    Ok(())
}

fn within(
    found: f64,
    low: f64,
    high: f64,
    expected: &'static str,
    key: impl Fn() -> String,
) -> Result<(), SimError> {
    let fits = (low..=high).contains(&found);
    if fits { Ok(()) } else { Err(SimError::OutOfRange { key: key(), found, expected }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;
    use std::time::Duration;

    #[test]
    fn every_built_in_scenario_is_valid_and_describes_itself() {
        for name in Scenario::names() {
            let scenario = Scenario::named(name).unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert!(scenario.about.len() > 30, "{name} says too little about itself");
        }
        let calm = Scenario { about: Scenario::default().about, ..Scenario::instant("") }
            .with_latency(Latency::fixed(Duration::from_millis(20)));
        assert_eq!(Scenario::default(), calm);
    }

    #[test]
    fn an_unknown_name_is_reported_with_the_known_ones_and_the_nearest() {
        let error = Scenario::named("flakey").unwrap_err();
        assert_eq!(
            error.to_string(),
            "unknown scenario `flakey` (known: calm, guide, rate-limited, token-limited, flaky, messy, slow-tail)"
        );
        assert_eq!(error.hint().as_deref(), Some("did you mean `flaky`?"));
        assert_eq!(Scenario::named("something else").unwrap_err().hint(), None);
    }

    #[test]
    fn a_mistake_in_a_file_is_reported_with_its_line() {
        let cases = [
            ("about = 'x'\nlatancy = 1", ["line 2", "latancy"]),
            ("about = 'x'\n[[faults]]\nrate = 0.1\nkind = 'explode'", ["line 4", "explode"]),
            (
                "about = 'x'\n[[faults]]\nrate = 0.1\nkind = { status = { code = 500, bdy = 'html' } }",
                ["line 4", "bdy"],
            ),
            ("about = 'x'\n[quota]\nrequests = 5", ["line 3", "requests_per_minute"]),
            ("[quota]", ["line 1", "about"]),
        ];
        for (text, expected) in cases {
            let error = Scenario::from_toml(text).unwrap_err();
            let source = error.source().unwrap().to_string();
            for part in expected {
                assert!(source.contains(part), "`{part}` is not in: {source}");
            }
        }
    }

    #[test]
    fn a_number_out_of_range_is_reported_with_its_key() {
        let rate = "about = 'x'\n[[faults]]\nrate = 1.5\nkind = 'empty'";
        let status = "about = 'x'\n[[faults]]\nrate = 1\nkind = { status = { code = 200 } }";
        let latency = "about = 'x'\n[latency.fixed]\nseconds = -1";
        let closed = "about = 'x'\n[[quota.closed]]\nfrom_seconds = 1\nfor_seconds = 0";
        let slots = "about = 'x'\n[slots]\nplaces = 0";
        for (text, message) in [
            (
                closed,
                "`quota.closed[0].for_seconds` of the scenario is `0`, expected seconds from 0.001 to 86400",
            ),
            (slots, "`slots.places` of the scenario is `0`, expected a number from 1 to 100000"),
            (rate, "`faults[0].rate` of the scenario is `1.5`, expected a share from 0 to 1"),
            (
                status,
                "`faults[0].kind.status.code` of the scenario is `200`, expected a status from 400 to 599",
            ),
            (latency, "`latency number 1` of the scenario is `-1`, expected a number from 0 to 86400"),
        ] {
            assert_eq!(Scenario::from_toml(text).unwrap_err().to_string(), message);
        }
    }
}
