//! The integration tests of the command line, in one program: the real binary, against a simulator.

mod batches;
mod budget;
mod cache;
mod command;
mod compare;
mod cost;
mod estimate;
mod formats;
mod interruption;
mod journal;
mod limits;
mod live;
mod messages;
mod probe;
mod prompts;
mod protocols;
mod providers;
mod refusals;
mod report;
mod run;
mod tables;
mod telemetry;
mod tls;
