//! Probes how a running server enforces a schema, with tiny requests that each ask for a value that a schema forbids. `schema/question.rs`
//! has the questions and interprets the answers; this file sends them, through the account's admission as for rows.

#![expect(
    clippy::disallowed_methods,
    reason = "what a request costs depends on the time of day at which it is sent"
)]

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::admission::{Need, Stake, Strikes};
use crate::config::{Account, service_tier};
use crate::error::{Error, Problem, Result};
use crate::extract::{cost, served_unasked, settlement};
use crate::fault::{Fault, FaultKind};
use crate::outcome::Effort;
use crate::price::Moment;
use crate::provider::{Adaptation, Approach, Form, Mode, Parameters, Target, standings};
use crate::retry::{self, Decision, RetryPolicy, Tried};
use crate::schema::{Dialect, Feature, Finding, Judgement, Observation, Observed, Trial, conclusion};
use crate::turn::{Completion, Content, Finish, Prompt, Turn};
use crate::weight::weigh;

/// The attempts for a schema: temperature, and how many tokens the answer may have. A model that does not stop at temperature 0 may
/// do so by chance at a higher one.
const ASKED: [(f64, u32); 3] = [(0.0, 256), (1.0, 1024), (1.0, 1024)];

/// Requests in flight at a time.
const AT_ONCE: usize = 4;

/// What to probe a server for.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbeOptions {
    /// How the schema is sent; `None` for the best mode that the model supports.
    pub mode: Option<Mode>,
    /// Additional fields of the requests. A temperature and an output limit set here replace the default ones, 0 and 256
    /// tokens.
    pub parameters: Parameters,
    /// The parts of a schema; whether the server enforces a schema at all is always probed first.
    pub features: Vec<Feature>,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self { mode: None, parameters: Parameters::default(), features: Feature::all() }
    }
}

/// The result of a probe.
#[derive(Debug, Clone, PartialEq)]
pub struct Probed {
    /// How the schemas were sent.
    pub mode: Mode,
    /// What was observed.
    pub observed: Observed,
    /// What the requests took, which counts against the account's budget: at most three requests for each schema, and one more if a
    /// parameter had to be left out. With [`ExtractorBuilder::probed`](crate::ExtractorBuilder::probed), a run's statistics and journal
    /// count it too.
    pub effort: Effort,
}

/// Probes the server. `on_observation` is called with each observation as it is made.
///
/// # Errors
/// For a mode in which no schema can be enforced; and, if nothing has been spent yet, for a fault that every request would share or a
/// limit at which nothing more is sent. If something has been spent, the remaining features are left unasked instead, so that the spending
/// is reported.
pub(crate) async fn probe(
    account: &Account,
    options: &ProbeOptions,
    mut on_observation: impl FnMut(&Observation),
) -> Result<Probed> {
    let mode = mode(account, options.mode)?;
    let since = Instant::now();
    let others = options.features.iter().copied().filter(|feature| *feature != Feature::Schema);
    let mut observed = Observed::default();
    let (first, mut spent) = observe(account, options, mode, Feature::Schema).await;
    let first = match first {
        Err(error) if spent.is_unpaid() => return Err(error),
        Err(error) => unasked(Feature::Schema, &error.to_string()),
        Ok(observation) => observation,
    };
    on_observation(&first);
    let is_enforced = first.finding == Finding::Enforced;
    observed.0.push(first);
    if is_enforced {
        // An error that stops one question stops the others as well.
        let ended: OnceLock<String> = OnceLock::new();
        let ended = &ended;
        let asked = others.map(|feature| async move {
            match ended.get() {
                Some(why) => (unasked(feature, why), Effort::default()),
                None => match observe(account, options, mode, feature).await {
                    (Ok(observation), more) => (observation, more),
                    (Err(error), more) => {
                        let why: &String = ended.get_or_init(|| error.to_string());
                        (unasked(feature, why), more)
                    }
                },
            }
        });
        let mut answered = stream::iter(asked).buffered(AT_ONCE);
        while let Some((observation, more)) = answered.next().await {
            on_observation(&observation);
            add(&mut spent, more);
            observed.0.push(observation);
        }
    } else {
        const NOT_ENFORCED: &str = "the server does not enforce a schema";
        observed.0.extend(others.map(|feature| unasked(feature, NOT_ENFORCED)));
    }
    spent.latency = since.elapsed();
    Ok(Probed { mode, observed, effort: spent })
}

