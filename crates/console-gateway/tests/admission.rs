//! Who may enter, and who may not: nothing that is not admitted reaches the upstream (DESIGN 5.1, 5.2).

mod support;

use support::{Admin, Bench, html, text};

async fn bench() -> (Admin, Bench) {
    let admin = Admin::start(|_| html("<p>dashboard</p>")).await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    (admin, bench)
}

#[tokio::test]
async fn a_page_with_the_guard_cookie_is_served_with_the_credential_and_without_the_cookie() {
    let (admin, bench) = bench().await;
    let answer = bench.page("GET", "/asyncmq/queues?x=1", "", "").await;
    assert_eq!(answer.status, 200);
    let seen = &admin.seen()[0];
    assert_eq!(seen.target, "/asyncmq/queues?x=1");
    assert_eq!(seen.header("authorization"), Some("Bearer canary-token"));
    assert_eq!(seen.header("cookie"), None);
    assert_eq!(seen.header("host"), Some(admin.address.to_string().as_str()));
}

/// Every case differs from an admitted request in one point only, so each shows its own rule.
#[tokio::test]
async fn whoever_is_not_the_dashboard_gets_403_and_nothing_reaches_the_upstream() {
    let (admin, bench) = bench().await;
    let (_other_admin, other) = self::bench().await;
    let (host, cookie) = (&bench.host, &bench.cookie);
    let port = host.split(':').nth(1).expect("port");
    let wrong = format!("{}=0000", cookie.split('=').next().expect("name"));
    let get = |host: &str, cookie: &str, more: &str| {
        format!("GET /asyncmq/ HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{more}\r\n")
    };
    let post = |more: &str| {
        format!("POST /asyncmq/ HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{more}Content-Length: 0\r\n\r\n")
    };
    let own = format!("Origin: http://{host}\r\n");
    let cases = [
        ("localhost", get(&format!("localhost:{port}"), cookie, "")),
        ("a rebinding name", get(&format!("evil.example:{port}"), cookie, "")),
        ("a host that begins like ours", get(&format!("{host}.evil.example"), cookie, "")),
        ("another loopback address", get(&format!("127.0.0.2:{port}"), cookie, "")),
        ("no port", get("127.0.0.1", cookie, "")),
        ("no guard cookie", format!("GET /asyncmq/ HTTP/1.1\r\nHost: {host}\r\n\r\n")),
        ("a wrong guard cookie", get(host, &wrong, "")),
        ("another environment's guard cookie", get(host, &other.cookie, "")),
        ("cross-site", get(host, cookie, "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n")),
        ("a page on another port", get(host, cookie, "Sec-Fetch-Site: same-site\r\nSec-Fetch-Mode: no-cors\r\n")),
        ("none, but no navigation", get(host, cookie, "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: no-cors\r\n")),
        ("a foreign origin on a GET", get(host, cookie, "Origin: http://evil.example\r\n")),
        ("a service worker", get(host, cookie, "Service-Worker: script\r\n")),
        ("a write without an origin", post("")),
        ("a write from another port", post("Origin: http://127.0.0.1:1\r\n")),
        ("a write from nowhere", post("Origin: null\r\n")),
        ("two origins", post(&format!("{own}Origin: http://evil.example\r\n"))),
        ("OPTIONS", post(&own).replace("POST", "OPTIONS")),
        ("TRACE", post(&own).replace("POST", "TRACE")),
        ("an unknown method", post(&own).replace("POST", "PROPFIND")),
        ("CONNECT", format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{own}\r\n")),
        ("an absolute-form target", get(host, cookie, "").replace(" /asyncmq/", &format!(" http://{host}/asyncmq/"))),
        ("static files without a cookie", format!("GET /asyncmq/static/x.css HTTP/1.1\r\nHost: {host}\r\n\r\n")),
    ];
    let before = bench.gateway.denied();
    for (name, request) in &cases {
        let answer = bench.send(request).await;
        assert_eq!(answer.status, 403, "{name}");
        assert!(!answer.headers.iter().any(|(n, _)| n.starts_with("access-control")), "{name}: no CORS header, ever");
        assert!(!answer.text().contains("dashboard"), "{name}");
    }
    assert_eq!(admin.seen().len(), 0, "nothing reached the upstream");
    assert_eq!(bench.gateway.denied() - before, cases.len() as u64, "each is counted");
    assert_eq!(bench.send(&post(&own)).await.status, 200, "the request that the cases differ from is admitted");
    assert_eq!(bench.send(&get(host, cookie, "")).await.status, 200);
}

#[tokio::test]
async fn an_entry_ticket_lets_in_once_and_leads_to_a_clean_address() {
    let (admin, bench) = bench().await;
    let entry = bench.gateway.entry(Some("/asyncmq/queues?state=failed")).expect("ticket");
    let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", entry.path(), bench.host);
    let first = bench.send(&request).await;
    assert_eq!((first.status, first.header("location")), (303, Some("/asyncmq/queues?state=failed")));
    let cookie = first.header("set-cookie").expect("cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let again = bench.send(&request).await;
    assert_eq!((again.status, again.header("set-cookie")), (403, None), "a replayed ticket");
    let forged = bench.send(&request.replace(entry.path(), "/.console/enter/00")).await;
    assert_eq!(forged.status, 403);
    assert_eq!(admin.seen().len(), 0);
}

#[tokio::test]
async fn a_ticket_cannot_be_redeemed_by_another_site_or_host() {
    let (_admin, bench) = bench().await;
    let entry = bench.gateway.entry(None).expect("ticket");
    for more in ["Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n", "Origin: http://evil.example\r\n"] {
        let request = format!("GET {} HTTP/1.1\r\nHost: {}\r\n{more}\r\n", entry.path(), bench.host);
        assert_eq!(bench.send(&request).await.status, 403, "{more}");
    }
    let rebound = format!("GET {} HTTP/1.1\r\nHost: evil.example\r\n\r\n", entry.path());
    assert_eq!(bench.send(&rebound).await.status, 403);
}

#[tokio::test]
async fn smuggling_shapes_and_malformed_heads_are_refused() {
    let (admin, bench) = bench().await;
    let head = format!(
        "POST /asyncmq/ HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nOrigin: http://{}\r\n",
        bench.host, bench.cookie, bench.host
    );
    let long = "a".repeat(100 * 1024);
    let many = (0..200).fold(String::new(), |lines, n| lines + &format!("X-{n}: 1\r\n"));
    let cases = [
        ("length and chunked", format!("{head}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        ("chunked and length", format!("{head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n")),
        ("two lengths", format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab")),
        ("the same length twice", format!("{head}Content-Length: 2\r\nContent-Length: 2\r\n\r\nab")),
        ("a list of lengths", format!("{head}Content-Length: 2, 2\r\n\r\nab")),
        ("a signed length", format!("{head}Content-Length: +2\r\n\r\nab")),
        ("chunked twice", format!("{head}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n")),
        ("an unknown coding", format!("{head}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n")),
        ("obs-fold", format!("{head}X-Folded: a\r\n b\r\nContent-Length: 0\r\n\r\n")),
        ("white space before the colon", format!("{head}Content-Length : 2\r\n\r\nab")),
        ("a bare line feed in a value", format!("{head}X: a\nb\r\n\r\n")),
        ("a null byte", format!("{head}X: a\0b\r\n\r\n")),
        ("an endless line", format!("{head}X: {long}\r\n\r\n")),
        ("too many lines", format!("{head}{many}\r\n")),
        ("no HTTP at all", "hello\r\n\r\n".to_owned()),
    ];
    for (name, request) in &cases {
        let answer = bench.send_raw(request.as_bytes()).await;
        assert!((400..500).contains(&answer.status) || answer.status == 0, "{name}: {}", answer.status);
    }
    assert_eq!(admin.seen().len(), 0, "nothing reached the upstream");
}

#[tokio::test]
async fn a_request_smuggled_behind_a_sound_one_is_refused() {
    let (admin, bench) = bench().await;
    let sound = format!("GET /asyncmq/one HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n", bench.host, bench.cookie);
    let unsound = format!(
        "POST /asyncmq/two HTTP/1.1\r\nHost: {0}\r\nCookie: {1}\r\nOrigin: http://{0}\r\nContent-Length: 1\r\n\
         Content-Length: 2\r\n\r\nab",
        bench.host, bench.cookie
    );
    bench.send_raw(format!("{sound}{unsound}").as_bytes()).await;
    assert!(admin.seen().iter().all(|seen| seen.target != "/asyncmq/two"));
}

#[tokio::test]
async fn paths_that_leave_the_realm_never_reach_the_upstream() {
    let (admin, bench) = bench().await;
    for target in [
        "/asyncmq/../admin",
        "/asyncmq/%2e%2e/admin",
        "/asyncmq/.%2e/admin",
        "/asyncmq/..%2fadmin",
        "/asyncmq/x%5c..%5c..%5cadmin",
        "/asyncmq/..%00/admin",
        "/asyncmq/%0d%0aX-Injected:%201",
        "/admin",
        "/asyncmqx/",
        "//evil.example/asyncmq/",
        "/static/app.css",
    ] {
        let answer = bench.page("GET", target, "", "").await;
        assert!(matches!(answer.status, 403 | 404), "{target}: {}", answer.status);
    }
    assert_eq!(admin.seen().len(), 0);
}

#[tokio::test]
async fn the_host_alone_leads_to_the_mount_prefix() {
    let (_admin, bench) = bench().await;
    let answer = bench.page("GET", "/", "", "").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/asyncmq/")));
}

#[tokio::test]
async fn no_header_of_the_upstream_can_open_the_gateway_to_others() {
    let admin = Admin::start(|_| {
        let mut response = text("x");
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("set-cookie", "session=canary-cookie; Path=/"),
            ("service-worker-allowed", "/"),
            ("clear-site-data", "\"*\""),
            ("strict-transport-security", "max-age=1"),
            ("www-authenticate", "Basic realm=x"),
        ] {
            response.headers_mut().insert(name, value.parse().expect("value"));
        }
        response
    })
    .await;
    let bench = Bench::before(&format!("http://{}/asyncmq", admin.address)).await;
    let answer = bench.page("GET", "/asyncmq/", "", "").await;
    assert_eq!(answer.status, 200);
    for name in [
        "access-control-allow-origin",
        "set-cookie",
        "service-worker-allowed",
        "clear-site-data",
        "strict-transport-security",
        "www-authenticate",
    ] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}
