//! Can a request's body be sent a second time? Small ones are read whole before anything is sent, as long as there is room.

use bytes::Bytes;
use http::Method;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{self, Duration},
};

use crate::{
    admit,
    answer::Answer,
    gateway::Shared,
    upload::{Pieces, Upload},
};

/// The largest body that is kept, in bytes.
pub(crate) const LARGEST: usize = 1024 * 1024;
/// What all requests on their way may keep together, in bytes; beyond it bodies are streamed.
const ROOM: usize = 16 * LARGEST;
/// How long a page may take to send a small body.
const BODY_WAIT: Duration = Duration::from_secs(30);

/// A place for the bodies that are kept.
pub(crate) fn room() -> Semaphore {
    Semaphore::new(ROOM)
}

/// A request's body.
pub(crate) enum Payload {
    /// Whole, in memory.
    Kept(Kept),
    /// On its way, once; `None`: gone.
    Streamed(Option<Incoming>),
}

/// A body in memory, with its part of the room.
pub(crate) struct Kept {
    bytes: Bytes,
    _place: Option<OwnedSemaphorePermit>,
}

impl Payload {
    /// A write's body, kept where that is possible; any other is streamed.
    pub(crate) async fn of(method: &Method, body: Incoming, shared: &Shared) -> Result<Self, Answer> {
        if body.is_end_stream() {
            return Ok(Self::whole(Bytes::new()));
        }
        let length = body.size_hint().exact().and_then(|length| u32::try_from(length).ok());
        let Some(length) = length.filter(|length| *length as usize <= LARGEST && !admit::is_safe(method)) else {
            return Ok(Self::Streamed(Some(body)));
        };
        let Ok(place) = shared.room.clone().try_acquire_many_owned(length) else {
            return Ok(Self::Streamed(Some(body)));
        };
        match time::timeout(BODY_WAIT, body.collect()).await {
            Ok(Ok(collected)) => Ok(Self::Kept(Kept { bytes: collected.to_bytes(), _place: Some(place) })),
            _ => Err(Answer::Incomplete),
        }
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Kept(Kept { bytes, _place: None })
    }

    /// The bytes, when they can be sent again.
    pub(crate) fn kept(&self) -> Option<&Bytes> {
        match self {
            Self::Kept(kept) => Some(&kept.bytes),
            Self::Streamed(_) => None,
        }
    }

    /// What goes out now, and how far it has come is `upload`'s to say; `None`: no body. One in a single piece the client can
    /// repeat by itself.
    pub(crate) fn outgoing(&mut self, upload: &Upload) -> Option<reqwest::Body> {
        match self {
            Self::Kept(kept) if kept.bytes.is_empty() => None,
            Self::Kept(kept) => Some(match Pieces::of(kept.bytes.clone()) {
                Ok(pieces) => reqwest::Body::wrap(upload.of(pieces)),
                Err(single) => single.into(),
            }),
            Self::Streamed(body) => body.take().map(|body| reqwest::Body::wrap(upload.of(body))),
        }
    }
}
