//! The server of the lab: files of the page, and one address that answers requests.
//!
//! Requests run on threads of their own, so many at a time; whoever comes later waits, and is told so after a while. What one
//! request may use is [`Limits`](crate::lab::Limits)' business: it counts, so a request cannot run for ever.
//!
//! Against pages of other sites that are open in the same browser: requests must be JSON (which another site may not send without
//! asking first, and nobody answers that question), and on a loopback address they must name a loopback host.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use tokio::sync::Semaphore;

use super::assets;
use crate::lab;

/// Simulations at the same time: enough that one long one leaves room for others.
pub(super) const DEFAULT_LANES: u16 = 4;
/// Longest time that a request waits for its turn.
const QUEUE_TIME: Duration = Duration::from_secs(20);
/// Longest time in which a request must have arrived.
const UPLOAD_TIME: Duration = Duration::from_secs(10);
/// Visitors that may wait for their turn.
const QUEUE_LENGTH: usize = 64;

/// What the browser may load: files of this site, and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Headers of every response.
const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cache-control", "no-cache"),
];

/// Whether the machine's own browser alone can reach the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Loopback,
    Network,
}

/// What all requests share.
struct Shared {
    lanes: Arc<Semaphore>,
    queue: Semaphore,
    reach: Reach,
}

/// Serves the lab at `address` with `lanes` simulations at a time, for ever; calls `ready` with the address once it listens.
///
/// # Errors
/// The address cannot be listened on.
pub(super) fn serve(address: SocketAddr, lanes: usize, ready: impl FnOnce(SocketAddr)) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        let reach = if bound.ip().is_loopback() { Reach::Loopback } else { Reach::Network };
        let shared = Shared {
            lanes: Arc::new(Semaphore::new(lanes)),
            queue: Semaphore::new(lanes + QUEUE_LENGTH),
            reach,
        };
        ready(bound);
        axum::serve(listener, Router::new().fallback(respond).with_state(Arc::new(shared))).await
    })
}

async fn respond(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let mut response = route(&shared, request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn route(shared: &Shared, request: Request) -> Response {
    if shared.reach == Reach::Loopback && !names_loopback(request.headers()) {
        return refuse(StatusCode::FORBIDDEN, "this lab answers to its own machine only");
    }
    let method = request.method().clone();
    match (method, request.uri().path()) {
        (Method::POST, "/api/lab") => answer(shared, request).await,
        (Method::GET | Method::HEAD, path) => match assets::at(path) {
            Some(asset) => reply(StatusCode::OK, asset.media_type, Body::from(asset.bytes)),
            None => refuse(StatusCode::NOT_FOUND, "there is no such page"),
        },
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "pages are read with GET, /api/lab is asked with POST"),
    }
}

/// Whether the `Host` header is a name of this machine for itself.
fn names_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => host.split(':').next(),
    };
    matches!(name, Some("localhost" | "127.0.0.1" | "::1"))
}

/// Runs a request when it is its turn.
async fn answer(shared: &Shared, request: Request) -> Response {
    let is_json = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|media_type| media_type.to_str().ok())
        .is_some_and(|media_type| media_type.split(';').next().unwrap_or("").trim() == "application/json");
    if !is_json {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "a request is application/json");
    }
    let text = match read(request.into_body()).await {
        Ok(text) => text,
        Err((status, message)) => return refuse(status, &message),
    };
    let Ok(_place) = shared.queue.try_acquire() else {
        return refuse(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many visitors are waiting; try again in a moment",
        );
    };
    let turn = tokio::time::timeout(QUEUE_TIME, Arc::clone(&shared.lanes).acquire_owned()).await;
    let Ok(Ok(lane)) = turn else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "others are being served; try again in a moment");
    };
    // The lane is free when the simulation ends, even if the visitor has left.
    let simulation = tokio::task::spawn_blocking(move || {
        let answer = lab::answer(&text);
        drop(lane);
        answer
    });
    match simulation.await {
        Ok(answer) => reply(StatusCode::OK, "application/json", Body::from(answer)),
        Err(_) => {
            refuse(StatusCode::INTERNAL_SERVER_ERROR, "the simulator stopped: that is a mistake in gclab")
        }
    }
}

/// The whole body, if it is short enough and arrives in time.
async fn read(body: Body) -> Result<String, (StatusCode, String)> {
    let limit = lab::Limits::default().request_bytes;
    let bytes: Bytes = match tokio::time::timeout(UPLOAD_TIME, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => {
            let message = format!("the request is too long: at most {} KiB are read", limit >> 10);
            return Err((StatusCode::PAYLOAD_TOO_LARGE, message));
        }
        Err(_) => return Err((StatusCode::REQUEST_TIMEOUT, "the request did not arrive in time".to_owned())),
    };
    String::from_utf8(bytes.into())
        .map_err(|_| (StatusCode::BAD_REQUEST, "the request is not UTF-8 text".to_owned()))
}

fn reply(status: StatusCode, media_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// The same shape as an answer of the lab that refuses.
fn refuse(status: StatusCode, message: &str) -> Response {
    let body = serde_json::json!({ "refused": { "message": message } }).to_string();
    reply(status, "application/json", Body::from(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_loopback_hosts() {
        for (host, is_loopback) in [
            ("127.0.0.1:6060", true),
            ("localhost", true),
            ("[::1]:6060", true),
            ("example.com", false),
            ("localhost.example.com", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            assert_eq!(names_loopback(&headers), is_loopback, "{host:?}");
        }
    }
}
