//! Does the proxy break what it is told to, and nothing else? Against a server that answers every request the same.

use std::{io, time::Duration};

use console_testing::fault_proxy::{
    Break::{self, Close, FinishAnswer, FinishRequest, Reset, Stall},
    Fault, FaultProxy,
    Moment::{self, Accepted, Asked, Body, Head},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time,
};

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789";
const SOON: Duration = Duration::from_secs(5);

/// What a server saw on one connection: every request, and how it ended.
#[derive(Debug, PartialEq, Eq)]
enum Saw {
    Request,
    Fin,
    Rst,
}

async fn server() -> (FaultProxy, mpsc::UnboundedReceiver<Saw>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let proxy = FaultProxy::before(listener.local_addr().expect("an address")).await.expect("a port");
    let (sender, saw) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let sender = sender.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 1024];
                loop {
                    let end = match stream.read(&mut bytes).await {
                        Ok(0) => Saw::Fin,
                        Ok(_) => {
                            let _ = sender.send(Saw::Request);
                            let _ = stream.write_all(ANSWER.as_bytes()).await;
                            continue;
                        }
                        Err(_) => Saw::Rst,
                    };
                    let _ = sender.send(end);
                    return;
                }
            });
        }
    });
    (proxy, saw)
}

async fn ask(proxy: &FaultProxy, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(proxy.address()).await.expect("connects");
    let _ = stream.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await;
    stream
}

/// What arrives until the end, and how it ends; `None`: it does not end, and nothing more comes.
async fn read(stream: &mut TcpStream) -> (String, Option<io::Result<()>>) {
    let mut text = String::new();
    let mut bytes = [0; 1024];
    loop {
        match time::timeout(Duration::from_millis(300), stream.read(&mut bytes)).await {
            Err(_) => return (text, None),
            Ok(Ok(0)) => return (text, Some(Ok(()))),
            Ok(Ok(length)) => text.push_str(&String::from_utf8_lossy(&bytes[..length])),
            Ok(Err(error)) => return (text, Some(Err(error))),
        }
    }
}

async fn next(saw: &mut mpsc::UnboundedReceiver<Saw>) -> Saw {
    time::timeout(SOON, saw.recv()).await.expect("in time").expect("the server is there")
}

#[tokio::test]
async fn a_reset_is_a_rst_for_both_sides_after_exactly_what_was_allowed() {
    for (moment, heard, requests) in [
        (Accepted, "", 0),
        (Asked, "", 0),
        (Head(0), "", 1),
        (Head(9), &HEAD[..9], 1),
        (Body(0), HEAD, 1),
        (Body(4), &ANSWER[..HEAD.len() + 4], 1),
        (Body(10), ANSWER, 1),
    ] as [(Moment, &str, usize); 7]
    {
        let (proxy, mut saw) = server().await;
        proxy.set(Fault::At(moment, Reset)).await;
        let (text, end) = read(&mut ask(&proxy, "/").await).await;
        assert_eq!(text, heard, "{moment:?}");
        assert!(matches!(end, Some(Err(_))), "{moment:?}: {end:?}");
        for _ in 0..requests {
            assert_eq!(next(&mut saw).await, Saw::Request, "{moment:?}");
        }
        assert_eq!(next(&mut saw).await, Saw::Rst, "{moment:?}");
        assert_eq!(proxy.connections(), 0, "{moment:?}");
    }
}

#[tokio::test]
async fn a_direction_that_is_finished_is_a_fin_and_the_other_goes_on() {
    let cases: [(Break, Option<bool>); 3] = [(Close, Some(true)), (FinishAnswer, Some(true)), (FinishRequest, None)];
    for (how, end_of_answer) in cases {
        let (proxy, mut saw) = server().await;
        proxy.set(Fault::At(Head(9), how)).await;
        let mut stream = ask(&proxy, "/").await;
        let (text, end) = read(&mut stream).await;
        assert_eq!(next(&mut saw).await, Saw::Request);
        if how == FinishRequest {
            // The server closes once it has seen the end of the requests; what it had to say is said.
            assert_eq!((text.as_str(), end.map(|end| end.is_ok())), (ANSWER, Some(true)));
        } else {
            assert_eq!((text.as_str(), end.map(|end| end.is_ok())), (&HEAD[..9], end_of_answer), "{how:?}");
        }
        if how == FinishAnswer {
            stream.write_all(b"GET /again HTTP/1.1\r\n\r\n").await.expect("the other direction is open");
            assert_eq!(next(&mut saw).await, Saw::Request);
            drop(stream);
        }
        assert_eq!(next(&mut saw).await, Saw::Fin, "{how:?}");
    }
}

