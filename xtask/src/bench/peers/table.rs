//! The tables, in Markdown, so that `bench/README.md` can keep them.

use super::Options;
use super::case::{CASES, Case};
use super::client::{CLIENTS, Client};
use super::programs::Figures;
use crate::bench::digits::{median, thousands};

/// The cases and the clients that there are.
pub(crate) fn list() -> String {
    let cases = CASES.iter().map(|case| format!("  {:16}{}\n", case.name, case.title));
    let clients = CLIENTS.iter().map(|client| format!("  {}\n", client.name()));
    format!("cases\n{}\nclients\n{}", cases.collect::<String>(), clients.collect::<String>())
}

/// The medians of one case. CPU is also shown relative to the bare loop and to Instructor, if these took part.
pub(crate) fn of(case: &Case, clients: &[Client], runs: &[Vec<Figures>], options: &Options) -> String {
    let cpu = |runs: &[Figures]| median(runs.iter().map(|run| run.cpu_us_per_row));
    let beside = |wanted: Client| {
        let found = clients.iter().zip(runs).find(|(client, _)| **client == wanted);
        found.map(|(_, runs)| cpu(runs))
    };
    let (bare, instructor) = (beside(Client::Loop), beside(Client::Instructor));
    let mut lines = vec![
        format!("### {} (`--case {}`)", case.title, case.name),
        String::new(),
        format!("Medians of {} rounds.", options.rounds),
        String::new(),
        "| client | rows | CPU µs/row | × loop | × below Instructor | rows/s | peak MB | first request ms |"
            .to_owned(),
        "|---|---|---|---|---|---|---|---|".to_owned(),
    ];
    for (client, runs) in clients.iter().zip(runs) {
        let of = |figure: fn(&Figures) -> f64| median(runs.iter().map(figure));
        let cpu = cpu(runs);
        let ratio =
            |ratio: Option<f64>, digits| ratio.map_or(String::new(), |ratio| format!("{ratio:.digits$}"));
        lines.push(format!(
            "| {} | {} | {cpu:.1} | {} | {} | {} | {:.1} | {:.1} |",
            client.name(),
            thousands(case.rows(*client, options.scale) as f64),
            ratio(bare.map(|bare| cpu / bare), 2),
            ratio(instructor.map(|instructor| instructor / cpu), 0),
            thousands(of(|run| run.rows_per_second)),
            of(|run| run.peak_mb),
            of(|run| run.first_ms),
        ));
    }
    lines.join("\n")
}
