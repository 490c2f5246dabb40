//! What does the client allow a server over HTTP/2? Read from the first bytes that it sends (RFC 9113 §3.4, §6.5, §6.9).

use std::{fs, sync::Arc};

use console_core::{
    environment::{EnvironmentDraft, EnvironmentId},
    secrets::Secrets,
    upstream::Reach,
};
use console_testing::Server;
use http::Method;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;
use tokio::{io::AsyncReadExt as _, net::TcpListener, time};
use tokio_rustls::TlsAcceptor;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Types of frames.
const SETTINGS: u8 = 4;
const WINDOW_UPDATE: u8 = 8;
/// Settings.
const ENABLE_PUSH: u16 = 2;
const INITIAL_WINDOW_SIZE: u16 = 4;
const MAX_HEADER_LIST_SIZE: u16 = 6;
/// What a connection's window is before anybody enlarges it, in bytes.
const FIRST_CONNECTION_WINDOW: u32 = 65_535;

fn number(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[tokio::test]
async fn windows_are_wide_from_the_beginning_and_heads_are_bounded() {
    let certificates = Server::python("../certificates/serve.py", &json!({}));
    let pem = |key: &str| fs::read(certificates.ready["server"][key].as_str().expect("a path")).expect("reads");
    let chain = CertificateDer::pem_slice_iter(&pem("certificate_file")).collect::<Result<_, _>>().expect("a chain");
    let key = PrivateKeyDer::from_pem_slice(&pem("key_file")).expect("a key");
    let mut tls = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).expect("fits");
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");

    let mut draft = EnvironmentDraft {
        name: "Test".into(),
        tag: "TEST".into(),
        base_url: format!("https://{}/asyncmq", listener.local_addr().expect("an address")),
        ..EnvironmentDraft::default()
    };
    certificates.text("ca_file").clone_into(&mut draft.network.ca_file);
    let environment = draft.check().expect("sound").into_environment(EnvironmentId::random().expect("random"));
    let reach = Reach::new(&environment, &Secrets::default()).expect("a way");
    let request = tokio::spawn(reach.request(Method::GET, environment.base_url.join("/")).send());

    let (stream, _) = listener.accept().await.expect("connects");
    let mut stream = TlsAcceptor::from(Arc::new(tls)).accept(stream).await.expect("shakes hands");
    let mut preface = [0; PREFACE.len()];
    stream.read_exact(&mut preface).await.expect("reads");
    assert_eq!(preface, PREFACE);
    let (mut settings, mut connection_window) = (Vec::new(), FIRST_CONNECTION_WINDOW);
    while settings.is_empty() || connection_window == FIRST_CONNECTION_WINDOW {
        let mut head = [0; 9];
        time::timeout(time::Duration::from_secs(10), stream.read_exact(&mut head))
            .await
            .expect("a frame")
            .expect("reads");
        let mut payload = vec![0; number(&head[..3]) as usize];
        stream.read_exact(&mut payload).await.expect("reads");
        match head[3] {
            SETTINGS => settings.extend(payload.chunks(6).map(|one| (number(&one[..2]), number(&one[2..])))),
            WINDOW_UPDATE if number(&head[5..]) == 0 => connection_window += number(&payload),
            _ => {}
        }
    }
    let set = |name: u16| settings.iter().find(|(known, _)| *known == u32::from(name)).map(|(_, value)| *value);
    assert_eq!(set(ENABLE_PUSH), Some(0));
    assert_eq!(set(INITIAL_WINDOW_SIZE), Some(2 * 1024 * 1024));
    assert_eq!(set(MAX_HEADER_LIST_SIZE), Some(64 * 1024));
    assert_eq!(connection_window, 8 * 1024 * 1024);
    request.abort();
}
