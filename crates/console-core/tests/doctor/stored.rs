//! Without a window: which environment is meant, and what of the vault is used.

use std::{
    net::{TcpListener as StdListener, TcpStream as StdStream},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use console_core::{
    approval,
    clock::{Clock as _, SystemClock},
    command_line::CommandLine,
    doctor::{Case, ChoiceError, Chosen, LeftOut, SignedIn, StepId, Usable, Verdict, choose},
    environment::{Environment, EnvironmentDraft},
    network::Network,
    secrets::Secrets,
    sign_in::{Grant, Method, external_command::ExternalCommand, openid_connect::OpenIdConnect},
    vault::{MemoryStore, Slot, StoredCredential, Vault, VaultError},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::bed::{assert_step, certificates, draft, environment, report};

fn named(name: &str, tag: &str) -> Environment {
    environment(&EnvironmentDraft { name: name.into(), tag: tag.into(), ..draft("https://admin.example/asyncmq") })
}

fn vault() -> Vault {
    Vault::with_store(Arc::new(MemoryStore::default()))
}

async fn keep(vault: &Vault, environment: &Environment, secrets: Secrets) {
    let stored = StoredCredential {
        realm: environment.base_url.realm(),
        endpoint: environment.sign_in.implementation().endpoint(),
        method: environment.sign_in.name().into(),
        secrets,
        stored_at: SystemClock.now(),
        in_use: true,
    };
    vault.store(&environment.id, Slot::Credential, &stored).await.expect("stores");
}

/// As the operator approves all of it.
async fn approve(vault: &Vault, environment: &Environment) {
    let approved = StoredCredential {
        realm: environment.base_url.realm(),
        endpoint: None,
        method: String::new(),
        secrets: approval::record(approval::needed(environment)),
        stored_at: SystemClock.now(),
        in_use: true,
    };
    vault.store(&environment.id, Slot::Approvals, &approved).await.expect("stores");
}

async fn case(environment: &Environment, vault: &Vault) -> Case {
    let chosen = Chosen::Environment(Box::new(environment.clone()));
    Case::of(chosen, vault, Arc::new(SystemClock)).await.expect("a case")
}

#[test]
fn an_environment_is_meant_by_its_id_name_or_tag_and_two_are_named() {
    let all = [named("Acme production", "PROD"), named("Beta production", "PROD"), named("Staging", "STAGE")];
    let chosen = |asked: &str| match choose(&all, asked) {
        Ok(Chosen::Environment(environment)) => Ok(environment.name),
        Ok(Chosen::Address(environment)) => Ok(environment.base_url.to_string()),
        Err(error) => Err(error),
    };
    assert_eq!(chosen("acme PRODUCTION").as_deref(), Ok("Acme production"));
    assert_eq!(chosen("stage").as_deref(), Ok("Staging"));
    assert_eq!(chosen(all[1].id.as_str()).as_deref(), Ok("Beta production"));
    let several = chosen("prod").expect_err("two").to_string();
    assert!(several.contains("Acme production") && several.contains(all[1].id.as_str()), "{several}");
    let none = chosen("nightly").expect_err("none").to_string();
    assert!(none.contains("`nightly`") && none.contains("Staging (STAGE)"), "{none}");
    assert_eq!(chosen("https://x.example/asyncmq/").as_deref(), Ok("https://x.example/asyncmq"));
    assert_eq!(chosen("127.0.0.1:8000/asyncmq").as_deref(), Ok("http://127.0.0.1:8000/asyncmq"));
    let with_password = chosen("https://alice:canary@x.example").expect_err("no password there");
    assert!(matches!(with_password, ChoiceError::Address { .. }));
    assert!(!with_password.to_string().contains("canary"), "{with_password}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stored_is_used_for_what_it_was_given_for_and_for_nothing_else() {
    let (vault, mut environment) = (vault(), named("Acme", "A"));
    assert!(case(&environment, &vault).await.remarks[0].contains("sign in in the window"));
    keep(&vault, &environment, Secrets::one("token", "a-token-of-acme".to_owned().into())).await;
    let good = case(&environment, &vault).await;
    assert!(good.subject.signed_in.is_some() && good.remarks.is_empty());
    environment.base_url = console_core::realm::BaseUrl::parse("https://moved.example/asyncmq", false).expect("sound");
    let moved = case(&environment, &vault).await;
    assert!(moved.subject.signed_in.is_none());
    assert!(moved.remarks[0].contains("as it is set now"), "{:?}", moved.remarks);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_approved_is_neither_used_nor_given_the_credential() {
    let vault = vault();
    let network = Network { proxy: "http://evil.example:3128".into(), ..Network::default() };
    let environment = environment(&EnvironmentDraft { network, ..draft("https://admin.example/asyncmq") });
    keep(&vault, &environment, Secrets::one("token", "a-token-of-acme".to_owned().into())).await;
    let strange = case(&environment, &vault).await;
    assert!(strange.subject.signed_in.is_none());
    assert_eq!(strange.subject.environment.network.proxy, "");
    let left_out: Vec<_> = strange.subject.left_out.iter().map(ToString::to_string).collect();
    assert!(left_out.len() == 1 && left_out[0].contains("evil.example"), "{left_out:?}");
    approve(&vault, &environment).await;
    let known = case(&environment, &vault).await;
    assert!(known.subject.signed_in.is_some() && known.remarks.is_empty(), "{:?}", known.remarks);
    assert_eq!(known.subject.environment.network.proxy, "http://evil.example:3128");
}

/// A tunnel takes its time to come up, and a file is read after that.
#[test]
fn authorities_that_change_after_they_were_compared_are_left_out_too() {
    let (certificates, folder) = (certificates(), tempfile::tempdir().expect("folder"));
    let ca_file = folder.path().join("ca.pem");
    let authority = std::fs::read_to_string(certificates.text("ca_file")).expect("reads");
    std::fs::write(&ca_file, &authority).expect("writes");
    let network = Network { ca_file: ca_file.display().to_string(), ..Network::default() };
    let environment = environment(&EnvironmentDraft { network, ..draft("https://admin.example/asyncmq") });
    let approved = approval::record(approval::needed(&environment));
    let signed_in = || {
        let Grant { credential, identity, keep } =
            Grant::token("a-token-of-acme".to_owned().into(), None, Secrets::default());
        Some(SignedIn { credential, identity, kept: keep })
    };
    let usable = || Usable::of(environment.clone(), approved.clone(), Ok(Secrets::default()));
    let (same, changed) = (usable(), usable());
    let same = same.subject(signed_in(), Arc::new(SystemClock)).expect("a subject");
    assert!(same.left_out.is_empty() && same.signed_in.is_some());
    std::fs::write(&ca_file, format!("{authority}\n")).expect("writes");
    assert!(changed.is_whole(), "it was when it was compared");
    let changed = changed.subject(signed_in(), Arc::new(SystemClock)).expect("a subject");
    assert!(matches!(changed.left_out.as_slice(), [LeftOut::Unapproved { kind: "ca", .. }]));
    assert_eq!(changed.environment.network.ca_file, "");
    assert!(changed.signed_in.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_token_is_not_spent() {
    let vault = vault();
    let sign_in = Method::OpenIdConnect(OpenIdConnect {
        issuer: "https://id.example".into(),
        client_id: "console".into(),
        ..OpenIdConnect::default()
    });
    let environment = environment(&EnvironmentDraft { sign_in, ..draft("https://admin.example/asyncmq") });
    keep(&vault, &environment, Secrets::one("refresh_token", "rotates".to_owned().into())).await;
    let case = case(&environment, &vault).await;
    assert!(case.subject.signed_in.is_none());
    assert!(case.remarks[0].contains("sign in in the window"), "{:?}", case.remarks);
}

/// The report is made to be copied to somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn of_commands_that_were_not_approved_a_report_names_the_programs_only() {
    let command = |program: &str| CommandLine {
        program: program.into(),
        arguments: vec!["--password".into(), "canary-of-an-argument".into()],
    };
    let network = Network { tunnel: Some(command("a-tunnel")), ..Network::default() };
    let sign_in = Method::ExternalCommand(ExternalCommand { command: command("a-printer"), timeout: 5 });
    let environment = environment(&EnvironmentDraft { network, sign_in, ..draft("http://127.0.0.1:9/asyncmq") });
    let case = case(&environment, &vault()).await;
    let found = report(&case.subject).await;
    assert_step(&found, StepId::Settings, Verdict::Failed, &["(command): `a-printer`", "(tunnel): `a-tunnel`"]);
    let all = format!("{found}{found:?}{:?}", case.subject.left_out);
    assert!(!all.contains("canary") && !all.contains("--password"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keychain_only_what_is_in_it_is_missing() {
    let vault = Vault::opened_by(|| Err(VaultError::Unavailable { reason: "no bus".into() }));
    let plain = case(&named("Acme", "A"), &vault).await;
    assert!(plain.subject.left_out.is_empty(), "{:?}", plain.subject.left_out);
    assert!(plain.remarks[0].contains("no bus"), "the credential is: {:?}", plain.remarks);
    let network = Network { extra_headers: vec!["X-Front".into()], ..Network::default() };
    let environment = environment(&EnvironmentDraft { network, ..draft("https://admin.example/asyncmq") });
    let with_header = case(&environment, &vault).await;
    assert!(matches!(with_header.subject.left_out.as_slice(), [LeftOut::Vault(_)]));
}

/// Many a directory locks whoever fails a few times.
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_sees_no_log_in_that_has_no_password() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = format!("http://{}", listener.local_addr().expect("bound"));
    let heard = Arc::new(Mutex::new(String::new()));
    tokio::spawn({
        let heard = heard.clone();
        async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut read = Vec::new();
                while !read.ends_with(b"\r\n\r\n") && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
                *heard.lock().expect("whole") += &String::from_utf8_lossy(&read).to_lowercase();
                let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
                let _ = stream.write_all(answer).await;
            }
        }
    });
    let network = Network { proxy, proxy_user: "alice".into(), ..Network::default() };
    let environment = environment(&EnvironmentDraft { network, ..draft("https://admin.example/asyncmq") });
    let missing = vault();
    approve(&missing, &environment).await;
    let found = report(&case(&environment, &missing).await.subject).await;
    assert_step(&found, StepId::Settings, Verdict::Failed, &["`Proxy password` is not at hand"]);
    assert_step(&found, StepId::Proxy, Verdict::Failed, &[]);

    let approved = approval::record(approval::needed(&environment));
    let locked = Err(VaultError::Unavailable { reason: "no bus".into() });
    let locked = Usable::of(environment.clone(), approved.clone(), locked);
    let found = report(&locked.subject(None, Arc::new(SystemClock)).expect("a subject")).await;
    assert_step(&found, StepId::Settings, Verdict::Failed, &["no bus"]);
    let asked = std::mem::take(&mut *heard.lock().expect("whole"));
    assert!(asked.contains("connect admin.example:443"), "{asked}");
    assert!(!asked.contains("proxy-authorization"), "{asked}");

    let password = Secrets::one("proxy_password", "of-alice".to_owned().into());
    let whole = Usable::of(environment, approved, Ok(password));
    report(&whole.subject(None, Arc::new(SystemClock)).expect("a subject")).await;
    let asked = heard.lock().expect("whole").clone();
    assert!(asked.contains("proxy-authorization"), "{asked}");
}

/// A program that ends at once waits for nothing that was only begun.
#[cfg(unix)]
#[tokio::test]
async fn a_case_that_has_ended_leaves_no_command_of_its_tunnel_behind() {
    let port = StdListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let folder = tempfile::tempdir().expect("folder");
    let script = folder.path().join("tunnel.py");
    let listens =
        format!("import socket\ns=socket.create_server(('127.0.0.1',{port}))\nwhile True: s.accept()[0].close()");
    std::fs::write(&script, listens).expect("writes");
    let tunnel = CommandLine { program: "python3".into(), arguments: vec![script.display().to_string()] };
    let network = Network { tunnel: Some(tunnel), ..Network::default() };
    let environment = environment(&EnvironmentDraft { network, ..draft(&format!("http://127.0.0.1:{port}/asyncmq")) });
    let vault = vault();
    approve(&vault, &environment).await;
    let case = case(&environment, &vault).await;
    let answers = || StdStream::connect(("127.0.0.1", port)).is_ok();
    assert!(answers() && case.subject.left_out.is_empty(), "{:?}", case.subject.left_out);
    case.end().await;
    // Without a further turn of the runtime, as the program would go. A killed process still needs the system's moment.
    let begun = Instant::now();
    while answers() {
        assert!(begun.elapsed() < Duration::from_secs(5), "its port still answers");
        std::thread::yield_now();
    }
}
