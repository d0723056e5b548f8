//! The parts around an answer in every protocol.

/// What an answer contains besides what the model says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    /// The answer's ordinal number, from which its ids are made.
    pub(crate) number: u64,
    /// Unix time in seconds.
    pub(crate) created: u64,
}
