//! Plays a scenario file on any free port until it is stopped. The base URL is the only line on stdout.
//!
//! ```sh
//! cargo run -p rowcall-sim --example serve -- crates/rowcall-sim/tests/sdk/judge.toml
//! ```
#![expect(clippy::print_stdout, reason = "the base URL is what the example is for")]

use std::error::Error;

use rowcall_sim::{Options, Scenario, Simulator};

fn main() -> Result<(), Box<dyn Error>> {
    let scenario = match std::env::args().nth(1) {
        Some(path) => Scenario::from_toml(&std::fs::read_to_string(path)?)?,
        None => Scenario::default(),
    };
    let simulator = Simulator::start(scenario, Options::default())?;
    println!("{}", simulator.base_url());
    Ok(simulator.wait()?)
}
