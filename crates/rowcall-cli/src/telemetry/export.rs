//! Sends metrics and spans to an OpenTelemetry receiver at regular intervals: OTLP over HTTP, as protobuf. A receiver that fails never
//! disturbs the run; what it misses is sent again, as far as there is room.
#![expect(
    clippy::disallowed_methods,
    reason = "the receiver is named in the environment, and measurements have the time of day"
)]
#![expect(
    clippy::disallowed_types,
    reason = "a receiver is not a provider, so none of transport.rs's rules apply to it"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Request, Uri};
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rowcall::{Error, Event, EventKind, Problem, Result, Stats};
use tokio::task::JoinHandle;

use super::earlier::Earlier;
use super::names::{self, Generation};
use super::otlp::{About, Period, measurements, traces};
use super::spans::{Spans, nanoseconds};
use crate::live::UnderWay;
use crate::progress::Progress;

/// How often measurements are sent, unless `OTEL_METRIC_EXPORT_INTERVAL` says otherwise.
const EVERY: Duration = Duration::from_secs(10);

/// How long a receiver may take to answer.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How long the end of a run waits for a receiver.
const LONGEST_END: Duration = Duration::from_secs(5);

/// The share of rows without a failure that are traced, unless `OTEL_TRACES_SAMPLER_ARG` says otherwise: a million rows must not be a million
/// traces.
const SHARE: f64 = 0.01;

/// Where to send, and what is known of the run before it starts.
pub(crate) struct TelemetryOptions<'a> {
    /// The receiver's address, if the user gave one as an option.
    pub(crate) url: Option<&'a str>,
    /// `PROVIDER/MODEL`.
    pub(crate) model: &'a str,
    /// The server's address, if the user gave one.
    pub(crate) base_url: Option<&'a str>,
    /// What this process has done so far.
    pub(crate) stats: &'a Stats,
}

/// Sends what a run does.
pub(crate) struct Telemetry {
    sender: Arc<Sender>,
    spans: Arc<Spans>,
    task: Option<JoinHandle<()>>,
}

struct Sender {
    about: About,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    traces: Uri,
    metrics: Uri,
    headers: HeaderMap,
    since: u64,
    /// What is in the statistics and was spent before that.
    earlier: Mutex<Earlier>,
    every: Duration,
    /// Reports the first failure.
    warn: Box<dyn Fn(&str) + Send + Sync>,
    has_warned: AtomicBool,
}

impl Telemetry {
    /// Telemetry for a run that is about to start; `None` if neither an option nor the environment names a receiver.
    ///
    /// # Errors
    /// For an address or headers that are not valid.
    pub(crate) fn new(options: &TelemetryOptions<'_>, progress: &Progress) -> Result<Option<Self>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let is_disabled =
            variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let from_environment = || variable("OTEL_EXPORTER_OTLP_ENDPOINT").filter(|_| !is_disabled);
        let Some(url) = options.url.map(str::to_owned).or_else(from_environment) else { return Ok(None) };
        let address = |signal: &str| {
            let text = format!("{}/v1/{signal}", url.trim_end_matches('/'));
            let uri =
                text.parse::<Uri>().ok().filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
            uri.ok_or_else(|| {
                let message = format!("`{url}` is not the address of an OTLP receiver, expected one such as `http://localhost:4318`");
                Error::Config(Problem::new(message))
            })
        };
        let (provider, model) = options.model.split_once('/').unwrap_or(("", options.model));
        let about = About {
            generation: Generation::of(variable(names::OPT_IN).as_deref()),
            model: model.to_owned(),
            provider: names::provider(provider).to_owned(),
            server: options.base_url.and_then(|url| Some(url.parse::<Uri>().ok()?.host()?.to_owned())),
            resource: resource(
                variable("OTEL_SERVICE_NAME"),
                variable("OTEL_RESOURCE_ATTRIBUTES").as_deref(),
            ),
        };
        let number = |name: &str| variable(name).and_then(|value| value.trim().parse::<f64>().ok());
        let share = number("OTEL_TRACES_SAMPLER_ARG").unwrap_or(SHARE).clamp(0.0, 1.0);
        let every = number("OTEL_METRIC_EXPORT_INTERVAL")
            .map(|ms| Duration::from_secs_f64((ms / 1_000.0).clamp(0.1, 3_600.0)));
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(rustls::crypto::ring::default_provider())
            .map_err(|error| {
                Error::Config(Problem::new(format!("the system's certificates cannot be read: {error}")))
            })?
            .https_or_http()
            .enable_http1()
            .build();
        let (log, is_quiet) = (progress.log(), progress.verbosity() == crate::progress::Verbosity::Quiet);
        let sender = Sender {
            client: Client::builder(TokioExecutor::new()).build(connector),
            traces: address("traces")?,
            metrics: address("metrics")?,
            headers: headers(variable("OTEL_EXPORTER_OTLP_HEADERS").as_deref())?,
            since: nanoseconds(SystemTime::now()),
            earlier: Mutex::new(Earlier::of(options.stats)),
            every: every.unwrap_or(EVERY),
            warn: Box::new(move |line| {
                if !is_quiet {
                    log(line);
                }
            }),
            has_warned: AtomicBool::new(false),
            about: about.clone(),
        };
        let spans = Arc::new(Spans::new(about, share));
        Ok(Some(Self { sender: Arc::new(sender), spans, task: None }))
    }

