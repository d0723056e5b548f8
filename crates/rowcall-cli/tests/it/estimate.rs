//! The cost of a run predicted without requests and by a sample, compared with the simulator's bill.

use rowcall::Usd;
use rowcall_sim::{Bill, Fault, FaultKind, Options, Scenario, Simulator};

use crate::command::{Ran, TestDir, asking, lines};

const PRICE: &str = "in=0.15,out=0.60";

fn scenario() -> Scenario {
    Scenario::instant("bills").with_bill(Bill::new(150_000, 600_000))
}

/// Sentences, articles of many lengths, and short rows with a few long ones among them.
fn rows(kind: usize, rows: usize) -> String {
    let words = |row: usize| match kind {
        0 => 5 + row % 7,
        1 => 20 + (row * row) % 900,
        _ if row % 40 == 7 => 2_000,
        _ => 12,
    };
    let line = |row: usize| {
        format!("{{\"text\": \"Person{row} is {}{}\"}}\n", row % 90, " and so on".repeat(words(row)))
    };
    (0..rows).map(line).collect()
}

struct Story {
    dir: TestDir,
    simulator: Simulator,
    url: String,
}

impl Story {
    fn new(scenario: Scenario, input: &str) -> Self {
        let dir = TestDir::new();
        dir.write("in.jsonl", input);
        let simulator = Simulator::start(scenario, Options::default().with_seed(3)).expect("it starts");
        let url = simulator.base_url();
        Self { dir, simulator, url }
    }

    fn run(&self, more: &[&str]) -> Ran {
        let arguments = asking("in.jsonl", "age int", &self.url);
        self.dir.rowcall(&[&arguments[..], &["--price", PRICE, "-o", "out.jsonl"], more].concat())
    }

    fn requests(&self) -> u64 {
        self.simulator.stats().requests.all
    }

    fn billed(&self) -> Usd {
        Usd::from_picodollars(self.simulator.stats().bill_picodollars)
    }
}

/// The amounts in the line with this beginning.
fn amounts(text: &str, beginning: &str) -> Vec<Usd> {
    let line = text.lines().find(|line| line.starts_with(beginning));
    let line = line.unwrap_or_else(|| panic!("no `{beginning}` in: {text}"));
    let words = line.split([' ', ',', '(', ')', ';']).filter(|word| word.starts_with('$'));
    words.map(|word| Usd::parse(word).expect("an amount")).collect()
}

#[test]
fn an_estimate_sends_nothing_and_says_rows_tokens_costs_and_what_binds() {
    let mut input = rows(0, 1_000);
    // Two equal rows, and rows that cannot be asked.
    input.push_str(input.lines().next().expect("a row").to_owned().as_str());
    input.push_str("\n{\"text\": \"x\", \"age\": 7}\n{\"other\": 1}\n");
    let story = Story::new(scenario(), &input);
    let ran = story.run(&["--estimate", "--rpm", "100", "--tpm", "2000", "--budget", "0.005"]);
    assert_eq!((ran.code, story.requests()), (Some(0), 0), "{}", ran.stderr);
    let report = &ran.stdout;
    for part in [
        "rows      1,000 to ask, 1 equal to others, 2 that cannot be asked\n",
        "tokens    about ",
        "          in: by a quarter of the bytes; out: by the schema\n",
        "cost      about $0.0",
        "at most $2.",
        "budget    $0.005 is not enough for that\n",
        "bound by tokens per minute",
    ] {
        assert!(report.contains(part), "`{part}` is not in: {report}");
    }
    assert!(!story.dir.has("out.jsonl") && !story.dir.has("out.jsonl.journal"));
    let ran = story.run(&["--estimate", "--rpm", "10", "--no-dedup", "-c", "5"]);
    assert!(
        ran.stdout.contains("1,001 to ask") && ran.stdout.contains("bound by requests per minute"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_sample_predicts_the_bill() {
    for kind in 0..3 {
        let scenario = scenario()
            .with_fault(Fault::new(FaultKind::SchemaViolation, 0.08))
            .with_fault(Fault::new(FaultKind::Fenced, 0.05));
        let story = Story::new(scenario, &rows(kind, 1_000));
        let ran = story.run(&["--sample", "100", "--yes", "--max-reasks", "12"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let [spent, likely, low, high] = amounts(&ran.stderr, "sample ")[..] else {
            panic!("{}", ran.stderr)
        };
        let bill = story.billed();
        // The interval covers 95 of 100 cases, which `strata.rs` checks. A single sample must not be off by more than twice as much.
        let distance = |a: Usd, b: Usd| a.picodollars().abs_diff(b.picodollars());
        let half = distance(likely, low).max(distance(likely, high));
        assert!(
            distance(bill, likely) <= 2 * half,
            "kind {kind}: {bill} is far from {low} to {high}, likely {likely}"
        );
        assert!(spent < likely && low <= likely && likely <= high, "kind {kind}");
        // The sample is part of the run: nothing is asked twice, and the summary has its cost.
        assert_eq!(amounts(&ran.stderr, "cost "), [Usd::parse(&bill.to_string()).expect("an amount")]);
        assert_eq!(lines(&story.dir.read("out.jsonl")).len(), 1_000);
        let asked = story.requests();
        assert!(asked < 1_200, "{asked} requests");
        let again = story.run(&["--sample", "100", "--yes", "--max-reasks", "12"]);
        assert_eq!((again.code, story.requests()), (Some(0), asked), "all is known: {}", again.stderr);
    }
}

#[test]
fn a_sample_needs_a_terminal_a_journal_and_rows() {
    let story = Story::new(scenario(), &rows(0, 50));
    for (more, part) in [
        (&["--sample", "10"][..], "there is no terminal"),
        (&["--sample", "10", "--yes", "--no-journal"], "this run has none"),
        (&["--yes"], "--sample"),
        (&["--sample", "0", "--yes"], "invalid value `0` for `--sample`: expected a whole number above 0"),
        (&["--sample", "10", "--estimate"], "cannot be used with"),
    ] {
        let ran = story.run(more);
        assert_eq!(ran.code, Some(2), "{more:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(part), "{more:?}: {}", ran.stderr);
    }
    assert_eq!(story.requests(), 0);
    let small = story.run(&["--sample", "40", "--yes", "--budget", "0.0002"]);
    assert_eq!(small.code, Some(4), "{}", small.stderr);
}

#[test]
fn a_sample_of_unknown_cost_projects_nothing() {
    let story = Story::new(scenario(), &rows(0, 50));
    let mut arguments = asking("in.jsonl", "age int", &story.url).to_vec();
    arguments[7] = "openai/gpt-9-nobody";
    arguments.extend(["-o", "out.jsonl", "--sample", "10", "--yes"]);
    let ran = story.dir.rowcall_with(&arguments, "", &[("OPENAI_API_KEY", "key")]);
    let line = ran.stderr.lines().find(|line| line.starts_with("sample ")).unwrap_or_default();
    assert!(line.contains("all 50 rows: unknown, since the sample's cost is not known"), "{}", ran.stderr);
    assert!(!line.contains('$') && ran.code == Some(0), "{}", ran.stderr);
}
