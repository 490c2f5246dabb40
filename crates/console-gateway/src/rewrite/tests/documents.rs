//! Documents as an admin or a template could write them, each with what must become of it: tags × attributes ×
//! spellings of the host × noise.

use proptest::{collection::vec, prelude::*, sample::select};

/// A realm, and how its host can be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Realm {
    pub(super) base: &'static str,
    /// Scheme and slashes.
    schemes: &'static [&'static str],
    /// With the port, where it must be written.
    authorities: &'static [&'static str],
    /// URLs that look like the realm's and are not.
    others: &'static [&'static str],
}

const REALMS: [Realm; 5] = [
    Realm {
        base: "http://admin.example/asyncmq",
        schemes: &["http://", "https://", "//", "HTTP://", "http:\\\\", "/\\", "///", "https:", "https:/", "http:////"],
        authorities: &[
            "admin.example",
            "Admin.EXAMPLE",
            "admin.example:",
            "@admin.example",
            ":@admin.example",
            "%61dmin.ex%41mple",
            "adm\u{ad}in.example",
            "ａdmin。example",
        ],
        others: &["http:admin.example", "//admin.example:8000/x", "https://admin.example:8443/"],
    },
    Realm {
        base: "https://admin.example:8443",
        schemes: &["http://", "https://", "//", "hTTps:\\/", "http:"],
        authorities: &["admin.example:8443", "ADMIN.example:08443", "@admin.example:8443"],
        others: &["//admin.example/x", "https://admin.example:443", "http://admin.example", "https:admin.example:8443"],
    },
    Realm {
        base: "http://[2001:db8::1]:8000/ops",
        schemes: &["http://", "https://", "//"],
        authorities: &["[2001:db8::1]:8000", "[2001:DB8:0:0::1]:8000"],
        others: &["//[2001:db8::1]/", "http://[2001:db8::2]:8000/", "//[2001:db8::1"],
    },
    Realm {
        base: "https://münchen.example/ops",
        schemes: &["http://", "https://", "//"],
        authorities: &[
            "münchen.example",
            "MÜNCHEN.example",
            "xn--mnchen-3ya.example",
            "m%C3%BCnchen.example",
            "mu\u{308}nchen.example",
        ],
        others: &["//munchen.example/", "https://münchen.example:8000/", "https://xn--mnchen-3yb.example"],
    },
    Realm {
        base: "http://10.0.0.5:8000",
        schemes: &["http://", "https://", "//", "https:"],
        authorities: &["10.0.0.5:8000", "10.5:8000", "0xa.0.0.5:8000", "167772165:8000", "1%30.0.0.5:8000"],
        others: &["//10.0.0.5/", "http://10.0.0.50:8000/", "http://110.0.0.5:8000", "http:10.0.0.5:8000"],
    },
];

/// What follows a realm's authority, and what becomes of it.
const RESTS: [(&str, &str); 12] = [
    ("", "/"),
    ("/", "/"),
    ("/asyncmq/queues", "/asyncmq/queues"),
    ("/a?b=c&amp;d=e#f", "/a?b=c&amp;d=e#f"),
    ("/a?b=c&d=e", "/a?b=c&d=e"),
    ("?x=//admin.example/", "/?x=//admin.example/"),
    ("#top", "/#top"),
    ("//evil.example/", "/.//evil.example/"),
    ("/\\evil.example", "/./\\evil.example"),
    ("\\a", "\\a"),
    ("&sol;a&#47;b", "&sol;a&#47;b"),
    ("/ä%2F&uuml;\u{1F600}", "/ä%2F&uuml;\u{1F600}"),
];

/// URLs that no realm here owns.
const OTHERS: [&str; 16] = [
    "",
    "x",
    "/asyncmq/static/app.css",
    "?page=2",
    "#top",
    "/login?next=http://admin.example/",
    "https://cdn.example/npm/x@1.2.3/x.min.js",
    "//cdn.example/x",
    "http://www.w3.org/2000/svg",
    "http://user@admin.example/",
    "http://admin.example.evil.example/",
    "http://sub.admin.example/",
    "//admin.exampl/",
    "mailto:ops@admin.example",
    "javascript:go(&quot;http://admin.example/&quot;)",
    "data:image/png;base64,//8A",
];

