//! What is said of hosts that pages load from besides the admin's.

use std::collections::BTreeSet;

use console_core::third_party::ThirdParty;
use console_gateway::Kind;

/// What a page wanted.
pub(crate) fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Script => "scripts",
        Kind::Style => "styles",
        Kind::Font => "fonts",
        Kind::Media => "images",
        Kind::Frame => "pages inside the page",
        Kind::Data => "data",
    }
}

/// What pages lack without a host: of those that `AsyncMQ` itself names, what it has them for.
pub(crate) fn lost_without(third_party: &ThirdParty, kinds: &BTreeSet<Kind>) -> String {
    match third_party.host() {
        "cdn.tailwindcss.com" => "layout and colours".to_owned(),
        "cdn.jsdelivr.net" => "charts".to_owned(),
        "unpkg.com" => "parts of pages that htmx loads".to_owned(),
        _ if kinds.is_empty() => "what it provides".to_owned(),
        _ => kinds.iter().map(|one| kind(*one)).collect::<Vec<_>>().join(", "),
    }
}
