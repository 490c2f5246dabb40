//! Every way to a real admin: private authority, client certificate, access proxy, SOCKS5 and HTTP proxies, tunnel.

mod support;

use std::time::Duration;

use console_core::{command_line::CommandLine, sign_in::fixed_headers::FixedHeaders};
use console_ipc::{EnvironmentDraft, Method, Network, Problem};
use console_testing::{Server, token};
use serde_json::{Value, json};
use support::{Bench, draft, eventually};
use tokio::time;

fn certificates() -> Server {
    Server::python("../certificates/serve.py", &json!({}))
}

fn front(configuration: &Value) -> Server {
    Server::python("../front/serve.py", configuration)
}

/// The origin of an admin's base URL.
fn origin(admin: &Server) -> String {
    admin.text("base_url").trim_end_matches("/asyncmq").to_owned()
}

fn behind(front: &Server, network: Network) -> EnvironmentDraft {
    EnvironmentDraft { network, ..draft(&format!("{}/asyncmq", front.text("origin")), Method::PastedToken) }
}

fn pasted() -> String {
    token(600, &json!({}))
}

fn assert_says(problem: &Problem, parts: &[&str]) {
    let text = format!("{} {}", problem.title, problem.detail);
    for part in parts {
        assert!(text.contains(part), "`{part}` in {problem:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_where_the_environment_names_its_file_and_only_there() {
    let (certificates, admin) = (certificates(), Server::admin(&json!({ "trusted_proxies": ["127.0.0.1"] })));
    let front = front(&json!({ "upstream": origin(&admin), "tls": certificates.ready["server"] }));
    let trusting = Network { ca_file: certificates.text("ca_file").into(), ..Network::default() };
    Bench::new(behind(&front, trusting.clone())).await.enters(&[("token", &pasted())]).await;
    assert_eq!(front.event("a page", |event| event["path"] == "/asyncmq/")["protocol"], "HTTP/2.0");

    let stranger = Bench::new(behind(&front, Network::default())).await;
    assert_says(&stranger.refused(&[("token", &pasted())]).await, &["does not trust", "127.0.0.1"]);
    let missing = Network { ca_file: "/no/such/file.pem".into(), ..Network::default() };
    let problem = Bench::new(behind(&front, missing)).await.refused(&[("token", &pasted())]).await;
    assert_eq!(problem.code, "ca_file");

    for (server, part) in [("expired_server", "has expired"), ("other_host_server", "another name")] {
        let front = self::front(&json!({ "upstream": origin(&admin), "tls": certificates.ready[server] }));
        let problem = Bench::new(behind(&front, trusting.clone())).await.refused(&[("token", &pasted())]).await;
        assert_says(&problem, &[part]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_from_pem_and_pkcs12_is_shown_and_its_key_ends_in_the_vault() {
    let certificates = certificates();
    let admin = Server::admin(&json!({ "backend": "proxy_header", "trusted_proxies": ["127.0.0.1"] }));
    let mut tls = certificates.ready["server"].clone();
    tls["client_ca_file"] = certificates.ready["ca_file"].clone();
    let front = front(&json!({ "upstream": origin(&admin), "tls": tls, "identify": "X-Authenticated-User" }));
    let client = &certificates.ready["client"];
    let path = |key: &str| client[key].as_str().expect("a path").to_owned();
    let network = |certificate: String| Network {
        ca_file: certificates.text("ca_file").into(),
        client_certificate_file: certificate,
        ..Network::default()
    };
    let environment =
        |certificate: String| EnvironmentDraft { sign_in: Method::None, ..behind(&front, network(certificate)) };
    let key = std::fs::read_to_string(path("key_file")).expect("the key");

    let mut pem = Bench::new(environment(path("certificate_file"))).await;
    assert_eq!(pem.refused(&[]).await.code, "client_certificate", "a certificate alone is not enough");
    pem.enters(&[("client_key", &key)]).await;
    assert!(pem.vault_text().contains("PRIVATE KEY"), "the key is in the vault");
    let mut pem = pem.restarted().await;
    pem.sees_dashboard().await;

    for file in ["pkcs12_file", "old_pkcs12_file"] {
        let mut bench = Bench::new(environment(path(file))).await;
        let wrong = bench.refused(&[("client_key_password", "wrong")]).await;
        assert_eq!(wrong.code, "client_certificate", "{wrong:?}");
        bench.enters(&[("client_key_password", client["password"].as_str().expect("text"))]).await;
        assert!(!bench.vault_text().contains("client_key_password"), "the file's password is not kept");
        // The file itself is not needed any more.
        bench.restarted().await.sees_dashboard().await;
    }

    let encrypted = std::fs::read_to_string(path("encrypted_key_file")).expect("the key");
    let refused = pem.refused(&[("client_key", &encrypted)]).await;
    assert_eq!(refused.code, "client_certificate", "{refused:?}");
    let without = Bench::new(EnvironmentDraft {
        network: Network { ca_file: certificates.text("ca_file").into(), ..Network::default() },
        ..environment(String::new())
    });
    let problem = without.await.refused(&[]).await;
    assert_says(&problem, &["client certificate"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_proxy_in_front_and_a_token_for_the_admin_go_together() {
    let certificates = certificates();
    let admin = Server::admin(&json!({ "trusted_proxies": ["127.0.0.1"] }));
    let demand = json!({
        "headers": { "CF-Access-Client-Id": "abc.access", "CF-Access-Client-Secret": "canary-secret" },
        "cookies": { "front": "canary-cookie" },
    });
    let front = front(&json!({ "upstream": origin(&admin), "tls": certificates.ready["server"], "demand": demand }));
    let ca_file = certificates.text("ca_file").to_owned();
    let plain = Bench::new(behind(&front, Network { ca_file: ca_file.clone(), ..Network::default() })).await;
    assert_says(&plain.refused(&[("token", &pasted())]).await, &["sends you to team.access.example"]);

    let extras = Network {
        ca_file,
        extra_headers: vec!["CF-Access-Client-Id".into(), "CF-Access-Client-Secret".into()],
        extra_cookies: vec!["front".into()],
        ..Network::default()
    };
    let mut bench = Bench::new(behind(&front, extras)).await;
    assert_eq!(bench.refused(&[("token", &pasted())]).await.code, "missing");
    bench
        .enters(&[
            ("token", &pasted()),
            ("header:CF-Access-Client-Id", "abc.access"),
            ("header:CF-Access-Client-Secret", "canary-secret"),
            ("cookie:front", "canary-cookie"),
        ])
        .await;
    let file = std::fs::read_to_string(bench.folder.path().join("config/environments.toml")).expect("reads");
    assert!(!file.contains("canary"), "no secret is in the settings");
    // A sign-out that removes the token keeps what the way needs.
    bench.workspace.sign_out(&bench.id, true).await.expect("signs out");
    bench.enters(&[("token", &pasted())]).await;
    bench.restarted().await.sees_dashboard().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn socks_and_connect_proxies_with_a_password_lead_to_an_admin_that_only_they_know() {
    let certificates = certificates();
    let admin = Server::admin(&json!({}));
    let port = origin(&admin).rsplit(':').next().expect("a port").to_owned();
    let mut proxies = Server::node(
        "proxies",
        "serve.mjs",
        &json!({ "username": "ops", "password": "canary-proxy", "names": { "admin.internal.test": "127.0.0.1" },
                 "tls": certificates.ready["server"] }),
    );
    let environment = |proxy: &str| EnvironmentDraft {
        allow_plain_http: true,
        network: Network { proxy: proxy.into(), proxy_user: "ops".into(), ..Network::default() },
        ..draft(&format!("http://admin.internal.test:{port}/asyncmq"), Method::PastedToken)
    };
    let socks = proxies.text("socks5_url").replace("socks5://", "socks5h://");
    let http = proxies.text("http_url").to_owned();
    for (proxy, name) in [(&socks, "socks5"), (&http, "http")] {
        let mut bench = Bench::new(environment(proxy)).await;
        let wrong = bench.refused(&[("token", &pasted()), ("proxy_password", "wrong")]).await;
        assert!(wrong.code == "unreachable" || wrong.code == "refused" || wrong.code == "proxy", "{wrong:?}");
        assert!(!format!("{wrong:?}").contains("canary"));
        bench.enters(&[("token", &pasted()), ("proxy_password", "canary-proxy")]).await;
        let event = proxies.event("a connection", |event| {
            event["event"] == "admitted" && event["proxy"].as_str().is_some_and(|proxy| proxy.starts_with(name))
        });
        assert_eq!((&event["host"], &event["user"]), (&json!("admin.internal.test"), &json!("ops")));
    }
    // To an https address the way is a tunnel through the proxy (CONNECT), and the admin's certificate is still its own.
    let behind_tls = Server::admin(&json!({ "tls": certificates.ready["server"] }));
    let network = Network {
        ca_file: certificates.text("ca_file").into(),
        proxy: http.clone(),
        proxy_user: "ops".into(),
        ..Network::default()
    };
    let base_url = behind_tls.text("base_url").to_owned();
    let mut bench = Bench::new(EnvironmentDraft { network, ..draft(&base_url, Method::PastedToken) }).await;
    let wrong = bench.refused(&[("token", &pasted()), ("proxy_password", "wrong")]).await;
    assert_says(&wrong, &["proxy"]);
    bench.enters(&[("token", &pasted()), ("proxy_password", "canary-proxy")]).await;
    proxies.event("a tunnel", |event| event["event"] == "admitted" && event["proxy"] == "http_connect");

    proxies.tell(&json!({ "mode": "refuse" }));
    proxies.event("the change", |event| event["event"] == "mode_changed");
    let bench = Bench::new(environment(&socks)).await;
    let problem = bench.refused(&[("token", &pasted()), ("proxy_password", "canary-proxy")]).await;
    assert_says(&problem, &["proxy"]);
}

/// The part of the next test that runs in a process whose desktop has a proxy.
const SYSTEM_PROXY_CHILD: &str = "CONSOLE_TEST_SYSTEM_PROXY_BASE_URL";

#[tokio::test(flavor = "multi_thread")]
async fn the_desktops_proxy_is_used_for_other_hosts_and_never_for_those_that_it_leaves_out() {
    if let Ok(base_url) = std::env::var(SYSTEM_PROXY_CHILD) {
        let environment = EnvironmentDraft { allow_plain_http: true, ..draft(&base_url, Method::PastedToken) };
        Bench::new(environment).await.enters(&[("token", &pasted())]).await;
        return;
    }
    let admin = Server::admin(&json!({}));
    let proxies = Server::node("proxies", "serve.mjs", &json!({ "names": { "admin.internal.test": "127.0.0.1" } }));
    let child = |base_url: &str, no_proxy: &str| {
        let mut command = std::process::Command::new(std::env::current_exe().expect("this test"));
        let name = "the_desktops_proxy_is_used_for_other_hosts_and_never_for_those_that_it_leaves_out";
        command.args([name, "--exact"]).env(SYSTEM_PROXY_CHILD, base_url).env("no_proxy", no_proxy);
        command.env("http_proxy", proxies.text("http_url")).output().expect("runs")
    };
    let by_name = admin.text("base_url").replace("127.0.0.1", "admin.internal.test");
    let through = child(&by_name, "");
    assert!(through.status.success(), "{}", String::from_utf8_lossy(&through.stdout));
    proxies.event("a request", |event| event["event"] == "admitted" && event["host"] == "admin.internal.test");
    // Left out by NO_PROXY, the name is nobody's; loopback is always reached directly.
    assert!(!child(&by_name, "internal.test").status.success());
    assert!(child(admin.text("base_url"), "").status.success());
    assert!(proxies.events().iter().all(|event| event["host"] != "127.0.0.1"), "loopback never goes to the proxy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_is_started_on_demand_and_ends_with_the_session() {
    let admin = Server::admin(&json!({}));
    let target = origin(&admin).rsplit(':').next().expect("a port").to_owned();
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address").port();
    // What `kubectl port-forward` does, in one line.
    let script = format!(
        "import asyncio\nasync def pipe(r,w):\n  while d:=await r.read(65536):\n    w.write(d);await w.drain()\n  w.close()\n\
         async def serve(r,w):\n  a,b=await asyncio.open_connection('127.0.0.1',{target})\n  await asyncio.gather(pipe(r,b),pipe(a,w),return_exceptions=True)\n\
         async def main():\n  s=await asyncio.start_server(serve,'127.0.0.1',{port})\n  await s.serve_forever()\nasyncio.run(main())"
    );
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("forward.py");
    std::fs::write(&file, script).expect("writes");
    let tunnel = CommandLine { program: "python3".into(), arguments: vec![file.display().to_string()] };
    let network = Network { tunnel: Some(tunnel), ..Network::default() };
    let environment =
        EnvironmentDraft { network, ..draft(&format!("http://127.0.0.1:{port}/asyncmq"), Method::PastedToken) };
    let mut bench = Bench::new(environment).await;
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "nothing runs before it is needed");
    bench.enters(&[("token", &pasted())]).await;
    bench.workspace.sign_out(&bench.id, false).await.expect("signs out");
    assert_closes(port).await;

    // The program's own end is one, too; nothing is dropped then.
    bench.enters(&[("token", &pasted())]).await;
    bench.workspace.end().await;
    assert_closes(port).await;
}

async fn assert_closes(port: u16) {
    let mut ended = false;
    for _ in 0..200 {
        ended = std::net::TcpStream::connect(("127.0.0.1", port)).is_err();
        if ended {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(ended, "the tunnel ends with the session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_a_front_injects_is_the_fronts_and_the_consoles_own_is_replaced() {
    let admin = Server::admin(&json!({ "backend": "proxy_header" }));
    let front = front(&json!({ "upstream": origin(&admin), "inject": { "X-Authenticated-User": "alice" } }));
    let base_url = format!("{}/asyncmq", front.text("origin"));
    Bench::new(draft(&base_url, Method::None)).await.enters(&[]).await;
    let method = Method::FixedHeaders(FixedHeaders { names: vec!["X-Authenticated-User".into()] });
    Bench::new(draft(&base_url, method)).await.enters(&[("X-Authenticated-User", "mallory")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_is_starting_ends_with_the_program_and_no_other_begins() {
    let [port, alive] = [(); 2].map(|()| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("address").port()
    });
    let is_alive = || std::net::TcpStream::connect(("127.0.0.1", alive)).is_ok();
    // It runs, and never opens the port that a tunnel is waited for at.
    let script = format!("import socket,time;a=socket.create_server(('127.0.0.1',{alive}));time.sleep(60)");
    let tunnel = CommandLine { program: "python3".into(), arguments: vec!["-c".into(), script] };
    let network = Network { tunnel: Some(tunnel), ..Network::default() };
    let base_url = format!("http://127.0.0.1:{port}/asyncmq");
    let bench = Bench::new(EnvironmentDraft { network, ..draft(&base_url, Method::PastedToken) }).await;
    bench.workspace.doctor_open(&bench.id).await.expect("opens");
    eventually("the tunnel's command runs", is_alive).await;
    time::timeout(Duration::from_secs(10), bench.workspace.end()).await.expect("the program ends");
    eventually("the command has ended", || !is_alive()).await;
    assert_says(&bench.refused(&[("token", &pasted())]).await, &["python3", "the console is closing"]);
}