/// Where a URL stands: that decides how it cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It is the whole value: anything goes.
    Alone,
    /// In a list, where white space ends it.
    Listed,
    /// In a CSS string, where a backslash and a quote have a meaning.
    Styled,
}

impl Place {
    fn takes(self, url: &str) -> bool {
        match self {
            Self::Alone => true,
            Self::Listed => !url.is_empty(),
            Self::Styled => !url.contains('\\') && !url.contains("&quot;"),
        }
    }
}

/// A part of a document, and what must become of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    pub(super) before: String,
    pub(super) after: String,
}

impl Part {
    fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { before: text.clone(), after: text }
    }

    fn around(begin: &str, part: &Self, end: &str) -> Self {
        Self { before: format!("{begin}{}{end}", part.before), after: format!("{begin}{}{end}", part.after) }
    }

    pub(super) fn join(parts: &[Self], with: &str) -> Self {
        let all = |of: fn(&Self) -> &str| parts.iter().map(of).collect::<Vec<_>>().join(with);
        Self { before: all(|part| &part.before), after: all(|part| &part.after) }
    }
}

pub(super) fn realm() -> impl Strategy<Value = Realm> {
    select(&REALMS[..])
}

/// A document of this realm. `owned`: it holds URLs of the realm's host, in places where they count and elsewhere.
pub(super) fn document(realm: Realm, owned: bool) -> impl Strategy<Value = Part> {
    vec(prop_oneof![3 => tag(realm, owned), 2 => noise(realm, owned)], 0..10).prop_map(|parts| Part::join(&parts, ""))
}

/// How a character of a URL's beginning is written in an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Written {
    Plain,
    Decimal,
    Hexadecimal,
    InCapitals,
    Named,
    /// After a tab or a line break, which is nothing inside of a URL.
    Apart(&'static str),
}

impl Written {
    fn any(place: Place) -> impl Strategy<Value = Self> {
        let mut odd = vec![Self::Decimal, Self::Hexadecimal, Self::InCapitals, Self::Named];
        if place == Place::Alone {
            odd.extend(["&Tab;", "&NewLine;", "&#13;"].map(Self::Apart));
        }
        prop_oneof![4 => Just(Self::Plain), 1 => select(odd)]
    }

    fn character(self, char: char) -> String {
        let code = u32::from(char);
        match (self, char) {
            (Self::Decimal, _) => format!("&#{code};"),
            (Self::Hexadecimal, _) => format!("&#x{code:x};"),
            (Self::InCapitals, _) => format!("&#X00{code:X};"),
            (Self::Named, '/') => "&sol;".into(),
            (Self::Named, '\\') => "&bsol;".into(),
            (Self::Named, ':') => "&colon;".into(),
            (Self::Named, '.') => "&period;".into(),
            (Self::Named, 'ü') => "&uuml;".into(),
            (Self::Apart(space), _) => format!("{space}{char}"),
            _ => char.into(),
        }
    }
}

