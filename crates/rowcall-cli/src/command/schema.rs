//! `rowcall schema`: a schema as given, as it goes on the wire, and what is lost on the way.

use rowcall::schema::Dialect;
use rowcall::{Error, Result, Schema};
use serde_json::{Value, json};

use crate::args::SchemaArguments;
use crate::exit::Exit;
use crate::printing;

pub(crate) fn schema(arguments: &SchemaArguments) -> Result<Exit> {
    let schema = Schema::load(&arguments.schema).map_err(Error::Config)?;
    let wire = schema.wire(Dialect::OpenAiStrict).map_err(Error::Config)?;
    let losses: Vec<_> = wire
        .losses
        .iter()
        .map(|loss| json!({"path": loss.path, "keyword": loss.keyword, "note": loss.note}))
        .collect();
    let text = if arguments.json {
        json!({"given": schema.as_json(), "wire": wire.schema, "losses": losses}).to_string()
    } else {
        let mut text =
            format!("as given:\n{}\n\non the wire:\n{}\n", pretty(schema.as_json()), pretty(&wire.schema));
        if wire.losses.is_empty() {
            text.push_str("\nno losses");
        } else {
            text.push_str("\nlosses:");
            for loss in &wire.losses {
                let path = if loss.path.is_empty() { "/" } else { &loss.path };
                text.push_str(&format!("\n  `{path}` {}: {}", loss.keyword, loss.note));
            }
        }
        text
    };
    printing::result(&text).map_err(|error| printing::unprintable(&error))?;
    Ok(Exit::Done)
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}
