//! `cargo xtask bench …`: measurements with the server in a process of its own. They show figures and hold them against
//! no clock; what is asserted is that the work was done.

pub(crate) mod cpu;
pub(crate) mod memory;

mod binaries;
mod ceiling;
mod digits;
mod server;
