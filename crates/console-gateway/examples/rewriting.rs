//! How fast is HTML rewritten? Prints a line for each document: GB/s and microseconds, medians of rounds, on one core.
//!
//! `cargo run --release -p console-gateway --example rewriting [-- ROUNDS [NAME]]`; `NAME`: only documents whose name
//! holds it. It goes the gateway's way: `Rewriter::html_body` over a stream of chunks. The documents are written like the
//! job list of AsyncMQ 0.10, which names the host in the four files of its head.
//!
//! Time is the thread's time on its core, where the system tells it (Linux): what else the machine does is not in it.

use std::{
    convert::Infallible,
    fmt::Write as _,
    fs,
    hint::black_box,
    sync::LazyLock,
    time::{Duration, Instant},
};

use bytes::Bytes;
use console_gateway::rewrite::Rewriter;
use futures_util::{FutureExt, TryStreamExt, stream};
use http::{HeaderMap, HeaderValue, header};

const HOST: &str = "https://admin.example";
/// As much as a read from a connection yields at a time.
const CHUNK: usize = 16 * 1024;
/// How long a job is in the list, at least, in bytes; links between them leave room for fewer.
const JOB: usize = 1300;
/// How many files the head names.
const FILES: usize = 4;
/// How long one round of one document takes at least.
const ROUND: Duration = Duration::from_millis(50);

/// How a document names the host.
#[derive(Clone, Copy)]
enum Named {
    Never,
    /// In the files of its head.
    InItsHead,
    /// In this many links besides.
    InLinks(usize),
}

fn head(page: &mut String, origin: &str) {
    let _ = write!(
        page,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"UTF-8\"/>\n  \
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1.0\"/>\n  \
         <link rel=\"icon\" href=\"/asyncmq/statics/favicon.ico\"/>\n  <title>AsyncMQ | Jobs</title>\n  \
         <link rel=\"stylesheet\" href=\"{origin}/asyncmq/statics/css/tailwind-4.3.2.min.css\">\n  \
         <link rel=\"stylesheet\" href=\"{origin}/asyncmq/statics/css/asyncmq.css\">\n  \
         <script src=\"{origin}/asyncmq/statics/js/asyncmq.js\"></script>\n  \
         <script defer src=\"{origin}/asyncmq/statics/vendor/alpinejs/alpine-csp-3.15.12.min.js\"></script>\n</head>\n\
         <body class=\"amq-body\">\n  <main class=\"amq-main\">\n    <section class=\"amq-job-grid\">\n"
    );
}

/// A job as its list shows it, with the payload that a job may hold.
fn job(page: &mut String, number: usize, origin: &str) {
    let _ = write!(
        page,
        "      <article class=\"amq-job-card\">\n        <div class=\"amq-job-card-header\">\n          <div>\n            \
         <h3 class=\"amq-job-title\">7f3a{number:08x}</h3>\n            <p class=\"amq-job-subtitle\">app.tasks.mail</p>\n          \
         </div>\n          <span class=\"amq-badge amq-badge--failed\"><svg xmlns=\"http://www.w3.org/2000/svg\" \
         viewBox=\"0 0 24 24\"><path d=\"M4 6h16M4 12h16\"/></svg>failed</span>\n        </div>\n\n        \
         <div class=\"amq-kv-grid\">\n          <div class=\"amq-kv\">\n            <span>Created</span>\n            \
         <strong>2026-11-25 13:02:{:02}</strong>\n          </div>\n        </div>\n\n        \
         <pre class=\"amq-job-snippet\">{{&#34;to&#34;: &#34;ops@customer.example&#34;, &#34;callback&#34;: \
         &#34;https://hooks.example/v1/{number}&#34;}}</pre>\n\n        <div class=\"amq-actions\">\n          \
         <a href=\"{origin}/asyncmq/queues/emails/jobs/7f3a{number:08x}?state=failed&amp;page=2\" \
         class=\"amq-button amq-button--primary\">\n            Inspect\n          </a>\n        </div>\n      </article>\n",
        number % 60
    );
}

