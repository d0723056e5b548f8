//! What a run does, for monitoring: metrics for Prometheus on the live page, metrics and traces by the OpenTelemetry protocol.

mod earlier;
mod export;
mod metrics;
mod names;
mod otlp;
pub(crate) mod prometheus;
mod spans;

pub(crate) use export::{Telemetry, TelemetryOptions};
