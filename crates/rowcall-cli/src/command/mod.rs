//! The commands, one file each.

pub(crate) mod cache;
pub(crate) mod collect;
pub(crate) mod compare;
mod comparison;
pub(crate) mod ctl;
pub(crate) mod diff;
mod estimate;
pub(crate) mod export;
pub(crate) mod models;
pub(crate) mod prices;
pub(crate) mod report;
pub(crate) mod rerun;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod sim;
pub(crate) mod status;
