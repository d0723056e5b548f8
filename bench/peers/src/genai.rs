//! genai: one client for many providers, without types of one's own.

use genai::adapter::AdapterKind;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, JsonSpec};
use genai::resolver::{AuthData, Endpoint, Error, ServiceTargetResolver};
use genai::{Client, ModelIden, ServiceTarget};

use crate::asked::{Asked, KEY, MODEL, person, schema};
use crate::person::{Person, text};

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(asked: &Asked) -> Result<u64, String> {
    let base = format!("{}/", asked.base);
    let resolver = ServiceTargetResolver::from_resolver_fn(move |target: ServiceTarget| {
        Ok::<_, Error>(ServiceTarget {
            endpoint: Endpoint::from_owned(base.clone()),
            auth: AuthData::from_single(KEY),
            model: ModelIden::new(AdapterKind::OpenAI, target.model.model_name),
        })
    });
    let client = Client::builder().with_service_target_resolver(resolver).build();
    let client = client.map_err(|error| error.to_string())?;
    let options = ChatOptions::default().with_response_format(JsonSpec::new("Person", schema()));
    asked.each(|row| one(&client, &options, row)).await
}

async fn one(client: &Client, options: &ChatOptions, row: u64) -> Result<Person, String> {
    let request = ChatRequest::new(vec![ChatMessage::user(text(row))]);
    let response =
        client.exec_chat(MODEL, request, Some(options)).await.map_err(|error| error.to_string())?;
    person(response.first_text())
}
