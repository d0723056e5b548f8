//! rstructor: typed extraction, with the schema derived from the type by its own macro.

use rstructor::{Instructor, LLMClient, OpenAIClient};

use crate::asked::{Asked, KEY, MODEL};
use crate::person::{Person, text};

/// [`Person`] as this library derives it.
#[derive(Debug, Clone, Instructor, serde::Serialize, serde::Deserialize)]
struct Extracted {
    name: String,
    age: u32,
    occupation: String,
}

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(asked: &Asked) -> Result<u64, String> {
    let client = OpenAIClient::new(KEY).map_err(|error| error.to_string())?;
    let client = client.base_url(asked.base.clone()).model(MODEL);
    let client = &client;
    let one = |row| async move {
        let text = text(row);
        let Extracted { name, age, occupation } =
            client.extract::<Extracted>(&text).await.map_err(|error| error.to_string())?;
        Ok(Person { name, age, occupation })
    };
    asked.each(one).await
}
