//! What must hold whatever bytes arrive? One function for each target in fuzz/; it panics when its promise is broken.

use std::{
    cell::RefCell,
    convert::Infallible,
    future::ready,
    sync::OnceLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use console_core::{
    clock::SystemClock,
    environment::{Environment, EnvironmentDraft},
    realm::BaseUrl,
    session::{Attachment, Authorization, Session},
    token::Identity,
};
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8};
use futures_util::{StreamExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri, header, uri::PathAndQuery};
use http_body::Body as _;
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use sse_stream::{Sse, SseByteStream};
use tokio::{io, runtime, time};
use url::Url;

use crate::{
    action::{self, Asked},
    admit::{self, ENTRY_PATH, Origin},
    forward,
    jar::Jar,
    resolve::{decode_once, is_below, resolve},
    rewrite::Rewriter,
    route, third_party,
    ticket::Guard,
    wire::{self, MAX_HEAD, MAX_HEADERS, Scanned, Shape},
};

const BASES: [&str; 4] = [
    "https://admin.example/asyncmq",
    "http://admin.example",
    "http://[::1]:81/ops/queues",
    "http://127.0.0.1:8000/a%20b",
];
/// Nothing here waits for anything but itself; a future that does not end is a bug as well.
const PATIENCE: Duration = Duration::from_secs(20);

fn finished<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: RefCell<runtime::Runtime> = RefCell::new(
            runtime::Builder::new_current_thread().enable_time().build().expect("a runtime without input or output"),
        );
    }
    RUNTIME.with_borrow(|runtime| runtime.block_on(async { time::timeout(PATIENCE, future).await }).expect("it ends"))
}

fn own_origin() -> Origin {
    Origin { host: "127.0.0.1:4000".into(), text: "http://127.0.0.1:4000".into() }
}

fn base(choice: u8) -> BaseUrl {
    BaseUrl::parse(BASES[usize::from(choice) % BASES.len()], true).expect("a base that is sound")
}

fn environment(choice: u8) -> Environment {
    let draft = EnvironmentDraft {
        name: "Fuzzing".into(),
        base_url: base(choice).to_string(),
        tag: "FUZZ".into(),
        allow_plain_http: true,
        ..EnvironmentDraft::default()
    };
    let checked = draft.check().expect("a sound draft");
    checked.into_environment("0123456789abcdef".parse().expect("sixteen digits"))
}

