//! Sessions against a clock that tests set.

use std::{sync::Arc, time::Duration};

use http::header::AUTHORIZATION;
use secrecy::SecretString;

use super::{
    Attachment, Change, Credential, Extras, Fresh, Kept, NotSignedIn, Refusal, RenewalTurn, Session, SessionState,
};
use crate::{
    clock::{ManualClock, UnixTime},
    token::Identity,
    upstream::{Unreachable, UnreachableKind},
};

fn bearer() -> Attachment {
    Attachment { header_name: AUTHORIZATION, scheme: "Bearer".into(), cookie_name: None }
}

/// The value of the one header.
fn value(session: &Session) -> http::HeaderValue {
    session.authorize().expect("attached").headers.remove(0).1
}

fn until(seconds: i64) -> Identity {
    Identity { subject: Some("alice".into()), expires_at: Some(UnixTime(seconds)), ..Identity::default() }
}

fn session() -> (Session, ManualClock) {
    let clock = ManualClock::at(UnixTime(100));
    (Session::new(Arc::new(clock.clone())), clock)
}

#[test]
fn a_token_is_attached_until_its_time_is_up_and_not_a_second_longer() {
    let (session, clock) = session();
    assert!(session.authorize().is_err());
    session.activate(&bearer(), &SecretString::from("t"), until(110), 0).expect("activates");
    clock.advance(9);
    assert_eq!(value(&session), "Bearer t");
    clock.advance(1);
    assert!(session.authorize().is_err());
    assert!(matches!(session.state(), SessionState::Expired { at: UnixTime(110), .. }));
}

#[test]
fn expiry_is_judged_by_the_servers_clock() {
    let (session, _) = session();
    session.activate(&bearer(), &SecretString::from("t"), until(110), 20).expect("activates");
    assert!(session.authorize().is_err(), "the server is 20 s ahead");
}

#[test]
fn a_late_refusal_of_an_earlier_token_changes_nothing() {
    let (session, _) = session();
    let first = session.activate(&bearer(), &SecretString::from("one"), until(200), 0).expect("activates");
    session.activate(&bearer(), &SecretString::from("two"), until(200), 0).expect("activates");
    session.refused(first, Refusal::Gate);
    assert_eq!(value(&session), "Bearer two");
}

#[test]
fn a_refused_token_is_not_sent_again() {
    let (session, _) = session();
    let generation = session.activate(&bearer(), &SecretString::from("t"), until(200), 0).expect("activates");
    session.refused(generation, Refusal::NotAllowed);
    assert!(session.authorize().is_err());
    assert!(matches!(session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. }));
}

#[test]
fn a_refusal_after_the_end_reads_as_expiry() {
    let (session, clock) = session();
    let generation = session.activate(&bearer(), &SecretString::from("t"), until(110), 0).expect("activates");
    clock.advance(10);
    session.refused(generation, Refusal::Gate);
    assert!(matches!(session.state(), SessionState::Expired { .. }));
}

#[test]
fn the_attached_value_does_not_print() {
    let (session, _) = session();
    session.activate(&bearer(), &SecretString::from("canary"), until(200), 0).expect("activates");
    assert!(!format!("{:?}", session.authorize()).contains("canary"));
}

#[test]
fn a_token_travels_in_a_cookie_where_the_environment_names_one_with_the_extras_beside_it() {
    let attachment = Attachment { cookie_name: Some("access".into()), ..bearer() };
    let extras = Extras::new(
        [("X-Front", SecretString::from("one"))].into_iter(),
        [("front".to_owned(), SecretString::from("two"))].into_iter(),
    );
    let extras = extras.expect("values");
    let (session, _) = session();
    let token = Credential::Token(SecretString::from("t"));
    let attached = attachment.attach(&token, &extras).expect("attaches");
    session.begin(Fresh { attached, identity: until(200), server_ahead: 0, renewable: false }, Kept::Typed);
    let carried = session.authorize().expect("active");
    assert_eq!(carried.cookie_header().expect("cookies"), "front=two; access=Bearer t");
    assert_eq!(carried.headers.len(), 1);
    assert_eq!((carried.headers[0].0.as_str(), &carried.headers[0].1), ("x-front", &"one".parse().expect("value")));
    let smuggling = Credential::Token(SecretString::from("t; other=1"));
    assert!(attachment.attach(&smuggling, &Extras::default()).is_err());
}

