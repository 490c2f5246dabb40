//! What need not be asked for again? The admin's static files, in memory, as a private cache keeps them (RFC 9111).
//!
//! How long a response is fresh is what it says itself. `AsyncMQ` says nothing about its files, and changes them with a release
//! without changing their names: a guess from their age (RFC 9111 §4.2.2) could show an old script under a new page for days.
//! So they are stale at once, and asked about with their validator. For [`crate::Pace::static_stale_for`] after the admin
//! confirmed one, it is served at once and asked about meanwhile (RFC 5861): the next page waits for none of them.
//!
//! One operator's files are no other's, and a sign-out forgets them all.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::{Bytes, BytesMut};
use console_core::upstream::{Outcome, Unreachable, UnreachableKind};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header, response};
use http_body_util::{BodyExt as _, BodyStream, Full, StreamBody};
use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy};
use hyper::body::Frame;
use quick_cache::{Weighter, sync::Cache};
use url::Url;

use crate::{
    answer::{Body, BoxError},
    exchange::{self, Answered, NotDone},
    gateway::Shared,
    jar::Epoch,
    operator::Operator,
    payload::Payload,
    resolve::Target,
};

/// The largest file that is kept, in bytes. `AsyncMQ`'s largest has some 300 kB.
const LARGEST: usize = 4 * 1024 * 1024;
/// What all files of one gateway may take, in bytes.
const ROOM: u64 = 32 * 1024 * 1024;
/// About how many files an admin has.
const FILES: usize = 32;

const OPTIONS: CacheOptions = CacheOptions {
    shared: false,
    cache_heuristic: 0.0,
    immutable_min_time_to_live: Duration::from_hours(24),
    ignore_cargo_cult: false,
};

/// Whose file, and which.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    operator: Operator,
    url: Url,
}

/// A response that is kept.
struct File {
    policy: CachePolicy,
    body: Bytes,
    /// It says itself how long it is fresh.
    says_how_long: bool,
    /// Somebody asks whether it still is so.
    is_asked: AtomicBool,
}

/// A weight in bytes, about.
#[derive(Clone)]
struct Bytewise;

impl Weighter<Key, Arc<File>> for Bytewise {
    fn weight(&self, key: &Key, file: &Arc<File>) -> u64 {
        const HEADS: usize = 2048;
        (key.url.as_str().len() + file.body.len() + HEADS) as u64
    }
}

/// The files of one gateway.
pub(crate) struct StaticFiles(Cache<Key, Arc<File>, Bytewise>);

impl Default for StaticFiles {
    fn default() -> Self {
        Self(Cache::with_weighter(FILES, ROOM, Bytewise))
    }
}

impl StaticFiles {
    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.0.clear();
    }
}

/// A request for a static file.
pub(crate) struct Asked {
    key: Key,
    /// Without the page's own conditions: the file is kept whole, and they are judged against that.
    request: Request<()>,
    if_none_match: Option<HeaderValue>,
}

impl Asked {
    /// `None`: it is for something else.
    pub(crate) fn of(
        method: &Method,
        headers: &HeaderMap,
        target: &Target,
        asked_by: Option<&Operator>,
        shared: &Shared,
    ) -> Option<Self> {
        let below = target.decoded_path.strip_prefix(shared.upstream.environment.base_url.prefix())?;
        if *method != Method::GET || !below.starts_with("/static/") || headers.contains_key(header::RANGE) {
            return None;
        }
        let mut request = Request::get(target.url.as_str()).body(()).ok()?;
        *request.headers_mut() = headers.clone();
        let if_none_match = request.headers_mut().remove(header::IF_NONE_MATCH);
        for name in [header::IF_MODIFIED_SINCE, header::IF_RANGE, header::COOKIE] {
            request.headers_mut().remove(name);
        }
        let key = Key { operator: asked_by?.clone(), url: target.url.clone() };
        Some(Self { key, request, if_none_match })
    }

    /// Answers from what is kept as far as that may be; else asks the admin.
    pub(crate) async fn answer(self, shared: &Arc<Shared>) -> Result<Answered, NotDone> {
        let Some(file) = shared.static_files.0.get(&self.key) else { return self.ask(None, shared).await };
        let epoch = shared.jar.epoch();
        if let BeforeRequest::Fresh(head) = file.policy.before_request(&self.request, now(shared)) {
            return Ok(self.answered(head, file.body.clone(), epoch));
        }
        let Some(head) = self.stale(&file, shared) else { return self.ask(Some(&file), shared).await };
        let answered = self.answered(head, file.body.clone(), epoch);
        if !file.is_asked.swap(true, Ordering::SeqCst) {
            let shared = shared.clone();
            // What comes of it is for the next page; that the admin was not reached the session was told.
            tokio::spawn(async move {
                let _ = self.ask(Some(&file), &shared).await;
                file.is_asked.store(false, Ordering::SeqCst);
            });
        }
        Ok(answered)
    }

