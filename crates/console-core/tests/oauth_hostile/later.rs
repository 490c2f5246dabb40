//! What can go wrong after the sign-in: when it is renewed, and when it ends.

use console_core::{secrets::Secrets, sign_in::oauth::ProviderError};
use serde_json::json;

use super::{
    bench, hostile, misbehave,
    provider::{browser_url, parameter, provider_error},
    sign_in,
};

#[tokio::test]
async fn a_renewal_keeps_the_newest_refresh_token_and_never_becomes_another_person() {
    let mut server = hostile(json!({})).await;
    let bench = bench(&server);
    let first = sign_in(&bench).await.expect("a grant").keep;
    let refresh = |kept: &Secrets| kept.expose("refresh_token").expect("a refresh token").to_owned();
    let second = bench.renew(first.clone()).await.expect("renews").keep;
    assert_ne!(refresh(&first), refresh(&second));
    assert_ne!(first.expose("token"), second.expose("token"));
    misbehave(&mut server, json!({ "refresh": "no_refresh_token" })).await;
    let third = bench.renew(second.clone()).await.expect("renews").keep;
    assert_eq!(refresh(&second), refresh(&third), "none came: the old one goes on");
    misbehave(&mut server, json!({ "refresh": "invalid_grant" })).await;
    let refused = bench.renew(third.clone()).await.expect_err("refused");
    assert!(!refused.is_transient());
    assert_eq!(refused.to_string(), ProviderError::RefreshRefused.to_string());
    misbehave(&mut server, json!({ "refresh": "error" })).await;
    assert!(
        bench.renew(third.clone()).await.expect_err("500").is_transient(),
        "nothing is lost by a provider's bad hour"
    );
    misbehave(&mut server, json!({ "id_token": "bad_signature" })).await;
    assert_eq!(provider_error(bench.renew(third).await), ProviderError::Signature, "verified on renewal too");
    misbehave(&mut server, json!({})).await;
    let again = sign_in(&bench).await.expect("a grant").keep;
    misbehave(&mut server, json!({ "refresh": "other_sub" })).await;
    assert_eq!(provider_error(bench.renew(again).await), ProviderError::OtherSubject);
}

#[tokio::test]
async fn what_cannot_be_revoked_is_said_and_no_token_stands_in_the_logouts_address() {
    let mut server = hostile(json!({ "faults": { "revocation": "unsupported_token_type" } })).await;
    let bench = bench(&server);
    let kept = sign_in(&bench).await.expect("a grant").keep;
    let (notes, step) = bench.end(kept.clone()).await;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("The refresh token was not revoked: ") && notes[1].contains("access token"),
        "{notes:?}"
    );
    let url = browser_url(step.expect("the provider's logout"));
    assert_eq!((url.path(), parameter(&url, "client_id").as_deref()), ("/end", Some("console")));
    assert_eq!(url.query_pairs().count(), 1, "{url}");
    misbehave(&mut server, json!({ "revocation": "error" })).await;
    assert_eq!(bench.end(kept.clone()).await.0.len(), 2);
    misbehave(&mut server, json!({ "discovery": "error" })).await;
    let (notes, step) = bench.end(kept.clone()).await;
    assert_eq!((notes.len(), step), (1, None), "{notes:?}");
    misbehave(&mut server, json!({})).await;
    assert!(bench.end(kept.clone()).await.0.is_empty());
    for note in notes {
        assert!(!note.contains(kept.expose("refresh_token").expect("kept")));
    }
}
