//! What an account's attempts cost, and the note for the user if there is no price or an old one.

use super::AccountOptions;
use crate::error::Problem;
use crate::hint::{Hint, Setting};
use crate::price::{Moment, OLD_AFTER_DAYS, Prices, Pricing, Unasked};
use crate::provider::{Key, Offer};

/// What attempts cost. A simulator sends no bill. Where a provider's prices depend on the region, only those of its default
/// address are known.
pub(super) fn of(offer: &Offer, base_url: &str, options: &AccountOptions) -> Result<Pricing, Problem> {
    let unasked = if offer.provider.has_tier_setting { Unasked::Account } else { Unasked::Standard };
    if let Some(price) = &options.price {
        return Ok(Pricing::By { price: price.clone(), basis: format!("given {price}").into(), unasked });
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
        Some(price) => Pricing::By { price, basis: prices.basis().into(), unasked },
        None => Pricing::Unknown,
    })
}

/// The note for the user: that there is no price although the account will be billed, or that the prices are old.
pub(super) fn note(pricing: &Pricing, offer: &Offer, options: &AccountOptions, now: Moment) -> Option<Hint> {
    match pricing {
        Pricing::Free => None,
        Pricing::Unknown => matches!(offer.provider.key, Key::Required(_)).then(|| {
            let unknown = format!("no price is known for `{}`, so its cost is unknown: ", offer.path());
            Hint::from(unknown).with("set one with ").with(Setting::Price.like("in=USD,out=USD"))
        }),
        Pricing::By { .. } if options.price.is_some() => None,
        Pricing::By { .. } => {
            let prices = options.prices.as_deref().unwrap_or_else(|| Prices::bundled());
            let (taken, days) = (prices.taken_on()?, prices.age_in_days(now)?);
            (days > OLD_AFTER_DAYS).then(|| {
                let old = format!("the prices are from {taken}, {days} days ago, and may have changed: ");
                let newer = Hint::from(old).with("load newer ones with ").with(Setting::Prices.like("FILE"));
                newer.with(", which `rowcall prices update` makes")
            })
        }
    }
}
