//! Turns the user's options into a checked plan; the only module that reads the environment. Invalid settings are rejected
//! here, before any request.

use std::time::Duration;

mod account;
mod batching;
mod bounds;
mod budget;
mod endpoint;
mod headers;
mod known_as;
mod options;
mod plan;
mod pricing;
mod probing;

pub(crate) use account::Account;
pub(crate) use batching::Batching;
pub use batching::{BatchOptions, Reask, Stay};
pub use bounds::MOST_CONCURRENCY;
pub(crate) use bounds::adjustment as check_adjustment;
pub(crate) use known_as::KnownAs;
pub use options::{AccountOptions, TaskOptions};
pub(crate) use plan::{Plan, SERVICE_TIER, service_tier};
pub(crate) use probing::Probing;

/// How long an attempt may take by default, as in the official SDKs.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// How often the model is asked again after an invalid answer, by default.
pub const DEFAULT_MAX_REASKS: u32 = 3;
