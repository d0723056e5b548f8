//! Renders prompts from a journal's plan, without a model.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::outcome::Failure;
use crate::prompt::Template;
use crate::turn::Prompt;

/// Renders the prompts of a plan.
#[derive(Debug)]
pub struct Renderer(Template);

impl Renderer {
    /// A renderer for the plan with this identity. It omits examples, which are the same for all rows.
    ///
    /// # Errors
    /// [`Error::Config`] if the template does not compile.
    pub fn new(identity: &Identity) -> Result<Self> {
        let template = Template::new(&identity.prompt, identity.system.as_deref()).map_err(Error::Config)?;
        Ok(Self(template.with_images(&identity.images)))
    }

    /// The first prompt for a row with these fields. Files are in it by their paths.
    ///
    /// # Errors
    /// The row's failure, if its prompt cannot be rendered.
    pub fn prompt(&self, fields: &Map<String, Value>) -> std::result::Result<Prompt, Box<Failure>> {
        self.0.render(fields)
    }
}
