//! instructors: typed extraction, with the schema derived from the type.

use instructors::prelude::Client;

use crate::asked::{Asked, KEY, MODEL};
use crate::person::{Person, text};

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(asked: &Asked) -> Result<u64, String> {
    let client = Client::openai_compatible(KEY, asked.base.clone()).with_model(MODEL);
    let client = &client;
    let one = |row| async move {
        let extracted = client.extract::<Person>(text(row)).await.map_err(|error| error.to_string())?;
        Ok(extracted.value)
    };
    asked.each(one).await
}
