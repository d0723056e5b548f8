//! Whether a budget can be kept: only where the most that a request can cost is known before it is sent.
#![expect(clippy::disallowed_methods, reason = "prices depend on the time of day")]

use std::time::SystemTime;

use crate::error::Problem;
use crate::price::{Moment, Most, Pricing};
use crate::provider::{Offer, Parameters};

/// The most tokens of an answer where there is a budget and the user sets no limit: four times what records are long, and little enough
/// that many requests fit into a budget at the same time.
const OUTPUT_LIMIT: u32 = 4_096;

/// Fields by which a request costs more than its own tokens: tools of the provider that are billed apart, and what the provider has stored.
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
            Err(Problem::new(message)
                .hint("`--price in=USD,out=USD` gives one, in US dollars for a million tokens"))
        }
    }
}

/// Checks that what is set about the answers leaves their costs bounded.
///
/// # Errors
/// A field by which they are not, and a tier without a price.
pub(super) fn check(pricing: &Pricing, wished: &Parameters, tier: Option<&str>) -> Result<(), Problem> {
    if let Some(field) = wished.extra.keys().find(|name| UNBOUNDED.contains(&name.as_str())) {
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
        .hint("`--price in=USD,out=USD` gives one for every tier"))
}

/// Limits the answers, if the user does not.
pub(super) fn limit_output(wished: &mut Parameters, offer: &Offer) {
    let most = offer.model.and_then(|model| model.max_output_tokens).unwrap_or(u32::MAX);
    wished.max_output_tokens.get_or_insert(OUTPUT_LIMIT.min(most));
}