#[tokio::test]
async fn what_stands_still_goes_on_when_it_is_lifted() {
    for (moment, heard) in [(Accepted, ""), (Asked, ""), (Head(9), &HEAD[..9]), (Body(4), &ANSWER[..HEAD.len() + 4])] {
        let (proxy, _saw) = server().await;
        proxy.set(Fault::At(moment, Stall)).await;
        let mut stream = ask(&proxy, "/").await;
        let (text, end) = read(&mut stream).await;
        assert!(text == heard && end.is_none(), "{moment:?}: {text} {end:?}");
        proxy.set(Fault::None).await;
        assert_eq!(format!("{text}{}", read(&mut stream).await.0), ANSWER, "{moment:?}");
        assert_eq!(proxy.connections(), 1);
    }
}

#[tokio::test]
async fn a_fault_hits_the_exchanges_it_is_for_on_a_connection_that_is_open_already() {
    let (proxy, _saw) = server().await;
    proxy.set_for("GET /b", Fault::At(Head(0), Reset)).await;
    let mut stream = ask(&proxy, "/a").await;
    assert_eq!(read(&mut stream).await.0, ANSWER);
    stream.write_all(b"GET /b HTTP/1.1\r\n\r\n").await.expect("open");
    let (text, end) = read(&mut stream).await;
    assert!(text.is_empty() && matches!(end, Some(Err(_))), "{text} {end:?}");
    assert_eq!((proxy.requests("GET /"), proxy.requests("GET /b"), proxy.open("GET /")), (2, 1, 0));
    let mut other = ask(&proxy, "/a").await;
    assert_eq!(read(&mut other).await.0, ANSWER);
    proxy.set(Fault::Refuse).await;
    let refused = TcpStream::connect(proxy.address()).await.expect_err("nobody listens");
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    assert_eq!(proxy.connections(), 1, "what is open stays");
    proxy.set(Fault::BlackHole).await;
    let mut lost = ask(&proxy, "/c").await;
    let (text, end) = read(&mut lost).await;
    assert!(text.is_empty() && end.is_none(), "{text} {end:?}");
    proxy.set(Fault::None).await;
    lost.write_all(b"GET /d HTTP/1.1\r\n\r\n").await.expect("open");
    assert!(read(&mut lost).await.0.is_empty(), "what was lost is lost");
    assert_eq!(read(&mut ask(&proxy, "/e").await).await.0, ANSWER);
    drop(other);
}

#[tokio::test]
async fn everything_is_cut_once_and_drops_come_at_their_pace() {
    let (proxy, mut saw) = server().await;
    let mut stream = ask(&proxy, "/").await;
    assert_eq!(read(&mut stream).await.0, ANSWER);
    proxy.cut_all();
    assert!(matches!(read(&mut stream).await.1, Some(Err(_))));
    assert_eq!((next(&mut saw).await, next(&mut saw).await), (Saw::Request, Saw::Rst));
    proxy.set(Fault::Trickle { bytes: 1, every: Duration::from_millis(5) }).await;
    let began = time::Instant::now();
    let mut answer = [0; ANSWER.len()];
    ask(&proxy, "/").await.read_exact(&mut answer).await.expect("all of it");
    assert_eq!(answer, ANSWER.as_bytes());
    let least = Duration::from_millis(5) * u32::try_from(ANSWER.len() - 1).expect("short");
    assert!(began.elapsed() >= least, "{:?}", began.elapsed());
}