    /// The head of a file that is served although it is stale. A page that wants to be sure (a reload) gets none.
    fn stale(&self, file: &File, shared: &Shared) -> Option<response::Parts> {
        let headers = self.request.headers();
        if file.says_how_long || headers.contains_key(header::CACHE_CONTROL) || headers.contains_key(header::PRAGMA) {
            return None;
        }
        let mut patient = self.request.clone();
        let max_stale = format!("max-stale={}", shared.pace.static_stale_for.as_secs());
        patient.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_str(&max_stale).ok()?);
        match file.policy.before_request(&patient, now(shared)) {
            BeforeRequest::Fresh(head) => Some(head),
            BeforeRequest::Stale { .. } => None,
        }
    }

    /// Asks the admin for the file, or whether it is still as it is `kept`.
    async fn ask(&self, kept: Option<&File>, shared: &Shared) -> Result<Answered, NotDone> {
        let Some(file) = kept else {
            let answered = self.exchange(self.request.headers(), shared).await?;
            return self.take_in(answered, shared).await;
        };
        let answered = match file.policy.before_request(&self.request, now(shared)) {
            BeforeRequest::Stale { request, .. } => self.exchange(&request.headers, shared).await?,
            BeforeRequest::Fresh(_) => self.exchange(self.request.headers(), shared).await?,
        };
        let mut head = Response::from_parts(answered.head.clone(), ());
        drop_unbelievable_age(head.headers_mut());
        match file.policy.after_response(&self.request, &head, now(shared)) {
            AfterResponse::NotModified(policy, head) => {
                self.keep(policy, &head.headers, file.body.clone(), answered.epoch, shared);
                Ok(self.answered(head, file.body.clone(), answered.epoch))
            }
            // Unchanged since something else than what is kept.
            AfterResponse::Modified(..) if head.status() == StatusCode::NOT_MODIFIED => {
                let answered = self.exchange(self.request.headers(), shared).await?;
                self.take_in(answered, shared).await
            }
            AfterResponse::Modified(..) => self.take_in(answered, shared).await,
        }
    }

    async fn exchange(&self, headers: &HeaderMap, shared: &Shared) -> Result<Answered, NotDone> {
        let asked_by = Some(self.key.operator.clone());
        let request = exchange::Request { method: &Method::GET, url: &self.key.url, headers, asked_by };
        exchange::exchange(request, &mut Payload::whole(Bytes::new()), shared).await
    }

    /// Keeps a whole file that may be kept; anything else passes as it is.
    async fn take_in(&self, answered: Answered, shared: &Shared) -> Result<Answered, NotDone> {
        let Answered { outcome, mut head, body, epoch } = answered;
        head.headers.remove(header::SET_COOKIE);
        drop_unbelievable_age(&mut head.headers);
        let response = Response::from_parts(head, ());
        let policy = CachePolicy::new_options(&self.request, &response, now(shared), OPTIONS);
        let (head, ()) = response.into_parts();
        let may_fit = length(&head.headers).map_or_else(|| tells_its_end(&head), |length| length <= LARGEST);
        // The library keeps one line of each name.
        let repeats = head.headers.len() != head.headers.keys_len();
        let is_kept = outcome == Outcome::Answered && head.status == StatusCode::OK && policy.is_storable();
        if !is_kept || !may_fit || repeats {
            return Ok(Answered { outcome, head, body, epoch });
        }
        let gathered = gathered(body).await.map_err(|_| {
            let detail = format!("The connection to `{}` broke in the middle of a file.", shared.host());
            NotDone::NotReached { why: Unreachable { kind: UnreachableKind::Broken, detail }, sent: true }
        })?;
        let body = match gathered {
            Ok(whole) => whole,
            Err(body) => return Ok(Answered { outcome, head, body, epoch }),
        };
        self.keep(policy, &head.headers, body.clone(), epoch, shared);
        Ok(self.answered(head, body, epoch))
    }

    /// Unless somebody signed out since it was asked for.
    fn keep(&self, policy: CachePolicy, headers: &HeaderMap, body: Bytes, epoch: Epoch, shared: &Shared) {
        let says_how_long = [header::CACHE_CONTROL, header::EXPIRES].iter().any(|name| headers.contains_key(name));
        let file = File { policy, body, says_how_long, is_asked: AtomicBool::new(false) };
        shared.static_files.0.insert(self.key.clone(), Arc::new(file));
        if shared.jar.epoch() != epoch {
            shared.static_files.clear();
        }
    }

    /// The answer for the page: 304 where it has the file already.
    fn answered(&self, mut head: response::Parts, body: Bytes, epoch: Epoch) -> Answered {
        let has_it = self.if_none_match.is_some() && self.if_none_match.as_ref() == head.headers.get(header::ETAG);
        let body = if has_it {
            head.status = StatusCode::NOT_MODIFIED;
            for name in [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_TYPE] {
                head.headers.remove(name);
            }
            Bytes::new()
        } else {
            body
        };
        let body = Full::from(body).map_err(|never| match never {}).boxed_unsync();
        Answered { outcome: Outcome::Answered, head, body, epoch }
    }
}

/// A body whose end is the connection's may have been cut short, and nobody could tell.
fn tells_its_end(head: &response::Parts) -> bool {
    head.version == Version::HTTP_2 || head.headers.contains_key(header::TRANSFER_ENCODING)
}

/// More than RFC 9111 §1.2.2 lets anybody count with; the library would add to it.
fn drop_unbelievable_age(headers: &mut HeaderMap) {
    let age = headers.get(header::AGE).map(|age| age.to_str().ok().and_then(|age| age.parse::<u32>().ok()));
    if age == Some(None) {
        headers.remove(header::AGE);
    }
}

/// The whole body; `Err` gives it back, from its beginning, where it is longer than [`LARGEST`].
async fn gathered(mut body: Body) -> Result<Result<Bytes, Body>, BoxError> {
    let mut gathered = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        gathered.extend_from_slice(&data);
        if gathered.len() > LARGEST {
            let begun = stream::iter([Ok(Frame::data(gathered.freeze()))]);
            return Ok(Err(StreamBody::new(begun.chain(BodyStream::new(body))).boxed_unsync()));
        }
    }
    Ok(Ok(gathered.freeze()))
}

fn length(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// By the session's clock.
fn now(shared: &Shared) -> SystemTime {
    let seconds = u64::try_from(shared.upstream.session.now().0).unwrap_or_default();
    UNIX_EPOCH + Duration::from_secs(seconds)
}
