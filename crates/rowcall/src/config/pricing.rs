//! What an account's attempts cost, and what a user should know of that: no price, or an old one.

use super::AccountOptions;
use crate::error::Problem;
use crate::price::{Moment, OLD_AFTER_DAYS, Prices, Pricing};
use crate::provider::{Key, Offer};

/// What attempts cost. A simulator sends no bill, and where a provider has other prices for other places, only those of its usual
/// address are known.
pub(super) fn of(offer: &Offer, base_url: &str, options: &AccountOptions) -> Result<Pricing, Problem> {
    if let Some(price) = &options.price {
        return Ok(Pricing::By { price: price.clone(), basis: format!("given {price}").into() });
    }
    let provider = offer.provider.name;
    if provider == "sim" && options.prices.is_none() {
        return Ok(Pricing::Free);
    }
    if provider == "openai" && base_url.contains(".api.openai.com") {
        return Ok(Pricing::Unknown);
    }
    let prices = options.prices.as_deref().unwrap_or_else(|| Prices::bundled());
    Ok(match prices.find(provider, &offer.name)? {
        Some(price) => Pricing::By { price, basis: prices.basis().into() },
        None => Pricing::Unknown,
    })
}

/// What a user should know of the prices: that there are none where a bill is to be expected, or that they are old.
pub(super) fn note(
    pricing: &Pricing,
    offer: &Offer,
    options: &AccountOptions,
    now: Moment,
) -> Option<String> {
    match pricing {
        Pricing::Free => None,
        Pricing::Unknown => matches!(offer.provider.key, Key::Required(_)).then(|| {
            format!(
                "no price is known for `{}`, so its cost is unknown: `--price in=USD,out=USD` gives one",
                offer.path()
            )
        }),
        Pricing::By { .. } if options.price.is_some() => None,
        Pricing::By { .. } => {
            let prices = options.prices.as_deref().unwrap_or_else(|| Prices::bundled());
            let (taken, days) = (prices.taken_on()?, prices.age_in_days(now)?);
            (days > OLD_AFTER_DAYS).then(|| {
                format!(
                    "the prices are of {taken}, {days} days ago, and may have changed: `--prices FILE` gives newer ones"
                )
            })
        }
    }
}
