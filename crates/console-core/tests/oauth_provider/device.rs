//! The operator signs in on another device, in a real browser.

use console_core::{
    secrets::Secrets,
    sign_in::{
        Method, Step,
        device_code::DeviceCode,
        oauth::{ClientAuthentication, Place, ProviderError},
        openid_connect::OpenIdConnect,
    },
};
use serde_json::json;

use super::{
    RESOURCE, chromium,
    provider::{Bench, Server, provider_error},
    secret, settings, start, token, verify, visit,
};

fn on_device(server: &Server) -> Bench {
    let OpenIdConnect { issuer, client_id, scopes, resource, .. } = settings(server);
    Bench::new(server, Method::DeviceCode(DeviceCode { issuer, client_id, scopes, resource, ..DeviceCode::default() }))
}

#[tokio::test]
async fn an_operator_signs_in_on_another_device() {
    let (mut server, mut browser) = tokio::join!(start(json!({ "refresh_tokens": "always" })), chromium());
    let bench = on_device(&server);
    let grant = bench
        .obtain(Secrets::default(), async |step| {
            let Step::DeviceCode { user_code, verification_uri, verification_uri_complete, .. } = step else {
                panic!("a code");
            };
            assert!(verification_uri_complete.is_some_and(|uri| uri.as_str().contains(&user_code)));
            visit(&mut browser, &verification_uri, &json!({ "user_code": user_code })).await;
        })
        .await
        .expect("a grant");
    server.event("device_authorized").await;
    assert_eq!(verify(&server, &token(&grant), RESOURCE)["sub"], "alice");
    bench.renew(grant.keep).await.expect("renews");
}

#[tokio::test]
async fn a_device_sign_in_that_is_refused_or_runs_out_ends_in_its_sentence() {
    let (server, mut browser) = tokio::join!(start(json!({})), chromium());
    let denied = on_device(&server)
        .obtain(Secrets::default(), async |step| {
            let Step::DeviceCode { user_code, verification_uri, .. } = step else { panic!("a code") };
            let more = json!({ "user_code": user_code, "agree": false });
            visit(&mut browser, &verification_uri, &more).await;
        })
        .await;
    assert!(matches!(provider_error(denied), ProviderError::AccessDenied { .. }));
    let short = start(json!({ "lifetimes": { "device_code": 4 } })).await;
    let expired = on_device(&short).obtain(Secrets::default(), async |_| {}).await;
    assert_eq!(provider_error(expired), ProviderError::DeviceExpired);
    // A client that may not.
    let server = start(json!({})).await;
    let Method::DeviceCode(settings) = on_device(&server).environment.sign_in else { panic!("the method") };
    let other = DeviceCode {
        client_id: "console-basic".into(),
        client_authentication: ClientAuthentication::Basic,
        ..settings
    };
    let error = Bench::new(&server, Method::DeviceCode(other)).obtain(secret(&server), async |_| {}).await;
    let error = provider_error(error);
    assert!(
        matches!(
            error,
            ProviderError::GrantNotAllowed { .. } | ProviderError::Refused { place: Place::DeviceAuthorization, .. }
        ),
        "{error}"
    );
}
