//! How the rows of a journal are identified while a rerun asks them differently.

use super::Plan;
use crate::error::Problem;
use crate::identity::{self, EqualRows, Identity, KeyOf, Keys};
use crate::prompt::Template;
use crate::row::Row;

/// The keys and the template that identify the rows of a journal while a rerun asks them differently.
#[derive(Debug)]
pub(crate) struct KnownAs {
    keys: Keys,
    template: Template,
    /// Whether each row is identified by its own key, because the new prompt may differ between rows that were equal.
    pub(crate) separates_equal_rows: bool,
}

impl KnownAs {
    /// For rows that were asked as `identity` under `keys`, and are now asked as `plan`.
    pub(crate) fn new(identity: &Identity, keys: Keys, plan: &Plan) -> std::result::Result<Self, Problem> {
        let template = Template::new(&identity.prompt, identity.system.as_deref())?;
        // Their own plan has already validated the examples.
        let template =
            template.with_images(&identity.images).with_examples(&identity.examples, |_| Vec::new())?;
        let separates_equal_rows = match plan.equal_rows {
            EqualRows::Share => !identity.has_words_of(&plan.identity),
            EqualRows::AskEach => false,
        };
        Ok(Self { keys, template, separates_equal_rows })
    }

    /// The key of the row, and what it is a hash of.
    pub(crate) fn key(&self, row: &Row) -> (identity::Key, KeyOf) {
        let prompt = row.fields.as_ref().ok().and_then(|fields| self.template.render(fields).ok());
        match prompt {
            Some(prompt) if self.separates_equal_rows => (self.keys.of(&prompt).of_row(row), KeyOf::Row),
            Some(prompt) => (self.keys.of(&prompt), KeyOf::Prompt),
            None => (self.keys.of_unasked(row), KeyOf::Row),
        }
    }
}
