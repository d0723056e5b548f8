//! async-openai: OpenAI's API with typed messages, without types of one's own.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessageArgs, CreateChatCompletionRequestArgs, ResponseFormat,
    ResponseFormatJsonSchema,
};

use crate::asked::{Asked, KEY, MODEL, person, schema};
use crate::person::{Person, text};

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(asked: &Asked) -> Result<u64, String> {
    let client = Client::with_config(OpenAIConfig::new().with_api_key(KEY).with_api_base(&asked.base));
    let format = ResponseFormat::JsonSchema {
        json_schema: ResponseFormatJsonSchema {
            description: None,
            name: "Person".to_owned(),
            schema: schema().into(),
            strict: Some(true),
        },
    };
    asked.each(|row| one(&client, format.clone(), row)).await
}

async fn one(client: &Client<OpenAIConfig>, format: ResponseFormat, row: u64) -> Result<Person, String> {
    let said = ChatCompletionRequestUserMessageArgs::default().content(text(row)).build();
    let said = said.map_err(|error| error.to_string())?;
    let request = CreateChatCompletionRequestArgs::default()
        .model(MODEL)
        .messages([said.into()])
        .response_format(format)
        .build()
        .map_err(|error| error.to_string())?;
    let response = client.chat().create(request).await.map_err(|error| error.to_string())?;
    person(response.choices.first().and_then(|choice| choice.message.content.as_deref()))
}