/// `Name: value` lines as headers; what is none is left out.
fn headers(bytes: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(MAX_HEADERS) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = parts.next().and_then(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
        let value = parts.next().and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    headers
}

/// The scanner's verdict does not depend on how the bytes are cut, and hyper reads the same requests and bodies.
pub fn request_heads(bytes: &[u8]) {
    let verdict = wire::judged([bytes]);
    let step = bytes.first().map_or(1, |first| usize::from(*first % 61) + 1);
    assert_eq!(wire::judged(bytes.chunks(step)), verdict, "cut by {step}");
    let mut bodies = Vec::new();
    let mut rest = bytes;
    while let Ok(Some((head, body))) = wire::examine(rest) {
        bodies.push(body);
        let whole = usize::try_from(body).ok().and_then(|body| head.checked_add(body));
        rest = whole.and_then(|whole| rest.get(whole..)).unwrap_or_default();
    }
    let heard = finished(heard_by_hyper(bytes));
    assert!(bodies.starts_with(&heard), "the scanner saw bodies of {bodies:?}, hyper of {heard:?}");
}

/// The lengths of the bodies of those requests that would be answered.
async fn heard_by_hyper(bytes: &[u8]) -> Vec<u64> {
    let heard = RefCell::new(Vec::new());
    let (stream, verdict) = Scanned::new(io::join(bytes, io::sink()));
    let service = service_fn(|request: Request<Incoming>| {
        let sound = verdict.of_next() == Shape::Sound;
        if sound {
            heard.borrow_mut().push(request.body().size_hint().exact().expect("no body without a length"));
        }
        async move {
            // A body that breaks off ends the connection.
            let _ = request.into_body().collect().await;
            Ok::<_, Infallible>(Response::new(Empty::<Bytes>::new()))
        }
    });
    // How it ends is hyper's business.
    let _ = http1::Builder::new()
        .header_read_timeout(None)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    heard.into_inner()
}

/// Who is admitted named this host once, comes from this origin, and holds the guard cookie. (`GUARD` stands for it.)
pub fn admission(bytes: &[u8]) {
    static GUARD: OnceLock<Guard> = OnceLock::new();
    let guard = GUARD.get_or_init(|| Guard::new().expect("random bytes"));
    let cookie = guard.set_cookie().split(';').next().unwrap_or_default().to_owned();
    let head: Vec<u8> = String::from_utf8_lossy(bytes).replace("GUARD", &cookie).into_bytes();
    let mut parts = head.splitn(3, |byte| *byte == b' ' || *byte == b'\n');
    let (Some(method), Some(target), Some(lines)) = (parts.next(), parts.next(), parts.next()) else { return };
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method), Uri::try_from(target)) else { return };
    let (headers, own) = (headers(lines), own_origin());
    if admit::judge_sender(&method, &uri, &headers, &own).is_ok() {
        let all = |name: &str| headers.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        assert_eq!(all("host"), [own.host.as_bytes()]);
        let origins = all("origin");
        let report = method == Method::POST && uri.path() == third_party::REPORTS_PATH && origins == [b"null"];
        assert!(origins == [own.text.as_bytes()] || (origins.is_empty() && admit::is_safe(&method)) || report);
        assert!(!matches!(method, Method::OPTIONS | Method::TRACE | Method::CONNECT));
        assert!(uri.authority().is_none() && uri.path().starts_with('/'));
        assert!(all("sec-fetch-site").iter().all(|site| matches!(*site, b"same-origin" | b"none")));
    }
    if admit::judge_guard(&headers, guard).is_ok() {
        let (_, secret) = cookie.split_once('=').expect("a pair");
        let held = headers.get_all(header::COOKIE).iter().any(|value| value.to_str().is_ok_and(|v| v.contains(secret)));
        assert!(held, "admitted without the guard cookie");
    }
}

/// An address that is resolved lies in the realm, however it is read.
pub fn addresses(bytes: &[u8]) {
    let Some((choice, target)) = bytes.split_first() else { return };
    let base = base(*choice);
    let Ok(uri) = Uri::try_from(target) else { return };
    let Ok(target) = resolve(&base, &uri) else { return };
    assert!(base.realm().contains(&target.url), "{} is outside", target.url);
    assert_eq!(Url::parse(target.url.as_str()).as_ref(), Ok(&target.url), "what is sent is what was judged");
    assert!(target.url.username().is_empty() && target.url.fragment().is_none());
    let decoded = &target.decoded_path;
    let prefix = base.prefix();
    assert!(is_below(prefix, decoded), "`{decoded}` is not below `{prefix}`");
    assert!(!decoded.split('/').any(|segment| segment == ".." || segment == "."), "`{decoded}` leaves its prefix");
}

/// A `next` that is kept leads to a page of this gateway, below the prefix, and to no page that signs in or out.
pub fn next(bytes: &[u8]) {
    let Some((choice, rest)) = bytes.split_first() else { return };
    let environment = environment(*choice);
    let text = String::from_utf8_lossy(rest);
    let encoded = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", &text).finish();
    for query in [&*text, &encoded] {
        let Some(next) = route::safe_next(&environment, Some(query)) else { continue };
        assert!(next.starts_with('/') && !next.starts_with("//") && HeaderValue::from_str(&next).is_ok(), "{next:?}");
        let gateway = Url::parse(&own_origin().text).expect("an origin");
        let page = gateway.join(&next).expect("a path is a URL");
        assert_eq!(page.origin(), gateway.origin(), "{next:?}");
        let decoded = decode_once(page.path()).expect("read in one way only");
        assert!(is_below(environment.base_url.prefix(), &decoded), "{next:?}");
        assert_eq!(route::native(&environment, &decoded), None, "{next:?}");
    }
}

