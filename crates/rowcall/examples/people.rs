//! The README's example: a typed value for each sentence, from a simulated provider.
#![expect(clippy::print_stdout, reason = "an example prints its results")]

use rowcall::Client;
use rowcall_sim::{Options, Scenario, Simulator};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct Person {
    name: String,
    age: u32,
    occupation: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // With a key in OPENAI_API_KEY: let client = Client::new("openai/gpt-6-luna")?;
    let simulator = Simulator::start(Scenario::default(), Options::default())?;
    let client = Client::builder("sim").base_url(simulator.base_url()).build()?;

    let people = client.extractor::<Person>().prompt("Extract person info: {{ text }}")?;
    let texts = ["John Smith is a 30-year-old software engineer", "Ann Lee is a 25-year-old nurse"];
    for Person { name, age, occupation } in people.gather(texts).await? {
        println!("{name}, {age}: {occupation}");
    }
    Ok(())
}
