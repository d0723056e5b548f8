//! What surrounds an answer in every protocol.

/// What an answer holds besides what the model says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Envelope {
    /// The how manieth answer it is, from which its ids are made.
    pub(crate) number: u64,
    /// Unix time in seconds.
    pub(crate) created: u64,
}
