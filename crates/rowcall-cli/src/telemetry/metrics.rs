//! What a run has done as metrics, read from the engine's statistics when someone asks. `prometheus.rs` and `otlp.rs` write them.

use rowcall::{RunSettings, Stats, Usd};

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
    let one = |value: f64| vec![Point { labels: Vec::new(), value }];
    let by = |name: &'static str, points: Vec<(String, f64)>| -> Vec<Point> {
        points.into_iter().map(|(label, value)| Point { labels: vec![(name, label)], value }).collect()
    };
    let named = |name: &str, count: u64| (name.to_owned(), count as f64);
    let dollars = |amount: Usd| amount.picodollars() as f64 / 1e12;
    let mut rows = vec![Point { labels: vec![("outcome", "value".to_owned())], value: stats.done as f64 }];
    rows.extend(stats.failed.iter().map(|(kind, rows)| Point {
        labels: vec![("outcome", "failure".to_owned()), ("kind", kind.name().to_owned())],
        value: *rows as f64,
    }));
    let usage = stats.usage;
    let limits = settings.limits.iter().map(|limit| Point {
        labels: vec![
            ("of", limit.of.name().to_owned()),
            ("per", limit.period.name().to_owned()),
            ("from", limit.from.name().to_owned()),
        ],
        value: limit.amount,
    });
    let mut metrics = vec![
        // They are not a counter: a row that is retried has failed no more.
        metric("rowcall.rows", "Rows that have ended in this process", Unit::Of("row"), Kind::Gauge, rows),
        metric(
            "rowcall.rows.known",
            "Of these, rows that needed no request",
            Unit::Of("row"),
            Kind::Counter,
            one(stats.known as f64),
        ),
        metric(
            "rowcall.rows.retried",
            "Failed rows that were asked about again during the run",
            Unit::Of("row"),
            Kind::Counter,
            one(stats.retried as f64),
        ),
        metric(
            "rowcall.requests",
            "Requests sent, including those of earlier runs with the same journal",
            Unit::Of("request"),
            Kind::Counter,
            one(stats.requests as f64),
        ),
        metric(
            "rowcall.requests.in_flight",
            "Requests without an answer yet",
            Unit::Of("request"),
            Kind::Gauge,
            one(stats.in_flight as f64),
        ),
        metric(
            "rowcall.requests.failed",
            "Requests that failed, by kind",
            Unit::Of("request"),
            Kind::Counter,
            by("kind", stats.faults.iter().map(|(kind, count)| named(kind.name(), *count)).collect()),
        ),
        metric(
            "rowcall.reasks",
            "Prompts that asked again after an answer without a value",
            Unit::Of("prompt"),
            Kind::Counter,
            one(stats.reasks as f64),
        ),
        metric(
            "rowcall.tokens",
            "Tokens of all answers that reported them; cached and reasoning tokens are part of the others",
            Unit::Of("token"),
            Kind::Counter,
            by(
                "type",
                vec![
                    named("input", usage.input_tokens),
                    named("output", usage.output_tokens),
                    named("cached", usage.cached_tokens),
                    named("reasoning", usage.reasoning_tokens),
                ],
            ),
        ),
        metric(
            "rowcall.cost",
            "What requests have cost, as far as known",
            Unit::Dollars,
            Kind::Counter,
            one(dollars(stats.cost.known)),
        ),
        metric(
            "rowcall.cost.unknown",
            "Requests whose cost is unknown",
            Unit::Of("request"),
            Kind::Counter,
            one(stats.cost.unknown as f64),
        ),
        metric(
            "rowcall.held_back",
            "How long requests were held back, by what they waited for",
            Unit::Seconds,
            Kind::Counter,
            by(
                "by",
                stats.held_back.iter().map(|(bound, time)| (bound.to_string(), time.as_secs_f64())).collect(),
            ),
        ),
        metric(
            "rowcall.concurrency",
            "The most requests that may be in flight",
            Unit::Of("request"),
            Kind::Gauge,
            one(settings.concurrency as f64),
        ),
        metric(
            "rowcall.limit",
            "The limits in force, per minute or day",
            Unit::Of("request or token"),
            Kind::Gauge,
            limits.collect(),
        ),
        metric(
            "rowcall.paused",
            "1 while the run is paused",
            Unit::Of("run"),
            Kind::Gauge,
            one(f64::from(u8::from(settings.is_paused))),
        ),
    ];
    if let Some((budget, used)) = settings.budget {
        metrics.push(metric(
            "rowcall.budget",
            "The most that all requests may cost",
            Unit::Dollars,
            Kind::Gauge,
            one(dollars(budget)),
        ));
        metrics.push(metric(
            "rowcall.budget.used",
            "The most that is spent or reserved of it",
            Unit::Dollars,
            Kind::Gauge,
            one(dollars(used)),
        ));
    }
    metrics.retain(|metric| !metric.points.is_empty());
    metrics
}

fn metric(name: &'static str, about: &'static str, unit: Unit, kind: Kind, points: Vec<Point>) -> Metric {
    Metric { name, about, unit, kind, points }
}
