//! What would a write do? Read from its own bytes as AsyncMQ reads them, and named for a person.
//!
//! The rules are those of AsyncMQ 0.6 to 0.10 (`contrib/dashboard/application.py` and `controllers`): routes are matched on
//! the path decoded once; of a field that comes twice the first counts; `/jobs` acts on the first `job_id` only and splits
//! it at commas, `/dlq` takes every `job_id` and splits none. What is not surely read in one way only has no meaning here:
//! it is named by its method and path.

mod words;

use std::borrow::Cow;

use http::{HeaderMap, Method, header};
use serde_json::Value;
use url::form_urlencoded;

use crate::{admit::text, resolve::Target};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the words of the dashboard's buttons")]
pub enum Verb {
    Retry,
    Remove,
    Cancel,
    Pause,
    Resume,
    Create,
}

/// What it is done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// Jobs, by their ids.
    Job,
    /// Jobs on the page of the dead letters, by their ids.
    DeadLetter,
    /// A whole queue.
    Queue,
    /// A repeatable job, by its task.
    Repeatable,
}

/// A write that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// What is done.
    pub verb: Verb,
    /// What it is done to.
    pub object: Object,
    /// The queue, as the admin reads it.
    pub queue: String,
    /// Job ids, or the one task of a repeatable; whole, and in the order in which the admin takes them.
    pub subjects: Vec<String>,
    /// When a new repeatable runs: `every 60 s`, `by cron 0 3 * * *`.
    pub schedule: Option<String>,
}

/// What a write would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Action {
    /// `None`: not one of AsyncMQ's own routes, or not to be read without doubt.
    pub meaning: Option<Meaning>,
    /// For a person: "Retry job 7f3a in emails", or `POST /path`. One line of at most 120 characters, in which nothing
    /// is invisible or changes the direction of what follows.
    pub name: String,
}

/// A write, as far as its meaning depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'r> {
    pub(crate) method: &'r Method,
    /// The path and query that are sent.
    pub(crate) target: &'r str,
    /// The path below the mount prefix, decoded once.
    pub(crate) decoded: &'r str,
    pub(crate) headers: &'r HeaderMap,
    pub(crate) body: &'r [u8],
}

/// Reads the write that was asked for at `target`, below the mount `prefix`.
pub(crate) fn of_request(method: &Method, target: &Target, headers: &HeaderMap, body: &[u8], prefix: &str) -> Action {
    let path = target.url.path();
    action(Asked {
        method,
        target: &target.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")),
        decoded: target.decoded_path.strip_prefix(prefix).unwrap_or_default(),
        headers,
        body,
    })
}

/// Reads a write.
pub(crate) fn action(asked: Asked<'_>) -> Action {
    let meaning = meaning(asked);
    let name = meaning.as_ref().map_or_else(|| words::unknown(asked.method.as_str(), asked.target), words::name);
    Action { meaning, name }
}

fn meaning(asked: Asked<'_>) -> Option<Meaning> {
    if asked.method != Method::POST {
        return None;
    }
    let segments: Vec<&str> = asked.decoded.strip_prefix('/')?.split('/').collect();
    let ["queues", queue, rest @ ..] = segments.as_slice() else { return None };
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let of =
        |verb, object, subjects| Some(Meaning { verb, object, queue: (*queue).to_owned(), subjects, schedule: None });
    if let ["jobs", id, action] = rest {
        // The only one that is read from the path alone.
        return of(job_verb(action)?, Object::Job, vec![(*id).to_owned()]);
    }
    let form = Form::read(asked.headers, asked.body)?;
    let action = form.first("action");
    match rest {
        [] => of(pause_or_resume(action?)?, Object::Queue, Vec::new()),
        ["jobs"] => {
            let ids = form.first("job_id").unwrap_or_default().split(',');
            let ids = ids.filter(|id| !id.is_empty()).map(str::to_owned).collect();
            of(job_verb(action?)?, Object::Job, ids)
        }
        ["dlq"] => {
            let verb = job_verb(action?).filter(|verb| *verb != Verb::Cancel)?;
            of(verb, Object::DeadLetter, form.all("job_id").map(str::to_owned).collect())
        }
        ["repeatables"] => {
            let verb = match action? {
                "remove" => Verb::Remove,
                other => pause_or_resume(other)?,
            };
            of(verb, Object::Repeatable, vec![task(form.first("job_def")?)?])
        }
        ["repeatables", "new"] => Some(Meaning {
            schedule: Some(schedule(&form)?),
            ..of(Verb::Create, Object::Repeatable, vec![form.first("task_id").unwrap_or_default().to_owned()])?
        }),
        _ => None,
    }
}

fn job_verb(action: &str) -> Option<Verb> {
    match action {
        "retry" => Some(Verb::Retry),
        // Since 0.7 `delete` is another word for it; before, it did nothing.
        "remove" | "delete" => Some(Verb::Remove),
        "cancel" => Some(Verb::Cancel),
        _ => None,
    }
}

fn pause_or_resume(action: &str) -> Option<Verb> {
    match action {
        "pause" => Some(Verb::Pause),
        "resume" => Some(Verb::Resume),
        _ => None,
    }
}

/// What a repeatable's definition is called: `controllers/repeatables.py` looks into `job_def` where there is one.
fn task(definition: &str) -> Option<String> {
    let posted: Value = serde_json::from_str(definition).ok()?;
    let inner = posted.get("job_def").unwrap_or(&posted).as_object()?;
    let known = ["task_id", "name", "id", "repeat_id", "key"];
    known.iter().find_map(|key| inner.get(*key)?.as_str().filter(|text| !text.is_empty())).map(str::to_owned)
}

/// An interval counts before a cron expression (`Queue.upsert_repeatable` gets both; the page offers one).
fn schedule(form: &Form<'_>) -> Option<String> {
    let given = |name| form.first(name).filter(|value| !value.is_empty());
    match (given("every"), given("cron")) {
        (Some(every), None) => every.trim().parse::<u64>().ok().map(|seconds| format!("every {seconds} s")),
        (None, Some(cron)) => Some(format!("by cron {cron}")),
        _ => None,
    }
}

/// The fields of a form, in their order.
struct Form<'b>(Vec<(Cow<'b, str>, Cow<'b, str>)>);

impl<'b> Form<'b> {
    /// `None` where two parsers could read two things: another type, a coding, bytes that no browser writes into a form
    /// (Python's parsers have split at `;`, and do not agree on bytes above ASCII).
    fn read(headers: &HeaderMap, body: &'b [u8]) -> Option<Self> {
        let media = text(headers, "content-type")?.split(';').next().unwrap_or_default().trim();
        let is_form = media.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let as_a_browser_writes_it = body.iter().all(|byte| byte.is_ascii_graphic() && *byte != b';');
        (is_form && as_a_browser_writes_it && !headers.contains_key(header::CONTENT_ENCODING))
            .then(|| Self(form_urlencoded::parse(body).collect()))
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_ref())
    }

    fn first(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_ref())
    }
}

#[cfg(test)]
mod tests;
