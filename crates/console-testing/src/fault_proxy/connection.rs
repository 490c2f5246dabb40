//! How do the bytes of one connection pass, and where do they stop?

use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::watch,
    time,
};

use super::{Break, Fault, Moment, Plan, record::Entry};

/// Read at a time, in bytes.
const CHUNK: usize = 16 * 1024;
const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Where the newest exchange is.
#[derive(Default)]
struct Exchange {
    /// The first line of its request.
    request: String,
    /// The server has begun to answer.
    is_answered: bool,
    /// The beginning of the answer up to the end of its head, as far as it was passed on.
    head: Vec<u8>,
    head_ended: bool,
    /// How much of the body was passed on, in bytes.
    body: usize,
}

/// One client, the server, and what is between.
pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    plan: watch::Receiver<Plan>,
    cuts: u64,
    entry: Entry,
    exchange: Exchange,
    client_ended: bool,
    server_ended: bool,
}

/// What comes next on a connection.
enum Next {
    Plan,
    FromClient(usize),
    FromServer(usize),
    Over,
}

impl Connection {
    pub(super) fn new(client: TcpStream, server: TcpStream, plan: watch::Receiver<Plan>, entry: Entry) -> Self {
        let cuts = plan.borrow().cuts;
        Self {
            client,
            server,
            plan,
            cuts,
            entry,
            exchange: Exchange::default(),
            client_ended: false,
            server_ended: false,
        }
    }

    /// Passes bytes until it ends or breaks.
    pub(super) async fn pass(mut self) {
        let (mut asked, mut answered) = (vec![0; CHUNK], vec![0; CHUNK]);
        loop {
            if let Fault::At(Moment::Body(after), how) = self.fault()
                && self.exchange.head_ended
                && self.exchange.body >= after
            {
                return self.break_off(how).await;
            }
            let next = tokio::select! {
                changed = self.plan.changed() => if changed.is_ok() { Next::Plan } else { Next::Over },
                read = self.client.read(&mut asked), if !self.client_ended => read.map_or(Next::Over, Next::FromClient),
                read = self.server.read(&mut answered), if !self.server_ended => read.map_or(Next::Over, Next::FromServer),
            };
            let went_on = match next {
                Next::Plan if self.plan.borrow().cuts != self.cuts => return self.reset(),
                Next::Plan => Ok(true),
                Next::Over => return self.reset(),
                Next::FromClient(0) => {
                    self.client_ended = true;
                    self.server.shutdown().await.map(|()| true)
                }
                Next::FromServer(0) => {
                    self.server_ended = true;
                    self.client.shutdown().await.map(|()| true)
                }
                Next::FromClient(length) => self.ask(&asked[..length]).await,
                Next::FromServer(length) => self.answer(&answered[..length]).await,
            };
            match went_on {
                Ok(true) if self.client_ended && self.server_ended => return,
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => return self.reset(),
            }
        }
    }

    fn fault(&self) -> Fault {
        self.plan.borrow().fault_for(&self.exchange.request)
    }

    /// Passes on what the client sent; false when the connection broke here.
    async fn ask(&mut self, bytes: &[u8]) -> io::Result<bool> {
        if self.exchange.is_answered || self.exchange.request.is_empty() {
            let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
            self.exchange =
                Exchange { request: String::from_utf8_lossy(line).into_owned(), ..Exchange::default() };
            self.entry.asked(&self.exchange.request);
        }
        match self.fault() {
            Fault::BlackHole => Ok(true),
            Fault::At(Moment::Asked, how) => self.broken(how).await,
            _ => self.server.write_all(bytes).await.map(|()| true),
        }
    }

    /// Passes on what the server sent; false when the connection broke here.
    async fn answer(&mut self, mut bytes: &[u8]) -> io::Result<bool> {
        self.exchange.is_answered = true;
        while !bytes.is_empty() {
            let fault = self.fault();
            let most = match fault {
                Fault::BlackHole => return Ok(true),
                Fault::Trickle { bytes, .. } => bytes.max(1),
                _ => bytes.len(),
            };
            let most = self.in_one_part(&bytes[..most.min(bytes.len())], fault);
            if most > 0 {
                self.client.write_all(&bytes[..most]).await?;
                self.exchange.passed(&bytes[..most]);
                bytes = &bytes[most..];
            }
            match fault {
                Fault::At(Moment::Head(after), how)
                    if !self.exchange.head_ended && self.exchange.head.len() >= after =>
                {
                    return self.broken(how).await;
                }
                Fault::At(Moment::Body(after), how)
                    if self.exchange.head_ended && self.exchange.body >= after =>
                {
                    return self.broken(how).await;
                }
                Fault::Trickle { every, .. } => {
                    if time::timeout(every, self.plan.changed()).await.is_ok()
                        && self.plan.borrow().cuts != self.cuts
                    {
                        return Err(io::ErrorKind::ConnectionReset.into());
                    }
                }
                _ => {}
            }
        }
        Ok(true)
    }

    /// How many of `bytes` can be passed on before the next moment at which something may happen.
    fn in_one_part(&self, bytes: &[u8], fault: Fault) -> usize {
        let until_head_ends = if self.exchange.head_ended { bytes.len() } else { self.exchange.head_in(bytes) };
        let allowed = match fault {
            Fault::At(Moment::Head(after), _) if !self.exchange.head_ended => {
                after.saturating_sub(self.exchange.head.len())
            }
            Fault::At(Moment::Body(after), _) if self.exchange.head_ended => after.saturating_sub(self.exchange.body),
            _ => bytes.len(),
        };
        until_head_ends.min(allowed)
    }

    async fn broken(&mut self, how: Break) -> io::Result<bool> {
        match how {
            Break::Reset => Err(io::ErrorKind::ConnectionReset.into()),
            Break::Close => {
                // To the client first: nothing of the server's end may come before it.
                let _ = self.client.shutdown().await;
                let _ = self.server.shutdown().await;
                Ok(false)
            }
            Break::FinishAnswer => {
                self.client.shutdown().await?;
                self.swallow().await;
                Ok(false)
            }
            Break::FinishRequest => {
                self.server.shutdown().await?;
                self.client_ended = true;
                Ok(true)
            }
            Break::Stall => {
                self.stand_still().await;
                Ok(false)
            }
        }
    }

    async fn break_off(mut self, how: Break) {
        match self.broken(how).await {
            Err(_) => self.reset(),
            Ok(true) => Box::pin(self.pass_rest()).await,
            Ok(false) => {}
        }
    }

    /// What the server still says, once its request was finished.
    async fn pass_rest(mut self) {
        let _ = tokio::io::copy(&mut self.server, &mut self.client).await;
    }

    /// Both sides get a RST.
    #[allow(clippy::needless_pass_by_value, reason = "what it stands for is over")]
    fn reset(self) {
        let _ = self.client.set_zero_linger();
        let _ = self.server.set_zero_linger();
    }

    /// Reads and forgets what the client sends, to its end.
    async fn swallow(&mut self) {
        let mut bytes = vec![0; CHUNK];
        loop {
            tokio::select! {
                read = self.client.read(&mut bytes) => if !matches!(read, Ok(length) if length > 0) { return },
                () = cut(&mut self.plan, self.cuts) => return,
            }
        }
    }

    /// Nothing passes until the client leaves, everything is cut, or the fault is lifted: then what waited passes on, as
    /// on a line that was only slow.
    async fn stand_still(&mut self) {
        todo!()
    }
}
