//! A gateway without a window, for development, tests and measurements.
//!
//! `cargo run --release -p console-gateway --example serve -- --base-url URL [--header NAME] [--scheme WORD]`
//!
//! Reads the token from the first line of standard input, prints one JSON line `{"origin": …, "entry": …}`, and serves
//! until standard input closes.

use std::{io::Write as _, sync::Arc};

use console_core::{
    clock::SystemClock,
    environment::{EnvironmentDraft, EnvironmentId},
    secrets::Secrets,
    session::Session,
    sign_in::pasted_token,
    token::{Identity, from_pasted_text},
    upstream::Reach,
};
use console_gateway::{Gateway, Upstream};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    sync::mpsc,
};

const USAGE: &str = "usage: serve --base-url URL [--header NAME] [--scheme WORD]   (the token on standard input)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut draft = EnvironmentDraft {
        name: "serve".into(),
        tag: "SERVE".into(),
        allow_plain_http: true,
        ..EnvironmentDraft::default()
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
        match name.as_str() {
            "--base-url" => draft.base_url = value,
            "--header" => draft.header_name = value,
            "--scheme" => draft.scheme = value,
            _ => return Err(format!("unknown option {name}\n{USAGE}").into()),
        }
    }
    let environment = draft
        .check()
        .map_err(|errors| errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("\n"))?
        .into_environment(EnvironmentId::random()?);

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let text = lines.next_line().await?.ok_or("no token on standard input")?;
    let token = from_pasted_text(&text, &environment.scheme)?;
    let session = Arc::new(Session::new(Arc::new(SystemClock)));
    session.activate(&pasted_token::attachment(&environment), &token, Identity::read(&token), 0)?;

    let (reports, mut received) = mpsc::unbounded_channel();
    let reach = Reach::new(&environment, &Secrets::default())?;
    let gateway = Gateway::start(Upstream { environment, reach, session }, reports).await?;
    let line = serde_json::json!({
        "origin": gateway.origin().as_str().trim_end_matches('/'),
        "entry": gateway.entry(None)?,
    });
    println!("{line}");
    std::io::stdout().flush()?;
    loop {
        tokio::select! {
            line = lines.next_line() => if line?.is_none() { return Ok(()) },
            Some(report) = received.recv() => eprintln!("{report:?}"),
        }
    }
}
