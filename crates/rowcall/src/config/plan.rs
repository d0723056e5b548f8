//! A run's plan: the options as checked, and everything that is derived from them before the first request.

use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::{Account, Batching, KnownAs, Probing, TaskOptions, bounds, budget};
use crate::admission::{Denial, Need, Permit, Purse};
use crate::attachment::Files;
use crate::cache::Cache;
use crate::check::Check;
use crate::error::{Error, Problem, Result};
use crate::event::Observers;
use crate::hint::Hint;
use crate::identity::{EqualRows, Identity, Keys, KnownFailures};
use crate::journal::Journal;
use crate::prompt::{SamePrompt, Template};
use crate::provider::{Approach, Forms, Means, Parameters, Target};
use crate::refusals::AllRefused;
use crate::retry::RetryPolicy;
use crate::row::AnsweredRow;
use crate::schema::Schema;
use crate::stats::Stats;
use crate::steering::Steering;
use crate::stops::Stops;
use crate::violation::Violation;
use crate::weight::Capacity;

/// The checked configuration of a run.
#[derive(Clone)]
pub(crate) struct Plan {
    pub(crate) account: Arc<Account>,
    pub(crate) schema: Schema,
    pub(crate) approach: Arc<Approach>,
    /// The user's limit on an answer, in tokens.
    pub(crate) output_limit: Option<u32>,
    /// The service tier that the user requests, if any; assumed where an answer does not name one.
    pub(crate) service_tier: Option<String>,
    /// The most tokens of input and output that the model supports, as far as known.
    pub(crate) capacity: Capacity,
    /// What could not be done by the provider's best means, and why.
    pub(crate) notes: Vec<Hint>,
    pub(crate) template: Arc<Template>,
    /// Reads the files of rows.
    pub(crate) files: Files,
    /// Returns why a valid value does not fit the caller's type, if it does not.
    pub(crate) misfit: fn(&Value) -> Option<Violation>,
    /// The user's own rule, if there is one.
    pub(crate) check: Option<Arc<dyn Check>>,
    pub(crate) max_reasks: u32,
    pub(crate) retry: RetryPolicy,
    pub(crate) observers: Observers,
    /// The statistics, folded from the observed events.
    pub(crate) stats: Arc<Mutex<Stats>>,
    /// What is asked, as a journal records it.
    pub(crate) identity: Arc<Identity>,
    pub(crate) keys: Keys,
    /// How rows are identified, if not by what is asked.
    pub(crate) known_as: Option<Arc<KnownAs>>,
    pub(crate) equal_rows: EqualRows,
    pub(crate) all_refused: AllRefused,
    pub(crate) known_failures: KnownFailures,
    pub(crate) stops: Stops,
    /// What a probe spent before the first row, until it is counted and recorded.
    pub(crate) probing: Arc<Probing>,
    /// Where the budget records the spending of this plan's requests, if there is a journal.
    pub(crate) purse: Option<Purse>,
    /// Where outcomes are recorded, if anywhere.
    pub(crate) journal: Option<Arc<Journal>>,
    /// How rows are sent in batches, if they are.
    pub(crate) batch: Option<Arc<Batching>>,
    /// Where answers are stored for other runs, if anywhere.
    pub(crate) cache: Option<Arc<Cache>>,
    /// How its runs are steered, with their share of the account.
    pub(crate) steering: Arc<Steering>,
    /// Why no budget could be kept, if so.
    pub(crate) no_budget: Option<Problem>,
}

/// Fields of a request that only the engine sets, compared without case and underscores.
const RESERVED_PARAMETERS: [&str; 9] = [
    "model",
    "messages",
    "input",
    "contents",
    "system",
    "instructions",
    "systeminstruction",
    "continuationtoken",
    "stream",
];

/// The parameter that asks for a service tier, except at Google and for Anthropic's speeds.
pub(crate) const SERVICE_TIER: &str = "service_tier";

/// The service tier that a request asks for: `service_tier`, Google's `serviceTier`, Anthropic's `speed`.
pub(crate) fn service_tier(parameters: &Parameters) -> Option<String> {
    let mut words = [SERVICE_TIER, "serviceTier", "speed"].into_iter();
    words.find_map(|name| parameters.extra.get(name)?.as_str()).map(str::to_owned)
}

/// Whether only the engine sets this field of a request. Google accepts `snake_case` as well as `camelCase`.
fn is_reserved(name: &str) -> bool {
    let spelled = name.replace('_', "").to_ascii_lowercase();
    RESERVED_PARAMETERS.contains(&&*spelled)
}

