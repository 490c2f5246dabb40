//! The doctor of an environment that may not, or cannot, be used as it is set: it looks at the rest and says what it left out.

mod support;

use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use console_core::{
    command_line::CommandLine,
    vault::{Vault, VaultError},
};
use console_ipc::{DoctorStepView, EnvironmentDraft, Method, Network, VerdictView};
use console_testing::{Server, token};
use serde_json::json;
use support::{Bench, draft, eventually, start, start_with, until};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy},
    net,
};

/// All that was sent to an admin.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Heard {
    fn take(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.0.lock().expect("whole"))).into_owned()
    }

    /// Stands before `admin`, and hears what is sent to it. The base URL that leads here.
    async fn before(&self, admin: &Server) -> String {
        let base_url = url::Url::parse(admin.text("base_url")).expect("a URL");
        let target = format!("127.0.0.1:{}", base_url.port().expect("a port"));
        let listener = net::TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let address = listener.local_addr().expect("an address");
        let heard = self.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (heard, target) = (heard.clone(), target.clone());
                tokio::spawn(async move {
                    let to = net::TcpStream::connect(target).await.expect("the admin is there");
                    let ((mut asked, mut answer), (mut answered, mut ask)) = (from.into_split(), to.into_split());
                    tokio::spawn(async move { copy(&mut answered, &mut answer).await });
                    let mut bytes = [0; 4096];
                    while let Ok(length @ 1..) = asked.read(&mut bytes).await {
                        heard.0.lock().expect("whole").extend(&bytes[..length]);
                        if ask.write_all(&bytes[..length]).await.is_err() {
                            return;
                        }
                    }
                });
            }
        });
        format!("http://{address}/asyncmq")
    }
}

/// What the doctor found once it has looked at everything.
async fn examined(bench: &Bench) -> Vec<DoctorStepView> {
    bench.workspace.doctor_run(&bench.id).await.expect("runs");
    bench.until("the end", |view| view.doctor.as_ref().is_some_and(|doctor| !doctor.running)).await;
    bench.view().doctor.expect("open").steps
}

#[track_caller]
fn assert_step(steps: &[DoctorStepView], id: &str, verdict: VerdictView, parts: &[&str]) {
    let step = steps.iter().find(|step| step.id == id).unwrap_or_else(|| panic!("no {id} in {steps:?}"));
    assert_eq!(step.verdict, verdict, "{step:?}");
    for part in parts {
        assert!(format!("{} {}", step.finding, step.advice).contains(part), "`{part}` in {step:?}");
    }
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address").port()
}

fn python(folder: &Path, script: &str) -> CommandLine {
    let file = folder.join("tunnel.py");
    std::fs::write(&file, script).expect("writes");
    CommandLine { program: "python3".into(), arguments: vec![file.display().to_string()] }
}

/// An environment with certificate authorities in a file of its own, and an admin that is listened to.
struct Authorities {
    bench: Bench,
    heard: Heard,
    file: PathBuf,
    _served: [Server; 2],
    _folder: TempDir,
}

impl Authorities {
    async fn approved() -> Self {
        let (admin, certificates) = (Server::admin(&json!({})), Server::python("../certificates/serve.py", &json!({})));
        let (heard, folder) = (Heard::default(), tempfile::tempdir().expect("folder"));
        let file = folder.path().join("ca.pem");
        std::fs::copy(certificates.text("ca_file"), &file).expect("copies");
        let network = Network {
            ca_file: file.display().to_string(),
            extra_headers: vec!["X-Front".into()],
            ..Network::default()
        };
        let base_url = heard.before(&admin).await;
        let bench = Bench::new(EnvironmentDraft { network, ..draft(&base_url, Method::PastedToken) }).await;
        Self { bench, heard, file, _served: [admin, certificates], _folder: folder }
    }

    /// Examined with all that is there: what the doctor found. Every one of `secrets` was sent.
    async fn lend(&self, secrets: &[&str]) -> Vec<DoctorStepView> {
        self.heard.take();
        let steps = examined(&self.bench).await;
        assert_step(&steps, "settings", VerdictView::Well, &[]);
        let sent = self.heard.take();
        assert!(secrets.iter().all(|secret| sent.contains(secret)), "{sent}");
        steps
    }