fn own_url(realm: Realm, place: Place) -> impl Strategy<Value = Part> {
    let fitting = |texts: &[&'static str]| texts.iter().copied().filter(|text| place.takes(text)).collect::<Vec<_>>();
    let rests: Vec<_> = RESTS.into_iter().filter(|(rest, _)| rest.is_empty() || place.takes(rest)).collect();
    let head = (select(fitting(realm.schemes)), select(fitting(realm.authorities)));
    // Of half of the URLs every character is written as it is.
    let how = prop_oneof![Just(vec![]), vec(Written::any(place), 60)];
    (head, select(rests), how).prop_map(|((scheme, authority), (rest, path), how)| {
        let mut how = how.into_iter().chain(std::iter::repeat(Written::Plain));
        // White space before the whole is no part of what is cut out.
        let first = how.next().filter(|how| !matches!(how, Written::Apart(_))).unwrap_or(Written::Plain);
        let characters = scheme.chars().chain(authority.chars()).zip(std::iter::once(first).chain(how));
        let head: String = characters.map(|(char, how)| how.character(char)).collect();
        Part { before: format!("{head}{rest}"), after: path.into() }
    })
}

fn other_url(realm: Realm, place: Place) -> impl Strategy<Value = Part> {
    let others: Vec<_> = OTHERS.iter().chain(realm.others).copied().filter(|url| place.takes(url)).collect();
    select(others).prop_map(Part::same)
}

fn url(realm: Realm, owned: bool, place: Place) -> BoxedStrategy<Part> {
    let other = other_url(realm, place);
    if owned { prop_oneof![2 => own_url(realm, place), 1 => other].boxed() } else { other.boxed() }
}

/// A start tag with an attribute that holds URLs, and others that do not.
fn tag(realm: Realm, owned: bool) -> impl Strategy<Value = Part> {
    let one = url(realm, owned, Place::Alone);
    let some = |place| vec(url(realm, owned, place), 1..4);
    let element = prop_oneof![
        (
            select(
                &[
                    "a href",
                    "A HREF",
                    "img src",
                    "form action",
                    "button formaction",
                    "object data",
                    "a data-x-url",
                    "use xlink:href"
                ][..]
            ),
            one.clone(),
        )
            .prop_map(|(name, url)| (name.to_owned(), url)),
        (select(&["div hx-get", "div data-hx-post", "div sse-connect", "video poster", "q cite"][..]), one.clone())
            .prop_map(|(name, url)| (name.to_owned(), Part::around("&#32;", &url, "&Tab;"))),
        one.prop_map(|url| ("meta http-equiv=refresh content".to_owned(), Part::around("5;url=", &url, ""))),
        some(Place::Listed).prop_map(|urls| ("a ping".to_owned(), Part::join(&urls, "&#32;"))),
        some(Place::Listed).prop_map(|urls| ("img srcset".to_owned(), Part::join(&urls, "&#32;2x,"))),
        some(Place::Styled).prop_map(|urls| {
            let urls: Vec<_> = urls.iter().map(|url| Part::around("url(&quot;", url, "&quot;)")).collect();
            ("p style".to_owned(), Part::around("background:", &Part::join(&urls, ","), ""))
        }),
    ];
    let quote = select(&["\"", "'", ""][..]);
    (element, quote, bystander(realm, owned), bystander(realm, owned)).prop_map(|((name, value), quote, one, other)| {
        let (element, attribute) = name.split_once(' ').expect("two names");
        // A value without quotes ends at white space, and an empty one would swallow what follows.
        let quote = if quote.is_empty() && value.before.is_empty() { "\"" } else { quote };
        let value = Part::around(quote, &value, quote);
        Part::around(&format!("<{element}{one} {attribute}="), &value, &format!("{other} >"))
    })
}

/// An attribute that is not a URL's, though it may hold one.
fn bystander(realm: Realm, owned: bool) -> BoxedStrategy<String> {
    let value = url(realm, owned, Place::Alone).prop_map(|url| url.before);
    prop_oneof![
        Just(String::new()),
        (select(&["value", "title", "data-payload", "VALUE", "onclick", "srcdoc", "x-href", "hrefs"][..]), value)
            .prop_map(|(name, value)| format!("  {name}=\"{value}\"")),
        Just(" disabled".to_owned()),
        Just("\n\tclass='a > b'".to_owned()),
    ]
    .boxed()
}

/// What stays as it is, whatever it holds.
fn noise(realm: Realm, owned: bool) -> impl Strategy<Value = Part> {
    const AROUND: [(&str, &str); 16] = [
        ("", ""),
        ("<p>", "</p>"),
        ("<pre>{\"url\":\"", "\"}</pre>"),
        ("<textarea name=x>", "</textarea>"),
        ("<title>", "</title>"),
        ("<script>// ", "\n</script>"),
        ("<script>go('<a href=\"", "\">')</script>"),
        ("<style>p{background:url(", ")}</style>"),
        ("<!-- <a href=", "> -->"),
        ("<!doctype html ", ">"),
        ("</p ", ">"),
        ("<input type=hidden value='{\"url\":\"", "\"}'>"),
        ("<div data-payload=\"{&#34;url&#34;:&#34;", "&#34;}\">"),
        ("<svg xmlns='", "'><path d='M0 0'/></svg>"),
        ("1 < 2 && 3 > 2 \u{0} \u{FFFD} &amp; &; ", " < "),
        ("<iframe srcdoc=\"&lt;a href=", "&gt;\"></iframe>"),
    ];
    (select(&AROUND[..]), url(realm, owned, Place::Alone))
        .prop_map(|((begin, end), url)| Part::same(format!("{begin}{}{end}", url.before)))
}
