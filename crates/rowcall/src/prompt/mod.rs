//! The template: compiled once and rendered for each row into a prompt with the system message, the examples, and the row with its
//! images. The protocols encode prompts, and the top-level `attachment.rs` reads files.

mod attachment;
mod constant;
mod examples;
mod field;
mod filters;
mod missing;
mod null;
mod plain;
mod spelling;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::{Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value, json};

use crate::error::Problem;
use crate::outcome::{Failure, FailureKind};
use crate::row::AnsweredRow;
use crate::turn::{Example, Prompt, Turn};
use crate::violation::Violation;
use plain::Plain;

const USER: &str = "prompt";
const SYSTEM: &str = "system prompt";

/// The variable that holds all fields of a row, unless the row has a field of this name.
const ROW: &str = "row";

/// The compiled prompt and system prompt, with everything else that is sent with each row.
#[derive(Debug)]
pub(crate) struct Template {
    environment: Environment<'static>,
    /// The parts that do not need the engine.
    plain: BTreeMap<&'static str, Plain>,
    system: System,
    /// Rendered once and shared by all prompts.
    examples: Vec<Arc<Example>>,
    /// The fields that contain images or documents.
    images: Vec<String>,
    /// The variables that each part requires.
    needs: BTreeMap<&'static str, BTreeSet<String>>,
    /// The fields that each part takes from the whole row, as in `row.text`.
    needs_of_row: BTreeMap<&'static str, BTreeSet<String>>,
    uses_whole_row: bool,
    /// Every field that a part uses in any way; `row` means all of them.
    mentioned: BTreeSet<String>,
}

/// What to do with a prompt that uses no field of the row, so that every row would get the same prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SamePrompt {
    /// It is rejected as a mistake.
    #[default]
    Refuse,
    /// It is intended.
    Allow,
}

#[derive(Debug)]
enum System {
    None,
    /// Without variables: rendered once and shared by all prompts, so that it stays identical at the start for the provider's
    /// prompt cache.
    Fixed(Arc<str>),
    PerRow,
}

