//! Metrics in Prometheus's text format, for `/metrics` of the live page.

use prometheus::proto::{Bucket, Counter, Gauge, Histogram, LabelPair, MetricFamily, MetricType};
use rowcall::{RunSettings, Stats};

use super::metrics::{Kind, Metric, Point, Unit, metrics};
use super::names::DURATIONS;

/// The content type of the format.
pub(crate) const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics of a run of this model.
pub(crate) fn text(stats: &Stats, settings: &RunSettings, model: &str) -> String {
    let mut families: Vec<_> = metrics(stats, settings).iter().map(|metric| family(metric, model)).collect();
    families.push(latencies(stats, model));
    // It fails only for metrics without a name or without points.
    prometheus::TextEncoder::new().encode_to_string(&families).unwrap_or_default()
}

fn family(metric: &Metric, model: &str) -> MetricFamily {
    let mut name = metric.name.replace('.', "_");
    match metric.unit {
        Unit::Of(_) => {}
        Unit::Seconds => name.push_str("_seconds"),
        Unit::Dollars => name.push_str("_usd"),
    }
    let kind = match metric.kind {
        Kind::Counter => {
            name.push_str("_total");
            MetricType::COUNTER
        }
        Kind::Gauge => MetricType::GAUGE,
    };
    let point = |Point { labels, value }: &Point| {
        let mut point = prometheus::proto::Metric::from_label(pairs(labels, model));
        match metric.kind {
            Kind::Counter => {
                let mut counter = Counter::default();
                counter.set_value(*value);
                point.set_counter(counter);
            }
            Kind::Gauge => {
                let mut gauge = Gauge::default();
                gauge.set_value(*value);
                point.set_gauge(gauge);
            }
        }
        point
    };
    named(name, metric.about, kind, metric.points.iter().map(point).collect())
}

/// The histogram of the latencies of answered requests.
fn latencies(stats: &Stats, model: &str) -> MetricFamily {
    let latencies = stats.latencies(&DURATIONS);
    let mut histogram = Histogram::default();
    let bucket = |(bound, count): (&f64, &u64)| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(*count);
        bucket
    };
    histogram.set_bucket(DURATIONS.iter().zip(&latencies.within).map(bucket).collect());
    histogram.set_sample_count(latencies.count);
    histogram.set_sample_sum(latencies.seconds);
    let mut point = prometheus::proto::Metric::from_label(pairs(&[], model));
    point.set_histogram(histogram);
    let about = "How long answered requests took in this process, to 1 %";
    named("rowcall_request_duration_seconds".to_owned(), about, MetricType::HISTOGRAM, vec![point])
}

fn pairs(labels: &[(&'static str, String)], model: &str) -> Vec<LabelPair> {
    let all = labels.iter().map(|(name, value)| (*name, value.as_str())).chain([("model", model)]);
    let pair = |(name, value): (&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name(name.to_owned());
        pair.set_value(value.to_owned());
        pair
    };
    all.map(pair).collect()
}

fn named(
    name: String,
    about: &str,
    kind: MetricType,
    points: Vec<prometheus::proto::Metric>,
) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name);
    family.set_help(about.to_owned());
    family.set_field_type(kind);
    family.set_metric(points);
    family
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rowcall::{Cost, Event, EventKind, Usage, Usd};

    use super::*;

    #[test]
    fn metrics_are_text_with_help_types_and_escaped_labels() {
        let mut stats = Stats::default();
        let usage = Usage { input_tokens: 10, output_tokens: 3, ..Usage::default() };
        let kinds = [
            EventKind::Sent { attempt: 1, prompt: 1, waited_for: None, waited: Duration::ZERO },
            EventKind::Answered {
                attempt: 1,
                latency: Duration::from_millis(100),
                processing: None,
                result: Ok(Some(usage)),
                cost: Cost::known(Usd::parse("0.000123").expect("an amount")),
            },
        ];
        for kind in kinds {
            stats.apply(&Event { row: 0, kind });
        }
        let settings = RunSettings {
            is_paused: true,
            is_stopping: false,
            concurrency: 8,
            limits: Vec::new(),
            budget: None,
            deadline: None,
        };
        let text = text(&stats, &settings, "a\"b\\c\nd");
        for line in [
            "# TYPE rowcall_requests_total counter",
            "# HELP rowcall_paused 1 while the run is paused",
            "rowcall_paused{model=\"a\\\"b\\\\c\\nd\"} 1",
            "rowcall_tokens_total{type=\"input\",model=\"a\\\"b\\\\c\\nd\"} 10",
            "rowcall_cost_usd_total{model=\"a\\\"b\\\\c\\nd\"} 0.000123",
            "rowcall_request_duration_seconds_bucket{model=\"a\\\"b\\\\c\\nd\",le=\"0.08\"} 0",
            "rowcall_request_duration_seconds_bucket{model=\"a\\\"b\\\\c\\nd\",le=\"0.16\"} 1",
            "rowcall_request_duration_seconds_bucket{model=\"a\\\"b\\\\c\\nd\",le=\"+Inf\"} 1",
        ] {
            assert!(text.lines().any(|found| found == line), "`{line}` is missing: {text}");
        }
        assert!(!text.contains("rowcall_limit") && !text.contains("rowcall_budget"), "{text}");
    }
}
