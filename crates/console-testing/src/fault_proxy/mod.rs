//! How does the way to a server break? A TCP proxy before a real server, on real sockets, that breaks it as a test says.
//!
//! ```no_run
//! # async fn of_a_test() -> std::io::Result<()> {
//! use console_testing::fault_proxy::{Break, Fault, FaultProxy, Moment};
//!
//! let proxy = FaultProxy::before("127.0.0.1:8000".parse().expect("an address")).await?;
//! // The server carries out every POST, and nobody hears of it.
//! proxy.set_for("POST ", Fault::At(Moment::Head(0), Break::Reset)).await;
//! // … a client goes to `proxy.address()` …
//! assert_eq!(proxy.requests("POST /asyncmq/"), 1, "it was sent once");
//! proxy.set(Fault::None).await;
//! # Ok(()) }
//! ```
//!
//! It reads as little of HTTP/1.1 as it needs: an exchange begins with the first bytes of the client after bytes of the
//! server, and a head ends at the first empty line. Of anything else (TLS, HTTP/2) a connection is one long exchange whose
//! answer has no head.

mod connection;
mod record;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time,
};

use self::{connection::Connection, record::Record};

/// How long a port may be in somebody else's hands when it is to be listened on again.
const PATIENCE: Duration = Duration::from_secs(5);

/// What happens to the connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Nothing: everything passes.
    #[default]
    None,
    /// Nobody listens: the system refuses new connections. Those that are open go on.
    Refuse,
    /// Connections are accepted, what arrives is swallowed, nothing is ever sent, in both directions. A connection on which
    /// something was lost so stays lost when this is lifted.
    BlackHole,
    /// An exchange breaks.
    At(Moment, Break),
    /// The answer comes in drops.
    Trickle {
        /// How many bytes.
        bytes: usize,
        /// How often.
        every: Duration,
    },
}

/// When in the life of an exchange. A moment that lies behind a running exchange spares it; a body that has had its bytes
/// already breaks at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The connection was accepted.
    Accepted,
    /// The request has begun to arrive; nothing of it was passed on.
    Asked,
    /// The server has begun to answer, and so much of the head was passed on. 0: the request was carried out, and nothing
    /// was heard of it.
    Head(usize),
    /// So much of the answer was passed on after its head. Less than its `Content-Length`: the answer is cut short. Its
    /// whole length: it breaks after the end.
    Body(usize),
}

/// How it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Break {
    /// Both sides get a RST.
    Reset,
    /// Both sides get a FIN.
    Close,
    /// The client gets a FIN, and may go on sending.
    FinishAnswer,
    /// The server gets a FIN, and may go on answering.
    FinishRequest,
    /// Nothing passes any more, and nothing is closed.
    Stall,
}

/// What is to happen, and to which exchanges.
#[derive(Debug, Clone)]
struct Plan {
    fault: Fault,
    /// What the requests begin with that it happens to.
    only: Option<String>,
    /// Where the connections lead.
    server: SocketAddr,
    /// Counts how often everything was cut.
    cuts: u64,
}

impl Plan {
    fn fault_for(&self, request: &str) -> Fault {
        match &self.only {
            Some(only) if !request.starts_with(only.as_str()) => Fault::None,
            _ => self.fault,
        }
    }
}

/// A running proxy. It ends, and with it every connection, when this is dropped.
pub struct FaultProxy {
    address: SocketAddr,
    plan: watch::Sender<Plan>,
    record: Arc<Record>,
    listening: Mutex<Option<JoinHandle<()>>>,
}

impl FaultProxy {
    /// Listens on a free port of loopback and passes everything on to `server`.
    ///
    /// # Errors
    /// When there is no port.
    pub async fn before(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let plan = watch::Sender::new(Plan { fault: Fault::None, only: None, server, cuts: 0 });
        let proxy = Self { address, plan, record: Arc::default(), listening: Mutex::default() };
        proxy.listen(listener);
        Ok(proxy)
    }

    /// Where clients go.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on this happens to every exchange. When it returns, it does.
    ///
    /// # Panics
    /// When somebody else has taken the port while it was [`Fault::Refuse`].
    pub async fn set(&self, fault: Fault) {
        self.change(fault, None).await;
    }

    /// The same, but only to exchanges whose request begins with `request`, such as `POST /asyncmq/`.
    ///
    /// # Panics
    /// As [`Self::set`].
    pub async fn set_for(&self, request: &str, fault: Fault) {
        self.change(fault, Some(request.to_owned())).await;
    }

    /// New connections lead to another server.
    pub fn lead_to(&self, server: SocketAddr) {
        self.plan.send_modify(|plan| plan.server = server);
    }

    /// Resets every open connection, once.
    pub fn cut_all(&self) {
        self.plan.send_modify(|plan| plan.cuts += 1);
    }

    /// How many connections to the server are open now, as far as a client keeps its end open.
    pub fn connections(&self) -> usize {
        self.record.connections()
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.record.accepted()
    }

    /// How many requests so far began with `request`, whether or not they were passed on.
    pub fn requests(&self, request: &str) -> usize {
        self.record.requests(request)
    }

    /// Counts requests from nothing again: what runs for an hour would fill the memory with them.
    pub fn forget_requests(&self) {
        self.record.forget_requests();
    }

    /// How many open connections are in an exchange now (or are idle after it) whose request began with `request`.
    pub fn open(&self, request: &str) -> usize {
        self.record.open(request)
    }

    async fn change(&self, fault: Fault, only: Option<String>) {
        self.plan.send_modify(|plan| {
            plan.fault = fault;
            plan.only = only;
        });
        let listening = self.listening().take();
        match (listening, fault == Fault::Refuse) {
            (Some(task), true) => {
                task.abort();
                // Awaited to its end, so that the listener is closed.
                let _ = task.await;
            }
            (Some(task), false) => *self.listening() = Some(task),
            (None, true) => {}
            (None, false) => {
                let again = time::timeout(PATIENCE, async {
                    loop {
                        match TcpListener::bind(self.address).await {
                            Ok(listener) => return listener,
                            Err(_) => time::sleep(Duration::from_millis(20)).await,
                        }
                    }
                });
                let listener = again.await.unwrap_or_else(|_| panic!("{} was taken by somebody else", self.address));
                self.listen(listener);
            }
        }
    }

    fn listen(&self, listener: TcpListener) {
        let (plan, record) = (self.plan.subscribe(), self.record.clone());
        *self.listening() = Some(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, plan.clone(), record.clone()));
            }
        }));
    }

    fn listening(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        if let Some(task) = self.listening().take() {
            task.abort();
        }
        // The connections end when they see that there is no plan any more.
    }
}

/// Serves one connection of a client to its end.
async fn pass(client: TcpStream, plan: watch::Receiver<Plan>, record: Arc<Record>) {
    let entry = record.enter();
    let server = plan.borrow().server;
    if let Ok(server) = TcpStream::connect(server).await {
        // What is written has to leave at once, byte by byte where a test says so.
        let _ = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
        Connection::new(client, server, plan, entry).pass().await;
    } else {
        // Nobody is there. The client has been accepted already, so a RST has to say it.
        let _ = client.set_zero_linger();
    }
}