impl Template {
    /// Compiles a user part and, if given, a system part, both in Jinja syntax.
    ///
    /// # Errors
    /// If a part does not compile; the message has the line.
    pub(crate) fn new(user: &str, system: Option<&str>) -> Result<Self, Problem> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        filters::add_to(&mut environment);
        null::add_to(&mut environment);
        for (name, source) in [(USER, Some(user)), (SYSTEM, system)] {
            if let Some(source) = source {
                environment
                    .add_template_owned(name, source.to_owned())
                    .map_err(|error| does_not_compile(&error))?;
            }
        }
        let mut template = Self {
            environment,
            plain: BTreeMap::new(),
            system: System::None,
            examples: Vec::new(),
            images: Vec::new(),
            needs: BTreeMap::new(),
            needs_of_row: BTreeMap::new(),
            uses_whole_row: false,
            mentioned: BTreeSet::new(),
        };
        for (name, source) in [(USER, Some(user)), (SYSTEM, system)] {
            if let Some(source) = source {
                template.check_names(name)?;
                let mut needs = template.mentions(name);
                template.mentioned.extend(needs.iter().cloned());
                template.uses_whole_row |= needs.remove(ROW);
                needs.retain(|variable| !may_be_missing(source, variable));
                template.needs.insert(name, needs);
                let of_row = template.named_of_row(name, source);
                template.needs_of_row.insert(name, of_row);
                let plain = Plain::of(source, |fields| template.render_by_engine(name, fields).ok());
                template.plain.extend(plain.map(|plain| (name, plain)));
            }
        }
        if system.is_some() {
            template.system = if template.mentions(SYSTEM).is_empty() {
                System::Fixed(template.render_one(SYSTEM, &Map::new()).map_err(Problem::new)?.into())
            } else {
                System::PerRow
            };
        }
        Ok(template)
    }

    /// Filters, tests and functions are looked up only when a template is rendered, so it is rendered once with made-up
    /// fields; any other error with those says nothing about real ones.
    fn check_names(&self, name: &str) -> Result<(), Problem> {
        let Ok(template) = self.environment.get_template(name) else { return Ok(()) };
        let fields = template.undeclared_variables(false).into_iter().map(|variable| (variable, ""));
        let fields: std::collections::HashMap<_, _> = fields.collect();
        match template.render(minijinja::value::Serde(fields)) {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction
                ) =>
            {
                Err(does_not_compile(&error))
            }
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The same template with examples, which precede each row.
    ///
    /// # Errors
    /// The first example for which no question can be rendered, or for whose value `judge` returns violations, with its place.
    pub(crate) fn with_examples(
        mut self,
        rows: &[AnsweredRow],
        judge: impl Fn(&Value) -> Vec<Violation>,
    ) -> Result<Self, Problem> {
        self.examples = examples::rendered(rows, |fields| self.render_one(USER, fields), judge)?;
        Ok(self)
    }

    /// The same template with the fields of a row that contain images or documents to send with it.
    pub(crate) fn with_images(self, images: &[String]) -> Self {
        Self { images: images.to_vec(), ..self }
    }

    /// Checks that requests differ from row to row: the prompt or the system prompt uses a field, or images are sent.
    ///
    /// # Errors
    /// If they do not, with what `user`, the prompt's text, was probably meant to be.
    pub(crate) fn check_use(&self, user: &str) -> Result<(), Problem> {
        if self.mentioned.is_empty() && self.images.is_empty() {
            return Err(constant::problem(user));
        }
        if self.writes_only_names() {
            return Err(constant::only_names());
        }
        Ok(())
    }

    /// Whether the template uses only the names of a row's fields, so that rows with the same fields get the same prompt.
    fn writes_only_names(&self) -> bool {
        if self.mentioned.iter().any(|variable| variable != ROW) || !self.images.is_empty() {
            return false;
        }
        let asked = [json!("a"), json!("b"), json!(""), json!(3), json!(["a"])].map(|value| {
            let row = Map::from_iter([("field".to_owned(), value)]);
            self.render(&row).ok().map(|prompt| prompt.turns)
        });
        let [first, rest @ ..] = &asked;
        first.is_some() && rest.iter().all(|other| other == first)
    }

    /// The fields that the template uses in any way, required or not; `None` if it may use any field.
    pub(crate) fn mentioned(&self) -> Option<Vec<String>> {
        (!self.uses_whole_row).then(|| self.mentioned.iter().chain(&self.images).cloned().collect())
    }

    /// Whether images or documents are sent with rows.
    pub(crate) fn has_images(&self) -> bool {
        !self.images.is_empty()
    }

    /// The fields that a row must have: those without a default in the template.
    pub(crate) fn variables(&self) -> BTreeSet<String> {
        let mut variables: BTreeSet<_> = self.needs.values().flatten().cloned().collect();
        variables.extend(self.images.iter().cloned());
        variables
    }

    /// The fields that a row must have because the template takes them from the whole row by name.
    pub(crate) fn variables_of_row(&self) -> BTreeSet<String> {
        self.needs_of_row.values().flatten().cloned().collect()
    }

    /// The prompt for a row with these fields; it refers to files by their paths.
    ///
    /// # Errors
    /// The row's failure, if it lacks a variable, a filter does not fit its value, or an image is invalid.
    pub(crate) fn render(&self, fields: &Map<String, Value>) -> Result<Prompt, Box<Failure>> {
        let failure = |kind| move |message: String| Box::new(Failure::unasked(kind, message));
        let unfit = failure(FailureKind::Template);
        let mut turns = Vec::with_capacity(2 + self.examples.len());
        match &self.system {
            System::None => {}
            System::Fixed(text) => turns.push(Turn::System(Arc::clone(text))),
            System::PerRow => {
                let text = self.render_one(SYSTEM, fields).map_err(unfit)?;
                turns.push(Turn::System(text.into()));
            }
        }
        turns.extend(self.examples.iter().map(|example| Turn::Example(Arc::clone(example))));
        let text = self.render_one(USER, fields).map_err(unfit)?;
        let attachments =
            attachment::of_row(&self.images, fields).map_err(failure(FailureKind::Attachment))?;
        turns.push(Turn::User { text, attachments });
        Ok(Prompt::new(turns))
    }

    /// All variables that a template uses in any way; the engine's own functions, such as `range`, do not count.
    fn mentions(&self, name: &str) -> BTreeSet<String> {
        let Ok(template) = self.environment.get_template(name) else { return BTreeSet::new() };
        let mut variables: BTreeSet<_> = template.undeclared_variables(false).into_iter().collect();
        let functions: BTreeSet<_> = self.environment.globals().map(|(name, _)| name.to_owned()).collect();
        variables.retain(|variable| !functions.contains(variable));
        variables.extend(missing::sliced(&template, functions));
        variables
    }

    /// The fields that a template takes from the whole row by name. Methods of the row do not count.
    fn named_of_row(&self, name: &str, source: &str) -> BTreeSet<String> {
        let Ok(template) = self.environment.get_template(name) else { return BTreeSet::new() };
        let paths = template.undeclared_variables(true).into_iter();
        let fields = paths.filter_map(|path| {
            let field = path.strip_prefix(ROW)?.strip_prefix('.')?;
            Some(field.split('.').next().unwrap_or(field).to_owned())
        });
        let is_field = |field: &String| {
            let written = format!("{ROW}.{field}");
            !source.contains(&format!("{written}(")) && !may_be_missing(source, &written)
        };
        fields.filter(is_field).collect()
    }

    fn render_one(&self, name: &str, fields: &Map<String, Value>) -> Result<String, String> {
        match self.plain.get(name).and_then(|plain| plain.render(fields)) {
            Some(text) => Ok(text),
            None => self.render_by_engine(name, fields),
        }
    }

    fn render_by_engine(&self, name: &str, fields: &Map<String, Value>) -> Result<String, String> {
        let template = self.environment.get_template(name).map_err(|error| error.to_string())?;
        let needs = self.needs.get(name).into_iter().flatten();
        let lacking: Vec<_> = needs.filter(|variable| !fields.contains_key(*variable)).collect();
        let all = self.with_whole_row(fields);
        // Some filters silently accept a missing variable, and this row may not need it.
        if let Some(variable) = missing::first_looked_for(&template, &all, &lacking) {
            let has = listed(fields.keys());
            return Err(format!("the {name} uses `{variable}`, which the row lacks (it has {has})"));
        }
        match spelling::rendered(&template, &all) {
            Ok((text, numbers))
                if null::is_written(&template, &all, &numbers, |field| self.uses(field), &text) =>
            {
                Err(self.uses_null(name, fields))
            }
            Ok((text, _)) => Ok(text),
            Err(error) if null::is_of_null(&error) => Err(self.uses_null(name, fields)),
            Err(error) if error.kind() == ErrorKind::UndefinedError => {
                Err(self.undefined(name, fields, &error))
            }
            Err(error) => Err(format!("the {name} cannot be rendered: {}", reason(&error))),
        }
    }

    /// The message for a part that uses something undefined: a missing field, if it takes one from the whole row.
    fn undefined(&self, name: &str, fields: &Map<String, Value>, error: &minijinja::Error) -> String {
        let has = listed(fields.keys());
        let needs = self.needs_of_row.get(name).into_iter().flatten();
        match needs.into_iter().find(|field| !fields.contains_key(*field) && !fields.contains_key(ROW)) {
            Some(field) => format!("the {name} uses `{ROW}.{field}`, which the row lacks (it has {has})"),
            None => {
                format!("the {name} uses something undefined (the row has {has}): {}", reason(error))
            }
        }
    }

    /// Whether some part may use a field.
    fn uses(&self, field: &str) -> bool {
        self.uses_whole_row || self.mentioned.contains(field)
    }

    /// The message for a part that uses a null of the row.
    fn uses_null(&self, name: &str, fields: &Map<String, Value>) -> String {
        let nulls: Vec<_> = null::among(fields, |field| self.uses(field)).collect();
        let what = if nulls.is_empty() { "something".to_owned() } else { listed(nulls) };
        format!("the {name} uses {what}, which is null in the row")
    }

    /// The fields, plus all of them as `row` if the template uses that.
    fn with_whole_row<'a>(&self, fields: &'a Map<String, Value>) -> Cow<'a, Map<String, Value>> {
        if !self.uses_whole_row || fields.contains_key(ROW) {
            return Cow::Borrowed(fields);
        }
        let mut with_row = fields.clone();
        with_row.insert(ROW.to_owned(), Value::Object(fields.clone()));
        Cow::Owned(with_row)
    }
}