fn add(spent: &mut Effort, more: Effort) {
    spent.attempts += more.attempts;
    spent.prompts += more.prompts;
    spent.usage += more.usage;
    spent.unmetered += more.unmetered;
    spent.cost += more.cost;
}

fn unasked(feature: Feature, why: &str) -> Observation {
    let note = format!("not asked: {why}");
    Observation { feature, finding: Finding::Unknown, answers: 0, note: Some(note) }
}

/// The mode to probe in, which must be one in which a schema may be enforced.
fn mode(account: &Account, wanted: Option<Mode>) -> Result<Mode> {
    let modes = account.offer.chosen(wanted).map_err(Error::Config)?;
    match modes.first().copied() {
        Some(mode @ (Mode::Schema | Mode::Tool)) => Ok(mode),
        Some(mode @ (Mode::Json | Mode::Prompt)) => {
            let message = format!("no server enforces a schema by {}", mode.phrase());
            Err(Error::Config(Problem::new(message).hint("use mode `schema` or `tool`")))
        }
        None => Err(Error::Config(Problem::new("the model does not accept a schema in any mode"))),
    }
}

/// How the server treats a feature, and what it took to find out.
async fn observe(
    account: &Account,
    options: &ProbeOptions,
    mode: Mode,
    feature: Feature,
) -> (Result<Observation>, Effort) {
    let mut spent = Effort::default();
    let mut judged = Vec::new();
    for trial in Trial::all(feature) {
        let judgement = match attempts(account, options, mode, &trial, &mut spent).await {
            Ok(judgement) => judgement,
            Err(error) => return (Err(error), spent),
        };
        let is_decided = matches!(judgement, Judgement::Broken(_) | Judgement::Refused(_));
        judged.push(judgement);
        if is_decided {
            break;
        }
    }
    (Ok(conclusion(feature, &judged)), spent)
}

/// The judgement on a schema, after at most three answers.
async fn attempts(
    account: &Account,
    options: &ProbeOptions,
    mode: Mode,
    trial: &Trial,
    spent: &mut Effort,
) -> Result<Judgement> {
    let mut last = Judgement::Silent("not asked".to_owned());
    for (temperature, limit) in ASKED {
        let wanted = &options.parameters;
        let parameters = Parameters {
            temperature: wanted.temperature.or(Some(temperature)),
            max_output_tokens: wanted.max_output_tokens.or(Some(limit)),
            extra: wanted.extra.clone(),
        };
        last = match ask(account, target(account, mode, &parameters, trial)?, trial, spent).await? {
            Ok(completion) => read(&completion, trial),
            Err(fault) if affects_every_request(&fault) => return Err(Error::Stopped(Box::new(fault))),
            Err(fault) if is_refusal(&fault) => Judgement::Refused(fault.to_string()),
            Err(fault) => Judgement::Silent(fault.to_string()),
        };
        if !matches!(last, Judgement::Silent(_)) {
            break;
        }
    }
    Ok(last)
}

fn target(account: &Account, mode: Mode, parameters: &Parameters, trial: &Trial) -> Result<Target> {
    let offer = &account.offer;
    let wire = Arc::new(trial.wire().map_err(Error::Config)?);
    let form = Form { mode, dialect: Dialect::Verbatim, wire };
    let (parameters, _) = offer.fit(parameters);
    let target = Target::new(offer.protocol, account.quirks, offer.name.clone(), form, parameters);
    Ok(if account.transport.has_version() { target.below_version() } else { target })
}

