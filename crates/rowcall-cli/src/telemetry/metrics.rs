//! What a run has done as metrics, read from the engine's statistics when someone asks. `prometheus.rs` and `otlp.rs` write them.

use rowcall::{RunSettings, Stats};

/// A metric of our own.
pub(super) struct Metric {
    /// As in OpenTelemetry, such as `rowcall.rows`.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) unit: Unit,
    pub(super) kind: Kind,
    pub(super) points: Vec<Point>,
}

/// A value with its labels.
pub(super) struct Point {
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) value: f64,
}

/// Whether a metric only grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// A number of things, such as rows.
    Of(&'static str),
    Seconds,
    Dollars,
}

impl Unit {
    /// The unit in the notation of OpenTelemetry, UCUM.
    pub(super) fn ucum(self) -> String {
        match self {
            Self::Of(what) => format!("{{{what}}}"),
            Self::Seconds => "s".to_owned(),
            Self::Dollars => "{USD}".to_owned(),
        }
    }
}

/// All metrics of our own.
pub(super) fn metrics(stats: &Stats, settings: &RunSettings) -> Vec<Metric> {
    let (row, request) = (Unit::Of("row"), Unit::Of("request"));
    let usage = stats.usage;
    let tokens = [
        ("input", usage.input_tokens),
        ("output", usage.output_tokens),
        ("cached", usage.cached_tokens),
        ("reasoning", usage.reasoning_tokens),
    ];
    let mut metrics = vec![
        // They are not a counter: a row that is retried has failed no more.
        gauge("rowcall.rows", row, "Rows that have ended in this process", rows(stats)),
        counter("rowcall.rows.known", row, "Of these, rows that needed no request", count(stats.known)),
        counter(
            "rowcall.rows.retried",
            row,
            "Failed rows that were asked about again during the run",
            count(stats.retried),
        ),
        counter("rowcall.requests", request, "Requests sent", count(stats.requests)),
        gauge(
            "rowcall.requests.in_flight",
            request,
            "Requests without an answer yet",
            count(stats.in_flight),
        ),
        counter(
            "rowcall.requests.failed",
            request,
            "Requests that failed, by kind",
            by("kind", stats.faults.iter().map(|(kind, failed)| (kind.name(), *failed as f64))),
        ),
        counter(
            "rowcall.reasks",
            Unit::Of("prompt"),
            "Prompts that asked again after an answer without a value",
            count(stats.reasks),
        ),
        counter(
            "rowcall.tokens",
            Unit::Of("token"),
            "Tokens of all answers that reported them; cached and reasoning tokens are part of the others",
            by("type", tokens.map(|(kind, tokens)| (kind, tokens as f64))),
        ),
        counter(
            "rowcall.cost",
            Unit::Dollars,
            "What requests have cost, as far as known",
            one(stats.cost.known.dollars()),
        ),
        counter("rowcall.cost.unknown", request, "Requests whose cost is unknown", count(stats.cost.unknown)),
        counter(
            "rowcall.held_back",
            Unit::Seconds,
            "How long requests were held back, by what they waited for",
            by("by", stats.held_back.iter().map(|(bound, time)| (bound, time.as_secs_f64()))),
        ),
        gauge(
            "rowcall.concurrency",
            request,
            "The most requests that may be in flight",
            one(settings.concurrency as f64),
        ),
        gauge(
            "rowcall.limit",
            Unit::Of("request or token"),
            "The limits in force, per minute or day",
            limits(settings),
        ),
        gauge(
            "rowcall.paused",
            Unit::Of("run"),
            "1 while the run is paused",
            count(u64::from(settings.is_paused)),
        ),
    ];
    if let Some((budget, used)) = settings.budget {
        metrics.extend([
            gauge(
                "rowcall.budget",
                Unit::Dollars,
                "The most that all requests may cost",
                one(budget.dollars()),
            ),
            gauge(
                "rowcall.budget.used",
                Unit::Dollars,
                "The most that is spent or reserved of it",
                one(used.dollars()),
            ),
        ]);
    }
    metrics.retain(|metric| !metric.points.is_empty());
    metrics
}

fn counter(name: &'static str, unit: Unit, about: &'static str, points: Vec<Point>) -> Metric {
    Metric { name, about, unit, kind: Kind::Counter, points }
}

fn gauge(name: &'static str, unit: Unit, about: &'static str, points: Vec<Point>) -> Metric {
    Metric { name, about, unit, kind: Kind::Gauge, points }
}

fn one(value: f64) -> Vec<Point> {
    vec![Point { labels: Vec::new(), value }]
}

fn count(number: u64) -> Vec<Point> {
    one(number as f64)
}

/// A point for each value of a label.
fn by<L: ToString>(name: &'static str, values: impl IntoIterator<Item = (L, f64)>) -> Vec<Point> {
    let point = |(label, value): (L, f64)| Point { labels: vec![(name, label.to_string())], value };
    values.into_iter().map(point).collect()
}

fn rows(stats: &Stats) -> Vec<Point> {
    let mut rows = vec![Point { labels: vec![("outcome", "value".to_owned())], value: stats.done as f64 }];
    rows.extend(stats.failed.iter().map(|(kind, rows)| Point {
        labels: vec![("outcome", "failure".to_owned()), ("kind", kind.name().to_owned())],
        value: *rows as f64,
    }));
    rows
}

fn limits(settings: &RunSettings) -> Vec<Point> {
    let limits = settings.limits.iter().map(|limit| Point {
        labels: vec![
            ("of", limit.of.name().to_owned()),
            ("per", limit.period.name().to_owned()),
            ("from", limit.from.name().to_owned()),
        ],
        value: limit.amount,
    });
    limits.collect()
}