/// An entry address that lets in holds the ticket (`TICKET` stands for it), lets in once, and leads to a page of this gateway.
pub fn ticket(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Some((target, asked)) = text.split_once('\n') else { return };
    // Where it leads to was the target of a request once: no tab in it, and no line break.
    let Ok(target) = PathAndQuery::try_from(target) else { return };
    let target = route::on_this_host(target.as_str());
    let gateway = Url::parse(&own_origin().text).expect("an origin");
    assert_eq!(gateway.join(&target).expect("a path is a URL").origin(), gateway.origin(), "{target:?}");
    let (guard, now) = (Guard::new().expect("random bytes"), Instant::now());
    let ticket = guard.issue(&target, now).expect("random bytes");
    let Ok(asked) = Uri::try_from(asked.replace("TICKET", &ticket)) else { return };
    let Some(shown) = asked.path().strip_prefix(ENTRY_PATH) else { return };
    match guard.redeem(shown, now) {
        Some(led_to) => assert_eq!((shown, led_to), (&*ticket, target)),
        None => assert_ne!(shown, ticket),
    }
    assert_eq!(guard.redeem(shown, now), None, "it lets in twice");
}

/// A write is named in one line without anything hidden, and what is understood of it is in its bytes.
pub fn writes(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let (Some(target), Some(body)) = (parts.next(), parts.next()) else { return };
    let Ok(uri) = Uri::try_from(target) else { return };
    let base = base(1);
    let Ok(target) = resolve(&base, &uri) else { return };
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, form)]);
    let decoded = target.decoded_path.strip_prefix(base.prefix()).unwrap_or_default();
    let asked = Asked { method: &Method::POST, target: target.url.path(), decoded, headers: &headers, body };
    let action = action::action(asked);
    assert!(!action.name.is_empty() && action.name.chars().count() <= 120, "{:?}", action.name);
    let hidden = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!action.name.chars().any(hidden), "{:?}", action.name);
    if let Some(meaning) = action.meaning {
        assert!(
            decoded.starts_with(&format!("/queues/{}", meaning.queue)),
            "{decoded:?} is not about {:?}",
            meaning.queue
        );
    }
}

/// A document is rewritten in the same way however it is cut, and whatever the parser is spared of it; without the host it
/// stays as it is; a second time, too.
pub fn html(bytes: &[u8]) {
    const CODINGS: [&str; 5] = ["gzip", "br", "deflate", "zstd", "gzip, br"];
    const TYPES: [&str; 4] = ["text/html; charset=utf-8", "text/html", "text/html; charset=shift_jis", ""];
    let [choice, step, document @ ..] = bytes else { return };
    let media = TYPES[usize::from(*choice % 4)];
    let step = usize::from(*step) + 1;
    if let Some(coding) = CODINGS.get(usize::from(*choice >> 4)) {
        // Broken codings end in an error, never in anything worse.
        let _ = rewritten(document, step, media, Some(coding));
    }
    let Some(whole) = rewritten(document, document.len().max(1), media, None) else { return };
    let cut = rewritten(document, step, media, None).unwrap_or_default();
    assert!(cut == whole, "cut by {step}: {:?}\nwhole: {:?}", lossy(&cut), lossy(&whole));
    let charset = [Some(UTF_8), None, Some(SHIFT_JIS), None][usize::from(*choice % 4)];
    if let Some(charset) = charset.filter(|_| Encoding::for_bom(document).is_none()) {
        let parsed = Rewriter::new(base(1).as_url()).parsed(document, charset);
        assert!(parsed == whole, "parsed: {:?}\nspared: {:?}", lossy(&parsed), lossy(&whole));
    }
    if !may_name_host(document) {
        assert!(whole == document, "{:?} became {:?}", lossy(document), lossy(&whole));
    }
    let again = rewritten(&whole, whole.len().max(1), media, None).unwrap_or_default();
    assert!(again == whole, "again: {:?}\nonce: {:?}", lossy(&again), lossy(&whole));
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rewritten(document: &[u8], step: usize, media: &str, coding: Option<&str>) -> Option<Vec<u8>> {
    let rewriter = Rewriter::new(base(1).as_url());
    let mut headers = HeaderMap::new();
    if !media.is_empty() {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(media).ok()?);
    }
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_str(coding).ok()?);
    }
    let chunks: Vec<_> =
        document.chunks(step).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    let body = rewriter.html_body(&mut headers, stream::iter(chunks)).ok()?;
    let parts: Vec<Bytes> = finished(body.try_collect()).ok()?;
    Some(parts.concat())
}

