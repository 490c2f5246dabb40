//! Accepts connections on loopback and hands each request to the pipeline.

use std::{convert::Infallible, sync::Arc, time::Duration};

use http::{HeaderValue, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{net::TcpListener, sync::Semaphore, time};

use crate::{
    answer::Body,
    gateway::Shared,
    pipeline,
    wire::{MAX_HEAD, MAX_HEADERS, Scanned, Shape, Verdict},
};

/// A head that takes longer is given up.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections at the same time. A webview opens six.
const MOST_CONNECTIONS: usize = 256;

/// Serves until the gateway is closed.
pub(crate) async fn serve(listener: Arc<TcpListener>, shared: Arc<Shared>) {
    let mut closed = shared.closed.subscribe();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        // More than that wait with the system until a place is free: one that was taken and dropped would look broken.
        let accepted = tokio::select! {
            accepted = async { (places.clone().acquire_owned().await, listener.accept().await) } => accepted,
            _ = closed.wait_for(|closed| *closed) => return,
        };
        let (Ok(place), accepted) = accepted else { return };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors: waiting is all that helps.
            time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Events and small answers must not wait for more bytes.
        let _ = stream.set_nodelay(true);
        let shared = shared.clone();
        tokio::spawn(async move {
            let mut closed = shared.closed.subscribe();
            let (stream, verdict) = Scanned::new(stream);
            let service = service_fn(move |request| handle(request, verdict.clone(), shared.clone()));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIMEOUT)
                .max_headers(MAX_HEADERS)
                .max_header_size(MAX_HEAD)
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                ended = connection => if let Err(error) = ended {
                    tracing::debug!(%error, "a connection of a webview ended");
                },
                _ = closed.wait_for(|closed| *closed) => {}
            }
            drop(place);
        });
    }
}

async fn handle(
    request: Request<Incoming>,
    verdict: Verdict,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let shape = verdict.of_next();
    let mut response = pipeline::handle(request, shape, &shared).await;
    if shape == Shape::Chunked {
        // Nothing behind its body was scanned.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response)
}
