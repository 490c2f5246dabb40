//! How do the bytes of one connection pass, and where do they stop?

use std::{io, mem};

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
    /// The head of the answer, as far as it was passed on.
    head: Vec<u8>,
    head_ended: bool,
    /// How much of the answer was passed on after its head, in bytes.
    body: usize,
}

impl Exchange {
    fn began_with(bytes: &[u8]) -> Self {
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        Self { request: String::from_utf8_lossy(line).into_owned(), ..Self::default() }
    }

    /// How many of `bytes` of the answer come before `moment`; all of them when it is no moment of an answer's.
    fn before(&self, moment: Moment, bytes: &[u8]) -> usize {
        match moment {
            Moment::Head(after) if !self.head_ended => after.saturating_sub(self.head.len()),
            Moment::Body(after) if self.head_ended => after.saturating_sub(self.body),
            _ => bytes.len(),
        }
    }

    /// How many of `bytes` belong to the same part of the answer as the first.
    fn in_one_part(&self, bytes: &[u8]) -> usize {
        if self.head_ended {
            return bytes.len();
        }
        // The end may have begun in what was passed on before.
        let before = self.head.len().min(END_OF_HEAD.len() - 1);
        let known = [&self.head[self.head.len() - before..], bytes].concat();
        let end = known.windows(END_OF_HEAD.len()).position(|window| window == END_OF_HEAD);
        end.map_or(bytes.len(), |at| at + END_OF_HEAD.len() - before)
    }

    fn passed(&mut self, bytes: &[u8]) {
        if self.head_ended {
            self.body += bytes.len();
        } else {
            self.head.extend_from_slice(bytes);
            self.head_ended = self.head.ends_with(END_OF_HEAD);
        }
    }

    /// Whether the answer stands at `moment`.
    fn is_at(&self, moment: Moment) -> bool {
        match moment {
            Moment::Accepted | Moment::Asked => false,
            Moment::Head(after) => self.is_answered && !self.head_ended && self.head.len() >= after,
            Moment::Body(after) => self.head_ended && self.body >= after,
        }
    }
}

/// One client, the server, and what is between.
pub(super) struct Connection {
    client: TcpStream,
    server: TcpStream,
    plan: watch::Receiver<Plan>,
    /// What was cut before this connection.
    cuts: u64,
    entry: Entry,
    exchange: Exchange,
    /// What the client sent while everything stood still.
    waiting: Vec<u8>,
    client_ended: bool,
    server_ended: bool,
    /// Something fell into a black hole, and what comes after it makes no sense without it.
    is_lost: bool,
    /// A direction was finished before its time: what comes is swallowed, and nothing else happens any more.
    finished: (bool, bool),
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
            waiting: Vec::new(),
            client_ended: false,
            server_ended: false,
            is_lost: false,
            finished: (false, false),
        }
    }

    /// Passes bytes to the end. A RST from one side, or from the proxy itself, reaches both.
    pub(super) async fn pass(mut self) {
        if self.pass_all().await.is_err() {
            // Whoever is closed without lingering, and with bytes that nobody took, sends a RST.
            let _ = self.client.set_zero_linger();
            let _ = self.server.set_zero_linger();
        }
    }

    async fn pass_all(&mut self) -> io::Result<()> {
        if let Fault::At(Moment::Accepted, how) = self.fault() {
            self.break_now(how).await?;
        }
        let (mut asked, mut answered) = (vec![0; CHUNK], vec![0; CHUNK]);
        while !(self.client_ended && self.server_ended) {
            if let Fault::At(moment, how) = self.fault()
                && self.exchange.is_at(moment)
            {
                self.break_now(how).await?;
            }
            if !self.waiting.is_empty() {
                let waiting = mem::take(&mut self.waiting);
                self.ask(&waiting).await?;
            }
            tokio::select! {
                changed = self.plan.changed() => self.look_at_plan(changed.is_ok())?,
                read = self.client.read(&mut asked), if !self.client_ended => match read? {
                    0 => {
                        self.client_ended = true;
                        self.server.shutdown().await?;
                    }
                    length => self.ask(&asked[..length]).await?,
                },
                read = self.server.read(&mut answered), if !self.server_ended => match read? {
                    0 => {
                        self.server_ended = true;
                        self.client.shutdown().await?;
                    }
                    length => self.answer(&answered[..length]).await?,
                },
            }
        }
        Ok(())
    }

    /// What happens to the newest exchange.
    fn fault(&self) -> Fault {
        if self.finished == (false, false) { self.plan.borrow().fault_for(&self.exchange.request) } else { Fault::None }
    }

    /// Whether everything was cut, or the proxy is gone.
    fn look_at_plan(&self, plan_is_there: bool) -> io::Result<()> {
        let goes_on = plan_is_there && self.plan.borrow().cuts == self.cuts;
        if goes_on { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
    }

    /// Passes on what the client sent.
    async fn ask(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.exchange.is_answered || self.exchange.request.is_empty() {
            self.exchange = Exchange::began_with(bytes);
            self.entry.asked(&self.exchange.request);
            if let Fault::At(Moment::Asked, how) = self.fault() {
                self.break_now(how).await?;
            }
        }
        self.is_lost |= self.fault() == Fault::BlackHole;
        if !self.is_lost && !self.finished.1 {
            self.server.write_all(bytes).await?;
        }
        Ok(())
    }

    /// Passes on what the server sent.
    async fn answer(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.exchange.is_answered = true;
        while !bytes.is_empty() {
            let fault = self.fault();
            let most = match fault {
                Fault::At(moment, _) => self.exchange.before(moment, bytes),
                Fault::Trickle { bytes, .. } => bytes.max(1),
                _ => bytes.len(),
            };
            let (now, later) = bytes.split_at(most.min(self.exchange.in_one_part(bytes)).min(bytes.len()));
            self.is_lost |= fault == Fault::BlackHole;
            if !self.is_lost && !self.finished.0 {
                self.client.write_all(now).await?;
            }
            self.exchange.passed(now);
            bytes = later;
            match fault {
                Fault::At(moment, how) if self.exchange.is_at(moment) => self.break_now(how).await?,
                Fault::Trickle { every, .. } => {
                    if let Ok(changed) = time::timeout(every, self.plan.changed()).await {
                        self.look_at_plan(changed.is_ok())?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn break_now(&mut self, how: Break) -> io::Result<()> {
        match how {
            Break::Reset => return Err(io::ErrorKind::ConnectionReset.into()),
            Break::Close => self.finished = (true, true),
            Break::FinishAnswer => self.finished.0 = true,
            Break::FinishRequest => self.finished.1 = true,
            Break::Stall => return self.stand_still().await,
        }
        if self.finished.0 {
            self.client.shutdown().await?;
        }
        if self.finished.1 {
            self.server.shutdown().await?;
        }
        Ok(())
    }

    /// Nothing passes until the plan is another, or the client leaves. Then what waited passes, as on a slow line.
    async fn stand_still(&mut self) -> io::Result<()> {
        let stalling = self.fault();
        let mut bytes = vec![0; CHUNK];
        while self.fault() == stalling {
            tokio::select! {
                changed = self.plan.changed() => self.look_at_plan(changed.is_ok())?,
                read = self.client.read(&mut bytes) => match read? {
                    0 => return Err(io::ErrorKind::ConnectionAborted.into()),
                    length => self.waiting.extend_from_slice(&bytes[..length]),
                },
            }
        }
        Ok(())
    }
}
