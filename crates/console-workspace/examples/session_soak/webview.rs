//! What does a dashboard's webview do all day? It asks for pages, and sends actions.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header, redirect};
use tokio::time;
use url::Url;

use crate::{
    consumer::Page,
    ledger::{self, Fate, Ledger},
    weather::Weather,
};

const PAGE_EVERY: Duration = Duration::from_millis(300);
const ACTION_EVERY: Duration = Duration::from_millis(700);
const PAGES: [&str; 6] =
    ["/", "/queues", "/queues/emails", "/queues/emails/jobs?state=completed", "/workers", "/metrics"];
/// How long a page is read. One that waits for a session goes on for minutes.
const READ_WITHIN: Duration = Duration::from_mins(1);
/// How many actions may be on their way.
const MOST_ON_THEIR_WAY: usize = 60;

/// What the webview and whoever disturbs it share.
pub(crate) struct Shared {
    pub(crate) weather: Weather,
    pub(crate) ledger: Ledger,
    pub(crate) failures: Mutex<Vec<String>>,
    /// No new actions just now.
    pub(crate) hands_off: AtomicBool,
    pub(crate) pages_answered: AtomicU64,
    pub(crate) pages_rough: AtomicU64,
    /// The answers to pages that were not well in rough weather.
    pub(crate) statuses: Mutex<BTreeMap<String, u64>>,
    on_its_way: AtomicU64,
    page: Mutex<Page>,
}

impl Shared {
    pub(crate) fn new(page: Page) -> Arc<Self> {
        Arc::new(Self {
            weather: Weather::default(),
            ledger: Ledger::default(),
            failures: Mutex::default(),
            hands_off: AtomicBool::new(false),
            pages_answered: AtomicU64::new(0),
            pages_rough: AtomicU64::new(0),
            statuses: Mutex::default(),
            on_its_way: AtomicU64::new(0),
            page: Mutex::new(page),
        })
    }

    pub(crate) fn page(&self) -> Page {
        locked(&self.page).clone()
    }

    pub(crate) fn show(&self, page: Page) {
        *locked(&self.page) = page;
    }

    pub(crate) fn fails(&self, what: impl Into<String>) {
        let what = what.into();
        println!("FAILED {what}");
        locked(&self.failures).push(what);
    }

    pub(crate) fn is_anything_on_its_way(&self) -> bool {
        self.on_its_way.load(Ordering::SeqCst) > 0
    }
}

pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enters by an entry address of the gateway.
pub(crate) async fn enter(entry: Url) -> Result<Page, Box<dyn Error>> {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build()?;
    let entered = client.get(entry.clone()).send().await?;
    let cookie = entered.headers().get(header::SET_COOKIE).and_then(|value| value.to_str().ok()?.split(';').next());
    let cookie = cookie.ok_or("the gateway let nobody in")?.to_owned();
    let origin = entry.join("/")?.as_str().trim_end_matches('/').to_owned();
    Ok(Page { client, origin, cookie })
}

/// Asks for one page after the other.
pub(crate) async fn read(shared: Arc<Shared>) {
    for path in PAGES.iter().cycle() {
        let before = shared.weather.now();
        let page = shared.page();
        let request = page.get(&format!("/asyncmq{path}"));
        let request = request.header("sec-fetch-mode", "navigate").header("sec-fetch-dest", "document");
        let told = match request.send().await {
            Ok(response) if response.status() == StatusCode::OK => {
                match time::timeout(READ_WITHIN, response.bytes()).await {
                    Ok(Ok(_)) => None,
                    Ok(Err(error)) => Some(format!("a body that broke: {error:?}")),
                    Err(_) => Some("a body without an end".to_owned()),
                }
            }
            Ok(response) => Some(response.status().to_string()),
            Err(error) => Some(format!("no answer: {error:?}")),
        };
        match told {
            None => drop(shared.pages_answered.fetch_add(1, Ordering::SeqCst)),
            Some(told) if shared.weather.was_calm_since(before) => shared.fails(format!("page {path}: {told}")),
            Some(told) => {
                shared.pages_rough.fetch_add(1, Ordering::SeqCst);
                let kind = told.split(':').next().unwrap_or_default().to_owned();
                *locked(&shared.statuses).entry(kind).or_default() += 1;
            }
        }
        time::sleep(PAGE_EVERY).await;
    }
}

