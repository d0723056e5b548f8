//! `rowcall sim`: runs a simulated provider until it is stopped. The first line on stdout is its base URL; with TLS, the certificate to
//! trust follows.

use std::path::Path;

use comfy_table::Table;
use rowcall::{Error, Problem, Result};
use rowcall_sim::{Counting, Http, Options, Scenario, Tls};
use serde_json::json;

use crate::args::SimArguments;
use crate::exit::Exit;
use crate::{model, printing};

pub(crate) fn sim(arguments: &SimArguments) -> Result<Exit> {
    if arguments.list {
        return list(arguments.json);
    }
    let scenario = model::scenario(arguments.scenario.as_deref())?;
    let counting = if arguments.count { Counting::On } else { Counting::Off };
    let tls = if arguments.tls { Tls::On } else { Tls::Off };
    let options = Options::default().with_port(arguments.port).with_seed(arguments.seed);
    let options = options.with_counting(counting).with_tls(tls);
    let mut options = options.with_http(arguments.http.map_or(Http::Both, Http::from));
    options.latency = arguments.latency;
    let simulator = model::start(scenario, options)?;
    let mut lines = simulator.base_url();
    if let Some(pem) = simulator.ca_pem() {
        // Written before the base URL is printed, so that its reader finds the file.
        arguments.ca_file.as_deref().map_or(Ok(()), |path| write(path, pem))?;
        lines = format!("{lines}\n{}", pem.trim_end());
    }
    printing::result(&lines).map_err(|error| printing::unprintable(&error))?;
    simulator.wait().map_err(|error| model::problem(&error, error.hint()))?;
    Ok(Exit::Done)
}

fn write(path: &Path, pem: &str) -> Result<()> {
    std::fs::write(path, pem).map_err(|error| {
        Error::Sink(Problem::new(format!("cannot write the certificate to `{}`: {error}", path.display())))
    })
}

fn list(as_json: bool) -> Result<Exit> {
    let scenarios = Scenario::names().map(|name| Ok((name, model::scenario(Some(name))?.about)));
    let scenarios = scenarios.collect::<Result<Vec<_>>>()?;
    let text = if as_json {
        let list: Vec<_> =
            scenarios.iter().map(|(name, about)| json!({"scenario": name, "about": about})).collect();
        json!(list).to_string()
    } else {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING).set_header(["scenario", "about"]);
        table.add_rows(scenarios.iter().map(|(name, about)| [*name, about.as_str()]));
        table.trim_fmt()
    };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}
