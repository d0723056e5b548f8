//! Predicts what a request will cost and how long its answer will take, before it is sent: both depend only on seed,
//! text and schema. For computing what an ideal client could achieve.

use std::time::Duration;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::chance::Chance;
use crate::chat;
use crate::quota::Need;
use crate::rules::Rules;
use crate::scenario::Scenario;

/// What is known about a request in advance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forecast {
    /// What the quota charges for it.
    pub need: Need,
    /// How long its answer takes, from admission or from the time it gets a slot.
    pub latency: Duration,
}

impl Scenario {
    /// What the simulator with this seed will do with the first chat completion request with this body, ignoring
    /// faults; `None` if it would be answered with 400.
    pub fn forecast(&self, seed: u64, body: &[u8]) -> Option<Forecast> {
        let ask = chat::decode(body, Rules::of(self)).ok()?;
        let chance = ask.row.chance(seed);
        let answer = Answer::whole(&ask, chance).ok()?.limited(ask.most_tokens);
        Some(Forecast { need: need(&ask, &answer), latency: latency(self, chance, &ask, &answer, 1) })
    }
}

/// The quota that `ask` needs if `answer` is its answer.
pub(crate) fn need(ask: &Ask, answer: &Answer) -> Need {
    Need { requests: 1, input_tokens: ask.prompt_tokens, output_tokens: answer.tokens }
}

/// How long the `nth` answer (from 1) about the ask's row takes.
pub(crate) fn latency(scenario: &Scenario, chance: Chance, ask: &Ask, answer: &Answer, nth: u8) -> Duration {
    let drawn = chance.at("latency").nth(nth.into());
    let latency = scenario.latency.as_ref();
    latency.map_or(Duration::ZERO, |latency| latency.draw(drawn, &ask.row.text, answer.tokens))
}