/// Names in backticks, separated by commas; "nothing" if there are none.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// Whether the template handles a row without `variable`: with `| default(…)` or by testing whether it is defined.
fn may_be_missing(template: &str, variable: &str) -> bool {
    let is_part_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    template.match_indices(variable).any(|(at, _)| {
        let before = template.get(..at).and_then(|before| before.chars().next_back());
        let after = template.get(at + variable.len()..).unwrap_or_default();
        let rest = after.trim_start();
        let whole = !before.is_some_and(is_part_of_name) && !after.starts_with(is_part_of_name);
        let filter = rest.strip_prefix('|').map(str::trim_start).unwrap_or_default();
        let defaulted = filter.starts_with("default") || filter.starts_with("d(");
        let asked =
            ["is defined", "is undefined", "is not defined"].iter().any(|test| rest.starts_with(test));
        whole && (defaulted || asked)
    })
}

fn does_not_compile(error: &minijinja::Error) -> Problem {
    let location = error.line().map_or(String::new(), |line| format!(", line {line}"));
    let name = error.name().unwrap_or(USER);
    Problem::new(format!("the {name} does not compile{location}: {}", reason(error)))
        .hint("templates are Jinja: `{{ field }}` for a field, `{% if field %}…{% endif %}` for a choice")
}

fn reason(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

#[cfg(test)]
mod tests;