    /// Takes the run's events.
    pub(crate) fn observer(&self) -> impl Fn(&Event) + Send + Sync + 'static {
        let (spans, sender) = (Arc::clone(&self.spans), Arc::clone(&self.sender));
        move |event| {
            if let EventKind::Resumed { totals } = &event.kind {
                sender.earlier.lock().unwrap_or_else(PoisonError::into_inner).add(totals);
            }
            spans.note(event);
        }
    }

    /// Starts to send.
    pub(crate) fn start(&mut self, run: &Arc<UnderWay>) {
        let (sender, spans, run) = (Arc::clone(&self.sender), Arc::clone(&self.spans), Arc::clone(run));
        self.task = Some(tokio::spawn(async move {
            loop {
                tokio::time::sleep(sender.every).await;
                sender.send(&run, &spans).await;
            }
        }));
    }

    /// Sends the rest, as long as that does not take too long.
    pub(crate) async fn end(self, run: &UnderWay) {
        if let Some(task) = &self.task {
            task.abort();
        }
        if tokio::time::timeout(LONGEST_END, self.sender.send(run, &self.spans)).await.is_err() {
            self.sender.failed("it takes too long to answer");
        }
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Sender {
    async fn send(&self, run: &UnderWay, spans: &Spans) {
        let earlier = *self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
        let (stats, settings) = (earlier.without(run.control.stats()), run.control.settings());
        let period = Period { since: self.since, until: nanoseconds(SystemTime::now()) };
        let metrics = measurements(&self.about, &stats, &settings, period);
        if let Err(problem) = self.post(&self.metrics, metrics).await {
            self.failed(&problem);
        }
        let (ended, dropped) = spans.take();
        if !ended.is_empty()
            && let Err(problem) = self.post(&self.traces, traces(&self.about, &ended)).await
        {
            self.failed(&problem);
            spans.put_back(ended);
        }
        if dropped > 0 {
            self.failed(&format!("{dropped} spans are dropped, since too many wait"));
        }
    }

    async fn post(&self, uri: &Uri, body: Vec<u8>) -> std::result::Result<(), String> {
        let mut request = Request::post(uri.clone()).header(CONTENT_TYPE, "application/x-protobuf");
        if let Some(headers) = request.headers_mut() {
            headers.extend(self.headers.clone());
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| error.to_string())?;
        let answer = tokio::time::timeout(LONGEST_WAIT, self.client.request(request)).await;
        match answer {
            Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
            Ok(Ok(answer)) => Err(format!("it answers {}", answer.status())),
            Ok(Err(error)) => Err(cause(&error)),
            Err(_) => Err("it takes too long to answer".to_owned()),
        }
    }

    fn failed(&self, problem: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            // Without a query, which may have a secret.
            let receiver = self.metrics.authority().map_or_else(String::new, ToString::to_string);
            let receiver = receiver.rsplit('@').next().unwrap_or_default();
            (self.warn)(&format!(
                "warning: telemetry does not reach `{receiver}`: {problem}; the run continues"
            ));
        }
    }
}

/// The innermost cause of an error, which says most.
fn cause(error: &dyn std::error::Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// The attributes of this process. Those in the environment win.
fn resource(name: Option<String>, given: Option<&str>) -> Vec<(String, String)> {
    let mut all = vec![
        ("service.name".to_owned(), name.unwrap_or_else(|| "rowcall".to_owned())),
        ("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("process.pid".to_owned(), std::process::id().to_string()),
    ];
    for (key, value) in pairs(given.unwrap_or_default()) {
        all.retain(|(known, _)| *known != key);
        all.push((key, value));
    }
    all
}

/// The headers for the receiver, such as `api-key=secret`.
fn headers(given: Option<&str>) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(given.unwrap_or_default()) {
        let parsed = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value));
        let (Ok(key), Ok(mut value)) = parsed else {
            let message = format!("the header `{name}` in `OTEL_EXPORTER_OTLP_HEADERS` is not a valid one");
            return Err(Error::Config(Problem::new(message)));
        };
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// Pairs such as `a=b,c=d%20e`.
fn pairs(text: &str) -> impl Iterator<Item = (String, String)> {
    text.split(',').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), unescaped(value.trim())))
    })
}

/// Text with `%20` and the like replaced.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped =
            after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_read_as_the_specification_has_them() {
        let read: Vec<_> = pairs("a=b, api-key=x%20y%,=,c=d=e").collect();
        let expected = [("a", "b"), ("api-key", "x y%"), ("", ""), ("c", "d=e")];
        assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let resource = resource(None, Some("service.name=mine,team=data"));
        assert!(resource.contains(&("service.name".to_owned(), "mine".to_owned())));
        assert_eq!(resource.len(), 4);
        assert!(headers(Some("a b=c")).is_err());
        assert_eq!(headers(Some("x=y")).map(|headers| headers.len()).unwrap_or_default(), 1);
    }
}
