//! How is the way to the admin cut? A TCP proxy on loopback that can drop every connection, and refuse new ones.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What a request for the admin's live stream begins with.
const STREAM_REQUEST: &[u8] = b"GET /asyncmq/events ";

/// What the connections share.
#[derive(Default)]
struct Shared {
    refusing: AtomicBool,
    streams: AtomicUsize,
    most_streams: AtomicUsize,
    all_streams: AtomicUsize,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    cuts: watch::Sender<u64>,
}

impl Proxy {
    /// Listens on a free port and passes everything on to `admin` (`host:port`).
    pub(crate) async fn before(admin: &str) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let cuts = watch::Sender::new(0);
        let (sharing, cutting, admin) = (shared.clone(), cuts.clone(), admin.to_owned());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // A connection that is dropped at once is what a host without a service looks like.
                if !sharing.refusing.load(Ordering::SeqCst) {
                    tokio::spawn(pass(stream, admin.clone(), sharing.clone(), cutting.subscribe()));
                }
            }
        });
        Ok(Self { address, shared, cuts })
    }

    /// Drops every connection.
    pub(crate) fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// Whether new connections are dropped at once.
    pub(crate) fn refuse(&self, refusing: bool) {
        self.shared.refusing.store(refusing, Ordering::SeqCst);
    }

    /// The most `/events` streams that were open at the same time, and how many there were in all.
    pub(crate) fn streams(&self) -> (usize, usize) {
        (self.shared.most_streams.load(Ordering::SeqCst), self.shared.all_streams.load(Ordering::SeqCst))
    }
}

/// Counts a connection that carries a live stream as long as it is open.
struct Stream<'s>(&'s Shared);

impl<'s> Stream<'s> {
    fn opened(shared: &'s Shared) -> Self {
        let open = shared.streams.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_streams.fetch_max(open, Ordering::SeqCst);
        shared.all_streams.fetch_add(1, Ordering::SeqCst);
        Self(shared)
    }
}

impl Drop for Stream<'_> {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn pass(mut near: TcpStream, admin: String, shared: Arc<Shared>, mut cuts: watch::Receiver<u64>) {
    let Ok(mut far) = TcpStream::connect(&admin).await else { return };
    let (mut near_read, mut near_write) = near.split();
    let (mut far_read, mut far_write) = far.split();
    let requests = async {
        let mut stream = None;
        let mut bytes = vec![0; 16 * 1024];
        while let Ok(length) = near_read.read(&mut bytes).await {
            // reqwest writes a head at once.
            if bytes[..length].starts_with(STREAM_REQUEST) && stream.is_none() {
                stream = Some(Stream::opened(&shared));
            }
            if length == 0 || far_write.write_all(&bytes[..length]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = requests => {}
        _ = tokio::io::copy(&mut far_read, &mut near_write) => {}
        _ = cuts.changed() => {}
    }
}
