//! Which attributes hold URLs? (HTML, "Attributes"; SVG; htmx)

use super::{BASE, become_of, stay};

/// Element and attribute.
const URLS: [(&str, &str); 65] = [
    ("a", "href"),
    ("area", "href"),
    ("link", "href"),
    ("base", "href"),
    ("use", "href"),
    ("use", "xlink:href"),
    ("image", "xlink:href"),
    ("custom-element", "href"),
    ("script", "src"),
    ("img", "src"),
    ("iframe", "src"),
    ("frame", "src"),
    ("embed", "src"),
    ("audio", "src"),
    ("video", "src"),
    ("source", "src"),
    ("track", "src"),
    ("input", "src"),
    ("form", "action"),
    ("button", "formaction"),
    ("input", "formaction"),
    ("video", "poster"),
    ("blockquote", "cite"),
    ("q", "cite"),
    ("del", "cite"),
    ("ins", "cite"),
    ("object", "data"),
    ("body", "background"),
    ("table", "background"),
    ("thead", "background"),
    ("tbody", "background"),
    ("tfoot", "background"),
    ("tr", "background"),
    ("td", "background"),
    ("th", "background"),
    ("html", "manifest"),
    ("img", "longdesc"),
    ("iframe", "longdesc"),
    ("frame", "longdesc"),
    ("a", "ping"),
    ("area", "ping"),
    ("img", "srcset"),
    ("source", "srcset"),
    ("link", "imagesrcset"),
    ("div", "hx-get"),
    ("form", "hx-post"),
    ("button", "hx-put"),
    ("button", "hx-patch"),
    ("button", "hx-delete"),
    ("a", "hx-push-url"),
    ("a", "hx-replace-url"),
    ("div", "data-hx-get"),
    ("div", "data-hx-post"),
    ("div", "data-hx-put"),
    ("div", "data-hx-patch"),
    ("div", "data-hx-delete"),
    ("div", "data-hx-push-url"),
    ("div", "data-hx-replace-url"),
    ("div", "sse-connect"),
    ("div", "data-sse-connect"),
    ("div", "ws-connect"),
    ("div", "data-ws-connect"),
    ("div", "data-url"),
    ("div", "data-status-url"),
    ("div", "data-url-for-the-next-url"),
];

/// What looks like a URL's place and is none, on this element.
const OTHERS: [(&str, &str); 42] = [
    ("input", "value"),
    ("option", "value"),
    ("button", "value"),
    ("param", "value"),
    ("data", "value"),
    ("div", "data-payload"),
    ("div", "data-url-template"),
    ("div", "data-href"),
    ("div", "dataurl"),
    ("div", "status-url"),
    ("img", "alt"),
    ("a", "title"),
    ("input", "placeholder"),
    ("div", "aria-label"),
    ("div", "id"),
    ("div", "class"),
    ("div", "name"),
    ("a", "onclick"),
    ("body", "onload"),
    ("iframe", "srcdoc"),
    ("meta", "content"),
    ("div", "content"),
    ("div", "action"),
    ("div", "formaction"),
    ("div", "poster"),
    ("a", "data"),
    ("a", "cite"),
    ("div", "background"),
    ("div", "srcset"),
    ("html", "itemtype"),
    ("html", "xmlns"),
    ("svg", "xmlns:xlink"),
    ("div", "x-href"),
    ("div", "hx-vals"),
    ("div", "hx-headers"),
    ("div", "hx-target"),
    ("div", "data-hx-vals"),
    ("div", "data-get"),
    ("div", "data-data-hx-get"),
    ("div", "sse-swap"),
    ("div", "ws-send"),
    ("div", "hrefs"),
];

#[test]
fn every_attribute_that_holds_a_url_is_rewritten() {
    for (tag, attribute) in URLS {
        let (before, after) = (
            format!("<{tag} class=http://admin.example/a {attribute}=\"http://admin.example/x\" id=y>"),
            format!("<{tag} class=http://admin.example/a {attribute}=\"/x\" id=y>"),
        );
        become_of(BASE, &[(&before, &after), (&before.to_uppercase(), &after_upper(&before))]);
    }
}

/// In capitals only the value that the table is about changes as well.
fn after_upper(before: &str) -> String {
    before.to_uppercase().replace("\"HTTP://ADMIN.EXAMPLE/X\"", "\"/X\"")
}

#[test]
fn no_other_attribute_is_touched() {
    for (tag, attribute) in OTHERS {
        let before = format!("<{tag} {attribute}=\"http://admin.example/x\" id=y>");
        stay(BASE, &[&before, &before.to_uppercase()]);
    }
}

#[test]
fn attributes_are_found_wherever_they_stand_in_a_tag() {
    become_of(
        BASE,
        &[
            ("<a\n\thref\r\n=\n'//admin.example/x'\n>", "<a\n\thref\r\n=\n'/x'\n>"),
            ("<a/href=//admin.example/x>", "<a/href=/x>"),
            ("<img/src='//admin.example/x'/>", "<img/src='/x'/>"),
            ("<a title='>'href=\"//admin.example/x\">", "<a title='>'href=\"/x\">"),
            ("<a ='\" href=//admin.example/x>", "<a ='\" href=/x>"),
            ("<a href href=//admin.example/x>", "<a href href=/x>"),
            (
                "<video src=//admin.example/v poster=//admin.example/p data-x-url=//admin.example/u>",
                "<video src=/v poster=/p data-x-url=/u>",
            ),
        ],
    );
}

#[test]
fn a_socket_is_named_by_its_own_schemes_too() {
    become_of(
        BASE,
        &[
            ("<div ws-connect=ws://admin.example/x>", "<div ws-connect=/x>"),
            ("<div data-ws-connect=' W&#83;S:\\\\Admin.example:443/x'>", "<div data-ws-connect=' /x'>"),
            ("<div ws-connect=ws:admin.example/x>", "<div ws-connect=/x>"),
        ],
    );
    stay(
        BASE,
        &[
            "<div ws-connect=ws://admin.example:8000/x>",
            "<div ws-connect=wsx://admin.example/x>",
            "<div ws-connect=/x>",
            "<div sse-connect=ws://admin.example/x>",
            "<a href=ws://admin.example/x>",
        ],
    );
}

#[test]
fn end_tags_and_tags_that_never_end_are_left_alone() {
    stay(
        BASE,
        &[
            "</a href=\"//admin.example/x\">",
            "<a href=\"//admin.example/x\"",
            "<a href=//admin.example/x",
            "< a href=//admin.example/x>",
        ],
    );
}
