//! Is the look that spares the parser ever wrong, and does it spare it?

use std::sync::Arc;

use bytes::Bytes;
use encoding_rs::UTF_8;
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    super::{document::Document, glance::Glance, site::Site},
    documents::{Part, document, realm},
    properties::{config, cut},
    rewriter,
};

fn site(base: &str) -> Arc<Site> {
    Arc::new(Site::new(&base.parse().expect("a URL")))
}

/// What the parser makes of a document when it reads all of it.
fn parsed(base: &str, text: &str) -> String {
    String::from_utf8(rewriter(base).parsed(text.as_bytes(), UTF_8)).expect("UTF-8, as it came")
}

/// What becomes of it when the parser reads only what it must.
fn spared(base: &str, chunks: &[&[u8]]) -> String {
    let mut document = Document::new(&site(base), Some(UTF_8));
    let mut out: Vec<u8> = chunks.iter().flat_map(|chunk| document.feed(Bytes::copy_from_slice(chunk))).collect();
    out.extend_from_slice(&document.finish());
    String::from_utf8(out).expect("UTF-8, as it came")
}

fn sees(base: &str, stretch: &str) -> bool {
    Glance::new(&site(base)).sees_something(stretch.as_bytes())
}

#[test]
fn what_could_name_the_host_is_seen() {
    for (base, stretches) in [
        (
            "http://admin.example",
            &[
                "//admin.example",
                "//ADMIN.example",
                "x//admin.example:8000",
                "/\\\t\n\\admin.example",
                "\\\\admin.example",
                "/\t/admin.example",
                "\\\r\n/admin.example",
                "//@admin.example",
                "//:@admin.example",
                "//a%64min.example",
                "//ad\nmin.example",
                "//adm\u{ad}in.example",
                "//ａdmin.example",
                "//&#97;dmin.example",
                "&#x2f;/admin.example",
                "/&sol;admin.example",
                "&#104;ttps:admin.example",
                "https&colon;admin.example",
                "https:admin.example",
                "h\tTTps\n:/admin.example",
                "wss:admin.example",
                "ws:\\admin.example",
                "&Tab;",
                "&fflig;",
                "&shy;",
                "&#x3002;",
                "<meta name=x>",
                "<META",
                "<Base href=x>",
            ][..],
        ),
        (
            "https://münchen.example",
            &["//münchen", "//m%", "//xn--mnchen-3ya.example", "//XN--Mnchen-3ya.example", "//mu&uuml;", "&uuml;"],
        ),
        ("https://ops.münchen.example", &["//ops.m\u{fc}nchen", "//ops.xn--mnchen-3ya.example", "//op%73.x"]),
        ("http://10.0.0.5", &["//10.0.0.5", "//167772165", "//012.5", "//%31", "https:1", "//１"]),
        ("http://[::1]", &["//[::1]", "//[0:0::1", "//%5B"]),
        ("http://it's.example", &["", "x"]),
    ] {
        for stretch in stretches {
            assert!(sees(base, stretch), "{stretch:?} of {base}");
        }
    }
}

#[test]
fn what_pages_are_full_of_is_not_taken_for_the_host() {
    const USUAL: [&str; 18] = [
        "https://cdn.example/npm/x@1.2.3/x.min.js",
        "xmlns=\"http://www.w3.org/2000/svg\"",
        "{&#34;url&#34;: &#34;https://hooks.example/v1&#34;}",
        "a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&apos; &#x27; &nbsp;",
        "1 < 2 && 3 > 2 & &; &#; &x &unknown;",
        "https://evil.example/?u=admin.example",
        "/login?next=/admin.example/",
        "<a href=\"/asyncmq/queues\">admin.example</a>",
        "style=\"width:100%;top:10px\"",
        "2026-11-25 13:02:10",
        "javascript:go()",
        "jobs:10 apps:[ admin:x",
        "// a comment",
        "<main><menu><me><b><bas ><nav>",
        "\\n\\t",
        "ä ö ü · → …",
        "/ä //",
        "http:",
    ];
    for base in ["http://admin.example", "https://ops.münchen.example", "http://10.0.0.5:8000", "http://[::1]:8000"] {
        for stretch in USUAL {
            assert!(!sees(base, stretch), "{stretch:?} of {base}");
        }
    }
    for (base, stretches) in [
        (
            "http://admin.example",
            &[
                "//sub.admin.example",
                "//admin.exampla",
                "&rarr; &times; &ouml; &uuml; &middot;",
                "//10.0.0.5",
                "//[::1]",
            ][..],
        ),
        ("https://ops.münchen.example", &["//ops.example", "//opt.münchen", "//www.w3.org/ü"]),
        ("https://münchen.example", &["//munchen.example/ü", "//www.w3.org?ü", "//cdn.example\" ü"]),
        ("http://10.0.0.5:8000", &["//admin.example", "//[::1]"]),
        ("http://[::1]:8000", &["//admin.example", "//10.0.0.5"]),
    ] {
        for stretch in stretches {
            assert!(!sees(base, stretch), "{stretch:?} of {base}");
        }
    }
}

