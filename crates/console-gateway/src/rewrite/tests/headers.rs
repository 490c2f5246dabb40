//! What becomes of the response headers that name the host, or that are not for a dashboard? (DESIGN 5.7)

use http::HeaderMap;

use super::{BASE, header_map, rewriter};

fn rewritten(base: &str, lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = header_map(lines);
    rewriter(base).response_headers(&mut headers);
    headers
}

fn rows(name: &'static str, rows: &[(&str, &str)]) {
    for (before, after) in rows {
        let headers = rewritten(BASE, &[(name, before)]);
        assert_eq!(
            headers.get(name).map(|value| value.as_bytes().escape_ascii().to_string()).as_deref(),
            Some(*after),
            "{name}: {before}"
        );
    }
}

#[test]
fn headers_that_are_one_url() {
    for name in ["location", "content-location", "hx-redirect", "hx-push-url", "hx-replace-url"] {
        rows(
            name,
            &[
                ("http://admin.example/asyncmq/queues?x=1#y", "/asyncmq/queues?x=1#y"),
                ("https://ADMIN.example:443/x", "/x"),
                ("//admin.example", "/"),
                ("http://admin.example//evil.example", "/.//evil.example"),
                ("http://admin.example/\u{e4}", "/\\xc3\\xa4"),
                ("/asyncmq/queues", "/asyncmq/queues"),
                ("queues", "queues"),
                ("false", "false"),
                ("https://cdn.example/x", "https://cdn.example/x"),
                ("http://admin.example:8000/x", "http://admin.example:8000/x"),
                ("http://user@admin.example/x", "http://user@admin.example/x"),
                // Character references are HTML's.
                ("http:&#47;&#47;admin.example/x", "http:&#47;&#47;admin.example/x"),
            ],
        );
    }
}

#[test]
fn the_targets_of_a_link() {
    rows(
        "link",
        &[
            ("<http://admin.example/a.css>; rel=preload; as=style", "</a.css>; rel=preload; as=style"),
            (
                "<//admin.example/a>; rel=next, <https://cdn.example/b>, <//admin.example/c>",
                "</a>; rel=next, <https://cdn.example/b>, </c>",
            ),
            (
                "<>; title=\"<//admin.example/a>\"; x=\"\\\"<//admin.example/b>\", <//admin.example/c>",
                "<>; title=\\\"<//admin.example/a>\\\"; x=\\\"\\\\\\\"<//admin.example/b>\\\", </c>",
            ),
            ("</a>; anchor=http://admin.example/", "</a>; anchor=http://admin.example/"),
            ("<//admin.example", "</"),
        ],
    );
}

#[test]
fn the_url_of_a_refresh() {
    rows(
        "refresh",
        &[
            ("5; url=http://admin.example/x", "5; url=/x"),
            ("0;//admin.example/x", "0;/x"),
            ("5; url='//admin.example/x'", "5; url=\\'/x\\'"),
            ("5; url=https://cdn.example/", "5; url=https://cdn.example/"),
            ("5", "5"),
        ],
    );
}

#[test]
fn the_path_of_an_htmx_location() {
    rows(
        "hx-location",
        &[
            ("http://admin.example/x", "/x"),
            ("/x", "/x"),
            (
                "{\"path\": \"http://admin.example/x?a=\\u00e4\", \"target\":\"#http://admin.example/\"}",
                "{\\\"path\\\": \\\"/x?a=\\\\u00e4\\\", \\\"target\\\":\\\"#http://admin.example/\\\"}",
            ),
            (" {\"path\":\"\\/\\/admin.example\\/x\"}", " {\\\"path\\\":\\\"/x\\\"}"),
            ("{\"path\":\"/x\"}", "{\\\"path\\\":\\\"/x\\\"}"),
            ("{\"target\":\"//admin.example/\"}", "{\\\"target\\\":\\\"//admin.example/\\\"}"),
            ("{\"path\":1}", "{\\\"path\\\":1}"),
            ("{no json", "{no json"),
        ],
    );
}

#[test]
fn each_line_of_a_header_is_judged_alone_and_keeps_its_place() {
    let headers = rewritten(
        BASE,
        &[("link", "<//admin.example/a>"), ("link", "<//cdn.example/b>"), ("link", "<//admin.example/c>")],
    );
    assert_eq!(headers.get_all("link").iter().collect::<Vec<_>>(), ["</a>", "<//cdn.example/b>", "</c>"]);
}

#[test]
fn what_would_govern_the_loopback_origin_or_names_a_credential_is_dropped() {
    for name in [
        "set-cookie",
        "set-cookie2",
        "strict-transport-security",
        "alt-svc",
        "clear-site-data",
        "www-authenticate",
        "service-worker-allowed",
        "nel",
        "report-to",
        "reporting-endpoints",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "access-control-expose-headers",
    ] {
        assert!(rewritten(BASE, &[(name, "a"), (name, "b")]).is_empty(), "{name} has passed");
    }
}

#[test]
fn what_is_for_one_hop_is_dropped_with_everything_that_connection_names() {
    for name in [
        "keep-alive",
        "proxy-authenticate",
        "proxy-authentication-info",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ] {
        assert!(rewritten(BASE, &[(name, "a")]).is_empty(), "{name} has passed");
    }
    let named =
        [("connection", "close, X-One"), ("connection", " x-two ,,"), ("x-one", "1"), ("x-two", "2"), ("x-three", "3")];
    assert_eq!(rewritten(BASE, &named), header_map(&[("x-three", "3")]));
}

#[test]
fn everything_else_passes_as_it_is() {
    let lines = [
        ("etag", "5f3e-unquoted"),
        ("etag", "\"quoted\""),
        ("last-modified", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("cache-control", "no-store"),
        ("vary", "Cookie, HX-Request"),
        ("content-type", "text/html; charset=utf-8"),
        ("content-length", "25"),
        ("content-encoding", "gzip"),
        ("accept-ranges", "bytes"),
        ("content-disposition", "attachment; filename=\"http://admin.example/\""),
        ("hx-trigger", "{\"go\":\"http://admin.example/\"}"),
        ("hx-refresh", "true"),
        ("x-frame-options", "DENY"),
        ("x-request-id", "http://admin.example/"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("x-latin", "\u{e4}"),
    ];
    assert_eq!(rewritten(BASE, &lines), header_map(&lines));
}
