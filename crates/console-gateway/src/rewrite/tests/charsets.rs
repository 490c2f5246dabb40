//! Does it matter in which charset a document is written?

use encoding_rs::Encoding;
use http::HeaderMap;

use super::{HTML, body, document, header_map, text};

const IDN: &str = "https://münchen.example/ops";

/// A page that names the host in its charset, with text and a payload that must stay.
fn page(charset: &str, head: &str, host: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(charset.as_bytes()).expect("a charset");
    let page = format!("{head}<a href=\"https://{host}/ä?ü\">ÄÖÜ https://{host}/</a><p title='https://{host}/'>");
    encoding.encode(&page).0.into_owned()
}

fn rewritten_page(charset: &str, head: &str, host: &str) -> Vec<u8> {
    let encoding = Encoding::for_label(charset.as_bytes()).expect("a charset");
    let page = format!("{head}<a href=\"/ä?ü\">ÄÖÜ https://{host}/</a><p title='https://{host}/'>");
    encoding.encode(&page).0.into_owned()
}

#[test]
fn the_charset_that_the_response_names_is_the_one_in_which_hosts_are_read() {
    for charset in ["utf-8", "iso-8859-1", "windows-1252", "iso-8859-15", "macintosh", "gbk", "gb18030"] {
        let host = if charset.starts_with("gb") { "mu\u{308}nchen.example" } else { "münchen.example" };
        // GBK has no combining mark: it is written as a reference, as a browser's form would.
        let (before, after) = (page(charset, "", host), rewritten_page(charset, "", host));
        let media = format!("text/html; charset={charset}");
        assert_eq!(text(&document(IDN, &media, &before)), text(&after), "{charset}");
    }
}

#[test]
fn the_charset_that_the_document_names_counts_where_the_response_names_none() {
    for head in [
        "<meta charset=utf-8>",
        "<META CHARSET=\"UTF-8\">",
        "<meta http-equiv=content-type content='text/html; charset=utf-8'>",
        // It was read as ASCII, so it cannot be true (HTML, "prescan").
        "<meta charset=utf-16>",
        "<meta charset=no-such><meta charset=utf8>",
        "\u{feff}<meta charset=windows-1252>",
    ] {
        let (before, after) =
            (page("utf-8", head, "münchen.example"), rewritten_page("utf-8", head, "münchen.example"));
        assert_eq!(text(&document(IDN, "text/html", &before)), text(&after), "{head}");
    }
    // A browser's default.
    let (before, after) =
        (page("windows-1252", "", "münchen.example"), rewritten_page("windows-1252", "", "münchen.example"));
    assert_eq!(text(&document(IDN, "text/html", &before)), text(&after));
}

#[test]
fn the_byte_order_mark_outweighs_the_response_and_the_response_the_document() {
    let page = |head| page("utf-8", head, "münchen.example");
    let rewritten = |head| rewritten_page("utf-8", head, "münchen.example");
    let marked = document(IDN, "text/html; charset=windows-1252", &page("\u{feff}"));
    assert_eq!(text(&marked), text(&rewritten("\u{feff}")));
    let declared = document(IDN, HTML, &page("<meta charset=windows-1252>"));
    assert_eq!(text(&declared), text(&rewritten("<meta charset=windows-1252>")));
    // Read in another charset the host is another.
    let wrong = document(IDN, "text/html; charset=windows-1252", &page(""));
    assert_eq!(text(&wrong), text(&page("")));
}

#[test]
fn what_is_invalid_in_the_charset_stays_as_it_is() {
    let before = b"<p title=\xff\xfe>\x80\xc3<a href=//admin.example/\xff\xc3>\xed\xa0\x80".as_slice();
    let after = b"<p title=\xff\xfe>\x80\xc3<a href=/\xff\xc3>\xed\xa0\x80".as_slice();
    assert_eq!(text(&document("http://admin.example", HTML, before)), text(after));
    let host = b"<a href=//adm\xffin.example/>".as_slice();
    assert_eq!(text(&document("http://admin.example", HTML, host)), text(host));
}

#[test]
fn in_a_charset_whose_trail_bytes_look_like_ascii_they_are_no_syntax() {
    // Shift JIS: 0x83 0x5C is one character; its second byte is a backslash elsewhere.
    let before = b"<a href=//admin.example/\x83\x5c\x83\x5c><p title='\x83\x5c'>".as_slice();
    let after = b"<a href=/\x83\x5c\x83\x5c><p title='\x83\x5c'>".as_slice();
    assert_eq!(text(&document("http://admin.example", "text/html; charset=shift_jis", before)), text(after));
}

#[test]
fn a_charset_that_is_no_superset_of_ascii_is_left_alone() {
    let link = b"<a href=//admin.example/x>";
    for media in ["text/html; charset=utf-16", "text/html;charset=UTF-16LE", "text/html; charset=\"iso-2022-jp\""] {
        let mut headers = header_map(&[("content-type", media), ("content-length", "25")]);
        assert!(body("http://admin.example", &mut headers, &[link]).is_none(), "{media}");
        assert!(headers.contains_key("content-length"), "{media}");
    }
    // It shows too late for the headers, but not for the content.
    let utf_16: Vec<u8> = "\u{feff}<a href=//admin.example/x>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(text(&document("http://admin.example", "text/html", &utf_16)), text(&utf_16));
    let declared = b"<a href=//admin.example/x><meta charset=iso-2022-jp><a href=//admin.example/x>";
    let after = b"<a href=/x><meta charset=iso-2022-jp><a href=//admin.example/x>";
    assert_eq!(text(&document("http://admin.example", "text/html", declared)), text(after));
    let mut headers: HeaderMap = header_map(&[("content-type", "text/html; charset=no-such-charset")]);
    let unknown = body("http://admin.example", &mut headers, &[link]).expect("HTML").expect("whole");
    assert_eq!(text(&unknown), text(b"<a href=/x>"));
}
