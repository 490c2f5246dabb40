//! What of a value that is longer than is read of it, or of a tag that is longer than the parser takes?

use super::{BASE, HTML, body, header_map};

/// As much as is read of the values in one tag.
const READ: usize = 512 * 1024;
const LINK: &str = "<a href=//admin.example/x>";
const REWRITTEN: &str = "<a href=/x>";

/// Documents of this size are cut like a stream, not at every place.
fn rewritten(before: &str) -> String {
    let chunks: Vec<&[u8]> = before.as_bytes().chunks(10_000).collect();
    let page = body(BASE, &mut header_map(&[("content-type", HTML)]), &chunks).expect("HTML").expect("whole");
    String::from_utf8(page).expect("text")
}

fn becomes(before: &str, after: &str) {
    let page = rewritten(before);
    let differs = page.bytes().zip(after.bytes()).position(|(one, other)| one != other);
    assert!(page == after, "{} bytes for {}, other from {differs:?} on", page.len(), after.len());
}

#[test]
fn a_host_that_lies_beyond_what_is_read_is_left_alone() {
    let far = format!("<a href=\"//{}admin.example/x\">", "\t".repeat(READ));
    becomes(&format!("{far}{LINK}"), &format!("{far}{REWRITTEN}"));
}

#[test]
fn a_host_is_not_taken_for_another_that_begins_like_it() {
    let space = "\t".repeat(READ - "//admin.example".len());
    let evil = format!("<a href=\"//{space}admin.example.evil.example/x\">");
    becomes(&format!("{evil}{LINK}"), &format!("{evil}{REWRITTEN}"));
    let own = format!("<a href=\"//{}admin.example/x\">", &space[1..]);
    becomes(&own, "<a href=\"/x\">");
}

#[test]
fn of_a_long_list_the_beginning_is_rewritten() {
    let filling = "a:b;".repeat(READ / 4);
    becomes(
        &format!("<p style=\"a:url(//admin.example/a);{filling};a:url(//admin.example/b)\">{LINK}"),
        &format!("<p style=\"a:url(/a);{filling};a:url(//admin.example/b)\">{REWRITTEN}"),
    );
}

#[test]
fn a_long_policy_is_left_alone() {
    let policy = format!("img-src admin.example {}", "a.example ".repeat(READ / 10));
    let meta = format!("<meta http-equiv=content-security-policy content=\"{policy}\">");
    becomes(&format!("{meta}{LINK}"), &format!("{meta}{REWRITTEN}"));
}

#[test]
fn a_long_payload_costs_the_links_around_it_nothing() {
    let payload = "{\"u\":\"http://admin.example/\"}".repeat(200_000);
    let input = format!("<input name=job value='{payload}'>");
    becomes(&format!("{LINK}{input}{LINK}"), &format!("{REWRITTEN}{input}{REWRITTEN}"));
}

#[test]
fn what_follows_a_tag_that_the_parser_cannot_hold_passes_as_it_is() {
    let giant = format!("<a title='{}'>", "a".repeat(9 * 1024 * 1024));
    becomes(&format!("{LINK}{giant}{LINK}"), &format!("{REWRITTEN}{giant}{LINK}"));
}

#[test]
fn what_the_parser_has_not_read_is_bounded_and_told_to_it_when_it_matters() {
    let clean = "<p title='a > b'>text</p>\n".repeat(3 * 1024 * 1024 / 26);
    let links = format!("{LINK}<textarea>{clean}{LINK}</textarea>{clean}{LINK}");
    let after = format!("{REWRITTEN}<textarea>{clean}{LINK}</textarea>{clean}{REWRITTEN}");
    becomes(&links, &after);
    becomes(
        &format!("{clean}<script>{clean}{LINK}</script>{clean}"),
        &format!("{clean}<script>{clean}{LINK}</script>{clean}"),
    );
}
