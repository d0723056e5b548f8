//! What a request will cost and how long its answer will take: known before it is sent, since both depend on seed, text
//! and schema only. For whoever wants to know what the best of all clients could do.

use std::time::Duration;

use crate::chance::Chance;
use crate::chat::answer::Answer;
use crate::chat::request::Request;
use crate::quota::Need;
use crate::scenario::Scenario;

/// What is known of a request beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Foretold {
    /// What the quota charges for it.
    pub need: Need,
    /// How long its answer takes, from admission or from the place it gets.
    pub latency: Duration,
}

impl Scenario {
    /// What the simulator with this seed will make of the first request with this body, faults aside; `None` if it
    /// would be answered with 400.
    pub fn foretell(&self, seed: u64, body: &[u8]) -> Option<Foretold> {
        let request = Request::decode(body).ok()?;
        let chance = Chance::of(seed, &request.row);
        let answer = Answer::whole(&request, chance).ok()?.limited(request.most_tokens);
        let need = need(&request, &answer);
        Some(Foretold { need, latency: latency(self, chance, &request, &answer, 1) })
    }
}

/// What `request` asks of the account if `answer` is its answer.
pub(crate) fn need(request: &Request, answer: &Answer) -> Need {
    Need { requests: 1, input_tokens: request.prompt_tokens, output_tokens: answer.tokens }
}

/// How long the `nth` answer (from 1) about the request's row takes.
pub(crate) fn latency(
    scenario: &Scenario,
    chance: Chance,
    request: &Request,
    answer: &Answer,
    nth: u8,
) -> Duration {
    let drawn = chance.at("latency").nth(nth.into());
    let latency = scenario.latency.as_ref();
    latency.map_or(Duration::ZERO, |latency| latency.draw(drawn, &request.row, answer.tokens))
}
