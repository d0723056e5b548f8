//! The options and the table.

use super::{CLIENTS, Format, Options, report, table};
use crate::bench::ceiling::Generator;
use crate::bench::client::Figures;

#[test]
fn options_are_checked() {
    let expected = Options { rows: 100_000, rounds: 5, format: Format::Table };
    assert_eq!(Options::parse(&[]), Ok(expected));
    let expected = Options { rows: 10, rounds: 1, format: Format::Json };
    assert_eq!(Options::parse(&["--rounds", "1", "--json", "--rows", "10"]), Ok(expected));
    for (words, expected) in [
        (&["--rows"][..], "`--rows` needs a number"),
        (&["--rows", "0"], "`0` is not a valid value for `--rows`, expected a number from 1"),
        (&["--fast"], "unknown option `--fast`"),
    ] {
        assert_eq!(Options::parse(words), Err(expected.to_owned()));
    }
}

#[test]
fn the_table_shows_medians_and_voids_rates_near_the_ceiling() {
    let run = |cpu_s: f64, wall_s: f64| Figures { rows: 100_000.0, wall_s, cpu_s, peak_kb: 7168.0 };
    let runs = CLIENTS.map(|client| match client {
        "hyper-util" => vec![run(1.5, 1.0), run(9.0, 9.0), run(1.4, 0.9)],
        _ => vec![run(3.0, 4.0), run(3.0, 4.0), run(3.1, 4.5)],
    });
    let options = Options { rows: 100_000, rounds: 3, format: Format::Table };
    let mut report = report(&options, &runs, 150_000.0, Generator::Wrk);
    report["load_before"] = 0.5.into();
    let expected = "\
100,000 rows, 64 in flight, no latency; medians of 3 rounds in alternation

client        CPU µs/row   ratio    wall s      rows/s     peak MB
hyper-util          15.0    1.00      1.00        void         7.0
rowcall             30.0    2.00      4.00      25,000         7.0

the stub's ceiling: 150,000 requests/s under wrk; rows/s are void where it is under twice them
load average before: 0.50";
    assert_eq!(table(&report), expected);
}