/// A token that ends at `end` and can be renewed.
fn fresh(token: &str, end: i64) -> Fresh {
    let attached = bearer().attach(&Credential::Token(SecretString::from(token)), &Extras::default());
    Fresh { attached: attached.expect("attaches"), identity: until(end), server_ahead: 0, renewable: true }
}

fn renewable() -> (Arc<Session>, ManualClock) {
    let (session, clock) = session();
    session.begin(fresh("one", 110), Kept::Typed);
    (Arc::new(session), clock)
}

fn no_name() -> Unreachable {
    Unreachable { kind: UnreachableKind::Dns, detail: "`a.example` does not resolve.".into() }
}

fn turn(session: &Arc<Session>) -> RenewalTurn {
    session.begin_renewal().expect("a turn")
}

#[tokio::test]
async fn a_thousand_requests_at_the_end_wait_for_one_renewal() {
    let (session, clock) = renewable();
    clock.advance(10);
    let waiting: Vec<_> = (0..1000)
        .map(|_| {
            let session = session.clone();
            tokio::spawn(async move { session.authorization(Duration::from_mins(1)).await.map(|a| a.generation) })
        })
        .collect();
    tokio::task::yield_now().await;
    assert!(matches!(session.state(), SessionState::Renewing { waits: true, .. }));
    let mine = turn(&session);
    assert!(session.begin_renewal().is_none(), "a second turn");
    assert!(mine.renewed(fresh("two", 200)));
    for request in waiting {
        assert_eq!(request.await.expect("runs"), Ok(session.generation()));
    }
    assert_eq!(value(&session), "Bearer two");
}

#[tokio::test]
async fn nobody_hangs_when_the_renewing_task_dies() {
    let (session, clock) = renewable();
    clock.advance(10);
    let waiting = tokio::spawn({
        let session = session.clone();
        async move { session.authorization(Duration::from_hours(1)).await.map(|a| a.generation) }
    });
    tokio::task::yield_now().await;
    let dying = tokio::spawn({
        let session = session.clone();
        async move {
            let _turn = turn(&session);
            panic!("dies")
        }
    });
    assert!(dying.await.is_err());
    assert_eq!(waiting.await.expect("runs"), Err(NotSignedIn::SignedOut));
    assert!(matches!(session.state(), SessionState::Expired { .. }));
}

#[test]
fn a_credential_in_use_goes_on_while_it_is_renewed_and_after_a_renewal_that_failed() {
    let (session, clock) = renewable();
    let mine = turn(&session);
    assert!(matches!(session.state(), SessionState::Renewing { waits: false, .. }));
    assert_eq!(value(&session), "Bearer one");
    assert!(mine.postponed(&no_name(), None));
    assert!(matches!(session.state(), SessionState::Active { .. }));
    assert!(turn(&session).failed("the refresh token was revoked".into()));
    assert_eq!(value(&session), "Bearer one");
    assert!(session.begin_renewal().is_none(), "it will not work");
    clock.advance(10);
    assert_eq!(session.authorize().expect_err("ended"), NotSignedIn::SignedOut);
    assert!(matches!(session.state(), SessionState::Expired { .. }));
}

#[test]
fn offline_is_one_state_with_its_beginning_whatever_fails_and_ends_by_itself() {
    let (session, clock) = renewable();
    session.unreachable(session.generation(), &no_name());
    clock.advance(5);
    let timed_out = Unreachable { kind: UnreachableKind::TimedOut, detail: "late".into() };
    session.unreachable(session.generation(), &timed_out);
    let since = |session: &Session| match session.state() {
        SessionState::Unreachable { since, why, .. } => (since, why.kind),
        other => panic!("{other:?}"),
    };
    assert_eq!(since(&session), (UnixTime(100), UnreachableKind::TimedOut));
    assert_eq!(value(&session), "Bearer one", "requests go on trying");
    // The token ends meanwhile, and what renews it cannot be reached either.
    clock.advance(5);
    assert!(matches!(session.authorize(), Err(NotSignedIn::Unreachable(_))));
    session.reached();
    assert_eq!(since(&session).0, UnixTime(100), "an answer to an older request is no renewal");
    assert!(turn(&session).postponed(&no_name(), None));
    assert_eq!(since(&session), (UnixTime(100), UnreachableKind::Dns));
    clock.advance(170);
    assert!(turn(&session).renewed(fresh("two", 900)));
    assert!(matches!(session.state(), SessionState::Active { .. }));
    let history: Vec<_> = session.history().into_iter().map(|entry| (entry.at.0, entry.change)).collect();
    let outage = Change::Unreachable { kind: UnreachableKind::Dns, until: Some(UnixTime(280)) };
    assert_eq!(
        history,
        [(280, Change::Renewed), (110, Change::Expired), (100, outage), (100, Change::Began(Kept::Typed))]
    );
}

