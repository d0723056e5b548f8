//! Metrics and spans as messages of the OpenTelemetry protocol.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use rowcall::{RunSettings, Stats};

use super::metrics::{Kind, metrics};
use super::names::{self, DURATIONS, Generation};

/// What all measurements of a run have in common.
#[derive(Clone)]
pub(super) struct About {
    pub(super) generation: Generation,
    /// Of the provider, in its own words.
    pub(super) model: String,
    /// As the conventions name it.
    pub(super) provider: String,
    /// The server's host, if the user chose one.
    pub(super) server: Option<String>,
    /// About this process.
    pub(super) resource: Vec<(String, String)>,
}

impl About {
    /// The attributes of a request.
    pub(super) fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = vec![
            text(names::OPERATION, names::CHAT),
            text(self.generation.provider(), &self.provider),
            text(names::MODEL, &self.model),
        ];
        attributes.extend(self.server.as_ref().map(|server| text(names::SERVER, server)));
        attributes
    }

    fn resource(&self) -> Resource {
        let attributes = self.resource.iter().map(|(name, value)| text(name, value)).collect();
        Resource { attributes, ..Resource::default() }
    }
}

/// The request that exports these spans.
pub(super) fn traces(about: &About, spans: &[Span]) -> Vec<u8> {
    let scope_spans =
        vec![ScopeSpans { scope: Some(scope()), spans: spans.to_vec(), ..ScopeSpans::default() }];
    let resource_spans =
        vec![ResourceSpans { resource: Some(about.resource()), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

/// A period in nanoseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) since: u64,
    pub(super) until: u64,
}

/// The request that exports the metrics of a period.
pub(super) fn measurements(about: &About, stats: &Stats, settings: &RunSettings, period: Period) -> Vec<u8> {
    let mut all: Vec<_> = metrics(stats, settings)
        .iter()
        .map(|metric| {
            let point = |point: &super::metrics::Point| {
                let labels = point.labels.iter().map(|(name, value)| text(&format!("rowcall.{name}"), value));
                let attributes = labels.chain([text(names::MODEL, &about.model)]).collect();
                number(attributes, point.value, period)
            };
            let points = metric.points.iter().map(point).collect();
            let data = match metric.kind {
                Kind::Counter => sum(points),
                Kind::Gauge => Data::Gauge(Gauge { data_points: points }),
            };
            named(metric.name, metric.about, metric.unit.ucum(), data)
        })
        .collect();
    let latencies = stats.latencies(&DURATIONS);
    let mut before = 0;
    let mut bucket_counts: Vec<u64> =
        latencies.within.iter().map(|within| within - std::mem::replace(&mut before, *within)).collect();
    bucket_counts.push(latencies.count - before);
    let duration = HistogramDataPoint {
        attributes: about.attributes(),
        count: latencies.count,
        sum: Some(latencies.seconds),
        bucket_counts,
        explicit_bounds: DURATIONS.to_vec(),
        ..of(period)
    };
    all.push(named(
        about.generation.duration(),
        "How long requests took",
        "s".to_owned(),
        histogram(vec![duration]),
    ));
    let usage = stats.usage;
    match about.generation {
        Generation::Old => {
            // Only counts and sums are known, so it has a single bucket.
            let of_type = |kind: &str, tokens: u64| HistogramDataPoint {
                attributes: about.attributes().into_iter().chain([text(names::TOKEN_TYPE, kind)]).collect(),
                count: latencies.count,
                sum: Some(tokens as f64),
                bucket_counts: vec![latencies.count],
                ..of(period)
            };
            let points = vec![of_type("input", usage.input_tokens), of_type("output", usage.output_tokens)];
            all.push(named(names::TOKEN_USAGE, "Tokens", "{token}".to_owned(), histogram(points)));
        }
        Generation::New => {
            for (name, tokens) in [
                (names::INPUT_TOKENS, usage.input_tokens),
                (names::OUTPUT_TOKENS, usage.output_tokens),
                (names::CACHE_READ_TOKENS, usage.cached_tokens),
                (names::CACHE_WRITE_TOKENS, usage.cache_write_tokens),
                (names::REASONING_TOKENS, usage.reasoning_tokens),
            ] {
                let points = vec![number(about.attributes(), tokens as f64, period)];
                all.push(named(name, "Tokens", "{token}".to_owned(), sum(points)));
            }
        }
    }
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics: all, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics {
        resource: Some(about.resource()),
        scope_metrics,
        ..ResourceMetrics::default()
    }];
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

fn named(name: &str, about: &str, unit: String, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        description: about.to_owned(),
        unit,
        data: Some(data),
        ..Metric::default()
    }
}

fn sum(data_points: Vec<NumberDataPoint>) -> Data {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic: true })
}

fn histogram(data_points: Vec<HistogramDataPoint>) -> Data {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    Data::Histogram(Histogram { data_points, aggregation_temporality })
}

fn of(period: Period) -> HistogramDataPoint {
    HistogramDataPoint {
        start_time_unix_nano: period.since,
        time_unix_nano: period.until,
        ..HistogramDataPoint::default()
    }
}

fn number(attributes: Vec<KeyValue>, value: f64, period: Period) -> NumberDataPoint {
    NumberDataPoint {
        attributes,
        start_time_unix_nano: period.since,
        time_unix_nano: period.until,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..NumberDataPoint::default()
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "rowcall".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

pub(super) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

pub(super) fn integer(key: &str, value: u64) -> KeyValue {
    attribute(key, Value::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

pub(super) fn float(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
