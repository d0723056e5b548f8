//! Whether a budget can be kept: only where the most that a request can cost is known before it is sent.
#![expect(clippy::disallowed_methods, reason = "prices depend on the time of day")]

use std::time::SystemTime;

use crate::error::Problem;
use crate::hint::{Hint, Setting};
use crate::price::{Moment, Most, Pricing};
use crate::provider::{Offer, Parameters};

/// The output limit of an answer if there is a budget and the user sets no limit: four times the length of typical records, and small
/// enough that many requests fit into a budget at the same time.
const OUTPUT_LIMIT: u32 = 4_096;

/// Fields that make a request cost more than its own tokens: provider tools that are billed separately, and content stored at
/// the provider.
const UNBOUNDED: [&str; 10] = [
    "tools",
    "web_search_options",
    "search_parameters",
    "plugins",
    "prediction",
    "previous_response_id",
    "conversation",
    "prompt",
    "cachedContent",
    "cached_content",
];

/// Checks that the account's prices are known.
///
/// # Errors
/// If they are not.
pub(super) fn check_price(pricing: &Pricing, offer: &Offer) -> Result<(), Problem> {
    match pricing {
        Pricing::Free | Pricing::By { .. } => Ok(()),
        Pricing::Unknown => {
            let message = format!("no price is known for `{}`, so no budget can be kept", offer.path());
            let hint = Hint::from("set one with ").with(Setting::Price.like("in=USD,out=USD"));
            Err(Problem::new(message).hint(hint.with(", in US dollars per million tokens")))
        }
    }
}

/// Checks that the parameters leave the cost of an answer bounded.
///
/// # Errors
/// For a field that makes it unbounded, and for a tier without a price.
pub(super) fn check(pricing: &Pricing, requested: &Parameters, tier: Option<&str>) -> Result<(), Problem> {
    if let Some(field) = requested.extra.keys().find(|name| UNBOUNDED.contains(&name.as_str())) {
        let message =
            format!("with `{field}` a request costs more than its own tokens, so no budget can be kept");
        return Err(Problem::new(message).hint(format!("leave out `{field}` or the budget")));
    }
    let one = Most { input_tokens: 1, output_tokens: Some(1) };
    if pricing.at_most(Some(one), tier, Moment::from(SystemTime::now())).is_some() {
        return Ok(());
    }
    let tier = tier.map_or_else(|| "now".to_owned(), |tier| format!("for tier `{tier}`"));
    Err(Problem::new(format!("no price is known {tier}, so no budget can be kept"))
        .hint(Hint::from("set one for every tier with ").with(Setting::Price.like("in=USD,out=USD"))))
}

/// Checks that answers are limited, for a budget that is set while a run is under way.
///
/// # Errors
/// If they are not.
pub(super) fn check_limit(requested: &Parameters, offer: &Offer) -> Result<(), Problem> {
    let of_model = offer.model.and_then(|model| model.max_output_tokens);
    if requested.max_output_tokens.or(of_model).is_some() {
        return Ok(());
    }
    Err(Problem::new("the length of answers is not limited, so no budget can be kept")
        .hint(Hint::from("start the run with ").with(Setting::MaxOutputTokens).with(" or with a budget")))
}

/// Limits the length of answers, if the user does not.
pub(super) fn limit_output(requested: &mut Parameters, offer: &Offer) {
    let most = offer.model.and_then(|model| model.max_output_tokens).unwrap_or(u32::MAX);
    requested.max_output_tokens.get_or_insert(OUTPUT_LIMIT.min(most));
}
