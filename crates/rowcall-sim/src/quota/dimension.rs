//! What is limited, and how much of it a request needs.

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Requests per minute.
    Requests,
    /// Tokens per minute.
    Tokens,
    /// Prompt tokens per minute.
    InputTokens,
    /// Answer tokens per minute.
    OutputTokens,
    /// Requests per day.
    RequestsPerDay,
    /// Concurrent requests.
    InFlight,
}

impl Dimension {
    /// Those limited by a bucket.
    pub(super) const BUCKETS: [Self; 5] =
        [Self::Requests, Self::Tokens, Self::InputTokens, Self::OutputTokens, Self::RequestsPerDay];
}

/// What one request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Requests, usually 1.
    pub requests: u64,
    /// Prompt tokens.
    pub input_tokens: u64,
    /// Answer tokens.
    pub output_tokens: u64,
}

impl Need {
    /// How much it needs of `dimension`.
    pub(super) fn of(self, dimension: Dimension) -> u64 {
        match dimension {
            Dimension::Requests | Dimension::RequestsPerDay => self.requests,
            Dimension::Tokens => self.input_tokens.saturating_add(self.output_tokens),
            Dimension::InputTokens => self.input_tokens,
            Dimension::OutputTokens => self.output_tokens,
            Dimension::InFlight => 1,
        }
    }
}
