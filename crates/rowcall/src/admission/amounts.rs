//! What attempts use of each dimension: one attempt, all that were sent, and those in flight.

use super::estimate::{Expected, Tokens};
use crate::standing::Dimension;

/// What an attempt uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Amounts {
    pub(super) requests: f64,
    /// Of the requests' bodies.
    pub(super) bytes: f64,
    pub(super) tokens: Tokens,
}

impl Amounts {
    pub(super) fn of(self, dimension: Dimension) -> f64 {
        let Self { requests, bytes: _, tokens: Tokens { input, output } } = self;
        match dimension {
            Dimension::Requests => requests,
            Dimension::Tokens => input + output,
            Dimension::InputTokens => input,
            Dimension::OutputTokens => output,
        }
    }

    pub(super) fn add(&mut self, other: Self, sign: f64) {
        self.requests += sign * other.requests;
        self.bytes += sign * other.bytes;
        self.tokens.input += sign * other.tokens.input;
        self.tokens.output += sign * other.tokens.output;
    }
}

/// What the attempts in flight were estimated to use together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Flight(pub(super) Amounts);

impl Flight {
    /// By how much their estimates of `dimension` exceed what they will use if they are like the answered ones.
    pub(super) fn beyond(self, dimension: Dimension, expected: Option<Expected>) -> f64 {
        let Self(Amounts { requests, bytes, tokens }) = self;
        let Some(expected) = expected else { return 0.0 };
        let input = tokens.input - expected.input(requests, bytes);
        let output = tokens.output - requests * expected.output;
        match dimension {
            Dimension::Requests => 0.0,
            Dimension::Tokens => input + output,
            Dimension::InputTokens => input,
            Dimension::OutputTokens => output,
        }
    }
}

/// Whether `dimension` includes the output.
pub(super) fn counts_output(dimension: Dimension) -> bool {
    match dimension {
        Dimension::Tokens | Dimension::OutputTokens => true,
        Dimension::Requests | Dimension::InputTokens => false,
    }
}
