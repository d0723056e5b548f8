//! One request and its response: routes it, reads it, plays it in the simulation, waits, sends the answer.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, SERVER};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;

use crate::batches::{Asked, BatchRequest};
use crate::body::{AnswerBody, Broken};
use crate::fault::Moment;
use crate::openai::FINGERPRINT;
use crate::openai::error::error;
use crate::protocol::{Call, Service};
use crate::reply::{Ending, Failure, Reply};
use crate::route::Route;
use crate::shared::{Shared, Visit};
use crate::trouble::Trouble;

/// Larger request bodies are answered with 413.
const LARGEST_BODY: usize = 64 << 20;

/// Larger files are answered with 413.
const LARGEST_FILE: usize = 512 << 20;

/// Answers one request.
pub(crate) async fn serve(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<AnswerBody>, Broken> {
    if let Some(asked) = Asked::of(request.method(), request.uri()) {
        return answer_batch_request(request, &asked, &shared).await;
    }
    let Some(route) = Route::of(request.uri()) else {
        let message = format!("Invalid URL ({} {})", request.method(), request.uri().path());
        return Ok(response(error(404, &message, "invalid_request_error", None, None), None));
    };
    let expected = route.method();
    if *request.method() != expected {
        let message = format!("Not allowed to {} on {}.", request.method(), request.uri().path());
        let reply = error(405, &message, "invalid_request_error", None, Some("method_not_supported"));
        return Ok(response(reply.with_headers(vec![("allow", expected.to_string())]), None));
    }
    let reply = match route {
        Route::Answer(service) => return answer(request, &service, shared).await,
        Route::Count(service) => {
            let (head, body) = request.into_parts();
            match read(body).await {
                Some(body) => shared.simulation().count(call(&service, &head, &body)),
                None => shared.simulation().trouble(&service, Trouble::TooLarge),
            }
        }
        Route::Models => shared.simulation().models(),
        Route::Stats => shared.simulation().shown(),
        Route::Reset => {
            shared.reset();
            shared.simulation().shown()
        }
        Route::Health => {
            Reply::json(200, format!("{{\"status\":\"ok\",\"server\":\"{FINGERPRINT}\"}}").into_bytes())
        }
    };
    Ok(response(reply, None))
}

/// Answers a request to a batch API.
async fn answer_batch_request(
    request: Request<Incoming>,
    asked: &Asked,
    shared: &Arc<Shared>,
) -> Result<Response<AnswerBody>, Broken> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_FILE).collect().await.ok().map(Collected::to_bytes);
    let reply = match &body {
        Some(body) => shared.answer_batch_request(&BatchRequest { asked, headers: &head.headers, body }),
        None => shared.simulation().trouble(&Service::Chat, Trouble::TooLarge),
    };
    match reply.ending {
        Ending::Fails(Moment::Before, _) => Err(Broken::Cut),
        Ending::Whole | Ending::Fails(Moment::Midway, _) => Ok(response(reply, None)),
    }
}

/// The whole body, unless it is too large or does not arrive.
async fn read(body: Incoming) -> Option<Bytes> {
    Limited::new(body, LARGEST_BODY).collect().await.ok().map(Collected::to_bytes)
}

fn call<'c>(service: &'c Service, head: &'c Parts, body: &'c [u8]) -> Call<'c> {
    Call { service, headers: &head.headers, body }
}

/// Reads the body, asks the simulation, waits as long as the model takes, then answers or fails.
async fn answer(
    request: Request<Incoming>,
    service: &Service,
    shared: Arc<Shared>,
) -> Result<Response<AnswerBody>, Broken> {
    let mut visit = Visit::begin(&shared);
    let (head, body) = request.into_parts();
    let Some(body) = read(body).await else {
        let reply = shared.simulation().trouble(service, Trouble::TooLarge);
        return Ok(response(reply, Some(visit)));
    };
    let reply = visit.play(call(service, &head, &body));
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    if reply.until_answered > 0 {
        shared.until_answered(reply.until_answered).await;
    }
    match reply.ending {
        Ending::Fails(Moment::Before, Failure::Reset) => Err(Broken::Reset),
        Ending::Fails(Moment::Before, Failure::Cut) => Err(Broken::Cut),
        Ending::Fails(Moment::Before, Failure::Stall) => {
            std::future::pending::<Result<_, Infallible>>().await.map_err(Broken::from)
        }
        Ending::Whole | Ending::Fails(Moment::Midway, _) => Ok(response(reply, Some(visit))),
    }
}

fn response(reply: Reply, visit: Option<Visit>) -> Response<AnswerBody> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = reply.content_type;
    let headers: Vec<_> = reply.headers.clone();
    let mut response = Response::new(AnswerBody::new(reply, visit));
    *response.status_mut() = status;
    let map = response.headers_mut();
    map.insert(SERVER, HeaderValue::from_static(FINGERPRINT));
    map.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in headers {
        let name = if name == "allow" { ALLOW } else { http::HeaderName::from_static(name) };
        if let Ok(value) = HeaderValue::try_from(value) {
            map.insert(name, value);
        }
    }
    response
}
