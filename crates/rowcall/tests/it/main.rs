//! The integration tests of the library, in one program so that they link once. A file for each subject.

mod account;
mod architecture;
mod batches;
mod billing;
mod cache;
mod checks;
mod connections;
mod control;
mod english;
mod journal;
mod outages;
mod prompts;
mod refusals;
mod schemas;
mod vectors;
mod ways;
