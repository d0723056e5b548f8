//! `rowcall schema`: a schema as given, as it goes on the wire to a provider, and what is lost on the way.

use rowcall::provider::{self, Form, Forms, Means, Offer};
use rowcall::schema::{Effect, Loss};
use rowcall::{Error, Mode, Protocol, Result, Schema};
use serde_json::{Value, json};

use crate::args::SchemaArguments;
use crate::exit::Exit;
use crate::printing;

/// Whose form is shown if nobody is named: the one that most others take as well.
const USUAL: &str = "openai";

/// What losses of each kind are.
const HEADINGS: [(Effect, &str); 2] = [
    (Effect::Checked, "losses (a model may answer otherwise, which is checked here)"),
    (Effect::Narrowed, "losses (valid values that cannot be answered)"),
];

/// The places of one loss that are named.
const PLACES: usize = 6;

pub(crate) fn schema(arguments: &SchemaArguments) -> Result<Exit> {
    let schema = Schema::load(&arguments.schema).map_err(Error::Config)?;
    for note in schema.notes() {
        printing::note(&format!("note: {note}"));
    }
    let protocol = arguments.protocol.map(Protocol::from);
    let named = arguments.provider.as_deref().unwrap_or(USUAL);
    let (provider, model) = named.split_once('/').unwrap_or((named, ""));
    let provider = provider::named(provider).map_err(Error::Config)?;
    let offer = Offer::at(provider, model, protocol).map_err(Error::Config)?.with_dialect(arguments.dialect);
    let modes = offer.chosen(arguments.mode.map(Mode::from)).map_err(Error::Config)?;
    let means = Means { protocol: offer.protocol, modes: &modes, dialect: offer.dialect, output_limit: None };
    let forms = Forms::by(means, &schema).map_err(Error::Config)?;
    let text = if arguments.json {
        as_json(&schema, &offer, &forms).to_string()
    } else {
        as_text(&schema, &offer, &forms)
    };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
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
        "as given:\n{}\n\non the wire to {} by `{}`, as {}, in dialect `{}`:\n{}\n",
        pretty(schema.as_json()),
        offer.provider.name,
        offer.protocol.name(),
        mode.phrase(),
        forms.first.dialect.name(),
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

/// A form that is left if the server refuses one in mode `first`.
fn further(form: &Form, first: Mode) -> String {
    if form.mode == first {
        format!("{} in dialect `{}`", form.mode.phrase(), form.dialect.name())
    } else {
        form.mode.phrase().to_owned()
    }
}

/// The losses, a line for each; of those with the same note, one line for all.
fn losses(losses: &[&Loss]) -> String {
    let mut groups: Vec<(&Loss, Vec<String>)> = Vec::new();
    for loss in losses {
        let place = if loss.path.is_empty() { "the schema".to_owned() } else { format!("`{}`", loss.path) };
        match groups.iter_mut().find(|(first, _)| first.note == loss.note && first.keyword == loss.keyword) {
            Some((_, places)) => places.push(place),
            None => groups.push((loss, vec![place])),
        }
    }
    let line = |(loss, places): &(&Loss, Vec<String>)| {
        let more = places.len().saturating_sub(PLACES);
        let shown: Vec<&str> = places.iter().take(PLACES).map(String::as_str).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("\n  {}{more}, {}: {}", shown.join(", "), loss.keyword, loss.note)
    };
    groups.iter().map(line).collect()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
