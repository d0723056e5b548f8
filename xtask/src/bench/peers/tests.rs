//! The options, the cases, and the tables.

use super::case::CASES;
use super::client::{CLIENTS, Client};
use super::programs::Figures;
use super::{Options, table};

#[test]
fn options_are_checked() {
    let usual = Options { cases: vec![], clients: vec![], rounds: 5, scale: 1, list: false };
    assert_eq!(Options::parse(&[]), Ok(usual));
    let expected = Options {
        cases: vec!["latency"],
        clients: vec!["rig", "Instructor"],
        rounds: 1,
        scale: 10,
        list: false,
    };
    let words =
        ["--client", "rig", "--case", "latency", "--client", "Instructor", "--rounds", "1", "--scale", "10"];
    assert_eq!(Options::parse(&words), Ok(expected));
    for (words, expected) in [
        (&["--case"][..], "`--case` needs a value"),
        (&["--case", "slow"], "unknown case `slow`"),
        (&["--client", "curl"], "unknown client `curl`"),
        (&["--scale", "0"], "`0` is not a valid value for `--scale`, expected a number from 1"),
        (&["--fast"], "unknown option `--fast`"),
    ] {
        assert_eq!(Options::parse(words), Err(expected.to_owned()));
    }
}

#[test]
fn slow_clients_get_fewer_rows_or_stay_out() {
    let options = Options::parse(&[]).unwrap();
    let all = &CASES[0];
    assert_eq!(options.cases().len(), 1);
    assert_eq!(options.clients(all), CLIENTS);
    assert_eq!((all.rows(Client::Loop, 1), all.rows(Client::Instructor, 1)), (50_000, 1_000));
    assert_eq!(all.rows(Client::Instructor, 5_000), 1);
    let million = CASES.last().unwrap();
    assert!(!options.clients(million).contains(&Client::Instructor));
    assert!(options.clients(million).contains(&Client::Journal));
}

#[test]
fn a_table_has_medians_and_ratios() {
    let run = |cpu_us_per_row| Figures { cpu_us_per_row, rows_per_second: 1e4, peak_mb: 8.0, first_ms: 3.25 };
    let runs = [vec![run(20.0), run(90.0), run(19.0)], vec![run(30.0); 3], vec![run(6_000.0); 3]];
    let options = Options { rounds: 3, ..Options::parse(&[]).unwrap() };
    let clients = [Client::Loop, Client::Library, Client::Instructor];
    let expected = "\
### no latency, 64 in flight (`--case rows`)

Medians of 3 rounds.

| client | rows | CPU µs/row | × loop | × below Instructor | rows/s | peak MB | first request ms |
|---|---|---|---|---|---|---|---|
| hyper-util loop | 50,000 | 20.0 | 1.00 | 300 | 10,000 | 8.0 | 3.2 |
| rowcall, library | 50,000 | 30.0 | 1.50 | 200 | 10,000 | 8.0 | 3.2 |
| Instructor | 1,000 | 6000.0 | 300.00 | 1 | 10,000 | 8.0 | 3.2 |";
    assert_eq!(table::of(&CASES[0], &clients, &runs, &options), expected);
}
