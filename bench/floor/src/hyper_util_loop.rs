//! The loop one would write without rowcall: hyper-util's pooled client, `buffer_unordered` for requests in flight,
//! and a typed decode of envelope and value.
#![expect(clippy::disallowed_types, reason = "the bare client is what rowcall is compared with")]

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::arguments::Arguments;
use crate::chat;

/// Sends all rows; returns how many answers were correct.
pub(crate) async fn ask(arguments: &Arguments) -> Result<u64, String> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build(connector);
    let url = format!("{}/chat/completions", arguments.base);
    stream::iter(0..arguments.rows)
        .map(|row| one(&client, &url, row))
        .buffer_unordered(arguments.in_flight)
        .try_fold(0, async |ok, ()| Ok(ok + 1))
        .await
}

async fn one(client: &Client<HttpConnector, Full<Bytes>>, url: &str, row: u64) -> Result<(), String> {
    let request = Request::post(url)
        .header("content-type", "application/json")
        .header("authorization", "Bearer stub")
        .body(Full::new(Bytes::from(chat::request(row)?)))
        .map_err(|error| error.to_string())?;
    let response = client.request(request).await.map_err(|error| error.to_string())?;
    if response.status() != 200 {
        return Err(format!("row {row}: status {}", response.status()));
    }
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    chat::answer(&body, row).map(drop)
}