/// Whether a browser could read the host's name, or a policy that is not for loopback, anywhere in `document`.
fn may_name_host(document: &[u8]) -> bool {
    let text: Vec<u8> = document.iter().filter(|byte| **byte > b' ').map(u8::to_ascii_lowercase).collect();
    let holds = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    // Written otherwise: character references, percent encoding, Unicode; and policies, which name no host.
    document.iter().any(|byte| matches!(byte, b'&' | b'%') || !byte.is_ascii())
        || holds(b"admin.example")
        || holds(b"content-security-policy")
}

/// What governs the loopback origin or names a credential does not pass; a second rewriting finds nothing.
pub fn response_headers(bytes: &[u8]) {
    let rewriter = Rewriter::new(base(1).as_url());
    let mut once = headers(bytes);
    rewriter.response_headers(&mut once);
    for name in ["set-cookie", "connection", "www-authenticate", "strict-transport-security", "clear-site-data"] {
        assert!(!once.contains_key(name), "{name} has passed");
    }
    let mut twice = once.clone();
    rewriter.response_headers(&mut twice);
    assert_eq!(twice, once);
    if let Some(location) = once.get(header::LOCATION).and_then(|value| value.to_str().ok()) {
        let page = Url::parse("http://127.0.0.1:4000/asyncmq/x").expect("an address");
        let without_user = |url: &Url| url.username().is_empty() && url.password().is_none();
        let leads_away = |url: &Url| url.origin() == base(1).as_url().origin() && without_user(url);
        assert!(!page.join(location).is_ok_and(|url| leads_away(&url)), "{location:?} leads away");
    }
}

/// A policy keeps each of its directives and allows nothing more than the gateway in the place of the realm's host; what
/// would send requests or reports elsewhere is gone.
pub fn policy(bytes: &[u8]) {
    const GONE: [&str; 3] = ["upgrade-insecure-requests", "report-uri", "report-to"];
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let rewriter = Rewriter::new(base(1).as_url());
    let mut headers = HeaderMap::from_iter([(header::CONTENT_SECURITY_POLICY, value)]);
    let written = directives(&headers);
    rewriter.response_headers(&mut headers);
    let rewritten = directives(&headers);
    let names = |directives: &[Vec<String>]| directives.iter().map(|words| words[0].clone()).collect::<Vec<_>>();
    let kept: Vec<_> = written.into_iter().filter(|words| !GONE.contains(&&*words[0])).collect();
    assert_eq!(names(&rewritten), names(&kept));
    for (before, after) in kept.iter().zip(&rewritten) {
        let added: Vec<_> = after.iter().filter(|word| !before.contains(word)).collect();
        assert!(added.is_empty() || added == ["'self'"], "{before:?} became {after:?}");
        let of_host = |word: &String| matches!(&**word, "admin.example" | "http://admin.example");
        let lists_sources = after[0].ends_with("-src");
        assert!(!lists_sources || !after[1..].iter().any(of_host), "{after:?} names the host");
        assert!(before.len() > 1 || after.len() == 1, "{before:?} became {after:?}: nothing was allowed");
    }
    let once = headers.clone();
    rewriter.response_headers(&mut headers);
    assert_eq!(headers, once);
}

