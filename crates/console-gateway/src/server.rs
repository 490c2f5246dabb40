//! Accepts connections on loopback and hands each request to the pipeline.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{HeaderValue, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    time,
};

use crate::{
    answer::Body,
    gateway::Shared,
    pipeline,
    places::{Place, Places},
    wire::{MAX_HEAD, MAX_HEADERS, Scanned, Shape, Verdict},
};

/// A head that takes longer is given up. (The first of a connection: [`Place::is_lost`].)
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until the gateway is closed.
pub(crate) async fn serve(listener: Arc<TcpListener>, shared: Arc<Shared>) {
    let mut closed = shared.closed.subscribe();
    let places = Places::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors: waiting is all that helps.
            time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = tokio::select! {
            place = places.take() => place,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        tokio::spawn(converse(stream, place, shared.clone()));
    }
}

/// Serves one connection to its end.
async fn converse(stream: TcpStream, place: Place, shared: Arc<Shared>) {
    // Events and small answers must not wait for more bytes.
    let _ = stream.set_nodelay(true);
    let mut closed = shared.closed.subscribe();
    let (stream, verdict) = Scanned::new(stream);
    let service = service_fn(|request| handle(request, &verdict, &place, &shared));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        biased;
        ended = connection => if let Err(error) = ended {
            tracing::debug!(%error, "a connection of a webview ended");
        },
        () = place.is_lost() => {}
        _ = closed.wait_for(|closed| *closed) => {}
    }
}

async fn handle(
    request: Request<Incoming>,
    verdict: &Verdict,
    place: &Place,
    shared: &Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    place.is_heard();
    let shape = verdict.of_next();
    let mut response = pipeline::handle(request, shape, place, shared).await;
    // Nothing behind a body in chunks was scanned; and whoever has not shown the guard cookie gets one answer.
    if shape == Shape::Chunked || !place.is_known() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
