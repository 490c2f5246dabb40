//! Does it matter how a value is written in HTML: quotes or none, character references, where in the document?

use super::{BASE, become_of, stay};

#[test]
fn quotes_stay_as_they_are_written() {
    become_of(
        BASE,
        &[
            ("<a href=\"http://admin.example/x\">", "<a href=\"/x\">"),
            ("<a href='http://admin.example/x'>", "<a href='/x'>"),
            ("<a href=http://admin.example/x>", "<a href=/x>"),
            ("<a href=http://admin.example>", "<a href=/>"),
            ("<a href=http://admin.example?x=1 class=y>", "<a href=/?x=1 class=y>"),
            ("<a href=\"http://admin.example/?q='&quot;\">", "<a href=\"/?q='&quot;\">"),
            ("<a href='  http://admin.example/x  '>", "<a href='  /x  '>"),
        ],
    );
}

#[test]
fn character_references_are_read_and_those_that_remain_stay_as_they_are_written() {
    become_of(
        BASE,
        &[
            ("<a href=\"http://admin.example/?a=1&amp;b=2&c=3&#x26;d\">", "<a href=\"/?a=1&amp;b=2&c=3&#x26;d\">"),
            ("<a href=\"http&colon;&sol;&sol;admin&period;example/x\">", "<a href=\"/x\">"),
            ("<a href=\"&#104;ttp&#58;&#47;&#x2f;admin.example/x\">", "<a href=\"/x\">"),
            ("<a href=\"&#X68;ttp:&#x0002F;&#47admin.example/x\">", "<a href=\"/x\">"),
            ("<a href=\"&Tab;&NewLine;//&#9;admin.&#10;example/x\">", "<a href=\"&Tab;&NewLine;/x\">"),
            ("<a href=\"&bsol;&bsol;admin.example&bsol;x\">", "<a href=\"&bsol;x\">"),
            ("<a href=\"//admin.example&#47;&#47;x\">", "<a href=\"/.&#47;&#47;x\">"),
            ("<a href=\"//admin.example&quest;x\">", "<a href=\"/&quest;x\">"),
            ("<a href=\"//adm&shy;in.example/x\">", "<a href=\"/x\">"),
            ("<a href=\"//&#65345;dmin.example/x\">", "<a href=\"/x\">"),
            ("<a href=//admin&#46;example/x>", "<a href=/x>"),
        ],
    );
    stay(
        BASE,
        &[
            "<a href=\"&amp;#47;/admin.example/x\">",
            "<a href=\"//admin&amp;.example/x\">",
            "<a href=\"//admin.example&nbsp;/x\">",
            "<a href=\"&sol/admin.example/x\">",
            "<a href=\"&#;//admin.example/x\">",
            "<a href=\"//&#0;admin.example/x\">",
            "<a href=\"//admin.example&#x110000;/x\">",
        ],
    );
}

#[test]
fn an_international_host_counts_in_references_as_well() {
    become_of(
        "https://münchen.example",
        &[
            ("<a href='https://münchen.example/x'>", "<a href='/x'>"),
            ("<a href='https://m&uuml;nchen.example/x'>", "<a href='/x'>"),
            ("<a href='https://m&#xFC;nchen.example/x'>", "<a href='/x'>"),
            ("<a href='https://mu&#776;nchen.example/x'>", "<a href='/x'>"),
            ("<a href='https://xn--mnchen-3ya.example/x'>", "<a href='/x'>"),
        ],
    );
}

#[test]
fn an_address_counts_in_a_document_as_well() {
    become_of(
        "http://[::1]:8000",
        &[(
            "<a href=\"http://[::1]:8000/x\"><a href=//[0:0::1]:8000><a href=//[::1]/>",
            "<a href=\"/x\"><a href=/><a href=//[::1]/>",
        )],
    );
    become_of(
        "http://10.0.0.5:8000",
        &[(
            "<a href=//10.0.0.5:8000/x style=\"width:100%;margin:10px\"><a href=//10.5:8000>",
            "<a href=/x style=\"width:100%;margin:10px\"><a href=/>",
        )],
    );
}

#[test]
fn a_document_is_rewritten_wherever_a_browser_sees_tags() {
    become_of(
        BASE,
        &[
            ("\u{feff}<!doctype html><a href=//admin.example/x>", "\u{feff}<!doctype html><a href=/x>"),
            ("<!-- > --><a href=//admin.example/x>", "<!-- > --><a href=/x>"),
            (
                "<svg><a xlink:href=//admin.example/x><style><a href=//admin.example/x></style></svg>",
                "<svg><a xlink:href=/x><style><a href=/x></style></svg>",
            ),
            ("<template><a href=//admin.example/x></template>", "<template><a href=/x></template>"),
            ("<table><a href=//admin.example/x>", "<table><a href=/x>"),
            ("<title></title><a href=//admin.example/x>", "<title></title><a href=/x>"),
            ("<script>'</scr'</script><a href=//admin.example/x>", "<script>'</scr'</script><a href=/x>"),
            ("<p>1 < 2 & 3 > 2</p><a href=//admin.example/x>", "<p>1 < 2 & 3 > 2</p><a href=/x>"),
            ("a\0b<a href=//admin.example/x>", "a\0b<a href=/x>"),
        ],
    );
}

#[test]
fn after_a_base_that_is_another_host_nothing_is_rewritten() {
    become_of(
        BASE,
        &[
            (
                "<a href=//admin.example/x><base href=//other.example/><a href=//admin.example/x>",
                "<a href=/x><base href=//other.example/><a href=//admin.example/x>",
            ),
            (
                "<base href=//admin.example/a/><base href=//other.example/><a href=//admin.example/x>",
                "<base href=/a/><base href=//other.example/><a href=/x>",
            ),
            (
                "<base target=_top><base href=/b/><a href=//admin.example/x>",
                "<base target=_top><base href=/b/><a href=/x>",
            ),
        ],
    );
}
