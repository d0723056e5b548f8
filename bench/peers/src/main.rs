//! Other Rust libraries for typed answers, each as its documentation has it: a strict schema out, a typed value in. One process runs
//! one of them once, over the rows of `../floor`, and prints how many answers were right; `cargo xtask bench peers` measures it from
//! outside.

mod asked;
mod async_openai;
mod genai;
mod instructors;
#[path = "../../floor/src/person.rs"]
mod person;
mod rig;
mod rstructor;

use std::process::ExitCode;

use crate::asked::Asked;

const USAGE: &str = "usage: rowcall-bench-peers instructors|rstructor|genai|async-openai|rig --base URL --rows N --in-flight N";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = Asked::parse(&words).and_then(|asked| {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(run(&asked))
    });
    match done {
        Ok(ok) => {
            println!("{}", serde_json::json!({ "ok": ok }));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

/// How many answers were right. The first failure ends it: figures of a client that did not do its work are worthless.
async fn run(asked: &Asked) -> Result<u64, String> {
    match asked.peer.as_str() {
        "async-openai" => async_openai::ask(asked).await,
        "genai" => genai::ask(asked).await,
        "instructors" => instructors::ask(asked).await,
        "rig" => rig::ask(asked).await,
        "rstructor" => rstructor::ask(asked).await,
        peer => Err(format!("unknown peer `{peer}`")),
    }
}
