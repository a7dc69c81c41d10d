//! The server of the lab: files of the page, and one address that answers requests.
//!
//! Requests run on threads of their own, so many at a time; whoever comes later waits, and is told so after a while. What one
//! request may use is [`Limits`](crate::lab::Limits)' business: it counts, so a request cannot run for ever.
//!
//! A connection costs its client as much as it costs the server: the head of a request must have arrived in five seconds, the whole
//! of it in ten, a connection is asked to end after five minutes, and there are only so many at a time. So nobody can hold
//! others out by sending, or reading, one byte a minute.
//!
//! Against pages of other sites that are open in the same browser: requests must be JSON (which another site may not send without
//! asking first, and nobody answers that question), and on a loopback address they must name a loopback host.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::assets;
use crate::lab;

/// Simulations at the same time: enough that one long one leaves room for others.
pub(super) const DEFAULT_LANES: u16 = 4;
/// Longest time that a request waits for its turn.
const QUEUE_TIME: Duration = Duration::from_secs(20);
/// Longest time in which the head of a request must have arrived, counted from the moment that the connection waits for one.
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Longest time in which its body must have arrived.
const UPLOAD_TIME: Duration = Duration::from_secs(10);
/// After this a connection takes no more requests.
const CONNECTION_TIME: Duration = Duration::from_secs(300);
/// What is left to it then for the answer that is under way.
const LAST_ANSWER_TIME: Duration = Duration::from_secs(60);
/// Connections at a time; whoever comes when there are as many is turned away.
const MOST_CONNECTIONS: usize = 1024;
/// How long to wait when the system has no more sockets to give.
const BREATHER: Duration = Duration::from_millis(100);
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
        let listener = TcpListener::bind(address).await?;
        let bound = listener.local_addr()?;
        let reach = if bound.ip().is_loopback() { Reach::Loopback } else { Reach::Network };
        let shared = Shared {
            lanes: Arc::new(Semaphore::new(lanes)),
            queue: Semaphore::new(lanes + QUEUE_LENGTH),
            reach,
        };
        ready(bound);
        accept_all(listener, Arc::new(shared)).await
    })
}

/// Takes connections for ever, each on a task of its own.
async fn accept_all(listener: TcpListener, shared: Arc<Shared>) -> io::Result<()> {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            sleep(BREATHER).await;
            continue;
        };
        if let Ok(place) = Arc::clone(&connections).try_acquire_owned() {
            tokio::spawn(attend(stream, Arc::clone(&shared), place));
        }
    }
}

/// Serves one connection until it ends or has lasted long enough.
async fn attend(stream: TcpStream, shared: Arc<Shared>, _place: OwnedSemaphorePermit) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(respond(&shared, request.map(Body::new)).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIME)
            .serve_connection(TokioIo::new(stream), service)
    );
    // How a connection ends is its client's affair.
    if timeout(CONNECTION_TIME, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LAST_ANSWER_TIME, connection).await;
    }
}

async fn respond(shared: &Shared, request: Request) -> Response {
    let mut response = route(shared, request).await;
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
    let turn = timeout(QUEUE_TIME, Arc::clone(&shared.lanes).acquire_owned()).await;
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
    let bytes: Bytes = match timeout(UPLOAD_TIME, to_bytes(body, limit)).await {
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