impl Plan {
    /// Checks the user's settings for a task.
    pub(crate) fn new(
        account: Arc<Account>,
        schema: Schema,
        misfit: fn(&Value) -> Option<Violation>,
        options: &TaskOptions,
    ) -> Result<Self> {
        let template = template(options, &schema, misfit).map_err(Error::Config)?;
        if let Some(name) = options.parameters.extra.keys().find(|name| is_reserved(name)) {
            let problem = Problem::new(format!(
                "parameter `{name}` is set by rowcall itself, expected a different one"
            ));
            return Err(Error::Config(problem));
        }
        bounds::repetitions(options.retry, options.max_reasks)?;
        let offer = &account.offer;
        let modes = offer.chosen(options.mode).map_err(Error::Config)?;
        let mut wished = options.parameters.clone();
        if let Some(field) = offer.protocol.output_limit_field(account.quirks) {
            wished = wished.with_limit_from(field);
        }
        bounds::parameters(&wished)?;
        let mut tier = service_tier(&options.parameters);
        if account.budget.is_some()
            && tier.is_none()
            && let Some(standard) = account.standard_tier
        {
            // Otherwise each attempt would have to reserve the price of the most expensive tier that the account may be set to.
            wished.extra.insert(SERVICE_TIER.to_owned(), standard.into());
            tier = Some(standard.to_owned());
        }
        let service_tier = tier;
        let no_budget = budget::check_price(&account.pricing, offer)
            .and_then(|()| budget::check(&account.pricing, &wished, service_tier.as_deref()))
            .and_then(|()| budget::check_limit(&wished, offer))
            .err();
        if account.budget.is_some() {
            budget::check(&account.pricing, &wished, service_tier.as_deref()).map_err(Error::Config)?;
            budget::limit_output(&mut wished, offer);
        }
        let (parameters, unfit) = offer.fit(&wished);
        let means = Means {
            protocol: offer.protocol,
            modes: &modes,
            dialect: offer.dialect,
            observed: &options.observed,
            output_limit: parameters.max_output_tokens,
        };
        let Forms { first, further, notes } = Forms::by(means, &schema).map_err(Error::Config)?;
        let notes = schema.notes().iter().cloned().chain(notes).map(Hint::from);
        let mut notes: Vec<_> = notes.collect();
        notes.extend(unfit.into_iter().map(Hint::from));
        notes.extend(account.pricing_note.clone());
        let output_limit = parameters.max_output_tokens;
        let steering = Arc::new(Steering::new(account.admission.share(None)));
        let capacity = account.capacity();
        let target = Target::new(offer.protocol, account.quirks, offer.name.clone(), first, parameters);
        let target = if account.transport.has_version() { target.below_version() } else { target };
        let identity = Identity {
            model: offer.path(),
            prompt: options.prompt.clone(),
            system: options.system.clone(),
            parameters: options.parameters.by_name(),
            schema: schema.as_json().clone(),
            examples: options.examples.iter().map(AnsweredRow::without_place).collect(),
            images: options.images.clone(),
        };
        Ok(Self {
            keys: identity.keys(),
            known_as: None,
            identity: Arc::new(identity),
            equal_rows: options.equal_rows,
            all_refused: options.all_refused,
            known_failures: KnownFailures::default(),
            stops: options.stops,
            probing: Arc::new(Probing::new(options.probed)),
            purse: None,
            journal: None,
            batch: None,
            cache: None,
            account,
            schema,
            approach: Arc::new(Approach::new(target, further)),
            output_limit,
            service_tier,
            capacity,
            notes,
            template: Arc::new(template),
            files: Files::from_folder(options.folder.as_deref()),
            misfit,
            check: None,
            max_reasks: options.max_reasks,
            retry: options.retry,
            observers: Observers::default(),
            stats: Arc::default(),
            steering,
            no_budget,
        })
    }

    /// The same plan with at most `places` attempts in flight; 0 counts as 1.
    pub(crate) fn with_concurrency(mut self, places: usize) -> Self {
        self.steering = Arc::new(Steering::new(self.account.admission.share(places.max(1))));
        self
    }

    /// The same plan, whose runs are steered by themselves.
    pub(crate) fn steered_apart(mut self) -> Self {
        let slots = self.steering.share().slots();
        self.steering = Arc::new(Steering::new(self.account.admission.share(slots)));
        self
    }

    /// The most attempts that may be in flight.
    pub(crate) fn concurrency(&self) -> usize {
        self.steering.share().concurrency()
    }

    /// Waits for the account's admission.
    ///
    /// # Errors
    /// If the budget allows no more.
    pub(crate) async fn admit(&self, need: Need) -> std::result::Result<Permit, Denial> {
        self.account.admission.admit(need, Some(self.steering.share())).await
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("account", &self.account)
            .field("approach", &self.approach)
            .finish_non_exhaustive()
    }
}

/// The template with its examples, whose values must be as valid as answers.
fn template(
    options: &TaskOptions,
    schema: &Schema,
    misfit: fn(&Value) -> Option<Violation>,
) -> std::result::Result<Template, Problem> {
    let judge = |value: &Value| {
        let violations = schema.violations(value);
        if violations.is_empty() { misfit(value).into_iter().collect() } else { violations }
    };
    let template = Template::new(&options.prompt, options.system.as_deref())?.with_images(&options.images);
    match options.same_prompt {
        SamePrompt::Refuse => template.check_use(&options.prompt)?,
        SamePrompt::Allow => {}
    }
    template.with_examples(&options.examples, judge)
}
