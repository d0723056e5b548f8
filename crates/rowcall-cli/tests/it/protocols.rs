//! Whole runs in every protocol and mode: with all faults at once they give the same output as without faults.

use rowcall_sim::Scenario;

use crate::command::{TestDir, ages, asking, requests, simulator};

const ROWS: usize = 200;

/// The modes of each protocol.
const SPOKEN: [(&str, &[&str]); 4] = [
    ("chat", &["schema", "tool", "json", "prompt"]),
    ("responses", &["schema", "tool", "json", "prompt"]),
    ("anthropic", &["schema", "tool", "prompt"]),
    ("gemini", &["schema", "tool", "json", "prompt"]),
];

/// Errors, broken connections, stalls, and answers that are not JSON, are cut off, or break the schema.
const BAD_DAY: &str = r#"
about = "everything that can go wrong does"
[latency.fixed]
seconds = 0.001
[quota]
requests_per_minute = 60000
burst_seconds = 0.1
[[faults]]
rate = 0.05
kind = { status = { code = 500 } }
[[faults]]
rate = 0.02
kind = { status = { code = 529, retry_after_ms = 5 } }
[[faults]]
rate = 0.02
kind = { reset = "before" }
[[faults]]
rate = 0.02
kind = { reset = "midway" }
[[faults]]
rate = 0.01
kind = { stall = "before" }
[[faults]]
rate = 0.03
kind = "invalid_json"
[[faults]]
rate = 0.01
kind = "length"
[[faults]]
rate = 0.01
kind = "empty"
[[faults]]
rate = 0.01
kind = "fenced"
[[faults]]
rate = 0.01
kind = "prose"
[[faults]]
rate = 0.01
kind = "wrong_tool"
[[faults]]
rate = 0.01
kind = "two_tools"
[[faults]]
rate = 0.01
kind = "error_in_200"
[[faults]]
rate = 0.01
kind = "garbage_body"
[[faults]]
rate = 0.03
kind = "schema_violation"
"#;

#[test]
fn a_bad_day_gives_the_same_output_in_every_protocol_and_mode() {
    let calm = simulator(Scenario::instant("calm"));
    let dir = TestDir::new();
    dir.write("in.txt", ages(ROWS));
    let ran =
        dir.rowcall(&[&asking("in.txt", "age int", &calm.base_url())[..], &["-o", "calm.jsonl"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let expected = dir.read("calm.jsonl");
    assert_eq!(expected.lines().count(), ROWS);
    for (protocol, modes) in SPOKEN {
        for mode in modes {
            let bad = simulator(Scenario::from_toml(BAD_DAY).expect("a scenario"));
            let url = bad.base_url();
            let how = ["--protocol", protocol, "--mode", mode];
            let patient =
                ["--timeout", "1s", "--max-reasks", "6", "--retries", "8", "--no-journal", "--force"];
            let run = [&asking("in.txt", "age int", &url)[..], &["-o", "bad.jsonl"], &how, &patient].concat();
            let ran = dir.rowcall(&run);
            assert_eq!(ran.code, Some(0), "{protocol} {mode}: {}", ran.stderr);
            assert!(dir.read("bad.jsonl") == expected, "{protocol} {mode} gave other values");
            assert!(requests(&bad) > ROWS as u64, "{protocol} {mode}: nothing went wrong");
        }
    }
}