#[test]
fn what_is_refused_right_after_a_renewal_for_a_refusal_is_not_renewed_again() {
    let (session, clock) = renewable();
    let mut end = 500;
    let mut refuse_and_renew = || {
        session.refused(session.generation(), Refusal::Gate);
        let turn = session.begin_renewal()?;
        end += 500;
        Some(turn.renewed(fresh("again", end)))
    };
    session.begin(fresh("one", 500), Kept::Typed);
    assert_eq!(refuse_and_renew(), Some(true));
    clock.advance(60);
    assert_eq!(refuse_and_renew(), Some(true), "a minute later it is another matter");
    clock.advance(5);
    assert_eq!(refuse_and_renew(), None);
    assert!(matches!(session.state(), SessionState::Refused { refusal: Refusal::Gate, .. }));
}

#[test]
fn short_lives_that_end_at_the_admin_first_are_renewed_each_time() {
    let (session, clock) = renewable();
    for round in 0_i32..5 {
        session.begin_renewal().expect("a turn").renewed(fresh("short", 104 + i64::from(round) * 4));
        clock.advance(3);
        session.refused(session.generation(), Refusal::Gate);
        clock.advance(1);
        assert!(matches!(session.state(), SessionState::Renewing { waits: true, .. }), "round {round}");
    }
}

#[test]
fn an_operator_who_may_not_use_the_dashboard_is_not_renewed() {
    let (session, _) = renewable();
    session.refused(session.generation(), Refusal::NotAllowed);
    assert!(session.begin_renewal().is_none());
    assert!(matches!(session.state(), SessionState::Refused { refusal: Refusal::NotAllowed, .. }));
}

#[test]
fn a_turn_that_a_sign_out_or_another_sign_in_overtook_changes_nothing() {
    let (session, _) = renewable();
    let late = turn(&session);
    session.sign_out();
    assert!(!late.renewed(fresh("late", 500)));
    assert_eq!(session.state(), SessionState::SignedOut);
    session.begin(fresh("mine", 500), Kept::Typed);
    let late = turn(&session);
    session.begin(fresh("other", 500), Kept::Typed);
    let next = turn(&session);
    assert!(!late.failed("late".into()));
    assert!(next.renewed(fresh("next", 500)));
    assert_eq!(value(&session), "Bearer next");
}

#[test]
fn a_sign_in_that_is_abandoned_leads_back_to_where_the_session_stands_by_then() {
    let (session, clock) = renewable();
    session.begin_sign_in();
    assert_eq!((session.state(), value(&session)), (SessionState::SigningIn, "Bearer one".parse().expect("value")));
    clock.advance(10);
    session.expire_if_due();
    assert_eq!(session.state(), SessionState::SigningIn);
    session.abandon_sign_in();
    assert!(matches!(session.state(), SessionState::Renewing { waits: true, .. }));
}

#[test]
fn a_clock_that_was_set_back_does_not_keep_an_ended_token() {
    let (session, clock) = renewable();
    clock.advance(-3600);
    assert!(session.authorize().is_ok(), "not known yet");
    session.measured(3610);
    assert!(session.authorize().is_err());
}

#[test]
fn a_clock_that_was_set_forward_does_not_end_a_token_that_the_server_still_takes() {
    let (session, clock) = session();
    session.activate(&bearer(), &SecretString::from("t"), until(110), 0).expect("activates");
    clock.advance(3600);
    assert!(session.authorize().is_err());
    session.measured(-3600);
    assert_eq!(value(&session), "Bearer t");
    clock.advance(10);
    assert!(session.authorize().is_err());
    session.sign_out();
    session.measured(-7200);
    assert!(session.authorize().is_err(), "signed out is signed out");
}

#[test]
fn what_was_kept_begins_by_a_renewal_and_is_signed_out_when_that_fails() {
    let (session, _) = session();
    let session = Arc::new(session);
    session.begin_by_renewal();
    assert!(matches!(session.state(), SessionState::Renewing { identity: None, waits: true }));
    assert!(turn(&session).postponed(&no_name(), None));
    assert!(matches!(session.state(), SessionState::Unreachable { identity: None, .. }));
    assert!(turn(&session).failed("revoked".into()));
    assert_eq!(session.state(), SessionState::SignedOut);
}
