//! Failed rows, stopped runs, and the limits that the user sets.

use rowcall_sim::{Counting, Fault, FaultKind, Options, Scenario, Simulator};
use serde_json::json;

use crate::command::{TestDir, ages, asking, lines, requests, simulator};

/// Refuses prompts that contain the word.
fn refusing(word: &str) -> Scenario {
    let mut refusal = Fault::new(FaultKind::Refusal, 1.0);
    refusal.contains = Some(word.to_owned());
    Scenario::instant("declines to answer about someone").with_fault(refusal)
}

#[test]
fn failed_rows_are_data_and_exit_3() {
    let simulator = simulator(refusing("Bob"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.csv", "text\nAnn is 30\nBob is 40\nEve is 50\n");
    let ran = dir.rowcall(
        &[&asking("in.csv", "age int", &url)[..], &["-o", "out.jsonl", "--failed", "failed.jsonl"]].concat(),
    );
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let records = lines(&dir.read("out.jsonl"));
    assert_eq!((records.len(), &records[2]["age"]), (3, &json!(50)));
    assert_eq!(records[1]["_error"]["kind"], "refusal");
    assert!(records[1].get("age").is_none());
    let failed = lines(&dir.read("failed.jsonl"));
    assert_eq!((failed.len(), &failed[0]["text"]), (1, &json!("Bob is 40")));
    assert!(ran.stderr.contains("2 done, 1 failed (1 refusal)"), "{}", ran.stderr);
    let reasons = |ran: &crate::command::Ran| {
        let said = ran.stderr.split_once("\nfailed ").map(|(_, said)| said.to_owned());
        said.unwrap_or_else(|| panic!("no reasons: {}", ran.stderr))
    };
    let said = reasons(&ran);
    for words in [
        "1 row: refusal: the model declined",
        "(row 1)",
        "`out.jsonl`",
        "`failed.jsonl`",
        "`rowcall rerun out.jsonl.journal`",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let again = dir.rowcall(
        &[&asking("in.csv", "age int", &url)[..], &["-o", "out.jsonl", "--failed", "failed.jsonl"]].concat(),
    );
    assert_eq!(reasons(&again), said, "known failures are reported with their reasons too");
}

#[test]
fn the_binding_limit_is_named_when_the_user_sets_the_concurrency() {
    let latency = rowcall_sim::Latency::fixed(std::time::Duration::from_millis(20));
    let simulator = simulator(Scenario::instant("takes its time").with_latency(latency));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(40));
    let ran =
        dir.rowcall(&[&asking("in.txt", "age int", &url)[..], &["-o", "out.jsonl", "-c", "4"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("bound by  requests in flight: 36 requests waited"), "{}", ran.stderr);
    assert_eq!(simulator.stats().in_flight.max, 4);
}

#[test]
fn fail_fast_stops_at_the_first_failed_row() {
    let simulator = simulator(refusing("Bob"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    let rows: String =
        (0..500).map(|n| if n == 3 { "Bob\n".to_owned() } else { format!("Ann is {n}\n") }).collect();
    dir.write("in.txt", rows);
    let ran = dir.rowcall(
        &[&asking("in.txt", "age int", &url)[..], &["-o", "out.jsonl", "--fail-fast", "-c", "2"]].concat(),
    );
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("row 3"), "{}", ran.stderr);
    assert!(requests(&simulator) < 400, "{} requests", requests(&simulator));
}

#[test]
fn limit_rows_takes_the_first_ones() {
    let simulator = simulator(Scenario::instant("for counting"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", "one\ntwo\nthree\nfour\n");
    let ran = dir.rowcall(&[&asking("in.txt", "name", &url)[..], &["--limit-rows", "2"]].concat());
    assert_eq!((ran.code, ran.lines().len(), requests(&simulator)), (Some(0), 2, 2), "{}", ran.stderr);
}

#[test]
fn a_bad_key_stops_the_run_at_once_with_its_message() {
    let simulator = simulator(Scenario::instant("for members").with_key("sk-right"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", "row\n".repeat(1000));
    let ran = dir.rowcall_with(
        &[
            "run",
            "in.txt",
            "--schema",
            "name",
            "--prompt",
            "{{ text }}",
            "-m",
            "openai/x",
            "--base-url",
            &url,
            "-c",
            "4",
            "-o",
            "out.jsonl",
        ],
        "",
        &[("OPENAI_API_KEY", "sk-wrong-secret")],
    );
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("401 auth") && ran.stderr.contains("hint"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("secret"));
    assert!(requests(&simulator) <= 8, "{} requests", requests(&simulator));
}

#[test]
fn a_limit_of_requests_is_waited_out() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(20));
    // 600 a minute, 60 of them at once, and the server does not advertise it.
    dir.write(
        "tight.toml",
        "about = 'ten requests a second'\n[quota]\nrequests_per_minute = 600\nburst_seconds = 1.0",
    );
    let ran = dir.rowcall(&[
        "run",
        "in.txt",
        "--schema",
        "age int",
        "--prompt",
        "{{ text }}",
        "-m",
        "sim/tight.toml",
        "-o",
        "out.jsonl",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(lines(&dir.read("out.jsonl")).len(), 20);
}

#[test]
fn every_row_gets_its_value_despite_faults_and_nothing_is_billed_twice() {
    // A twentieth of the size that this scenario's figures are measured at.
    let story = "about = 'everything goes wrong, and the bucket holds less than is asked for'\n\
        [latency.fixed]\nseconds = 0.02\n\
        [quota]\nrequests_per_minute = 30000\nburst_seconds = 0.1\n\
        [[faults]]\nrate = 0.05\nkind = { status = { code = 500 } }\n\
        [[faults]]\nrate = 0.02\nkind = { reset = 'before' }\n\
        [[faults]]\nrate = 0.02\nkind = { stall = 'before' }\n\
        [[faults]]\nrate = 0.03\nkind = 'invalid_json'\n\
        [[faults]]\nrate = 0.03\nkind = 'schema_violation'\n";
    let scenario = Scenario::from_toml(story).expect("a scenario");
    let options = Options::default().with_counting(Counting::On);
    let simulator = Simulator::start(scenario, options).expect("the simulator starts");
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(1000));
    let ran = dir.rowcall(
        &[&asking("in.txt", "age int", &url)[..], &["-o", "out.jsonl", "-c", "64", "--timeout", "2s"]]
            .concat(),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    for (n, record) in lines(&dir.read("out.jsonl")).iter().enumerate() {
        assert_eq!((&record["age"], &record["_error"]), (&json!(n), &json!(null)));
    }
    let stats = simulator.stats();
    assert_eq!(stats.repeats, Some(0), "an answered request was sent again");
    for fault in ["status", "reset", "stall", "invalid_json", "schema_violation"] {
        assert!(stats.faults.get(fault).is_some_and(|played| *played > 0), "{fault} was not played");
    }
}

#[test]
fn a_server_that_asks_for_an_hour_stops_the_run_which_says_when_to_resume() {
    let story = "about = 'come back later'\n[[faults]]\nrate = 1\nkind = { status = { code = 429, retry_after = 3600 } }";
    let simulator = simulator(Scenario::from_toml(story).expect("a scenario"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(100));
    let ran = dir.rowcall(&asking("in.txt", "age int", &url));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(1), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("(it asks to wait 60 min)"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("resume: run the same command after ") && ran.stderr.contains(" GMT"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_negative_number_is_a_value_out_of_range_and_not_an_unknown_option() {
    let dir = TestDir::new();
    dir.write("in.txt", "Ann is 30\n");
    for option in [
        "-c",
        "--rpm",
        "--tpm",
        "--max-output-tokens",
        "--max-reasks",
        "--retries",
        "--timeout",
        "--limit-rows",
        "--show-requests",
    ] {
        let ran =
            dir.rowcall(&["run", "in.txt", "-m", "sim", "-p", "{{ text }}", "-s", "age int", option, "-1"]);
        assert_eq!(ran.code, Some(2), "{option}: {}", ran.stderr);
        assert!(ran.stderr.contains("-1") && ran.stderr.contains("error: "), "{option}: {}", ran.stderr);
        assert!(!ran.stderr.contains("unexpected argument"), "{option}: {}", ran.stderr);
    }
}
