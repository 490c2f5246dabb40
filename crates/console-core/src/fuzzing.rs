//! What must hold whatever text arrives? One function for each target in fuzz/; it panics when its promise is broken.

use std::path::Path;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::{Host, Url};

use crate::{
    clock::UnixTime,
    environment_file,
    realm::{BaseUrl, Realm},
    session::{Attachment, Credential, Extras},
    token::{Identity, from_pasted_text},
};

/// An environments' file that is read can be written, and reads the same again.
pub fn environments(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("environments.toml");
    match environment_file::parse(path, text) {
        Ok(environments) => {
            let written = environment_file::render(&environments).expect("what was read can be written");
            assert_eq!(environment_file::parse(path, &written).expect("what was written can be read"), environments);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Whatever claims are, they can be read and judged, and a token says of them what they say by themselves.
pub fn claims(bytes: &[u8]) {
    let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(bytes) else { return };
    let written = serde_json::to_vec(&claims).expect("what was read can be written");
    let identity = Identity::from_claims(claims);
    judge(&identity);
    let header = r#"{"alg":"HS256"}"#;
    let token = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(written));
    let read = Identity::read(&SecretString::from(token));
    assert_eq!(Identity { header: Map::new(), ..read }, identity, "shown of the token, and what stands in it");
}

/// A text that is taken for a token can be attached, and can be read and judged.
pub fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for scheme in ["Bearer", "Tökén", ""] {
        let Ok(token) = from_pasted_text(text, scheme) else { continue };
        assert!(!token.expose_secret().is_empty());
        let attachment = Attachment { header_name: AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None };
        let attached = attachment.attach(&Credential::Token(token), &Extras::default());
        assert!(attached.is_ok(), "a token that cannot stand in a header");
    }
    judge(&Identity::read(&SecretString::from(text)));
}

fn judge(identity: &Identity) {
    for now in [i64::MIN, 0, i64::MAX].map(UnixTime) {
        let findings = identity.findings(now);
        assert_eq!(identity.opaque, findings.contains(&crate::token::Finding::Opaque));
        for at in [identity.expires_at, identity.not_before].into_iter().flatten() {
            let _ = at.seconds_since(now);
        }
    }
    assert!(!identity.is_same_operator(identity) || !identity.opaque);
    let _ = identity.display_name();
}

/// A base address is its own text, and its realm holds what we make below it. User information is never repeated.
pub fn base_url(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(base) = BaseUrl::parse(text, true) {
        let shown = base.to_string();
        assert_eq!(BaseUrl::parse(&shown, true).as_ref(), Ok(&base), "`{shown}` from {text:?}");
        assert_eq!(shown.parse::<Realm>().as_ref(), Ok(&base.realm()));
        assert!(!shown.ends_with('/') && !base.prefix().ends_with('/'), "`{shown}`");
        for path in ["", "/", "/login?next=%2Fx"] {
            assert!(base.realm().contains(&base.join(path)), "`{path}` below `{shown}`");
        }
        if let Some(Host::Domain(host)) = base.as_url().host() {
            let other = Url::parse(&format!("https://{host}.evil.example{}", base.prefix()));
            assert!(!other.is_ok_and(|other| base.realm().contains(&other)), "`{host}` begins another name");
        }
    }
    if !text.contains("canary") {
        for with_secret in [format!("https://u:canary@{text}"), format!("u:canary@{text}")] {
            let error = BaseUrl::parse(&with_secret, true).expect_err("user information");
            assert!(!format!("{error} {error:?}").contains("canary"), "{text:?}");
        }
    }
}
