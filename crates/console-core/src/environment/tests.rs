use super::{Accent, EnvironmentDraft, EnvironmentId, Protection};

fn draft() -> EnvironmentDraft {
    EnvironmentDraft {
        name: "Acme".into(),
        base_url: "https://a.example/asyncmq".into(),
        tag: "PROD".into(),
        accent: Accent::Red,
        login_path: "/login".into(),
        header_name: "Authorization".into(),
        scheme: "Bearer".into(),
        allow_plain_http: false,
        protection: Protection::Locked,
        ..EnvironmentDraft::default()
    }
}

fn wrong(edit: impl FnOnce(&mut EnvironmentDraft)) -> Vec<&'static str> {
    let mut draft = draft();
    edit(&mut draft);
    draft.check().err().unwrap_or_default().into_iter().map(|error| error.field).collect()
}

#[test]
fn a_sound_draft_has_no_errors_and_every_wrong_field_is_named() {
    assert!(wrong(|_| ()).is_empty());
    assert_eq!(
        wrong(|draft| {
            draft.name = " ".into();
            draft.tag = "TOO LONG TAG".into();
            draft.base_url = "http://a.example".into();
            draft.login_path = "login".into();
            draft.header_name = "a b".into();
            draft.scheme = "two words".into();
        }),
        ["name", "tag", "base_url", "login_path", "header_name", "scheme"]
    );
}

#[test]
fn headers_that_mean_something_else_cannot_carry_a_token() {
    for name in [
        "Host",
        "cookie",
        "Set-Cookie",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Content-Type",
        "Content-Length",
        "Forwarded",
        "X-Forwarded-For",
        "Sec-Fetch-Site",
        "Origin",
        "Referer",
        "",
        "a:b",
        "ü",
    ] {
        assert_eq!(wrong(|draft| draft.header_name = name.into()), ["header_name"], "{name}");
    }
    assert!(wrong(|draft| draft.header_name = "X-Admin-Token".into()).is_empty());
}

#[test]
fn a_name_cannot_reorder_the_text_around_it() {
    assert_eq!(wrong(|draft| draft.tag = "PR\u{202e}OD".into()), ["tag"]);
    assert_eq!(wrong(|draft| draft.name = "a\nb".into()), ["name"]);
    for hidden in ['\u{2028}', '\u{200b}', '\u{3164}', '\u{e0041}', '\u{7f}'] {
        assert_eq!(wrong(|draft| draft.tag = hidden.into()), ["tag"], "{hidden:?}");
    }
    assert!(wrong(|draft| draft.tag = "ÄÖÜ☠️".into()).is_empty());
}

#[test]
fn lengths_are_counted_in_characters() {
    assert!(wrong(|draft| draft.tag = "ÄÖÜÄÖÜÄÖ".into()).is_empty());
    assert_eq!(wrong(|draft| draft.tag = "ÄÖÜÄÖÜÄÖÜ".into()), ["tag"]);
    assert!(wrong(|draft| draft.name = "ü".repeat(80)).is_empty());
    assert_eq!(wrong(|draft| draft.name = "ü".repeat(81)), ["name"]);
}

#[test]
fn a_token_pasted_into_the_wrong_field_is_refused_and_not_repeated() {
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.canary", "x".repeat(300));
    let mut draft = draft();
    draft.scheme = token.clone();
    draft.header_name = token.clone();
    draft.login_path = format!("/{token}");
    draft.tag = token.clone();
    draft.name = token.clone();
    draft.base_url = format!("https://user:{token}@a.example");
    let errors = draft.check().expect_err("refused");
    assert_eq!(errors.len(), 6);
    assert!(!format!("{errors:?}").contains("canary"), "{errors:?}");
    draft.scheme = "Bearer canary".into();
    draft.header_name = "X-Token: canary".into();
    assert!(!format!("{:?}", draft.check().expect_err("refused")).contains("canary"));
}

#[test]
fn an_id_is_16_lower_case_hexadecimal_digits() {
    let id = EnvironmentId::random().expect("random");
    assert_eq!(id.to_string().parse(), Ok(id.clone()));
    assert_ne!(EnvironmentId::random().expect("random"), id);
    for text in ["", "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", "../3456789abcdef"] {
        assert!(text.parse::<EnvironmentId>().is_err(), "{text}");
    }
}

#[test]
fn a_login_path_is_one_path() {
    for path in [
        "/login?x",
        "/../login",
        "//login",
        "/a b",
        "/",
        "",
        "/lo%67in",
        "/a//",
        "/.",
        "/a/..",
        "/a\\b",
        "/a#b",
        "https://b.example/login",
    ] {
        assert_eq!(wrong(|draft| draft.login_path = path.into()), ["login_path"], "{path}");
    }
}
