//! How does a command make the base URL's port answer, and keep it so? Started when it is needed, watched, restarted with a
//! growing pause, ended with its handle.

use std::{io, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    sync::watch,
    task::AbortHandle,
    time::{self, Instant},
};
use url::Url;

use crate::{
    command_line::CommandLine,
    sign_in::{Advice, external_command::redacted},
};

/// How long the port may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pauses before a restart: doubled from the first to the last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_mins(1));
/// One that ran this long had come up: the next pause begins small again.
const CAME_UP: Duration = Duration::from_mins(1);

/// Why there is no tunnel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum TunnelError {
    #[error("the tunnel's command `{program}` was not found")]
    NotFound { program: String },
    #[error("the tunnel's command `{program}` could not be started: {reason}")]
    NotStarted { program: String, reason: String },
    #[error("something else answers at `{address}` already, which the tunnel is meant to open")]
    Taken { address: String },
    #[error("the tunnel's command `{program}` ended with {status} before `{address}` answered{said}")]
    Ended { program: String, status: String, address: String, said: String },
    #[error("`{address}` did not answer within 30 s of starting the tunnel's command `{program}`")]
    Silent { program: String, address: String },
    #[error("a tunnel leads to this computer, and `{address}` is not on it")]
    NotLocal { address: String },
}

impl Advice for TunnelError {
    fn code(&self) -> &'static str {
        "tunnel"
    }

    fn advice(&self) -> String {
        match self {
            Self::NotFound { .. } => "Give its whole path in the environment's network settings, or install it.",
            Self::NotStarted { .. } => "Check that this user may run it.",
            Self::Taken { .. } => "End the other program, or give the tunnel another port in command and base URL.",
            Self::Ended { .. } | Self::Silent { .. } => {
                "Run it in a terminal to see what it says. It gets no input here, so it must not ask for anything."
            }
            Self::NotLocal { .. } => "Give a base URL such as http://127.0.0.1:PORT/asyncmq.",
        }
        .into()
    }

    fn is_transient(&self) -> bool {
        matches!(self, Self::Ended { .. } | Self::Silent { .. })
    }
}

/// A command that is kept running. It ends when this is dropped.
#[derive(Debug)]
pub struct Tunnel {
    supervisor: AbortHandle,
    /// Closed once the command is gone.
    running: watch::Receiver<()>,
}

impl Tunnel {
    /// Starts `command` and waits until the port of `base_url` answers.
    ///
    /// # Errors
    /// [`TunnelError`]; nothing keeps running then.
    pub async fn start(command: &CommandLine, base_url: &Url) -> Result<Self, TunnelError> {
        let address = address_of(base_url);
        if !crate::realm::is_loopback(base_url) {
            return Err(TunnelError::NotLocal { address });
        }
        // Whoever answers there would get the credential.
        if TcpStream::connect(&address).await.is_ok() {
            return Err(TunnelError::Taken { address });
        }
        let (mut child, said) = spawn(command)?;
        let answers = async {
            while TcpStream::connect(&address).await.is_err() {
                time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            ended = child.wait() => {
                let status = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
                let said = said.borrow().clone();
                let said = if said.is_empty() { said } else { format!(" and said: {said}") };
                return Err(TunnelError::Ended { program: command.program.clone(), status, address, said });
            }
            answered = time::timeout(PATIENCE, answers) => if answered.is_err() {
                return Err(TunnelError::Silent { program: command.program.clone(), address });
            }
        }
        let (alive, running) = watch::channel(());
        let supervisor = tokio::spawn(supervise(command.clone(), child, alive)).abort_handle();
        Ok(Self { supervisor, running })
    }

    /// Kills the command, and comes back when that is done.
    pub async fn end(&self) {
        self.supervisor.abort();
        let mut running = self.running.clone();
        while running.changed().await.is_ok() {}
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        // The child is killed when its handle goes with the task.
        self.supervisor.abort();
    }
}

/// `_alive` goes with the task, after the child.
async fn supervise(command: CommandLine, child: Child, _alive: watch::Sender<()>) {
    let mut child = child;
    let mut pause = PAUSES.0;
    loop {
        let began = Instant::now();
        let status = child.wait().await;
        let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
        tracing::warn!(program = command.program, status, "a tunnel's command ended; it is started again");
        if began.elapsed() >= CAME_UP {
            pause = PAUSES.0;
        }
        loop {
            time::sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
            match spawn(&command) {
                Ok((started, _)) => {
                    child = started;
                    break;
                }
                Err(error) => tracing::warn!(%error, "a tunnel's command could not be started again"),
            }
        }
    }
}

/// Starts it; the receiver has the last line of its error output.
fn spawn(command: &CommandLine) -> Result<(Child, watch::Receiver<String>), TunnelError> {
    let program = command.program.clone();
    let started = Command::new(&program)
        .args(&command.arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn();
    let mut child = started.map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => TunnelError::NotFound { program: program.clone() },
        _ => TunnelError::NotStarted { program, reason: error.to_string() },
    })?;
    let (tell, said) = watch::channel(String::new());
    if let Some(errors) = child.stderr.take() {
        tokio::spawn(async move {
            let mut lines = BufReader::new(errors).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                tell.send_replace(redacted(&line));
            }
        });
    }
    Ok((child, said))
}

