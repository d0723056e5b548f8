//! `rowcall schema`: a schema as given and as a provider gets it, with what is lost in between.

use rowcall::provider::{self, Form, Forms, Means, Offer};
use rowcall::schema::{Dialect, Effect, Loss, Observation};
use rowcall::{
    AccountOptions, Error, Mode, Parameters, ProbeOptions, Probed, Problem, Protocol, Result, Schema,
};
use serde_json::{Value, json};

use super::comparison::{self, Side};
use crate::args::SchemaArguments;
use crate::exit::Exit;
use crate::model::Model;
use crate::server_probe::{self, Assumed};
use crate::{key, printing};

/// The provider shown by default: most others accept the same form.
const DEFAULT_PROVIDER: &str = "openai";

/// A heading for each kind of loss.
const HEADINGS: [(Effect, &str); 2] = [
    (Effect::Checked, "losses (not enforced on the wire, but checked by rowcall)"),
    (Effect::Narrowed, "losses (valid values that the model cannot return)"),
];

/// The maximum number of paths listed for one loss.
const PATHS_SHOWN: usize = 6;

pub(crate) fn schema(arguments: &SchemaArguments) -> Result<Exit> {
    let schema = Schema::load(&arguments.schema).map_err(Error::Config)?;
    for note in schema.notes() {
        printing::note(&format!("note: {note}"));
    }
    let mut assumed = Assumed::of(arguments.dialect.as_ref())?;
    if assumed.asks && !arguments.probe {
        let message = "dialect `auto` asks the server, which `rowcall schema` does only with `--probe`";
        return Err(Error::Config(Problem::new(message).hint("add `--probe`")));
    }
    if arguments.providers.len() > 1 {
        return compare(arguments, &schema, &assumed);
    }
    let named = arguments.providers.first().map_or(DEFAULT_PROVIDER, String::as_str);
    let offer = offer(arguments, named, &assumed)?;
    let probed = if arguments.probe { Some(probe(arguments, named, offer.dialect)?) } else { None };
    if let Some(probed) = &probed {
        assumed.observed = probed.observed.clone();
    }
    let forms = forms(arguments, &schema, &offer, &assumed)?;
    let text = if arguments.json {
        let mut shown = as_json(&schema, &offer, &forms);
        if let Some(probed) = &probed {
            shown["probe"] = server_probe::as_json(probed, named, offer.dialect);
        }
        shown.to_string()
    } else {
        let table = probed.map_or(String::new(), |probed| server_probe::as_text(&probed, named) + "\n");
        table + &as_text(&schema, &offer, &forms)
    };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

/// The schema for several providers, side by side.
fn compare(arguments: &SchemaArguments, schema: &Schema, assumed: &Assumed) -> Result<Exit> {
    if arguments.probe {
        let message = "one server is probed at a time, expected a single `--for` with `--probe`";
        return Err(Error::Config(Problem::new(message)));
    }
    let side = |named: &String| {
        let offer = offer(arguments, named, assumed)?;
        Ok(Side { forms: forms(arguments, schema, &offer, assumed)?, offer })
    };
    let sides = arguments.providers.iter().map(side).collect::<Result<Vec<_>>>()?;
    let text =
        if arguments.json { comparison::as_json(&sides).to_string() } else { comparison::as_text(&sides) };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

fn offer(arguments: &SchemaArguments, named: &str, assumed: &Assumed) -> Result<Offer> {
    let (provider, model) = named.split_once('/').unwrap_or((named, ""));
    let provider = provider::named(provider).map_err(Error::Config)?;
    let protocol = arguments.protocol.map(Protocol::from);
    Ok(Offer::at(provider, model, protocol).map_err(Error::Config)?.with_dialect(assumed.dialect))
}

fn forms(arguments: &SchemaArguments, schema: &Schema, offer: &Offer, assumed: &Assumed) -> Result<Forms> {
    let modes = offer.chosen(arguments.mode.map(Mode::from)).map_err(Error::Config)?;
    let means = Means {
        protocol: offer.protocol,
        modes: &modes,
        dialect: offer.dialect,
        observed: &assumed.observed,
        output_limit: None,
    };
    Forms::by(means, schema).map_err(Error::Config)
}

/// Probes the server for every feature, and shows the progress.
fn probe(arguments: &SchemaArguments, model: &str, dialect: Dialect) -> Result<Probed> {
    let key = arguments.key_command.as_deref().map(key::from_command).transpose()?;
    let headers = arguments.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    let model = Model::new(AccountOptions {
        model: model.to_owned(),
        base_url: arguments.base_url.clone(),
        protocol: arguments.protocol.map(Protocol::from),
        dialect: Some(dialect),
        api_key: key.map(Into::into),
        headers: headers.collect(),
        timeout: arguments.timeout,
        ca_cert: arguments.ca_cert.clone(),
        ..AccountOptions::default()
    })?;
    let extra = arguments.parameters.iter().cloned().collect();
    let parameters = Parameters { extra, ..Parameters::default() };
    let options =
        ProbeOptions { mode: arguments.mode.map(Mode::from), parameters, ..ProbeOptions::default() };
    let all = options.features.len();
    let mut done = 0;
    let show = |seen: &Observation| {
        done += 1;
        if !arguments.quiet {
            printing::note(&format!("{done} of {all}: {} is {}", seen.feature, seen.finding.name()));
        }
    };
    crate::block_on(async { model.client()?.probe(&options, show).await })
}

fn as_json(schema: &Schema, offer: &Offer, forms: &Forms) -> Value {
    let Form { mode, wire, .. } = &forms.first;
    let losses = wire.losses.iter();
    let losses = losses.map(|loss| json!({"path": loss.path, "keyword": loss.keyword, "note": loss.note, "effect": loss.effect.name()}));
    json!({
        "given": schema.as_json(),
        "protocol": offer.protocol.name(),
        "mode": mode.name(),
        "dialect": forms.first.dialect.name(),
        "observed": !wire.wanted.observed.0.is_empty(),
        "strict": forms.first.is_strict(),
        "wire": wire.schema,
        "losses": losses.collect::<Vec<_>>(),
        "notes": forms.notes,
        "further_modes": forms.further.iter().map(|form| form.mode.name()).collect::<Vec<_>>(),
    })
}

fn as_text(schema: &Schema, offer: &Offer, forms: &Forms) -> String {
    let Form { mode, wire, .. } = &forms.first;
    let mut text = format!(
        "as given:\n{}\n\non the wire to {} by `{}`, as {}, in dialect `{}`{}:\n{}\n",
        pretty(schema.as_json()),
        offer.provider.name,
        offer.protocol.name(),
        mode.phrase(),
        forms.first.dialect.name(),
        if wire.wanted.observed.0.is_empty() {
            ""
        } else {
            ", limited to what the server was observed to accept"
        },
        pretty(&wire.schema)
    );
    if wire.losses.is_empty() {
        text.push_str("\nno losses");
    } else {
        for (effect, heading) in HEADINGS {
            let of_effect: Vec<&Loss> = wire.losses.iter().filter(|loss| loss.effect == effect).collect();
            if !of_effect.is_empty() {
                text.push_str(&format!("\n{heading}:{}", losses(&of_effect)));
            }
        }
    }
    for note in &forms.notes {
        text.push_str(&format!("\nnote: {note}"));
    }
    let further: Vec<_> = forms.further.iter().map(|form| further(form, *mode)).collect();
    if !further.is_empty() {
        text.push_str(&format!("\nif the server refuses that: {}", further.join(", then ")));
    }
    text
}

/// A form that is tried if the server refuses one in mode `first`.
fn further(form: &Form, first: Mode) -> String {
    if form.mode == first {
        format!("{} in dialect `{}`", form.mode.phrase(), form.dialect.name())
    } else {
        form.mode.phrase().to_owned()
    }
}

/// The losses, one line each; losses with the same note share a line.
fn losses(losses: &[&Loss]) -> String {
    let mut groups: Vec<(&Loss, Vec<String>)> = Vec::new();
    for loss in losses {
        let path = if loss.path.is_empty() { "the schema".to_owned() } else { format!("`{}`", loss.path) };
        match groups.iter_mut().find(|(first, _)| first.note == loss.note && first.keyword == loss.keyword) {
            Some((_, paths)) => paths.push(path),
            None => groups.push((loss, vec![path])),
        }
    }
    let line = |(loss, paths): &(&Loss, Vec<String>)| {
        let more = paths.len().saturating_sub(PATHS_SHOWN);
        let shown: Vec<&str> = paths.iter().take(PATHS_SHOWN).map(String::as_str).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("\n  {}{more}, {}: {}", shown.join(", "), loss.keyword, loss.note)
    };
    groups.iter().map(line).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
