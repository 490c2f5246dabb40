use url::Url;

use super::Rewriter;

fn rewriter() -> Rewriter {
    Rewriter::new(&Url::parse("http://admin.example/asyncmq").expect("a URL"))
}

#[test]
fn a_url_of_the_realms_host_becomes_its_path_as_it_is_written() {
    for (url, path) in [
        ("http://admin.example/asyncmq/queues?state=failed#top", "/asyncmq/queues?state=failed#top"),
        ("https://admin.example/", "/"),
        ("HTTP:\\\\Admin.Example\\a%2Fb", "\\a%2Fb"),
        ("//admin.example:80/x", "/x"),
        (" ht\ttp://admin.example?x=1 ", "/?x=1"),
        ("http://admin.example//x", "/.//x"),
        ("http://@admin.example//x", "/.//x"),
        ("http://:@admin.example/x", "/x"),
        ("http://%61dmin.example/x", "/x"),
    ] {
        assert_eq!(rewriter().url(url).as_deref(), Some(path), "{url:?}");
    }
}

#[test]
fn any_other_url_is_left_alone() {
    for url in [
        "/asyncmq/queues",
        "queues",
        "http:x",
        "http://admin.example:8000/",
        "http://admin.example.evil.example/",
        "http://user@admin.example/",
        "http://:password@admin.example/",
        "http://admin.example@evil.example/",
        "ftp://admin.example/",
        "javascript:location='http://admin.example/'",
    ] {
        assert_eq!(rewriter().url(url), None, "{url:?}");
    }
}
