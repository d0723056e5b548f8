//! `cargo xtask bench …`: measurements with the server in a separate process. They report figures; they fail only if
//! work was not done or, where an issue sets a limit, if that is missed.

pub(crate) mod admission;
pub(crate) mod cpu;
pub(crate) mod instructions;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod outage;
pub(crate) mod peers;
pub(crate) mod python;
pub(crate) mod refusals;

mod ceiling;
mod client;
mod digits;
mod played;
mod watched;
