//! What holds for every document that `documents` can write? (`PROPTEST_CASES=100000 cargo test` asks for longer.)

use proptest::{collection::vec, prelude::*, sample::select, test_runner::RngSeed};

use super::{
    HTML, body,
    documents::{Part, document, realm},
    header_map,
};

/// The same documents each time, unless the environment asks for others.
pub(super) fn config() -> ProptestConfig {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    match config.rng_seed {
        RngSeed::Random => ProptestConfig { rng_seed: RngSeed::Fixed(5), ..config },
        RngSeed::Fixed(_) => config,
    }
}

fn rewritten(base: &str, chunks: &[&[u8]]) -> String {
    let page = body(base, &mut header_map(&[("content-type", HTML)]), chunks).expect("HTML").expect("whole");
    String::from_utf8(page).expect("UTF-8, as it came")
}

/// `text` in pieces of these lengths, over and over.
pub(super) fn cut<'a>(text: &'a str, lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut rest = text.as_bytes();
    let mut chunks = Vec::new();
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (chunk, other) = rest.split_at((*length).min(rest.len()));
        chunks.push(chunk);
        rest = other;
    }
    chunks
}

/// Pieces of markup without a meaning: whatever they are put together to, no host of a realm is in it.
fn soup() -> impl Strategy<Value = String> {
    const PIECES: [&str; 40] = [
        "<",
        ">",
        "\"",
        "'",
        "=",
        " ",
        "\n",
        "\t",
        "/",
        "\\",
        "//",
        ":",
        "http:",
        "https://",
        "&",
        "&#47;",
        "&sol;",
        "&Tab;",
        "&#x",
        "%2f",
        "[",
        "@",
        "cdn.example",
        "a",
        "<a href=",
        "<img srcset=\"",
        "<p style='",
        "url(",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<meta http-equiv=refresh content='0;url=",
        "<meta charset=",
        "<base href=",
        "<textarea>",
        "ü",
        "\u{0}",
        "<svg xmlns=",
        "ping=",
    ];
    vec(select(&PIECES[..]), 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_document_that_holds_no_url_of_the_host_is_never_changed(
        (realm, document) in realm().prop_flat_map(|realm| (Just(realm), document(realm, false))),
        lengths in vec(1..80usize, 1..8),
    ) {
        prop_assert_eq!(rewritten(realm.base, &cut(&document.before, &lengths)), document.before);
    }

    #[test]
    fn what_is_hardly_markup_and_holds_no_url_of_the_host_is_never_changed(
        realm in realm(),
        soup in soup(),
        lengths in vec(1..40usize, 1..8),
    ) {
        prop_assert_eq!(rewritten(realm.base, &cut(&soup, &lengths)), soup);
    }

    /// Every URL of the host becomes its path where HTML has URLs, and no other byte changes.
    #[test]
    fn exactly_the_urls_of_the_host_in_url_valued_attributes_change(
        (realm, Part { before, after }) in realm().prop_flat_map(|realm| (Just(realm), document(realm, true))),
    ) {
        prop_assert_eq!(rewritten(realm.base, &[before.as_bytes()]), after, "of {}", before);
    }

    #[test]
    fn where_a_document_is_cut_makes_no_difference(
        (realm, document) in realm().prop_flat_map(|realm| (Just(realm), document(realm, true))),
        lengths in vec(1..80usize, 1..8),
    ) {
        let Part { before, after } = document;
        prop_assert_eq!(rewritten(realm.base, &cut(&before, &lengths)), after, "of {}", before);
    }
}