/// Sends one action after the other; an answer that takes long holds up none.
pub(crate) async fn act(shared: Arc<Shared>) {
    loop {
        time::sleep(ACTION_EVERY).await;
        let on_its_way = shared.on_its_way.load(Ordering::SeqCst);
        if shared.hands_off.load(Ordering::SeqCst) || on_its_way >= MOST_ON_THEIR_WAY as u64 {
            continue;
        }
        shared.on_its_way.fetch_add(1, Ordering::SeqCst);
        let shared = shared.clone();
        tokio::spawn(async move {
            send(&shared).await;
            shared.on_its_way.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn send(shared: &Shared) {
    let (before, page) = (shared.weather.now(), shared.page());
    let was_closing = shared.weather.is_closing();
    let number = shared.ledger.ask();
    let fate = match request(&page, number).send().await {
        Ok(response) => told(response).await,
        // Nothing of it was sent.
        Err(error) if error.is_connect() => Ok(Fate::NotDone),
        Err(error) if was_closing || shared.weather.is_closing() => {
            drop(error);
            Ok(Fate::PageClosed)
        }
        Err(error) => Err(Untold::NoAnswer(error)),
    };
    let fate = fate.unwrap_or_else(|untold| {
        shared.fails(format!("action {number}: {untold}"));
        Fate::CannotTell
    });
    if fate != Fate::Done && shared.weather.was_calm_since(before) {
        shared.fails(format!("action {number}: {fate:?} in calm weather"));
    }
    shared.ledger.tell(number, fate);
}

/// A form that the page sends, or a button whose script does. Each has a target of its own: a job or a queue that nobody
/// else names. (AsyncMQ pauses a queue that it does not know, and says of a job that it does not know that it was retried.)
fn request(page: &Page, number: u64) -> RequestBuilder {
    let name = ledger::name(number);
    let to = |path: String| {
        page.client
            .request(Method::POST, format!("{}/asyncmq{path}", page.origin))
            .header(header::COOKIE, &page.cookie)
            .header(header::ORIGIN, &page.origin)
            .header("sec-fetch-site", "same-origin")
    };
    let form = |action| {
        to(format!("/queues/{name}"))
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .form(&[("action", action)])
    };
    match number % 4 {
        0 => form("pause"),
        1 => form("resume"),
        _ => to(format!("/queues/emails/jobs/{name}/retry"))
            .header("sec-fetch-mode", "cors")
            .header("sec-fetch-dest", "empty")
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_LENGTH, "0"),
    }
}

/// Why nothing is known of an action.
#[derive(Debug, thiserror::Error)]
enum Untold {
    #[error("no answer: {0:?}")]
    NoAnswer(reqwest::Error),
    #[error("{0} and a body that broke: {1:?}")]
    Broken(StatusCode, reqwest::Error),
    #[error("{0} and a body without an end")]
    Endless(StatusCode),
    #[error("{0} says nothing about it: {1}")]
    Says(StatusCode, String),
}

/// What the answer says about the action. Every answer has to say something.
async fn told(response: Response) -> Result<Fate, Untold> {
    let status = response.status();
    match status {
        StatusCode::OK | StatusCode::SEE_OTHER => return Ok(Fate::Done),
        StatusCode::NO_CONTENT => return Ok(Fate::Held),
        _ => {}
    }
    let text = time::timeout(READ_WITHIN, response.text()).await.map_err(|_| Untold::Endless(status))?;
    let text = text.map_err(|error| Untold::Broken(status, error))?;
    if text.contains("Held until") {
        Ok(Fate::Held)
    } else if text.contains("annot be told") {
        Ok(Fate::CannotTell)
    } else if text.contains("Nothing was done") {
        Ok(Fate::NotDone)
    } else {
        Err(Untold::Says(status, text))
    }
}