fn address_of(base_url: &Url) -> String {
    format!("{}:{}", base_url.host_str().unwrap_or_default(), base_url.port_or_known_default().unwrap_or(80))
}

#[cfg(all(test, unix))]
mod tests {
    use std::{net::TcpListener, time::Duration};

    use tokio::{io::AsyncWriteExt as _, net::TcpStream, time};
    use url::Url;

    use super::{Tunnel, TunnelError};
    use crate::command_line::CommandLine;

    fn free_port() -> u16 {
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("address").port()
    }

    fn python(script: &str) -> CommandLine {
        CommandLine { program: "python3".into(), arguments: vec!["-c".into(), script.into()] }
    }

    /// Listens until it is told `end`.
    fn listening(port: u16) -> CommandLine {
        python(&format!(
            "import socket\ns=socket.create_server(('127.0.0.1',{port}))\n\
             while True:\n  c,_=s.accept()\n  if c.recv(3)==b'end': break\n  c.close()"
        ))
    }

    async fn open(port: u16) -> TcpStream {
        let connected = async {
            loop {
                match TcpStream::connect(("127.0.0.1", port)).await {
                    Ok(stream) => return stream,
                    Err(_) => time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        time::timeout(Duration::from_secs(20), connected).await.expect("the port answers")
    }

    fn url(port: u16) -> Url {
        format!("http://127.0.0.1:{port}/asyncmq").parse().expect("url")
    }

    async fn closed(port: u16) {
        let gone = async {
            while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                time::sleep(Duration::from_millis(20)).await;
            }
        };
        time::timeout(Duration::from_secs(10), gone).await.expect("the port is closed");
    }

    #[tokio::test]
    async fn the_port_is_waited_for_and_the_command_ends_with_its_handle() {
        let port = free_port();
        let tunnel = Tunnel::start(&listening(port), &url(port)).await.expect("comes up");
        drop(tunnel);
        closed(port).await;
        let tunnel = Tunnel::start(&listening(port), &url(port)).await.expect("comes up");
        tunnel.end().await;
        closed(port).await;
    }

    #[tokio::test]
    async fn a_command_that_ended_is_started_again_after_a_pause() {
        let port = free_port();
        let tunnel = Tunnel::start(&listening(port), &url(port)).await.expect("comes up");
        open(port).await.write_all(b"end").await.expect("tells it");
        closed(port).await;
        drop(open(port).await);
        drop(tunnel);
        closed(port).await;
    }

    #[tokio::test]
    async fn a_port_that_somebody_else_holds_is_no_tunnel() {
        let squatter = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = squatter.local_addr().expect("address").port();
        let refused = Tunnel::start(&listening(port), &url(port)).await.expect_err("refused");
        assert!(matches!(refused, TunnelError::Taken { .. }), "{refused}");
    }

    #[tokio::test]
    async fn a_command_that_ends_says_why() {
        let failing = python("import sys; sys.exit('no such cluster')");
        let refused = Tunnel::start(&failing, &url(free_port())).await.expect_err("ends");
        assert!(matches!(&refused, TunnelError::Ended { .. }), "{refused}");
        let missing = CommandLine { program: "no-such-program-here".into(), arguments: Vec::new() };
        let refused = Tunnel::start(&missing, &url(free_port())).await.expect_err("not found");
        assert!(matches!(refused, TunnelError::NotFound { .. }), "{refused}");
    }
}
