//! Does everything stay byte-identical that is not a URL-valued attribute?

use super::{BASE, HTML, become_of, document, stay, text};

/// A job's payload as pages show it and post it back.
const PAYLOAD: &str = "{\"callback\":\"http://admin.example/asyncmq/\",\"n\":[1,2]}";

#[test]
fn text_scripts_styles_and_comments_stay() {
    for (open, close) in [
        ("<p>", "</p>"),
        ("<pre>", "</pre>"),
        ("<code>", "</code>"),
        ("<textarea name=payload>", "</textarea>"),
        ("<title>", "</title>"),
        ("<script>const job = ", ";</script>"),
        ("<script type=application/json>", "</script>"),
        ("<style>@import url(", ");</style>"),
        ("<noscript>", "</noscript>"),
        ("<xmp>", "</xmp>"),
        ("<iframe>", "</iframe>"),
        ("<!--", "-->"),
        ("<!", ">"),
        ("<?", ">"),
        ("</", ">"),
    ] {
        stay(BASE, &[&format!("{open}{PAYLOAD}{close}"), &format!("{open}http://admin.example/{close}")]);
    }
}

#[test]
fn markup_that_is_only_text_to_a_browser_stays() {
    let link = "<a href=\"http://admin.example/x\">";
    for (open, close) in [
        ("<script>'", "'</script>"),
        ("<script><!--<script>", "</script>--></script>"),
        ("<style>", "</style>"),
        ("<textarea>", "</textarea>"),
        ("<title>", "</title>"),
        ("<xmp>", "</xmp>"),
        ("<noembed>", "</noembed>"),
        ("<noframes>", "</noframes>"),
        ("<iframe>", "</iframe>"),
        ("<!--", "-->"),
        ("<svg><![CDATA[", "]]></svg>"),
        ("<p title='", "'>"),
        ("<plaintext>", ""),
    ] {
        let before = format!("{open}{link}{close}");
        stay(BASE, &[&before]);
        if !close.is_empty() {
            let followed = format!("{before}{link}");
            become_of(BASE, &[(&followed, &format!("{before}<a href=\"/x\">"))]);
        }
    }
}

#[test]
fn a_payload_in_an_attribute_stays_however_it_is_escaped() {
    for value in [
        PAYLOAD.replace('"', "&#34;"),
        PAYLOAD.replace('"', "&quot;"),
        PAYLOAD.replace('"', "&quot;").replace('/', "\\/"),
        PAYLOAD.replace('"', "&quot;").replace('/', "&#x2f;"),
    ] {
        for name in ["value", "data-payload", "title", "aria-label", "data-job", "onclick", "srcdoc", "data-url"] {
            stay(BASE, &[&format!("<input type=hidden {name}=\"{value}\">")]);
        }
    }
}

#[test]
fn a_url_inside_of_another_stays() {
    stay(
        BASE,
        &[
            "<a href=\"/login?next=http://admin.example/x\">",
            "<a href=\"https://share.example/?u=//admin.example/\">",
            "<a href=\"javascript:go('http://admin.example/')\">",
            "<a href=\"mailto:a@admin.example\">",
            "<img src=\"data:image/svg+xml,<svg xmlns='http://admin.example/'>\">",
        ],
    );
}

#[test]
fn the_rest_of_a_tag_that_is_rewritten_stays() {
    become_of(
        BASE,
        &[(
            "<A  HREF = 'http://admin.example/x'\tclass=\"a  b\"  data-p='{\"u\":\"//admin.example/\"}' DISABLED  / >",
            "<A  HREF = '/x'\tclass=\"a  b\"  data-p='{\"u\":\"//admin.example/\"}' DISABLED  / >",
        )],
    );
}

#[test]
fn every_byte_there_is_stays() {
    let all: Vec<u8> = (0..=255).collect();
    for (open, close) in [("<p>", "</p>"), ("<p title='", "'>"), ("<!--", "-->"), ("<script>", "</script>"), ("", "")] {
        let bytes: Vec<u8> = all.iter().copied().filter(|byte| !matches!(byte, b'\'' | b'>' | b'<')).collect();
        let before = [open.as_bytes(), &bytes, close.as_bytes(), b"<a href=//admin.example/>"].concat();
        let after = [open.as_bytes(), &bytes, close.as_bytes(), b"<a href=/>"].concat();
        assert_eq!(text(&document(BASE, HTML, &before)), text(&after));
    }
}
