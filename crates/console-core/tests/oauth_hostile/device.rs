//! What can go wrong while the operator types a code on another device (RFC 8628).

use std::time::Duration;

use console_core::{
    secrets::Secrets,
    sign_in::{
        Method, Step,
        device_code::DeviceCode,
        oauth::{GrantKind, Place, ProviderError},
    },
};
use serde_json::{Value, json};
use tokio::time;

use super::{
    hostile, misbehave,
    provider::{Bench, Server, provider_error},
};

fn on_device(server: &Server) -> Bench {
    let settings = DeviceCode { issuer: server.text("issuer"), client_id: "console".into(), ..DeviceCode::default() };
    Bench::new(server, Method::DeviceCode(settings))
}

#[tokio::test]
async fn slow_down_slows_down_for_good() {
    let mut server = hostile(json!({ "polls": 1, "faults": { "device": "slow_down" } })).await;
    let bench = on_device(&server);
    bench
        .obtain(Secrets::default(), async |step| {
            let Step::DeviceCode { user_code, .. } = step else { panic!("a code") };
            assert_eq!(user_code, "WDJB-MJHT");
        })
        .await
        .expect("a grant");
    let mut polls = Vec::new();
    while polls.len() < 2 {
        let asked = server.event("asked").await;
        if asked["endpoint"] == "device" {
            polls.push(asked["at_milliseconds"].as_u64().expect("a time"));
        }
    }
    // RFC 8628 §3.5: five seconds more than before.
    assert!(polls[1] - polls[0] >= 5_900, "{polls:?}");
}

#[tokio::test]
async fn a_device_sign_in_that_does_not_succeed_ends_in_its_sentence() {
    let mut server = hostile(json!({ "polls": 1 })).await;
    let bench = on_device(&server);
    let mut of = async |faults: Value| {
        misbehave(&mut server, faults).await;
        bench.obtain(Secrets::default(), async |_| {}).await
    };
    let place = Place::DeviceAuthorization;
    of(json!({})).await.expect("a grant");
    assert!(matches!(provider_error(of(json!({"device": "denied"})).await), ProviderError::AccessDenied { .. }));
    assert_eq!(provider_error(of(json!({"device": "expired"})).await), ProviderError::DeviceExpired);
    let never = json!({"device": "pending", "device_authorization": "short_lived"});
    assert_eq!(provider_error(of(never).await), ProviderError::DeviceExpired, "by our own clock");
    let unauthorized = json!({"device_authorization": "unauthorized_client"});
    assert_eq!(provider_error(of(unauthorized).await), ProviderError::GrantNotAllowed { grant: GrantKind::Device });
    let odd = provider_error(of(json!({"device_authorization": "odd_scheme"})).await);
    assert_eq!(odd, ProviderError::InsecureEndpoint { place, url: "file:///etc/passwd".into() });
    let http = provider_error(of(json!({"device_authorization": "http_uri"})).await);
    assert_eq!(http, ProviderError::InsecureEndpoint { place, url: "http://127.0.0.1:9/device".into() });
    let token = Place::Token;
    let html = provider_error(of(json!({"device": "html"})).await);
    assert_eq!(html, ProviderError::NotJson { place: token, found: "`text/html`".into() }, "polling ends at once");
    assert_eq!(provider_error(of(json!({"device": "huge"})).await), ProviderError::TooLong { place: token });
    let garbage = provider_error(of(json!({"device": "garbage"})).await);
    assert!(matches!(garbage, ProviderError::Answer { place: Place::Token, .. }), "{garbage}");
    let id_token = of(json!({"id_token": "alg_none"})).await;
    assert_eq!(provider_error(id_token), ProviderError::Algorithm { algorithm: "none".into() });
}

#[tokio::test]
async fn an_interval_out_of_all_reason_is_refused_and_none_at_all_does_not_flood_the_provider() {
    let server = hostile(json!({ "interval": 10_000_000_000_u64 })).await;
    let error = provider_error(on_device(&server).obtain(Secrets::default(), async |_| {}).await);
    let expected =
        ProviderError::Answer { place: Place::DeviceAuthorization, reason: "`interval` is not what it must be".into() };
    assert_eq!(error, expected);
    let mut server = hostile(json!({ "interval": 0, "polls": 1 })).await;
    on_device(&server).obtain(Secrets::default(), async |_| {}).await.expect("a grant");
    let mut polls = Vec::new();
    while polls.len() < 2 {
        let asked = server.event("asked").await;
        if asked["endpoint"] == "device" {
            polls.push(asked["at_milliseconds"].as_u64().expect("a time"));
        }
    }
    assert!(polls[1] - polls[0] >= 900, "{polls:?}");
}

#[tokio::test]
async fn a_cancelled_device_sign_in_asks_no_more() {
    let mut server = hostile(json!({ "faults": { "device": "pending" } })).await;
    let bench = on_device(&server);
    let waiting = bench.obtain(Secrets::default(), async |_| {});
    assert!(time::timeout(Duration::from_millis(2_500), waiting).await.is_err());
    server.event("asked").await;
    // Whatever was asked before is behind the change of faults; afterwards nothing may come.
    misbehave(&mut server, json!({})).await;
    let more = time::timeout(Duration::from_millis(2_500), server.event("asked")).await;
    assert!(more.is_err(), "{more:?}");
}
