//! Which URLs are the realm's, and what remains of them?

use super::{BASE, rewriter};

fn paths(base: &str, rows: &[(&str, &str)]) {
    for (url, path) in rows {
        assert_eq!(rewriter(base).url(url).as_deref(), Some(*path), "{url:?} of {base}");
    }
}

fn foreign(base: &str, urls: &[&str]) {
    for url in urls {
        assert_eq!(rewriter(base).url(url), None, "{url:?} of {base}");
    }
}

#[test]
fn a_url_of_the_realms_host_becomes_its_path_as_it_is_written() {
    paths(
        BASE,
        &[
            ("http://admin.example/asyncmq/queues?state=failed#top", "/asyncmq/queues?state=failed#top"),
            ("http://admin.example/a%2Fb/../c;d?e=f&g=%20#h/i?j", "/a%2Fb/../c;d?e=f&g=%20#h/i?j"),
            ("http://admin.example/münchen?q=ü", "/münchen?q=ü"),
            ("http://admin.example", "/"),
            ("http://admin.example/", "/"),
            ("http://admin.example?x=1", "/?x=1"),
            ("http://admin.example#top", "/#top"),
            ("http://admin.example\\a\\b", "\\a\\b"),
        ],
    );
}

#[test]
fn a_url_counts_however_a_browser_lets_it_be_written() {
    paths(
        BASE,
        &[
            ("HTTP:\\\\Admin.Example\\a%2Fb", "\\a%2Fb"),
            ("HtTpS://ADMIN.EXAMPLE/X", "/X"),
            ("//admin.example/x", "/x"),
            ("\\\\admin.example/x", "/x"),
            ("/\\admin.example/x", "/x"),
            ("////admin.example/x", "/x"),
            ("http:///admin.example/x", "/x"),
            ("https:/admin.example/x", "/x"),
            ("https:admin.example/x", "/x"),
            (" ht\ttp://admin.example?x=1 ", "/?x=1"),
            ("\n//\tadmin\r\n.example/x\n", "/x"),
            ("\u{1}\u{1f}http://admin.example/x", "/x"),
            ("http://%61dmin.ex%41mple/x", "/x"),
            ("http://adm\u{ad}in.example/x", "/x"),
            ("http://ａｄｍｉｎ。ｅｘａｍｐｌｅ/x", "/x"),
            ("http://@admin.example/x", "/x"),
            ("http://:@admin.example/x", "/x"),
        ],
    );
}

#[test]
fn a_path_that_would_name_another_host_is_kept_from_it() {
    paths(
        BASE,
        &[
            ("http://admin.example//evil.example", "/.//evil.example"),
            ("http://admin.example/\\evil.example", "/./\\evil.example"),
            ("http://admin.example\\\tevil.example/", "\\\tevil.example/"),
            ("http://admin.example/\n/evil.example", "/./\n/evil.example"),
            ("http://@admin.example//x", "/.//x"),
        ],
    );
}

#[test]
fn any_other_url_is_left_alone() {
    foreign(
        BASE,
        &[
            "/asyncmq/queues",
            "queues",
            "",
            "?x=http://admin.example/",
            "#http://admin.example/",
            "http:x",
            "http:/admin.example/x",
            "http:admin.example/x",
            "/admin.example/x",
            "admin.example/x",
            "http://",
            "http://admin.example.evil.example/",
            "http://admin.example./",
            "http://evil.example/http://admin.example/",
            "http://sub.admin.example/",
            "http://admin.exampl/",
            "http://admin.exampleé/",
            "http://user@admin.example/",
            "http://:password@admin.example/",
            "http://admin.example@evil.example/",
            "http:// admin.example/",
            "http ://admin.example/",
            "ftp://admin.example/",
            "ws://admin.example/",
            "data:text/html,http://admin.example/",
            "javascript:location='http://admin.example/'",
        ],
    );
}

#[test]
fn a_realm_on_its_schemes_own_port_owns_the_other_schemes_own_port_as_well() {
    for base in
        ["http://admin.example/", "https://admin.example/", "http://admin.example:80", "https://admin.example:443"]
    {
        paths(
            base,
            &[
                ("http://admin.example/x", "/x"),
                ("https://admin.example/x", "/x"),
                ("http://admin.example:80/x", "/x"),
                ("https://admin.example:443/x", "/x"),
                ("http://admin.example:/x", "/x"),
                ("https://admin.example:00443/x", "/x"),
                ("//admin.example/x", "/x"),
            ],
        );
        foreign(base, &["http://admin.example:8000/", "https://admin.example:8443/", "//admin.example:8000/"]);
    }
    // The other scheme's port written out is its own only where the schemes are the same: then it is another server.
    foreign("http://admin.example/", &["https://admin.example:80443/", "http://admin.example:8443/"]);
}

#[test]
fn a_realm_on_another_port_owns_that_port_only() {
    for base in ["http://admin.example:8000/", "https://admin.example:8000/"] {
        paths(
            base,
            &[
                ("http://admin.example:8000/x", "/x"),
                ("https://admin.example:8000/x", "/x"),
                ("//admin.example:08000/x", "/x"),
            ],
        );
        foreign(
            base,
            &[
                "http://admin.example/",
                "https://admin.example/",
                "//admin.example/",
                "http://admin.example:80/",
                "https://admin.example:443/",
                "http://admin.example:8001/",
            ],
        );
    }
}

#[test]
fn a_relative_scheme_is_relative_to_the_realms_own() {
    paths("https://admin.example", &[("http:admin.example/x", "/x"), ("http:/admin.example/x", "/x")]);
    foreign("https://admin.example", &["https:admin.example/x", "https:/admin.example/x"]);
}

#[test]
fn an_international_host_counts_in_unicode_and_in_punycode() {
    for base in ["https://münchen.example/ops", "https://xn--mnchen-3ya.example/ops"] {
        paths(
            base,
            &[
                ("https://münchen.example/ops/x", "/ops/x"),
                ("https://MÜNCHEN.Example/x", "/x"),
                ("https://mu\u{308}nchen.example/x", "/x"),
                ("https://m%C3%BCnchen.example/x", "/x"),
                ("https://xn--mnchen-3ya.example/x", "/x"),
                ("https://XN--MNCHEN-3YA.example/x", "/x"),
                ("//münchen。example/x", "/x"),
            ],
        );
        foreign(base, &["https://munchen.example/", "https://muenchen.example/", "https://xn--mnchen-3yb.example/"]);
    }
}

#[test]
fn an_address_counts_in_each_of_its_spellings() {
    paths(
        "http://[2001:db8::1]:8000/ops",
        &[
            ("http://[2001:db8::1]:8000/ops", "/ops"),
            ("http://[2001:DB8:0:0:0:0:0:1]:8000/ops", "/ops"),
            ("//[2001:0db8::0001]:8000?x", "/?x"),
        ],
    );
    foreign(
        "http://[2001:db8::1]:8000/ops",
        &["http://[2001:db8::2]:8000/", "http://[2001:db8::1]/", "http://2001:db8::1:8000/", "http://[2001:db8::1"],
    );
    paths(
        "http://127.0.0.1:8000",
        &[
            ("http://127.0.0.1:8000/x", "/x"),
            ("http://127.1:8000/x", "/x"),
            ("http://0x7f.0.0.1:8000/x", "/x"),
            ("http://2130706433:8000/x", "/x"),
        ],
    );
    foreign("http://127.0.0.1:8000", &["http://127.0.0.2:8000/", "http://[::1]:8000/", "http://localhost:8000/"]);
}
