//! What becomes of a Content Security Policy that names the host, as a header and as a `meta`?

use http::HeaderMap;

use super::{BASE, become_of, header_map, rewriter, stay};

fn policies(base: &str, name: &'static str, values: &[&str]) -> Vec<String> {
    let lines: Vec<_> = values.iter().map(|value| (name, *value)).collect();
    let mut headers: HeaderMap = header_map(&lines);
    rewriter(base).response_headers(&mut headers);
    headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned()).collect()
}

fn rewritten(base: &str, rows: &[(&str, &str)]) {
    for name in ["content-security-policy", "content-security-policy-report-only"] {
        for (before, after) in rows {
            let expected: &[&str] = if after.is_empty() { &[] } else { &[after] };
            assert_eq!(policies(base, name, &[before]), expected, "{before} of {base}");
        }
    }
}

fn untouched(base: &str, values: &[&str]) {
    let rows: Vec<_> = values.iter().map(|value| (*value, *value)).collect();
    rewritten(base, &rows);
}

#[test]
fn a_source_that_is_the_realms_host_becomes_self() {
    rewritten(
        BASE,
        &[
            ("default-src http://admin.example", "default-src 'self'"),
            ("default-src HTTP://Admin.Example/static/", "default-src 'self'"),
            ("script-src admin.example https://cdn.example", "script-src https://cdn.example 'self'"),
            ("script-src 'self' admin.example 'nonce-x'", "script-src 'self' 'nonce-x'"),
            ("connect-src ws://admin.example wss://admin.example:443", "connect-src 'self'"),
            ("img-src admin.example:80 data:", "img-src data: 'self'"),
            ("img-src admin.example:*", "img-src 'self'"),
            ("script-src-elem admin.example; style-src-attr 'none'", "script-src-elem 'self'; style-src-attr 'none'"),
            ("form-action admin.example; frame-ancestors admin.example", "form-action 'self'; frame-ancestors 'self'"),
            ("base-uri https://admin.example", "base-uri 'self'"),
            ("DEFAULT-SRC admin.example", "DEFAULT-SRC 'self'"),
        ],
    );
    rewritten("https://münchen.example", &[("img-src xn--mnchen-3ya.example", "img-src 'self'")]);
    rewritten("http://[::1]:8000", &[("img-src http://[::1]:8000", "img-src 'self'")]);
    rewritten(
        "https://admin.example:8443",
        &[("img-src admin.example:8443 admin.example", "img-src admin.example 'self'")],
    );
}

#[test]
fn a_source_that_reaches_the_realms_host_among_others_gets_self_beside_it() {
    rewritten("http://admin.example", &[("img-src *.example", "img-src *.example 'self'")]);
    rewritten("https://admin.example", &[("img-src https:", "img-src https: 'self'")]);
    untouched("http://admin.example", &["img-src *.admin.example", "img-src https:", "img-src *.ample"]);
}

#[test]
fn what_would_lead_around_the_gateway_is_dropped() {
    rewritten(
        BASE,
        &[
            ("upgrade-insecure-requests", ""),
            ("Upgrade-Insecure-Requests; default-src 'self'", "default-src 'self'"),
            ("default-src 'self'; report-uri /csp; report-to csp", "default-src 'self'"),
            ("report-uri https://reports.example/csp, img-src *", "img-src *"),
        ],
    );
}

#[test]
fn any_other_policy_stays_as_it_is_written() {
    untouched(
        BASE,
        &[
            "default-src  'self' ;;  img-src *",
            "default-src https://cdn.example evil.admin.example admin.example.evil",
            "default-src http://admin.example:8000",
            "default-src 'none'; sandbox allow-forms; plugin-types admin.example",
            "script-src 'sha256-admin.example' 'nonce-admin.example'",
            "block-all-mixed-content",
        ],
    );
}

#[test]
fn of_several_policies_each_is_judged_alone() {
    let several = ["img-src admin.example, img-src *", "img-src 'none'", "upgrade-insecure-requests"];
    assert_eq!(policies(BASE, "content-security-policy", &several), ["img-src 'self', img-src *", "img-src 'none'"]);
}

#[test]
fn the_policy_of_a_meta_is_rewritten_in_its_quotes() {
    become_of(
        BASE,
        &[
            (
                "<meta http-equiv=Content-Security-Policy content=\"img-src admin.example\">",
                "<meta http-equiv=Content-Security-Policy content=\"img-src &#x27;self&#x27;\">",
            ),
            (
                "<meta content='img-src admin.example cdn.example' http-equiv='content-security-policy'>",
                "<meta content='img-src cdn.example &#x27;self&#x27;' http-equiv='content-security-policy'>",
            ),
            (
                "<meta http-equiv=content-security-policy content=upgrade-insecure-requests id=x>",
                "<meta http-equiv=content-security-policy content=\"\" id=x>",
            ),
            (
                "<meta http-equiv=content-security&#45;policy content='img-src admin&period;example'>",
                "<meta http-equiv=content-security&#45;policy content='img-src &#x27;self&#x27;'>",
            ),
        ],
    );
    stay(
        BASE,
        &[
            "<meta http-equiv=content-security-policy content=\"img-src 'self'; style-src *\">",
            "<meta name=content-security-policy content=\"img-src admin.example\">",
            "<meta http-equiv=content-security-policy-report-only content=\"img-src admin.example\">",
            "<meta http-equiv=content-security-policy value=\"img-src admin.example\">",
        ],
    );
}