/// Asks for one answer. A parameter that the server rejects is left out, and a fault that may pass is retried a few times.
async fn ask(
    account: &Account,
    target: Target,
    trial: &Trial,
    spent: &mut Effort,
) -> Result<std::result::Result<Completion, Fault>> {
    const POLICY: RetryPolicy = RetryPolicy { retries: 2, limit_deadline: Duration::from_mins(1) };
    let output_limit = target.parameters.max_output_tokens;
    let tier = service_tier(&target.parameters);
    let approach = Approach::new(target, Vec::new());
    let prompt = Prompt::new(vec![Turn::user(trial.prompt())]);
    let (mut tried, mut strikes) = (Tried::default(), Strikes::default());
    loop {
        let target = approach.target();
        let request = target.encode(&prompt);
        let weight = weigh(&request, &target, &prompt, account.capacity());
        let at = Moment::from(SystemTime::now());
        let most = account.pricing.at_most(weight.most, tier.as_deref(), at);
        let need = Need { bytes: weight.bytes, output_limit, stake: Stake { most, purse: None } };
        let admitted = account.admission.admit(need, None).await;
        let mut permit = admitted.map_err(|denial| Error::Limit(denial.problem()))?;
        spent.attempts += 1;
        let response = account.transport.send(&request).await;
        let standings = response.as_ref().map(standings).unwrap_or_default();
        let result = response.and_then(|response| target.decode(&response));
        let result = result.map_err(|fault| {
            let message = account.transport.hide_secrets(fault.message);
            Fault { message, ..fault }
        });
        let lost = account.pricing.of_lost(most);
        let cost = cost(&account.pricing, tier.as_deref(), &result, at, lost);
        permit.served_in(served_unasked(tier.as_deref(), &result));
        permit.settle(settlement(&result), cost, &standings, &mut strikes);
        spent.cost += cost;
        spent.unmetered += u32::from(match &result {
            Ok(completion) => completion.usage.is_none(),
            Err(fault) => fault.may_be_billed(),
        });
        let fault = match result {
            Ok(completion) => {
                spent.usage += completion.usage.unwrap_or_default();
                return Ok(Ok(completion));
            }
            Err(fault) => fault,
        };
        match approach.adapt(&target, &fault) {
            Adaptation::None | Adaptation::OfRow => {}
            Adaptation::Made | Adaptation::Change(_) => continue,
        }
        if retry::is_limit(fault.kind) {
            tried.limits += 1;
            tried.limited_for = account.admission.limited_for();
        } else {
            tried.faults += 1;
        }
        tried.answered = account.admission.has_answered();
        match retry::decide(&fault, tried, POLICY, fastrand::f64()) {
            Decision::Retry(wait) => tokio::time::sleep(wait).await,
            Decision::GiveUp | Decision::Stop => return Ok(Err(fault)),
        }
    }
}

/// The judgement on an answer.
fn read(completion: &Completion, trial: &Trial) -> Judgement {
    let text = match &completion.content {
        Content::Text(text) => text,
        Content::Calls(calls) => match calls.first() {
            Some(call) => &call.arguments,
            None => return Judgement::Silent("the answer is empty".to_owned()),
        },
        Content::Refusal(_) => return Judgement::Silent("the model declined to answer".to_owned()),
        Content::Thoughts(_) => return Judgement::Silent("the answer has only thoughts".to_owned()),
        Content::Choices(_) => return Judgement::Silent("the answer has several choices".to_owned()),
    };
    match completion.finish {
        Finish::Stop | Finish::Unstated => trial.judge(text),
        Finish::Length => Judgement::Silent("the answer was cut at the output limit".to_owned()),
        Finish::ContentFilter => Judgement::Silent("the answer was cut by a filter".to_owned()),
        Finish::Paused => Judgement::Silent("the answer was paused".to_owned()),
    }
}

/// Whether a fault is a refusal of the schema: everything else in the request was accepted before, or would be rejected by
/// name.
fn is_refusal(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::InvalidSchema
        | FaultKind::InvalidRequest
        | FaultKind::Unprocessable
        | FaultKind::UnsupportedParameter => true,
        FaultKind::RateLimit
        | FaultKind::Overloaded
        | FaultKind::Timeout
        | FaultKind::Server
        | FaultKind::Unreachable
        | FaultKind::Connection
        | FaultKind::Conflict
        | FaultKind::Quota
        | FaultKind::Auth
        | FaultKind::Permission
        | FaultKind::NotFound
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::TooLarge
        | FaultKind::RequestExceedsLimit => false,
    }
}

/// Whether every other request would meet the same fault.
fn affects_every_request(fault: &Fault) -> bool {
    match fault.kind {
        FaultKind::Unreachable
        | FaultKind::Quota
        | FaultKind::Auth
        | FaultKind::Permission
        | FaultKind::NotFound => true,
        FaultKind::RateLimit
        | FaultKind::Overloaded
        | FaultKind::Timeout
        | FaultKind::Server
        | FaultKind::Connection
        | FaultKind::Conflict
        | FaultKind::InvalidSchema
        | FaultKind::UnsupportedParameter
        | FaultKind::ContextLength
        | FaultKind::ContentPolicy
        | FaultKind::TooLarge
        | FaultKind::RequestExceedsLimit
        | FaultKind::Unprocessable
        | FaultKind::InvalidRequest => false,
    }
}