/// Markup that is hardly any, and may name a host anywhere.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: [&str; 77] = [
        "<a href=",
        "<a href=\"",
        "<a href='",
        "<img srcset=\"",
        "<p style='x:url(",
        "<x data-y-url=",
        "<x ws-connect=\"",
        "\">",
        "'>",
        ">",
        ">",
        "<",
        "\"",
        "'",
        "=",
        " ",
        "\n",
        "\t",
        "\r",
        "/",
        "\\",
        "//",
        "//",
        ":",
        ",",
        ")",
        "http:",
        "https:",
        "https://",
        "http://",
        "ws:",
        "s",
        "h",
        "&",
        "&#47;",
        "&sol;",
        "&Tab;",
        "&#x3a;",
        "&colon;",
        "&#97;",
        "&amp;",
        "&#34;",
        "&shy;",
        "&uuml;",
        "&#",
        "%61",
        "%",
        "@",
        "?",
        "#",
        "\u{ad}",
        "admin.example",
        "ADMIN.example",
        "admin",
        ".",
        "example",
        "a",
        "münchen.example",
        "xn--mnchen-3ya",
        "ü",
        "m",
        "10.0.0.5",
        "10",
        "1",
        ":8000",
        ":8443",
        "[2001:db8::1]",
        "[",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<meta http-equiv=refresh content='0;",
        "<base href=",
        "<base href=//cdn.example/>",
        "<meta charset=",
        "<meta content=upgrade-insecure-requests http-equiv=content-security-policy>",
    ];
    const LINKS: [&str; 3] =
        ["<a href=\"//admin.example/\">", "<a href='https://admin.example:8443'>", "<i src=//10.0.0.5:8000/x>"];
    vec(prop_oneof![9 => select(&PIECES[..]), 1 => select(&LINKS[..])], 0..40).prop_map(|pieces| pieces.concat())
}

/// Text in which nothing is to be seen, as long as several stretches, with and without places where it can be cut.
fn filling() -> impl Strategy<Value = String> {
    const PIECES: [&str; 7] = ["<p>x</p>\n", "word ", "{&#34;a&#34;:1},", "x", "<!-- > -->", "<i title='>' ", "\n"];
    (select(&PIECES[..]), 0..400usize).prop_map(|(piece, times)| piece.repeat(times))
}

fn long(soup: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    vec((soup, filling()), 1..6).prop_map(|parts| parts.into_iter().map(|(soup, filling)| soup + &filling).collect())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn where_nothing_is_seen_the_parser_changes_nothing(realm in realm(), soup in soup()) {
        if !sees(realm.base, &soup) {
            prop_assert_eq!(parsed(realm.base, &soup), soup);
        }
    }

    #[test]
    fn where_nothing_is_seen_no_attribute_names_the_host(
        (realm, Part { before, after }) in realm().prop_flat_map(|realm| (Just(realm), document(realm, true))),
    ) {
        prop_assert!(before == after || sees(realm.base, &before), "of {}", before);
    }

    #[test]
    fn what_the_parser_is_spared_makes_no_difference(
        (realm, text) in realm().prop_flat_map(|realm| {
            let written = document(realm, true).prop_map(|part| part.before);
            (Just(realm), long(prop_oneof![soup(), written]))
        }),
        lengths in vec(1..3000usize, 1..8),
    ) {
        let expected = parsed(realm.base, &text);
        prop_assert_eq!(&spared(realm.base, &[text.as_bytes()]), &expected, "of {}", &text);
        prop_assert_eq!(&spared(realm.base, &cut(&text, &lengths)), &expected, "of {}", &text);
    }
}
