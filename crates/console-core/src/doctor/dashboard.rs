//! What does the dashboard answer to a credential that it has accepted?

use http::{Method, StatusCode};
use serde_json::Value;

use super::{
    examination::{Examination, advice_for},
    step::Found,
};
use crate::{
    sign_in::shown,
    upstream::{Outcome, beginning, judge, judge_forbidden},
};

const NOT_THERE: &str = "This admin has none: AsyncMQ has it from release 0.9.";

/// Whether the dashboard lives (`asyncmq/contrib/dashboard/controllers/health.py`).
pub(super) async fn health(examination: &Examination<'_>) -> Found {
    let (status, said) = match answer(examination, "/health").await {
        Ok(answer) => answer,
        Err(found) => return found,
    };
    match status {
        StatusCode::OK if said["service"] == "asyncmq-dashboard" => Found::well("The dashboard lives."),
        StatusCode::OK => Found::unknown("Something answers there in another form than AsyncMQ.", ""),
        StatusCode::NOT_FOUND => Found::unknown(NOT_THERE, ""),
        status => Found::failed(format!("It answers {}.", status.as_u16()), "Show this to the admin's administrator."),
    }
}

/// Whether the admin reaches its backend. What the backend's error says is not shown: it may hold an address with a
/// password.
pub(super) async fn ready(examination: &Examination<'_>) -> Found {
    let (status, said) = match answer(examination, "/ready").await {
        Ok(answer) => answer,
        Err(found) => return found,
    };
    readiness(status, &said)
}

fn readiness(status: StatusCode, said: &Value) -> Found {
    let backend = said["backend"].as_str().map(|name| format!(" `{}`", shown(name))).unwrap_or_default();
    match status {
        StatusCode::OK if said["status"] == "ok" => Found::well(format!("The admin reaches its backend{backend}.")),
        StatusCode::OK => Found::unknown("Something answers there in another form than AsyncMQ.", ""),
        StatusCode::NOT_FOUND => Found::unknown(NOT_THERE, ""),
        StatusCode::SERVICE_UNAVAILABLE if said["status"] == "error" => {
            let kind = said["error"].as_str().and_then(|error| error.split(':').next()).map(shown);
            let kind = kind.map(|kind| format!(" ({kind})")).unwrap_or_default();
            Found::failed(
                format!("The admin does not reach its backend{backend}{kind}."),
                "Show this to the admin's administrator: pages will be empty or fail until it does.",
            )
        }
        status => Found::failed(format!("It answers {}.", status.as_u16()), "Show this to the admin's administrator."),
    }
}

/// The status, and the beginning of the body as JSON.
async fn answer(examination: &Examination<'_>, path: &str) -> Result<(StatusCode, Value), Found> {
    let failed = |why: crate::upstream::Unreachable| Found::failed(why.detail.clone(), advice_for(why.kind));
    let response = examination.ask(Method::GET, path).await.map_err(failed)?;
    let status = response.status();
    let body = beginning(&examination.subject.environment, response).await.map_err(failed)?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}

/// Whether an action would pass: `POST {prefix}/health` changes nothing, and the gate judges it as any other.
pub(super) async fn same_origin(examination: &Examination<'_>) -> Found {
    let environment = &examination.subject.environment;
    let response = match examination.ask(Method::POST, "/health").await {
        Ok(response) => response,
        Err(why) => return Found::failed(why.detail.clone(), advice_for(why.kind)),
    };
    let (status, url) = (response.status(), response.url().clone());
    let outcome = match judge(environment, &Method::POST, &url, status, response.headers()) {
        Outcome::Forbidden => match beginning(environment, response).await {
            Ok(body) => judge_forbidden(&body),
            Err(why) => return Found::failed(why.detail.clone(), advice_for(why.kind)),
        },
        outcome => outcome,
    };
    match outcome {
        Outcome::CrossOriginRejected => Found::failed(
            "The admin shows pages and rejects actions: it takes them for another site's, because it does not trust the proxy in front of it.",
            "Show this to the admin's administrator: the proxy's address belongs into `trusted_proxies`, and the proxy must send `X-Forwarded-Host` and `X-Forwarded-Proto`.",
        ),
        Outcome::Answered if status == StatusCode::METHOD_NOT_ALLOWED => Found::well("An action passes the gate."),
        Outcome::Answered if status == StatusCode::NOT_FOUND => Found::unknown(
            "This admin has no page to try it with. Releases before 0.9 do not check where an action comes from.",
            "",
        ),
        Outcome::Answered => {
            Found::unknown(format!("A harmless action was answered with {}, which says nothing.", status.as_u16()), "")
        }
        _ => Found::failed(
            "An action is refused where a page is not.",
            "Find out what stands in front of the admin, and whether it lets POST pass.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use serde_json::json;

    use super::readiness;
    use crate::doctor::Verdict;

    #[test]
    fn a_backend_that_is_not_reached_is_named_without_what_its_error_holds() {
        let error = "ConnectionError: Error 111 connecting to redis://:canary@10.0.0.1";
        let said = json!({"status": "error", "backend": "RedisBackend", "error": error});
        let found = readiness(StatusCode::SERVICE_UNAVAILABLE, &said);
        assert_eq!(found.verdict, Verdict::Failed);
        assert_eq!(found.finding, "The admin does not reach its backend `RedisBackend` (ConnectionError).");
    }
}
