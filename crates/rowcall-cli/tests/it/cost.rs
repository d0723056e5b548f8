//! The cost of a run: per row, in total, after a resume, and where it is unknown.

use rowcall::Usd;
use rowcall_sim::{Bill, Fault, FaultKind, Moment, Scenario, StatusFault, Tier};
use serde_json::{Value, json};

use crate::command::{Ran, TestDir, ages, asking, lines, simulator};

/// A price, and its picodollars per input and output token.
const PRICE: (&str, u64, u64) = ("in=0.15,out=0.60", 150_000, 600_000);

fn amount(of: &Value) -> Usd {
    Usd::parse(&of.to_string()).unwrap_or_else(|problem| panic!("{}", problem.message))
}

/// The cost in the summary.
fn summed_up(ran: &Ran) -> String {
    let line = ran.stderr.lines().find_map(|line| line.strip_prefix("cost      "));
    line.unwrap_or_else(|| panic!("no cost: {}", ran.stderr)).to_owned()
}

#[test]
fn row_costs_add_up_to_the_cost_of_the_run_and_of_the_journal() {
    // Answers that are not JSON are billed, and so are re-asks.
    let scenario = Scenario::instant("slips").with_fault(Fault::new(FaultKind::InvalidJson, 0.3));
    let simulator = simulator(scenario);
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(40));
    let arguments = asking("in.txt", "age int", &url);
    let more = ["--price", PRICE.0, "--meta", "-o", "out.jsonl"];
    let ran = dir.rowcall(&[&arguments[..], &more].concat());
    let rows = lines(&dir.read("out.jsonl"));
    assert!(rows.iter().any(|row| row["_meta"]["prompts"] != 1), "no row was asked again");
    let mut sum = Usd::ZERO;
    for row in &rows {
        let meta = &row["_meta"];
        let tokens = |name: &str| meta[name].as_u64().expect("tokens");
        let expected = tokens("input_tokens") * PRICE.1 + tokens("output_tokens") * PRICE.2;
        assert_eq!(
            (amount(&meta["cost_usd"]).picodollars(), &meta["cost_unknown"]),
            (expected, &json!(0)),
            "{row}"
        );
        sum += amount(&meta["cost_usd"]);
    }
    assert_eq!(summed_up(&ran), sum.to_string());
    let status = || {
        let status = dir.rowcall(&["status", "out.jsonl.journal", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
        (amount(&status["cost_usd"]), status["cost_unknown"].clone())
    };
    assert_eq!(status(), (sum, json!(0)));

    // A resumed run adds to what was spent before, and known rows keep their costs.
    dir.write("in.txt", ages(41));
    let ran = dir.rowcall(&[&arguments[..], &more].concat());
    let later = lines(&dir.read("out.jsonl"));
    assert_eq!(later[..40].iter().map(|row| amount(&row["_meta"]["cost_usd"])).sum::<Usd>(), sum);
    let sum = sum + amount(&later[40]["_meta"]["cost_usd"]);
    assert_eq!((summed_up(&ran), status()), (sum.to_string(), (sum, json!(0))));
}

/// In each protocol, with invalid, truncated, refused and unreadable answers, 429s, 500s, lost connections, cached tokens and two tiers:
/// the simulator knows what it charged.
#[test]
fn the_sum_of_all_rows_is_the_bill() {
    let prices = r#"{"prices": [{"i": 150001, "o": 600007, "r": 15003, "above": [[55, {"i": 300011, "o": 900001}]]}]}"#;
    let table = ["openai", "anthropic", "google"]
        .map(|provider| format!(r#""{provider}": {{"m": {prices}}}"#))
        .join(",");
    let bill = Bill {
        cached: Some(15_003),
        cached_share: 0.4,
        tiers: vec![Tier { above: 55, input: 300_011, output: 900_001 }],
        ..Bill::new(150_001, 600_007)
    };
    let fault = |kind, rate| Fault::new(kind, rate);
    for (model, protocol) in [
        ("openai/m", "chat"),
        ("openai/m", "responses"),
        ("anthropic/m", "anthropic"),
        ("google/m", "gemini"),
    ] {
        for failures in [false, true] {
            let scenario = Scenario::instant("everything goes wrong")
                .with_fault(fault(FaultKind::InvalidJson, 0.08))
                .with_fault(fault(FaultKind::SchemaViolation, 0.08))
                .with_fault(fault(FaultKind::Length, 0.04))
                .with_fault(fault(FaultKind::Fenced, 0.04))
                .with_fault(fault(FaultKind::Empty, 0.02))
                .with_fault(fault(FaultKind::GarbageBody, 0.02))
                .with_fault(fault(FaultKind::Cut(Moment::Midway), 0.03))
                .with_fault(fault(FaultKind::Status(StatusFault::new(429)), 0.03))
                .with_fault(fault(FaultKind::Status(StatusFault::new(500)), 0.04))
                .with_bill(Bill { failures, ..bill.clone() });
            let simulator = simulator(scenario);
            let url = simulator.base_url();
            let url = if protocol == "gemini" { url.replace("/v1", "/v1beta") } else { url };
            let dir = TestDir::new();
            let texts: Vec<_> =
                (0..150).map(|age| format!("Ann{} is {age}\n", " and so on".repeat(age % 30))).collect();
            dir.write("in.txt", texts.concat());
            dir.write("prices.json", format!(r#"{{"providers": {{{table}}}}}"#));
            let mut arguments = asking("in.txt", "age int", &url).to_vec();
            arguments[7] = model;
            arguments.extend([
                "--protocol",
                protocol,
                "--prices",
                "prices.json",
                "--meta",
                "-o",
                "out.jsonl",
                "--max-output-tokens",
                "400",
            ]);
            let keys = [("OPENAI_API_KEY", "key"), ("ANTHROPIC_API_KEY", "key"), ("GEMINI_API_KEY", "key")];
            let ran = dir.rowcall_with(&arguments, "", &keys);
            let rows = lines(&dir.read("out.jsonl"));
            let meta = |name: &'static str| rows.iter().map(move |row| &row["_meta"][name]);
            let known: Usd = meta("cost_usd").filter(|cost| !cost.is_null()).map(amount).sum();
            let unknown: u64 = meta("cost_unknown").filter_map(Value::as_u64).sum();
            let cached: u64 = meta("cached_tokens").filter_map(Value::as_u64).sum();
            let attempts: u64 = meta("attempts").filter_map(Value::as_u64).sum();
            assert!(
                unknown > 5 && cached > 500 && attempts > 180,
                "{protocol}: {unknown} {cached} {attempts} {}",
                ran.stderr
            );
            let billed = Usd::from_picodollars(simulator.stats().bill_picodollars);
            let status = dir.rowcall(&["status", "out.jsonl.journal", "--json"]);
            let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
            let most = amount(&status["cost_at_most_usd"]);
            assert_eq!(
                (amount(&status["cost_usd"]), &status["cost_unknown"]),
                (known, &json!(unknown)),
                "{protocol}"
            );
            let said = summed_up(&ran);
            assert_eq!(said, format!("at least {known}, at most {most}, cost of {unknown} requests unknown"));
            if failures {
                assert!(known < billed && billed <= most, "{protocol}: {known} {billed} {most}");
            } else {
                assert_eq!(known, billed, "{protocol}");
            }
        }
    }
}

#[test]
fn a_lost_answer_is_not_counted_as_free() {
    let scenario =
        Scenario::instant("breaks off").with_fault(Fault::new(FaultKind::Cut(Moment::Midway), 0.2));
    let simulator = simulator(scenario);
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(30));
    let ran = dir.rowcall(
        &[
            &asking("in.txt", "age int", &url)[..],
            &["--price", PRICE.0, "--meta", "--no-journal", "--max-output-tokens", "400"],
        ]
        .concat(),
    );
    let unknown: u64 = ran.lines().iter().filter_map(|row| row["_meta"]["cost_unknown"].as_u64()).sum();
    assert!(unknown > 0, "{}", ran.stderr);
    let said = summed_up(&ran);
    assert!(
        said.starts_with("at least $0.")
            && said.contains(", at most $0.")
            && said.contains(&format!("cost of {unknown} request")),
        "{said}"
    );
}

#[test]
fn a_simulator_is_free_and_a_model_without_a_price_has_an_unknown_cost() {
    let simulator = simulator(Scenario::instant("answers"));
    let url = simulator.base_url();
    let dir = TestDir::new();
    dir.write("in.txt", ages(3));
    let arguments = asking("in.txt", "age int", &url);
    let free = dir.rowcall(&arguments);
    assert!(!free.stderr.contains("cost"), "{}", free.stderr);

    let asked = |model: &str, more: &[&str]| {
        let mut arguments = arguments;
        arguments[7] = model;
        dir.rowcall_with(&[&arguments[..], &["--meta"], more].concat(), "", &[("OPENAI_API_KEY", "key")])
    };
    let unknown = asked("openai/gpt-9-nobody", &[]);
    assert_eq!(unknown.code, Some(0), "{}", unknown.stderr);
    assert!(unknown.stderr.contains("no price is known for `openai/gpt-9-nobody`"), "{}", unknown.stderr);
    assert_eq!(summed_up(&unknown), "unknown, of 3 requests");
    assert_eq!(unknown.lines()[0]["_meta"]["cost_usd"], Value::Null);

    let known = asked("openai/gpt-6-luna", &[]);
    let meta = &known.lines()[0]["_meta"];
    let tokens = |name: &str| meta[name].as_u64().expect("tokens");
    let expected = tokens("input_tokens") * 100_000 + tokens("output_tokens") * 500_000;
    assert_eq!(amount(&meta["cost_usd"]).picodollars(), expected, "{meta}");

    dir.write(
        "own.json",
        r#"{"providers": {"openai": {"gpt-9-nobody": {"prices": [{"i": 7000, "o": 0}]}}}}"#,
    );
    let own = asked("openai/gpt-9-nobody", &["--prices", "own.json"]);
    let meta = &own.lines()[0]["_meta"];
    let expected = meta["input_tokens"].as_u64().expect("tokens") * 7_000;
    assert_eq!(amount(&meta["cost_usd"]).picodollars(), expected, "{meta}");
    // The simulator reports the tier it served, which counts, rather than the one requested.
    let tier = asked("openai/gpt-9-nobody", &["--prices", "own.json", "--param", "service_tier=flex"]);
    assert_eq!(summed_up(&tier), summed_up(&own));
}

#[test]
fn invalid_prices_are_refused_before_anything_is_sent() {
    let dir = TestDir::new();
    dir.write("in.txt", ages(1));
    dir.write("wrong.json", r#"{"providers": {"openai": {"x": {"prices": [{"in": 1}]}}}}"#);
    dir.write("dollars.json", r#"{"providers": {"openai": {"x": {"prices": [{"i": 2, "o": 8}]}}}}"#);
    for (more, said) in [
        (&["--price", "in=1"][..], "has no `in` or no `out`"),
        (&["--price", "in=1,out=two"], "`two` is not an amount"),
        (&["--prices", "none.json"], "the prices `none.json` cannot be read"),
        (&["--prices", "wrong.json"], "the price of `openai/x` cannot be read"),
        (&["--prices", "wrong.json", "--price", "in=1,out=1"], "cannot be used with"),
        (&["--prices", "dollars.json"], "hint: prices are whole picodollars per token"),
        (&["--price", "in=1,out=2,in=3"], "has `in` twice"),
        (
            &["--price", "in=1,out=2", "--budget", "1e30"],
            "is too large, expected US dollars up to 18 million",
        ),
        (&["--sample", "0"], "expected a whole number above 0"),
    ] {
        let arguments = ["run", "in.txt", "--schema", "age int", "--prompt", "{{ text }}", "-m", "sim"];
        let ran = dir.rowcall(&[&arguments[..], more].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{more:?}");
        assert!(ran.stderr.contains(said), "{more:?}: {}", ran.stderr);
    }
}
