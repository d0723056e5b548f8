//! All at once, values in input order: the first failure ends the call.
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use rowcall::Client;
use rowcall_sim::{Options, Scenario, Simulator};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    age: u32,
    occupation: String,
}

const TEXTS: [&str; 7] = [
    "John Smith is a 30-year-old software engineer",
    "Sarah Johnson is a 25-year-old data scientist",
    "Mike Davis is a 35-year-old product manager",
    "Lisa Wilson is a 28-year-old UX designer",
    "Tom Brown is a 32-year-old DevOps engineer",
    "Emma Garcia is a 27-year-old frontend developer",
    "David Lee is a 33-year-old backend developer",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let simulator = Simulator::start(Scenario::named("guide")?, Options::default())?;
    let client = Client::builder("sim").base_url(simulator.base_url()).build()?;
    let people = client.extractor::<Person>().prompt("Extract person info: {{ text }}")?;

    let started = tokio::time::Instant::now();
    for Person { name, age, occupation } in people.gather(TEXTS).await? {
        println!("{name}, {age}: {occupation}");
    }
    println!("{:.2} s", started.elapsed().as_secs_f64());
    Ok(())
}
