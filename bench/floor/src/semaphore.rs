//! What most people write for rate limits: a fixed number of requests in flight; a rejected one keeps its slot,
//! sleeps as long as the server says, and retries forever.
#![expect(clippy::disallowed_types, reason = "the bare client is what rowcall is compared with")]

use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::arguments::Arguments;

/// How long to sleep if the server does not say.
const SLEEP: Duration = Duration::from_secs(1);

/// Sends every line of the file with bodies until it is answered; returns how many lines there were. The answers are
/// not examined.
pub(crate) async fn ask(arguments: &Arguments) -> Result<u64, String> {
    let file =
        arguments.bodies.as_ref().ok_or("`--bodies` is missing: the semaphore sends what stands there")?;
    let bodies = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let url = format!("{}/chat/completions", arguments.base);
    let answered = stream::iter(bodies.lines())
        .map(|body| answered(&client, &url, Bytes::copy_from_slice(body.as_bytes())))
        .buffer_unordered(arguments.in_flight)
        .try_fold(0, async |ok, ()| Ok(ok + 1))
        .await?;
    if answered == arguments.rows {
        Ok(answered)
    } else {
        Err(format!("{answered} bodies in `{}`", file.display()))
    }
}

async fn answered(client: &Client<HttpConnector, Full<Bytes>>, url: &str, body: Bytes) -> Result<(), String> {
    loop {
        let request = Request::post(url)
            .header("content-type", "application/json")
            .header("authorization", "Bearer simulated")
            .body(Full::new(body.clone()))
            .map_err(|error| error.to_string())?;
        let response = client.request(request).await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        // Read a rejection's body too, so that the connection can be reused.
        response.into_body().collect().await.map_err(|error| error.to_string())?;
        match status {
            200 => return Ok(()),
            429 | 529 => tokio::time::sleep(wait.map_or(SLEEP, Duration::from_secs)).await,
            _ => return Err(format!("status {status}")),
        }
    }
}
