//! What the simulator has seen and done, as `GET /stats` shows it.

use std::collections::BTreeMap;

use serde::Serialize;

/// Counters since the start or the last reset.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Chat completion requests by what they were.
    pub requests: Requests,
    /// Answers by HTTP status. A connection that failed before the answer's head has none.
    pub statuses: BTreeMap<u16, u64>,
    /// Faults played, by name.
    pub faults: BTreeMap<&'static str, u64>,
    /// Chat completion requests under way, from their head to the last byte of their answer.
    pub in_flight: Level,
    /// Open connections.
    pub connections: Level,
    /// Tokens of answered requests, estimated as a quarter of their bytes.
    pub tokens: Tokens,
    /// Requests whose client left, or whose connection was failed on purpose, before the answer was complete.
    pub unfinished: u64,
    /// Requests identical, byte for byte, to one already answered completely and validly; `None` unless counted.
    pub repeats: Option<u64>,
}

/// Chat completion requests by what they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requests {
    /// All of them.
    pub all: u64,
    /// Admitted, with a prompt whose row was not admitted before. All that are no re-asks where rows are not
    /// remembered, that is with neither faults nor counting.
    pub first: u64,
    /// Admitted, without an earlier answer in the conversation, of a row admitted before.
    pub again: u64,
    /// Admitted, with an assistant's or tool's turn in the conversation.
    pub re_ask: u64,
    /// Refused by the quota.
    pub refused: u64,
    /// Answered with 400 or 401.
    pub invalid: u64,
}

/// How many there are and how many there were at most at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Level {
    /// At this moment.
    pub now: u64,
    /// At most at the same time.
    pub max: u64,
    /// In total.
    pub all: u64,
}

/// Tokens by direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tokens {
    /// Of prompts.
    pub prompt: u64,
    /// Of answers.
    pub completion: u64,
}

impl Level {
    pub(crate) fn enter(&mut self) {
        self.now += 1;
        self.all += 1;
        self.max = self.max.max(self.now);
    }

    pub(crate) fn leave(&mut self) {
        self.now = self.now.saturating_sub(1);
    }

    /// Begins anew with what is there now.
    fn restart(&mut self) {
        *self = Self { now: self.now, max: self.now, all: self.now };
    }
}

impl Stats {
    /// Begins anew; what is under way stays counted as under way.
    pub(crate) fn restart(&mut self) {
        let mut fresh = Self { in_flight: self.in_flight, connections: self.connections, ..Self::default() };
        fresh.in_flight.restart();
        fresh.connections.restart();
        fresh.repeats = self.repeats.map(|_| 0);
        *self = fresh;
    }
}
