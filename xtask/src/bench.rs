//! `cargo xtask bench …`: measurements with the server in a process of its own. They show figures; what is
//! asserted is that the work was done and, where an issue sets one, a limit.

pub(crate) mod admission;
pub(crate) mod cpu;
pub(crate) mod load;
pub(crate) mod memory;
pub(crate) mod outage;
pub(crate) mod python;
pub(crate) mod refusals;

mod ceiling;
mod client;
mod digits;
mod played;
mod watched;
