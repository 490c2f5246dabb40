//! Does the way lead anywhere: name, connection, proxy?

use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use futures_util::future::join_all;
use http::Method;
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::{
    examination::{Examination, advice_for},
    route::Route,
    step::Found,
};
use crate::upstream::{CONNECT_TIMEOUT, Unreachable, UnreachableKind, send};

/// More addresses than this are not connected to.
const MOST_ADDRESSES: usize = 8;
/// For one connection. Below the client's own, which tries the next address after a fraction of a second.
const PATIENCE: Duration = CONNECT_TIMEOUT;

/// Name resolution of the first host on the way: the admin's, or the proxy's, which then resolves the admin's name itself.
pub(super) async fn names(examination: &mut Examination<'_>) -> Found {
    let base_url = examination.subject.environment.base_url.as_url();
    let (host, port) = examination.route.first_hop(base_url);
    let host = host.trim_matches(['[', ']']).to_owned();
    if let Ok(address) = host.parse::<IpAddr>() {
        examination.addresses = vec![SocketAddr::new(address, port)];
        return Found::skipped(format!("`{host}` is an address."));
    }
    let of_proxy = matches!(examination.route, Route::Proxy(_));
    let (advice, via) = first_hop_advice(&examination.route, UnreachableKind::Dns);
    let found = match lookup_host((host.as_str(), port)).await {
        Ok(addresses) => addresses.take(MOST_ADDRESSES).collect(),
        Err(_) => Vec::new(),
    };
    if found.is_empty() {
        return Found::failed(format!("`{host}` does not resolve.{via}"), advice);
    }
    let shown: Vec<_> = found.iter().map(|address: &SocketAddr| address.ip().to_string()).collect();
    examination.addresses = found;
    let whose = if of_proxy { "The proxy's name" } else { "The name" };
    let further = if of_proxy { " The proxy resolves the admin's." } else { "" };
    Found::well(format!("{whose} `{host}` has the address {}.{further}", listed(&shown)))
}

/// Whether each address family answers. A family that refuses at once does no harm: the client takes the other.
pub(super) async fn connections(examination: &mut Examination<'_>) -> Found {
    let base_url = examination.subject.environment.base_url.as_url();
    let (host, port) = examination.route.first_hop(base_url);
    let attempts = join_all(examination.addresses.iter().map(|address| async move {
        let connected = timeout(PATIENCE, TcpStream::connect(address)).await;
        (*address, connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).err())
    }))
    .await;
    let answers = |family: fn(&SocketAddr) -> bool| {
        let of_family: Vec<_> = attempts.iter().filter(|(address, _)| family(address)).collect();
        let is_slow = |error: &Option<io::Error>| error.as_ref().map(io::Error::kind) == Some(io::ErrorKind::TimedOut);
        let slow = !of_family.is_empty() && of_family.iter().all(|(_, error)| is_slow(error));
        (of_family.iter().find(|(_, error)| error.is_none()).map(|(address, _)| *address), slow)
    };
    let (four, four_is_slow) = answers(SocketAddr::is_ipv4);
    let (six, six_is_slow) = answers(SocketAddr::is_ipv6);
    let answered: Vec<_> = [four, six].into_iter().flatten().map(|address| address.to_string()).collect();
    let whose = if matches!(examination.route, Route::Proxy(_)) { "The proxy answers" } else { "It answers" };
    if answered.is_empty() {
        let why = attempts.into_iter().find_map(|(_, error)| error).map(|error| reason(&error)).unwrap_or_default();
        let (advice, via) = first_hop_advice(&examination.route, UnreachableKind::Connect);
        return Found::failed(format!("Nothing answers at `{host}` on port {port}: {why}.{via}"), advice);
    }
    let finding = format!("{whose} at {}.", listed(&answered));
    if four_is_slow || six_is_slow {
        let family = if four_is_slow { "IPv4" } else { "IPv6" };
        return Found::warning(
            format!("{finding} Its {family} address does not answer, which makes connecting slow."),
            format!("Have the {family} address removed from the name, or made to answer."),
        );
    }
    Found::well(finding)
}

/// Which proxy applies, and whether it lets the client through. The client asks, with its user name and password: what is
/// wrong behind the proxy is the next steps' to say.
pub(super) async fn proxy(examination: &mut Examination<'_>) -> Found {
    let proxy = match &examination.route {
        Route::Direct { why } => return Found::skipped(*why),
        Route::Proxy(proxy) => proxy,
    };
    let subject = examination.subject;
    let which = format!("`{}` applies, by {}.", proxy.shown(), proxy.set_by);
    let host = subject.environment.base_url.as_url().host_str().unwrap_or_default();
    let refused = match send(&subject.reach, &subject.environment, Method::GET, "/", None).await {
        Ok(response) => Unreachable::from_status(response.status(), host)
            .filter(|_| subject.environment.base_url.as_url().scheme() == "http"),
        Err(why) => Some(why).filter(|why| matches!(why.kind, UnreachableKind::Proxy | UnreachableKind::TimedOut)),
    };
    match refused {
        Some(why) => Found::failed(format!("{which} {}", why.detail), advice_for(why.kind)),
        None => Found::well(format!("{which} It leads to `{host}`.")),
    }
}

/// What to do about a first host that is not reached, and that it is the proxy where it is.
fn first_hop_advice(route: &Route, kind: UnreachableKind) -> (&'static str, String) {
    match route {
        Route::Direct { .. } => (advice_for(kind), String::new()),
        Route::Proxy(proxy) => {
            (advice_for(UnreachableKind::Proxy), format!(" It is the proxy that applies by {}.", proxy.set_by))
        }
    }
}

fn reason(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "the connection was refused",
        io::ErrorKind::TimedOut => "there was no answer in time",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no network leads there",
        _ => "the connection failed",
    }
}

/// Texts, one after the other.
pub(super) fn listed(texts: &[String]) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