fn document(length: usize, named: Named) -> Bytes {
    let (links, files) = match named {
        Named::Never => (0, ""),
        Named::InItsHead => (0, HOST),
        Named::InLinks(links) => (links, HOST),
    };
    let mut page = String::new();
    head(&mut page, files);
    let jobs = length / JOB;
    // The files of the head are links, too.
    let mut left = links.saturating_sub(FILES);
    for number in 0..jobs {
        job(&mut page, number, if left > 0 { HOST } else { "" });
        // More links than jobs: the others stand between them, as in a table.
        let between = left.div_ceil(jobs - number).saturating_sub(1);
        left = left.saturating_sub(1 + between);
        for link in 0..between {
            let _ = writeln!(page, "<a href=\"{HOST}/asyncmq/queues/q{link}\">q{link}</a>");
        }
    }
    while page.len() < length {
        page.push_str("      <p class=\"amq-card-meta\">Page 1 of 7</p>\n");
    }
    page.push_str("    </section>\n  </main>\n</body>\n</html>\n");
    page.into()
}

/// One page through the rewriter; how many bytes come out.
fn rewrite(rewriter: &Rewriter, page: &Bytes) -> usize {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let chunks = (0..page.len()).step_by(CHUNK).map(|at| page.slice(at..page.len().min(at + CHUNK)));
    let chunks = stream::iter(chunks.map(Ok::<_, Infallible>).collect::<Vec<_>>());
    let Ok(body) = rewriter.html_body(&mut headers, chunks) else { panic!("it is HTML") };
    let length = body.try_fold(0, |length, chunk| async move { Ok(length + black_box(chunk).len()) });
    length.now_or_never().expect("it waits for nothing but its body").expect("a whole body")
}

/// How long this thread has been on a core; where the system does not tell, how long the program has been running.
fn now() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let on_core = told.and_then(|told| told.split(' ').next()?.parse().ok());
    on_core.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

/// Seconds for one page, over one round.
fn round(rewriter: &Rewriter, page: &Bytes) -> f64 {
    // As many pages at a time as make the look at the clock nothing.
    let at_once = 1 + 1_000_000 / page.len();
    let start = now();
    let mut pages = 0_u32;
    loop {
        for _ in 0..at_once {
            black_box(rewrite(rewriter, black_box(page)));
            pages += 1;
        }
        let taken = now().saturating_sub(start);
        if taken >= ROUND {
            return taken.as_secs_f64() / f64::from(pages);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rounds = arguments.next().map_or(Ok(9), |rounds| rounds.parse()).expect("a number of rounds");
    let wanted = arguments.next().unwrap_or_default();
    let rewriter = Rewriter::new(&format!("{HOST}/asyncmq").parse().expect("a URL"));
    let documents: Vec<(&str, Bytes)> = [
        ("24 kB without the host", document(24_000, Named::Never)),
        ("24 kB as the admin writes it", document(24_000, Named::InItsHead)),
        ("125 kB without the host", document(125_000, Named::Never)),
        ("125 kB as the admin writes it", document(125_000, Named::InItsHead)),
        ("125 kB with 400 URLs of the host", document(125_000, Named::InLinks(400))),
        ("1 MB without the host", document(1_000_000, Named::Never)),
        ("8 MB without the host", document(8_000_000, Named::Never)),
    ]
    .into_iter()
    .filter(|(name, _)| name.contains(&wanted))
    .collect();
    // Interleaved, so that what else the machine does meets all of them alike.
    let mut times = vec![Vec::new(); documents.len()];
    for _ in 0..rounds {
        for ((_, page), times) in documents.iter().zip(&mut times) {
            times.push(round(&rewriter, page));
        }
    }
    for ((name, page), times) in documents.iter().zip(times) {
        let seconds = median(times);
        let named = page.windows(HOST.len()).filter(|window| *window == HOST.as_bytes()).count();
        println!(
            "{name}: {:.3} GB/s, {:.1} µs ({} bytes, {named} URLs of the host, {} bytes come out)",
            f64::from(u32::try_from(page.len()).expect("a page")) / seconds / 1e9,
            seconds * 1e6,
            page.len(),
            rewrite(&rewriter, page),
        );
    }
}
