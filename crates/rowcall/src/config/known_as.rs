//! By what the rows of a journal are known while they are asked in another way.

use super::Plan;
use crate::error::Problem;
use crate::identity::{self, EqualRows, Identity, KeyOf, Keys};
use crate::prompt::Template;
use crate::row::Row;

/// The plan by which the rows of a journal are known while they are asked in another way.
#[derive(Debug)]
pub(crate) struct KnownAs {
    keys: Keys,
    template: Template,
    /// Whether each row is known by its own key, since it is asked in other words, which may tell rows apart that were equal.
    pub(crate) tells_apart: bool,
}

impl KnownAs {
    /// What rows are known by that were asked `identity` and have these keys, and are now asked by `plan`.
    pub(crate) fn new(identity: &Identity, keys: Keys, plan: &Plan) -> std::result::Result<Self, Problem> {
        let template = Template::new(&identity.prompt, identity.system.as_deref())?;
        // They have been judged by the plan that they are of.
        let template =
            template.with_images(&identity.images).with_examples(&identity.examples, |_| Vec::new())?;
        let tells_apart = match plan.equal_rows {
            EqualRows::Share => !identity.has_words_of(&plan.identity),
            EqualRows::AskEach => false,
        };
        Ok(Self { keys, template, tells_apart })
    }

    /// The key of the row, and what it is a hash of.
    pub(crate) fn key(&self, row: &Row) -> (identity::Key, KeyOf) {
        let prompt = row.fields.as_ref().ok().and_then(|fields| self.template.render(fields).ok());
        match prompt {
            Some(prompt) if self.tells_apart => (self.keys.of(&prompt).of_row(row), KeyOf::Row),
            Some(prompt) => (self.keys.of(&prompt), KeyOf::Prompt),
            None => (self.keys.of_unasked(row), KeyOf::Row),
        }
    }
}
