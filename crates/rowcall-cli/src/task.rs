//! What the model is asked, from the arguments or from a journal: the extractor, and the layout of its output.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rowcall::schema::Observed;
use rowcall::{
    AccountOptions, AnsweredRow, Client, Effort, EqualRows, Error, Extractor, ExtractorBuilder,
    FurtherFields, Mode, Parameters, Prices, Protocol, Result, RetryPolicy, SamePrompt, Schema,
};
use rowcall_data::Layout;
use serde_json::Value;

use crate::args::{Concurrency, RetryArguments, ServerArguments};
use crate::key;
use crate::open_files::most_connections;
use crate::printing;

/// What the model is asked.
#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) schema: Schema,
    pub(crate) prompt: String,
    pub(crate) same_prompt: SamePrompt,
    pub(crate) system: Option<String>,
    pub(crate) examples: Vec<AnsweredRow>,
    pub(crate) images: Vec<String>,
    /// The folder that relative image paths start from, if not the current one.
    pub(crate) folder: Option<PathBuf>,
    pub(crate) parameters: Parameters,
    pub(crate) mode: Option<Mode>,
    /// What a probe observed of the server.
    pub(crate) observed: Observed,
    /// What that probe took, if it was part of this run.
    pub(crate) probed: Option<Effort>,
    pub(crate) equal_rows: EqualRows,
}

impl Task {
    /// The extractor for this task.
    ///
    /// # Errors
    /// If any part of the task is invalid.
    pub(crate) fn extractor(
        self,
        client: &Client,
        retrying: &RetryArguments,
        server: &ServerArguments,
    ) -> Result<Extractor<Value>> {
        let Self {
            schema,
            prompt,
            same_prompt,
            system,
            examples,
            images,
            folder,
            parameters,
            mode,
            observed,
            probed,
            equal_rows,
        } = self;
        let mut builder = client
            .extractor_with(schema)
            .answered_rows(examples)
            .parameters(parameters)
            .equal_rows(equal_rows)
            .observed(observed)
            .max_reasks(retrying.max_reasks)
            .retry(RetryPolicy { retries: retrying.retries, ..RetryPolicy::default() });
        if let Some(effort) = probed {
            builder = builder.probed(effort);
        }
        builder = match same_prompt {
            SamePrompt::Allow => builder.same_prompt(),
            SamePrompt::Refuse => builder,
        };
        if retrying.keep_going {
            builder = builder.keep_going();
        }
        if let Some(deadline) = retrying.deadline {
            builder = builder.deadline(deadline);
        }
        if let Some(failures) = retrying.max_failures {
            builder = builder.max_failures(failures);
        }
        if let Some(mode) = mode {
            builder = builder.mode(mode);
        }
        if let Some(system) = system {
            builder = builder.system(system);
        }
        if let Some(folder) = folder {
            builder = builder.folder(folder);
        }
        builder = images.into_iter().fold(builder, ExtractorBuilder::image);
        let extractor = builder.prompt(prompt)?;
        Ok(match server.concurrency {
            Concurrency::AtMost(slots) => {
                if let Some(most) = most_connections().filter(|most| *most < slots.get()) {
                    printing::note(&format!(
                        "the system allows {most} connections, so no more requests than that are in flight"
                    ));
                }
                extractor.concurrency(slots.get())
            }
            Concurrency::Auto => extractor,
        })
    }
}

/// The extractor with the cache, if there is one.
///
/// # Errors
/// A file that cannot be used as a cache.
pub(crate) fn cached(extractor: &Extractor<Value>, cache: Option<&Path>) -> Result<Extractor<Value>> {
    cache.map_or_else(|| Ok(extractor.clone()), |path| extractor.cache(path))
}

/// Where the output puts the fields that it adds.
///
/// # Errors
/// A name that the output uses itself.
pub(crate) fn layout(schema: &Schema, into: Option<&str>, meta: bool) -> Result<Layout> {
    let layout = match (into, schema.properties()) {
        (Some(name), _) => Layout::under(name)?,
        (None, Some(properties)) => match schema.further_fields() {
            FurtherFields::Forbidden => Layout::beside(properties)?,
            FurtherFields::Unmentioned | FurtherFields::Allowed => Layout::beside(properties)?.with_rest(),
        },
        (None, None) => Layout::whole(),
    };
    Ok(if meta { layout.with_meta() } else { layout })
}

/// The account options from the arguments. A missing key is accepted if nothing is sent.
///
/// # Errors
/// If the key command does not print a key, or the price table cannot be used.
pub(crate) fn account(model: &str, server: &ServerArguments, sends_nothing: bool) -> Result<AccountOptions> {
    let prices = server.prices.as_deref().map(Prices::read).transpose().map_err(Error::Config)?;
    let key = server.key_command.as_deref().map(key::from_command).transpose()?;
    Ok(AccountOptions {
        model: model.to_owned(),
        base_url: server.base_url.clone(),
        protocol: server.protocol.map(Protocol::from),
        dialect: None,
        api_key: key.map(Into::into),
        keyless: sends_nothing,
        headers: server.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect(),
        timeout: Some(server.timeout),
        ca_cert: server.ca_cert.clone(),
        concurrency: None,
        most_concurrency: most_connections(),
        requests_per_minute: server.rpm,
        tokens_per_minute: server.tpm,
        price: server.price.clone(),
        prices: prices.map(Arc::new),
        budget: server.budget,
    })
}
