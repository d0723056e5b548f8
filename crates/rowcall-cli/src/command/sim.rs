//! `rowcall sim`: a simulated provider until it is stopped. Its base URL is the first line on stdout.

use comfy_table::Table;
use rowcall::Result;
use rowcall_sim::{Counting, Options, Scenario};
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
    let mut options =
        Options::default().with_port(arguments.port).with_seed(arguments.seed).with_counting(counting);
    options.latency = arguments.latency;
    let simulator = model::start(scenario, options)?;
    printing::result(&simulator.base_url()).map_err(|error| printing::unprintable(&error))?;
    simulator.wait().map_err(|error| model::problem(&error, error.hint()))?;
    Ok(Exit::Done)
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
