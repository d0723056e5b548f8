//! rig: agents and completions; here one completion with the schema derived from the type.

use rig_core::completion::CompletionRequest;
use rig_core::providers::openai::OpenAIConfig;

use crate::asked::{Asked, KEY, MODEL, person};
use crate::person::{Person, text};

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(asked: &Asked) -> Result<u64, String> {
    let model = OpenAIConfig::new(KEY).with_base_url(asked.base.clone()).client().chat(MODEL);
    let schema = schemars::schema_for!(Person);
    let (model, schema) = (&model, &schema);
    let one = |row| async move {
        let request = CompletionRequest::new(text(row)).output_schema(schema.clone());
        let response = model.call(request).await.map_err(|error| error.to_string())?;
        person(Some(&response.text()))
    };
    asked.each(one).await
}