    /// Examined after the file has changed: the admin is looked at, and none of `secrets` was sent.
    async fn lend_nothing_once_changed(&self, secrets: &[&str]) -> Vec<DoctorStepView> {
        let mut authorities = std::fs::read_to_string(&self.file).expect("reads");
        authorities.push('\n');
        std::fs::write(&self.file, authorities).expect("writes");
        let steps = examined(&self.bench).await;
        let sent = self.heard.take();
        assert!(sent.contains("GET /asyncmq/"), "the admin was looked at: {sent}");
        assert!(!secrets.iter().any(|secret| sent.contains(secret)), "{sent}");
        assert_step(&steps, "settings", VerdictView::Failed, &["Not approved", "(ca)", "ca.pem", "approve it"]);
        assert_step(&steps, "accepted", VerdictView::Skipped, &["Settings"]);
        steps
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn authorities_that_changed_since_they_were_approved_are_left_out_and_no_secret_is_sent() {
    let authorities = Authorities::approved().await;
    let refused = token(600, &json!({ "aud": "another" }));
    let answers = [("token", refused.as_str()), ("header:X-Front", "canary-front")];
    assert_eq!(authorities.bench.refused(&answers).await.code, "refused");

    // As it was tried: with all that was typed, of which the keychain holds nothing.
    let secrets = [refused.as_str(), "canary-front"];
    let whole = authorities.lend(&secrets).await;
    assert_step(&whole, "accepted", VerdictView::Failed, &["gate"]);
    let rest = authorities.lend_nothing_once_changed(&secrets).await;
    assert_step(&rest, "mount", VerdictView::Well, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lends_the_doctor_nothing_once_its_authorities_have_changed() {
    let mut authorities = Authorities::approved().await;
    let token = token(600, &json!({}));
    authorities.bench.enters(&[("token", &token), ("header:X-Front", "canary-front")]).await;

    let secrets = [token.as_str(), "canary-front"];
    let whole = authorities.lend(&secrets).await;
    assert_step(&whole, "accepted", VerdictView::Well, &[]);
    authorities.lend_nothing_once_changed(&secrets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_second_sign_in_tried_is_examined_over_the_way_on_which_it_was_tried() {
    let (admin, heard) = (Server::admin(&json!({})), Heard::default());
    let network = Network { extra_headers: vec!["X-Front".into()], ..Network::default() };
    let environment = EnvironmentDraft { network, ..draft(&heard.before(&admin).await, Method::PastedToken) };
    let mut bench = Bench::new(environment).await;
    bench.enters(&[("token", &token(600, &json!({}))), ("header:X-Front", "the-first-front")]).await;
    let second = token(600, &json!({ "aud": "another" }));
    assert_eq!(bench.refused(&[("token", &second), ("header:X-Front", "the-second-front")]).await.code, "refused");

    heard.take();
    let found = examined(&bench).await;
    assert_step(&found, "settings", VerdictView::Well, &[]);
    assert_step(&found, "accepted", VerdictView::Failed, &["gate"]);
    let sent = heard.take();
    assert!(sent.contains(&second) && sent.contains("the-second-front"), "{sent}");
    assert!(!sent.contains("the-first-front"), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_keychain_only_what_would_be_in_it_is_missing() {
    let admin = Server::admin(&json!({}));
    let with = async |network: Network| {
        let bench =
            Bench::new(EnvironmentDraft { network, ..draft(admin.text("base_url"), Method::PastedToken) }).await;
        // The same settings where there is no keychain.
        let vault = Vault::opened_by(|| Err(VaultError::Unavailable { reason: "no bus".into() }));
        let (workspace, orders) = start_with(&bench.folder, vault).await;
        Bench { workspace, orders, ..bench }
    };
    let plain = examined(&with(Network::default()).await).await;
    assert_step(&plain, "settings", VerdictView::Well, &[]);
    assert_step(&plain, "mount", VerdictView::Well, &[]);
    let header = Network { extra_headers: vec!["X-Front".into()], ..Network::default() };
    assert_step(&examined(&with(header).await).await, "settings", VerdictView::Failed, &["no bus", "keychain"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_was_not_approved_here_is_not_started() {
    let folder = tempfile::tempdir().expect("folder");
    let started = folder.path().join("started");
    let tunnel = python(folder.path(), &format!("open({:?}, 'w')", started.display().to_string()));
    let network = Network { tunnel: Some(tunnel), ..Network::default() };
    let environment = EnvironmentDraft {
        network,
        ..draft(&format!("http://127.0.0.1:{}/asyncmq", free_port()), Method::PastedToken)
    };
    let bench = Bench::new(environment).await;
    // The same settings where nobody has approved anything.
    let (workspace, orders) = start(&bench.folder, &Arc::default()).await;
    until(&workspace, "asked", |state| state.environments.iter().any(|view| !view.approvals.is_empty())).await;
    let bench = Bench { workspace, orders, ..bench };
    let found = examined(&bench).await;
    assert_step(&found, "settings", VerdictView::Failed, &["Not approved", "(tunnel): `python3`"]);
    assert_step(&found, "tcp", VerdictView::Failed, &["Nothing answers"]);
    assert!(!started.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_way_lacks_is_said_and_the_rest_is_looked_at() {
    let (admin, folder) = (Server::admin(&json!({})), tempfile::tempdir().expect("folder"));
    let base_url = admin.text("base_url");
    let of = |network: Network| Bench::new(EnvironmentDraft { network, ..draft(base_url, Method::PastedToken) });
    let certificate = folder.path().join("gone.pem").display().to_string();
    let tunnel = CommandLine { program: "no-such-program-here".into(), arguments: Vec::new() };
    let cases = [
        (Network { extra_headers: vec!["X-Front".into()], ..Network::default() }, "`X-Front` is not at hand"),
        (Network { client_certificate_file: certificate.clone(), ..Network::default() }, "gone.pem"),
        (Network { ca_file: certificate, ..Network::default() }, "authorities"),
        // What it should open answers already.
        (Network { tunnel: Some(tunnel), ..Network::default() }, "something else answers"),
    ];
    for (network, why) in cases {
        let found = examined(&of(network).await).await;
        assert_step(&found, "settings", VerdictView::Failed, &[]);
        let said = found[0].finding.to_lowercase();
        assert!(said.contains(&why.to_lowercase()), "`{why}` in {said}");
        assert_step(&found, "mount", VerdictView::Well, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_doctor_that_is_closed_while_its_tunnel_starts_stays_closed() {
    let folder = tempfile::tempdir().expect("folder");
    let (port, alive, go) = (free_port(), free_port(), folder.path().join("go"));
    // Answers at once that it runs, and as a tunnel only when it is told.
    let script = format!(
        "import os,socket,time\na=socket.create_server(('127.0.0.1',{alive}))\n\
         while not os.path.exists({:?}): time.sleep(0.01)\n\
         b=socket.create_server(('127.0.0.1',{port}))\ntime.sleep(60)",
        go.display().to_string()
    );
    let network = Network { tunnel: Some(python(folder.path(), &script)), ..Network::default() };
    let base_url = format!("http://127.0.0.1:{port}/asyncmq");
    let bench = Bench::new(EnvironmentDraft { network, ..draft(&base_url, Method::PastedToken) }).await;
    let opening = tokio::spawn({
        let (workspace, id) = (bench.workspace.clone(), bench.id.clone());
        async move { workspace.doctor_open(&id).await }
    });
    eventually("the tunnel's command runs", || TcpStream::connect(("127.0.0.1", alive)).is_ok()).await;
    bench.workspace.doctor_close(&bench.id).await.expect("closes");
    std::fs::write(&go, "").expect("writes");
    opening.await.expect("ends").expect("opens");
    assert_eq!(bench.view().doctor, None);
    eventually("the tunnel ends", || TcpStream::connect(("127.0.0.1", alive)).is_err()).await;
    assert_eq!(bench.view().doctor, None);
}
