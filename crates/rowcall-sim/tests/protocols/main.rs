//! Properties of all four protocols, over a real socket: the same values, faults, limits and rejections, each in its
//! provider's own form.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, also in what its cases share")]
#![expect(clippy::disallowed_methods, reason = "the simulator runs on another thread, by the wall clock")]

mod answers;
mod faults;
mod limits;
mod refusals;
mod speech;
#[expect(dead_code, reason = "the other tests need more of the client")]
#[path = "../wire/mod.rs"]
mod wire;

use rowcall_sim::{Fault, FaultKind, Options, Scenario, Simulator};
use serde_json::Value;
use speech::{Delivery, HEADERS, Mode, Protocol};
use wire::{Answer, Client};

const TEXT: &str = "John Smith is a 30-year-old software engineer";

fn start(scenario: Scenario) -> Simulator {
    Simulator::start(scenario, Options::default()).unwrap()
}

fn instant() -> Scenario {
    Scenario::instant("a test")
}

fn with_fault(kind: FaultKind) -> Simulator {
    start(instant().with_fault(Fault::new(kind, 1.0)))
}

fn send(simulator: &Simulator, protocol: Protocol, delivery: Delivery, body: &Value) -> Answer {
    let path = protocol.path(delivery);
    Client::to(simulator).send("POST", path, &HEADERS, &body.to_string()).unwrap()
}

fn ask(simulator: &Simulator, protocol: Protocol, mode: Mode, delivery: Delivery) -> Answer {
    send(simulator, protocol, delivery, &protocol.ask(TEXT, mode, delivery))
}

fn at(answer: &Answer, pointer: &str) -> Value {
    answer.json().pointer(pointer).cloned().unwrap_or_default()
}