/// The directives of the policies, each as its words in lower case: the name first.
fn directives(headers: &HeaderMap) -> Vec<Vec<String>> {
    let values = headers.get_all(header::CONTENT_SECURITY_POLICY).iter();
    let texts: Vec<String> = values.map(|value| value.as_bytes().iter().copied().map(char::from).collect()).collect();
    let directives = texts.iter().flat_map(|text| text.split([',', ';']));
    let words = directives.map(|text| text.split_ascii_whitespace().map(str::to_ascii_lowercase).collect::<Vec<_>>());
    words.filter(|words| !words.is_empty()).collect()
}

/// A page hears of a live stream what the admin said: however it is cut, and each event as one.
pub fn events(bytes: &[u8]) {
    let Some((step, stream)) = bytes.split_first() else { return };
    let said = heard(stream, stream.len().max(1));
    let step = usize::from(*step) + 1;
    assert_eq!(heard(stream, step), said, "cut by {step}");
    // As the hub does it.
    for event in said.into_iter().filter(|event| event.data.is_some()) {
        let told = Sse { retry: None, ..event };
        if let Ok(encoded) = told.clone().encode() {
            assert_eq!(heard(&encoded, encoded.len()), [told], "{:?}", lossy(&encoded));
        }
    }
}

fn heard(bytes: &[u8], step: usize) -> Vec<Sse> {
    let chunks: Vec<_> = bytes.chunks(step).map(|chunk| Ok::<_, Infallible>(Bytes::copy_from_slice(chunk))).collect();
    // Nothing follows an error.
    finished(SseByteStream::new(stream::iter(chunks)).filter_map(|event| ready(event.ok())).collect())
}

fn authorization() -> Authorization {
    let session = Session::new(std::sync::Arc::new(SystemClock));
    let attachment = Attachment { header_name: header::AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None };
    session.activate(&attachment, &"token".to_owned().into(), Identity::default(), 0).expect("a token of letters");
    session.authorize().expect("active")
}

/// Of a page's request nothing goes on that is a credential, a claim about the client, or for one hop only.
pub fn request_headers(bytes: &[u8]) {
    let authorization = authorization();
    let target = base(0).join("/queues");
    let inbound = headers(bytes);
    for method in [Method::GET, Method::POST] {
        let sent = forward::request_headers(&method, &inbound, &own_origin(), &target, &authorization, None);
        let credentials: Vec<_> = sent.get_all(header::AUTHORIZATION).iter().collect();
        assert_eq!(credentials, ["Bearer token"]);
        for name in
            ["cookie", "host", "connection", "transfer-encoding", "forwarded", "x-forwarded-for", "upgrade", "te"]
        {
            assert!(!sent.contains_key(name), "{name} has passed");
        }
        let names_gateway = |value: &HeaderValue| value.as_bytes().starts_with(own_origin().text.as_bytes());
        for name in [header::ORIGIN, header::REFERER] {
            assert!(!sent.get(&name).is_some_and(names_gateway), "{name} names the gateway");
        }
    }
}

/// Cookies go to their host only, and are gone after a sign-out.
pub fn cookies(bytes: &[u8]) {
    let (jar, authorization) = (Jar::default(), authorization());
    let (own, other) = (base(0).join("/queues"), Url::parse("https://other.test/asyncmq/queues").expect("a URL"));
    let (_, epoch) = jar.cookies(&own, &authorization);
    let mut answer = HeaderMap::new();
    for line in bytes.split(|byte| *byte == b'\n').take(MAX_HEADERS) {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            answer.append(header::SET_COOKIE, value);
        }
    }
    jar.keep(epoch, &own, &answer);
    // A value that cannot be sent would be a panic here.
    let _ = jar.cookies(&own, &authorization);
    assert_eq!(jar.cookies(&other, &authorization).0, None, "a cookie goes to another host");
    jar.clear();
    jar.keep(epoch, &own, &answer);
    assert_eq!(jar.cookies(&own, &authorization).0, None, "a cookie outlived the sign-out");
}
