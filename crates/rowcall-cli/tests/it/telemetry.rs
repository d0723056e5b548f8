//! `--otlp`: what a receiver gets, as the messages of the protocol.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use rowcall_sim::{Fault, FaultKind, Scenario, StatusFault};

use crate::command::{Ran, TestDir, ages, asking, requests, simulator};

/// What a receiver has got: spans, the latest value of each metric, and one request's head.
#[derive(Default)]
struct Got {
    spans: Vec<Span>,
    metrics: BTreeMap<String, f64>,
    head: String,
}

/// Answers each request with this status, and sends on what came.
fn receiver(status: &'static str) -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, received) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let sender = sender.clone();
            thread::spawn(move || {
                let mut buffer = Vec::new();
                loop {
                    let head = loop {
                        if let Some(at) = buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                            break at + 4;
                        }
                        let mut more = [0; 8_192];
                        match stream.read(&mut more) {
                            Ok(0) | Err(_) => return,
                            Ok(read) => buffer.extend(&more[..read]),
                        }
                    };
                    let text = String::from_utf8_lossy(&buffer[..head]).to_lowercase();
                    let length = text
                        .split("content-length: ")
                        .nth(1)
                        .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
                    let end = head + length.expect("a length");
                    while buffer.len() < end {
                        let mut more = [0; 8_192];
                        let read = stream.read(&mut more).expect("the rest");
                        buffer.extend(&more[..read]);
                    }
                    let body = buffer[head..end].to_vec();
                    buffer.drain(..end);
                    if sender.send((text, body)).is_err() {
                        return;
                    }
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
                    if stream.write_all(answer.as_bytes()).is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, received)
}

fn attribute<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a Value> {
    attributes.iter().find(|attribute| attribute.key == name)?.value.as_ref()?.value.as_ref()
}

fn got(received: &mpsc::Receiver<(String, Vec<u8>)>) -> Got {
    let mut got = Got::default();
    for (head, body) in received.try_iter() {
        if head.starts_with("post /v1/traces ") {
            let request = ExportTraceServiceRequest::decode(&*body).expect("traces");
            let scopes = request.resource_spans.into_iter().flat_map(|spans| spans.scope_spans);
            got.spans.extend(scopes.flat_map(|spans| spans.spans));
        } else {
            assert!(head.starts_with("post /v1/metrics "), "{head}");
            let request = ExportMetricsServiceRequest::decode(&*body).expect("metrics");
            for metrics in &request.resource_metrics {
                let resource = metrics.resource.as_ref().expect("a resource");
                assert_eq!(
                    attribute(&resource.attributes, "service.name"),
                    Some(&Value::StringValue("rowcall".to_owned()))
                );
                for metric in metrics.scope_metrics.iter().flat_map(|scope| &scope.metrics) {
                    let value = match metric.data.as_ref().expect("data") {
                        Data::Sum(sum) => sum
                            .data_points
                            .iter()
                            .map(|point| match point.value {
                                Some(Number::AsDouble(value)) => value,
                                _ => 0.0,
                            })
                            .sum(),
                        Data::Gauge(gauge) => gauge.data_points.len() as f64,
                        Data::Histogram(histogram) => histogram
                            .data_points
                            .iter()
                            .map(|point| {
                                assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                                assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                                point.count as f64
                            })
                            .sum(),
                        other => panic!("{other:?}"),
                    };
                    got.metrics.insert(metric.name.clone(), value);
                }
            }
        }
        got.head = head;
    }
    got
}

fn run(url: &str, variables: &[(&str, &str)]) -> (TestDir, Ran, u64) {
    let faults = [
        Fault::new(FaultKind::Refusal, 1.0).with_contains("77"),
        Fault::new(FaultKind::Status(StatusFault::new(500)), 1.0).with_contains("55").with_attempts(1),
    ];
    let scenario = faults.into_iter().fold(Scenario::instant("some fail"), Scenario::with_fault);
    let simulator = simulator(scenario);
    let dir = TestDir::new();
    dir.write("in.txt", ages(100));
    let base = simulator.base_url();
    let arguments = [
        &asking("in.txt", "age int", &base)[..],
        &["--otlp", url, "-o", "out.jsonl", "--price", "in=1,out=2"],
    ]
    .concat();
    let mut child = dir.start(&arguments, variables);
    drop(child.stdin.take());
    let ran = Ran::of(child);
    let asked = requests(&simulator);
    (dir, ran, asked)
}

#[test]
fn a_receiver_gets_metrics_and_the_traces_of_rows_that_had_a_failure() {
    for (opted_in, provider, duration, tokens) in [
        ("", "gen_ai.system", "gen_ai.client.operation.duration", "gen_ai.client.token.usage"),
        (
            "gen_ai_latest_experimental",
            "gen_ai.provider.name",
            "gen_ai.client.inference.duration",
            "gen_ai.client.inference.usage.input_tokens",
        ),
    ] {
        let (url, received) = receiver("200 OK");
        let variables = [
            ("OTEL_SEMCONV_STABILITY_OPT_IN", opted_in),
            ("OTEL_TRACES_SAMPLER_ARG", "0"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20secret"),
        ];
        let (_dir, ran, asked) = run(&url, &variables);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(!ran.stderr.contains("telemetry"), "{ran:?}");
        let got = got(&received);
        assert!(
            got.head.contains("api-key: a secret") && got.head.contains("application/x-protobuf"),
            "{}",
            got.head
        );
        assert_eq!(got.metrics["rowcall.requests"].round() as u64, asked);
        assert!(got.metrics["rowcall.cost"] > 0.0 && got.metrics["rowcall.tokens"] > 0.0);
        assert!(got.metrics[duration] >= 100.0 && got.metrics[tokens] > 0.0, "{:?}", got.metrics);
        let rows: Vec<_> = got.spans.iter().filter(|span| span.name == "row").collect();
        let indexes: Vec<_> =
            rows.iter().filter_map(|row| attribute(&row.attributes, "rowcall.row")).collect();
        let of = |row| Value::IntValue(row);
        assert!(
            indexes.len() == 2 && indexes.contains(&&of(77)) && indexes.contains(&&of(55)),
            "{indexes:?}"
        );
        for row in rows {
            let is_failed = row.status.as_ref().is_some_and(|status| status.code == 2);
            assert_eq!(is_failed, attribute(&row.attributes, "rowcall.row") == Some(&of(77)));
            let requests: Vec<_> =
                got.spans.iter().filter(|span| span.parent_span_id == row.span_id).collect();
            assert_eq!(requests.len(), if is_failed { 1 } else { 2 });
            for request in requests {
                assert_eq!((&*request.name, request.kind, &request.trace_id), ("chat sim", 3, &row.trace_id));
                assert!(
                    row.start_time_unix_nano <= request.start_time_unix_nano
                        && request.end_time_unix_nano <= row.end_time_unix_nano
                );
                assert_eq!(
                    attribute(&request.attributes, provider),
                    Some(&Value::StringValue("sim".to_owned()))
                );
                let is_fault = attribute(&request.attributes, "error.type").is_some();
                assert_eq!(is_fault, attribute(&request.attributes, "gen_ai.usage.input_tokens").is_none());
            }
        }
    }
}

#[test]
fn a_process_that_resumes_a_run_sends_what_it_has_done_itself() {
    let (url, received) = receiver("200 OK");
    let simulator = simulator(Scenario::instant("calm"));
    let (dir, base) = (TestDir::new(), simulator.base_url());
    let asking = asking("in.txt", "age int", &base);
    let arguments = [&asking[..], &["--otlp", &url, "-o", "out.jsonl", "--price", "in=1,out=2"]].concat();
    let mut of_each = Vec::new();
    for rows in [100, 110] {
        dir.write("in.txt", ages(rows));
        let ran = dir.rowcall(&arguments);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        of_each.push(got(&received).metrics);
    }
    let [first, second] = &of_each[..] else { panic!("two runs") };
    let requests = ["rowcall.requests", "gen_ai.client.token.usage"].map(|name| (first[name], second[name]));
    // Input and output tokens have a point each.
    assert_eq!(requests, [(100.0, 10.0), (200.0, 20.0)]);
    for name in ["rowcall.cost", "rowcall.tokens"] {
        assert!(second[name] > 0.0 && second[name] < first[name] / 4.0, "{name}: {first:?} {second:?}");
    }
    let status = dir.rowcall(&["status", "out.jsonl.journal", "--json"]);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&status.stdout).expect("JSON")["requests"], 110);
}

#[test]
fn the_share_of_rows_that_are_traced_can_be_set() {
    let (url, received) = receiver("200 OK");
    run(&url, &[("OTEL_TRACES_SAMPLER_ARG", "1")]);
    let rows = got(&received).spans.iter().filter(|span| span.name == "row").count();
    assert_eq!(rows, 100);
}

#[test]
fn a_receiver_that_fails_does_not_disturb_the_run() {
    let (url, _received) = receiver("500 Internal Server Error");
    for (url, expected) in [(&*url, "it answers 500"), ("http://127.0.0.1:1", "does not reach `127.0.0.1:1`")]
    {
        let (dir, ran, _) = run(url, &[]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert_eq!(ran.stderr.matches("warning: telemetry").count(), 1, "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
        assert!(dir.has("out.jsonl"));
    }
    let (_, ran, asked) = run("localhost:4318", &[]);
    assert!(
        ran.code == Some(2) && asked == 0 && ran.stderr.contains("is not the address of an OTLP receiver"),
        "{ran:?}"
    );
}
